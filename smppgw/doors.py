"""Connections of HTTP ports: how many there may be, and for how long one may say nothing that is whole."""

import asyncio
import math
import os
import resource
import socket
import ssl
import weakref
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import cast

import structlog
from aiohttp import web

from smppgw.seldom import Seldom

log = structlog.get_logger()

HEAD_WITHIN = 10.0
"""Seconds until the head of a request is there: since the connection was made, or since the head's first octet."""

BODY_WITHIN = 30.0
"""Seconds since then until its body is."""

PER_PORT = 2000
"""Connections of one port."""

PER_ADDRESS = 1000
"""Of them, those of one address: a proxy in front has them all."""

SHARE = 2
"""HTTP ports together get one of so many descriptors of the process; the others are for links, binds and the store."""

SHUTDOWN_WITHIN = 5.0
"""Seconds that the end of TLS may take."""

LOOK = 1.0
"""Seconds between looks at who is late."""

Make = Callable[["Connection"], asyncio.Protocol]
Serve = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class House:
    """All doors of a process, and what they may hold together."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.doors: weakref.WeakSet[Door] = weakref.WeakSet()

    @property
    def full(self) -> bool:
        return sum(door.held for door in self.doors) >= self.most

    def make_room(self) -> bool:
        """At the door that holds most, or else at the next."""
        return any(door.make_room() for door in sorted(self.doors, key=lambda door: -door.held))


def _descriptors() -> int:
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if most != resource.RLIM_INFINITY else 1 << 20


HOUSE = House(_descriptors() // SHARE)


class Door:
    """One port. At a limit the connection that has waited longest makes room for a new one: what says nothing, or not
    all of a request, keeps nobody out. Without one that waits the new one is closed at once."""

    def __init__(
        self,
        what: str,
        *,
        head_within: float = HEAD_WITHIN,
        body_within: float = BODY_WITHIN,
        per_port: int = PER_PORT,
        per_address: int = PER_ADDRESS,
        house: House = HOUSE,
    ) -> None:
        """`what` names the port in the log."""
        self.head_within = head_within
        self.body_within = body_within
        self.context: ssl.SSLContext | None = None
        self.waiting: dict[Connection, None] = {}
        """Those whose request is not whole, or which have none, in the order in which they came to be so."""
        self.open: set[Connection] = set()
        self._what = what
        self._per_port = per_port
        self._per_address = per_address
        self._by_address: Counter[str] = Counter()
        self._house = house
        self._looking: asyncio.TimerHandle | None = None
        self._seldom = Seldom()
        house.doors.add(self)

    @property
    def held(self) -> int:
        return len(self.open)

    def guard(self, make: Make, context: ssl.SSLContext | None = None) -> Callable[[], asyncio.Protocol]:
        """What a loop's create_server calls, without `ssl`: a handshake is counted and timed like a head."""
        self.context = context
        return lambda: _Threshold(self, make)

    def guard_server(self, server: web.Server, context: ssl.SSLContext | None = None) -> Callable[[], asyncio.Protocol]:
        """The same for a server of aiohttp, whose requests are followed from their head to their answer."""
        server.request_handler = _followed(server.request_handler)
        return self.guard(lambda _: server(), context)

    def close(self) -> None:
        """After the server's own end: whatever is left goes."""
        self._house.doors.discard(self)
        for connection in list(self.open):
            connection.abort()
        if self._looking is not None:
            self._looking.cancel()

    # Of connections

    def enter(self, connection: "Connection") -> bool:
        """May it stay?"""
        limit = self._limit(connection.address)
        if limit:
            now = asyncio.get_running_loop().time()
            left_out = self._seldom.due(limit, now)
            if left_out is not None:
                log.warning("http connections at their limit", port=self._what, limit=limit, peer=connection.address,
                            left_out=left_out)  # fmt: skip
            if not self._room(limit):
                return False
        self.open.add(connection)
        self.waiting[connection] = None
        self._by_address[connection.address] += 1
        if self._looking is None:
            self._look_later()
        return True

    def leave(self, connection: "Connection") -> None:
        """Also when it did not stay."""
        if connection not in self.open:
            return
        self.open.discard(connection)
        self.waiting.pop(connection, None)
        self._by_address[connection.address] -= 1
        if not self._by_address[connection.address]:
            del self._by_address[connection.address]

    def make_room(self) -> bool:
        """End the one that has waited longest."""
        longest = next(iter(self.waiting), None)
        if longest is not None:
            longest.abort()
        return longest is not None

    def _limit(self, address: str) -> str:
        if self._by_address[address] >= self._per_address:
            return "address"
        if self.held >= self._per_port:
            return "port"
        return "descriptors" if self._house.full else ""

    def _room(self, limit: str) -> bool:
        if limit == "address":
            return False
        return self.make_room() if limit == "port" else self._house.make_room()

    def _look_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._looking = loop.call_later(min(LOOK, self.head_within / 2), self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in [each for each in self.waiting if each.until <= now]:
            connection.abort()
        self._looking = None
        if self.open:
            self._look_later()


class Connection(asyncio.Protocol):
    """Between a transport and the protocol that answers."""

    def __init__(self, door: Door, make: Make) -> None:
        self._door = door
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._shaking: asyncio.Task[None] | None = None
        self._silent = False
        """Nothing of a next request has come."""
        self.address = ""
        self.until = self._loop.time() + door.head_within
        """When what it has begun to say must have come."""
        self._inner = make(self)

    # Of requests

    def head(self) -> None:
        """The head of a request came."""
        self.until = self._loop.time() + self._door.body_within

    def whole(self) -> None:
        """All of it came: how long it takes now is our matter."""
        self._door.waiting.pop(self, None)

    def answered(self) -> None:
        """The next one may come whenever it likes."""
        self.until = math.inf
        self._silent = True
        door = self._door
        if self in door.open:
            door.waiting.pop(self, None)
            door.waiting[self] = None

    def abort(self) -> None:
        self._door.leave(self)
        if self._shaking is not None:
            self._shaking.cancel()
        if self._transport is not None:
            self._transport.abort()

    # Of the transport

    def shake(self, transport: asyncio.Transport, context: ssl.SSLContext) -> None:
        """Let TLS come between; what the transport has is taken from it."""
        # Not start_tls: a loop reads on as soon as connection_made returns, and a hello would come to nobody.
        taken = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        transport.abort()
        self._shaking = self._loop.create_task(self._shake(taken, context))

    async def _shake(self, taken: socket.socket, context: ssl.SSLContext) -> None:
        within = self._door.head_within
        try:
            await self._loop.connect_accepted_socket(
                lambda: self, taken, ssl=context, ssl_handshake_timeout=within, ssl_shutdown_timeout=SHUTDOWN_WITHIN
            )
        except OSError:
            self._door.leave(self)
        finally:
            self._shaking = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not of asyncio's class
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._silent:
            self._silent = False
            waiting = self._door.waiting
            if self in waiting:
                self.until = self._loop.time() + self._door.head_within
                del waiting[self]
                waiting[self] = None
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._door.leave(self)
        self._inner.connection_lost(error)


class _Threshold(asyncio.Protocol):
    """Where a connection stands until it is known whether it may stay."""

    def __init__(self, door: Door, make: Make) -> None:
        self._door = door
        self._make = make

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        made = cast(asyncio.Transport, transport)
        connection = Connection(self._door, self._make)
        peer = made.get_extra_info("peername")
        connection.address = str(peer[0]) if peer else ""
        if not self._door.enter(connection):
            made.abort()
        elif self._door.context is not None:
            connection.shake(made, self._door.context)
        else:
            made.set_protocol(connection)
            connection.connection_made(made)


class Site:
    """An application of aiohttp behind a door, on a port of its own."""

    def __init__(self, what: str, app: web.Application, patience: float, door: Door | None = None) -> None:
        """`patience`: seconds that requests under way may take when it closes."""
        self._door = door or Door(what)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=patience)
        self._listening: asyncio.Server | None = None

    async def open(self, host: str, port: int, context: ssl.SSLContext | None = None, backlog: int = 128) -> int:
        """The port that it listens on. OSError when it cannot be had."""
        await self._runner.setup()
        server = self._runner.server
        assert server is not None  # noqa: S101  it was set up
        try:
            self._listening = await asyncio.get_running_loop().create_server(
                self._door.guard_server(server, context), host, port, backlog=backlog
            )
        except OSError:
            await self.close()
            raise
        return int(self._listening.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Also when it never opened."""
        if self._listening is not None:
            self._listening.close()
        await self._runner.cleanup()
        self._door.close()


def _followed(serve: Serve) -> Serve:
    async def follow(request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        connection = transport.get_protocol() if transport is not None else None
        if not isinstance(connection, Connection):
            return await serve(request)
        connection.head()
        request.content.on_eof(connection.whole)
        try:
            return await serve(request)
        finally:
            connection.answered()

    return follow
