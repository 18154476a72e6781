"""Read the file that says to which carrier numbers were ported."""

from typing import NamedTuple

from routing.carriers import BadLine, Prefixes, read_overrides


class Overrides(NamedTuple):
    prefixes: Prefixes
    bad: tuple[BadLine, ...] = ()
    unreadable: str = ""
    """Why the file cannot be read."""


def read_file(path: str | None, country: str) -> Overrides:
    """No path: there are none."""
    if path is None:
        return Overrides({})
    try:
        with open(path, encoding="utf-8-sig", newline=None) as file:
            prefixes, bad = read_overrides(file, country)
    except OSError as error:
        return Overrides({}, unreadable=error.strerror or type(error).__name__)
    except UnicodeDecodeError:
        return Overrides({}, unreadable="not UTF-8")
    return Overrides(prefixes, tuple(bad))
