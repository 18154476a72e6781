"""Requests to a carrier, as its API wants them, and what its replies say."""

import json
import re
import ssl
from base64 import b64encode
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Protocol
from urllib.parse import urlencode

from yarl import URL

from smppgw.exchange import Connections, Unsent, destination

EXCERPT = 200
"""Characters of a reply that a log line may show."""

PLACES = 100
"""URLs that are remembered."""


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
    """The connections to one carrier, and the URLs that are asked there."""

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
        self._connections = Connections(
            limit=connections, connect=connect, timeout=timeout, idle=idle, tls=lambda: tls or True
        )
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
        place = self._places.get(url) or self._place(url)
        octets = place.head(method, headers or {}, kind, body)
        head, said = await self._connections.ask(place.destination, octets + body if body else octets)
        return Reply(head.code, head.headers, said)

    async def close(self) -> None:
        """Also when it was never used."""
        self._places.clear()
        await self._connections.close()

    def _place(self, url: str) -> "_Place":
        whole = url if url.startswith(("http://", "https://")) else self._url + url
        try:
            place = _Place(URL(whole))
        except ValueError:
            raise Unsent(f"cannot ask {_shown(whole)}") from None
        if len(self._places) >= PLACES:
            self._places.clear()
        self._places[url] = place
        return place


def _shown(url: str) -> str:
    """Where it is: the rest may hold passwords, numbers and texts."""
    scheme, between, rest = url.partition("://")
    return scheme + between + re.split("[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]


class _Place:
    """What requests to one URL have in common."""

    def __init__(self, url: URL) -> None:
        """Raises ValueError for what is no URL."""
        self.destination = destination(url)
        host = self.destination.headers["Host"]
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


def dumps(value: Any) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
