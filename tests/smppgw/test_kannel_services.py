"""Which sms-service takes a message: what smsbox 1.4.5 does with the same files."""

import re
from typing import Any

import pytest

from smppgw.kannel.conf import ConfError, Place
from smppgw.kannel.escapes import Sms
from smppgw.kannel.lists import OPEN, Screen
from smppgw.kannel.model import SmsService
from smppgw.kannel.services import Action, Services

WHITE, BLACK = Screen(white=frozenset({447700900001})), Screen(black=frozenset({447700900001}))


def service(keyword: str | None = "get", **more: Any) -> SmsService:
    more = {"get_url": "http://a/", "catch_all": True, **more}
    return SmsService(keyword=keyword, **more)


def taker(services: list[SmsService], text: bytes = b"get", screen: Screen = OPEN, **fields: bytes) -> str | None:
    sms = Sms(**{"text": text, "sender": b"447700900001", "receiver": b"12345", "smsc_id": b"one",
                 "account": b"esme", **fields})  # type: ignore[arg-type]  # fmt: skip
    found = Services(services, lambda _: screen).find(sms)
    return None if found is None else found.name.decode()


def takes(keyed: SmsService, text: bytes = b"get", **fields: bytes) -> bool:
    return taker([keyed], text, OPEN, **fields) is not None


@pytest.mark.parametrize("text", [b"get", b"get it", b"  GET it", b"getting", b"\0g\0e\0t", b"g\0e\0t\0 \0x\0"])
def test_a_keyword_begins_the_message_in_any_case_and_alphabet(text: bytes) -> None:
    assert takes(service(), text)


@pytest.mark.parametrize("text", [b"", b"xget", b"\tget", b"x get"])
def test_a_keyword_elsewhere_is_none(text: bytes) -> None:
    assert not takes(service(), text)


def test_a_keyword_is_an_expression_and_its_aliases_too() -> None:
    keyed = service("m.t*", aliases=("beta", "del."))
    assert [takes(keyed, text) for text in (b"mut", b"mmt x", b"beta", b"delta", b"m", b"del")] == [True] * 4 + [
        False
    ] * 2


def test_a_keyword_regex_is_found_anywhere_and_in_its_case() -> None:
    keyed = service(None, keyword_regex="needle[0-9]+")
    assert [takes(keyed, text) for text in (b"hay needle1", b"NEEDLE1", b"needle")] == [True, False, False]


def test_a_keyword_that_is_no_expression_stops_the_start_with_its_place() -> None:
    with pytest.raises(ConfError, match=r"k\.conf:7.*no regular expression"):
        Services([service("+", place=Place("k.conf", 7))], lambda _: OPEN)


@pytest.mark.parametrize(
    ("url", "words", "taken"),
    [
        ("http://a/", b"get", True),
        ("http://a/", b"get x", False),
        ("http://a/?%s-%S", b"get a b", True),
        ("http://a/?%s-%S", b"get a", False),
        ("http://a/?%s-%S", b"get a b c", False),
        ("http://a/?%s-%r", b"get a", True),
        ("http://a/?%s-%r", b"get a b c", True),
        ("http://a/?%s-%r", b"get", False),
        ("http://a/?%a", b"get a b c", True),
    ],
)
def test_a_service_wants_as_many_words_as_it_has_places_for(url: str, words: bytes, taken: bool) -> None:
    assert takes(service(get_url=url, catch_all=False), words) is taken


def test_a_service_that_posts_wants_no_number_of_words() -> None:
    assert takes(service(get_url=None, post_url="http://a/", catch_all=False), b"get a b")
    assert takes(service(get_url=None, post_xml="http://a/", catch_all=False), b"get a b")


def test_the_first_that_takes_a_message_counts_and_the_default_comes_last() -> None:
    services = [service("default", name="default"), service(name="first", accepted_smsc=("two",)),
                service(name="second"), service(name="third")]  # fmt: skip
    assert taker(services) == "second"
    assert taker(services, smsc_id=b"two") == "first"
    assert taker(services, b"other") == "default"
    assert taker(services[1:], b"other") is None


