"""HTTP at the speed of octets: 64 clients of sendsms, and the application that is told of receipts."""

import asyncio
import re
import time
from array import array
from collections import Counter
from collections.abc import Callable
from typing import cast

TOLD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_WHO = re.compile(rb"/told\?m=(\d+)&d=(\d+)")


def whole(data: bytes) -> int:
    """Where the first message ends; 0 when it is not all there."""
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return 0
    found = _LENGTH.search(data, 0, head + 2)
    end = head + 4 + (int(found[1]) if found else 0)
    return end if len(data) >= end else 0


class Load:
    """So many requests on so many connections, each asking again when it has its answer."""

    def __init__(self, port: int, count: int, connections: int, request: Callable[[int], bytes]) -> None:
        self.port = port
        self.count = count
        self.connections = connections
        self.request = request
        self.took = array("d")
        """Seconds from each request to its answer."""
        self.answers: Counter[bytes] = Counter()
        """By their first 12 octets: the status."""
        self.accepted: set[int] = set()
        self.began = self.ended = 0.0
        self._next = 0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        clients = [
            (await loop.create_connection(lambda: _Client(self), "127.0.0.1", self.port))[1]
            for _ in range(self.connections)
        ]
        self.began = time.perf_counter()
        for client in clients:
            client.ask()
        try:
            await self._done
        finally:
            for client in clients:
                client.transport.abort()

    def take(self) -> int | None:
        """The number of the next message."""
        if self._next >= self.count:
            return None
        self._next += 1
        return self._next - 1

    def answered(self, number: int, answer: bytes, seconds: float) -> None:
        self.took.append(seconds)
        status = bytes(answer[:12])
        self.answers[status] += 1
        if status.endswith(b"202"):
            self.accepted.add(number)
        if len(self.took) == self.count:
            self.ended = time.perf_counter()
            self._done.set_result(None)

    def broke(self, why: str) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError(why))


class _Client(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, load: Load) -> None:
        self._load = load
        self._data = b""
        self._number: int | None = None
        self._asked = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no instance of it

    def connection_lost(self, _error: Exception | None) -> None:
        if self._number is not None:
            self._load.broke(f"a connection ended before message {self._number} was answered")

    def ask(self) -> None:
        self._number = number = self._load.take()
        if number is not None:
            self._asked = time.perf_counter()
            self.transport.write(self._load.request(number))

    def data_received(self, data: bytes) -> None:
        self._data = self._data + data if self._data else data
        if (end := whole(self._data)) and self._number is not None:
            answer, self._data = self._data[:end], self._data[end:]
            self._load.answered(self._number, answer, time.perf_counter() - self._asked)
            self.ask()


class Application:
    """Counts /told?m=NUMBER&d=TYPE."""

    def __init__(self) -> None:
        self.told: Counter[tuple[int, int]] = Counter()
        self.last = 0.0
        self.port = 0
        self.when = 0
        """How many it is to wait for."""
        self._enough = asyncio.Event()

    async def start(self, port: int = 0) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Listener(self), "127.0.0.1", port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._server.close()

    @property
    def again(self) -> int:
        """How often it was told what it had been told."""
        return sum(self.told.values()) - len(self.told)

    def came(self, request: bytes) -> None:
        found = _WHO.search(request)
        if found:
            self.told[int(found[1]), int(found[2])] += 1
            self.last = time.perf_counter()
            if len(self.told) >= self.when:
                self._enough.set()

    async def expect(self, count: int, patience: float) -> None:
        """Until so many different ones came, or nothing new comes for that long."""
        self.when = count
        self._enough.clear()
        before = -1
        while len(self.told) < count and before != len(self.told):
            before = len(self.told)
            try:
                await asyncio.wait_for(self._enough.wait(), patience)
            except TimeoutError:
                continue


class _Listener(asyncio.Protocol):
    def __init__(self, application: Application) -> None:
        self._application = application
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._data = self._data + data if self._data else data
        while end := whole(self._data):
            request, self._data = self._data[:end], self._data[end:]
            self._application.came(request)
            self._transport.write(TOLD)


class Echo(asyncio.Protocol):
    """Answers sendsms at once and does nothing: how fast the clients are."""

    ANSWER = (
        b"HTTP/1.1 202 Accepted\r\nServer: Kannel/1.4.5\r\nContent-Length: 24\r\nContent-type: text/html\r\n"
        b"Pragma: no-cache\r\nCache-Control: no-cache\r\n\r\n0: Accepted for delivery"
    )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, _data: bytes) -> None:
        self._transport.write(self.ANSWER)
