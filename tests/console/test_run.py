"""`smppgw console` as a process: what it says, what others on the machine can see of it, and how it ends."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smppgw.ports import free_port
from tests.kit import SMPPGW, Process

KEY = "a-key-that-nobody-sees"


@pytest.fixture
def console() -> Iterator[Process]:
    command = [str(SMPPGW), "console", "--url", f"http://127.0.0.1:{free_port()}", "--port", str(free_port())]
    with Process(command, name="console", env={"SMPPGW_KEY": KEY}) as process:
        process.expect_line("^listening on http://127.0.0.1:")
        yield process


def test_it_starts_without_a_gateway_and_ends_when_told(console: Process) -> None:
    assert console.stop() == 0


def test_its_key_is_in_no_list_of_processes_and_in_no_output(console: Process) -> None:
    assert KEY.encode() not in Path(f"/proc/{console.pid}/cmdline").read_bytes()
    console.stop()
    assert KEY not in "\n".join(console.lines)


def test_others_reach_it_only_with_a_password() -> None:
    command = [str(SMPPGW), "console", "--host", "0.0.0.0", "--port", str(free_port())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "SMPPGW_CONSOLE_PASSWORD" in done.stderr


def test_a_port_that_is_taken_is_said(console: Process) -> None:
    port = console.lines[0].rstrip("/").rpartition(":")[2]
    done = subprocess.run([SMPPGW, "console", "--port", port], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr == f"cannot listen on 127.0.0.1:{port}: address already in use\n"


def test_it_knows_nothing_of_the_gateway_but_its_api() -> None:
    ask = "import sys, smppgw.console.run; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, timeout=30, check=True)
    loaded = set(done.stdout.split())
    ours = {name for name in loaded if name.partition(".")[0] in {"protocol", "routing", "smppgw"}}
    shared = {"smppgw", "smppgw.reasons", "smppgw.doors", "smppgw.hosts", "smppgw.seldom"}
    assert {name for name in ours if not name.startswith("smppgw.console")} == shared
    assert not loaded & {"fastapi", "uvicorn", "lmdb", "pydantic"}
