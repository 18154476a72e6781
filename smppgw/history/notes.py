"""Who hears what happens to messages."""

from typing import Any, Protocol


class Notes(Protocol):
    """It is called on the gateway's loop, and waits for nothing."""

    def note(self, at: float, id: int, kind: int, said: tuple[Any, ...]) -> None:
        """`kind` and `said` are as in events.Kind."""

    def text(self, octets: bytes) -> bytes:
        """What it keeps of a text."""


class Both:
    """Two who hear the same; the first says what is kept of texts."""

    def __init__(self, first: Notes, second: Notes) -> None:
        self._first = first
        self._second = second
        self.text = first.text

    def note(self, at: float, id: int, kind: int, said: tuple[Any, ...]) -> None:
        self._first.note(at, id, kind, said)
        self._second.note(at, id, kind, said)
