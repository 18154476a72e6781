"""Concatenated messages."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import text, udh
from protocol.consts import EsmClass, Status, Tag
from protocol.errors import LocalError, PduError
from protocol.udh import Gathering, Joiner, Part

VECTORS = Path(__file__).parents[1] / "vectors" / "pdu_vectors.jsonl"
ESCAPED = st.lists(st.sampled_from([b"a", b"\x1be", b"\x1b\x1b", b"\x00"]), max_size=700).map(b"".join)
UCS2 = st.text(st.characters(codec="utf-16")).map(lambda said: said.encode("utf-16-be"))
HOW = st.sampled_from(["udh8", "udh16", "sar"])
PORTS = (0x05, b"\x15\x81\x00\x00")
ELEMENTS = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20)), min_size=1, max_size=8)


def joined(segments: list[udh.Segment]) -> bytes | None:
    joiner = Joiner(1)
    whole = None
    for segment in segments:
        part = udh.part_of(segment.esm_class, segment.short_message, dict(segment.tlvs))
        assert part is not None
        whole = joiner.add("sender", part, udh.text_of(segment.esm_class, segment.short_message), 0.0)
    return whole


@pytest.mark.parametrize(
    ("short_message", "part"),
    [
        (b"\x05\x00\x03\xfe\x02\x01text", Part(0xFE, 2, 1, False)),
        (b"\x05\x00\x03$\x03\x01", Part(0x24, 3, 1, False)),
        (b"\x06\x08\x04\x12\x34\x05\x05text", Part(0x1234, 5, 5, True)),
        (b"\x0b\x05\x04\x15\x81\x00\x00\x00\x03\x07\x02\x02text", Part(7, 2, 2, False)),
    ],
)
def test_a_header_names_the_part(short_message: bytes, part: Part) -> None:
    assert udh.part_of(EsmClass.UDHI, short_message) == part


@pytest.mark.parametrize(
    "short_message",
    [
        b"",
        b"\x05",
        b"\x05\x00\x03\x01\x02",  # cut
        b"\x05\x00\x03\x01\x02\x00",  # number 0
        b"\x05\x00\x03\x01\x02\x03",  # number 3 of 2
        b"\x05\x00\x03\x01\x00\x00",  # of 0
        b"\x04\x00\x02\x01\x01text",  # an element of the wrong length
        b"\x06\x05\x04#\xf4\x00\x00BEGIN:VCARD",  # ports only
        b"\x00text",
        b"\xfftext",
        b"test222",
    ],
)
def test_a_header_that_makes_no_sense_names_none(short_message: bytes) -> None:
    assert udh.part_of(EsmClass.UDHI, short_message) is None


def test_sar_names_the_part() -> None:
    sar: dict[int, bytes] = {
        Tag.SAR_MSG_REF_NUM: b"\x12\x34",
        Tag.SAR_TOTAL_SEGMENTS: b"\x03",
        Tag.SAR_SEGMENT_SEQNUM: b"\x02",
    }
    assert udh.part_of(0, b"text", sar) == Part(0x1234, 3, 2, True)


@pytest.mark.parametrize(
    "sar",
    [
        {},
        {Tag.SAR_MSG_REF_NUM: b"\1\2"},
        {Tag.SAR_MSG_REF_NUM: b"\1", Tag.SAR_TOTAL_SEGMENTS: b"\3", Tag.SAR_SEGMENT_SEQNUM: b"\2"},
        {Tag.SAR_MSG_REF_NUM: b"\1\2", Tag.SAR_TOTAL_SEGMENTS: b"\1", Tag.SAR_SEGMENT_SEQNUM: b"\2"},
        {Tag.SAR_MSG_REF_NUM: b"\1\2", Tag.SAR_TOTAL_SEGMENTS: b"", Tag.SAR_SEGMENT_SEQNUM: b"\2"},
    ],
)
def test_sar_that_makes_no_sense_names_none(sar: dict[int, bytes]) -> None:
    assert udh.part_of(0, b"text", sar) is None


def test_without_udhi_no_text_is_a_header() -> None:
    assert udh.part_of(EsmClass.STORE_AND_FORWARD, b"\x05\x00\x03\x01\x02\x01") is None


@given(st.integers(0, 255), st.binary(), st.dictionaries(st.sampled_from(Tag), st.binary(max_size=3)))
def test_no_octets_raise(esm_class: int, octets: bytes, tlvs: dict[int, bytes]) -> None:
    udh.part_of(esm_class, octets, tlvs)
    udh.text_of(esm_class, octets)
    udh.segments(octets, 0, udhi=True)


def test_the_headers_of_other_stacks_are_read() -> None:
    parts = {}
    for line in VECTORS.read_text().splitlines():
        pdu = json.loads(line)
        fields = pdu["fields"] or {}
        if fields.get("esm_class", 0) & EsmClass.UDHI and "short_message_hex" in fields:
            parts[pdu["id"]] = udh.part_of(fields["esm_class"], bytes.fromhex(fields["short_message_hex"]))
    assert parts["v0096"] == Part(0xFE, 2, 1, False)
    assert parts["v0106"] == Part(5, 3, 1, False)
    assert parts["v0111"] == Part(0x24, 3, 1, False)
    assert [parts[id] for id in ("v0102", "v0197", "v0248")] == [None] * 3


@given(ELEMENTS, st.binary())
def test_a_header_is_read_as_it_was_written(elements: list[tuple[int, bytes]], rest: bytes) -> None:
    assert udh.elements(udh.header(elements) + rest) == (elements, rest)


def test_no_elements_are_no_header() -> None:
    assert udh.header([]) == b""
    assert udh.elements(b"\x00text") == ([], b"text")


@pytest.mark.parametrize("octets", [b"", b"\x01", b"\x05\x00\x03\x01", b"\x01\x00", b"\x03\x00\x03\x01text"])
def test_a_header_that_is_cut_is_refused(octets: bytes) -> None:
    with pytest.raises(PduError) as caught:
        udh.elements(octets)
    assert caught.value.status is Status.RINVESMCLASS


def test_a_header_has_an_end() -> None:
    with pytest.raises(LocalError):
        udh.header([(0x24, bytes(254))])


@given(st.binary(max_size=2000), st.integers(1, 300))
def test_octets_are_cut_anywhere(octets: bytes, limit: int) -> None:
    pieces = udh.split(octets, limit)
    assert b"".join(pieces) == octets
    assert all(len(piece) == limit for piece in pieces[:-1])
    assert len(pieces[-1]) <= limit


@given(ESCAPED, st.integers(2, 160))
def test_an_escape_stays_with_its_character(octets: bytes, limit: int) -> None:
    pieces = udh.split(octets, limit, keep=text.ESCAPES)
    assert b"".join(pieces) == octets
    assert max(map(len, pieces)) <= limit
    assert "".join(text.decode(piece, 0) for piece in pieces) == text.decode(octets, 0)


@given(UCS2, st.integers(4, 140))
def test_a_surrogate_pair_stays_together(octets: bytes, limit: int) -> None:
    pieces = udh.split(octets, limit, keep=text.PAIRS)
    assert b"".join(pieces) == octets
    assert max(map(len, pieces)) <= limit
    assert "".join(piece.decode("utf-16-be") for piece in pieces) == octets.decode("utf-16-be")


@given(st.text(st.sampled_from("ab[]{}~é")), st.integers(2, 160))
def test_latin_1_is_cut_by_the_septets_it_becomes(said: str, limit: int) -> None:
    octets = said.encode("latin-1")
    pieces = udh.split(octets, limit, keep=text.DOUBLES)
    assert b"".join(pieces) == octets
    assert all(text.units(piece, 0, "latin1") <= limit for piece in pieces)
    assert all(pieces) or octets == b""


@pytest.mark.parametrize(("coding", "said"), [(0x05, "aテスト文"), (0x0E, "a한국어")])
@given(data=st.data(), limit=st.integers(2, 20))
def test_a_character_of_two_octets_stays_whole(coding: int, said: str, data: st.DataObject, limit: int) -> None:
    octets = text.encode(data.draw(st.text(st.sampled_from(said))), coding)
    pieces = udh.split(octets, limit, keep=text.alphabet(coding).keep)
    assert b"".join(pieces) == octets
    assert max(map(len, pieces)) <= limit
    assert "\ufffd" not in "".join(text.decode(piece, coding) for piece in pieces)


@pytest.mark.parametrize(("limit", "keep"), [(0, text.NOTHING), (1, text.ESCAPES), (3, text.PAIRS)])
def test_a_limit_below_one_character_is_our_mistake(limit: int, keep: text.Keep) -> None:
    with pytest.raises(LocalError):
        udh.split(b"text", limit, keep=keep)


@given(st.binary(max_size=3000), st.sampled_from([0, 1, 3, 4, 5, 8, 0xF0]), HOW, st.integers(0, 0xFFFF))
def test_joining_undoes_splitting(octets: bytes, coding: int, how: udh.How, reference: int) -> None:
    for default in text.DEFAULTS:
        segments = udh.segments(octets, coding, default, how, reference)
        if len(segments) == 1:
            assert segments == [udh.Segment(0, octets)]
        else:
            assert joined(segments) == octets


@given(st.binary(max_size=1000), st.sampled_from([0, 4, 8]), HOW)
def test_other_elements_go_into_every_segment(octets: bytes, coding: int, how: udh.How) -> None:
    segments = udh.segments(udh.header([PORTS]) + octets, coding, how=how, udhi=True)
    for segment in segments:
        found, rest = udh.elements(segment.short_message)
        assert PORTS in found
        taken = len(segment.short_message) - len(rest)
        assert text.units(rest, coding) <= text.limit(coding, header=taken)
    if len(segments) > 1:
        assert joined(segments) == octets


@pytest.mark.parametrize(
    ("octets", "coding", "how", "lengths"),
    [
        (b"a" * 160, 0, "udh8", [160]),
        (b"a" * 161, 0, "udh8", [6 + 153, 6 + 8]),
        (b"a" * 161, 0, "udh16", [7 + 152, 7 + 9]),
        (b"a" * 161, 0, "sar", [153, 8]),
        (b"a" * 152 + b"\x1be" * 4 + b"a", 0, "udh8", [6 + 152, 6 + 9]),
        (b"a" * 140, 4, "udh8", [140]),
        (b"a" * 141, 4, "udh8", [140, 6 + 7]),
        (b"\0a" * 70, 8, "udh8", [140]),
        (b"\0a" * 71, 8, "udh8", [6 + 134, 6 + 8]),
        (b"\0a" * 71, 8, "udh16", [7 + 132, 7 + 10]),
        (b"", 0, "udh8", [0]),
    ],
)
def test_segments_are_filled(octets: bytes, coding: int, how: udh.How, lengths: list[int]) -> None:
    assert [len(segment.short_message) for segment in udh.segments(octets, coding, how=how)] == lengths


def test_segments_read_as_the_specification_writes_them() -> None:
    first, second = udh.segments(bytes(141), 4, how="udh8", reference=0x1234)
    assert first[:2] == (0x40, b"\x05\x00\x03\x34\x02\x01" + bytes(134))
    assert second[:2] == (0x40, b"\x05\x00\x03\x34\x02\x02" + bytes(7))
    first, second = udh.segments(bytes(141), 4, how="udh16", reference=0x1234)
    assert second[:2] == (0x40, b"\x06\x08\x04\x12\x34\x02\x02" + bytes(8))
    first, second = udh.segments(bytes(141), 4, how="sar", reference=0x1234)
    assert second == (0, bytes(7), ((0x020C, b"\x12\x34"), (0x020E, b"\x02"), (0x020F, b"\x02")))


def test_message_payload_takes_what_is_too_long() -> None:
    assert udh.segments(b"a" * 161, 0, how="payload") == [udh.Segment(0, b"", ((0x0424, b"a" * 161),))]
    assert udh.segments(b"a" * 160, 0, how="payload") == [udh.Segment(0, b"a" * 160)]


def test_a_part_is_not_split_again() -> None:
    part = b"\x05\x00\x03\x01\x02\x01" + b"a" * 200
    assert udh.segments(part, 0, udhi=True) == [udh.Segment(0x40, part)]
    assert udh.segments(part + b"a" * 100, 0, udhi=True) == [udh.Segment(0x40, b"", ((0x0424, part + b"a" * 100),))]


def test_a_text_has_at_most_255_parts() -> None:
    assert len(udh.segments(b"a" * 153 * 255, 0)) == 255
    with pytest.raises(PduError) as caught:
        udh.segments(b"a" * (153 * 255 + 1), 0)
    assert caught.value.status is Status.RINVMSGLEN


def test_a_header_may_not_fill_the_message() -> None:
    with pytest.raises(PduError) as caught:
        udh.segments(udh.header([(0x24, bytes(134))]) + b"a" * 100, 4, udhi=True)
    assert caught.value.status is Status.RINVMSGLEN


@given(st.permutations(range(1, 9)), st.lists(st.integers(0, 7)))
def test_parts_join_in_any_order_and_repeats_change_nothing(order: list[int], repeats: list[int]) -> None:
    joiner = Joiner(1)
    coming = [order[0], *(order[at] for at in repeats if at < 7), *order[1:]]
    first_last = coming.index(order[-1])
    wholes = [
        joiner.add("a", Part(1, 8, number, False), b"%d" % number, 0.0)
        for number in coming[: max(first_last, len(coming) - 1) + 1]
    ]
    assert wholes[-1] == b"12345678"
    assert wholes[:-1] == [None] * (len(wholes) - 1)
    assert len(joiner) == 0


def test_messages_of_different_senders_references_and_totals_stay_apart() -> None:
    joiner = Joiner(10)
    for sender, part in (
        ("a", Part(1, 2, 1, False)),
        ("b", Part(1, 2, 1, False)),
        ("a", Part(2, 2, 1, False)),
        ("a", Part(1, 3, 1, False)),
        ("a", Part(1, 2, 1, True)),
    ):
        assert joiner.add(sender, part, repr((sender, part)).encode(), 0.0) is None
    whole = joiner.add("a", Part(1, 2, 2, False), b"!", 0.0)
    assert whole == repr(("a", Part(1, 2, 1, False))).encode() + b"!"
    assert len(joiner) == 4


def test_a_reference_that_is_used_again_starts_again() -> None:
    joiner = Joiner(10)
    joiner.add("a", Part(1, 3, 1, False), b"old", 0.0)
    joiner.add("a", Part(1, 3, 2, False), b"old", 0.0)
    joiner.add("a", Part(1, 3, 1, False), b"1", 9.0)
    assert joiner.add("a", Part(1, 3, 3, False), b"3", 9.0) is None
    assert joiner.add("a", Part(1, 3, 2, False), b"2", 9.0) == b"123"


def test_open_messages_have_a_limit() -> None:
    joiner = Joiner(1)
    joiner.add("a", Part(1, 2, 1, False), b"1", 0.0)
    with pytest.raises(PduError) as caught:
        joiner.add("b", Part(1, 2, 1, False), b"1", 0.0)
    assert caught.value.status is Status.RMSGQFUL
    assert joiner.add("a", Part(1, 2, 2, False), b"2", 0.0) == b"12"


def test_what_waits_too_long_is_given_back() -> None:
    joiner = Joiner(2)
    joiner.add("a", Part(1, 2, 1, False), b"1", 10.0)
    joiner.add("b", Part(1, 2, 2, False), b"2", 20.0)
    (late,) = joiner.expire(before=15.0)
    assert (late.parts, late.total, late.since) == ({1: b"1"}, 2, 10.0)
    assert len(joiner) == 1


def test_a_gathering_is_whole_with_its_last_part() -> None:
    gathering = Gathering(2, 0.0)
    gathering.parts[2] = b"b"
    assert gathering.whole() is None
    gathering.parts[1] = b"a"
    assert gathering.whole() == b"ab"


def test_a_message_of_one_part_is_whole_at_once() -> None:
    assert Joiner(1).add("a", Part(1, 1, 1, False), b"text", 0.0) == b"text"


def test_a_header_of_no_elements_does_not_promise_a_header_to_sar_parts() -> None:
    parts = udh.segments(b"\0" + b"A" * 300, 0, how="sar", udhi=True)
    assert [part.esm_class for part in parts] == [0, 0]
    assert joined(parts) == b"A" * 300
