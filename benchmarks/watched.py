"""What it costs to be watched: Prometheus scraping every second and the console open, on and off within one run; and
history of 10,000 rows a second, in runs that take turns with runs without.

The same gateway relays up to a quarter faster or slower from one run to the next, which would hide what watchers cost:
so they are stopped and go on while it relays, and neighbouring seconds are compared.
"""

import argparse
import contextlib
import json
import shutil
import statistics
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import interpreters
from benchmarks.gateway import LINKS, WINDOW, Bench, Size
from benchmarks.interpreters import Interpreter
from benchmarks.outcome import Figures
from benchmarks.processes import Cores, FailedError, Program, busy, on
from benchmarks.timing import RESULTS, machine
from benchmarks.tools import SMPPGW, Plan, tools
from smppgw.ports import free_port

KEY = "only-for-this-run"
STARTS_WITHIN = 10.0
SETTLES, SPAN = 0.3, 4.0
"""Seconds; the console looks every 2, Prometheus each."""
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

    def watched(self, python: Interpreter, messages: int) -> list[dict[str, Figures]]:
        """Pairs of spans of one run, by whether anybody watches."""
        api, self.scraped = free_port(), free_port()
        self.more = API.format(api=api, key=KEY)
        try:
            with self.relay(python) as (port, gateway, _), self._watchers(api) as watch:
                plan = Plan(port, messages, LINKS, WINDOW)
                with self.tools.load(plan, self.at) as load:
                    pairs = self._spans(gateway, load, watch)
                    load.done(120 + messages / 1000)
                    lost = self.tools.outcome(load, self.at).lost
                gateway.stop()
        finally:
            self.more, self.scraped = "", 0
        if lost or not pairs:
            raise FailedError(f"{lost} messages were lost, and {len(pairs)} pairs measured")
        return pairs

    @contextlib.contextmanager
    def _watchers(self, api: int) -> Iterator[Callable[[bool], None]]:
        """Gives what makes them look, or not."""
        port, ended, looking = free_port(), threading.Event(), threading.Event()

        def scrape() -> None:
            with on(self.cores.tools):
                while not ended.wait(1.0):
                    if looking.is_set():
                        self._submits()

        def watch(do: bool) -> None:
            console.pause(not do)
            (looking.set if do else looking.clear)()

        command = [*SMPPGW, "console", "--url", f"http://127.0.0.1:{api}", "--port", str(port)]
        scraper = threading.Thread(target=scrape)
        with Program(command, self.cores.tools, self.at / "console.log", {"SMPPGW_KEY": KEY}) as console:
            console.listening(port)  # to start it is no part of watching
            scraper.start()
            try:
                yield watch
            finally:
                ended.set()
                scraper.join()

    def _spans(self, gateway: Program, load: Program, watch: Callable[[bool], None]) -> list[dict[str, Figures]]:
        """Until the load ends. Every second pair the other way round."""
        pairs: list[dict[str, Figures]] = []
        while True:
            pair = {}
            for watched in (False, True) if len(pairs) % 2 else (True, False):
                watch(watched)
                time.sleep(SETTLES)
                began, spent, count = time.monotonic(), gateway.cpu(), self._submits()
                time.sleep(SPAN)
                count = self._submits() - count
                lasted, spent = time.monotonic() - began, gateway.cpu() - spent
                if not load.runs():
                    watch(True)
                    return pairs[:-1]  # the last one may have seen the load end
                pair["watched" if watched else "alone"] = {
                    "messages_per_s": round(count / lasted),
                    "cpu_us": round(spent / max(1, count) * 1e6, 2),
                }
            pairs.append(pair)
            self.console.print(f"[dim]pair {len(pairs)}: {pair}")

    def _submits(self) -> int:
        """That went upstream, as /metrics says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.scraped}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return int(sum(float(line.split()[-1]) for line in lines if line.startswith("smppgw_connector_submits_total{")))

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


def with_history(bench: WatchedBench) -> dict[str, list[Figures]]:
    """Pairs of runs, in turn: what a busy machine does to one it does to the other. Every second pair the other way
    round, as the run after a calm one is the faster on many a machine."""
    python = interpreters.own()
    runs: dict[str, list[Figures]] = {"steady": [], "noted": []}
    for number in range(bench.size.runs):
        for name in runs if number % 2 == 0 else reversed(runs):
            with bench.noted() if name == "noted" else contextlib.nullcontext():
                runs[name].append(bench.one(python, RATE))
            words = ", ".join(f"{key} {value:,.10g}" for key, value in runs[name][-1].items())
            bench.console.print(f"[dim]{name}, run {number + 1} of {bench.size.runs}: {words}")
    return runs


def ratio(pairs: Iterable[tuple[Figures, Figures]], key: str) -> float:
    """The median of the pairs' ratios, of the second to the first."""
    return round(statistics.median(other[key] / one[key] for one, other in pairs), 3)


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m benchmarks.watched", description=__doc__)
    options.add_argument("--quick", action="store_true", help="one short run of each; nothing is written")
    options.add_argument("--runs", type=int, default=6)
    chosen = options.parse_args()
    size = Size(runs=1, messages=900_000, seconds=4.0) if chosen.quick else Size(chosen.runs, 4_000_000, 10.0)
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 132)
    at = interpreters.ENVIRONMENTS / "watched"
    shutil.rmtree(at, ignore_errors=True)
    at.mkdir(parents=True)
    other_work = busy()
    try:
        cores = Cores.of_this_machine()
        bench = WatchedBench(cores, tools(cores), size, at, delay=0.2, access=False, console=console)
        spans = bench.watched(interpreters.own(), size.messages)
        runs = with_history(bench)
    except FailedError as error:
        console.print(f"[red]{error}[/red]", markup=True)
        console.print(f"the programs' output is in {at}")
        return 2
    shutil.rmtree(at)
    watched = [(pair["alone"], pair["watched"]) for pair in spans]
    noted = list(zip(runs["steady"], runs["noted"], strict=True))
    ratios = {
        "throughput, watched to alone": ratio(watched, "messages_per_s"),
        "CPU a message, watched to alone": ratio(watched, "cpu_us"),
        "p99 at 10,000 rows a second of history, with to without": ratio(noted, "response_p99_ms"),
        "CPU a message, with history to without": ratio(noted, "cpu_us"),
    }
    table = Table("what", "ratio", title="To be watched (target: at least 0.97 of the throughput)")
    for what, value in ratios.items():
        table.add_row(what, f"{value:.3f}")
    console.print(table)
    if not chosen.quick:
        found = {"name": "watched", "machine": machine(), "busy": other_work, "spans": spans, "runs": runs}
        found["ratios"] = ratios
        file = RESULTS / f"watched-{time.strftime('%Y-%m-%d', time.gmtime())}.json"
        file.write_text(json.dumps(found, indent=2) + "\n")
        console.print(f"written to {file}")
    return int(any(run["lost"] for each in runs.values() for run in each))


if __name__ == "__main__":
    sys.exit(main())
