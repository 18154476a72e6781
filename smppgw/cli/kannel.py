"""The commands of who comes from Kannel: `smppgw import-kannel` and `import-dlr`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from smppgw.cli.common import fail, refuse


def import_kannel(
    files: Annotated[list[Path], typer.Argument(help="kannel.conf, and opensmppbox.conf where there is one.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the TOML here.")] = None,
) -> None:
    """Write the config that does what a Kannel set-up does; what has no equivalent is listed on standard error."""
    from smppgw.kannel.conf import ConfError, load
    from smppgw.kannel.importer import convert

    try:
        found = convert(load(*files))
    except ConfError as error:
        refuse(files[0], error)
    for problem in found.lost:
        print(problem, file=sys.stderr)
    text = f"# Imported from {', '.join(map(str, files))}; conf/smppgw.toml shows every key.\n\n{found.text}"
    if output is None:
        print(text, end="")
        return
    try:
        output.touch(mode=0o600)  # there are passwords in it
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}")


def import_dlr(
    files: Annotated[list[Path], typer.Argument(help="kannel.conf, with its dlr-db and connection.")],
    data: Annotated[Path, typer.Option(envvar="SMPPGW_DATA", help="The directory that messages are kept in.")] = Path(
        "data"
    ),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be taken, and write nothing.")] = False,
) -> None:
    """Take over what a stopped Kannel waits for: receipts of messages that it sent are told to their dlr-url by us.

    The gateway must be stopped, too. Done twice, nothing is there twice."""
    from smppgw.kannel import dlr_import
    from smppgw.kannel.conf import ConfError
    from smppgw.kannel.dlr_storage import DlrStorageError
    from smppgw.store.contract import StoreError

    try:
        outcome = dlr_import.run(files, data, dry=dry_run)
    except ConfError as error:
        refuse(files[0], error)
    except (DlrStorageError, StoreError) as error:
        fail(str(error))
    for reason, count in sorted(outcome.left.items()):
        print(f"{count} left out: {reason}", file=sys.stderr)
    print(f"{outcome.found} found, {outcome.known} known, {outcome.taken} {'to take' if dry_run else 'taken'}")
