"""A carrier that fails is left in peace for longer and longer, and one message finds out whether it is back."""

from hypothesis import given
from hypothesis import strategies as st

from smppgw.carriers.breaker import Breaker

WAITS = (5.0, 15.0, 60.0)


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = Breaker(3, WAITS)
    assert [breaker.failed(1.0), breaker.failed(2.0)] == [0.0, 0.0]
    breaker.succeeded()
    assert [breaker.failed(3.0), breaker.failed(4.0), breaker.failed(5.0)] == [0.0, 0.0, 5.0]
    assert (breaker.closed_at(9.9), breaker.closed_at(10.0), breaker.half_open) == (False, True, True)


def test_an_alarm_opens_it_at_once() -> None:
    assert Breaker(100, WAITS).failed(1.0, alarm=True) == 5.0


def test_what_was_under_way_when_it_opened_says_nothing_new() -> None:
    breaker = Breaker(1, WAITS)
    assert [breaker.failed(1.0), breaker.failed(2.0), breaker.failed(5.9, alarm=True)] == [5.0, 0.0, 0.0]
    assert breaker.closed_at(6.0)


def test_each_failure_of_a_trial_waits_longer_and_the_last_wait_repeats() -> None:
    breaker = Breaker(2, WAITS)
    breaker.failed(0.0)
    now, waits = 0.0, []
    for _ in range(5):
        waits.append(breaker.failed(now))
        now += waits[-1]
    assert waits == [5.0, 15.0, 60.0, 60.0, 60.0]


def test_a_success_closes_it_and_says_so_once() -> None:
    breaker = Breaker(1, WAITS)
    assert breaker.succeeded() is False
    breaker.failed(1.0)
    assert [breaker.succeeded(), breaker.succeeded()] == [True, False]
    assert (breaker.half_open, breaker.closed_at(1.0), breaker.failed(2.0)) == (False, True, 5.0)


STEPS = st.lists(st.tuples(st.floats(0, 30), st.sampled_from(["fail", "alarm", "succeed"])), max_size=40)


@given(st.integers(1, 5), STEPS)
def test_whatever_happens_it_is_open_exactly_as_long_as_it_said(most: int, steps: list[tuple[float, str]]) -> None:
    breaker, now, until, failures = Breaker(most, WAITS), 0.0, 0.0, 0
    for passed, what in steps:
        now += passed
        if what == "succeed":
            breaker.succeeded()
            until, failures = 0.0, 0
            assert not breaker.half_open
        else:
            failures += 1
            wait = breaker.failed(now, alarm=what == "alarm")
            assert wait in {0.0, *WAITS}
            if wait:
                assert now >= until
                assert what == "alarm" or failures >= most or breaker.opened > 1
                until = now + wait
        assert breaker.closed_at(now) == (now >= until)
        assert breaker.closed_at(until)
