"""One commit serves all that came while the last one was under way; what cannot be committed is not lost."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from protocol.consts import Status
from protocol.pdus import SubmitSm, encode_submit
from routing.message import HEARD, Message, key_of
from smppgw.journal import LAZY, PROBE, Journal, Turn
from smppgw.store.contract import StoreError
from smppgw.store.lmdb import LmdbStore
from tests.smppgw.bench import Bench, BenchStore, Said
from tests.smppgw.jumping import advance, jumping, settle, until


class Desk:
    """A journal and what it told."""

    def __init__(self) -> None:
        self.store = BenchStore()
        self.store.open()
        self.committed: list[Turn] = []
        self.refused: list[Turn] = []
        self.journal = Journal(self.store, asyncio.get_running_loop(), self.committed.append, self.refused.append)
        self.journal.start()

    def write(self, key: bytes) -> None:
        self.journal.turn.batch[key] = b"x"


@jumping
async def test_what_is_urgent_is_committed_at_once() -> None:
    desk = Desk()
    desk.write(b"1")
    desk.journal.urgent()
    await settle()
    assert desk.store.records == {b"1": b"x"}
    assert [turn.batch for turn in desk.committed] == [{b"1": b"x"}]


@jumping
async def test_a_record_is_read_as_it_is_to_be_before_while_and_after_it_is_committed() -> None:
    desk = Desk()
    desk.write(b"1")
    assert desk.journal.get(b"1") == b"x"
    desk.store.hold()
    desk.journal.urgent()
    await settle()
    assert desk.store.batches
    assert desk.journal.get(b"1") == b"x"
    desk.journal.turn.batch[b"1"] = None
    assert desk.journal.get(b"1") is None
    desk.journal.turn.batch.clear()
    desk.store.flow()
    await settle()
    assert (desk.journal.get(b"1"), desk.journal.get(b"2")) == (b"x", None)


@jumping
async def test_what_nobody_waits_for_is_committed_a_little_later() -> None:
    desk = Desk()
    desk.write(b"1")
    desk.journal.soon()
    await settle()
    assert desk.store.records == {}
    await advance(LAZY)
    assert desk.store.records == {b"1": b"x"}


@jumping
async def test_what_nobody_waits_for_goes_with_what_somebody_waits_for() -> None:
    desk = Desk()
    desk.write(b"1")
    desk.journal.soon()
    desk.write(b"2")
    desk.journal.urgent()
    await advance(10 * LAZY)
    assert desk.store.batches == [{b"1": b"x", b"2": b"x"}]


@jumping
async def test_one_commit_is_under_way_at_a_time_and_the_next_one_takes_all_that_came_meanwhile() -> None:
    desk = Desk()
    desk.store.hold()
    for key in (b"1", b"2", b"3"):
        desk.write(key)
        desk.journal.urgent()
        await settle()
    assert desk.store.batches == [{b"1": b"x"}]
    assert desk.committed == []
    desk.store.flow()
    await settle()
    assert desk.store.batches == [{b"1": b"x"}, {b"2": b"x", b"3": b"x"}]
    assert len(desk.committed) == 2


@jumping
async def test_a_refused_turn_comes_first_in_the_next_attempt() -> None:
    desk, early, late = Desk(), Said(), Said()
    desk.store.trouble = "disk full"
    desk.write(b"1")
    desk.write(b"2")
    desk.journal.turn.reported.append(early)
    desk.journal.urgent()
    await settle()
    assert (desk.journal.error, desk.journal.failures) == ("disk full", 1)
    assert desk.committed == []
    desk.journal.turn.batch[b"2"] = None
    desk.journal.turn.reported.append(late)
    desk.store.trouble = ""
    await advance(PROBE)
    assert desk.journal.error is None
    (turn,) = desk.committed
    assert turn.batch == {b"1": b"x", b"2": None}
    assert turn.reported == [early, late]


@jumping
async def test_it_tries_again_by_itself_for_as_long_as_it_takes() -> None:
    desk = Desk()
    desk.store.trouble = "disk full"
    desk.write(b"1")
    desk.journal.urgent()
    await advance(10.5 * PROBE)
    assert desk.journal.failures == 11
    desk.store.trouble = ""
    await advance(PROBE)
    assert desk.store.records == {b"1": b"x"}


@jumping
async def test_what_a_full_store_refused_may_use_its_spare_room_but_no_new_message() -> None:
    desk = Desk()
    desk.store.trouble, desk.store.has_spare = "full", True
    message = cast("Message", object())
    desk.journal.turn.submitted.append(message)
    desk.write(b"1")
    desk.journal.urgent()
    await advance(3 * PROBE)
    assert (desk.store.records, desk.refused[-1].submitted) == ({}, [message])
    desk.journal.turn.submitted.clear()
    await advance(PROBE)
    assert (desk.store.records, desk.journal.error) == ({b"1": b"x"}, None)
    desk.write(b"2")
    desk.journal.urgent()
    await settle()
    assert desk.journal.error == "full"
    await advance(PROBE)
    assert desk.store.records == {b"1": b"x", b"2": b"x"}


@jumping
async def test_a_message_from_a_handset_that_finds_the_store_full_holds_up_nothing(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, 1 << 20)
    store.open()
    with suppress(StoreError):
        for batch in range(100):
            await store.commit({key_of(batch * 20 + i): bytes((HEARD,)) + b"x" * 1000 for i in range(20)})
    store.close()
    bench, said = Bench(cast("Any", store)), Said()
    pdu = SubmitSm(source_addr=b"44", destination_addr=b"12345", short_message=b"hello")
    bench.pipeline.returns.bring(bench.account, "carrier", (encode_submit(pdu),), said)
    await until(lambda: bench.pipeline.journal.error)
    await advance(PROBE)
    await until(lambda: said.status is not None)
    assert said.status == Status.ROK
    await bench.pipeline.journal.stop()
    store.close()


@jumping
async def test_an_action_waits_for_all_that_was_changed_before_it() -> None:
    desk, done = Desk(), list[str]()
    desk.store.hold()
    desk.write(b"1")
    desk.journal.after(lambda: done.append("done"))
    await settle()
    assert done == []
    desk.store.flow()
    await settle()
    (turn,) = desk.committed
    assert len(turn.actions) == 1


@jumping
async def test_the_end_commits_what_is_there() -> None:
    desk = Desk()
    desk.write(b"1")
    desk.journal.soon()
    await desk.journal.stop()
    assert desk.store.records == {b"1": b"x"}


@jumping
async def test_the_end_waits_for_the_commit_under_way_and_for_what_follows_it() -> None:
    desk = Desk()
    desk.store.hold()
    desk.write(b"1")
    desk.journal.urgent()
    await settle()
    ending = asyncio.ensure_future(desk.journal.stop())
    await settle()
    assert not ending.done()
    desk.store.flow()
    await ending
    assert [turn.batch for turn in desk.committed] == [{b"1": b"x"}]


@jumping
async def test_the_end_does_not_wait_for_a_store_that_refuses() -> None:
    desk = Desk()
    desk.store.trouble = "disk full"
    desk.write(b"1")
    desk.journal.urgent()
    await settle()
    await desk.journal.stop()
    assert desk.committed == []
