"""Read what a Kannel installation waits for: the records of its dlr-storage."""

import re
import sqlite3
import struct
from collections.abc import Iterable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from smppgw.kannel.metadata import url_decode
from smppgw.kannel.model import Connection, Core, DlrDb, Kannel
from smppgw.kannel.redis import Redis, RedisError

NEEDED = ("field_smsc", "field_timestamp", "field_source", "field_destination", "field_service", "field_url",
          "field_mask", "field_boxc_id")  # fmt: skip
"""In the order of Record."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?")
_PORTS = {"mysql": 3306, "pgsql": 5432, "redis": 6379}


class DlrStorageError(Exception):
    """Why it cannot be read, and what to do."""


class Record(NamedTuple):
    """What Kannel keeps of a message until its receipt comes."""

    smsc: bytes
    timestamp: bytes
    """The SMSC's id of the message."""
    source: bytes
    destination: bytes
    service: bytes
    url: bytes
    mask: int
    boxc_id: bytes


def read(kannel: Kannel) -> Iterator[Record]:
    """Raises DlrStorageError. Kannel should be stopped: what it adds meanwhile may be missed."""
    kind = kannel.core.dlr_storage
    match kind:
        case "internal":
            wrong = "dlr-storage = internal is in bearerbox's memory alone, and ends with it"
            raise DlrStorageError(f"{wrong}; let it run on beside us until its receipts have come")
        case "spool":
            yield from _spool(kannel.core)
        case "redis":
            yield from _redis(*_places(kannel, "redis"))
        case "mysql" | "pgsql" | "sqlite3":
            yield from _sql(kind, *_places(kannel, kind))
        case _:
            fix = "mysql, pgsql, sqlite3, redis and spool can be"
            raise DlrStorageError(f"dlr-storage = {kind} cannot be read; {fix}")


def _places(kannel: Kannel, kind: str) -> tuple[DlrDb, Connection]:
    """Which table, and how to get there."""
    table = kannel.dlr_db
    if table is None:
        raise DlrStorageError("there is no group dlr-db; give the file that has it, too")
    missing = [name for name in ("id", "table", *NEEDED) if not getattr(table, name)]
    if missing:
        raise DlrStorageError(f"{table.place}: dlr-db has no {', '.join(missing).replace('_', '-')}")
    for connection in kannel.connections:
        if connection.kind == kind and connection.id == table.id:
            return table, connection
    raise DlrStorageError(f"there is no group {kind}-connection with id = {table.id}")


# A table of an SQL database.


def _sql(kind: str, table: DlrDb, connection: Connection) -> Iterator[Record]:
    query = statement(kind, table)
    try:
        with closing(_connected(kind, connection)) as database:
            for row in _rows(database, query):
                yield _record(row)
    except DlrStorageError:
        raise
    except Exception as error:  # each driver has classes of its own
        raise DlrStorageError(f"the {kind} database: {' '.join(str(error).split())}") from error


def statement(kind: str, table: DlrDb) -> str:
    """The query for all records."""
    fields = ", ".join(_quoted(kind, getattr(table, name)) for name in NEEDED)
    return f"SELECT {fields} FROM {_quoted(kind, table.table or '')}"  # noqa: S608  its names are quoted


def _quoted(kind: str, name: str) -> str:
    """Kannel quotes for MySQL alone; a name that is no plain one could not be used without elsewhere."""
    if kind == "mysql":
        return ".".join(f"`{part.replace('`', '``')}`" for part in name.split("."))
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _connected(kind: str, connection: Connection) -> Any:
    if kind == "sqlite3":
        path = Path(connection.database or "")
        if not path.is_file():
            raise DlrStorageError(f"{connection.place}: there is no database {path}")
        # Nothing is written, but "ro" could not read what a Kannel that was killed left half done, with its journal.
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)
    where: dict[str, Any] = {
        "host": connection.host or "localhost",
        "port": connection.port or _PORTS[kind],
        "user": connection.username,
        "password": connection.password or "",
    }
    if kind == "mysql":
        driver = _driver("pymysql", "mysql")
        cursors = _driver("pymysql.cursors", "mysql")
        return driver.connect(
            **where, database=connection.database, charset="utf8mb4", cursorclass=cursors.SSCursor, read_timeout=60
        )
    return _driver("psycopg", "postgres").connect(**where, dbname=connection.database)


