"""Put the parts of a message from a mobile together."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from protocol.udh import Part

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Gathering(Generic[T]):
    """One message, of which some parts are here."""

    key: Hashable
    total: int
    last: float = 0.0
    """When the last of them came."""
    found: dict[int, tuple[bytes, list[T]]] = field(default_factory=dict)
    """By number: the text of the part, and everything that brought it."""

    @property
    def complete(self) -> bool:
        return len(self.found) == self.total

    @property
    def parts(self) -> list[T]:
        """In their order, each once."""
        return [self.found[number][1][0] for number in sorted(self.found)]

    def repetitions(self) -> Iterator[T]:
        """Those that said what another had said."""
        for _, brought in self.found.values():
            yield from brought[1:]


class Gatherings(Generic[T]):
    """All messages that wait for parts; never more than so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[Hashable, Gathering[T]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, key: Hashable, part: Part, text: bytes, bearer: T, now: float) -> list[Gathering[T]]:
        """Take a part. Returns what is to be dealt with now: the message that it completes, and before that those that
        will not be completed: one whose sender used the reference again, or the oldest when there are too many."""
        key = (key, part.reference, part.total, part.wide)
        done = []
        known = self._open.get(key)
        if known is not None and known.found.get(part.number, (text,))[0] != text:
            done.append(self._open.pop(key))
            known = None
        if known is None:
            if len(self._open) >= self._most:
                done.append(self._open.pop(next(iter(self._open))))
            known = self._open[key] = Gathering(key, part.total)
        known.found.setdefault(part.number, (text, []))[1].append(bearer)
        known.last = max(known.last, now)
        if known.complete:
            done.append(self._open.pop(key))
        return done

    def late(self, before: float) -> list[Gathering[T]]:
        """Forget and return those to which nothing came since that time."""
        late = [gathering for gathering in self._open.values() if gathering.last < before]
        for gathering in late:
            del self._open[gathering.key]
        return late

    @property
    def next(self) -> float | None:
        """When the last part came to the one that waits longest; None: nothing waits."""
        return min((gathering.last for gathering in self._open.values()), default=None)
