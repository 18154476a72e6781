"""The totals and rates that Kannel's status page shows."""

from smppgw.kannel.counts import Traffic


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_in_the_first_minute_the_load_is_of_what_came_so_far() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    traffic.add(30)
    clock.now += 10
    assert traffic.loads == (3.0, 3.0, 3.0)


def test_a_minute_that_is_over_counts_until_the_next_one_is() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    traffic.add(60)
    clock.now += 60
    assert traffic.loads == (1.0, 1.0, 1.0)
    traffic.add(600)
    clock.now += 59
    assert traffic.loads[0] == 1.0
    clock.now += 1
    assert traffic.loads[0] == (2 * 10 + 1) / 3


def test_the_last_load_is_of_the_whole_life() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    traffic.add(500)
    clock.now += 1000
    assert traffic.loads[2] == 0.5
    assert traffic.total == 500
