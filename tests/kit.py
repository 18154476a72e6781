"""What tests of the running gateway are made of: real processes, a wire that can be cut, free ports.

Every wait is for something that a process says or does, and every wait has an end.
"""

import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from smppgw.ports import free_port

ROOT = Path(__file__).parent.parent
SMPPGW = Path(sys.executable).with_name("smppgw")
PATIENCE = 30.0
"""Seconds that a wait lasts at most, unless told otherwise: long enough for a busy machine."""

Event = dict[str, Any]


def listening(port: int, patience: float = PATIENCE) -> None:
    """Returns when somebody takes connections on that port: for programs that do not say when they do."""
    end = time.monotonic() + patience
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=patience).close()
            return
        except OSError as error:
            if time.monotonic() > end:
                raise AssertionError(f"nobody listens on port {port}") from error
            time.sleep(0.01)


class Process:
    """A program at work: its lines, those of them that are JSON objects as events, and its end.

    Events are told apart by their `event`, as structlog and our peers write them. Standard error is read with the
    output. Closing kills what still runs.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        name: str = "",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name or Path(command[0]).name
        self.lines: list[str] = []
        self._events: list[Event] = []
        self._news = threading.Condition()
        self._silent = False
        self._popen = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            cwd=cwd,
        )
        self._reader = threading.Thread(target=self._read, name=f"read {self.name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def _read(self) -> None:
        assert self._popen.stdout
        for raw in self._popen.stdout:
            line = raw.decode(errors="replace").rstrip("\n")
            event = None
            if line.startswith("{"):
                with contextlib.suppress(ValueError):
                    event = json.loads(line)
            with self._news:
                self.lines.append(line)
                if event is not None:
                    self._events.append(event)
                self._news.notify_all()
        with self._news:
            self._silent = True
            self._news.notify_all()

    def events(self, name: str, /, **fields: object) -> list[Event]:
        """Every event so far of that name with those fields."""
        with self._news:
            return self._matching(name, fields)

    def _matching(self, name: str, fields: Mapping[str, object]) -> list[Event]:
        return [
            event
            for event in self._events
            if event.get("event") == name and all(event.get(key) == value for key, value in fields.items())
        ]

    def expect(self, name: str, times: int = 1, /, *, patience: float = PATIENCE, **fields: object) -> Event:
        """The event of that name with those fields, once it has come that many times since the start."""
        with self._news:
            self._news.wait_for(lambda: self._silent or len(self._matching(name, fields)) >= times, timeout=patience)
            found = self._matching(name, fields)
        if len(found) < times:
            raise AssertionError(self._story(f"said {len(found)} of {times} times {name} {fields or ''}"))
        return found[times - 1]

    def expect_line(self, pattern: str, times: int = 1, *, patience: float = PATIENCE) -> re.Match[str]:
        """The line in which the pattern is found, once there are so many of them."""

        def found() -> list[re.Match[str]]:
            return [match for line in self.lines if (match := re.search(pattern, line))]

        with self._news:
            self._news.wait_for(lambda: self._silent or len(found()) >= times, timeout=patience)
            matches = found()
        if len(matches) < times:
            raise AssertionError(self._story(f"said {len(matches)} of {times} times something like {pattern!r}"))
        return matches[times - 1]

    def tell(self, message: Mapping[str, object]) -> None:
        """One JSON line on its standard input."""
        assert self._popen.stdin
        self._popen.stdin.write(json.dumps(message).encode() + b"\n")
        self._popen.stdin.flush()

    def send(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def ended(self, patience: float = PATIENCE) -> int:
        """Its exit code (-9 after a kill), once it has ended and everything that it said is read."""
        try:
            code = self._popen.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(self._story(f"still runs after {patience:.0f} s")) from None
        self._reader.join(patience)
        return code

    def kill(self) -> None:
        """SIGKILL, at once; returns when it is gone."""
        self._popen.kill()
        self.ended()

    def stop(self, patience: float = PATIENCE) -> int:
        """SIGTERM, and its exit code."""
        self._popen.terminate()
        return self.ended(patience)

    def close(self) -> None:
        if self.running:
            self.kill()
        self._reader.join(PATIENCE)
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _story(self, what: str) -> str:
        if self._silent:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(1)
        end = "runs" if self.running else f"ended with {self._popen.returncode}"
        return "\n  ".join([f"{self.name} {what}; it {end}; its last lines:", *self.lines[-40:]])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


Config = dict[str, Any]


def toml(config: Mapping[str, Any]) -> str:
    """The TOML of nested dicts and lists; lists of dicts become arrays of tables."""

    def value(item: object) -> str:
        if isinstance(item, Mapping):
            return "{ " + ", ".join(f"{json.dumps(key)} = {value(inner)}" for key, inner in item.items()) + " }"
        if isinstance(item, (list, tuple)):
            return "[" + ", ".join(map(value, item)) + "]"
        return json.dumps(str(item) if isinstance(item, Path) else item, ensure_ascii=False)

    def table(path: str, items: Mapping[str, Any]) -> list[str]:
        lines, below = [], []
        for key, item in items.items():
            name = key if re.fullmatch(r"[\w-]+", key) else json.dumps(key)
            full = f"{path}.{name}" if path else name
            if isinstance(item, Mapping):
                below += [f"[{full}]", *table(full, item)]
            elif isinstance(item, list) and item and all(isinstance(inner, Mapping) for inner in item):
                for inner in item:
                    below += [f"[[{full}]]", *table(full, inner)]
            else:
                lines.append(f"{name} = {value(item)}")
        return lines + below

    return "\n".join(table("", config)) + "\n"


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Config:
    """`base` with the keys of `over`; tables are merged, everything else is replaced."""
    both = dict(base)
    for key, item in over.items():
        old = both.get(key)
        both[key] = merged(old, item) if isinstance(old, Mapping) and isinstance(item, Mapping) else item
    return both


def relay_config(upstream_port: int, **over: Any) -> Config:
    """An account "esme"/"secret" and one connector "up" to a port of this machine; `over` replaces or adds tables."""
    base: Config = {
        "timers": {"init": "20s", "response": "20s"},
        "listeners": [{"host": "127.0.0.1", "port": free_port()}],
        "http": {"host": "127.0.0.1", "port": free_port()},
        "log": {"level": "debug", "format": "json", "access": ""},
        "accounts": {"esme": {"password": "secret", "deliver_retry": ["200ms", "1s"]}},
        "connectors": {
            "up": {
                "host": "127.0.0.1",
                "port": upstream_port,
                "system_id": "gateway",
                "password": "secret",
                "rebind": ["100ms", "500ms"],
            }
        },
        "routes": [{"name": "all", "to": "up"}],
        "mo_routes": [{"account": "esme"}],
    }
    return merged(base, over)


class Gateway:
    """`smppgw serve` on a directory of its own, started and ended as often as a test likes."""

    def __init__(self, directory: Path, config: Config) -> None:
        self.directory = directory
        self.config = merged({"store": {"path": str(directory / "data")}}, config)
        self.file = directory / "gateway.toml"
        self.runs: list[Process] = []

    @property
    def port(self) -> int:
        return int(self.config["listeners"][0]["port"])

    @property
    def process(self) -> Process:
        return self.runs[-1]

    def start(self, patience: float = PATIENCE, env: Mapping[str, str] | None = None) -> Self:
        """Writes the config and returns when the gateway says that it is ready."""
        self.file.write_text(toml(self.config))
        self.runs.append(Process([SMPPGW, "serve", "--config", self.file], cwd=self.directory, env=env))
        self.process.expect("ready", patience=patience)
        return self

    def bound(self, connector: str = "up", times: int = 1, patience: float = PATIENCE) -> Self:
        """Returns when the connector has bound that many times in this run."""
        self.process.expect("bound", times, connector=connector, patience=patience)
        return self

    def stop(self) -> int:
        """SIGTERM; its exit code after the drain."""
        return self.process.stop()

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()

    def reload(self, config: Config) -> None:
        """Rewrites the file and sends SIGHUP."""
        self.config = config
        self.file.write_text(toml(config))
        self.process.send(signal.SIGHUP)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of its own HTTP server."""
        url = f"http://127.0.0.1:{self.config['http']['port']}{path}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()

    def metrics(self) -> dict[str, float]:
        """Every sample of /metrics, its name with the labels as they are written there."""
        lines = self.get("/metrics")[1].splitlines()
        samples = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(number) for name, _, number in samples}

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for run in self.runs:
            run.close()


