"""What happened to a message can be told after a kill, and a writer that dies costs notes, not messages."""

import asyncio
import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from smppgw.ports import free_port
from smppgw.simulate.smsc import Smsc
from tests.endtoend.conftest import Join, Relay
from tests.endtoend.running import Running
from tests.kit import PATIENCE, SMPPGW

KEYS = {"boss": {"key": "boss", "roles": ["operate"]}, "eye": {"key": "eye", "roles": ["read"]}}


def tables(directory: Path) -> dict[str, Any]:
    history = {"engine": "sqlite", "path": str(directory / "history.db"), "bodies": "keep"}
    return {"history": history, "api": {"port": free_port(), "keys": KEYS}}


async def command(gateway: Running, *words: str, key: str = "eye", columns: int = 80) -> tuple[int, str, str]:
    """Exit status and what it says."""
    port = gateway.gateway.config["api"]["port"]
    environment = {
        **os.environ, "SMPPGW_KEY": key, "SMPPGW_URL": f"http://127.0.0.1:{port}", "COLUMNS": str(columns),
        "NO_COLOR": "1", "SMPPGW_CONFIG": str(gateway.gateway.file),
    }  # fmt: skip
    done = await asyncio.to_thread(
        subprocess.run, [str(SMPPGW), *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


async def traced(gateway: Running, what: str, *kinds: str) -> dict[str, Any]:
    """The message, once so much happened to it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            status, said, _ = await command(gateway, "trace", what, "--json")
            if status == 0:
                found: dict[str, Any] = json.loads(said.splitlines()[0])
                if [event["kind"] for event in found["events"]] == list(kinds):
                    return found
            await asyncio.sleep(0.2)


async def test_a_message_is_traced_after_its_gateway_was_killed(
    smsc: Smsc, relay: Relay, join: Join, tmp_path: Path
) -> None:
    gateway = await relay(smsc, **tables(tmp_path))
    esme = await join(gateway)
    id = (await esme.submitted("819012345678", b"what became of it?")).decode()
    await esme.wait_receipts(1)
    kinds = ("accepted", "sent", "receipt", "delivered")
    await traced(gateway, id, *kinds)
    await gateway.kill()
    found = await traced(gateway, "819012345678", *kinds)
    assert (found["id"], found["account"]) == (id, "esme")
    assert bytes.fromhex(found["text"]) == b"what became of it?"
    (upstream,) = found["events"][1]["said"]["upstream"]
    assert (await traced(gateway, upstream, *kinds))["id"] == id
    status, said, _ = await command(gateway, "trace", id)
    assert status == 0
    assert re.search(rf"sent  connector=up upstream={upstream} attempts=1$", said, re.MULTILINE)
    status, _, wrong = await command(gateway, "trace", "1234")
    assert (status, wrong) == (2, "history knows no message of 1234\n")


async def test_a_writer_that_dies_costs_no_message(smsc: Smsc, relay: Relay, join: Join, tmp_path: Path) -> None:
    gateway = await relay(smsc, **tables(tmp_path))
    esme = await join(gateway)
    await gateway.wait_metric("smppgw_history_up", 1)
    children = f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children"
    (writer,) = Path(children).read_text().split()  # noqa: ASYNC240
    os.kill(int(writer), signal.SIGKILL)
    await gateway.expect("history writer ended")
    lost = (await esme.submitted("818011111111")).decode()
    await esme.wait_receipts(1)
    await gateway.wait_metric("smppgw_history_dropped_total", 4)
    await gateway.expect("history is dropped")
    await gateway.wait_metric("smppgw_history_up", 1)
    kept = (await esme.submitted("818022222222")).decode()
    await esme.wait_receipts(2)
    await traced(gateway, kept, "accepted", "sent", "receipt", "delivered")
    assert (await command(gateway, "trace", lost))[0] == 2
    assert await gateway.stop() == 0


async def test_commands_at_a_terminal_say_what_runs(smsc: Smsc, relay: Relay, join: Join, tmp_path: Path) -> None:
    gateway = await relay(smsc, **tables(tmp_path))
    esme = await join(gateway)
    status, said, _ = await command(gateway, "status")
    assert status == 0
    assert json.loads(said)["ready"]
    status, _, wrong = await command(gateway, "status", key="wrong")
    assert (status, wrong.startswith("The key is wrong; ")) == (2, True)
    path = tmp_path / "x.pcap"
    recording = asyncio.ensure_future(
        command(gateway, "capture", "--account", "esme", "--seconds", "4", "-o", str(path))
    )
    await gateway.expect("capture")
    for number in range(20):
        await esme.submit(f"8190{number:08}", b"hush, hush")
    await esme.wait_receipts(20)
    status, said, _ = await command(gateway, "top", "--once")
    assert status == 0
    assert max(map(len, said.splitlines())) <= 80
    for pattern in (r"ready  up .* links 1/1", r"^accepted +\d", r"^up +up +1/1 +0/100", r"^esme +1 +0/1000"):
        assert re.search(pattern, said, re.MULTILINE), said
    status, _, wrong = await recording
    assert status == 0, wrong
    octets = await asyncio.to_thread(path.read_bytes)
    assert b"819000000019" in octets
    assert b"hush" not in octets
    assert path.stat().st_mode & 0o077 == 0
    assert (await command(gateway, "capture", "--account", "esme", "--bodies", "-o", str(path)))[0] == 2
    assert (await command(gateway, "capture", "--account", "nobody", "-o", str(tmp_path / "none")))[0] == 2
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("words", [("status",), ("top",), ("top", "--once"), ("capture", "--account", "a", "-o", "-")])
def test_a_gateway_that_is_away_is_said_to_be_so(words: tuple[str, ...]) -> None:
    command = [str(SMPPGW), *words, "--url", f"http://127.0.0.1:{free_port()}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "cannot be reached: connection refused; does the gateway run, and has its [api] this port?" in done.stderr
    assert "Traceback" not in done.stderr
