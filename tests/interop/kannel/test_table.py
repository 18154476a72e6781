"""The table itself: what it covers, and that all that is said of its rows is said of some row."""

import re
from urllib.parse import unquote

import pytest

from tests.interop.kannel.compare import recorded
from tests.interop.kannel.differences import DIFFERENCES
from tests.interop.kannel.row import Row
from tests.interop.kannel.scenes import SCENES
from tests.interop.kannel.table import ROWS

PARAMETERS = [
    "username",
    "user",
    "password",
    "pass",
    "from",
    "to",
    "text",
    "charset",
    "udh",
    "smsc",
    "flash",
    "mclass",
    "mwi",
    "coding",
    "compress",
    "validity",
    "deferred",
    "dlr-mask",
    "dlrmask",
    "dlr-url",
    "dlrurl",
    "pid",
    "rpi",
    "alt-dcs",
    "account",
    "binfo",
    "priority",
    "meta-data",
]
COMMANDS = [
    "status",
    "store-status",
    "suspend",
    "isolate",
    "resume",
    "shutdown",
    "restart",
    "graceful-restart",
    "flush-dlr",
    "start-smsc",
    "stop-smsc",
    "add-smsc",
    "remove-smsc",
    "log-level",
    "reload-lists",
    "remove-message",
]
ESCAPES = "kSsrabetTpPqQiIdRAFncmMCuBoOfxvVDN%"


def asked() -> str:
    return "\n".join(row.ask.path for row in ROWS if row.ask)


def test_no_row_has_the_name_or_the_number_of_another() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert len({(row.scene, row.digits) for row in ROWS}) == len(ROWS)


def test_every_row_has_a_scene() -> None:
    assert {row.scene for row in ROWS} == set(SCENES)


def test_what_kannel_did_is_recorded_of_every_row() -> None:
    assert set(recorded()) == {row.name for row in ROWS}


def test_there_are_enough_rows() -> None:
    assert len(ROWS) >= 150


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_is_asked(name: str) -> None:
    assert re.search(rf"[?&]{name}=", asked())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_asked(command: str) -> None:
    assert f"/{command}?password=secret" in asked()


@pytest.mark.parametrize("code", ESCAPES)
def test_every_escape_is_asked_in_a_receipt(code: str) -> None:
    assert f"%{code}" in unquote(asked())


@pytest.mark.parametrize("pattern", [each.rows for each in DIFFERENCES])
def test_every_difference_is_of_some_row(pattern: str) -> None:
    assert any(re.fullmatch(pattern, row.name) for row in ROWS)


def test_no_row_has_two_reasons_to_differ() -> None:
    def reasons(row: Row) -> int:
        return sum(bool(re.fullmatch(each.rows, row.name)) for each in DIFFERENCES)

    assert [row.name for row in ROWS if reasons(row) > 1] == []
