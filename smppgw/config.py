"""Load the config, and say everything that is wrong with it at once."""

import copy
import os
import re
import ssl
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Discriminator, Field, SecretStr, Strict, Tag, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from routing.carriers import Carriers as Known
from smppgw.carriers.registry import KINDS
from smppgw.carriers.settings import CarrierSettings
from smppgw.overrides import Overrides, read_file
from smppgw.passwords import hash_password
from smppgw.senders import Sender, Senders, never_chosen
from smppgw.settings import (
    Account,
    Addresses,
    Api,
    ApiKey,
    CarrierLookup,
    Carriers,
    Connector,
    Errors,
    Gateway,
    Group,
    HistoryConfig,
    Http,
    Limits,
    Listener,
    Log,
    Match,
    Member,
    Model,
    MoMatch,
    MoRoute,
    Route,
    StoreConfig,
    Timers,
    Tracing,
    Webhooks,
)
from smppgw.values import Wrong, did_you_mean, octets_within

__all__ = [
    "Account",
    "Addresses",
    "Api",
    "ApiKey",
    "CarrierLookup",
    "Carriers",
    "Config",
    "ConfigError",
    "Connector",
    "Errors",
    "Gateway",
    "Group",
    "HistoryConfig",
    "Http",
    "Limits",
    "Listener",
    "Log",
    "Match",
    "Member",
    "MoMatch",
    "MoRoute",
    "Problem",
    "Route",
    "Sender",
    "Senders",
    "StoreConfig",
    "Timers",
    "Tracing",
    "Webhooks",
    "hash_password",
    "load",
    "parse",
]

SYSTEM_ID = 15  # octets (SMPP 3.4, 5.2.1)
PASSWORD = 8  # octets (5.2.2)
BAD_LINES = 20
"""Lines of a file that are named; of more, their number."""
_NAMED = ("accounts", "connectors", "groups", "senders")
_SECRETS = ("password", "password_env", "password_file", "password_hash")
_KINDS = ("smpp", *KINDS)
_ON_THIS_MACHINE = re.compile(r"http://(127\.[0-9.]+|localhost|\[::1\])([:/]|$)")


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


_HIDDEN = frozenset(
    ("password", "password_hash", "secret"),
) | {key for kind in KINDS.values() for key, field in kind.settings.model_fields.items() if _is_secret(field)}
"""Keys whose values no message shows."""


T = TypeVar("T")
_Names = Mapping[str, frozenset[str]]
_Numbers = Mapping[str, list[int]]
"""For an array of tables of which some were wrong: where the others stood in the file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a path of the file, and what would be right."""

    path: str
    wrong: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}: {self.wrong}; {self.fix}"


class ConfigError(Exception):
    """All problems of a config; with any of them nothing of it is used."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def _kind_of(table: Any) -> str:
    kind = table.get("kind", "smpp") if isinstance(table, dict) else getattr(table, "kind", None)
    return kind if isinstance(kind, str) else ""


if TYPE_CHECKING:
    AnyConnector = Connector | CarrierSettings
else:
    _TAGGED = [Annotated[kind.settings, Tag(name)] for name, kind in KINDS.items()]
    AnyConnector = Annotated[Union[(Annotated[Connector, Tag("smpp")], *_TAGGED)], Discriminator(_kind_of)]
    AnyConnector = AnyConnector if KINDS else Connector


class Config(Model):
    """The whole file."""

    gateway: Gateway = Gateway()
    listeners: Annotated[tuple[Listener, ...], Strict(False), Field(min_length=1)] = (Listener(),)
    limits: Limits = Limits()
    timers: Timers = Timers()
    http: Http = Http()
    webhooks: Webhooks = Webhooks()
    api: Api = Api()
    carriers: Carriers = Carriers()
    store: StoreConfig = StoreConfig()
    history: HistoryConfig = HistoryConfig()
    tracing: Tracing = Tracing()
    log: Log = Log()
    accounts: dict[str, Account] = Field(default_factory=dict)
    connectors: dict[str, AnyConnector] = Field(default_factory=dict)
    groups: dict[str, Group] = Field(default_factory=dict)
    senders: dict[str, Senders] = Field(default_factory=dict)
    routes: Annotated[tuple[Route, ...], Strict(False)] = ()
    mo_routes: Annotated[tuple[MoRoute, ...], Strict(False)] = ()

    @property
    def smpp(self) -> dict[str, Connector]:
        """The connectors that bind to an SMSC."""
        return {name: each for name, each in self.connectors.items() if isinstance(each, Connector)}

    @property
    def https(self) -> dict[str, CarrierSettings]:
        """The connectors that send to an HTTPS carrier."""
        return {name: each for name, each in self.connectors.items() if isinstance(each, CarrierSettings)}

    @cached_property
    def ported(self) -> Overrides:
        """The file of carriers.overrides, read once."""
        return read_file(self.carriers.overrides, self.carriers.country)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What works, but is probably not meant."""
        return tuple(_warnings(self))


