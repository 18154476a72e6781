"""The processes that every story starts: simulators and the gateway."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from smppgw.demo.story import PATIENCE, DemoError


class Program:
    """One process of ours; its lines go to a file, and to whoever waits for one."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.directory = directory
        self.process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def _start(self, *words: str | Path, ready: Callable[[str], bool]) -> None:
        """Returns when a line says that it is ready."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "smppgw.cli", *map(str, words),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            cwd=self.directory, env={**os.environ, "PYTHONUNBUFFERED": "1"}, limit=1 << 20,
        )  # fmt: skip
        came = asyncio.Event()
        self._reading = asyncio.create_task(self._read(self.process, ready, came))
        waiting = asyncio.create_task(came.wait())
        await asyncio.wait([waiting, self._reading], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not came.is_set():
            raise DemoError(f"{self.name} did not start: see {self.log}")

    @property
    def log(self) -> Path:
        return self.directory / f"{self.name}.log"

    async def _read(
        self, process: asyncio.subprocess.Process, ready: Callable[[str], bool], came: asyncio.Event
    ) -> None:
        lines = process.stdout or asyncio.StreamReader()
        with self.log.open("ab") as log:
            async for line in lines:
                log.write(line)
                log.flush()
                if not came.is_set() and ready(line.decode(errors="replace")):
                    came.set()

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL if it does not end."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over(self.process), PATIENCE)

    async def kill(self) -> None:
        """kill -9."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self._over(self.process)

    async def _over(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        if self._reading is not None:
            await self._reading


async def kill_all(programs: Iterable[Program]) -> None:
    """None is left, also when somebody closed the pipe that the story goes to."""
    await asyncio.gather(*(program.kill() for program in programs), return_exceptions=True)


class Simulator(Program):
    """`smppgw simulate`, which says what port it has got."""

    def __init__(self, name: str, directory: Path) -> None:
        super().__init__(name, directory)
        self.port = 0

    async def _simulate(self, what: str, *words: str | Path) -> None:
        await self._start("simulate", what, "--port", "0", *words, ready=self._listening)

    def _listening(self, line: str) -> bool:
        head, colon, port = line.rpartition(":")
        if not colon or not head.startswith("listening on"):
            return False
        self.port = int(port)
        return True


class Smsc(Simulator):
    """`smppgw simulate smsc`, which tells its counters every second."""

    def __init__(self, name: str, directory: Path) -> None:
        super().__init__(name, directory)
        self.up = True
        self._stats: dict[str, Any] = {}
        self._read_at = 0.0

    async def start(self) -> None:
        await self._simulate(
            "smsc", "--name", self.name, "--system-id", "gateway", "--password", "secret",
            "--slow", "0.05", "--receipt-delay", "0.3", "--receipt-jitter", "0.7",
            "--id-form", "hex", "--receipt-id-form", "decimal", "--stats-json", self._counters, "--dump", self._dump,
        )  # fmt: skip

    @property
    def _counters(self) -> Path:
        return self.directory / f"{self.name}.json"

    @property
    def _dump(self) -> Path:
        return self.directory / f"{self.name}.destinations"

    def stats(self) -> dict[str, Any]:
        if time.monotonic() - self._read_at > 0.2:
            self._read_at = time.monotonic()
            with contextlib.suppress(OSError, ValueError):
                self._stats = json.loads(self._counters.read_text())
        return self._stats

    @property
    def submits(self) -> int:
        return int(self.stats().get("submits", 0))

    @property
    def bound(self) -> int:
        return int(self.stats().get("links", {}).get("bound", 0))

    @property
    def state(self) -> str:
        return f"[green]{self.bound} binds" if self.bound else "[yellow]unbound" if self.up else "[red]cut off"

    def toggle(self) -> None:
        """Links cut and port closed; or back again. What it holds it keeps, as a cluster does."""
        self.up = not self.up
        if self.process is not None:
            self.process.send_signal(signal.SIGUSR2)

    async def stop(self) -> None:
        await super().stop()
        self._read_at = 0.0  # the last counters are still to be read

    def destinations(self) -> frozenset[bytes]:
        """Of all messages that it took; known when it has stopped."""
        return frozenset(self._dump.read_bytes().split()) if self._dump.exists() else frozenset()


class Gateway(Program):
    """`smppgw serve`."""

    def __init__(self, directory: Path, port: int, http: int) -> None:
        super().__init__("gateway", directory)
        self.port = port
        self.http = http

    def write(self, config: str) -> None:
        """Its config, as TOML."""
        self._config.write_text(config)

    @property
    def _config(self) -> Path:
        return self.directory / "gateway.toml"

    @property
    def up(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        await self._start("serve", "--config", self._config, ready=_is_ready)


def _is_ready(line: str) -> bool:
    with contextlib.suppress(ValueError):
        said = json.loads(line)
        return isinstance(said, dict) and said.get("event") == "ready"
    return False
