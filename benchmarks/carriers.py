"""What HTTPS carriers cost: messages a second through each, the SMPP path beside one that hangs, webhooks under load.

The gateway has one core; the carrier's simulator, the load tool and the SMSC have the others. Every message asks for a
receipt, which the simulator sends to the gateway's webhook. SMPPLOAD names another load tool, as it does for `gateway`.
"""

import argparse
import contextlib
import json
import shutil
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import interpreters
from benchmarks.gateway import LINKS, WINDOW, Bench, Size
from benchmarks.interpreters import Interpreter
from benchmarks.outcome import WRONG, Check, Figures, median, middle, targets
from benchmarks.processes import Cores, FailedError, Program, busy
from benchmarks.timing import RESULTS, machine
from benchmarks.tools import PASSWORD, SMPPGW, SYSTEM_ID, Outcome, Plan, tools
from smppgw.ports import free_port

PARTS = ("throughput", "latency", "hanging", "webhooks")
CARRIER_WINDOW = 100
RECEIPT_AFTER = 0.1
"""Seconds from a simulator's reply to its notification."""
STEADY = 1000
"""Messages a second while the latency of receipts is measured."""
NOTIFIED = 500
"""Notifications a second while the webhook's answers are timed."""
FEED = 100
"""Messages a second for the carrier that hangs."""
QUEUED = 2000
"""Messages for it before anything is measured."""
MOBILE, FIRST, SECOND = "8190", 10_000_000, 20_000_000
"""Numbers that every carrier takes: mobiles of Japan, from a first digit that they have."""
OTHER = "other"
"""The account whose messages go to the carrier where there is an SMSC as well."""


@dataclass(frozen=True, slots=True)
class Case:
    """One carrier: how its simulator is started, and what its connector needs."""

    simulator: tuple[str, ...]
    keys: str
    target: int = 2000


_SID = "AC" + "a" * 32
CASES = {
    "aix": Case(("aix",), 'token = "0123456789abcdef0123456789abcdef"\nclient_id = "1234"\nsms_code = "12345"'),
    "kddi": Case(
        ("kddi",), 'user = "testUser"\npassword = "testPass"\nbot_id = "bot1"\nsms_numbers = ["0312345678"]\npoll = []'
    ),
    "twilio_messages": Case(
        ("twilio",), f'account_sid = "{_SID}"\nauth_token = "12345"\nsender = "+15017122661"\nsource = "ignore"'
    ),
    "twilio_commands": Case(("twilio",), f'account_sid = "{_SID}"\nauth_token = "12345"\nunlisted = "name"'),
    "vonage": Case(("vonage",), 'api_key = "abcd1234"\napi_secret = "abcdef0123456789"'),
}

CONFIG = """
[[listeners]]
host = "127.0.0.1"
port = {port}
[http]
port = {http}
[webhooks]
host = "127.0.0.1"
port = {webhook}
[store]
path = "{data}"
[log]
format = "json"
access = ""
[accounts.{account}]
password = "{password}"
[accounts.{other}]
password = "{password}"
"""
SMSC = """
[connectors.upstream]
host = "127.0.0.1"
port = {port}
system_id = "gateway"
password = "{password}"
binds = {links}
window = {window}
[[routes]]
name = "smpp"
match = {{ account = "{account}" }}
to = "upstream"
"""
CARRIER = """
[connectors.carrier]
kind = "{kind}"
url = "http://127.0.0.1:{port}"
window = {window}
response = "120s"
country_code = "81"
national_prefix = "0"
webhook_path = "/carrier"
webhook_url = "http://127.0.0.1:{webhook}/carrier"
{keys}
[[routes]]
name = "carrier"
to = "carrier"
"""


@dataclass(slots=True)
class Results:
    """All that was measured; what was not is empty."""

    machine: dict[str, str | int | bool]
    tool: str
    messages: int
    busy: float
    """Cores that other work had before the start: it makes every figure worse."""
    throughput: dict[str, list[Figures]] = field(default_factory=dict)
    """By carrier."""
    latency: dict[str, list[Figures]] = field(default_factory=dict)
    """Likewise, at STEADY messages a second."""
    alone: list[Figures] = field(default_factory=list)
    """The SMPP path without a carrier."""
    hanging: list[Figures] = field(default_factory=list)
    """The same beside a carrier that hangs, in turn with `alone`."""
    webhooks: list[Figures] = field(default_factory=list)

    @property
    def nothing_lost(self) -> bool:
        runs = [
            *(run for runs in (*self.throughput.values(), *self.latency.values()) for run in runs),
            *self.alone, *self.hanging, *self.webhooks,
        ]  # fmt: skip
        return not any(run.get(wrong, 0) for run in runs for wrong in WRONG)

    def as_json(self) -> str:
        found = {"name": "carriers", **asdict(self)}
        found["median"] = {
            "throughput": {name: median(runs) for name, runs in self.throughput.items()},
            "latency": {name: median(runs) for name, runs in self.latency.items()},
            "alone": median(self.alone),
            "hanging": median(self.hanging),
            "webhooks": median(self.webhooks),
        }
        found["targets"] = [asdict(check) | {"met": check.met} for check in checks(self)]
        return json.dumps(found, indent=2) + "\n"


