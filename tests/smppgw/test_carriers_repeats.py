"""Ids of handsets' messages are known while they are kept, on disk as in memory, and no more are kept than allowed."""

from routing import said
from smppgw.carriers.repeats import FORGOTTEN, REMEMBERED, Repeats
from tests.smppgw.bench import Bench
from tests.smppgw.jumping import advance, jumping


class Desk:
    def __init__(self) -> None:
        self.bench = Bench()
        self.repeats = Repeats(self.bench.pipeline, b"carrier")

    async def came(self, *ids: bytes) -> None:
        for id in ids:
            self.repeats.add(id)
        self.bench.pipeline.journal.urgent()
        await advance(1)

    @property
    def records(self) -> list[bytes]:
        return [said.unpack(record)[1] for record in self.bench.store.records.values()]


@jumping
async def test_an_id_is_new_then_under_way_then_safe() -> None:
    desk = Desk()
    assert desk.repeats.safe(b"a") is None
    desk.repeats.add(b"a")
    assert desk.repeats.safe(b"a") is False
    desk.repeats.committed(b"a")
    assert desk.repeats.safe(b"a") is True


@jumping
async def test_what_could_not_be_made_safe_is_new_again_and_leaves_nothing() -> None:
    desk = Desk()
    await desk.came(b"a", b"b")
    desk.repeats.forget(b"a")
    await advance(1)
    assert (desk.repeats.safe(b"a"), desk.records) == (None, [b"b"])


@jumping
async def test_the_oldest_goes_from_memory_and_disk_when_there_are_too_many() -> None:
    desk = Desk()
    await desk.came(*(b"%d" % number for number in range(REMEMBERED + 2)))
    assert [desk.repeats.safe(id) for id in (b"0", b"1", b"2")] == [None, None, False]
    assert len(desk.records) == REMEMBERED


@jumping
async def test_what_is_too_old_goes_and_what_is_not_stays() -> None:
    desk = Desk()
    await desk.came(b"a")
    await advance(FORGOTTEN / 2)
    await desk.came(b"b")
    await advance(FORGOTTEN / 2)
    desk.repeats.forget_old()
    await advance(1)
    assert (desk.repeats.safe(b"a"), desk.records) == (None, [b"b"])


@jumping
async def test_what_is_read_back_is_safe_and_of_two_records_of_one_id_the_older_goes() -> None:
    desk = Desk()
    await desk.came(b"a", b"a", b"b")
    after = Repeats(desk.bench.pipeline, b"carrier")
    for key, record in desk.bench.store.records.items():
        after.restore(int.from_bytes(key, "big"), record)
    await advance(1)
    assert [after.safe(id) for id in (b"a", b"b", b"c")] == [True, True, None]
    assert desk.records == [b"a", b"b"]


@jumping
async def test_ids_of_any_length_are_told_apart_after_a_restart() -> None:
    desk = Desk()
    ids = [b"i" * size for size in (255, 256, 257, 100_000)]
    await desk.came(*ids)
    after = Repeats(desk.bench.pipeline, b"carrier")
    for key, record in desk.bench.store.records.items():
        after.restore(int.from_bytes(key, "big"), record)
    assert [after.safe(id) for id in ids] == [True] * 4
    assert after.safe(b"i" * 258) is None
    assert max(len(record) for record in desk.bench.store.records.values()) < 300
