"""The table of statuses in docs/ has those that the code names, with their numbers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from protocol.consts import Status
from smppgw.outbox import TRY_AGAIN

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "statuses.md").read_text()

READERS = (
    "protocol/consts.py",
    "routing/retry.py",
    "smppgw/outbox.py",
    "smppgw/settings.py",
    "smppgw/values.py",
    *("smppgw/carriers/", "smppgw/simulate/", "smppgw/load/", "smppgw/send.py", "smppgw/demo/"),
)
"""Files that speak of statuses that came, or that are no part of the gateway."""

NEVER_SENT = {"RUNKNOWNERR"}
"""What an answer without a meaning is taken for."""


def sent() -> Iterator[str]:
    for package in ("protocol", "routing", "smppgw"):
        for path in (ROOT / package).rglob("*.py"):
            if not str(path.relative_to(ROOT)).startswith(READERS):
                yield from re.findall(r"\bStatus\.(R[A-Z_]+)\b", _code(path))


def _code(path: Path) -> str:
    """Without comments and docstrings."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
    return ast.unparse(tree)


def test_the_table_has_every_status_that_we_send_and_no_other() -> None:
    table = re.findall(r"^\| (R\w+) \| (0x\w+) \|", MANUAL, re.MULTILINE)
    assert {name for name, _ in table} == set(sent()) - NEVER_SENT
    for name, number in table:
        assert int(number, 16) == Status[name]
    assert [number for _, number in table] == sorted(number for _, number in table)


def test_it_tells_which_answers_of_an_esme_mean_later() -> None:
    said = re.search(r"A deliver_sm is done with ROK\. (.*?)mean later", MANUAL, re.DOTALL)
    assert said is not None
    assert set(re.findall(r"\bR[A-Z_]+\b", said[1])) == {status.name for status in TRY_AGAIN}
