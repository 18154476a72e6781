"""Requests that are repeated: one answer, on disk with the messages it is about."""

import asyncio
from collections.abc import Callable

import pytest

from routing.message import ANSWERED
from smppgw.http.problems import Problem
from smppgw.http.repeats import Answer, Repeats
from smppgw.restore import restore
from tests.smppgw.bench import Bench
from tests.smppgw.jumping import epoch, jumping, settle

DAY = 86400.0


def repeats(bench: Bench, seconds: float = DAY, most: int = 100) -> Repeats:
    found = Repeats(bench.pipeline.journal, bench.pipeline.ids, epoch, seconds, most)
    restore(bench.pipeline, bench.store, lambda id, record: None, found.restore)
    return found


class Doing:
    """What a request does: counts, and answers with the count."""

    def __init__(self, keeps: bool = True) -> None:
        self.done = 0
        self._keeps = keeps

    async def __call__(self, keep: Callable[[Answer], None]) -> Answer:
        self.done += 1
        answer = {"id": self.done}
        if self._keeps:
            keep(answer)
        await asyncio.sleep(0.1)
        return answer


@jumping
async def test_the_second_request_gets_the_answer_of_the_first() -> None:
    found, do = repeats(Bench()), Doing()
    assert await found.once("shop", "k", b"body", do) == ({"id": 1}, False)
    assert await found.once("shop", "k", b"body", do) == ({"id": 1}, True)
    assert await found.once("shop", "other", b"body", do) == ({"id": 2}, False)
    assert await found.once("another", "k", b"body", do) == ({"id": 3}, False)


@jumping
async def test_another_body_is_a_conflict_also_while_the_first_is_under_way() -> None:
    found, do = repeats(Bench()), Doing()
    first = asyncio.create_task(found.once("shop", "k", b"body", do))
    await asyncio.sleep(0)
    with pytest.raises(Problem) as raised:
        await found.once("shop", "k", b"other", do)
    assert raised.value.status == 409
    await first
    assert do.done == 1


@jumping
async def test_requests_at_the_same_time_are_one() -> None:
    found, do = repeats(Bench()), Doing()
    answers = await asyncio.gather(*(found.once("shop", "k", b"body", do) for _ in range(5)))
    assert sorted(before for _, before in answers) == [False, True, True, True, True]
    assert [answer for answer, _ in answers] == [{"id": 1}] * 5


@jumping
async def test_an_answer_survives_a_kill_and_its_record_goes_when_it_is_old() -> None:
    bench, do = Bench(), Doing()
    await repeats(bench).once("shop", "k", b"body", do)
    await settle()
    after = Bench(bench.killed())
    found = repeats(after)
    assert await found.once("shop", "k", b"body", do) == ({"id": 1}, True)
    await asyncio.sleep(DAY + 1)
    assert (await found.once("shop", "k", b"other", do))[0] == {"id": 2}
    await asyncio.sleep(1)
    assert len(after.store.records) == 1


@jumping
async def test_what_failed_is_not_kept_anywhere() -> None:
    bench = Bench()
    found = repeats(bench)

    async def fails(keep: Callable[[Answer], None]) -> Answer:
        keep({"id": 1})
        await asyncio.sleep(1)
        raise Problem(503, "Not now")

    first = asyncio.create_task(found.once("shop", "k", b"body", fails))
    await asyncio.sleep(0)
    for attempt in (found.once("shop", "k", b"body", fails), first):
        with pytest.raises(Problem):
            await attempt
    await asyncio.sleep(1)
    assert not bench.store.records
    assert await found.once("shop", "k", b"other", Doing()) == ({"id": 1}, False)


@jumping
async def test_a_request_that_is_cut_off_has_its_answer_on_disk_with_what_it_did() -> None:
    bench = Bench()
    first = asyncio.create_task(repeats(bench).once("shop", "k", b"body", Doing()))
    await asyncio.sleep(0.05)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await bench.pipeline.journal.stop()
    found = repeats(Bench(bench.killed()))
    assert await found.once("shop", "k", b"body", Doing()) == ({"id": 1}, True)


@jumping
async def test_a_request_that_is_cut_off_has_its_answer_for_who_repeats_it_and_is_forgotten_in_time() -> None:
    bench, do = Bench(), Doing()
    found = repeats(bench)
    first = asyncio.create_task(found.once("shop", "k", b"body", do))
    await asyncio.sleep(0)
    waits = asyncio.create_task(found.once("shop", "k", b"body", do))
    await asyncio.sleep(0)
    first.cancel()
    assert await waits == ({"id": 1}, True)
    await asyncio.sleep(60)
    assert await found.once("shop", "k", b"body", do) == ({"id": 1}, True)
    await asyncio.sleep(DAY)
    await found.once("shop", "other", b"body", do)
    assert len(found) == 1


@jumping
async def test_a_request_that_is_cut_off_before_it_did_anything_is_not_kept() -> None:
    bench, do = Bench(), Doing(keeps=False)
    found = repeats(bench)
    first = asyncio.create_task(found.once("shop", "k", b"body", do))
    await asyncio.sleep(0.05)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert await found.once("shop", "k", b"body", do) == ({"id": 2}, False)


@jumping
async def test_an_answer_that_was_not_known_before_is_on_disk_when_it_is_given() -> None:
    bench = Bench()
    await repeats(bench).once("shop", "k", b"body", Doing(keeps=False))
    assert [record[0] for record in bench.store.records.values()] == [ANSWERED]


@jumping
async def test_of_too_many_the_oldest_go() -> None:
    bench = Bench()
    found, do = repeats(bench, most=3), Doing()
    for number in range(10):
        await found.once("shop", str(number), b"body", do)
    await asyncio.sleep(1)
    assert len(found) <= 4
    assert len(bench.store.records) <= 4
    assert (await found.once("shop", "9", b"body", do))[1]
    assert not (await found.once("shop", "0", b"body", do))[1]


@jumping
async def test_a_request_under_way_keeps_none_behind_it() -> None:
    found, do = repeats(Bench(), most=10), Doing()
    slow = asyncio.create_task(found.once("shop", "slow", b"body", Slow()))
    await asyncio.sleep(0)
    for n in range(40):
        await found.once("shop", f"k{n}", b"body", do)
    assert len(found) <= 11
    assert (await found.once("shop", "k39", b"body", do))[1]
    assert await slow == ({"id": 0}, False)


class Slow:
    async def __call__(self, keep: Callable[[Answer], None]) -> Answer:
        await asyncio.sleep(60)
        keep({"id": 0})
        return {"id": 0}
