"""What is to happen later happens, on every loop."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest
import uvloop

from smppgw.simulate.alarm import Alarm

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.mark.parametrize("new_loop", LOOPS)
def test_what_is_due_at_once_may_ask_for_more(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def run() -> int:
        done, rung = asyncio.Event(), 0

        def ring() -> None:
            nonlocal rung
            rung += 1
            if rung == 200:
                done.set()
            alarm.after(0.0002 * (rung % 7), ring)
            alarm.at(loop.time(), lambda: None)

        loop = asyncio.get_running_loop()
        alarm = Alarm(lambda: None)
        alarm.after(0.0, ring)
        await asyncio.wait_for(done.wait(), 10)
        alarm.stop()
        return rung

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(run()) >= 200


@pytest.mark.parametrize("new_loop", LOOPS)
def test_things_happen_in_their_order_whenever_they_were_asked_for(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def run() -> list[int]:
        done, order = asyncio.Event(), list[int]()
        alarm = Alarm(lambda: done.set() if len(order) == 3 else None)
        for number, delay in ((3, 0.03), (1, 0.0), (2, 0.01)):
            alarm.after(delay, partial(order.append, number))
        await asyncio.wait_for(done.wait(), 10)
        return order

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(run()) == [1, 2, 3]


async def test_one_that_fails_does_not_stop_the_others() -> None:
    failed = asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(lambda *_: failed.set())
    done = asyncio.Event()
    alarm = Alarm(lambda: None)
    alarm.after(0, lambda: 1 / 0)
    alarm.after(0.005, done.set)
    await asyncio.wait_for(done.wait(), 10)
    assert failed.is_set()


async def test_nothing_happens_after_the_stop() -> None:
    alarm = Alarm(lambda: None)
    alarm.after(0, lambda: pytest.fail("it rang"))
    alarm.every(0.001, lambda: pytest.fail("it rang"))
    alarm.stop()
    await asyncio.sleep(0.01)
