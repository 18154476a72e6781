"""What the load came to, counted from both ends."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table

from smppgw.demo.screen import Upstream
from smppgw.demo.steady import Steady


@dataclass(frozen=True, slots=True)
class Tally:
    """How it ended."""

    sent: int
    acknowledged: int
    refused: int
    unanswered: int
    """Not acknowledged when the gateway was killed: an ESME would send them again."""
    arrived: dict[str, int]
    """Submits by upstream."""
    duplicates: int
    """Messages that went upstream twice: they were in doubt when a link or the gateway broke."""
    receipts: int
    receipt_duplicates: int
    lost: int
    """Acknowledged, but never upstream or without a receipt."""
    lost_upstream: int
    lost_receipts: int


def tally(esme: Steady, arrived: Mapping[str, frozenset[bytes]], upstreams: Mapping[str, Upstream]) -> Tally:
    """Count, from both ends."""
    everywhere = frozenset().union(*arrived.values())
    submits = {name: upstreams[name].submits for name in arrived}
    never = {number for number, destination in esme.promised.items() if destination not in everywhere}
    silent = esme.promised.keys() - esme.receipts.keys()
    return Tally(
        sent=esme.sent,
        acknowledged=esme.acknowledged,
        refused=esme.refused.total(),
        unanswered=esme.unanswered,
        arrived=submits,
        duplicates=sum(submits.values()) - len(everywhere),
        receipts=len(esme.promised.keys() & esme.receipts.keys()),
        receipt_duplicates=sum(count - 1 for count in esme.receipts.values()),
        lost=len(never | silent),
        lost_upstream=len(never),
        lost_receipts=len(silent),
    )


def table(found: Tally) -> Table:
    """The end of the show."""
    rows = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    rows.add_column(justify="right")
    rows.add_column()
    rows.add_row(f"{found.sent:,}", "sent by the ESME")
    rows.add_row(f"{found.acknowledged:,}", "acknowledged by the gateway")
    if found.unanswered:
        rows.add_row(f"{found.unanswered:,}", "unanswered when it was killed: never promised")
    if found.refused:
        rows.add_row(f"{found.refused:,}", "refused")
    for name, count in found.arrived.items():
        rows.add_row(f"{count:,}", f"submits to {name}")
    rows.add_row(f"{found.receipts:,}", "receipts back at the ESME")
    rows.add_row(f"{found.duplicates:,}", "sent upstream twice, for they were in doubt")
    rows.add_row(f"{found.receipt_duplicates:,}", "receipts twice")
    style = "bold green" if found.lost == 0 else "bold red"
    rows.add_row(f"[{style}]{found.lost:,}", f"[{style}]lost")
    if found.lost:
        rows.add_row(f"{found.lost_upstream:,}", "of them never upstream")
        rows.add_row(f"{found.lost_receipts:,}", "of them without a receipt")
    return rows
