"""The embedded store: an LMDB file that one gateway writes and any process may read.

A commit has two parts. Its CPU work, the puts, is done by the writer thread while the loop's thread stands still:
two threads that both want the GIL would hand it over at every put. Its disk waits, which need no GIL, pass while
the loop goes on. The writer needs the GIL once more to say that it is done, and under a busy uvloop, which drops
and retakes the GIL faster than another thread wakes, it could wait for hundreds of milliseconds, whatever the switch
interval. So the loop also looks by itself: LMDB shows a transaction to readers only when it is on disk.
"""

import asyncio
import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Lock, Thread

import lmdb

from smppgw.store.contract import StoreError

DATA = "data.mdb"
LOCK = "smppgw.lock"

LOOK = 0.001
"""Seconds between two looks at a commit under way: the finest timer that uvloop has."""

CHUNK = 512
"""Records read in one transaction: a reader that stays keeps LMDB from using pages again."""

RESERVE = 64 << 20
"""Octets (at least) that a full store keeps so that messages can leave it: batches that add no records may use all of
it, spare ones that do the first half."""

CHECK_READERS = 1000
"""Commits after which the slots of readers that died are freed."""


def chunks(env: lmdb.Environment, size: int = CHUNK) -> Iterator[list[tuple[bytes, bytes]]]:
    """Every record in key order, each list from a short read transaction of its own."""
    start = b""
    while True:
        with env.begin() as txn, txn.cursor() as cursor:
            found = cursor.set_range(start) if start else cursor.first()
            records = list(islice(cursor.iternext(), size)) if found else []
        if records:
            yield records
        if len(records) < size:
            return
        start = records[-1][0] + b"\0"