def test_the_defaults_are_asked_in_their_order_too() -> None:
    services = [
        service("default", name="two", accepted_smsc=("two",)),
        service("default", name="44", denied_prefix=("99",)),
        service("default", name="rest"),
    ]
    assert [taker(services, sender=sender) for sender in (b"44", b"99")] == ["44", "rest"]
    assert taker(services, smsc_id=b"two") == "two"


def test_a_service_without_a_name_has_that_of_kannels_expression() -> None:
    assert taker([service()]) == "^[ ]*(get)[ ]*"
    assert taker([service(aliases=("a", "b"))]) == "^[ ]*(get|a|b)[ ]*"
    assert taker([service("default")]) == "default"


@pytest.mark.parametrize(
    ("keys", "taken"),
    [
        ({"accepted_smsc": ("one", "two")}, True),
        ({"accepted_smsc": ("two",)}, False),
        ({"accepted_smsc_regex": "^o"}, True),
        ({"accepted_smsc_regex": "^t"}, False),
        ({"accepted_account": ("esme",)}, True),
        ({"accepted_account": ("other",)}, False),
        ({"accepted_account_regex": "^e"}, True),
        ({"accepted_account_regex": "^o"}, False),
        ({"allowed_prefix": ("+358", "44")}, True),
        ({"allowed_prefix": ("+44",)}, False),
        ({"denied_prefix": ("44",)}, False),
        ({"denied_prefix": ("44",), "allowed_prefix": ("4477",)}, True),
        ({"denied_prefix": ("44",), "allowed_prefix": ("55",)}, False),
        ({"denied_prefix": ("55",), "allowed_prefix": ("66",)}, True),
        ({"allowed_prefix_regex": "^44"}, True),
        ({"allowed_prefix_regex": "^55"}, False),
        ({"denied_prefix_regex": "^44"}, False),
        ({"denied_prefix_regex": "^44", "allowed_prefix_regex": "^4477"}, True),
        ({"denied_prefix_regex": "^44", "allowed_prefix_regex": "^55"}, False),
        ({"allowed_receiver_prefix": ("123",)}, True),
        ({"allowed_receiver_prefix": ("9",)}, False),
        ({"denied_receiver_prefix": ("123",)}, False),
        ({"denied_receiver_prefix": ("9",)}, True),
        ({"allowed_receiver_prefix": ("9",), "denied_receiver_prefix": ("123",)}, True),
        ({"allowed_receiver_prefix_regex": "^123"}, True),
        ({"allowed_receiver_prefix_regex": "^9"}, False),
        ({"denied_receiver_prefix_regex": "^123"}, True),
        ({"denied_receiver_prefix_regex": "^9"}, False),
    ],
)
def test_who_may_use_a_service(keys: dict[str, Any], taken: bool) -> None:
    assert takes(service(**keys)) is taken


def test_what_has_no_smsc_or_account_is_not_asked_for_it() -> None:
    assert takes(service(accepted_smsc=("two",), accepted_account=("two",)), smsc_id=b"", account=b"")


def test_the_lists_of_a_service_are_of_senders() -> None:
    assert taker([service()], screen=WHITE) is not None
    assert taker([service()], screen=WHITE, sender=b"999") is None
    assert taker([service()], screen=BLACK) is None
    assert taker([service()], screen=Screen(black_regex=re.compile("^44"))) is None


def test_of_several_actions_the_first_of_kannels_order_counts() -> None:
    found = Services([service(get_url=None, url="http://old/", text="x", post_url="http://a/")], lambda _: OPEN)
    [taken] = [found.find(Sms(text=b"get"))]
    assert taken is not None
    assert (taken.action, taken.pattern) == (Action.GET, b"http://old/")
