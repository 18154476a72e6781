"""Simulated Twilio: Messages and wireless Commands, with signed notifications.

POST /-/mo takes {"from": ..., "to": ..., "text": ..., "media": [...]} for a message from a handset, and {"sim": ...,
"text": ...} or {"sim": ..., "hex": ...} for a Command from a SIM. Numbers of Twilio's test credentials are refused as
there (+15005550001 and so on).
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from time import gmtime, strftime, time
from typing import Any, NamedTuple, NoReturn
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from protocol.consts import DataCoding
from protocol.text import choose, encode
from smppgw.carriers.twilio import signature
from smppgw.simulate.carrier import CarrierOptions, CarrierSimulator, Notification, form

ACCOUNT = "AC" + "a" * 32
TOKEN = "12345"  # noqa: S105  nobody's
SERVICE = "MG" + "a" * 32
SIM = "DE" + "a" * 32

_FORM = "application/x-www-form-urlencoded"
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}")
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_SIM = re.compile(r"DE[0-9a-fA-F]{32}")
_CHANNEL = re.compile(r"(whatsapp|messenger|rcs):")
_URL = re.compile(r"https?://[^/?#\s]+[^\s]*")
_SINGLE, _DOUBLE, _OCTETS, _WITH_SID = 160, 70, 140, 35

_TO: dict[str, int] = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_FROM: dict[str, int] = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
"""What the numbers of Twilio's test credentials are refused with."""

_WORDS: dict[int, str] = {
    20001: "Bad request",
    20003: "Authenticate",
    20004: "Method not allowed",
    20404: "The requested resource was not found",
    21211: "Invalid 'To' Phone Number",
    21212: "Invalid 'From' Phone Number",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21606: "The 'From' phone number is not a valid, SMS-capable number for this destination",
    21609: "The 'StatusCallback' URL is not a valid URL.",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21612: "The 'To' phone number is not currently reachable using the 'From' phone number",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21624: "Invalid Validity Period Value",
    21701: "The Messaging Service does not exist",
    33107: "Sim not found",
    35118: "MessagingServiceSid is required to schedule a message",
}


@dataclass(frozen=True, slots=True)
class TwilioOptions(CarrierOptions):
    account_sid: str = ACCOUNT
    auth_token: str = TOKEN
    api_key: str = ""
    """Beside the account's own credentials; with `api_secret`."""
    api_secret: str = ""
    services: tuple[str, ...] = ()
    """The messaging services that there are; none: any."""
    numbers: tuple[str, ...] = ("+15017122661",)
    """What a messaging service sends from."""
    sims: tuple[str, ...] = ()
    """Sids and unique names of the SIMs that there are; none: any."""
    names: tuple[str, ...] = ()
    """Unique names of the SIMs, in the order of `sims`, for notifications."""
    progress: float = 1.0
    """Share of messages of which "sent" is notified, before what became of them."""
    error_code: str = "30003"
    """Of messages that are not delivered."""
    command_error_code: str = "33000"
    commands_webhook: str = ""
    """Gets Commands from SIMs; empty: `webhook` does."""
    commands_method: str = "POST"
    """How: POST or GET."""


class _Record(NamedTuple):
    """What was accepted: the resource as it is shown, and whom to tell."""

    resource: dict[str, Any]
    callback: str
    method: str = "POST"
    name: str = ""


class _Refused(ValueError):
    def __init__(self, code: int, status: int = 400, detail: str = "") -> None:
        super().__init__(detail or _WORDS[code])
        self.code = code
        self.status = status


