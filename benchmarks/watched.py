"""What it costs to be watched: the relay with the API on, Prometheus scraping every second and the console open, and
with history on, each beside the same run without, in turn."""

import argparse
import contextlib
import json
import shutil
import statistics
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import interpreters
from benchmarks.gateway import LINKS, WINDOW, Bench, Size
from benchmarks.interpreters import Interpreter
from benchmarks.outcome import Figures
from benchmarks.processes import Cores, FailedError, Program, busy, on
from benchmarks.timing import RESULTS, machine
from benchmarks.tools import Plan, tools
from smppgw.ports import free_port

KEY = "only-for-this-run"
STARTS_WITHIN = 10.0
NOTES_A_MESSAGE = 4
RATE = 10_000 / NOTES_A_MESSAGE
"""Messages a second with history on: 10,000 rows a second."""

API = """
[api]
port = {api}
[api.keys.console]
key = "{key}"
roles = ["read"]
"""
HISTORY = """
[history]
engine = "sqlite"
path = "{path}"
"""


class WatchedBench(Bench):
    """A bench whose gateway may have more tables in its config."""

    more = ""
    scraped = 0
    history: Path | None = None

    def configure(self, upstream: int) -> int:
        port = super().configure(upstream)
        file = self.at / "gateway.toml"
        text = file.read_text()
        if self.scraped:
            text = text.replace("[http]\nport = 0", f"[http]\nport = {self.scraped}")
        file.write_text(text + self.more)
        return port

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """The next gateway has watchers."""
        api, self.scraped = free_port(), free_port()
        self.more = API.format(api=api, key=KEY)
        console = [sys.executable, "-m", "smppgw.cli", "console", "--url", f"http://127.0.0.1:{api}"]
        ended = threading.Event()
        scraper = threading.Thread(target=self._scrape, args=(self.scraped, ended))
        port = free_port()
        command = [*console, "--port", str(port)]
        env = {"SMPPGW_KEY": KEY, "PYTHONPATH": str(interpreters.ROOT)}
        try:
            with Program(command, self.cores.tools, self.at / "console.log", env) as program:
                program.listening(port)  # to start it is no part of watching
                scraper.start()
                yield
        finally:
            ended.set()
            scraper.join()
            self.more, self.scraped = "", 0

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """The next gateway writes history."""
        path = self.at / "history.db"
        for old in self.at.glob("history.db*"):
            old.unlink()
        self.more, self.history = HISTORY.format(path=path), path
        try:
            yield
        finally:
            self.more, self.history = "", None

    def _scrape(self, port: int, ended: threading.Event) -> None:
        with on(self.cores.tools):
            while not ended.wait(1.0):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read()

    def _begun(self, history: Path) -> None:
        """To start what writes it is no part of relaying."""
        end = time.monotonic() + STARTS_WITHIN
        while not history.exists():
            if time.monotonic() > end:
                raise FailedError(f"{history} was not made within {STARTS_WITHIN:g} s")
            time.sleep(0.1)
        time.sleep(0.5)

    def one(self, python: Interpreter, rate: float) -> Figures:
        count = int(rate * self.size.seconds) if rate else self.size.messages
        with self.relay(python) as (port, gateway, _):
            if self.history is not None:
                self._begun(self.history)
            before = gateway.cpu()
            found = self.load(Plan(port, count, LINKS, WINDOW, rate))
            used = gateway.cpu() - before
            gateway.stop()
        return {
            "end_to_end_per_s": found.end_to_end_per_s,
            "response_p50_ms": found.response_p50,
            "response_p99_ms": found.response_p99,
            "cpu_us": round(used / max(1, found.accepted) * 1e6, 2),
            "lost": found.lost,
        }


def measure(bench: WatchedBench) -> dict[str, list[Figures]]:
    """Pairs, in turn: what a busy machine does to one it does to the other. Every second time the other way round, as
    the run after a calm one is the faster on many a machine."""
    python = interpreters.own()
    plan = (("alone", 0.0), ("watched", 0.0), ("steady", RATE), ("noted", RATE))
    runs: dict[str, list[Figures]] = {name: [] for name, _ in plan}
    for number in range(bench.size.runs):
        for name, rate in plan if number % 2 == 0 else reversed(plan):
            with contextlib.ExitStack() as stack:
                if name == "watched":
                    stack.enter_context(bench.watched())
                if name == "noted":
                    stack.enter_context(bench.noted())
                runs[name].append(bench.one(python, rate))
            words = ", ".join(f"{key} {value:,.10g}" for key, value in runs[name][-1].items())
            bench.console.print(f"[dim]{name}, run {number + 1} of {bench.size.runs}: {words}")
    return runs


def ratio(runs: dict[str, list[Figures]], one: str, other: str, key: str) -> float:
    """The median of the pairs' ratios."""
    pairs = zip(runs[one], runs[other], strict=True)
    return round(statistics.median(with_[key] / without[key] for with_, without in pairs), 3)


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m benchmarks.watched", description=__doc__)
    options.add_argument("--quick", action="store_true", help="one short run of each; nothing is written")
    options.add_argument("--runs", type=int, default=6)
    chosen = options.parse_args()
    size = Size(runs=1, messages=60_000, seconds=4.0) if chosen.quick else Size(chosen.runs, 200_000, 10.0)
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 132)
    at = interpreters.ENVIRONMENTS / "watched"
    shutil.rmtree(at, ignore_errors=True)
    at.mkdir(parents=True)
    other_work = busy()
    try:
        cores = Cores.of_this_machine()
        runs = measure(WatchedBench(cores, tools(cores), size, at, delay=0.2, access=False, console=console))
    except FailedError as error:
        console.print(f"[red]{error}[/red]", markup=True)
        console.print(f"the programs' output is in {at}")
        return 2
    shutil.rmtree(at)
    ratios = {
        "throughput, watched to alone": ratio(runs, "watched", "alone", "end_to_end_per_s"),
        "CPU a message, watched to alone": ratio(runs, "watched", "alone", "cpu_us"),
        "p99 at 10,000 rows a second of history, with to without": ratio(runs, "noted", "steady", "response_p99_ms"),
        "CPU a message, with history to without": ratio(runs, "noted", "steady", "cpu_us"),
    }
    table = Table("what", "ratio", title="To be watched (target: at least 0.97 of the throughput)")
    for what, value in ratios.items():
        table.add_row(what, f"{value:.3f}")
    console.print(table)
    if not chosen.quick:
        found = {"name": "watched", "machine": machine(), "busy": other_work, "runs": runs, "ratios": ratios}
        file = RESULTS / f"watched-{time.strftime('%Y-%m-%d', time.gmtime())}.json"
        file.write_text(json.dumps(found, indent=2) + "\n")
        console.print(f"written to {file}")
    return int(any(run["lost"] for each in runs.values() for run in each))


if __name__ == "__main__":
    sys.exit(main())
