"""What the parser and the models refuse, in words."""

import re
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic_core import ErrorDetails

from smppgw.config.model import CONNECTOR_KINDS, NAMED, Config
from smppgw.config.places import written
from smppgw.config.problems import Problem
from smppgw.config.secrets import is_hidden
from smppgw.values import Wrong, did_you_mean

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


def syntax(message: str) -> Problem:
    place = re.search(r" \(at (line \d+, column \d+|end of document)\)$", message)
    if place is None:
        return Problem("file", message, "correct the TOML")
    return Problem(place[1], message[: place.start()], "correct the TOML there")


def in_words(detail: ErrorDetails) -> Problem:
    loc, kind, given, context = detail["loc"], detail["type"], detail["input"], detail.get("ctx", {})
    path, last = written(loc), str(loc[-1]) if loc else ""
    shown = "the value" if is_hidden(loc) else "it" if isinstance(given, (dict, list)) else repr(given)
    wrong, fix = detail["msg"], "correct it"
    if isinstance(error := context.get("error"), Wrong):
        wrong, fix = error.wrong, error.fix
    elif kind == "extra_forbidden":
        wrong, fix = "unknown key", did_you_mean(last, _known_keys(loc[:-1]))
    elif kind == "missing":
        wrong, fix = "is missing", f"add {last!r} to this table"
    elif kind in {"union_tag_invalid", "union_tag_not_found"}:
        path, given = f"{path}.kind", given.get("kind") if isinstance(given, dict) else given
        wrong, fix = f"{given!r} is not known", did_you_mean(str(given), CONNECTOR_KINDS)
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
        return [key for key in kind.model_fields if not (key == "name" and loc and loc[0] in NAMED)]
    return []
