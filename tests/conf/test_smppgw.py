"""conf/smppgw.toml: every key there is, with its default and what it means."""

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from smppgw.config import Config, load, warnings
from tests.conf.shown import CONF, TABLES, lines


def test_the_example_shows_every_key_and_no_other() -> None:
    shown: dict[str, set[str]] = {table: set() for table in TABLES}
    for line in lines():
        if line.table in shown:
            shown[line.table].add(line.key)
    for table, (model, _) in TABLES.items():
        nested = {"errors", "tlvs", "addresses", "match", "keys", "lookup", "names", "members", "rules"}
        named = {"name"} if table.startswith(("accounts", "connectors", "groups", "api.keys", "senders")) else set()
        fetched = {"key_env", "key_file"} if table.startswith("api.keys") else set()
        assert shown[table] == (set(model.model_fields) | fetched) - nested - named, table


def test_every_model_of_the_config_is_in_the_example() -> None:
    tops = {path[0] for _, path in TABLES.values()}
    assert tops == set(Config.model_fields)


def test_every_key_of_the_example_says_what_it_means() -> None:
    assert [line for line in lines() if not line.comment] == []


def test_the_example_shows_the_defaults() -> None:
    example = load(CONF / "smppgw.toml")
    for line in lines():
        if line.table not in TABLES or line.key in {"key_env", "key_file"}:
            continue
        model, path = TABLES[line.table]
        field = model.model_fields[line.key]
        place: Any = example
        for part in path:
            place = (
                place[int(part)] if part.isdigit() else place[part] if isinstance(place, dict) else getattr(place, part)
            )
        if line.optional:
            assert field.get_default() in (None, (), {}, SecretStr("")), line
        elif line.comment.startswith("required"):
            assert field.is_required() or line.key in {"password", "key"}, line
        elif said := re.search(r"default: (.+)$", line.comment):
            default = tomllib.loads(f"x = {said[1]}")["x"]
            assert field.get_default() == (tuple(default) if isinstance(default, list) else default), line
        else:
            assert getattr(place, line.key) == field.get_default(), line


def test_the_optional_keys_of_the_example_are_valid_too(tmp_path: Path) -> None:
    text = re.sub(r"(?m)^# (\w+ = )", r"\1", (CONF / "smppgw.toml").read_text())
    text = re.sub(r"(?m)^(tls|overrides|password|system_id|account =).*\n", "", text)
    text = re.sub(r"(?m)^key_(env|file|hash) = .*\n", "", text)
    text = re.sub(r"(?m)^\[accounts.demo\]$", '[accounts.demo]\npassword = "x"', text)
    text = re.sub(r"(?m)^(\[connectors\.smpp\d\])$", '\\1\nsystem_id = "x"\npassword = "x"', text)
    text = re.sub(r"(?m)^(\[\[mo_routes\]\])$", '\\1\naccount = "demo"', text)
    path = tmp_path / "full.toml"
    path.write_text(text)
    full = load(path)
    assert full.routes[0].match.tlv == {0x1400: b"12345"}
    assert full.smpp["smpp1"].tlvs == {0x1400: b"12345"}


def test_the_page_about_the_config_names_every_key() -> None:
    page = (CONF.parent / "docs" / "configuration.md").read_text()
    absent = {
        (table, key)
        for table, (model, _) in TABLES.items()
        for key in model.model_fields
        if f"`{key}`" not in page and f"`{key} = " not in page and f".{key}]`" not in page
    }
    assert absent <= {("accounts.demo", "name"), ("connectors.smpp1", "name"), ("groups.nexmo", "name")}


def test_the_example_has_no_warnings() -> None:
    assert warnings(load(CONF / "smppgw.toml")) == ()
