"""Where something stands in the file."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from smppgw.config.model import CONNECTOR_KINDS

T = TypeVar("T")
Numbers = Mapping[str, list[int]]
"""For an array of tables of which some were wrong: where the others stood in the file."""


def place(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Where it is, of where validation found it: behind a connector's name, its kind is no key."""
    loc = tuple(part for part in loc if part != "[key]")
    return loc[:2] + loc[3:] if loc[0] == "connectors" and len(loc) > 2 and loc[2] in CONNECTOR_KINDS else loc


def written(loc: tuple[int | str, ...]) -> str:
    """As people write it, like routes[0].to."""
    path = ""
    for part in place(loc):
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path


def placed(kind: str, entries: Iterable[T], numbers: Numbers) -> Iterator[tuple[str, T]]:
    """Each with its path."""
    places = numbers.get(kind, [])
    for n, entry in enumerate(entries):
        yield f"{kind}[{places[n] if n < len(places) else n}]", entry
