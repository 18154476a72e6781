"""Speak the HTTPS API of AIX Message SMS, now 絶対リーチ!SMS, in each of its generations."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Annotated, Any, ClassVar, Final, Literal
from urllib.parse import quote_plus, urlencode

import structlog
from pydantic import AfterValidator, Field, SecretStr, Strict, model_validator

from protocol.consts import MessageState, Status
from protocol.receipt import Receipt
from smppgw.carriers import aix_codes, aix_events
from smppgw.carriers.aix_texts import PIECE, SHORT, Counted, longer, named, outside_iso_2022_jp, pieces, short
from smppgw.carriers.client import BadReply, Client, Reply
from smppgw.carriers.contract import (
    Answer,
    Capabilities,
    Heard,
    Hook,
    HookRefused,
    Operation,
    Text,
    by_status,
    doubt,
    never,
    sent,
)
from smppgw.carriers.settings import CarrierSettings
from smppgw.settings import Duration, Tag
from smppgw.values import Wrong

log = structlog.get_logger()

# The API's own expression, to the letter; `fullmatch` keeps a line end out, which "$" alone lets by.
PHONE: Final = re.compile(r"^(\+81|0)(([26789]0[1-9][0-9]{7}$)|(20[1-9][0-9]{10}$))")

CARRIER_IDS: Final[Mapping[str, str]] = {"au": "101", "docomo": "103", "softbank": "105", "rakuten": "106"}
WHOLE: Final = 660
"""Characters of `message` in p5."""
PIECES: Final = 10
"""messageAu, messageAu2 ... messageAu10 in p11."""
WARN_EVERY: Final = 60.0

_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_NEW: Final = "https://sms-api.aossms.com"
_OLD: Final = "https://qpd-api.aossms.com"
_MINUTE: Final = "%Y-%m-%d %H:%M"

Generation = Literal["p1", "p4", "p11", "p5"]
Path = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)+$|^$")]
Limit = Annotated[int, Field(ge=0, le=2000)]
Stat = Literal["UNDELIV", "EXPIRED", "REJECTD", "DELETED", "UNKNOWN"]
_STATES: Final[Mapping[str, MessageState]] = {
    "UNDELIV": MessageState.UNDELIVERABLE,
    "EXPIRED": MessageState.EXPIRED,
    "REJECTD": MessageState.REJECTED,
    "DELETED": MessageState.DELETED,
    "UNKNOWN": MessageState.UNKNOWN,
}


def _states(value: dict[str, Stat]) -> dict[str, Stat]:
    for code in value:
        if not (len(code) in {3, 5} and code.isascii() and code.isdigit()):
            raise Wrong(f"{code!r} is no code of AIX", 'write the last three digits or all five: "824" or "31824"')
    return value


def _names(value: dict[str, str]) -> dict[str, str]:
    for name in value:
        if name not in aix_events.NAMES:
            raise Wrong(f"{name!r} is no field", f"known are: {', '.join(aix_events.NAMES)}")
    return value


class AixSettings(CarrierSettings):
    kind: Literal["aix"] = "aix"
    url: Annotated[str, Field(pattern=r"^https?://[^/?#]+[^?#]*$")] = _NEW
    """Of the older generations another, see `_host`."""
    country_code: Annotated[str, Field(pattern=r"^[0-9]{0,3}$")] = "81"
    national_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,4}$")] = "0"
    generation: Generation = "p5"
    token: Annotated[SecretStr, Field(min_length=1)]
    client_id: Annotated[str, Field(pattern=r"^[0-9]+$")]
    sms_code: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{5,6}$")]
    send_path: Path = ""
    status_path: Path = ""
    operations_path: Path = "/p5/api"
    shorten_path: Path = "/p1/api/shortenurl.json"
    phone_number: Literal["international", "national"] = "international"
    tag_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,184}$")] = ""
    duplicate_codes: Annotated[tuple[int, ...], Strict(False)] = (400,)
    quota_wait: Duration = 300.0
    charset_check: Literal["warn", "refuse", "off"] = "warn"
    utc_offset: Annotated[float, Field(ge=-14, le=14)] = 9.0
    states: Annotated[dict[str, Stat], AfterValidator(_states)] = Field(default_factory=dict)
    xml_names: Annotated[dict[str, str], AfterValidator(_names)] = Field(default_factory=dict)
    # p5 alone
    carrier_id: Literal["automatic", "detected", "au", "docomo", "softbank", "rakuten"] = "automatic"
    group_tag: Annotated[str, Field(max_length=200)] = ""
    schedule_tlv: Tag | None = None
    # p1, p4 and p11 alone
    bodies: Literal["all", "detected"] = "all"
    short_text: Annotated[str, Field(max_length=SHORT)] = ""
    max_docomo: Limit = 660
    max_au: Limit = 670
    max_softbank: Limit = 332
    max_rakuten: Limit = 670
    max_unknown: Limit = SHORT
    au_octets: Counted = "both"
    charset: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]*$")] = ""

    @model_validator(mode="before")
    @classmethod
    def _host(cls, given: Any) -> Any:
        """The older generations have a host of their own."""
        if isinstance(given, dict) and "url" not in given and given.get("generation") in {"p1", "p4", "p11"}:
            return {**given, "url": _OLD}
        return given

    @model_validator(mode="after")
    def _of_one_generation(self) -> "AixSettings":
        old = self.generation != "p5"
        for key, default in (("carrier_id", "automatic"), ("group_tag", ""), ("schedule_tlv", None)):
            if old and getattr(self, key) != default:
                raise Wrong(f"{key} means nothing in {self.generation}", 'leave it out, or set generation = "p5"')
        for key in ("bodies", "short_text", "charset", "au_octets"):
            if not old and getattr(self, key) != type(self).model_fields[key].default:
                raise Wrong(f"{key} means nothing in p5", f'leave {key} out, or name an older generation like "p11"')
        return self


class Aix:
    """`send` answers with the client tag: it is the only id that the API gives back, and makes resending safe."""

    kind: ClassVar[str] = "aix"
    thanks = (b"OK", "text/plain")

    def __init__(self, settings: AixSettings, client: Client) -> None:
        old = settings.generation != "p5"
        longest = WHOLE
        self._limits: dict[str, int] = {}
        if old:
            smallest = 1 if settings.au_octets == "utf8" else 2
            au = PIECES * PIECE // smallest if settings.generation == "p11" else settings.max_au
            self._limits = {
                "docomo": settings.max_docomo,
                "au": au,
                "softbank": settings.max_softbank,
                "rakuten": settings.max_rakuten,
            }
            longest = max(settings.max_unknown, *self._limits.values())
        self.capabilities = Capabilities(longest=longest, idempotent=True, receipts="both")
        self._client = client
        self._settings = settings
        self._name = settings.name
        self._sent_path = settings.send_path or f"/{settings.generation}/api/mt.json"
        self._status_path = settings.status_path or f"/{settings.generation}/api/status.json"
        who = {"token": settings.token.get_secret_value(), "clientId": settings.client_id}
        self._who = urlencode(who)
        first = {**who, "smsCode": settings.sms_code} | ({"charset": settings.charset} if settings.charset else {})
        self._first = urlencode(first)
        self._body = self._old_body if old else self._new_body
        self._group = f"&groupTag={quote_plus(settings.group_tag)}" if settings.group_tag else ""
        self._national = settings.phone_number == "national"
        self._prefix = settings.tag_prefix
        self._checks = settings.charset_check
        self._all = settings.bodies == "all"
        self._pieces = settings.generation == "p11"
        self._east = settings.utc_offset * 3600
        self._states = {code: _STATES[name] for code, name in settings.states.items()}
        self._forced = CARRIER_IDS.get(settings.carrier_id, "")
        self._guesses = settings.carrier_id == "detected"
        self._schedule = settings.schedule_tlv
        self._duplicates = frozenset(settings.duplicate_codes)
        self._odd_texts = 0
        self._warned = -WARN_EVERY

    # Out

    async def send(self, text: Text) -> Answer:
        body = self._checked(text) or self._body(text)
        if isinstance(body, Answer):
            return body
        reply = await self._client.request("POST", self._sent_path, headers=_FORM, body=body.encode("ascii"))
        return self._answer(reply, text)

    def _checked(self, text: Text) -> Answer | None:
        if text.binary is not None:
            return never(Status.RSUBMITFAIL, "AIX takes no binary messages", code="binary")
        if not text.text:
            return never(Status.RINVMSGLEN, "AIX takes no empty text", code="empty")
        if self._checks != "off" and (odd := outside_iso_2022_jp(text.text)):
            if self._checks == "refuse":
                return never(Status.RSUBMITFAIL, f"outside ISO-2022-JP: {named(odd)}", code="charset")
            self._warn(text.tag, odd)
        return None

    def _warn(self, tag: str, odd: str) -> None:
        """Once a minute: such texts come in crowds."""
        self._odd_texts += 1
        now = monotonic()
        if now - self._warned >= WARN_EVERY:
            log.warning(
                "text outside ISO-2022-JP: handsets may garble it",
                connector=self._name,
                id=tag,
                characters=named(odd),
                texts=self._odd_texts,
            )
            self._warned, self._odd_texts = now, 0

    def _phone(self, destination: str) -> str:
        """As the API wants it, encoded; empty for what is no mobile number of Japan."""
        national = "0" + destination[3:] if destination.startswith("+81") else destination
        if not PHONE.fullmatch(national):
            return ""
        return national if self._national else "%2B81" + national[1:]

    def _new_body(self, text: Text) -> str | Answer:
        if longer(text.text, WHOLE):
            return _too_long(WHOLE)
        if not (phone := self._phone(text.destination)):
            return _NO_NUMBER
        carrier = CARRIER_IDS.get(text.carrier, "") if self._guesses else self._forced
        forced = f"&carrierId={carrier}" if carrier else ""
        schedule = ""
        if self._schedule is not None and (asked := text.tlvs.get(self._schedule)) is not None:
            when = _minute(asked)
            if not when:
                return never(Status.RINVSCHED, 'the schedule is not like "2026-01-31 09:00"', code="scheduleTime")
            schedule = f"&scheduleTime={quote_plus(when)}"
        said = quote_plus(text.text, errors="replace")
        tag = f"{self._prefix}{text.tag}"
        return f"{self._first}&message={said}&phoneNumber={phone}&clientTag={tag}{forced}{schedule}{self._group}"

    def _old_body(self, text: Text) -> str | Answer:
        carrier = text.carrier if text.carrier in self._limits else ""
        limit = self._limits[carrier] if carrier else self._settings.max_unknown
        if longer(text.text, limit):
            return _too_long(limit)
        if not (phone := self._phone(text.destination)):
            return _NO_NUMBER
        said = quote_plus(text.text, errors="replace")
        bodies = {
            "docomo": self._one("docomo", "messageDo", text.text, said),
            "au": self._au(text.text, said),
            "softbank": self._one("softbank", "messageSb", text.text, said),
            "rakuten": self._one("rakuten", "messageRm", text.text, said),
        }
        if carrier and not bodies[carrier]:
            return never(Status.RINVMSGLEN, f"it takes more than {PIECES} pieces of {PIECE} octets", code="messageAu")
        wanted = "".join(bodies.values()) if self._all else bodies.get(carrier, "")
        message = quote_plus(self._short(text.text), errors="replace") if longer(text.text, SHORT) else said
        tag = f"{self._prefix}{text.tag}"
        return f"{self._first}&phoneNumber={phone}&clientTag={tag}&message={message}{wanted}"

    def _one(self, carrier: str, field: str, text: str, said: str) -> str:
        """Nothing where it is too long: then this carrier's handsets get `message`."""
        return "" if longer(text, self._limits[carrier]) else f"&{field}={said}"

    def _au(self, text: str, said: str) -> str:
        if not self._pieces:
            return self._one("au", "messageAu", text, said)
        cut = pieces(text, self._settings.au_octets)
        if len(cut) > PIECES:
            return ""
        numbered = zip(("", *map(str, range(2, PIECES + 1))), cut, strict=False)
        return "".join(f"&messageAu{number}={quote_plus(piece, errors='replace')}" for number, piece in numbered)

    def _short(self, text: str) -> str:
        """What `message` says in place of a text that is too long for it."""
        return self._settings.short_text or short(text)

    def _answer(self, reply: Reply, text: Text) -> Answer:
        code, message = response(reply)
        good = 200 <= reply.status < 300
        duplicate = code in self._duplicates
        if (duplicate and text.attempts) or (code == 0 and good):
            return sent(f"{self._prefix}{text.tag}".encode())
        if duplicate:
            return never(Status.RSUBMITFAIL, message or "duplicate client tag", code=str(code))
        if code in aix_codes.KNOWN or (code and good):
            return aix_codes.refusal(code, message, self._settings.quota_wait)
        return doubt(f"no response code: {reply.excerpt}", code="bad reply") if good else by_status(reply)

    # Back

    def hear(self, hook: Hook) -> Sequence[Heard]:
        if hook.method != "POST":
            raise HookRefused(405, "notifications are posted")
        heard: list[Heard] = []
        fields = [(name, document) for name, document in hook.form if name in {"json", "xml"}]
        if not fields:
            raise HookRefused(400, "there is neither json= nor xml=")
        try:
            for name, document in fields:
                events = (
                    aix_events.of_json(document)
                    if name == "json"
                    else aix_events.of_xml(document, self._settings.xml_names)
                )
                heard += filter(None, map(self._heard, events))
        except aix_events.Unreadable as error:
            raise HookRefused(400, str(error)) from None
        return heard

    def _heard(self, event: aix_events.Event) -> Receipt | None:
        """None where it is not about a message of ours."""
        tag = aix_codes.word(event.get("clientTag"))
        if not tag or not tag.startswith(self._prefix) or aix_codes.word(event.get("type", "DLR")).upper() != "DLR":
            return None
        return aix_codes.receipt(tag.encode("utf-8", "replace"), event, self._states, self._east)

    async def poll(self, id: bytes) -> Sequence[Heard]:
        tag = id.decode("ascii", "replace")
        reply = await self._client.request("GET", f"{self._status_path}?{self._who}&clientTag={quote_plus(tag)}")
        events = statuses(reply)
        # The tag of a look-up may be 3 characters longer than that of a send, for what is not said.
        found = [aix_codes.receipt(id, event, self._states, self._east) for event in events if _is_of(event, tag)]
        return [receipt for receipt in found if receipt is not None and receipt.state is not MessageState.ENROUTE]

    # For people

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {
            "status": self.status,
            "checkreservation": self.checkreservation,
            "cancelreservation": self.cancelreservation,
            "numbercleaning": self.numbercleaning,
            "shortenurl": self.shortenurl,
            "separatedsuccesscount": self.separatedsuccesscount,
        }

    async def status(self, tag: str = "", date: str = "") -> Any:
        """Of the message with this client tag, or of all of a day (yyyymmdd)."""
        _one_of(tag=tag, date=date)
        return await self._ask(self._status_path, clientTag=tag, date=_digits("date", date, 8) if date else "")

    async def checkreservation(self, tag: str = "", time: str = "", date: str = "", group: str = "") -> Any:
        """Reserved messages: by client tag, by minute ("2026-01-31 09:00") or by day (yyyymmdd), of a group or all."""
        _one_of(tag=tag, time=time, date=date)
        if time and not _minute(time.encode()):
            raise Wrong(f"{time!r} is no minute", 'write it like "2026-01-31 09:00"')
        return await self._ask(
            f"{self._settings.operations_path}/checkreservation.json",
            smsCode=self._settings.sms_code,
            clientTag=tag,
            scheduleTime=time,
            scheduleDate=_digits("date", date, 8) if date else "",
            groupTag=group,
        )

    async def cancelreservation(self, tag: str) -> Any:
        """Of one message. The call that cancels many is not offered: without a filter it cancels everything."""
        if not tag.strip():
            raise Wrong("there is no client tag", "name the message to cancel")
        return await self._ask(f"{self._settings.operations_path}/cancelreservation.json", clientTag=tag)

    async def numbercleaning(self, phone: str, date: str) -> Any:
        """Has the number another owner since that day (yyyymmdd, 2 years back at most)? T: yes, N: no, else ERROR."""
        if not PHONE.fullmatch(phone):
            raise Wrong(f"{phone!r} is no mobile number of Japan", "write it like 09012345678 or +819012345678")
        path = f"{self._settings.operations_path}/numbercleaning.json"
        return await self._ask(path, phoneNumber=phone, referenceDate=_digits("date", date, 8))

    async def shortenurl(self, url: str, name: str = "", domain: str = "") -> Any:
        """A short URL for a long one."""
        if not 0 < len(url) <= 2048:
            raise Wrong(f"the URL has {len(url)} characters", "1 to 2048")
        if len(name) > 256:
            raise Wrong(f"the name has {len(name)} characters", "at most 256")
        fields = {key: value for key, value in (("name", name), ("longUrl", url), ("domain", domain)) if value}
        body = f"{self._who}&{urlencode(fields)}".encode()
        reply = await self._client.request("POST", self._settings.shorten_path, headers=_FORM, body=body)
        return reply.json()

    async def separatedsuccesscount(self, month: str) -> Any:
        """Billed parts of a month (yyyymm), by carrier."""
        path = f"{self._settings.operations_path}/separatedsuccesscount.json"
        return await self._ask(path, month=_digits("month", month, 6))

    async def _ask(self, path: str, **fields: str) -> Any:
        given = {name: value for name, value in fields.items() if value}
        return (await self._client.request("GET", f"{path}?{self._who}&{urlencode(given)}")).json()


