"""One connection of an ESME of ours.

Its clock is time.monotonic: that of uvloop counts whole milliseconds.
"""

import asyncio
import ssl
from time import monotonic
from typing import Any, Protocol, cast

from protocol.consts import Command, Status
from protocol.pdus import Bind, encode
from protocol.session import BOUND, Answered, Broken, Ended, Event, Session, Side
from protocol.timers import Timers

BIND_AS = {
    "tx": Command.BIND_TRANSMITTER,
    "rx": Command.BIND_RECEIVER,
    "trx": Command.BIND_TRANSCEIVER,
}
TIMERS = Timers(init=0, enquire_link=30.0, response=30.0)


class BindRefusedError(Exception):
    """The SMSC answered our bind with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"bind refused: {status_name(status)}")
        self.status = status


def status_name(status: int) -> str:
    """As in the specification, without ESME_."""
    try:
        return Status(status).name
    except ValueError:
        return f"0x{status:02X}"


class Owner(Protocol):
    """Who uses a link."""

    def events(self, link: "EsmeLink", events: list[Event], now: float) -> None:
        """All that one read brought. What is asked and answered meanwhile is written once, afterwards."""

    def lost(self, link: "EsmeLink", unanswered: list[tuple[int, Any]]) -> None:
        """A bound link is gone; commands and tokens of the requests that got no answer."""

    def writable(self, link: "EsmeLink") -> None:
        """What was written has gone out, after it could not."""


class EsmeLink(asyncio.Protocol):
    """Feeds a session, and writes once for every turn of the loop."""

    def __init__(self, owner: Owner, window: int, timers: Timers = TIMERS) -> None:
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self.session = Session(Side.ESME, monotonic(), timers=timers, window=window)
        self.mode = ""
        """As it was bound: tx, rx or trx."""
        self.open = False
        self.free = True
        """The transport's buffer is not full."""
        self._transport: asyncio.Transport | None = None
        self._bind: asyncio.Future[int] = self._loop.create_future()
        self._dirty = False
        self._gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.open = True

    def connection_lost(self, _exc: Exception | None) -> None:
        self.open, self._transport = False, None
        self._gone.set()
        left = self.session.lost()
        if not self._bind.done():
            self._bind.cancel()
        elif not self._bind.cancelled() and self._bind.result() == Status.ROK:
            self._owner.lost(self, left)

    def data_received(self, data: bytes) -> None:
        now = monotonic()
        events = self.session.receive(data, now)
        if events:
            if not self._bind.done():
                events = self._bound(events)
            if events:
                self._owner.events(self, events, now)
                if isinstance(events[-1], Ended | Broken):
                    self.close()
        self.touch()

    def pause_writing(self) -> None:
        self.free = False

    def resume_writing(self) -> None:
        self.free = True
        self._owner.writable(self)

    def touch(self) -> None:
        """There is something to write."""
        if not self._dirty:
            self._dirty = True
            self._loop.call_soon(self._flush)

    async def bind(self, mode: str, system_id: bytes, password: bytes) -> None:
        """`mode` is tx, rx or trx. Raises BindRefusedError, or ConnectionError when the link ends first."""
        self.mode = mode
        command = BIND_AS[mode]
        self.session.request(command, encode(command, Bind(system_id, password)), None, monotonic())
        self.touch()
        try:
            status = await self._bind
        except asyncio.CancelledError:
            if self.open:
                raise
            raise ConnectionResetError(
                "closed before the bind was answered: is it SMPP without TLS, and has it blocked this address?"
            ) from None
        if status != Status.ROK:
            self.close()
            raise BindRefusedError(status)

    def tick(self, now: float) -> None:
        """About once a second."""
        events = self.session.tick(now)
        if events:
            self._owner.events(self, events, now)
            if isinstance(events[-1], Ended | Broken):
                self.close()
        self.touch()

    async def unbind(self, patience: float = 1.0) -> None:
        """Part politely; the link is closed when it returns."""
        if self.open:
            if self.session.state in BOUND:
                self.session.request(Command.UNBIND, b"", None, monotonic())
                self.touch()
                try:
                    await asyncio.wait_for(self._gone.wait(), patience)
                except TimeoutError:
                    self.abort()
            else:
                self.abort()
        await self._gone.wait()

    def close(self) -> None:
        if self._transport is not None:
            self._flush()
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _bound(self, events: list[Event]) -> list[Event]:
        for n, event in enumerate(events):
            if isinstance(event, Answered) and event.token is None:
                self._bind.set_result(event.status)
                return events[:n] + events[n + 1 :]
        return events

    def _flush(self) -> None:
        self._dirty = False
        if self._transport is not None and (data := self.session.outgoing()):
            self._transport.write(data)


async def connect(
    owner: Owner, host: str, port: int, *, window: int = 100, timers: Timers = TIMERS, tls: ssl.SSLContext | None = None
) -> EsmeLink:
    """Raises OSError."""
    loop = asyncio.get_running_loop()
    server_name = host if tls else None
    _, link = await loop.create_connection(
        lambda: EsmeLink(owner, window, timers), host, port, ssl=tls, server_hostname=server_name
    )
    return link
