"""Which message a receipt belongs to, and what it makes of it."""

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from protocol import receipt
from protocol.consts import FINAL_STATES, MessageState
from routing.message import Ids, Waiting
from routing.receipts import Ledger, overall, wanted

NOW = 1_790_000_000.0
DELIVERED, EXPIRED, UNDELIVERABLE = MessageState.DELIVERED, MessageState.EXPIRED, MessageState.UNDELIVERABLE
ENROUTE, ACCEPTED, REJECTED = MessageState.ENROUTE, MessageState.ACCEPTED, MessageState.REJECTED


def keys(id: bytes) -> Sequence[bytes]:
    return (receipt.key(id),)


def waits(*upstream: bytes, connector: bytes = b"smpp1") -> Waiting:
    parts = tuple((id, 0) for id in upstream)
    return Waiting(b"esme", connector, 1, NOW, 1, 5, 0, b"MyBank", 1, 1, b"8190", b"hello", parts)


def part(ledger: Ledger, id: int, state: int, spellings: Sequence[bytes]) -> tuple[int, bytes | None]:
    return ledger.part(id, Waiting.unpack(ledger.waiting[id]), state, spellings, keys)


def parts(ledger: Ledger, id: int) -> tuple[tuple[bytes, int], ...]:
    return Waiting.unpack(ledger.waiting[id]).parts


def clustered() -> Ledger:
    ledger = Ledger()
    ledger.cluster([["smpp1", "smpp2"], ["smpp3"]])
    return ledger


def is_empty(ledger: Ledger) -> bool:
    return not ledger.waiting and not ledger._by_upstream


def test_a_receipt_finds_its_message() -> None:
    ledger = Ledger()
    ledger.add(7, waits(b"00AB"), keys)
    assert ledger.match(b"smpp1", [b"ab"]) == 7
    assert ledger.match(b"smpp1", [b"nothing", b"ab"]) == 7
    assert ledger.match(b"smpp1", [b"ac"]) is None
    assert len(ledger) == 1


def test_the_same_id_of_two_connectors_is_two_messages() -> None:
    ledger = Ledger()
    ledger.add(7, waits(b"1"), keys)
    ledger.add(8, waits(b"1", connector=b"smpp2"), keys)
    assert ledger.match(b"smpp1", [b"1"]) == 7
    assert ledger.match(b"smpp2", [b"1"]) == 8


def test_a_receipt_may_come_by_another_connector_of_the_cluster() -> None:
    ledger = clustered()
    ledger.add(7, waits(b"1"), keys)
    assert ledger.match(b"smpp2", [b"1"]) == 7
    assert ledger.match(b"smpp3", [b"1"]) is None


def test_any_spelling_on_its_own_connector_goes_before_siblings() -> None:
    ledger = clustered()
    ledger.add(7, waits(b"likely", connector=b"smpp2"), keys)
    ledger.add(8, waits(b"guessed"), keys)
    assert ledger.match(b"smpp1", [b"likely", b"guessed"]) == 8
    assert ledger.match(b"smpp2", [b"likely", b"guessed"]) == 7


def test_a_connector_of_two_groups_has_the_siblings_of_both() -> None:
    ledger = Ledger()
    ledger.cluster([["smpp1", "smpp2"], ["smpp1", "smpp3"]])
    ledger.add(7, waits(b"1", connector=b"smpp2"), keys)
    ledger.add(8, waits(b"2", connector=b"smpp3"), keys)
    assert [ledger.match(b"smpp1", [id]) for id in (b"1", b"2")] == [7, 8]
    assert ledger.match(b"smpp2", [b"2"]) is None


def test_a_connector_and_those_that_its_receipts_may_come_by_are_one_cluster() -> None:
    ledger = clustered()
    found = [ledger.cluster_of(name) for name in (b"smpp2", b"smpp3", b"unknown")]
    assert found == [(b"smpp2", b"smpp1"), (b"smpp3",), (b"unknown",)]


def test_groups_can_be_drawn_anew() -> None:
    ledger = clustered()
    ledger.add(7, waits(b"1"), keys)
    ledger.cluster([["smpp1"], ["smpp2"]])
    assert ledger.match(b"smpp2", [b"1"]) is None
    assert ledger.match(b"smpp1", [b"1"]) == 7


def test_an_id_that_the_upstream_uses_again_means_the_newer_message() -> None:
    ledger = Ledger()
    old = waits(b"1")
    ledger.add(7, old, keys)
    ledger.add(8, waits(b"1"), keys)
    assert ledger.match(b"smpp1", [b"1"]) == 8
    ledger.remove(7, old, keys)
    assert ledger.match(b"smpp1", [b"1"]) == 8
    ledger.remove(8, waits(b"1"), keys)
    assert is_empty(ledger)


