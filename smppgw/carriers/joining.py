"""Put the parts of one message together before an HTTPS carrier gets it, in whatever order and by whatever bind they
come."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from protocol.udh import Part
from routing.message import Message


@dataclass(slots=True, eq=False)
class Gathering:
    """One message, of which some parts are here."""

    key: int
    total: int
    since: float
    parts: dict[int, list[tuple[bytes, Message]]] = field(default_factory=dict)
    """By number: the text of the part, and every submit_sm that brought it; a repetition brings it again."""

    @property
    def complete(self) -> bool:
        return len(self.parts) == self.total

    @property
    def messages(self) -> list[Message]:
        """Every submit_sm that is part of it, in the order of the parts."""
        return [message for _, message in self._in_order()]

    @property
    def octets(self) -> bytes:
        """The text as far as it is here."""
        return b"".join(self.parts[number][0][0] for number in sorted(self.parts))

    def _in_order(self) -> Iterator[tuple[bytes, Message]]:
        for number in sorted(self.parts):
            yield from self.parts[number]


class Joining:
    """All messages of a connector that wait for parts."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[int, Gathering] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, key: int, message: Message, part: Part, text: bytes, now: float) -> list[Gathering]:
        """Take a part; `key` is Message.part. Returns what is to be dealt with now: the message that
        it completes, and before that those which will not be completed (see `Gathering.complete`): one that used the same reference for another text, or
        the oldest where too many are open."""
        done = []
        known = self._open.get(key)
        if known is not None and known.parts.get(part.number, ((text,),))[0][0] != text:
            done.append(self._open.pop(key))  # its sender uses the reference again
            known = None
        if known is None:
            if len(self._open) >= self._most:
                done.append(self._open.pop(next(iter(self._open))))
            known = self._open[key] = Gathering(key, part.total, now)
        known.parts.setdefault(part.number, []).append((text, message))
        if known.complete:
            done.append(self._open.pop(key))
        return done

    def late(self, before: float) -> list[Gathering]:
        """Forget and return those whose first part came before that time."""
        late = []
        for gathering in self._open.values():  # oldest first
            if gathering.since >= before:
                break
            late.append(gathering)
        for gathering in late:
            del self._open[gathering.key]
        return late

    def take(self) -> list[Gathering]:
        """Forget and return all."""
        taken = list(self._open.values())
        self._open.clear()
        return taken
