"""A disk that takes no more: refusals in time, nothing acknowledged lost, and service again by itself."""

import asyncio
import resource
from pathlib import Path
from typing import Any

from protocol import tlv
from protocol.consts import Status, Tag
from smppgw.ports import free_port
from smppgw.simulate.smsc import Smsc
from tests.endtoend.aggregator import Aggregator
from tests.endtoend.conftest import Join, Relay, Serve, Simulate, keep_deliveries
from tests.endtoend.esme import id_of
from tests.endtoend.running import Running
from tests.kit import PATIENCE, SMPPGW, Process, merged, relay_config, toml


def disk_full(gateway: Running) -> None:
    """No file of the gateway can be written to any more."""
    resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def disk_free(gateway: Running) -> None:
    resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


async def test_submits_are_refused_while_nothing_can_be_written_and_taken_again_after(
    relay: Relay, smsc: Smsc, join: Join
) -> None:
    gateway = await relay(smsc)
    esme = await join(gateway)
    ids = {await esme.submitted(f"4477009{n:05}") for n in range(10)}
    await esme.wait_receipts(10)
    disk_full(gateway)
    assert [await esme.status(f"4477019{n:05}") for n in range(20)] == [Status.RSYSERR] * 20
    await gateway.expect("the store refuses")
    status, body = await gateway.get("/ready")
    assert (status, "store" in body) == (503, True)
    assert (await gateway.get("/health"))[0] == 200
    assert await gateway.metric("smppgw_store_up") == 0
    disk_free(gateway)
    await gateway.expect("the store works again")
    assert (await gateway.get("/ready"))[0] == 200
    ids |= {await esme.submitted(f"4477009{n:05}") for n in range(10, 20)}
    receipts = await esme.wait_receipts(20)
    assert {receipt.id for receipt in receipts} == ids
    assert smsc.destinations == {b"4477009%05d" % n for n in range(20)}  # no refused one was sent
    assert "Traceback" not in gateway.log


async def test_receipts_and_mo_that_come_while_nothing_can_be_written_are_not_lost(
    relay: Relay, smsc: Smsc, join: Join
) -> None:
    keep_deliveries(smsc)
    gateway = await relay(smsc)
    esme = await join(gateway)
    ids = {await esme.submitted(f"4477009{n:05}") for n in range(30)}
    await gateway.wait_metric("smppgw_awaiting_receipt", 30)
    disk_full(gateway)
    assert await esme.status("447701900000") == Status.RSYSERR
    smsc.send_mo(b"447700900001", b"12345", "hello")
    smsc.resume()
    await smsc.until(lambda: smsc.receipts >= 30)
    assert smsc.acknowledged == 0
    disk_free(gateway)
    await smsc.wait_acknowledged(30)
    assert {receipt.id for receipt in await esme.wait_receipts(30)} == ids
    await esme.wait_mo(1)  # the simulator brings it again after RX_T_APPN


async def test_what_was_acknowledged_survives_a_crash_on_a_full_disk(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    esme = await join(gateway)
    smsc.go_down()
    await gateway.expect("unbound", connector="up")
    ids = {await esme.submitted(f"4477009{n:05}") for n in range(50)}
    disk_full(gateway)
    for n in range(5):
        assert await esme.status(f"4477019{n:05}") == Status.RSYSERR
    await gateway.kill()
    await smsc.come_up()
    await gateway.start("up")
    back = await join(gateway)
    assert {receipt.id for receipt in await back.wait_receipts(50)} == ids
    assert smsc.destinations == {b"4477009%05d" % n for n in range(50)}


async def test_a_disk_that_fails_again_and_again_under_load_loses_nothing(serve: Serve, simulate: Simulate) -> None:
    smsc = await simulate(receipt_delay=0.02, receipt_jitter=0.2)
    gateway = await serve(relay_config(smsc.port, log={"level": "info"}), "up")
    esme = Aggregator(ahead=400)
    await esme.attach(gateway, "transmitter", "receiver")
    for times in range(1, 4):
        await esme.until_promised(len(esme.promised) + 1000)
        disk_full(gateway)
        await gateway.expect("the store refuses", times)
        esme.stop()
        disk_free(gateway)
        await gateway.expect("the store works again", times)
        await esme.until(lambda: not esme.owed)
        esme.go_on()
    esme.stop()
    await esme.until(lambda: not esme.owed)
    esme.detach()
    assert not esme.mismatched
    assert set(esme.refused) <= {Status.RSYSERR}
    assert set(esme.promised.values()) <= smsc.destinations
    assert smsc.destinations <= set(esme.promised.values())  # nothing that was refused


async def test_a_store_that_is_full_refuses_and_works_again_when_messages_leave(
    serve: Serve, smsc: Smsc, join: Join
) -> None:
    gateway = await serve(relay_config(smsc.port, store={"max_size": "1MiB"}), "up")
    esme = await join(gateway)
    smsc.go_down()
    await gateway.expect("unbound", connector="up")
    long = tlv.encode([(Tag.MESSAGE_PAYLOAD, b"x" * 20_000)])
    ids: set[bytes] = set()
    for n in range(100):
        answer = await esme.submit(f"4477009{n:05}", b"", tlvs=long)
        if answer.status:
            break
        ids.add(id_of(answer))
    assert answer.status == Status.RSYSERR
    assert 20 < len(ids) < 60
    event = await gateway.expect("the store refuses")
    assert "max_size" in event["reason"]
    await smsc.come_up()
    await gateway.wait_metric("smppgw_store_up", 1)
    assert {receipt.id for receipt in await esme.wait_receipts(len(ids))} == ids
    async with asyncio.timeout(PATIENCE):
        while await esme.status("447700900999", b"", tlvs=long):
            await gateway.wait_metric("smppgw_store_up", 1)
    assert {pdu.destination_addr for pdu in smsc.received} >= {b"4477009%05d" % n for n in range(len(ids))}


def serve_config(directory: Path, config: dict[str, Any]) -> Process:
    file = directory / "other.toml"
    file.write_text(toml(config))
    return Process([SMPPGW, "serve", "--config", file], cwd=directory)


async def test_a_second_gateway_on_the_same_directory_does_not_start(
    relay: Relay, smsc: Smsc, join: Join, tmp_path: Path
) -> None:
    gateway = await relay(smsc)
    other = merged(gateway.gateway.config, {"listeners": [{"port": free_port()}], "http": {"port": free_port()}})
    with serve_config(tmp_path, other) as second:
        assert second.ended() == 1
        reason = second.expect("cannot start")["reason"]
        assert f"pid {gateway.process.pid}" in reason
        assert "in use by another gateway" in reason
    esme = await join(gateway)
    assert await esme.status("447700900001") == 0
    await gateway.kill()
    with serve_config(tmp_path, other) as heir:
        heir.expect("ready")


async def test_a_directory_that_cannot_be_used_stops_the_start_with_a_reason(smsc: Smsc, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    with serve_config(tmp_path, relay_config(smsc.port, store={"path": str(tmp_path / "file")})) as process:
        assert process.ended() == 1
        assert "cannot use data directory" in process.expect("cannot start")["reason"]


async def test_a_port_in_use_stops_the_start_with_a_reason(relay: Relay, smsc: Smsc, tmp_path: Path) -> None:
    gateway = await relay(smsc)
    taken = relay_config(smsc.port, listeners=[{"host": "127.0.0.1", "port": gateway.port}])
    with serve_config(tmp_path, merged(taken, {"store": {"path": str(tmp_path / "data")}})) as process:
        assert process.ended() == 1
        assert "address already in use" in process.expect("cannot start")["reason"]
