"""Which SMSC gets a message when others are gone: Nexmo's rules, fallback routes, and what was in doubt."""

import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from protocol.consts import MessageState, Status
from smppgw.ports import free_port
from smppgw.simulate.smsc import Smsc
from tests.endtoend.aggregator import Aggregator
from tests.endtoend.conftest import Join, Relay, Serve, Simulate
from tests.endtoend.running import Running
from tests.kit import ROOT, merged, relay_config

BACKUP_AFTER, HAND_BACK_AFTER = 2.0, 2.0
TICK = 1.0
BUSY = 2.0
"""Seconds that a busy machine may take for what is at once on a quiet one."""


def nexmo(**smscs: Smsc) -> dict[str, Any]:
    """conf/nexmo.toml with our ports, and rates and waits for tests."""
    config: dict[str, Any] = tomllib.loads((ROOT / "conf" / "nexmo.toml").read_text())
    for name, connector in config["connectors"].items():
        connector.update(host="127.0.0.1", port=smscs[name].port, rate=300, rebind=["100ms", "300ms"], pause="50ms")
    config["groups"]["nexmo"].update(backup_after="2s", hand_back_after="2s")
    base = relay_config(1)
    return merged(config, {name: base[name] for name in ("listeners", "http", "log")})


async def bound(gateway: Running, name: str, times: int = 1) -> None:
    await gateway.expect("bound", times, connector=name)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXMO_PASSWORD", "secret")
    monkeypatch.setenv("ESME_PASSWORD", "secret")


@pytest.mark.usefixtures("secrets")
async def test_nexmos_rules_hold_under_load_and_nothing_is_lost(serve: Serve, simulate: Simulate) -> None:
    # As Nexmo: ids are hex in responses and decimal in receipts.
    one, two, zero = [await simulate(id_form="hex", receipt_id_form="decimal") for _ in range(3)]
    gateway = await serve(nexmo(smpp1=one, smpp2=two, smpp0=zero), "smpp1", "smpp2")
    esme = Aggregator(ahead=300)
    await esme.attach(gateway, "transceiver", "transceiver")

    # SMPP1 and SMPP2 are both bound and share the load; SMPP0 is not.
    await one.wait_for(100)
    await two.wait_for(100)
    assert 0.5 < one.submits / two.submits < 2
    assert zero.stats()["links"]["opened"] == 0

    # One of them dies: the other takes all, and SMPP0 still is not needed.
    one.go_down()
    await two.wait_for(two.submits + 200)
    assert zero.stats()["links"]["opened"] == 0

    # Both are dead: SMPP0 takes over, not before backup_after and not much later.
    began = time.monotonic()
    two.go_down()
    await zero.wait_bound()
    assert BACKUP_AFTER - 0.1 < time.monotonic() - began < BACKUP_AFTER + TICK + BUSY
    await gateway.expect("failover", group="nexmo")
    await zero.wait_for(200)

    # One of them is back: it takes the load at once, and SMPP0 is left in peace after hand_back_after.
    began = time.monotonic()
    await one.come_up()
    await one.wait_bound()
    await one.wait_for(one.submits + 100)
    await zero.until(lambda: zero.bound == 0)
    assert HAND_BACK_AFTER - 0.1 < time.monotonic() - began < HAND_BACK_AFTER + TICK + BUSY
    await gateway.expect("hand back", group="nexmo")
    last = zero.submits
    await two.come_up()
    await two.wait_bound()
    await two.wait_for(two.submits + 100)
    assert zero.submits == last
    assert zero.stats()["links"]["opened"] == 1

    esme.stop()
    await esme.until(lambda: not esme.owed)
    esme.detach()
    assert not esme.mismatched
    assert not esme.refused
    assert set(esme.promised.values()) <= one.destinations | two.destinations | zero.destinations


async def test_smpp0_is_bound_when_the_cluster_is_not_there_from_the_start(
    serve: Serve, simulate: Simulate, secrets: None, join: Join
) -> None:
    one, two, zero = [await simulate(id_form="hex", receipt_id_form="decimal") for _ in range(3)]
    one.go_down()
    two.go_down()
    gateway = await serve(nexmo(smpp1=one, smpp2=two, smpp0=zero), "smpp0")
    esme = await join(gateway)
    id = await esme.submitted("447700900001")
    assert [receipt.id for receipt in await esme.wait_receipts(1)] == [id]
    assert zero.submits == 1


async def test_a_receipt_may_come_by_another_bind_of_the_cluster(
    serve: Serve, simulate: Simulate, secrets: None, join: Join
) -> None:
    one, two, zero = [await simulate(receipts=False, first_id=n * 1000) for n in (1, 2, 3)]
    gateway = await serve(nexmo(smpp1=one, smpp2=two, smpp0=zero), "smpp1", "smpp2")
    esme = await join(gateway)
    ids = [await esme.submitted(f"4477009{n:05}") for n in range(10)]
    await gateway.wait_metric("smppgw_awaiting_receipt", 10)
    for sender, other, first in ((one, two, 1000), (two, one, 2000)):
        for n, pdu in enumerate(sender.received, 1):
            text = b"id:%d sub:001 dlvrd:001 submit date:2611231200 done date:2611231201 stat:DELIVRD err:000 text:"
            # The ids of the simulator are decimal here: as hex they stand for the number that Nexmo's receipt names.
            receipt = text % int(str(first + n), 16)
            other.deliver(pdu._replace(source_addr=pdu.destination_addr, esm_class=4, short_message=receipt))
    assert {receipt.id for receipt in await esme.wait_receipts(10)} == set(ids)


