"""What Kannel waited for is in our store, once, and a receipt finds it."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from protocol.consts import MessageState
from routing.message import NOTED, Delivery, Waiting, key_of
from smppgw.kannel.connectors import Link
from smppgw.kannel.dlr import VERSION, Reports
from smppgw.kannel.dlr_import import AT_ONCE, Owners, run, take
from smppgw.kannel.dlr_storage import Record
from smppgw.kannel.memo import Memo
from smppgw.kannel.model import Smsc
from smppgw.store.contract import StoreError
from smppgw.store.lmdb import LmdbStore
from tests.smppgw.bench import Bench, BenchStore
from tests.smppgw.jumping import epoch, jumping, settle

RECORD = Record(b"up", b"id1", b"1234", b"+41791234567", b"tester", b"http://h/%d?%F&%p", 7, b"box")
LINK = Link("carrier", Smsc(smsc="smpp", smsc_id="up", transceiver_mode=True), 1)
OWNERS = Owners({"up": (LINK,)}, {"carrier": "string"}, {b"tester": "esme"}, "smsbox")
NOW = 1_800_000_000.0


def opened() -> BenchStore:
    store = BenchStore()
    store.open()
    return store


async def test_a_record_becomes_a_message_that_waits() -> None:
    store = opened()
    outcome = await take([RECORD], OWNERS, store, 1, lambda: NOW)
    assert (outcome.found, outcome.taken, outcome.known) == (1, 1, 0)
    [(key, record)] = store.records.items()
    assert record[0] == NOTED
    waiting = Waiting.unpack(record)
    assert (waiting.account, waiting.connector, waiting.parts) == (b"esme", b"carrier", ((b"id1", 0),))
    assert (waiting.destination, waiting.dest_ton, waiting.source, waiting.source_ton) == (
        b"41791234567",
        1,
        b"1234",
        0,
    )
    assert key_of(waiting.public) == key
    memo = Memo.unpack(waiting.memo)
    assert (memo.mask, memo.url, memo.receiver, memo.boxc_id) == (7, RECORD.url, b"+41791234567", b"box")


@jumping
async def test_its_receipt_is_told() -> None:
    store = opened()
    await take([RECORD], OWNERS, store, 1, epoch)
    store.close()
    bench = Bench(store)
    bench.account.front = Reports((LINK,), epoch)
    bench.receipt(b"id1", MessageState.DELIVERED)
    await settle()
    [(key, record)] = bench.store.records.items()
    assert Delivery.unpack(int.from_bytes(key, "big"), record).body == VERSION + b"http://h/1?id1&%2B41791234567"


async def test_taken_twice_it_is_there_once() -> None:
    store = opened()
    records = [replace_id(RECORD, b"%d" % number) for number in range(2 * AT_ONCE + 1)]
    for taken in (2 * AT_ONCE + 1, 0):
        outcome = await take([*records, records[0]], OWNERS, store, 1, lambda: NOW)
        assert (outcome.taken, outcome.taken + outcome.known) == (taken, len(records) + 1)
        assert len(store.records) == len(records)


def replace_id(record: Record, id: bytes) -> Record:
    return record._replace(timestamp=id)


async def test_a_dry_run_writes_nothing() -> None:
    store = opened()
    records = [replace_id(RECORD, b"%d" % number) for number in range(2 * AT_ONCE)]
    outcome = await take(records, OWNERS, store, 1, lambda: NOW, dry=True)
    assert outcome.taken == 2 * AT_ONCE
    assert not store.records


async def test_an_id_is_kept_as_the_smsc_spelled_it() -> None:
    """With msg-id-type = 1 the SMSC answers in hex, and Kannel keeps decimal."""
    store = opened()
    owners = replace(OWNERS, forms={"carrier": "hex"})
    for _ in range(2):
        await take([replace_id(RECORD, b"3735928559")], owners, store, 1, lambda: NOW)
    [record] = store.records.values()
    assert Waiting.unpack(record).parts == ((b"deadbeef", 0),)


async def test_a_reply_of_a_service_is_smsboxs() -> None:
    store = opened()
    await take([RECORD._replace(service=b"weather")], OWNERS, store, 1, lambda: NOW)
    [record] = store.records.values()
    assert Waiting.unpack(record).account == b"smsbox"


USELESS = {
    "without an id of the SMSC's": RECORD._replace(timestamp=b""),
    "whose mask asks for no receipt": RECORD._replace(mask=24),
    "without a dlr-url, as those of opensmppbox": RECORD._replace(url=b"0d1e2f30"),
    "with a field that is too long": RECORD._replace(source=bytes(256)),
    "of smsc-id gone, which the files do not have": RECORD._replace(smsc=b"gone"),
}


@pytest.mark.parametrize("reason", USELESS)
async def test_what_nothing_can_be_done_with_is_left_out_with_the_reason(reason: str) -> None:
    store = opened()
    outcome = await take([USELESS[reason]], OWNERS, store, 1, lambda: NOW)
    assert outcome.left == {reason: 1}
    assert not store.records


CONF = """
group = core
admin-port = 13000
admin-password = secret
dlr-storage = sqlite3

group = smsc
smsc = smpp
smsc-id = up
host = 127.0.0.1
port = 2775
transceiver-mode = true
smsc-username = esme
smsc-password = secret
system-type = VMA
msg-id-type = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = 13013

group = sendsms-user
username = user
password = secret
name = tester

group = dlr-db
id = mine
table = dlr
field-smsc = smsc
field-timestamp = ts
field-destination = dest
field-source = source
field-service = service
field-url = url
field-mask = mask
field-status = status
field-boxc-id = box

group = sqlite3-connection
id = mine
database = {database}
"""


def test_the_files_say_where_from_and_whose(tmp_path: Path) -> None:
    conf = tmp_path / "kannel.conf"
    conf.write_text(CONF.format(database=tmp_path / "dlr.db"))
    database = sqlite3.connect(tmp_path / "dlr.db")
    database.execute("CREATE TABLE dlr (smsc, ts, source, dest, service, url, mask, status, box)")
    database.execute("INSERT INTO dlr VALUES ('up', '255', '1', '2', 'tester', 'http://h/', 31, 0, '')")
    database.commit()
    database.close()
    data = tmp_path / "data"
    assert run([conf], data, dry=True).taken == 1
    assert run([conf], data).taken == 1
    assert run([conf], data).known == 1
    store = LmdbStore(data)
    store.open()
    [(_, record)] = store.scan()
    waiting = Waiting.unpack(record)
    assert (waiting.account, waiting.connector, waiting.parts) == (b"user", b"up", ((b"ff", 0),))
    with pytest.raises(StoreError, match="another"):
        run([conf], data)
    store.close()