def _driver(name: str, extra: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise DlrStorageError(f"{name} is not installed: pip install 'smppgw[{extra}]'") from None


def _rows(database: Any, query: str) -> Iterator[Any]:
    with closing(database.cursor()) as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(1000):
            yield from rows


def _record(row: Iterable[Any]) -> Record:
    smsc, timestamp, source, destination, service, url, mask, boxc_id = map(_octets, row)
    return Record(smsc, timestamp, source, destination, service, url, _mask(mask), boxc_id)


def _octets(value: Any) -> bytes:
    if value is None:
        return b""
    return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else str(value).encode()


def _mask(text: bytes) -> int:
    return int(text) if text.strip().isdigit() else 0


# Hashes of Redis.


def _redis(table: DlrDb, connection: Connection) -> Iterator[Record]:
    names = [(getattr(table, name) or "").encode() for name in NEEDED]
    try:
        with Redis(connection.host or "localhost", connection.port or _PORTS["redis"]) as redis:
            if connection.password:
                redis.ask(b"AUTH", connection.password.encode())
            if connection.database:
                redis.ask(b"SELECT", connection.database.encode())
            seen = set()
            for key, fields in redis.hashes(_globbed((table.table or "").encode()) + b":*"):
                if key not in seen:
                    seen.add(key)
                    record = _record(fields.get(name, b"") for name in names)
                    yield record._replace(url=url_decode(record.url))  # Kannel encodes this one alone
    except (RedisError, OSError) as error:
        raise DlrStorageError(f"the redis server: {error}") from error


def _globbed(name: bytes) -> bytes:
    return re.sub(rb"([\\*?\[\]])", rb"\\\1", name)


# Files of a spool.

_LONG = struct.Struct(">i")
_SMS = 2
_LAYOUT = (
    "sender receiver udh text =time smsc_id smsc_number foreign_id service account id =type =mclass =mwi =coding "
    "=compress =validity =deferred =dlr_mask dlr_url =pid =alt_dcs =rpi charset boxc_id"
)
"""The fields of an sms as Kannel packs it, as far as they are needed; those with = are numbers."""


def _spool(core: Core) -> Iterator[Record]:
    """Each file is a message of Kannel's own, below a directory by hash."""
    if not core.dlr_spool:
        raise DlrStorageError(f"{core.place}: dlr-storage = spool, and no dlr-spool")
    directory = Path(core.dlr_spool)
    if not directory.is_dir():
        raise DlrStorageError(f"{core.place}: there is no directory {directory}")
    for path in sorted(directory.glob("*/*")):
        if path.is_file():
            try:
                yield spooled(path.read_bytes())
            except OSError as error:
                raise DlrStorageError(f"{path} cannot be read: {error.strerror}") from error
            except (struct.error, ValueError) as error:
                raise DlrStorageError(f"{path} is no message of Kannel's") from error


def spooled(packed: bytes) -> Record:
    """ValueError or struct.error where it is none."""
    if _LONG.unpack_from(packed)[0] != _SMS:
        raise ValueError("not an sms")
    at = _LONG.size
    texts: dict[str, bytes] = {}
    numbers: dict[str, int] = {}
    for name in _LAYOUT.split():
        size: int = _LONG.unpack_from(packed, at)[0]
        at += _LONG.size
        if name.startswith("="):
            numbers[name[1:]] = size
        else:
            texts[name] = packed[at : at + max(size, 0)]
            if len(texts[name]) < size:
                raise ValueError("it is cut")
            at += max(size, 0)
    return Record(
        texts["smsc_id"], texts["foreign_id"], texts["sender"], texts["receiver"], texts["service"], texts["dlr_url"],
        max(numbers["dlr_mask"], 0), texts["boxc_id"],
    )  # fmt: skip
