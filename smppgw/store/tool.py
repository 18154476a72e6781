"""Look into a data directory without disturbing the gateway that writes it.

Read-only, and in short transactions: one that stays would keep the gateway from using freed pages again. So what
the gateway changes during a walk may be seen or not, but a message is seen once, for it keeps its key for life.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from struct import error as StructError

import lmdb

from protocol.errors import PduError
from protocol.pdus import decode_submit
from routing import heard, said
from routing.message import (
    ANSWERED,
    CALLBACKS,
    DELIVERY,
    DOUBTED,
    HEARD,
    LATE,
    NOTED,
    OFFERED,
    QUEUED,
    SAID,
    SET_ASIDE,
    WAITING,
    Delivery,
    Ids,
    Queued,
    SetAside,
    Waiting,
    id_of,
    shown,
)
from smppgw.store.contract import StoreError
from smppgw.store.lmdb import DATA, chunks

KINDS = {
    QUEUED: "queued",
    WAITING: "waiting",
    NOTED: "waiting",
    LATE: "waiting",
    DELIVERY: "delivery",
    SET_ASIDE: "set_aside",
    HEARD: "heard",
    ANSWERED: "answered",
    SAID: "said",
}

MOST_BROKEN = 1000
"""Broken records that a report names; the others it counts."""

_META_PAGES = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One record, without its text."""

    id: str
    kind: str
    account: str
    """Empty where it is of no account: what a carrier said of a message that is not known."""
    minted: float
    """When its id was made, in epoch seconds."""
    octets: int
    notes: Mapping[str, str | int | float]
    """What its kind knows besides: attempts, expires, connector, upstream ids, state, reason."""


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` found."""

    records: int
    octets: int
    kinds: Mapping[str, int]
    broken: int
    reasons: tuple[tuple[str, str], ...]
    """The first broken records: the key in hex, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Stats:
    """What a data directory holds."""

    records: int
    octets: int
    kinds: Mapping[str, int]
    accounts: Mapping[str, Mapping[str, int]]
    """Counts by account, then kind."""
    oldest: Mapping[str, float]
    """By kind, when its oldest id was made, in epoch seconds."""
    unreadable: int
    file_size: int
    page_size: int
    used_pages: int
    free_pages: int
    """Pages inside the file that the next records will use; its book-keeping, a few, is among them."""
    max_file_size: int
    """The map of the gateway that last wrote: [store] max_size and its reserve."""


def check(path: Path | str) -> Report:
    """Decode every record; raises StoreError when there is no store, or LMDB cannot read it."""
    kinds: Counter[str] = Counter()
    reasons: list[tuple[str, str]] = []
    octets = broken = 0
    for key, record in _records(path):
        octets += len(key) + len(record)
        try:
            kinds[_entry(key, record, thorough=True).kind] += 1
        except ValueError as wrong:
            broken += 1
            if broken <= MOST_BROKEN:
                reasons.append((key.hex(), str(wrong)))
    return Report(kinds.total() + broken, octets, dict(kinds), broken, tuple(reasons))


def stats(path: Path | str) -> Stats:
    """Count, without decoding more than the heads."""
    kinds: Counter[str] = Counter()
    accounts: dict[str, Counter[str]] = {}
    oldest: dict[str, float] = {}
    octets = unreadable = 0
    with _reading(path) as env:
        for records in chunks(env):
            for key, record in records:
                octets += len(key) + len(record)
                try:
                    entry = _entry(key, record)
                except ValueError:
                    unreadable += 1
                    continue
                kinds[entry.kind] += 1
                if entry.account:
                    accounts.setdefault(entry.account, Counter())[entry.kind] += 1
                oldest.setdefault(entry.kind, entry.minted)
        info, pages = env.info(), env.stat()
        used = pages["branch_pages"] + pages["leaf_pages"] + pages["overflow_pages"]
        return Stats(
            records=kinds.total() + unreadable,
            octets=octets,
            kinds=dict(kinds),
            accounts={name: dict(counts) for name, counts in sorted(accounts.items())},
            oldest=oldest,
            unreadable=unreadable,
            file_size=(Path(path) / DATA).stat().st_size,
            page_size=pages["psize"],
            used_pages=used,
            free_pages=max(0, info["last_pgno"] + 1 - _META_PAGES - used),
            max_file_size=info["map_size"],
        )


def entries(path: Path | str, kind: str | None = None, account: str | None = None, limit: int = 100) -> Iterator[Entry]:
    """The oldest records first; at most `limit` of those that are of the kind and the account, if given."""
    if kind is not None and kind not in KINDS.values():
        raise StoreError(f"no records are {kind}: choose one of {', '.join(dict.fromkeys(KINDS.values()))}")
    for key, record in _records(path):
        if limit <= 0:
            return
        try:
            entry = _entry(key, record)
        except ValueError:
            continue
        if kind in {None, entry.kind} and account in {None, entry.account}:
            limit -= 1
            yield entry


def _records(path: Path | str) -> Iterator[tuple[bytes, bytes]]:
    with _reading(path) as env:
        for records in chunks(env):
            yield from records


@contextmanager
def _reading(path: Path | str) -> Iterator[lmdb.Environment]:
    file = Path(path) / DATA
    if not file.is_file():
        raise StoreError(f"there is no store in {path}: {file} does not exist")
    try:
        # A map of size 0 is as large as that of the gateway that wrote last, so that the file may grow meanwhile.
        with lmdb.open(os.fspath(path), map_size=0, readonly=True, create=False) as env:
            yield env
    except (lmdb.Error, OSError) as error:
        raise StoreError(f"cannot read {file}: {error}") from error


def _entry(key: bytes, record: bytes, *, thorough: bool = False) -> Entry:
    """Raises ValueError, in words, for a record that the gateway would not understand."""
    if len(key) != 8:
        raise ValueError(f"a key has 8 octets, not {len(key)}")
    kind = KINDS.get(record[0]) if record else None
    if kind is None:
        raise ValueError(f"no kind begins with {record[:1]!r}")
    id = id_of(key)
    try:
        account, notes = _notes(id, record, thorough)
    except (StructError, IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"a {kind} record is cut short or overwritten: {error}") from error
    except PduError as error:
        raise ValueError(f"the PDU of a {kind} record is wrong: {error}") from error
    return Entry(shown(id).decode(), kind, account, Ids.time_of(id), len(record), notes)


def _notes(id: int, record: bytes, thorough: bool) -> tuple[str, dict[str, str | int | float]]:
    kind = record[0]
    if kind == QUEUED:
        queued = Queued.unpack(record)
        if thorough:
            decode_submit(queued.body)
        return queued.account, {
            "attempts": queued.attempts,
            "expires": queued.expires,
            "not_before": queued.not_before,
            "public": shown(queued.public).decode(),
            "connector": queued.pin,
            "offer": "in doubt" if queued.flags & DOUBTED else "under way" if queued.flags & OFFERED else "",
        }
    if kind in (WAITING, NOTED, LATE):
        waiting = Waiting.unpack(record)
        if thorough and waiting.pack() != record:
            raise ValueError("a waiting record is cut short or has something behind it")
        return waiting.account.decode(), {
            "connector": waiting.connector.decode(),
            "upstream": " ".join(part.decode(errors="backslashreplace") for part, _ in waiting.parts),
            "public": shown(waiting.public).decode(),
        }
    if kind == DELIVERY:
        delivery = Delivery.unpack(id, record)
        if thorough and delivery.body[:1] not in CALLBACKS:
            decode_submit(delivery.body)
        return delivery.account, {"attempts": delivery.attempts, "state": delivery.state}
    if kind in (HEARD, SAID):
        return "", _told(record, thorough)
    if kind == ANSWERED:
        return "", {}
    aside = SetAside.unpack(record)
    if thorough:
        _notes(id, aside.record, thorough)
    return aside.account, {"when": aside.when, "reason": aside.reason}


def _told(record: bytes, thorough: bool) -> dict[str, str | int | float]:
    """What an HTTPS carrier told us."""
    notes: dict[str, str | int | float] = {}
    if record[0] == SAID:
        connector, upstream = said.unpack(record)
        again = said.pack(connector, upstream)
    else:
        connector, found = heard.unpack(record)
        again, upstream = heard.pack(connector, found), found.id
        notes["state"] = found.state or 0
    if thorough and again != record:
        raise ValueError(f"a {KINDS[record[0]]} record is cut short or has something behind it")
    return {"connector": connector.decode(), "upstream": upstream.decode(errors="backslashreplace"), **notes}