def test_a_final_state_ends_a_message() -> None:
    ledger = Ledger()
    ledger.add(7, waits(b"1"), keys)
    assert part(ledger, 7, UNDELIVERABLE, [b"1"]) == (UNDELIVERABLE, None)
    assert is_empty(ledger)


@pytest.mark.parametrize("state", [ENROUTE, ACCEPTED, MessageState.SCHEDULED])
def test_an_intermediate_state_leaves_it_waiting(state: MessageState) -> None:
    ledger = Ledger()
    record = ledger.add(7, waits(b"1"), keys)
    assert part(ledger, 7, state, [b"1"]) == (state, record)
    assert ledger.match(b"smpp1", [b"1"]) == 7
    assert part(ledger, 7, DELIVERED, [b"1"]) == (DELIVERED, None)


@pytest.mark.parametrize("order", list(permutations([b"1", b"2", b"3"])))
def test_segments_are_gathered_into_one_state(order: tuple[bytes, ...]) -> None:
    ledger = Ledger()
    ledger.add(7, waits(b"1", b"2", b"3"), keys)
    for id in order[:2]:
        assert ledger.match(b"smpp1", [id]) == 7
        whole, record = part(ledger, 7, DELIVERED, [id])
        assert whole == 0
        assert record == ledger.waiting[7]
        assert dict(parts(ledger, 7))[id] == DELIVERED
    assert part(ledger, 7, EXPIRED, [order[2]]) == (EXPIRED, None)
    assert is_empty(ledger)


def test_a_segment_does_not_leave_its_final_state() -> None:
    ledger = Ledger()
    ledger.add(7, waits(b"1", b"2"), keys)
    part(ledger, 7, UNDELIVERABLE, [b"1"])
    part(ledger, 7, DELIVERED, [b"1"])
    assert parts(ledger, 7) == ((b"1", UNDELIVERABLE), (b"2", 0))
    assert part(ledger, 7, DELIVERED, [b"2"]) == (UNDELIVERABLE, None)


def test_an_intermediate_state_of_one_segment_is_told() -> None:
    ledger = Ledger()
    ledger.add(7, waits(b"1", b"2"), keys)
    whole, record = part(ledger, 7, ACCEPTED, [b"2"])
    assert (parts(ledger, 7), whole) == (((b"1", 0), (b"2", ACCEPTED)), ACCEPTED)
    assert record == ledger.waiting[7]


def test_segments_that_share_an_id_end_together() -> None:
    ledger = Ledger()
    ledger.add(7, waits(b"1", b"1"), keys)
    assert part(ledger, 7, DELIVERED, [b"1"]) == (DELIVERED, None)
    assert is_empty(ledger)


def test_a_message_without_an_upstream_id_is_found_by_none_and_leaves_nothing() -> None:
    ledger = Ledger()
    ledger.add(7, waits(b""), keys)
    assert ledger.match(b"smpp1", [b""]) is None
    ledger.remove(7, waits(b""), keys)
    assert is_empty(ledger)


def test_after_a_restart_receipts_find_their_messages() -> None:
    before, after = clustered(), clustered()
    before.add(7, waits(b"0A", b"0B"), keys)
    _, record = part(before, 7, DELIVERED, [b"a"])
    assert record is not None
    after.restore(7, record, {b"smpp1": keys}, lambda id: (id,))
    assert after.match(b"smpp1", [b"a"]) is None
    assert after.match(b"smpp2", [b"b"]) == 7
    assert part(after, 7, DELIVERED, [b"b"]) == (DELIVERED, None)
    assert is_empty(after)


def test_a_connector_that_is_gone_after_a_restart_has_the_usual_form_of_ids() -> None:
    ledger = Ledger()
    ledger.restore(7, waits(b"0A").pack(), {b"smpp2": keys}, lambda id: (b"usual",))
    assert ledger.match(b"smpp1", [b"usual"]) == 7


def test_a_changed_form_of_ids_leaves_no_message_to_be_found_that_is_gone() -> None:
    ledger = Ledger()
    ledger.add(7, waits(b"10"), keys)
    ledger.remove(7, waits(b"10"), lambda id: (b"16",))
    assert ledger.match(b"smpp1", [b"10"]) is None
    assert is_empty(ledger)


def test_what_is_found_by_another_spelling_than_its_own_ends_too() -> None:
    ledger = Ledger()
    ledger.add(7, waits(b"10"), lambda id: (b"16",))
    assert ledger.part(7, waits(b"10"), DELIVERED, [b"10"], lambda id: (b"16",)) == (DELIVERED, None)
    assert is_empty(ledger)


