"""Stop asking a carrier that fails, and ask again with one message after a while."""

from collections.abc import Sequence

from routing import retry


class Breaker:
    """Closed: everything goes. Open: nothing. Half open: one request at a time, until one succeeds or fails."""

    def __init__(self, failures: int, waits: Sequence[float]) -> None:
        self.failures = 0
        """In a row."""
        self.opened = 0
        """How often in a row it opened."""
        self._most = failures
        self._waits = waits
        self._until = 0.0

    @property
    def half_open(self) -> bool:
        """Or open, if it is not time yet."""
        return self.opened > 0

    def closed_at(self, now: float) -> bool:
        """May a request go?"""
        return now >= self._until

    def succeeded(self) -> bool:
        """A request was answered sensibly. True when that closed it."""
        was_open = self.opened > 0
        self.failures = self.opened = 0
        self._until = 0.0
        return was_open

    def reset(self) -> None:
        """A person knows better: one may go now."""
        self._until = 0.0

    def failed(self, now: float, *, alarm: bool = False) -> float:
        """A request failed; an alarm opens it at once. Returns the seconds that it is open from now; 0: it is not."""
        self.failures += 1
        if now < self._until or (self.failures < self._most and not alarm and not self.opened):
            return 0.0  # what was under way when it opened says nothing new
        self.opened += 1
        wait = retry.delay(self.opened, self._waits)
        self._until = now + wait
        return wait
