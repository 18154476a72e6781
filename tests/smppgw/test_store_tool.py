"""What the store tool shows of a data directory, also of one that is in use."""

import asyncio
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from protocol.consts import MessageState
from protocol.pdus import SubmitSm, encode_submit
from protocol.receipt import Receipt
from routing import heard, said
from routing.message import ANSWERED, DOUBTED, OFFERED, Delivery, Ids, Message, SetAside, Waiting, key_of
from smppgw.store import tool
from smppgw.store.contract import StoreError
from smppgw.store.lmdb import LmdbStore

ROOT = Path(__file__).parents[2]
BORN = 1_700_000_000.0
TEXT = b"a very private text"
BODY = encode_submit(SubmitSm(source_addr=b"12345", destination_addr=b"81901234567", short_message=TEXT))

WRITER = """
import asyncio, sys
from smppgw.store.lmdb import LmdbStore

async def main() -> None:
    store = LmdbStore(sys.argv[1])
    store.open()
    old = dict(store.scan())
    print("open", flush=True)
    turn = 0
    while True:
        turn += 1
        extra = {key[:6] + turn.to_bytes(2, "big"): value for key, value in old.items()}
        await store.commit(extra)
        await store.commit({**dict.fromkeys(extra), **old})

asyncio.run(main())
"""


def message(id: int, account: str) -> bytes:
    return Message(
        id=id, account=account, body=BODY, source=b"12345", destination=b"81901234567", service_type=b"",
        esm_class=0, data_coding=0, registered_delivery=1, born=BORN, expires=BORN + 60, attempts=2,
    ).pack()  # fmt: skip


def waiting(account: bytes) -> bytes:
    return Waiting(
        account, b"smpp1", 7, BORN, 1, 1, 1, b"12345", 1, 1, b"81901234567", TEXT, ((b"up-1", 0), (b"up-2", 2))
    ).pack()


def records() -> dict[bytes, bytes]:
    ids = Ids(3)
    made = [ids.mint(BORN + number) for number in range(5)]
    return {
        key_of(made[0]): message(made[0], "demo"),
        key_of(made[1]): waiting(b"demo"),
        key_of(made[2]): Delivery(made[2], "other", BODY, BORN, state=2, attempts=4).pack(),
        key_of(made[3]): SetAside(BORN, "demo", "in doubt", message(made[3], "demo")).pack(),
        key_of(made[4]): waiting(b"other"),
    }


def filled(path: Path, batch: dict[bytes, bytes]) -> Path:
    store = LmdbStore(path)
    store.open()
    asyncio.run(store.commit(batch))
    store.close()
    return path


def test_check_finds_nothing_wrong_with_what_we_write(tmp_path: Path) -> None:
    report = tool.check(filled(tmp_path, records()))
    assert (report.records, report.broken, report.reasons) == (5, 0, ())
    assert report.kinds == {"queued": 1, "waiting": 2, "delivery": 1, "set_aside": 1}


def test_check_knows_what_is_delivered_over_http(tmp_path: Path) -> None:
    bodies = (b"\1http://a/", b"\2http://a/\0shop\0{}", b"\xff\x0dthe connector" + BODY)
    batch = {key_of(id): Delivery(id, "other", body, BORN).pack() for id, body in enumerate(bodies, 1)}
    assert tool.check(filled(tmp_path, batch)).reasons == ()


@pytest.mark.parametrize("kind", range(4))
def test_check_finds_a_record_cut_at_any_octet_of_its_head(tmp_path: Path, kind: int) -> None:
    whole = list(records().values())[kind]
    cuts = {key_of(size + 1): whole[:size] for size in range(1, min(len(whole), 30))}
    report = tool.check(filled(tmp_path, cuts))
    assert report.broken == len(cuts)
    assert all("cut short" in reason or "wrong" in reason for _, reason in report.reasons)


def test_check_names_what_is_no_record(tmp_path: Path) -> None:
    report = tool.check(filled(tmp_path, {b"short": b"Qx", key_of(1): b"?", key_of(2): b"", **records()}))
    assert (report.records, report.broken) == (8, 3)
    assert dict(report.reasons) == {
        b"short".hex(): "a key has 8 octets, not 5",
        key_of(1).hex(): "no kind begins with b'?'",
        key_of(2).hex(): "no kind begins with b''",
    }


def test_stats_count_by_kind_and_account_and_know_the_oldest(tmp_path: Path) -> None:
    found = tool.stats(filled(tmp_path, records()))
    assert found.records == 5
    assert found.accounts == {
        "demo": {"queued": 1, "waiting": 1, "set_aside": 1},
        "other": {"delivery": 1, "waiting": 1},
    }
    assert found.oldest == {"queued": BORN, "waiting": BORN + 1, "delivery": BORN + 2, "set_aside": BORN + 3}
    assert found.file_size == (tmp_path / "data.mdb").stat().st_size
    assert found.used_pages == 1


def test_freed_pages_are_counted(tmp_path: Path) -> None:
    filled(tmp_path, {key_of(number): b"x" * 1000 for number in range(1000)})
    filled(tmp_path, {key_of(number): None for number in range(1000)})  # type: ignore[misc]
    found = tool.stats(tmp_path)
    assert (found.records, found.used_pages) == (0, 0)
    assert found.free_pages > 200


