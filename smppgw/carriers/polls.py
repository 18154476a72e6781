"""When to ask a carrier about messages whose receipt has not come: one queue for each age at which to ask."""

from collections import deque
from collections.abc import Iterator, Sequence


class Polls:
    """Entries come in the order of time, so that every queue is in order too. One is about 100 octets."""

    def __init__(self, ages: Sequence[float]) -> None:
        self._ages = ages
        self._queues: list[deque[tuple[float, bytes]]] = [deque() for _ in ages]

    def __len__(self) -> int:
        return sum(map(len, self._queues))

    def add(self, id: bytes, sent: float, now: float) -> None:
        """An upstream id, sent at this time; asked for at the first age that it has not reached yet, or at once for the
        last time when it is older than all: its last look may have been missed."""
        for stage, age in enumerate(self._ages):
            if sent + age > now:
                self._queues[stage].append((sent, id))
                return
        if self._queues:
            self._queues[-1].appendleft((sent, id))

    def due(self, now: float) -> Iterator[tuple[bytes, float, bool]]:
        """Ids to ask for now, when they were sent, and whether this is the last time; taken out as they are read."""
        last = len(self._ages) - 1
        for stage, age in enumerate(self._ages):
            queue = self._queues[stage]
            while queue and queue[0][0] + age <= now:
                sent, id = queue.popleft()
                yield id, sent, stage == last
