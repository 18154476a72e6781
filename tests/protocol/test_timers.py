"""Each timer is due when its time has passed, and not before."""

import pytest

from protocol.timers import Due, Timers, Watch

START = 1000.0


def watch(*, init: float = 10, enquire_link: float = 0, inactivity: float = 0) -> Watch:
    return Watch(Timers(init=init, enquire_link=enquire_link, inactivity=inactivity), START)


@pytest.mark.parametrize(("passed", "due"), [(0, None), (9.9, None), (10, Due.INIT), (1000, Due.INIT)])
def test_a_link_that_is_not_bound_in_time_is_due(passed: float, due: Due | None) -> None:
    assert watch().due(START + passed, bound=False) is due


def test_octets_do_not_put_the_init_timer_off() -> None:
    link = watch()
    link.heard(START + 9)
    link.active(START + 9)
    assert link.due(START + 10, bound=False) is Due.INIT


def test_the_init_timer_is_over_when_bound() -> None:
    assert watch().due(START + 1000, bound=True) is None


@pytest.mark.parametrize(("passed", "due"), [(29.9, None), (30, Due.ENQUIRE)])
def test_a_silent_peer_is_asked_whether_it_is_there(passed: float, due: Due | None) -> None:
    assert watch(enquire_link=30).due(START + passed, bound=True) is due


def test_any_octets_end_the_silence() -> None:
    link = watch(enquire_link=30)
    link.heard(START + 29)
    assert link.due(START + 58, bound=True) is None
    assert link.due(START + 59, bound=True) is Due.ENQUIRE


def test_a_link_without_messages_is_due_though_it_is_heard() -> None:
    link = watch(inactivity=60)
    link.heard(START + 59)
    assert link.due(START + 60, bound=True) is Due.INACTIVE


def test_a_message_puts_inactivity_off() -> None:
    link = watch(inactivity=60)
    link.active(START + 59)
    assert link.due(START + 118, bound=True) is None
    assert link.due(START + 119, bound=True) is Due.INACTIVE


def test_inactivity_comes_before_asking() -> None:
    assert watch(enquire_link=30, inactivity=60).due(START + 60, bound=True) is Due.INACTIVE


def test_a_timer_of_zero_is_off() -> None:
    link = watch(init=0)
    assert link.due(START + 1e9, bound=False) is None
    assert link.due(START + 1e9, bound=True) is None


def test_a_link_that_is_not_bound_is_neither_asked_nor_inactive() -> None:
    link = watch(init=0, enquire_link=30, inactivity=60)
    assert link.due(START + 1000, bound=False) is None
