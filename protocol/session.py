"""One SMPP session, either end of it: bytes in, events and bytes out."""

from enum import Enum, StrEnum
from math import inf
from typing import Any, NamedTuple

from protocol.consts import MAX_SEQUENCE, RESPONSE, Command, Status
from protocol.errors import FrameError, LocalError
from protocol.timers import Due, Timers, Watch
from protocol.wire import Reader, frame


class Side(Enum):
    """Which end we are."""

    SMSC = "SMSC"
    ESME = "ESME"


class State(StrEnum):
    """Where the session is (2.2). Strings hash in C, members of a plain Enum in Python: every PDU looks some up."""

    OPEN = "open"
    BINDING = "binding"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBINDING = "unbinding"
    CLOSED = "closed"


class Asked(NamedTuple):
    """The peer's request, allowed in this state; it is to be answered with `Session.answer`."""

    command: int
    sequence: int
    body: bytes


class Answered(NamedTuple):
    """The answer to our request. `command` is the response's, or GENERIC_NACK; `sent` is when we asked."""

    command: int
    status: int
    body: bytes
    token: Any
    sent: float


class Lapsed(NamedTuple):
    """No answer to our request within the response timer; one that comes later is ignored."""

    command: int
    token: Any


class Ended(NamedTuple):
    """The session is over and the link is to be closed once `outgoing` is written."""

    reason: str


class Broken(NamedTuple):
    """The stream cannot be read any more; the peer was told with a generic_nack. Like Ended otherwise."""

    error: FrameError


Event = Asked | Answered | Lapsed | Ended | Broken

BINDS = frozenset({Command.BIND_TRANSMITTER, Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER})
BOUND_AS = {
    Command.BIND_TRANSMITTER: State.BOUND_TX,
    Command.BIND_RECEIVER: State.BOUND_RX,
    Command.BIND_TRANSCEIVER: State.BOUND_TRX,
}
BOUND = frozenset(BOUND_AS.values())
RECEIVING = frozenset({State.BOUND_RX, State.BOUND_TRX})
SENDING = frozenset({State.BOUND_TX, State.BOUND_TRX})

_SUBMITS = frozenset(
    {
        Command.SUBMIT_SM, Command.SUBMIT_MULTI, Command.DATA_SM,
        Command.QUERY_SM, Command.CANCEL_SM, Command.REPLACE_SM,
    }
)  # fmt: skip
_DELIVERS = frozenset({Command.DELIVER_SM, Command.DATA_SM, Command.ALERT_NOTIFICATION})
# Table 2-1 allows enquire_link when bound; asking earlier is harmless and common.
_ALWAYS = frozenset({Command.ENQUIRE_LINK})
_LINKED = _ALWAYS | {Command.UNBIND}

FROM_ESME: dict[State, frozenset[int]] = {
    State.OPEN: _ALWAYS | BINDS,
    State.BINDING: _ALWAYS,
    State.BOUND_TX: _LINKED | _SUBMITS,
    State.BOUND_RX: _LINKED,
    State.BOUND_TRX: _LINKED | _SUBMITS,
    State.UNBINDING: _LINKED | _SUBMITS,
    State.CLOSED: frozenset(),
}
"""Requests of an ESME by the state they are allowed in (table 2-1)."""

FROM_SMSC: dict[State, frozenset[int]] = {
    State.OPEN: _ALWAYS | {Command.OUTBIND},
    State.BINDING: _ALWAYS,
    State.BOUND_TX: _LINKED,
    State.BOUND_RX: _LINKED | _DELIVERS,
    State.BOUND_TRX: _LINKED | _DELIVERS,
    State.UNBINDING: _LINKED | _DELIVERS,
    State.CLOSED: frozenset(),
}
"""Requests of an SMSC likewise."""

_SENT = {side: {**table, State.UNBINDING: _ALWAYS} for side, table in ((Side.ESME, FROM_ESME), (Side.SMSC, FROM_SMSC))}
"""What a side sends itself: after its unbind no more than enquire_link, though the peer may not have read it yet."""

UNANSWERED = frozenset({Command.OUTBIND, Command.ALERT_NOTIFICATION})
"""Requests that have no response (4.1.7, 4.12)."""
_KNOWN = frozenset(int(command) for command in Command)
_QUIET = frozenset(
    {int(command) for command in Command if not command & RESPONSE} - BINDS - UNANSWERED - {Command.UNBIND}
)
"""Requests that leave the state as it is, and are answered."""
_BODYLESS = frozenset({Command.UNBIND, Command.ENQUIRE_LINK})
_ANSWERED_APART = BINDS | UNANSWERED
# Plain ints: to get a member of an enum costs 25 ns more, and every PDU is compared with some.
_BIND_TRANSMITTER, _QUERY_SM, _DELIVER_SM, _UNBIND, _GENERIC_NACK = (
    int(command)
    for command in (
        Command.BIND_TRANSMITTER, Command.QUERY_SM, Command.DELIVER_SM, Command.UNBIND, Command.GENERIC_NACK,
    )
)  # fmt: skip


