"""sendsms beside the real Kannel: the same kannel.conf, requests, SMSC and application, in turn on the same cores.

64 kept connections, one receipt and one dlr-url for every message. The gateway under test has one core (bearerbox and
smsbox share it); clients, SMSC and application are one process on the other.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks import interpreters
from benchmarks.browsers import Application, Echo, Load
from benchmarks.outcome import Figures, median
from benchmarks.processes import Cores, FailedError, Program, busy
from benchmarks.timing import RESULTS, machine
from smppgw.ports import free_port
from smppgw.simulate.options import Options
from smppgw.simulate.smsc import Smsc

CONNECTIONS = 64
PATIENCE = 10.0
"""Seconds without news after which what has not come is lost."""
FINAL = 1
"""The %d of a message that was delivered."""
WRONG = ("refused", "lost", "untold", "sent_twice", "told_twice")

CONF = """
group = core
admin-port = {admin}
admin-password = secret
smsbox-port = {box}
log-level = 2
dlr-storage = internal
store-type = file
store-location = {directory}/kannel.store

group = smsc
smsc = smpp
smsc-id = up
host = 127.0.0.1
port = {smsc}
smsc-username = gateway
smsc-password = secret
system-type = ""
transceiver-mode = true
max-pending-submits = 100

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
log-level = 2

group = sendsms-user
username = user
password = secret
max-messages = 1
"""
REQUEST = (
    "GET /cgi-bin/sendsms?username=user&password=secret&from=100&to=4477{number:08}"
    "&text=A+text+of+forty+octets+for+this+user&dlr-mask=19"
    "&dlr-url=http%3A%2F%2F127.0.0.1%3A{port}%2Ftold%3Fm%3D{number}%26d%3D%25d HTTP/1.1\r\n"
    "Host: 127.0.0.1:{sendsms}\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n"
)


@dataclass(slots=True)
class Results:
    machine: dict[str, str | int | bool]
    messages: int
    busy: float
    """Cores that other work had before the start: it makes every figure worse."""
    tools: list[Figures] = field(default_factory=list)
    """The clients on a server that does nothing."""
    smppgw: list[Figures] = field(default_factory=list)
    kannel: list[Figures] = field(default_factory=list)

    @property
    def ratio(self) -> Figures:
        """Ours in parts of Kannel's: more is better of the first two, less of the others."""
        if not self.kannel or not self.smppgw:
            return {}
        ours, theirs = median(self.smppgw), median(self.kannel)
        names = ("accepted_per_s", "end_to_end_per_s", "cpu_us", "answer_p50_ms", "answer_p99_ms")
        return {name: round(ours[name] / theirs[name], 3) for name in names}

    @property
    def nothing_lost(self) -> bool:
        """By ours; what Kannel loses is a figure."""
        return not any(run[wrong] for run in self.smppgw for wrong in WRONG)

    def as_json(self) -> str:
        found = {"name": "sendsms", **asdict(self), "ratio": self.ratio}
        found["median"] = {"tools": median(self.tools), "smppgw": median(self.smppgw), "kannel": median(self.kannel)}
        return json.dumps(found, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Bench:
    cores: Cores
    at: Path
    messages: int

    def conf(self, smsc: int) -> dict[str, int]:
        """Writes a new directory with the kannel.conf; its ports."""
        shutil.rmtree(self.at, ignore_errors=True)
        self.at.mkdir(parents=True)
        ports = {"smsc": smsc, **{name: free_port() for name in ("admin", "box", "sendsms")}}
        (self.at / "kannel.conf").write_text(CONF.format(directory=self.at, **ports))
        return ports

    @contextlib.contextmanager
    def kannel(self, ports: dict[str, int]) -> Iterator[list[Program]]:
        conf = self.at / "kannel.conf"
        with Program(["/usr/sbin/bearerbox", "-v", "2", conf], self.cores.gateway, self.at / "bearerbox.out") as core:
            core.listening(ports["box"])
            with Program(["/usr/sbin/smsbox", "-v", "2", conf], self.cores.gateway, self.at / "smsbox.out") as box:
                box.listening(ports["sendsms"])
                yield [core, box]

    @contextlib.contextmanager
    def smppgw(self, ports: dict[str, int]) -> Iterator[list[Program]]:
        command = [*interpreters.own().command, "serve", "--kannel", str(self.at / "kannel.conf")]
        with Program(command, self.cores.gateway, self.at / "smppgw.out") as gateway:
            gateway.listening(ports["sendsms"])
            yield [gateway]

    async def run(self, kind: str) -> Figures:
        """One run of a fresh gateway."""
        application = Application()
        await application.start()
        async with Smsc(Options(window=1000, keep=self.messages + 1000)) as smsc:
            ports = self.conf(smsc.port)
            with (self.kannel if kind == "kannel" else self.smppgw)(ports) as programs:
                await smsc.wait_bound(1, 30.0)
                load = self._load(ports["sendsms"], application.port)
                before, own = sum(program.cpu() for program in programs), time.process_time()
                began = time.perf_counter()
                await load.run()
                await application.expect(len(load.accepted), PATIENCE)
                wall = application.last - began
                used, tools = sum(program.cpu() for program in programs) - before, time.process_time() - own
                memory = sum(program.memory().peak for program in programs)
            sent = smsc.destinations
            twice = smsc.desk.again
        application.stop()
        told = {number for number, kind in application.told if kind == FINAL}
        lost = sum(1 for number in load.accepted if b"4477%08d" % number not in sent)
        return {
            **_answers(load),
            "end_to_end_per_s": round(len(told) / max(wall, 0.001), 1),
            "cpu_us": round(used / max(1, len(load.accepted)) * 1e6, 1),
            "core_percent": round(100 * used / max(wall, 0.001), 1),
            "tools_percent": round(100 * tools / max(wall, 0.001), 1),
            "rss_mb": round(memory, 1),
            "refused": self.messages - len(load.accepted),
            "lost": lost,
            "untold": len(load.accepted - told),
            "sent_twice": twice,
            "told_twice": application.again,
        }

    async def tools(self) -> Figures:
        """How fast the clients are when the server does nothing."""
        port = free_port()
        self.at.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "benchmarks.sendsms", "--echo", str(port)]
        with Program(command, self.cores.gateway, self.at.parent / "echo.out") as server:
            server.listening(port)
            load = self._load(port, 1)
            await load.run()
        return _answers(load)

    def _load(self, port: int, told: int) -> Load:
        head, foot = REQUEST.replace("{port}", str(told)).replace("{sendsms}", str(port)).split("{number:08}")
        middle, end = foot.split("{number}")
        return Load(port, self.messages, CONNECTIONS, lambda number: f"{head}{number:08}{middle}{number}{end}".encode())


