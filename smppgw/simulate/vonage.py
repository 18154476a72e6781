"""The SMS REST API of Vonage, simulated: an id and a receipt for each part, and HTTP status 200 on every refusal."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from protocol import text as alphabets
from protocol import udh
from protocol.consts import DataCoding
from smppgw.carriers.vonage import LONGEST, LONGEST_TTL, SHORTEST_TTL
from smppgw.carriers.vonage_signature import Method, agrees, sign
from smppgw.simulate.carrier import CarrierOptions, CarrierSimulator, Notification, form

_LATEST = 300
"""Seconds by which the timestamp of a signed request may be wrong."""

_TYPES = frozenset({"text", "unicode", "binary"})
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class VonageOptions(CarrierOptions):
    api_key: str = "abcd1234"
    api_secret: str = "abcdef0123456789"  # noqa: S105  made up
    signature_secret: str = ""
    """Given: requests may be signed."""
    signature_method: Method = "md5hash"
    sign_webhooks: bool = False
    webhook_by: Literal["get", "form", "json"] = "get"
    throttled: float = 0.0
    """Share of requests refused with status 1."""
    throttle_above: float = 0.0
    """Requests a second; more get status 1."""
    partial: float = 0.0
    """Share of texts of several parts whose last part is refused with status 1."""
    quota: int = 0
    """Parts that may be sent until status 9; 0: any number."""
    barred: str = ""
    """The destination that is refused with status 7."""


class _Refused(Exception):
    """With a status and its words."""

    def __init__(self, status: str, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class VonageSimulator(CarrierSimulator):
    options: VonageOptions

    def __init__(self, options: VonageOptions) -> None:
        super().__init__(options)
        self.app.router.add_post("/sms/json", self._send)
        self._next = 0x0A00000000000000 | self.random.getrandbits(28) << 28
        self._parts = 0
        self._earliest = 0.0

    async def _send(self, request: web.Request) -> web.StreamResponse:
        if (broken := await self.fault(request)) is not None:
            return broken
        try:
            fields = await _fields(request)
            self._check_credentials(fields)
            parts = _check(fields)
            self._check_account(fields)
        except _Refused as refused:
            self.refuse()
            return _reply([{"status": refused.status, "error-text": refused.words}])
        self._parts += parts
        refused_parts = 1 if parts > 1 and self.happens(self.options.partial) else 0
        fails = self.happens(self.options.undelivered)
        said = []
        for _ in range(parts - refused_parts):
            self._next += 1
            id = f"{self._next:016X}"
            self.accept(id, fields)
            said.append(
                {
                    "to": fields["to"],
                    "message-id": id,
                    "status": "0",
                    "remaining-balance": "3.14159265",
                    "message-price": "0.03330000",
                    "network": "44010",
                    "client-ref": fields.get("client-ref", ""),
                }
            )
            if fields.get("status-report-req", "1") not in {"0", "false"}:
                self._report(id, fields, fails)
        said += [{"to": fields["to"], "status": "1", "error-text": "Throughput Rate Exceeded"}] * refused_parts
        return _reply(said)

    def _check_credentials(self, fields: Mapping[str, str]) -> None:
        options = self.options
        if "api_key" not in fields:
            raise _Refused("2", "Missing api_key")
        if "sig" in fields and "api_secret" in fields:
            raise _Refused("32", "Signature And API Secret Disallowed")
        if fields["api_key"] != options.api_key:
            raise _Refused("4", "Bad Credentials")
        if "sig" not in fields:
            if fields.get("api_secret") != options.api_secret:
                raise _Refused("4", "Bad Credentials")
            return
        stamp = fields.get("timestamp", "")
        right = bool(options.signature_secret) and agrees(fields, options.signature_secret, options.signature_method)
        if not right or not stamp.isdigit() or abs(time.time() - int(stamp)) > _LATEST:
            raise _Refused("14", "Invalid Signature")

    def _check_account(self, fields: Mapping[str, str]) -> None:
        options = self.options
        if options.quota and self._parts >= options.quota:
            raise _Refused("9", "Partner quota exceeded")
        if options.barred and fields["to"] == options.barred:
            raise _Refused("7", "The destination number is barred")
        if self.happens(options.throttled) or self._too_fast():
            raise _Refused("1", "Throughput Rate Exceeded")

    def _too_fast(self) -> bool:
        """Evenly spread, with a tenth of a second's worth in one burst."""
        if not self.options.throttle_above:
            return False
        now = time.monotonic()
        if self._earliest - now > max(0.1, 1 / self.options.throttle_above):
            return True
        self._earliest = max(self._earliest, now) + 1 / self.options.throttle_above
        return False

    # Back

    def _report(self, id: str, sent: Mapping[str, str], fails: bool) -> None:
        url = sent.get("callback") or self.options.webhook

        def make() -> Notification:
            said = {
                "msisdn": sent["to"],
                "to": sent["from"],
                "network-code": "44010",
                "messageId": id,
                "price": "0.03330000",
                "status": "failed" if fails else "delivered",
                "scts": time.strftime("%y%m%d%H%M", time.gmtime()),
                "err-code": "2" if fails else "0",
                "api-key": self.options.api_key,
                "message-timestamp": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
            }
            if ref := sent.get("client-ref"):
                said["client-ref"] = ref
            return self._notification(url, said)

        self.notify(make)

    def _notification(self, url: str, said: dict[str, str]) -> Notification:
        options = self.options
        if options.sign_webhooks:
            said["timestamp"] = str(int(time.time()))
            said["nonce"] = f"{self.random.getrandbits(128):032x}"
            said["sig"] = sign(said, options.signature_secret, options.signature_method)
        if options.webhook_by == "json":
            return Notification("POST", url, _JSON, json.dumps(said, ensure_ascii=False).encode())
        if options.webhook_by == "form":
            return Notification("POST", url, _FORM, urlencode(said).encode())
        return Notification("GET", f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(said)}" if url else "", {})

    def mo(self, said: Mapping[str, Any]) -> Iterable[Notification]:
        """{"from", "to", "text"} in as many parts as it takes, or {"from", "to", "data", "udh"} in hex."""
        self._next += 1
        common = {
            "msisdn": str(said["from"]),
            "to": str(said["to"]),
            "api-key": self.options.api_key,
            "message-timestamp": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
        }
        if "data" in said:
            yield self._inbound(
                {**common, "type": "binary", "data": str(said["data"]), "udh": str(said.get("udh", ""))}
            )
            return
        text = str(said["text"])
        coding = alphabets.choose(text)
        kind = "text" if coding == DataCoding.DEFAULT else "unicode"
        segments = udh.segments(alphabets.encode(text, coding), coding)
        reference = str(self.random.getrandbits(8))
        for number, segment in enumerate(segments, 1):
            piece = alphabets.decode(udh.text_of(segment.esm_class, segment.short_message), coding)
            fields = {**common, "type": kind, "text": piece, "keyword": piece.partition(" ")[0].upper()}
            if len(segments) > 1:
                fields["concat"] = "true"
                fields["concat-ref"] = reference
                fields["concat-total"] = str(len(segments))
                fields["concat-part"] = str(number)
            yield self._inbound(fields)

    def shown(self, what: Mapping[str, str]) -> tuple[str, str]:
        return what["to"], what.get("text", "")

    def _inbound(self, fields: dict[str, str]) -> Notification:
        self._next += 1
        fields["messageId"] = f"{self._next:016X}"
        return self._notification(self.options.webhook, fields)


