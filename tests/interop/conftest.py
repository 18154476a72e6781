"""The real gateway between other stacks: fixtures, and what to say where a stack cannot be had."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.scenario import HERE, Esme, told
from tests.kit import Gateway, Process, free_port, relay_config

NODE_MODULES = HERE / "node" / "node_modules"


def missing(esme: str) -> str:
    """Why the tests with this stack cannot run here, or nothing."""
    if esme == "node-smpp":
        if not shutil.which("node"):
            return "node is not installed (Debian package nodejs)"
        return "" if (NODE_MODULES / "smpp").is_dir() else "node smpp is not installed (scripts/setup, needs npm)"
    if esme == "Net::SMPP":
        places = (Path("/usr/share/perl5/Net/SMPP.pm"), Path("/usr/local/share/perl5/Net/SMPP.pm"))
        return "" if any(map(Path.exists, places)) else "Net::SMPP is not installed (Debian package libnet-smpp-perl)"
    if esme == "kannel":
        boxes = all(shutil.which(box, path=SBIN) for box in ("bearerbox", "smsbox"))
        return "" if boxes else "bearerbox and smsbox are not installed (Debian package kannel)"
    if esme == "tshark":
        return "" if shutil.which("tshark", path=SBIN) else "tshark is not installed (Debian package tshark)"
    return ""


SBIN = "/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/sbin:/bin"


def need(stack: str) -> None:
    """Skips the test, with the reason, where the stack is not here."""
    if reason := missing(stack):
        pytest.skip(reason)


@pytest.fixture
def smsc() -> Iterator[Process]:
    """node smpp as the SMSC that the gateway binds to."""
    need("node-smpp")
    options = {"port": free_port(), "system_id": "gateway", "password": "secret"}
    with Process(["node", HERE / "node" / "smsc.js", json.dumps(options)], name="node SMSC") as process:
        process.expect("listening")
        yield process


@pytest.fixture
def gateway(tmp_path: Path, smsc: Process) -> Iterator[Gateway]:
    """The gateway, bound to `smsc`."""
    with Gateway(tmp_path, relay_config(smsc.expect("listening")["port"])) as gateway:
        smsc.expect("bound")
        yield gateway


Start = Callable[..., Process]


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
