"""The real gateway between other stacks: what runs on its two sides."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smppgw.ports import free_port
from tests.interop.scenario import Esme, Start, told
from tests.interop.stacks import HERE, need
from tests.kit import Gateway, Process, relay_config

SMSCS = {
    "node smpp": ("node", HERE / "node" / "smsc.js"),
    "our simulator": (sys.executable, HERE / "simulated_smsc.py"),
}


@pytest.fixture(params=SMSCS)
def smsc(request: pytest.FixtureRequest) -> Iterator[Process]:
    """The SMSC that the gateway binds to; both speak alike to the test."""
    if request.param == "node smpp":
        need("node-smpp")
    options = {"port": free_port(), "system_id": "gateway", "password": "secret"}
    with Process([*SMSCS[request.param], json.dumps(options)], name=request.param) as process:
        process.expect("listening")
        yield process


@pytest.fixture
def gateway(tmp_path: Path, smsc: Process) -> Iterator[Gateway]:
    """The gateway, bound to `smsc`."""
    with Gateway(tmp_path, relay_config(smsc.expect("listening")["port"])) as gateway:
        smsc.expect("bound")
        yield gateway


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a foreign ESME: start(esme, port, mode, deliveries=...)."""
    running: list[Process] = []

    def start(esme: Esme, port: int, mode: str, deliveries: int = 0) -> Process:
        need(esme.name)
        argument = json.dumps(told(port, mode, deliveries=deliveries))
        running.append(Process([*esme.command, argument], name=f"{esme.name} {mode}"))
        return running[-1]

    yield start
    for process in running:
        process.close()
