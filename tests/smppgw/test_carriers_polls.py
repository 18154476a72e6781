"""Every message is asked about at each age, and at least once however late it is."""

from hypothesis import given
from hypothesis import strategies as st

from smppgw.carriers.polls import Polls


def asked(polls: Polls, now: float) -> list[tuple[bytes, float, bool]]:
    return list(polls.due(now))


def test_a_message_is_asked_about_at_every_age() -> None:
    polls = Polls((1.0, 5.0))
    polls.add(b"a", 100.0, 100.0)
    assert asked(polls, 100.9) == []
    assert asked(polls, 101.0) == [(b"a", 100.0, False)]
    polls.add(b"a", 100.0, 101.0)
    assert asked(polls, 104.9) == []
    assert asked(polls, 105.0) == [(b"a", 100.0, True)]
    assert len(polls) == 0


def test_a_message_that_is_past_every_age_is_asked_about_at_once() -> None:
    polls = Polls((1.0, 5.0))
    polls.add(b"young", 198.0, 200.0)
    polls.add(b"old", 100.0, 200.0)
    assert asked(polls, 200.0) == [(b"old", 100.0, True)]
    assert asked(polls, 203.0) == [(b"young", 198.0, True)]


def test_without_ages_nothing_is_asked() -> None:
    polls = Polls(())
    polls.add(b"a", 1.0, 2.0)
    assert asked(polls, 1e9) == []


@given(st.lists(st.floats(0, 20), max_size=30).map(sorted), st.floats(0, 40))
def test_after_a_restart_each_is_asked_about_by_its_last_age_or_at_once(births: list[float], now: float) -> None:
    polls = Polls((1.0, 5.0))
    for number, born in enumerate(births):
        polls.add(str(number).encode(), born, now)
    found = {id for id, _, _ in asked(polls, max(now, 20.0) + 5.0)}
    assert found == {str(number).encode() for number in range(len(births))}


@given(
    st.lists(st.floats(0.5, 50), min_size=1, max_size=4).map(lambda ages: tuple(sorted(ages))),
    st.lists(st.floats(0, 5), min_size=1, max_size=20),
    st.lists(st.floats(0.1, 30), min_size=1, max_size=40),
)
def test_nothing_is_asked_about_before_its_age_nor_more_often_than_there_are_ages(
    ages: tuple[float, ...], gaps: list[float], looks: list[float]
) -> None:
    polls, now, counts = Polls(ages), 0.0, dict.fromkeys(range(len(gaps)), 0)
    for number, gap in enumerate(gaps):
        now += gap
        polls.add(b"%d" % number, now, now)
    last: set[bytes] = set()
    for passed in [*looks, 1000.0, 0.0, 0.0, 0.0]:
        now += passed
        for id, sent, final in asked(polls, now):
            assert id not in last
            assert now >= sent + ages[counts[int(id)]]
            counts[int(id)] += 1
            if final:
                last.add(id)
            else:
                polls.add(id, sent, now)
    assert len(last) == len(gaps)
    assert max(counts.values()) <= len(ages)
    assert len(polls) == 0
