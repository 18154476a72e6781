"""How a story is told: its turns come in time, or it fails."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from rich.console import Console

PATIENCE = 20.0
"""Seconds in which each thing that a story tells must happen."""

Show = Callable[[Path, float, float, Console], Coroutine[Any, Any, int]]
"""A story: where its files are, how long it takes, messages a second, where it is told; the exit status."""


class DemoError(Exception):
    """The story did not go as it should."""


def run(seconds: float, rate: float, show: Show, *, keep: bool = False, console: Console | None = None) -> int:
    """0 only when nothing was lost and every turn of the story came."""
    directory = Path(tempfile.mkdtemp(prefix="smppgw-demo-"))
    console = console or Console(highlight=False)
    try:
        return asyncio.run(show(directory, seconds, rate, console))
    except DemoError as error:
        console.print(f"{error}; the files are in {directory}", style="red", markup=False)
        keep = True
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if keep:
            console.print(f"kept: {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)


async def until(what: str, holds: Callable[[], bool]) -> None:
    """A turn of the story; raises DemoError when it does not come."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise DemoError(f"not within {PATIENCE:.0f} s: {what}")
        await asyncio.sleep(0.05)


def expect(otherwise: str, holds: bool) -> None:
    """What must not have happened; raises DemoError when it has."""
    if not holds:
        raise DemoError(otherwise)
