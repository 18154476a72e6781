"""Our codec and aiosmpplib's say the same wherever aiosmpplib follows the specification."""

from datetime import timedelta
from string import ascii_letters, digits
from typing import Any

import pytest
from aiosmpplib import protocol as theirs
from aiosmpplib.state import NPI, TON, OptionalParam, PhoneNumber, SmppCommandStatus
from hypothesis import given
from hypothesis import strategies as st

from protocol import tlv
from protocol.consts import HEADER, Command, DataCoding, Status, Tag
from protocol.pdus import Bind, BindResp, MessageIdResp, SubmitSm, decode, encode
from protocol.wire import Reader, frame

# Left out where the library departs from the specification: vendor statuses, TONs, NPIs and codings, 8-bit data, empty
# messages, UDH, message_payload beside short_message, TLVs of responses, the reading of times and of octet TLVs.

CODINGS = {
    DataCoding.DEFAULT: "gsm0338",
    DataCoding.ASCII: "ascii",
    DataCoding.LATIN1: "latin_1",
    DataCoding.UCS2: "ucs2",
}
NUMBERS = [tag for tag in Tag if tlv.LENGTHS[tag] in {(1, 1), (2, 2), (4, 4)} and tag not in
           (Tag.ITS_SESSION_INFO, Tag.USSD_SERVICE_OP)]  # fmt: skip

octet = st.integers(0, 255)
sequence = st.integers(1, 0x7FFFFFFF)
ton, npi = st.sampled_from(TON), st.sampled_from(NPI)


def text(most: int, least: int = 0) -> st.SearchStrategy[str]:
    return st.text(ascii_letters + digits + "+-_ ", min_size=least, max_size=most)


@st.composite
def number(draw: st.DrawFn) -> tuple[int, bytes]:
    tag = draw(st.sampled_from(NUMBERS))
    return tag, draw(st.binary(min_size=tlv.LENGTHS[tag][0], max_size=tlv.LENGTHS[tag][0]))


parameters = st.lists(number(), max_size=3)
relative = st.none() | st.integers(1, 400 * 86400).map(lambda seconds: timedelta(seconds=seconds))

submits = st.fixed_dictionaries(
    {
        "sequence_num": sequence,
        "short_message": text(100, least=1),
        "source": st.builds(PhoneNumber, text(20), ton, npi),
        "destination": st.builds(PhoneNumber, text(20), ton, npi),
        "service_type": text(5),
        "esm_class": octet.map(lambda value: value & ~0x40),
        "protocol_id": octet,
        "priority_flag": octet,
        "schedule_delivery_time": relative,
        "validity_period": relative,
        "registered_delivery": octet,
        "replace_if_present_flag": octet,
        "sm_default_msg_id": octet,
        "encoding": st.sampled_from(list(CODINGS.values())),
    }
)


def ours(raw: bytes) -> tuple[int, int, int, Any]:
    ((command, status, number, body),) = Reader(65536).feed(raw)
    pdu = decode(command, body)
    assert frame(command, status, number, encode(command, pdu)) == raw
    return command, status, number, pdu


def read(raw: bytes) -> Any:
    header = theirs.SmppMessage.parse_header(raw)
    return theirs.MESSAGE_TYPE_MAP[header.smpp_command].from_pdu(raw, header, "gsm0338")


@pytest.mark.parametrize("kind", [theirs.SubmitSm, theirs.DeliverSm])
@given(fields=submits, pairs=parameters)
def test_we_read_the_messages_that_it_writes(
    kind: type[Any], fields: dict[str, Any], pairs: list[tuple[int, bytes]]
) -> None:
    options = [OptionalParam(int(tag), int.from_bytes(value, "big")) for tag, value in pairs]
    message = kind(**fields, optional_params=options)
    command, status, sequence_number, pdu = ours(message.pdu())
    assert (command, status, sequence_number) == (message.smpp_command, 0, fields["sequence_num"])
    source, destination = fields["source"], fields["destination"]
    schedule, validity = (
        theirs.SubmitSm.datetime_to_smpp_time(fields[name]).encode()
        for name in ("schedule_delivery_time", "validity_period")
    )
    coding = next(coding for coding, name in CODINGS.items() if name == fields["encoding"])
    assert pdu == SubmitSm(
        fields["service_type"].encode(), source.ton, source.npi, source.number.encode(),
        destination.ton, destination.npi, destination.number.encode(), fields["esm_class"], fields["protocol_id"],
        fields["priority_flag"], schedule, validity, fields["registered_delivery"], fields["replace_if_present_flag"],
        coding, fields["sm_default_msg_id"], message.smpp_encode(fields["short_message"]), tlv.encode(pairs),
    )  # fmt: skip


