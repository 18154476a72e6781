"""Turn what Kannel asks of every smsc for every message into routes that are tried in order.

Kannel sends a message by any smsc that lets it: by the smsc-id that the message is for and by the beginning of its
destination; those that prefer it come first. The beginnings that the config names cut all numbers into classes, and of
each class it is known beforehand which connectors are left: a route for each, the longest beginnings first.
A plus before a number is taken for none, as it is the ESME's TON that says it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

from smppgw.kannel.connectors import Link, octets, unique

Table = dict[str, Any]

MAX_REGEXES = 4
"""Each doubles the number of routes."""


@dataclass(frozen=True)
class Unlisted:
    """An smsc-id that no list names: all that is known of it is which expressions it matches."""

    truths: Mapping[str, bool]


@dataclass(frozen=True)
class Selector:
    """Messages that are for one smsc-id: None is for none in particular."""

    name: str
    smsc: str | Unlisted | None
    match: Mapping[str, list[str]]
    numbers: tuple[str, ...] = ()
    """Their destinations, whole; empty is any."""


class Choice(NamedTuple):
    """Who may have a message, and who had better."""

    preferred: frozenset[str]
    usable: frozenset[str]


class Router:
    """The routes of the connectors of all smsc-ids, and the groups that they lead to."""

    def __init__(self, links: Mapping[str, tuple[Link, ...]]) -> None:
        self._links = {link.name: link for each in links.values() for link in each}
        self._ids = {id: tuple(link.name for link in each) for id, each in links.items()}
        self.groups: dict[str, Table] = {}
        self.routes: list[Table] = []
        self._targets: dict[frozenset[str], str] = {}
        for id, names in self._ids.items():
            target = names[0]
            if len(names) > 1:
                target = unique(octets(id) if not id.isprintable() else id, self._links)
                self.groups[target] = {"active": list(names)}
            if senders := frozenset(name for name in names if self._links[name].sends):
                self._targets[senders] = target

    @cached_property
    def regexes(self) -> tuple[str, ...]:
        """Of beginnings, whatever they decide."""
        found: dict[str, None] = {}
        for link in self._links.values():
            smsc = link.smsc
            for regex in (smsc.allowed_prefix_regex, smsc.denied_prefix_regex, smsc.preferred_prefix_regex):
                if regex is not None:
                    found[regex] = None
        return tuple(found)

    @cached_property
    def _beginnings(self) -> tuple[str, ...]:
        found = {""}
        for link in self._links.values():
            smsc = link.smsc
            for prefix in (*smsc.allowed_prefix, *smsc.denied_prefix, *smsc.preferred_prefix):
                found.add(prefix.lstrip("+"))
        return tuple(sorted(found, key=lambda prefix: (-len(prefix), prefix)))

    def add(self, selector: Selector) -> None:
        """After those added before: the first that matches wins."""
        if selector.numbers:
            self._add_numbers(selector)
        elif self.regexes:
            self._add_with_regexes(selector)
        else:
            self._add_prefixes(selector)

    def _add_numbers(self, selector: Selector) -> None:
        found: dict[Choice, list[str]] = {}
        for number in selector.numbers:
            plain = number.lstrip("+")
            truths = {regex: re.search(regex, number) is not None for regex in self.regexes[:MAX_REGEXES]}
            found.setdefault(self._choice(selector.smsc, plain, truths), []).extend(map(exactly, (plain, f"+{plain}")))
        for choice, numbers in found.items():
            self._route(selector, choice, numbers)

    def _add_prefixes(self, selector: Selector) -> None:
        choices = {prefix: self._choice(selector.smsc, prefix, {}) for prefix in self._beginnings}
        merged: dict[tuple[int, Choice], list[str]] = {}
        for prefix, choice in choices.items():
            shorter = [other for other in self._beginnings if other != prefix and prefix.startswith(other)]
            if not shorter or choices[shorter[0]] != choice:
                merged.setdefault((len(prefix), choice), []).append(prefix)
        nowhere = [prefix for prefix, choice in choices.items() if not choice.usable]
        for (_, choice), prefixes in merged.items():
            patterns: list[str] = []
            for prefix in prefixes:
                never = [other for other in nowhere if other != prefix and other.startswith(prefix)]
                if never:
                    patterns.append(f"re:^{_begins(prefix, never)}")
                elif "*" in prefix or prefix.startswith("re:"):
                    patterns.append(f"re:^{_begins(prefix, ())}")
                elif prefix:
                    patterns += [f"{octets(prefix)}*", f"+{octets(prefix)}*"]
            self._route(selector, choice, patterns)

    def _add_with_regexes(self, selector: Selector) -> None:
        regexes = self.regexes[:MAX_REGEXES]
        for prefix in self._beginnings:
            longer = [other for other in self._beginnings if other != prefix and other.startswith(prefix)]
            for truths in product((True, False), repeat=len(regexes)):
                named = dict(zip(regexes, truths, strict=True))
                asked = "".join(
                    f"(?{'=' if truth else '!'}[\\s\\S]*?(?:{_plus(regex)}))" for regex, truth in named.items()
                )
                pattern = f"re:^(?={_begins(prefix, longer)}){asked}"
                self._route(selector, self._choice(selector.smsc, prefix, named), [pattern])

    def _choice(self, smsc: str | Unlisted | None, prefix: str, truths: Mapping[str, bool]) -> Choice:
        usable, preferred = set[str](), set[str]()
        for name, link in self._links.items():
            if link.sends and _takes(link, smsc) and _lets(link, prefix, truths):
                usable.add(name)
                if _prefers(link, smsc, prefix, truths):
                    preferred.add(name)
        return Choice(frozenset(preferred), frozenset(usable))

    def _route(self, selector: Selector, choice: Choice, destinations: list[str]) -> None:
        if not choice.usable:
            return
        first = choice.preferred or choice.usable
        rest = choice.usable - first
        label = selector.name
        if len(destinations) and not destinations[0].startswith("re:"):
            label += f" {destinations[0]}"
        route: Table = {"name": unique(label, {each["name"] for each in self.routes}), "to": self._target(first)}
        if rest:
            route["fallback"] = [self._target(rest)]
        match = {**selector.match, **({"destination": destinations} if destinations else {})}
        if match:
            route["match"] = match
        self.routes.append(route)

    def _target(self, senders: frozenset[str]) -> str:
        if senders in self._targets:
            return self._targets[senders]
        if len(senders) == 1:
            [name] = senders
            return name
        members = [name for names in self._ids.values() if senders & set(names) for name in names
                   if name in senders or not self._links[name].sends]  # fmt: skip
        name = unique("+".join(name for name in members if name in senders), self._links.keys() | self.groups.keys())
        self.groups[name] = {"active": members}
        self._targets[senders] = name
        return name


def exactly(number: str) -> str:
    """The pattern of one address, also where it looks like a pattern of many."""
    octet = octets(number)
    return rf"re:^{re.escape(octet)}\Z" if "*" in octet or octet.startswith("re:") else octet


def _takes(link: Link, id: str | Unlisted | None) -> bool:
    """As far as the smsc-id goes that the message is for; where there is a list of allowed ones no other counts."""
    smsc = link.smsc
    if smsc.allowed_smsc_id:
        if id not in smsc.allowed_smsc_id:
            return False
    elif id is not None and id in smsc.denied_smsc_id:
        return False
    if smsc.allowed_smsc_id_regex is not None:
        return _is_found(smsc.allowed_smsc_id_regex, id)
    return smsc.denied_smsc_id_regex is None or not _is_found(smsc.denied_smsc_id_regex, id)


def _is_found(regex: str, id: str | Unlisted | None) -> bool:
    if isinstance(id, Unlisted):
        return id.truths.get(regex, False)
    return id is not None and re.search(regex, id) is not None


def _lets(link: Link, prefix: str, truths: Mapping[str, bool]) -> bool:
    """As far as the destination goes. With both lists only what is denied and not allowed is denied."""
    smsc = link.smsc
    allowed, denied = _any(smsc.allowed_prefix, prefix), _any(smsc.denied_prefix, prefix)
    if smsc.allowed_prefix and not smsc.denied_prefix and not allowed:
        return False
    if denied and not (smsc.allowed_prefix and allowed):
        return False
    if smsc.allowed_prefix_regex is not None and smsc.denied_prefix_regex is None:
        return truths.get(smsc.allowed_prefix_regex, True)
    if smsc.denied_prefix_regex is not None and truths.get(smsc.denied_prefix_regex):
        return smsc.allowed_prefix_regex is not None and truths.get(smsc.allowed_prefix_regex, False)
    return True


def _prefers(link: Link, id: str | Unlisted | None, prefix: str, truths: Mapping[str, bool]) -> bool:
    smsc = link.smsc
    if id is not None and id in smsc.preferred_smsc_id:
        return True
    if smsc.preferred_smsc_id_regex is not None and _is_found(smsc.preferred_smsc_id_regex, id):
        return True
    regex = smsc.preferred_prefix_regex
    return _any(smsc.preferred_prefix, prefix) or (regex is not None and truths.get(regex, False))


def _any(prefixes: Iterable[str], number: str) -> bool:
    return any(number.startswith(prefix.lstrip("+")) for prefix in prefixes)


def _begins(prefix: str, others: Iterable[str]) -> str:
    """An expression for a number that begins so, and not in any of the other ways."""
    excluded = "|".join(re.escape(octets(other)) for other in others)
    but = rf"(?!\+?(?:{excluded}))" if excluded else ""
    return rf"{but}\+?{re.escape(octets(prefix))}"


def _plus(regex: str) -> str:
    """A plus that has to be there is one that may be there."""
    return regex.replace(r"^\+", r"^\+?", 1) if regex.startswith(r"^\+") and regex[3:4] not in "?*{+" else regex
