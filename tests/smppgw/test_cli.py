"""Every command does what its help says, and says what is wrong with what it was given."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from smppgw import __version__
from smppgw.cli import app
from smppgw.passwords import matches_hash
from smppgw.ports import free_port
from smppgw.store.lmdb import LmdbStore
from tests.kit import SMPPGW, Process

GOOD = """
[accounts.esme]
password = "secret"
[connectors.up]
host = "127.0.0.1"
port = 2775
system_id = "gateway"
password = "secret"
[[routes]]
name = "all"
to = "up"
"""


def smppgw(*words: str | Path | int, stdin: str | None = None, **env: str) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], input=stdin, env=env, catch_exceptions=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(GOOD)
    return path


@pytest.fixture
def smsc() -> Iterator[int]:
    """The port of a simulated SMSC that runs as a process."""
    with Process([SMPPGW, "simulate", "smsc", "--port", "0"]) as process:
        yield int(process.expect_line(r"listening on 127\.0\.0\.1:(\d+)")[1])
        assert process.stop() == 0


def test_the_version_is_shown() -> None:
    assert smppgw("--version").stdout == f"smppgw {__version__}\n"


def test_help_imports_nothing_that_is_slow() -> None:
    words = "import sys, smppgw.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True).stdout.split()
    assert not {"uvloop", "aiosmpplib", "lmdb", "pydantic", "structlog", "protocol.pdus"} & set(loaded)


@pytest.mark.parametrize("words", [["serv"], ["simulate", "smcs"], ["load", "--prot", "1"]])
def test_a_typo_gets_a_suggestion(words: list[str]) -> None:
    result = smppgw(*words)
    assert result.exit_code == 2
    assert "Did you mean" in result.stderr or "Possible options" in result.stderr


def test_a_good_config_is_good(config: Path) -> None:
    result = smppgw("check", "--config", config)
    assert result.exit_code == 0
    assert "the config is good: 1 listener, 1 account, 1 connector, 0 groups, 1 route" in result.stdout


@pytest.mark.parametrize("command", ["check", "serve"])
def test_every_problem_of_a_config_is_shown_at_once(config: Path, command: str) -> None:
    config.write_text(GOOD.replace("port = 2775", "prot = 2775").replace('to = "up"', 'to = "down"'))
    result = smppgw(command, "--config", config)
    assert result.exit_code == 2
    shown = " ".join(result.stderr.split())
    assert "3 problems" in shown
    for words in ("connectors.up.prot unknown key", "connectors.up.port is missing", "routes[0].to there is no"):
        assert words in shown


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_config_that_is_not_there_is_said(tmp_path: Path, command: str) -> None:
    result = smppgw(command, "--config", tmp_path / "none.toml")
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


def test_the_config_may_be_named_in_the_environment(config: Path) -> None:
    assert smppgw("check", SMPPGW_CONFIG=str(config)).exit_code == 0


def test_a_password_is_hashed_from_standard_input() -> None:
    result = smppgw("hash-password", stdin="secret\n")
    assert matches_hash(b"secret", result.stdout.strip())
    assert result.exit_code == 0


def test_a_password_that_is_too_long_for_smpp_is_said() -> None:
    assert "at most 8 octets" in smppgw("hash-password", stdin="much too long\n").stderr


def test_no_password_is_an_error() -> None:
    assert smppgw("hash-password", stdin="\n").exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simulate", "smsc", "--states", "GONE:1"], "GONE: no state of a receipt"),
        (["simulate", "smsc", "--error", "throttled"], "are written like 0x58:0.05"),
        (["simulate", "smsc", "--mo", "hello"], "is written like 447700900123>12345:hello"),
        (["simulate", "smsc", "--lost-receipts", "2"], "less than or equal to 1"),
        (["simulate", "kddi", "--token", "a"], "three are needed"),
        (["load", "--text-lengths", "long"], "are written like 20:0.5"),
        (["load", "--codings", "morse"], "morse: no coding; one of gsm"),
        (["load", "--codings", "gsm:0.7,ucs2:0.7"], "more than 1 together"),
    ],
)
def test_an_option_that_means_nothing_is_refused_in_words(words: list[str], said: str) -> None:
    result = smppgw(*words)
    assert result.exit_code == 2
    plain = " ".join(result.stderr.replace("│", " ").split())
    assert said in plain


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


@pytest.mark.parametrize(("trust", "status"), [(True, 0), (False, 2)])
def test_load_and_simulator_speak_tls(tmp_path: Path, trust: bool, status: int) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    simulator: list[str | Path] = [SMPPGW, "simulate", "smsc", "--port", "0", "--tls-certificate", certificate]
    with Process([*simulator, "--tls-key", key]) as process:
        port = process.expect_line(r"listening on 127\.0\.0\.1:(\d+)")[1]
        trusted: list[str | Path] = ["--tls-ca", certificate] if trust else ["--tls"]
        with Process([SMPPGW, "load", "--port", port, "--count", "100", *trusted]) as load:
            assert load.ended() == status
    assert trust or "certificate" in " ".join(load.lines)


def test_the_simulator_counts_and_can_be_taken_down(tmp_path: Path) -> None:
    stats, dump = tmp_path / "stats.json", tmp_path / "dump"
    command: list[str | Path] = [SMPPGW, "simulate", "smsc", "--port", "0", "--stats-json", stats, "--dump", dump]
    with Process(command) as process:
        port = process.expect_line(r"listening on 127\.0\.0\.1:(\d+)")[1]
        with Process([SMPPGW, "load", "--port", port, "--count", "5"]) as load:
            assert load.ended() == 0
        process.send(signal.SIGUSR1)
        said = process.expect("stats")
        assert (said["submits"], said["unique_destinations"], said["receipts"]["acked"]) == (5, 5, 5)
        process.send(signal.SIGUSR2)
        process.expect_line("down")
        process.send(signal.SIGUSR2)
        process.expect_line("up again")
        assert process.stop() == 0
        assert process.expect("stats", 2)["submits"] == 5
    assert json.loads(stats.read_text())["submits"] == 5
    assert dump.read_text().split() == [f"4479{n:08}" for n in range(5)]


def test_the_simulator_says_that_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Process([SMPPGW, "simulate", "smsc", "--port", str(port)]) as process:
            assert process.ended() == 1
    assert f"cannot listen on 127.0.0.1:{port}" in process.lines[0]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with one record that nobody can read."""
    store = LmdbStore(tmp_path / "data", 1 << 20)
    store.open()
    asyncio.run(_commit(store))
    store.close()
    return tmp_path / "data"


async def _commit(store: LmdbStore) -> None:
    await store.commit({b"\0\0\0\0\0\0\0\1": b"nonsense"})


def test_store_check_finds_what_is_broken(data: Path) -> None:
    result = smppgw("store", "check", "--path", data)
    assert result.exit_code == 1
    assert "1 records cannot be read" in result.stdout


def test_store_commands_speak_json(data: Path) -> None:
    assert json.loads(smppgw("store", "check", "--path", data, "--json").stdout)["broken"] == 1
    assert json.loads(smppgw("store", "stats", "--path", data, "--json").stdout)["unreadable"] == 1
    assert smppgw("store", "list", "--path", data, "--json").stdout == ""


def test_store_stats_and_list_are_tables(data: Path) -> None:
    assert "on disk" in smppgw("store", "stats", "--path", data).stdout
    assert "no records" in smppgw("store", "stats", "--path", data).stdout
    assert "account" in smppgw("store", "list", "--path", data).stdout


@pytest.mark.parametrize("command", ["check", "stats", "list"])
def test_a_store_that_is_not_there_is_said(tmp_path: Path, command: str) -> None:
    result = smppgw("store", command, "--path", tmp_path)
    assert result.exit_code == 2
    assert "there is no store" in result.stderr
