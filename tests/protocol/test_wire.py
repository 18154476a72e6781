"""However the stream is cut, the same PDUs come out of it; a length that cannot be ends it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.consts import HEADER, Command, Status
from protocol.wire import Frame, Reader, frame

LIMIT = 64
number = st.integers(0, 0xFFFFFFFF)
frames = st.lists(st.tuples(number, number, number, st.binary(max_size=LIMIT - HEADER)), max_size=6)
bad_length = st.integers(0, HEADER - 1) | st.integers(LIMIT + 1, 0xFFFFFFFF)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def fed(reader: Reader, data: bytes, cuts: list[int]) -> list[Frame]:
    return [found for piece in pieces(data, cuts) for found in reader.feed(piece)]


def test_a_frame_is_a_header_of_four_numbers_and_the_body() -> None:
    raw = bytes.fromhex("00000012 80000004 00000045 00000007 4142")
    assert frame(Command.SUBMIT_SM_RESP, Status.RSUBMITFAIL, 7, b"AB") == raw
    assert Reader(LIMIT).feed(raw) == [(Command.SUBMIT_SM_RESP, Status.RSUBMITFAIL, 7, b"AB")]


@given(frames, st.lists(st.integers(0, 400)))
def test_any_cut_of_the_stream_gives_the_same_frames(sent: list[Frame], cuts: list[int]) -> None:
    reader = Reader(LIMIT)
    assert fed(reader, b"".join(frame(*one) for one in sent), cuts) == sent
    assert reader.broken is None


@given(frames, bad_length, st.binary(max_size=40), st.lists(st.integers(0, 400)))
def test_any_cut_before_a_bad_length_gives_what_went_before(
    sent: list[Frame], length: int, tail: bytes, cuts: list[int]
) -> None:
    reader = Reader(LIMIT)
    stream = b"".join(frame(*one) for one in sent) + length.to_bytes(4, "big") + tail
    assert fed(reader, stream, cuts) == sent
    assert reader.broken is not None
    assert reader.broken.status is Status.RINVCMDLEN
    # the answer names the PDU if its header was there, and no PDU otherwise
    assert reader.broken.sequence in {0, int.from_bytes(tail[8:12], "big") if len(tail) >= 12 else 0}


@given(st.binary(max_size=400), st.lists(st.integers(0, 400)))
def test_junk_never_raises_and_reads_the_same_however_it_is_cut(junk: bytes, cuts: list[int]) -> None:
    whole, cut = Reader(LIMIT), Reader(LIMIT)
    assert whole.feed(junk) == fed(cut, junk, cuts)
    assert (whole.broken is None) == (cut.broken is None)


@pytest.mark.parametrize("length", [HEADER, LIMIT])
def test_the_shortest_and_the_longest_are_taken(length: int) -> None:
    reader = Reader(LIMIT)
    assert reader.feed(frame(1, 2, 3, b"x" * (length - HEADER))) == [(1, 2, 3, b"x" * (length - HEADER))]


@pytest.mark.parametrize("length", [0, 1, HEADER - 1, LIMIT + 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_that_cannot_be_is_refused_by_its_four_octets(length: int) -> None:
    reader = Reader(LIMIT)
    assert reader.feed(length.to_bytes(4, "big")) == []
    assert reader.broken is not None
    assert str(length) in str(reader.broken)


def test_a_whole_header_of_a_bad_length_says_which_pdu_it_is() -> None:
    reader = Reader(LIMIT)
    reader.feed(bytes.fromhex("00010000 00000004 00000000 0000002a"))
    assert reader.broken is not None
    assert reader.broken.sequence == 42


@pytest.mark.parametrize(("sent", "speaks"), [(b"\x16\x03\x01\x02\x00\x01", "TLS"), (b"GET / HTTP/1.1\r\n", "HTTP")])
def test_another_protocol_is_named(sent: bytes, speaks: str) -> None:
    reader = Reader(65536)
    assert reader.feed(sent) == []
    assert str(reader.broken).endswith(f"; it speaks {speaks}")


def test_nothing_is_read_after_a_broken_frame() -> None:
    reader = Reader(LIMIT)
    reader.feed(b"\0\0\0\1")
    first = reader.broken
    assert reader.feed(frame(Command.ENQUIRE_LINK, 0, 1)) == []
    assert reader.broken is first


def test_three_octets_are_not_yet_a_length() -> None:
    reader = Reader(LIMIT)
    assert reader.feed(b"\xff\xff\xff") == []
    assert reader.broken is None
