"""Optional parameters are kept octet for octet, and known ones have the lengths of the specification."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import tlv
from protocol.consts import Status, Tag
from protocol.errors import LocalError, PduError
from tests.protocol.bodies import parameters

SPECIFIED = """
    0005 dest_addr_subunit 1             0006 dest_network_type 1          0007 dest_bearer_type 1
    0008 dest_telematics_id 2            000D source_addr_subunit 1        000E source_network_type 1
    000F source_bearer_type 1            0010 source_telematics_id 1       0017 qos_time_to_live 4
    0019 payload_type 1                  001D additional_status_info_text 1-256
    001E receipted_message_id 1-65       0030 ms_msg_wait_facilities 1     0201 privacy_indicator 1
    0202 source_subaddress 2-23          0203 dest_subaddress 2-23         0204 user_message_reference 2
    0205 user_response_code 1            020A source_port 2                020B destination_port 2
    020C sar_msg_ref_num 2               020D language_indicator 1         020E sar_total_segments 1
    020F sar_segment_seqnum 1            0210 sc_interface_version 1       0302 callback_num_pres_ind 1
    0303 callback_num_atag 0-65          0304 number_of_messages 1         0381 callback_num 4-19
    0420 dpf_result 1                    0421 set_dpf 1                    0422 ms_availability_status 1
    0423 network_error_code 3            0424 message_payload 0-65535      0425 delivery_failure_reason 1
    0426 more_messages_to_send 1         0427 message_state 1              0501 ussd_service_op 1
    1201 display_time 1                  1203 sms_signal 2                 1204 ms_validity 1
    130C alert_on_message_delivery 0-1   1380 its_reply_type 1             1383 its_session_info 2
"""
"""Tag, name and octets of 5.3.2, where "variable" stands as 0 to the most there may be. alert_on_message_delivery has 0
octets in SMPP 3.4; a peer that says 5.0 may send 1."""


def specified() -> dict[int, tuple[str, tuple[int, int]]]:
    words = iter(SPECIFIED.split())
    table = {}
    for tag, name, octets in zip(words, words, words, strict=True):
        least, _, most = octets.partition("-")
        table[int(tag, 16)] = (name, (int(least), int(most or least)))
    return table


def broken(raw: bytes) -> tuple[str, Status]:
    with pytest.raises(PduError) as caught:
        tlv.check(raw)
    return str(caught.value), caught.value.status


def test_tags_names_and_lengths_are_those_of_the_specification() -> None:
    table = specified()
    assert {int(tag): tag.name.lower() for tag in Tag} == {tag: name for tag, (name, _) in table.items()}
    assert {tag: limits for tag, (_, limits) in table.items()} == tlv.LENGTHS


@pytest.mark.parametrize("tag", [tag for tag in Tag if tlv.LENGTHS[tag] != (0, 65535)], ids=lambda tag: tag.name)
def test_a_known_parameter_of_another_length_is_refused(tag: Tag) -> None:
    least, most = tlv.LENGTHS[tag]
    for size in (least, most):
        tlv.check(tlv.encode([(tag, b"1" * size)]))
    for size in {least - 1, most + 1} - {-1}:
        assert broken(tlv.encode([(tag, b"1" * size)]))[1] is Status.RINVPARLEN


def test_unknown_tags_may_have_any_length() -> None:
    tlv.check(tlv.encode([(0x1400, b""), (0x3FFF, b"x" * 65535), (0x0009, b"reserved")]))


@given(parameters)
def test_what_is_written_reads_the_same(pairs: list[tuple[int, bytes]]) -> None:
    raw = tlv.encode(pairs)
    assert list(tlv.walk(raw)) == pairs
    assert tlv.check(raw) is None  # type: ignore[func-returns-value]


@given(st.binary(max_size=60))
def test_what_can_be_read_is_written_the_same(raw: bytes) -> None:
    try:
        pairs = list(tlv.walk(raw))
    except PduError:
        return
    assert tlv.encode(pairs) == raw


@given(parameters, st.data())
def test_wherever_it_is_cut_the_whole_ones_before_are_found(
    pairs: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    raw = tlv.encode(pairs)
    end = data.draw(st.integers(0, len(raw)))
    whole = [pair for n, pair in enumerate(pairs) if len(tlv.encode(pairs[: n + 1])) <= end]
    first: dict[int, bytes] = {}
    for tag, value in whole:
        first.setdefault(tag, value)
    assert tlv.parse(raw[:end]) == first
    if len(tlv.encode(whole)) != end:
        assert broken(raw[:end])[1] is Status.RINVOPTPARSTREAM


@given(st.binary(max_size=40))
def test_looking_for_one_never_raises(raw: bytes) -> None:
    assert tlv.find(raw, Tag.MESSAGE_PAYLOAD) == tlv.parse(raw).get(Tag.MESSAGE_PAYLOAD)


def test_of_a_repeated_one_the_first_counts() -> None:
    raw = tlv.encode([(Tag.SOURCE_PORT, b"\0\1"), (Tag.SOURCE_PORT, b"\0\2")])
    assert tlv.find(raw, Tag.SOURCE_PORT) == b"\0\1"


def test_one_that_is_not_there_is_none() -> None:
    assert tlv.find(b"", Tag.SOURCE_PORT) is None
    assert tlv.find(tlv.encode([(Tag.DESTINATION_PORT, b"\0\1")]), Tag.SOURCE_PORT) is None


@given(parameters)
def test_taking_some_out_leaves_the_others_as_they_were(pairs: list[tuple[int, bytes]]) -> None:
    gone = {tag for tag, _ in pairs[::2]}
    assert tlv.without(tlv.encode(pairs), *gone) == tlv.encode(pair for pair in pairs if pair[0] not in gone)


def test_taking_some_out_of_a_cut_stream_leaves_the_rest_as_it_came() -> None:
    raw = tlv.encode([(Tag.SOURCE_PORT, b"\0\1"), (0x1400, b"x")])
    assert tlv.without(raw + b"\x14", Tag.SOURCE_PORT) == tlv.encode([(0x1400, b"x")]) + b"\x14"
    assert tlv.without(raw + b"\x14\0\0\2!", Tag.SOURCE_PORT) == tlv.encode([(0x1400, b"x")]) + b"\x14\0\0\2!"


@pytest.mark.parametrize("pair", [(0x10000, b""), (-1, b""), (0x1400, b"x" * 65536)], ids=["tag", "negative", "value"])
def test_what_cannot_be_written_is_a_bug_of_ours(pair: tuple[int, bytes]) -> None:
    with pytest.raises(LocalError):
        tlv.encode([pair])
