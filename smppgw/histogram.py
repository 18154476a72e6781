"""Durations counted in fixed buckets, cheap enough for the hot path."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

LATENCY = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Bounds in seconds, for everything between a commit and an upstream that does not answer."""


class Histogram:
    """How many durations were at most how long."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...] = LATENCY) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """By bucket, not cumulated; the last one is for what is longer than every bound."""
        self.total = 0.0
        """Seconds of all of them together."""

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def observe_all(self, durations: Iterable[float]) -> None:
        """Count many."""
        for seconds in durations:
            self.observe(seconds)

    def cumulated(self) -> Iterator[tuple[str, int]]:
        """Bound as text, and how many were at most that long; the last bound is +Inf."""
        so_far = 0
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            so_far += count
            yield "+Inf" if bound == float("inf") else str(bound), so_far
