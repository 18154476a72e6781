"""What we carry, its records and its ids."""

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.message import (
    DELIVERY,
    DOUBTED,
    LATE,
    NOTED,
    OFFERED,
    QUEUED,
    SET_ASIDE,
    WAITING,
    Delivery,
    Ids,
    Message,
    Queued,
    SetAside,
    Waiting,
    id_of,
    key_of,
    sent_at,
    shown,
)

NOW = 1_790_000_000.0
OCTET = st.integers(0, 255)
ID = st.integers(0, 2**64 - 1)
WHEN = st.floats(allow_nan=False)
NAME = st.text(max_size=15)
NAME_OCTETS = st.binary(max_size=60)
MEMO = st.just(b"") | st.binary(max_size=300)
BODY = st.binary(max_size=400)
ATTEMPTS = st.integers(0, 65535)
ADDRESS = st.binary(max_size=20)

# Ids

MOMENTS = st.lists(st.floats(NOW - 10, NOW + 10), min_size=1, max_size=60)
NODE = st.integers(0, 1023)


@given(ID)
def test_a_key_is_its_id(id: int) -> None:
    assert id_of(key_of(id)) == id
    assert int(shown(id), 16) == id
    assert len(shown(id)) == 16


@given(ID, ID)
def test_keys_are_in_the_order_of_ids(one: int, other: int) -> None:
    assert (key_of(one) < key_of(other)) == (one < other)


@given(NODE, MOMENTS, st.integers(0, 5000))
def test_ids_minted_while_time_stands_still_follow_each_other(node: int, moments: list[float], before: int) -> None:
    ids = Ids(node)
    *_, first = (ids.mint(now) for now in (*moments, *[0.0] * before))
    assert list(islice(Ids(node).following(first), 300)) == [ids.mint(0.0) for _ in range(300)]


@given(NODE, MOMENTS)
def test_ids_only_rise_whatever_the_clock_does(node: int, moments: list[float]) -> None:
    ids = Ids(node)
    minted = [ids.mint(now) for now in moments]
    assert all(before < after for before, after in pairwise(minted))
    assert {id >> 12 & 0x3FF for id in minted} == {node}


@given(st.lists(NODE, min_size=2, max_size=4, unique=True), MOMENTS)
def test_no_two_nodes_mint_the_same(nodes: list[int], moments: list[float]) -> None:
    minted = [ids.mint(now) for ids in map(Ids, nodes) for now in moments]
    assert len(set(minted)) == len(minted)


@pytest.mark.parametrize("node", [0, 1, 1022, 1023])
def test_more_ids_than_a_millisecond_holds_borrow_the_next(node: int) -> None:
    ids = Ids(node)
    minted = [ids.mint(NOW) for _ in range(10_000)]
    assert minted == sorted(set(minted))
    assert {id >> 12 & 0x3FF for id in minted} == {node}
    assert Ids.time_of(minted[-1]) == pytest.approx(NOW + 0.002, abs=0.0015)
    assert ids.mint(NOW + 1) > minted[-1]


@given(NODE, MOMENTS, MOMENTS)
def test_after_a_restart_ids_are_above_those_of_the_store(node: int, before: list[float], after: list[float]) -> None:
    old, new = Ids(node), Ids(node)
    stored = [old.mint(now) for now in before]
    for id in reversed(stored):
        new.seen(id)
    assert new.mint(after[0]) > max(stored)


@given(st.integers(0, 1022), MOMENTS)
def test_the_ids_of_another_node_change_nothing(node: int, moments: list[float]) -> None:
    other, ids, alone = Ids(node + 1), Ids(node), Ids(node)
    for now in moments:
        ids.seen(other.mint(now + 100))
    assert [ids.mint(now) for now in moments] == [alone.mint(now) for now in moments]


@given(st.floats(Ids.EPOCH, 4_000_000_000.0))
def test_an_id_tells_when_it_was_minted(now: float) -> None:
    assert Ids.time_of(Ids(7).mint(now)) == pytest.approx(now, abs=0.0011)


def test_a_clock_before_the_epoch_mints_too() -> None:
    for node in (0, 5):
        ids = Ids(node)
        first, second = ids.mint(0.0), ids.mint(0.0)
        assert 0 < first < second < 2**64


# Records


