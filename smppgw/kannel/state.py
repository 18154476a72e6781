"""Whether Kannel runs, is isolated or suspended, and what each lets through."""

from collections.abc import Callable
from enum import Enum


class Phase(Enum):
    """Its values are the words of the status page."""

    RUNNING = "running"
    ISOLATED = "isolated"
    """Messages go out; nothing that comes from an SMSC is taken."""
    SUSPENDED = "suspended"
    """Nor does anything go out."""
    FULL = "filled"
    SHUTDOWN = "going down"
    DEAD = "dead"


_OVER = frozenset({Phase.SHUTDOWN, Phase.DEAD})


class State:
    """The verbs answer False where Kannel says that it is so already, or that it is too late."""

    def __init__(self, queued: Callable[[], int] = lambda: 0, limit: int = -1) -> None:
        self._phase = Phase.RUNNING
        self._queued = queued
        self.limit = limit
        """Messages that may wait to be sent; -1: any number."""

    @property
    def phase(self) -> Phase:
        return Phase.FULL if self._phase is Phase.RUNNING and self.is_full else self._phase

    @property
    def is_full(self) -> bool:
        """More are refused for now."""
        return 0 <= self.limit <= self._queued()

    @property
    def takes(self) -> bool:
        """Does a request for sendsms get an answer now? While it does not, Kannel lets it wait."""
        return self._phase in {Phase.RUNNING, Phase.ISOLATED}

    @property
    def sends(self) -> bool:
        """Do messages go to SMSCs?"""
        return self._phase in {Phase.RUNNING, Phase.ISOLATED}

    @property
    def receives(self) -> bool:
        """Are messages and reports of SMSCs taken?"""
        return self._phase is Phase.RUNNING

    @property
    def is_over(self) -> bool:
        return self._phase in _OVER

    def suspend(self) -> bool:
        return self._move(Phase.SUSPENDED)

    def isolate(self) -> bool:
        return self._move(Phase.ISOLATED)

    def resume(self) -> bool:
        return self._move(Phase.RUNNING)

    def shutdown(self) -> bool:
        """False the second time, which is when Kannel ends at once."""
        return self._move(Phase.SHUTDOWN)

    def end(self) -> None:
        self._phase = Phase.DEAD

    def _move(self, phase: Phase) -> bool:
        if self.is_over or self._phase is phase:
            return False
        self._phase = phase
        return True