def _answers(load: Load) -> Figures:
    took = sorted(load.took)
    return {
        "accepted_per_s": round(len(load.accepted) / max(load.ended - load.began, 0.001), 1),
        "answer_p50_ms": round(1000 * took[len(took) // 2], 2),
        "answer_p99_ms": round(1000 * took[int(len(took) * 0.99)], 2),
    }


async def echo(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def measure(bench: Bench, runs: int, kinds: list[str], console: Console) -> Results:
    results = Results(machine(), bench.messages, busy())

    def once(what: str, into: list[Figures], kind: str = "") -> None:
        into.append(uvloop.run(bench.run(kind) if kind else bench.tools()))
        console.print(f"[dim]{what}: {into[-1]}")

    once("the clients alone", results.tools)
    for turn in range(runs):
        for kind in kinds if turn % 2 == 0 else kinds[::-1]:
            once(f"{kind}, run {turn + 1} of {runs}", getattr(results, kind), kind)
    return results


def show(results: Results, console: Console) -> None:
    here = results.machine
    console.print(
        f"\n{here['python']}, {here['cores']} cores ({here['processor']}), {here['system']}, commit {here['commit']}; "
        f"{results.messages:,} messages, {CONNECTIONS} connections; the clients alone: "
        f"{median(results.tools)['accepted_per_s']:,.0f} requests a second"
    )
    if results.busy > 0.2:
        console.print(f"[yellow]other work had {results.busy:.1f} cores before the start: the figures are too bad")
    rows = Table(title="sendsms, a receipt and a dlr-url for each message", title_justify="left", show_edge=False)
    names = {
        "accepted_per_s": "accepted/s", "end_to_end_per_s": "told/s", "cpu_us": "CPU us/msg", "answer_p50_ms": "p50 ms",
        "answer_p99_ms": "p99 ms", "core_percent": "core %", "tools_percent": "tools %", "rss_mb": "RSS MB",
    }  # fmt: skip
    rows.add_column("gateway")
    for name in (*names.values(), "refused", "lost", "untold", "twice"):
        rows.add_column(name, justify="right")
    for gateway, runs in (("smppgw", results.smppgw), ("Kannel", results.kannel)):
        if runs:
            middle = median(runs)
            wrong = [sum(run[name] for run in runs) for name in ("refused", "lost", "untold")]
            twice = sum(run["sent_twice"] + run["told_twice"] for run in runs)
            rows.add_row(
                gateway, *(f"{middle[name]:,.{0 if middle[name] >= 100 else 1}f}" for name in names),
                *(f"{count:,.0f}" for count in (*wrong, twice)),
            )  # fmt: skip
    if ratio := results.ratio:
        rows.add_row("ratio", *(f"{ratio[name]:.2f}" if name in ratio else "" for name in names))
    console.print(rows)


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m benchmarks.sendsms", description=__doc__)
    options.add_argument("--quick", action="store_true", help="one short run of each; nothing is written")
    options.add_argument("--runs", type=int, help="runs of which the median is taken (5)")
    options.add_argument("--messages", type=int, help="of each run (20000)")
    options.add_argument("--only", choices=("smppgw", "kannel"), help="one of the two")
    options.add_argument("--path", type=Path, default=interpreters.ENVIRONMENTS, help="for the data: a real disk")
    options.add_argument("--json", type=Path, help="write the figures here; else to results/sendsms-DATE.json")
    options.add_argument("--echo", type=int, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.echo:
        uvloop.run(echo(chosen.echo))
        return 0
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 132)
    kinds = [chosen.only] if chosen.only else ["kannel", "smppgw"]
    if "kannel" in kinds and not Path("/usr/sbin/bearerbox").exists():
        console.print("[yellow]bearerbox and smsbox are not installed (Debian package kannel): only ours is measured")
        kinds.remove("kannel")
    cores = Cores.of_this_machine()
    os.sched_setaffinity(0, cores.tools)
    at = (chosen.path / "sendsms").absolute()
    bench = Bench(cores, at / "run", chosen.messages or (4_000 if chosen.quick else 20_000))
    try:
        results = measure(bench, chosen.runs or (1 if chosen.quick else 5), kinds, console)
    except (FailedError, ConnectionError, TimeoutError) as error:
        console.print(f"[red]{error}[/red]", markup=True)
        console.print(f"the programs' output is in {bench.at}")
        return 2
    show(results, console)
    file = chosen.json
    if file is None and not chosen.quick:
        file = RESULTS / f"sendsms-{time.strftime('%Y-%m-%d', time.gmtime())}.json"
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(results.as_json())
        console.print(f"written to {file}")
    return 0 if results.nothing_lost else 1


if __name__ == "__main__":
    sys.exit(main())
