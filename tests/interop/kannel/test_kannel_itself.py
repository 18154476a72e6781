"""What is recorded is what the real Kannel does: every row again, where it is installed."""

import asyncio

import pytest

from tests.interop.kannel.compare import as_text, recorded
from tests.interop.kannel.side import Outcome, run_all
from tests.interop.kannel.table import ROWS
from tests.interop.stacks import need

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def kannel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    need("kannel")
    return asyncio.run(run_all("kannel", ROWS, tmp_path_factory.mktemp("kannel"), recorded()))


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_kannel_does_what_is_recorded(name: str, kannel: dict[str, Outcome]) -> None:
    assert as_text(kannel[name]) == as_text(recorded()[name])
