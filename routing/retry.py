"""What the upstream's answer means for a message: sent, later or never."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from protocol.consts import MessageState, Status


class Outcome(StrEnum):
    SENT = "sent"
    LATER = "later"
    NEVER = "never"


class Refusal(NamedTuple):
    """How a message ends that is refused for good: its state, and the err of its receipt."""

    state: MessageState
    err: bytes


_UNREACHABLE = frozenset(
    {
        Status.RSYSERR,
        Status.RINVDSTADR,
        Status.RSUBMITFAIL,
        Status.RINVDSTTON,
        Status.RINVDSTNPI,
        Status.RDELIVERYFAILURE,
        Status.RMSGQFUL,
        Status.RTHROTTLED,
        Status.RX_T_APPN,
    }
)
"""These speak of the destination or of the SMSC's own trouble; any other refuses the message itself."""


class ErrorTable:
    """A connector's own reading of statuses; what no list names is NEVER, and ROK is always SENT."""

    __slots__ = ("_outcomes",)

    def __init__(self, sent: Iterable[int] = (), later: Iterable[int] = (), never: Iterable[int] = ()) -> None:
        self._outcomes = {
            **dict.fromkeys(sent, Outcome.SENT),
            **dict.fromkeys(later, Outcome.LATER),
            **dict.fromkeys(never, Outcome.NEVER),
            0: Outcome.SENT,
        }

    def outcome(self, status: int) -> Outcome:
        return self._outcomes.get(status, Outcome.NEVER)


def delay(attempts: int, delays: Sequence[float]) -> float:
    """Seconds to wait after that many attempts; the last delay repeats."""
    return delays[min(max(attempts, 1), len(delays)) - 1]


def refusal(status: int) -> Refusal:
    """The err is the status in three decimal digits, as receipts have room for; 999 stands for vendors' larger ones."""
    state = MessageState.UNDELIVERABLE if status in _UNREACHABLE else MessageState.REJECTED
    return Refusal(state, b"%03d" % status if status < 999 else b"999")
