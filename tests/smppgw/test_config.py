"""The config: what it reads, what it refuses and in which words."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from smppgw import config
from smppgw.carriers import kddi_settings, template_settings
from smppgw.carriers.registry import KINDS
from smppgw.carriers.settings import CarrierSettings
from smppgw.config import Account, Config, ConfigError, Connector, Group, Match, load, parse
from smppgw.settings import Model

CONF = Path(__file__).parents[2] / "conf"
TABLES: dict[str, tuple[type[Model], tuple[str, ...]]] = {
    "gateway": (config.Gateway, ("gateway",)),
    "listeners": (config.Listener, ("listeners", "0")),
    "limits": (config.Limits, ("limits",)),
    "timers": (config.Timers, ("timers",)),
    "http": (config.Http, ("http",)),
    "webhooks": (config.Webhooks, ("webhooks",)),
    "carriers": (config.Carriers, ("carriers",)),
    "carriers.lookup": (config.CarrierLookup, ("carriers", "lookup")),
    "store": (config.StoreConfig, ("store",)),
    "api": (config.Api, ("api",)),
    "api.keys.shop": (config.ApiKey, ("api", "keys", "shop")),
    "history": (config.HistoryConfig, ("history",)),
    "tracing": (config.Tracing, ("tracing",)),
    "log": (config.Log, ("log",)),
    "accounts.demo": (Account, ("accounts", "demo")),
    "connectors.smpp1": (Connector, ("connectors", "smpp1")),
    "connectors.smpp1.errors": (config.Errors, ("connectors", "smpp1", "errors")),
    "connectors.smpp1.addresses": (config.Addresses, ("connectors", "smpp1", "addresses")),
    "groups.nexmo": (Group, ("groups", "nexmo")),
    "senders.shop": (config.Senders, ("senders", "shop")),
    "senders.shop.members": (config.Sender, ("senders", "shop", "members", "0")),
    "routes": (config.Route, ("routes", "0")),
    "routes.match": (Match, ("routes", "0", "match")),
    "mo_routes": (config.MoRoute, ("mo_routes", "0")),
    "mo_routes.match": (config.MoMatch, ("mo_routes", "0", "match")),
}


def small(**changes: Any) -> dict[str, Any]:
    return {
        "accounts": {"demo": {"password": "secret"}},
        "connectors": {
            "up": {"host": "a", "port": 2775, "system_id": "us", "password": "x"},
            "spare": {"host": "b", "port": 2775, "system_id": "us", "password": "x"},
        },
        "groups": {"all": {"active": ["up"], "backup": ["spare"]}},
        "routes": [{"name": "all", "to": "all"}],
    } | changes


def connector(**changes: Any) -> dict[str, Any]:
    return {"up": {"host": "a", "port": 1, "system_id": "us", "password": "x"} | changes}


def refused(data: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        parse(data)
    return {problem.path: f"{problem.wrong}; {problem.fix}" for problem in caught.value.problems}


def problems_of(data: dict[str, Any]) -> tuple[config.Problem, ...]:
    try:
        parse(data)
    except ConfigError as error:
        return error.problems
    return ()


# conf/smppgw.toml


@dataclass
class Line:
    table: str
    key: str
    value: str
    comment: str
    optional: bool


def lines(file: str = "smppgw.toml") -> Iterator[Line]:
    table = ""
    for text in (CONF / file).read_text().splitlines():
        if header := re.match(r"\[+([a-z0-9_.]+)\]", text):
            table = header[1]
        elif setting := re.match(r"(# )?(\w+) = (.+?)(?: +# *(.*))?$", text):
            yield Line(table, setting[2], setting[3], setting[4] or "", bool(setting[1]))


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
    assert load(CONF / "smppgw.toml").warnings == ()


def test_the_nexmo_example_binds_smpp0_only_for_smpp1_and_smpp2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXMO_PASSWORD", "secret")
    monkeypatch.setenv("ESME_PASSWORD", "secret")
    nexmo = load(CONF / "nexmo.toml")
    group = nexmo.groups["nexmo"]
    assert [member.connector for member in group.active] == ["smpp1", "smpp2"]
    assert [member.connector for member in group.backup] == ["smpp0"]
    assert nexmo.routes[0].to == "nexmo"
    assert nexmo.warnings == ()


# conf/carriers.toml


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
    assert example.warnings == ()
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


@pytest.mark.parametrize("name", ["aix", "kddi", "twilio", "vonage"])
def test_a_ready_example_loads_with_its_secrets_from_the_environment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (CONF / f"{name}.toml").read_text()
    variables = set(re.findall(r'_env = "(\w+)"', text))
    for variable in variables:
        monkeypatch.setenv(variable, "secret")
    said = re.search(r"(?m)^# Secrets come from the environment: (.*)\.$", text)
    assert said is not None
    assert set(said[1].split(", ")) == variables
    read = load(CONF / f"{name}.toml")
    assert read.warnings == ()
    assert any(each.kind.startswith(name) for each in read.https.values())


def test_the_example_of_aix_uses_it_only_while_the_cluster_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IVR_PASSWORD", "SMSC_PASSWORD", "AIX_TOKEN"):
        monkeypatch.setenv(name, "secret")
    group = load(CONF / "aix.toml").groups["japan"]
    assert [member.connector for member in group.active] == ["smsc1", "smsc2"]
    assert [member.connector for member in group.backup] == ["aix"]


# What is read


def test_names_of_tables_become_names() -> None:
    read = parse(small())
    assert (read.accounts["demo"].name, read.smpp["up"].name, read.groups["all"].name) == (
        "demo",
        "up",
        "all",
    )


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


def test_equal_files_give_equal_configs_also_after_a_password_was_checked() -> None:
    first, second = parse(small()), parse(small())
    assert first.accounts["demo"].verifies(b"secret")
    assert first == second


# Secrets


def test_a_plain_password_is_verified() -> None:
    account = parse(small()).accounts["demo"]
    assert account.verifies(b"secret")
    assert not account.verifies(b"secreT")
    assert not account.verifies(b"")


def test_a_hashed_password_is_verified() -> None:
    hashed = config.hash_password("secret", iterations=1000)
    account = parse(small(accounts={"demo": {"password_hash": hashed}})).accounts["demo"]
    assert account.verifies(b"secret")
    assert not account.verifies(b"wrong")
    assert account.verifies(b"secret")
    assert not account.verifies(b"wrong")


def test_a_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_DEMO", "hidden")
    assert parse(small(accounts={"demo": {"password_env": "SECRET_OF_DEMO"}})).accounts["demo"].verifies(b"hidden")


def test_a_password_comes_from_a_file_without_its_last_newline(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("hidden\n")
    read = parse(small(connectors=small()["connectors"] | {"up": file_connector(path)}))
    assert read.smpp["up"].secret == b"hidden"


def file_connector(path: Path) -> dict[str, Any]:
    return {"host": "a", "port": 1, "system_id": "us", "password_file": str(path)}


def test_no_secret_shows_in_a_repr_or_a_problem() -> None:
    hashed = config.hash_password("hidden", iterations=1000)
    accounts = {"demo": {"password": "hidden"}, "other": {"password_hash": hashed}}
    shown = repr(parse(small(accounts=accounts)))
    assert "hidden" not in shown
    assert hashed not in shown
    assert "31337" not in str(refused(small(accounts={"demo": {"password": 31337}})))


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


def test_a_connector_of_an_unknown_kind_is_one_problem() -> None:
    found = refused(small(connectors={"a": {"kind": "aixx"}}, groups={}, routes=[{"name": "all", "to": "a"}]))
    assert list(found) == ["connectors.a.kind"]


@pytest.mark.parametrize(("key", "value"), [("webhook_path", "aix"), ("client_id", "x"), ("sms_code", "1")])
def test_what_has_a_form_says_which_with_an_example(key: str, value: str) -> None:
    aix = {"kind": "aix", "token": "t", "client_id": "1234", "sms_code": "12345", key: value}
    problems = refused(small(connectors={"aix": aix}, routes=[{"name": "all", "to": "aix"}]))
    assert f"{value!r} cannot be used" in problems[f"connectors.aix.{key}"]
    assert "like" in problems[f"connectors.aix.{key}"]


def test_a_hash_of_another_form_is_a_problem() -> None:
    problems = refused(small(accounts={"demo": {"password_hash": "md5$abc"}}))
    assert "smppgw hash-password" in problems["accounts.demo.password_hash"]


@pytest.mark.parametrize("kind", [[], {}, 3, True, "nope"])
def test_a_connector_of_no_known_kind_is_a_problem(kind: Any) -> None:
    problems = refused(small(connectors=small()["connectors"] | {"more": {"kind": kind, "password": "x"}}))
    assert problems["connectors.more.kind"].startswith(f"{kind!r} is not known")


# Mobile carriers


def by_carrier(*names: str, **carriers: Any) -> dict[str, Any]:
    routes = [{"name": "mobile", "to": "up", "match": {"carrier": list(names)}}, {"name": "all", "to": "all"}]
    return small(routes=routes, carriers=carriers)


def warned(data: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in parse(data).warnings]


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


def test_bad_lines_of_overrides_are_problems_with_their_numbers(tmp_path: Path) -> None:
    file = tmp_path / "ported.csv"
    file.write_text("# ported\n09010012345,au\nnonsense\n")
    problems = refused(small(carriers={"overrides": str(file)}))
    assert problems == {"carriers.overrides": f"{file}, line 3: there is no comma; write number,carrier"}
    file.write_text("nonsense\n" * 100)
    told = [problem.wrong for problem in problems_of(small(carriers={"overrides": str(file)}))]
    assert len(told) == config.BAD_LINES + 1
    assert told[-1] == f"{file} has 100 bad lines in all"


def test_overrides_that_cannot_be_read_are_a_problem(tmp_path: Path) -> None:
    problems = refused(small(carriers={"overrides": str(tmp_path / "absent")}))
    assert "cannot be read: No such file" in problems["carriers.overrides"]


@pytest.mark.parametrize(
    ("lookup", "path"),
    [
        ({"url": "https://directory/"}, "url"),
        ({"url": "https://{number}/"}, "url"),
        ({"url": "ftp://directory/{number}"}, "url"),
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


# Addresses


def test_an_account_is_admitted_from_its_networks_alone() -> None:
    networks = ["192.0.2.0/24", "2001:db8::/32"]
    account = parse(small(accounts={"demo": {"password": "x", "networks": networks}})).accounts["demo"]
    assert account.admits("192.0.2.7")
    assert account.admits("::ffff:192.0.2.7")
    assert account.admits("2001:db8::1")
    assert account.admits("2001:db8::1%eth0")
    assert not account.admits("192.0.3.7")
    assert not account.admits("::1")


# What is refused


def test_all_problems_are_said_at_once() -> None:
    problems = refused(
        small(
            gateway={"validity": "5x", "node": 1024},
            accounts={"demo": {"password": "x", "window": 0, "windw": 1}},
            groups={"all": {"active": ["upp"], "backup": ["spare"]}},
            routes=[{"name": "a"}, {"name": "b", "to": "al", "match": {"source": "re:(", "account": "demmo"}}],
            listener=[],
        )
    )
    assert set(problems) == {
        "gateway.validity",
        "gateway.node",
        "accounts.demo.window",
        "accounts.demo.windw",
        "groups.all.active",
        "routes[0].to",
        "routes[1].to",
        "routes[1].match.source[0]",
        "routes[1].match.account",
        "listener",
    }


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
        ({"accounts": {}}, "accounts", "there is no account"),
        ({"accounts": {"a" * 16: {"password": "x"}}}, f"accounts.{'a' * 16}", "as a system_id"),
        ({"accounts": {"demo": {"password": "x", "name": "y"}}}, "accounts.demo.name", "unknown key"),
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
            {"routes": [{"name": "a", "to": "up", "match": {"tlv": {"x": "1"}}}]},
            "routes[0].match.tlv.x",
            "'x' is not a tag",
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
        ({"listeners": [{"tls_certificate": "a"}]}, "listeners[0].tls_certificate", "tls_key is missing; give both"),
        ({"listeners": [{"tls_client_ca": __file__}]}, "listeners[0].tls_client_ca", ""),
        (
            {"listeners": [{"tls_certificate": "/absent", "tls_key": "/absent"}]},
            "listeners[0].tls_key",
            "/absent cannot be read: No such file or directory",
        ),
        (
            {"listeners": [{"tls_certificate": __file__, "tls_key": __file__}]},
            "listeners[0].tls_certificate",
            "it and its key cannot be used",
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
        ({"tls_name": "x"}, "connectors.up.tls_name", "this connector speaks no TLS; add tls = true"),
        ({"tls": True, "tls_ca": "/absent"}, "connectors.up.tls_ca", "/absent cannot be read"),
        ({"tls": True, "tls_ca": __file__}, "connectors.up.tls_ca", f"{__file__} cannot be used"),
        ({"errors": {"never": ["0x58"]}}, "connectors.up.errors", "status 0x58 is in two lists"),
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


junk = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({}),
    st.lists(st.one_of(st.integers(), st.text(max_size=5), st.just([]), st.just({})), min_size=1, max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2), st.dates(),
)  # fmt: skip


@settings(max_examples=300)
@given(st.data())
def test_junk_anywhere_is_accepted_or_said_with_its_place(data: st.DataObject) -> None:
    tables = tomllib.loads((CONF / "smppgw.toml").read_text())
    for _ in range(data.draw(st.integers(1, 4))):
        place: Any = tables
        while True:
            key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.integers(0, 4)) == 0:
                break
            place = place[key]
        place[key] = data.draw(junk)
    for problem in problems_of(tables):
        assert problem.path
        assert problem.wrong
        assert problem.fix


def test_one_mistake_is_one_problem() -> None:
    assert list(refused(small(connectors=small()["connectors"] | connector(port="x")))) == ["connectors.up.port"]


def test_ports_may_be_shared_by_different_addresses() -> None:
    listeners = [{"host": "127.0.0.1", "port": 5}, {"host": "127.0.0.2", "port": 5}]
    assert len(parse(small(listeners=listeners)).listeners) == 2


def test_any_number_of_listeners_may_ask_for_a_free_port() -> None:
    assert len(parse(small(listeners=[{"port": 0}, {"port": 0}])).listeners) == 2


def test_a_certificate_with_its_key_is_accepted(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = {"tls_certificate": str(certificate), "tls_key": str(key), "tls_client_ca": str(certificate)}
    assert parse(small(listeners=[tls])).listeners[0].tls_key == str(key)


# Files


def test_an_absent_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "absent.toml")


def test_a_mistake_of_syntax_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[gateway]\nnode = = 1\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.problems[0].path == "line 2, column 8"


def test_a_file_that_is_not_utf8_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(b'[gateway]\nname = "\xff"\n')
    with pytest.raises(ConfigError, match="octet 18 is not UTF-8"):
        load(path)


# Warnings


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
    assert path in {warning.path for warning in parse(small(**changes)).warnings}


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
    assert ("connectors.aix.url" in {each.path for each in read.warnings}) is warned


# Callbacks of the API


def keyed(**key: Any) -> dict[str, Any]:
    return {"api": {"port": 1, "keys": {"shop": {"key": "secret", "accounts": ["demo"], **key}}}}


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


def test_the_secret_of_callbacks_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOKS", "word")
    read = parse(small() | keyed(callback="https://app.example/", callback_secret_env="HOOKS"))
    assert read.api.keys["shop"].callback_secret.get_secret_value() == "word"
    assert "word" not in repr(read.api)
