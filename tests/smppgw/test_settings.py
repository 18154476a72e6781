"""The tables of the config: what is read of them, and what an account can tell."""

from typing import Any

import pytest

from smppgw.config import parse
from smppgw.passwords import hash_password
from tests.smppgw.configured import connector, refused, small


def test_values_are_read_as_numbers_and_octets() -> None:
    up = connector(retry=["500ms", "2m"], errors={"later": ["ESME_RTHROTTLED"]}, tlvs={"0x1400": "hex:00ff"})
    read = parse(small(limits={"max_pdu": "64KiB"}, connectors=small()["connectors"] | up))
    assert read.limits.max_pdu == 65536
    assert read.smpp["up"].retry == (0.5, 120.0)
    assert read.smpp["up"].errors.later == {0x58}
    assert read.smpp["up"].tlvs == {0x1400: b"\0\xff"}


def test_any_value_of_a_tlv_is_written_as_a_star() -> None:
    match = parse(small(routes=[{"name": "r", "to": "up", "match": {"tlv": {"0x1400": "*"}}}])).routes[0].match
    assert match.tlv == {0x1400: None}


def test_one_word_stands_for_a_list_of_one_in_a_match() -> None:
    match = {"account": "demo", "destination": "81*", "coding": 8}
    read = parse(small(routes=[{"name": "r", "to": "up", "match": match}])).routes[0].match
    assert (read.account, read.destination, read.coding) == (("demo",), ("81*",), (8,))


def test_a_member_may_have_a_weight() -> None:
    read = parse(small(groups={"all": {"active": [{"connector": "up", "weight": 3}, "spare"]}}))
    assert [(each.connector, each.weight) for each in read.groups["all"].active] == [("up", 3), ("spare", 1)]


def test_a_connector_knows_its_octets() -> None:
    up = parse(small()).smpp["up"]
    assert (up.secret, up.version) == (b"x", 0x34)


def test_a_plain_password_is_verified() -> None:
    account = parse(small()).accounts["demo"]
    assert account.verifies(b"secret")
    assert not account.verifies(b"secreT")
    assert not account.verifies(b"")


def test_a_hashed_password_is_verified() -> None:
    hashed = hash_password("secret", iterations=1000)
    account = parse(small(accounts={"demo": {"password_hash": hashed}})).accounts["demo"]
    assert account.verifies(b"secret")
    assert not account.verifies(b"wrong")
    assert account.verifies(b"secret")
    assert not account.verifies(b"wrong")


def test_equal_files_give_equal_configs_also_after_a_password_was_checked() -> None:
    first, second = parse(small()), parse(small())
    assert first.accounts["demo"].verifies(b"secret")
    assert first == second


def test_a_hash_of_another_form_is_a_problem() -> None:
    problems = refused(small(accounts={"demo": {"password_hash": "md5$abc"}}))
    assert "smppgw hash-password" in problems["accounts.demo.password_hash"]


def test_an_account_is_admitted_from_its_networks_alone() -> None:
    networks = ["192.0.2.0/24", "2001:db8::/32"]
    account = parse(small(accounts={"demo": {"password": "x", "networks": networks}})).accounts["demo"]
    assert account.admits("192.0.2.7")
    assert account.admits("::ffff:192.0.2.7")
    assert account.admits("2001:db8::1")
    assert account.admits("2001:db8::1%eth0")
    assert not account.admits("192.0.3.7")
    assert not account.admits("::1")


@pytest.mark.parametrize(
    ("lookup", "path"),
    [
        ({"url": "https://directory/"}, "url"),
        ({"url": "https://{number}/"}, "url"),
        ({"url": "ftp://directory/{number}"}, "url"),
        ({"url": "https://directory:99999/{number}"}, "url"),
        ({"header": "X Key"}, "header"),
        ({"names": {"44010": "NTT Docomo"}}, "names.44010"),
        ({"wait": 0}, "wait"),
        ({"secret": "a", "secret_env": "B"}, ""),
        ({"secret_env": "NOT_SET_ANYWHERE"}, "secret_env"),
        ({"anwser": "carrier"}, "anwser"),
    ],
)
def test_a_look_up_that_cannot_work_is_a_problem(lookup: dict[str, Any], path: str) -> None:
    assert set(refused(small(carriers={"lookup": lookup}))) == {f"carriers.lookup.{path}".rstrip(".")}
