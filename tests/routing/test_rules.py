"""A match asks about a message exactly what it says."""

from typing import Any

import pytest

from routing.message import Message
from routing.rules import Incoming, Match, MoMatch, compile_match, compile_mo_match, compile_patterns, conditions


def message(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "id": 1, "account": "demo", "body": b"body", "source": b"MyBank", "destination": b"819012345678",
        "service_type": b"CMT", "esm_class": 0, "data_coding": 8, "registered_delivery": 1, "born": 0.0, "expires": 1.0,
    }  # fmt: skip
    return Message(**(fields | changes))


@pytest.mark.parametrize(
    "match",
    [
        {},
        {"account": ["other", "demo"]},
        {"source": ["12345", "MyBank"]},
        {"source": ["My*"]},
        {"source": ["re:^My[A-Z]"]},
        {"source": ["no", "re:^no", "My*"]},
        {"source": ["re:^no", "re:Bank$"]},
        {"destination": ["*"]},
        {"destination": ["1*", "8190*", "5"]},
        {"coding": [0, 8]},
        {"service_type": ["CMT"]},
        {"account": ["demo"], "source": ["My*"], "destination": ["81*"], "coding": [8], "service_type": ["CMT"]},
    ],
)
def test_a_message_that_fits_every_key_matches(match: dict[str, Any]) -> None:
    assert compile_match(match)(message())
    assert compile_match(Match(**match))(message())


@pytest.mark.parametrize(
    "match",
    [
        {"account": ["Demo"]},
        {"source": ["MyBan"]},
        {"source": ["Bank*"]},
        {"source": ["mybank"]},
        {"source": ["re:^Bank"]},
        {"destination": ["8190"]},
        {"destination": ["82*", "re:^0"]},
        {"coding": [0]},
        {"service_type": [""]},
        {"account": ["demo"], "destination": ["82*"]},
    ],
)
def test_one_key_that_does_not_fit_is_enough_not_to_match(match: dict[str, Any]) -> None:
    assert not compile_match(match)(message())


def test_an_empty_address_matches_only_what_allows_it() -> None:
    assert compile_match({"source": ["*"]})(message(source=b""))
    assert not compile_match({"source": ["1*"]})(message(source=b""))


def test_addresses_are_octets_written_as_latin1() -> None:
    assert compile_match({"source": ["Zoë"]})(message(source=b"Zo\xeb"))


def test_a_tlv_must_be_there_with_its_value_or_with_any() -> None:
    def find(body: bytes, tag: int) -> bytes | None:
        return {0x1400: b"12345"}.get(tag)

    assert compile_match({"tlv": {0x1400: b"12345"}}, find)(message())
    assert compile_match({"tlv": {0x1400: None}}, find)(message())
    assert not compile_match({"tlv": {0x1400: b"1"}}, find)(message())
    assert not compile_match({"tlv": {0x1401: None}}, find)(message())
    assert not compile_match({"tlv": {0x1400: None, 0x1401: None}}, find)(message())


def test_a_tlv_is_looked_up_only_when_all_else_fits() -> None:
    asked: list[int] = []

    def find(body: bytes, tag: int) -> bytes | None:
        asked.append(tag)
        return b""

    matches = compile_match({"destination": ["81*"], "tlv": {0x1400: None}}, find)
    assert not matches(message(destination=b"1"))
    assert asked == []
    assert matches(message())
    assert asked == [0x1400]


def test_a_match_of_tlvs_without_a_way_to_find_them_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="needs the function"):
        compile_match({"tlv": {0x1400: None}})


def test_a_carrier_is_that_of_the_destination() -> None:
    carriers = {b"819012345678": "docomo"}

    def carrier_of(number: bytes) -> str:
        return carriers.get(number, "")

    matches = compile_match({"carrier": ["au", "docomo"]}, carrier_of=carrier_of)
    assert matches(message())
    assert not matches(message(destination=b"1"))
    assert compile_match({"carrier": [""]}, carrier_of=carrier_of)(message(destination=b"1"))


def test_a_carrier_is_asked_for_only_when_the_cheap_keys_fit() -> None:
    asked: list[bytes] = []

    def carrier_of(number: bytes) -> str:
        asked.append(number)
        return "au"

    matches = compile_match({"destination": ["81*"], "carrier": ["au"]}, carrier_of=carrier_of)
    assert not matches(message(destination=b"1"))
    assert asked == []
    assert matches(message())
    assert asked == [b"819012345678"]


def test_a_match_of_carriers_without_a_way_to_know_them_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="needs the function"):
        compile_match({"carrier": ["au"]})


def test_hostile_patterns_are_values_and_never_code() -> None:
    evil = "') or __import__('os') or ('{0}"
    assert not compile_match({"account": [evil], "source": [evil]})(message())
    assert compile_match({"account": [evil]})(message(account=evil))


def test_an_incoming_message_is_matched_by_connector_and_addresses() -> None:
    incoming = Incoming("smpp1", b"819012345678", b"12345")
    assert compile_mo_match({})(incoming)
    assert compile_mo_match({"connector": ["smpp1"], "source": ["81*"], "destination": ["12345"]})(incoming)
    assert not compile_mo_match(MoMatch(connector=["smpp2"]))(incoming)


def test_patterns_alone_can_be_asked_too() -> None:
    allowed = compile_patterns(["12345", "81*", "re:^MyBank"])
    assert [allowed(each) for each in (b"12345", b"8190", b"MyBank24", b"123456", b"")] == [True] * 3 + [False] * 2
    assert not compile_patterns([])(b"1")


def test_conditions_name_their_key_and_what_was_wanted() -> None:
    asked = conditions({"destination": ["81*", "82*"], "coding": [8]})
    assert [(each.key, each.wanted) for each in asked] == [("coding", "8"), ("destination", "81*, 82*")]


def test_a_tag_matches_whole() -> None:
    fits = compile_match({"tag": ["cheap", "fast"]})
    assert fits(message(tag="fast"))
    assert not fits(message(tag="fas"))
    assert not fits(message())
