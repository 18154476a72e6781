"""A message by REST to an SMSC, and its receipt back as a signed callback: the real process, and a kill of it."""

import asyncio
import hmac
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from protocol import pdus
from smppgw.ports import free_port
from smppgw.simulate.smsc import Smsc
from tests.endtoend.conftest import Join, Relay, Serve, Simulate
from tests.endtoend.running import Running
from tests.kit import ROOT, relay_config

SECRET = "a secret of callbacks"
SEND, READ = "key-of-the-shop", "key-of-the-reader"


class App:
    """The application that callbacks go to."""

    def __init__(self) -> None:
        self.port = free_port()
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self._runner: web.AppRunner | None = None
        self._news = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def open(self) -> None:
        app = web.Application()
        app.router.add_post("/hook", self._hook)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _hook(self, request: web.Request) -> web.Response:
        body = await request.read()
        async with self._news:
            self.got.append((dict(request.headers), body))
            self._news.notify_all()
        return web.Response(status=self.status)

    async def wait(self, count: int = 1) -> list[dict[str, Any]]:
        """The bodies, once that many came; each is signed."""
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: len(self.got) >= count)
        for headers, body in self.got:
            assert verifier()(SECRET, headers["Smppgw-Signature"], body, time.time())
        return [json.loads(body) for _, body in self.got]


def verifier() -> Callable[[str, str, bytes, float], bool]:
    """The example of docs/api.md, as it stands there."""
    page = (ROOT / "docs" / "api.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?def is_ours.*?)^```$", page, re.MULTILINE | re.DOTALL)
    space: dict[str, Any] = {}
    exec(code, space)
    found: Callable[[str, str, bytes, float], bool] = space["is_ours"]
    return found


@pytest.fixture
async def app() -> AsyncIterator[App]:
    app = App()
    await app.open()
    yield app
    await app.close()


def tables(app: App, **over: Any) -> dict[str, Any]:
    key = {
        "key": SEND, "roles": ["send", "read"], "accounts": ["esme"], "callback": app.url,
        "callback_secret": SECRET, **over,
    }  # fmt: skip
    return {
        "api": {
            "port": free_port(),
            "keys": {"shop": key, "desk": {"key": READ, "roles": ["read"]}},
        }
    }


def client(gateway: Running, key: str = SEND) -> httpx.AsyncClient:
    port = gateway.gateway.config["api"]["port"]
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"})


ORDER = {"to": "+447700900001", "from": "12345", "text": "Hello @ world", "reference": "order-17"}


async def test_a_message_goes_out_and_its_receipt_comes_to_the_callback(relay: Relay, smsc: Smsc, app: App) -> None:
    gateway = await relay(smsc, **tables(app))
    async with client(gateway) as rest:
        answer = await rest.post("/v1/messages", json=ORDER)
        assert answer.status_code == 202, answer.text
        taken = answer.json()
        assert re.fullmatch("[0-9a-f]{16}", taken["id"])
        (said,) = await app.wait()
        assert (said["event"], said["id"], said["status"]) == ("receipt", taken["id"], "delivered")
        assert (said["reference"], said["from"], said["to"]) == ("order-17", "12345", "+447700900001")
        assert said["final"] is True
        state = (await rest.get(taken["links"]["self"])).json()
    assert (state["status"], state["final"], state["reference"]) == ("delivered", True, "order-17")
    (pdu,) = smsc.received
    assert (pdu.destination_addr, pdu.dest_addr_ton, pdu.short_message) == (b"447700900001", 1, b"Hello \0 world")
    assert pdu.registered_delivery == 1
