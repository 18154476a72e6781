"""What the parser and the models refuse, in words that help."""

from pathlib import Path
from typing import Any

import pytest

from smppgw.config import ConfigError, load
from tests.smppgw.configured import connector, refused, small


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"gatway": {}}, "gatway", "unknown key; did you mean 'gateway'?"),
        ({"log": {"levl": "info"}}, "log.levl", "unknown key; did you mean 'level'?"),
        ({"log": {"level": "inf"}}, "log.level", "'inf' is not known; one of 'debug', 'info', 'warning' or 'error'"),
        ({"http": {"zzz": 1}}, "http.zzz", "unknown key; known are: host, port"),
        ({"gateway": {"node": 1024}}, "gateway.node", "1024 is out of range; must be at most 1023"),
        ({"gateway": {"node": "1"}}, "gateway.node", "'1' is of the wrong type; write a whole number, like 10"),
        ({"gateway": {"validity": 0}}, "gateway.validity", "0 is out of range; must be more than 0"),
        ({"gateway": {"validity": True}}, "gateway.validity", "True is not a duration"),
        ({"gateway": {"validity": float("nan")}}, "gateway.validity", ""),
        ({"gateway": {"name": "a" * 16}}, "gateway.name", "'aaaaaaaaaaaaaaaa' has 16 octets; at most 15"),
        ({"limits": {"max_pdu": "1XB"}}, "limits.max_pdu", "'1XB' is not a size"),
        ({"listeners": []}, "listeners", "is empty"),
        ({"listeners": {"port": 1}}, "listeners", "it is of the wrong type; write it as [[listeners]]"),
        (
            {"accounts": {"demo": {"password": "x", "networks": ["10.0.0.1/8"]}}},
            "accounts.demo.networks[0]",
            '10.0.0.1/8 has host bits set; did you mean "10.0.0.0/8"?',
        ),
        ({"accounts": {"demo": {"password": "x", "networks": ["ten"]}}}, "accounts.demo.networks[0]", "'ten'"),
        ({"accounts": {"demo": {"password": "x", "sources": ["8*1"]}}}, "accounts.demo.sources[0]", "'8*1' has '*'"),
        ({"accounts": {"demo": {"password": "x", "sources": ["日本"]}}}, "accounts.demo.sources[0]", ""),
        ({"accounts": {"demo": {"password": "x", "deliver_retry": []}}}, "accounts.demo.deliver_retry", "is empty"),
        ({"groups": {"all": {"active": []}}}, "groups.all.active", "is empty"),
        ({"groups": {"all": {}}}, "groups.all.active", "is missing; add 'active' to this table"),
        (
            {"routes": [{"name": "a", "to": "up", "match": {"tlv": {"x": "1"}}}]},
            "routes[0].match.tlv.x",
            "'x' is not a tag",
        ),
        ({"connectors": 5}, "connectors", "5 is of the wrong type; write it as a table"),
        ({"accounts": {"demo": 5}}, "accounts.demo", "5 is of the wrong type; write it as a table"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_fix(changes: dict[str, Any], path: str, said: str) -> None:
    problems = refused(small(**changes))
    assert path in problems
    assert problems[path].startswith(said)


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"port": 0}, "connectors.up.port", "0 is out of range; must be at least 1"),
        ({"errors": {"never": ["RTHROTLED"]}}, "connectors.up.errors.never[0]", "'RTHROTLED' is not a status; did you"),
        ({"errors": {"never": ["ROK"]}}, "connectors.up.errors.never[0]", "ROK is no refusal"),
        ({"errors": {"never": "0x45"}}, "connectors.up.errors.never", "'0x45' is of the wrong type; write a list"),
        ({"tlvs": {"0x10000": "a"}}, "connectors.up.tlvs.0x10000", "'0x10000' is not a tag"),
        ({"tlvs": {"0x1400": "hex:0"}}, "connectors.up.tlvs.0x1400", "'hex:0' is not hex"),
        ({"tlvs": {"0x1400": 1 << 32}}, "connectors.up.tlvs.0x1400", "4294967296 does not fit in 4 octets"),
        ({"tlvs": {"0x1400": 0.5}}, "connectors.up.tlvs.0x1400", "0.5 is no value of a TLV"),
        ({"addresses": {"source_ton": -2}}, "connectors.up.addresses.source_ton", "-2 is out of range"),
    ],
)
def test_a_mistake_in_a_connector_is_named(changes: dict[str, Any], path: str, said: str) -> None:
    problems = refused(small(connectors=small()["connectors"] | connector(**changes)))
    assert problems[path].startswith(said)
    assert len(problems) == 1


@pytest.mark.parametrize(("key", "value"), [("webhook_path", "aix"), ("client_id", "x"), ("sms_code", "1")])
def test_what_has_a_form_says_which_with_an_example(key: str, value: str) -> None:
    aix = {"kind": "aix", "token": "t", "client_id": "1234", "sms_code": "12345", key: value}
    problems = refused(small(connectors={"aix": aix}, routes=[{"name": "all", "to": "aix"}]))
    assert f"{value!r} cannot be used" in problems[f"connectors.aix.{key}"]
    assert "like" in problems[f"connectors.aix.{key}"]


@pytest.mark.parametrize("kind", [[], {}, 3, True, "nope"])
def test_a_connector_of_no_known_kind_is_a_problem(kind: Any) -> None:
    problems = refused(small(connectors=small()["connectors"] | {"more": {"kind": kind, "password": "x"}}))
    assert problems["connectors.more.kind"].startswith(f"{kind!r} is not known")


def test_a_mistake_of_syntax_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[gateway]\nnode = = 1\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.problems[0].path == "line 2, column 8"
