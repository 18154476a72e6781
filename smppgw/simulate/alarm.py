"""Do things later, on one timer of the loop."""

import asyncio
from collections.abc import Callable

from smppgw.simulate.later import Later

_TOGETHER = 0.001
"""Seconds: what is due within them is done at one waking."""
_NEVER = float("inf")


class Alarm:
    """Thousands of waiting calls cost the loop no more than one."""

    def __init__(self, woken: Callable[[], None]) -> None:
        self._woken = woken
        self._later: Later[Callable[[], object]] = Later()
        self._wake: asyncio.Handle | None = None
        self._wake_at = _NEVER  # kept here: uvloop's handle of a timer that is nearly due cannot tell
        self._loop = asyncio.get_running_loop()

    def after(self, delay: float, what: Callable[[], object]) -> None:
        self.at(self._loop.time() + delay, what)

    def at(self, due: float, what: Callable[[], object]) -> None:
        """By the loop's clock."""
        self._later.add(due, what)
        if due < self._wake_at - _TOGETHER:
            self._rearm()

    def every(self, seconds: float, what: Callable[[], object]) -> None:
        def again() -> None:
            what()
            self.after(seconds, again)

        self.after(seconds, again)

    def stop(self) -> None:
        """Nothing more happens."""
        self._later = Later()
        self._rearm()

    def _rearm(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake, self._wake_at = None, _NEVER
        due = self._later.next_due()
        if due is not None:
            self._wake_at = max(due, self._loop.time() + _TOGETHER)
            self._wake = self._loop.call_at(self._wake_at, self._ring)

    def _ring(self) -> None:
        try:
            for what in self._later.take(self._loop.time()):
                what()
        finally:
            self._rearm()
        self._woken()
