"""When a link has been silent, unbound or unanswered for too long (SMPP 3.4, 7.2)."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds; 0 switches a timer off."""

    init: float = 10.0
    """session_init_timer: from the opening of the link to its bind."""
    enquire_link: float = 30.0
    """enquire_link_timer: silence after which we ask whether the peer is there."""
    inactivity: float = 0.0
    """inactivity_timer: no message in either direction, enquire_link aside."""
    response: float = 30.0
    """response_timer: from our request to its response."""


class Due(Enum):
    """What a watch asks for."""

    INIT = "not bound in time"
    ENQUIRE = "ask with enquire_link"
    INACTIVE = "no message for too long"


class Watch:
    """The times of one link. `now` is any clock that does not go back, in seconds."""

    __slots__ = ("_active", "_heard", "_opened", "_timers")

    def __init__(self, timers: Timers, now: float) -> None:
        self._timers = timers
        self._opened = self._heard = self._active = now

    def heard(self, now: float) -> None:
        """Any octets came."""
        self._heard = now

    def active(self, now: float) -> None:
        """A PDU other than enquire_link and its response came or went."""
        self._active = now

    def due(self, now: float, *, bound: bool) -> Due | None:
        """The first thing that is due. After ENQUIRE call `heard` or ask only once: it stays due in silence."""
        timers = self._timers
        if not bound:
            return Due.INIT if timers.init and now - self._opened >= timers.init else None
        if timers.inactivity and now - self._active >= timers.inactivity:
            return Due.INACTIVE
        if timers.enquire_link and now - self._heard >= timers.enquire_link:
            return Due.ENQUIRE
        return None
