"""One of our connections to an SMSC: its bind, what it brings, and its orderly end."""

import asyncio
from abc import ABC, abstractmethod

from protocol import pdus
from protocol.consts import Command, Status, status_name
from protocol.session import BOUND, SENDING, Answered, Asked, Lapsed, Session, Side
from protocol.timers import Timers
from smppgw.settings import Connector as Settings
from smppgw.settings import Limits
from smppgw.smpp.link import Link, Tap

BIND_COMMANDS = {
    "transmitter": Command.BIND_TRANSMITTER,
    "receiver": Command.BIND_RECEIVER,
    "transceiver": Command.BIND_TRANSCEIVER,
}
_DELIVERS = frozenset({Command.DELIVER_SM, Command.DATA_SM})
_ROK = int(Status.ROK)


class Owner(ABC):
    """Whose bind it is: what a bind reports."""

    settings: Settings
    links: "set[Bind]"
    """Connections, bound or not; a bind enters itself."""
    tap: Tap | None = None
    """Who listens to all of them."""

    @abstractmethod
    def bound(self, bind: "Bind") -> None:
        """It can be used."""

    @abstractmethod
    def lost(self, bind: "Bind", reason: str) -> None:
        """It is gone; its session has what was not answered."""

    @abstractmethod
    def update(self) -> None:
        """It may have begun or ceased to send."""

    @abstractmethod
    def answered(self, event: Answered) -> None:
        """An answer to a request."""

    @abstractmethod
    def lapsed(self, event: Lapsed) -> None:
        """No answer in time."""

    @abstractmethod
    def unfinished(self, bind: "Bind") -> bool:
        """It is in the middle of something that no other bind can end."""

    @abstractmethod
    def deliver(self, bind: "Bind", event: Asked) -> None:
        """A deliver_sm or data_sm came."""

    @abstractmethod
    def alerted(self) -> None:
        """An alert_notification came."""

    @abstractmethod
    def turned(self) -> None:
        """A read was handled."""


class Bind(Link):
    """One connection of a connector."""

    def __init__(
        self,
        owner: Owner,
        slot: int,
        keeper: "asyncio.Task[None]",
        limits: Limits,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        settings = owner.settings
        timers = Timers(init=settings.response, enquire_link=settings.enquire_link, response=settings.response)
        session = Session(
            Side.ESME, loop.time(), timers=timers, max_pdu=limits.max_pdu, window=settings.window, patient=True
        )
        super().__init__(loop, session, limits.output_buffer, settings.response)
        self.owner = owner
        self.slot = slot
        self.keeper = keeper
        self.done: asyncio.Future[str | None] = loop.create_future()
        """The reason why it could not bind, or None when it was bound and is over."""
        self._sends = BIND_COMMANDS[settings.bind] != Command.BIND_RECEIVER
        self.releasing = False
        self.bound_at = 0.0
        """Loop time."""
        self.tap = owner.tap
        self._was_bound = False

    @property
    def sending(self) -> bool:
        return self._sends and not self.releasing and self.session.state in SENDING

    @property
    def ending(self) -> bool:
        """It sends no more but the rest of what it has begun."""
        return self._sends and self.session.state in SENDING

    @property
    def busy(self) -> bool:
        return self.session.unanswered > 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.owner.links.add(self)
        settings = self.owner.settings
        command = BIND_COMMANDS[settings.bind]
        bind = pdus.Bind(
            settings.system_id.encode(), settings.secret, settings.system_type.encode(), settings.version,
            address_range=settings.address_range.encode(),
        )  # fmt: skip
        self.session.request(command, pdus.encode(command, bind), None, self.loop.time())
        self._flush()

    def asked(self, event: Asked) -> None:
        if event.command in _DELIVERS:
            self.owner.deliver(self, event)
        elif event.command == Command.ALERT_NOTIFICATION:
            self.owner.alerted()

    def answered(self, event: Answered) -> None:
        if event.token is not None:
            self.owner.answered(event)
        elif self.session.state in BOUND:
            self._was_bound = True
            self.owner.bound(self)
        else:
            self.close(f"bind refused with status {status_name(event.status)}")

    def lapsed(self, event: Lapsed) -> None:
        if event.token is not None:
            self.owner.lapsed(event)

    def turned(self) -> None:
        if self.session.leaving:
            self.owner.update()
        self.owner.turned()
        if self.releasing:
            self._unbind_when_idle()

    def ended(self, reason: str) -> None:
        self.owner.lost(self, reason)
        if not self.done.done():
            self.done.set_result(None if self._was_bound else reason)

    def release(self) -> None:
        """Begin nothing more, wait for the answers under way, then unbind."""
        self.releasing = True
        self.owner.update()
        self._unbind_when_idle()
        self.flush_soon()

    def drop(self) -> None:
        """Close at once, if it is still open."""
        if not self._closed:
            self.abort("no longer wanted")

    def _unbind_when_idle(self) -> None:
        if self.session.unanswered == 0 and self.session.state in BOUND and not self.owner.unfinished(self):
            self.session.request(Command.UNBIND, b"", None, self.loop.time())


class Report:
    """An upstream's deliver_sm that waits for its answer until its content is safe."""

    __slots__ = ("_asked", "_bind")

    def __init__(self, bind: Bind, asked: Asked) -> None:
        self._bind = bind
        self._asked = asked

    def accepted(self) -> None:
        self._bind.session.answer(self._asked, _ROK, b"\0")
        self._bind.flush_soon()

    def refused(self, status: int) -> None:
        self._bind.session.answer(self._asked, status, b"\0")
        self._bind.flush_soon()
