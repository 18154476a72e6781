"""What is to happen later, by its time."""

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """Items that come in the order of their times, as with one delay for all, cost next to nothing."""

    __slots__ = ("_heap", "_line", "_number")

    def __init__(self) -> None:
        self._line: deque[tuple[float, T]] = deque()
        self._heap: list[tuple[float, int, T]] = []
        self._number = count()

    def __len__(self) -> int:
        return len(self._line) + len(self._heap)

    def add(self, due: float, item: T) -> None:
        if not self._line or due >= self._line[-1][0]:
            self._line.append((due, item))
        else:
            heappush(self._heap, (due, next(self._number), item))

    def next_due(self) -> float | None:
        """The earliest time."""
        if self._line and self._heap:
            return min(self._line[0][0], self._heap[0][0])
        if self._line:
            return self._line[0][0]
        return self._heap[0][0] if self._heap else None

    def take(self, now: float) -> Iterator[T]:
        """Take out what is due, the earliest first; what is added meanwhile and due counts too."""
        line, heap = self._line, self._heap
        while True:
            if line and line[0][0] <= now and not (heap and heap[0][0] < line[0][0]):
                yield line.popleft()[1]
            elif heap and heap[0][0] <= now:
                yield heappop(heap)[2]
            else:
                return
