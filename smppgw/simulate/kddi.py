"""KDDI Message Cast, simulated: what its documents promise, and a guess where they are silent (bodies of notifications,
the status look-up, the capability check), which is the guess that the connector makes by default."""

import asyncio
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from uuid import UUID
from zlib import crc32

from aiohttp import web

from smppgw.carriers import plus_message
from smppgw.simulate.carrier import CarrierOptions, CarrierSimulator, Notification

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_JSON = {"Content-Type": "application/json"}
_SMS_ONLY = "Bearer smsonly"
_TOKENS: Final = ("X-Plusmsg-mkn-Authorization", "X-Plusmsg-tmt-Authorization", "X-Plusmsg-gmp-Authorization")
"""Of au, docomo and SoftBank."""
_SECOND = 1.0


@dataclass(frozen=True, slots=True)
class KddiOptions(CarrierOptions):
    user: str = "testUser"
    password: str = "testPass"  # noqa: S105  made up
    aggid: str = "au"
    bot_id: str = "bot1"
    numbers: tuple[str, ...] = ()
    """The sender numbers of the account; the first sends what a handset answers. Empty: any."""
    tokens: tuple[str, ...] = ()
    """Of au, docomo and SoftBank: a +message account. Empty: an SMS-only one."""
    networks: tuple[str, ...] = ()
    """IP addresses that may ask; empty: any."""
    check_encoding: bool = True
    """Refuse a smsTextEnc that is not the smsText."""
    longest: int = 670
    """Characters of an SMS."""
    throttle_above: float = 0.0
    """Sends a second; more get 503."""
    concurrent: int = 0
    """Sends at a time; more get 503. 0: any number."""
    bad_gateway: float = 0.0
    """Share of sends answered with 502, and accepted all the same."""
    gateway_timeout: float = 0.0
    """Share of sends answered with 504, and not accepted."""
    capable: float = 1.0
    """Share of handsets that have +message: the same ones every time."""
    displayed: float = 1.0
    """Share of delivered +messages that somebody reads."""
    failed: str = "failed"
    """The status of an SMS that is not delivered: its real name is not public."""
    mo_webhook: str = ""
    """URL of answers to SMS; else `webhook`."""
    plus_webhook: str = ""
    """URL of what happens to +messages; else `webhook`."""


class Message:
    """What was accepted."""

    __slots__ = ("accepted", "body", "final", "id", "plus", "stages", "to")

    def __init__(self, id: str, to: str, body: Mapping[str, Any], plus: bool, accepted: float, final: str) -> None:
        self.id = id
        self.to = to
        self.body = body
        """The request."""
        self.plus = plus
        """It went as +message, and not as SMS."""
        self.accepted = accepted
        self.final = final
        self.stages: list[tuple[float, str]] = []
        """When it gets which status, in seconds after it was accepted."""


