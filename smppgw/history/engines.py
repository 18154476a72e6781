"""Open the database of history: SQLite in a file, or PostgreSQL by its url."""

import sqlite3
from pathlib import Path

from smppgw.history.database import Database, Found, Query
from smppgw.reasons import why
from smppgw.settings import HistoryConfig

CACHE = 1 << 16
"""KiB that SQLite may keep of a transaction: of more, a page that changes again is written twice."""

CHECKPOINT = 4000
"""Pages of 4 KiB that SQLite's log may have before they go to where they belong: that is flushed, and commits of the
gateway on the same disk wait for it."""


class HistoryError(Exception):
    """The database cannot be had: a sentence that says what, where and what to do."""


def open_database(engine: str, path: str, url: str, *, writing: bool) -> Database:
    """Raises HistoryError. Reading never makes a file."""
    if engine == "postgres":
        return _postgres(url, writing=writing)
    return _sqlite(path, writing=writing)


def find(settings: HistoryConfig, *queries: Query) -> list[Found]:
    """What each of them finds, one after the other. Raises HistoryError."""
    database = open_database(settings.engine, settings.path, settings.url.get_secret_value(), writing=False)
    try:
        return [found for query in queries for found in database.find(query)]
    except Exception as error:  # whatever the engine raises: a file without its tables, a server that went away
        raise HistoryError(f"cannot read the history: {' '.join(str(error).split())}") from error
    finally:
        database.close()


def _sqlite(path: str, *, writing: bool) -> Database:
    if not writing and not Path(path).exists():
        raise HistoryError(f"there is no history at {path}: [history] engine is off, or nothing was written yet")
    try:
        if writing:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=30.0, check_same_thread=False)
        if writing:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA cache_size = {-CACHE}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
        else:
            connection.execute("PRAGMA query_only = 1")
        database = Database(connection, "?", "BLOB")
        if writing:
            database.create()
    except (OSError, sqlite3.Error) as error:
        words = why(error) if isinstance(error, OSError) else str(error)
        raise HistoryError(f"cannot use the history at {path}: {words}") from error
    return database


def _postgres(url: str, *, writing: bool) -> Database:
    try:
        import psycopg  # noqa: PLC0415  an extra
    except ImportError:
        raise HistoryError("PostgreSQL needs its driver: pip install 'smppgw[postgres]'") from None
    try:
        connection = psycopg.connect(url, connect_timeout=10)
        database = Database(connection, "%s", "BYTEA")
        if writing:
            # A crash of the server may take the last second: waiting for its disk would cost more than that is worth.
            connection.execute("SET synchronous_commit = off")
            connection.commit()
            database.create()
    except psycopg.Error as error:
        words = " ".join(str(error).split())
        raise HistoryError(f"cannot use the history in PostgreSQL: {words}") from None
    return database
