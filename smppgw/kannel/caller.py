"""Make the HTTP requests that smsbox made: the callbacks of reports, and the URLs of services."""

import ssl
from base64 import b64encode
from collections.abc import Iterable
from re import Match
from re import compile as pattern
from typing import NamedTuple
from urllib.parse import urljoin

from yarl import URL

from smppgw.exchange import Broken, Connections, Unanswered, Unsent, destination
from smppgw.kannel.model import Core

AGENT = b"Kannel/1.4.5"
"""What applications know the one who asks by."""

MAX_REDIRECTS = 5
IDLE = 60.0
"""Seconds that a connection is kept for the next request; Kannel has 240, and servers often less than that."""

ORIGINS = 1000
"""Servers that are remembered."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_URL = pattern(rb"(?i)(https?)://(?:([^/?#@]*)@)?([^/?#@]+)(.*)")
_BAD = pattern(rb"[\x00-\x20\x7f]")

Headers = Iterable[tuple[bytes, bytes]]


class NoReply(Exception):
    """Why, in words without addresses."""


class BadUrl(Exception):
    """Nothing can ever be asked there."""


class Reply(NamedTuple):
    """A whole one, whatever its status."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: bytes) -> bytes:
        """The first of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), b"")

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Caller:
    """The connections to all applications, and what is remembered of these."""

    def __init__(self, core: Core, *, timeout: float, connections: int) -> None:
        self._proxy = _Proxy(core)
        self._connections = Connections(
            limit=connections, connect=timeout, timeout=timeout, idle=IDLE, tls=lambda: tls(core)
        )
        self._origins: dict[tuple[bytes, bytes, bytes], _Origin] = {}

    async def get(self, url: bytes, headers: Headers = ()) -> Reply:
        """Raises NoReply or BadUrl."""
        return await self.ask(b"GET", url, headers)

    async def ask(self, method: bytes, url: bytes, headers: Headers = (), body: bytes | None = None) -> Reply:
        """Redirects are followed as by Kannel. A GET whose connection breaks is made once more."""
        lines = [b"%b: %b\r\n" % (_line(name), _line(value)) for name, value in headers]
        if body is not None:
            lines.append(b"Content-Length: %d\r\n" % len(body))
        more = b"".join(lines)
        for _ in range(MAX_REDIRECTS + 1):
            origin, target = self._origin(url)
            octets = origin.head(method, target, more) + (body or b"")
            reply = await self._reply(origin, octets, again=method == b"GET")
            if reply.status not in _REDIRECTS or not (where := reply.header(b"Location")):
                return reply
            url = _joined(url, where)
        return reply

    async def close(self) -> None:
        """Also when it was never used."""
        self._origins.clear()
        await self._connections.close()

    def _origin(self, url: bytes) -> tuple["_Origin", bytes]:
        found = _URL.fullmatch(_BAD.sub(_escaped, url))
        if found is None:
            raise BadUrl("it is no http:// or https:// URL")
        scheme, who, where, target = found.groups()
        key = (scheme, who or b"", where)
        origin = self._origins.get(key)
        if origin is None:
            if len(self._origins) >= ORIGINS:
                self._origins.clear()
            origin = self._origins[key] = _Origin(scheme.lower(), who or b"", where, self._proxy)
        return origin, target if target.startswith(b"/") else b"/" + target

    async def _reply(self, origin: "_Origin", octets: bytes, *, again: bool) -> Reply:
        try:
            head, body = await self._connections.ask(origin.destination, octets)
        except Broken:
            if again:
                return await self._reply(origin, octets, again=False)
            raise NoReply("the connection broke") from None
        except (Unsent, Unanswered) as error:
            raise NoReply(str(error)) from None
        except UnicodeError:  # of the resolver, for a label that is empty or too long
            raise BadUrl("it names no host") from None
        return Reply(head.code, head.raw_headers, body)


class _Proxy:
    """Where core says that requests go through."""

    def __init__(self, core: Core) -> None:
        self.url: URL | None = None
        self.authorization = b""
        if core.http_proxy_host:
            scheme = "https" if core.http_proxy_ssl else "http"
            self.url = URL.build(scheme=scheme, host=core.http_proxy_host, port=core.http_proxy_port or None)
        if core.http_proxy_username is not None and core.http_proxy_password is not None:
            self.authorization = basic(f"{core.http_proxy_username}:{core.http_proxy_password}".encode())
        self._hosts = frozenset((core.http_proxy_exceptions or "").split())
        self._regex = pattern(core.http_proxy_exceptions_regex) if core.http_proxy_exceptions_regex else None

    def of(self, scheme: bytes, where: bytes) -> URL | None:
        host = where.rpartition(b":")[0] or where if where[-1:].isdigit() else where
        name = host.decode("latin-1")
        if name in self._hosts:
            return None
        if self._regex is not None and self._regex.search(f"{scheme.decode()}://{where.decode('latin-1')}"):
            return None
        return self.url


class _Origin:
    """What requests to one server have in common."""

    def __init__(self, scheme: bytes, who: bytes, where: bytes, proxy: _Proxy) -> None:
        through = proxy.of(scheme, where)
        more = {"Proxy-Authorization": proxy.authorization.decode()} if proxy.authorization else {}
        try:
            self.destination = destination(URL(f"{scheme.decode()}://{where.decode()}/"), through, more or None)
        except ValueError:
            raise BadUrl("it names no host") from None
        self._start = b"%b://%b" % (scheme, where) if through is not None and scheme == b"http" else b""
        lines = [b" HTTP/1.1\r\nConnection: keep-alive\r\nUser-Agent: " + AGENT + b"\r\n"]
        if who:
            lines.append(b"Authorization: " + basic(who) + b"\r\n")
        if self._start and proxy.authorization:
            lines.append(b"Proxy-Authorization: " + proxy.authorization + b"\r\n")
        self._end = b"".join(lines) + b"Host: %b\r\n" % where

    def head(self, method: bytes, target: bytes, more: bytes) -> bytes:
        return b"%b %b%b%b%b\r\n" % (method, self._start, target, self._end, more)


def tls(core: Core) -> ssl.SSLContext:
    """As Kannel: who is asked must prove nothing unless it was told by ssl-trusted-ca-file whom to believe."""
    context = ssl.create_default_context(cafile=core.ssl_trusted_ca_file)
    if core.ssl_trusted_ca_file is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if core.ssl_client_certkey_file is not None:
        context.load_cert_chain(core.ssl_client_certkey_file)
    return context


def basic(who: bytes) -> bytes:
    return b"Basic " + b64encode(who)


def _joined(url: bytes, where: bytes) -> bytes:
    try:
        return urljoin(url.decode("latin-1"), where.decode("latin-1")).encode("latin-1")
    except ValueError:
        raise BadUrl("it is redirected to what is no URL") from None


def _escaped(found: Match[bytes]) -> bytes:
    return b"%%%02X" % found[0][0]


def _line(value: bytes) -> bytes:
    """What cannot end a header early."""
    return value.replace(b"\r", b" ").replace(b"\n", b" ").replace(b"\0", b"")
