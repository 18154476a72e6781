"""A pool gives every message the best sender for its destination, and a handset the same one again."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.senders import ORDER, Class, Pool, Sender, kind_of

JP, US, CA, GB, NOWHERE = b"819012345678", b"12125550100", b"14165550100", b"447700900001", b"9999"


def senders(*values: str, **more: Any) -> list[Sender]:
    return [Sender(value, kind_of(value), **more) for value in values]


def short(value: str, *countries: str, **more: Any) -> Sender:
    return Sender(value, "short_code", frozenset(countries), **more)


def pool(*members: Sender, **keys: Any) -> Pool:
    return Pool("pool", members, **keys)


def chosen(pool: Pool, destination: bytes, ton: int = 1, part: bytes = b"") -> bytes | None:
    member = pool.choose(destination, ton, part)
    return member.address if member is not None else None


def spread(pool: Pool, count: int, prefix: bytes = b"8190") -> Counter[bytes | None]:
    return Counter(chosen(pool, prefix + b"%08d" % n) for n in range(count))


# What senders look like


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("12345", "short_code"), ("123456", "short_code"), ("1234567", "long"), ("+81312345678", "long"),
        ("+123", "long"), ("BANK", "alphanumeric"), ("4 you", "alphanumeric"), ("+BANK", "alphanumeric"),
    ],
)  # fmt: skip
def test_a_sender_is_what_it_looks_like(value: str, kind: str) -> None:
    assert kind_of(value) == kind


def test_each_kind_has_its_own_type_of_number() -> None:
    everything = pool(short("12345", "JP"), *senders("BANK", "+81312345678"))
    assert {member.address: (member.ton, member.npi) for member in everything.members} == {
        b"12345": (3, 0), b"BANK": (5, 0), b"81312345678": (1, 1),
    }  # fmt: skip
    other = pool(short("12345", "JP", ton=0, npi=1))
    assert [(member.ton, member.npi) for member in other.members] == [(0, 1)]


# Classes

ALL = (short("12345", "JP"), *senders("BANK", "+81312345678", "+12125550123", "+442079460000"))


@pytest.mark.parametrize(
    ("gone", "best"),
    [
        ((), {b"12345"}),
        (("12345",), {b"BANK"}),
        (("12345", "BANK"), {b"81312345678"}),
        (("12345", "BANK", "+81312345678"), {b"12125550123", b"442079460000"}),
    ],
)
def test_a_short_code_goes_before_a_name_before_a_local_number_before_others(
    gone: Sequence[str], best: set[bytes]
) -> None:
    assert set(spread(pool(*(sender for sender in ALL if sender.value not in gone)), 50)) == best


def test_a_short_code_serves_its_own_countries_only() -> None:
    assert chosen(pool(short("12345", "JP", "GB")), GB) == b"12345"
    assert chosen(pool(short("12345", "JP", "GB")), US) is None


def test_names_are_not_used_where_networks_drop_them() -> None:
    named = pool(*senders("BANK", "+442079460000"))
    assert [chosen(named, number) for number in (JP, US, CA)] == [b"BANK", b"442079460000", b"442079460000"]


def test_rules_say_which_classes_a_country_gets_and_in_which_order() -> None:
    rules: dict[str, tuple[Class, ...]] = {"JP": ("local", "short_code"), "US": ("alphanumeric",), "GB": ()}
    ruled = pool(*ALL, rules=rules)
    assert [chosen(ruled, number) for number in (JP, US, GB, CA)] == [b"81312345678", b"BANK", None, chosen(ruled, CA)]
    assert chosen(ruled, CA) in {b"81312345678", b"12125550123", b"442079460000"}


def test_the_order_of_a_pool_is_that_of_all_countries_without_a_rule() -> None:
    ordered = pool(*ALL, order=("local", "alphanumeric"))
    assert [chosen(ordered, number) for number in (JP, US, CA)] == [b"81312345678", b"12125550123", None]


def test_a_sender_that_must_not_go_somewhere_does_not() -> None:
    home, away = Sender("+12125550123", "long", not_to=frozenset(("CA",))), Sender("+442079460000", "long")
    assert [chosen(pool(home, away), number) for number in (US, CA)] == [b"12125550123", b"442079460000"]


def test_a_sender_with_countries_serves_only_those() -> None:
    only = pool(Sender("BANK", "alphanumeric", frozenset(("JP",))))
    assert [chosen(only, number) for number in (JP, GB, NOWHERE)] == [b"BANK", None, None]


def test_what_is_no_number_of_a_country_gets_a_sender_that_serves_everybody() -> None:
    everything = pool(*ALL)
    assert [chosen(everything, each) for each in (NOWHERE, b"sim-1", b"")] == [b"BANK"] * 3


@pytest.mark.parametrize(
    ("destination", "ton"),
    [(b"819012345678", 1), (b"+819012345678", 0), (b"09012345678", 0), (b"090-1234-5678", 2), (b"9012345678", 2)],
)
def test_every_spelling_of_a_number_gets_the_same_sender(destination: bytes, ton: int) -> None:
    numbers = senders(*(f"+8131234567{n}" for n in range(8)), "+12125550123")
    home = pool(*numbers, country_code="81")
    assert chosen(home, destination, ton) == chosen(home, JP)


# Area codes


def test_the_area_code_of_the_destination_goes_before_other_local_numbers() -> None:
    numbers = senders("+12125550123", "+13105550123", "+13105550124", "+14165550123")
    near = pool(*numbers, area_codes=True)
    assert set(spread(near, 50, b"1310")) == {b"13105550123", b"13105550124"}
    assert chosen(near, US) == b"12125550123"
    assert chosen(near, b"14165550100") == b"14165550123"
    assert set(spread(near, 99, b"1415")) == {b"12125550123", b"13105550123", b"13105550124"}
    assert len(set(spread(pool(*numbers), 99, b"1310"))) == 3


# Sticky

NUMBERS = st.sets(st.integers(10_000_000, 99_999_999), min_size=1, max_size=12)
DESTINATIONS = st.integers(0, 10**8 - 1).map(lambda n: b"8190%08d" % n)


@st.composite
def weighted(draw: st.DrawFn) -> list[Sender]:
    numbers = draw(NUMBERS)
    return [Sender(f"+813{n}", "long", weight=draw(st.integers(1, 5))) for n in sorted(numbers)]


@given(weighted(), DESTINATIONS, st.randoms())
def test_a_destination_gets_the_same_sender_from_any_pool_of_the_same_senders(
    members: list[Sender], destination: bytes, chance: Any
) -> None:
    first = pool(*members)
    once = chosen(first, destination)
    chance.shuffle(members)
    assert once == chosen(first, destination) == chosen(pool(*members), destination)


@given(weighted(), st.integers(0, 11), st.lists(DESTINATIONS, max_size=30))
def test_a_sender_that_goes_moves_only_the_destinations_that_it_had(
    members: list[Sender], place: int, destinations: list[bytes]
) -> None:
    gone = members[place % len(members)]
    before, after = pool(*members), pool(*(member for member in members if member != gone))
    for destination in destinations:
        had = chosen(before, destination)
        if had != gone.address:
            assert chosen(after, destination) == had


@given(weighted(), st.integers(1, 9), st.lists(DESTINATIONS, max_size=30))
def test_a_sender_that_comes_or_gets_more_weight_takes_and_others_get_nothing(
    members: list[Sender], more: int, destinations: list[bytes]
) -> None:
    first, *rest = members
    heavier = Sender(first.value, "long", weight=first.weight + more)
    for wider in ([*members, Sender("+8130", "long", weight=more)], [heavier, *rest]):
        before, after = pool(*members), pool(*wider)
        taking = {b"8130", first.address} if heavier not in wider else {first.address}
        for destination in destinations:
            had, has = chosen(before, destination), chosen(after, destination)
            assert has == had or has in taking


@given(st.lists(st.integers(1, 5), min_size=2, max_size=6))
@settings(max_examples=20, deadline=None)
def test_weights_are_roughly_honoured(weights: list[int]) -> None:
    members = [Sender(f"+8131234000{n}", "long", weight=weight) for n, weight in enumerate(weights)]
    count = 4000
    got = spread(pool(*members), count)
    for member in members:
        expected = count * member.weight / sum(weights)
        assert abs(got[member.address] - expected) < 6 * expected**0.5


def test_the_choice_is_this_one_on_every_machine_and_in_every_version() -> None:
    plain = pool(*senders(*(f"+8131234567{n}" for n in range(8))))
    heavy = pool(*(Sender(f"+8131234567{n}", "long", weight=n + 1) for n in range(8)))
    numbers = [b"81901234567%d" % n for n in range(8)]
    assert bytes([(chosen(plain, number) or b"")[-1] for number in numbers]) == b"65655574"
    assert bytes([(chosen(heavy, number) or b"")[-1] for number in numbers]) == b"65655574"


# Not sticky


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(1, 100))
def test_the_least_used_sender_for_its_weight_is_taken(weights: list[int], count: int) -> None:
    members = [Sender(f"+8131234000{n}", "long", weight=weight) for n, weight in enumerate(weights)]
    turning = pool(*members, sticky=False)
    spread(turning, count)
    loads = [member.used / member.weight for member in turning.members]
    assert max(loads) - min(loads) <= 1
    assert sum(member.used for member in turning.members) == count


def test_what_a_sender_did_for_one_country_counts_in_another() -> None:
    everywhere, home = Sender("+442079460000", "long"), Sender("+442079460001", "long", frozenset(("GB",)))
    turning = pool(everywhere, home, sticky=False)
    assert spread(turning, 10) == {b"442079460000": 10}
    assert spread(turning, 12, b"4477") == {b"442079460001": 11, b"442079460000": 1}


@given(st.booleans(), st.binary(min_size=1, max_size=8), st.integers(2, 9), st.integers(0, 20))
def test_all_parts_of_a_message_get_the_same_sender(sticky: bool, part: bytes, total: int, others: int) -> None:
    mixed = pool(*senders(*(f"+8131234567{n}" for n in range(8))), sticky=sticky)
    found = set()
    for _ in range(total):
        found.add(chosen(mixed, JP, part=part))
        spread(mixed, others)
    assert len(found) == 1


# The whole


@given(st.sets(st.sampled_from(ALL)), st.sampled_from(("JP", "US", "CA", "GB")), st.permutations(ORDER), st.booleans())
def test_no_sender_of_a_better_class_is_passed_over(
    members: set[Sender], country: str, order: list[Class], sticky: bool
) -> None:
    some = pool(*members, rules={country: order}, sticky=sticky)
    member = some.choose({"JP": JP, "US": US, "CA": CA, "GB": GB}[country], 1)
    ranks = [order.index(each) for each in (sender.is_for(country) for sender in members) if each is not None]
    if member is None:
        assert not ranks
    else:
        assert order.index(member.sender.is_for(country) or "other") == min(ranks)


@given(st.binary(max_size=20), st.integers(0, 255), st.booleans(), st.booleans())
def test_junk_as_a_destination_is_no_trouble(destination: bytes, ton: int, sticky: bool, area_codes: bool) -> None:
    for members in (ALL, ()):
        some = pool(*members, sticky=sticky, area_codes=area_codes, country_code="81")
        assert (some.choose(destination, ton) in some.members) == bool(members)


def test_mo_messages_may_name_a_sender_in_any_spelling() -> None:
    home = pool(short("12345", "JP"), *senders("+81312345678"), country_code="81")
    assert set(home.addresses()) == {b"12345", b"81312345678", b"+81312345678", b"0312345678"}


# What people ask


@given(numbers=st.lists(st.integers(0, 10**8 - 1), min_size=1, max_size=30), sticky=st.booleans())
def test_what_a_pool_would_choose_it_chooses_next_and_to_ask_counts_nothing(numbers: list[int], sticky: bool) -> None:
    some = pool(*senders("12125550101", "12125550102", "12125550103"), sticky=sticky)
    for number in numbers:
        destination = b"1917%07d" % (number % 10**7)
        foreseen = some.peek(destination, 1)
        assert foreseen is some.peek(destination, 1)
        used = sum(member.used for member in some.members)
        found = some.choose(destination, 1)
        assert sum(member.used for member in some.members) == used + 1
        assert found is not None
        assert foreseen is not None
        if sticky:
            assert found is foreseen
        else:
            assert found.used - 1 == foreseen.used - (found is foreseen)


def test_a_pool_that_serves_nobody_there_would_choose_nobody() -> None:
    assert pool(short("12345", "JP")).peek(GB, 1) is None
