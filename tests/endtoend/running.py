"""The real gateway seen from a test's event loop: every wait lets the loop go on."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.kit import PATIENCE, Config, Event, Gateway, Process


class Running:
    """A gateway process, started and ended as often as a test likes."""

    def __init__(self, directory: Path, config: Config) -> None:
        self.gateway = Gateway(directory, config)

    @property
    def port(self) -> int:
        return self.gateway.port

    @property
    def process(self) -> Process:
        return self.gateway.process

    @property
    def log(self) -> str:
        """All lines of all runs."""
        return "\n".join(line for run in self.gateway.runs for line in run.lines)

    async def start(self, *bound: str, env: Mapping[str, str] | None = None) -> Self:
        """Returns when it is ready and these connectors are bound."""
        await asyncio.to_thread(self.gateway.start, env=env)
        for connector in bound:
            await self.expect("bound", connector=connector)
        return self

    async def expect(self, name: str, times: int = 1, patience: float = PATIENCE, **fields: object) -> Event:
        return await asyncio.to_thread(self.process.expect, name, times, patience=patience, **fields)

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        return await asyncio.to_thread(self.gateway.stop)

    async def kill(self) -> None:
        """kill -9."""
        await asyncio.to_thread(self.gateway.kill)

    async def reload(self, config: Config, *, refused: bool = False) -> None:
        """Rewrites the file, sends SIGHUP, and returns when it was taken or refused."""
        outcome = "config refused" if refused else "config reloaded"
        before = len(self.process.events(outcome))
        self.gateway.reload(config)
        await self.expect(outcome, before + 1)

    async def get(self, path: str) -> tuple[int, str]:
        return await asyncio.to_thread(self.gateway.get, path)

    async def metric(self, name: str) -> float:
        """The sum of all samples of that name whose labels contain what is in the braces."""
        samples = await asyncio.to_thread(self.gateway.metrics)
        return sum(value for sample, value in samples.items() if matches(sample, name))

    async def wait_metric(self, name: str, value: float, patience: float = PATIENCE) -> None:
        """Until it is that, or more."""
        async with asyncio.timeout(patience):
            while await self.metric(name) < value:  # noqa: ASYNC110  nobody says when a number changes
                await asyncio.sleep(0.02)


def matches(sample: str, wanted: str) -> bool:
    """Is a sample of this name, with at least these labels?"""
    name, _, labels = wanted.partition("{")
    return re.split(r"\{", sample)[0] == name and all(
        label in sample for label in labels.rstrip("}").split(",") if label
    )
