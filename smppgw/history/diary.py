"""What the pipeline tells history: one method for each thing that happens to a message."""

from collections.abc import Callable

from protocol import pdus, tlv, udh
from protocol.consts import Tag
from protocol.errors import PduError
from protocol.pdus import SubmitSm
from protocol.receipt import Receipt
from routing.message import Delivery, Message
from smppgw.accounts import owner_of
from smppgw.history.events import Kind
from smppgw.history.notes import Notes

# Plain ints: an enum member costs more than the rest of a note.
_ACCEPTED, _REFUSED, _SENT, _LATER, _DOUBT = map(int, (Kind.ACCEPTED, Kind.REFUSED, Kind.SENT, Kind.LATER, Kind.DOUBT))
_RECEIPT, _ENDED, _DELIVERED = map(int, (Kind.RECEIPT, Kind.ENDED, Kind.DELIVERED))
_POSTPONED, _ASIDE, _MO, _TOLD = map(int, (Kind.POSTPONED, Kind.ASIDE, Kind.MO, Kind.TOLD))
_DECIDED = int(Kind.DECIDED)


class Diary:
    """All times are of the same clock, epoch seconds."""

    def __init__(self, recorder: Notes, clock: Callable[[], float]) -> None:
        self.recorder = recorder
        self._note = recorder.note
        self._clock = clock

    def accepted(self, message: Message) -> None:
        """It is on disk and acknowledged."""
        pdu = message.pdu or pdus.decode_submit(message.body)
        text = _text(pdu)
        route = message.route.name if message.route is not None else ""
        said = (
            message.account, message.source, message.destination, message.data_coding, len(text),
            self.recorder.text(text), route, message.tag,
        )  # fmt: skip
        self._note(self._clock(), message.id, _ACCEPTED, said)

    def refused(self, message: Message, status: int) -> None:
        self._note(self._clock(), message.id, _REFUSED, (status,))

    def sent(self, message: Message, connector: bytes) -> None:
        said = (connector, tuple(message.upstream), message.attempts + 1)
        self._note(self._clock(), message.id, _SENT, said)

    def later(self, message: Message, status: int) -> None:
        self._note(self._clock(), message.id, _LATER, (status, message.attempts))

    def doubt(self, message: Message, action: str) -> None:
        self._note(self._clock(), message.id, _DOUBT, (action,))

    def receipt(self, id: int, connector: bytes, found: Receipt, state: int) -> None:
        self._note(self._clock(), id, _RECEIPT, (connector, state, found.err, found.id))

    def ended(self, id: int, state: int, err: bytes) -> None:
        self._note(self._clock(), id, _ENDED, (int(state), err))

    def delivered(self, delivery: Delivery) -> None:
        said = (owner_of(delivery.account), delivery.state, delivery.attempts)
        self._note(self._clock(), delivery.id, _DELIVERED, said)

    def told(self, delivery: Delivery, result: str) -> None:
        """An application answered a callback, or did not."""
        self._note(self._clock(), delivery.id, _TOLD, (owner_of(delivery.account), result))

    def postponed(self, delivery: Delivery) -> None:
        self._note(self._clock(), delivery.id, _POSTPONED, (owner_of(delivery.account), delivery.attempts))

    def aside(self, id: int, account: str, reason: str) -> None:
        self._note(self._clock(), id, _ASIDE, (owner_of(account), reason))

    def decided(self, id: int, who: str, done: str) -> None:
        """A person released or dropped what was set aside."""
        self._note(self._clock(), id, _DECIDED, (who, done))

    def mo(self, delivery: Delivery, connector: str, body: bytes) -> None:
        """A deliver_sm from upstream, now a delivery."""
        try:
            pdu = pdus.decode_submit(body)
        except PduError:  # it passed once; what else it is, it is no reason to lose it
            return
        text = _text(pdu)
        said = (
            owner_of(delivery.account), pdu.source_addr, pdu.destination_addr, pdu.data_coding, len(text),
            self.recorder.text(text), connector,
        )  # fmt: skip
        self._note(self._clock(), delivery.id, _MO, said)


def _text(pdu: SubmitSm) -> bytes:
    octets = pdu.short_message or (tlv.parse(pdu.tlvs).get(Tag.MESSAGE_PAYLOAD, b"") if pdu.tlvs else b"")
    return udh.text_of(pdu.esm_class, octets)
