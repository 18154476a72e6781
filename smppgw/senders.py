"""The tables of sender pools as frozen models: their keys, defaults and limits."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, Strict, model_validator

from routing.countries import COUNTRIES, country_of
from routing.senders import ORDER, Class, Kind, Pool, kind_of
from routing.senders import Sender as Value
from smppgw.settings import Model, TonNpi
from smppgw.values import Wrong, octets_within

NAME = 20  # octets: an ESME may write it as source_addr (SMPP 3.4, 4.4.1)
_LOOKS: Mapping[Kind, tuple[str, str]] = {
    "short_code": (r"[0-9]{2,8}", "a short code has 2 to 8 digits"),
    "alphanumeric": (r"(?!\+?[0-9]*$)[ -~]{1,11}", "a name has 1 to 11 characters of ASCII that are not all digits"),
    "long": (r"\+?[1-9][0-9]{6,14}", 'write a number with its country code, like "+81312345678"'),
}


def _country(value: str) -> str:
    if value not in COUNTRIES:
        raise Wrong(f"{value!r} is not a country", 'two capital letters as in ISO 3166, like "JP", "US" or "GB"')
    return value


def _code(value: str) -> str:
    if value and (not value.isdecimal() or country_of(value.encode()) is None):
        raise Wrong(f"{value!r} is not a country code", 'write its digits, like "81"')
    return value


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise Wrong("something is named twice", "name it once")
    return values


def _member(value: object) -> object:
    return {"value": value} if isinstance(value, str) else value


def _some(members: tuple["Sender", ...]) -> tuple["Sender", ...]:
    """Not by min_length, which would also say so when all that there are were wrong."""
    if not members:
        raise Wrong("is empty", "give at least 1")
    return members


def _named(name: str) -> str:
    return octets_within(NAME, name)


Country = Annotated[str, AfterValidator(_country)]
Countries = Annotated[tuple[Country, ...], Strict(False)]
Classes = Annotated[tuple[Class, ...], Strict(False), AfterValidator(_once)]
Rules = dict[Country, Classes]


class Sender(Model):
    """A member of a pool; a string alone is its `value`."""

    value: str
    kind: Literal["", Kind] = ""
    countries: Countries = ()
    not_to: Countries = ()
    weight: Annotated[int, Field(ge=1, le=1000)] = 1
    ton: TonNpi = -1
    npi: TonNpi = -1

    @model_validator(mode="after")
    def _usable(self) -> Self:
        kind = self.what.kind
        pattern, fix = _LOOKS[kind]
        if re.fullmatch(pattern, self.value) is None:
            raise Wrong(f"{self.value!r} is no {_words(kind)}", fix)
        if kind == "long" and country_of(self.what.address) is None:
            raise Wrong(f"{self.value!r} starts with no country code", fix)
        if kind == "short_code" and not self.countries:
            fix = f'name where it works: {{ value = "{self.value}", countries = ["JP"] }}, or write a long one with "+"'
            raise Wrong(f"the short code {self.value!r} has no country", fix)
        if self.countries and not set(self.countries) - set(self.not_to):
            raise Wrong(f"{self.value!r} serves no country", "countries has nothing that not_to does not take away")
        return self

    @property
    def what(self) -> Value:
        return Value(
            self.value, self.kind or kind_of(self.value), frozenset(self.countries), frozenset(self.not_to),
            self.weight, self.ton, self.npi,
        )  # fmt: skip


class Senders(Model):
    """Senders that stand for one another; `name`, which an ESME may write as source, is the name of its table."""

    name: Annotated[str, Field(min_length=1), AfterValidator(_named)]
    members: Annotated[
        tuple[Annotated[Sender, BeforeValidator(_member)], ...],
        Strict(False),
        Field(max_length=10_000),
        AfterValidator(_some),
    ]
    sticky: bool = True
    area_codes: bool = False
    order: Annotated[Classes, Field(min_length=1)] = ORDER
    rules: Rules = Field(default_factory=dict)
    country_code: Annotated[str, AfterValidator(_code)] = ""
    account: str = ""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        seen: set[bytes] = set()
        for member in self.members:
            if member.what.address in seen:
                raise Wrong(f"{member.value!r} is a member twice", "name it once; give it more weight instead")
            seen.add(member.what.address)
        if self.name.encode("latin-1") in seen:
            raise Wrong("a member has the name of its pool", "give the pool another name: a source names one of them")
        return self

    def pool(self) -> Pool:
        """A new one, of which no member was used yet."""
        return Pool(
            self.name, (member.what for member in self.members), sticky=self.sticky, area_codes=self.area_codes,
            order=self.order, rules=self.rules, country_code=self.country_code, account=self.account,
        )  # fmt: skip


def owners(pools: Iterable[Pool]) -> dict[bytes, str]:
    """The account that gets MO messages, by every spelling of the address that they may be sent to."""
    return {address: pool.account for pool in pools if pool.account for address in pool.addresses()}


def never_chosen(pool: Pool) -> set[str]:
    """Members for which there is no destination: wherever they work, one of a better class does."""
    left = {member.sender.value for member in pool.members}
    for country in (None, *COUNTRIES):
        left -= {member.sender.value for member in pool.candidates(country)[1]}
        if not left:
            break
    return left


def _words(kind: Kind) -> str:
    return {"short_code": "short code", "alphanumeric": "alphanumeric sender", "long": "number"}[kind]
