"""An SMSC on a real socket that answers only what, when and how the test says."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self, cast

from protocol import pdus
from protocol.consts import Command, Status
from protocol.pdus import Bind, SubmitSm
from protocol.session import BINDS, Answered, Asked, Broken, Ended, Session, Side
from protocol.timers import Timers
from tests.smppgw.jumping import until

NO_TIMERS = Timers(0, 0, 0, 0)


class Upstream:
    """`async with Upstream() as upstream:` listens on `upstream.port`, and takes binds unless `verdict` is another."""

    def __init__(self) -> None:
        self.verdict = Status.ROK
        self.binds: list[tuple[int, Bind]] = []
        """Every bind that was asked for, with its command."""
        self.connections = 0
        self.links: list[UpstreamLink] = []
        """Those that are open."""
        self.asked: list[tuple[UpstreamLink, Asked]] = []
        """What waits for `answer`."""
        self.answered: list[tuple[int, int]] = []
        """Command and status of every answer to a request of ours."""
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.leave()
        await until(lambda: not self.links)

    async def listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: UpstreamLink(self), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def leave(self) -> None:
        """Drop everything and listen no more."""
        if self._server is not None:
            self._server.close()
        self.drop()

    def drop(self) -> None:
        for link in list(self.links):
            link.transport.abort()

    @property
    def submits(self) -> list[SubmitSm]:
        """The submit_sm that wait for their answers."""
        return [pdus.decode_submit(asked.body) for _, asked in self.asked if asked.command == Command.SUBMIT_SM]

    @property
    def numbers(self) -> list[bytes]:
        """Their destinations."""
        return [pdu.destination_addr for pdu in self.submits]

    def answer(self, status: int = Status.ROK, body: bytes = b"", place: int = 0) -> None:
        """Answer the first request that waits, or another one; an id must be given with ROK."""
        link, asked = self.asked.pop(place)
        link.session.answer(asked, status, body)
        link.flush()

    def accept(self, *ids: bytes) -> None:
        """Take the first submits, under these ids."""
        for id in ids:
            self.answer(Status.ROK, id + b"\0")

    def nack(self, status: int) -> None:
        """Answer the first request with a generic_nack."""
        link, asked = self.asked.pop(0)
        link.session.answer(Asked(Command.GENERIC_NACK, asked.sequence, b""), status)
        link.flush()

    def deliver(self, pdu: SubmitSm, command: int = Command.DELIVER_SM, body: bytes | None = None) -> None:
        link = self.links[-1]
        link.session.request(command, pdus.encode_submit(pdu) if body is None else body, None, link.now())
        link.flush()

    async def until(self, what: Callable[[], object]) -> None:
        await until(what)


class UpstreamLink(asyncio.Protocol):
    """One connection to it."""

    transport: asyncio.Transport

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.now = asyncio.get_running_loop().time
        self.session = Session(Side.SMSC, self.now(), timers=NO_TIMERS)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._upstream.connections += 1
        self._upstream.links.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        upstream = self._upstream
        upstream.links.remove(self)
        upstream.asked = [(link, asked) for link, asked in upstream.asked if link is not self]

    def data_received(self, data: bytes) -> None:
        upstream = self._upstream
        for event in self.session.receive(data, self.now()):
            match event:
                case Asked(command, _, body) if command in BINDS:
                    upstream.binds.append((command, pdus.decode(command, body)))
                    self.session.answer(event, upstream.verdict, b"upstream\0")
                case Asked():
                    upstream.asked.append((self, event))
                case Answered(command, status):
                    upstream.answered.append((command, status))
                case Ended() | Broken():
                    self.flush()
                    self.transport.close()
        self.flush()

    def flush(self) -> None:
        if data := self.session.outgoing():
            self.transport.write(data)
