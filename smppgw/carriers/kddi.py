"""KDDI Message Cast by its API plan (MSG-GW): SMS, and +message with SMS as its stand-in."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from json import dumps as ascii_dumps
from typing import Any, ClassVar, Final
from urllib.parse import quote

import structlog

from protocol.consts import Status
from smppgw.carriers import plus_message
from smppgw.carriers.client import BadReply, Client, Reply, dumps
from smppgw.carriers.contract import (
    Answer,
    Capabilities,
    Heard,
    Hook,
    Operation,
    Text,
    by_status,
    doubt,
    later,
    never,
    sent,
)
from smppgw.carriers.kddi_events import Reader
from smppgw.carriers.kddi_settings import KddiSettings
from smppgw.carriers.plus_message import PLUS, PLUS_OR_SMS, SMS

log = structlog.get_logger()

DST: Final = {"au": "1", "docomo": "2", "softbank": "3", "rakuten": "4"}
"""`dst` by the name of a mobile carrier; "0" is all of them."""

SMS_ONLY: Final = "Bearer smsonly"
"""The token of who sends SMS."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

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
        self.capabilities = Capabilities(longest=settings.longest, receipts="both", stands_in=settings.plus_message_tlv)
        self._send_url = self._fill(settings.send_path)
        self._headers = {fallback: _headers(settings, fallback) for fallback in (SMS, PLUS, PLUS_OR_SMS)}
        self._plus = any(settings.tokens)
        self._numbers = _spellings(settings)
        self._number = settings.sms_numbers[0] if settings.sms_numbers else ""
        self._reader = Reader(settings)

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
                log.warning("+message refused", connector=self._settings.name, id=text.tag, reason=found.reason)
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
            return never(Status.RINVOPTPARAMVAL, str(error), code="plus_message")
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
        except RecursionError:
            return never(Status.RINVOPTPARAMVAL, "it is nested too deeply", code="plus_message")
        reply = await self._client.request("POST", self._send_url, headers=self._headers[fallback], body=octets)
        return self._answer(reply)

    def _answer(self, reply: Reply) -> Answer:
        status = reply.status
        if 200 <= status < 300:
            try:
                id = self._reader.accepted(reply.json())
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

    # Back

    def hear(self, hook: Hook) -> Sequence[Heard]:
        return self._reader.hear(hook)

    async def poll(self, id: bytes) -> Sequence[Heard]:
        reply = await self._look_up(id)
        if reply.status != 200:
            log.warning("status not told", connector=self._settings.name, status=reply.status, id=id)
            return ()
        return self._reader.told(reply.json(), id)

    # For people

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {"status": self._status, "capability": self._capability, "subscribers": self._subscribers}

    async def _status(self, msg_id: str) -> Any:
        """What became of a message, by KDDI's id of it."""
        return _shown(await self._look_up(msg_id.encode()))

    async def _capability(self, number: str) -> Any:
        """Does this handset have +message?"""
        body: Any = f"+{self._reader.digits(number)}"
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


def encoded(text: str) -> str:
    """`smsTextEnc`: base64 of UTF-16BE without a byte-order mark; the newline of `text` must be LF already."""
    return b64encode(text.encode("utf-16-be", "surrogatepass")).decode("ascii")


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


def _shown(reply: Reply) -> dict[str, Any]:
    try:
        body = reply.json()
    except BadReply:
        body = reply.excerpt
    return {"http": reply.status, "reply": body}
