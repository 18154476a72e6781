"""What a durable commit costs on each store, beside an idle loop and beside a busy one.

`python -m benchmarks.store [--quick] [--json] [--path DIRECTORY]`; medians of five runs. The directory must be
on a real disk: on tmpfs a sync costs nothing. The last three are ways that the LMDB store does not go: `within`, the
whole transaction on the loop's thread, disk waits included; `thread`, the whole of it on another thread; `signal`, the
store as it is, but for the loop's own looks.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import lmdb
import uvloop

from benchmarks.timing import RESULTS, machine
from smppgw.store.lmdb import LmdbStore
from smppgw.store.memory import MemoryStore

Batch = dict[bytes, bytes | None]


class Commits(Protocol):
    """What is measured of a store."""

    def open(self) -> None: ...
    async def commit(self, batch: Mapping[bytes, bytes | None]) -> None: ...
    def close(self) -> None: ...


class Within:
    """The whole transaction on the loop's thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> None:
        self.env = lmdb.open(str(self._path), map_size=64 << 30)

    async def commit(self, batch: Mapping[bytes, bytes | None]) -> None:
        self.write(batch)
        await asyncio.sleep(0)

    def write(self, batch: Mapping[bytes, bytes | None]) -> None:
        ordered = sorted(batch.items())
        with self.env.begin(write=True) as txn:
            txn.cursor().putmulti([(key, value) for key, value in ordered if value is not None])
            for key, value in ordered:
                if value is None:
                    txn.delete(key)

    def close(self) -> None:
        self.env.close()


