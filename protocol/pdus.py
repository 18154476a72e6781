"""The bodies of all PDUs of SMPP 3.4, one table each (chapter 4)."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from protocol import tlv
from protocol.consts import RESPONSE, Command, Status, Tag
from protocol.errors import LocalError, PduError
from protocol.fields import Codec, CString, Integer, ShortMessage, Tlvs, generate, generate_part, overflow

Octet = Annotated[int, Integer()]
SystemId = Annotated[bytes, CString(16, Status.RINVSYSID)]
# The specification stops at 9 octets; peers use longer passwords, and refusing them here would say nothing about them.
Password = Annotated[bytes, CString(129, Status.RINVPASWD)]
SystemType = Annotated[bytes, CString(13, Status.RINVSYSTYP)]
AddressRange = Annotated[bytes, CString(41, Status.RBINDFAIL)]
# 6 octets in the specification; names of 6 and 7 letters are in use, and passing them on harms nobody.
ServiceType = Annotated[bytes, CString(17, Status.RINVSERTYP)]
SourceAddress = Annotated[bytes, CString(21, Status.RINVSRCADR)]
LongSourceAddress = Annotated[bytes, CString(65, Status.RINVSRCADR)]
DestAddress = Annotated[bytes, CString(21, Status.RINVDSTADR)]
LongDestAddress = Annotated[bytes, CString(65, Status.RINVDSTADR)]
MessageId = Annotated[bytes, CString(65, Status.RINVMSGID)]
ScheduleTime = Annotated[bytes, CString(17, Status.RINVSCHED, exact=True)]
ValidityPeriod = Annotated[bytes, CString(17, Status.RINVEXPIRY, exact=True)]
FinalDate = Annotated[bytes, CString(33, Status.RQUERYFAIL)]  # "2013-10-07 00:00:00" has been seen
Message = Annotated[bytes, ShortMessage()]
Optional = Annotated[bytes, Tlvs()]


class Bind(NamedTuple):
    """bind_transmitter, bind_receiver, bind_transceiver (4.1)."""

    system_id: SystemId
    password: Password = b""
    system_type: SystemType = b""
    interface_version: Octet = 0x34
    addr_ton: Octet = 0
    addr_npi: Octet = 0
    address_range: AddressRange = b""
    tlvs: Optional = b""


class BindResp(NamedTuple):
    """Their responses."""

    system_id: SystemId = b""
    tlvs: Optional = b""


class Outbind(NamedTuple):
    """outbind (4.1.7)."""

    system_id: SystemId
    password: Password = b""


class Empty(NamedTuple):
    """unbind, enquire_link, generic_nack, and the responses without a body."""

    surplus: Annotated[bytes, Tlvs(checked=False)] = b""


class SubmitSm(NamedTuple):
    """submit_sm (4.4.1); deliver_sm (4.6.1) has the same fields."""

    service_type: ServiceType = b""
    source_addr_ton: Octet = 0
    source_addr_npi: Octet = 0
    source_addr: SourceAddress = b""
    dest_addr_ton: Octet = 0
    dest_addr_npi: Octet = 0
    destination_addr: DestAddress = b""
    esm_class: Octet = 0
    protocol_id: Octet = 0
    priority_flag: Octet = 0
    schedule_delivery_time: ScheduleTime = b""
    validity_period: ValidityPeriod = b""
    registered_delivery: Octet = 0
    replace_if_present_flag: Octet = 0
    data_coding: Octet = 0
    sm_default_msg_id: Octet = 0
    short_message: Message = b""
    tlvs: Optional = b""


class MessageIdResp(NamedTuple):
    """submit_sm_resp (4.4.2), deliver_sm_resp (4.6.2), data_sm_resp (4.7.2)."""

    message_id: MessageId = b""
    tlvs: Optional = b""


class DestAddressEntry(NamedTuple):
    """One SME of submit_multi (4.5.1.1), dest_flag 1."""

    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: bytes


class DistributionList(NamedTuple):
    """One list name of submit_multi (4.5.1.2), dest_flag 2."""

    dl_name: bytes


def cstring(body: bytes, position: int, size: int, status: Status, name: str) -> tuple[bytes, int]:
    """A C-Octet String at a position, and where it ends."""
    end = body.find(0, position, position + size)
    if end < 0:
        if len(body) - position < size:
            raise PduError(f"the body ends inside {name}", Status.RINVCMDLEN)
        raise PduError(f"{name} is longer than {size - 1} octets", status)
    return body[position:end], end + 1


def fitting(value: bytes, size: int, name: str) -> bytes:
    """The value with its NUL, if both can be written into `size` octets."""
    if len(value) >= size or 0 in value:
        raise LocalError(f"{name} has {len(value)} octets or a NUL; at most {size - 1} fit")
    return value + b"\0"


class Destinations:
    """number_of_dests and as many dest_address fields (4.5.1)."""

    def read(self, body: bytes, position: int) -> tuple[tuple[Any, ...], int]:
        if position >= len(body):
            raise PduError("the body ends before number_of_dests", Status.RINVCMDLEN)
        count, position = body[position], position + 1
        found: list[DestAddressEntry | DistributionList] = []
        for _ in range(count):
            if position >= len(body):
                raise PduError(f"{len(found)} of {count} destinations are there", Status.RINVNUMDESTS)
            flag = body[position]
            if flag == 1:
                if position + 3 > len(body):
                    raise PduError("the body ends inside dest_address", Status.RINVCMDLEN)
                ton, npi = body[position + 1 : position + 3]
                address, position = cstring(body, position + 3, 21, Status.RINVDSTADR, "destination_addr")
                found.append(DestAddressEntry(ton, npi, address))
            elif flag == 2:
                name, position = cstring(body, position + 1, 21, Status.RINVDLNAME, "dl_name")
                found.append(DistributionList(name))
            else:
                raise PduError(f"dest_flag {flag} is neither 1 nor 2", Status.RINVDESTFLAG)
        return tuple(found), position

    def write(self, value: tuple[DestAddressEntry | DistributionList, ...]) -> bytes:
        entries = [
            b"\2%b" % fitting(entry.dl_name, 21, "dl_name")
            if isinstance(entry, DistributionList)
            else b"\1%c%c%b" % (*entry[:2], fitting(entry.destination_addr, 21, "destination_addr"))
            for entry in value
        ]
        return b"%c%b" % (len(entries), b"".join(entries))


class UnsuccessSme(NamedTuple):
    """One destination that submit_multi did not reach (4.5.2.1)."""

    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: bytes
    error_status_code: int


class Unsuccessful:
    """no_unsuccess and as many unsuccess_sme fields (4.5.2)."""

    def read(self, body: bytes, position: int) -> tuple[tuple[UnsuccessSme, ...], int]:
        if position >= len(body):
            return (), position  # some SMSCs leave the count out when it is 0
        count, position = body[position], position + 1
        found: list[UnsuccessSme] = []
        for _ in range(count):
            if position + 2 > len(body):
                raise PduError(f"{len(found)} of {count} unsuccess_sme are there", Status.RINVNUMDESTS)
            ton, npi = body[position : position + 2]
            address, position = cstring(body, position + 2, 21, Status.RINVDSTADR, "destination_addr")
            if position + 4 > len(body):  # half a status may read as 0, which is success
                raise PduError("the body ends inside error_status_code", Status.RINVCMDLEN)
            found.append(UnsuccessSme(ton, npi, address, int.from_bytes(body[position : position + 4], "big")))
            position += 4
        return tuple(found), position

    def write(self, value: tuple[UnsuccessSme, ...]) -> bytes:
        entries = [
            b"%c%c%b%b" % (ton, npi, fitting(address, 21, "destination_addr"), status.to_bytes(4, "big"))
            for ton, npi, address, status in value
        ]
        return b"%c%b" % (len(entries), b"".join(entries))


class SubmitMulti(NamedTuple):
    """submit_multi (4.5.1)."""

    service_type: ServiceType = b""
    source_addr_ton: Octet = 0
    source_addr_npi: Octet = 0
    source_addr: SourceAddress = b""
    dest_address: Annotated[tuple[DestAddressEntry | DistributionList, ...], Destinations()] = ()
    esm_class: Octet = 0
    protocol_id: Octet = 0
    priority_flag: Octet = 0
    schedule_delivery_time: ScheduleTime = b""
    validity_period: ValidityPeriod = b""
    registered_delivery: Octet = 0
    replace_if_present_flag: Octet = 0
    data_coding: Octet = 0
    sm_default_msg_id: Octet = 0
    short_message: Message = b""
    tlvs: Optional = b""


class SubmitMultiResp(NamedTuple):
    """submit_multi_resp (4.5.2)."""

    message_id: MessageId = b""
    unsuccess_sme: Annotated[tuple[UnsuccessSme, ...], Unsuccessful()] = ()
    tlvs: Optional = b""


class DataSm(NamedTuple):
    """data_sm (4.7.1)."""

    service_type: ServiceType = b""
    source_addr_ton: Octet = 0
    source_addr_npi: Octet = 0
    source_addr: LongSourceAddress = b""
    dest_addr_ton: Octet = 0
    dest_addr_npi: Octet = 0
    destination_addr: LongDestAddress = b""
    esm_class: Octet = 0
    registered_delivery: Octet = 0
    data_coding: Octet = 0
    tlvs: Optional = b""


class QuerySm(NamedTuple):
    """query_sm (4.8.1)."""

    message_id: MessageId
    source_addr_ton: Octet = 0
    source_addr_npi: Octet = 0
    source_addr: SourceAddress = b""


class QuerySmResp(NamedTuple):
    """query_sm_resp (4.8.2)."""

    message_id: MessageId = b""
    final_date: FinalDate = b""
    message_state: Octet = 0
    error_code: Octet = 0


class CancelSm(NamedTuple):
    """cancel_sm (4.9.1)."""

    service_type: ServiceType = b""
    message_id: MessageId = b""
    source_addr_ton: Octet = 0
    source_addr_npi: Octet = 0
    source_addr: SourceAddress = b""
    dest_addr_ton: Octet = 0
    dest_addr_npi: Octet = 0
    destination_addr: DestAddress = b""


class ReplaceSm(NamedTuple):
    """replace_sm (4.10.1)."""

    message_id: MessageId = b""
    source_addr_ton: Octet = 0
    source_addr_npi: Octet = 0
    source_addr: SourceAddress = b""
    schedule_delivery_time: ScheduleTime = b""
    validity_period: ValidityPeriod = b""
    registered_delivery: Octet = 0
    sm_default_msg_id: Octet = 0
    short_message: Message = b""


class AlertNotification(NamedTuple):
    """alert_notification (4.12.1)."""

    source_addr_ton: Octet = 0
    source_addr_npi: Octet = 0
    source_addr: LongSourceAddress = b""
    esme_addr_ton: Octet = 0
    esme_addr_npi: Octet = 0
    esme_addr: LongDestAddress = b""
    tlvs: Optional = b""


BODIES: dict[int, type[Any]] = {
    Command.BIND_RECEIVER: Bind,
    Command.BIND_RECEIVER_RESP: BindResp,
    Command.BIND_TRANSMITTER: Bind,
    Command.BIND_TRANSMITTER_RESP: BindResp,
    Command.BIND_TRANSCEIVER: Bind,
    Command.BIND_TRANSCEIVER_RESP: BindResp,
    Command.OUTBIND: Outbind,
    Command.UNBIND: Empty,
    Command.UNBIND_RESP: Empty,
    Command.GENERIC_NACK: Empty,
    Command.SUBMIT_SM: SubmitSm,
    Command.SUBMIT_SM_RESP: MessageIdResp,
    Command.SUBMIT_MULTI: SubmitMulti,
    Command.SUBMIT_MULTI_RESP: SubmitMultiResp,
    Command.DELIVER_SM: SubmitSm,
    Command.DELIVER_SM_RESP: MessageIdResp,
    Command.DATA_SM: DataSm,
    Command.DATA_SM_RESP: MessageIdResp,
    Command.QUERY_SM: QuerySm,
    Command.QUERY_SM_RESP: QuerySmResp,
    Command.CANCEL_SM: CancelSm,
    Command.CANCEL_SM_RESP: Empty,
    Command.REPLACE_SM: ReplaceSm,
    Command.REPLACE_SM_RESP: Empty,
    Command.ENQUIRE_LINK: Empty,
    Command.ENQUIRE_LINK_RESP: Empty,
    Command.ALERT_NOTIFICATION: AlertNotification,
}

CODECS: dict[int, Codec] = {
    command: generate(cls, response=bool(command & RESPONSE)) for command, cls in BODIES.items()
}


def decode(command: int, body: bytes) -> Any:
    """The body of a known command as its NamedTuple; a broken one raises PduError with the status to answer."""
    return CODECS[command].decode(body)


def encode(command: int, pdu: Any) -> bytes:
    """The octets of a body; what cannot be written raises LocalError."""
    return CODECS[command].encode(pdu)


decode_submit: Callable[[bytes], SubmitSm] = CODECS[Command.SUBMIT_SM].decode
encode_submit: Callable[[SubmitSm], bytes] = CODECS[Command.SUBMIT_SM].encode
decode_message_id: Callable[[bytes], MessageIdResp] = CODECS[Command.SUBMIT_SM_RESP].decode
"""The hot ones, with their types (deliver_sm is read by the first, too)."""

decode_report: Callable[[bytes], tuple[int, bytes, bytes]] = generate_part(
    SubmitSm, "esm_class", "short_message", "tlvs"
)
"""All that a receipt is read from, in half the time of the whole deliver_sm."""


def message_id(body: bytes) -> bytes:
    """The id in a submit_sm_resp; b"" where it cannot be read: the message was sent all the same."""
    if len(body) <= _MESSAGE_ID and body.find(0) == len(body) - 1:  # an id alone, in a third of the time
        return body[:-1]
    try:
        return decode_message_id(body).message_id
    except PduError:
        return b""


def encode_receipt(
    source_ton: int, source_npi: int, source: bytes, dest_ton: int, dest_npi: int, destination: bytes,
    esm_class: int, text: bytes, tlvs: bytes,
) -> bytes:  # fmt: skip
    """What `encode_submit` makes of a deliver_sm with nothing else in it, in a third of the time: 0.4 us saved for
    every receipt. The addresses are not looked into, so they must have come out of a PDU."""
    try:
        return b"\0%c%c%b\0%c%c%b\0%c\0\0\0\0\0\0\0\0%c%b%b" % (
            source_ton, source_npi, source, dest_ton, dest_npi, destination, esm_class, len(text), text, tlvs,
        )  # fmt: skip
    except OverflowError as error:
        raise overflow(SubmitSm, error) from error


_MESSAGE_ID = 65  # octets, with the NUL (5.2.23)

MAX_SHORT_MESSAGE = 254
"""Octets that sm_length may name (5.2.21); longer texts go in message_payload."""


def submit_of(data: DataSm) -> SubmitSm:
    """The submit_sm or deliver_sm that says the same as a data_sm, whose payload is optional and may be absent.
    Addresses that only data_sm has room for are refused."""
    if len(data.source_addr) > 20:
        raise PduError("source_addr is longer than 20 octets", Status.RINVSRCADR)
    if len(data.destination_addr) > 20:
        raise PduError("destination_addr is longer than 20 octets", Status.RINVDSTADR)
    message, tlvs = b"", data.tlvs
    payload = tlv.find(tlvs, Tag.MESSAGE_PAYLOAD)
    if payload is not None and len(payload) <= MAX_SHORT_MESSAGE:
        message, tlvs = payload, tlv.without(tlvs, Tag.MESSAGE_PAYLOAD)
    return SubmitSm(
        data.service_type, data.source_addr_ton, data.source_addr_npi, data.source_addr,
        data.dest_addr_ton, data.dest_addr_npi, data.destination_addr, data.esm_class,
        registered_delivery=data.registered_delivery, data_coding=data.data_coding,
        short_message=message, tlvs=tlvs,
    )  # fmt: skip
