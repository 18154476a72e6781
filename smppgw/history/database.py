"""History in SQL: written in batches, read by people. SQLite and PostgreSQL differ in how they are opened."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from routing.message import Ids
from smppgw.history.events import NAMES, Kind, Note

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS messages (id BIGINT PRIMARY KEY, born DOUBLE PRECISION NOT NULL, mo SMALLINT NOT NULL,
    account TEXT NOT NULL, source TEXT NOT NULL, destination TEXT NOT NULL, coding SMALLINT NOT NULL,
    octets INTEGER NOT NULL, text {blob} NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS events (id BIGINT NOT NULL, at DOUBLE PRECISION NOT NULL, kind SMALLINT NOT NULL,
    said TEXT NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS upstreams (upstream TEXT NOT NULL, id BIGINT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS messages_destination ON messages (destination, id)",
    "CREATE INDEX IF NOT EXISTS messages_source ON messages (source, id)",
    "CREATE INDEX IF NOT EXISTS messages_account ON messages (account, id)",
    "CREATE INDEX IF NOT EXISTS events_id ON events (id)",
    "CREATE INDEX IF NOT EXISTS upstreams_upstream ON upstreams (upstream)",
    "CREATE INDEX IF NOT EXISTS upstreams_id ON upstreams (id)",
)
"""Ids are unsigned 64-bit numbers whose first bit is 0 until 2089."""

_TABLES = ("messages", "events", "upstreams")
_FIRST = (Kind.ACCEPTED, Kind.MO)
_MOST = 1000
_LAST = (1 << 63) - 1


class Cursor(Protocol):
    def execute(self, sql: str, values: Sequence[Any] = ..., /) -> Any: ...
    def executemany(self, sql: str, values: Iterable[Sequence[Any]], /) -> Any: ...
    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    def cursor(self) -> Any: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a timeline."""

    at: float
    """Epoch seconds."""
    kind: str
    said: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """One message with what happened to it, oldest first."""

    id: str
    """16 hex digits."""
    born: float
    mo: bool
    """It came from a handset."""
    account: str
    source: str
    destination: str
    coding: int
    octets: int
    text: bytes
    """As [history] bodies says: empty, a hash, or the octets."""
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """Every key that is given must fit."""

    id: str = ""
    """Ours, in hex, or the upstream's."""
    number: str = ""
    """Source or destination, with or without "+"."""
    account: str = ""
    since: float | None = None
    until: float | None = None
    """Epoch seconds."""
    limit: int = 20
    mo: bool | None = None
    """From a handset, or to one."""


_SAYS: dict[int, tuple[str, ...]] = {
    Kind.ACCEPTED: ("account", "source", "destination", "coding", "octets", "text", "route", "tag"),
    Kind.REFUSED: ("status",),
    Kind.SENT: ("connector", "upstream", "attempts"),
    Kind.LATER: ("status", "attempts"),
    Kind.DOUBT: ("action",),
    Kind.RECEIPT: ("connector", "state", "err", "upstream"),
    Kind.ENDED: ("state", "err"),
    Kind.DELIVERED: ("account", "state", "attempts"),
    Kind.POSTPONED: ("account", "attempts"),
    Kind.ASIDE: ("account", "reason"),
    Kind.MO: ("account", "source", "destination", "coding", "octets", "text", "connector"),
    Kind.TOLD: ("account", "result"),
    Kind.DECIDED: ("by", "done"),
}
"""Names of what each kind says."""

_HIDDEN = frozenset({"account", "source", "destination", "coding", "octets", "text"})
"""What the message says of itself already."""