def two_groups(one: Smsc, two: Smsc, **over: Any) -> dict[str, Any]:
    config = relay_config(one.port, **over)
    config["connectors"]["other"] = merged(config["connectors"]["up"], {"port": two.port})
    config["groups"] = {"first": {"active": ["up"]}, "second": {"active": ["other"]}}
    config["routes"] = [{"name": "all", "to": "first", "fallback": ["second"]}]
    return config


async def test_messages_take_the_fallback_route_when_a_whole_group_is_down(
    serve: Serve, simulate: Simulate, join: Join
) -> None:
    one, two = await simulate(), await simulate()
    gateway = await serve(two_groups(one, two), "up", "other")
    esme = await join(gateway)
    await esme.submitted("447700900000")
    await one.wait_for(1)
    await esme.wait_receipts(1)  # until it is answered it is in doubt, and would go out once more
    one.go_down()
    await gateway.expect("unbound", connector="up")
    for n in range(20):
        await esme.submitted(f"4477009{n:05}")
    await two.wait_for(20)
    await gateway.expect("messages take their fallback", target="first")
    await esme.submitted("447700900099")  # goes there at once now
    await two.wait_for(21)
    assert [pdu.destination_addr for pdu in two.received][:20] == [b"4477009%05d" % n for n in range(20)]
    await one.come_up()
    await bound(gateway, "up", 2)
    await esme.submitted("447700900100")
    await one.wait_for(2)
    await esme.wait_receipts(23)
    assert two.submits == 21


async def test_what_an_upstream_did_not_answer_is_sent_again_and_counted(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    esme = await join(gateway)
    smsc.hold()
    numbers = [f"4477009{n:05}" for n in range(10)]
    ids = [await esme.submitted(number) for number in numbers]
    await smsc.wait_for(10)
    smsc.go_down()
    smsc.resume()
    await smsc.come_up()
    await esme.until(lambda: {receipt.id for receipt in esme.receipts} == set(ids))
    assert [pdu.destination_addr.decode() for pdu in smsc.received] == numbers * 2
    assert await gateway.metric("smppgw_in_doubt_total") == 10


async def test_what_is_in_doubt_is_held_for_a_person_where_the_config_says_so(
    relay: Relay, smsc: Smsc, join: Join
) -> None:
    gateway = await relay(smsc, gateway={"in_doubt": "hold"})
    esme = await join(gateway)
    fine = await esme.submitted("447700900000")
    await esme.wait_receipts(1)
    smsc.hold()
    for n in range(5):
        await esme.submitted(f"4477009{n:05}")
    await smsc.wait_for(6)
    smsc.drop_links()
    smsc.resume()
    await gateway.expect("set aside", 5)
    await bound(gateway, "up", 2)
    later = await esme.submitted("447700900009")
    await esme.until(lambda: len(esme.receipts) >= 2)
    assert [receipt.id for receipt in esme.receipts][:2] == [fine, later]
    assert smsc.submits == 7
    assert await gateway.metric("smppgw_set_aside") == 5


async def test_what_was_offered_before_a_crash_is_held_where_the_config_says_so(
    relay: Relay, smsc: Smsc, join: Join
) -> None:
    gateway = await relay(smsc, gateway={"in_doubt": "hold"}, connectors={"up": {"window": 5}})
    esme = await join(gateway)
    smsc.hold()
    for n in range(12):
        await esme.submitted(f"4477009{n:05}")
    await smsc.wait_for(5)
    await gateway.kill()
    smsc.resume()
    await gateway.start("up")
    await gateway.expect("set aside", 5)
    await smsc.wait_for(12)
    assert smsc.desk.again == 0
    back = await join(gateway)
    await back.until(lambda: len({receipt.id for receipt in back.receipts}) >= 7)


async def test_with_ack_upstream_doubt_is_told_to_the_esme(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, accounts={"esme": {"ack": "upstream"}}, connectors={"up": {"response": "1s"}})
    esme = await join(gateway)
    smsc.hold()
    assert await esme.status("447700900001") == Status.RSYSERR
    smsc.resume()
    id = await esme.submitted("447700900002")
    await esme.until(lambda: any(receipt.id == id for receipt in esme.receipts))
    assert await gateway.metric("smppgw_in_doubt_total") == 1
    assert smsc.submits == 2


async def test_a_bind_that_keeps_failing_raises_an_alert_that_ends(
    serve: Serve, simulate: Simulate, join: Join
) -> None:
    smsc = await simulate(port=free_port())
    smsc.go_down()
    gateway = await serve(relay_config(smsc.port, connectors={"up": {"alert_after": 3, "rebind": ["20ms"]}}))
    await gateway.expect("alert: connector cannot bind", connector="up")
    assert await gateway.metric("smppgw_connector_alert") == 1
    esme = await join(gateway)
    id = await esme.submitted("447700900001")
    await smsc.come_up()
    await gateway.expect("alert over", connector="up")
    (receipt,) = await esme.wait_receipts(1)
    assert (receipt.id, receipt.state) == (id, MessageState.DELIVERED)


async def test_an_smsc_that_refuses_our_password_is_tried_again_and_named(
    serve: Serve, simulate: Simulate, tmp_path: Path
) -> None:
    smsc = await simulate(password="other")
    gateway = await serve(relay_config(smsc.port))
    event = await gateway.expect("bind failed", 2, connector="up")
    assert "RINVPASWD" in event["reason"]
    assert "secret" not in gateway.log
