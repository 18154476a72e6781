"""Sessions of either side in whatever state a test wants them, got there by PDUs alone."""

from protocol.consts import RESPONSE, Command, Status
from protocol.session import BOUND_AS, Asked, Session, Side, State
from protocol.timers import Timers
from protocol.wire import frame

BIND_BODY = b"esme\0secret\0\0\x34\0\0\0"
BIND_FOR = {state: command for command, state in BOUND_AS.items()}
PEER_FIRST = 1001
"""The sequence_number that our peer's bind or unbind has."""


def in_state(side: Side, state: State, *, timers: Timers = Timers(), window: int = 100, now: float = 0.0) -> Session:  # noqa: B008  frozen
    """A session in this state, with nothing left to write."""
    session = Session(side, now, timers=timers, window=window)
    if state is State.OPEN:
        return session
    if state is State.CLOSED:
        session.lost()
        return session
    wanted = state if state in BIND_FOR else State.BOUND_TRX
    bind = BIND_FOR[wanted]
    if side is Side.SMSC:
        (asked,) = session.receive(frame(bind, 0, PEER_FIRST, BIND_BODY), now)
        assert isinstance(asked, Asked)
        if state is not State.BINDING:
            session.answer(asked, Status.ROK, b"smsc\0")
    else:
        sequence = session.request(bind, BIND_BODY, None, now)
        if state is not State.BINDING:
            session.receive(frame(bind | RESPONSE, Status.ROK, sequence, b"smsc\0"), now)
    if state is State.UNBINDING:
        session.request(Command.UNBIND, b"", None, now)
    session.outgoing()
    assert session.state is state
    return session


def bound(side: Side, *, timers: Timers = Timers(), window: int = 100, now: float = 0.0) -> Session:  # noqa: B008  frozen
    """A session bound as a transceiver."""
    return in_state(side, State.BOUND_TRX, timers=timers, window=window, now=now)
