"""What the LMDB store does beyond the contract: processes that come, go and die, disks that are full."""

import asyncio
import os
import random
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb
import pytest

from smppgw.store.contract import StoreError
from smppgw.store.lmdb import RESERVE, LmdbStore

ROOT = Path(__file__).parents[2]
PER_BATCH = 100

WRITER = """
import asyncio, sys
from smppgw.store.lmdb import LmdbStore

async def main() -> None:
    store = LmdbStore(sys.argv[1])
    store.open()
    number = 1 + max((int.from_bytes(key, "big") // 1000 for key, _ in store.scan()), default=0)
    while True:
        value = b"%d " % number * 40
        batch = {(number * 1000 + i).to_bytes(8, "big"): value for i in range(100)}
        batch |= {((number - 50) * 1000 + i).to_bytes(8, "big"): None for i in range(100) if number > 50}
        await store.commit(batch)
        print(number, flush=True)
        number += 1

asyncio.run(main())
"""

HOLDER = """
import sys
from smppgw.store.lmdb import LmdbStore
store = LmdbStore(sys.argv[1])
store.open()
print("open", flush=True)
sys.stdin.read()
"""


def key(number: int) -> bytes:
    return number.to_bytes(8, "big")


def child(program: str, path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some" / "data"


@pytest.fixture
def store(path: Path) -> Iterator[LmdbStore]:
    made = LmdbStore(path, max_size=1 << 20)
    made.open()
    yield made
    made.close()


@contextmanager
def disk_full_at(octets: int) -> Iterator[None]:
    """No file of this process grows past it: a write there fails (Python ignores SIGXFSZ)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_data_directory_is_made_for_its_owner_alone(store: LmdbStore, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in path.iterdir()} == {0o600}


def test_a_second_gateway_is_refused_with_the_pid_of_the_first(path: Path) -> None:
    with child(HOLDER, path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreError, match=rf"{path} is in use by another gateway \(pid {holder.pid}\)"):
            LmdbStore(path).open()
        holder.communicate()
    again = LmdbStore(path)
    again.open()
    again.close()


def test_two_stores_of_one_process_do_not_share_a_directory(store: LmdbStore, path: Path) -> None:
    with pytest.raises(StoreError, match=rf"in use by another gateway \(pid {os.getpid()}\)"):
        LmdbStore(path).open()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot use data directory .*file/data: Not a directory"):
        LmdbStore(tmp_path / "file" / "data").open()


def test_a_file_that_is_no_store_is_refused_and_the_directory_given_back(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "data.mdb").write_bytes(b"something else" * 1000)
    other = LmdbStore(path)
    with pytest.raises(StoreError, match="not an LMDB file"):
        other.open()
    (path / "data.mdb").unlink()
    other.open()
    other.close()


async def test_a_full_store_says_which_key_to_raise_and_keeps_what_it_has(store: LmdbStore) -> None:
    kept = await fill(store)
    assert kept > 100
    assert [found for found, _ in store.scan()] == [key(number) for number in range(kept)]


async def test_a_full_store_lets_messages_leave_and_then_takes_new_ones(store: LmdbStore) -> None:
    kept = await fill(store)
    await store.commit({key(number): b"w" * 1000 for number in range(kept)})
    await store.commit({key(0): None, key(10_001): b"v", key(10_000): None})
    with pytest.raises(StoreError, match="full"):
        await store.commit({key(1): None, key(10_002): b"v", key(10_003): b"v"})
    await store.commit({key(number): None for number in range(1, kept)} | {key(10_001): None})
    await store.commit({key(number): b"v" * 1000 for number in range(kept, kept + 100)})
    assert [found for found, _ in store.scan()] == [key(number) for number in range(kept, kept + 100)]


async def test_spare_batches_may_add_to_a_full_store_while_its_spare_room_lasts(store: LmdbStore) -> None:
    kept = await fill(store)
    large = {key(number): b"v" * 65_000 for number in range(20_000, 20_000 + RESERVE // 2 // 65_536 - 20)}
    await store.commit(large, spare=True)
    with pytest.raises(StoreError, match="full"):
        await store.commit({key(30_000): b"v"})
    for number in range(100):
        try:
            await store.commit({key(40_000 + number): b"v" * 65_000}, spare=True)
        except StoreError:
            break
    assert 0 < number < 99
    await store.commit(dict.fromkeys(map(key, range(kept)), b"w" * 1000))
    await store.commit(dict.fromkeys([*map(key, range(kept)), *large]))
    await store.commit({key(40_000): None, key(40_001): b"v", key(40_002): b"v"})


async def fill(store: LmdbStore) -> int:
    """Until it is full; how many records it took."""
    for number in range(0, 10_000, 10):
        try:
            await store.commit({key(number + i): b"v" * 1000 for i in range(10)})
        except StoreError as error:
            assert re.search(r"data\.mdb is full: .* 1 MiB; raise \[store\] max_size", str(error))  # noqa: PT017
            return number
    return 0


async def test_a_batch_greater_than_the_map_fails_whole(store: LmdbStore) -> None:
    with pytest.raises(StoreError, match="max_size"):
        await store.commit({key(number): b"v" * 65536 for number in range(2000)})
    assert list(store.scan()) == []
    await store.commit({key(1): b"one"})
    assert store.get(key(1)) == b"one"


async def test_a_full_disk_fails_the_commit_whole_and_the_next_one_may_succeed(store: LmdbStore, path: Path) -> None:
    await store.commit({key(1): b"one"})
    large: dict[bytes, bytes | None] = {key(number): b"v" * 1000 for number in range(2, 500)}
    for _ in range(3):
        with disk_full_at((path / "data.mdb").stat().st_size + 100_000):
            with pytest.raises(StoreError, match=r"cannot write .*data\.mdb: .* is the disk full"):
                await store.commit({**large, key(1): None})
            assert list(store.scan()) == [(key(1), b"one")]
    await store.commit({key(1): b"small"})
    await store.commit(large)
    store.close()
    store.open()
    assert dict(store.scan()) == {**large, key(1): b"small"}


async def test_a_full_disk_still_takes_what_fits_into_freed_pages(store: LmdbStore, path: Path) -> None:
    await store.commit({key(number): b"v" * 1000 for number in range(300)})
    await store.commit({key(number): None for number in range(200)})
    await store.commit({key(200): b"moved"})
    with disk_full_at((path / "data.mdb").stat().st_size):
        await store.commit({key(number): None for number in range(201, 300)})
    assert list(store.scan()) == [(key(200), b"moved")]


async def test_a_batch_with_something_else_than_octets_is_our_bug_and_harms_nothing(store: LmdbStore) -> None:
    with pytest.raises(TypeError):
        await store.commit({key(1): b"one", key(2): 5})  # type: ignore[dict-item]
    await store.commit({key(3): b"three"})
    assert list(store.scan()) == [(key(3), b"three")]


async def test_the_loop_goes_on_while_the_disk_works(store: LmdbStore) -> None:
    turns = 0

    def turn() -> None:
        nonlocal turns
        turns += 1
        asyncio.get_running_loop().call_soon(turn)

    turn()
    before = turns
    await store.commit({key(number): b"v" * 100 for number in range(500)})
    assert turns > before


@pytest.mark.parametrize("look", [0.0, 3600.0], ids=["by its own looks", "by the writer's word"])
async def test_the_loop_hears_of_the_end_of_a_commit(path: Path, look: float) -> None:
    store = LmdbStore(path, look=look)
    store.open()
    for number in range(200):
        await store.commit({key(number): b"x"})
    store.close()
    store.open()
    assert len([*store.scan()]) == 200
    store.close()


async def test_a_store_closed_during_a_commit_finishes_it_first(store: LmdbStore, path: Path) -> None:
    task = asyncio.ensure_future(store.commit({key(1): b"one"}))
    await asyncio.sleep(0)
    store.close()
    await task
    store.open()
    assert store.get(key(1)) == b"one"


def test_a_store_serves_one_loop_after_the_other(store: LmdbStore) -> None:
    for number in range(5):
        asyncio.run(store.commit({key(number): b"x"}))
    assert len(list(store.scan())) == 5


def test_another_process_reads_while_we_write(store: LmdbStore, path: Path) -> None:
    reader = (
        "import lmdb, sys; env = lmdb.open(sys.argv[1], readonly=True, create=False, map_size=0)\n"
        "for _ in sys.stdin: print(env.stat()['entries'], flush=True)"
    )
    with child(reader, path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(1, 21):
            asyncio.run(store.commit({key(number): b"x"}))
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == f"{number}\n"
        process.communicate()


def test_a_scan_keeps_no_page_from_being_used_again(store: LmdbStore) -> None:
    asyncio.run(store.commit({key(number): b"v" * 100 for number in range(2000)}))
    scan = store.scan()
    next(scan)
    before = store.size()
    for number in range(200):
        asyncio.run(store.commit({key(5000): b"%d" % number}))
    assert store.size() <= before + 100_000
    assert sum(1 for _ in scan) == 2000


def test_what_was_acknowledged_survives_twenty_kills(path: Path) -> None:
    chance = random.Random(20)
    printed = 0
    for _ in range(20):
        with child(WRITER, path) as writer:
            assert writer.stdout is not None
            for _ in range(chance.randrange(1, 60)):
                printed = int(writer.stdout.readline())
            writer.kill()
            for line in writer.stdout:
                printed = int(line) if line.endswith("\n") else printed
        found: dict[int, list[bytes]] = {}
        with lmdb.open(str(path), readonly=True, create=False, map_size=0) as env, env.begin() as txn:
            for name, value in txn.cursor():
                found.setdefault(int.from_bytes(name, "big") // 1000, []).append(value)
        last = max(found)
        assert last in {printed, printed + 1}
        assert sorted(found) == list(range(max(1, last - 49), last + 1))
        assert all(values == [b"%d " % number * 40] * PER_BATCH for number, values in found.items())
