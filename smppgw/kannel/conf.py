"""Read kannel.conf as Kannel's own parser does: lines, continuations, includes, quotes and groups.

All of it was found by asking bearerbox 1.4.5, and tests/smppgw/test_kannel_conf.py asks it again:
a blank line ends a group, and so does the end of an included file; a comment needs a line of its own; a backslash at
the end joins the next line, in comments too, and two leave one and join nothing; `include` anywhere in a line, even in
its value, makes the line an include; a value in quotes may hold \\" and \\\\; of a key given twice the last counts.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from smppgw.kannel import keys

_INTEGER = re.compile(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_FALSE = frozenset({"false", "no", "off", "0"})
_MAX_LINES = 1_000_000
"""Of all files together: folders that include each other by ever new names end here."""


class Place(NamedTuple):
    """A line of a file; line 0 is the file as a whole."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a place, and what would be right."""

    place: Place
    wrong: str
    fix: str

    def __str__(self) -> str:
        return f"{self.place}: {self.wrong}; {self.fix}"

    @property
    def path(self) -> str:
        return str(self.place)


class ConfError(Exception):
    """All problems of the files; with any of them nothing of them is used."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Setting:
    """A key with its value: UTF-8 as text, other octets as surrogates, so that none is lost."""

    key: str
    value: str
    place: Place


@dataclass(frozen=True, slots=True)
class Group:
    """A `group = NAME` with its settings by key; reading one never fails, just as in Kannel."""

    name: str
    place: Place
    settings: Mapping[str, Setting] = field(default_factory=lambda: MappingProxyType({}))

    def __contains__(self, key: str) -> bool:
        return key in self.settings

    def at(self, key: str) -> Place:
        """Where the key stands, or the group when it does not."""
        return self.settings[key].place if key in self.settings else self.place

    def text(self, key: str) -> str | None:
        return self.settings[key].value if key in self.settings else None

    def integer(self, key: str) -> int | None:
        """As C's strtol reads it: 0x10 is 16, 010 is 8, 5x is 5; None when there is no number."""
        found = _INTEGER.match(self.text(key) or "")
        if found is None:
            return None
        sign, digits = found.groups()
        base = 16 if digits[:2] in {"0x", "0X"} else 8 if digits[0] == "0" else 10
        number = int(digits, base)
        return -number if sign == "-" else number

    def number(self, key: str) -> float | None:
        found = _NUMBER.match(self.text(key) or "")
        return float(found[0]) if found else None

    def truth(self, key: str) -> bool | None:
        """A word that says neither yes nor no means yes, as Kannel warns."""
        value = self.text(key)
        return None if value is None else value.lower() not in _FALSE

    def words(self, key: str) -> tuple[str, ...]:
        """A list by semicolons; empty when the key is absent."""
        value = self.text(key)
        return () if value is None else tuple(word for part in value.split(";") if (word := part.strip()))


@dataclass(frozen=True, slots=True)
class Conf:
    """All groups in the order of the files, and what Kannel takes without a word but its writer should know."""

    groups: tuple[Group, ...] = ()
    notes: tuple[Problem, ...] = ()

    def single(self, name: str) -> Group | None:
        return next((group for group in self.groups if group.name == name), None)

    def every(self, name: str) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if group.name == name)


Read = Callable[[str], bytes | tuple[str, ...]]
"""The octets of a file, or the names of the files in a folder, in order; raises OSError."""


def read(path: str) -> bytes | tuple[str, ...]:
    """From the disk. Kannel takes a folder's files in whatever order the disk has them; here it is by name.

    A link to a folder is an empty file to Kannel, and so it is here.
    """
    if os.path.isdir(path):
        if os.path.islink(path):
            return b""
        names = sorted(os.listdir(path))
        return tuple(name for name in names if os.path.islink(f"{path}/{name}") or not os.path.isdir(f"{path}/{name}"))
    with open(path, "rb") as file:
        return file.read()


def load(*paths: str | Path, read: Read = read) -> Conf:
    """The files of one set-up, as of bearerbox and opensmppbox; a single group in two of them counts in the first.

    File names inside are relative to the working directory. Raises ConfError with every problem of every file.
    """
    problems: list[Problem] = []
    notes: list[Problem] = []
    groups: list[Group] = []
    for path in paths:
        taken = {group.name for group in groups if group.name in keys.SINGLE}
        own: list[Group] = []
        for group in _groups(_Lines(str(path), read, problems, notes), problems, notes):
            for other in [other for other in own if other.name == group.name and group.name in keys.SINGLE]:
                notes.append(Problem(other.place, f"this group {other.name} is forgotten", f"{group.place} counts"))
                own.remove(other)
            own.append(group)
        groups += [group for group in own if group.name not in taken]
    if problems:
        raise ConfError(problems)
    return Conf(tuple(groups), tuple(notes))


def parse(data: bytes, name: str = "kannel.conf", read: Read = read) -> Conf:
    """One file from its octets; raises ConfError."""
    return load(name, read=lambda path: data if path == name else read(path))


class _Line(NamedTuple):
    place: Place
    octets: bytes