class Session:
    """State, sequence numbers, window and correlation of one link. Answers enquire_link, unbind, unknown commands and
    what the state forbids by itself; everything else becomes an event, in the order of the wire."""

    __slots__ = (
        "_allowed", "_enquiring", "_out", "_patient", "_pending", "_reader", "_requests", "_sendable", "_sequence",
        "_timers", "_unbind", "_watch", "side", "state", "strays", "window",
    )  # fmt: skip

    def __init__(
        self,
        side: Side,
        now: float,
        *,
        timers: Timers,
        max_pdu: int = 65536,
        window: int = 100,
        patient: bool = False,
    ) -> None:
        """A `patient` session does not answer the peer's unbind by itself: see `leaving`."""
        self.side = side
        self.window = window
        self.strays = 0
        """Responses that answered nothing we asked (or too late)."""
        self._reader = Reader(max_pdu)
        self._timers = timers
        self._watch = Watch(timers, now)
        self._requests = FROM_ESME if side is Side.SMSC else FROM_SMSC
        self._enter(State.OPEN)
        self._sequence = 0
        self._pending: dict[int, tuple[int, Any, float]] = {}  # in the order of sending, hence of lapsing
        self._enquiring = False
        self._patient = patient
        self._unbind: int | None = None
        self._out: list[bytes] = []

    @property
    def room(self) -> int:
        """Requests that may be sent before the window is full; 0 or less when it is."""
        return self.window - len(self._pending)

    @property
    def oldest(self) -> float:
        """When the first request without an answer was sent; infinite when there is none."""
        return next((sent for _, _, sent in self._pending.values()), inf)

    @property
    def unanswered(self) -> int:
        """Requests of ours without an answer so far."""
        return len(self._pending)

    @property
    def unread(self) -> bytes:
        """What came of a PDU that is not whole yet."""
        return self._reader.rest

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Never raises: what went before a broken PDU is still delivered. Once the session is over nothing is read."""
        events: list[Event] = []
        if not self._allowed:  # the session is over
            return events
        allowed, pending = self._allowed, self._pending
        self._watch.heard(now)
        for command, status, sequence, body in self._reader.feed(data):
            if command & RESPONSE:
                entry = pending.get(sequence)
                if entry is not None and (entry[0] | RESPONSE == command or command == _GENERIC_NACK):
                    del pending[sequence]
                    if _QUERY_SM < entry[0] <= _DELIVER_SM:  # the hot ones
                        events.append(Answered(command, status, body, entry[1], entry[2]))
                        continue
                    self._answered(events, entry, command, status, body)
                else:
                    self._stray(command, sequence)
            elif _BIND_TRANSMITTER < command < _UNBIND and command in allowed:
                events.append(Asked(command, sequence, body))
                continue
            else:
                self._asked(events, command, sequence, body)
            allowed = self._allowed
            if not allowed:  # the session is over
                return events
        if events:
            self._watch.active(now)
        if self._reader.broken is not None and self.state is not State.CLOSED:
            error = self._reader.broken
            self._out.append(frame(Command.GENERIC_NACK, error.status, error.sequence))
            self._enter(State.CLOSED)
            events.append(Broken(error))
        return events

    def request(self, command: int, body: bytes, token: Any, now: float) -> int:
        """Send a request and return its sequence number; its answer comes with `token`. The window is the caller's to
        keep (see `room`); a request that the state forbids is a LocalError."""
        if command not in self._sendable:
            raise LocalError(f"command 0x{command:08X} cannot be sent by the {self.side.value} when {self.state.value}")
        sequence = self._next()
        if command not in UNANSWERED:
            self._pending[sequence] = (command, token, now)
        self._out.append(frame(command, 0, sequence, body))
        if command in _QUIET:
            return sequence
        if command in BOUND_AS:
            self._enter(State.BINDING)
        elif command == Command.UNBIND:
            self._enter(State.UNBINDING)
        return sequence

    def answer(self, asked: Asked, status: int, body: bytes = b"") -> None:
        """Answer a request. For a bind, ROK makes the session bound and anything else leaves it open; for a request
        that has no response nothing is written."""
        command = asked.command
        if command in _ANSWERED_APART:
            if command in UNANSWERED:
                return
            if self.state is State.BINDING:
                self._enter(BOUND_AS[Command(command)] if status == Status.ROK else State.OPEN)
        self._out.append(frame(command | RESPONSE, status, asked.sequence, body))

    @property
    def leaving(self) -> bool:
        """The peer unbound, and waits for what is still open before we answer with `leave`."""
        return self._unbind is not None and self.state is not State.CLOSED

    def leave(self) -> Ended:
        """Answer the peer's unbind; the session is over."""
        if self._unbind is None:
            raise LocalError("the peer did not unbind")
        self._out.append(frame(Command.UNBIND_RESP, 0, self._unbind))
        self._enter(State.CLOSED)
        return Ended("the peer unbound")

    def outgoing(self) -> bytes:
        """The octets to write, once."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def tick(self, now: float) -> list[Event]:
        """Look at the timers; call it about once a second."""
        events: list[Event] = []
        if not self._allowed:  # the session is over
            return events
        for sequence, command, token in self._late(now):
            del self._pending[sequence]
            if command == Command.ENQUIRE_LINK:
                return self._end(events, "enquire_link was not answered")
            if command in BINDS or command == Command.UNBIND:
                return self._end(events, f"{Command(command).name.lower()} was not answered")
            events.append(Lapsed(command, token))
        due = self._watch.due(now, bound=self.state in BOUND)
        if due is Due.INIT and self.state in (State.OPEN, State.BINDING):
            return self._end(events, due.value)
        if due is Due.INACTIVE:
            self.request(Command.UNBIND, b"", None, now)
            self._watch.active(now)
        elif due is Due.ENQUIRE and not self._enquiring:
            self._enquiring = True
            self.request(Command.ENQUIRE_LINK, b"", None, now)
        return events

    def lost(self) -> list[tuple[int, Any]]:
        """The link is gone: the commands and tokens of all requests that were not answered, in order."""
        self._enter(State.CLOSED)
        left = [(command, token) for command, token, _ in self._pending.values()]
        self._pending.clear()
        return left

    def _late(self, now: float) -> list[tuple[int, int, Any]]:
        late: list[tuple[int, int, Any]] = []
        if not self._timers.response:
            return late
        deadline = now - self._timers.response
        for sequence, (command, token, sent) in self._pending.items():
            if sent > deadline:
                break
            late.append((sequence, command, token))
        return late

    def _next(self) -> int:
        # SMPP 3.4, 5.1.4: 1 to 0x7FFFFFFF, then 1 again; one that is still awaited is passed over.
        sequence = self._sequence + 1 if self._sequence < MAX_SEQUENCE else 1
        while sequence in self._pending:
            sequence = sequence + 1 if sequence < MAX_SEQUENCE else 1
        self._sequence = sequence
        return sequence

    def _enter(self, state: State) -> None:
        self.state = state
        self._allowed = self._requests[state]
        self._sendable = _SENT[self.side][state]

    def _end(self, events: list[Event], reason: str) -> list[Event]:
        self._enter(State.CLOSED)
        events.append(Ended(reason))
        return events

    def _asked(self, events: list[Event], command: int, sequence: int, body: bytes) -> None:
        """A request off the hot path."""
        if command not in _KNOWN:
            self._out.append(frame(Command.GENERIC_NACK, Status.RINVCMDID, sequence))
        elif command not in self._allowed:
            self._refuse(command, sequence)
        elif command in _BODYLESS and 0 < len(body) < 4:  # see pdus.Empty
            self._out.append(frame(command | RESPONSE, Status.RINVCMDLEN, sequence))
        elif command == Command.ENQUIRE_LINK:
            self._out.append(frame(Command.ENQUIRE_LINK_RESP, 0, sequence))
        elif command == Command.UNBIND:
            self._unbind = sequence
            self._enter(State.UNBINDING)
            if not self._patient:
                events.append(self.leave())
        else:
            if command in BINDS:
                self._enter(State.BINDING)
            events.append(Asked(command, sequence, body))

    def _refuse(self, command: int, sequence: int) -> None:
        if command in UNANSWERED:
            return
        # A second bind on a link is RALYBND; everything else out of its state is RINVBNDSTS (5.1.3).
        again = command in BINDS and self.side is Side.SMSC
        status = Status.RALYBND if again else Status.RINVBNDSTS
        self._out.append(frame(command | RESPONSE, status, sequence))

    def _answered(
        self, events: list[Event], entry: tuple[int, Any, float], command: int, status: int, body: bytes
    ) -> None:
        """A response off the hot path."""
        asked, token, sent = entry
        if asked == Command.ENQUIRE_LINK:
            self._enquiring = False  # any answer, a generic_nack too, shows that the peer is there
            return
        if asked == Command.UNBIND:
            self._end(events, "unbound")
            return
        if asked in BOUND_AS:
            accepted = status == Status.ROK and command != Command.GENERIC_NACK
            self._enter(BOUND_AS[Command(asked)] if accepted else State.OPEN)
        events.append(Answered(command, status, body, token, sent))

    def _stray(self, command: int, sequence: int) -> None:
        """A response that answers nothing; the right number on the wrong one means that ours is still to come."""
        if command in _KNOWN:
            self.strays += 1
        else:
            self._out.append(frame(Command.GENERIC_NACK, Status.RINVCMDID, sequence))
