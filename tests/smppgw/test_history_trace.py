"""`smppgw trace` finds a message by whatever somebody was given."""

from pathlib import Path

import pytest

from smppgw.history.engines import HistoryError, open_database
from smppgw.history.events import Kind
from smppgw.history.trace import query_of, trace
from smppgw.settings import HistoryConfig
from tests.smppgw.test_history_database import NOW, minted, story


def test_what_is_asked_for_is_known_by_its_looks() -> None:
    assert query_of("+819012345678").number == "+819012345678"
    assert query_of("819012345678").number == "819012345678"
    assert query_of("0caac345f3800000").id == "0caac345f3800000"
    assert query_of("1234567890123456").id == "1234567890123456"
    assert query_of("4F21-x").id == "4F21-x"


@pytest.fixture
def settings(tmp_path: Path) -> HistoryConfig:
    found = HistoryConfig(engine="sqlite", path=str(tmp_path / "h.db"))
    database = open_database("sqlite", found.path, "", writing=True)
    database.write([*story(minted(NOW)), (NOW, minted(NOW, 1), int(Kind.SENT), (b"up", (b"777",), 1)),
                    (NOW, minted(NOW, 1), int(Kind.MO), ("demo", b"1", b"2", 0, 2, b"hi", "up"))])  # fmt: skip
    database.close()
    return found


@pytest.mark.parametrize("what", [f"{minted(NOW):016x}", "4F21", "8190", "+8190", "12345"])
def test_it_is_found(settings: HistoryConfig, what: str) -> None:
    (traced,) = trace(settings, what)
    assert len(traced.lines()) == 6
    assert traced.shown()["text"] == "00ff"


def test_digits_may_be_an_upstreams_id(settings: HistoryConfig) -> None:
    assert len(trace(settings, "777")) == 1


def test_nothing_is_found_for_another_account(settings: HistoryConfig) -> None:
    assert trace(settings, "8190", account="other") == []


def test_a_history_without_its_tables_is_said_to_be_unreadable(tmp_path: Path) -> None:
    (tmp_path / "h.db").touch()
    with pytest.raises(HistoryError, match="no such table"):
        trace(HistoryConfig(engine="sqlite", path=str(tmp_path / "h.db")), "1")


def test_a_history_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(HistoryError):
        trace(HistoryConfig(engine="sqlite", path=str(tmp_path / "none")), "1")
