"""The commands that ask a running gateway: `smppgw status`, `top` and `capture`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from smppgw.client import Client

Url = Annotated[
    str, typer.Option(envvar="SMPPGW_URL", help="Where its API is: `api` in its config. The key is in SMPPGW_KEY.")
]
HERE = "http://127.0.0.1:8080"


def status(url: Url = HERE) -> None:
    """State, rates and queues as JSON. Exit status 0: ready, 1: not ready, 2: no answer."""
    from smppgw.status import status as show

    raise typer.Exit(show(_client(url)))


def top(
    url: Url = HERE,
    interval: Annotated[float, typer.Option(min=0.2, max=60, help="Seconds between two looks.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Print one frame, and end.")] = False,
) -> None:
    """The gateway live at a terminal; q ends it. Where there is no terminal, one frame."""
    from rich.console import Console

    from smppgw import top as screen

    client, console = _client(url), Console(highlight=False)
    once = once or not console.is_terminal
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 100
    raise typer.Exit(screen.once(client, console) if once else screen.live(client, console, interval))


def capture(
    output: Annotated[Path, typer.Option("--output", "-o", help='A file for Wireshark; "-": standard output.')],
    url: Url = HERE,
    account: Annotated[str, typer.Option(help="Links of this account.")] = "",
    connector: Annotated[str, typer.Option(help="Or binds of this connector.")] = "",
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="How long.")] = 60.0,
    bodies: Annotated[bool, typer.Option("--bodies", help="With texts; the key must have the role operate.")] = False,
    passwords: Annotated[bool, typer.Option("--passwords", help="With those of binds; likewise.")] = False,
) -> None:
    """Record what passes on SMPP links, texts and passwords taken out, as a pcap file."""
    from smppgw.capture import capture as record

    if bool(account) is bool(connector):
        raise typer.BadParameter("give one of them", param_hint="--account or --connector")
    query = {"account": account, "connector": connector, "seconds": seconds, "bodies": bodies, "passwords": passwords}
    raise typer.Exit(record(_client(url), query, output))


def _client(url: str) -> "Client":
    from smppgw.client import Client

    try:
        return Client(url, os.environ.get("SMPPGW_KEY", ""))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--url") from None
