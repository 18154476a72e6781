"""The white and black lists of numbers: of the gateway, of smsbox, and of each sendsms-user and sms-service."""

import asyncio
import re
import urllib.request
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from smppgw.kannel.conf import Place, Problem
from smppgw.kannel.model import Kannel, SendsmsUser, SmsService

Fetch = Callable[[str], bytes]

_DIGITS = 19
"""Of a longer number the last ones count."""
_LARGEST = (1 << 63) - 1
_NUMBER = re.compile(rb"\s*([+-]?)([0-9]*)")
_LINE = re.compile(rb"[ \t\v\f\r]*([0-9 +-]*)")
_WAIT = 30.0
"""Seconds to wait for a list from the network."""


class Listed(Protocol):
    """What is read of whatever has the four keys."""

    @property
    def white_list(self) -> str | None: ...
    @property
    def white_list_regex(self) -> str | None: ...
    @property
    def black_list(self) -> str | None: ...
    @property
    def black_list_regex(self) -> str | None: ...


class _Keys(NamedTuple):
    """Four values under whatever names."""

    white_list: str | None
    white_list_regex: str | None
    black_list: str | None
    black_list_regex: str | None


class Screen(NamedTuple):
    """One set of lists, read; None is no list."""

    white: frozenset[int] | None = None
    white_regex: re.Pattern[str] | None = None
    black: frozenset[int] | None = None
    black_regex: re.Pattern[str] | None = None

    def lets(self, number: bytes) -> bool:
        """Is it in every white list, and in no black one?"""
        if self is OPEN:
            return True
        key = key_of(number)
        if (self.white is not None and key not in self.white) or (self.black is not None and key in self.black):
            return False
        text = number.decode("latin-1")
        if self.white_regex is not None and self.white_regex.search(text) is None:
            return False
        return self.black_regex is None or self.black_regex.search(text) is None

    def why_not(self, number: bytes, what: bytes) -> bytes:
        """In Kannel's words; nothing for a number that is let."""
        if self.lets(number):
            return b""
        black = Screen(black=self.black, black_regex=self.black_regex)
        return what + (b" not in white-list" if black.lets(number) else b" in black-list")


OPEN = Screen()
"""No lists at all."""


def key_of(number: bytes) -> int:
    """What of a number counts: its first digits as an integer, so that a plus and zeros before them do not."""
    found = _NUMBER.match(number[-_DIGITS:])
    if found is None or not found[2]:
        return 0
    value = min(int(found[2]), _LARGEST)
    return -value if found[1] == b"-" else value


def numbers(data: bytes) -> frozenset[int]:
    """Of a file: a number a line, blanks, plus and minus in it or not; a comment after anything else.

    A last line without an end does not count, as it does not with Kannel.
    """
    found = set()
    for line in data.split(b"\n")[:-1]:
        digits = _LINE.match(line)[1].translate(None, b" +-")  # type: ignore[index]  # it matches anything
        if digits:
            found.add(key_of(digits))
    return frozenset(found)


def fetch(url: str) -> bytes:
    """From http://, https:// or file://, or the path of a file. OSError when it cannot be had."""
    parts = urlsplit(url)
    if parts.scheme in {"", "file"}:
        with open(unquote(parts.path) if parts.scheme else url, "rb") as file:
            return file.read()
    if parts.scheme not in {"http", "https"}:
        raise OSError(f"{parts.scheme} is no way to a list")
    with urllib.request.urlopen(url, timeout=_WAIT) as answer:  # noqa: S310  the scheme is one of two
        data: bytes = answer.read()
        return data


class Lists:
    """All of one set-up; nothing is let through nor kept out by lists before they are read."""

    def __init__(self, kannel: Kannel, fetch: Fetch = fetch) -> None:
        self._kannel = kannel
        self._fetch = fetch
        self.smsbox = OPEN
        self.users: dict[int, Screen] = {}
        self.senders = OPEN
        self.receivers = OPEN
        """With the senders', of the gateway: of messages to and from mobiles alike."""

    def of(self, user: SendsmsUser | SmsService) -> Screen:
        return self.users.get(id(user), OPEN)

    async def load(self) -> tuple[Problem, ...]:
        """Read all of them, again too; with problems nothing changes."""
        return self._take(*await asyncio.to_thread(self._read, self._urls()))

    def read(self) -> tuple[Problem, ...]:
        """The same, for whoever may wait."""
        return self._take(*self._read(self._urls()))

    def _read(self, urls: Iterable[tuple[str, Place]]) -> tuple[dict[str, frozenset[int]], list[Problem]]:
        found: dict[str, frozenset[int]] = {}
        problems = []
        for url, place in urls:
            if url in found:
                continue
            try:
                found[url] = numbers(self._fetch(url))
            except (OSError, ValueError) as error:
                wrong = f"the list {url} cannot be read: {getattr(error, 'strerror', None) or error}"
                problems.append(Problem(place, wrong, "a file or URL with a number a line"))
        return found, problems

    def _urls(self) -> list[tuple[str, Place]]:
        kannel = self._kannel
        core = kannel.core
        groups: list[tuple[Listed, Place]] = [(keys, core.place) for keys in self._core()]
        if kannel.smsbox is not None:
            groups.append((kannel.smsbox, kannel.smsbox.place))
        groups += [(user, user.place) for user in kannel.sendsms_users]
        groups += [(service, service.place) for service in kannel.sms_services]
        return [(url, place) for keys, place in groups for url in (keys.white_list, keys.black_list) if url]

    def _core(self) -> tuple[_Keys, _Keys]:
        core = self._kannel.core
        senders = _Keys(
            core.white_list_sender or core.white_list,
            core.white_list_sender_regex or core.white_list_regex,
            core.black_list_sender or core.black_list,
            core.black_list_sender_regex or core.black_list_regex,
        )
        receivers = _Keys(
            core.white_list_receiver,
            core.white_list_receiver_regex,
            core.black_list_receiver,
            core.black_list_receiver_regex,
        )
        return senders, receivers

    def _take(self, found: dict[str, frozenset[int]], problems: list[Problem]) -> tuple[Problem, ...]:
        if not problems:
            self.senders, self.receivers = (_screen(keys, found) for keys in self._core())
            smsbox = self._kannel.smsbox
            self.smsbox = _screen(smsbox, found) if smsbox is not None else OPEN
            users: tuple[SendsmsUser | SmsService, ...] = (*self._kannel.sendsms_users, *self._kannel.sms_services)
            self.users = {id(user): _screen(user, found) for user in users}
        return tuple(problems)


def _screen(keys: Listed, found: dict[str, frozenset[int]]) -> Screen:
    def listed(url: str | None) -> frozenset[int] | None:
        return found[url] if url else None

    def regex(pattern: str | None) -> re.Pattern[str] | None:
        return None if pattern is None else re.compile(pattern)

    screen = Screen(
        listed(keys.white_list), regex(keys.white_list_regex), listed(keys.black_list), regex(keys.black_list_regex)
    )
    return OPEN if screen == OPEN else screen
