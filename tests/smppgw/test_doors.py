"""Who says nothing, or too little, on an HTTP port keeps nobody out, and goes in time."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop
from aiohttp import web

from smppgw.doors import Door, House, Site

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
FOREVER, SOON = 60.0, 0.2
Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """The tools run on the first, the gateway on the second."""
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run


class Peer:
    """A connection to a site."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def heard(self) -> bytes:
        """The status line of the next answer; nothing when the connection was closed."""
        try:
            async with asyncio.timeout(10):
                head = await self.reader.readuntil(b"\r\n\r\n")
                await self.reader.readexactly(2)
        except (OSError, asyncio.IncompleteReadError):
            return b""
        return head.partition(b"\r\n")[0]

    async def ended(self) -> bool:
        return await self.heard() == b""

    async def served(self) -> bool:
        self.say(GET)
        return await self.heard() == b"HTTP/1.1 200 OK"


class Scene:
    """A site with a door of few places."""

    def __init__(self, context: ssl.SSLContext | None = None, house: House | None = None, **limits: Any) -> None:
        limits = {"head_within": FOREVER, "body_within": FOREVER, "per_port": 3, "per_address": 3, **limits}
        self.door = Door("test", house=house or House(100), **limits)
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.port = 0
        self._context = context
        self._peers: list[Peer] = []

    async def _ok(self, request: web.Request) -> web.Response:
        await request.read()
        await self.may_answer.wait()
        return web.Response(text="ok")

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Scene"]:
        app = web.Application()
        app.router.add_route("*", "/", self._ok)
        site = Site("test", app, 1.0, self.door)
        self.port = await site.open("127.0.0.1", 0, self._context)
        yield self
        for peer in self._peers:
            peer.writer.transport.abort()
        await site.close()

    async def peer(self, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Peer:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", self.port, ssl=context, local_addr=(host, 0)))
        self._peers.append(peer)
        return peer

    async def seen(self, count: int) -> None:
        async with asyncio.timeout(10):
            while self.door.held != count:  # noqa: ASYNC110  nobody tells when the kernel has brought them
                await asyncio.sleep(0)


@pytest.mark.parametrize("octets", [b"", b"GET / HTTP/1.1\r\nHo", POST, POST + b"o"])
def test_who_does_not_say_all_of_a_request_in_time_is_closed(run: Run, octets: bytes) -> None:
    async def scene() -> None:
        async with Scene(head_within=SOON, body_within=SOON).open() as at:
            peer = await at.peer()
            peer.say(octets)
            assert await peer.ended()
            assert at.door.held == 0

    run(scene())


def test_nor_may_a_later_request_stay_unfinished(run: Run) -> None:
    async def scene() -> None:
        async with Scene(head_within=SOON, body_within=SOON).open() as at:
            peer = await at.peer()
            assert await peer.served()
            peer.say(b"GET / HTT")
            assert await peer.ended()

    run(scene())


def test_who_waits_for_an_answer_or_between_requests_is_not_late(run: Run) -> None:
    async def scene() -> None:
        async with Scene(head_within=SOON, body_within=SOON).open() as at:
            kept, waiting, silent = [await at.peer() for _ in range(3)]
            assert await kept.served()
            at.may_answer.clear()
            waiting.say(POST + b"ok")
            assert await silent.ended()
            again = await at.peer(host="127.0.0.2")
            assert await again.ended()
            at.may_answer.set()
            assert await waiting.heard() == b"HTTP/1.1 200 OK"
            assert await kept.served()

    run(scene())


@pytest.mark.parametrize("octets", [b"", b"GET / HTTP/1.1\r\nHo", POST, GET], ids=["silent", "head", "body", "kept"])
def test_at_the_ports_limit_who_has_waited_longest_makes_room(run: Run, octets: bytes) -> None:
    async def scene() -> None:
        async with Scene(per_address=100).open() as at:
            silent = [await at.peer() for _ in range(3)]
            await at.seen(3)
            for each in silent:
                each.say(octets)
                if octets == GET:
                    assert await each.heard()
            assert all([await (await at.peer()).served() for _ in range(9)])
            assert all([await each.ended() for each in silent])
            assert at.door.held == 3

    run(scene())


def test_who_waits_for_an_answer_never_makes_room(run: Run) -> None:
    async def scene() -> None:
        async with Scene(per_address=100).open() as at:
            at.may_answer.clear()
            peers = [await at.peer() for _ in range(3)]
            for peer in peers:
                peer.say(GET)
            async with asyncio.timeout(10):
                while at.door.waiting:  # noqa: ASYNC110  as there
                    await asyncio.sleep(0)
            assert await (await at.peer()).ended()
            at.may_answer.set()
            assert [await peer.heard() for peer in peers] == [b"HTTP/1.1 200 OK"] * 3

    run(scene())


def test_one_address_has_its_own_limit(run: Run) -> None:
    async def scene() -> None:
        async with Scene(per_port=100).open() as at:
            held = [await at.peer() for _ in range(3)]
            await at.seen(3)
            assert await (await at.peer()).ended()
            assert await (await at.peer(host="127.0.0.2")).served()
            held[0].writer.close()
            await at.seen(3)
            assert await (await at.peer()).served()

    run(scene())


def test_ports_share_what_a_house_may_hold_and_the_fullest_makes_room(run: Run) -> None:
    async def scene() -> None:
        house = House(4)
        many: dict[str, Any] = {"per_port": 100, "per_address": 100}
        async with Scene(house=house, **many).open() as one, Scene(house=house, **many).open() as other:
            kept = await other.peer()
            assert await kept.served()
            silent = [await one.peer() for _ in range(6)]
            await silent[0].ended()
            assert await (await other.peer()).served()
            assert await kept.served()
            assert one.door.held + other.door.held == 4
        assert not house.doors

    run(scene())


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's, and that of a client who trusts it."""
    at: Path = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(at / "key"),
         "-out", str(at / "pem")],
        check=True, capture_output=True, timeout=20,
    )  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(at / "pem", at / "key")
    return server, ssl.create_default_context(cafile=str(at / "pem"))


Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


def test_a_request_that_comes_with_the_end_of_the_handshake_is_answered(run: Run, contexts: Contexts) -> None:
    async def scene() -> None:
        async with Scene(contexts[0], per_port=100, per_address=100).open() as at:
            for _ in range(20):
                peer = await at.peer(contexts[1])
                assert await peer.served()
                assert await peer.served()

    run(scene())


@pytest.mark.parametrize("octets", [b"", b"\x16\x03", GET], ids=["silent", "half", "plain"])
def test_a_handshake_is_counted_and_has_to_come_in_time(run: Run, contexts: Contexts, octets: bytes) -> None:
    async def scene() -> None:
        async with Scene(contexts[0], head_within=SOON).open() as at:
            peer = await at.peer()
            peer.say(octets)
            await at.seen(1)
            assert await peer.ended() or octets == GET
            await at.seen(0)
        async with Scene(contexts[0], per_address=100).open() as at:
            silent = [await at.peer() for _ in range(3)]
            await at.seen(3)
            assert await (await at.peer(contexts[1])).served()
            assert await silent[0].ended()
            silent[1].writer.transport.abort()
            await at.seen(2)

    run(scene())