def load(path: str | Path) -> Config:
    """Raises ConfigError with all its problems; file names in it are relative to the working directory."""
    try:
        data = tomllib.loads(Path(path).read_bytes().decode())
    except OSError as error:
        problem = Problem(str(path), f"cannot be read: {error.strerror}", "give the path of a config file")
        raise ConfigError((problem,)) from None
    except UnicodeDecodeError as error:
        problem = Problem(str(path), f"octet {error.start} is not UTF-8", "save the file as UTF-8")
        raise ConfigError((problem,)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError((_syntax(str(error)),)) from None
    return parse(data)


def parse(data: Mapping[str, Any]) -> Config:
    """A config from the tables of its file; raises ConfigError."""
    problems: list[Problem] = []
    tables = _prepared(dict(data), problems)
    numbers: _Numbers = {}
    try:
        config = Config.model_validate(tables)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems.extend(_problem(detail) for detail in details)
        config, numbers = _without(tables, details)
    names = {kind: _names(tables, kind) for kind in _NAMED}
    problems.extend(_cross_checks(config, names, numbers))
    if problems:
        raise ConfigError(tuple(dict.fromkeys(problems)))
    return config


# Before validation: names become fields, secrets are fetched from where they are kept.


def _names(tables: Mapping[str, Any], kind: str) -> frozenset[str]:
    table = tables.get(kind)
    return frozenset(table) if isinstance(table, dict) else frozenset()


def _prepared(tables: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    for kind in _NAMED:
        if not isinstance(tables.get(kind), dict):
            continue
        tables[kind] = dict(tables[kind])
        for name, table in tables[kind].items():
            if not isinstance(table, dict):
                continue
            path = f"{kind}.{name}"
            if "name" in table:
                problems.append(Problem(f"{path}.name", "unknown key", "the table's own name is its name"))
            tables[kind][name] = {**table, "name": name}
            if kind == "connectors" and _kind_of(table) in KINDS:
                _fetch_secrets(path, tables[kind][name], KINDS[_kind_of(table)].settings, problems)
            elif kind == "accounts" or (kind == "connectors" and _kind_of(table) == _KINDS[0]):
                _fetch_secret(path, tables[kind][name], problems)
    api = tables.get("api")
    if isinstance(api, dict) and isinstance(keys := api.get("keys"), dict):
        tables["api"] = {**api, "keys": {name: _key(name, key, problems) for name, key in keys.items()}}
    history = tables.get("history")
    if isinstance(history, dict):
        tables["history"] = (history := dict(history))
        _fetch_secrets("history", history, HistoryConfig, problems)
    carriers = tables.get("carriers")
    if isinstance(carriers, dict) and isinstance(lookup := carriers.get("lookup"), dict):
        tables["carriers"] = {**carriers, "lookup": (lookup := dict(lookup))}
        _fetch_secrets("carriers.lookup", lookup, CarrierLookup, problems)
    return tables


def _key(name: str, table: Any, problems: list[Problem]) -> Any:
    if not isinstance(table, dict):
        return table
    path = f"api.keys.{name}"
    if not {"key", "key_env", "key_file", "key_hash"} & table.keys():
        problems.append(Problem(path, "no key", "give one of key, key_env, key_file, key_hash"))
    table = {**table, "name": name}
    _fetch_secrets(path, table, ApiKey, problems)
    return table


def _fetch_secrets(path: str, table: dict[str, Any], model: type[Model], problems: list[Problem]) -> None:
    """Every secret of this table may be in the environment or in a file instead."""
    for key, field in model.model_fields.items():
        if not _is_secret(field):
            continue
        given = [name for name in (key, f"{key}_env", f"{key}_file") if name in table]
        if len(given) > 1:
            problems.append(Problem(path, f"{' and '.join(given)} are given", "give one of them"))
        elif given and given[0] != key:
            _read_secret(path, table, key, given[0], problems)
        for name in given:
            if name != key:
                table.pop(name, None)


def _fetch_secret(path: str, table: dict[str, Any], problems: list[Problem]) -> None:
    allowed = _SECRETS if path.startswith("accounts.") else _SECRETS[:3]
    given = [key for key in allowed if key in table]
    if len(given) != 1:
        wrong = f"{' and '.join(given)} are given" if given else "no password"
        problems.append(Problem(path, wrong, f"give one of {', '.join(allowed)}"))
        return
    if given[0] in {"password_env", "password_file"}:
        _read_secret(path, table, "password", given[0], problems)


_UNKNOWN = "unknown"
"""In place of a secret that cannot be had, so that this is said once and the rest can be checked."""


def _read_secret(path: str, table: dict[str, Any], key: str, where: str, problems: list[Problem]) -> None:
    source = table[where]
    if not isinstance(source, str):
        return  # validation says so
    table[key] = _UNKNOWN
    if where.endswith("_env"):
        if (secret := os.environ.get(source)) is None:
            problems.append(Problem(f"{path}.{where}", f"{source} is not in the environment", "set it"))
        table[key] = _UNKNOWN if secret is None else secret
        return
    try:
        table[key] = Path(source).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        wrong = f"{source} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}"
        problems.append(Problem(f"{path}.{where}", wrong, f"a readable file that holds the {key}"))


# Validation errors in words.


def _syntax(message: str) -> Problem:
    place = re.search(r" \(at (line \d+, column \d+|end of document)\)$", message)
    if place is None:
        return Problem("file", message, "correct the TOML")
    return Problem(place[1], message[: place.start()], "correct the TOML there")


def _place(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Where it is in the file: behind a connector's name, its kind is no key."""
    loc = tuple(part for part in loc if part != "[key]")
    return loc[:2] + loc[3:] if loc[0] == "connectors" and len(loc) > 2 and loc[2] in _KINDS else loc


def _path(loc: tuple[int | str, ...]) -> str:
    path = ""
    for part in _place(loc):
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path


def _known_keys(loc: tuple[int | str, ...]) -> list[str]:
    """The keys of the table at this place."""
    kind: Any = Config
    for part in loc:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(part))
            kind = field.annotation if field else None
        elif get_origin(kind) in {tuple, dict}:
            kind = get_args(kind)[0 if get_origin(kind) is tuple else 1]
        elif get_origin(kind) is Union:
            kind = next((each for each in get_args(kind) if get_args(each)[1] == Tag(str(part))), None)
        while get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [key for key in kind.model_fields if not (key == "name" and loc and loc[0] in _NAMED)]
    return []


_RANGES = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}
_MUST_BE = {
    "int_type": "write a whole number, like 10",
    "int_from_float": "write a whole number, like 10",
    "float_type": "write a number, like 10 or 0.5",
    "finite_number": "write a finite number",
    "string_type": 'write text in quotes, like "abc"',
    "bool_type": "write true or false",
    "tuple_type": "write a list, like [...]",
    "frozen_set_type": "write a list, like [...]",
    "dict_type": "write it as a table",
    "model_type": "write it as a table",
}


_LIKE = {
    "webhook_path": 'a path of letters, digits and ._~-, like "/aix"',
    "sms_numbers": '3 to 15 digits, like "0312345678"',
    "client_id": 'digits, like "1234"',
    "sms_code": '5 or 6 letters and digits, like "12345"',
}


def _problem(detail: ErrorDetails) -> Problem:
    loc, kind, given, context = detail["loc"], detail["type"], detail["input"], detail.get("ctx", {})
    path, last = _path(loc), str(loc[-1]) if loc else ""
    shown = "the value" if last in _HIDDEN else "it" if isinstance(given, (dict, list)) else repr(given)
    wrong, fix = detail["msg"], "correct it"
    if isinstance(error := context.get("error"), Wrong):
        wrong, fix = error.wrong, error.fix
    elif kind == "extra_forbidden":
        wrong, fix = "unknown key", did_you_mean(last, _known_keys(loc[:-1]))
    elif kind == "missing":
        wrong, fix = "is missing", f"add {last!r} to this table"
    elif kind in {"union_tag_invalid", "union_tag_not_found"}:
        path, given = f"{path}.kind", given.get("kind") if isinstance(given, dict) else given
        wrong, fix = f"{given!r} is not known", did_you_mean(str(given), _KINDS)
    elif kind == "literal_error":
        wrong, fix = f"{shown} is not known", f"one of {context.get('expected')}"
    elif kind in _RANGES:
        key, words = _RANGES[kind]
        wrong, fix = f"{shown} is out of range", f"must be {words} {context.get(key)}"
    elif kind == "too_short":
        wrong, fix = "is empty", f"give at least {context.get('min_length', 1)}"
    elif kind == "string_too_short":
        least = context.get("min_length", 1)
        wrong = f"{shown} is too short" if given else "is empty"
        fix = f"write at least {least} character{'' if least == 1 else 's'}"
    elif kind == "string_pattern_mismatch":
        key = next((each for each in reversed(loc) if isinstance(each, str)), "")
        wrong = f"{shown} cannot be used"
        fix = f"write {_LIKE[key]}" if key in _LIKE else f"write what matches {context.get('pattern')}"
    elif kind in _MUST_BE:
        wrong = f"{shown} is of the wrong type"
        fix = f"write it as [[{path}]]" if path in {"listeners", "routes", "mo_routes"} else _MUST_BE[kind]
    return Problem(path, wrong, fix)


def _without(tables: dict[str, Any], details: list[ErrorDetails]) -> tuple[Config, _Numbers]:
    """The config without what is wrong, so that the rest can still be checked; and where its entries stood."""
    rest = copy.deepcopy(tables)
    numbers = {key: list(range(len(value))) for key, value in rest.items() if isinstance(value, list)}
    while details:
        removed = False
        for loc in sorted({_blamed(detail) for detail in details}, key=_order, reverse=True):
            removed |= _remove(rest, loc)
            if len(loc) == 2 and loc[0] in numbers and loc[1] in numbers[loc[0]]:
                del numbers[loc[0]][loc[1]]
        if not removed:  # never expected, but then this must end all the same
            rest = {}
        try:
            return Config.model_validate(rest), numbers
        except ValidationError as error:
            details = error.errors(include_url=False)
    return Config(), numbers


def _blamed(detail: ErrorDetails) -> tuple[Any, ...]:
    loc = _place(detail["loc"])
    if loc[0] == "listeners":
        return loc[:2]  # a default in place of its port would collide with others
    return loc[:-1] if detail["type"] == "missing" else loc


def _order(loc: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(f"{part:09}" if isinstance(part, int) else part for part in loc)


def _remove(tables: dict[str, Any], loc: tuple[Any, ...]) -> bool:
    """What stands at this place, or the last thing on the way to it that is there; False: nothing is."""
    place: Any = tables
    for n, part in enumerate(loc):
        if part not in (range(len(place)) if isinstance(place, list) else place):
            return False
        if n + 1 == len(loc) or not isinstance(place[part], (dict, list)):
            del place[part]
            return True
        place = place[part]
    return False


# What no single key can know.


def _cross_checks(config: Config, names: _Names, numbers: _Numbers) -> Iterator[Problem]:
    """`names` holds also what failed validation, so that one mistake is not reported twice."""
    yield from _check_names(names)
    yield from _check_groups(config, names)
    yield from _check_routes(config, names, numbers)
    yield from _check_senders(config, names, numbers)
    yield from _check_ports(config, numbers)
    yield from _check_tls(config, numbers)
    yield from _check_webhooks(config)
    yield from _check_history(config)
    yield from _check_tracing(config)
    yield from _check_api(config, names)
    yield from _check_overrides(config)
    for name, connector in config.smpp.items():
        seen = Counter(status for of in ("sent", "later", "never") for status in getattr(connector.errors, of))
        for status in (status for status, times in seen.items() if times > 1):
            path = f"connectors.{name}.errors"
            yield Problem(path, f"status 0x{status:02X} is in two lists", "leave it in one (later has defaults)")


def _placed(kind: str, entries: Iterable[T], numbers: _Numbers) -> Iterator[tuple[str, T]]:
    places = numbers.get(kind, [])
    for n, entry in enumerate(entries):
        yield f"{kind}[{places[n] if n < len(places) else n}]", entry


def _check_names(names: _Names) -> Iterator[Problem]:
    if not names["accounts"]:
        yield Problem("accounts", "there is no account", "add a table [accounts.NAME] with a password")
    for name in sorted(names["accounts"]):
        try:
            if not octets_within(SYSTEM_ID, name):
                yield Problem("accounts.", "the name is empty", "a system_id has 1 to 15 octets")
        except Wrong as error:
            yield Problem(f"accounts.{name}", f"as a system_id {error.wrong}", error.fix)
    for name in sorted(names["connectors"] & names["groups"]):
        yield Problem(f"groups.{name}", "a connector has this name too", "give one of them another name")


def _check_groups(config: Config, names: _Names) -> Iterator[Problem]:
    for name, group in config.groups.items():
        path = f"groups.{name}"
        for of, members in (("active", group.active), ("backup", group.backup)):
            for member in members:
                if member.connector not in names["connectors"]:
                    hint = did_you_mean(member.connector, names["connectors"])
                    yield Problem(f"{path}.{of}", f"there is no connector {member.connector!r}", hint)
        times = Counter(member.connector for member in group.active + group.backup)
        for connector in (connector for connector, count in times.items() if count > 1):
            yield Problem(path, f"{connector!r} is named twice", "name it once; give it more weight instead")


def _check_routes(config: Config, names: _Names, numbers: _Numbers) -> Iterator[Problem]:
    targets = names["connectors"] | names["groups"]
    seen: set[str] = set()
    for path, route in _placed("routes", config.routes, numbers):
        if route.name in seen:
            yield Problem(f"{path}.name", f"there is another route {route.name!r}", "give each its own name")
        seen.add(route.name)
        for key, wanted in (("to", (route.to,)), ("fallback", route.fallback)):
            for target in (target for target in wanted if target not in targets):
                wrong = f"there is no group or connector {target!r}"
                yield Problem(f"{path}.{key}", wrong, did_you_mean(target, targets))
        if len({route.to, *route.fallback}) <= len(route.fallback):
            yield Problem(f"{path}.fallback", "a target is named twice", "name each target once")
        for account in (account for account in route.match.account if account not in names["accounts"]):
            hint = did_you_mean(account, names["accounts"])
            yield Problem(f"{path}.match.account", f"there is no account {account!r}", hint)
    for path, mo in _placed("mo_routes", config.mo_routes, numbers):
        if mo.account not in names["accounts"]:
            hint = did_you_mean(mo.account, names["accounts"])
            yield Problem(f"{path}.account", f"there is no account {mo.account!r}", hint)
        for name in (name for name in mo.match.connector if name not in names["connectors"]):
            hint = did_you_mean(name, names["connectors"])
            yield Problem(f"{path}.match.connector", f"there is no connector {name!r}", hint)


def _check_senders(config: Config, names: _Names, numbers: _Numbers) -> Iterator[Problem]:
    for path, route in _placed("routes", config.routes, numbers):
        if route.senders and route.senders not in names["senders"]:
            hint = did_you_mean(route.senders, names["senders"])
            yield Problem(f"{path}.senders", f"there is no sender pool {route.senders!r}", hint)
    owner: dict[bytes, Senders] = {}
    for name, pool in config.senders.items():
        if pool.account and pool.account not in names["accounts"]:
            hint = did_you_mean(pool.account, names["accounts"])
            yield Problem(f"senders.{name}.account", f"there is no account {pool.account!r}", hint)
        for n, member in enumerate(pool.members if pool.account else ()):
            other = owner.setdefault(member.what.address, pool)
            if other.account != pool.account:
                wrong = f"MO messages to {member.value!r} go to {other.account!r} by senders.{other.name}"
                yield Problem(f"senders.{name}.members[{n}]", wrong, "name the same account, or none")


def _check_ports(config: Config, numbers: _Numbers) -> Iterator[Problem]:
    listeners = _placed("listeners", config.listeners, numbers)
    users = [(f"{path}.port", each.host, each.port) for path, each in listeners]
    users.append(("http.port", config.http.host, config.http.port))
    users.append(("api.port", config.api.host, config.api.port))
    users.append(("webhooks.port", config.webhooks.host, config.webhooks.port))
    wild = {"0.0.0.0", "::", ""}
    for n, (path, host, port) in enumerate(users):
        for other, other_host, other_port in users[:n]:
            if port and port == other_port and (host == other_host or wild & {host, other_host}):
                yield Problem(path, f"port {port} is used by {other} too", "give each its own port")


def _check_api(config: Config, names: _Names) -> Iterator[Problem]:
    yield from _check_pair("api", config.api.tls_certificate, config.api.tls_key)
    for name, key in config.api.keys.items():
        path = f"api.keys.{name}"
        if "send" in key.roles and not key.accounts:
            yield Problem(f"{path}.accounts", "is missing", "name the account whose messages it sends")
        for account in (account for account in key.accounts if account not in names["accounts"]):
            hint = did_you_mean(account, names["accounts"])
            yield Problem(f"{path}.accounts", f"there is no account {account!r}", hint)
    yield from _check_callbacks(config)


def _check_callbacks(config: Config) -> Iterator[Problem]:
    inbound: dict[str, str] = {}
    for name, key in config.api.keys.items():
        path = f"api.keys.{name}"
        if (key.callback or key.callback_hosts) and not key.callback_secret.get_secret_value():
            yield Problem(f"{path}.callback_secret", "is missing", "callbacks are signed with it: give one")
        if not key.inbound:
            continue
        if not key.callback or not key.accounts:
            yield Problem(f"{path}.inbound", "MO messages have no way to go", "give the key accounts and a callback")
            continue
        other = inbound.setdefault(key.accounts[0], name)
        if other != name:
            yield Problem(
                f"{path}.inbound", f"key {other!r} gets the MO messages of {key.accounts[0]!r}", "one key only"
            )


def _check_history(config: Config) -> Iterator[Problem]:
    if config.history.engine == "postgres" and not config.history.url.get_secret_value():
        fix = 'like "postgresql://smppgw@db.example/smppgw"; url_env and url_file keep its password out of here'
        yield Problem("history.url", "is missing", f"give it, {fix}")


def _check_tracing(config: Config) -> Iterator[Problem]:
    if config.tracing.endpoint and not _installed("opentelemetry.exporter.otlp.proto.http"):
        yield Problem("tracing.endpoint", "OpenTelemetry is not installed", "pip install 'smppgw[otel]'")


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # nothing above it either
        return False


def _check_webhooks(config: Config) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for name, carrier in config.https.items():
        path = f"connectors.{name}"
        if carrier.webhook_path and not config.webhooks.port:
            yield Problem(f"{path}.webhook_path", "[webhooks] has no port", "give [webhooks] a port")
        other = taken.setdefault(carrier.webhook_path, name)
        if carrier.webhook_path and other != name:
            yield Problem(f"{path}.webhook_path", f"connector {other!r} has the same", "give each its own path")
        if bool(carrier.webhook_user) is not bool(carrier.webhook_password.get_secret_value()):
            yield Problem(f"{path}.webhook_user", "webhook_user goes with webhook_password", "give both or none")
        tls = [key for key in ("tls_ca", "tls_certificate") if getattr(carrier, key) is not None]
        if tls and carrier.url.startswith("http:"):
            yield Problem(f"{path}.{tls[0]}", "its url speaks no TLS", 'write "https://" in url')


def _check_overrides(config: Config) -> Iterator[Problem]:
    file, (_, bad, unreadable) = config.carriers.overrides, config.ported
    if unreadable:
        yield Problem("carriers.overrides", f"{file} cannot be read: {unreadable}", "an existing, readable file")
    for line in bad[:BAD_LINES]:
        yield Problem("carriers.overrides", f"{file}, line {line.number}: {line.wrong}", line.fix)
    if len(bad) > BAD_LINES:
        yield Problem("carriers.overrides", f"{file} has {len(bad)} bad lines in all", "correct these first")


def _check_tls(config: Config, numbers: _Numbers) -> Iterator[Problem]:
    for path, listener in _placed("listeners", config.listeners, numbers):
        yield from _check_pair(path, listener.tls_certificate, listener.tls_key)
        yield from _check_ca(f"{path}.tls_client_ca", listener.tls_client_ca)
        if listener.tls_client_ca is not None and listener.tls_certificate is None:
            yield Problem(f"{path}.tls_client_ca", "this listener speaks no TLS", "add tls_certificate and tls_key")
    yield from _check_pair("webhooks", config.webhooks.tls_certificate, config.webhooks.tls_key)
    for name, each in config.connectors.items():
        path = f"connectors.{name}"
        yield from _check_pair(path, each.tls_certificate, each.tls_key)
        yield from _check_ca(f"{path}.tls_ca", each.tls_ca)
    for name, connector in config.smpp.items():
        path = f"connectors.{name}"
        for key in ("tls_ca", "tls_certificate", "tls_key", "tls_name"):
            if getattr(connector, key) is not None and not connector.tls:
                yield Problem(f"{path}.{key}", "this connector speaks no TLS", "add tls = true")


def _check_pair(path: str, certificate: str | None, key: str | None) -> Iterator[Problem]:
    if certificate is None and key is None:
        return
    if certificate is None or key is None:
        given, absent = ("tls_key", "tls_certificate") if certificate is None else ("tls_certificate", "tls_key")
        yield Problem(f"{path}.{given}", f"{absent} is missing", "give both")
        return
    unread = [*_unreadable(f"{path}.tls_certificate", certificate), *_unreadable(f"{path}.tls_key", key)]
    yield from unread
    if unread:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, lambda: "")
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error)
        fix = "PEM files: the certificate with its chain, and its key without a passphrase"
        yield Problem(f"{path}.tls_certificate", f"it and its key cannot be used: {reason}", fix)


