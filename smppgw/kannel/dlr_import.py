"""Put what Kannel waited for into our store, so that receipts of messages it sent find their way."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from protocol import receipt
from protocol.receipt import Form
from routing.message import LATE, NOTED, WAITING, Ids, Waiting, id_of, key_of
from smppgw.kannel import dlr_storage
from smppgw.kannel.connectors import Link
from smppgw.kannel.dlr_storage import Record
from smppgw.kannel.memo import Memo
from smppgw.kannel.setup import read
from smppgw.kannel.writing import registered_delivery
from smppgw.settings import Connector
from smppgw.store.contract import Store
from smppgw.store.lmdb import LmdbStore

AT_ONCE = 1000
"""Records of one commit."""

_RECEIPTS = 1 | 2 | 4
_MOST = 255
"""Octets of an address or id in a record."""


@dataclass(slots=True)
class Outcome:
    """What became of Kannel's records."""

    found: int = 0
    taken: int = 0
    """Put into the store; in a dry run, those that would be."""
    known: int = 0
    """They were there before."""
    left: Counter[str] = field(default_factory=Counter)
    """By reason, those that nothing can be done with."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose a record is."""

    links: Mapping[str, Sequence[Link]]
    """The connectors of each smsc-id."""
    forms: Mapping[str, Form]
    """How submit_sm_resp spells ids, by connector."""
    users: Mapping[bytes, str]
    """The account of each sendsms-user, by what Kannel calls its service."""
    smsbox: str
    """The account of all others: replies of sms-services."""


def run(files: Sequence[Path], data: Path, *, dry: bool = False) -> Outcome:
    """Raises ConfError, DlrStorageError, or StoreError, as while the gateway runs."""
    setup = read(files, data)
    made = setup.made(setup.kannel.smscs)
    settings = made.settings
    users = {
        (user.service or "").encode(errors="surrogateescape"): setup.account(user, settings)
        for user in setup.kannel.sendsms_users
    }
    forms = {
        name: connector.id_form for name, connector in settings.connectors.items() if isinstance(connector, Connector)
    }
    owners = Owners(made.links, forms, users, setup.smsbox(settings))
    store = LmdbStore(settings.store.path, settings.store.max_size)
    store.open()
    try:
        records = dlr_storage.read(setup.kannel)
        return asyncio.run(take(records, owners, store, settings.gateway.node, time.time, dry=dry))
    finally:
        store.close()


async def take(
    records: Iterable[Record], owners: Owners, store: Store, node: int, clock: Callable[[], float], *, dry: bool = False
) -> Outcome:
    """The store is open; what it has already is left alone, so that this may be repeated. StoreError when it is not
    writable, and what was committed before stays."""
    ids = Ids(node)
    known: set[tuple[bytes, bytes]] = set()
    for key, record in store.scan():
        ids.seen(id_of(key))
        if record[0] in (WAITING, NOTED, LATE):
            waiting = Waiting.unpack(record)
            form = owners.forms.get(waiting.connector.decode(), "string")
            known.update((waiting.connector, receipt.key(upstream, form)) for upstream, _ in waiting.parts)
    outcome = Outcome()
    batch: dict[bytes, bytes | None] = {}
    for found in records:
        outcome.found += 1
        link, why = _link(found, owners)
        if link is None:
            outcome.left[why] += 1
            continue
        now = clock()
        form = owners.forms.get(link.name, "string")
        waiting = _waiting(found, link, form, owners, now)
        place = (waiting.connector, receipt.key(waiting.parts[0][0], form))
        if place in known:
            outcome.known += 1
            continue
        known.add(place)
        outcome.taken += 1
        id = ids.mint(now)
        batch[key_of(id)] = waiting._replace(public=id).pack()
        if len(batch) >= AT_ONCE and not dry:
            await store.commit(batch)
            batch = {}
    if batch and not dry:
        await store.commit(batch)
    return outcome


def _link(record: Record, owners: Owners) -> tuple[Link | None, str]:
    """The connector that the message went by, or why the record is of no use."""
    if not record.timestamp:
        return None, "without an id of the SMSC's"
    if not record.mask & _RECEIPTS:
        return None, "whose mask asks for no receipt"
    if not record.url.lower().startswith((b"http://", b"https://")):
        return None, "without a dlr-url, as those of opensmppbox"
    if max(map(len, (record.timestamp, record.source, record.destination))) > _MOST:
        return None, "with a field that is too long"
    links = owners.links.get(record.smsc.decode(errors="surrogateescape"), ())
    link = next((each for each in links if each.sends), None)
    return link, f"of smsc-id {record.smsc.decode(errors='replace')}, which the files do not have"


def _waiting(record: Record, link: Link, form: Form, owners: Owners, now: float) -> Waiting:
    # What came with a type of number 1 has its plus in Kannel.
    source, source_ton = _number(record.source)
    destination, dest_ton = _number(record.destination)
    memo = Memo(record.mask, record.url, record.service, record.source, record.destination, boxc_id=record.boxc_id)
    return Waiting(
        owners.users.get(record.service, owners.smsbox).encode(), link.name.encode(), 0, now,
        registered_delivery(record.mask), source_ton, 1, source, dest_ton, 1, destination, b"",
        ((_id(record.timestamp, form), 0),), memo.pack(),
    )  # fmt: skip


def _number(address: bytes) -> tuple[bytes, int]:
    return (address[1:], 1) if address.startswith(b"+") else (address, 0)


def _id(timestamp: bytes, form: Form) -> bytes:
    """As the SMSC's answer spelled it: with msg-id-type Kannel keeps ids as decimal numbers."""
    return b"%x" % int(timestamp) if form == "hex" and timestamp.isdigit() else timestamp