class CarrierBench(Bench):
    """A gateway with an HTTPS carrier, with an SMSC, or with both."""

    http = 0

    @contextlib.contextmanager
    def carrier(self, kind: str, port: int, webhook: int, *faults: str) -> Iterator[Program]:
        command = [
            *SMPPGW, "simulate", *CASES[kind].simulator, "--port", str(port), *faults,
            "--webhook", f"http://127.0.0.1:{webhook}/carrier", "--receipt-after", str(RECEIPT_AFTER),
        ]  # fmt: skip
        with Program(command, self.cores.tools, self.at / "carrier.out") as program:
            program.listening(port)
            yield program

    def write(self, *connectors: str, webhook: int = 0) -> int:
        """A new config and an empty data directory; the port that ESMEs are to use."""
        port, data = free_port(), self.at / "data"
        shutil.rmtree(data, ignore_errors=True)
        self.http = free_port()
        text = CONFIG.format(
            port=port, http=self.http, webhook=webhook, data=data, account=SYSTEM_ID, other=OTHER, password=PASSWORD
        )
        (self.at / "gateway.toml").write_text("".join((text, *connectors)))
        return port

    @contextlib.contextmanager
    def both(self, python: Interpreter, kind: str = "", *faults: str) -> Iterator[tuple[int, Program, Program | None]]:
        """A gateway with an SMSC, and with a carrier when one is named."""
        with self.smsc() as (upstream, _), contextlib.ExitStack() as stack:
            written = [SMSC.format(port=upstream, password=PASSWORD, links=LINKS, window=WINDOW, account=SYSTEM_ID)]
            carrier, webhook = None, 0
            if kind:
                there, webhook = free_port(), free_port()
                carrier = stack.enter_context(self.carrier(kind, there, webhook, *faults))
                written.append(_connector(kind, there, webhook))
            port = self.write(*written, webhook=webhook)
            with self.serve(python) as gateway:
                gateway.expect("ready")
                gateway.expect("bound", LINKS, connector="upstream")
                yield port, gateway, carrier

    def metric(self, name: str) -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=10) as reply:
            lines = reply.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    # The measurements.

    def through(self, python: Interpreter, kind: str, count: int, rate: float = 0.0) -> Figures:
        """As fast as the carrier takes them, or at a rate."""
        there, webhook = free_port(), free_port()
        with self.carrier(kind, there, webhook) as carrier:
            port = self.write(_connector(kind, there, webhook), webhook=webhook)
            with self.serve(python) as gateway:
                gateway.expect("ready")
                before, carriers = gateway.cpu(), carrier.cpu()
                found = self.load(Plan(port, count, LINKS, WINDOW, rate, prefix=MOBILE, first=FIRST))
                used, carriers = gateway.cpu() - before, carrier.cpu() - carriers
                gateway.stop()
            carrier.stop()
            taken = _last(carrier)
        return {
            "end_to_end_per_s": found.end_to_end_per_s,
            "cpu_us": round(used / max(1, found.accepted) * 1e6, 2),
            "core_percent": round(100 * used / max(found.end_to_end_s, 0.001), 1),
            "tools_percent": round(100 * (carriers + found.tool_cpu_s) / max(found.end_to_end_s, 0.001), 1),
            "receipt_p50_ms": found.receipt_p50,
            "receipt_p99_ms": found.receipt_p99,
            "answer_p50_ms": taken["webhook_ms"]["p50"],
            "answer_p99_ms": taken["webhook_ms"]["p99"],
            "lost": found.lost + max(0, found.accepted - taken["accepted"]),
            "repeated": found.repeated + max(0, taken["accepted"] - found.accepted),
            "mismatched": found.mismatched,
        }

    def smpp(self, python: Interpreter, kind: str = "") -> Figures:
        """The SMPP path as fast as it goes, then at half of that; beside a carrier that hangs when one is named."""
        with self.both(python, kind, *(("--hang", "1") if kind else ())) as (port, gateway, carrier):
            with contextlib.ExitStack() as stack:
                if kind:
                    plan = Plan(port, QUEUED, 1, WINDOW, patience=0.2, account=OTHER, prefix=MOBILE, first=FIRST)
                    if self.load(plan).accepted != QUEUED:
                        raise FailedError("the messages for the carrier that hangs were not accepted")
                    grows = replace(plan, count=10**6, rate=FEED, first=SECOND, patience=60.0)
                    stack.enter_context(self.tools.load(grows, self.at))
                before = gateway.cpu()
                fast = self.load(Plan(port, self.size.messages, LINKS, WINDOW))
                used = gateway.cpu() - before
                half = max(1.0, fast.end_to_end_per_s / 2)
                slow = self.load(Plan(port, int(half * self.size.seconds), LINKS, WINDOW, half, first=10**7))
                queued = self.metric("smppgw_target_queue{") if kind else 0.0
            if carrier is not None:
                carrier.stop()
                if (hung := _last(carrier).get("hang", 0)) != CARRIER_WINDOW:
                    raise FailedError(f"{hung} requests hung, not {CARRIER_WINDOW}")
        return {
            "end_to_end_per_s": fast.end_to_end_per_s,
            "cpu_us": round(used / max(1, fast.accepted) * 1e6, 2),
            "response_p99_ms": fast.response_p99,
            "half_response_p50_ms": slow.response_p50,
            "half_response_p99_ms": slow.response_p99,
            "queued": queued,
            **_wrong(fast, slow),
        }

    def notified(self, python: Interpreter, kind: str, rate: float) -> Figures:
        """How long the webhook takes to answer, as the carrier sees it, while the SMPP path carries load."""
        seconds = self.size.seconds
        with self.both(python, kind) as (port, gateway, carrier):
            assert carrier is not None
            beside = Plan(port, int(NOTIFIED * seconds), 1, WINDOW, NOTIFIED, account=OTHER, prefix=MOBILE, first=FIRST)
            before = gateway.cpu()
            with self.tools.load(beside, self.at) as other:
                main = self.load(Plan(port, int(rate * seconds), LINKS, WINDOW, rate))
                other.done(60 + seconds)
                through = self.tools.outcome(other, self.at)
            used = gateway.cpu() - before
            carrier.stop()
            took = _last(carrier)
        return {
            "notifications_per_s": round(took["notified"] / through.end_to_end_s, 1),
            "smpp_per_s": main.accepted_per_s,
            "core_percent": round(100 * used / max(main.end_to_end_s, through.end_to_end_s), 1),
            "answer_p50_ms": took["webhook_ms"]["p50"],
            "answer_p99_ms": took["webhook_ms"]["p99"],
            "answer_max_ms": took["webhook_ms"]["max"],
            "response_p99_ms": main.response_p99,
            **_wrong(main, through),
        }