def _check_ca(path: str, file: str | None) -> Iterator[Problem]:
    if file is None:
        return
    unread = list(_unreadable(path, file))
    yield from unread
    if unread:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except (ssl.SSLError, ValueError) as error:
        yield Problem(path, f"{file} cannot be used: {getattr(error, 'reason', None)}", "certificates in PEM form")


def _unreadable(path: str, file: str) -> Iterator[Problem]:
    try:
        with open(file, "rb") as opened:
            opened.read(1)
    except OSError as error:
        yield Problem(path, f"{file} cannot be read: {error.strerror}", "an existing, readable file")


# What works, but is probably not meant.


def _warnings(config: Config) -> Iterator[Problem]:
    short = f"SMPP allows {PASSWORD}; peers that keep to it cannot use more"
    for name, account in config.accounts.items():
        if account.password is not None and not account.password.get_secret_value():
            yield Problem(f"accounts.{name}.password", "is empty", "anyone who knows the name may bind")
        if account.password is not None and len(account.password.get_secret_value().encode()) > PASSWORD:
            yield Problem(f"accounts.{name}.password", f"has more than {PASSWORD} octets", short)
        if not account.networks:
            yield Problem(f"accounts.{name}.networks", "is empty", "this account can bind from nowhere")
    for name, connector in config.smpp.items():
        if len(connector.secret) > PASSWORD:
            yield Problem(f"connectors.{name}.password", f"has more than {PASSWORD} octets", short)
    for name, carrier in config.https.items():
        if carrier.url.startswith("http:") and not _ON_THIS_MACHINE.match(carrier.url):
            yield Problem(f"connectors.{name}.url", "is not encrypted", 'for simulators only: write "https://"')
        if carrier.poll and carrier.poll[-1] > config.gateway.receipt_wait:
            wrong = "looks longer than gateway.receipt_wait lets a message wait for its receipt"
            yield Problem(f"connectors.{name}.poll", wrong, "raise gateway.receipt_wait")
    lookup = config.carriers.lookup
    if lookup.url.startswith("http:") and lookup.secret.get_secret_value():
        yield Problem("carriers.lookup.url", "its secret is sent without encryption", 'write "https://"')
    yield from _unreached(config)
    yield from _unknown_carriers(config)
    yield from _unused_senders(config)
    if config.store.engine == "memory":
        yield Problem("store.engine", "is memory", "messages are forgotten at exit: for tests only")


