"""What becomes of a submit follows the rates, and the seed."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from protocol.consts import MessageState
from smppgw.simulate.fate import Draw, Fate
from smppgw.simulate.options import Options


def test_a_draw_follows_its_rates() -> None:
    at = iter(n / 1000 for n in range(1000))
    draw = Draw({"a": 0.5, "b": 0.25}, "rest", lambda: next(at))
    assert Counter(draw() for _ in range(1000)) == {"a": 500, "b": 250, "rest": 250}


def test_what_is_certain_needs_no_chance() -> None:
    def chance() -> float:
        raise AssertionError("it was asked")

    assert Draw({"a": 1.0, "b": 0.0}, "rest", chance)() == "a"
    assert Draw({}, "rest", chance)() == "rest"


@given(st.floats(1, 10_000), st.integers(1, 200))
def test_no_more_get_through_than_the_rate_allows(rate: float, tries: int) -> None:
    fate = Fate(Options(throttle_above=rate))
    step = 1 / 1000
    taken = sum(not fate.throttled(n * step) for n in range(tries))
    assert taken <= (tries * step + 0.1) * rate + 2


def test_what_stays_below_the_rate_gets_through() -> None:
    fate = Fate(Options(throttle_above=10))
    assert not any(fate.throttled(n * 0.11) for n in range(100))


def test_without_a_rate_nothing_is_throttled() -> None:
    fate = Fate(Options())
    assert not any(fate.throttled(0) for _ in range(1000))


def test_the_same_seed_is_the_same_fate() -> None:
    def ends(seed: int) -> list[MessageState]:
        fate = Fate(Options(states={"DELIVRD": 0.5, "UNDELIV": 0.5}, seed=seed))
        return [fate.outcome() for _ in range(50)]

    assert ends(1) == ends(1) != ends(2)


def test_jitter_stays_within_its_bounds() -> None:
    fate = Fate(Options(receipt_jitter=0.5))
    assert all(0 <= fate.jitter() < 0.5 for _ in range(100))
    assert Fate(Options()).jitter() == 0