def parts(text: str, unicode: bool) -> int:
    """Of 160 or 153 septets, or of 70 or 67 UTF-16 units. Raises PduError for more than 255."""
    coding = DataCoding.UCS2 if unicode else DataCoding.DEFAULT
    return len(udh.segments(alphabets.encode(text, coding), coding))


async def _fields(request: web.Request) -> dict[str, str]:
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise _Refused("2", "Missing api_key")
        return {name: str(value) for name, value in body.items()}
    return await form(request)


def _check(fields: dict[str, str]) -> int:
    """The number of parts."""
    for name in ("from", "to"):
        if not fields.get(name):
            raise _Refused("2", f"Missing {name} param")
    to, sender, kind = fields["to"], fields["from"], fields.get("type", "text")
    if not to.isascii() or not to.isdigit() or not 7 <= len(to) <= 15:
        raise _Refused("3", "Invalid value for parameter: to")
    if len(sender) > (15 if sender.isdigit() else 11) or not sender.isprintable():
        raise _Refused("15", "Illegal Sender Address - rejected")
    if kind not in _TYPES:
        raise _Refused("3", "Invalid value for parameter: type")
    ttl = fields.get("ttl", str(LONGEST_TTL))
    if not ttl.isdigit() or not SHORTEST_TTL <= int(ttl) <= LONGEST_TTL:
        raise _Refused("3", "Invalid value for parameter: ttl")
    if len(fields.get("client-ref", "")) > 40:
        raise _Refused("3", "Invalid value for parameter: client-ref")
    if not fields.get("callback", "http://").startswith(("http://", "https://")):
        raise _Refused("23", "Invalid Callback URL")
    if kind == "binary":
        return _check_binary(fields)
    text = fields.get("text", "")
    if not text:
        raise _Refused("2", "Missing text param")
    if len(text) > LONGEST:
        raise _Refused("12", "The message is too long")
    if kind == "text":  # what GSM 03.38 lacks does not arrive
        text = fields["text"] = _in_gsm(text)
    return parts(text, kind == "unicode")


def _in_gsm(text: str) -> str:
    if alphabets.choose(text) == DataCoding.DEFAULT:
        return text
    return "".join(char if alphabets.choose(char) == DataCoding.DEFAULT else "?" for char in text)


def _check_binary(fields: Mapping[str, str]) -> int:
    if not fields.get("body"):
        raise _Refused("2", "Missing body param")
    for name in ("body", "udh"):
        try:
            bytes.fromhex(fields.get(name, ""))
        except ValueError:
            raise _Refused("3", f"Invalid value for parameter: {name}") from None
    if len(fields["body"]) + len(fields.get("udh", "")) > 2 * alphabets.SHORT_MESSAGE:
        raise _Refused("12", "The message is too long")
    return 1


def _reply(said: list[dict[str, str]]) -> web.Response:
    body = json.dumps({"message-count": str(len(said)), "messages": said}, separators=(",", ":"))
    return web.Response(body=body.encode(), headers=_JSON)
