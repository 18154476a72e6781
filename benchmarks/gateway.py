"""What the whole gateway does: messages a second, CPU and memory, latency, restart, and that nothing is lost.

The gateway has one core, the load tool and the SMSC have the others. Every message is on disk before it is
acknowledged, and every message gets a receipt. SMPPLOAD in the environment names another load tool than our own; see
README.md.
"""

import argparse
import contextlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from benchmarks import interpreters, outcome
from benchmarks.interpreters import Interpreter
from benchmarks.outcome import Figures, Results
from benchmarks.processes import Cores, FailedError, Program, allow_files, busy
from benchmarks.timing import RESULTS, machine
from benchmarks.tools import PASSWORD, SYSTEM_ID, Outcome, OwnTools, Plan, Tools, tools
from smppgw.ports import free_port

LINKS, WINDOW = 4, 250
BINDS = 10_000
PARTS = ("direct", "throughput", "own", "latency", "binds", "waiting", "queued", "deliveries", "long")

CONFIG = """
[[listeners]]
host = "127.0.0.1"
port = {port}
[http]
port = 0
[limits]
links = 20000
links_per_address = 20000
unbound_links = 20000
[store]
path = "{data}"
[log]
format = "json"
access = "{access}"
[accounts.{account}]
password = "{password}"
max_binds = 20000
[connectors.upstream]
host = "127.0.0.1"
port = {upstream}
system_id = "gateway"
password = "{password}"
binds = {links}
window = {window}
[[routes]]
name = "all"
to = "upstream"
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done; the full measure unless told otherwise."""

    runs: int = 5
    messages: int = 300_000
    """Of a run at full speed."""
    seconds: float = 10.0
    """Of a run at half speed."""
    waiting: int = 1_000_000
    held: int = 200_000
    """For want of an SMSC, or of an ESME."""
    long: int = 1_000_000


QUICK = Size(runs=1, messages=100_000, seconds=3.0, waiting=100_000, held=50_000, long=100_000)


