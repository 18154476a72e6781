"""`smppgw serve --kannel` does what Kannel does with the same kannel.conf and the same requests."""

import asyncio

import pytest

from tests.interop.kannel.compare import as_text, expected, recorded
from tests.interop.kannel.differences import difference
from tests.interop.kannel.side import Outcome, run_all
from tests.interop.kannel.table import ROWS

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return asyncio.run(run_all("smppgw", ROWS, tmp_path_factory.mktemp("smppgw"), expected()))


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_ours_does_what_kannel_does(name: str, ours: dict[str, Outcome]) -> None:
    here, there = as_text(ours[name]), as_text(recorded()[name])
    if found := difference(name):
        assert here != there or not found.always, f"this row does not differ any more, though: {found.why}"
    else:
        assert here == there
