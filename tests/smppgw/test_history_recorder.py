"""Notes reach the database by a process of its own; what cannot be handed over is dropped and counted."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from smppgw.history.database import Found, Query
from smppgw.history.engines import HistoryError, open_database
from smppgw.history.recorder import BATCH, Recorder
from smppgw.settings import HistoryConfig
from tests.smppgw.postgres import postgres
from tests.smppgw.test_history_database import NOW, accepted, minted, story


def kept(settings: HistoryConfig, query: Query | None = None) -> list[Found]:
    database = open_database(settings.engine, settings.path, settings.url.get_secret_value(), writing=False)
    try:
        return database.find(query or Query(limit=1000))
    finally:
        database.close()


def there(settings: HistoryConfig) -> bool:
    """Is anything in it? It may not have its tables yet."""
    try:
        return bool(kept(settings))
    except (HistoryError, sqlite3.OperationalError):
        return False


async def eventually(what: Callable[[], object], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not what():  # noqa: ASYNC110  a process says nothing
            await asyncio.sleep(0.01)


@asynccontextmanager
async def recording(path: Path, **more: Any) -> AsyncIterator[tuple[Recorder, HistoryConfig]]:
    settings = HistoryConfig(**{"engine": "sqlite", "path": str(path / "h.db"), **more})
    recorder = Recorder(settings, asyncio.get_running_loop(), 0.05)
    recorder.start()
    await eventually(lambda: recorder.up)
    try:
        yield recorder, settings
    finally:
        await recorder.close()


async def test_what_is_noted_is_found(tmp_path: Path) -> None:
    async with recording(tmp_path) as (recorder, settings):
        for note in story(minted(NOW)):
            recorder.note(*note)
        assert recorder.noted == 0
    assert recorder.noted == 5
    (found,) = kept(settings)
    assert len(found.events) == 5


async def test_a_batch_is_handed_over_when_it_is_full_and_a_note_is_not_kept_for_long(tmp_path: Path) -> None:
    async with recording(tmp_path) as (recorder, _):
        for n in range(BATCH):
            recorder.note(*accepted(minted(NOW, n)))
        assert recorder.noted == BATCH
        recorder.note(*accepted(minted(NOW, BATCH)))
        await eventually(lambda: recorder.noted == BATCH + 1)
        assert recorder.dropped == 0


async def test_a_writer_that_was_killed_is_started_again(tmp_path: Path) -> None:
    async with recording(tmp_path) as (recorder, settings):
        recorder.note(*accepted(minted(NOW, 1)))
        recorder.flush()
        await eventually(lambda: there(settings))
        assert recorder.pid is not None
        os.kill(recorder.pid, signal.SIGKILL)
        await eventually(lambda: recorder.restarts == 1 and recorder.up)
        recorder.note(*accepted(minted(NOW, 2)))
    assert [int(found.id, 16) - minted(NOW) for found in kept(settings)] == [2, 1]


async def ended(settings: HistoryConfig) -> dict[str, Any]:
    """What is said of a writer that cannot go on."""
    recorder = Recorder(settings, asyncio.get_running_loop(), 600.0)
    with capture_logs() as events:
        recorder.start()
        await eventually(lambda: recorder.restarts)
        await recorder.close()
    [event] = events
    return dict(event)


async def test_why_a_writer_ended_is_said_in_one_event(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "h.db"
    event = await ended(HistoryConfig(engine="sqlite", path=str(path)))
    assert (event["event"], event["log_level"], event["status"]) == ("history writer ended", "error", 1)
    assert event["reason"].startswith(f"cannot use the history at {path}: ")
    assert "exception" not in event


async def test_a_bug_of_the_writer_comes_with_its_traceback(tmp_path: Path) -> None:
    event = await ended(HistoryConfig(engine="sqlite", path="\0"))
    assert event["reason"].startswith("ValueError: ")
    assert event["exception"].startswith("Traceback ")


async def test_a_writer_that_was_killed_says_by_what(tmp_path: Path) -> None:
    with capture_logs() as events:
        async with recording(tmp_path) as (recorder, _):
            assert recorder.pid is not None
            os.kill(recorder.pid, signal.SIGKILL)
            await eventually(lambda: recorder.restarts == 1 and recorder.up)
    [event] = events
    assert (event["status"], event["reason"]) == (-9, "killed by signal 9")


async def test_a_writer_that_fails_while_the_gateway_ends_is_said_too(tmp_path: Path) -> None:
    with capture_logs() as events:
        async with recording(tmp_path) as (recorder, _):
            assert recorder.pid is not None
            os.kill(recorder.pid, signal.SIGSTOP)
            closing = asyncio.create_task(recorder.close())
            await asyncio.sleep(0)
            os.kill(recorder.pid, signal.SIGKILL)
            await closing
    assert [event["reason"] for event in events] == ["killed by signal 9"]


async def test_what_comes_while_it_does_not_run_is_dropped_and_counted(tmp_path: Path) -> None:
    recorder = Recorder(HistoryConfig(engine="sqlite", path=str(tmp_path / "h.db")), asyncio.get_running_loop())
    for n in range(7):
        recorder.note(*accepted(minted(NOW, n)))
    recorder.flush()
    assert (recorder.noted, recorder.dropped, recorder.up, recorder.pending) == (0, 7, False, 0)
    await recorder.close()


async def test_a_note_that_cannot_be_written_down_costs_its_batch_and_nothing_else(tmp_path: Path) -> None:
    async with recording(tmp_path) as (recorder, settings):
        recorder.note(NOW, 1, 4, (object(),))
        recorder.flush()
        assert recorder.dropped == 1
        recorder.note(*accepted(minted(NOW)))
    assert len(kept(settings)) == 1


async def test_what_a_slow_writer_does_not_take_is_dropped_at_the_limit(tmp_path: Path) -> None:
    async with recording(tmp_path, max_pending=1 << 16) as (recorder, _):
        assert recorder.pid is not None
        os.kill(recorder.pid, signal.SIGSTOP)
        for n in range(20 * BATCH):
            recorder.note(*accepted(minted(NOW, n)))
        assert recorder.dropped > 0
        assert recorder.noted + recorder.dropped == 20 * BATCH
        assert recorder.pending < (1 << 16) + (1 << 20)
        os.kill(recorder.pid, signal.SIGCONT)
        await eventually(lambda: recorder.pending == 0)
        dropped = recorder.dropped
        recorder.note(*accepted(minted(NOW, 0)))
        recorder.flush()
        assert recorder.dropped == dropped


async def test_it_writes_to_postgresql_and_no_password_is_on_a_command_line(tmp_path: Path) -> None:
    with postgres() as url:
        async with recording(tmp_path, engine="postgres", url=SecretStr(url)) as (recorder, settings):
            for note in story(minted(NOW)):
                recorder.note(*note)
            command = Path(f"/proc/{recorder.pid}/cmdline").read_bytes()  # noqa: ASYNC240
            assert b"postgres" not in command
        assert len(kept(settings, Query(id="4F21"))) == 1


@pytest.mark.parametrize(("bodies", "text"), [("off", b""), ("keep", b"hi"), ("hash", None)])
async def test_texts_are_kept_as_configured(tmp_path: Path, bodies: Any, text: bytes | None) -> None:
    recorder = Recorder(HistoryConfig(bodies=bodies), asyncio.get_running_loop())
    assert recorder.text(b"hi") == text or (text is None and len(recorder.text(b"hi")) == 32)
