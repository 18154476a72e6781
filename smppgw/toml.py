"""Write tables as TOML."""

import json
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dumps(tables: Mapping[str, Any]) -> str:
    """Of nested mappings, lists, text, numbers and truths; what tomllib reads back is equal.

    Text must be encodable as UTF-8; lists of mappings become arrays of tables.
    """
    return "\n".join(_table("", tables)).strip("\n") + "\n"


def _table(path: str, table: Mapping[str, Any]) -> list[str]:
    lines, below = [], []
    for key, item in table.items():
        full = f"{path}.{_key(key)}" if path else _key(key)
        if isinstance(item, Mapping):
            inner = _table(full, item)
            # A table that holds only tables needs no heading of its own.
            bare = bool(item) and all(isinstance(each, Mapping) for each in item.values())
            below += inner if bare else ["", f"[{full}]", *inner]
        elif isinstance(item, (list, tuple)) and item and all(isinstance(each, Mapping) for each in item):
            for each in item:
                below += ["", f"[[{full}]]", *_table(full, each)]
        else:
            lines.append(f"{_key(key)} = {_value(item)}")
    return lines + below


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(item: Any) -> str:
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, str):
        return _text(item)
    if isinstance(item, (list, tuple)):
        return "[" + ", ".join(map(_value, item)) + "]"
    if isinstance(item, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(each)}" for key, each in item.items()) + " }"
    return repr(item)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
