"""Requests to applications: the pool, retries, proxies, and what counts as an answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from smppgw.exchange import MAX_REPLY
from smppgw.kannel.caller import BadUrl, Caller, NoReply
from smppgw.kannel.model import Core
from tests.smppgw.replying import request
from tests.smppgw.talking import talking

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
Answer = Callable[[int, bytes], bytes | None]


class Server:
    """Answers each request by its number and what it is; None closes the connection."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            self.requests.append(await request(reader))
            answer = self._answer(len(self.requests), self.requests[-1])
            if answer is None:
                break
            writer.write(answer)


@asynccontextmanager
async def served(answer: Answer = lambda _number, _head: OK) -> AsyncIterator[Server]:
    server = Server(answer)
    async with talking(server.serve) as server.port:
        yield server


@asynccontextmanager
async def calling(core: Core | None = None, seconds: float = 5.0) -> AsyncIterator[Caller]:
    caller = Caller(core or Core(), timeout=seconds, connections=4)
    yield caller
    await caller.close()


async def test_a_get_is_as_kannel_makes_it() -> None:
    async with served() as server, calling() as caller:
        reply = await caller.get(b"http://127.0.0.1:%d/dlr?a=%%zz&b=\xc3\xa9#x" % server.port)
        assert (reply.status, reply.body, reply.header(b"content-length")) == (200, b"hi", b"2")
        assert server.requests == [
            b"GET /dlr?a=%%zz&b=\xc3\xa9#x HTTP/1.1\r\nConnection: keep-alive\r\nUser-Agent: Kannel/1.4.5\r\n"
            b"Host: 127.0.0.1:%d\r\n\r\n" % server.port
        ]


async def test_a_connection_is_kept() -> None:
    async with served() as server, calling() as caller:
        for _ in range(3):
            await caller.get(b"http://127.0.0.1:%d" % server.port)
        assert server.connections == 1
        assert server.requests[0].startswith(b"GET / HTTP/1.1\r\n")


async def test_a_post_has_its_headers_and_body() -> None:
    async with served() as server, calling() as caller:
        await caller.ask(b"POST", b"http://127.0.0.1:%d/?x" % server.port, ((b"X-A", b"1\r\nX-B: 2"),), b"body")
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert head.startswith(b"POST /?x HTTP/1.1\r\n")
        assert b"\r\nX-A: 1  X-B: 2\r\nContent-Length: 4" in head
        assert body == b"body"


async def test_nothing_in_a_url_ends_its_line() -> None:
    async with served() as server, calling() as caller:
        await caller.get(b"http://127.0.0.1:%d/a b\r\nX: y\0" % server.port)
        assert server.requests[0].startswith(b"GET /a%20b%0D%0AX:%20y%00 HTTP/1.1\r\n")


async def test_name_and_password_of_a_url_are_sent() -> None:
    async with served() as server, calling() as caller:
        await caller.get(b"http://us%%65r:pa@127.0.0.1:%d/auth" % server.port)
        assert b"\r\nAuthorization: Basic dXMlNjVyOnBh\r\n" in server.requests[0]


async def test_redirects_are_followed_five_times() -> None:
    moved = b"HTTP/1.1 302 X\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"
    async with served(lambda _number, _head: moved) as server, calling() as caller:
        reply = await caller.get(b"http://127.0.0.1:%d/dlr" % server.port)
        assert reply.status == 302
        assert not reply.is_success
        assert [request.split()[1] for request in server.requests] == [b"/dlr", *[b"/other"] * 5]


@pytest.mark.parametrize("where", ["http://[x/", "//[", "http://h:port/", "ftp://h/", "http://h:99999/"])
async def test_a_redirect_to_nowhere_is_told_apart(where: str) -> None:
    moved = b"HTTP/1.1 302 X\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % where.encode()
    async with served(lambda _number, _head: moved) as server, calling() as caller:
        with pytest.raises(BadUrl):
            await caller.get(b"http://127.0.0.1:%d/dlr" % server.port)


async def test_a_get_whose_connection_breaks_is_made_once_more() -> None:
    async with served(lambda number, _head: None if number == 2 else OK) as server, calling() as caller:
        for _ in range(2):
            assert (await caller.get(b"http://127.0.0.1:%d/" % server.port)).is_success
        assert len(server.requests) == 3
    async with served(lambda _number, _head: None) as server, calling() as caller:
        with pytest.raises(NoReply, match="broke"):
            await caller.get(b"http://127.0.0.1:%d/" % server.port)
        with pytest.raises(NoReply, match="broke"):
            await caller.ask(b"POST", b"http://127.0.0.1:%d/" % server.port, (), b"once")
        assert len(server.requests) == 3


async def test_what_is_no_reply_says_why() -> None:
    async with served(lambda _number, _head: b"garbage\r\n\r\n") as server, calling() as caller:
        with pytest.raises(NoReply):
            await caller.get(b"http://127.0.0.1:%d/" % server.port)
    async with calling() as caller:
        with pytest.raises(NoReply, match="refused"):
            await caller.get(b"http://127.0.0.1:%d/" % server.port)
    async with served(lambda _number, _head: b"") as server, calling(seconds=0.05) as caller:
        with pytest.raises(NoReply, match="in time"):
            await caller.get(b"http://127.0.0.1:%d/" % server.port)
    long = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_REPLY + 1) + bytes(MAX_REPLY + 1)
    async with served(lambda _number, _head: long) as server, calling() as caller:
        with pytest.raises(NoReply, match="more than"):
            await caller.get(b"http://127.0.0.1:%d/" % server.port)


@pytest.mark.parametrize(
    "url",
    [
        b"",
        b"ftp://h/",
        b"http://",
        b"http:///x",
        b"http://h:port/",
        b"http://[::1/",
        b"http://\xff/",
        b"http://:80/",
        b"http://h:99999/",
        b"http://a..b/",
        b"http://%b.test/" % (b"x" * 64),
    ],
)
async def test_where_nothing_can_be_asked_is_told_apart(url: bytes) -> None:
    async with calling() as caller:
        with pytest.raises(BadUrl):
            await caller.get(url)


async def test_a_proxy_is_asked_unless_the_host_is_an_exception() -> None:
    async with served() as proxy, served() as server:
        core = Core(
            http_proxy_host="127.0.0.1",
            http_proxy_port=proxy.port,
            http_proxy_username="me",
            http_proxy_password="secret",
            http_proxy_exceptions="127.0.0.1",
        )
        async with calling(core) as caller:
            await caller.get(b"http://application.example/dlr")
            await caller.get(b"http://127.0.0.1:%d/" % server.port)
        assert proxy.requests[0].startswith(b"GET http://application.example/dlr HTTP/1.1\r\n")
        assert b"\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\nHost: application.example\r\n" in proxy.requests[0]
        assert len(server.requests) == 1
