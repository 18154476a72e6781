"""SMPP times."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from aiosmpplib.protocol import SubmitSm
from hypothesis import given
from hypothesis import strategies as st

from protocol import times
from protocol.consts import Status
from protocol.errors import LocalError, PduError

NOW = 1_700_000_000.0
FIRST = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
LAST = datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
TENTHS = st.integers(int(FIRST) * 10, int(LAST) * 10).map(lambda tenths: tenths / 10)


@given(TENTHS)
def test_a_moment_is_read_as_it_was_written_to_the_tenth_of_a_second(when: float) -> None:
    assert times.parse(times.absolute(when), NOW) == when


@given(st.floats(FIRST, LAST))
def test_any_moment_is_off_by_a_twentieth_at_most(when: float) -> None:
    read = times.parse(times.absolute(when), NOW)
    assert read is not None
    assert abs(read - when) <= 0.0501


@given(st.integers(0, times.LONGEST))
def test_a_span_is_read_as_it_was_written_to_the_second(seconds: int) -> None:
    assert times.parse(times.relative(seconds), NOW) == NOW + seconds


@given(st.floats(0, 60 * 7 * 86400))
def test_nothing_expires_early_nor_a_second_late(seconds: float) -> None:
    read = times.parse(times.relative(seconds), 0.0)
    assert read is not None
    assert seconds <= read <= seconds + 1


@given(st.integers(0, 63 * 7 * 86400))
def test_a_span_is_written_as_the_oracle_does(seconds: int) -> None:
    assert times.relative(seconds).decode() == SubmitSm.datetime_to_smpp_time(timedelta(seconds=seconds))


@given(TENTHS)
def test_a_moment_is_written_as_the_oracle_does(when: float) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(when * 10) * 100_000)
    assert times.absolute(when).decode() == SubmitSm.datetime_to_smpp_time(moment)


def epoch(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("value", "when"),
    [
        (b"", None),
        (b"151110145607000+", epoch(2015, 11, 10, 14, 56, 7)),
        (b"160818163456440+", epoch(2016, 8, 18, 6, 34, 56) + 0.4),  # 10 hours east
        (b"150203040506708+", epoch(2015, 2, 3, 2, 5, 6) + 0.7),
        (b"150203040506708-", epoch(2015, 2, 3, 6, 5, 6) + 0.7),
        (b"000000000500000R", NOW + 300),
        (b"010203040506000R", NOW + 365 * 86400 + 60 * 86400 + 3 * 86400 + 4 * 3600 + 5 * 60 + 6),
        (b"000000480000000R", NOW + 2 * 86400),
        (b"000000000000000R", NOW),
        (b"000007000000000r", NOW + 7 * 86400),
    ],
)
def test_the_times_of_other_stacks_are_read(value: bytes, when: float | None) -> None:
    assert times.parse(value, NOW) == when


@pytest.mark.parametrize(
    "value",
    [
        b"2013-10-07 00:00:00",
        b"151110145607000",
        b"151110145607000*",
        b"151310145607000+",
        b"150230145607000+",
        b"151110145607049+",
        b"000000000000000+",
        b"15111014560700 +",
        b"151110145607000+\0",
        b"R",
    ],
)
def test_what_is_no_time_is_refused_with_the_status_of_its_field(value: bytes) -> None:
    with pytest.raises(PduError) as caught:
        times.parse(value, NOW)
    assert caught.value.status is Status.RINVEXPIRY
    with pytest.raises(PduError) as caught:
        times.parse(value, NOW, Status.RINVSCHED)
    assert caught.value.status is Status.RINVSCHED


@given(st.binary(max_size=20) | st.from_regex(rb"\A\d{15}[-+R]\Z"))
def test_no_octets_raise_anything_else(value: bytes) -> None:
    with contextlib.suppress(PduError):
        times.parse(value, NOW)


@pytest.mark.parametrize("when", [0.0, FIRST - 1, LAST + 1, 1e18, -1e18])
def test_a_moment_outside_the_century_is_our_mistake(when: float) -> None:
    with pytest.raises(LocalError):
        times.absolute(when)


def test_the_ends_of_a_span_are_kept() -> None:
    assert times.relative(-5) == b"000000000000000R"
    assert times.relative(1e12) == b"991204235959000R"