class Database:
    """Not for two threads at once."""

    def __init__(self, connection: Connection, mark: str, blob: str) -> None:
        self._connection = connection
        self._mark = mark
        self._blob = blob

    def create(self) -> None:
        """The tables and indexes, where they are not there yet."""
        cursor = self._connection.cursor()
        for statement in SCHEMA:
            cursor.execute(statement.format(blob=self._blob))
        self._connection.commit()

    def write(self, notes: Iterable[Note]) -> None:
        """All or nothing; raises what the engine raises. A message that is noted again changes nothing."""
        try:
            self.add(notes)
            self.commit()
        except BaseException:
            self.rollback()
            raise

    def add(self, notes: Iterable[Note]) -> None:
        """As `write`, but only `commit` makes it last and lets others see it. After an error `rollback` is due."""
        messages, events, upstreams = [], [], []
        for at, id, kind, said in notes:
            if kind in _FIRST:
                account, source, destination, coding, octets, text, *rest = said
                mo = int(kind == Kind.MO)
                messages.append((id, at, mo, _word(account), _word(source), _word(destination), coding, octets, text))
                events.append((id, at, int(kind), _json(rest)))
                continue
            events.append((id, at, int(kind), _json(said)))
            if kind == Kind.SENT:
                upstreams += [(_word(upstream), id) for upstream in said[1] if upstream]
        cursor = self._connection.cursor()
        self._many(cursor, "messages", 9, messages, " ON CONFLICT DO NOTHING")
        self._many(cursor, "events", 4, events)
        self._many(cursor, "upstreams", 2, upstreams)

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        """Forget what was added since the last commit."""
        self._connection.rollback()

    def _many(self, cursor: Cursor, table: str, columns: int, rows: list[Any], tail: str = "") -> None:
        if rows:
            marks = ", ".join([self._mark] * columns)
            cursor.executemany(f"INSERT INTO {table} VALUES ({marks}){tail}", rows)  # noqa: S608  our own names

    def prune(self, before: float) -> int:
        """Delete what was minted before that time (epoch seconds); the messages deleted."""
        last = _minted(before)
        cursor = self._connection.cursor()
        gone = 0
        for table in _TABLES:
            cursor.execute(f"DELETE FROM {table} WHERE id < {self._mark}", (last,))  # noqa: S608
            gone = gone or cursor.rowcount
        self.commit()
        return gone

    def find(self, query: Query) -> list[Found]:
        """The one whose own id was asked for, then the newest first."""
        wanted: list[str] = ["1 = 1"]
        ours = int(query.id, 16) if len(query.id) == 16 and _is_hex(query.id) else -1
        ours = ours if ours <= _LAST else -1
        values: list[Any] = []

        def must(condition: str, *given: Any) -> None:
            wanted.append(condition.replace("?", self._mark))
            values.extend(given)

        if query.id:
            must("(id = ? OR id IN (SELECT id FROM upstreams WHERE upstream = ?))", ours, query.id)
        if query.number:
            plain = query.number.removeprefix("+")
            must("(destination IN (?, ?) OR source IN (?, ?))", plain, f"+{plain}", plain, f"+{plain}")
        if query.account:
            must("account = ?", query.account)
        if query.mo is not None:
            must("mo = ?", int(query.mo))
        if query.since is not None:
            must("id >= ?", _minted(query.since))
        if query.until is not None:
            must("id < ?", _minted(query.until))
        cursor = self._connection.cursor()
        columns = "id, born, mo, account, source, destination, coding, octets, text"
        # An upstream's id may look like ours: newer messages of that id must not push it beyond the limit.
        order = "id DESC" if ours < 0 else f"CASE WHEN id = {ours} THEN 0 ELSE 1 END, id DESC"
        sql = f"SELECT {columns} FROM messages WHERE {' AND '.join(wanted)} ORDER BY {order} LIMIT {self._mark}"  # noqa: S608
        cursor.execute(sql, (*values, max(1, min(query.limit, _MOST))))
        rows = cursor.fetchall()
        found = [self._found(cursor, row) for row in rows]
        self._connection.rollback()
        return found

    def _found(self, cursor: Cursor, row: Sequence[Any]) -> Found:
        id, born, mo, account, source, destination, coding, octets, text = row
        cursor.execute(f"SELECT at, kind, said FROM events WHERE id = {self._mark} ORDER BY at, kind", (id,))  # noqa: S608
        events = tuple(_event(at, kind, said, account) for at, kind, said in cursor.fetchall())
        shown = f"{id:016x}"
        return Found(shown, born, bool(mo), account, source, destination, coding, octets, bytes(text), events)

    def close(self) -> None:
        self._connection.close()


Open = Callable[[], Database]


def _event(at: float, kind: int, said: str, account: str) -> Event:
    names = _SAYS.get(kind, ())
    if kind in _FIRST:
        names = tuple(name for name in names if name not in _HIDDEN)
    told = dict(zip(names, json.loads(said), strict=False))
    if told.get("account") == account:
        del told["account"]
    return Event(at, NAMES[Kind(kind)] if kind in Kind._value2member_map_ else str(kind), told)


def _word(value: str | bytes) -> str:
    """PostgreSQL has no NUL in texts."""
    word = value.decode("latin-1") if isinstance(value, bytes) else value
    return word.replace("\0", "\ufffd")


def _json(said: Iterable[Any]) -> str:
    return json.dumps(list(said), default=_plain, ensure_ascii=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return _word(value)
    raise TypeError(f"{type(value).__name__} cannot be noted")


def _minted(at: float) -> int:
    """The first id of a time."""
    return min(max(0, int((at - Ids.EPOCH) * 1000.0)) << 22, _LAST)


def _is_hex(word: str) -> bool:
    return all(char in "0123456789abcdefABCDEF" for char in word)
