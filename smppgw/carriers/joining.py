"""Put the parts of one message together before an HTTPS carrier gets it, in whatever order and by whatever bind they
come."""

from dataclasses import dataclass, field

from protocol.udh import Part
from routing.message import Message


@dataclass(slots=True, eq=False)
class Gathering:
    """One message, of which some parts are here."""

    key: int
    total: int
    since: float
    texts: dict[int, bytes] = field(default_factory=dict)
    """The text of each part, by its number."""
    messages: dict[int, list[Message]] = field(default_factory=dict)
    """Every submit_sm that brought it; a repetition brings it again."""
    repeats: bool = False
    """All that is here came before, with a message that was complete."""

    @property
    def complete(self) -> bool:
        return len(self.texts) == self.total


class Joining:
    """All messages of a connector that wait for parts."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[int, Gathering] = {}
        self._done: dict[int, Gathering] = {}
        """Complete ones, without their messages: an ESME that had no answer submits a part again."""

    def __len__(self) -> int:
        return len(self._open)

    def add(self, key: int, message: Message, part: Part, text: bytes, now: float) -> list[Gathering]:
        """Take a part; `key` is Message.part. Returns what is to be dealt with now: the message that it completes, and
        before that those that will not be completed (see `Gathering.complete`): one that used the same reference for
        another text, or the oldest where too many are open."""
        done = []
        known = self._open.get(key)
        if known is not None and known.texts.get(part.number, text) != text:
            done.append(self._open.pop(key))  # its sender uses the reference again
            known = None
        before = self._done.get(key)
        repeats = before is not None and before.texts.get(part.number) == text
        if known is None:
            if len(self._open) >= self._most:
                done.append(self._open.pop(next(iter(self._open))))
            known = self._open[key] = Gathering(key, part.total, now, repeats=repeats)
        known.texts[part.number] = text
        known.messages.setdefault(part.number, []).append(message)
        known.repeats &= repeats
        if known.complete:
            done.append(self._open.pop(key))
            self._remember(known, now)
        return done

    def _remember(self, done: Gathering, now: float) -> None:
        self._done.pop(done.key, None)
        if len(self._done) >= self._most:
            del self._done[next(iter(self._done))]
        self._done[done.key] = Gathering(done.key, done.total, now, done.texts)

    def late(self, before: float) -> list[Gathering]:
        """Forget and return those whose first part came before that time."""
        _forget(self._done, before)
        return _forget(self._open, before)

    def keep(self, gathering: Gathering, now: float) -> None:
        """One that was late waits as long again."""
        gathering.since = now
        self._open[gathering.key] = gathering

    def forget(self, key: int) -> None:
        """What was complete was not sent after all."""
        self._done.pop(key, None)

    def take(self) -> list[Gathering]:
        """Forget and return all."""
        taken = list(self._open.values())
        self._open.clear()
        return taken


def _forget(gatherings: dict[int, Gathering], before: float) -> list[Gathering]:
    late = []
    for gathering in gatherings.values():  # oldest first
        if gathering.since >= before:
            break
        late.append(gathering)
    for gathering in late:
        del gatherings[gathering.key]
    return late
