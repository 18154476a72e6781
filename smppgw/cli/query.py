"""The commands that ask others than the gateway: `smppgw carrier` an API, and `trace` the history."""

import json as json_
import sys
from pathlib import Path
from typing import Annotated

import typer

from smppgw.cli.common import ConfigFile, fail, refuse


def carrier(
    connector: Annotated[str, typer.Argument(help="An HTTPS carrier of the config.")],
    operation: Annotated[str, typer.Argument(show_default=False, help="Without it they are listed.")] = "",
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="What it needs.")] = None,
    config: ConfigFile = Path("smppgw.toml"),
) -> None:
    """Ask an HTTPS carrier something, straight at its API: statuses, lists, capabilities; the reply is JSON."""
    from smppgw.carriers import console
    from smppgw.config import ConfigError, load
    from smppgw.log import configure

    try:
        settings = load(config)
    except ConfigError as error:
        refuse(config, error)
    configure("warning", "console")
    try:
        carrier = console.connector(settings, connector)
        if operation:
            print(console.ask(carrier, operation, arguments or ()))
        else:
            print(*console.listing(carrier), sep="\n")
    except ValueError as error:  # values.Wrong among them
        fail(str(error))
    except console.Failed as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None


def trace(
    what: Annotated[str, typer.Argument(help="Our message id, an upstream's, or a number.", metavar="ID|NUMBER")],
    config: ConfigFile = Path("smppgw.toml"),
    account: Annotated[str, typer.Option(help="Of this account only.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Messages at most, the newest first.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="A line of JSON for each message.")] = False,
) -> None:
    """What happened to a message, by the history; the gateway need not run."""
    from smppgw.config import ConfigError, load
    from smppgw.history.engines import HistoryError
    from smppgw.history.trace import trace as look

    try:
        found = look(load(config).history, what, account, limit)
    except ConfigError as error:
        refuse(config, error)
    except HistoryError as error:
        fail(str(error))
    if not found:
        fail(f"history knows no message of {what}")
    for number, message in enumerate(found):
        if json:
            print(json_.dumps(message.shown()))
        else:
            print(*([""] if number else []), *message.lines(), sep="\n")