class TwilioSimulator(CarrierSimulator):
    options: TwilioOptions
    patience = 15.0

    def __init__(self, options: TwilioOptions) -> None:
        super().__init__(options)
        messages = "/2010-04-01/Accounts/{account}/Messages"
        self.app.add_routes(
            [
                web.post(f"{messages}.json", self._send),
                web.get(f"{messages}.json", self._messages),
                web.get(f"{messages}/{{sid}}.json", self._message),
                web.post(f"{messages}/{{sid}}.json", self._change),
                web.delete(f"{messages}/{{sid}}.json", self._remove),
                web.post("/v1/Commands", self._command),
                web.get("/v1/Commands", self._commands),
                web.route("*", "/v1/Commands/{sid}", self._one_command),
            ]
        )
        self._allowed: set[str] = set()
        self._told_for: TwilioOptions | None = None

    # Who asks

    def _check(self, request: web.Request) -> None:
        options = self.options
        if options is not self._told_for:
            pairs = [(options.account_sid, options.auth_token), (options.api_key, options.api_secret)]
            self._allowed = {f"Basic {b64encode(f'{user}:{word}'.encode()).decode()}" for user, word in pairs if user}
            self._told_for = options
        if request.headers.get("Authorization") not in self._allowed:
            raise _Refused(20003, 401)
        if request.match_info.get("account", options.account_sid) != options.account_sid:
            raise _Refused(20404, 404)

    def _no(self, refused: _Refused) -> web.Response:
        self.refuse()
        body = {
            "code": refused.code,
            "message": str(refused),
            "more_info": f"https://www.twilio.com/docs/errors/{refused.code}",
            "status": refused.status,
        }
        response = _json(body, refused.status)
        if refused.status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
        return response

    def _sid(self, prefix: str) -> str:
        return f"{prefix}{self.random.getrandbits(128):032x}"

    # Messages

    async def _send(self, request: web.Request) -> web.StreamResponse:
        if (broken := await self.fault(request)) is not None:
            return broken
        try:
            self._check(request)
            record = self._new_message(await form(request) if request.content_type == _FORM else {})
        except _Refused as refused:
            return self._no(refused)
        self.accept(record.resource["sid"], record)
        if record.resource["status"] != "scheduled":
            self._go(record)
        return _json(record.resource, 201)

    def _new_message(self, said: Mapping[str, str]) -> _Record:
        to, sender, service = said.get("To", ""), said.get("From", ""), said.get("MessagingServiceSid", "")
        body = said.get("Body", "")
        if not to:
            raise _Refused(21604)
        if not _NUMBER.fullmatch(_CHANNEL.sub("", to)):
            raise _Refused(21211)
        if to in _TO:
            raise _Refused(_TO[to])
        if _SERVICE.fullmatch(sender):
            sender, service = "", sender
        if not sender and not service:
            raise _Refused(21603)
        if sender in _FROM:
            raise _Refused(_FROM[sender])
        if sender and not _SENDER.fullmatch(_CHANNEL.sub("", sender)):
            raise _Refused(21212)
        if service and (not _SERVICE.fullmatch(service) or service not in (self.options.services or (service,))):
            raise _Refused(21701, 404)
        if not body and "MediaUrl" not in said:
            raise _Refused(21602)
        if len(body) > 1600:
            raise _Refused(21617)
        self._check_rest(said, service)
        account, sid, now = self.options.account_sid, self._sid("SM"), formatdate(time()).replace("-0000", "+0000")
        path = f"/2010-04-01/Accounts/{account}/Messages/{sid}"
        status = "scheduled" if said.get("ScheduleType") else "accepted" if service else "queued"
        resource = {
            "account_sid": account,
            "api_version": "2010-04-01",
            "body": body,
            "date_created": now,
            "date_sent": None,
            "date_updated": now,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": sender or None,
            "messaging_service_sid": service or None,
            "num_media": "0",
            "num_segments": "0" if service else str(_segments(body)),
            "price": None,
            "price_unit": None,
            "sid": sid,
            "status": status,
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": to,
            "uri": f"{path}.json",
        }
        return _Record(resource, said.get("StatusCallback", ""))

    def _check_rest(self, said: Mapping[str, str], service: str) -> None:
        callback, validity = said.get("StatusCallback", ""), said.get("ValidityPeriod", "14400")
        if callback and not _URL.fullmatch(callback):
            raise _Refused(21609)
        if not (validity.isascii() and validity.isdigit() and 1 <= int(validity) <= 36000):
            raise _Refused(21624)
        if "ScheduleType" in said and not service:
            raise _Refused(35118)

    def _go(self, record: _Record) -> None:
        """On its way: what its status callback hears of it."""
        resource, wait = record.resource, self.options.receipt_after
        failed = self.happens(self.options.undelivered)
        if wait < 0:
            return
        if self.happens(self.options.progress):
            self.notify(lambda: self._step(record, "sent"), after=wait / 2)
        elif resource["from"] is None:
            resource["from"] = self.options.numbers[0] if self.options.numbers else None
        self.notify(lambda: self._step(record, "undelivered" if failed else "delivered"), after=wait)

    def _step(self, record: _Record, status: str) -> Notification | None:
        resource = record.resource
        if resource["status"] not in ("delivered", "undelivered", "canceled"):
            now = formatdate(time()).replace("-0000", "+0000")
            resource["status"], resource["date_updated"] = status, now
            resource["date_sent"] = resource["date_sent"] or now
            if resource["from"] is None and self.options.numbers:
                resource["from"] = self.options.numbers[0]
            if status == "undelivered":
                resource["error_code"] = int(self.options.error_code)
        if not record.callback and not self.options.webhook:
            return None
        sid = resource["sid"]
        fields = {
            "MessageSid": sid,
            "SmsSid": sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "AccountSid": resource["account_sid"],
            "From": resource["from"] or "",
            "To": resource["to"],
            "ApiVersion": "2010-04-01",
        }
        if resource["messaging_service_sid"]:
            fields["MessagingServiceSid"] = resource["messaging_service_sid"]
        if status == "undelivered":
            fields["ErrorCode"] = self.options.error_code
        if status in ("delivered", "undelivered"):
            fields["RawDlrDoneDate"] = strftime("%y%m%d%H%M", gmtime())
        return self._signed("POST", record.callback or self.options.webhook, fields)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        try:
            self._check(request)
            query, size, page = request.query, *_paging(request)
        except _Refused as refused:
            return self._no(refused)
        found = [
            each
            for record in reversed(list(self.accepted.values()))
            if (each := record.resource)["sid"].startswith("SM") and _wanted(each, query)
        ]
        base = f"/2010-04-01/Accounts/{self.options.account_sid}/Messages.json"

        def link(number: int) -> str:
            return f"{base}?{urlencode(dict(query) | {'PageSize': str(size), 'Page': str(number)})}"

        start = page * size
        shown = found[start : start + size]
        return _json(
            {
                "end": max(start + len(shown) - 1, 0),
                "first_page_uri": link(0),
                "messages": shown,
                "next_page_uri": link(page + 1) if start + size < len(found) else None,
                "page": page,
                "page_size": size,
                "previous_page_uri": link(page - 1) if page else None,
                "start": start,
                "uri": link(page),
            }
        )

    def _record(self, request: web.Request, prefix: str) -> _Record:
        self._check(request)
        record: _Record | None = self.accepted.get(request.match_info["sid"])
        if record is None or not request.match_info["sid"].startswith(prefix):
            raise _Refused(20404, 404)
        return record

    async def _message(self, request: web.Request) -> web.StreamResponse:
        try:
            return _json(self._record(request, "SM").resource)
        except _Refused as refused:
            return self._no(refused)

    async def _change(self, request: web.Request) -> web.StreamResponse:
        try:
            resource, said = self._record(request, "SM").resource, await form(request)
            if said.get("Status") == "canceled" and resource["status"] == "scheduled":
                resource["status"] = "canceled"
            elif said.get("Body") == "":
                resource["body"] = ""
            else:
                raise _Refused(20001)
            return _json(resource)
        except _Refused as refused:
            return self._no(refused)

    async def _remove(self, request: web.Request) -> web.StreamResponse:
        try:
            del self.accepted[self._record(request, "SM").resource["sid"]]
            return web.Response(status=204)
        except _Refused as refused:
            return self._no(refused)

    # Commands

    async def _command(self, request: web.Request) -> web.StreamResponse:
        if (broken := await self.fault(request)) is not None:
            return broken
        try:
            self._check(request)
            record = self._new_command(await form(request) if request.content_type == _FORM else {})
        except _Refused as refused:
            return self._no(refused)
        self.accept(record.resource["sid"], record)
        failed = self.happens(self.options.undelivered)
        shown = dict(record.resource)
        if not failed and not record.resource["delivery_receipt_requested"]:
            record.resource["status"] = "sent"
        else:
            self.notify(lambda: self._done(record, "failed" if failed else "delivered"))
        return _json(shown, 201)

    def _new_command(self, said: Mapping[str, str]) -> _Record:
        sim, command = said.get("Sim", ""), said.get("Command", "")
        if not command:
            _bad("Missing required parameter Command in the post body")
        if not sim:
            _bad("Missing required parameter Sim in the post body")
        if sim not in (*self.options.sims, *self.options.names) and self.options.sims:
            raise _Refused(33107)
        mode = _one_of(said, "CommandMode", ("text", "binary"))
        include = _one_of(said, "IncludeSid", ("none", "start", "end"))
        method = _one_of(said, "CallbackMethod", ("POST", "GET"))
        receipt = _one_of(said, "DeliveryReceiptRequested", ("true", "false")) == "true"
        callback = said.get("CallbackUrl", "")
        if callback and not _URL.fullmatch(callback):
            _bad("CallbackUrl is not a valid URL")
        _fits(command, mode, include)
        sid, now = self._sid("DC"), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        sim_sid, name = self._names_of(sim)
        resource = {
            "account_sid": self.options.account_sid,
            "command": command,
            "command_mode": mode,
            "date_created": now,
            "date_updated": now,
            "delivery_receipt_requested": receipt,
            "sim_sid": sim_sid,
            "direction": "to_sim",
            "sid": sid,
            "status": "queued",
            "transport": "sms",
            "url": f"https://wireless.twilio.com/v1/Commands/{sid}",
        }
        return _Record(resource, callback, method, name)

    def _names_of(self, sim: str) -> tuple[str, str]:
        """Its sid and its unique name."""
        for sid, name in zip(self.options.sims, self.options.names, strict=False):
            if sim in (sid, name):
                return sid, name
        return (sim, "") if _SIM.fullmatch(sim) else (SIM, sim)

    def _done(self, record: _Record, status: str) -> Notification | None:
        resource = record.resource
        resource["status"] = status
        resource["date_updated"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        url = record.callback or self.options.webhook
        if not url:
            return None
        fields = {
            "CommandSid": resource["sid"],
            "CommandStatus": status,
            "SimSid": resource["sim_sid"],
            "SimUniqueName": record.name,
            "ApiVersion": "v1",
            "AccountSid": resource["account_sid"],
            "CommandMode": resource["command_mode"],
        }
        if status == "failed":
            fields |= {"ErrorCode": self.options.command_error_code, "ErrorMessage": "Command failed"}
        return self._signed(record.method, url, fields)

    async def _commands(self, request: web.Request) -> web.StreamResponse:
        try:
            self._check(request)
            query, size, page = request.query, *_paging(request)
        except _Refused as refused:
            return self._no(refused)
        wanted = {name: query[name] for name in ("Status", "Direction", "Transport") if name in query}
        if "Sim" in query:
            wanted["sim_sid"] = self._names_of(query["Sim"])[0]
        found = [
            each
            for record in reversed(list(self.accepted.values()))
            if (each := record.resource)["sid"].startswith("DC")
            and all(each[name.lower()] == value for name, value in wanted.items())
        ]

        def link(number: int) -> str:
            asked = dict(query) | {"PageSize": str(size), "Page": str(number)}
            return f"https://wireless.twilio.com/v1/Commands?{urlencode(asked)}"

        start = page * size
        return _json(
            {
                "commands": found[start : start + size],
                "meta": {
                    "first_page_url": link(0),
                    "key": "commands",
                    "next_page_url": link(page + 1) if start + size < len(found) else None,
                    "page": page,
                    "page_size": size,
                    "previous_page_url": link(page - 1) if page else None,
                    "url": link(page),
                },
            }
        )

    async def _one_command(self, request: web.Request) -> web.StreamResponse:
        try:
            record = self._record(request, "DC")
            if request.method == "GET":
                return _json(record.resource)
            if request.method != "DELETE":
                raise _Refused(20004, 405)
            del self.accepted[record.resource["sid"]]
            return web.Response(status=204)
        except _Refused as refused:
            return self._no(refused)

    # From handsets and SIMs

    def mo(self, said: Mapping[str, Any]) -> Iterable[Notification]:
        if "sim" in said:
            return [self._from_sim(said)]
        if not self.options.webhook:
            raise ValueError("there is no webhook")
        sid, media = self._sid("SM"), [str(url) for url in said.get("media", ())]
        fields = {
            "ToCountry": "US",
            "SmsMessageSid": sid,
            "NumMedia": str(len(media)),
            "SmsSid": sid,
            "SmsStatus": "received",
            "Body": str(said["text"]),
            "To": str(said["to"]),
            "NumSegments": str(_segments(str(said["text"]))),
            "MessageSid": sid,
            "AccountSid": self.options.account_sid,
            "From": str(said["from"]),
            "ApiVersion": "2010-04-01",
        }
        if self.options.services:
            fields["MessagingServiceSid"] = self.options.services[0]
        for number, url in enumerate(media):
            fields |= {f"MediaUrl{number}": url, f"MediaContentType{number}": "image/jpeg"}
        return [self._signed("POST", self.options.webhook, fields)]

    def shown(self, what: _Record) -> tuple[str, str]:
        resource = what.resource
        if "sim_sid" in resource:
            return str(resource["sim_sid"]), str(resource["command"])
        return str(resource["to"]), str(resource["body"])

    def _from_sim(self, said: Mapping[str, Any]) -> Notification:
        url = self.options.commands_webhook or self.options.webhook
        if not url:
            raise ValueError("there is no commands_webhook")
        sim_sid, name = self._names_of(str(said["sim"]))
        binary = "hex" in said
        command = b64encode(bytes.fromhex(said["hex"])).decode() if binary else str(said["text"])
        mode = "binary" if binary else "text"
        _fits(command, mode, "none")
        fields = {
            "CommandSid": self._sid("DC"),
            "SimSid": sim_sid,
            "SimUniqueName": name,
            "Command": command,
            "Status": "received",
            "ApiVersion": "v1",
            "AccountSid": self.options.account_sid,
            "CommandMode": mode,
        }
        return self._signed(self.options.commands_method, url, fields)

    def _signed(self, method: str, url: str, fields: Mapping[str, str]) -> Notification:
        url, encoded, token = url.partition("#")[0], urlencode(fields), self.options.auth_token.encode()
        if method == "GET":
            url += ("&" if urlsplit(url).query else "?") + encoded
            return Notification("GET", url, {"X-Twilio-Signature": signature(token, url).decode()})
        headers = {"Content-Type": _FORM, "X-Twilio-Signature": signature(token, url, fields.items()).decode()}
        return Notification("POST", url, headers, encoded.encode())


def _json(value: object, status: int = 200) -> web.Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return web.Response(body=text.encode(), status=status, content_type="application/json")


def _bad(detail: str) -> NoReturn:
    raise _Refused(20001, 400, detail)


def _one_of(said: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    """The first one is the default."""
    value = said.get(name, allowed[0])
    if value not in allowed:
        _bad(f"{name} is one of {', '.join(allowed)}")
    return value


def _segments(body: str) -> int:
    if choose(body) is DataCoding.DEFAULT:
        length, single, part = len(encode(body, DataCoding.DEFAULT)), 160, 153
    else:
        length, single, part = len(body.encode("utf-16-be", "replace")) // 2, 70, 67
    return 1 if length <= single else -(-length // part)


def _fits(command: str, mode: str, include: str) -> None:
    """What is too long is refused; with which code is not documented."""
    if mode == "binary":
        try:
            length, room = len(b64decode(command, validate=True)), _OCTETS
        except ValueError:
            _bad("Command is no base64")
    elif choose(command) is DataCoding.DEFAULT:
        length, room = len(encode(command, DataCoding.DEFAULT)), _SINGLE
    else:
        length, room = len(command.encode("utf-16-be", "replace")) // 2, _DOUBLE
    if include != "none":
        room -= _WITH_SID
    if length > room:
        _bad(f"Command exceeds {room}")


def _paging(request: web.Request) -> tuple[int, int]:
    size, page = request.query.get("PageSize", "50"), request.query.get("Page", "0")
    if not (size.isdigit() and page.isdigit() and int(size) >= 1):
        _bad("Page or PageSize is no number")
    return min(int(size), 1000), int(page)


def _wanted(resource: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    if query.get("To", resource["to"]) != resource["to"]:
        return False
    if query.get("From", resource["from"]) != resource["from"]:
        return False
    if not query.keys() & {"DateSent", "DateSent<", "DateSent>"}:
        return True
    if resource["date_sent"] is None:
        return False
    day = datetime.strptime(resource["date_sent"], "%a, %d %b %Y %H:%M:%S %z").strftime("%Y-%m-%d")
    return query.get("DateSent", day) == day and query.get("DateSent>", day) <= day <= query.get("DateSent<", day)
