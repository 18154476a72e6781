"""The access log has a line for every event of a message, and no trouble of its own is one of theirs."""

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from protocol.consts import MessageState, Status
from routing.message import Message
from smppgw import linelog
from smppgw.access import AccessLog

NOW = 1_790_000_000.25

LINES = {
    "sent": "time sent id account from to connector upstream attempts ms",
    "ended": "time ended id account upstream state err",
    "unknown": "time unknown connector upstream state",
    "refused": "time refused account from to status",
}
"""The columns as docs/operations.md has them."""


def message(source: bytes = b"12345", upstream: tuple[bytes, ...] = (b"A1",)) -> Message:
    return Message(
        0xABC, "demo", b"the text", source, b"819012345678", b"", 0, 0, 1, NOW - 0.25, NOW + 60, upstream=[*upstream]
    )


def opened(target: Path | str) -> AccessLog:
    return AccessLog(str(target), asyncio.get_running_loop(), lambda: NOW)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  a thread does it
            await asyncio.sleep(0.005)


def count(path: Path) -> int:
    """Lines of a file that may not be there."""
    return path.read_text().count("\n") if path.exists() else 0


def write_all(log: AccessLog) -> None:
    log.sent(message(), b"SMPP1")
    log.ended(0xABC, "demo", b"A1", MessageState.DELIVERED, b"000")
    log.unknown(b"B2", b"SMPP2", None)
    log.refused("demo", b"12345", b"819012345678", Status.RTHROTTLED)


async def test_every_event_is_a_line_with_fixed_columns(tmp_path: Path) -> None:
    log = opened(tmp_path / "access.log")
    write_all(log)
    log.close()
    assert (tmp_path / "access.log").read_text().splitlines() == [
        "2026-09-21T14:13:20.25Z sent id=0000000000000abc account=demo from=*** to=8190***78 connector=SMPP1"
        " upstream=A1 attempts=1 ms=250",
        "2026-09-21T14:13:20.25Z ended id=0000000000000abc account=demo upstream=A1 state=DELIVERED err=000",
        "2026-09-21T14:13:20.25Z unknown connector=SMPP2 upstream=B2 state=-",
        "2026-09-21T14:13:20.25Z refused account=demo from=*** to=8190***78 status=RTHROTTLED",
    ]


async def test_all_ids_of_a_split_message_are_shown(tmp_path: Path) -> None:
    log = opened(tmp_path / "access.log")
    log.sent(message(upstream=(b"A1", b"A2")), b"SMPP1")
    log.sent(message(upstream=()), b"SMPP1")
    log.close()
    first, second = (tmp_path / "access.log").read_text().splitlines()
    assert " upstream=A1,A2 " in first
    assert " upstream=- " in second


async def test_numbers_without_a_name_are_shown_as_numbers(tmp_path: Path) -> None:
    log = opened(tmp_path / "access.log")
    log.ended(1, "demo", b"", 99, b"")
    log.refused("demo", b"", b"", 0x401)
    log.close()
    first, second = (tmp_path / "access.log").read_text().splitlines()
    assert first.endswith(" upstream=- state=99 err=-")
    assert second.endswith(" from=- to=- status=0x00000401")


octets = st.binary(max_size=70)


@given(octets, octets, octets, st.text(max_size=15))
@hypothesis_settings(max_examples=100)
def test_whatever_peers_send_lines_stay_lines(
    tmp_path_factory: pytest.TempPathFactory, id: bytes, source: bytes, err: bytes, account: str
) -> None:
    async def write() -> None:
        log = opened(path)
        log.sent(message(source, (id, id)), id)
        log.ended(1, account, id, 2, err)
        log.unknown(id, source, 2)
        log.refused(account, source, id, 1)
        log.close()

    path = tmp_path_factory.mktemp("log") / "access.log"
    asyncio.run(write())
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    for line, (event, columns) in zip(lines, LINES.items(), strict=True):
        words = line.split(b" ")
        assert words[1] == event.encode()
        assert [word.partition(b"=")[0].decode() for word in words[2:]] == columns.split()[2:]
        assert re.fullmatch(rb"[!-~ ]+", line)


async def test_a_line_is_written_within_half_a_second(tmp_path: Path) -> None:
    log = opened(tmp_path / "deep" / "access.log")
    write_all(log)
    await until(lambda: count(tmp_path / "deep" / "access.log") == 4)
    log.close()


async def test_a_moved_file_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = opened(path)
    write_all(log)
    log.flush()
    await until(lambda: count(path) == 4)
    path.rename(tmp_path / "access.log.1")
    log.reopen()
    log.unknown(b"B3", b"SMPP2", 2)
    log.close()
    assert count(path) == 1
    assert count(tmp_path / "access.log.1") == 4


async def test_what_cannot_be_written_is_kept_and_written_later(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a directory should be")
    path = tmp_path / "data" / "access.log"
    log = opened(path)
    write_all(log)
    log.flush()
    await until(lambda: log.errors == 1)
    log.flush()
    await until(lambda: log.errors == 2)
    (tmp_path / "data").unlink()
    write_all(log)
    log.flush()
    await until(lambda: count(path) == 8)
    assert (log.errors, log.lost) == (2, 0)
    log.close()


async def test_what_is_kept_has_a_limit_and_the_rest_is_counted(tmp_path: Path) -> None:
    log = opened(tmp_path)  # a directory cannot be written to
    line = message(upstream=tuple(b"%080d" % each for each in range(60)))
    while not log.lost:
        for _ in range(linelog.LINES):
            log.sent(line, b"SMPP1")
    assert log.lost == linelog.LINES
    await until(lambda: log.errors > 0)
    log.close()


async def test_a_pipe_that_nobody_reads_stops_nobody(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    log = opened(path)
    write_all(log)
    log.flush()  # its writer now waits for a reader that does not come
    write_all(log)
    log.close(0.05)
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))  # let the writer go


@pytest.mark.parametrize("target", ["", "closed"])
async def test_off_or_closed_it_takes_nothing(tmp_path: Path, target: str) -> None:
    log = opened(tmp_path / "access.log" if target else "")
    if target:
        log.close()
    write_all(log)
    log.reopen()
    log.close()
    assert os.listdir(tmp_path) == []


def test_the_operations_manual_has_the_columns() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| .+ \| `([\w ]+)` \|$", manual, re.MULTILINE)
    assert {event: f"time {event} {columns}" for event, columns in rows} == LINES
