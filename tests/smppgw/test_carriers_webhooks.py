"""Notifications are let in by the connector they name, and get their 200 when they are on disk."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from smppgw.carriers.webhooks import BODY_WITHIN, SAFE_WITHIN, WebhookServer
from smppgw.ports import free_port
from smppgw.settings import Webhooks
from tests.smppgw.carried import Rig, settle
from tests.smppgw.jumping import advance, jumping, until

GUARDED: dict[str, Any] = {"webhook_user": "me", "webhook_password": "pässword"}


class Caller:
    """A carrier's connection."""

    def __init__(self, read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        self.came = bytearray()
        self.write = write
        self._task = asyncio.ensure_future(self._listen(read))

    async def _listen(self, read: asyncio.StreamReader) -> None:
        while data := await read.read(65536):
            self.came += data

    @property
    def status(self) -> int:
        """0: no answer yet."""
        return int(self.came.split(b" ", 2)[1]) if self.came else 0

    async def answer(self) -> int:
        await until(lambda: self.came)
        await settle()
        return self.status

    def close(self) -> None:
        self.write.transport.abort()
        self._task.cancel()


class Desk:
    def __init__(self, rig: Rig, server: WebhookServer, port: int) -> None:
        self.rig = rig
        self.server = server
        self.port = port
        self.callers: list[Caller] = []

    @property
    def counts(self) -> dict[int, int]:
        return dict(self.rig.connector.counts.notifications)

    async def call(self, body: bytes = b"", path: str = "/hook", method: str = "POST", **headers: str) -> Caller:
        lines = [
            f"{name.replace('_', '-')}: {value}\r\n"
            for name, value in {"Content_Length": str(len(body)), **headers}.items()
        ]
        caller = Caller(*await asyncio.open_connection("127.0.0.1", self.port))
        self.callers.append(caller)
        caller.write.write(f"{method} {path} HTTP/1.1\r\nHost: gw.test\r\n{''.join(lines)}\r\n".encode() + body)
        return caller

    async def asked(self, body: bytes = b"", path: str = "/hook", **headers: str) -> int:
        return await (await self.call(body, path, **headers)).answer()


@asynccontextmanager
async def listening(webhooks: dict[str, Any] | None = None, **keys: Any) -> AsyncIterator[Desk]:
    rig = Rig(**{"webhook_path": "/hook", **keys})
    port = free_port()
    settings = Webhooks.model_validate({"host": "127.0.0.1", "port": port, **(webhooks or {})})
    server = WebhookServer(settings, lambda: {rig.connector.settings.webhook_path: rig.connector})
    assert await server.start() == port
    desk = Desk(rig, server, port)
    try:
        yield desk
    finally:
        for caller in desk.callers:
            caller.close()
        await server.stop()


def basic(words: str) -> str:
    return "Basic " + base64.b64encode(words.encode()).decode()


@jumping
async def test_a_notification_is_answered_when_it_is_on_disk_and_not_before() -> None:
    async with listening() as desk:
        asker = desk.rig.submit()
        await desk.rig.taken(asker)
        desk.rig.store.hold()
        caller = await desk.call(asker.id)
        await until(lambda: desk.rig.script.hooks)
        await advance(1)
        assert caller.status == 0
        desk.rig.store.flow()
        assert await caller.answer() == 200
        assert caller.came.endswith(b"ok")
        assert (desk.rig.kinds(), desk.counts) == ("D", {200: 1})


@jumping
async def test_what_is_not_on_disk_in_time_is_to_come_again() -> None:
    async with listening() as desk:
        asker = desk.rig.submit()
        await desk.rig.taken(asker)
        desk.rig.store.hold()
        caller = await desk.call(asker.id)
        await until(lambda: desk.rig.script.hooks)
        await advance(SAFE_WITHIN + 1)
        assert await caller.answer() == 503
        assert b"Retry-After: 1" in caller.came
        desk.rig.store.flow()
        await settle()
        assert await desk.asked(asker.id) == 200
        assert (desk.rig.kinds(), desk.counts) == ("D", {503: 1, 200: 1})


@jumping
async def test_while_the_store_refuses_every_notification_is_to_come_again() -> None:
    async with listening() as desk:
        desk.rig.store.trouble = "full"
        desk.rig.submit()
        await settle()
        assert await desk.asked(b"x") == 503


@jumping
async def test_a_path_that_no_connector_has_is_not_found() -> None:
    async with listening() as desk:
        assert [await desk.asked(path=path) for path in ("/", "/hook/", "/hooks", "/Hook")] == [404] * 4
        assert await desk.asked(b"x", "/ho%6Fk?a=b") == 200


@jumping
async def test_what_a_carrier_refuses_is_answered_as_it_says() -> None:
    async with listening() as desk:
        assert await desk.asked(b"forged") == 403
        assert desk.counts == {403: 1}


@jumping
async def test_only_the_right_user_and_password_are_let_in_and_nothing_of_others_is_read() -> None:
    async with listening(**GUARDED) as desk:
        wrong = ["", "Basic", "Basic ???", "Bearer x", basic("me"), basic("me:password"), basic("you:pässword")]
        for words in wrong:
            assert await desk.asked(b"x", Authorization=words) == 401
        assert b'WWW-Authenticate: Basic realm="smppgw"' in desk.callers[0].came
        assert desk.rig.script.hooks == []
        assert await desk.asked(b"x", Authorization=basic("me:pässword")) == 200
        assert await desk.asked(b"x", Authorization=basic("me:pässword").replace("Basic", "bAsIc")) == 200


@jumping
async def test_only_callers_in_its_networks_are_let_in() -> None:
    async with listening(webhook_networks=["192.0.2.0/24"]) as desk:
        assert await desk.asked(b"x") == 403
        assert await desk.asked(b"x", X_Forwarded_For="192.0.2.1") == 403


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [
        ("192.0.2.1", 200),
        ("198.51.100.7, 192.0.2.1", 200),
        ("192.0.2.1, 127.0.0.1", 200),
        ("192.0.2.1, 198.51.100.7", 403),
        ("192.0.2.1, junk", 403),
        ("junk", 403),
        ("", 403),
    ],
)
@jumping
async def test_behind_a_proxy_of_ours_the_caller_is_whom_it_names_last(forwarded: str, status: int) -> None:
    async with listening({"proxies": ["127.0.0.0/8"]}, webhook_networks=["192.0.2.0/24"]) as desk:
        assert await desk.asked(b"x", X_Forwarded_For=forwarded) == status


