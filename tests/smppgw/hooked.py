"""A webhook listener for tests of carriers: it lets a carrier hear what a simulator says."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from multidict import CIMultiDict

from protocol.receipt import Receipt
from smppgw.carriers.client import HttpClient, Reply, dumps
from smppgw.carriers.contract import Carrier, Heard, Hook, HookRefused, Mo


@dataclass
class Ear:
    """What was heard at its url; refusals with their status."""

    url: str
    carrier: Carrier | None = None
    heard: list[Heard] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def receipts(self) -> list[Receipt]:
        return [each for each in self.heard if isinstance(each, Receipt)]

    @property
    def mos(self) -> list[Mo]:
        return [each for each in self.heard if isinstance(each, Mo)]

    async def wait_for(self, count: int) -> list[Heard]:
        """Returns once so much was heard."""
        async with asyncio.timeout(10):
            while len(self.heard) < count:
                self._news.clear()
                await self._news.wait()
        return self.heard

    async def take(self, request: web.Request) -> web.Response:
        hook = Hook(request.method, self.url, list(request.query.items()), request.headers, await request.read())
        self.hooks.append(hook)
        self._news.set()
        if self.carrier is None:
            return web.Response()
        try:
            heard = self.carrier.hear(hook)
        except HookRefused as refused:
            self.refusals.append(refused.status)
            return web.Response(status=refused.status)
        self.heard.extend(heard)
        self._news.set()
        body, kind = self.carrier.thanks
        return web.Response(body=body, content_type=kind)


@asynccontextmanager
async def listening_ear() -> AsyncIterator[Ear]:
    """Without a `carrier` it only keeps the hooks."""
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    ear = Ear("")
    app.router.add_route("*", "/hook", ear.take)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ear.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield ear
    finally:
        await runner.cleanup()


@asynccontextmanager
async def client_of(url: str, patience: float = 5.0) -> AsyncIterator[HttpClient]:
    client = HttpClient(url, connections=50, connect=2.0, timeout=patience)
    try:
        yield client
    finally:
        await client.close()


class Paper:
    """A client that writes down what it was asked, as octets, and replies what it was given."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
    ) -> Reply:
        octets = urlencode(form).encode() if form is not None else dumps(json) if json is not None else body or b""
        self.asked.append((method, url, dict(headers or {}), octets))
        return self.replies.pop(0)


def reply(status: int = 200, body: bytes = b"", **headers: str) -> Reply:
    return Reply(status, CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}), body)


def hook(
    method: str = "POST",
    *,
    query: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    json: Any = None,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    url: str = "https://gw.example.com/cb",
) -> Hook:
    """A notification."""
    sent = CIMultiDict(headers or {})
    if form is not None:
        body = urlencode(form).encode()
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
    elif json is not None:
        body = dumps(json)
        sent.setdefault("Content-Type", "application/json")
    return Hook(method, f"{url}?{urlencode(query)}" if query else url, list((query or {}).items()), sent, body)
