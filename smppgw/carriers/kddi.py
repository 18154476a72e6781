"""KDDI Message Cast by its API plan (MSG-GW): SMS, and +message with SMS as its stand-in.

Its field specification is not public. What is unknown (paths but the one of a send, notifications, status words) is a
key of the config, and a notification that nobody understands is answered well, logged by its shape, and forgotten.
"""

import re
import string
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from json import dumps as ascii_dumps
from typing import Annotated, Any, ClassVar, Final, Literal, Self
from urllib.parse import parse_qsl, quote

import structlog
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, Strict, model_validator

from protocol.consts import MessageState, Status
from protocol.receipt import Receipt
from smppgw.carriers import plus_message
from smppgw.carriers.client import BadReply, Client, Reply, dumps
from smppgw.carriers.contract import (
    Answer,
    Capabilities,
    Heard,
    Hook,
    HookRefused,
    Mo,
    Operation,
    Text,
    by_status,
    doubt,
    later,
    never,
    sent,
)
from smppgw.carriers.settings import CarrierSettings
from smppgw.settings import Count, Model, Positive, Tag
from smppgw.values import Wrong, did_you_mean

log = structlog.get_logger()

DST: Final = {"au": "1", "docomo": "2", "softbank": "3", "rakuten": "4"}
"""`dst` by the name of a mobile carrier; "0" is all of them."""

SMS_ONLY: Final = "Bearer smsonly"
"""The token of who sends SMS."""

SMS, PLUS, PLUS_OR_SMS = "2", "1", "0"
"""Values of X-Fallback."""

HOUR, DAY = 3600.0, 86400.0