@jumping
async def test_a_body_that_is_too_long_is_refused() -> None:
    async with listening({"max_body": 1024}) as desk:
        assert await desk.asked(b"x" * 1024) == 200
        assert await desk.asked(b"x" * 1025) == 413
        assert desk.counts == {200: 1, 413: 1}


@jumping
@pytest.mark.parametrize("encoding", ["deflate", "gzip"])
async def test_a_body_that_cannot_be_unpacked_is_refused(encoding: str) -> None:
    async with listening() as desk:
        assert await desk.asked(b"xx", Content_Encoding=encoding) == 400
        assert desk.counts == {400: 1}


@jumping
async def test_a_refusal_can_be_written_whatever_a_header_held() -> None:
    async with listening({"proxies": ["127.0.0.0/8"]}, webhook_networks=["127.0.0.1/32"]) as desk:
        caller = Caller(*await asyncio.open_connection("127.0.0.1", desk.port))
        desk.callers.append(caller)
        caller.write.write(b"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nX-Forwarded-For: \xff\r\n\r\n")
        assert await caller.answer() == 403
        assert b"\\udcff" in caller.came


@jumping
async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async with listening() as desk:
        caller = await desk.call(Content_Length="10")
        await advance(BODY_WITHIN + 1)
        assert await caller.answer() == 400


@pytest.mark.parametrize(
    ("webhook_url", "path", "url"),
    [
        ("", "/hook?a=%20b&a=2", "http://gw.test/hook?a=%20b&a=2"),
        ("https://gw.example.com/in", "/hook", "https://gw.example.com/in"),
        ("https://gw.example.com/in", "/hook?a=1", "https://gw.example.com/in?a=1"),
        ("https://gw.example.com/in?key=s", "/hook?key=s&a=%2B1", "https://gw.example.com/in?key=s&a=%2B1"),
    ],
)
@jumping
async def test_a_carrier_sees_the_url_as_it_called_it(webhook_url: str, path: str, url: str) -> None:
    """A query that is part of webhook_url comes with the call, and is there once: signatures cover it."""
    async with listening(webhook_url=webhook_url) as desk:
        assert await desk.asked(b"x", path) == 200
        (hook,) = desk.rig.script.hooks
        assert (hook.method, hook.url, hook.body) == ("POST", url, b"x")
        assert hook.headers["content-LENGTH"] == "1"


@jumping
async def test_a_carrier_sees_the_query_decoded_with_blank_and_repeated_fields() -> None:
    async with listening() as desk:
        await desk.asked(b"x", "/hook?a=%E3%81%82&b=&a=+2")
        assert list(desk.rig.script.hooks[0].query) == [("a", "あ"), ("b", ""), ("a", " 2")]


@jumping
async def test_after_a_reload_a_call_is_its_successors() -> None:
    async with listening() as desk:
        asker = desk.rig.submit()
        await desk.rig.taken(asker)
        desk.rig.reload(webhook_path="/other")
        assert [await desk.asked(asker.id), await desk.asked(asker.id, "/other")] == [404, 200]
        assert desk.rig.kinds() == "D"


async def test_without_a_port_it_does_not_listen() -> None:
    server = WebhookServer(Webhooks(), dict)
    assert await server.start() == 0
    await server.stop()


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            OSError, match=rf"cannot listen on 127\.0\.0\.1:{port} for \[webhooks\]: address already in use"
        ):
            await WebhookServer(Webhooks(host="127.0.0.1", port=port), dict).start()