def _connector(kind: str, port: int, webhook: int) -> str:
    return CARRIER.format(kind=kind, port=port, webhook=webhook, window=CARRIER_WINDOW, keys=CASES[kind].keys)


def _wrong(*outcomes: Outcome) -> Figures:
    return {
        "lost": sum(found.lost for found in outcomes),
        "repeated": sum(found.repeated for found in outcomes),
        "mismatched": sum(found.mismatched for found in outcomes),
    }


def _last(carrier: Program) -> dict[str, Any]:
    """What a stopped simulator counted."""
    for line in reversed(carrier.output.read_text(errors="replace").splitlines()):
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    raise FailedError(f"{carrier.name} printed no counts: {carrier.last_words()}")


def measure(bench: CarrierBench, parts: Sequence[str], kinds: Sequence[str], python: Interpreter) -> Results:
    size = bench.size
    results = Results(machine(), bench.tools.name, size.messages, busy())
    for kind in kinds:
        if "throughput" in parts:
            results.throughput[kind] = bench.repeated(
                f"through {kind}", partial(bench.through, python, kind, size.waiting)
            )
        if "latency" in parts:
            results.latency[kind] = bench.repeated(
                f"{kind} at {STEADY:,}/s",
                partial(bench.through, python, kind, int(STEADY * size.seconds), STEADY),
            )
    if "hanging" in parts or "webhooks" in parts:
        once = replace(size, runs=1)
        pair = CarrierBench(
            bench.cores, bench.tools, once, bench.at, delay=bench.delay, access=False, console=bench.console
        )  # fmt: skip
        order = [("SMPP alone", "", results.alone)]
        if "hanging" in parts:
            order.append(("SMPP beside a carrier that hangs", "aix", results.hanging))
        for _ in range(size.runs if "hanging" in parts else 1):
            for what, kind, runs in order:
                runs.extend(pair.repeated(what, partial(pair.smpp, python, kind)))
            order.reverse()
    if "webhooks" in parts:
        half = median(results.alone)["end_to_end_per_s"] / 2
        results.webhooks = bench.repeated(
            f"webhooks beside {half:,.0f} SMPP messages a second", lambda: bench.notified(python, "kddi", half)
        )
    return results