_NO_NUMBER: Final = never(Status.RINVDSTADR, "it is no mobile number of Japan", code="phoneNumber")


def _too_long(limit: int) -> Answer:
    return never(Status.RINVMSGLEN, f"at most {limit} characters", code="message")


# Replies


def response(reply: Reply) -> tuple[int | None, str]:
    """`responseCode` and `responseMessage`; None where there is no code."""
    document = _document(reply)
    code = aix_codes.word(document.get("responseCode"))
    if not (code.isascii() and code.isdigit() and len(code) < 10):
        return None, ""
    return int(code), aix_codes.word(document.get("responseMessage"))


def statuses(reply: Reply) -> list[aix_events.Event]:
    """What a look-up found; nothing where it was refused."""
    document = _document(reply)
    found = document.get("status")
    if aix_codes.word(document.get("responseCode")) != "0" or not isinstance(found, list):
        return []
    return [event for event in found if isinstance(event, dict)]


def _document(reply: Reply) -> dict[str, Any]:
    try:
        document = reply.json()
    except (BadReply, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _is_of(event: aix_events.Event, tag: str) -> bool:
    found = aix_codes.word(event.get("clientTag"))
    return not found or (found.startswith(tag) and len(found) <= len(tag) + 3)


# Arguments


def _minute(value: bytes) -> str:
    """As the API writes a minute; empty where it is none."""
    text = value.rstrip(b"\0").decode("ascii", "replace")
    try:
        return text if datetime.strptime(text, _MINUTE).strftime(_MINUTE) == text else ""
    except ValueError:
        return ""


def _one_of(**given: str) -> None:
    if sum(map(bool, given.values())) != 1:
        raise Wrong("it does not say which", f"give one of {', '.join(given)}")


def _digits(name: str, value: str, count: int) -> str:
    if len(value) != count or not (value.isascii() and value.isdigit()):
        raise Wrong(f"{value!r} is no {name}", f"write {count} digits, like {'20260131'[:count]}")
    return value