_DEPTH = 8
"""Levels of an unknown body that the log shows."""
_LONGEST_NAME = 64
"""Characters of a handset's number or name."""
_LAST = 1e11
"""Above it a number is no time in seconds any more, but one in milliseconds."""
_MANY = 1000
"""Events that one notification may hold."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_PLACES = {"aggid", "bot_id", "msg_id"}


# Keys of the config


def _path(value: str) -> str:
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(value) if name is not None]
    except ValueError as error:
        raise Wrong(
            f"{value!r} is no path: {error}", "write {aggid}, {bot_id} and {msg_id}, and no other braces"
        ) from None
    for name in names:
        if name not in _PLACES:
            raise Wrong(f"{value!r} has {{{name}}}", did_you_mean(name, _PLACES))
    if not value.startswith("/"):
        raise Wrong(f"{value!r} is no path", "begin it with /")
    return value


def _with_id(value: str) -> str:
    if "{msg_id}" not in value:
        raise Wrong(f"{value!r} does not say where the id is", "write {msg_id} there")
    return value


def _states(value: object) -> object:
    """Words of the config beside the documented ones; in any case."""
    if not isinstance(value, dict):
        return value
    return _STATES | {str(word).lower(): name for word, name in value.items()}


def _places(value: object) -> object:
    return [value] if isinstance(value, str) else value


StateName = Literal["ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"]
"""Words of receipts (`stat:`)."""

_BY_NAME: dict[str, MessageState] = {
    "ENROUTE": MessageState.ENROUTE,
    "DELIVRD": MessageState.DELIVERED,
    "EXPIRED": MessageState.EXPIRED,
    "DELETED": MessageState.DELETED,
    "UNDELIV": MessageState.UNDELIVERABLE,
    "ACCEPTD": MessageState.ACCEPTED,
    "UNKNOWN": MessageState.UNKNOWN,
    "REJECTD": MessageState.REJECTED,
}
_STATES: dict[str, StateName] = {
    "pending": "ENROUTE",
    "sent": "ENROUTE",
    "delivered": "DELIVRD",
    "displayed": "DELIVRD",
    "revoked": "DELETED",
}
"""The words that are documented."""

Path = Annotated[str, AfterValidator(_path)]
Places = Annotated[tuple[str, ...], Strict(False), BeforeValidator(_places)]
"""Dotted paths into a JSON body, in any case; the first that leads to something counts."""
Number = Annotated[str, Field(pattern=r"^\+?[0-9]{3,15}$")]
EventKind = Literal["message", "response", "newUser"]


class Fields(Model):
    """Where a notification, a reply or a look-up says what. The documents show the first of `id` alone."""

    items: str = ""
    event: Places = ("event",)
    id: Places = (
        "smsmessage.msgId",
        "RCSMessage.msgId",
        "message.RCSMessage.msgId",
        "msgId",
        "smsmessage.orderId",
        "orderId",
    )
    status: Places = (
        "smsmessage.status",
        "RCSMessage.status",
        "message.RCSMessage.status",
        "status",
    )
    time: Places = (
        "smsmessage.timestamp",
        "RCSMessage.timestamp",
        "message.RCSMessage.timestamp",
        "timestamp",
    )
    error: Places = ()
    source: Places = (
        "messageContact.userContact",
        "message.messageContact.userContact",
        "smsmessage.userContact",
        "userContact",
    )
    destination: Places = ("smsmessage.smsNumber", "smsNumber")
    text: Places = ("smsmessage.smsText", "smsText", "text")
    text_encoded: Places = ("smsmessage.smsTextEnc", "smsTextEnc")
    content: Places = ("RCSMessage", "message.RCSMessage", "message")
    plus_text: Places = ("textMessage",)
    response: Places = ("suggestedResponse.response", "suggestedResponse", "response")


class KddiSettings(CarrierSettings):
    kind: Literal["kddi"] = "kddi"
    url: Annotated[str, Field(pattern=r"^https?://[^/?#]+[^?#]*$")] = "https://api.msg-gw.kddi.com"
    user: Annotated[str, Field(min_length=1, pattern=r"^[^:\x00-\x1f\x7f]+$")]
    password: SecretStr
    aggid: Annotated[str, Field(min_length=1)] = "au"
    bot_id: Annotated[str, Field(min_length=1)]
    sms_numbers: Annotated[tuple[Number, ...], Strict(False)] = ()
    token_au: SecretStr = SecretStr("")
    token_docomo: SecretStr = SecretStr("")
    token_softbank: SecretStr = SecretStr("")
    fallback: plus_message.Fallback = "2"
    dst: Literal["auto", "0", "1", "2", "3", "4"] = "auto"
    longest: Count = 660
    plus_message_tlv: Tag = 0x1501
    plus_message_check: bool = True
    plus_message_cards: Count = plus_message.CARDS
    plus_message_suggestions: Count = plus_message.SUGGESTIONS
    plus_message_address: str = ""
    send_path: Path = "/{aggid}/v1/fallback/rcs/bot/v1/{bot_id}/messages"
    status_path: Annotated[Path, AfterValidator(_with_id)] = (
        "/{aggid}/v1/fallback/rcs/bot/v1/{bot_id}/messages/{msg_id}/status"
    )
    capability_path: Path = "/{aggid}/v1/fallback/rcs/bot/v1/{bot_id}/contactCapabilities"
    capability_field: Annotated[str, Field(min_length=1)] = "userContact"
    subscribers_path: Path = "/{aggid}/v1/fallback/rcs/bot/v1/{bot_id}/subscribers"
    utc_offset: Annotated[float, Field(ge=-14, le=14)] = 9.0
    mo_events: Annotated[tuple[EventKind, ...], Strict(False)] = ("message", "response", "newUser")
    response_as: Literal["text", "postback", "json"] = "text"
    states: Annotated[dict[str, StateName], BeforeValidator(_states)] = Field(
        default_factory=lambda: dict(_STATES), validate_default=True
    )
    fields: Fields = Fields()
    country_code: Annotated[str, Field(pattern=r"^[0-9]{0,3}$")] = "81"
    national_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,4}$")] = "0"
    poll: Annotated[tuple[Positive, ...], Strict(False)] = (
        *(300.0, 1800.0, 6 * HOUR, 24 * HOUR, 72 * HOUR),
        *(7 * DAY, 14 * DAY, 21 * DAY, 31 * DAY),
    )
    poll_end: Literal["wait", "expired", "unknown"] = "expired"

    @property
    def tokens(self) -> tuple[str, str, str]:
        """Of au, docomo and SoftBank; empty where there is none."""
        au, docomo, softbank = self.token_au, self.token_docomo, self.token_softbank
        return au.get_secret_value(), docomo.get_secret_value(), softbank.get_secret_value()

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.fallback != SMS and not any(self.tokens):
            raise Wrong(
                f'fallback = "{self.fallback}" needs a +message account',
                'give token_au, token_docomo and token_softbank, or leave it at "2"',
            )
        if self.fallback == PLUS and self.dst == "4":
            raise Wrong('dst = "4" with fallback = "1" reaches nobody', "Rakuten takes SMS only")
        if self.fallback != PLUS and not self.sms_numbers:
            raise Wrong("sms_numbers is missing", "write the sender number of the account notice")
        for name in ("token_au", "token_docomo", "token_softbank", "password"):
            if not getattr(self, name).get_secret_value().isprintable():
                raise Wrong(f"{name} has characters that no header can hold", "write it as the account notice has it")
        return self


# The carrier

_MEANS: dict[int, Answer] = {
    400: never(Status.RSUBMITFAIL, "malformed request", code="http 400"),
    401: later(Status.RSYSERR, "Basic authentication failed", code="http 401", alarm=True),
    403: later(Status.RSYSERR, "our network is not admitted", code="http 403", alarm=True),
    500: doubt("internal error", code="http 500"),
    502: doubt("the gateway to the carriers is in trouble", code="http 502"),
    503: later(Status.RTHROTTLED, "too many requests, or connections", code="http 503"),
    504: later(Status.RSYSERR, "it did not get as far as the gateway to the carriers", code="http 504"),
}
"""What is documented of the replies to a send."""


class Kddi:
    kind: ClassVar[str] = "kddi"
    thanks: tuple[bytes, str] = (b"", "application/json")

    def __init__(self, settings: KddiSettings, client: Client) -> None:
        self._settings = settings
        self._client = client
        self.capabilities = Capabilities(longest=settings.longest, receipts="both")
        self._send_url = self._fill(settings.send_path)
        self._headers = {fallback: _headers(settings, fallback) for fallback in (SMS, PLUS, PLUS_OR_SMS)}
        self._plus = any(settings.tokens)
        self._numbers = _spellings(settings)
        self._number = settings.sms_numbers[0] if settings.sms_numbers else ""
        self._states = {word: _BY_NAME[name] for word, name in settings.states.items()}
        self._zone = timezone(timedelta(hours=settings.utc_offset))
        self._places = _Places(settings.fields)

    # Out

    async def send(self, text: Text) -> Answer:
        if text.binary is not None:
            return never(Status.RSUBMITFAIL, "binary messages are not offered", code="binary")
        if not _E164.fullmatch(text.destination):
            return never(Status.RINVDSTADR, "the destination is no number with a country code", code="number")
        fallback: str = self._settings.fallback
        content: dict[str, Any] | None = None
        octets = text.tlvs.get(self._settings.plus_message_tlv) if text.tlvs else None
        if octets is not None:
            found = self._read(octets, text.text)
            if isinstance(found, Answer):
                return found
            content, fallback = found
        elif fallback != SMS:
            content = plus_message.text(text.text)
        return await self._ask(text, content, fallback)

    def _read(self, octets: bytes, words: str) -> tuple[dict[str, Any], str] | Answer:
        """The +message of a TLV and its X-Fallback, or why there is none."""
        settings = self._settings
        if not self._plus:
            return never(
                Status.RINVOPTPARAMVAL, "a +message needs the tokens of a +message account", code="plus_message"
            )
        try:
            found = plus_message.read(
                octets.rstrip(b"\0"),
                check=settings.plus_message_check,
                cards=settings.plus_message_cards,
                suggestions=settings.plus_message_suggestions,
            )
        except plus_message.Malformed as error:
            return never(Status.RINVOPTPARAMVAL, f"+message: {error}", code="plus_message")
        fallback: str | None = found.fallback
        if fallback is None:
            fallback = PLUS if settings.fallback == PLUS or not words else PLUS_OR_SMS
        elif fallback != PLUS and not words:
            return never(Status.RINVMSGLEN, "the SMS that stands in for a +message has no text", code="plus_message")
        return found.content, fallback

    async def _ask(self, text: Text, content: dict[str, Any] | None, fallback: str) -> Answer:
        dst: str = self._settings.dst
        if dst == "auto":
            dst = DST.get(text.carrier, "0")
        if dst == "4":  # Rakuten has SMS only; what detection says of a number may be out of date
            fallback, dst = (SMS, dst) if fallback != PLUS else (fallback, "0")
        message: dict[str, Any] = {} if content is None or fallback == SMS else {"RCSMessage": content}
        message["messageContact"] = {"userContact": text.destination}
        body: dict[str, Any] = {"message": message}
        if fallback != PLUS:
            number = self._numbers.get(text.source, self._number)
            if not number:
                return never(Status.RINVSRCADR, "there is no sms_numbers to send an SMS by", code="number")
            words = text.text
            if "\r" in words:
                words = words.replace("\r\n", "\n").replace("\r", "\n")
            body["smsmessage"] = {"smsNumber": number, "smsText": words, "smsTextEnc": encoded(words)}
        body["dst"] = dst
        try:
            octets = dumps(body)
        except UnicodeEncodeError:  # half a surrogate pair: JSON can write it, UTF-8 cannot
            octets = ascii_dumps(body, separators=(",", ":")).encode()
        reply = await self._client.request("POST", self._send_url, headers=self._headers[fallback], body=octets)
        return self._answer(reply)

    def _answer(self, reply: Reply) -> Answer:
        status = reply.status
        if 200 <= status < 300:
            try:
                id = self._accepted(reply.json())
            except BadReply as error:
                return doubt(str(error), code=f"http {status}")
            if not id:
                return doubt("accepted, but the reply has no msgId", code=f"http {status}")
            return sent(id)
        known = _MEANS.get(status)
        if known is None:
            return by_status(reply)
        if status == 503:
            return known._replace(wait=reply.retry_after or self._settings.pause)
        return known._replace(reason=reply.excerpt or known.reason)

    def _accepted(self, value: Any) -> bytes:
        """The id in the reply to a send."""
        try:
            id = value["smsmessage"]["msgId"]  # as every known reply has it
        except (TypeError, KeyError, IndexError):
            id = None
        return _id(id) or _id(self._places.get("id", value))

    # Back

    def hear(self, hook: Hook) -> Sequence[Heard]:
        """`?kind=` of the URL that KDDI was given says what came ("result", "mo" or "webhook"); else its fields do.

        Never refuses what it cannot read: that would only come again three times.
        """
        value = _body(hook)
        if value is None:
            if hook.body:
                log.warning("notification not understood", kind=self.kind, shape=f"{len(hook.body)} octets, no JSON")
            return ()
        kind = next((word for name, word in hook.query if name == "kind"), "")
        try:
            return [heard for item in self._places.items(value) if (heard := self._heard(item, kind)) is not None]
        except RecursionError:
            log.warning("notification not understood", kind=self.kind, shape="nested too deeply")
            return ()

    def _heard(self, value: Any, kind: str) -> Heard | None:
        places = self._places
        event = places.get("event", value)
        heard: Heard | None = None
        if isinstance(event, str) and (name := _EVENTS.get(event.lower())) and kind not in ("result", "mo"):
            if name == "messageStatus":
                heard = self._receipt(value)
            elif name not in self._settings.mo_events:
                return None
            else:
                heard = self._said(value, name)
        elif kind == "mo":
            heard = self._sms(value)
        elif kind == "result" or places.get("status", value) is not None:
            heard = self._receipt(value)
        else:
            heard = self._sms(value)
        if heard is None:
            log.warning("notification not understood", kind=self.kind, shape=shape(value))
        return heard

    def _receipt(self, value: Any, id: bytes = b"") -> Receipt | None:
        places = self._places
        id = id or _id(places.get("id", value))
        word = places.get("status", value)
        if not id or not isinstance(word, (str, int)) or word == "":
            return None
        state = self._states.get(str(word).lower())
        if state is None:
            log.warning("unknown status", kind=self.kind, status=str(word)[:40], id=id)
        err = places.get("error", value)
        return Receipt(
            id,
            state,
            b"000" if state is MessageState.DELIVERED else _three(err),
            done=self._moment(places.get("time", value)),
        )

    def _sms(self, value: Any) -> Mo | None:
        """A handset answers an SMS."""
        places = self._places
        source = self._handset(value)
        words = places.get("text", value)
        if not isinstance(words, str):
            words = decoded(places.get("text_encoded", value))
        if not source or words is None:
            return None
        destination = places.get("destination", value)
        if not isinstance(destination, str) or not destination:
            destination = self._number
        id = _id(places.get("id", value)) or self._made_up(value)
        return Mo(id, source, destination.removeprefix("+"), whole(words))

    def _said(self, value: Any, name: str) -> Mo | None:
        """A handset uses +message: a message, a button, or its first contact."""
        places = self._places
        source = self._handset(value)
        if not source:
            return None
        content = places.get("content", value)
        id = _id(places.get("id", value))
        words: Any = None
        if name == "message":
            words = places.get("plus_text", content)
        elif name == "response":
            words = self._pressed(places.get("response", content))
            if id:  # it may be that of the message whose button was pressed, and there are several
                id += b"." + _digest(content)
        if not isinstance(words, str):
            kept = {"event": name} if content is None else {"event": name, "RCSMessage": content}
            words = ascii_dumps(kept, ensure_ascii=False, separators=(",", ":"))
        address = self._settings.plus_message_address or self._number or self._settings.bot_id
        return Mo(id or self._made_up(value), source, address.removeprefix("+"), whole(words))

    def _pressed(self, response: Any) -> str | None:
        """What a button said; None: nothing that is a text."""
        wanted = self._settings.response_as
        if wanted == "json" or not isinstance(response, dict):
            return None
        button = at(response, ["reply"]) or at(response, ["action"]) or response
        found = at(button, ["postback", "data"] if wanted == "postback" else ["displayText"])
        return found if isinstance(found, str) and found else None

    def _handset(self, value: Any) -> str:
        """Digits with the country code."""
        number = self._places.get("source", value)
        if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 10**20:
            number = str(number)
        return self._digits(number) if isinstance(number, str) and len(number) <= _LONGEST_NAME else ""

    def _digits(self, number: str) -> str:
        number = number.strip().removeprefix("tel:")
        settings = self._settings
        if settings.country_code and settings.national_prefix and number.startswith(settings.national_prefix):
            return settings.country_code + number.removeprefix(settings.national_prefix)
        return number.removeprefix("+")

    def _made_up(self, value: Any) -> bytes:
        """An id for what has none: a repeated notification has the same. Nothing where two could be alike by chance."""
        return _digest(value) if self._places.get("time", value) is not None else b""

    def _moment(self, value: Any) -> float | None:
        """Epoch seconds of a time in ISO 8601, or of a number of seconds or milliseconds."""
        if isinstance(value, str) and value.isdecimal() and len(value) < 20:
            value = int(value)
        try:
            if isinstance(value, str):
                moment = datetime.fromisoformat(value)
                value = (moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).timestamp()
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                return None
            seconds = value / 1000 if value > _LAST else value
            return float(seconds) if 0 < seconds <= _LAST else None
        except (ValueError, OverflowError):
            return None

    async def poll(self, id: bytes) -> Sequence[Heard]:
        reply = await self._look_up(id)
        if reply.status != 200:
            log.warning("status not told", kind=self.kind, status=reply.status, id=id)
            return ()
        try:
            value = reply.json()
        except BadReply as error:
            log.warning("status not told", kind=self.kind, reason=str(error), id=id)
            return ()
        found = [receipt for item in self._places.items(value) if (receipt := self._receipt(item, id)) is not None]
        if not found:
            log.warning("status not understood", kind=self.kind, shape=shape(value), id=id)
        return found

    # For people

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {"status": self._status, "capability": self._capability, "subscribers": self._subscribers}

    async def _status(self, msg_id: str) -> Any:
        """What became of a message, by KDDI's id of it."""
        return _shown(await self._look_up(msg_id.encode()))

    async def _capability(self, number: str) -> Any:
        """Does this handset have +message?"""
        body: Any = f"+{self._digits(number)}"
        for name in reversed(self._settings.capability_field.split(".")):
            body = {name: body}
        url = self._fill(self._settings.capability_path)
        reply = await self._client.request("POST", url, headers=self._query_headers, body=dumps(body))
        return _shown(reply)

    async def _subscribers(self) -> Any:
        """The numbers that have registered with the official account."""
        url = self._fill(self._settings.subscribers_path)
        return _shown(await self._client.request("GET", url, headers=self._query_headers))

    async def _look_up(self, id: bytes) -> Reply:
        url = self._fill(self._settings.status_path, msg_id=id.decode("latin-1"))
        return await self._client.request("GET", url, headers=self._query_headers)

    @property
    def _query_headers(self) -> dict[str, str]:
        return self._headers[PLUS_OR_SMS if self._plus else SMS]

    def _fill(self, path: str, **more: str) -> str:
        values = {"aggid": self._settings.aggid, "bot_id": self._settings.bot_id, **more}
        return path.format_map({name: quote(value, safe="") for name, value in values.items()})


