"""What is to be done later: one heap and one timer, for however many things."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count


class Delays:
    """Calls back when something is due. Nothing can be taken out again: who is called looks whether it still counts."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._heap)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do it in so many seconds."""
        when = self._loop.time() + max(seconds, 0.0)
        heapq.heappush(self._heap, (when, next(self._order), action))
        if self._heap[0][0] == when:
            self._set()

    def close(self) -> None:
        """Forget everything."""
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _set(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._heap[0][0], self._due)

    def _due(self) -> None:
        self._timer = None
        now = self._loop.time() + 0.001  # timers may fire a clock tick early
        try:
            while self._heap and self._heap[0][0] <= now:
                heapq.heappop(self._heap)[2]()
        finally:  # one that fails must not keep the others waiting
            if self._heap:
                self._set()
