"""Which of several senders a message gets: the best kind for its destination, and the same one for the same handset."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from heapq import heapreplace
from math import log
from typing import Literal

from protocol.consts import Npi, Ton
from routing.carriers import TRUNK, digits
from routing.countries import country_of

Kind = Literal["short_code", "alphanumeric", "long"]
"""What a sender is."""

Class = Literal["short_code", "alphanumeric", "local", "other"]
"""What a sender is to a destination: a long number is local in its own country, and another one elsewhere."""

ORDER: tuple[Class, ...] = ("short_code", "alphanumeric", "local", "other")
"""The best first."""

NO_ALPHANUMERIC = ("CA", "US")
"""Countries whose networks replace or drop names (public documents of several carriers say so); rules override it."""

_TON_NPI: Mapping[Kind, tuple[int, int]] = {
    "short_code": (Ton.NETWORK_SPECIFIC, Npi.UNKNOWN),
    "alphanumeric": (Ton.ALPHANUMERIC, Npi.UNKNOWN),
    "long": (Ton.INTERNATIONAL, Npi.ISDN),
}
_NATIONAL = int(Ton.NATIONAL)
_AREA = 4
"""Digits of a number of +1 up to the end of its area code."""

_BITS = (1 << 64) - 1
_SPREAD = 0x9E3779B97F4A7C15  # 2**64 divided by the golden ratio, made odd
_UNIT = 2.0**-64


@dataclass(frozen=True, slots=True)
class Sender:
    """A number or name, "+" and country code first if it is a long number. Without `countries` it serves all of them;
    a short code needs some. `ton` and `npi` of -1 are those of its kind."""

    value: str
    kind: Kind
    countries: frozenset[str] = frozenset()
    not_to: frozenset[str] = frozenset()
    weight: int = 1
    ton: int = -1
    npi: int = -1

    @property
    def address(self) -> bytes:
        """As it goes on the wire."""
        octets = self.value.encode("latin-1")
        return octets.removeprefix(b"+") if self.kind == "long" else octets

    def is_for(self, country: str | None) -> Class | None:
        """What it is to numbers of a country; None when it does not serve them."""
        if country in self.not_to or (country not in self.countries and (self.countries or self.kind == "short_code")):
            return None
        if self.kind != "long":
            return self.kind
        return "local" if country is not None and country_of(self.address) == country else "other"


def kind_of(value: str) -> Kind:
    """By its looks: digits are a number, up to six of them without "+" a short code."""
    number = value.removeprefix("+")
    if not (number.isascii() and number.isdigit()):
        return "alphanumeric"
    return "short_code" if number == value and len(number) <= 6 else "long"


class Member:
    """A sender in its pool."""

    __slots__ = ("address", "npi", "seed", "sender", "ton", "used", "weight")

    def __init__(self, sender: Sender) -> None:
        ton, npi = _TON_NPI[sender.kind]
        self.sender = sender
        self.address = sender.address
        self.ton = int(ton) if sender.ton < 0 else sender.ton
        self.npi = int(npi) if sender.npi < 0 else sender.npi
        self.weight = sender.weight
        self.seed = _hash(self.address)
        self.used = 0
        """Messages that got it from this pool, in this process."""


class Pool:
    """Senders that stand for one another. `order` names the classes that may be used, the best first; `rules` the
    same for single countries. With `area_codes` a number of the destination's own area code goes before other local
    ones. `country_code` is that of destinations written in their national form.

    When `sticky`, the choice is a function of the destination and the senders alone: restarts and other machines make
    the same one, and a change of the senders moves no destination that it need not move. Else the one that was used
    least for its weight is taken, and what this process remembers is how often each was.
    """

    def __init__(
        self,
        name: str,
        senders: Iterable[Sender],
        *,
        sticky: bool = True,
        area_codes: bool = False,
        order: Sequence[Class] = ORDER,
        rules: Mapping[str, Sequence[Class]] | None = None,
        country_code: str = "",
        account: str = "",
    ) -> None:
        self.name = name.encode("latin-1")
        self.account = account
        """Who gets MO messages to its senders; nobody if empty."""
        self.sticky = sticky
        # In an order of their own: that of the config decides nothing.
        self.members = sorted((Member(sender) for sender in senders), key=lambda member: member.address)
        self._area_codes = area_codes
        self._order = tuple(order)
        named = tuple(each for each in order if each != "alphanumeric")
        self._rules = dict.fromkeys(NO_ALPHANUMERIC, named) | {
            country: tuple(classes) for country, classes in (rules or {}).items()
        }
        self._country_code = country_code.encode()
        self._plans: dict[str | None, _Plan] = {}
        """By country, made when the first message goes there."""

    def choose(self, destination: bytes, ton: int, part: bytes = b"") -> Member | None:
        """The sender of a message; None when no one serves the destination. `part` is what the parts of one
        concatenated message have in common: they all get the same sender, also when the pool is not sticky."""
        number, plan = self._way(destination, ton)
        members = plan.members
        if not members:
            return None
        if len(members) == 1:
            member = members[0]
        elif self.sticky or part:
            member = plan.hashed(number if self.sticky else number + part)
        else:
            member = plan.least_used()
        member.used += 1
        return member

    def peek(self, destination: bytes, ton: int) -> Member | None:
        """What `choose` would say, without having said it."""
        number, plan = self._way(destination, ton)
        if len(plan.members) > 1 and self.sticky:
            return plan.hashed(number)
        return min(plan.members, key=lambda member: member.used / member.weight, default=None)

    def _way(self, destination: bytes, ton: int) -> "tuple[bytes, _Plan]":
        """The number in its international form, and who serves it."""
        number = digits(destination, self._country_code)
        if ton == _NATIONAL and self._country_code and number is destination:
            number = self._country_code + number
        country = country_of(number)
        plan = self._plans.get(country) or self._plan(country)
        if plan.areas:
            plan = plan.areas.get(number[:_AREA], plan)
        return number, plan

    def candidates(self, country: str | None) -> tuple[Class | None, Sequence[Member]]:
        """The best class that serves a country, and its members; slow."""
        for wanted in self._rules.get(country or "", self._order):
            found = [member for member in self.members if member.sender.is_for(country) == wanted]
            if found:
                return wanted, found
        return None, ()

    def addresses(self) -> Iterable[bytes]:
        """Every spelling under which an MO message may name one of its senders."""
        for member in self.members:
            yield member.address
            if member.sender.kind == "long":
                yield b"+" + member.address
                if self._country_code and member.address.startswith(self._country_code):
                    yield TRUNK + member.address[len(self._country_code) :]

    def _plan(self, country: str | None) -> "_Plan":
        best, members = self.candidates(country)
        plan = self._plans[country] = _Plan(members)
        if self._area_codes and best == "local":
            for area in {member.address[:_AREA] for member in members if member.address[:1] == b"1"}:
                plan.areas[area] = _Plan([member for member in members if member.address.startswith(area)])
        return plan


class _Plan:
    """Members of one class that serve one country (or area)."""

    __slots__ = ("_heap", "_seeds", "_weights", "areas", "members")

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members
        self.areas: dict[bytes, _Plan] = {}
        self._seeds = [member.seed for member in members]
        even = len({member.weight for member in members}) <= 1
        self._weights = [] if even else [float(member.weight) for member in members]
        self._heap = sorted((member.used / member.weight, n) for n, member in enumerate(members))

    def hashed(self, key: bytes) -> Member:
        """Weighted rendezvous hashing: each member scores by itself, so that one that comes or goes changes nothing
        between the others; -weight / ln(score) makes its chance to be the highest that of its weight."""
        x = _hash(key)
        if not self._weights:
            scores = [(x ^ seed) * _SPREAD & _BITS for seed in self._seeds]
            return self.members[scores.index(max(scores))]
        logs = [
            log(((x ^ seed) * _SPREAD & _BITS | 1) * _UNIT) / weight
            for seed, weight in zip(self._seeds, self._weights, strict=True)
        ]
        return self.members[logs.index(max(logs))]

    def least_used(self) -> Member:
        """A member may be in several plans: what the heap says is looked at again before it counts."""
        heap, members = self._heap, self.members
        while True:
            said, n = heap[0]
            member = members[n]
            used = member.used / member.weight
            if used <= said:
                heapreplace(heap, ((member.used + 1) / member.weight, n))
                return member
            heapreplace(heap, (used, n))


def _hash(octets: bytes) -> int:
    """The same on every machine, unlike Python's own."""
    return int.from_bytes(blake2b(octets, digest_size=8).digest(), "big")