def test_after_a_restart_the_order_is_that_of_sending() -> None:
    ledger = Ledger()
    sent = {1: NOW + 100, 2: 0.0, 3: NOW + 50}
    for number, late in sent.items():
        id = Ids(0).mint(NOW + number)
        ledger.restore(id, waits(b"%d" % number)._replace(sent=late).pack(), {}, keys)
    ledger.restored()
    assert [Waiting.unpack(record).parts[0][0] for record in ledger.waiting.values()] == [b"2", b"3", b"1"]


def test_the_oldest_waits_first() -> None:
    ledger = Ledger()
    for id in (3, 5, 9):
        ledger.add(id, waits(b"%d" % id, b"%d0" % id), keys)
    part(ledger, 3, DELIVERED, [b"3"])
    assert list(ledger.waiting) == [3, 5, 9]


class Traffic(RuleBasedStateMachine):
    """Messages sent and receipted in any order, with ids that come again."""

    sent = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = clustered()
        self.count = 0

    @rule(
        target=sent, connector=st.sampled_from([b"smpp1", b"smpp2", b"smpp3"]),
        upstream=st.lists(st.sampled_from([b"1", b"01", b"2", b"A", b"a", b""]), min_size=1, max_size=3),
    )  # fmt: skip
    def send(self, connector: bytes, upstream: list[bytes]) -> tuple[bytes, list[bytes]]:
        self.count += 1
        waiting = waits(*upstream, connector=connector)
        assert self.ledger.add(self.count, waiting, keys) == waiting.pack()
        for id in filter(None, upstream):
            assert self.ledger.match(connector, keys(id)) == self.count
        return connector, upstream

    @rule(message=sent, state=st.sampled_from(MessageState), at=st.integers(0, 2))
    def report(self, message: tuple[bytes, list[bytes]], state: MessageState, at: int) -> None:
        connector, upstream = message
        spellings = keys(upstream[at % len(upstream)])
        id = self.ledger.match(connector, spellings)
        if id is None:
            return
        whole, record = part(self.ledger, id, state, spellings)
        assert (record is None) == (id not in self.ledger.waiting)
        assert whole in FINAL_STATES if record is None else whole not in FINAL_STATES

    @rule(message=sent)
    def end(self, message: tuple[bytes, list[bytes]]) -> None:
        connector, upstream = message
        id = self.ledger.match(connector, keys(upstream[0]))
        if id is not None:
            self.ledger.remove(id, Waiting.unpack(self.ledger.waiting[id]), keys)

    @rule(target=sent)
    def restart(self) -> object:
        after = clustered()
        for id, record in self.ledger.waiting.items():
            after.restore(id, record, {}, keys)
        assert after.waiting == self.ledger.waiting
        self.ledger = after
        return multiple()

    @invariant()
    def every_entry_leads_to_a_message_that_waits(self) -> None:
        assert set(self.ledger._by_upstream.values()) <= self.ledger.waiting.keys()

    def teardown(self) -> None:
        for id, record in list(self.ledger.waiting.items()):
            self.ledger.remove(id, Waiting.unpack(record), keys)
        assert is_empty(self.ledger)


TestTraffic = Traffic.TestCase


@given(st.lists(st.sampled_from(MessageState), min_size=1))
def test_a_message_is_delivered_when_every_segment_is(states: list[MessageState]) -> None:
    whole = overall(states)
    assert (whole == DELIVERED) == all(state == DELIVERED for state in states)
    assert (whole in FINAL_STATES) == all(state in FINAL_STATES for state in states)
    assert whole in {*states, ENROUTE}


FINAL_ONES = sorted(FINAL_STATES)
NOT_FINAL = sorted(set(MessageState) - FINAL_STATES)


@pytest.mark.parametrize(
    ("registered_delivery", "asked"),
    [
        (0x00, set()),
        (0x01, set(FINAL_ONES)),
        (0x02, set(FINAL_ONES) - {DELIVERED}),
        (0x03, {DELIVERED}),
        (0x10, set(NOT_FINAL)),
        (0x11, set(MessageState)),
        (0x12, set(MessageState) - {DELIVERED}),
        (0x13, {DELIVERED, *NOT_FINAL}),
        (0x0C, set()),  # acknowledgements of the handset's user: another matter
        (0xE1, set(FINAL_ONES)),  # reserved bits
    ],
)
def test_an_esme_hears_of_the_states_that_it_asked_for(registered_delivery: int, asked: set[MessageState]) -> None:
    assert {state for state in MessageState if wanted(registered_delivery, state)} == asked
