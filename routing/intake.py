"""A submit_sm becomes a message, and a message what its receipt will need of it."""

from collections.abc import Sequence

from protocol import pdus, receipt, times, tlv, udh
from protocol.consts import DataCoding, EsmClass, Status, Tag
from protocol.errors import PduError
from protocol.pdus import SubmitSm
from routing.message import Message, Waiting

# A plain int: arithmetic on enum members costs more than the rest of a line.
_UDHI = int(EsmClass.UDHI)
_TEXTS = frozenset(int(coding) for coding in (DataCoding.DEFAULT, DataCoding.ASCII, DataCoding.LATIN1))


def message_of(
    pdu: SubmitSm, body: bytes, account: str, id: int, now: float, validity: float, public: int = 0
) -> Message:
    """`body` is the PDU's, `now` in epoch seconds, `validity` in seconds for a PDU that does not say it, `public` the
    id that the ESME knows, where that is another. PduError for bad times (SMPP 3.4, 7.1.1)."""
    not_before = 0.0
    if pdu.schedule_delivery_time:
        not_before = times.parse(pdu.schedule_delivery_time, now, Status.RINVSCHED) or 0.0
    start = not_before if not_before > now else now
    expires = start + validity
    if pdu.validity_period:
        expires = expiry(pdu, now, start, validity)
        if expires <= start:
            raise PduError("validity_period ends before the message may go", Status.RINVEXPIRY)
    if pdu.schedule_delivery_time:
        # We hold it; the upstream must not hold it again.
        pdu = pdu._replace(schedule_delivery_time=b"")
        body = pdus.encode_submit(pdu)
    part = number_of(account, pdu) if pdu.tlvs or pdu.esm_class & _UDHI else None
    return Message(
        id, account, body, pdu.source_addr, pdu.destination_addr, pdu.service_type, pdu.esm_class,
        pdu.data_coding, pdu.registered_delivery, now, expires, not_before, 0, public or id, 0, part, pdu,
    )  # fmt: skip


def expiry(pdu: SubmitSm, now: float, start: float, validity: float) -> float:
    """When it ends that came `now` and may go from `start` on, in epoch seconds."""
    told = times.parse(pdu.validity_period, now, Status.RINVEXPIRY) if pdu.validity_period else None
    return told or start + validity


def waiting_of(message: Message, connector: bytes, upstream: Sequence[bytes]) -> Waiting:
    """Of a message that this connector took under these ids."""
    pdu = message.pdu or pdus.decode_submit(message.body)
    repeats = pdu.data_coding in _TEXTS and not pdu.esm_class & _UDHI
    return Waiting(
        message.account.encode(), connector, message.public, message.born, message.registered_delivery,
        pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr,
        pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr,
        pdu.short_message[: receipt.MAX_TEXT] if repeats else b"",
        tuple([(id, 0) for id in upstream]), message.memo,
    )  # fmt: skip


def part_of(pdu: SubmitSm) -> udh.Part | None:
    """Which part of a longer message it is; None: it is whole."""
    values = tlv.parse(pdu.tlvs)
    found = udh.part_of(pdu.esm_class, pdu.short_message or values.get(Tag.MESSAGE_PAYLOAD, b""), values)
    return found if found is not None and found.total > 1 else None


def number_of(account: str, pdu: SubmitSm) -> int | None:
    """One number for all parts of a message, which means nothing outside this process; None: it is whole."""
    found = part_of(pdu)
    if found is None:
        return None
    return hash((account, pdu.source_addr, pdu.destination_addr, found.reference, found.total, found.wide))
