"""A message through the real gateway, killed on the way, is one trace at a collector."""

import subprocess
import sys
from pathlib import Path

from smppgw.simulate.smsc import Smsc
from tests.endtoend.conftest import Join, Relay
from tests.kit import relay_config, toml
from tests.smppgw.test_tracing import collecting, said


async def test_a_message_is_one_trace_over_a_restart(relay: Relay, smsc: Smsc, join: Join) -> None:
    async with collecting() as collector:
        gateway = await relay(smsc, tracing={"endpoint": collector.endpoint, "sample": 1})
        sender = await join(gateway, "transmitter")
        id = (await sender.submitted("819012345678")).decode()
        await gateway.wait_metric("smppgw_connector_receipts_total", 1)
        assert await gateway.stop() == 0
        await gateway.start("up")
        receiver = await join(gateway, "receiver")
        await receiver.wait_receipts(1)
        assert await gateway.stop() == 0
        names = [span.name for span in collector.spans]
        assert names[0] == "accepted"
        assert set(names) >= {"accepted", "sent", "receipt", "delivered"}
        assert len({span.trace_id for span in collector.spans}) == 1
        assert {said(span)["smppgw.id"] for span in collector.spans} == {id}
        assert collector.resource["service.instance.id"] == "smppgw-0"


def test_who_wants_traces_without_the_extra_is_told_what_to_install(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(toml(relay_config(1, tracing={"endpoint": "http://localhost:4318/v1/traces"})))
    program = "import sys; sys.modules['opentelemetry'] = None; from smppgw.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "check", "--config", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "tracing.endpoint" in done.stderr
    assert "smppgw[otel]" in done.stderr


async def test_a_gateway_without_an_endpoint_has_no_opentelemetry_in_it(relay: Relay, smsc: Smsc) -> None:
    gateway = await relay(smsc)
    maps = Path(f"/proc/{gateway.process.pid}/maps").read_text()  # noqa: ASYNC240  it is no disk
    assert "uvloop" in maps
    assert "upb" not in maps  # of protobuf
