"""The data directory is shown as tables and as JSON, and what is broken in it is found."""

import asyncio
import json
from pathlib import Path

import pytest

from smppgw.store.lmdb import LmdbStore
from tests.smppgw.typed import smppgw


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
