"""Records that were set aside for a person: shown, sent or delivered again, or dropped."""

import struct
from collections.abc import Callable, Iterator
from itertools import islice

import structlog

from protocol import pdus
from protocol.consts import MessageState
from protocol.errors import PduError
from routing.message import DELIVERY, DOUBTED, OFFERED, QUEUED, SET_ASIDE, Delivery, Message, SetAside, key_of
from smppgw.admin.models import Aside, Asides, Drop, Release
from smppgw.admin.running import Refused, Running
from smppgw.restore import message_of
from smppgw.store.contract import StoreError

log = structlog.get_logger()

Sees = Callable[[str], bool]
"""Is an account the business of who asks?"""


class Shelf:
    """Made once."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._pipeline = running.pipeline

    def list(self, *, after: str, limit: int, account: str, sees: Sees | None) -> Asides:
        """The oldest message first; without `sees` of all accounts. Raises Refused."""
        found: list[Aside] = []
        last = ""
        ids = self._pipeline.returns.shelf
        start = _id(after) if after else -1
        # They were set aside in another order than that of their ids, by which pages follow each other.
        for id in islice(sorted(each for each in ids if each > start), 100_000):
            if len(found) == limit:
                return Asides(total=self._total(sees), records=found, next=last)
            aside = self._aside(id)
            if aside is not None and account in ("", aside.account) and (sees is None or sees(aside.account)):
                found.append(_shown(id, aside))
                last = f"{id:016x}"
        return Asides(total=self._total(sees), records=found, next="")

    def _total(self, sees: Sees | None) -> int:
        """Of what is the business of who asks."""
        ids = self._pipeline.returns.shelf
        if sees is None:
            return len(ids)
        asides = (self._aside(id) for id in islice(ids, 100_000))
        return sum(1 for aside in asides if aside is not None and sees(aside.account))

    def one(self, id: str, *, sees: Sees, whole: bool) -> Aside:
        """Raises Refused."""
        number = _id(id)
        aside = self._there(number, sees)
        shown = _shown(number, aside)
        shown.record = aside.record.hex() if whole else ""
        return shown

    def release(self, who: str, id: str, asked: Release, *, sees: Sees) -> str:
        """Send a message again, deliver a delivery again; what is done. Raises Refused."""
        number = _id(id)
        aside = self._there(number, sees)
        kind = aside.record[:1]
        if kind == bytes((QUEUED,)):
            done = self._send(number, aside, asked)
        elif kind == bytes((DELIVERY,)):
            done = self._deliver(number, aside)
        else:
            raise Refused(409, "This record cannot be released", "this version does not know its kind")
        self._gone(who, number, aside, done)
        return done

    def drop(self, who: str, id: str, asked: Drop, *, sees: Sees) -> str:
        """End it; what is done. Raises Refused."""
        number = _id(id)
        aside = self._there(number, sees)
        journal = self._pipeline.journal
        if asked.state and aside.record[:1] != bytes((QUEUED,)):
            raise Refused(422, "The request is not valid", "only a message in doubt ends with a receipt", "state")
        if asked.state:
            message = message_of(number, aside.record)
            self._pipeline.finish(message, MessageState[asked.state], b"000")
        else:
            journal.turn.batch[key_of(number)] = None
            journal.soon()
        done = f"dropped as {asked.state}" if asked.state else "dropped"
        self._gone(who, number, aside, done)
        return done

    def _send(self, id: int, aside: SetAside, asked: Release) -> str:
        pipeline = self._pipeline
        message = message_of(id, aside.record)
        now = pipeline.clock()
        if asked.validity_seconds is not None:
            message.expires = now + asked.validity_seconds
        elif message.expires <= now:
            message.expires = now + pipeline.settings.validity
        if message.pin not in pipeline.upstreams:
            message.pin = ""
        message.flags &= ~(OFFERED | DOUBTED)  # a person answers for it
        message.not_before = 0.0
        pipeline.queued[id] = message
        pipeline.accounts.owner(message.account).queued += 1
        pipeline.journal.turn.batch[key_of(id)] = message.pack()
        pipeline.journal.after(lambda: self._offer(message))
        return "sent again"

    def _offer(self, message: Message) -> None:
        self._pipeline.reoffer((message,))

    def _deliver(self, id: int, aside: SetAside) -> str:
        delivery = Delivery.unpack(id, aside.record)
        delivery.attempts, delivery.born = 0, self._pipeline.clock()
        turn = self._pipeline.journal.turn
        turn.batch[key_of(id)] = delivery.pack()
        turn.deliveries.append(delivery)
        self._pipeline.journal.urgent()
        return "to be delivered again"

    def _gone(self, who: str, id: int, aside: SetAside, done: str) -> None:
        returns = self._pipeline.returns
        returns.shelf.pop(id, None)
        if returns.diary is not None:
            returns.diary.decided(id, who, done)
        log.warning("operated", who=who, what=done, id=f"{id:016x}", account=aside.account, reason=aside.reason)

    def _there(self, id: int, sees: Sees) -> SetAside:
        aside = self._aside(id) if id in self._pipeline.returns.shelf else None
        if aside is None or not sees(aside.account):
            raise Refused(404, "There is no such record", "nothing with this id is set aside", "id")
        if self._pipeline.journal.error is not None:
            raise Refused(503, "Not now", f"the store refuses: {self._pipeline.journal.error}")
        return aside

    def _aside(self, id: int) -> SetAside | None:
        """None: it is there no more."""
        try:
            record = self._pipeline.journal.get(key_of(id))
        except StoreError as error:
            raise Refused(503, "Not now", str(error)) from None
        return SetAside.unpack(record) if record and record[0] == SET_ASIDE else None


def _id(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise Refused(422, "The request is not valid", "an id is 16 hex digits", "id") from None


def _shown(id: int, aside: SetAside) -> Aside:
    shown = Aside(
        id=f"{id:016x}", since=aside.when, account=aside.account, reason=aside.reason, kind="other", source="",
        destination="", coding=0, octets=len(aside.record), state="", attempts=0, connector="", expires=None,
    )  # fmt: skip
    try:
        for name, value in _details(id, aside.record):
            setattr(shown, name, value)
    except (PduError, struct.error, ValueError, IndexError):
        pass  # what it is not, it need not be to be dropped
    return shown


def _details(id: int, record: bytes) -> Iterator[tuple[str, object]]:
    if record[0] == QUEUED:
        message = message_of(id, record)
        yield "kind", "message"
        yield "attempts", message.attempts
        yield "connector", message.pin
        yield "expires", message.expires
        yield from _body(message.body)
    elif record[0] == DELIVERY:
        delivery = Delivery.unpack(id, record)
        yield "attempts", delivery.attempts
        yield "state", MessageState(delivery.state).name if delivery.state else ""
        yield "kind", "callback"
        yield from _body(delivery.body)
        yield "kind", "receipt" if delivery.state else "mo"


def _body(body: bytes) -> Iterator[tuple[str, object]]:
    """Of a submit_sm or deliver_sm; its text stays out."""
    pdu = pdus.decode_submit(body)
    yield "source", pdu.source_addr.decode("latin-1")
    yield "destination", pdu.destination_addr.decode("latin-1")
    yield "coding", pdu.data_coding
    yield "octets", len(pdu.short_message)
