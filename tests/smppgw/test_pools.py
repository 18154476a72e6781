"""A message without a source gets a sender of its route's pool before it is stored, and keeps it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import pdus
from protocol.consts import EsmClass, MessageState, Status
from protocol.pdus import SubmitSm
from routing.message import Message, Queued
from routing.senders import Pool, Sender, kind_of
from routing.table import Table
from smppgw.accounts import AccountState
from smppgw.app import tlv_of
from smppgw.settings import Account, Match, Route
from tests.smppgw.bench import Asker, Bench, Carrier, Esme, told
from tests.smppgw.jumping import advance, jumping, settle

JP = b"819012345678"
NUMBERS = [b"8150123400%02d" % n for n in range(8)]


def pool(*values: str, **keys: Any) -> Pool:
    values = values or tuple(f"+{number.decode()}" for number in NUMBERS)
    return Pool("shop", [Sender(value, kind_of(value)) for value in values], **keys)


def routed(bench: Bench, by: Pool, **match: Any) -> Bench:
    bench.pipeline.table = Table(
        [Route(name="all", to="carrier", senders="shop", match=Match(**match))], tlv_of, pools={"all": by}
    )
    return bench


def pooled(*values: str, **keys: Any) -> Bench:
    return routed(Bench(), pool(*values, **keys))


def submit(bench: Bench, number: bytes = JP, source: bytes = b"", **fields: Any) -> Asker:
    return bench.submit(number, source_addr=source, **fields)


def source(message: Message) -> tuple[int, int, bytes]:
    """What goes on the wire; the same must stand in the message."""
    pdu = pdus.decode_submit(message.body)
    assert message.source == pdu.source_addr
    assert message.pdu in (None, pdu)
    return pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr


# When it chooses


@pytest.mark.parametrize(
    ("said", "goes"),
    [
        (b"", (5, 0, b"SHOP")),
        (b"shop", (5, 0, b"SHOP")),
        (b"12345", (1, 1, b"12345")),
        (b"Shop", (1, 1, b"Shop")),
        (b"SHOP", (1, 1, b"SHOP")),
    ],
)
@jumping
async def test_a_source_that_the_esme_names_wins(said: bytes, goes: tuple[int, int, bytes]) -> None:
    bench = pooled("SHOP", "+815012340000")
    submit(bench, source=said, source_addr_ton=1, source_addr_npi=1)
    await settle()
    assert source(bench.carrier.take()) == goes


@jumping
async def test_only_the_source_is_changed() -> None:
    bench = pooled()
    pdu = SubmitSm(
        b"WAP", 0, 0, b"", 1, 1, JP, 0, 7, 1, b"", b"000000010000000R", 1, 0, 8, 3, b"\0h\0i", b"\x14\0\0\2hi"
    )
    bench.pipeline.submit(bench.account, pdu, pdus.encode_submit(pdu), Asker())
    await settle()
    message = bench.carrier.take()
    ton, npi, address = source(message)
    assert pdus.decode_submit(message.body) == pdu._replace(
        source_addr_ton=ton, source_addr_npi=npi, source_addr=address
    )
    assert (ton, npi, address in NUMBERS) == (1, 1, True)


@jumping
async def test_a_route_without_a_pool_leaves_an_empty_source_alone() -> None:
    bench = Bench()
    for said in (b"", b"shop"):
        submit(bench, source=said)
        await settle()
        assert source(bench.carrier.take()) == (0, 0, said)


@jumping
async def test_no_sender_for_the_destination_is_an_invalid_source_and_counted() -> None:
    bench = pooled(rules={"JP": []})
    assert submit(bench).status == Status.RINVSRCADR
    assert bench.pipeline.counts["no_sender"] == 1
    assert (bench.pipeline.queued, bench.account.queued) == ({}, 0)
    assert submit(bench, source=b"12345").status is None
    assert submit(bench, b"447700900001").status is None


@jumping
async def test_an_account_with_sources_may_use_the_pool_that_they_name() -> None:
    bench = pooled()
    bench.pipeline.accounts.change([Account(name="esme", sources=("shop",))])
    account = bench.pipeline.accounts.owner("esme")
    assert submit(bench, account=account).status == Status.RINVSRCADR
    assert submit(bench, source=b"shop", account=account).status is None
    assert bench.pipeline.counts["no_sender"] == 0


# It stays


@jumping
async def test_a_handset_sees_the_same_sender_again_and_handsets_share_them() -> None:
    bench = pooled()
    seen: dict[bytes, set[bytes]] = {}
    for _ in range(2):
        for n in range(60):
            submit(bench, b"8190%08d" % n)
    await settle()
    while bench.carrier.queue:
        message = bench.carrier.take()
        seen.setdefault(message.destination, set()).add(message.source)
    assert {len(sources) for sources in seen.values()} == {1}
    assert set().union(*seen.values()) == set(NUMBERS)


@jumping
async def test_what_is_stored_has_its_sender_and_keeps_it_through_retries_and_restarts() -> None:
    bench = pooled(sticky=False)
    submit(bench)
    await settle()
    message = bench.carrier.take()
    first = source(message)
    (record,) = bench.store.records.values()
    assert pdus.decode_submit(Queued.unpack(record).body)[1:4] == first
    bench.pipeline.later(message, 5.0, Status.RTHROTTLED)
    await advance(6)
    assert source(bench.carrier.take()) == first
    after = routed(Bench(bench.killed()), pool(sticky=False))
    assert source(after.carrier.take()) == first


@jumping
async def test_a_route_that_asks_for_the_source_takes_its_messages_again() -> None:
    bench = Bench()
    routed(bench, pool(), source=("shop", "re:^$"))
    submit(bench)
    submit(bench, source=b"shop")
    await settle()
    for message in [bench.carrier.take() for _ in range(2)]:
        bench.pipeline.later(message, 5.0, Status.RTHROTTLED)
    await advance(6)
    assert len(bench.carrier.queue) == 2
    assert submit(bench, source=b"12345").status == Status.RINVDSTADR


@jumping
async def test_a_receipt_names_the_sender() -> None:
    bench = pooled("SHOP")
    esme = Esme(bench.account)
    asker = submit(bench)
    await settle()
    bench.sent(b"a")
    await advance(0.1)
    bench.receipt(b"a")
    await settle()
    (delivery,) = esme.got
    assert told(delivery) == (asker.id, MessageState.DELIVERED)
    assert pdus.decode_submit(delivery.body)[4:7] == (5, 0, b"SHOP")


# Parts of a long message


@given(st.booleans(), st.integers(2, 6), st.integers(0, 255), st.permutations(range(6)))
def test_all_parts_get_the_same_sender_whatever_comes_between(
    sticky: bool, total: int, reference: int, order: list[int]
) -> None:
    @jumping
    async def law() -> None:
        bench = pooled(sticky=sticky)
        for number in (n for n in order if n < total):
            text = bytes((5, 0, 3, reference, total, number + 1)) + b"part"
            submit(bench, esm_class=int(EsmClass.UDHI), short_message=text)
            submit(bench, b"8190%08d" % number)
        await settle()
        taken = [bench.carrier.take() for _ in range(2 * total)]
        parts = [message for message in taken if message.destination == JP]
        assert len({source(message) for message in parts}) == 1
        assert len({message.part for message in parts}) == 1
        assert parts[0].part is not None

    law()


@jumping
async def test_parts_of_one_message_get_the_same_sender_on_another_machine() -> None:
    found: set[bytes] = set()
    for number in (1, 2, 3):
        bench = pooled(sticky=False)
        for n in range(number):
            submit(bench, b"8190%08d" % n)
        text = bytes((5, 0, 3, 77, 3, number)) + b"part"
        submit(bench, esm_class=int(EsmClass.UDHI), short_message=text)
        await settle()
        found |= {message.source for message in bench.carrier.queue if message.destination == JP}
    assert len(found) == 1


@jumping
async def test_long_and_short_messages_to_a_handset_have_the_same_sticky_sender() -> None:
    bench = pooled()
    submit(bench)
    for reference in range(20):
        text = bytes((5, 0, 3, reference, 2, 1)) + b"part"
        submit(bench, esm_class=int(EsmClass.UDHI), short_message=text)
    await settle()
    assert len({source(message) for message in bench.carrier.queue}) == 1


# Messages that get their route later


class Directory:
    """A look-up of carriers that answers when the test says."""

    def __init__(self) -> None:
        self.then: Callable[[], None] = lambda: None

    def asks(self, number: bytes) -> bool:
        return True

    def ask(self, number: bytes, then: Callable[[], None]) -> bool:
        self.then = then
        return True


def looking_up(by: Pool) -> tuple[Bench, Directory]:
    bench, directory = Bench(), Directory()
    route = Route(name="all", to="carrier", senders="shop", match=Match(carrier=("docomo",)))
    bench.pipeline.table = Table([route], tlv_of, lambda number: "docomo", {"all": by})
    bench.pipeline.lookup = directory
    return bench, directory


@jumping
async def test_a_message_that_is_routed_after_it_was_stored_gets_its_sender_then_and_is_stored_with_it() -> None:
    bench, directory = looking_up(pool(sticky=False))
    asker = submit(bench)
    await settle()
    assert asker.status == Status.ROK
    assert not bench.carrier.queue
    directory.then()
    await advance(1)
    first = source(bench.carrier.take())
    assert first[2] in NUMBERS
    (record,) = bench.store.records.values()
    assert pdus.decode_submit(Queued.unpack(record).body)[1:4] == first


@pytest.mark.parametrize("relay", [False, True])
@jumping
async def test_one_for_which_there_is_no_sender_then_ends_as_refused(relay: bool) -> None:
    bench, directory = looking_up(pool(rules={"JP": []}))
    account: AccountState = bench.relay if relay else bench.account
    esme = Esme(account)
    asker = submit(bench, account=account)
    await settle()
    directory.then()
    await advance(1)
    assert bench.pipeline.counts["no_sender"] == 1
    assert not bench.pipeline.queued
    if relay:
        assert asker.status == Status.RINVSRCADR
    else:
        assert told(esme.got[0])[1] in (MessageState.REJECTED, MessageState.UNDELIVERABLE)


@jumping
async def test_what_waits_when_a_reload_gives_its_route_a_pool_gets_a_sender() -> None:
    bench = Bench()
    submit(bench)
    submit(bench, source=b"12345")
    await settle()
    left = [bench.carrier.take() for _ in range(2)]
    routed(bench, pool("SHOP"))
    bench.pipeline.reoffer(left)
    assert [source(message)[2] for message in bench.carrier.queue] == [b"SHOP", b"12345"]


# More than one destination


@jumping
async def test_a_carrier_by_any_name_gets_the_sender_of_the_destination() -> None:
    bench = pooled("+815012340000", "+447700900123")
    other = Carrier(b"other")
    bench.pipeline.upstreams = {"carrier": bench.carrier, "other": other}
    for number in (JP, b"447700900001", b"33612345678"):
        submit(bench, number)
    await settle()
    japanese, british, french = bench.carrier.queue
    assert (japanese.source, british.source) == (b"815012340000", b"447700900123")
    assert french.source in {b"815012340000", b"447700900123"}