def test_entries_come_in_order_of_age_with_what_their_kind_knows(tmp_path: Path) -> None:
    found = list(tool.entries(filled(tmp_path, records())))
    assert [entry.kind for entry in found] == ["queued", "waiting", "delivery", "set_aside", "waiting"]
    assert [entry.minted for entry in found] == [BORN + number for number in range(5)]
    assert found[0].notes["attempts"] == 2
    assert found[1].notes["upstream"] == "up-1 up-2"
    assert found[3].notes["reason"] == "in doubt"


def test_what_a_carrier_said_of_a_message_that_is_not_known_is_of_no_account(tmp_path: Path) -> None:
    record = heard.pack(b"aix", Receipt(b"tag-1", MessageState.DELIVERED, b"000", done=BORN))
    cuts = {key_of(size + 1): record[:size] for size in range(1, len(record))}
    filled(tmp_path, {**records(), **cuts, key_of(1 << 62): record, key_of(1 << 63): record + b"x"})
    report = tool.check(tmp_path)
    assert (report.kinds["heard"], report.broken) == (1, len(cuts) + 1)
    found = tool.stats(tmp_path)
    assert set(found.accounts) == {"demo", "other"}
    assert found.kinds["heard"] >= 1
    *_, entry, _ = tool.entries(tmp_path, kind="heard")
    assert (entry.account, entry.notes) == (
        "",
        {"connector": "aix", "upstream": "tag-1", "state": MessageState.DELIVERED},
    )


def test_what_a_handset_said_shows_which_carrier_brought_it_under_which_id(tmp_path: Path) -> None:
    whole, cut = (key_of(Ids(3).mint(BORN + number)) for number in range(2))
    record = said.pack(b"kddi", b"mo-1")
    at = filled(tmp_path, {whole: record, cut: record[:-1]})
    (first, _) = tool.entries(at, kind="said")
    assert (first.account, first.notes) == ("", {"connector": "kddi", "upstream": "mo-1"})
    assert tool.check(at).reasons == ((cut.hex(), "a said record is cut short or has something behind it"),)


def test_what_goes_over_http_is_no_pdu_and_yet_good(tmp_path: Path) -> None:
    first, second = Ids(3).mint(BORN), Ids(3).mint(BORN + 1)
    callback = Delivery(first, "demo@api", b"\2http://app.example/\0shop\0{}", BORN, state=2).pack()
    answered = bytes((ANSWERED,)) + bytes(32) + b"an answer"
    at = filled(tmp_path, {key_of(first): callback, key_of(second): answered})
    assert tool.check(at).broken == 0
    assert [(each.kind, each.account) for each in tool.entries(at)] == [("delivery", "demo@api"), ("answered", "")]


def test_a_message_that_is_pinned_shows_where_and_how_its_offer_stands(tmp_path: Path) -> None:
    batch = {}
    for id, flags in enumerate((0, OFFERED, OFFERED | DOUBTED)):
        pin = "aix" if flags else ""
        batch[key_of(id)] = Message(
            id=id, account="demo", body=BODY, source=b"", destination=b"", service_type=b"", esm_class=0, data_coding=0,
            registered_delivery=1, born=BORN, expires=BORN, flags=flags, pin=pin,
        ).pack()  # fmt: skip
    found = [(entry.notes["connector"], entry.notes["offer"]) for entry in tool.entries(filled(tmp_path, batch))]
    assert found == [("", ""), ("aix", "under way"), ("aix", "in doubt")]


def test_entries_are_chosen_by_kind_and_account_and_limited(tmp_path: Path) -> None:
    filled(tmp_path, records())
    assert [entry.account for entry in tool.entries(tmp_path, kind="waiting")] == ["demo", "other"]
    assert [entry.kind for entry in tool.entries(tmp_path, account="other")] == ["delivery", "waiting"]
    assert len(list(tool.entries(tmp_path, kind="waiting", limit=1))) == 1
    assert list(tool.entries(tmp_path, limit=0)) == []


def test_an_unknown_kind_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="choose one of queued, waiting, delivery, set_aside, heard"):
        list(tool.entries(filled(tmp_path, records()), kind="lost"))


def test_no_text_is_shown(tmp_path: Path) -> None:
    for entry in tool.entries(filled(tmp_path, records())):
        assert TEXT.decode() not in "".join(str(getattr(entry, field.name)) for field in fields(entry))


def test_a_directory_without_a_store_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store in"):
        tool.check(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"something else" * 1000)
    with pytest.raises(StoreError, match=r"cannot read .*data\.mdb"):
        tool.stats(tmp_path)


def test_it_reads_while_a_gateway_writes(tmp_path: Path) -> None:
    kept = {key[:6] + b"\0\0": value for key, value in records().items()}
    filled(tmp_path, kept)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        try:
            for _ in range(100):
                assert tool.check(tmp_path).broken == 0
                assert tool.stats(tmp_path).kinds.keys() == {"queued", "waiting", "delivery", "set_aside"}
                assert {bytes.fromhex(entry.id) for entry in tool.entries(tmp_path)} >= kept.keys()
        finally:
            writer.kill()
