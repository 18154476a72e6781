"""Receipts whose message we do not know yet: a carrier may tell what became of a message before it answers the send."""

from collections.abc import Callable

from protocol.receipt import Receipt
from routing import heard
from routing.message import key_of
from smppgw.pipeline import Pipeline


class Kept:
    """One of them: on disk, because its notification was answered and will not come again."""

    __slots__ = ("_pipeline", "came", "found", "id")

    def __init__(self, pipeline: Pipeline, id: int, found: Receipt, came: float) -> None:
        self.id = id
        """Its key in the store."""
        self.found = found
        self.came = came
        """Loop time."""
        self._pipeline = pipeline

    def accepted(self) -> None:
        """Its effect is on disk."""
        journal = self._pipeline.journal
        journal.turn.batch[key_of(self.id)] = None
        journal.soon()

    def refused(self, status: int) -> None:
        """Its record stays; a restart reads it again."""


class Early:
    """Those of one connector, by the id they name."""

    def __init__(self, pipeline: Pipeline, connector: bytes, lapsed: Callable[[Kept], None]) -> None:
        self._pipeline = pipeline
        self._connector = connector
        self._lapsed = lapsed
        self._by_id: dict[bytes, list[Kept]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def keep(self, found: Receipt, wait: float) -> None:
        """Put it on disk with the present turn, and remember it for so many seconds."""
        pipeline = self._pipeline
        id = pipeline.ids.mint(pipeline.clock())
        pipeline.journal.turn.batch[key_of(id)] = heard.pack(self._connector, found)
        self.restore(id, found, wait)

    def restore(self, id: int, found: Receipt, wait: float) -> None:
        """One that is on disk already."""
        kept = Kept(self._pipeline, id, found, self._pipeline.loop.time())
        self._by_id.setdefault(found.id, []).append(kept)
        self._count += 1
        self._pipeline.delays.after(wait, lambda: self._lapse(kept))

    def take(self, id: bytes) -> list[Kept]:
        """What came for a message that is known now, in the order of coming."""
        found = self._by_id.pop(id, [])
        self._count -= len(found)
        return found

    def _lapse(self, kept: Kept) -> None:
        entries = self._by_id.get(kept.found.id, [])
        if kept in entries:
            entries.remove(kept)
            self._count -= 1
            if not entries:
                del self._by_id[kept.found.id]
            self._lapsed(kept)