class Bench:
    """One place for files, one pair of tools, one plan of cores."""

    def __init__(
        self, cores: Cores, used: Tools, size: Size, at: Path, *, delay: float, access: bool, console: Console
    ) -> None:
        self.cores = cores
        self.tools = used
        self.size = size
        self.at = at
        self.delay = delay
        self.access = access
        self.console = console

    def with_own_tools(self) -> "Bench":
        return Bench(
            self.cores, OwnTools(self.cores), self.size, self.at,
            delay=self.delay, access=self.access, console=self.console,
        )  # fmt: skip

    # The pieces.

    @contextlib.contextmanager
    def smsc(self, *, receipts: bool = True, delay: float | None = None) -> Iterator[tuple[int, Program]]:
        port = free_port()
        wait = self.delay if delay is None else delay
        with self.tools.smsc(port, self.at, delay=wait, receipts=receipts) as program:
            program.listening(port)
            yield port, program

    def configure(self, upstream: int) -> int:
        """A new config and an empty data directory; the port that ESMEs are to use."""
        port, data = free_port(), self.at / "data"
        shutil.rmtree(data, ignore_errors=True)
        text = CONFIG.format(
            port=port, upstream=upstream, data=data, account=SYSTEM_ID, password=PASSWORD, links=LINKS, window=WINDOW,
            access=data / "access.log" if self.access else "",
        )  # fmt: skip
        (self.at / "gateway.toml").write_text(text)
        return port

    def serve(self, python: Interpreter) -> Program:
        command = [*python.command, "serve", "--config", str(self.at / "gateway.toml")]
        return Program(command, self.cores.gateway, self.at / "gateway.log", {"PYTHONPATH": str(interpreters.ROOT)})

    @contextlib.contextmanager
    def relay(self, python: Interpreter) -> Iterator[tuple[int, Program, Program]]:
        """A gateway that is bound to an SMSC: its port, and both."""
        with self.smsc() as (upstream, smsc):
            port = self.configure(upstream)
            with self.serve(python) as gateway:
                gateway.expect("ready")
                gateway.expect("bound", LINKS, connector="upstream")
                yield port, gateway, smsc

    def load(self, plan: Plan) -> Outcome:
        with self.tools.load(plan, self.at) as load:
            load.done(120 + plan.count / 1000 + (plan.count / plan.rate if plan.rate else 0))
            return self.tools.outcome(load, self.at)

    def repeated(self, what: str, run: Callable[[], Figures]) -> list[Figures]:
        found = []
        for number in range(1, self.size.runs + 1):
            with self.console.status(f"{what}, run {number} of {self.size.runs}"):
                found.append(run())
            words = ", ".join(f"{name} {value:,.10g}" for name, value in found[-1].items())
            self.console.print(f"[dim]{what}, run {number} of {self.size.runs}: {words}")
        return found

    # The measurements.

    def direct(self) -> Figures:
        """The load tool on the SMSC, without a gateway: what the tools themselves can do."""
        with self.smsc() as (port, _):
            found = self.load(Plan(port, self.size.messages, LINKS, WINDOW))
        return seen(found)

    def relayed(self, python: Interpreter, count: int, rate: float = 0.0) -> Figures:
        with self.relay(python) as (port, gateway, smsc):
            before = gateway.cpu()
            found = self.load(Plan(port, count, LINKS, WINDOW, rate))
            used = gateway.cpu() - before
            memory = gateway.memory()
            gateway.stop()
            smsc.stop()
            arrived, again = self.tools.arrived(smsc)
        return seen(found) | {
            "cpu_us": round(used / max(1, found.accepted) * 1e6, 2),
            "core_percent": round(100 * used / max(found.end_to_end_s, 0.001), 1),
            "peak_rss_mb": memory.peak,
            "lost": found.lost + max(0, found.accepted - arrived + again),
            "repeated": found.repeated + again,
            "mismatched": found.mismatched,
        }

    def throughput(self, python: Interpreter) -> list[Figures]:
        return self.repeated(
            f"throughput by {self.tools.name}, {python.name}", lambda: self.relayed(python, self.size.messages)
        )

    def latency(self, python: Interpreter, rate: float) -> list[Figures]:
        count = int(rate * self.size.seconds)
        return self.repeated(f"latency at {rate:,.0f}/s", lambda: self.relayed(python, count, rate))

    def binds(self, python: Interpreter) -> Figures:
        with self.relay(python) as (port, gateway, _):
            before = gateway.memory()
            command = [sys.executable, "-m", "benchmarks.idle", str(port), str(BINDS)]
            with Program(command, self.cores.tools, self.at / "idle.out") as idle:
                took = idle.expect("bound", links=BINDS)
                time.sleep(3)
                after = gateway.memory()
        return {
            "binds": BINDS,
            "rss_before_mb": before.rss,
            "rss_mb": after.rss,
            "private_mb": after.private,
            "octets_a_bind": round((after.rss - before.rss) * 1e6 / BINDS),
            "seconds_to_bind": round(took, 2),
        }

    def kept(self, python: Interpreter, kind: str, count: int) -> Figures:
        """Messages that stay in the gateway, and a restart with all of them: `waiting` for their receipts, `queued`
        because the SMSC is away, or `deliveries`, receipts of which the ESME is away."""
        with self.keeping(kind, count) as (upstream, delay):
            port = self.configure(upstream)
            with self.serve(python) as gateway:
                gateway.expect("ready")
                if kind != "queued":
                    gateway.expect("bound", LINKS, connector="upstream")
                before = gateway.memory()
                found = self.load(Plan(port, count, LINKS, WINDOW, patience=2.0))
                if found.accepted != count:
                    raise FailedError(f"only {found.accepted:,} of {count:,} messages were accepted")
                quiet(gateway, delay)
                running = gateway.memory()
                gateway.stop()
            with self.serve(python) as restarted:
                ready = restarted.expect("ready", patience=300.0)
                restarted.expect("restored", **{kind: count})
                cpu, after = restarted.cpu(), restarted.memory()
        file = (self.at / "data" / "data.mdb").stat()
        return {
            "messages": count,
            "accepted_per_s": found.accepted_per_s,
            "rss_before_mb": before.rss,
            "rss_mb": running.rss,
            "private_before_mb": before.private,
            "private_mb": running.private,
            "octets_each": round((running.rss - before.rss) * 1e6 / count),
            "private_octets_each": round((running.private - before.private) * 1e6 / count),
            "restart_s": round(ready, 2),
            "restart_cpu_s": round(cpu, 2),
            "restart_rss_mb": after.rss,
            "restart_private_mb": after.private,
            "restart_peak_rss_mb": after.peak,
            "octets_on_disk": file.st_blocks * 512 // count,
        }

    @contextlib.contextmanager
    def keeping(self, kind: str, count: int) -> Iterator[tuple[int, float]]:
        """The SMSC that makes the gateway keep messages: its port, and seconds until it sends receipts."""
        if kind == "queued":
            yield free_port(), 0.0
            return
        delay = 5 + count / 10_000 if kind == "deliveries" else 0.0
        with self.smsc(receipts=kind == "deliveries", delay=delay) as (port, _):
            yield port, delay


def quiet(gateway: Program, delay: float) -> None:
    """Returns when what is to come until then has come, and the gateway has nothing to do any more."""
    time.sleep(delay)
    used = -1.0
    while (now := gateway.cpu()) - used > 0.05:
        used = now
        time.sleep(1)


