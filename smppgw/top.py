"""`smppgw top`: the gateway at a terminal, live: rates, latencies, queues, links, connectors, groups."""

import contextlib
import select
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from smppgw.client import ApiError, Client

ROWS = 12
"""Of one table, at most."""

NARROWEST = 80

View = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """All that one frame shows."""

    overview: View
    accounts: list[View]
    connectors: list[View]
    groups: list[View]


def look(client: Client) -> Look:
    """Raises ApiError."""
    return Look(*(client.get(f"/v1/admin/{name}") for name in ("overview", "accounts", "connectors", "groups")))


def once(client: Client, console: Console) -> int:
    """One frame; the exit status."""
    try:
        console.print(frame(look(client)))
    except ApiError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def live(client: Client, console: Console, interval: float) -> int:
    """Until q or Ctrl-C; a gateway that does not answer is waited for."""
    shown: RenderableType = Text("...")
    with (
        contextlib.suppress(KeyboardInterrupt),
        _keys(),
        Live(console=console, screen=True, auto_refresh=False) as screen,
    ):
        while True:
            try:
                shown = frame(look(client))
                screen.update(shown, refresh=True)
            except ApiError as error:
                screen.update(Group(Text(str(error), style="bold red"), shown), refresh=True)
            if _pressed(interval) in {"q", "Q", "\x1b"}:
                break
    return 0


def frame(seen: Look) -> RenderableType:
    """What is worst comes first in each table."""
    parts: list[RenderableType] = [_head(seen.overview), _rates(seen.overview), Text()]
    for table in (_groups(seen), _connectors(seen.connectors), _queues(seen.overview), _accounts(seen.accounts)):
        if table is not None:
            parts += [table, Text()]
    return Group(*parts[:-1])


def _head(overview: View) -> Text:
    words = Text()
    words.append(f"{overview['name']} {overview['version']}  ", style="bold")
    if overview["ready"]:
        words.append("ready", style="green")
    else:
        words.append("not ready: " + "; ".join(overview["reasons"]), style="bold red")
    words.append(f"  up {_age(overview['uptime_seconds'])}  links {overview['bound']}/{overview['links']}")
    aside = overview["set_aside"]
    words.append(f"  set aside {aside:,}", style="bold yellow" if aside else "")
    history = overview["history"]
    if history is not None and (not history["up"] or history["dropped"]):
        words.append(f"  history {'up' if history['up'] else 'down'}, dropped {history['dropped']:,}", style="red")
    return words


def _rates(overview: View) -> Table:
    rows = _table("", "1 s", "5 s", "60 s", "", "p50", "p95", "p99", "", "now")
    latency = [(name, overview["latency"].get(name, {})) for name in ("submit", "upstream", "commit")]
    depths = [("queued", "queued"), ("awaiting", "awaiting_receipt"), ("to give", "deliveries"), ("delayed", "delayed")]
    names = ("accepted", "refused", "sent", "receipts", "delivered", "mo")
    for n, name in enumerate(names):
        rates = overview["rates"].get(name, {})
        cells = [name, *(_rate(rates.get(span, 0.0)) for span in ("1s", "5s", "60s"))]
        if n < len(latency):
            cells += [f"  {latency[n][0]}", *(_ms(latency[n][1].get(key, 0.0)) for key in ("p50", "p95", "p99"))]
        else:
            cells += [""] * 4
        cells += [f"  {depths[n][0]}", f"{overview[depths[n][1]]:,}"] if n < len(depths) else ["", ""]
        rows.add_row(*cells)
    return rows


def _groups(seen: Look) -> Table | None:
    if not seen.groups:
        return None
    rows = _table("group", "state", "waiting", "oldest", "members")
    for group in sorted(seen.groups, key=lambda each: (each["state"] == "active", each["name"]))[:ROWS]:
        style = "green" if group["state"] == "active" else "yellow" if group["up"] else "bold red"
        members = Text(overflow="ellipsis", no_wrap=True)
        for member in group["members"]:
            name = member["connector"] if member["role"] == "active" else f"({member['connector']})"
            members.append(name + " ", style="green" if member["up"] else "dim")
        rows.add_row(
            escape(group["name"]), Text(group["state"], style), f"{group['waiting']:,}", _age(group["oldest_seconds"]),
            members,
        )  # fmt: skip
    _rest(rows, seen.groups)
    return rows


