"""conf/carriers.toml: every key of every kind of carrier, with its default and what it means."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from smppgw.carriers import kddi_settings, template_settings
from smppgw.carriers.registry import KINDS
from smppgw.carriers.settings import CarrierSettings
from smppgw.config import load, warnings
from smppgw.settings import Model
from tests.conf.shown import CONF, Line, lines

SHOWN: dict[str, str] = {
    "aix": "aix",
    "kddi": "kddi",
    "twilio": "twilio_messages",
    "machines": "twilio_commands",
    "vonage": "vonage",
    "other": "template",
}
"""The connectors of the example, and their kinds."""
INNER: dict[str, type[Model]] = {
    "kddi.fields": kddi_settings.Fields,
    "other.send": template_settings.Request,
    "other.reply": template_settings.Replies,
    "other.receipts": template_settings.Receipts,
    "other.mo": template_settings.Mos,
    "other.look_up": template_settings.LookUp,
}
"""Tables of theirs that have keys of their own."""
MADE_UP = {"other.send", "other.receipts", "other.mo"}
"""Those that are one long example: nothing in them has a default but to be absent."""


def own_keys(kind: str) -> set[str]:
    """What this kind adds to the keys of all, or has another default of."""
    common = CarrierSettings.model_fields
    fields = KINDS[kind].settings.model_fields
    return {key for key in fields if key not in common or default_of(fields[key]) != default_of(common[key])}


def default_of(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True)


def carrier_lines() -> Iterator[tuple[str, Line]]:
    """Of tables with keys that a model names."""
    for line in lines("carriers.toml"):
        top, _, table = line.table.partition(".")
        if top == "connectors" and (table in SHOWN or table in INNER):
            yield table, line


def model_of(table: str) -> type[Model]:
    return INNER[table] if table in INNER else KINDS[SHOWN[table]].settings


def test_the_example_of_carriers_shows_every_kind_and_every_key_and_no_other() -> None:
    assert set(SHOWN.values()) == set(KINDS)
    shown: dict[str, set[str]] = {table: set() for table in (*SHOWN, *INNER)}
    text = (CONF / "carriers.toml").read_text()
    for table, line in carrier_lines():
        shown[table].add(line.key)
    for table, keys in shown.items():
        keys |= set(re.findall(rf"(?m)^\[connectors\.{table}\.(\w+)\]", text))
        known = set(model_of(table).model_fields) - {"name"}
        if table == "aix":
            wanted = known
        elif table == "other.look_up":
            wanted = known - set(template_settings.Request.model_fields) | {"method", "path"}
        else:
            wanted = own_keys(SHOWN[table]) - {"name"} if table in SHOWN else known
        assert wanted <= keys <= known, table


def test_every_key_of_the_example_of_carriers_says_what_it_means() -> None:
    assert [line for table, line in carrier_lines() if not line.comment and line.key != "kind"] == []


def test_the_example_of_carriers_shows_the_defaults() -> None:
    example = load(CONF / "carriers.toml")
    for table, line in carrier_lines():
        field = model_of(table).model_fields[line.key]
        default = default_of(field)
        if table in MADE_UP:
            assert default in ("", {}, "POST", "none"), line
        elif line.comment.startswith("required"):
            assert field.is_required() or default in ((), SecretStr("")), line
        elif said := re.search(r"default: (.+)$", line.comment):
            assert tomllib.loads(f"x = {said[1]}")["x"] == (list(default) if isinstance(default, tuple) else default)
        elif line.optional:
            assert default in (None, "", {}, SecretStr("")) or repr(default) == line.value.replace('"', "'"), line
        else:
            place: Any = example.connectors[table.partition(".")[0]]
            for part in table.split(".")[1:]:
                place = getattr(place, part)
            assert getattr(place, line.key) == default, line


def test_the_example_of_carriers_is_good_and_every_connector_is_used() -> None:
    example = load(CONF / "carriers.toml")
    assert warnings(example) == ()
    assert {name: each.kind for name, each in example.https.items()} == SHOWN


def test_the_optional_keys_of_carriers_are_valid_too(tmp_path: Path) -> None:
    text = re.sub(r"(?m)^# (\w+ = )", r"\1", (CONF / "carriers.toml").read_text())
    text = re.sub(r"(?m)^(tls_|(json|text)_body).*\n", "", text)
    text = re.sub(r'(?m)^((webhook_)?user = )""', r'\1"me"', text)
    path = tmp_path / "full.toml"
    path.write_text(text)
    full = load(path)
    assert full.https["aix"].webhook_password.get_secret_value() == "secret"


def test_the_page_about_carriers_names_every_common_key() -> None:
    page = (CONF.parent / "docs" / "configuration.md").read_text()
    assert {key for key in CarrierSettings.model_fields if f"`{key}`" not in page} <= {"name"}
