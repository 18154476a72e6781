"""The gateway in an operator's hands: reload, drain, logs, metrics, and configs that are wrong."""

import asyncio
import re
import signal
import time
from pathlib import Path
from typing import Any

from protocol.consts import Command, MessageState, Status
from smppgw.simulate.smsc import Smsc
from tests.endtoend.aggregator import Aggregator
from tests.endtoend.conftest import Join, Relay, Serve, Simulate, keep_deliveries
from tests.endtoend.esme import Esme, message
from tests.kit import SMPPGW, Process, merged, relay_config, toml


async def test_a_reload_changes_accounts_and_drops_no_other_bind(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, accounts={"leaving": {"password": "secret"}, "staying": {"password": "secret"}})
    esme, leaving = await join(gateway), await join(gateway, system_id="leaving")
    staying = await join(gateway, system_id="staying")
    left_behind = await leaving.submitted("447700900000")
    await leaving.wait_receipts(1)
    config = dict(gateway.gateway.config)
    config["accounts"] = {
        "esme": merged(config["accounts"]["esme"], {"sources": ["777*"]}),
        "staying": {"password": "another"},
        "coming": {"password": "secret"},
    }
    await gateway.reload(config)
    await leaving.gone()
    assert Command.UNBIND in [command for command, *_ in leaving.frames]
    assert left_behind
    refused = await Esme.connect(gateway.port)
    assert (await refused.bind(system_id="leaving")).status == Status.RINVSYSID
    refused.cut()
    coming = await join(gateway, system_id="coming")
    assert await coming.status("447700900001") == 0
    assert await esme.status("447700900002") == Status.RINVSRCADR
    assert await esme.status("447700900003", source_addr=b"7771") == 0
    assert await staying.status("447700900004") == 0
    assert not esme.closed
    assert not staying.closed
    await join(gateway, system_id="staying", password="another")
    assert smsc.stats()["links"]["opened"] == 1


async def test_receipts_of_an_account_that_is_gone_wait_until_it_is_back(relay: Relay, smsc: Smsc, join: Join) -> None:
    keep_deliveries(smsc)
    gateway = await relay(smsc, accounts={"other": {"password": "secret"}})
    other = await join(gateway, system_id="other")
    id = await other.submitted("447700900001")
    await gateway.wait_metric("smppgw_awaiting_receipt", 1)
    with_it = gateway.gateway.config
    await gateway.reload({**with_it, "accounts": {"esme": with_it["accounts"]["esme"]}})
    await other.gone()
    smsc.resume()
    await smsc.wait_acknowledged(1)
    await gateway.kill()
    await gateway.start("up")
    await gateway.reload(with_it)
    back = await join(gateway, system_id="other")
    assert [receipt.id for receipt in await back.wait_receipts(1)] == [id]


async def test_a_reload_adds_changes_and_removes_connectors_and_routes(
    relay: Relay, smsc: Smsc, simulate: Simulate, join: Join
) -> None:
    two, three = await simulate(), await simulate()
    gateway = await relay(smsc)
    esme = await join(gateway)
    config = dict(gateway.gateway.config)
    up = config["connectors"]["up"]

    config["connectors"] = {"up": up, "two": merged(up, {"port": two.port})}
    config["routes"] = [{"name": "b", "to": "two", "match": {"destination": ["81*"]}}, {"name": "all", "to": "up"}]
    await gateway.reload(config)
    await gateway.expect("bound", connector="two")
    await esme.submitted("810000000001")
    await esme.submitted("447700900001")
    await esme.wait_receipts(2)
    assert (smsc.submits, two.submits) == (1, 1)

    config["connectors"] = {"up": up, "two": merged(up, {"port": three.port})}
    await gateway.reload(config)
    await gateway.expect("bound", 2, connector="two")
    await two.until(lambda: two.bound == 0)
    await esme.submitted("810000000002")
    await three.wait_for(1)

    config["connectors"] = {"two": merged(up, {"port": three.port})}
    config["routes"] = [{"name": "all", "to": "two"}]
    await gateway.reload(config)
    await smsc.until(lambda: smsc.bound == 0)
    await esme.submitted("447700900002")
    await three.wait_for(2)
    await esme.wait_receipts(4)
    assert (smsc.stats()["links"]["opened"], three.stats()["links"]["opened"]) == (1, 1)
    assert not esme.closed


