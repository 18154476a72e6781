"""Routes send a message where Kannel would: to those that prefer it, else to any that lets it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.rules import compile_patterns
from smppgw.kannel.connectors import links
from smppgw.kannel.model import Smsc
from smppgw.kannel.routes import Router, Selector, exactly


def smsc(id: str, **more: Any) -> Smsc:
    base: dict[str, Any] = {"host": "h", "port": 1, "smsc_username": "u", "smsc_password": "p", "system_type": ""}
    return Smsc(smsc="smpp", smsc_id=id, transceiver_mode=True, **base, **more)


def routed(*smscs: Smsc, for_: str | None = None) -> Router:
    found, _ = links(smscs)
    router = Router(found)
    router.add(Selector("all", for_, {}))
    return router


def first(router: Router, number: str) -> Mapping[str, Any] | None:
    """The route that a message to that number takes."""
    for route in router.routes:
        patterns = route.get("match", {}).get("destination")
        if patterns is None or compile_patterns(patterns)(number.encode()):
            return route
    return None


def connectors(router: Router, target: str) -> set[str]:
    return set(router.groups[target]["active"]) if target in router.groups else {target}


def sent(router: Router, number: str) -> tuple[set[str], set[str]]:
    """To which connectors, and to which others while none of those is bound."""
    route = first(router, number)
    if route is None:
        return set(), set()
    fallback = {name for target in route.get("fallback", ()) for name in connectors(router, target)}
    return connectors(router, route["to"]), fallback


def test_without_any_rule_all_share_the_load() -> None:
    router = routed(smsc("a"), smsc("b"))
    assert router.groups == {"a+b": {"active": ["a", "b"]}}
    assert router.routes == [{"name": "all", "to": "a+b"}]


def test_an_allowed_prefix_keeps_all_other_numbers_away() -> None:
    router = routed(smsc("a", allowed_prefix=("+44", "0044")))
    assert sent(router, "447911") == sent(router, "+447911") == ({"a"}, set())
    assert sent(router, "49") == (set(), set())
    assert sent(router, "004479") == ({"a"}, set())


def test_a_denied_prefix_has_no_route_at_all() -> None:
    router = routed(smsc("a", denied_prefix=("49", "4471")))
    assert [sent(router, number)[0] for number in ("49151", "+49151", "4471", "447", "4", "5")] == [
        set(),
        set(),
        set(),
        {"a"},
        {"a"},
        {"a"},
    ]


def test_who_prefers_a_number_gets_it_and_the_others_stand_in() -> None:
    router = routed(smsc("a", preferred_prefix=("447",)), smsc("b"))
    assert sent(router, "+447911") == ({"a"}, {"b"})
    assert sent(router, "448") == ({"a", "b"}, set())


def test_a_message_for_an_id_goes_where_that_is_allowed() -> None:
    smscs = (smsc("a", allowed_smsc_id=("x",)), smsc("b", denied_smsc_id=("x",)), smsc("c", preferred_smsc_id=("x",)))
    assert sent(routed(*smscs, for_="x"), "1") == ({"c"}, {"a"})
    assert sent(routed(*smscs, for_="y"), "1") == ({"b", "c"}, set())
    assert sent(routed(*smscs), "1") == ({"b", "c"}, set())


def test_ids_may_be_expressions() -> None:
    smscs = (smsc("a", allowed_smsc_id_regex="^x"), smsc("b", denied_smsc_id_regex="^x"))
    assert sent(routed(*smscs, for_="x1"), "1") == ({"a"}, set())
    assert sent(routed(*smscs), "1") == ({"b"}, set())


def test_prefixes_may_be_expressions() -> None:
    smscs = (smsc("a", allowed_prefix_regex=r"^\+?44[0-9]{2}$"), smsc("b", denied_prefix_regex="9$"))
    router = routed(*smscs)
    assert sent(router, "4471") == sent(router, "+4471") == ({"a", "b"}, set())
    assert sent(router, "4479") == ({"a"}, set())
    assert sent(router, "49") == (set(), set())
    assert sent(router, "48") == ({"b"}, set())


def test_one_id_with_a_link_for_each_way_is_one_target() -> None:
    send, receive = smsc("a"), smsc("a", receive_port=1)
    router = routed(
        Smsc(smsc="smpp", smsc_id="a", host="h", port=1),
        Smsc(smsc="smpp", smsc_id="a", host="h", receive_port=1),
        smsc("b"),
    )
    assert send.smpp_ports == receive.smpp_ports
    assert router.groups["a"] == {"active": ["a-tx", "a-rx"]}
    assert router.groups["a-tx+b"] == {"active": ["a-tx", "a-rx", "b"]}


def test_numbers_that_are_named_get_a_route_each_for_where_they_go() -> None:
    found, _ = links([smsc("a", denied_prefix=("49",)), smsc("b")])
    router = Router(found)
    router.add(Selector("to x", "x", {}, ("4911", "+4412")))
    assert router.routes == [
        {"name": "to x 4911", "to": "b", "match": {"destination": ["4911", "+4911"]}},
        {"name": "to x 4412", "to": "a+b", "match": {"destination": ["4412", "+4412"]}},
    ]


PREFIXES = st.lists(st.text("12", min_size=1, max_size=3), max_size=3).map(tuple)
REGEXES = st.none() | st.sampled_from(["^1", "2$", "12", "^2.$"])
SMSCS = st.lists(
    st.builds(
        smsc,
        st.just(""),
        allowed_prefix=PREFIXES,
        denied_prefix=PREFIXES,
        preferred_prefix=PREFIXES,
        allowed_smsc_id=st.sampled_from([(), ("x",), ("x", "y")]),
        denied_smsc_id=st.sampled_from([(), ("x",)]),
        preferred_smsc_id=st.sampled_from([(), ("x",)]),
    ),
    min_size=1,
    max_size=4,
)


def usable(each: Smsc, id: str | None, number: str) -> int:
    """As smscconn_usable of Kannel decides: -1 it may not, 0 it may, 1 it is to."""

    def begins(prefixes: tuple[str, ...]) -> bool:
        return any(number.startswith(prefix) for prefix in prefixes)

    def has(regex: str | None) -> bool:
        return regex is not None and re.search(regex, number) is not None

    refused = (
        each.allowed_smsc_id and id not in each.allowed_smsc_id,
        not each.allowed_smsc_id and id is not None and id in each.denied_smsc_id,
        _denied(
            bool(each.allowed_prefix), begins(each.allowed_prefix), bool(each.denied_prefix), begins(each.denied_prefix)
        ),
        _denied(
            each.allowed_prefix_regex is not None,
            has(each.allowed_prefix_regex),
            each.denied_prefix_regex is not None,
            has(each.denied_prefix_regex),
        ),
    )
    if any(refused):
        return -1
    wanted = id is not None and id in each.preferred_smsc_id
    return int(wanted or begins(each.preferred_prefix) or has(each.preferred_prefix_regex))


def _denied(some_allowed: bool, allowed: bool, some_denied: bool, denied: bool) -> bool:
    if some_allowed and some_denied:
        return denied and not allowed
    return not allowed if some_allowed else denied


def kannel(smscs: list[Smsc], id: str | None, number: str) -> tuple[set[str], set[str]]:
    found = {each.id: usable(each, id, number) for each in smscs}
    preferred = {name for name, answer in found.items() if answer == 1}
    others = {name for name, answer in found.items() if answer == 0}
    return (preferred, others) if preferred else (others, set())


def named(smscs: list[Smsc]) -> list[Smsc]:
    return [replace(each, smsc_id=f"smsc{number}") for number, each in enumerate(smscs)]


@given(SMSCS, st.sampled_from([None, "x", "y"]), st.lists(st.text("123", max_size=4), min_size=1, max_size=20))
def test_every_number_goes_where_kannel_sends_it(smscs: list[Smsc], id: str | None, numbers: list[str]) -> None:
    smscs = named(smscs)
    router = routed(*smscs, for_=id)
    for number in numbers:
        assert sent(router, number) == kannel(smscs, id, number)
        assert sent(router, f"+{number}") == kannel(smscs, id, number)


@given(SMSCS, st.data())
def test_expressions_send_it_there_too(smscs: list[Smsc], data: st.DataObject) -> None:
    smscs = [
        replace(
            each,
            allowed_prefix_regex=data.draw(REGEXES),
            denied_prefix_regex=data.draw(REGEXES),
            preferred_prefix_regex=data.draw(REGEXES),
        )
        for each in named(smscs)
    ]
    router = routed(*smscs)
    if len(router.regexes) > 4:
        return
    for number in data.draw(st.lists(st.text("123", max_size=4), min_size=1, max_size=20)):
        assert sent(router, number) == kannel(smscs, None, number)


@pytest.mark.parametrize("ids", [("a", "a+b", "b"), ("a", "a-1", "a")])
def test_a_group_never_takes_the_name_of_a_connector(ids: tuple[str, ...]) -> None:
    router = routed(*(smsc(id, priority=n) for n, id in enumerate(ids)))
    found, _ = links([smsc(id, priority=n) for n, id in enumerate(ids)])
    names = [link.name for each in found.values() for link in each]
    assert len(set(names)) == len(ids)
    assert not set(names) & router.groups.keys()


def test_an_address_that_looks_like_a_pattern_is_itself_alone() -> None:
    router = routed(smsc("a", allowed_prefix=("4*", "re:x")))
    assert [sent(router, number)[0] for number in ("4*1", "+4*1", "41", "re:xy", "x")] == [
        {"a"},
        {"a"},
        set(),
        {"a"},
        set(),
    ]
    assert [exactly(number) for number in ("*1", "re:1", "+1")] == [r"re:^\*1\Z", r"re:^re:1\Z", "+1"]
