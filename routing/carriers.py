"""Which mobile carrier a number belongs to: the longest of the known prefixes that it starts with."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from routing import japan

Prefixes = Mapping[int, Mapping[bytes, str]]
"""Names of carriers by the digits that their numbers start with, country code first; in tables by length."""

TRUNK = b"0"
"""What a number in its national form starts with, in place of the country code."""

_SEPARATORS = b" -.()"
NAME = r"[a-z0-9][a-z0-9_-]{0,31}"
"""What a carrier may be called."""

_DIGITS = 15  # E.164, 6


def digits(number: bytes, country: bytes) -> bytes:
    """A number as the tables have it: "+8190...", "8190..." and, of the home country, "090..." are the same."""
    if not number.isdigit():
        number = number.translate(None, _SEPARATORS)
        if number[:1] == b"+":
            return number[1:]
    if country and number[:1] == TRUNK:
        return country + number[1:]
    return number


def by_length(entries: Iterable[tuple[bytes, str]]) -> dict[int, dict[bytes, str]]:
    tables: dict[int, dict[bytes, str]] = {}
    for prefix, name in entries:
        tables.setdefault(len(prefix), {})[prefix] = name
    return tables


JAPAN: Prefixes = by_length(
    ((japan.COUNTRY + prefix).encode(), name)
    for name, prefixes in japan.PREFIXES.items()
    for prefix in prefixes.split()
)


class Carriers:
    """Immutable: a reload makes a new one. Overrides win over the data, whatever their length."""

    __slots__ = ("_country", "_overrides", "_steps", "names")

    def __init__(self, country: str = japan.COUNTRY, overrides: Prefixes | None = None, data: Prefixes = JAPAN) -> None:
        self._country = country.encode()
        self._overrides = _longest_first(overrides or {})
        self._steps = self._overrides + _longest_first(data)
        self.names = frozenset(name for _, table in self._steps for name in table.values())
        """Every carrier that an answer may name."""

    def of(self, number: bytes | str) -> str:
        """The carrier's name; "" when nobody knows."""
        return _first(self._steps, self.digits(number))

    def override(self, number: bytes | str) -> str:
        """As `of`, by the overrides alone."""
        return _first(self._overrides, self.digits(number))

    def digits(self, number: bytes | str) -> bytes:
        """Country code first, and nothing but digits if it is a number."""
        return digits(number.encode("latin-1", "replace") if isinstance(number, str) else number, self._country)

    def national(self, number: bytes | str) -> bytes:
        """As it is dialled in the home country, if it is there."""
        number, home = self.digits(number), self._country
        return TRUNK + number[len(home) :] if home and number.startswith(home) else number


_Steps = tuple[tuple[int, Mapping[bytes, str]], ...]


def _longest_first(prefixes: Prefixes) -> _Steps:
    return tuple(sorted(prefixes.items(), reverse=True))


def _first(steps: _Steps, number: bytes) -> str:
    for length, table in steps:
        name = table.get(number[:length])
        if name is not None:
            return name
    return ""


# Overrides


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of overrides, counted from 1, that cannot be used."""

    number: int
    wrong: str
    fix: str


def read_overrides(lines: Iterable[str], country: str = japan.COUNTRY) -> tuple[Prefixes, list[BadLine]]:
    """Lines of "number-or-prefix,carrier"; blank ones and those that begin with "#" say nothing."""
    home = country.encode()
    tables: dict[int, dict[bytes, str]] = {}
    bad: list[BadLine] = []
    names: dict[str, str] = {}
    for n, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text[0] == "#":
            continue
        written, comma, name = text.partition(",")
        name = name.strip()
        number = digits(written.strip().encode("latin-1", "replace"), home)
        if not comma:
            bad.append(BadLine(n, "there is no comma", "write number,carrier"))
        elif not number.isdigit() or len(number) > _DIGITS:
            bad.append(BadLine(n, f"{written!r} is no number", 'write it like "+819012345678" or "090123"'))
        elif number[:1] == TRUNK:
            bad.append(BadLine(n, f"{written!r} has no country code", "write it with one, or name the home country"))
        elif not (known := names.get(name) or (re.fullmatch(NAME, name) and names.setdefault(name, name))):
            bad.append(BadLine(n, f"{name!r} is no carrier's name", "small letters, digits, '-' and '_', at most 32"))
        elif tables.setdefault(len(number), {}).setdefault(number, known) != known:
            bad.append(BadLine(n, f"{written!r} stood before with another carrier", "leave one of the two lines"))
    return tables, bad
