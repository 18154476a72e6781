"""A whole gateway with an ESME before it and SMSCs behind it, and its admin API asked without a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from protocol import pdus
from protocol.consts import Command
from protocol.pdus import SubmitSm
from smppgw.app import App
from smppgw.ports import free_port
from tests.smppgw.door import Peer
from tests.smppgw.jumping import until
from tests.smppgw.test_app import BASE, connector, serving
from tests.smppgw.upstream import Upstream

KEYS = """
[api.keys.boss]
key = "boss"
roles = ["operate"]
[api.keys.eye]
key = "eye"
roles = ["read"]
[api.keys.shop]
key = "shop"
roles = ["operate"]
accounts = ["esme"]
[api.keys.sender]
key = "sender"
roles = ["send"]
accounts = ["esme"]
[accounts.other]
password = "secret"
"""


def submit(destination: bytes = b"44", text: bytes = b"hello") -> bytes:
    return pdus.encode_submit(
        SubmitSm(source_addr=b"12345", destination_addr=destination, short_message=text, registered_delivery=1)
    )


@dataclass
class Operated:
    app: App
    smsc: Upstream
    backup: Upstream
    http: httpx.AsyncClient

    async def ask(self, method: str, path: str, key: str = "boss", **more: Any) -> httpx.Response:
        return await self.http.request(method, f"/v1{path}", headers={"Authorization": f"Bearer {key}"}, **more)

    async def get(self, path: str, key: str = "boss", **query: Any) -> Any:
        """What it says; it must be a success."""
        answer = await self.ask("GET", f"/admin{path}", key, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def do(self, path: str, body: Any = None, method: str = "POST") -> Any:
        """What it says; it must be a success."""
        answer = await self.ask(method, f"/admin{path}", **({} if body is None else {"json": body}))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, key: str = "boss", **more: Any) -> tuple[int, str]:
        """Status and title of the problem, and what is wrong with which field."""
        answer = await self.ask(method, f"/admin{path}", key, **more)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        problem = answer.json()
        assert problem["status"] == answer.status_code
        fields = [f"{each['field']}: {each['wrong']}" for each in problem.get("errors", ())]
        return answer.status_code, "; ".join([problem["title"], problem.get("detail", ""), *fields])

    async def esme(self) -> Peer:
        peer = await Peer(self.app.listeners.ports[0]).__aenter__()
        assert (await peer.bind())[0] == 0
        return peer

    async def submit(self, peer: Peer, destination: bytes = b"44") -> str:
        """Its id."""
        _, status, body = await peer.ask(Command.SUBMIT_SM, submit(destination))
        assert status == 0
        return body.rstrip(b"\0").decode()


@asynccontextmanager
async def operated(path: Path, more: str = "", connectors: str = "", engine: str = "") -> AsyncIterator[Operated]:
    """Connector "c" alone in group "g", with "b" as its backup; `connectors` are keys of "c"."""
    async with Upstream() as smsc, Upstream() as backup:
        text = (
            BASE
            + f"[api]\nport = {free_port()}\n{KEYS}"
            + connector("c", smsc.port, connectors)
            + connector("b", backup.port)
            + '[groups.g]\nactive = ["c"]\nbackup = ["b"]\n'
            + '[[routes]]\nname = "short"\nto = "g"\nmatch = { destination = "1*", coding = 4 }\n'
            + '[[routes]]\nname = "all"\nto = "g"\nmatch = { account = "esme" }\n'
            + '[[mo_routes]]\naccount = "esme"\nmatch = { destination = "12345" }\n'
            + more
        )
        async with serving(path / "c.toml", text) as app:
            await until(lambda: app.targets["g"].up)
            assert app.api is not None
            transport = httpx.ASGITransport(app=app.api.app, client=("127.0.0.1", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
                yield Operated(app, smsc, backup, http)
