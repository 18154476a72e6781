"""Secrets: where they come from, that there is one, and that none is shown."""

from pathlib import Path
from typing import Any

import pytest

from smppgw.config import parse
from smppgw.passwords import hash_password
from tests.smppgw.configured import connector, keyed, refused, small


def file_connector(path: Path) -> dict[str, Any]:
    return {"host": "a", "port": 1, "system_id": "us", "password_file": str(path)}


def test_a_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_DEMO", "hidden")
    assert parse(small(accounts={"demo": {"password_env": "SECRET_OF_DEMO"}})).accounts["demo"].verifies(b"hidden")


def test_a_password_comes_from_a_file_without_its_last_newline(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("hidden\n")
    read = parse(small(connectors=small()["connectors"] | {"up": file_connector(path)}))
    assert read.smpp["up"].secret == b"hidden"


def test_the_secret_of_the_look_up_comes_from_where_it_is_kept_and_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIRECTORY_KEY", "hidden")
    (tmp_path / "key").write_text("hidden\n")
    for where in ({"secret": "hidden"}, {"secret_env": "DIRECTORY_KEY"}, {"secret_file": str(tmp_path / "key")}):
        read = parse(small(carriers={"lookup": where}))
        assert read.carriers.lookup.secret.get_secret_value() == "hidden"
        assert "hidden" not in repr(read)
    assert "31337" not in str(refused(small(carriers={"lookup": {"secret": 31337}})))


def test_the_secret_of_callbacks_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOKS", "word")
    read = parse(small() | keyed(callback="https://app.example/", callback_secret_env="HOOKS"))
    assert read.api.keys["shop"].callback_secret.get_secret_value() == "word"
    assert "word" not in repr(read.api)


def test_no_secret_shows_in_a_repr_or_a_problem() -> None:
    hashed = hash_password("hidden", iterations=1000)
    accounts = {"demo": {"password": "hidden"}, "other": {"password_hash": hashed}}
    shown = repr(parse(small(accounts=accounts)))
    assert "hidden" not in shown
    assert hashed not in shown
    assert "31337" not in str(refused(small(accounts={"demo": {"password": 31337}})))


@pytest.mark.parametrize(
    "changes",
    [
        {"accounts": {"demo": {"password_hash": 31337}}},
        keyed(key=31337),
        keyed(key_hash=31337),
        keyed(callback_secret=31337),
        {"history": {"engine": "postgres", "url": 31337}},
        {"connectors": {"up": {**connector()["up"], "password": 31337}}},
    ],
)
def test_a_secret_that_was_written_without_quotes_is_not_shown(changes: dict[str, Any]) -> None:
    said = str(refused(small() | changes))
    assert "wrong type" in said
    assert "31337" not in said


@pytest.mark.parametrize(
    ("secrets", "wrong"),
    [
        ({}, "no password"),
        ({"password": "a", "password_env": "B"}, "password and password_env are given"),
    ],
)
def test_exactly_one_password_is_given(secrets: dict[str, str], wrong: str) -> None:
    assert refused(small(accounts={"demo": secrets}))["accounts.demo"].startswith(wrong)


def test_a_secret_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "absent"
    problems = refused(
        small(
            accounts={"demo": {"password_env": "NOT_SET_ANYWHERE"}},
            connectors={"up": file_connector(path), "spare": connector()["up"]},
        )
    )
    assert "NOT_SET_ANYWHERE is not in the environment" in problems["accounts.demo.password_env"]
    assert "cannot be read" in problems["connectors.up.password_file"]


def test_a_secret_that_is_missing_in_the_environment_is_one_problem() -> None:
    aix = {"kind": "aix", "token_env": "NOT_SET_ANYWHERE", "client_id": "1234", "sms_code": "12345"}
    found = refused(small(connectors={"aix": aix}, groups={}, routes=[{"name": "all", "to": "aix"}]))
    assert list(found) == ["connectors.aix.token_env"]
