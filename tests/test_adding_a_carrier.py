"""The example of docs/adding-a-carrier.md keeps the contract of every carrier."""

import re
import subprocess
import sys
from pathlib import Path

from tests.kit import ROOT

PAGE = ROOT / "docs" / "adding-a-carrier.md"
FIRST = """
import sys
import pytest
"""
THEN = """
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "tests/contracts/test_carriers.py", "-k", "penguin"]))
"""


def code() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), flags=re.DOTALL | re.MULTILINE)


def test_the_contract_test_runs_on_the_example(tmp_path: Path) -> None:
    """All of its blocks in the order of the page, in a process of its own: the registry is read at the start."""
    example = tmp_path / "example.py"
    example.write_text("\n".join([FIRST, *code(), THEN]))
    ran = subprocess.run(
        [sys.executable, example], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    passed = re.search(r"^(\d+) passed", ran.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) > 15


def test_its_types_are_complete(tmp_path: Path) -> None:
    carrier, simulator, *_ = code()
    (tmp_path / "penguin.py").write_text(carrier)
    (tmp_path / "penguin_simulator.py").write_text(simulator)
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", *sorted(tmp_path.glob("*.py"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
