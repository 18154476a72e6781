"""A request and its reply on one of the kept connections, and how far a request came that has no reply."""

import asyncio
import ssl
from collections.abc import Callable, Mapping

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, RawResponseMessage
from yarl import URL

from smppgw.reasons import beneath, why

MAX_REPLY = 1 << 20
"""Octets of a reply's body; more is no reply to a request of ours."""

LATE = "no reply in time"


class Unsent(Exception):
    """The request never left: no connection. It may be sent again without doubt."""


class Unanswered(Exception):
    """The request left, and no reply came, or not a whole one: the other side may have acted on it."""


class Broken(Unanswered):
    """The other side closed the connection before it said anything: often it had been idle for too long there."""


class Connections:
    """The pool, TLS and parser of aiohttp. Its session is left out: it costs three times what the rest does (60 us a
    request), and repeats a GET or PUT whose connection breaks, which may be a message sent twice."""

    def __init__(
        self, *, limit: int, connect: float, timeout: float, idle: float, tls: Callable[[], ssl.SSLContext | bool]
    ) -> None:
        """`tls` is called before the first connection; where it raises OSError nothing is sent. True: as the system
        trusts."""
        self._limit = limit
        self._patience = aiohttp.ClientTimeout(total=None, connect=timeout, sock_connect=connect)
        self._timeout = timeout
        """From the request to the end of the reply."""
        self._idle = idle
        self._tls = tls
        self._pool: aiohttp.TCPConnector | None = None

    async def ask(self, destination: aiohttp.ClientRequest, octets: bytes) -> tuple[RawResponseMessage, bytes]:
        """The reply's head and its body. `octets` are a whole request other than HEAD. Raises Unsent or Unanswered."""
        try:
            connection, protocol, transport = await self._connection(destination)
        except TimeoutError as error:
            raise Unsent("no connection in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unsent(_reason(error)) from error
        loop = asyncio.get_running_loop()
        limit = loop.call_later(self._timeout, transport.abort)
        complete = False
        try:
            protocol.set_response_params(read_until_eof=True)
            transport.write(octets)
            head, payload = await protocol.read()
            while head.code < 200 and head.code != 101:
                head, payload = await protocol.read()
            body = await payload.read() if payload.is_eof() else await _all(payload)
            if len(body) > MAX_REPLY:
                raise aiohttp.ClientPayloadError(f"a reply of more than {MAX_REPLY} octets")
            complete = loop.time() < limit.when()
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            if loop.time() >= limit.when():
                raise Unanswered(LATE) from error
            silent = isinstance(error, (ConnectionError, aiohttp.ServerDisconnectedError))
            raise (Broken if silent else Unanswered)(_reason(error)) from error
        finally:
            limit.cancel()
            if complete:
                connection.release()
            else:
                connection.close()
        if not complete:  # it ended because we cut it
            raise Unanswered(LATE)
        return head, body

    async def close(self) -> None:
        """Also when it was never used."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def _connection(
        self, destination: aiohttp.ClientRequest
    ) -> tuple[Connection, ResponseHandler, asyncio.Transport]:
        if self._pool is None:
            self._pool = aiohttp.TCPConnector(
                limit=self._limit, keepalive_timeout=self._idle, ssl=self._tls(), ttl_dns_cache=60
            )
        for _ in range(self._limit + 1):
            connection = await self._pool.connect(destination, [], self._patience)
            protocol, transport = connection.protocol, connection.transport
            if protocol is not None and transport is not None and not (protocol.should_close or transport.is_closing()):
                return connection, protocol, transport
            connection.close()  # it said something that nobody asked: the next reply could be another's
        raise Unsent("the peer speaks before it is asked")


def destination(
    url: URL, proxy: URL | None = None, proxy_headers: Mapping[str, str] | None = None
) -> aiohttp.ClientRequest:
    """What connections are found by, and never sent. Raises ValueError for what names no host."""
    loop = asyncio.get_running_loop()
    return aiohttp.ClientRequest("GET", url, loop=loop, proxy=proxy, proxy_headers=proxy_headers)


async def _all(payload: aiohttp.StreamReader) -> bytes:
    """Or as much of it as is too much."""
    octets = bytearray()
    while len(octets) <= MAX_REPLY and not payload.at_eof():
        octets += await payload.readany()
    return bytes(octets)


def _reason(error: Exception) -> str:
    cause = beneath(error)
    return why(cause) if cause is not None else str(error) or type(error).__name__
