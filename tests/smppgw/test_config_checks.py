"""What is wrong only beside another key."""

from pathlib import Path
from typing import Any

import pytest

from smppgw.config import parse
from smppgw.config.checks import BAD_LINES
from tests.smppgw.configured import connector, keyed, problems_of, refused, small


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"accounts": {}}, "accounts", "there is no account"),
        ({"accounts": {"a" * 16: {"password": "x"}}}, f"accounts.{'a' * 16}", "as a system_id"),
        ({"groups": {"all": {"active": ["up", "up"]}}}, "groups.all", "'up' is named twice"),
        (
            {"groups": {"all": {"active": ["upp"]}}},
            "groups.all.active",
            "there is no connector 'upp'; did you mean 'up'?",
        ),
        ({"groups": {"all": {"active": ["up"]}, "up": {"active": ["up"]}}}, "groups.up", "a connector has this name"),
        ({"routes": [{"name": "a", "to": "no"}]}, "routes[0].to", "there is no group or connector 'no'"),
        ({"routes": [{"name": "a", "to": "up", "fallback": ["no"]}]}, "routes[0].fallback", "there is no group"),
        ({"routes": [{"name": "a", "to": "up", "fallback": ["up"]}]}, "routes[0].fallback", "a target is named twice"),
        (
            {"routes": [{"name": "a", "to": "up"}, {"name": "a", "to": "all"}]},
            "routes[1].name",
            "there is another route 'a'",
        ),
        (
            {"mo_routes": [{"account": "dmo"}]},
            "mo_routes[0].account",
            "there is no account 'dmo'; did you mean 'demo'?",
        ),
        (
            {"mo_routes": [{"account": "demo", "match": {"connector": "dwn"}}]},
            "mo_routes[0].match.connector",
            "there is no connector 'dwn'",
        ),
        ({"listeners": [{"port": 5}, {"port": 5}]}, "listeners[1].port", "port 5 is used by listeners[0].port too"),
        ({"http": {"port": 2775}}, "http.port", "port 2775 is used by listeners[0].port too"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_fix(changes: dict[str, Any], path: str, said: str) -> None:
    problems = refused(small(**changes))
    assert path in problems
    assert problems[path].startswith(said)


def test_a_status_in_two_lists_is_a_problem() -> None:
    up = connector(errors={"never": ["0x58"]})
    problems = refused(small(connectors=small()["connectors"] | up))
    assert list(problems) == ["connectors.up.errors"]
    assert problems["connectors.up.errors"].startswith("status 0x58 is in two lists")


def test_ports_may_be_shared_by_different_addresses() -> None:
    listeners = [{"host": "127.0.0.1", "port": 5}, {"host": "127.0.0.2", "port": 5}]
    assert len(parse(small(listeners=listeners)).listeners) == 2


def test_any_number_of_listeners_may_ask_for_a_free_port() -> None:
    assert len(parse(small(listeners=[{"port": 0}, {"port": 0}])).listeners) == 2


def test_bad_lines_of_overrides_are_problems_with_their_numbers(tmp_path: Path) -> None:
    file = tmp_path / "ported.csv"
    file.write_text("# ported\n09010012345,au\nnonsense\n")
    problems = refused(small(carriers={"overrides": str(file)}))
    assert problems == {"carriers.overrides": f"{file}, line 3: there is no comma; write number,carrier"}
    file.write_text("nonsense\n" * 100)
    told = [problem.wrong for problem in problems_of(small(carriers={"overrides": str(file)}))]
    assert len(told) == BAD_LINES + 1
    assert told[-1] == f"{file} has 100 bad lines in all"


def test_overrides_that_cannot_be_read_are_a_problem(tmp_path: Path) -> None:
    problems = refused(small(carriers={"overrides": str(tmp_path / "absent")}))
    assert "cannot be read: No such file" in problems["carriers.overrides"]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ({"callback": "https://app.example/"}, "callback_secret"),
        ({"callback_hosts": ["app.example"]}, "callback_secret"),
        ({"callback": "app.example", "callback_secret": "s"}, "callback"),
        ({"callback": "https://who:word@app.example/", "callback_secret": "s"}, "callback"),
        ({"inbound": True}, "inbound"),
    ],
)
def test_callbacks_that_cannot_be_made_are_refused(key: dict[str, Any], path: str) -> None:
    assert set(refused(small() | keyed(**key))) == {f"api.keys.shop.{path}"}


def test_messages_from_handsets_have_one_way_to_go() -> None:
    key = {"callback": "https://app.example/", "callback_secret": "s", "inbound": True}
    tables = keyed(**key)
    tables["api"]["keys"]["other"] = tables["api"]["keys"]["shop"]
    assert list(refused(small() | tables)) == ["api.keys.other.inbound"]
    assert parse(small() | keyed(**key)).api.keys["shop"].inbound
