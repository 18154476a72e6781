"""The command line. What a command needs is imported when it runs, so that --help is quick."""

from collections.abc import Callable
from typing import Annotated

import typer

from smppgw import __version__
from smppgw.cli import api, gateway, kannel, query, simulate, store, tools

COMMANDS: tuple[Callable[..., None], ...] = (
    *(api.status, api.top, api.capture),
    *(gateway.serve, gateway.check, gateway.console, gateway.hash_password),
    *(kannel.import_kannel, kannel.import_dlr),
    *(tools.send, tools.load),
    *(query.carrier, query.trace),
    tools.demo,
)
"""In the order of --help."""

app = typer.Typer(
    name="smppgw",
    help="A store-and-forward SMPP 3.4 gateway that never forgets an acknowledged message.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # passwords may be among them
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(simulate.app, name="simulate")
app.add_typer(store.app, name="store")


def main() -> None:
    """The `smppgw` command."""
    app()


def _version(wanted: bool) -> None:
    if wanted:
        print(f"smppgw {__version__}")
        raise typer.Exit


@app.callback()
def smppgw(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass
