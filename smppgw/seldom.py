"""What is said of every message is said once in a while, with how often it was left out."""

from collections.abc import Hashable

EVERY = 60.0
"""Seconds between two times that the same thing is said."""

MOST = 100
"""Things that are known at one time; above it they are forgotten, and said again."""


class Seldom:
    """Whose turn it is to be said."""

    __slots__ = ("_said",)

    def __init__(self) -> None:
        self._said: dict[Hashable, tuple[float, int]] = {}

    def due(self, what: Hashable, now: float) -> int | None:
        """How often it was left out since it was said, if it is to be said now; None if not."""
        said, left_out = self._said.get(what, (0.0, 0))
        if what in self._said and now < said + EVERY:
            self._said[what] = (said, left_out + 1)
            return None
        if what not in self._said and len(self._said) >= MOST:
            self._said.clear()
        self._said[what] = (now, 0)
        return left_out
