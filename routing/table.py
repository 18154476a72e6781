"""Which way a message goes: the first route that matches, and why not the others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from routing.message import Message
from routing.rules import (
    CarrierOf,
    Condition,
    FindTlv,
    Incoming,
    Matching,
    MoMatching,
    compile_first,
    compile_first_mo,
    conditions,
    mo_conditions,
)
from routing.senders import Pool


@dataclass(frozen=True, slots=True)
class Route:
    """`to` is a group or connector; `fallback` what to use, in order, while it has no bind."""

    name: str
    to: str
    fallback: tuple[str, ...] = ()
    pool: Pool | None = None
    """Where a message without a source gets one."""

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.to, *self.fallback)


class Rule(Protocol):
    """A route of the config."""

    @property
    def name(self) -> str: ...
    @property
    def to(self) -> str: ...
    @property
    def fallback(self) -> Sequence[str]: ...
    @property
    def match(self) -> Matching: ...


class MoRule(Protocol):
    """An MO route of the config."""

    @property
    def account(self) -> str: ...
    @property
    def match(self) -> MoMatching: ...


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule in the order of the table; `failed` names the first condition that did not hold, "" when all did."""

    name: str
    failed: str


class Table:
    """Immutable: a reload makes a new one."""

    def __init__(
        self,
        rules: Iterable[Rule],
        find_tlv: FindTlv | None = None,
        carrier_of: CarrierOf | None = None,
        pools: Mapping[str, Pool] | None = None,
    ) -> None:
        """`pools` are those of the routes that have one, by the name of the route."""
        rules = tuple(rules)
        pools = pools or {}
        self.routes = tuple(Route(rule.name, rule.to, tuple(rule.fallback), pools.get(rule.name)) for rule in rules)
        self._conditions = [
            _with_senders(conditions(rule.match, find_tlv, carrier_of), route.pool)
            for rule, route in zip(rules, self.routes, strict=True)
        ]
        self._first = compile_first(self._conditions)
        self._by_carrier = frozenset(n for n, rule in enumerate(rules) if rule.match.carrier)
        """Routes whose match names carriers."""
        self._first_by_the_rest = compile_first(
            [[each for each in asked if each.key != "carrier"] for asked in self._conditions]
        )

    def choose(self, message: Message) -> Route | None:
        found = self._first(message)
        return self.routes[found] if found >= 0 else None

    def asks_carrier(self, message: Message) -> bool:
        """Does its way depend on its carrier? Not when a route before those that ask for carriers takes it anyway."""
        return bool(self._by_carrier) and self._first_by_the_rest(message) in self._by_carrier

    def explain(self, message: Message) -> list[Tried]:
        """Every rule up to the one that matches; slow, for people."""
        return _explain([route.name for route in self.routes], self._conditions, message)


class MoTable:
    """Which account gets a message from upstream. Immutable: a reload makes a new one."""

    def __init__(self, rules: Iterable[MoRule], owners: Mapping[bytes, str] | None = None) -> None:
        """`owners` are the accounts that get what no rule matches, by its destination."""
        rules = tuple(rules)
        self.accounts = tuple(rule.account for rule in rules)
        self._owners = dict(owners or {})
        self._conditions = [mo_conditions(rule.match) for rule in rules]
        self._first = compile_first_mo(self._conditions)

    def choose(self, message: Incoming) -> str | None:
        found = self._first(message)
        return self.accounts[found] if found >= 0 else self._owners.get(message.destination)

    def explain(self, message: Incoming) -> list[Tried]:
        """Every rule, named by its account, up to the one that matches; slow, for people."""
        return _explain(self.accounts, self._conditions, message)


def _with_senders(asked: list[Condition], pool: Pool | None) -> list[Condition]:
    """Where the source is asked for, those that the pool may have given count too: a message is routed anew after a
    retry, a reload or a restart, and is to go the same way then."""
    if pool is None:
        return asked
    given = frozenset(member.address for member in pool.members)
    wider = "({expression} or m.source in {{{n}}})"
    return [
        replace(
            each,
            wanted=f"{each.wanted}, senders of {pool.name.decode('latin-1')}",
            expression=wider.format(expression=each.expression, n=len(each.values)),
            values=(*each.values, given),
        )
        if each.key == "source"
        else each
        for each in asked
    ]


def _explain(names: Sequence[str], rules: Sequence[Sequence[Condition]], message: Message | Incoming) -> list[Tried]:
    tried = []
    for name, rule in zip(names, rules, strict=True):
        failed = next((f"{each.key} is not {each.wanted}" for each in rule if not each.holds(message)), "")
        tried.append(Tried(name, failed))
        if not failed:
            break
    return tried
