"""query_sm, cancel_sm and replace_sm: on what is still with us, or passed on where the connector allows."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, Protocol

from protocol import pdus, tlv
from protocol.consts import Command, MessageState, Status, Tag
from protocol.errors import PduError
from protocol.pdus import CancelSm, QuerySm, QuerySmResp, ReplaceSm
from protocol.session import Answered, Asked
from routing.message import DOUBTED, Message, Waiting
from smppgw.accounts import AccountState
from smppgw.pipeline import Pipeline

FAILED = {
    Command.QUERY_SM: Status.RQUERYFAIL,
    Command.CANCEL_SM: Status.RCANCELFAIL,
    Command.REPLACE_SM: Status.RREPLACEFAIL,
}


AT_ONCE = 5000
"""Queued messages that a cancel_sm without a message_id looks at before others have their turn: some milliseconds."""


class AnswerWith(Protocol):
    """How the link answers."""

    def __call__(self, event: Asked, status: int, body: bytes = b"") -> None: ...


class Sent(NamedTuple):
    """A message that an upstream has."""

    id: int
    waiting: Waiting

    @property
    def source(self) -> bytes:
        return self.waiting.source


class Operations:
    """What one ESME asks about its messages. A broken PDU raises PduError with the status to answer."""

    def __init__(self, pipeline: Pipeline, account: AccountState, answer: AnswerWith) -> None:
        self._pipeline = pipeline
        self._account = account
        self._answer = answer

    def asked(self, event: Asked) -> None:
        pdu = pdus.decode(event.command, event.body)
        if event.command == Command.CANCEL_SM and not pdu.message_id:
            self._cancel_all(event, pdu)
            return
        known = self._pipeline.known.find(self._account, pdu.message_id)
        found = [each if isinstance(each, Message) else Sent(*each) for each in known]
        if pdu.source_addr:  # 4.8.1, 4.9.1, 4.10.1: it must be that of the message
            found = [each for each in found if each.source == pdu.source_addr]
        if not known:
            self._answer(event, Status.RINVMSGID)
        elif not found:
            self._answer(event, FAILED[Command(event.command)])
        elif len(found) == 1 and isinstance(found[0], Sent):
            self._there(event, pdu, found[0])
        else:
            self._here(event, pdu, found)

    def _here(self, event: Asked, pdu: Any, found: Sequence[Message | Sent]) -> None:
        """One message, or those of a submit_multi, of which some may be sent: then the others are cancelled, but none
        is replaced, and the ESME hears that it failed."""
        ours = [each for each in found if isinstance(each, Message) and _ours(each)]
        status = Status.ROK if len(ours) == len(found) else FAILED[Command(event.command)]
        if event.command == Command.QUERY_SM:
            self._answer(event, Status.ROK, _state(pdu.message_id, MessageState.ENROUTE))
        elif not ours or (event.command == Command.REPLACE_SM and status != Status.ROK):
            self._answer(event, status)
        else:
            for message in ours:
                if event.command == Command.CANCEL_SM:
                    self._pipeline.cancel(message)
                else:
                    self._replace(pdu, message)
            self._pipeline.journal.after(lambda: self._answer(event, status))

    def _replace(self, pdu: ReplaceSm, message: Message) -> None:
        old = pdus.decode_submit(message.body)
        new = old._replace(
            schedule_delivery_time=pdu.schedule_delivery_time,
            validity_period=pdu.validity_period or old.validity_period,
            registered_delivery=pdu.registered_delivery,
            sm_default_msg_id=pdu.sm_default_msg_id,
            short_message=pdu.short_message,
            tlvs=tlv.without(old.tlvs, Tag.MESSAGE_PAYLOAD),
        )
        self._pipeline.replace(message, new, pdu.validity_period)

    def _cancel_all(self, event: Asked, pdu: CancelSm) -> None:
        """Without a message_id: all messages of this source to this destination (4.9.1)."""
        account = self._account
        if account.cancelling:
            self._answer(event, Status.RTHROTTLED)
        elif not account.queued:
            self._answer(event, Status.RCANCELFAIL)
        else:
            account.cancelling = True
            self._cancel_some(event, pdu, iter(list(self._pipeline.queued.values())), found=False)

    def _cancel_some(self, event: Asked, pdu: CancelSm, left: Iterator[Message], *, found: bool) -> None:
        """Look at so many; others have their turn before the next ones."""
        wanted = (self._account.name, pdu.source_addr, pdu.destination_addr)
        looked_at = 0
        for message in islice(left, AT_ONCE):
            looked_at += 1
            if (
                (message.account, message.source, message.destination) == wanted
                and (not pdu.service_type or message.service_type == pdu.service_type)
                and not message.gone
                and _ours(message)
            ):
                found = True
                self._pipeline.cancel(message)
        if looked_at == AT_ONCE:
            self._pipeline.loop.call_soon(partial(self._cancel_some, event, pdu, left, found=found))
            return
        self._account.cancelling = False
        if found:
            self._pipeline.journal.after(lambda: self._answer(event, Status.ROK))
        else:
            self._answer(event, Status.RCANCELFAIL)

    def _there(self, event: Asked, pdu: Any, sent: Sent) -> None:
        source = self._pipeline.returns.sources.get(sent.waiting.connector)
        upstream = sent.waiting.parts[0][0] if len(sent.waiting.parts) == 1 else b""
        if source is not None and upstream and source.forwards(event.command):
            body = pdus.encode(event.command, pdu._replace(message_id=upstream))
            if source.forward(event.command, body, self._passed_back(event, pdu, sent)):
                return
        if event.command == Command.QUERY_SM:
            self._answer(event, Status.ROK, _state(pdu.message_id, MessageState.ENROUTE))
        else:
            self._answer(event, FAILED[Command(event.command)])

    def _passed_back(self, event: Asked, pdu: Any, sent: Sent) -> Callable[[Answered | None], None]:
        def answer(answered: Answered | None) -> None:
            if answered is None or answered.command == Command.GENERIC_NACK:
                self._answer(event, FAILED[Command(event.command)])
            elif answered.status != Status.ROK:
                self._answer(event, answered.status)
            elif event.command == Command.QUERY_SM:
                self._query_answer(event, pdu, answered.body)
            else:
                if event.command == Command.CANCEL_SM and sent.id in self._pipeline.ledger.waiting:
                    self._pipeline.returns.drop(sent.id, sent.waiting, MessageState.DELETED)
                self._pipeline.journal.after(lambda: self._answer(event, Status.ROK))

        return answer

    def _query_answer(self, event: Asked, pdu: QuerySm, body: bytes) -> None:
        try:
            found: QuerySmResp = pdus.decode(Command.QUERY_SM_RESP, body)
        except PduError:
            self._answer(event, Status.RQUERYFAIL)
            return
        self._answer(event, Status.ROK, pdus.encode(Command.QUERY_SM_RESP, found._replace(message_id=pdu.message_id)))


def _ours(message: Message) -> bool:
    """No upstream has it, nor may have it from an earlier offer, and its submit is answered."""
    return not message.offered and not message.flags & DOUBTED and message.ticket is None


def _state(id: bytes, state: MessageState) -> bytes:
    return pdus.encode(Command.QUERY_SM_RESP, QuerySmResp(id, b"", state, 0))