class _Refused(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class KddiSimulator(CarrierSimulator):
    patience: ClassVar[float] = 0.5
    """All of a notification, its answer's way back included, has to fit in it."""

    options: KddiOptions

    def __init__(self, options: KddiOptions) -> None:
        super().__init__(options)
        base = "/{aggid}/v1/fallback/rcs/bot/v1/{bot_id}"
        self.app.add_routes(
            [
                web.post(f"{base}/messages", self._send),
                web.get(f"{base}/messages/{{msg_id}}/status", self._status),
                web.post(f"{base}/contactCapabilities", self._capability),
                web.get(f"{base}/subscribers", self._subscribers),
            ]
        )
        credentials = b64encode(f"{options.user}:{options.password}".encode()).decode("ascii")
        self._basic = f"Basic {credentials}"
        self._bearers = tuple(f"Bearer {token}" for token in options.tokens) if any(options.tokens) else ()
        self._known: dict[str, None] = {}
        """Handsets that have used +message."""
        self._sending = 0
        self._second, self._in_second = 0.0, 0

    def taken(self, status: int) -> bool:
        return status == 200

    async def fault(self, request: web.Request) -> web.StreamResponse | None:
        broken = await super().fault(request)
        # It has no 429, and names no time to wait.
        return web.Response(status=503) if broken is not None and broken.status == 429 else broken

    # Requests

    async def _send(self, request: web.Request) -> web.StreamResponse:
        if self._too_many():
            self.refuse()
            return _error(503, "TPS")
        self._sending += 1
        try:
            if (broken := await self.fault(request)) is not None:
                return broken
            try:
                self._check_account(request)
                fallback = self._check_headers(request)
                body = _object(await request.read())
                to, sms, content = self._check_body(body, fallback)
            except _Refused as refused:
                self.refuse()
                return _error(refused.status, refused.reason)
            if self.happens(self.options.gateway_timeout):
                self.counts["gateway_timeout"] += 1
                return _error(504, "not passed on")
            reply = self._take(to, body, content is not None and (sms is None or self._capable(to)))
            if self.happens(self.options.bad_gateway):
                self.counts["bad_gateway"] += 1
                return _error(502, "abnormal")
            return web.Response(status=202, body=reply, content_type="application/json")
        finally:
            self._sending -= 1

    def _too_many(self) -> bool:
        options = self.options
        if options.concurrent and self._sending >= options.concurrent:
            return True
        if not options.throttle_above:
            return False
        now = asyncio.get_running_loop().time()
        if now - self._second >= _SECOND:
            self._second, self._in_second = now, 0
        self._in_second += 1
        return self._in_second > options.throttle_above

    def _check_account(self, request: web.Request) -> None:
        options = self.options
        if options.networks and request.remote not in options.networks:
            raise _Refused(403, "network")
        if request.headers.get("Authorization") != self._basic:
            raise _Refused(401, "Basic")
        if request.match_info["aggid"] != options.aggid or request.match_info["bot_id"] != options.bot_id:
            raise _Refused(404, "aggid or botId")

    def _check_headers(self, request: web.Request) -> str:
        """X-Fallback."""
        headers = request.headers
        fallback = headers.get("X-Fallback", "")
        if fallback not in {"0", "1", "2"}:
            raise _Refused(400, "X-Fallback")
        if fallback != "2" and not self._bearers:
            raise _Refused(400, "X-Fallback of an SMS-only account")
        if not headers.get("Content-Type", "").startswith("application/json"):
            raise _Refused(400, "Content-Type")
        given = tuple(headers.get(name, "") for name in _TOKENS)
        if not (given == self._bearers or (fallback == "2" and given == (_SMS_ONLY,) * 3)):
            raise _Refused(401, "token")
        return fallback

    def _check_body(
        self, body: Mapping[str, Any], fallback: str
    ) -> tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | None]:
        """The handset, the SMS and the +message."""
        message = _part(body, "message")
        to = _part(message, "messageContact").get("userContact")
        if not isinstance(to, str) or not _E164.fullmatch(to):
            raise _Refused(400, "userContact")
        dst = body.get("dst")
        if dst not in {"0", "1", "2", "3", "4"} or (dst == "4" and fallback == "1"):
            raise _Refused(400, "dst")
        sms = content = None
        if fallback != "1":
            sms = _part(body, "smsmessage")
            self._check_sms(sms)
        if fallback != "2":
            content = _part(message, "RCSMessage")
            try:
                plus_message.Message.model_validate(content)
            except ValueError:
                raise _Refused(400, "RCSMessage") from None
        return to, sms, content

    def _check_sms(self, sms: Mapping[str, Any]) -> None:
        numbers = self.options.numbers
        number, text, encoded = sms.get("smsNumber"), sms.get("smsText"), sms.get("smsTextEnc")
        if not isinstance(number, str) or not number.isdigit() or (numbers and number not in numbers):
            raise _Refused(400, "smsNumber")
        if not isinstance(text, str) or not text or len(text) > self.options.longest:
            raise _Refused(400, "smsText")
        if not isinstance(encoded, str) or not encoded:
            raise _Refused(400, "smsTextEnc")
        if self.options.check_encoding and not _says(encoded, text):
            raise _Refused(400, "smsTextEnc is another text")

    def _take(self, to: str, body: Mapping[str, Any], plus: bool) -> bytes:
        options = self.options
        id = str(UUID(int=self.random.getrandbits(128), version=4))
        now = asyncio.get_running_loop().time()
        fails = self.happens(options.undelivered) or (plus and not self._capable(to))
        final = ("revoked" if fails else "delivered") if plus else (options.failed if fails else "delivered")
        message = Message(id, to, body, plus, now, final)
        self.accept(id, message)
        after = options.receipt_after
        if after >= 0:
            if plus:
                message.stages.append((after / 2, "sent"))
            message.stages.append((after, final))
            if plus and final == "delivered" and self.happens(options.displayed):
                message.stages.append((after * 1.5, "displayed"))
            for wait, status in message.stages:
                self._report(message, wait, status)
        stamp = _now()
        if plus:
            self._known[to] = None
            return (
                f'{{"RCSMessage":{{"msgId":"{id}","status":"pending","timestamp":"{stamp}"}},'
                f'"messageContact":{{"userContact":"{to}"}},"Destination":"rcs"}}'
            ).encode()
        return (
            f'{{"smsmessage":{{"orderId":"{id}","status":"pending","msgId":"{id}","timestamp":"{stamp}"}},'
            '"Destination":"sms"}'
        ).encode()

    def _report(self, message: Message, wait: float, status: str) -> None:
        id, plus, to = message.id, message.plus, message.to
        url = (plus and self.options.plus_webhook) or self.options.webhook

        def make() -> Notification:
            stamp = _now()
            if plus:
                body = (
                    f'{{"event":"messageStatus","RCSMessage":{{"msgId":"{id}","status":"{status}",'
                    f'"timestamp":"{stamp}"}},"messageContact":{{"userContact":"{to}"}}}}'
                )
            else:
                body = f'{{"smsmessage":{{"msgId":"{id}","status":"{status}","timestamp":"{stamp}"}}}}'
            return Notification("POST", url, _JSON, body.encode())

        self.notify(make, after=wait)

    async def _status(self, request: web.Request) -> web.StreamResponse:
        try:
            self._check_account(request)
        except _Refused as refused:
            return _error(refused.status, refused.reason)
        self.counts["looked_up"] += 1
        message = self.accepted.get(request.match_info["msg_id"])
        if message is None:
            return _error(404, "msgId")
        age = asyncio.get_running_loop().time() - message.accepted
        status = "pending"
        for after, name in message.stages:
            if age >= after:
                status = name
        told = {"msgId": message.id, "status": status, "timestamp": _now()}
        return web.json_response({"RCSMessage" if message.plus else "smsmessage": told})

    async def _capability(self, request: web.Request) -> web.StreamResponse:
        try:
            self._check_account(request)
            to = _object(await request.read()).get("userContact")
            if not isinstance(to, str) or not _E164.fullmatch(to):
                raise _Refused(400, "userContact")
        except _Refused as refused:
            return _error(refused.status, refused.reason)
        return web.json_response({"userContact": to, "capabilities": ["chat"] if self._capable(to) else []})

    async def _subscribers(self, request: web.Request) -> web.StreamResponse:
        try:
            self._check_account(request)
        except _Refused as refused:
            return _error(refused.status, refused.reason)
        return web.json_response({"subscribers": [{"userContact": to} for to in self._known]})

    def _capable(self, to: str) -> bool:
        return crc32(to.encode()) % 1000 < self.options.capable * 1000

    # What handsets say

    def mo(self, said: Mapping[str, Any]) -> Iterable[Notification]:
        """`from`, and by `kind`: "sms" (default) with `text`, `to`; "message" with `text` or `content`; "response" with
        `text`, `data`; "newUser"."""
        kind, source = said.get("kind", "sms"), said.get("from")
        if not isinstance(source, str) or not _E164.fullmatch(source):
            raise ValueError("from: a number with + and its country code is expected")
        id = str(UUID(int=self.random.getrandbits(128), version=4))
        message: dict[str, Any] = {"msgId": id, "timestamp": _now()}
        contact = {"messageContact": {"userContact": source}}
        text = said.get("text", "")
        if kind == "sms":
            number = said.get("to") or next(iter(self.options.numbers), "0312345678")
            sms = {**message, "smsNumber": number, "smsText": text}
            yield self._say_so(self.options.mo_webhook, {"smsmessage": sms, **contact})
            return
        if kind == "message":
            message |= said.get("content") or {"textMessage": text}
        elif kind == "response":
            button = {"displayText": text, "postback": {"data": said.get("data", text)}}
            message["suggestedResponse"] = {"response": {"reply": button}}
        elif kind != "newUser":
            raise ValueError("kind: sms, message, response or newUser is expected")
        self._known[source] = None
        event = {"event": kind, **({} if kind == "newUser" else {"RCSMessage": message}), **contact}
        yield self._say_so(self.options.plus_webhook, event)

    def shown(self, what: Message) -> tuple[str, str]:
        return what.to, what.body.get("smsmessage", {}).get("smsText", "")

    def _say_so(self, url: str, body: Mapping[str, Any]) -> Notification:
        octets = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return Notification("POST", url or self.options.webhook, _JSON, octets)


def _object(octets: bytes) -> dict[str, Any]:
    try:
        value = json.loads(octets)
    except (ValueError, RecursionError):
        raise _Refused(400, "no JSON") from None
    if not isinstance(value, dict):
        raise _Refused(400, "no object")
    return value


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = body.get(name)
    if not isinstance(part, dict):
        raise _Refused(400, name)
    return part


def _says(encoded: str, text: str) -> bool:
    """Whether a smsTextEnc is that text, but for its newlines."""
    try:
        units = b64decode(encoded, validate=True)
    except ValueError:
        return False
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return units == lines.encode("utf-16-be", "surrogatepass")


def _error(status: int, reason: str) -> web.Response:
    return web.json_response({"error": reason}, status=status)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
