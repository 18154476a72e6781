"""What is to be done later is done then, in order."""

import asyncio

import pytest

from smppgw.delays import Delays
from tests.smppgw.jumping import advance, jumping


@jumping
async def test_things_are_done_in_the_order_of_their_times() -> None:
    delays, done = Delays(asyncio.get_running_loop()), list[str]()
    delays.after(3, lambda: done.append("third"))
    delays.after(1, lambda: done.append("first"))
    delays.after(2, lambda: done.append("second"))
    await advance(2.5)
    assert done == ["first", "second"]
    assert len(delays) == 1
    await advance(0.5)
    assert done == ["first", "second", "third"]


@jumping
async def test_things_of_one_time_are_done_in_the_order_of_asking() -> None:
    delays, done = Delays(asyncio.get_running_loop()), list[int]()
    for n in range(10):
        delays.after(1, lambda n=n: done.append(n))  # type: ignore[misc]
    await advance(1)
    assert done == list(range(10))


@jumping
async def test_a_time_that_is_past_is_now_but_not_at_once() -> None:
    delays, done = Delays(asyncio.get_running_loop()), list[str]()
    delays.after(-5, lambda: done.append("done"))
    assert done == []
    await advance(0)
    assert done == ["done"]


@jumping
async def test_what_is_done_may_ask_for_more() -> None:
    loop = asyncio.get_running_loop()
    delays, done = Delays(loop), list[float]()

    def again() -> None:
        done.append(loop.time())
        if len(done) < 3:
            delays.after(10, again)

    delays.after(10, again)
    await advance(60)
    assert done == pytest.approx([10, 20, 30], abs=0.01)


@jumping
async def test_an_action_that_fails_does_not_keep_the_others_waiting() -> None:
    loop = asyncio.get_running_loop()
    failures: list[object] = []
    loop.set_exception_handler(lambda _, context: failures.append(context["exception"]))
    delays, done = Delays(loop), list[str]()
    delays.after(1, lambda: done.append("first"))
    delays.after(2, lambda: done.remove("never there"))
    delays.after(2, lambda: done.append("second"))
    delays.after(3, lambda: done.append("third"))
    await advance(5)
    assert done == ["first", "second", "third"]
    assert [type(failure) for failure in failures] == [ValueError]


@jumping
async def test_nothing_is_done_after_the_end() -> None:
    delays, done = Delays(asyncio.get_running_loop()), list[str]()
    delays.after(1, lambda: done.append("done"))
    delays.close()
    await advance(5)
    assert (done, len(delays)) == ([], 0)
