"""When a connector that stopped for a while goes on."""

import asyncio
from collections.abc import Callable

from smppgw.delays import Delays

EARLY = 0.005
"""Seconds that a timer may be early."""


class Pauses:
    """`turned` is called whenever a pause is over, and where it sends no faster than its rate."""

    __slots__ = ("_delays", "_loop", "_turned", "_waiting", "until")

    def __init__(self, loop: asyncio.AbstractEventLoop, delays: Delays, turned: Callable[[], None]) -> None:
        self._loop = loop
        self._delays = delays
        self._turned = turned
        self._waiting = False
        self.until = 0.0
        """Loop time until which the upstream gets nothing, as it asked for; 0: no pause."""

    def pause(self, seconds: float) -> None:
        """A longer pause that is under way stays as long as it is."""
        self.until = max(self.until, self._loop.time() + seconds)
        self._delays.after(seconds, self._over)

    def end(self) -> None:
        """Whatever the upstream asked for, go on."""
        self.until = 0.0
        self._loop.call_soon(self._turned)

    def turn_after(self, seconds: float) -> None:
        """Go on in so many seconds, unless that is to happen already."""
        if not self._waiting:
            self._waiting = True
            self._delays.after(seconds, self._go_on)

    def _over(self) -> None:
        if self.until and self._loop.time() >= self.until - EARLY:
            self.until = 0.0
            self._turned()

    def _go_on(self) -> None:
        self._waiting = False
        self._turned()
