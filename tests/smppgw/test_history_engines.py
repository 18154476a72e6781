"""A history that cannot be had is refused with a sentence."""

from pathlib import Path

import pytest

from smppgw.history.database import Query
from smppgw.history.engines import HistoryError, open_database


def test_reading_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "none" / "history.db"
    with pytest.raises(HistoryError, match="there is no history at"):
        open_database("sqlite", str(path), "", writing=False)
    assert not path.parent.exists()


def test_writing_makes_the_directory_and_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "new" / "history.db"
    open_database("sqlite", str(path), "", writing=True).close()
    reader = open_database("sqlite", str(path), "", writing=False)
    assert reader.find(Query()) == []
    with pytest.raises(Exception, match="readonly"):
        reader.prune(1_795_000_000.0)
    reader.close()


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    path.write_text("something else, and long enough to be a header of a database file" * 20)
    with pytest.raises(HistoryError, match="not a database"):
        open_database("sqlite", str(path), "", writing=True)


def test_a_server_that_is_not_there_is_said_to_be_away_without_its_password() -> None:
    with pytest.raises(HistoryError, match="cannot use the history in PostgreSQL") as error:
        open_database("postgres", "", "postgresql://me:topsecret@127.0.0.1:1/x", writing=True)
    assert "topsecret" not in str(error.value)
