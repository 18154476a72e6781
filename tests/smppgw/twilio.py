"""What tests of the Twilio carriers share: a client that writes down what is asked, notifications, a simulator."""

import json as json_
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiohttp import web
from multidict import CIMultiDict

from smppgw.carriers.client import HttpClient, Reply
from smppgw.carriers.contract import Hook, Text
from smppgw.carriers.twilio import signature
from smppgw.simulate.twilio import TwilioSimulator
from smppgw.simulate.twilio_account import ACCOUNT, TOKEN, TwilioOptions
from smppgw.simulate.twilio_commands import SIM

WEBHOOK = "https://gw.example.com/cb/tw"
FORM = "application/x-www-form-urlencoded"
MESSAGE = "SM" + "a" * 32
COMMAND = "DC" + "a" * 32
BASIC = "Basic QUNhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYTphdXRodG9rZW4="
"""Of the account and the token "authtoken"."""

MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"
COMMANDS = "/v1/Commands"
GOOD = {"To": "+819012345678", "From": "+15017122661", "Body": "hello"}
ORDER = {"Sim": SIM, "Command": "SET APN=x"}
KNOWN = {"Authorization": f"Basic {b64encode(f'{ACCOUNT}:{TOKEN}'.encode()).decode()}"}
"""Whom the simulator answers."""


def reply(body: object, status: int = 201, **headers: str) -> Reply:
    octets = body if isinstance(body, bytes) else json_.dumps(body).encode()
    return Reply(status, CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}), octets)


def error(code: int, status: int = 400, **headers: str) -> Reply:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return reply(
        {"code": code, "message": "To +819012345678 is wrong", "more_info": more, "status": status}, status, **headers
    )


class Scribe:
    """A client that writes down what is asked, and replies as it was told; the last reply again and again."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies) or [reply({"sid": MESSAGE})]
        self.asked: list[tuple[str, str, str]] = []
        """Method, url, and the body of a form."""
        self.headers: Mapping[str, str] = {}

    async def request(
        self, method: str, url: str, *, headers: Any = None, form: Any = None, json: Any = None, body: Any = None
    ) -> Reply:
        assert json is None
        assert body is None
        self.asked.append((method, url, urlencode(form or {})))
        self.headers = headers
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    @property
    def form(self) -> dict[str, str]:
        """Of the last request."""
        return dict(parse_qsl(self.asked[-1][2], keep_blank_values=True))


def text(said: str = "hello", **fields: Any) -> Text:
    return Text(**{"tag": "01", "source": "", "destination": "+819012345678", "text": said, **fields})


def posted(body: str | Mapping[str, str], url: str = WEBHOOK, *, stated: str = "", kind: str = FORM) -> Hook:
    """A form that Twilio posts, with the right signature unless another one is stated."""
    body = body if isinstance(body, str) else urlencode(body)
    pairs = parse_qsl(body, keep_blank_values=True)
    signed = stated or signature(TOKEN.encode(), url, pairs).decode()
    headers = CIMultiDict({"Content-Type": kind, "X-Twilio-Signature": signed})
    return Hook("POST", url, parse_qsl(url.partition("?")[2], keep_blank_values=True), headers, body.encode())


def got(fields: Mapping[str, str], url: str = WEBHOOK) -> Hook:
    """A GET by Twilio."""
    url = f"{url}?{urlencode(fields)}"
    headers = CIMultiDict({"X-Twilio-Signature": signature(TOKEN.encode(), url).decode()})
    return Hook("GET", url, list(fields.items()), headers, b"")


class Hooks:
    """A webhook that keeps what it was told."""

    def __init__(self) -> None:
        self.url = ""
        self.heard: list[Hook] = []

    async def take(self, request: web.Request) -> web.Response:
        url = self.url + (f"?{request.rel_url.raw_query_string}" if request.query_string else "")
        pairs = list(request.query.items())
        self.heard.append(Hook(request.method, url, pairs, request.headers, await request.read()))
        return web.Response()


@asynccontextmanager
async def simulator(**options: Any) -> AsyncIterator[tuple[TwilioSimulator, HttpClient, Hooks]]:
    """Twilio on a port of its own, a client for it, and a webhook that it knows."""
    hooks = Hooks()
    app = web.Application()
    app.router.add_route("*", "/cb/tw", hooks.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hooks.url = f"http://127.0.0.1:{runner.addresses[0][1]}/cb/tw"
    twilio = TwilioSimulator(TwilioOptions(webhook=hooks.url, **{"receipt_after": 0.01, **options}))
    port = await twilio.start()
    client = HttpClient(f"http://127.0.0.1:{port}", connections=10, connect=5, timeout=5)
    try:
        yield twilio, client, hooks
    finally:
        await client.close()
        await twilio.stop()
        await runner.cleanup()


async def ask(
    client: HttpClient, method: str, path: str, form: dict[str, str] | None = None, headers: Any = None
) -> Reply:
    return await client.request(method, path, headers=KNOWN if headers is None else headers, form=form)


async def refused(path: str, form: dict[str, str], **options: Any) -> tuple[int, int]:
    """The HTTP status and the code of the error."""
    async with simulator(**options) as (twilio, client, _):
        reply = await ask(client, "POST", path, form)
        body = reply.json()
        assert body == {
            "code": body["code"],
            "message": body["message"],
            "more_info": f"https://www.twilio.com/docs/errors/{body['code']}",
            "status": reply.status,
        }
        assert (twilio.counts["refused"], twilio.accepted) == (1, {})
        return reply.status, body["code"]
