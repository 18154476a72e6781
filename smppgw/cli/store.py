"""The commands that look into the data directory: `smppgw store`."""

import json as json_
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from smppgw.cli.common import fail

T = TypeVar("T")
Data = Annotated[
    Path, typer.Option("--path", "--data", "-p", help="The data directory: `path` of the store in the config.")
]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]

app = typer.Typer(help="Look into the data directory, also while the gateway runs.", no_args_is_help=True)


@app.command()
def check(path: Data = Path("data"), json: Json = False) -> None:
    """Decode every record. Exit status 1 when one is broken."""
    from smppgw import show
    from smppgw.store import tool

    found = _store(tool.check, path)
    if json:
        print(json_.dumps(asdict(found)))
    else:
        show.report(show.terminal(), found)
    raise typer.Exit(1 if found.broken else 0)


@app.command()
def stats(path: Data = Path("data"), json: Json = False) -> None:
    """How many messages of which account are where, and how old."""
    from smppgw import show
    from smppgw.store import tool

    found = _store(tool.stats, path)
    if json:
        print(json_.dumps(asdict(found)))
    else:
        show.stats(show.terminal(), found)


@app.command("list")
def list_(
    path: Data = Path("data"),
    kind: Annotated[str | None, typer.Option(help="queued, waiting, delivery or set_aside.")] = None,
    account: Annotated[str | None, typer.Option(help="Of this account only.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 100,
    json: Annotated[bool, typer.Option("--json", help="A line of JSON for each.")] = False,
) -> None:
    """The oldest records first, without their texts."""
    from smppgw import show
    from smppgw.store import tool

    found = _store(lambda where: list(tool.entries(where, kind, account, limit)), path)
    if json:
        for entry in found:
            print(json_.dumps(asdict(entry)))
    else:
        show.entries(show.terminal(), found)


def _store(what: Callable[[Path], T], path: Path) -> T:
    from smppgw.store.contract import StoreError

    try:
        return what(path)
    except StoreError as error:
        fail(str(error))
