"""Who runs the gateway is told what is wrong with a config, and gets hashes of passwords."""

from pathlib import Path

import pytest

from smppgw.passwords import matches_hash
from tests.smppgw.typed import smppgw

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


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(GOOD)
    return path


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
