"""A receiver of an account of HTTP makes every request, no more at once than it may, and ends when it is told to."""

import asyncio

import pytest
from structlog.testing import capture_logs

from protocol.consts import Status
from routing.message import Delivery
from smppgw.fronts import HttpReceiver, Outcome
from smppgw.settings import Account
from tests.smppgw.bench import Bench
from tests.smppgw.jumping import advance, jumping, settle


class Receiver(HttpReceiver):
    """Its application needs a tenth of a second for everything."""

    def __init__(self, bench: Bench, window: int) -> None:
        bench.account.limit(Account(name="esme", deliver_window=window))
        super().__init__(bench.account.outbox, self._slowly, asyncio.get_running_loop())
        self.fails = False
        self.begun = 0
        self.done = 0
        self.most = 0
        """At the same time."""
        bench.account.links.append(self)

    async def _slowly(self, delivery: Delivery) -> Outcome:
        self.begun += 1
        self.most = max(self.most, self.begun - self.done)
        if self.fails:
            raise ValueError("a bug")
        await asyncio.sleep(0.1)
        self.done += 1
        return Outcome(Status.ROK)


async def receipted(bench: Bench, count: int) -> None:
    """So many receipts come at once."""
    await bench.accepted(*(b"%d" % number for number in range(count)))
    for number in range(count):
        bench.sent(b"%d" % number)
    await settle()
    for number in range(count):
        bench.receipt(b"%d" % number)
    await settle()


@jumping
@pytest.mark.parametrize("window", [1, 2, 3, 10])
async def test_every_request_is_made_whatever_the_window_and_no_more_than_that_at_once(window: int) -> None:
    bench = Bench()
    receiver = Receiver(bench, window)
    await receipted(bench, 40)
    await advance(5)
    assert (receiver.done, receiver.most, receiver.room) == (40, window, window)
    assert not bench.store.records


@jumping
async def test_a_bug_loses_no_delivery_and_keeps_no_place() -> None:
    bench = Bench()
    receiver = Receiver(bench, 1)
    receiver.fails = True
    with capture_logs() as logs:
        await receipted(bench, 2)
    assert [entry["event"] for entry in logs] == ["callback failed"] * 2
    assert (receiver.begun, receiver.room, len(bench.store.records)) == (2, 1, 2)


@jumping
async def test_one_that_is_closed_takes_nothing_more_and_ends_what_is_under_way_in_time() -> None:
    for patience, done in ((1.0, 1), (0.01, 0)):
        bench = Bench()
        receiver = Receiver(bench, 1)
        await receipted(bench, 2)
        await receiver.close(patience)
        await advance(1)
        assert (receiver.room, receiver.begun, receiver.done) == (0, 1, done)
        assert len(bench.store.records) == 2 - done
