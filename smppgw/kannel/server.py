"""Open a port of HTTP that answers as Kannel's own server does, header for header."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import NamedTuple

import structlog
from aiohttp import web

from smppgw.doors import Door
from smppgw.kannel.access import plain
from smppgw.reasons import why
from smppgw.tls import for_server

log = structlog.get_logger()

MAX_LINE = 1 << 16
"""Octets of a URL, and of one header: a text in several parts is a long URL."""
MAX_BODY = 1 << 20
NAME = "smppgw"


class Request(NamedTuple):
    """What came."""

    method: str
    path: str
    """As it stands in the request, without its query."""
    query: str
    headers: Mapping[str, str]
    """Their names in any case."""
    body: bytes | None
    """None: it is no POST."""
    ip: str


class Reply(NamedTuple):
    """What goes back."""

    status: int
    body: bytes
    headers: bytes = b"Content-type: text/html\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n"
    """Lines, each with its end, after those of every reply."""


Handler = Callable[[Request], Awaitable[Reply | None]]
"""None: the connection is closed without a word."""

_METHODS = frozenset({"GET", "HEAD", "POST"})
_NO_SUCH_METHOD = Reply(400, b"", b"")
_BROKEN = Reply(500, b"Internal error.")
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


class Certificate(NamedTuple):
    """Where the files of a TLS port are."""

    tls_certificate: str | None
    tls_key: str | None


class Port:
    """One port and its connections; `handler` answers each request."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: web.Server | None = None
        self._listening: asyncio.Server | None = None
        self._door = Door("kannel")
        self._second = 0
        self._date = b""

    async def open(self, host: str | None, port: int, certificate: Certificate | None = None, what: str = "") -> int:
        """The port that it listens on. OSError, with a reason for a person, when it cannot be had."""
        server = web.Server(
            self._answer,
            access_log=None,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
            auto_decompress=False,
        )
        where = f"{host or '*'}:{port}"
        try:
            context = for_server(certificate) if certificate is not None else None
            listening = await asyncio.get_running_loop().create_server(
                self._door.guard_server(server, context), host, port, backlog=1024, reuse_address=True
            )
        except (OSError, ssl.SSLError) as error:
            raise OSError(f"cannot listen on {where}{what and f' for {what}'}: {why(error)}") from error
        self._server, self._listening = server, listening
        return int(listening.sockets[0].getsockname()[1])

    async def close(self, patience: float = 1.0) -> None:
        """Take no more connections; requests under way may end in this time. Also when it was never open."""
        listening, self._listening = self._listening, None
        server, self._server = self._server, None
        if listening is not None:
            listening.close()
        if server is not None:
            server.pre_shutdown()
            await server.shutdown(patience)
        self._door.close()

    async def _answer(self, asked: web.BaseRequest) -> web.StreamResponse:
        method = asked.method
        if method not in _METHODS:
            return _Written(self._written(_NO_SUCH_METHOD, asked, alive=False), alive=False)
        body = None
        if method == "POST":
            try:
                body = await asked.content.read(MAX_BODY + 1) if asked.can_read_body else b""
                while len(body) <= MAX_BODY and not asked.content.at_eof():
                    body += await asked.content.read(MAX_BODY + 1)
            except web.RequestPayloadError:
                return _Written(self._written(_NO_SUCH_METHOD, asked, alive=False), alive=False)
            if len(body) > MAX_BODY:
                return _Written(self._written(Reply(413, b""), asked, alive=False), alive=False)
        path, _, query = asked.raw_path.partition("?")
        try:
            reply = await self._handler(Request(method, path, query, asked.headers, body, plain(asked.remote or "")))
        except Exception:  # a bug of ours: who asked must hear that it was not taken
            log.exception("request failed", path=path)
            reply = _BROKEN
        if reply is None:
            return _Written(b"", alive=False)
        alive = asked.keep_alive
        return _Written(self._written(reply, asked, alive), alive)

    def _written(self, reply: Reply, asked: web.BaseRequest, alive: bool) -> bytes:
        body = reply.body
        version = b"1.1" if asked.version.minor else b"1.0"
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._date = formatdate(second, usegmt=True).encode()
        head = (
            b"HTTP/%b %d %b\r\nServer: %b\r\nDate: %b\r\nContent-Length: %d\r\nConnection: %b\r\n%b\r\n"
            % (version, reply.status, _REASONS[reply.status], NAME.encode(), self._date, len(body),
               b"Keep-Alive" if alive else b"Close", reply.headers)
        )  # fmt: skip
        return head if asked.method == "HEAD" else head + body


class _Written(web.StreamResponse):
    """A response whose octets are there already: aiohttp only has to pass them on."""

    def __init__(self, octets: bytes, alive: bool) -> None:
        # Nothing of what StreamResponse keeps is needed: its octets are made.
        self._octets = octets
        self._alive = alive

    @property
    def keep_alive(self) -> bool | None:
        return self._alive

    async def prepare(self, request: web.BaseRequest) -> None:
        transport = request.transport
        if transport is not None:
            transport.write(self._octets)

    async def write_eof(self, data: bytes = b"") -> None:
        pass
