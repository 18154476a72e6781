"""What every store promises, run on each of them."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from smppgw.store.contract import Store, StoreError
from smppgw.store.lmdb import LmdbStore
from smppgw.store.memory import MemoryStore

ENGINES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "lmdb": lambda path: LmdbStore(path / "data", max_size=64 << 20),
}


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = ENGINES[request.param](tmp_path)
    made.open()
    yield made
    made.close()


def key(number: int) -> bytes:
    return number.to_bytes(8, "big")


async def test_what_is_committed_can_be_read(store: Store) -> None:
    await store.commit({key(1): b"one", key(2): b"two"})
    assert store.get(key(1)) == b"one"
    assert store.get(key(3)) is None


async def test_what_is_committed_is_there_after_reopening(store: Store) -> None:
    await store.commit({key(1): b"one"})
    store.close()
    store.open()
    assert list(store.scan()) == [(key(1), b"one")]


async def test_none_deletes(store: Store) -> None:
    await store.commit({key(1): b"one", key(2): b"two"})
    await store.commit({key(1): None})
    assert list(store.scan()) == [(key(2), b"two")]


async def test_deleting_what_is_absent_is_fine(store: Store) -> None:
    await store.commit({key(1): None})
    await store.commit({key(1): None, key(2): b"two"})
    assert list(store.scan()) == [(key(2), b"two")]


async def test_a_value_is_replaced(store: Store) -> None:
    await store.commit({key(1): b"a long first value"})
    await store.commit({key(1): b"short"})
    assert store.get(key(1)) == b"short"


async def test_a_scan_is_in_key_order_whatever_the_order_of_the_batch(store: Store) -> None:
    numbers = [5, 256, 1, 255, 2**63, 0, 65536]
    await store.commit({key(number): b"x" for number in numbers})
    assert [found for found, _ in store.scan()] == [key(number) for number in sorted(numbers)]


@pytest.mark.parametrize("count", [0, 1, 511, 512, 513, 1024, 2000])
async def test_a_scan_sees_each_record_once(store: Store, count: int) -> None:
    await store.commit({key(number): b"%d" % number for number in range(count)})
    assert list(store.scan()) == [(key(number), b"%d" % number) for number in range(count)]


async def test_an_empty_batch_is_fine(store: Store) -> None:
    await store.commit({})
    assert list(store.scan()) == []


async def test_values_of_64_kib_come_back(store: Store) -> None:
    batch = {key(number): bytes([number]) * 65536 for number in range(40)}
    await store.commit(batch)
    assert dict(store.scan()) == batch


async def test_commits_at_once_are_made_in_their_order(store: Store) -> None:
    await asyncio.gather(*(store.commit({key(1): b"%d" % number}) for number in range(20)))
    assert store.get(key(1)) == b"19"


async def test_a_commit_whose_caller_was_cancelled_is_finished(store: Store) -> None:
    task = asyncio.ensure_future(store.commit({key(1): b"one"}))
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await store.commit({key(2): b"two"})
    assert dict(store.scan()) == {key(1): b"one", key(2): b"two"}


async def test_the_batch_may_change_once_its_commit_is_done(store: Store) -> None:
    batch: dict[bytes, bytes | None] = {key(1): b"one"}
    await store.commit(batch)
    batch[key(2)] = b"two"
    assert list(store.scan()) == [(key(1), b"one")]


async def test_a_store_that_is_open_is_not_opened_again(store: Store) -> None:
    with pytest.raises(StoreError, match="open"):
        store.open()
    await store.commit({key(1): b"one"})
    assert store.get(key(1)) == b"one"


async def test_closing_twice_is_fine_and_a_closed_store_says_so(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.commit({key(1): b"one"})
    with pytest.raises(StoreError, match="closed"):
        store.get(key(1))


KEYS = st.integers(0, 30).map(key)
VALUES = st.none() | st.binary(max_size=300) | st.integers(1, 9000).map(lambda size: b"v" * size)


class Model(RuleBasedStateMachine):
    """Every store answers like a dict that takes whole batches."""

    engine = ""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.model: dict[bytes, bytes] = {}
        self.store = ENGINES[self.engine](Path(self.directory.name))
        self.store.open()

    @rule(batch=st.dictionaries(KEYS, VALUES, max_size=20))
    def commit(self, batch: dict[bytes, bytes | None]) -> None:
        self.runner.run(self.store.commit(batch))
        for name, value in batch.items():
            self.model.pop(name, None)
            if value is not None:
                self.model[name] = value

    @rule(name=KEYS)
    def get(self, name: bytes) -> None:
        assert self.store.get(name) == self.model.get(name)

    @precondition(lambda self: self.model)
    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store.open()

    @invariant()
    def holds_the_same(self) -> None:
        assert list(self.store.scan()) == sorted(self.model.items())

    def teardown(self) -> None:
        self.store.close()
        self.runner.close()
        self.directory.cleanup()


class MemoryModel(Model):
    engine = "memory"


class LmdbModel(Model):
    engine = "lmdb"


TestMemoryModel = MemoryModel.TestCase
TestLmdbModel = LmdbModel.TestCase
TestMemoryModel.settings = TestLmdbModel.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
