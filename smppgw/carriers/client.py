"""Requests to a carrier: one pool of kept connections, and two kinds of failure that must not be confused."""

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError
from yarl import URL

from smppgw.reasons import why

EXCERPT = 200
"""Characters of a reply that a log line may show."""

MAX_REPLY = 1 << 20
"""Octets of a reply; a longer one is no reply of a carrier."""

LATE = "no reply in time"

PLACES = 100
"""URLs that are remembered."""


class Unsent(Exception):
    """The request never left: no connection. It may be sent again without doubt."""


class Unanswered(Exception):
    """The request left, and no reply came, or not a whole one: the carrier may have acted on it."""


class BadReply(Exception):
    """The reply is not what the API promises."""


class Reply:
    """A reply, whatever its status."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        """Case-insensitive."""
        self.body = body

    def json(self) -> Any:
        """Raises BadReply."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise BadReply(f"http {self.status}, and its body is no JSON: {self.excerpt!r}") from None

    @property
    def excerpt(self) -> str:
        """The beginning of the body, in one line."""
        return " ".join(self.body[: 4 * EXCERPT].decode("utf-8", "replace").split())[:EXCERPT]

    @property
    def retry_after(self) -> float:
        """Seconds of a Retry-After header, in either form (RFC 9110, 10.2.3); 0 without one."""
        value = self.headers.get("Retry-After", "").strip()
        if value.isascii() and value.isdigit():
            return min(float(value), 86400.0)
        try:
            return min(max(0.0, parsedate_to_datetime(value).timestamp() - time()), 86400.0)
        except (ValueError, TypeError, OverflowError):
            return 0.0


class Client(Protocol):
    """How a carrier asks."""

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
        """`url` is whole, or a path below the connector's `url`. At most one of form, json and body. Redirects are not
        followed. Raises Unsent or Unanswered."""


class HttpClient:
    """The pool, TLS and parser of aiohttp. Its session is left out: it costs three times what the rest does (60 us a
    request), and repeats a GET or PUT whose connection breaks, which may be a message sent twice."""

    def __init__(
        self,
        url: str,
        *,
        connections: int,
        connect: float,
        timeout: float,
        idle: float = 10.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._connections = connections
        self._patience = aiohttp.ClientTimeout(total=None, connect=timeout, sock_connect=connect)
        self._timeout = timeout
        """From the request to the end of the reply."""
        self._idle = idle
        self._tls = tls
        self._pool: aiohttp.TCPConnector | None = None
        self._places: dict[str, _Place] = {}

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
        kind = ""
        if form is not None:
            body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif json is not None:
            body, kind = dumps(json), "application/json"
        try:
            place = self._places.get(url) or self._place(url)
            octets = place.head(method, headers or {}, kind, body)
            connection, protocol, transport = await self._connection(place)
        except TimeoutError as error:
            raise Unsent("no connection in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unsent(_reason(error)) from error
        return await self._exchange(connection, protocol, transport, octets + body if body else octets)

    async def close(self) -> None:
        """Also when it was never used."""
        pool, self._pool = self._pool, None
        self._places.clear()
        if pool is not None:
            await pool.close()

    def _place(self, url: str) -> "_Place":
        whole = url if url.startswith(("http://", "https://")) else self._url + url
        try:
            place = _Place(URL(whole))
        except ValueError as error:
            raise aiohttp.InvalidURL(whole) from error
        if len(self._places) >= PLACES:
            self._places.clear()
        self._places[url] = place
        return place

    async def _connection(self, place: "_Place") -> tuple[Connection, ResponseHandler, asyncio.Transport]:
        if self._pool is None:
            self._pool = aiohttp.TCPConnector(
                limit=self._connections, keepalive_timeout=self._idle, ssl=self._tls or True, ttl_dns_cache=60
            )
        for _ in range(self._connections + 1):
            connection = await self._pool.connect(place.request, [], self._patience)
            protocol, transport = connection.protocol, connection.transport
            if protocol is not None and transport is not None and not protocol.should_close:
                return connection, protocol, transport
            connection.close()  # the carrier said something that nobody asked: the next reply could be another's
        raise Unsent("the carrier speaks before it is asked")

    async def _exchange(
        self, connection: Connection, protocol: ResponseHandler, transport: asyncio.Transport, octets: bytes
    ) -> Reply:
        loop = asyncio.get_running_loop()
        limit = loop.call_later(self._timeout, transport.abort)
        complete = False
        try:
            protocol.set_response_params(read_until_eof=True)
            transport.write(octets)
            head, body = await protocol.read()
            while head.code < 200 and head.code != 101:
                head, body = await protocol.read()
            reply = Reply(head.code, head.headers, await _all(head.headers, body))
            complete = loop.time() < limit.when()
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            raise Unanswered(LATE if loop.time() >= limit.when() else _reason(error)) from error
        finally:
            limit.cancel()
            if complete:
                connection.release()
            else:
                connection.close()
        if not complete:  # it ended because we cut it
            raise Unanswered(LATE)
        return reply


class _Place:
    """What requests to one URL have in common."""

    def __init__(self, url: URL) -> None:
        """Raises ValueError for what is no URL."""
        self.request = aiohttp.ClientRequest("GET", url, loop=asyncio.get_running_loop())
        """What the pool finds a connection by; it is never sent."""
        host = self.request.headers["Host"]
        self._target = f" {url.raw_path_qs} HTTP/1.1\r\n"
        self._default = {
            "host": f"Host: {host}\r\n",
            "user-agent": "User-Agent: smppgw\r\n",
            "accept": "Accept: */*\r\n",
            "accept-encoding": "Accept-Encoding: gzip, deflate\r\n",
        }
        if url.user is not None or url.password is not None:
            who = b64encode(f"{url.user or ''}:{url.password or ''}".encode()).decode()
            self._default["authorization"] = f"Authorization: Basic {who}\r\n"
        self._defaults = "".join(self._default.values())

    def head(self, method: str, headers: Mapping[str, str], kind: str, body: bytes | None) -> bytes:
        """Of a request with these headers, and with `kind` as the Content-Type where they name none."""
        names = {name.lower() for name in headers}
        if names.isdisjoint(self._default):
            defaults = self._defaults
        else:
            defaults = "".join(line for name, line in self._default.items() if name not in names)
        given = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        if given.count("\r") != len(headers) or given.count("\n") != len(headers) or "\0" in given:
            raise ValueError("a header has a line end in it")
        if kind and "content-type" not in names:
            given += f"Content-Type: {kind}\r\n"
        if body is not None or method != "GET":
            given += f"Content-Length: {len(body or b'')}\r\n"
        return f"{method}{self._target}{defaults}{given}\r\n".encode()


async def _all(headers: Mapping[str, str], body: aiohttp.StreamReader) -> bytes:
    length = headers.get("Content-Length", "")
    if length.isdecimal() and int(length) <= MAX_REPLY and "Content-Encoding" not in headers:
        return await body.read()
    octets = bytearray()
    async for chunk in body.iter_any():
        octets += chunk
        if len(octets) > MAX_REPLY:
            raise aiohttp.ClientPayloadError(f"a reply of more than {MAX_REPLY} octets")
    return bytes(octets)


def dumps(value: Any) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _reason(error: Exception) -> str:
    inner = getattr(error, "os_error", None)
    if isinstance(inner, OSError):
        return why(inner)
    if isinstance(error, OSError):
        return why(error)
    return str(error) or type(error).__name__
