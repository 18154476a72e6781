"""Write the request that sends a text: one body for all in p5, one for each mobile carrier before it."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote_plus, urlencode

from protocol.consts import Status
from smppgw.carriers.aix_settings import AixSettings
from smppgw.carriers.aix_texts import PIECE, SHORT, longer, pieces, short
from smppgw.carriers.contract import Answer, Text, never

# The API's own expression, to the letter; `fullmatch` keeps a line end out, which "$" alone lets by.
PHONE: Final = re.compile(r"^(\+81|0)(([26789]0[1-9][0-9]{7}$)|(20[1-9][0-9]{10}$))")

CARRIER_IDS: Final[Mapping[str, str]] = {"au": "101", "docomo": "103", "softbank": "105", "rakuten": "106"}
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}

WHOLE: Final = 660
"""Characters of `message` in p5."""
PIECES: Final = 10
"""messageAu, messageAu2 ... messageAu10 in p11."""

_NUMBERED: Final = ("messageAu", *(f"messageAu{number}" for number in range(2, PIECES + 1)))
_MINUTE: Final = "%Y-%m-%d %H:%M"

Write = Callable[[Text], str | Answer]
"""The body of the request, or why there is none."""


def writer(settings: AixSettings) -> tuple[Write, int]:
    """For the settings' generation, and the characters of its longest text."""
    if settings.generation == "p5":
        return _New(settings).write, WHOLE
    old = _Old(settings)
    return old.write, old.longest


def credentials(settings: AixSettings) -> str:
    """What every request begins with."""
    return urlencode({"token": settings.token.get_secret_value(), "clientId": settings.client_id})


class _Writer:
    def __init__(self, settings: AixSettings) -> None:
        charset = {"charset": settings.charset} if settings.charset else {}
        self._first = f"{credentials(settings)}&{urlencode({'smsCode': settings.sms_code, **charset})}"
        self._national = settings.phone_number == "national"
        self._prefix = settings.tag_prefix

    def _phone(self, destination: str) -> str:
        """As the config wants it, encoded; empty for what is no mobile number of Japan."""
        national = "0" + destination[3:] if destination.startswith("+81") else destination
        if not PHONE.fullmatch(national):
            return ""
        return national if self._national else "%2B81" + national[1:]


class _New(_Writer):
    """p5."""

    def __init__(self, settings: AixSettings) -> None:
        super().__init__(settings)
        self._last = f"&groupTag={quote_plus(settings.group_tag)}" if settings.group_tag else ""
        self._schedule = settings.schedule_tlv
        self._detects = settings.carrier_id == "detected"
        self._forced = CARRIER_IDS.get(settings.carrier_id, "")

    def write(self, text: Text) -> str | Answer:
        if longer(text.text, WHOLE):
            return _too_long(WHOLE)
        if not (phone := self._phone(text.destination)):
            return _NO_NUMBER
        last = self._last
        if carrier := CARRIER_IDS.get(text.carrier, "") if self._detects else self._forced:
            last += f"&carrierId={carrier}"
        if self._schedule is not None and (asked := text.tlvs.get(self._schedule)) is not None:
            if not (when := minute(asked)):
                return never(Status.RINVSCHED, 'the schedule is not like "2026-01-31 09:00"', code="scheduleTime")
            last += f"&scheduleTime={quote_plus(when)}"
        said = quote_plus(text.text, errors="replace")
        return f"{self._first}&message={said}&phoneNumber={phone}&clientTag={self._prefix}{text.tag}{last}"


class _Old(_Writer):
    """p1, p4 and p11. AIX takes the body of the handset's carrier, which it knows for certain and we by detection."""

    def __init__(self, settings: AixSettings) -> None:
        super().__init__(settings)
        self._counted = settings.au_octets
        smallest = 1 if settings.au_octets == "utf8" else 2
        self._cuts = settings.generation == "p11"
        self._limits = {
            "docomo": settings.max_docomo,
            "au": PIECES * PIECE // smallest if self._cuts else settings.max_au,
            "softbank": settings.max_softbank,
            "rakuten": settings.max_rakuten,
        }
        self._unknown = settings.max_unknown
        self.longest = max(self._unknown, *self._limits.values())
        self._all = settings.bodies == "all"
        self._short = settings.short_text

    def write(self, text: Text) -> str | Answer:
        limit = self._limits.get(text.carrier, self._unknown)
        if longer(text.text, limit):
            return _too_long(limit)
        if not (phone := self._phone(text.destination)):
            return _NO_NUMBER
        said = message = quote_plus(text.text, errors="replace")
        bodies = {
            "docomo": self._whole("docomo", "messageDo", text.text, said),
            "au": self._pieces(text.text) if self._cuts else self._whole("au", "messageAu", text.text, said),
            "softbank": self._whole("softbank", "messageSb", text.text, said),
            "rakuten": self._whole("rakuten", "messageRm", text.text, said),
        }
        mine = bodies.get(text.carrier, "")
        if text.carrier in bodies and not mine:
            return never(Status.RINVMSGLEN, f"it takes more than {PIECES} pieces of {PIECE} octets", code="messageAu")
        if longer(text.text, SHORT):
            message = quote_plus(self._short or short(text.text), errors="replace")
        rest = "".join(bodies.values()) if self._all else mine
        return f"{self._first}&phoneNumber={phone}&clientTag={self._prefix}{text.tag}&message={message}{rest}"

    def _whole(self, carrier: str, field: str, text: str, said: str) -> str:
        """Nothing where it is too long: then handsets of this carrier show `message`."""
        return "" if longer(text, self._limits[carrier]) else f"&{field}={said}"

    def _pieces(self, text: str) -> str:
        cut = pieces(text, self._counted)
        if len(cut) > PIECES:
            return ""
        named = zip(_NUMBERED, cut, strict=False)
        return "".join(f"&{name}={quote_plus(piece, errors='replace')}" for name, piece in named)


_NO_NUMBER: Final = never(Status.RINVDSTADR, "it is no mobile number of Japan", code="phoneNumber")


def _too_long(limit: int) -> Answer:
    return never(Status.RINVMSGLEN, f"at most {limit} characters", code="message")


def minute(value: bytes) -> str:
    """As the API writes one; empty for what is none."""
    text = value.rstrip(b"\0").decode("ascii", "replace")
    try:
        return text if datetime.strptime(text, _MINUTE).strftime(_MINUTE) == text else ""
    except ValueError:
        return ""
