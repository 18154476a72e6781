"""What the commands show of configs and stores."""

from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from smppgw.config import Config, Problem
from smppgw.store.tool import Entry, Report, Stats

_FILE_WIDTH = 240


def terminal(*, stderr: bool = False) -> Console:
    """Where tables are shown; a file gets long lines instead of folded ones."""
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    return console


def problems(console: Console, title: str, found: Iterable[Problem], style: str = "red") -> None:
    """Where, what and what to do about it."""
    rows = Table(title=title, title_justify="left", title_style=style, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    rows.add_column("where", style="bold", overflow="fold")
    rows.add_column("what is wrong", overflow="fold")
    rows.add_column("what to do", overflow="fold")
    for problem in found:
        rows.add_row(escape(problem.path), escape(problem.wrong), escape(problem.fix))
    console.print(rows)


def config(console: Console, settings: Config) -> None:
    """One line of what it holds."""
    kinds = ("listeners", "accounts", "connectors", "groups", "routes")
    counts = ", ".join(_count(len(getattr(settings, kind)), kind) for kind in kinds)
    console.print(f"the config is good: {counts}", style="green")


def _count(number: int, kind: str) -> str:
    return f"{number} {kind if number != 1 else kind[:-1]}"


def report(console: Console, found: Report) -> None:
    """Of `store check`."""
    words = ", ".join(f"{count:,} {kind}" for kind, count in sorted(found.kinds.items())) or "nothing in it"
    console.print(f"{found.records:,} record{'s' if found.records != 1 else ''}, {found.octets:,} octets: {words}")
    if not found.broken:
        console.print("every record can be read", style="green")
        return
    console.print(f"{found.broken:,} records cannot be read", style="red")
    for key, wrong in found.reasons:
        console.print(f"{key}  {wrong}", markup=False)


def stats(console: Console, found: Stats) -> None:
    """Of `store stats`."""
    kinds = sorted(found.kinds)
    rows = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    rows.add_column("account")
    for kind in kinds:
        rows.add_column(kind, justify="right")
    for account, counts in found.accounts.items():
        rows.add_row(escape(account), *(f"{counts.get(kind, 0):,}" for kind in kinds))
    rows.add_row("all", *(f"{found.kinds[kind]:,}" for kind in kinds))
    rows.add_row("oldest", *(_time(found.oldest[kind]) for kind in kinds))
    console.print(rows if kinds else "no records")
    if found.unreadable:
        console.print(f"{found.unreadable:,} records cannot be read: see `smppgw store check`", style="red")
    page = found.page_size
    console.print(
        f"{_size(found.file_size)} on disk ({_size(found.used_pages * page)} in use, "
        f"{_size(found.free_pages * page)} free inside), at most {_size(found.max_file_size)} with its reserve"
    )


def entries(console: Console, found: Iterable[Entry]) -> None:
    """Of `store list`."""
    rows = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("id", "since", "kind", "account"):
        rows.add_column(name, no_wrap=True)
    rows.add_column("octets", justify="right")
    rows.add_column("notes", overflow="fold")
    for entry in found:
        notes = " ".join(_note(name, value) for name, value in entry.notes.items() if value not in {0.0, ""})
        words = (entry.id, _time(entry.minted), entry.kind, escape(entry.account), str(entry.octets), escape(notes))
        rows.add_row(*words)
    console.print(rows)


def _note(name: str, value: str | float) -> str:
    return f"{name}={_time(value).replace(' ', 'T') if isinstance(value, float) else value}"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _size(octets: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if octets < 1024:
            return f"{octets:.0f} {unit}" if unit == "B" else f"{octets:.1f} {unit}"
        octets /= 1024
    return f"{octets:.1f} GiB"
