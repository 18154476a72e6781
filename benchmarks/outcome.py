"""The figures of the gateway beside their targets, and beside those of other gateways."""

import json
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

Figures = dict[str, float]
PEERS = Path(__file__).parent / "peers.json"
WRONG = ("lost", "repeated", "mismatched")


@dataclass(slots=True)
class Results:
    """All that was measured; what was not is empty."""

    machine: dict[str, str | int | bool]
    tool: str
    receipt_delay: float
    messages: int
    busy: float
    """Cores that other work had before the start: it makes every figure worse."""
    direct: list[Figures] = field(default_factory=list)
    throughput: dict[str, list[Figures]] = field(default_factory=dict)
    """By interpreter, that of the machine first."""
    own: list[Figures] = field(default_factory=list)
    """Throughput as our own tools see it, where another load tool is used."""
    latency: list[Figures] = field(default_factory=list)
    rate: int = 0
    """Messages a second of `latency`."""
    once: dict[str, Figures] = field(default_factory=dict)
    """What is measured in one run: binds, waiting, queued, deliveries, long."""

    @property
    def nothing_lost(self) -> bool:
        runs = [
            *self.latency,
            *self.own,
            *(run for runs in self.throughput.values() for run in runs),
            *self.once.values(),
        ]
        return not any(run.get(wrong, 0) for run in runs for wrong in WRONG)

    def as_json(self) -> str:
        found = {"name": "gateway", **asdict(self)}
        found["median"] = {
            "direct": median(self.direct),
            "throughput": {name: median(runs) for name, runs in self.throughput.items()},
            "own": median(self.own),
            "latency": median(self.latency),
        }
        found["targets"] = [asdict(check) | {"met": check.met} for check in checks(self)]
        return json.dumps(found, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Check:
    """A figure and its target."""

    what: str
    figure: float
    unit: str
    target: float
    at_least: bool = False
    spread: tuple[float, float] | None = None

    @property
    def met(self) -> bool:
        return self.figure >= self.target if self.at_least else self.figure <= self.target


def median(runs: Sequence[Figures]) -> Figures:
    """Of every figure by itself."""
    if not runs:
        return {}
    return {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}


def checks(results: Results) -> Iterator[Check]:
    """Every target of which something was measured."""
    for name, runs in results.throughput.items():
        slow = name.endswith("not optimised")
        yield middle(f"end to end, {name}", runs, "end_to_end_per_s", "msg/s", 15_000 if slow else 25_000, True)
        if not slow:
            yield middle(f"CPU of the gateway, {name}", runs, "cpu_us", "us/msg", 40)
    if results.latency:
        what = f"submit_sm_resp p99 at {results.rate:,} msg/s"
        yield middle(what, results.latency, "response_p99_ms", "ms", 20)
    if binds := results.once.get("binds"):
        yield Check(f"{binds['binds']:,} idle binds", binds["rss_mb"], "MB", 120)
    if waiting := results.once.get("waiting"):
        what = f"{waiting['messages']:,} waiting for receipts"
        yield Check(what, waiting["rss_mb"], "MB", 600)
        yield Check(f"{what}, after a restart", waiting["restart_rss_mb"], "MB", 600)
        yield Check(f"restart with {waiting['messages']:,} of them", waiting["restart_s"], "s", 15)
    if long := results.once.get("long"):
        for wrong in WRONG:
            yield Check(f"{wrong} in a run of {long['messages']:,}", long[wrong], "", 0)


def middle(what: str, runs: Sequence[Figures], name: str, unit: str, target: float, at_least: bool = False) -> Check:
    """The median of several runs."""
    found = [run[name] for run in runs]
    return Check(what, statistics.median(found), unit, target, at_least, (min(found), max(found)))


def show(results: Results, console: Console) -> None:
    here = results.machine
    console.print()
    console.print(
        f"{here['python']}, {here['cores']} cores ({here['processor']}), {here['system']}, commit {here['commit']}; "
        f"load by {results.tool}, receipts after {results.receipt_delay:g} s"
    )
    if results.busy > 0.2:
        console.print(f"[yellow]other work had {results.busy:.1f} cores before the start: the figures are too bad")
    console.print(targets("smppgw", checks(results)))
    if results.throughput or results.direct:
        console.print(_beside(results))
        for note in _peers()["measured"], _peers()["note"]:
            console.print(f"[dim]{note}")
    limit = median(results.direct).get("end_to_end_per_s")
    found = [median(runs) for runs in results.throughput.values()]
    if limit and any(run["core_percent"] < 90 and run["end_to_end_per_s"] > limit / 4 for run in found):
        console.print("[yellow]the gateway's core was not full: the load tool and the SMSC were the limit")


def targets(title: str, checks: Iterable[Check]) -> Table:
    """Figures beside their targets."""
    rows = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    rows.add_column("measured", min_width=44)
    for name in ("median", "from", "to", "target"):
        rows.add_column(name, justify="right")
    rows.add_column("")
    for check in checks:
        low, high = (_number(value) for value in check.spread) if check.spread else ("", "")
        rows.add_row(
            check.what,
            f"{_number(check.figure)} {check.unit}".strip(),
            low,
            high,
            f"{'at least' if check.at_least else 'at most'} {_number(check.target)}",
            "[green]met" if check.met else "[red]missed",
        )
    return rows


def _beside(results: Results) -> Table:
    rows = Table(title="and others, with a receipt for every message", title_justify="left")
    rows.show_edge = rows.pad_edge = False
    rows.add_column("gateway", min_width=34)
    for name in ("end to end /s", "accepted /s", "resp p99 ms", "CPU us/msg", "RSS MB"):
        rows.add_column(name, justify="right")
    rows.add_column("acknowledged")
    rows_of = results.throughput | ({"load by smppgw load": results.own} if results.own else {})
    for name, runs in rows_of.items():
        found = median(runs)
        columns = ("end_to_end_per_s", "accepted_per_s", "response_p99_ms", "cpu_us", "peak_rss_mb")
        rows.add_row(f"[bold]smppgw, {name}", *(_number(found[column]) for column in columns), "after fdatasync")
    if results.direct:
        found = median(results.direct)
        speeds = (_number(found[name]) for name in ("end_to_end_per_s", "accepted_per_s", "response_p99_ms"))
        rows.add_row(f"{results.tool} straight to its SMSC", *speeds, "", "", "no gateway")
    rows.add_section()
    peers = _peers()
    for peer in (*peers["peers"], *peers["without_receipts"]):
        ranges = ("end_to_end_per_s", "accepted_per_s", "response_p99_ms", "cpu_us", "rss_mb")
        rows.add_row(peer["name"], *(_range(peer.get(column)) for column in ranges), peer["acknowledged"])
    return rows


def _peers() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PEERS.read_text())
    return found


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"


def _range(ends: list[float] | None) -> str:
    if ends is None:
        return "-"
    low, high = ends
    return _number(low) if low == high else f"{_number(low)}-{_number(high)}"
