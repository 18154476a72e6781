"""Run a load with its progress on the terminal."""

import asyncio
import signal
import sys
import time
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from smppgw.load import plot
from smppgw.load.generator import Load, Measured
from smppgw.load.link import BindRefusedError, status_name
from smppgw.load.plan import Plan
from smppgw.load.report import figures, table, write_json
from smppgw.reasons import why

_REFUSED = 2
"""Exit status when not one message could be sent; 1 means that something is missing."""


def run(plan: Plan, json: Path | None = None, html: Path | None = None) -> int:
    """0 when nothing was lost, and nothing is still to come."""
    console = Console(stderr=True, highlight=False)
    show = _Terminal(plan, console) if console.is_terminal else _Lines(plan)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, show:
            measured = runner.run(_run(plan, show))
    except BindRefusedError as error:
        console.print(
            f"{plan.host}:{plan.port} refused {plan.system_id!r} with {status_name(error.status)}", style="red"
        )
        return _REFUSED
    except TimeoutError:
        console.print(f"{plan.host}:{plan.port} does not answer the bind", style="red")
        return _REFUSED
    except OSError as error:
        console.print(f"{plan.host}:{plan.port}: {why(error)}", style="red", markup=False, soft_wrap=True)
        return _REFUSED
    found = figures(plan, measured)
    Console(highlight=False).print(table(found))
    if json is not None:
        write_json(json, found)
    if html is not None:
        plot.write(html, found, f"smppgw load, {plan.host}:{plan.port}")
    return 0 if found.clean else 1


async def _run(plan: Plan, show: "_Terminal | _Lines") -> Measured:
    load = Load(plan, show.progress)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, load.stop)
    return await load.run()


class _Terminal:
    """A bar, or a running clock where the end is not known."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._sent = self._bars.add_task("accepted", total=plan.count or None, words="")
        self._told = self._bars.add_task("receipts", total=plan.count or None, words="", visible=plan.receipts)
        self._rates = _Rates()

    def __enter__(self) -> None:
        self._bars.start()

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def progress(self, measured: Measured) -> None:
        accepted, told = self._rates.since(measured)
        self._bars.update(self._sent, completed=measured.answered, words=f"{accepted:>9,.0f}/s")
        self._bars.update(self._told, completed=measured.receipts, words=f"{told:>9,.0f}/s")


class _Lines:
    """A line now and then, for a log."""

    def __init__(self, plan: Plan) -> None:
        self._receipts = plan.receipts
        self._rates = _Rates()
        self._next = 0.0

    def __enter__(self) -> None:
        self._next = time.monotonic() + 1

    def __exit__(self, *_: object) -> None:
        pass

    def progress(self, measured: Measured) -> None:
        accepted, told = self._rates.since(measured)
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 5
        words = f"{measured.answered:,} answered, {accepted:,.0f}/s"
        if self._receipts:
            words += f"; {measured.receipts:,} receipts, {told:,.0f}/s"
        print(words, file=sys.stderr, flush=True)


class _Rates:
    """Of the last second."""

    def __init__(self) -> None:
        self._at, self._answered, self._told = time.monotonic(), 0, 0
        self._rates = (0.0, 0.0)

    def since(self, measured: Measured) -> tuple[float, float]:
        now = time.monotonic()
        if (passed := now - self._at) >= 1:
            self._rates = ((measured.answered - self._answered) / passed, (measured.receipts - self._told) / passed)
            self._at, self._answered, self._told = now, measured.answered, measured.receipts
        return self._rates
