"""Requests to a carrier: one pool of kept connections, and two kinds of failure that must not be confused."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp

from smppgw.reasons import why

EXCERPT = 200
"""Characters of a reply that a log line may show."""

MAX_REPLY = 1 << 20
"""Octets of a reply; a longer one is no reply of a carrier."""


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
    """aiohttp, with the connector's timeouts and TLS. `open` it on the loop, `close` it at the end."""

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
        self._timeout = aiohttp.ClientTimeout(total=timeout, connect=connect)  # with the look-up of the name
        self._idle = idle
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

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
        if not url.startswith(("http://", "https://")):
            url = self._url + url
        sent = dict(headers) if headers else {}
        if form is not None:
            body = urlencode(form).encode()
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif json is not None:
            body = dumps(json)
            sent.setdefault("Content-Type", "application/json")
        session = self._session or self._open()
        try:
            async with session.request(method, url, data=body, headers=sent, allow_redirects=False) as response:
                return Reply(response.status, response.headers, await _all(response))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise Unsent(_reason(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unanswered(_reason(error)) from error

    async def close(self) -> None:
        """Also when it was never used."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._connections, keepalive_timeout=self._idle, ssl=self._tls or True, ttl_dns_cache=60
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            auto_decompress=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "smppgw"},
            trust_env=False,
        )
        return self._session


async def _all(response: aiohttp.ClientResponse) -> bytes:
    length = response.content_length
    if length is not None and length <= MAX_REPLY and "Content-Encoding" not in response.headers:
        return await response.read()
    octets = bytearray()
    async for chunk in response.content.iter_any():
        octets += chunk
        if len(octets) > MAX_REPLY:
            raise aiohttp.ClientPayloadError(f"a reply of more than {MAX_REPLY} octets")
    return bytes(octets)


def dumps(value: Any) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _reason(error: BaseException) -> str:
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
        return "no reply in time" if not isinstance(error, aiohttp.ConnectionTimeoutError) else "no connection in time"
    inner = getattr(error, "os_error", None)
    if isinstance(inner, OSError):
        return why(inner)
    if isinstance(error, OSError):
        return why(error)
    return str(error) or type(error).__name__
