"""Early receipts are on disk, found once by the id they name, and forgotten in time."""

from protocol.consts import MessageState
from protocol.receipt import Receipt
from routing import heard
from smppgw.carriers.early import Early, Kept
from tests.smppgw.bench import Bench
from tests.smppgw.jumping import advance, jumping

FOUND = Receipt(b"a", MessageState.DELIVERED, b"000")


class Desk:
    def __init__(self) -> None:
        self.bench = Bench()
        self.lapsed: list[Kept] = []
        self.early = Early(self.bench.pipeline, b"carrier", self.lapsed.append)

    @property
    def records(self) -> list[bytes]:
        return [heard.unpack(record)[1].id for record in self.bench.store.records.values()]


@jumping
async def test_they_are_taken_once_in_the_order_of_coming() -> None:
    desk = Desk()
    other = FOUND._replace(state=MessageState.UNDELIVERABLE)
    for found in (FOUND, other, FOUND._replace(id=b"b")):
        desk.early.keep(found, 10.0)
    assert [kept.found for kept in desk.early.take(b"a")] == [FOUND, other]
    assert desk.early.take(b"a") == []
    assert len(desk.early) == 1
    await advance(20)
    assert [kept.found.id for kept in desk.lapsed] == [b"b"]
    assert len(desk.early) == 0


@jumping
async def test_a_record_goes_when_its_effect_is_safe_and_not_before() -> None:
    desk = Desk()
    desk.early.keep(FOUND, 10.0)
    desk.bench.pipeline.journal.urgent()
    await advance(1)
    (kept,) = desk.early.take(b"a")
    kept.refused(0)
    await advance(1)
    assert desk.records == [b"a"]
    kept.accepted()
    await advance(1)
    assert desk.records == []


@jumping
async def test_what_is_read_back_writes_nothing_and_lapses_like_the_others() -> None:
    desk = Desk()
    desk.early.restore(1, FOUND, 10.0)
    await advance(9)
    assert (desk.records, desk.lapsed, len(desk.early)) == ([], [], 1)
    await advance(2)
    assert [kept.id for kept in desk.lapsed] == [1]
