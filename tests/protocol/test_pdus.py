"""Every PDU of SMPP 3.4 has the fields of the specification, and reads what it writes."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.consts import RESPONSE, Command, Status
from protocol.errors import LocalError, PduError
from protocol.pdus import (
    BODIES,
    CODECS,
    Bind,
    DestAddressEntry,
    DistributionList,
    Empty,
    MessageIdResp,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    UnsuccessSme,
    decode,
    decode_message_id,
    decode_report,
    decode_submit,
    encode,
    encode_receipt,
    encode_submit,
    message_id,
)
from tests.protocol.bodies import octet, of, pdu, text

MULTI = b"\0\1\1src\0" + b"%b" + b"\0\0\0\0\0\0\0\0\0\2hi"


def refused(command: int, body: bytes) -> tuple[str, Status]:
    with pytest.raises(PduError) as caught:
        decode(command, body)
    return str(caught.value), caught.value.status


def filled(field: str, value: bytes) -> dict[str, Any]:
    return {field: value}


def test_every_command_has_a_body() -> None:
    assert BODIES.keys() == CODECS.keys() == set(Command)


@given(pdu())
def test_what_is_written_reads_the_same(case: tuple[int, Any]) -> None:
    command, body = case
    found = decode(command, encode(command, body))
    assert found == body
    assert type(found) is type(body)


@given(pdu(), st.data())
def test_a_pdu_with_an_octet_changed_is_read_or_refused(case: tuple[int, Any], data: st.DataObject) -> None:
    command, body = case
    raw = bytearray(encode(command, body))
    for _ in range(data.draw(st.integers(1, 3)) if raw else 0):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    read_or_refuse(command, bytes(raw))


@given(pdu(), st.data())
def test_a_pdu_with_octets_missing_or_added_is_read_or_refused(case: tuple[int, Any], data: st.DataObject) -> None:
    command, body = case
    raw = encode(command, body)
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, len(raw)))
    read_or_refuse(command, raw[:start] + data.draw(st.binary(max_size=8)) + raw[end:])


def read_or_refuse(command: int, raw: bytes) -> None:
    """What is read is written again as it came; a response may have more or less than it should."""
    try:
        body = decode(command, raw)
    except PduError as error:
        assert error.status  # noqa: PT017  may be raised or not
        return
    if not command & RESPONSE:
        assert encode(command, body) == raw
    else:
        encode(command, body)


@pytest.mark.parametrize("command", sorted(c for c in Command if c & RESPONSE), ids=lambda c: Command(c).name)
def test_a_response_without_a_body_has_its_defaults(command: int) -> None:
    assert decode(command, b"") == BODIES[command]()


REQUIRED = sorted(c for c in Command if not c & RESPONSE and BODIES[c] is not Empty)


@pytest.mark.parametrize("command", REQUIRED, ids=lambda c: Command(c).name)
def test_a_request_without_a_body_is_refused(command: int) -> None:
    assert refused(command, b"")[1] is Status.RINVCMDLEN


def test_the_fields_of_submit_sm_stand_where_the_specification_has_them() -> None:
    body = (
        b"CMT\0\1\2src\0\3\4dst\0\5\6\x07000101000000000R\0" + b"000102000000000R\0\x08\x09\x0a\x0b\2hi\x02\x04\0\2\0\1"
    )
    assert decode_submit(body) == SubmitSm(
        service_type=b"CMT", source_addr_ton=1, source_addr_npi=2, source_addr=b"src",
        dest_addr_ton=3, dest_addr_npi=4, destination_addr=b"dst", esm_class=5, protocol_id=6, priority_flag=7,
        schedule_delivery_time=b"000101000000000R", validity_period=b"000102000000000R", registered_delivery=8,
        replace_if_present_flag=9, data_coding=10, sm_default_msg_id=11, short_message=b"hi", tlvs=b"\x02\x04\0\2\0\1",
    )  # fmt: skip
    assert encode_submit(decode_submit(body)) == body


@pytest.mark.parametrize(
    ("field", "longest", "status"),
    [
        ("service_type", 16, Status.RINVSERTYP),  # 5 in the specification: see pdus.py
        ("source_addr", 20, Status.RINVSRCADR),
        ("destination_addr", 20, Status.RINVDSTADR),
    ],
)
def test_an_overlong_text_of_submit_sm_has_its_own_status(field: str, longest: int, status: Status) -> None:
    whole = encode_submit(SubmitSm()._replace(**filled(field, b"x" * longest)))
    assert getattr(decode_submit(whole), field) == b"x" * longest
    assert refused(Command.SUBMIT_SM, whole.replace(b"x", b"xx", 1))[1] is status


@pytest.mark.parametrize(
    ("field", "status"), [("schedule_delivery_time", Status.RINVSCHED), ("validity_period", Status.RINVEXPIRY)]
)
def test_a_time_has_sixteen_octets_or_none(field: str, status: Status) -> None:
    whole = encode_submit(SubmitSm()._replace(**filled(field, b"t" * 16)))
    for wrong in (b"t", b"t" * 15, b"t" * 17):
        assert refused(Command.SUBMIT_SM, whole.replace(b"t" * 16, wrong))[1] is status


@pytest.mark.parametrize(
    ("field", "longest", "status"),
    [
        ("system_id", 15, Status.RINVSYSID),
        ("password", 128, Status.RINVPASWD),  # 8 in the specification: see pdus.py
        ("system_type", 12, Status.RINVSYSTYP),
        ("address_range", 40, Status.RBINDFAIL),
    ],
)
def test_an_overlong_text_of_a_bind_has_its_own_status(field: str, longest: int, status: Status) -> None:
    bind = Bind(b"")._replace(**filled(field, b"x" * longest))
    whole = encode(Command.BIND_TRANSCEIVER, bind)
    assert decode(Command.BIND_TRANSCEIVER, whole) == bind
    assert refused(Command.BIND_TRANSCEIVER, whole.replace(b"x", b"xx", 1))[1] is status


def test_a_message_id_may_have_64_octets() -> None:
    assert decode_message_id(b"x" * 64 + b"\0").message_id == b"x" * 64
    assert refused(Command.SUBMIT_SM_RESP, b"x" * 65 + b"\0")[1] is Status.RINVMSGID


def outcome(decode: Callable[[bytes], tuple[Any, ...]], body: bytes) -> object:
    try:
        return decode(body)
    except PduError as error:
        return str(error), error.status


@given(of(SubmitSm).map(encode_submit), st.data())
def test_what_a_receipt_is_read_from_is_read_and_refused_as_in_the_whole_pdu(body: bytes, data: st.DataObject) -> None:
    def three_of_all(body: bytes) -> tuple[Any, ...]:
        pdu = decode_submit(body)
        return pdu.esm_class, pdu.short_message, pdu.tlvs

    at = data.draw(st.integers(0, len(body)))
    for octets in (body, body[:at], body[:at] + data.draw(st.binary(max_size=30)) + body[at:]):
        assert outcome(decode_report, octets) == outcome(three_of_all, octets)


@given(text(80) | st.binary(max_size=80), st.sampled_from([b"", b"\0", b"\0\x04\x27"]))
def test_an_id_is_what_the_codec_reads_or_nothing(id: bytes, end: bytes) -> None:
    try:
        assert message_id(id + end) == decode_message_id(id + end).message_id
    except PduError:
        assert message_id(id + end) == b""


@given(st.tuples(octet, octet, text(20)), st.tuples(octet, octet, text(20)), octet, st.binary(max_size=255))
def test_a_receipt_is_the_submit_sm_of_its_fields(
    source: tuple[int, int, bytes], destination: tuple[int, int, bytes], esm_class: int, said: bytes
) -> None:
    pdu = SubmitSm(b"", *source, *destination, esm_class, short_message=said, tlvs=b"\x04\x27\0\1\2")
    assert encode_receipt(*source, *destination, esm_class, said, pdu.tlvs) == encode_submit(pdu)


def test_a_receipt_longer_than_a_short_message_is_a_bug_of_ours() -> None:
    with pytest.raises(LocalError):
        encode_receipt(1, 1, b"1", 1, 1, b"2", 4, b"x" * 256, b"")


def test_short_message_may_have_255_octets_and_no_more() -> None:
    assert decode_submit(encode_submit(SubmitSm(short_message=b"x" * 255))).short_message == b"x" * 255
    with pytest.raises(LocalError):
        encode_submit(SubmitSm(short_message=b"x" * 256))


def test_submit_multi_takes_numbers_and_lists_in_their_order() -> None:
    found: SubmitMulti = decode(Command.SUBMIT_MULTI, MULTI % b"\3\1\1\x01491\0\2friends\0\1\0\x00492\0")
    assert found.dest_address == (
        DestAddressEntry(1, 1, b"491"), DistributionList(b"friends"), DestAddressEntry(0, 0, b"492"),
    )  # fmt: skip
    assert (found.source_addr, found.short_message) == (b"src", b"hi")


@pytest.mark.parametrize(
    ("destinations", "status"),
    [
        (b"\1\3\1\x01491\0", Status.RINVDESTFLAG),
        (b"\1\0\1\x01491\0", Status.RINVDESTFLAG),
        (b"\2\1\1\x01491\0", Status.RINVDESTFLAG),  # one fewer than number_of_dests: service fields are read as another
        (b"\1\1\1\1" + b"4" * 21 + b"\0", Status.RINVDSTADR),
        (b"\1\2" + b"l" * 21 + b"\0", Status.RINVDLNAME),
    ],
)
def test_a_bad_destination_of_submit_multi_has_its_own_status(destinations: bytes, status: Status) -> None:
    assert refused(Command.SUBMIT_MULTI, MULTI % destinations)[1] is status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"\0\1\1src\0", Status.RINVCMDLEN),
        (b"\0\1\1src\0\2\1\1\x01491\0", Status.RINVNUMDESTS),
        (b"\0\1\1src\0\1\1\1", Status.RINVCMDLEN),
        (b"\0\1\1src\0\1\1\1\1", Status.RINVCMDLEN),
        (b"\0\1\1src\0\1\1\1\x01491", Status.RINVCMDLEN),
        (b"\0\1\1src\0\1\2", Status.RINVCMDLEN),
        (b"\0\1\1src\0\1\2name", Status.RINVCMDLEN),
    ],
)
def test_a_submit_multi_that_ends_in_its_destinations_is_refused(body: bytes, status: Status) -> None:
    assert refused(Command.SUBMIT_MULTI, body)[1] is status


@pytest.mark.parametrize(
    "destinations",
    [
        (DestAddressEntry(1, 1, b"4" * 21),),
        (DestAddressEntry(1, 1, b"4\0"),),
        (DestAddressEntry(256, 1, b"4"),),
        (DistributionList(b"l" * 21),),
        (DistributionList(b"\0"),),
        (DestAddressEntry(1, 1, b"4"),) * 256,
    ],
    ids=lambda destinations: repr(destinations[0]),
)
def test_a_destination_that_cannot_be_written_is_a_bug_of_ours(destinations: tuple[Any, ...]) -> None:
    with pytest.raises(LocalError):
        encode(Command.SUBMIT_MULTI, SubmitMulti(dest_address=destinations))


def test_submit_multi_resp_says_who_was_not_reached() -> None:
    body = b"id\0\2\1\x01491\0\0\0\0\x0b\5\0name\0\0\0\4\0"
    found: SubmitMultiResp = decode(Command.SUBMIT_MULTI_RESP, body)
    assert found.unsuccess_sme == (UnsuccessSme(1, 1, b"491", 0x0B), UnsuccessSme(5, 0, b"name", 0x400))


def test_submit_multi_resp_may_leave_the_count_of_none_out() -> None:
    assert decode(Command.SUBMIT_MULTI_RESP, b"id\0") == SubmitMultiResp(b"id")


@pytest.mark.parametrize("end", range(4, 16))
def test_a_cut_list_of_who_was_not_reached_is_refused(end: int) -> None:
    body = b"id\0\2\1\x01491\0\0\0\0\x0b\5\0name\0\0\0\4\0"
    refused(Command.SUBMIT_MULTI_RESP, body[:end])


@pytest.mark.parametrize("end", range(13, 16))
def test_a_cut_status_of_who_was_not_reached_is_refused(end: int) -> None:
    assert refused(Command.SUBMIT_MULTI_RESP, b"id\0\1\1\x01491\0\0\0\0\x0b"[: end - 4])[1] is Status.RINVCMDLEN


@pytest.mark.parametrize(
    "sme",
    [
        UnsuccessSme(1, 1, b"4" * 21, 0),
        UnsuccessSme(1, 1, b"\0", 0),
        UnsuccessSme(1, -1, b"4", 0),
        UnsuccessSme(1, 1, b"4", 1 << 32),
        UnsuccessSme(1, 1, b"4", -1),
    ],
    ids=repr,
)
def test_a_result_that_cannot_be_written_is_a_bug_of_ours(sme: UnsuccessSme) -> None:
    with pytest.raises(LocalError):
        encode(Command.SUBMIT_MULTI_RESP, SubmitMultiResp(unsuccess_sme=(sme,)))


@pytest.mark.parametrize("command", [Command.ENQUIRE_LINK, Command.UNBIND, Command.GENERIC_NACK], ids=lambda c: c.name)
def test_what_has_no_body_may_be_followed_by_optional_parameters_only(command: Command) -> None:
    assert decode(command, b"") == Empty()
    assert decode(command, b"\x14\0\0\0").surplus == b"\x14\0\0\0"
    assert refused(command, b"\0")[1] is Status.RINVCMDLEN


def test_what_is_read_is_of_the_class_that_was_asked_for() -> None:
    assert isinstance(decode_message_id(b"id\0"), MessageIdResp)
    assert isinstance(decode(Command.DELIVER_SM, encode_submit(SubmitSm())), SubmitSm)
