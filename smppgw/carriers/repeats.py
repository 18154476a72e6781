"""Messages from handsets that a carrier may bring again: each counts once, also after a restart."""

from collections import OrderedDict
from hashlib import sha256

from routing import said
from routing.message import Ids, key_of
from smppgw.pipeline import Pipeline

REMEMBERED = 10_000
"""Ids of the last messages of a connector, by which a repeated one is known."""

FORGOTTEN = 2 * 86400.0
"""Seconds after which an id is forgotten; Vonage repeats for a day, and nobody for longer as far as is known."""


class Repeats:
    """Those of one connector."""

    def __init__(self, pipeline: Pipeline, connector: bytes) -> None:
        self._pipeline = pipeline
        self._connector = connector
        self._records: OrderedDict[bytes, int] = OrderedDict()
        """By the carrier's id the key of its record, oldest first."""
        self._under_way: set[bytes] = set()
        """Ids whose messages are not on disk yet."""

    def safe(self, id: bytes) -> bool | None:
        """Is it on disk? None: it is new."""
        id = _short(id)
        return id not in self._under_way if id in self._records else None

    def add(self, id: bytes) -> None:
        """It came: to be called in the turn that its message goes to disk with, and once that is handed over."""
        id = _short(id)
        pipeline = self._pipeline
        record = pipeline.ids.mint(pipeline.clock())
        pipeline.journal.turn.batch[key_of(record)] = said.pack(self._connector, id)
        self._records[id] = record
        self._under_way.add(id)
        self.forget_old()

    def committed(self, id: bytes) -> None:
        """Its message is on disk."""
        self._under_way.discard(_short(id))

    def restore(self, key: int, record: bytes) -> None:
        """A SAID record of the store, in the order of keys, after a restart."""
        _, id = said.unpack(record)
        self.forget(id)  # a connector that the config did not have for a while may have had it twice
        self._records[id] = key

    def forget(self, id: bytes) -> None:
        """If it comes again, it is another."""
        id = _short(id)
        self._under_way.discard(id)
        record = self._records.pop(id, None)
        if record is not None:
            self._pipeline.journal.turn.batch[key_of(record)] = None
            self._pipeline.journal.soon()

    def forget_old(self) -> None:
        """Now and then: what is too old, or too much."""
        oldest = self._pipeline.clock() - FORGOTTEN
        while self._records:
            id, record = next(iter(self._records.items()))
            if len(self._records) <= REMEMBERED and Ids.time_of(record) >= oldest:
                return
            self.forget(id)


def _short(id: bytes) -> bytes:
    """What a record can hold: carriers may write ids as long as they like."""
    return id if len(id) <= said.LONGEST else sha256(id).digest()
