"""Which sms-service a message from a mobile is for."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from smppgw.kannel import regex
from smppgw.kannel.conf import ConfError, Problem
from smppgw.kannel.connectors import octets
from smppgw.kannel.escapes import Sms
from smppgw.kannel.lists import Screen
from smppgw.kannel.model import SmsService

ScreenOf = Callable[[SmsService], Screen]
"""The white and black lists of a service, as they were read last."""

DEFAULT = "default"
"""The keyword of services for what no other takes."""


class Action(Enum):
    """What a service does, by the key that says so; of several keys the first counts."""

    GET = "get-url"
    POST = "post-url"
    XML = "post-xml"
    FILE = "file"
    TEXT = "text"
    EXEC = "exec"


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """A group sms-service."""

    settings: SmsService
    name: bytes
    """Its own, or the expression that Kannel makes of its keyword."""
    action: Action
    pattern: bytes
    """A URL, text, file or command with escape codes."""
    keyword: re.Pattern[str] | None
    """None: for what no other takes."""

    def takes(self, words: int) -> bool:
        """A message with so many words, its keyword included."""
        if self.settings.catch_all or self.action in {Action.POST, Action.XML}:
            return True
        wanted = self.pattern.count(b"%s") + self.pattern.count(b"%S") + 1
        if words == wanted:
            return True
        return words > wanted and (b"%r" in self.pattern or b"%a" in self.pattern)


class Services:
    """All of a set-up, in the order of its files. ConfError for keywords that are no expressions."""

    def __init__(self, services: Iterable[SmsService], screen_of: ScreenOf) -> None:
        self._screen_of = screen_of
        problems: list[Problem] = []
        found = [service for each in services if (service := _service(each, problems)) is not None]
        if problems:
            raise ConfError(problems)
        self._named = tuple(service for service in found if service.keyword is not None)
        self._defaults = tuple(service for service in found if service.keyword is None)

    def find(self, sms: Sms) -> Service | None:
        """The first whose keyword begins the message (or is found in it, as an expression) and that takes it from this
        sender; then the first of the defaults."""
        # Of UCS-2 only what is ASCII can be meant.
        text = sms.text[:-1].replace(b"\0", b"") + sms.text[-1:]
        readable, words = text.decode("latin-1"), len(text.split())
        for service in self._named:
            if service.keyword is None or not service.keyword.search(readable):
                continue
            if allows(service.settings, sms, self._screen_of(service.settings)) and service.takes(words):
                return service
        return next(
            (each for each in self._defaults if allows(each.settings, sms, self._screen_of(each.settings))), None
        )


def allows(service: SmsService, sms: Sms, screen: Screen) -> bool:
    """May a message from this sender, to this number and by this smsc use it? Kannel's questions one by one."""
    sender, receiver = sms.sender, sms.receiver
    if sms.smsc_id and not _accepts(service.accepted_smsc, service.accepted_smsc_regex, sms.smsc_id):
        return False
    if sms.account and not _accepts(service.accepted_account, service.accepted_account_regex, sms.account):
        return False
    if not _lets(service.allowed_prefix, service.denied_prefix, sender):
        return False
    if not _lets_by_regex(service.allowed_prefix_regex, service.denied_prefix_regex, sender):
        return False
    return _lets_receiver(service, receiver) and screen.lets(sender)


def _accepts(names: tuple[str, ...], expression: str | None, name: bytes) -> bool:
    if names and name not in map(_bytes, names):
        return False
    return expression is None or _found(expression, name)


def _lets(allowed: tuple[str, ...], denied: tuple[str, ...], number: bytes) -> bool:
    """With both lists only what is denied and not allowed is kept out."""
    if allowed and not denied:
        return _begins(allowed, number)
    return not denied or not _begins(denied, number) or (bool(allowed) and _begins(allowed, number))


def _lets_by_regex(allowed: str | None, denied: str | None, number: bytes) -> bool:
    if allowed is not None and denied is None:
        return _found(allowed, number)
    return denied is None or not _found(denied, number) or (allowed is not None and _found(allowed, number))


def _lets_receiver(service: SmsService, number: bytes) -> bool:
    """Unlike senders: with both lists nothing is asked, and a denying expression keeps out what it does not match."""
    allowed, denied = service.allowed_receiver_prefix, service.denied_receiver_prefix
    if bool(allowed) != bool(denied) and _begins(allowed or denied, number) != bool(allowed):
        return False
    wanted, unwanted = service.allowed_receiver_prefix_regex, service.denied_receiver_prefix_regex
    if wanted is not None and unwanted is None:
        return _found(wanted, number)
    return unwanted is None or wanted is not None or _found(unwanted, number)


def _begins(prefixes: tuple[str, ...], number: bytes) -> bool:
    return number.startswith(tuple(map(_bytes, prefixes)))


def _found(expression: str, value: bytes) -> bool:
    return re.search(octets(expression), value.decode("latin-1"), re.ASCII) is not None


def _bytes(value: str) -> bytes:
    return value.encode(errors="surrogateescape")


def _service(settings: SmsService, problems: list[Problem]) -> Service | None:
    actions = (
        (Action.GET, settings.url if settings.get_url is None else settings.get_url),
        (Action.POST, settings.post_url),
        (Action.XML, settings.post_xml),
        (Action.FILE, settings.file),
        (Action.TEXT, settings.text),
        (Action.EXEC, settings.exec),
    )
    action, pattern = next(((action, pattern) for action, pattern in actions if pattern is not None), (Action.TEXT, ""))
    written = settings.keyword
    keyword = None
    if written is None and settings.keyword_regex is not None:
        keyword = re.compile(octets(settings.keyword_regex), re.ASCII)
        written = settings.keyword_regex
    elif written is not None and written != DEFAULT:
        # This is how Kannel puts it, with what is special in expressions left as it is.
        written = f"^[ ]*({'|'.join((written, *settings.aliases))})[ ]*"
        try:
            keyword = re.compile(octets(regex.translate(written)), re.ASCII | re.IGNORECASE)
        except ValueError as error:
            wrong = f"keyword or aliases are no regular expression: {error}"
            problems.append(Problem(settings.place, wrong, "write a backslash before what is special in expressions"))
            return None
    name = settings.name if settings.name is not None else written or DEFAULT
    return Service(settings, _bytes(name), action, _bytes(pattern), keyword)
