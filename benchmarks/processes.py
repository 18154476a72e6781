"""Programs of a measurement: started on their cores, waited for, and their memory and CPU read from /proc."""

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 60.0
"""Seconds that a start or an end may take."""
_TICK = os.sysconf("SC_CLK_TCK")
_LOOK = 0.01


class FailedError(Exception):
    """A program did not do what a measurement needs; the text says which, and ends with its last words."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Which cores the gateway has, and which the tools: none are shared where there are two or more."""

    gateway: frozenset[int]
    tools: frozenset[int]

    @classmethod
    def of_this_machine(cls) -> Self:
        first, *others = sorted(os.sched_getaffinity(0))
        return cls(frozenset((first,)), frozenset(others or (first,)))


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes of physical memory. Files that are mapped, as the store's is, count in `rss` and not in `private`: the
    system takes their pages back when it needs them."""

    rss: float
    peak: float
    private: float


@contextlib.contextmanager
def on(cores: frozenset[int]) -> Iterator[None]:
    """What is started meanwhile runs on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def allow_files(wanted: int) -> None:
    """See that this process and those that it starts may open so many files. FailedError when they may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (OSError, ValueError):
        raise FailedError(f"needs {wanted} open files: try `ulimit -n {wanted}` first") from None


def busy(seconds: float = 1.0) -> float:
    """How many cores are at work while this waits: what else this machine does."""
    idle = _idle()
    began = time.monotonic()
    time.sleep(seconds)
    return round((os.cpu_count() or 1) - (_idle() - idle) / (time.monotonic() - began), 2)


def _idle() -> float:
    """Seconds that all cores together were idle, or waited for a disk."""
    fields = Path("/proc/stat").read_text().split(maxsplit=6)
    return (int(fields[4]) + int(fields[5])) / _TICK


class Program:
    """One process; leaving the `with` block ends it."""

    def __init__(
        self,
        command: Sequence[str | Path],
        cores: frozenset[int],
        output: Path,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.name = " ".join(str(word) for word in command[:4])
        self.output = output
        self.started = time.monotonic()
        with on(cores), output.open("wb") as out:
            self._popen = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._popen.poll() is None:
            self._popen.kill()
            self._popen.wait()

    # Waiting.

    def listening(self, port: int) -> None:
        """Returns when it takes connections."""
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            self._still_starting()

    def expect(self, event: str, times: int = 1, patience: float = PATIENCE, **fields: object) -> float:
        """Returns when its log holds that event so often: seconds since its start."""
        wanted = {"event": event, **fields}.items()
        while True:
            found = sum(1 for each in self._events() if wanted <= each.items())
            if found >= times:
                return time.monotonic() - self.started
            self._still_starting(patience)

    def _events(self) -> Iterator[dict[str, Any]]:
        for line in self.output.read_text(errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict):
                    yield {name: value for name, value in event.items() if isinstance(value, str | int | float)}

    def _still_starting(self, patience: float = PATIENCE) -> None:
        if self._popen.poll() is not None:
            raise FailedError(f"{self.name} ended with {self._popen.returncode}: {self.last_words()}")
        if time.monotonic() - self.started > patience:
            raise FailedError(f"{self.name} is not ready after {patience:g} s: {self.last_words()}")
        time.sleep(_LOOK)

    def done(self, patience: float) -> int:
        """Its exit status, when it has ended by itself."""
        try:
            return self._popen.wait(patience)
        except subprocess.TimeoutExpired:
            raise FailedError(f"{self.name} is not done after {patience:g} s: {self.last_words()}") from None

    def runs(self) -> bool:
        """It has not ended."""
        return self._popen.poll() is None

    def pause(self, do: bool = True) -> None:
        """SIGSTOP, or SIGCONT."""
        self._popen.send_signal(signal.SIGSTOP if do else signal.SIGCONT)

    def stop(self) -> None:
        """SIGTERM, and the end."""
        self._popen.send_signal(signal.SIGTERM)
        self.done(PATIENCE)

    def last_words(self) -> str:
        return " | ".join(self.output.read_text(errors="replace").splitlines()[-3:])

    # What it used.

    def cpu(self) -> float:
        """Seconds so far, of user and system."""
        fields = Path(f"/proc/{self._popen.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def memory(self) -> Memory:
        sizes = {}
        for line in Path(f"/proc/{self._popen.pid}/status").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in {"VmRSS", "VmHWM", "RssAnon"}:
                sizes[name] = int(rest.split()[0]) * 1024 / 1e6
        return Memory(round(sizes["VmRSS"], 1), round(sizes["VmHWM"], 1), round(sizes["RssAnon"], 1))
