"""The config without what is wrong in it, so that the rest can still be checked."""

import copy
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from smppgw.config.model import Config
from smppgw.config.places import Numbers, place


def without(tables: dict[str, Any], details: list[ErrorDetails]) -> tuple[Config, Numbers]:
    """Also where its entries stood."""
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
    loc = place(detail["loc"])
    if loc[0] == "listeners":
        return loc[:2]  # a default in place of its port would collide with others
    return loc[:-1] if detail["type"] == "missing" else loc


def _order(loc: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(f"{part:09}" if isinstance(part, int) else part for part in loc)


def _remove(tables: dict[str, Any], loc: tuple[Any, ...]) -> bool:
    """What stands at this place, or the last thing on the way to it that is there; False: nothing is."""
    here: Any = tables
    for n, part in enumerate(loc):
        if part not in (range(len(here)) if isinstance(here, list) else here):
            return False
        if n + 1 == len(loc) or not isinstance(here[part], (dict, list)):
            del here[part]
            return True
        here = here[part]
    return False
