"""What the tables of a file become before they are validated."""

from collections.abc import Mapping
from typing import Any

from smppgw.carriers.registry import KINDS
from smppgw.config.model import CONNECTOR_KINDS, NAMED, kind_of
from smppgw.config.problems import Problem
from smppgw.config.secrets import fetch, fetch_password
from smppgw.settings import ApiKey, CarrierLookup, HistoryConfig

Names = Mapping[str, frozenset[str]]
"""By kind, also of tables that cannot be read: so one mistake is not reported twice."""


def names_in(tables: Mapping[str, Any]) -> Names:
    return {kind: frozenset(each) if isinstance(each := tables.get(kind), dict) else frozenset() for kind in NAMED}


def prepared(data: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Names become keys, and secrets are where they would be without _env and _file."""
    tables = dict(data)
    for kind in NAMED:
        if isinstance(entries := tables.get(kind), dict):
            tables[kind] = {name: _named(kind, name, table, problems) for name, table in entries.items()}
    api = tables.get("api")
    if isinstance(api, dict) and isinstance(keys := api.get("keys"), dict):
        tables["api"] = {**api, "keys": {name: _key(name, key, problems) for name, key in keys.items()}}
    history = tables.get("history")
    if isinstance(history, dict):
        tables["history"] = (history := dict(history))
        fetch("history", history, HistoryConfig, problems)
    carriers = tables.get("carriers")
    if isinstance(carriers, dict) and isinstance(lookup := carriers.get("lookup"), dict):
        tables["carriers"] = {**carriers, "lookup": (lookup := dict(lookup))}
        fetch("carriers.lookup", lookup, CarrierLookup, problems)
    return tables


def _named(kind: str, name: str, table: Any, problems: list[Problem]) -> Any:
    if not isinstance(table, dict):
        return table
    path = f"{kind}.{name}"
    if "name" in table:
        problems.append(Problem(f"{path}.name", "unknown key", "the table's own name is its name"))
    table = {**table, "name": name}
    if kind == "connectors" and kind_of(table) in KINDS:
        fetch(path, table, KINDS[kind_of(table)].settings, problems)
    elif kind == "accounts" or (kind == "connectors" and kind_of(table) == CONNECTOR_KINDS[0]):
        fetch_password(path, table, problems)
    return table


def _key(name: str, table: Any, problems: list[Problem]) -> Any:
    if not isinstance(table, dict):
        return table
    path = f"api.keys.{name}"
    if not {"key", "key_env", "key_file", "key_hash"} & table.keys():
        problems.append(Problem(path, "no key", "give one of key, key_env, key_file, key_hash"))
    table = {**table, "name": name}
    fetch(path, table, ApiKey, problems)
    return table
