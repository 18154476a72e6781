"""A store that forgets at exit: for tests, and for relays that may lose what they hold."""

from collections.abc import Iterator, Mapping

from smppgw.store.contract import StoreError


class MemoryStore:
    """What was committed is there again after close and open of the same object."""

    def __init__(self) -> None:
        self._records: dict[bytes, bytes] = {}
        self._is_open = False

    def open(self) -> None:
        if self._is_open:
            raise StoreError("the store in memory is open already: close it first")
        self._is_open = True

    async def commit(self, batch: Mapping[bytes, bytes | None], *, spare: bool = False) -> None:  # noqa: ARG002  it is never full
        records = self._opened()
        for key, value in batch.items():
            if value is None:
                records.pop(key, None)
            else:
                records[key] = value

    def scan(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(sorted(self._opened().items()))

    def get(self, key: bytes) -> bytes | None:
        return self._opened().get(key)

    def close(self) -> None:
        self._is_open = False

    def _opened(self) -> dict[bytes, bytes]:
        if not self._is_open:
            raise StoreError("the store in memory is closed: open it first")
        return self._records
