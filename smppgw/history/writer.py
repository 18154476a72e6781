"""The process that writes history: batches come on its standard input, and it ends when that is closed."""

import contextlib
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

EVERY = 0.5
"""Seconds between two commits while notes come. The pages that many notes change are written once in that time; with a
commit for each batch they are written and flushed so often that the gateway's own commits wait for the disk."""

MOST = 20_000
"""Notes of one transaction: they are kept until its end."""

NICE = 10
"""How far it stands back where it shares a core with the gateway: a tenth of it then, all of it on another."""

TURN = 16
"""Notes between two chances for whoever waits for the core: a scheduler that gives slices of milliseconds would let the
gateway wait for them."""

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
    try:
        _serve(source, Transaction(database), settings["days"])
    except RefusedError as error:
        print(error, file=sys.stderr)
        return 1
    database.close()
    return 0


class RefusedError(Exception):
    """The database did not take it, however often it was tried: a sentence with its reason."""


class Transaction:
    """What was noted since the last commit."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._notes: list[Note] = []
        self._committed = float("-inf")

    @property
    def left(self) -> float | None:
        """Seconds until its commit is due; None: nothing was noted."""
        if not self._notes:
            return None
        return 0.0 if len(self._notes) >= MOST else max(0.0, self._committed + EVERY - time.monotonic())

    def add(self, notes: list[Note]) -> None:
        """Raises RefusedError."""
        self._notes += notes
        try:
            for start in range(0, len(notes), TURN):
                self.database.add(notes[start : start + TURN])
                os.sched_yield()
        except Exception as error:  # whatever the engine raises
            self._again(error)

    def commit(self) -> None:
        """Raises RefusedError."""
        try:
            self.database.commit()
        except Exception as error:  # as above
            self._again(error)
        self._done()

    def prune(self, before: float) -> None:
        """What is older (epoch seconds) goes; a database that refuses that keeps it until the next time."""
        try:
            self.database.prune(before)
        except Exception as error:  # as above
            print(f"cannot prune the history: {_words(error)}", file=sys.stderr)
            with contextlib.suppress(Exception):  # what is wrong with it, the next batch will meet
                self.database.rollback()

    def _again(self, error: Exception) -> None:
        """All of it anew: history must not end for one refusal."""
        for wait in AGAIN:
            try:
                self.database.rollback()
                time.sleep(wait)
                self.database.write(self._notes)
            except Exception as another:  # as above
                error = another
            else:
                self._done()
                return
        raise RefusedError(f"cannot write to the history: {_words(error)}") from error

    def _done(self) -> None:
        self._notes = []
        self._committed = time.monotonic()


def _serve(source: BinaryIO, transaction: Transaction, days: float) -> None:
    """Until the input ends."""
    pruned = 0.0
    while True:
        if _comes(source, transaction.left):
            octets = _frame(source)
            if octets is None:
                break
            transaction.add(marshal.loads(octets))  # noqa: S302  from our own parent, by a pipe
        if transaction.left == 0.0:
            transaction.commit()
            if days and time.monotonic() - pruned > PRUNE:
                pruned = time.monotonic()
                transaction.prune(time.time() - days * 86400.0)
    transaction.commit()


def _words(error: Exception) -> str:
    return " ".join(str(error).split())


def _comes(source: BinaryIO, wait: float | None) -> bool:
    """There is something to read within so many seconds, or the input ended."""
    return bool(select.select([source], [], [], wait)[0])


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
