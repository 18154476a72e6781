"""kill -9 at any moment: what was acknowledged is sent, and its receipt comes back."""

import asyncio
import random
from collections import Counter
from itertools import islice
from typing import Any

import pytest

from protocol.pdus import decode_submit
from smppgw.simulate.mailbox import Delivery
from smppgw.simulate.options import Options
from smppgw.simulate.smsc import Smsc
from tests.endtoend.aggregator import WINDOW, Aggregator
from tests.endtoend.conftest import Join, Serve
from tests.kit import PATIENCE, relay_config


class Witness(Smsc):
    """An SMSC that remembers which numbers the gateway took a receipt of."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.took: Counter[bytes] = Counter()

    def acked(self, delivery: Delivery) -> None:
        super().acked(delivery)
        self.took[decode_submit(delivery.body).source_addr] += 1


def config(port: int, **over: Any) -> dict[str, Any]:
    return relay_config(
        port,
        # A crash leaves receipts whose messages are sent again under other ids: do not wait for those for long.
        gateway={"early_receipt_wait": "200ms"},
        connectors={"up": {"window": WINDOW, "rebind": ["20ms"]}},
        log={"level": "info"},
        **over,
    )


@pytest.mark.parametrize("ack", ["store", "upstream"])
async def test_nothing_acknowledged_is_lost_however_often_it_is_killed_under_load(serve: Serve, ack: str) -> None:
    chance = random.Random(ack)
    kills = 22 if ack == "store" else 8
    async with Witness(Options(receipt_delay=0.01, receipt_jitter=0.1)) as smsc:
        gateway = await serve(config(smsc.port, accounts={"esme": {"ack": ack}}), "up")
        esme = Aggregator()
        seen = 0
        for kill in range(kills):
            if kill:
                await gateway.start()
            ended = frozenset(esme.numbers)
            enough = len(esme.promised) + chance.choice((0, 100, 300, 900))
            await esme.attach(gateway, "transceiver", "transmitter", "receiver")
            await esme.until_promised(enough)
            await gateway.kill()
            await smsc.until(lambda: not smsc.links)
            life = [pdu.destination_addr for pdu in islice(smsc.received, seen, None)]
            seen += len(life)
            # Killed ever so soon, it sends the same again each time; but once a life, and none whose receipt was told.
            assert len(life) == len(set(life))
            assert not ended & set(life)
        await gateway.start("up")
        await esme.attach(gateway, "transceiver", "receiver", submitting=False)
        await esme.until(lambda: not esme.owed)
        await smsc.until(lambda: not smsc.waiting and not smsc.desk.due)
        if ack == "store":  # it was on disk before it was sent, acknowledged or not
            await esme.until(lambda: smsc.destinations <= esme.numbers)
        esme.detach()
        print(
            f"{ack}: {kills} kills, {len(esme.promised)} acknowledged of {esme.sent}; sent again {smsc.desk.again}, "
            f"receipts again {sum(esme.told.values()) - len(esme.told)}"
        )
        assert set(esme.promised.values()) <= smsc.destinations
        assert ack == "upstream" or set(smsc.took) <= esme.numbers
        assert not esme.mismatched
        assert not esme.refused
        # In flight: those of the bind's window, and those answered within the commit that was under way.
        assert smsc.desk.again <= kills * 5 * WINDOW


async def test_with_in_doubt_held_no_crash_sends_a_message_twice(serve: Serve) -> None:
    async with Witness(Options(receipt_delay=0.01, receipt_jitter=0.1)) as smsc:
        settings = config(smsc.port)
        settings["gateway"]["in_doubt"] = "hold"
        gateway = await serve(settings, "up")
        esme = Aggregator(ahead=1000)
        for kill in range(6):
            if kill:
                await gateway.start("up")
            await esme.attach(gateway, "transceiver", "transmitter")
            await esme.until_promised(len(esme.promised) + 200)
            await gateway.kill()
        await gateway.start("up")
        await esme.attach(gateway, "receiver", submitting=False)

        async def owed() -> bool:
            aside, queued = [await gateway.metric(f"smppgw_{name}") for name in ("set_aside", "queued_messages")]
            return bool(queued or len(esme.owed) > aside or smsc.waiting or smsc.desk.due)

        async with asyncio.timeout(PATIENCE):
            while await owed():
                await gateway.wait_metric("smppgw_store_up", 1)
        esme.detach()
        assert not esme.mismatched
        assert smsc.desk.again == 0
        assert set(esme.promised.values()) - smsc.destinations <= {esme.promised[id] for id in esme.owed}


async def test_receipts_of_messages_that_were_sent_twice_hold_up_no_others(serve: Serve, join: Join) -> None:
    """An SMSC with a narrow window for deliver_sm, and a crash with many messages in doubt."""
    async with Witness(Options(receipt_delay=0.5, window=5)) as smsc:
        settings = config(smsc.port)
        settings["gateway"] = {}
        gateway = await serve(settings, "up")
        smsc.hold()
        esme = Aggregator()
        await esme.attach(gateway, "transmitter")
        await smsc.wait_for(WINDOW)
        esme.detach()
        await gateway.kill()
        smsc.resume()
        await gateway.start("up")
        link = await join(gateway)
        id = await link.submitted("447700900001")
        await link.until(lambda: any(receipt.id == id for receipt in link.receipts), 5)


async def test_receipts_that_come_while_the_esme_is_away_survive_every_kill(serve: Serve) -> None:
    async with Witness(Options(receipt_delay=0.2, receipt_jitter=3.0)) as smsc:
        gateway = await serve(config(smsc.port), "up")
        esme = Aggregator()
        await esme.attach(gateway, "transmitter")
        await esme.until_promised(3000)
        esme.detach()
        chance = random.Random(1)
        for _ in range(6):
            await smsc.wait_acknowledged(smsc.acknowledged + chance.randrange(1, 400))
            await gateway.kill()
            await gateway.start("up")
        await smsc.until(lambda: not smsc.waiting and not smsc.desk.due)
        await esme.attach(gateway, "receiver", submitting=False)
        await esme.until(lambda: not esme.owed)
        esme.detach()
        assert set(esme.promised.values()) <= smsc.destinations
        assert not esme.mismatched
        # Nobody was there to take one twice.
        assert set(esme.told.values()) == {1}


async def test_receipts_on_their_way_to_the_esme_survive_every_kill(serve: Serve) -> None:
    async with Witness(Options()) as smsc:
        gateway = await serve(config(smsc.port, accounts={"esme": {"deliver_window": 50}}), "up")
        esme = Aggregator()
        await esme.attach(gateway, "transmitter")
        await esme.until_promised(3000)
        esme.detach()
        await smsc.until(lambda: smsc.acknowledged >= len(esme.promised))
        for _ in range(4):
            enough = len(esme.told) + 300
            await esme.attach(gateway, "receiver", submitting=False)
            await esme.until_told(enough)
            await gateway.kill()
            await gateway.start("up")
        await esme.attach(gateway, "receiver", submitting=False)
        await esme.until(lambda: not esme.owed)
        esme.detach()
        assert not esme.mismatched
        assert max(esme.told.values()) <= 5
        assert smsc.desk.again <= WINDOW * 5


async def test_an_unwanted_receipt_leaves_nothing_behind(serve: Serve, join: Join) -> None:
    async with Witness(Options()) as smsc:
        gateway = await serve(config(smsc.port), "up")
        link = await join(gateway)
        assert await link.status("447700900001", registered_delivery=0) == 0
        await smsc.wait_for(1)
        assert await gateway.stop() == 0
        await gateway.start("up")
        restored = await gateway.expect("restored")
        assert (restored["queued"], restored["waiting"], restored["deliveries"]) == (0, 0, 0)
        assert smsc.submits == 1
