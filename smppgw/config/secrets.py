"""Fetch the secrets of a table from where they are kept, before it is validated."""

import os
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from smppgw.carriers.registry import KINDS
from smppgw.config.problems import Problem
from smppgw.settings import Account, ApiKey, CarrierLookup, Connector, HistoryConfig, Model


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


_MODELS: dict[str, tuple[type[Model], ...]] = {
    "accounts": (Account,),
    "connectors": (Connector, *(kind.settings for kind in KINDS.values())),
    "api": (ApiKey,),
    "carriers": (CarrierLookup,),
    "history": (HistoryConfig,),
}
_HIDDEN = {
    (table, key)
    for table, models in _MODELS.items()
    for model in models
    for key, field in model.model_fields.items()
    if _is_secret(field) or not field.repr
}
_SECRETS = ("password", "password_env", "password_file", "password_hash")
_UNKNOWN = "unknown"
"""In place of a secret that cannot be had, so that this is said once and the rest can be checked."""


def is_hidden(loc: tuple[int | str, ...]) -> bool:
    """No message shows the value that stands there."""
    return any((loc[0], key) in _HIDDEN for key in loc[1:])


def fetch(path: str, table: dict[str, Any], model: type[Model], problems: list[Problem]) -> None:
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


def fetch_password(path: str, table: dict[str, Any], problems: list[Problem]) -> None:
    """Of an account or an SMSC, which have exactly one."""
    allowed = _SECRETS if path.startswith("accounts.") else _SECRETS[:3]
    given = [key for key in allowed if key in table]
    if len(given) != 1:
        wrong = f"{' and '.join(given)} are given" if given else "no password"
        problems.append(Problem(path, wrong, f"give one of {', '.join(allowed)}"))
        return
    if given[0] in {"password_env", "password_file"}:
        _read_secret(path, table, "password", given[0], problems)


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