def checks(results: Results) -> Iterator[Check]:
    """Every target of which something was measured."""
    for kind, runs in results.throughput.items():
        yield middle(f"through {kind}", runs, "end_to_end_per_s", "msg/s", CASES[kind].target, True)
    if results.hanging:
        for name, what, limit, at_least in (
            ("end_to_end_per_s", "SMPP throughput", 95, True),
            ("half_response_p99_ms", "SMPP response p99 at half speed", 125, False),
        ):
            pairs = zip(results.hanging, results.alone, strict=True)
            ratios = [{"ratio": 100 * hung[name] / alone[name]} for hung, alone in pairs]
            yield middle(f"{what}, beside a carrier that hangs", ratios, "ratio", "%", limit, at_least)
    if results.webhooks:
        rate = median(results.webhooks)
        what = f"webhook p99, {rate['notifications_per_s']:,.0f}/s beside {rate['smpp_per_s']:,.0f} SMPP msg/s"
        yield middle(what, results.webhooks, "answer_p99_ms", "ms", 100)


def show(results: Results, console: Console) -> None:
    here = results.machine
    console.print()
    console.print(
        f"{here['python']}, {here['cores']} cores ({here['processor']}), {here['system']}, commit {here['commit']}; "
        f"load by {results.tool}, window {CARRIER_WINDOW}, notifications after {RECEIPT_AFTER:g} s"
    )
    if results.busy > 0.2:
        console.print(f"[yellow]other work had {results.busy:.1f} cores before the start: the figures are too bad")
    console.print(targets("HTTPS carriers", checks(results)))
    rows = Table(title="one gateway process, one core", title_justify="left", show_edge=False, pad_edge=False)
    rows.add_column("carrier", min_width=20)
    for name in ("msg/s", "CPU us/msg", "core %", "tools %", f"receipt p50 at {STEADY:,}/s", "p99 ms", "lost", "twice"):
        rows.add_column(name, justify="right")
    for kind, runs in results.throughput.items():
        fast, steady = median(runs), median(results.latency.get(kind, []))
        rows.add_row(
            kind,
            *(f"{fast[name]:,.0f}" for name in ("end_to_end_per_s", "cpu_us", "core_percent", "tools_percent")),
            *(f"{steady[name]:,.0f}" if steady else "" for name in ("receipt_p50_ms", "receipt_p99_ms")),
            *(f"{sum(run[name] for run in (*runs, *results.latency.get(kind, []))):,.0f}" for name in WRONG[:2]),
        )
    if results.throughput:
        console.print(rows)
        if any(median(runs)["core_percent"] < 90 for runs in results.throughput.values()):
            console.print("[yellow]where the gateway's core was not full, simulator and load tool were the limit")


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m benchmarks.carriers", description=__doc__)
    options.add_argument("--quick", action="store_true", help="one short run of each; nothing is written")
    options.add_argument("--runs", type=int, help="runs of which the median is taken (3)")
    options.add_argument("--only", default=",".join(PARTS), help="of these parts, those; %(default)s")
    options.add_argument("--carriers", default=",".join(CASES), help="of these, those; %(default)s")
    options.add_argument("--path", type=Path, default=interpreters.ENVIRONMENTS, help="for the data: a real disk")
    options.add_argument("--json", type=Path, help="write the figures here; else to results/carriers-DATE.json")
    chosen = options.parse_args()
    parts = [part for part in PARTS if part in chosen.only.split(",")]
    kinds = [kind for kind in CASES if kind in chosen.carriers.split(",")]
    # `messages` go by SMPP, `waiting` through each carrier.
    size = Size(runs=1, messages=40_000, seconds=3.0, waiting=6_000) if chosen.quick else Size(
        runs=3, messages=150_000, seconds=10.0, waiting=20_000
    )  # fmt: skip
    size = replace(size, runs=chosen.runs or size.runs)
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 132)
    at = chosen.path / "carriers"
    shutil.rmtree(at, ignore_errors=True)
    at.mkdir(parents=True)
    try:
        cores = Cores.of_this_machine()
        bench = CarrierBench(cores, tools(cores), size, at, delay=0.2, access=False, console=console)
        results = measure(bench, parts, kinds, interpreters.own())
    except FailedError as error:
        console.print(f"[red]{error}[/red]", markup=True)
        console.print(f"the programs' output is in {at}")
        return 2
    shutil.rmtree(at)
    show(results, console)
    file = chosen.json or (
        None if chosen.quick else RESULTS / f"carriers-{time.strftime('%Y-%m-%d', time.gmtime())}.json"
    )
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(results.as_json())
        console.print(f"written to {file}")
    return 0 if results.nothing_lost else 1


if __name__ == "__main__":
    sys.exit(main())
