"""What a run of load amounts to, in figures."""

import json
from array import array
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import log10
from pathlib import Path

from rich.table import Table

from smppgw.load.generator import NONE, Measured
from smppgw.load.link import status_name
from smppgw.load.plan import Plan

_BARS = 48
_BINS = 60
"""Points of a curve, about."""
_WIDTHS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600)


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds."""

    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    max: float = 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Named as in the JSON file."""

    submitted: int
    answered: int
    accepted: int
    unanswered: int
    statuses: dict[str, int]
    submit_s: float
    """From the first submit to the last response."""
    accepted_per_s: float
    response_ms: Latency
    receipts: int
    """Accepted messages with a final receipt."""
    lost: int
    """Accepted messages without one that were waited for and are not under way; and without `reconnect` what was never
    answered."""
    to_come: int
    """Accepted messages without one that may still get it."""
    duplicated: int
    unknown: int
    """Receipts for ids that no response named."""
    mismatched: int
    """Receipts from another number than the message with their id went to."""
    early: int
    intermediate: int
    receipt_s: float
    receipts_per_s: float
    receipt_ms: Latency
    mo: int
    generic_nacks: int
    disconnects: int
    cpu_s: float
    """Of the load tool itself."""
    ended: str
    links: int
    window: int
    rate: float
    curve: list[tuple[float, float, float]]
    """Seconds since the start, submits answered and receipts taken a second."""
    response_histogram: list[tuple[float, float, int]]
    """From and to, in milliseconds, and how many."""
    receipt_histogram: list[tuple[float, float, int]]

    @property
    def clean(self) -> bool:
        """Nothing was lost, and nothing is still to come."""
        return self.lost == self.to_come == 0

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=2)


def figures(plan: Plan, measured: Measured) -> Figures:
    sent = measured.sent
    unanswered = len(sent) - measured.answered
    missing = measured.accepted - measured.receipts - measured.to_come if plan.receipts else 0
    first = sent[0] if sent else 0.0
    answered_at = _times(sent, measured.answer)
    told_at = _times(sent, measured.receipt)
    submit_s = max(answered_at, default=first) - first
    receipt_s = max(told_at, default=first) - first
    statuses = sorted(measured.statuses.items())
    return Figures(
        submitted=len(sent),
        answered=measured.answered,
        accepted=measured.accepted,
        unanswered=unanswered,
        statuses={status_name(status): count for status, count in statuses},
        submit_s=round(submit_s, 3),
        accepted_per_s=round(measured.accepted / submit_s, 1) if submit_s > 0 else 0.0,
        response_ms=latency(measured.answer),
        receipts=measured.receipts,
        lost=missing + (0 if plan.reconnect or measured.stopped else unanswered),
        to_come=measured.to_come,
        duplicated=measured.duplicates,
        unknown=measured.unknown,
        mismatched=measured.mismatched,
        early=measured.early,
        intermediate=measured.intermediate,
        receipt_s=round(receipt_s, 3),
        receipts_per_s=round(measured.receipts / receipt_s, 1) if receipt_s > 0 else 0.0,
        receipt_ms=latency(measured.receipt),
        mo=measured.mo,
        generic_nacks=measured.nacks,
        disconnects=measured.disconnects,
        cpu_s=round(measured.cpu, 3),
        ended=measured.ended,
        links=plan.binds * (2 if plan.bind == "tx+rx" else 1),
        window=plan.window,
        rate=plan.rate,
        curve=list(curve(answered_at, told_at)),
        response_histogram=histogram(measured.answer),
        receipt_histogram=histogram(measured.receipt),
    )


def latency(seconds: "array[float]") -> Latency:
    """Of those that there are."""
    known = sorted(value for value in seconds if value != NONE)
    if not known:
        return Latency()
    p50, p95, p99 = (known[int(share * len(known))] for share in (0.5, 0.95, 0.99))
    return Latency(*(round(value * 1000, 3) for value in (p50, p95, p99, known[-1])))


def curve(answered_at: "array[float]", told_at: "array[float]") -> Iterator[tuple[float, float, float]]:
    """Rates over time, in steps that make a readable picture."""
    end = max(max(answered_at, default=0.0), max(told_at, default=0.0))
    width = next((width for width in _WIDTHS if end / width <= _BINS), _WIDTHS[-1])
    count = int(end / width) + 1
    bins = [[0] * count, [0] * count]
    for which, times in enumerate((answered_at, told_at)):
        into = bins[which]
        for at in times:
            into[int(at / width)] += 1
    for n in range(count):
        yield round(n * width, 1), bins[0][n] / width, bins[1][n] / width


def histogram(seconds: "array[float]") -> list[tuple[float, float, int]]:
    """Bins of equal width on a logarithmic scale, from the fastest to the slowest."""
    known = [max(value, 1e-6) for value in seconds if value != NONE]
    if not known:
        return []
    low, high = log10(min(known)), log10(max(known))
    width = max((high - low) / _BARS, 1e-9)
    counts = [0] * _BARS
    for value in known:
        counts[min(int((log10(value) - low) / width), _BARS - 1)] += 1
    edges = [10 ** (low + n * width) * 1000 for n in range(_BARS + 1)]
    return [(round(edges[n], 4), round(edges[n + 1], 4), count) for n, count in enumerate(counts)]


def _times(sent: "array[float]", after: "array[float]") -> "array[float]":
    return array("d", [at + more for at, more in zip(sent, after, strict=True) if more != NONE])


def table(found: Figures) -> Table:
    """For the terminal."""
    rows = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    rows.add_column(justify="right")
    rows.add_column()
    rows.add_row("submitted", f"{found.submitted:,}")
    rows.add_row("accepted", f"{found.accepted:,} in {found.submit_s:.2f} s, {found.accepted_per_s:,.0f}/s")
    if found.unanswered:
        rows.add_row("[red]unanswered", f"[red]{found.unanswered:,}")
    for name, count in found.statuses.items():
        if name != "ROK":
            rows.add_row(f"[yellow]{name}", f"[yellow]{count:,}")
    rows.add_row("response", _words(found.response_ms))
    if found.receipts or found.lost or found.to_come or found.unknown:
        rows.add_row("receipts", f"{found.receipts:,} in {found.receipt_s:.2f} s, {found.receipts_per_s:,.0f}/s")
        rows.add_row("receipt", _words(found.receipt_ms))
    rows.add_row("lost", f"[{'red' if found.lost else 'green'}]{found.lost:,}")
    if found.to_come:
        rows.add_row("[yellow]still to come", f"[yellow]{found.to_come:,}")
    rows.add_row("duplicated", f"{found.duplicated:,}")
    rows.add_row("unknown", f"{found.unknown:,}")
    if found.mismatched:
        rows.add_row("[red]mismatched", f"[red]{found.mismatched:,}")
    for name, count in (("early", found.early), ("intermediate", found.intermediate), ("MO", found.mo)):
        if count:
            rows.add_row(name, f"{count:,}")
    if found.disconnects:
        rows.add_row("disconnects", f"{found.disconnects:,}")
    if found.ended:
        rows.add_row("[yellow]ended", f"[yellow]{found.ended}")
    return rows


def _words(found: Latency) -> str:
    return f"p50 {found.p50:,.1f} ms, p95 {found.p95:,.1f}, p99 {found.p99:,.1f}, max {found.max:,.1f}"


def write_json(path: Path, found: Figures) -> None:
    path.write_text(found.as_json() + "\n", encoding="utf-8")
