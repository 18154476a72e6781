"""Turn the match of a route into one fast question about a message."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, cast

from routing.message import Message

FindTlv = Callable[[bytes, int], bytes | None]
"""The value of an optional parameter in the body of a submit_sm; asked only when nothing else decided."""

CarrierOf = Callable[[bytes], str]
"""The mobile carrier of a destination; "" is unknown."""


class Incoming(NamedTuple):
    """What MO routes look at: a deliver_sm that came by a connector."""

    connector: str
    source: bytes
    destination: bytes


class Matching(Protocol):
    """Every key that is not empty must match; a list matches by any of its values."""

    @property
    def account(self) -> Sequence[str]: ...
    @property
    def source(self) -> Sequence[str]: ...
    @property
    def destination(self) -> Sequence[str]: ...
    @property
    def coding(self) -> Sequence[int]: ...
    @property
    def service_type(self) -> Sequence[str]: ...
    @property
    def tag(self) -> Sequence[str]: ...
    @property
    def carrier(self) -> Sequence[str]: ...
    @property
    def tlv(self) -> Mapping[int, bytes | None]: ...


class MoMatching(Protocol):
    """As Matching, for messages that come from upstream."""

    @property
    def connector(self) -> Sequence[str]: ...
    @property
    def source(self) -> Sequence[str]: ...
    @property
    def destination(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Match:
    """A Matching made by hand. Addresses: exact, "prefix*" or "re:..."; a TLV of None is there with any value."""

    account: Sequence[str] = ()
    source: Sequence[str] = ()
    destination: Sequence[str] = ()
    coding: Sequence[int] = ()
    service_type: Sequence[str] = ()
    tag: Sequence[str] = ()
    carrier: Sequence[str] = ()
    tlv: Mapping[int, bytes | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MoMatch:
    connector: Sequence[str] = ()
    source: Sequence[str] = ()
    destination: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of a match: an expression over the message `m` and the values that it names as v[0], v[1], ..."""

    key: str
    wanted: str
    expression: str
    values: tuple[object, ...]

    def holds(self, message: Message | Incoming) -> bool:
        return _compiled([[self]])(message) == 0


def compile_match(
    match: Matching | Mapping[str, Any], find_tlv: FindTlv | None = None, carrier_of: CarrierOf | None = None
) -> Callable[[Message], bool]:
    """An empty match is always True."""
    found = compile_first([conditions(match, find_tlv, carrier_of)])
    return lambda message: found(message) == 0


def compile_mo_match(match: MoMatching | Mapping[str, Any]) -> Callable[[Incoming], bool]:
    found = compile_first_mo([mo_conditions(match)])
    return lambda message: found(message) == 0


def compile_patterns(patterns: Iterable[str]) -> Callable[[bytes], bool]:
    """Does an address match any of the patterns?"""
    expression, values = _address("m", patterns)
    found = _compiled([[Condition("address", "", expression, values)]])
    return lambda address: found(address) == 0


def compile_first(rules: Sequence[Sequence[Condition]]) -> Callable[[Message], int]:
    """The number of the first rule of which every condition holds, or -1."""
    return cast(Callable[[Message], int], _compiled(rules))


def compile_first_mo(rules: Sequence[Sequence[Condition]]) -> Callable[[Incoming], int]:
    return cast(Callable[[Incoming], int], _compiled(rules))


def conditions(
    match: Matching | Mapping[str, Any], find_tlv: FindTlv | None = None, carrier_of: CarrierOf | None = None
) -> list[Condition]:
    """In the order in which they are asked: the cheap ones first."""
    if isinstance(match, Mapping):
        match = Match(**match)
    asked = []
    if match.account:
        asked.append(_one_of("account", "m.account", match.account))
    if match.coding:
        asked.append(_one_of("coding", "m.data_coding", match.coding))
    if match.tag:
        asked.append(_one_of("tag", "m.tag", match.tag))
    if match.service_type:
        asked.append(_one_of("service_type", "m.service_type", [each.encode("latin-1") for each in match.service_type]))
    asked.extend(_addresses(match))
    if match.carrier:
        if carrier_of is None:
            raise ValueError("a match of carriers needs the function that knows them")
        names = frozenset(match.carrier)
        asked.append(Condition("carrier", ", ".join(match.carrier), "{0}(m.destination) in {1}", (carrier_of, names)))
    for tag, value in match.tlv.items():
        if find_tlv is None:
            raise ValueError("a match of TLVs needs the function that finds them")
        test = "is not None" if value is None else "== {2}"
        wanted = "any" if value is None else repr(value)
        values = (find_tlv, tag, value)
        asked.append(Condition(f"tlv 0x{tag:04X}", wanted, "{0}(m.body, {1}) " + test, values))
    return asked


def mo_conditions(match: MoMatching | Mapping[str, Any]) -> list[Condition]:
    if isinstance(match, Mapping):
        match = MoMatch(**match)
    asked = [_one_of("connector", "m.connector", match.connector)] if match.connector else []
    return asked + _addresses(match)


def _one_of(key: str, attribute: str, values: Sequence[object]) -> Condition:
    wanted = ", ".join(str(value) for value in values)
    return Condition(key, wanted, f"{attribute} in {{0}}", (frozenset(values),))


def _addresses(match: Matching | MoMatching) -> list[Condition]:
    asked = []
    for key, patterns in (("source", match.source), ("destination", match.destination)):
        if patterns:
            expression, values = _address(f"m.{key}", patterns)
            asked.append(Condition(key, ", ".join(patterns), expression, values))
    return asked


def _address(subject: str, patterns: Iterable[str]) -> tuple[str, tuple[object, ...]]:
    exact: set[bytes] = set()
    prefixes: list[bytes] = []
    parts: list[str] = []
    values: list[object] = []
    searches: list[object] = []
    for pattern in patterns:
        octets = pattern.encode("latin-1")
        if pattern.startswith("re:"):
            searches.append(re.compile(octets[3:]).search)
        elif pattern.endswith("*"):
            prefixes.append(octets[:-1])
        else:
            exact.add(octets)
    if exact:
        parts.append(f"{subject} in {{{len(values)}}}")
        values.append(frozenset(exact))
    if prefixes:
        parts.append(f"{subject}.startswith({{{len(values)}}})")
        values.append(tuple(prefixes))
    for search in searches:
        parts.append(f"{{{len(values)}}}({subject}) is not None")
        values.append(search)
    return f"({' or '.join(parts) or 'False'})", tuple(values)


def _compiled(rules: Sequence[Sequence[Condition]]) -> Callable[[Any], int]:
    """One function for all rules: no call per rule and condition. Its text holds no word of the config."""
    names: dict[str, Any] = {}
    lines = ["def first(m):"]
    for n, rule in enumerate(rules):
        tests = []
        for condition in rule:
            own = [f"v{len(names) + i}" for i in range(len(condition.values))]
            names.update(zip(own, condition.values, strict=True))
            tests.append(condition.expression.format(*own))
        lines.append(f"    if {' and '.join(tests) or 'True'}: return {n}")
    lines.append("    return -1")
    exec("\n".join(lines), names)  # noqa: S102 - the text is made of the fixed expressions above
    return cast(Callable[[Any], int], names["first"])
