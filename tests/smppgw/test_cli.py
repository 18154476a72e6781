"""Every command is there, and quick to help."""

import subprocess
import sys

import pytest

from smppgw import __version__
from tests.smppgw.typed import smppgw


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