def _connectors(connectors: list[View]) -> Table | None:
    if not connectors:
        return None
    rows = _table("connector", "state", "binds", "window", "sent/s", "rcpt/s", "p99", "last error")
    worst = sorted(connectors, key=lambda each: (not each["alert"], each["up"] or not each["wanted"], each["name"]))
    for each in worst[:ROWS]:
        state, style = _state(each)
        binds = sum(bind["since"] is not None for bind in each["binds"])
        of_all = f"{binds}/{each['binds_wanted']}" if each["binds_wanted"] else "-"
        rows.add_row(
            escape(each["name"]), Text(state, style), of_all,
            f"{each['window_used']}/{each['window']}", _rate(each["rates"]["sent"]), _rate(each["rates"]["receipts"]),
            _ms(each["latency"]["p99"]), Text(each["last_error"], "red", overflow="ellipsis", no_wrap=True),
        )  # fmt: skip
    _rest(rows, connectors)
    return rows


def _state(connector: View) -> tuple[str, str]:
    if connector["alert"]:
        return "alert", "bold red"
    if connector["held"]:
        return {"drain": "drained", "stop": "stopped"}[connector["held"]], "yellow"
    if connector["up"]:
        return ("paused", "yellow") if connector["paused"] else ("up", "green")
    return ("down", "bold red") if connector["wanted"] else ("idle", "dim")


def _queues(overview: View) -> Table | None:
    waiting = [each for each in overview["queues"] if each["waiting"] and each["kind"] == "connector"]
    if not waiting:
        return None
    rows = _table("queue", "waiting", "oldest")
    for each in sorted(waiting, key=lambda each: -each["oldest_seconds"])[:ROWS]:
        rows.add_row(escape(each["target"]), f"{each['waiting']:,}", _age(each["oldest_seconds"]))
    _rest(rows, waiting)
    return rows


def _accounts(accounts: list[View]) -> Table | None:
    if not accounts:
        return None
    rows = _table("account", "binds", "window", "in/s", "refused/s", "given/s", "queued", "outbox", "oldest")
    busiest = sorted(
        accounts, key=lambda each: (-each["outbox_oldest_seconds"], -each["rates"]["accepted"], each["name"])
    )
    for each in busiest[:ROWS]:
        rates = each["rates"]
        outbox = each["outbox_waiting"] + each["outbox_delayed"] + each["outbox_under_way"]
        rows.add_row(
            escape(each["name"]), str(len(each["binds"])), f"{each['window_used']}/{each['window']}",
            _rate(rates["accepted"]), _rate(rates["refused"]), _rate(rates["delivered"]), f"{each['queued']:,}",
            f"{outbox:,}", _age(each["outbox_oldest_seconds"]),
        )  # fmt: skip
    _rest(rows, accounts)
    return rows


def _rest(rows: Table, all_: list[View]) -> None:
    if len(all_) > ROWS:
        rows.add_row(Text(f"and {len(all_) - ROWS} more", style="dim"))


def _table(*names: str) -> Table:
    rows = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    words = {"", "group", "connector", "account", "queue", "state", "members", "last error"}
    for name in names:
        long = name in {"members", "last error"}  # what gives way when there is no room
        rows.add_column(name, justify="left" if name in words else "right", no_wrap=not long, overflow="ellipsis")
    return rows


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _ms(value: float) -> str:
    return "-" if not value else f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def _age(seconds: float) -> str:
    if seconds < 0.1:
        return "-"
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


@contextlib.contextmanager
def _keys() -> Iterator[None]:
    """Keys come one by one, where there is a keyboard."""
    if not sys.stdin.isatty():
        yield
        return
    import termios  # noqa: PLC0415  not everywhere
    import tty  # noqa: PLC0415

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _pressed(seconds: float) -> str:
    """A key, or nothing within that time."""
    if not sys.stdin.isatty():
        time.sleep(seconds)
        return ""
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return sys.stdin.read(1) if ready else ""
