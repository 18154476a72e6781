"""How many messages a second: a token bucket."""

_WHOLE = 1.0 - 1e-9  # a token, less what adding up many small refills may lose
_MARGIN = 1e-6  # epoch seconds in a double are this coarse, nearly


class TokenBucket:
    """In any t seconds it gives at most burst + rate * t tokens.

    A rate of 0 is no limit; a burst of 0 is one second's worth. When the clock is set back nothing is gained or lost.
    """

    __slots__ = ("_burst", "_last", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float = 0.0) -> None:
        self._rate = rate
        self._burst = max(burst or rate, 1.0) if rate else float("inf")
        self._tokens = self._burst
        self._last = 0.0

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        if now != self._last:
            self._refill(now)
        if self._tokens < _WHOLE:
            return False
        self._tokens -= 1.0
        return True

    def wait(self, now: float) -> float:
        """Seconds until `take` succeeds; 0 when it does now."""
        self._refill(now)
        if self._tokens >= _WHOLE:
            return 0.0
        return (1.0 - self._tokens) / self._rate + _MARGIN

    def _refill(self, now: float) -> None:
        elapsed = now - self._last
        self._last = now
        if elapsed > 0.0:
            tokens = self._tokens + elapsed * self._rate
            self._tokens = tokens if tokens < self._burst else self._burst
