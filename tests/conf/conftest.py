"""A gateway that has done a bit of everything, scraped once for all tests."""

import contextlib
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from smppgw.ports import free_port
from tests.conf.prometheus import Exported, exported
from tests.kit import SMPPGW, Gateway, Process, relay_config, simulator

TO = ("819012345678", "818012345678", "817012345678", "440000000000")
"""To the SMSC, to the carrier, to whichever carrier it is found to be, and to nobody."""


def send(gateway: Gateway, to: str) -> str:
    wait = "10" if to == TO[0] else "0"
    who = ["--port", gateway.port, "--system-id", "esme"]
    words = [SMPPGW, "send", *who, "--to", to, "--text", "hello", "--wait", wait]
    done = subprocess.run(
        [*map(str, words)], env={"SMPPGW_PASSWORD": "secret"}, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Messages to an SMSC and to a carrier, one that nobody takes, a forged notification, a look-up that fails."""
    smsc, web, hooks = free_port(), free_port(), free_port()
    config = relay_config(
        smsc,
        webhooks={"host": "127.0.0.1", "port": hooks},
        carriers={"lookup": {"url": f"http://127.0.0.1:{free_port()}/{{number}}"}},
        history={"engine": "sqlite", "path": str(tmp_path_factory.mktemp("history") / "history.db")},
        api={"host": "127.0.0.1", "port": free_port()},
        senders={"all": {"members": ["+819000000000"]}},
        connectors={
            "web": {
                "kind": "vonage",
                "url": f"http://127.0.0.1:{web}",
                "api_key": "abcd1234",
                "api_secret": "secret",
                "webhook_path": "/hook",
            }
        },
        groups={"some": {"active": ["up"]}},
        routes=[
            {"name": "carrier", "to": "web", "match": {"destination": ["8180*"]}},
            {"name": "asks", "to": "web", "match": {"destination": ["8170*"], "carrier": ["docomo"]}},
            {"name": "smsc", "to": "some", "senders": "all", "match": {"destination": ["8190*"]}},
        ],
    )
    carrier: list[str | Path] = [
        SMPPGW,
        "simulate",
        "vonage",
        "--port",
        str(web),
        "--api-key",
        "abcd1234",
        "--api-secret",
        "secret",
    ]
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), config)
    with simulator(smsc, "--receipt-delay", "0"), Process(carrier) as vonage, gateway:
        vonage.expect_line("listening on ")
        gateway.bound()
        with ThreadPoolExecutor() as clients:
            said = list(clients.map(lambda to: send(gateway, to), TO))
        assert ["accepted" in each for each in said] == [True, True, True, False], said
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(f"http://127.0.0.1:{hooks}/hook", data=b"forged", timeout=10)
        yield gateway


@pytest.fixture(scope="session")
def scrape(gateway: Gateway) -> Exported:
    return exported(gateway.get("/metrics")[1])
