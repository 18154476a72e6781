"""Show on one machine what the gateway is for: share, fail over, hand back, and forget nothing after kill -9.

Everything is real but the SMSCs' radio: five processes, sockets, a store on disk.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table

from protocol import receipt, tlv
from protocol.consts import FINAL_STATES, RECEIPT_TYPES, Command, Status
from protocol.pdus import decode_submit
from protocol.session import SENDING, Answered, Asked, Event
from smppgw.load.link import BindRefusedError, EsmeLink, connect
from smppgw.load.plan import Plan, templates
from smppgw.ports import free_port

PREFIX = "4479"
NAMES = ("SMPP1", "SMPP2", "SMPP0")
PATIENCE = 20.0
"""Seconds in which each thing that the story tells must happen."""
_REBIND = 0.2
_LOOK = 0.5


class DemoError(Exception):
    """The story did not go as it should."""


Show = Callable[[Path, float, float, Console], Coroutine[Any, Any, int]]
"""A story: where its files are, how long it takes, messages a second, where it is told; the exit status."""


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


async def failover(directory: Path, seconds: float, rate: float, console: Console) -> int:
    """Three SMSCs: share, fail over, hand back."""
    smscs = {name: Smsc(name, directory) for name in NAMES}
    gateway = Gateway(directory, free_port(), free_port())
    esme = Steady(gateway.port, rate)
    everything: list[Program] = [*smscs.values(), gateway]
    try:
        await asyncio.gather(*(smsc.start() for smsc in smscs.values()))
        gateway.configure({name: smsc.port for name, smsc in smscs.items()})
        await gateway.start()
        with Screen(console, smscs, gateway, esme) as screen:
            showing = asyncio.create_task(screen.run())
            sending = asyncio.create_task(esme.run())
            try:
                await Story(smscs, gateway, esme, screen, seconds).tell()
            finally:
                sending.cancel()
                showing.cancel()
                await asyncio.wait([sending, showing])
        await esme.part()
        await gateway.stop()
        for smsc in smscs.values():
            await smsc.stop()
        found = tally(esme, {name: smsc.destinations() for name, smsc in smscs.items()}, smscs)
        console.print()
        console.print(table(found))
        console.print("\nThe same with HTTPS carriers: smppgw demo --carriers")
        return 0 if found.lost == 0 else 1
    finally:
        await kill_all(everything)


class Story:
    """What happens, in order."""

    def __init__(
        self, smscs: Mapping[str, "Smsc"], gateway: "Gateway", esme: "Steady", screen: "Screen", seconds: float
    ) -> None:
        self._smscs = smscs
        self._gateway = gateway
        self._esme = esme
        self._screen = screen
        self._phase = max(2.0, (seconds - 8) / 4)

    async def tell(self) -> None:
        one, two, backup = (self._smscs[name] for name in NAMES)
        say = self._screen.say

        say("1", "SMPP1 and SMPP2 share the load; SMPP0 waits unbound")
        await until("SMPP1 and SMPP2 got messages", lambda: one.submits > 0 and two.submits > 0)
        await asyncio.sleep(self._phase)
        expect("SMPP0 was used though the others were there", backup.submits == 0)

        say("2", "SMPP1 and SMPP2 are cut off: SMPP0 takes over")
        one.toggle()
        two.toggle()
        await until("SMPP0 took over", lambda: backup.submits > 0)
        await asyncio.sleep(self._phase)

        say("3", "SMPP1 and SMPP2 are back: the load returns to them")
        one.toggle()
        two.toggle()
        before = one.submits + two.submits
        await until("the load returned", lambda: one.submits + two.submits > before)
        await until("SMPP0 was let go", lambda: backup.bound == 0)
        await asyncio.sleep(self._phase)

        say("4", "kill -9 of the gateway in the middle of it all, and a restart")
        await self._gateway.kill()
        await asyncio.sleep(min(1.0, self._phase))
        await self._gateway.start()
        answered = self._esme.acknowledged
        await until("the ESME was served again", lambda: self._esme.acknowledged > answered)
        await asyncio.sleep(self._phase)

        say("5", "the ESME sends no more; what is still on its way arrives")
        self._esme.sending = False
        with contextlib.suppress(DemoError):  # what is missing then is counted as lost
            await until("every receipt came", lambda: not self._esme.missing and not self._esme.waiting)


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


class Upstream(Protocol):
    """What a screen shows of whoever gets messages."""

    @property
    def submits(self) -> int: ...
    @property
    def state(self) -> str: ...


class Smsc(Program):
    """`smppgw simulate smsc`, which tells its counters every second."""

    def __init__(self, name: str, directory: Path) -> None:
        super().__init__(name, directory)
        self.port = 0
        self.up = True
        self._stats: dict[str, Any] = {}
        self._read_at = 0.0

    async def start(self) -> None:
        await self._start(
            "simulate", "smsc", "--port", "0", "--name", self.name, "--system-id", "gateway", "--password", "secret",
            "--slow", "0.05", "--receipt-delay", "0.3", "--receipt-jitter", "0.7",
            "--id-form", "hex", "--receipt-id-form", "decimal", "--stats-json", self._counters, "--dump", self._dump,
            ready=self._listening,
        )  # fmt: skip

    def _listening(self, line: str) -> bool:
        head, colon, port = line.rpartition(":")
        if not colon or not head.startswith("listening on"):
            return False
        self.port = int(port)
        return True

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


CONFIG = """
[gateway]
name = "demo"
[[listeners]]
host = "127.0.0.1"
port = {port}
[http]
port = {http}
[store]
path = "data"
[log]
format = "json"
access = "access.log"
[accounts.demo]
password = "secret"
deliver_retry = ["500ms", "1s"]
{connectors}
[groups.cluster]
active = ["smpp1", "smpp2"]
backup = ["smpp0"]
backup_after = "500ms"
hand_back_after = "1s"
[[routes]]
name = "all"
to = "cluster"
"""
CONNECTOR = """
[connectors.{name}]
host = "127.0.0.1"
port = {port}
system_id = "gateway"
password = "secret"
binds = 2
rebind = ["200ms", "500ms"]
retry = ["500ms", "1s"]
id_form = "hex"
receipt_id_form = "decimal"
"""


class Gateway(Program):
    """`smppgw serve`."""

    def __init__(self, directory: Path, port: int, http: int) -> None:
        super().__init__("gateway", directory)
        self.port = port
        self.http = http
        self.starts = 0

    def configure(self, ports: Mapping[str, int]) -> None:
        connectors = "".join(CONNECTOR.format(name=name.lower(), port=port) for name, port in ports.items())
        self.write(CONFIG.format(port=self.port, http=self.http, connectors=connectors))

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
        self.starts += 1
        await self._start("serve", "--config", self._config, ready=_is_ready)


def _is_ready(line: str) -> bool:
    with contextlib.suppress(ValueError):
        said = json.loads(line)
        return isinstance(said, dict) and said.get("event") == "ready"
    return False


class Steady:
    """An ESME that sends at one pace, binds again whenever it must, and remembers every promise it was given."""

    def __init__(self, port: int, rate: float, prefix: str = PREFIX, first: int = 0) -> None:
        self._port = port
        self._rate = rate
        self._prefix = prefix
        self._first = first
        self._body = templates(Plan(receipts=True, prefix=prefix))[0].body
        self._link: EsmeLink | None = None
        self.sending = True
        self.sent = 0
        self.promised: dict[bytes, bytes] = {}
        """Message id to destination, of what was acknowledged."""
        self.receipts: Counter[bytes] = Counter()
        """Final ones, by id."""
        self.refused: Counter[int] = Counter()
        self.unanswered = 0
        self.binds = 0

    @property
    def acknowledged(self) -> int:
        return len(self.promised)

    @property
    def missing(self) -> int:
        """Acknowledged messages without a receipt so far."""
        return len(self.promised) - len(self.promised.keys() & self.receipts.keys())

    @property
    def waiting(self) -> int:
        """Submits without an answer so far."""
        return self._link.session.unanswered if self._link is not None else 0

    async def run(self) -> None:
        due = time.monotonic()
        while True:
            if self._link is None:
                await self._bind()
                due = time.monotonic()
                continue
            self._send(due)
            due = max(due + 0.02, time.monotonic() - 0.5)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def part(self) -> None:
        if self._link is not None:
            await self._link.unbind()

    async def _bind(self) -> None:
        link = None
        try:
            link = await connect(self, "127.0.0.1", self._port, window=1000)
            await asyncio.wait_for(link.bind("trx", b"demo", b"secret"), PATIENCE)
        except (OSError, BindRefusedError, TimeoutError):
            if link is not None:
                link.abort()
            await asyncio.sleep(_REBIND)
            return
        self._link = link
        self.binds += 1

    def _send(self, now: float) -> None:
        link = self._link
        if not self.sending or link is None or link.session.state not in SENDING or not link.free:
            return
        for _ in range(min(max(1, round(self._rate * 0.02)), link.session.room)):
            self.sent += 1
            number = self._first + self.sent
            destination = f"{self._prefix}{number:08}".encode()
            link.session.request(Command.SUBMIT_SM, self._body(number), destination, now)
        link.touch()

    def events(self, link: EsmeLink, events: list[Event], now: float) -> None:
        del now
        for event in events:
            if isinstance(event, Answered):
                if event.status == Status.ROK:
                    self.promised[event.body.rstrip(b"\0")] = event.token
                else:
                    self.refused[event.status] += 1
            elif isinstance(event, Asked) and event.command == Command.DELIVER_SM:
                pdu = decode_submit(event.body)
                said = receipt.parse(pdu.short_message, tlv.parse(pdu.tlvs))
                if pdu.esm_class & RECEIPT_TYPES and said is not None and said.state in FINAL_STATES:
                    self.receipts[said.id] += 1
                link.session.answer(event, Status.ROK, b"\0")

    def lost(self, link: EsmeLink, unanswered: list[tuple[int, Any]]) -> None:
        self.unanswered += sum(command == Command.SUBMIT_SM for command, _ in unanswered)
        if link is self._link:
            self._link = None

    def writable(self, link: EsmeLink) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Tally:
    """How it ended."""

    sent: int
    acknowledged: int
    refused: int
    unanswered: int
    """Not acknowledged when the gateway was killed: an ESME would send them again."""
    arrived: dict[str, int]
    """Submits by upstream."""
    duplicates: int
    """Messages that went upstream twice: they were in doubt when a link or the gateway broke."""
    receipts: int
    receipt_duplicates: int
    lost: int
    """Acknowledged, but never upstream or without a receipt."""
    lost_upstream: int
    lost_receipts: int


def tally(esme: Steady, arrived: Mapping[str, frozenset[bytes]], upstreams: Mapping[str, Upstream]) -> Tally:
    """Count, from both ends."""
    everywhere = frozenset().union(*arrived.values())
    submits = {name: upstreams[name].submits for name in arrived}
    never = {number for number, destination in esme.promised.items() if destination not in everywhere}
    silent = esme.promised.keys() - esme.receipts.keys()
    return Tally(
        sent=esme.sent,
        acknowledged=esme.acknowledged,
        refused=esme.refused.total(),
        unanswered=esme.unanswered,
        arrived=submits,
        duplicates=sum(submits.values()) - len(everywhere),
        receipts=len(esme.promised.keys() & esme.receipts.keys()),
        receipt_duplicates=sum(count - 1 for count in esme.receipts.values()),
        lost=len(never | silent),
        lost_upstream=len(never),
        lost_receipts=len(silent),
    )


def table(found: Tally) -> Table:
    """The end of the show."""
    rows = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    rows.add_column(justify="right")
    rows.add_column()
    rows.add_row(f"{found.sent:,}", "sent by the ESME")
    rows.add_row(f"{found.acknowledged:,}", "acknowledged by the gateway")
    if found.unanswered:
        rows.add_row(f"{found.unanswered:,}", "unanswered when it was killed: never promised")
    if found.refused:
        rows.add_row(f"{found.refused:,}", "refused")
    for name, count in found.arrived.items():
        rows.add_row(f"{count:,}", f"submits to {name}")
    rows.add_row(f"{found.receipts:,}", "receipts back at the ESME")
    rows.add_row(f"{found.duplicates:,}", "sent upstream twice, for they were in doubt")
    rows.add_row(f"{found.receipt_duplicates:,}", "receipts twice")
    style = "bold green" if found.lost == 0 else "bold red"
    rows.add_row(f"[{style}]{found.lost:,}", f"[{style}]lost")
    if found.lost:
        rows.add_row(f"{found.lost_upstream:,}", "of them never upstream")
        rows.add_row(f"{found.lost_receipts:,}", "of them without a receipt")
    return rows


@dataclass(slots=True)
class Screen:
    """The show as it goes on: a table that moves, or plain lines where there is no terminal."""

    console: Console
    upstreams: Mapping[str, Upstream]
    gateway: Gateway
    esme: Steady
    _live: Live | None = None
    _headline: str = ""
    _rates: dict[str, float] = field(default_factory=dict)
    _before: dict[str, int] = field(default_factory=dict)
    _at: float = 0.0
    _began: float = field(default_factory=time.monotonic)

    def __enter__(self) -> "Screen":
        if self.console.is_terminal:
            self._live = Live(self._moving(), console=self.console, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.update(self._moving(), refresh=True)
            self._live.stop()

    def say(self, phase: str, words: str) -> None:
        """The next part of the story."""
        self._headline = f"{phase}. {words}"
        self.console.print(f"[bold]{time.monotonic() - self._began:5.1f} s  {self._headline}", soft_wrap=True)

    def note(self, words: str) -> None:
        """What the present part brought."""
        self.console.print(f"           {words}", markup=False, soft_wrap=True)

    async def run(self) -> None:
        count = 0
        while True:
            await asyncio.sleep(_LOOK)
            self._measure()
            count += 1
            if self._live is not None:
                self._live.update(self._moving())
            elif count % 4 == 0:
                self.console.print(self._line(), soft_wrap=True)

    def _measure(self) -> None:
        now = time.monotonic()
        if now - self._at < 1:
            return
        values = {name: upstream.submits for name, upstream in self.upstreams.items()}
        values |= {"acknowledged": self.esme.acknowledged, "receipts": len(self.esme.receipts)}
        if self._before:
            since = now - self._at
            self._rates = {name: max(0, values[name] - self._before[name]) / since for name in values}
        self._before, self._at = values, now

    def _line(self) -> str:
        loads = "  ".join(f"{name} {self._rates.get(name, 0):4.0f}/s" for name in self.upstreams)
        return (
            f"{time.monotonic() - self._began:5.1f} s  {loads}  acknowledged {self.esme.acknowledged:,}"
            f"  receipts {len(self.esme.receipts):,}"
        )

    def _moving(self) -> Table:
        rows = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        rows.add_column("", no_wrap=True)
        rows.add_column("state", no_wrap=True, min_width=12)
        rows.add_column("a second", justify="right", min_width=8)
        rows.add_column("in all", justify="right", min_width=8)
        rows.add_column("", no_wrap=True)
        top = max([*self._rates.values(), 1.0])
        for name, upstream in self.upstreams.items():
            self._row(rows, name, upstream.state, upstream.submits, top)
        state = "[green]serving" if self.gateway.up else "[red]killed"
        self._row(rows, "acknowledged", state, self.esme.acknowledged, top)
        self._row(rows, "receipts", "", len(self.esme.receipts), top)
        return rows

    def _row(self, rows: Table, name: str, state: str, total: int, top: float) -> None:
        rate = self._rates.get(name, 0.0)
        rows.add_row(name, state, f"{rate:,.0f}", f"{total:,}", "[blue]" + "█" * round(30 * rate / top))