async def test_a_reload_moves_waiting_messages_to_their_new_route(
    relay: Relay, smsc: Smsc, simulate: Simulate, join: Join
) -> None:
    two = await simulate()
    gateway = await relay(smsc)
    esme = await join(gateway)
    smsc.go_down()
    await gateway.expect("unbound", connector="up")
    ids = [await esme.submitted(f"4477009{n:05}") for n in range(20)]
    config = dict(gateway.gateway.config)
    config["connectors"] = {"two": merged(config["connectors"]["up"], {"port": two.port})}
    config["routes"] = [{"name": "all", "to": "two"}]
    await gateway.reload(config)
    assert [receipt.id for receipt in await esme.wait_receipts(20)] == ids
    assert two.submits == 20


async def test_a_changed_connector_loses_nothing_that_is_under_way(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    esme = await join(gateway)
    smsc.hold()
    ids = {await esme.submitted(f"4477009{n:05}") for n in range(150)}
    await smsc.wait_for(100)  # the window
    await gateway.reload(merged(gateway.gateway.config, {"connectors": {"up": {"window": 7}}}))
    smsc.resume()
    await esme.until(lambda: {receipt.id for receipt in esme.receipts} == ids)
    assert len(esme.receipts) == 150
    assert smsc.submits == 150


async def test_a_bad_config_is_refused_and_the_old_one_kept(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    esme = await join(gateway)
    good = gateway.gateway.config
    await gateway.reload({**good, "routes": [{"name": "all", "to": "nowhere"}]}, refused=True)
    await gateway.reload({**good, "unheard_of": {"x": 1}}, refused=True)
    gateway.gateway.file.write_text("this is = not [toml")
    refusals = len(gateway.process.events("config refused"))
    gateway.process.send(signal.SIGHUP)
    await gateway.expect("config refused", refusals + 1)
    assert not gateway.process.events("config reloaded")
    assert await esme.status("447700900001") == 0
    await esme.wait_receipts(1)
    late = await join(gateway)
    assert await late.status("447700900002") == 0
    await gateway.reload(good)


async def test_sigterm_unbinds_everybody_and_keeps_what_is_left(relay: Relay, simulate: Simulate, join: Join) -> None:
    smsc = await simulate(receipt_delay=60, slow=0.5)
    gateway = await relay(smsc, connectors={"up": {"window": 5}})
    esme = await join(gateway)
    ids = [await esme.submitted(f"4477009{n:05}") for n in range(20)]
    await smsc.wait_for(5)
    assert await gateway.stop() == 0
    await esme.gone()
    assert Command.UNBIND in [command for command, *_ in esme.frames]
    assert not esme.reset
    stopped = await gateway.expect("stopped")
    # What was under way was answered before the unbind: nothing of it is in doubt, nothing was sent twice.
    taken = smsc.submits
    assert (stopped["queued"], stopped["waiting"]) == (20 - taken, taken)
    await gateway.start("up")
    restored = await gateway.expect("restored")
    assert (restored["queued"], restored["waiting"]) == (20 - taken, taken)
    await smsc.wait_for(20)
    assert smsc.desk.again == 0
    assert len(smsc.destinations) == len(ids)


async def test_restarts_under_load_lose_nothing_and_send_nothing_twice(serve: Serve, simulate: Simulate) -> None:
    smsc = await simulate(receipt_delay=0.02, receipt_jitter=0.2)
    gateway = await serve(relay_config(smsc.port, log={"level": "info"}), "up")
    esme = Aggregator(ahead=1000)
    for restart in range(4):
        if restart:
            await gateway.start("up")
        await esme.attach(gateway, "transceiver", "transmitter", "receiver")
        await esme.until_promised(len(esme.promised) + 500)
        assert await gateway.stop() == 0
    await gateway.start("up")
    await esme.attach(gateway, "receiver", submitting=False)
    await esme.until(lambda: not esme.owed)
    esme.detach()
    assert not esme.mismatched
    assert not esme.refused
    assert smsc.desk.again == 0
    assert set(esme.promised.values()) <= smsc.destinations
    assert set(esme.told.values()) == {1}


async def test_reloads_under_load_lose_nothing_and_send_nothing_twice(serve: Serve, simulate: Simulate) -> None:
    one, two = await simulate(receipt_delay=0.05), await simulate(receipt_delay=0.05)
    config = relay_config(one.port, log={"level": "info"})
    up = config["connectors"]["up"]
    gateway = await serve(config, "up")
    esme = Aggregator(ahead=1000)
    await esme.attach(gateway, "transceiver", "transmitter")
    for turn in range(6):
        await esme.until_promised(len(esme.promised) + 300)
        changed = dict(gateway.gateway.config)
        if turn % 2 == 0:
            changed["connectors"] = {"up": up, "new": merged(up, {"port": two.port, "window": 10 + turn})}
            changed["groups"] = {"pair": {"active": ["up", "new"]}}
            changed["routes"] = [{"name": "all", "to": "pair"}]
        else:
            changed["connectors"] = {"up": merged(up, {"window": 50 + turn})}
            changed["groups"] = {}
            changed["routes"] = [{"name": "all", "to": "up"}]
        await gateway.reload(changed)
    esme.stop()
    await esme.until(lambda: one.submits + two.submits >= len(esme.promised))
    # Receipts that the second one still had when its connector went come when it is back.
    final = dict(gateway.gateway.config)
    final["connectors"] = {"up": up, "new": merged(up, {"port": two.port})}
    final["groups"] = {"pair": {"active": ["up", "new"]}}
    await gateway.reload(final)
    await esme.until(lambda: not esme.owed)
    esme.detach()
    assert not esme.mismatched
    assert not esme.refused
    assert one.desk.again + two.desk.again == 0
    assert not one.destinations & two.destinations
    assert two.submits


async def test_sigterm_waits_no_longer_than_drain(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, gateway={"drain": "1s"})
    esme = await join(gateway)
    smsc.hold()
    await esme.submitted("447700900001")
    await smsc.wait_for(1)
    began = time.monotonic()
    assert await gateway.stop() == 0
    assert 0.9 < time.monotonic() - began < 5
    assert (await gateway.expect("stopped"))["queued"] == 1


async def test_a_deaf_esme_does_not_keep_the_gateway_from_stopping(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, gateway={"drain": "1s"})
    deaf, fine = await join(gateway), await join(gateway)
    deaf.stop_reading()
    assert await gateway.stop() == 0
    await fine.gone()
    deaf.read_on()
    await deaf.gone()


async def test_every_step_of_a_message_has_a_line_in_the_access_log(
    relay: Relay, smsc: Smsc, join: Join, tmp_path: Path
) -> None:
    file = tmp_path / "logs" / "access.log"
    gateway = await relay(
        smsc,
        log={"access": str(file)},
        gateway={"early_receipt_wait": "10ms"},
        routes=[{"name": "uk", "to": "up", "match": {"destination": ["44*"]}}],
    )
    esme = await join(gateway)
    id = (await esme.submitted("447700900123", b"very private words")).decode()
    await esme.wait_receipts(1)
    assert await esme.status("817700900123") == Status.RINVDSTADR
    stray = b"id:77777 sub:001 dlvrd:001 submit date:2611231200 done date:2611231201 stat:DELIVRD err:000 text:"
    smsc.deliver(message("12345", stray, source_addr=b"447700900123", esm_class=4))
    await smsc.wait_acknowledged(1)
    await gateway.wait_metric("smppgw_unknown_receipts_total", 1)
    await gateway.reload(gateway.gateway.config)  # opens the file by its name again
    assert await gateway.stop() == 0
    lines = await asyncio.to_thread(file.read_text)
    stamp = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\dZ "
    for step in (
        rf"sent id={id} account=esme from=\S+ to=4477\*\*\*23 connector=up upstream=\d+ attempts=1 ms=\d+$",
        rf"ended id={id} account=esme upstream=\d+ state=DELIVERED err=000$",
        r"refused account=esme from=\S+ to=8177\*\*\*23 status=RINVDSTADR$",
        r"unknown connector=up upstream=77777 state=DELIVERED$",
    ):
        assert re.search(stamp + step, lines, re.MULTILINE), f"{step} is not in\n{lines}"


async def test_no_log_shows_a_password_a_text_or_a_whole_number(
    relay: Relay, simulate: Simulate, join: Join, tmp_path: Path
) -> None:
    smsc = await simulate(errors={Status.RINVDSTADR: 0.5}, duplicate_receipts=1.0, seed=1)
    file = tmp_path / "access.log"
    gateway = await relay(
        smsc,
        log={"access": str(file), "level": "debug"},
        gateway={"early_receipt_wait": "10ms"},
        accounts={"esme": {"password": "pa55-of-esme"}},
        connectors={"up": {"password": "pa55-of-gateway"}},
        routes=[{"name": "uk", "to": "up", "match": {"destination": ["44*"]}}],
        limits={"auth_delay": "10ms"},
    )
    esme = await join(gateway, password="pa55-of-esme")
    wrong = await Esme.connect(gateway.port)
    assert (await wrong.bind(password="pa55-guessed")).status == Status.RINVPASWD
    wrong.cut()
    for n in range(10):
        assert await esme.status(f"44770090012{n}", b"very private words", source_addr=b"SECRETBANK") == 0
    assert await esme.status("817700900123", b"very private words") == Status.RINVDSTADR
    assert await esme.status("4477\x01900123", b"very private words") == Status.RINVDSTADR
    smsc.send_mo(b"447700900777", b"12345", "very private words")
    esme.answers = lambda pdu: Status.RX_P_APPN
    await esme.wait_receipts(10)
    esme.write(b"very private words, very private words")
    await esme.gone()
    await gateway.reload({**gateway.gateway.config, "routes": [{"name": "x", "to": "pa55-no"}]}, refused=True)
    assert await gateway.stop() == 0
    shown = gateway.log + await asyncio.to_thread(file.read_text)
    for secret in ("pa55-of", "pa55-guessed", "private", "4477009001", "447700900777", "817700900123", "SECRETBANK"):
        assert secret not in shown, (
            f"{secret} is in a log: {[line for line in shown.splitlines() if secret in line][:3]}"
        )


METRICS = (
    'smppgw_account_answers_total{account="esme",status="ROK"}',
    'smppgw_account_receipts_total{account="esme",state="DELIVERED"}',
    'smppgw_account_delivered_total{account="esme"}',
    'smppgw_account_binds{account="esme",mode="transceiver"}',
    'smppgw_account_window_used{account="esme"}',
    'smppgw_connector_submits_total{connector="up"}',
    'smppgw_connector_answers_total{connector="up",status="ROK"}',
    'smppgw_connector_receipts_total{connector="up",state="DELIVERED"}',
    'smppgw_connector_window_used{connector="up"}',
    'smppgw_connector_up{connector="up"}',
    'smppgw_connector_answer_seconds_count{connector="up"}',
    'smppgw_target_queue{target="up"}',
    'smppgw_target_oldest_seconds{target="up"}',
    'smppgw_links{state="bound"}',
    "smppgw_queued_messages",
    "smppgw_awaiting_receipt",
    "smppgw_commit_seconds_count",
    "smppgw_submit_seconds_count",
    "smppgw_store_up",
    "smppgw_set_aside",
    "process_resident_memory_bytes",
)


async def test_metrics_name_what_an_operator_watches(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    esme = await join(gateway)
    for n in range(7):
        await esme.submitted(f"4477009{n:05}")
    await esme.wait_receipts(7)
    await gateway.wait_metric("smppgw_account_delivered_total", 7)
    samples = await asyncio.to_thread(gateway.gateway.metrics)
    assert not [name for name in METRICS if name not in samples]
    seven = (METRICS[1], METRICS[2], METRICS[5], METRICS[6], METRICS[7])
    assert [samples[name] for name in seven] == [7] * 5
    assert samples["smppgw_submit_seconds_count"] == 7
    assert samples["smppgw_awaiting_receipt"] == samples["smppgw_queued_messages"] == 0


async def test_health_and_readiness_follow_the_life_of_the_gateway(relay: Relay, smsc: Smsc) -> None:
    gateway = await relay(smsc)
    assert (await gateway.get("/health"))[0] == 200
    assert (await gateway.get("/ready"))[0] == 200
    assert (await gateway.get("/nothing"))[0] == 404


def serving(directory: Path, config: dict[str, Any]) -> Process:
    file = directory / "wrong.toml"
    file.write_text(toml(config))
    return Process([SMPPGW, "serve", "--config", file], cwd=directory, env={"COLUMNS": "200"})


def test_a_wrong_config_ends_with_2_and_every_problem(tmp_path: Path) -> None:
    config = relay_config(
        2775,
        gateway={"validiti": "1h", "in_doubt": "maybe"},
        connectors={"up": {"port": 99999, "rebind": []}},
        routes=[{"name": "all", "to": "nowhere"}],
        mo_routes=[{"account": "nobody"}],
        accounts={"esme": {"rate": -1}},
    )
    with serving(tmp_path, config) as process:
        assert process.ended() == 2
        said = "\n".join(process.lines)
    for path in ("gateway.validiti", "in_doubt", "port", "rebind", "nowhere", "nobody", "rate"):
        assert path in said, f"{path} is not in\n{said}"
    assert "Traceback" not in said


def test_no_config_at_all_ends_with_2(tmp_path: Path) -> None:
    with Process([SMPPGW, "serve", "--config", tmp_path / "none.toml"], cwd=tmp_path) as process:
        assert process.ended() == 2
        assert "none.toml" in "".join(process.lines)
        assert "Traceback" not in "".join(process.lines)


async def test_the_access_log_can_go_to_standard_output(serve: Serve, smsc: Smsc, join: Join) -> None:
    config = relay_config(smsc.port)
    gateway = await serve(merged(config, {"log": {"format": "json", "access": "-"}}), "up")
    esme = await join(gateway)
    await esme.submitted("447700900001")
    (receipt,) = await esme.wait_receipts(1)
    assert receipt.state == MessageState.DELIVERED
    await gateway.stop()
    assert any(" sent id=" in line for line in gateway.process.lines)
