"""The show as it goes on: a table that moves, or plain lines where there is no terminal."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table

from smppgw.demo.programs import Gateway
from smppgw.demo.steady import Steady

_LOOK = 0.5


class Upstream(Protocol):
    """What is shown of whoever gets messages."""

    @property
    def submits(self) -> int: ...
    @property
    def state(self) -> str: ...


@dataclass(slots=True)
class Screen:
    """Entered, it shows; `run` moves it, and never returns."""

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
