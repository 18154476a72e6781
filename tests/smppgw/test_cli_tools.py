"""The commands that make traffic show what came of it."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smppgw.ports import free_port
from tests.kit import SMPPGW, Process
from tests.smppgw.typed import smppgw


@pytest.fixture
def smsc() -> Iterator[int]:
    """The port of a simulated SMSC that runs as a process."""
    with Process([SMPPGW, "simulate", "smsc", "--port", "0"]) as process:
        yield int(process.expect_line(r"listening on 127\.0\.0\.1:(\d+)")[1])
        assert process.stop() == 0


def test_send_shows_the_receipt(smsc: int) -> None:
    result = smppgw("send", "--port", smsc, "--to", "447700900123", SMPPGW_PASSWORD="secret")
    assert result.exit_code == 0
    assert "stat:DELIVRD" in result.stdout


def test_send_says_what_went_wrong() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        result = smppgw("send", "--port", taken.getsockname()[1], "--to", "447700900123")
    assert result.exit_code == 1
    assert "nothing is listening" in result.stdout


def test_load_reports_writes_and_draws(smsc: int, tmp_path: Path) -> None:
    figures, drawing = tmp_path / "run.json", tmp_path / "run.html"
    words = ["--binds", 2, "--window", 20, "--count", 500, "--json", figures, "--plot", drawing]
    with Process([SMPPGW, "load", "--port", str(smsc), *map(str, words)]) as process:
        assert process.ended() == 0
    assert any("accepted  500 in" in line for line in process.lines)
    found: dict[str, Any] = json.loads(figures.read_text())
    assert (found["accepted"], found["receipts"], found["lost"]) == (500, 500, 0)
    assert drawing.read_text().startswith("<!doctype html>")


def test_load_says_what_was_lost() -> None:
    port = free_port()
    with Process([SMPPGW, "simulate", "smsc", "--port", str(port), "--lost-receipts", "1"]) as process:
        process.expect_line("listening")
        words = ["load", "--port", str(port), "--count", "10", "--receipt-timeout", "0.1"]
        with Process([SMPPGW, *words]) as load:
            assert load.ended() == 1
        assert any("lost  10" in line for line in load.lines)


@pytest.mark.parametrize(
    ("password", "words"), [("other", "refused 'test' with RINVPASWD"), ("", "connection refused")]
)
def test_load_says_why_it_cannot_start(password: str, words: str) -> None:
    port = free_port()
    simulator: list[str | Path] = [SMPPGW, "simulate", "smsc", "--port", str(port), "--password", password]
    with Process(simulator if password else ["true"]) as process:
        if password:
            process.expect_line("listening")
        with Process([SMPPGW, "load", "--port", str(port), "--count", "1"]) as load:
            assert load.ended() == 2
    assert words in " ".join(load.lines)