class LmdbStore:
    """The records of one data directory, which is made if absent."""

    def __init__(self, path: Path | str, max_size: int = 64 << 30, look: float = LOOK) -> None:
        """`max_size` is the most octets that records may take; the file's map has a reserve above it."""
        self._path = Path(path)
        self._max_size = max_size
        self._look = look
        self._claim: int | None = None
        self._env: lmdb.Environment | None = None
        self._writer: _Writer | None = None
        self._last: _Commit | None = None

    def open(self) -> None:
        if self._claim is not None:
            raise StoreError(f"data directory {self._path} is open already: close it first")
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._claim = _claim(self._path)
            self._env = self._map()
            self._env.reader_check()
            # A new file survives a power cut only when its directory, and the directory's own entry, are on disk.
            _sync(self._path)
            with suppress(PermissionError):
                _sync(self._path.resolve().parent)
        except OSError as error:
            self.close()
            raise StoreError(f"cannot use data directory {self._path}: {error.strerror}") from error
        except lmdb.Error as error:
            self.close()
            raise StoreError(f"cannot open {self._path / DATA}: {error}") from error

    async def commit(self, batch: Mapping[bytes, bytes | None], *, spare: bool = False) -> None:
        loop = asyncio.get_running_loop()
        while (last := self._last) is not None and last.loop is loop and not last.done.done():
            await asyncio.wait([last.done])
        writer, env = self._ready()
        if not batch:
            return
        most = self._max_size + (_reserve(self._max_size) // 2 if spare else 0)
        commit = _Commit(env, batch, most, loop, loop.create_future(), self._look)
        writer.load(commit)
        if commit.failure is None:
            self._last = commit
            commit.look_later()
            await asyncio.shield(commit.done)
        if commit.failure is not None:
            raise self._explained(commit.failure) from commit.failure

    def size(self) -> int:
        """Octets of the data file, freed pages included."""
        return (self._path / DATA).stat().st_size

    def scan(self) -> Iterator[tuple[bytes, bytes]]:
        try:
            for records in chunks(self._opened()):
                yield from records
        except lmdb.Error as error:
            raise StoreError(f"cannot read {self._path / DATA}: {error}") from error

    def get(self, key: bytes) -> bytes | None:
        try:
            with self._opened().begin() as txn:
                return txn.get(key)
        except lmdb.Error as error:
            raise StoreError(f"cannot read {self._path / DATA}: {error}") from error

    def close(self) -> None:
        if self._writer is not None:
            self._writer.stop()
            self._writer = None
        if self._env is not None:
            self._env.close()
            self._env = None
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def _map(self) -> lmdb.Environment:
        return lmdb.open(
            os.fspath(self._path),
            map_size=self._max_size + _reserve(self._max_size),
            mode=0o700,
            max_spare_txns=1,
        )

    def _opened(self) -> lmdb.Environment:
        if self._env is None:
            raise StoreError(f"data directory {self._path} is closed: open it first")
        return self._env

    def _ready(self) -> "tuple[_Writer, lmdb.Environment]":
        """After a write that the disk refused LMDB may take no more on the same environment: map it again."""
        env, writer = self._opened(), self._writer
        if writer is None:
            writer = self._writer = _Writer()
        if not writer.broken:
            return writer, env
        env.close()
        try:
            env = self._env = self._map()
        except (OSError, lmdb.Error) as error:
            raise StoreError(f"cannot open {self._path / DATA} again: {error}") from error
        writer.broken = False
        return writer, env

    def _explained(self, failure: Exception) -> Exception:
        file = self._path / DATA
        match failure:
            case lmdb.MapFullError():
                size = f"{self._max_size / 2**20:,.0f} MiB"
                return StoreError(f"{file} is full: its records take all of {size}; raise [store] max_size")
            case lmdb.DiskError():
                return StoreError(f"the disk that holds {file} is full: free some space")
            case lmdb.Error():
                # LMDB calls a write that was cut short, as at the end of a full disk, an input/output error.
                return StoreError(f"cannot write {file}: {failure}; is the disk full, failing or read-only?")
        return failure


@dataclass(slots=True, eq=False)
class _Commit:
    """A batch on its way to the disk; touched by the loop's thread and the writer in turns."""

    env: lmdb.Environment
    batch: Mapping[bytes, bytes | None]
    most: int
    """Octets of records from which on it may add none."""
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]
    look: float
    txnid: int = 0
    failure: Exception | None = None
    timer: asyncio.TimerHandle | None = None

    def look_later(self) -> None:
        self.timer = self.loop.call_later(self.look, self._look)

    def settle(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if not self.done.done():
            self.done.set_result(None)

    def _look(self) -> None:
        """LMDB publishes a transaction's number after its meta page is on disk, not when it is written."""
        if self.done.done():
            return
        with suppress(lmdb.Error), self.env.begin() as txn:
            if txn.id() >= self.txnid:
                self.settle()
                return
        self.look_later()


class _Writer:
    """The thread that begins, fills and commits every write transaction: LMDB ties each to one thread."""

    def __init__(self) -> None:
        self.broken = False
        """A commit failed on the disk: the environment must be opened again before the next one."""
        self._commits = 0
        self._next: _Commit | None = None
        self._go, self._loaded = Lock(), Lock()
        self._go.acquire()
        self._loaded.acquire()
        self._thread = Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    def load(self, commit: _Commit) -> None:
        """Returns when the batch is in a transaction and waits for the disk alone, or failed before that."""
        self._next = commit
        self._go.release()
        self._loaded.acquire()

    def stop(self) -> None:
        self._next = None
        self._go.release()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._go.acquire()
            commit = self._next
            if commit is None:
                return
            self._write(commit)

    def _write(self, commit: _Commit) -> None:
        txn = None
        try:
            txn = self._begin(commit.env)
            _fill(txn, commit.batch, commit.most)
            commit.txnid = txn.id()
        except Exception as failure:  # the loop's thread waits for us, whatever it is: it gets it
            if txn is not None:
                txn.abort()
            commit.failure = failure
            self._loaded.release()
            return
        self._loaded.release()
        try:
            txn.commit()
        except lmdb.Error as failure:
            self.broken = True
            commit.failure = failure
        if not commit.done.done():
            with suppress(RuntimeError):  # the loop ended without waiting for us
                commit.loop.call_soon_threadsafe(commit.settle)

    def _begin(self, env: lmdb.Environment) -> "lmdb.Transaction[bytes]":
        if self._commits % CHECK_READERS == 0:
            env.reader_check()
        self._commits += 1
        return env.begin(write=True)


def _reserve(max_size: int) -> int:
    return max(RESERVE, max_size // 16)


def _fill(txn: "lmdb.Transaction[bytes]", batch: Mapping[bytes, bytes | None], most: int) -> None:
    ordered = sorted(batch.items())
    puts = [(key, value) for key, value in ordered if value is not None]
    stat = txn.stat()
    used = (stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]) * stat["psize"]
    if used >= most and _grows(txn, batch):
        raise lmdb.MapFullError("max_size is reached")
    if puts:
        txn.cursor().putmulti(puts)
    for key, value in ordered:
        if value is None:
            txn.delete(key)


def _grows(txn: "lmdb.Transaction[bytes]", batch: Mapping[bytes, bytes | None]) -> bool:
    """Whether more keys come than go."""
    known = {key for key in batch if txn.get(key) is not None}
    come = sum(1 for key, value in batch.items() if value is not None and key not in known)
    return come > sum(1 for key in known if batch[key] is None)


def _claim(directory: Path) -> int:
    """Lock the directory for this process until the descriptor returned is closed; a dead process holds nothing."""
    lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock, 0)
        os.pwrite(lock, b"%d\n" % os.getpid(), 0)
    except OSError as error:
        holder = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(lock)
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        raise StoreError(
            f"data directory {directory} is in use by another gateway (pid {holder}): stop that one or use another path"
        ) from error
    return lock


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
