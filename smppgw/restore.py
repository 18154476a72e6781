"""After a start: every record of the store back to where it was."""

from collections import Counter
from collections.abc import Callable

import structlog

from protocol import pdus
from protocol.consts import MessageState
from protocol.errors import PduError
from routing.intake import number_of
from routing.message import (
    ANSWERED,
    CALLBACKS,
    DELIVERY,
    DOUBTED,
    HEARD,
    LATE,
    NOTED,
    OFFERED,
    QUEUED,
    SAID,
    SET_ASIDE,
    WAITING,
    Delivery,
    Message,
    Queued,
    id_of,
)
from smppgw.pipeline import Pipeline
from smppgw.returns import as_it_came
from smppgw.store.contract import Store

log = structlog.get_logger()


def restore(
    pipeline: Pipeline,
    store: Store,
    heard: Callable[[int, bytes], None],
    answered: Callable[[int, bytes], None] = lambda id, record: None,  # noqa: ARG005
    said: Callable[[int, bytes], None] = lambda id, record: None,  # noqa: ARG005
) -> Counter[str]:
    """Call it once, with accounts, tables and upstreams in place; `heard` gets the ids and records of kind HEARD,
    `answered` those of kind ANSWERED, and `said` those of kind SAID.
    Returns how many there were of each kind. A record that cannot be read is left where it is, and said so."""
    kinds: Counter[str] = Counter(queued=0, waiting=0, deliveries=0, set_aside=0, heard=0)
    returns = pipeline.returns
    keys = {name: source.keys for name, source in returns.sources.items()}
    queued: list[Message] = []
    for key, record in store.scan():
        id, kind = id_of(key), record[0]
        pipeline.ids.seen(id)
        if kind in (WAITING, NOTED, LATE):
            kinds["waiting"] += 1
            pipeline.known.remember(id, pipeline.ledger.restore(id, record, keys, as_it_came))
        elif kind == DELIVERY:
            kinds["deliveries"] += 1
            _deliver(pipeline, Delivery.unpack(id, record))
        elif kind == QUEUED:
            kinds["queued"] += 1
            message = message_of(id, record)
            if not message.flags & OFFERED or _goes_on(pipeline, message):
                queued.append(message)
        elif kind == SET_ASIDE:
            kinds["set_aside"] += 1
            returns.shelf[id] = None
        elif kind == HEARD:
            kinds["heard"] += 1
            heard(id, record)
        elif kind == ANSWERED:
            answered(id, record)
        elif kind == SAID:
            said(id, record)
        else:
            log.error("a record of an unknown kind is left in the store", id=f"{id:016x}", kind=kind)
    pipeline.ledger.restored()
    now = pipeline.clock()
    for message in queued:
        pipeline.queued[message.id] = message
        pipeline.known.remember(message.id, message.public)
        pipeline.accounts.owner(message.account).queued += 1
        if message.not_before > now:
            pipeline.hold(message, message.not_before - now)
    pipeline.reoffer([message for message in queued if not message.held])
    return kinds


def _deliver(pipeline: Pipeline, delivery: Delivery) -> None:
    if delivery.body[:1] in CALLBACKS and not _is_heard(pipeline, delivery):
        pipeline.returns.set_aside(delivery, "a callback, and its account has only binds now")
    else:
        pipeline.accounts.owner(delivery.account).outbox.add(delivery)


def _is_heard(pipeline: Pipeline, delivery: Delivery) -> bool:
    """Is what looks like a callback for somebody who takes callbacks, or will? An ESME would get octets that are no
    deliver_sm, and perhaps the secrets of a URL."""
    account = pipeline.accounts.known(delivery.account)
    if account is None or account.front is not None:
        return True
    try:
        pdus.decode_submit(delivery.body)
    except PduError:
        return False
    return True


def _goes_on(pipeline: Pipeline, message: Message) -> bool:
    """What becomes of a message that was offered before the crash, and whose answer is not known: is it sent again?"""
    pipeline.counts["in_doubt"] += 1
    source = pipeline.returns.sources.get(message.pin.encode())
    match source.doubt if source is not None else "hold":
        case "again":
            message.flags |= DOUBTED
            message.attempts += 1
            return True
        case "resend":
            message.flags &= ~OFFERED
            message.pin = ""
            return True
        case "unknown":
            pipeline.finish(message, MessageState.UNKNOWN, b"000")
        case _:
            reason = "in doubt: offered before a crash, answer unknown"
            pipeline.returns.keep_aside(message.id, message.account, reason, message.pack())
    return False


def message_of(id: int, record: bytes) -> Message:
    """A QUEUED record as the message that it was."""
    queued = Queued.unpack(record)
    pdu = pdus.decode_submit(queued.body)
    return Message(
        id, queued.account, queued.body, pdu.source_addr, pdu.destination_addr, pdu.service_type, pdu.esm_class,
        pdu.data_coding, pdu.registered_delivery, queued.born, queued.expires, queued.not_before, queued.attempts,
        queued.public, queued.flags, number_of(queued.account, pdu), pin=queued.pin, memo=queued.memo, tag=queued.tag,
    )  # fmt: skip
