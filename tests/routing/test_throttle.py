"""The token bucket keeps its promise, and wastes nothing."""

from hypothesis import given
from hypothesis import strategies as st

from routing.throttle import TokenBucket

START = 1_790_000_000.0
rates = st.floats(0.1, 100_000)
bursts = st.floats(1, 1000)


@given(rates, bursts, st.lists(st.floats(0, 2), max_size=200))
def test_it_never_gives_more_than_burst_and_rate_times_time(rate: float, burst: float, pauses: list[float]) -> None:
    bucket = TokenBucket(rate, burst)
    now = START
    taken: list[float] = []
    for pause in pauses:
        now += pause
        for _ in range(5):
            if bucket.take(now):
                taken.append(now)
    for first in range(0, len(taken), 7):
        for last in range(first, len(taken), 11):
            assert last - first + 1 <= burst + rate * (taken[last] - taken[first]) + 1e-6


@given(rates, bursts, st.integers(0, 50))
def test_after_the_wait_there_is_a_token(rate: float, burst: float, takes: int) -> None:
    bucket = TokenBucket(rate, burst)
    for _ in range(takes):
        bucket.take(START)
    assert bucket.take(START + bucket.wait(START))


def test_the_wait_is_no_longer_than_needed() -> None:
    bucket = TokenBucket(10, 1)
    assert bucket.take(START)
    assert 0.1 <= bucket.wait(START) < 0.1001
    assert not bucket.take(START + 0.0999)


def test_a_steady_sender_gets_the_whole_rate() -> None:
    bucket = TokenBucket(30, 2)
    taken = sum(bucket.take(START + n / 1000) for n in range(10_000))
    assert 300 <= taken <= 302


def test_a_burst_of_zero_is_one_seconds_worth() -> None:
    bucket = TokenBucket(5)
    assert [bucket.take(START) for _ in range(6)] == [True] * 5 + [False]


def test_slow_rates_still_let_one_through() -> None:
    bucket = TokenBucket(0.1)
    assert [bucket.take(START), bucket.take(START + 9), bucket.take(START + 10)] == [True, False, True]


def test_a_rate_of_zero_is_no_limit() -> None:
    bucket = TokenBucket(0)
    assert all(bucket.take(START) for _ in range(10_000))
    assert bucket.wait(START) == 0


def test_a_clock_set_back_neither_gives_nor_locks() -> None:
    bucket = TokenBucket(10, 1)
    assert bucket.take(START)
    assert not bucket.take(START - 3600)
    assert bucket.take(START - 3600 + 0.1001)