@pytest.mark.parametrize("command", [Command.SUBMIT_SM, Command.DELIVER_SM], ids=lambda c: c.name)
@given(fields=submits, pairs=parameters)
def test_it_reads_the_messages_that_we_write(
    command: Command, fields: dict[str, Any], pairs: list[tuple[int, bytes]]
) -> None:
    source, destination = fields["source"], fields["destination"]
    pdu = SubmitSm(
        fields["service_type"].encode(), source.ton, source.npi, source.number.encode(),
        destination.ton, destination.npi, destination.number.encode(), fields["esm_class"], fields["protocol_id"],
        fields["priority_flag"], b"", b"", fields["registered_delivery"], fields["replace_if_present_flag"],
        DataCoding.ASCII, fields["sm_default_msg_id"], fields["short_message"].encode(), tlv.encode(pairs),
    )  # fmt: skip
    found = read(frame(command, 0, fields["sequence_num"], encode(command, pdu)))
    assert (found.smpp_command, found.sequence_num, found.encoding) == (command, fields["sequence_num"], "ascii")
    for name in (
        "short_message", "source", "destination", "service_type", "esm_class", "protocol_id", "priority_flag",
        "registered_delivery", "replace_if_present_flag", "sm_default_msg_id",
    ):  # fmt: skip
        assert getattr(found, name) == fields[name], name
    assert [(one.tag, one.value) for one in found.optional_params] == [
        (tag, int.from_bytes(value, "big")) for tag, value in pairs
    ]


def test_a_text_in_message_payload_goes_both_ways() -> None:
    message = theirs.SubmitSm(sequence_num=1, message_payload="x" * 300, encoding="ascii")
    pdu = ours(message.pdu())[3]
    assert (pdu.short_message, tlv.find(pdu.tlvs, Tag.MESSAGE_PAYLOAD)) == (b"", b"x" * 300)
    assert read(message.pdu()).message_payload == "x" * 300


binds = st.fixed_dictionaries(
    {
        "system_id": text(15),
        "password": text(8),
        "system_type": text(12),
        "interface_version": st.sampled_from([0x33, 0x34, 0x50]),
        "addr_ton": ton,
        "addr_npi": npi,
        "address_range": text(40),
    }
)


@pytest.mark.parametrize("kind", [theirs.BindTransmitter, theirs.BindReceiver, theirs.BindTransceiver])
@given(binds, sequence)
def test_binds_go_both_ways(kind: type[Any], fields: dict[str, Any], seq: int) -> None:
    message = kind(sequence_num=seq, **fields)
    command, _, number, pdu = ours(message.pdu())
    assert (command, number) == (message.smpp_command, seq)
    octets: dict[str, Any] = {key: value.encode() if isinstance(value, str) else value for key, value in fields.items()}
    assert pdu == Bind(**octets)
    assert read(message.pdu()) == message


@pytest.mark.parametrize("kind", [theirs.BindTransmitterResp, theirs.BindReceiverResp, theirs.BindTransceiverResp])
@given(text(15), st.none() | octet, st.sampled_from(SmppCommandStatus), sequence)
def test_bind_responses_go_both_ways(
    kind: type[Any], system_id: str, version: int | None, status: SmppCommandStatus, seq: int
) -> None:
    message = kind(seq, status, system_id, version)
    command, found_status, number, pdu = ours(message.pdu())
    assert (command, found_status, number) == (message.smpp_command, status, seq)
    tlvs = b"" if version is None else tlv.encode([(Tag.SC_INTERFACE_VERSION, bytes([version]))])
    assert pdu == BindResp(system_id.encode(), tlvs)
    assert read(message.pdu()) == message


@pytest.mark.parametrize("kind", [theirs.SubmitSmResp, theirs.DeliverSmResp])
@given(text(64), st.sampled_from(SmppCommandStatus), sequence)
def test_message_responses_go_both_ways(kind: type[Any], message_id: str, status: SmppCommandStatus, seq: int) -> None:
    message = kind(seq, status, message_id=message_id)
    assert ours(message.pdu()) == (message.smpp_command, status, seq, MessageIdResp(message_id.encode()))
    found = read(message.pdu())
    assert (found.message_id, found.command_status, found.sequence_num) == (message_id, status, seq)


@pytest.mark.parametrize(
    "kind",
    [theirs.EnquireLink, theirs.EnquireLinkResp, theirs.Unbind, theirs.UnbindResp, theirs.GenericNack],
)
def test_what_has_no_body_goes_both_ways(kind: type[Any]) -> None:
    raw = kind(sequence_num=7).pdu()
    assert len(raw) == HEADER
    command, _, number, pdu = ours(raw)
    assert (command, number, pdu.surplus) == (kind(sequence_num=7).smpp_command, 7, b"")
    assert type(read(raw)) is kind


def test_every_status_of_ours_means_the_same_there() -> None:
    known = {int(status): status.name.removeprefix("ESME_") for status in SmppCommandStatus}
    for status in Status:
        assert known.get(int(status), status.name) == status.name
