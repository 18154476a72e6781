"""What is generated from a field table reads what it writes, and says which field is wrong."""

from typing import Annotated, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.consts import Status
from protocol.errors import LocalError, PduError
from protocol.fields import Codec, CString, Integer, ShortMessage, Tlvs, generate
from tests.protocol.bodies import of


class Sample(NamedTuple):
    name: Annotated[bytes, CString(5, Status.RINVSYSID)]
    number: Annotated[int, Integer()] = 7
    time: Annotated[bytes, CString(4, Status.RINVSCHED, exact=True)] = b""
    message: Annotated[bytes, ShortMessage()] = b""
    last: Annotated[int, Integer()] = 0
    tlvs: Annotated[bytes, Tlvs()] = b""


class Bare(NamedTuple):
    name: Annotated[bytes, CString(5, Status.RINVSYSID)] = b""
    number: Annotated[int, Integer()] = 0


class Nothing(NamedTuple):
    pass


SAMPLE = generate(Sample, response=False)
ANSWER = generate(Sample, response=True)
BARE = generate(Bare, response=False)
WHOLE = b"abcd\0\x09xyz\0\x02hi\x05\x14\x00\x00\x01!"


def refused(codec: Codec, body: bytes) -> tuple[str, Status]:
    with pytest.raises(PduError) as caught:
        codec.decode(body)
    return str(caught.value), caught.value.status


def test_fields_are_read_from_top_to_bottom() -> None:
    assert SAMPLE.decode(WHOLE) == Sample(b"abcd", 9, b"xyz", b"hi", 5, b"\x14\x00\x00\x01!")
    assert isinstance(SAMPLE.decode(WHOLE), Sample)


def test_fields_are_written_from_top_to_bottom() -> None:
    assert SAMPLE.encode(Sample(b"abcd", 9, b"xyz", b"hi", 5, b"\x14\x00\x00\x01!")) == WHOLE


@given(of(Sample))
def test_what_is_written_reads_the_same(sample: Sample) -> None:
    assert SAMPLE.decode(SAMPLE.encode(sample)) == sample


@given(st.binary(max_size=24))
def test_what_can_be_read_is_written_the_same(body: bytes) -> None:
    try:
        sample = SAMPLE.decode(body)
    except PduError:
        return
    assert SAMPLE.encode(sample) == body


@pytest.mark.parametrize("end", range(len(WHOLE) - 5))
def test_a_body_cut_before_its_optional_part_is_refused_wherever_it_is_cut(end: int) -> None:
    reason, status = refused(SAMPLE, WHOLE[:end])
    assert status is (Status.RINVMSGLEN if 10 < end < 13 else Status.RINVCMDLEN), reason


@pytest.mark.parametrize(
    ("body", "reason", "status"),
    [
        (b"abcde\0", "name is longer than 4 octets", Status.RINVSYSID),
        (b"abc", "the body ends inside name", Status.RINVCMDLEN),
        (b"abcd", "the body ends inside name", Status.RINVCMDLEN),
        (b"a\0", "the body ends before number", Status.RINVCMDLEN),
        (b"a\0\1xy\0", "time has 2 octets, not 0 or 3", Status.RINVSCHED),
        (b"a\0\1wxyz\0", "time is longer than 3 octets", Status.RINVSCHED),
        (b"a\0\1\0\5hi", "message is shorter than sm_length says", Status.RINVMSGLEN),
        (b"a\0\1\0", "the body ends before the length of message", Status.RINVCMDLEN),
        (b"a\0\1\0\0", "the body ends before last", Status.RINVCMDLEN),
        (b"a\0\1\0\0\0\2\4\0\1\1", "user_message_reference has 1 octets, not 2", Status.RINVPARLEN),
    ],
)
def test_a_refusal_names_the_field_and_the_status(body: bytes, reason: str, status: Status) -> None:
    assert refused(SAMPLE, body) == (reason, status)


def test_a_cut_optional_part_is_refused() -> None:
    reason, status = refused(SAMPLE, b"a\0\1\0\0\0\1")
    assert "cut" in reason
    assert status is Status.RINVOPTPARSTREAM


def test_octets_after_the_last_field_are_refused_where_no_optional_part_is() -> None:
    assert refused(BARE, b"a\0\1\2\3") == ("2 octets more than the fields of this PDU", Status.RINVCMDLEN)


def test_a_response_may_come_without_any_body() -> None:
    codec = generate(Bare, response=True)
    assert codec.decode(b"") == Bare()


def test_a_broken_tail_of_a_response_is_kept_as_it_came() -> None:
    assert ANSWER.decode(b"a\0\1\0\0\0\1").tlvs == b"\1"


def test_a_body_without_fields_is_empty() -> None:
    codec = generate(Nothing, response=False)
    assert (codec.encode(Nothing()), codec.decode(b"")) == (b"", Nothing())
    assert refused(codec, b"\0")[1] is Status.RINVCMDLEN


@pytest.mark.parametrize(
    "sample",
    [
        Sample(b"abcde"),
        Sample(b"a\0b"),
        Sample(b"", -1),
        Sample(b"", 256),
        Sample(b"", 0, b"xy"),
        Sample(b"", 0, b"wxyz"),
        Sample(b"", 0, b"", b"x" * 256),
        Sample(b"", 0, b"", b"", 300),
    ],
    ids=repr,
)
def test_what_cannot_be_written_is_a_bug_of_ours(sample: Sample) -> None:
    with pytest.raises(LocalError):
        SAMPLE.encode(sample)
