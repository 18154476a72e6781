"""The process that writes history takes batches until its input ends, and says why when it cannot."""

import contextlib
import json
import marshal
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smppgw.history import writer
from smppgw.history.database import Database, Query
from smppgw.history.engines import open_database
from smppgw.history.events import Note
from smppgw.history.recorder import SIZE
from smppgw.history.writer import EVERY, MOST, RefusedError, Transaction
from tests.smppgw.test_history_database import NOW, accepted, minted


def written(
    path: Path, *batches: list[Note], days: float = 0.0, rest: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    said = json.dumps({"engine": "sqlite", "path": str(path), "url": "", "days": days}).encode()
    frames = [said, *(marshal.dumps(batch) for batch in batches)]
    octets = b"".join(SIZE.pack(len(frame)) + frame for frame in frames) + rest
    return subprocess.run(
        [sys.executable, "-m", "smppgw.history.writer"], input=octets, capture_output=True, timeout=30, check=False
    )


def ids(path: Path) -> int:
    database = open_database("sqlite", str(path), "", writing=False)
    try:
        return len(database.find(Query(limit=1000)))
    finally:
        database.close()


def plain(note: Note) -> Note:
    return (note[0], note[1], int(note[2]), note[3])


def test_every_batch_before_the_end_is_written(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    batches = [[plain(accepted(minted(NOW, n)))] for n in range(5)]
    assert written(path, *batches).returncode == 0
    assert ids(path) == 5


def test_however_many_batches_wait_all_of_them_are_written(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    batches = [[plain(accepted(minted(NOW, 300 * n + m))) for m in range(300)] for n in range(20)]
    assert written(path, *batches).returncode == 0
    database = open_database("sqlite", str(path), "", writing=False)
    assert len(database.find(Query(limit=1000))) == 1000
    database.close()
    with contextlib.closing(sqlite3.connect(path)) as counted:
        assert counted.execute("SELECT count(*) FROM messages").fetchone() == (6000,)


def test_a_batch_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    assert written(path, [plain(accepted(minted(NOW)))], rest=SIZE.pack(1000) + b"abc").returncode == 0
    assert ids(path) == 1


def test_what_is_older_than_days_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    now = time.time()
    assert (
        written(path, [plain(accepted(minted(now))), plain(accepted(minted(now - 3 * 86400)))], days=2).returncode == 0
    )
    assert ids(path) == 1


def test_a_database_that_cannot_be_had_ends_it_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = written(tmp_path / "file" / "h.db")
    assert done.returncode == 1
    assert done.stderr.startswith(b"cannot use the history")
    assert done.stderr.count(b"\n") == 1


def test_an_input_that_ends_at_once_is_no_mistake() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "smppgw.history.writer"], input=b"", capture_output=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


class Refusing(Database):
    """SQLite in a file that refuses its next commits, and counts them."""

    def __init__(self, path: Path) -> None:
        super().__init__(sqlite3.connect(path), "?", "BLOB")
        self.create()
        self.refusals = 0
        self.commits = 0

    def commit(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise sqlite3.OperationalError("disk\nfull")
        self.commits += 1
        super().commit()


@pytest.fixture
def refusing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Refusing]:
    monkeypatch.setattr(writer, "AGAIN", (0.0, 0.0))
    database = Refusing(tmp_path / "h.db")
    yield database
    database.close()


def batch(n: int) -> list[Note]:
    return [plain(accepted(minted(NOW, n)))]


def test_the_first_note_is_due_at_once_and_those_after_it_half_a_second_later(
    refusing: Refusing, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    transaction = Transaction(refusing)
    transaction.add(batch(1))
    assert transaction.left == 0.0
    transaction.commit()
    now += 0.1
    transaction.add(batch(2))
    transaction.add(batch(3))
    assert transaction.left == pytest.approx(EVERY - 0.1)
    now += EVERY
    assert transaction.left == 0.0
    transaction.commit()
    assert refusing.commits == 2
    assert len(refusing.find(Query())) == 3


def test_so_many_notes_are_due_whenever_the_last_were(refusing: Refusing) -> None:
    transaction = Transaction(refusing)
    transaction.add(batch(1))
    transaction.commit()
    transaction.add([batch(2)[0]] * MOST)
    assert transaction.left == 0.0


def test_after_a_refusal_the_whole_transaction_is_written_again_and_once(refusing: Refusing) -> None:
    transaction = Transaction(refusing)
    transaction.add(batch(1))
    transaction.add(batch(2))
    refusing.refusals = 2
    transaction.commit()
    assert transaction.left is None
    assert [len(found.events) for found in refusing.find(Query())] == [1, 1]


def test_what_is_refused_every_time_ends_it_with_the_reason_in_one_line(refusing: Refusing) -> None:
    transaction = Transaction(refusing)
    transaction.add(batch(1))
    refusing.refusals = 3
    with pytest.raises(RefusedError, match=r"^cannot write to the history: disk full$"):
        transaction.commit()


def test_what_is_too_old_may_be_refused_and_goes_the_next_time(
    refusing: Refusing, capsys: pytest.CaptureFixture[str]
) -> None:
    transaction = Transaction(refusing)
    transaction.add(batch(1))
    transaction.commit()
    refusing.refusals = 1
    transaction.prune(NOW + 60)
    assert capsys.readouterr().err == "cannot prune the history: disk full\n"
    assert len(refusing.find(Query())) == 1
    transaction.prune(NOW + 60)
    assert not refusing.find(Query())


GATEWAY = """
import asyncio, sys
from smppgw.history.recorder import Recorder
from smppgw.settings import HistoryConfig

async def serve():
    recorder = Recorder(HistoryConfig(engine="sqlite", path=sys.argv[1]), asyncio.get_running_loop())
    recorder.start()
    while recorder.pid is None:
        await asyncio.sleep(0.01)
    print(recorder.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(serve())
"""


@pytest.mark.parametrize("stopped", [False, True])
def test_it_does_not_outlive_a_gateway_that_was_killed_even_if_it_was_stopped_itself(
    tmp_path: Path, stopped: bool
) -> None:
    command = [sys.executable, "-c", GATEWAY, str(tmp_path / "h.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as gateway:
        assert gateway.stdout is not None
        pid = int(gateway.stdout.readline())
        if stopped:
            os.kill(pid, signal.SIGSTOP)
        gateway.kill()
    if stopped:
        os.kill(pid, signal.SIGCONT)
    deadline = time.monotonic() + 20
    while runs(pid):
        assert time.monotonic() < deadline, "it is still there"
        time.sleep(0.01)


def runs(pid: int) -> bool:
    """A zombie does not: it waits for whoever is its parent now."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