class _Lines:
    """The logical lines of a file and of what it includes."""

    def __init__(self, name: str, read: Read, problems: list[Problem], notes: list[Problem]) -> None:
        self._name = name
        self._read = read
        self._problems = problems
        self._notes = notes
        self._seen = {name}
        self._count = 0

    def __iter__(self) -> Iterator[_Line]:
        try:
            data = self._read(self._name)
        except OSError as error:
            fix = "give the path of a file"
            self._problems.append(Problem(Place(self._name, 0), f"it cannot be read: {error.strerror}", fix))
            return
        if isinstance(data, tuple):
            self._problems.append(Problem(Place(self._name, 0), "it is a folder", "give the path of a file"))
            return
        yield from self._file(self._name, data, ())

    def _file(self, name: str, data: bytes, above: tuple[str, ...]) -> Iterator[_Line]:
        lines = list(_joined(name, data))
        for line in lines:
            self._count += 1
            if self._count > _MAX_LINES:
                raise ConfError([Problem(line.place, f"there are more than {_MAX_LINES} lines", "include less")])
            if line.octets and line.octets[:1] != b"#" and b"=" in line.octets and b"include" in line.octets:
                yield from self._include(line, (*above, name))
            else:
                yield line
        if lines:
            # So that a group of an included file does not run on into the file that includes it.
            yield _Line(Place(name, lines[-1].place.line), b"")

    def _include(self, line: _Line, above: tuple[str, ...]) -> Iterator[_Line]:
        key, _, octets = line.octets.partition(b"=")
        name = _value(octets)
        if key.strip() != b"include":
            wrong = f"the line holds the word include: Kannel reads it as include = {name}"
            self._notes.append(Problem(line.place, wrong, "put such text where no key has to hold it"))
        if name in self._seen:
            # Kannel never forgets what it has read, so that the second time need not be a circle.
            self._wrong(line, f"{name!r} is included a second time", "include it once")
            return
        try:
            found = self._read(name)
        except (OSError, ValueError) as error:
            wrong = f"{name!r} cannot be read: {getattr(error, 'strerror', None) or error}"
            self._wrong(line, wrong, f"an existing path; it is looked for in {os.getcwd()}")
            return
        files = [f"{name}/{inner}" for inner in found] if isinstance(found, tuple) else [name]
        if len(above) > 50:
            self._wrong(line, "files include each other in a circle", "include each once")
            return
        for file in files:
            self._seen.add(file)
            try:
                data = self._read(file)
            except (OSError, ValueError) as error:
                wrong = f"{file!r} cannot be read: {getattr(error, 'strerror', None) or error}"
                self._wrong(line, wrong, "a readable file")
                continue
            if isinstance(data, bytes):
                yield from self._file(file, data, above)

    def _wrong(self, line: _Line, wrong: str, fix: str) -> None:
        self._problems.append(Problem(line.place, wrong, fix))


def _joined(name: str, data: bytes) -> Iterator[_Line]:
    """The lines without blanks around, those that a backslash continues as one, at the place of the first."""
    physical = data.split(b"\n")
    if physical[-1] == b"":
        physical.pop()
    start, parts = 1, list[bytes]()
    for number, line in enumerate(physical, start=1):
        if not parts:
            start = number
        goes_on = line.endswith(b"\\")
        parts.append(line[:-1] if goes_on else line)
        if goes_on and not parts[-1].endswith(b"\\") and number < len(physical):
            continue
        yield _Line(Place(name, start), b"".join(parts).strip())
        parts = []


def _value(octets: bytes) -> str:
    octets = octets.strip()
    if octets[:1] == b'"' and octets[-1:] == b'"':
        octets = re.sub(rb'\\(["\\])', rb"\1", octets[1:-1])
    return octets.decode(errors="surrogateescape")


def _groups(lines: Iterable[_Line], problems: list[Problem], notes: list[Problem]) -> Iterator[Group]:
    settings: dict[str, Setting] = {}
    for line in lines:
        if not line.octets:
            yield from _group(settings, problems)
            settings = {}
        elif line.octets[:1] != b"#":
            key, equals, value = line.octets.partition(b"=")
            if not equals:
                problems.append(Problem(line.place, "there is no '=' in the line", "write `key = value`, or # first"))
                continue
            name = key.strip().decode(errors="surrogateescape")
            if name in settings and name != "group":
                notes.append(Problem(settings[name].place, f"this {name} is forgotten", f"{line.place} counts"))
            settings[name] = Setting(name, _value(value), line.place)
    yield from _group(settings, problems)


def _group(settings: dict[str, Setting], problems: list[Problem]) -> Iterator[Group]:
    if not settings:
        return
    first = next(iter(settings.values())).place
    if "group" not in settings:
        fix = "add `group = NAME`; a blank line ends a group"
        problems.append(Problem(first, "these lines belong to no group", fix))
        return
    name = settings["group"].value
    known = keys.KNOWN.get(name)
    if known is None:
        fix = _near(name, keys.KNOWN)
        problems.append(Problem(settings["group"].place, f"there is no group {name!r}", fix))
        return
    rest = {key: setting for key, setting in settings.items() if key != "group"}
    for key, setting in rest.items():
        if key not in known:
            problems.append(Problem(setting.place, f"group {name} has no key {key!r}", _near(key, known)))
    yield Group(name, settings["group"].place, MappingProxyType(rest))


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else "`bearerbox -g` prints what Kannel knows"