def seen(found: Outcome) -> Figures:
    return {
        "end_to_end_per_s": found.end_to_end_per_s,
        "accepted_per_s": found.accepted_per_s,
        "response_p50_ms": found.response_p50,
        "response_p99_ms": found.response_p99,
        "receipt_p50_ms": found.receipt_p50,
        "receipt_p99_ms": found.receipt_p99,
        "lost": found.lost,
        "repeated": found.repeated,
        "mismatched": found.mismatched,
    }


def measure(bench: Bench, parts: list[str], pythons: list[Interpreter]) -> Results:
    first = pythons[0]
    size = bench.size
    results = Results(machine(), bench.tools.name, bench.delay, size.messages, busy())
    if "direct" in parts:
        results.direct = bench.repeated(f"{bench.tools.name} without a gateway", bench.direct)
    if "throughput" in parts or "latency" in parts:
        for python in pythons:
            results.throughput[python.name] = bench.throughput(python)
    if "own" in parts and not isinstance(bench.tools, OwnTools):
        results.own = bench.with_own_tools().throughput(first)
    if "latency" in parts:
        half = outcome.median(results.throughput[first.name])["end_to_end_per_s"] / 2
        results.rate = round(half)
        results.latency = bench.latency(first, results.rate)
    once: dict[str, Callable[[], Figures]] = {
        "binds": lambda: bench.binds(first),
        "waiting": lambda: bench.kept(first, "waiting", size.waiting),
        "queued": lambda: bench.kept(first, "queued", size.held),
        "deliveries": lambda: bench.kept(first, "deliveries", size.held),
        "long": lambda: bench.relayed(first, size.long) | {"messages": size.long},
    }
    titles = {
        "binds": f"{BINDS:,} idle binds",
        "waiting": f"{size.waiting:,} messages that wait for receipts",
        "queued": f"{size.held:,} messages while the SMSC is away",
        "deliveries": f"{size.held:,} receipts while the ESME is away",
        "long": f"a run of {size.long:,} messages",
    }
    for part, run in once.items():
        if part in parts:
            with bench.console.status(titles[part]):
                results.once[part] = run()
            words = ", ".join(f"{name} {value:,.10g}" for name, value in results.once[part].items())
            bench.console.print(f"[dim]{titles[part]}: {words}")
    return results


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=__doc__)
    options.add_argument("--quick", action="store_true", help="one short run of each; nothing is written")
    options.add_argument("--runs", type=int, help=f"runs of which the median is taken ({Size().runs})")
    options.add_argument("--messages", type=int, help=f"of a run at full speed ({Size().messages:,})")
    options.add_argument("--only", default=",".join(PARTS), help="of these parts, those; %(default)s")
    options.add_argument("--python", type=Path, action="append", help="measure throughput on this one as well")
    options.add_argument("--one-python", action="store_true", help="only on the Python that runs this")
    options.add_argument("--receipt-delay", type=float, default=0.2, help="seconds until the SMSC sends a receipt")
    options.add_argument("--access-log", action="store_true", help="let the gateway write its access log, too")
    options.add_argument("--path", type=Path, default=interpreters.ENVIRONMENTS, help="for the data: a real disk")
    options.add_argument("--json", type=Path, help="write the figures here; else to results/gateway-DATE.json")
    chosen = options.parse_args()
    parts = [part for part in PARTS if part in chosen.only.split(",")]
    size = QUICK if chosen.quick else Size()
    size = replace(size, runs=chosen.runs or size.runs, messages=chosen.messages or size.messages)
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 132)
    at = chosen.path / "run"
    shutil.rmtree(at, ignore_errors=True)
    at.mkdir(parents=True)
    try:
        allow_files(BINDS + 500)
        pythons = [interpreters.own()]
        if chosen.python:
            pythons += [interpreters.named(path) for path in chosen.python]
        elif not chosen.one_python and (another := interpreters.other()):
            pythons.append(another)
        cores = Cores.of_this_machine()
        bench = Bench(
            cores, tools(cores), size, at, delay=chosen.receipt_delay, access=chosen.access_log, console=console
        )  # fmt: skip
        results = measure(bench, parts, pythons)
    except FailedError as error:
        console.print(f"[red]{error}[/red]", markup=True)
        console.print(f"the programs' output is in {at}")
        return 2
    shutil.rmtree(at)
    outcome.show(results, console)
    file = chosen.json or (
        None if chosen.quick else RESULTS / f"gateway-{time.strftime('%Y-%m-%d', time.gmtime())}.json"
    )
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(results.as_json())
        console.print(f"written to {file}")
    return 0 if results.nothing_lost else 1


if __name__ == "__main__":
    sys.exit(main())
