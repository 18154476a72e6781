"""No process of the demo outlives it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import SMPPGW, Process


def working_in(directory: Path) -> Iterator[str]:
    """Processes whose working directory is there."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if os.readlink(link).startswith(str(directory)):
                yield link.parent.name


@pytest.mark.endtoend
@pytest.mark.parametrize("words", [(), ("--carriers",)])
def test_when_nobody_reads_on_no_process_is_left(words: tuple[str, ...], tmp_path: Path) -> None:
    command = f"{SMPPGW} demo --seconds 5 {' '.join(words)} | head -n 3"
    with Process(["bash", "-c", command], env={**os.environ, "TMPDIR": str(tmp_path)}) as process:
        process.ended(60)
    assert not list(working_in(tmp_path))
