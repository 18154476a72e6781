"""One TCP or TLS connection that speaks SMPP: octets to and from a Session, one write per loop turn."""

import asyncio
from abc import ABC, abstractmethod
from typing import Protocol, cast

from protocol.session import Answered, Asked, Broken, Ended, Lapsed, Session
from smppgw.reasons import why


class Tap(Protocol):
    """Who listens to a link: the octets as they pass, before or after anybody made sense of them."""

    def passed(self, link: "Link", *, outward: bool, octets: bytes) -> None: ...
    def bound(self, link: "Link", pdu: bytes) -> None:
        """Listen from this bind on."""


class Link(asyncio.Protocol, ABC):
    """The part that ESMEs' links and our own binds have in common. A subclass says what the events mean."""

    transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop, session: Session, output_buffer: int, stall: float) -> None:
        self.loop = loop
        self.session = session
        self.peer = "?"
        self.clogged_since: float | None = None
        """Since when the peer has not read what we wrote (loop time)."""
        self.broken = False
        """What came could not be cut into PDUs."""
        self.tap: Tap | None = None
        self._output_buffer = output_buffer
        self._stall = stall
        self._flushing = False
        self._closed = False
        self._leaving_since: float | None = None

    # What a subclass says.

    @abstractmethod
    def asked(self, event: Asked) -> None:
        """A request to answer."""

    @abstractmethod
    def answered(self, event: Answered) -> None:
        """The answer to a request."""

    @abstractmethod
    def lapsed(self, event: Lapsed) -> None:
        """No answer in time."""

    @property
    @abstractmethod
    def busy(self) -> bool:
        """Answers are under way, one way or the other: the peer's unbind waits for them."""

    def turned(self) -> None:
        """All events of one read were handled."""

    @abstractmethod
    def ended(self, reason: str) -> None:
        """The link is gone; called once, whoever closed it."""

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are not of asyncio's class
        transport = self.transport
        transport.set_write_buffer_limits(high=self._output_buffer)
        name = transport.get_extra_info("peername")
        if name:
            self.peer = str(name[0])

    def data_received(self, data: bytes) -> None:
        session = self.session
        if self.tap is not None:
            self.tap.passed(self, outward=False, octets=data)
        closing: str | None = None
        for event in session.receive(data, self.loop.time()):
            kind = type(event)
            if kind is Asked:
                self.asked(event)  # type: ignore[arg-type]
            elif kind is Answered:
                self.answered(event)  # type: ignore[arg-type]
            else:
                self.broken = kind is Broken
                closing = _reason(event)  # type: ignore[arg-type]
        self.turned()
        if not self._flushing:
            self._flush()
        if closing is not None:
            self.close(closing)
        elif session.leaving:
            self.settle()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(
            "the peer closed the connection" if exc is None else why(exc) if isinstance(exc, OSError) else str(exc)
        )

    def pause_writing(self) -> None:
        # A peer that does not read gets no more answers to buffer: stop reading its requests.
        self.clogged_since = self.loop.time()
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.clogged_since = None
        if not self.transport.is_closing():
            self.transport.resume_reading()
        self.turned()

    # What the rest of the gateway calls.

    def flush_soon(self) -> None:
        """Write what the session has at the end of this loop turn, together with whatever else comes in it."""
        if not self._flushing:
            self._flushing = True
            self.loop.call_soon(self._flush)

    @property
    def unflushed(self) -> bool:
        """Octets that were written wait in our memory for the peer to read."""
        return not self._closed and self.transport.get_write_buffer_size() > 0

    def settle(self) -> None:
        """The peer unbound: answer and close, once nothing is open or it has taken too long."""
        now = self.loop.time()
        self._leaving_since = self._leaving_since or now
        if self.session.leaving and (not self.busy or now - self._leaving_since > self._stall):
            self.close(self.session.leave().reason)

    def tick(self) -> None:
        """Look at the timers; about once a second."""
        if self._closed:
            return
        now = self.loop.time()
        if self.clogged_since is not None and now - self.clogged_since > self._stall:
            self.abort("the peer does not read")
            return
        closing: str | None = None
        for event in self.session.tick(now):
            if isinstance(event, Lapsed):
                self.lapsed(event)
            else:
                closing = _reason(event)  # type: ignore[arg-type]
        self.turned()
        self._flush()
        if closing is not None:
            self.close(closing)
        elif self.session.leaving:
            self.settle()

    def close(self, reason: str) -> None:
        """Write what is left and close."""
        self._flush()
        self.transport.close()
        self._finish(reason)

    def abort(self, reason: str) -> None:
        """Close without waiting for the peer."""
        self.transport.abort()
        self._finish(reason)

    def _flush(self) -> None:
        self._flushing = False
        data = self.session.outgoing()
        if data and not self._closed:
            if self.tap is not None:
                self.tap.passed(self, outward=True, octets=data)
            self.transport.write(data)

    def _finish(self, reason: str) -> None:
        if not self._closed:
            self._closed = True
            self.ended(reason)
            self.session.lost()  # whatever the subclass did not ask for; nothing may be sent any more


def _reason(event: Ended | Broken) -> str:
    return str(event.error) if isinstance(event, Broken) else event.reason
