"""A connector goes on when its pause is over, once, and not before."""

import asyncio

from smppgw.delays import Delays
from smppgw.pauses import Pauses
from tests.smppgw.jumping import advance, jumping


class Turning:
    """A connector, of which only its turns are of interest."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self.turns: list[float] = []
        self.pauses = Pauses(self._loop, Delays(self._loop), self._turned)

    def _turned(self) -> None:
        self.turns.append(round(self._loop.time() - self._began))


@jumping
async def test_it_goes_on_when_its_pause_is_over() -> None:
    turning = Turning()
    assert turning.pauses.until == 0
    turning.pauses.pause(5)
    await advance(4)
    assert turning.pauses.until > 0
    assert turning.turns == []
    await advance(2)
    assert turning.pauses.until == 0
    assert turning.turns == [5]


@jumping
async def test_pauses_that_lap_end_once_with_the_last_of_them() -> None:
    turning = Turning()
    turning.pauses.pause(10)
    await advance(1)
    turning.pauses.pause(2)
    await advance(5)
    assert turning.turns == []
    await advance(20)
    assert turning.turns == [10]


@jumping
async def test_however_often_it_is_told_to_turn_later_it_turns_once_and_can_be_told_again() -> None:
    turning = Turning()
    for _ in range(3):
        turning.pauses.turn_after(2)
    await advance(10)
    assert turning.turns == [2]
    turning.pauses.turn_after(2)
    await advance(10)
    assert turning.turns == [2, 12]


@jumping
async def test_a_turn_for_its_rate_ends_no_pause() -> None:
    turning = Turning()
    turning.pauses.pause(5)
    turning.pauses.turn_after(1)
    await advance(2)
    assert turning.turns == [1]
    assert turning.pauses.until > 0
