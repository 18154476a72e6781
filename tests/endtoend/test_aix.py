"""From an ESME through the gateway to AIX and back, also across crashes: no message is sent twice, none is lost."""

import random
from collections import Counter
from typing import Any

import pytest

from protocol.consts import DataCoding, EsmClass, MessageState, Status
from smppgw.ports import free_port
from smppgw.simulate.aix import AixOptions, AixSimulator
from tests.endtoend.aggregator import Aggregator
from tests.endtoend.conftest import Join, Serve
from tests.kit import Config, relay_config

DOCOMO = "819012345670"


def config(simulator: AixSimulator, webhook: int, **keys: Any) -> Config:
    made = relay_config(1, webhooks={"host": "127.0.0.1", "port": webhook}, log={"level": "info"})
    made["connectors"] = {
        "aix": {
            "kind": "aix",
            "url": f"http://127.0.0.1:{simulator.port}",
            "token": simulator.options.token,
            "client_id": simulator.options.client_id,
            "sms_code": simulator.options.sms_code,
            "webhook_path": "/aix",
            **keys,
        }
    }
    made["routes"] = [{"name": "all", "to": "aix"}]
    return made


def aix(webhook: int, **options: Any) -> AixSimulator:
    return AixSimulator(AixOptions(webhook=f"http://127.0.0.1:{webhook}/aix", **options))


def parts(text: str, size: int) -> list[bytes]:
    """With user data headers, as an ESME cuts them."""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return [
        bytes((5, 0, 3, 77, len(pieces), number)) + piece.encode("utf-16-be") for number, piece in enumerate(pieces, 1)
    ]


@pytest.mark.parametrize("dlr", ["json", "xml"])
async def test_a_long_text_goes_whole_and_each_part_gets_its_receipt(serve: Serve, join: Join, dlr: str) -> None:
    port = free_port()
    text = "".join(chr(0x3041 + n % 80) for n in range(180))
    async with aix(port, dlr=dlr) as simulator:
        gateway = await serve(config(simulator, port))
        esme = await join(gateway)
        how = {"data_coding": DataCoding.UCS2, "esm_class": EsmClass.UDHI}
        ids = [await esme.submitted(DOCOMO, part, **how) for part in reversed(parts(text, 67))]
        receipts = await esme.wait_receipts(3)
        assert {receipt.id for receipt in receipts} == set(ids)
        assert {receipt.state for receipt in receipts} == {MessageState.DELIVERED}
        (sent,) = simulator.accepted.values()
        assert sent.text == text


async def test_what_is_no_number_of_japan_comes_back_undelivered(serve: Serve, join: Join) -> None:
    port = free_port()
    async with aix(port) as simulator:
        gateway = await serve(config(simulator, port))
        esme = await join(gateway)
        await esme.submitted("447900900123")
        (receipt,) = await esme.wait_receipts(1)
        assert (receipt.state, receipt.err) == (MessageState.UNDELIVERABLE, b"%03d" % Status.RINVDSTADR)
        assert not simulator.counts["accepted"]


async def test_a_lost_reply_is_asked_for_again_and_sent_once(serve: Serve, join: Join) -> None:
    port = free_port()
    async with aix(port, accept_and_hang=0.5, receipt_after=1.0, seed=7) as simulator:
        gateway = await serve(config(simulator, port, response="300ms", retry=["50ms"], breaker_failures=1000))
        esme = await join(gateway)
        ids = {await esme.submitted(f"8190123{number:05d}") for number in range(40)}
        receipts = await esme.wait_receipts(40)
        assert Counter(receipt.id for receipt in receipts) == Counter(ids)
        assert {receipt.state for receipt in receipts} == {MessageState.DELIVERED}
        assert simulator.counts["accepted"] == 40


async def test_polling_finds_what_no_notification_told(serve: Serve, join: Join) -> None:
    port = free_port()
    async with aix(port, lost=1.0, undelivered=1.0) as simulator:
        gateway = await serve(config(simulator, port, poll=["300ms", "600ms"]))
        esme = await join(gateway)
        id = await esme.submitted(DOCOMO)
        (receipt,) = await esme.wait_receipts(1)
        assert (receipt.id, receipt.state) == (id, MessageState.UNDELIVERABLE)
        assert receipt.err == simulator.accepted[next(iter(simulator.accepted))].detail[2:].encode()


async def test_however_often_it_is_killed_every_message_is_accepted_once(serve: Serve) -> None:
    chance = random.Random(1)
    port = free_port()
    kills = 8
    async with aix(port, receipt_after=0.05) as simulator:
        gateway = await serve(config(simulator, port, poll=["1s", "3s", "6s"], retry=["100ms"], window=100))
        esme = Aggregator(prefix=b"8120123")
        for kill in range(kills):
            if kill:
                await gateway.start()
            enough = len(esme.promised) + chance.choice((0, 100, 300))
            await esme.attach(gateway, "transceiver", "transmitter")
            await esme.until_promised(enough)
            await gateway.kill()
        await gateway.start()
        await esme.attach(gateway, "transceiver", submitting=False)
        await esme.until(lambda: not esme.owed)
        esme.detach()
        phones = Counter(sent.phone.removeprefix("+").encode() for sent in simulator.accepted.values())
        print(
            f"{kills} kills, {len(esme.promised)} acknowledged; refused as duplicate {simulator.counts['duplicates']}"
        )
        assert set(esme.promised.values()) <= set(phones)
        assert set(phones.values()) == {1}
        assert not esme.refused
        assert not esme.mismatched
