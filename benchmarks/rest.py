"""The REST API: requests a second and CPU a message, one by one, with a callback each, with keys that may be repeated,
and in batches.

64 kept connections; the gateway has one core, the clients, the SMSC and the application share the other.
"""

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks import interpreters
from benchmarks.browsers import Application, Load
from benchmarks.outcome import Figures, median
from benchmarks.processes import Cores, FailedError, Program, busy
from benchmarks.timing import RESULTS, machine
from smppgw.ports import free_port
from smppgw.simulate.options import Options
from smppgw.simulate.smsc import Smsc

CONNECTIONS = 64
BATCH = 100
PATIENCE = 10.0
CONF = """
[store]
path = "{at}/data"
[log]
access = ""
[[listeners]]
host = "127.0.0.1"
port = 0
[http]
port = 0
[accounts.shop]
password = "secret"
[connectors.up]
host = "127.0.0.1"
port = {smsc}
system_id = "gateway"
password = "secret"
window = 1000
rebind = ["100ms"]
[[routes]]
name = "all"
to = "up"
[api]
port = {port}
[api.keys.shop]
key = "secret"
accounts = ["shop"]
callback_secret = "secret"
callback_hosts = ["127.0.0.1"]
"""
WAYS = ("plain", "callback", "repeatable", "batch")


def _order(number: int, told: int | None) -> dict[str, object]:
    order: dict[str, object] = {
        "to": f"+4477{number:08}", "from": "SHOP", "text": "A text of forty octets for this user now",
        "receipt": "none" if told is None else "final",
    }  # fmt: skip
    if told is not None:
        order["callback"] = f"http://127.0.0.1:{told}/told?m={number}&d=1"
    return order


def _request(way: str, number: int, told: int) -> bytes:
    path, more, asked = "", "", b""
    if way == "batch":
        path = "/batch"
        asked = json.dumps({"messages": [_order(number * BATCH + each, None) for each in range(BATCH)]}).encode()
    else:
        asked = json.dumps(_order(number, told if way == "callback" else None)).encode()
    if way == "repeatable":
        more = f"Idempotency-Key: k{number}\r\n"
    head = (
        f"POST /v1/messages{path} HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer secret\r\n{more}"
        f"Content-Type: application/json\r\nContent-Length: {len(asked)}\r\n\r\n"
    )
    return head.encode() + asked


def _clear(at: Path) -> None:
    shutil.rmtree(at, ignore_errors=True)
    at.mkdir(parents=True)


async def run(way: str, messages: int, cores: Cores, at: Path) -> Figures:
    """One run of a fresh gateway."""
    _clear(at)
    application = Application()
    await application.start()
    async with Smsc(Options(window=1000, keep=messages + 1000)) as smsc:
        port = free_port()
        (at / "gateway.toml").write_text(CONF.format(at=at, smsc=smsc.port, port=port))
        command = [*interpreters.own().command, "serve", "--config", str(at / "gateway.toml")]
        with Program(command, cores.gateway, at / "smppgw.out") as gateway:
            gateway.listening(port)
            await smsc.wait_bound(1, 30.0)
            requests = messages // BATCH if way == "batch" else messages
            connections = min(CONNECTIONS, requests, 8 if way == "batch" else CONNECTIONS)
            load = Load(port, requests, connections, lambda number: _request(way, number, application.port))
            before, began = gateway.cpu(), time.perf_counter()
            await load.run()
            if way == "callback":
                await application.expect(messages, PATIENCE)
            else:
                await smsc.wait_for(messages, PATIENCE)
            wall, used = time.perf_counter() - began, gateway.cpu() - before
            memory = gateway.memory().peak
    application.stop()
    took = sorted(load.took)
    good = sum(count for status, count in load.answers.items() if status[9:10] == b"2")
    return {
        "requests_per_s": round(requests / (load.ended - load.began), 1),
        "messages_per_s": round(messages / wall, 1),
        "cpu_us": round(used / messages * 1e6, 1),
        "answer_p50_ms": round(1000 * took[len(took) // 2], 2),
        "answer_p99_ms": round(1000 * took[int(len(took) * 0.99)], 2),
        "rss_mb": round(memory, 1),
        "refused": requests - good,
        "lost": messages - len(smsc.destinations),
        "untold": messages - len(application.told) if way == "callback" else 0,
    }


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m benchmarks.rest", description=__doc__)
    options.add_argument("--quick", action="store_true", help="one short run of each; nothing is written")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--messages", type=int, default=20_000)
    options.add_argument("--path", type=Path, default=interpreters.ENVIRONMENTS, help="for the data: a real disk")
    chosen = options.parse_args()
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 132)
    runs, messages = (1, 4000) if chosen.quick else (chosen.runs, chosen.messages)
    cores, before = Cores.of_this_machine(), busy()
    os.sched_setaffinity(0, cores.tools)
    at = (chosen.path / "rest").absolute()
    found: dict[str, list[Figures]] = {way: [] for way in WAYS}
    try:
        for _ in range(runs):
            for way in WAYS:
                found[way].append(uvloop.run(run(way, messages, cores, at)))
    except (FailedError, ConnectionError, TimeoutError) as error:
        console.print(f"[red]{error}[/red]; the gateway's output is in {at}")
        return 2
    console.print(
        f"{machine()['python']}, {messages:,} messages, median of {runs}; other work before: {before:.1f} cores"
    )
    rows = Table(show_edge=False)
    names = list(found["plain"][0])
    for name in ("way", *names):
        rows.add_column(name, justify="left" if name == "way" else "right")
    for way in WAYS:
        middle = median(found[way])
        rows.add_row(way, *(f"{middle[name]:,.1f}" for name in names))
    console.print(rows)
    if not chosen.quick:
        file = RESULTS / f"rest-{time.strftime('%Y-%m-%d', time.gmtime())}.json"
        said = {"name": "rest", "machine": machine(), "messages": messages, "busy": before, "runs": found}
        file.write_text(json.dumps(said, indent=2) + "\n")
        console.print(f"written to {file}")
    wrong = [
        each for figures in found.values() for each in figures if each["refused"] or each["lost"] or each["untold"]
    ]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
