"""Sender pools in the config: what they become, and what is wrong with one, in words."""

from typing import Any

import pytest

from routing.senders import Pool
from smppgw.config import Config, ConfigError, parse, warnings
from smppgw.senders import never_chosen, owners


def config(senders: dict[str, Any], *, route: str = "", **tables: Any) -> dict[str, Any]:
    return {
        "accounts": {"demo": {"password": "secret"}, "other": {"password": "secret"}},
        "connectors": {"up": {"host": "a", "port": 2775, "system_id": "us", "password": "x"}},
        "routes": [{"name": "all", "to": "up", "senders": route or next(iter(senders), "")}],
        "senders": senders,
        **tables,
    }


def of(*members: Any, **keys: Any) -> dict[str, Any]:
    return {"bank": {"members": list(members), **keys}}


def refused(senders: dict[str, Any], **more: Any) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        parse(config(senders, **more))
    return {problem.path: f"{problem.wrong}; {problem.fix}" for problem in caught.value.problems}


def pool(*members: Any, **keys: Any) -> Pool:
    return parse(config(of(*members, **keys))).senders["bank"].pool()


def warned(read: Config) -> dict[str, str]:
    return {warning.path: warning.wrong for warning in warnings(read)}


# What is read


def test_a_string_is_a_member_and_a_table_says_more() -> None:
    made = pool("+81312345678", {"value": "12345", "countries": ["JP"], "weight": 3, "ton": 0, "npi": 1}, "BANK")
    found: dict[bytes, tuple[Any, ...]] = {
        each.address: (each.sender.kind, each.sender.countries, each.weight, each.ton, each.npi)
        for each in made.members
    }
    assert found == {
        b"81312345678": ("long", set(), 1, 1, 1),
        b"12345": ("short_code", {"JP"}, 3, 0, 1),
        b"BANK": ("alphanumeric", set(), 1, 5, 0),
    }


def test_all_keys_of_a_pool_arrive() -> None:
    made = pool(
        "+81312345678", "+81312345679", "BANK", sticky=False, order=["alphanumeric", "local"], area_codes=True,
        rules={"GB": [], "US": ["other"]}, country_code="81", account="demo",
    )  # fmt: skip
    assert (made.name, made.account, made.sticky) == (b"bank", "demo", False)
    first = [(member.address if (member := made.choose(number, 1)) else None) for number in (b"8190", b"44", b"33")]
    assert first == [b"BANK", None, b"BANK"]
    american = {member.address for n in range(4) if (member := made.choose(b"1212555010%d" % n, 1))}
    assert american == {b"81312345678", b"81312345679"}
    assert b"0312345678" in set(made.addresses())


def test_mo_messages_go_to_the_account_of_the_pool_by_any_spelling() -> None:
    owned = pool("+81312345678", "BANK", country_code="81", account="demo")
    assert owners([owned, pool("+442079460000")]) == dict.fromkeys(
        (b"81312345678", b"+81312345678", b"0312345678", b"BANK"), "demo"
    )


# What is wrong


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("0312345678", "'0312345678' is no number; write a number with its country code"),
        ("+99912345678", "starts with no country code; write a number with its country code"),
        ("+8131", "'+8131' is no number"),
        ("8131234567890123", "is no number"),
        ("12345", "the short code '12345' has no country; name where it works"),
        ({"value": "123456789", "kind": "short_code", "countries": ["JP"]}, "a short code has 2 to 8 digits"),
        ({"value": "12345678", "kind": "alphanumeric"}, "a name has 1 to 11 characters"),
        ("", "'' is no alphanumeric sender"),
        ("MORE THAN ELEVEN", "a name has 1 to 11 characters of ASCII"),
        ("naïve", "a name has 1 to 11 characters of ASCII"),
        ({"value": "BANK", "countries": ["JP"], "not_to": ["JP", "US"]}, "'BANK' serves no country"),
    ],
)
def test_a_member_that_cannot_be_used_is_explained(member: Any, words: str) -> None:
    assert words in refused(of("+442079460000", member))["senders.bank.members[1]"]


@pytest.mark.parametrize(
    ("keys", "path", "words"),
    [
        ({"members": []}, "members", "is empty"),
        ({"members": ["B", {"value": "A", "countries": ["UK"]}]}, "members[1].countries[0]", "'UK' is not a country"),
        ({"members": [{"value": "A", "kind": "name"}]}, "members[0].kind", "'name' is not known; one of"),
        ({"members": [{"value": "A", "weight": 0}]}, "members[0].weight", "must be at least 1"),
        ({"members": [{"number": "A"}]}, "members[0].number", "unknown key; known are:"),
        ({"members": ["+81312345678", "81312345678"]}, "", "'81312345678' is a member twice"),
        ({"members": ["bank"]}, "", "a member has the name of its pool"),
        ({"rules": {"EU": ["local"]}}, "rules.EU", "'EU' is not a country"),
        ({"rules": {"US": ["locals"]}}, "rules.US[0]", "'locals' is not known"),
        ({"order": ["local", "other", "local"]}, "order", "something is named twice"),
        ({"order": []}, "order", "is empty"),
        ({"country_code": "999"}, "country_code", "'999' is not a country code"),
        ({"account": "demi"}, "account", "there is no account 'demi'; did you mean 'demo'?"),
        ({"stiky": True}, "stiky", "did you mean 'sticky'?"),
        ({"name": "x"}, "name", "unknown key; the table's own name is its name"),
    ],
)  # fmt: skip
def test_every_mistake_has_its_place(keys: dict[str, Any], path: str, words: str) -> None:
    assert (
        words in refused(of("A", "B") | {"bank": {"members": ["A", "B"], **keys}})[f"senders.bank.{path}".rstrip(".")]
    )


def test_the_name_of_a_pool_fits_into_a_source_address() -> None:
    assert "has 21 octets; at most 20" in refused({"a" * 21: {"members": ["A"]}})[f"senders.{'a' * 21}.name"]


def test_a_route_names_a_pool_that_there_is() -> None:
    words = refused(of("A"), route="bang")
    assert words == {"routes[0].senders": "there is no sender pool 'bang'; did you mean 'bank'?"}


def test_a_sender_is_of_one_account() -> None:
    pools = of("A", "B", account="demo") | {"shop": {"members": ["B"], "account": "other"}}
    assert refused(pools) == {
        "senders.shop.members[0]": "MO messages to 'B' go to 'demo' by senders.bank; name the same account, or none"
    }
    assert parse(config(of("A", "B", account="demo") | {"shop": {"members": ["B"]}}, route="shop"))


def test_members_that_are_all_wrong_are_not_called_none() -> None:
    assert list(refused(of("0", "12345"))) == ["senders.bank.members[0]", "senders.bank.members[1]"]


# What is probably not meant


def test_a_pool_that_nothing_uses_is_warned_of() -> None:
    pools = of("A") | {"unused": {"members": ["B"]}, "mo": {"members": ["C"], "account": "demo"}}
    assert warned(parse(config(pools))) == {"senders.unused": "no route uses it"}


def test_a_member_that_is_never_chosen_is_warned_of() -> None:
    assert never_chosen(pool("BANK", "+442079460000", {"value": "12345", "countries": ["JP"]})) == set()
    always = pool("BANK", "+442079460000", rules={"US": ["alphanumeric"], "CA": ["alphanumeric"]})
    assert never_chosen(always) == {"+442079460000"}
    ordered = parse(config(of("BANK", {"value": "SHOP", "countries": ["US", "CA"]})))
    assert warned(ordered) == {
        "senders.bank.members[1]": "'SHOP' is never chosen: others go before it wherever it works"
    }
