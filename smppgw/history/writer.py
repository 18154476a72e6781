"""The process that writes history: batches come on its standard input, and it ends when that is closed."""

import json
import marshal
import os
import select
import signal
import sys
import time
from typing import BinaryIO

from smppgw.history.database import Database
from smppgw.history.engines import HistoryError, open_database
from smppgw.history.events import Note
from smppgw.history.recorder import SIZE

MOST = 2000
"""Notes from which on no more are taken for one transaction."""

NICE = 10
"""How far it stands back where it shares a core with the gateway: a tenth of it then, all of it on another."""

PRUNE = 3600.0
"""Seconds between looks at what is too old."""

AGAIN = (0.2, 1.0, 5.0)
"""Waits before a batch that was refused is written again; then the process ends, and is started anew."""


def main() -> int:
    """The exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the end of the input is the end
    os.nice(NICE)
    source = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115  what a buffer holds cannot be waited for
    said = _frame(source)
    if said is None:
        return 0
    settings = json.loads(said)
    try:
        database = open_database(settings["engine"], settings["path"], settings["url"], writing=True)
    except HistoryError as error:
        print(error, file=sys.stderr)  # the gateway logs it as the reason
        return 1
    pruned = 0.0
    while notes := _notes(source):
        if not _write(database, notes):
            return 1
        if time.monotonic() - pruned > PRUNE and settings["days"]:
            pruned = time.monotonic()
            database.prune(time.time() - settings["days"] * 86400.0)
    database.close()
    return 0


def _notes(source: BinaryIO) -> list[Note]:
    """The next batch, with those that came while the last one was written; empty at the end."""
    notes: list[Note] = []
    while (batch := _frame(source)) is not None:
        notes += marshal.loads(batch)  # noqa: S302  from our own parent, by a pipe
        if len(notes) >= MOST or not select.select([source], [], [], 0.0)[0]:
            break
    return notes


def _write(database: Database, notes: list[Note]) -> bool:
    for wait in (*AGAIN, None):
        try:
            database.write(notes)
        except Exception as error:  # whatever the engine raises: history must not end for one refused batch
            if wait is None:
                print(f"cannot write to the history: {' '.join(str(error).split())}", file=sys.stderr)
                return False
            time.sleep(wait)
        else:
            return True
    return False


def _frame(source: BinaryIO) -> bytes | None:
    head = _octets(source, SIZE.size)
    return None if head is None else _octets(source, SIZE.unpack(head)[0])


def _octets(source: BinaryIO, count: int) -> bytes | None:
    found = bytearray()
    while len(found) < count:
        octets = source.read(count - len(found))
        if not octets:
            return None
        found += octets
    return bytes(found)


if __name__ == "__main__":
    sys.exit(main())
