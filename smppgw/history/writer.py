"""The process that writes history: batches come on its standard input, and it ends when that is closed."""

import json
import marshal
import os
import signal
import sys
import time
from typing import BinaryIO

from smppgw.history.database import Database
from smppgw.history.engines import HistoryError, open_database
from smppgw.history.recorder import SIZE

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
    source = sys.stdin.buffer
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
    while (batch := _frame(source)) is not None:
        if not _write(database, batch):
            return 1
        if time.monotonic() - pruned > PRUNE and settings["days"]:
            pruned = time.monotonic()
            database.prune(time.time() - settings["days"] * 86400.0)
    database.close()
    return 0


def _write(database: Database, batch: bytes) -> bool:
    notes = marshal.loads(batch)  # noqa: S302  from our own parent, by a pipe
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
    head = source.read(SIZE.size)
    if len(head) < SIZE.size:
        return None
    octets = source.read(SIZE.unpack(head)[0])
    return octets if len(octets) == SIZE.unpack(head)[0] else None


if __name__ == "__main__":
    sys.exit(main())
