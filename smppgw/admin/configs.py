"""The config in force and the one on disk: shown without secrets, and compared."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from smppgw import config
from smppgw.admin.models import Change, Diff, WrongKey
from smppgw.config import Config, ConfigError

HIDDEN = "(secret)"
FIXED = frozenset(
    {"gateway", "listeners", "limits", "timers", "http", "webhooks", "store", "history", "tracing", "log"}
)
"""Tables that only a restart reads."""

PORT = frozenset({"api.host", "api.port", "api.tls_certificate", "api.tls_key", "api.max_body"})
"""Keys that only a restart reads, of a table that a reload does."""

_SECRET = re.compile(r"(password|secret|token|key)(_hash)?$")
_USER = re.compile(r"(?<=://)[^/@\s]+@")


def shown(model: BaseModel, *, whole: bool = True) -> dict[str, Any]:
    """As JSON; secrets are there, but not what they are. Not `whole`: without what is as it would be unless given."""
    fields = type(model).model_fields
    return {
        name: _shown(name, getattr(model, name))
        for name, field in fields.items()
        if whole or getattr(model, name) != field.get_default(call_default_factory=True)
    }


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else ""
    if isinstance(value, str) and value:
        return HIDDEN if _SECRET.search(name) else _USER.sub(f"{HIDDEN}@", value)
    return _plain(name, value)


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, BaseModel):
        return shown(value)
    if isinstance(value, Mapping):
        return {_key(key): _shown(name, each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [_shown(name, each) for each in value]
    if isinstance(value, frozenset):
        return sorted(_shown(name, each) for each in value)
    return _word(value)


def _word(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"hex:{value.hex()}"
    return str(value) if isinstance(value, (IPv4Network, IPv6Network, Path)) else value


def _key(key: Any) -> str:
    return f"0x{key:04X}" if isinstance(key, int) else str(key)


def diff(path: Path, running: Config) -> Diff:
    """Reads the file: not on the loop."""
    try:
        there = config.load(path)
    except ConfigError as error:
        problems = [WrongKey(**asdict(problem)) for problem in error.problems]
        return Diff(file=str(path), changes=[], problems=problems)
    return Diff(file=str(path), changes=list(changes("", running, there)), problems=[])


def changes(path: str, old: Any, new: Any) -> list[Change]:
    """Where they differ; a table that one of them lacks is one change."""
    if old == new:
        return []
    if isinstance(old, BaseModel) and type(old) is type(new):
        names = type(old).model_fields
        return [each for name in names for each in changes(_at(path, name), getattr(old, name), getattr(new, name))]
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [*old, *(key for key in new if key not in old)]
        return [each for key in keys for each in changes(_at(path, _key(key)), old.get(key), new.get(key))]
    if isinstance(old, tuple) and isinstance(new, tuple) and _tables(old) and _tables(new):
        found = []
        for n in range(max(len(old), len(new))):
            before, after = old[n] if n < len(old) else None, new[n] if n < len(new) else None
            found += changes(f"{path}[{n + 1}]", before, after)
        return found
    name = path.rpartition(".")[2]
    restart = path in PORT or re.split(r"[.\[]", path)[0] in FIXED
    return [Change(path=path, running=_shown(name, old), file=_shown(name, new), restart=restart)]


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _tables(values: tuple[Any, ...]) -> bool:
    return any(isinstance(value, BaseModel) for value in values)
