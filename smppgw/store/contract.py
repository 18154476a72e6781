"""What a store promises: batches of records, on disk and whole, or not at all."""

from collections.abc import Iterator, Mapping
from typing import Protocol


class StoreError(Exception):
    """The store cannot do it now: a sentence that says what, where and what to do.

    Nothing of the batch counts, the store stays usable, and the next commit may succeed when the cause is gone.
    """


class Store(Protocol):
    """Keys are 8 octets, a message id in big-endian order, so key order is time order; values are up to 64 KiB.

    One event loop owns a store: every call is made on its thread.
    """

    def open(self) -> None:
        """Take the store for this process alone; raises StoreError when another gateway has it."""

    async def commit(self, batch: Mapping[bytes, bytes | None], *, spare: bool = False) -> None:
        """Atomic and durable when it returns; None deletes the key, also an absent one.

        Raises StoreError, and then nothing of the batch counts. A full store still takes batches that delete at
        least as many records as they add; and, while its spare room lasts, those that are `spare`. Commits are made
        one after the other; one whose caller was cancelled is finished all the same.
        """

    def scan(self) -> Iterator[tuple[bytes, bytes]]:
        """Every record, in key order. What is committed meanwhile may or may not be seen."""

    def get(self, key: bytes) -> bytes | None:
        """The value as last committed."""

    def close(self) -> None:
        """Give it back after the commit under way; closing twice is fine."""