def _unreached(config: Config) -> Iterator[Problem]:
    if not config.routes:
        yield Problem("routes", "there is no route", "every submit gets RINVDSTADR: add [[routes]]")
    for n, route in enumerate(config.routes[:-1]):
        if route.match == Match():
            fix = f"they are never reached: {route.name!r} matches everything"
            yield Problem(f"routes[{n + 1}]", "this route and those after it", fix)
            break
    used = {target for route in config.routes for target in (route.to, *route.fallback)}
    for name, group in config.groups.items():
        if name in used:
            used.update(member.connector for member in group.active + group.backup)
        else:
            yield Problem(f"groups.{name}", "no route leads to it", "name it in a route, or remove it")
    for name, connector in config.connectors.items():
        if name not in used and not (isinstance(connector, Connector) and connector.bind == "receiver"):
            yield Problem(f"connectors.{name}", "no route leads to it", "name it in a route or a group")


def _unknown_carriers(config: Config) -> Iterator[Problem]:
    lookup = config.carriers.lookup
    if lookup.url and not lookup.names:
        return  # it may answer with any name
    known = Known(overrides=config.ported.prefixes).names.union(lookup.names.values())
    for n, route in enumerate(config.routes):
        for name in (name for name in route.match.carrier if name and name not in known):
            yield Problem(f"routes[{n}].match.carrier", f"no data names {name!r}", did_you_mean(name, known))


def _unused_senders(config: Config) -> Iterator[Problem]:
    routes = {route.senders for route in config.routes}
    for name, pool in config.senders.items():
        if name not in routes:
            if not pool.account:
                yield Problem(f"senders.{name}", "no route uses it", f'write senders = "{name}" in a route')
            continue
        unused = never_chosen(pool.pool())
        for n, member in enumerate(pool.members):
            if member.value in unused:
                wrong = f"{member.value!r} is never chosen: others go before it wherever it works"
                yield Problem(f"senders.{name}.members[{n}]", wrong, f"change order, rules or countries of {name!r}")
