"""How many messages and reports came and went, and how fast: the numbers of Kannel's status page."""

from collections.abc import Callable

MINUTE, FIVE_MINUTES = 60, 300

Loads = tuple[float, float, float]
"""A second: of the last minute, of the last five, and since the start."""


class _Interval:
    """Kannel's own reckoning: until the first interval is over, what came in it; from then on the intervals before,
    the newest twice as heavy."""

    __slots__ = ("_count", "_is_first", "_rate", "_since", "seconds")

    def __init__(self, seconds: int, now: int) -> None:
        self.seconds = seconds
        self._since = now
        self._count = 0
        self._rate = 0.0
        self._is_first = True

    def add(self, count: int, now: int) -> None:
        if now >= self._since + self.seconds:
            rate = self._count / self.seconds
            self._rate = (2 * rate + self._rate) / 3 if self._rate > 0 else rate
            self._since = now
            self._count = 0
            self._is_first = False
        self._count += count

    def get(self, now: int) -> float:
        self.add(0, now)
        return self._count / max(1, now - self._since) if self._is_first else self._rate


class Traffic:
    """Messages of one kind in one direction."""

    __slots__ = ("_clock", "_five", "_one", "_start", "total")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._start = int(clock())
        self._one = _Interval(MINUTE, self._start)
        self._five = _Interval(FIVE_MINUTES, self._start)
        self.total = 0

    def add(self, count: int = 1) -> None:
        now = int(self._clock())
        self.total += count
        self._one.add(count, now)
        self._five.add(count, now)

    @property
    def loads(self) -> Loads:
        now = int(self._clock())
        return self._one.get(now), self._five.get(now), self.total / max(1, now - self._start)


class Flow:
    """All that goes by one smsc, or by all."""

    __slots__ = ("failed", "received_dlr", "received_sms", "sent_dlr", "sent_sms")

    def __init__(self, clock: Callable[[], float]) -> None:
        self.received_sms = Traffic(clock)
        self.received_dlr = Traffic(clock)
        """Those that bearerbox makes itself, of what an SMSC answered, are among them."""
        self.sent_sms = Traffic(clock)
        self.sent_dlr = Traffic(clock)
        self.failed = 0