def simulator(port: int, *options: str | int) -> Process:
    """`smppgw simulate smsc` on that port, once it listens; use as a context manager."""
    words = [str(option) for option in options]
    process = Process([SMPPGW, "simulate", "smsc", "--port", str(port), *words], name="simulate smsc")
    process.expect_line("listening on ")
    return process


Direction = Literal["up", "down"]
"""Up: from who connected to who listens. Down: the other way."""


class Chunk(NamedTuple):
    """Octets that passed: when (epoch seconds), on which connection (counted from 0), which way."""

    when: float
    connection: int
    direction: Direction
    octets: bytes


class Wire:
    """A TCP proxy on a port of its own that records what passes, and can stall, cut or refuse.

    A cut is a reset, as of a cable or a crashed peer; `cut_after` breaks inside a PDU.
    """

    def __init__(self, target_port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, target_port)
        self._lock = threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self._pairs: dict[int, tuple[socket.socket, socket.socket]] = {}
        self._halves: dict[int, int] = {}
        self._threads: list[threading.Thread] = []
        self._budget: dict[Direction, int | None] = {"up": None, "down": None}
        self._refuses = False
        self._connections = 0
        self.chunks: list[Chunk] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._run(self._accept)

    def _run(self, target: Any, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name="wire", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._refuses:
                _reset(near)
                continue
            with self._lock:  # who sees the connection at the far end can cut it
                try:
                    far = socket.create_connection(self._target, timeout=PATIENCE)
                except OSError:
                    _reset(near)
                    continue
                far.settimeout(None)
                number = self._connections
                self._connections += 1
                self._pairs[number] = (near, far)
            for direction, source, sink in (("up", near, far), ("down", far, near)):
                self._run(self._pump, number, direction, source, sink)

    def _pump(self, number: int, direction: Direction, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                budget = self._budget[direction]
                passing = data if budget is None else data[:budget]
                if passing:
                    self.chunks.append(Chunk(time.time(), number, direction, passing))
                    sink.sendall(passing)
                if budget is not None:
                    self._budget[direction] = budget - len(passing)
                    if len(data) >= budget:
                        self._budget[direction] = None
                        self.cut()
                        return
            self._half_closed(number, sink)
            return
        self._drop(number)

    def _half_closed(self, number: int, sink: socket.socket) -> None:
        with self._lock:
            if number not in self._pairs:
                return
            sink.shutdown(socket.SHUT_WR)
            self._halves[number] = self._halves.get(number, 0) + 1
            pair = self._pairs.pop(number, ()) if self._halves[number] == 2 else ()
        for end in pair:
            end.close()

    def _drop(self, number: int) -> None:
        with self._lock:
            pair = self._pairs.pop(number, ())
        for end in pair:
            _reset(end)

    def recorded(self, direction: Direction, connection: int | None = None) -> bytes:
        """What passed that way so far, on one connection or on all in order of arrival."""
        return b"".join(
            chunk.octets
            for chunk in list(self.chunks)
            if chunk.direction == direction and connection in (None, chunk.connection)
        )

    def stall(self) -> None:
        """Nothing passes until `flow`; both ends see an open, silent link."""
        self._flows.clear()

    def flow(self) -> None:
        self._flows.set()

    def cut(self) -> None:
        """Resets every connection there is; new ones are taken."""
        with self._lock:
            numbers = list(self._pairs)
        for number in numbers:
            self._drop(number)

    def cut_after(self, direction: Direction, octets: int) -> None:
        """Lets that many more octets pass that way, then cuts."""
        self._budget[direction] = octets

    def refuse(self, refuses: bool = True) -> None:
        """New connections are reset at once, as when nobody listens."""
        self._refuses = refuses

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._flows.set()
        self.cut()
        for thread in self._threads:
            thread.join(PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _reset(end: socket.socket) -> None:
    """Closes with a TCP reset; also wakes the thread that reads from it."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RD)
    end.close()