# What an SMS is made of


def encoded(text: str) -> str:
    """`smsTextEnc`: base64 of UTF-16BE without a byte-order mark; the newline of `text` must be LF already."""
    return b64encode(text.encode("utf-16-be", "surrogatepass")).decode("ascii")


def decoded(value: Any) -> str | None:
    """The text of a `smsTextEnc`; None where it is none."""
    if not isinstance(value, str):
        return None
    try:
        return b64decode(value, validate=True).decode("utf-16-be")
    except ValueError:
        return None


def whole(text: str) -> str:
    """The same without halves of surrogate pairs, which JSON can hold and no encoding can write."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")
    return text


def _headers(settings: KddiSettings, fallback: str) -> dict[str, str]:
    basic = b64encode(f"{settings.user}:{settings.password.get_secret_value()}".encode()).decode("ascii")
    tokens = ("", "", "") if fallback == SMS else settings.tokens
    au, docomo, softbank = (_bearer(token) for token in tokens)
    return {
        "Authorization": f"Basic {basic}",
        "Content-Type": "application/json",
        "X-Plusmsg-mkn-Authorization": au,
        "X-Plusmsg-tmt-Authorization": docomo,
        "X-Plusmsg-gmp-Authorization": softbank,
        "X-Fallback": fallback,
    }


def _bearer(token: str) -> str:
    if not token:
        return SMS_ONLY
    return token if token.lower().startswith("bearer ") else f"Bearer {token}"


def _spellings(settings: KddiSettings) -> dict[str, str]:
    """Every way to write one of our numbers as a source address, and the way that KDDI knows."""
    found: dict[str, str] = {}
    for number in settings.sms_numbers:
        found[number] = number
        bare = number.removeprefix("+")
        if settings.national_prefix and bare.startswith(settings.national_prefix):
            bare = settings.country_code + bare.removeprefix(settings.national_prefix)
        found.setdefault(bare, number)
        found.setdefault(f"+{bare}", number)
    return found


# What a body is made of

_EVENTS = {name.lower(): name for name in ("message", "messageStatus", "response", "newUser")}


class _Places:
    """The `fields` of the config, cut at their dots."""

    def __init__(self, fields: Fields) -> None:
        self._items = fields.items.split(".") if fields.items else []
        self._paths: dict[str, tuple[list[str], ...]] = {
            name: tuple(path.split(".") for path in getattr(fields, name))
            for name in Fields.model_fields
            if name != "items"
        }

    def get(self, name: str, value: Any) -> Any:
        """What is there; None for nothing."""
        for path in self._paths[name]:
            if (found := at(value, path)) is not None:
                return found
        return None

    def items(self, value: Any) -> list[Any]:
        """The events of one body."""
        if self._items:
            value = at(value, self._items)
        return value[:_MANY] if isinstance(value, list) else [value]


def at(value: Any, path: list[str]) -> Any:
    """What a path leads to, whatever the case of its names: the documents do not agree on it. None for nothing."""
    for name in path:
        if not isinstance(value, dict):
            return None
        found = value.get(name)
        if found is None:
            wanted = name.lower()
            found = next(
                (inner for key, inner in value.items() if isinstance(key, str) and key.lower() == wanted), None
            )
        value = found
    return value


def shape(value: Any, depth: int = _DEPTH) -> str:
    """A body without its values, for the log: names and kinds."""
    if isinstance(value, dict):
        if not depth:
            return "{...}"
        inner = ", ".join(f"{str(key)[:40]}: {shape(each, depth - 1)}" for key, each in list(value.items())[:20])
        return "{" + inner + "}"
    if isinstance(value, list):
        return f"[{shape(value[0], depth - 1) if value and depth else ''}]"
    return "null" if value is None else type(value).__name__


def _body(hook: Hook) -> Any:
    """JSON, or the fields of a form, or the query of a GET; None: none of them."""
    if hook.body:
        kind = hook.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == "application/x-www-form-urlencoded":
            try:
                return dict(parse_qsl(hook.body.decode(), keep_blank_values=True, max_num_fields=1000)) or None
            except ValueError:
                return None
        try:
            return hook.json
        except HookRefused:
            return None
    return {name: value for name, value in hook.query if name != "kind"} or None


def _id(value: Any) -> bytes:
    """An id as a receipt holds it; nothing for what is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 1 << 128 else ""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        return b""
    return value.encode("ascii")[:200]


def _three(value: Any) -> bytes:
    """The `err:` of a receipt: the last three digits or letters of a code."""
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        word = str(value)[-3:] if not isinstance(value, int) or abs(value) < 1 << 64 else ""
        if word.isascii() and word.isalnum():
            return word.rjust(3, "0").encode("ascii")
    return b""


def _digest(value: Any) -> bytes:
    return sha256(ascii_dumps(value, sort_keys=True).encode()).hexdigest()[:16].encode("ascii")


def _shown(reply: Reply) -> dict[str, Any]:
    try:
        body = reply.json()
    except BadReply:
        body = reply.excerpt
    return {"http": reply.status, "reply": body}