@given(
    ID, NAME, BODY, WHEN, WHEN, WHEN, ATTEMPTS, ID, st.sampled_from([0, OFFERED, OFFERED | DOUBTED]), NAME, MEMO, NAME
)
def test_a_queued_message_is_read_back(
    id: int, account: str, body: bytes, born: float, expires: float, not_before: float, attempts: int, public: int,
    flags: int, pin: str, memo: bytes, tag: str,
) -> None:  # fmt: skip
    record = Message(
        id, account, body, b"", b"", b"", 0, 0, 1, born, expires, not_before, attempts, public, flags,
        pin=pin, memo=memo, tag=tag,
    ).pack()  # fmt: skip
    assert record[0] == QUEUED
    assert Queued.unpack(record) == Queued(
        flags, born, expires, not_before, attempts, public, account, body, pin, memo, tag
    )


def test_attempts_beyond_counting_do_not_break_a_record() -> None:
    message = Message(1, "a", b"b", b"", b"", b"", 0, 0, 0, NOW, NOW, attempts=70_000)
    assert Queued.unpack(message.pack()).attempts == 65_535
    assert Delivery.unpack(1, Delivery(1, "a", b"b", NOW, attempts=70_000).pack()).attempts == 65_535


WAITINGS = st.builds(
    Waiting, NAME_OCTETS, NAME_OCTETS, ID, WHEN, OCTET, OCTET, OCTET, ADDRESS, OCTET, OCTET, ADDRESS,
    st.binary(max_size=20),
    st.lists(st.tuples(st.binary(max_size=64), OCTET), max_size=255).map(tuple),
    MEMO,
    st.just(0.0),
)  # fmt: skip


@given(WAITINGS)
def test_a_waiting_message_is_read_back(waiting: Waiting) -> None:
    record = waiting.pack()
    assert record[0] == (NOTED if waiting.memo else WAITING)
    assert Waiting.unpack(record) == waiting


@given(WAITINGS, ID, st.floats(min_value=1.0, max_value=1e10))
def test_a_message_that_was_sent_late_says_when(waiting: Waiting, id: int, sent: float) -> None:
    record = waiting._replace(sent=sent).pack()
    assert record[0] == LATE
    assert Waiting.unpack(record) == waiting._replace(sent=sent)
    assert sent_at(id, record) == sent
    assert sent_at(id, waiting.pack()) == Ids.time_of(id)


@given(WAITINGS, st.binary(max_size=64), OCTET)
def test_one_segment_is_written_as_many_are(waiting: Waiting, upstream: bytes, state: int) -> None:
    one = waiting._replace(parts=((upstream, state),))
    two = waiting._replace(parts=((upstream, state), (b"", 0)))
    assert Waiting.unpack(one.pack()) == one
    assert two.pack()[-len(upstream) - 4 :] == one.pack()[-len(upstream) - 2 :] + b"\0\0"


def test_a_message_with_as_many_segments_as_there_may_be_is_read_back() -> None:
    parts = tuple((b"%064d" % number, 2) for number in range(255))
    waiting = Waiting(b"a", b"c", 1, NOW, 1, 5, 0, b"MyBank", 1, 1, b"8190", b"hello", parts)
    assert Waiting.unpack(waiting.pack()) == waiting


@given(ID, NAME, BODY, WHEN, OCTET, ATTEMPTS)
def test_a_delivery_is_read_back(id: int, account: str, body: bytes, born: float, state: int, attempts: int) -> None:
    record = Delivery(id, account, body, born, state, attempts).pack()
    assert record[0] == DELIVERY
    found = Delivery.unpack(id, record)
    assert (found.id, found.account, found.body) == (id, account, body)
    assert (found.born, found.state, found.attempts) == (born, state, attempts)


@given(WHEN, NAME, st.text(max_size=60), BODY)
def test_what_is_set_aside_is_read_back(when: float, account: str, reason: str, record: bytes) -> None:
    aside = SetAside(when, account, reason, record)
    packed = aside.pack()
    assert packed[0] == SET_ASIDE
    assert SetAside.unpack(packed) == aside


@given(st.text(min_size=80), BODY)
def test_a_long_reason_is_cut_and_the_record_kept(reason: str, record: bytes) -> None:
    found = SetAside.unpack(SetAside(NOW, "a", reason * 4, record).pack())
    assert found.record == record
    assert (reason * 4).startswith(found.reason.rstrip("\ufffd"))
