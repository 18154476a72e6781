"""What works is warned of when it is probably not meant."""

from pathlib import Path
from typing import Any

import pytest

from smppgw.config import parse, warnings
from tests.smppgw.configured import connector, small


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"accounts": {"demo": {"password": "ninechars"}}}, "accounts.demo.password"),
        ({"accounts": {"demo": {"password": ""}}}, "accounts.demo.password"),
        ({"accounts": {"demo": {"password": "x", "networks": []}}}, "accounts.demo.networks"),
        ({"connectors": small()["connectors"] | connector(password="ninechars")}, "connectors.up.password"),
        ({"connectors": small()["connectors"] | {"third": connector()["up"]}}, "connectors.third"),
        ({"groups": small()["groups"] | {"other": {"active": ["up"]}}}, "groups.other"),
        ({"routes": []}, "routes"),
        ({"routes": [{"name": "a", "to": "all"}, {"name": "b", "to": "up"}]}, "routes[1]"),
        ({"store": {"engine": "memory"}}, "store.engine"),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(changes: dict[str, Any], path: str) -> None:
    assert path in {warning.path for warning in warnings(parse(small(**changes)))}


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("https://sms.example", False),
        ("http://sms.example", True),
        ("http://127.0.0.1.example", True),
        ("http://127.0.0.1:8401", False),
        ("http://localhost", False),
        ("http://[::1]/api", False),
    ],
)
def test_a_carrier_without_tls_is_warned_of_unless_it_is_on_this_machine(url: str, warned: bool) -> None:
    aix = {"kind": "aix", "url": url, "token": "t" * 32, "client_id": "1", "sms_code": "12345"}
    read = parse(small(connectors=small()["connectors"] | {"aix": aix}))
    assert ("connectors.aix.url" in {each.path for each in warnings(read)}) is warned


def by_carrier(*names: str, **carriers: Any) -> dict[str, Any]:
    routes = [{"name": "mobile", "to": "up", "match": {"carrier": list(names)}}, {"name": "all", "to": "all"}]
    return small(routes=routes, carriers=carriers)


def warned(data: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in warnings(parse(data))]


def test_a_carrier_that_no_data_names_is_a_warning_with_the_one_that_was_meant(tmp_path: Path) -> None:
    assert warned(by_carrier("docomo", "au", "softbank", "rakuten")) == []
    assert warned(by_carrier("softbnk")) == [
        "routes[0].match.carrier: no data names 'softbnk'; did you mean 'softbank'?"
    ]
    (tmp_path / "ported.csv").write_text("0601,newcomer\n")
    assert warned(by_carrier("newcomer", overrides=str(tmp_path / "ported.csv"))) == []
    lookup = {"url": "https://directory/{number}"}
    assert warned(by_carrier("newcomer", lookup=lookup)) == []
    assert warned(by_carrier("newcomer", lookup=lookup | {"names": {"44099": "newcomer"}})) == []
    assert len(warned(by_carrier("newcomer", lookup=lookup | {"names": {"44010": "docomo"}}))) == 1


def test_a_secret_of_the_look_up_that_is_sent_in_clear_is_a_warning() -> None:
    lookup = {"url": "http://directory/{number}", "secret": "x"}
    assert warned(by_carrier("au", lookup=lookup)) == [
        'carriers.lookup.url: its secret is sent without encryption; write "https://"'
    ]
    assert warned(by_carrier("au", lookup=lookup | {"secret": ""})) == []


def test_the_unknown_carrier_may_be_asked_for() -> None:
    assert warned(by_carrier("")) == []