class InThread(Within):
    """The whole transaction in an executor's thread."""

    def open(self) -> None:
        super().open()
        self.executor = ThreadPoolExecutor(1)

    async def commit(self, batch: Mapping[bytes, bytes | None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self.executor, self.write, batch)

    def close(self) -> None:
        self.executor.shutdown()
        super().close()


ENGINES: dict[str, Callable[[Path], Commits]] = {
    "memory": lambda _: MemoryStore(),
    "lmdb": LmdbStore,
    "within": Within,
    "thread": InThread,
    "signal": lambda path: LmdbStore(path, look=3600.0),
}


@dataclass(slots=True)
class Figure:
    """Medians; times in milliseconds but for `us_a_record`."""

    engine: str
    loop: str
    batch: int
    us_a_record: float
    commit_p50: float
    commit_p99: float
    turn_max: float
    """The longest that the loop stood still."""
    work: float
    """Share of the loop's turns that it kept beside the commits (1 = as if there were none); 0 for an idle loop."""


def batches(size: int) -> Iterator[Batch]:
    """As in a relay at work: a third are new keys, a third overwrite, a third are deleted."""
    chance, third = random.Random(1), size // 3
    live: list[bytes] = []
    number = 0
    while True:
        fresh = [(number + i).to_bytes(8, "big") for i in range(third)]
        number += third
        batch: Batch = {key: chance.randbytes(180) for key in fresh}
        live += fresh
        if len(live) > 6 * third:
            batch |= dict.fromkeys(live[-3 * third : -2 * third], chance.randbytes(150))
            batch |= dict.fromkeys(live[:third])
            del live[:third]
        yield batch


def spin() -> None:
    for _ in range(1000):
        pass


class Beside:
    """Turns of the loop, of about 15 us each, as many as fit."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.turns = 0
        self.longest = 0.0
        self._loop, self._last, self._stopped = loop, time.perf_counter(), False
        self._read, self._write = os.pipe()
        os.write(self._write, b"x")
        loop.add_reader(self._read, self._turn)

    def _turn(self) -> None:
        """The pipe stays readable, so that every turn goes through the loop's poll, as a link's does."""
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last)
        self.turns += 1
        spin()
        self._last = time.perf_counter()

    def stop(self) -> None:
        self._loop.remove_reader(self._read)
        os.close(self._read)
        os.close(self._write)


async def turns_alone(seconds: float) -> float:
    beside = Beside(asyncio.get_running_loop())
    await asyncio.sleep(seconds)
    beside.stop()
    return beside.turns / seconds


async def run(store: Commits, size: int, seconds: float, alone: float) -> tuple[float, float, float, float, float]:
    stream = batches(size)
    for _ in range(10):
        await store.commit(next(stream))
    ready = [next(stream) for _ in range(max(20, int(200_000 * seconds) // size))]
    beside = Beside(asyncio.get_running_loop()) if alone else None
    waits: list[float] = []
    records = 0
    began = time.perf_counter()
    for batch in ready:
        start = time.perf_counter()
        await store.commit(batch)
        end = time.perf_counter()
        waits.append(end - start)
        records += len(batch)
        if end - began > seconds:
            break
    took = time.perf_counter() - began
    if beside is not None:
        beside.stop()
    waits.sort()
    return (
        sum(waits) / records * 1e6,
        waits[len(waits) // 2] * 1e3,
        waits[int(len(waits) * 0.99)] * 1e3,
        beside.longest * 1e3 if beside else 0.0,
        beside.turns / took / alone if beside else 0.0,
    )


def measure(engine: str, size: int, busy: bool, runs: int, *, seconds: float, at: Path) -> Figure:
    results = []
    for _ in range(runs):
        directory = Path(tempfile.mkdtemp(dir=at))
        store = ENGINES[engine](directory)
        store.open()
        gc.collect()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                alone = runner.run(turns_alone(0.3)) if busy else 0.0
                results.append(runner.run(run(store, size, seconds, alone)))
        finally:
            store.close()
            shutil.rmtree(directory)
    medians = [round(statistics.median(column), 3) for column in zip(*results, strict=True)]
    return Figure(engine, "busy" if busy else "idle", size, *medians)


def scan(records: int, runs: int, at: Path) -> float:
    """Seconds to read them all, as at a restart."""
    directory = Path(tempfile.mkdtemp(dir=at))
    store = LmdbStore(directory)
    store.open()
    with asyncio.Runner() as runner:
        for first in range(0, records, 10_000):
            batch = {number.to_bytes(8, "big"): b"v" * 150 for number in range(first, first + 10_000)}
            runner.run(store.commit(batch))
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        assert sum(1 for _ in store.scan()) == records
        times.append(time.perf_counter() - start)
    store.close()
    shutil.rmtree(directory)
    return statistics.median(times)


def growth(messages: int, at: Path) -> list[tuple[int, int]]:
    """Octets of the file after each tenth of the messages, 1000 alive at a time: each is put, changed and deleted."""
    directory = Path(tempfile.mkdtemp(dir=at))
    store = LmdbStore(directory)
    store.open()
    sizes = []
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for first in range(0, messages, 500):
            batch: Batch = {number.to_bytes(8, "big"): b"v" * 200 for number in range(first, first + 500)}
            if first:
                batch |= {number.to_bytes(8, "big"): b"w" * 150 for number in range(first - 500, first)}
            if first > 500:
                batch |= {number.to_bytes(8, "big"): None for number in range(first - 1000, first - 500)}
            runner.run(store.commit(batch))
            if (first + 500) % (messages // 10) == 0:
                sizes.append((first + 500, store.size()))
    store.close()
    shutil.rmtree(directory)
    return sizes


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="one short run of each")
    options.add_argument("--json", action="store_true", help="write benchmarks/results/store.json")
    options.add_argument("--path", type=Path, default=Path.cwd(), help="where to write the stores (a real disk)")
    chosen = options.parse_args()
    runs, seconds, many = (1, 0.5, 100_000) if chosen.quick else (5, 2.0, 1_000_000)
    here = machine()
    kind = "optimised" if here["optimised"] else "not optimised"
    print(f"store: medians of {runs}; {here['python']} ({kind}), {here['processor']}, lmdb {lmdb.__version__}")
    print(f"{'engine':8}{'loop':6}{'batch':>6}{'us/record':>11}{'p50 ms':>9}{'p99 ms':>9}{'still ms':>10}{'work':>7}")
    figures = []
    for engine in ENGINES:
        for busy in (False, True):
            for size in (500, 2000):
                each = measure(engine, size, busy, runs, seconds=seconds, at=chosen.path)
                figures.append(each)
                print(
                    f"{each.engine:8}{each.loop:6}{each.batch:6}{each.us_a_record:11.2f}{each.commit_p50:9.2f}"
                    f"{each.commit_p99:9.2f}{each.turn_max:10.2f}{each.work:7.2f}",
                    flush=True,
                )
    scanned = scan(many, runs, chosen.path)
    print(f"scan of {many:,} records of 150 octets: {scanned:.2f} s")
    sizes = growth(many, chosen.path)
    print("file in KiB while messages pass, 1000 alive: " + ", ".join(f"{n:,}: {size >> 10}" for n, size in sizes))
    if chosen.json:
        result = {
            "name": "store",
            "figures": [asdict(each) for each in figures],
            "scan_seconds": round(scanned, 3),
            "file_octets": dict(sizes),
            "machine": here | {"lmdb": lmdb.__version__},
        }
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "store.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
