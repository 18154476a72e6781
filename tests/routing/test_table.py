"""The first route that matches is taken, and the table can say why."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.message import Message
from routing.rules import Incoming, Match, MoMatch, compile_match
from routing.senders import Pool, Sender
from routing.table import MoTable, Route, Table, Tried


@dataclass
class Rule:
    name: str
    to: str
    match: Match = field(default_factory=Match)
    fallback: tuple[str, ...] = ()


@dataclass
class MoRule:
    account: str
    match: MoMatch = field(default_factory=MoMatch)


def message(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "id": 1, "account": "demo", "body": b"", "source": b"MyBank", "destination": b"819012345678",
        "service_type": b"", "esm_class": 0, "data_coding": 0, "registered_delivery": 1, "born": 0.0, "expires": 1.0,
    }  # fmt: skip
    return Message(**(fields | changes))


TABLE = Table(
    [
        Rule("unicode", "a", Match(coding=[8])),
        Rule("japan", "b", Match(destination=["81*"]), ("a", "c")),
        Rule("also japan", "c", Match(destination=["81*"])),
        Rule("bank", "d", Match(account=["demo"], source=["re:^MyBank"])),
    ]
)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"data_coding": 8}, "unicode"),
        ({}, "japan"),
        ({"destination": b"1"}, "bank"),
        ({"destination": b"1", "account": "other"}, None),
    ],
)
def test_the_first_match_wins(changes: dict[str, Any], name: str | None) -> None:
    route = TABLE.choose(message(**changes))
    assert (route.name if route else None) == name


def test_a_route_names_its_targets_in_order() -> None:
    route = TABLE.choose(message())
    assert route == Route("japan", "b", ("a", "c"))
    assert route.targets == ("b", "a", "c")


def test_an_empty_table_routes_nothing() -> None:
    assert Table([]).choose(message()) is None
    assert MoTable([]).choose(Incoming("a", b"", b"")) is None


def test_explain_says_why_each_rule_failed_up_to_the_match() -> None:
    assert TABLE.explain(message()) == [Tried("unicode", "coding is not 8"), Tried("japan", "")]
    assert TABLE.explain(message(destination=b"1", account="other"))[-1] == Tried("bank", "account is not demo")


def test_only_messages_whose_way_depends_on_their_carrier_ask_for_it() -> None:
    table = Table(
        [
            Rule("bank", "a", Match(source=["MyBank"])),
            Rule("docomo", "b", Match(destination=["81*"], carrier=["docomo"])),
            Rule("japan", "c", Match(destination=["81*"])),
            Rule("au", "d", Match(carrier=["au"])),
        ],
        carrier_of=lambda number: "docomo",
    )
    assert not table.asks_carrier(message())
    assert table.asks_carrier(message(source=b"1"))
    assert table.asks_carrier(message(source=b"1", destination=b"44"))
    route = table.choose(message(source=b"1"))
    assert route is not None
    assert route.name == "docomo"
    assert table.explain(message(source=b"1", destination=b"44"))[-1] == Tried("au", "carrier is not au")


def test_a_table_without_carriers_never_asks_for_them() -> None:
    assert not TABLE.asks_carrier(message())
    assert not Table([]).asks_carrier(message())


def test_thousands_of_rules_are_fine() -> None:
    table = Table([Rule(str(n), "a", Match(destination=[str(n)])) for n in range(5000)])
    route = table.choose(message(destination=b"4999"))
    assert route is not None
    assert route.name == "4999"


def test_an_incoming_message_gets_the_account_of_the_first_match() -> None:
    table = MoTable([MoRule("short", MoMatch(destination=["12345"])), MoRule("rest", MoMatch(connector=["smpp1"]))])
    assert table.choose(Incoming("smpp1", b"81", b"12345")) == "short"
    assert table.choose(Incoming("smpp1", b"81", b"1")) == "rest"
    assert table.choose(Incoming("smpp2", b"81", b"1")) is None
    assert table.explain(Incoming("smpp1", b"81", b"1")) == [
        Tried("short", "destination is not 12345"),
        Tried("rest", ""),
    ]


POOL = Pool("shop", [Sender("+81501234567", "long"), Sender("SHOP", "alphanumeric")])


def test_a_route_has_the_pool_that_goes_by_its_name() -> None:
    table = Table([Rule("a", "x"), Rule("b", "x")], pools={"b": POOL})
    assert [route.pool for route in table.routes] == [None, POOL]


@pytest.mark.parametrize(
    ("source", "name"),
    [(b"shop", "pooled"), (b"", "pooled"), (b"81501234567", "pooled"), (b"SHOP", "pooled"), (b"+81501234567", "rest")],
)
def test_a_route_that_asks_for_the_source_takes_those_that_its_pool_gave(source: bytes, name: str) -> None:
    rules = [Rule("pooled", "x", Match(source=["shop", "re:^$"], account=["demo"])), Rule("rest", "y")]
    asked = message(source=source)
    route = Table(rules, pools={"pooled": POOL}).choose(asked)
    assert route is not None
    assert route.name == name
    assert Table(rules, pools={"pooled": POOL}).choose(message(source=source, account="other")) == Route("rest", "y")
    plain = Table(rules).choose(asked)
    assert plain == Route("pooled" if source in (b"", b"shop") else "rest", "x" if source in (b"", b"shop") else "y")


def test_a_table_says_that_the_senders_of_a_pool_count_as_its_source() -> None:
    rules = [Rule("pooled", "x", Match(source=["shop"]))]
    tried = Table(rules, pools={"pooled": POOL}).explain(message(source=b"1"))
    assert tried == [Tried("pooled", "source is not shop, senders of shop")]


def test_an_mo_message_that_no_rule_takes_goes_to_the_owner_of_its_destination() -> None:
    owners = {b"81501234567": "shop", b"12345": "shop"}
    table = MoTable([MoRule("demo", MoMatch(destination=["12345"], source=["44*"]))], owners)
    found = [table.choose(Incoming("c", *each)) for each in ((b"447", b"12345"), (b"33", b"12345"), (b"33", b"1234"))]
    assert found == ["demo", "shop", None]


patterns = st.lists(st.sampled_from(["81*", "8190", "8*", "1", "re:^8.9", "*", "re:0$"]), max_size=3)
matches = st.builds(
    Match,
    account=st.lists(st.sampled_from(["demo", "other"]), max_size=2),
    source=patterns,
    destination=patterns,
    coding=st.lists(st.sampled_from([0, 8]), max_size=2),
)


@given(
    st.lists(matches, max_size=6),
    st.sampled_from(["demo", "other"]),
    st.sampled_from([b"", b"1", b"8190", b"8290", b"81901"]),
    st.sampled_from([b"", b"1", b"8190", b"8290", b"81901"]),
    st.sampled_from([0, 8]),
)
def test_a_table_agrees_with_its_matches_asked_one_by_one(
    rules: list[Match], account: str, source: bytes, destination: bytes, coding: int
) -> None:
    asked = message(account=account, source=source, destination=destination, data_coding=coding)
    table = Table([Rule(str(n), "a", rule) for n, rule in enumerate(rules)])
    expected = next((str(n) for n, rule in enumerate(rules) if compile_match(rule)(asked)), None)
    route = table.choose(asked)
    assert (route.name if route else None) == expected
    failed = [tried.failed for tried in table.explain(asked)]
    assert ("" in failed) == (expected is not None)
