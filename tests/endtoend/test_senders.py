"""Sender pools in the real gateway: what an SMSC gets, what comes back, and what `check` says."""

import subprocess
from typing import Any

import pytest

from protocol.consts import EsmClass, MessageState, Status
from smppgw.ports import free_port
from smppgw.simulate.smsc import Smsc
from smppgw.simulate.vonage import VonageOptions, VonageSimulator
from tests.endtoend.conftest import Join, Relay, Serve, Simulate
from tests.kit import SMPPGW, Config, relay_config, toml

JP, US, GB = "819012345678", "12125550100", "447700900001"
NUMBERS = [f"+8150123400{n:02}" for n in range(6)]
MEMBERS: list[Any] = [*NUMBERS, "SHOP", {"value": "54321", "countries": ["US"]}, "+447700900123"]


def pooled(pool: Config, **over: Any) -> Config:
    """Tables for a gateway whose only route has this pool; nobody gets MO messages but by the pool."""
    route = {"name": "all", "to": "up", "senders": "shop"}
    return {
        "senders": {"shop": {"members": MEMBERS, "account": "esme", **pool}},
        "routes": [route],
        "mo_routes": [],
        **over,
    }


def sources(smsc: Smsc) -> dict[bytes, set[tuple[int, int, bytes]]]:
    """Of every destination, with their types of number."""
    found: dict[bytes, set[tuple[int, int, bytes]]] = {}
    for pdu in smsc.received:
        kinds = (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr)
        found.setdefault(pdu.destination_addr, set()).add(kinds)
    return found


async def test_each_destination_gets_the_best_sender_and_receipts_and_replies_come_back(
    relay: Relay, smsc: Smsc, join: Join
) -> None:
    gateway = await relay(smsc, **pooled({"rules": {"GB": ["local"]}}))
    esme = await join(gateway)
    for number in (JP, US, GB):
        await esme.submitted(number, source_addr=b"", source_addr_ton=0, source_addr_npi=0)
    await esme.submitted("33612345678", source_addr=b"12345")
    receipts = await esme.wait_receipts(4)
    assert sources(smsc) == {
        JP.encode(): {(5, 0, b"SHOP")},
        US.encode(): {(3, 0, b"54321")},
        GB.encode(): {(1, 1, b"447700900123")},
        b"33612345678": {(1, 1, b"12345")},
    }
    assert {receipt.state for receipt in receipts} == {2}
    assert {pdu.destination_addr for pdu in esme.deliveries} == {b"SHOP", b"54321", b"447700900123", b"12345"}
    smsc.send_mo(JP.encode(), NUMBERS[0][1:].encode(), "to a number")
    smsc.send_mo(US.encode(), b"54321", "to a short code")
    smsc.send_mo(US.encode(), b"99999", "to nobody")
    await smsc.until(lambda: smsc.stats()["mo"] == {"sent": 3, "acked": 2, "refused": 1})
    assert [pdu.short_message for pdu in await esme.wait_mo(2)] == [b"to a number", b"to a short code"]


async def test_a_handset_keeps_its_sender_over_kill_and_on_another_gateway(
    serve: Serve, simulate: Simulate, join: Join
) -> None:
    one, two = await simulate(), await simulate()
    only: Config = {"members": NUMBERS}
    numbers = [f"8190{n:08}" for n in range(30)]
    first = await serve(relay_config(one.port, **pooled(only)), "up")
    other = await serve(relay_config(two.port, **pooled({"members": NUMBERS[::-1]})), "up")
    esme = await join(first)
    for number in numbers:
        await esme.submitted(number, source_addr=b"shop")
    await one.until(lambda: len(one.received) == 30)
    await first.kill()
    await first.start("up")
    again, elsewhere = await join(first), await join(other)
    for number in numbers:
        await again.submitted(number, source_addr=b"")
        await elsewhere.submitted(number, source_addr=b"")
    await one.until(lambda: len(one.received) >= 60)
    await two.until(lambda: len(two.received) == 30)
    seen = sources(one)
    assert {len(each) for each in seen.values()} == {1}
    assert seen == sources(two)
    assert len(set().union(*seen.values())) == len(NUMBERS)


@pytest.mark.parametrize("sticky", [True, False])
async def test_parts_of_a_long_message_and_retries_have_one_sender(
    relay: Relay, simulate: Simulate, join: Join, sticky: bool
) -> None:
    smsc = await simulate(errors={Status.RTHROTTLED: 0.3}, seed=1)
    up = {"retry": ["100ms"], "pause": "0s"}
    gateway = await relay(smsc, **pooled({"members": NUMBERS, "sticky": sticky}), connectors={"up": up})
    esme = await join(gateway)
    for reference in range(10):
        for number in (1, 2, 3):
            text = bytes((5, 0, 3, reference, 3, number)) + b"part"
            await esme.submitted(f"81901234567{reference}", text, source_addr=b"", esm_class=int(EsmClass.UDHI))
    await esme.wait_receipts(30)
    assert {len(each) for each in sources(smsc).values()} == {1}


async def test_a_pool_serves_an_https_carrier_too(serve: Serve, join: Join) -> None:
    port = free_port()
    async with VonageSimulator(VonageOptions(webhook=f"http://127.0.0.1:{port}/vonage")) as carrier:
        keys = {"kind": "vonage", "url": f"http://127.0.0.1:{carrier.port}", "webhook_path": "/vonage"}
        keys |= {"api_key": carrier.options.api_key, "api_secret": carrier.options.api_secret}
        config = relay_config(1, **pooled({"members": NUMBERS, "sticky": False}), webhooks={"port": port})
        gateway = await serve(config | {"connectors": {"up": keys}})
        esme = await join(gateway)
        for reference in range(6):
            for number in (2, 1):
                text = bytes((5, 0, 3, reference, 2, number)) + b"part"
                await esme.submitted(JP, text, source_addr=b"shop", esm_class=int(EsmClass.UDHI))
        receipts = await esme.wait_receipts(12)
        assert {receipt.state for receipt in receipts} == {MessageState.DELIVERED}
        sent = list(carrier.accepted.values())
        assert {each["text"] for each in sent} == {"partpart"}
        assert len(sent) == 6
        assert {"+" + each["from"] for each in sent} <= set(NUMBERS)
        (notification,) = carrier.mo({"from": JP, "to": NUMBERS[1][1:], "text": "hello"})
        carrier.notify(lambda: notification)
        assert [pdu.short_message for pdu in await esme.wait_mo(1)] == [b"hello"]


async def test_a_destination_without_a_sender_is_an_invalid_source(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, **pooled({"rules": {"US": []}}))
    esme = await join(gateway)
    assert await esme.status(US, source_addr=b"") == Status.RINVSRCADR
    assert await esme.status(US, source_addr=b"12345") == Status.ROK
    assert await gateway.metric("smppgw_no_sender_total") == 1


def test_check_explains_a_bad_member(tmp_path: Any) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(toml(relay_config(2775, **pooled({"members": ["12345", "0312345678"]}))))
    done = subprocess.run([SMPPGW, "check", "-c", file], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    said = done.stdout + done.stderr
    assert "senders.shop.members[0]" in said
    assert "the short code '12345' has no country" in said
    assert "'0312345678' is no number" in said
