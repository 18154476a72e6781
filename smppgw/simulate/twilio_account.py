"""What the simulated APIs of Twilio share: options, who may ask, refusals, records, signed notifications."""

import json
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from smppgw.carriers.twilio import signature
from smppgw.simulate.carrier import CarrierOptions, CarrierSimulator, Notification, form

ACCOUNT = "AC" + "a" * 32
TOKEN = "12345"  # noqa: S105  nobody's

URL = re.compile(r"https?://[^/?#\s]+[^\s]*")
"""Of a callback."""
_FORM = "application/x-www-form-urlencoded"

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

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


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


class Record(NamedTuple):
    """What was accepted: the resource as it is shown, and whom to tell."""

    resource: dict[str, Any]
    callback: str
    method: str = "POST"
    name: str = ""


class Refused(ValueError):
    """What a handler raises; the answer is an error of this code."""

    def __init__(self, code: int, status: int = 400, detail: str = "") -> None:
        super().__init__(detail or _WORDS[code])
        self.code = code
        self.status = status


class TwilioAccount(CarrierSimulator):
    """Without an API: each adds its routes to `app`, with handlers that went through `sends` or `asks`."""

    options: TwilioOptions
    patience = 15.0

    def __init__(self, options: TwilioOptions) -> None:
        super().__init__(options)
        self._allowed: set[str] = set()
        self._told_for: TwilioOptions | None = None

    def sends(self, handler: Handler) -> Handler:
        """A handler of sends, which may be spoiled."""
        asked = self.asks(handler)

        async def answer(request: web.Request) -> web.StreamResponse:
            broken = await self.fault(request)
            return broken if broken is not None else await asked(request)

        return answer

    def asks(self, handler: Handler) -> Handler:
        """A handler for those who may ask."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                self._check(request)
                return await handler(request)
            except Refused as refused:
                return self._no(refused)

        return answer

    def sid(self, prefix: str) -> str:
        """A new one."""
        return f"{prefix}{self.random.getrandbits(128):032x}"

    def record(self, request: web.Request, prefix: str) -> Record:
        """What the request is about."""
        sid = request.match_info["sid"]
        record: Record | None = self.accepted.get(sid)
        if record is None or not sid.startswith(prefix):
            raise Refused(20404, 404)
        return record

    def newest(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Resources, the newest first."""
        for record in reversed(list(self.accepted.values())):
            if record.resource["sid"].startswith(prefix):
                yield record.resource

    def signed(self, method: str, url: str, fields: Mapping[str, str]) -> Notification:
        url, encoded, token = url.partition("#")[0], urlencode(fields), self.options.auth_token.encode()
        if method == "GET":
            url += ("&" if urlsplit(url).query else "?") + encoded
            return Notification("GET", url, {"X-Twilio-Signature": signature(token, url).decode()})
        headers = {"Content-Type": _FORM, "X-Twilio-Signature": signature(token, url, fields.items()).decode()}
        return Notification("POST", url, headers, encoded.encode())

    def _check(self, request: web.Request) -> None:
        options = self.options
        if options is not self._told_for:
            pairs = [(options.account_sid, options.auth_token), (options.api_key, options.api_secret)]
            self._allowed = {f"Basic {b64encode(f'{user}:{word}'.encode()).decode()}" for user, word in pairs if user}
            self._told_for = options
        if request.headers.get("Authorization") not in self._allowed:
            raise Refused(20003, 401)
        if request.match_info.get("account", options.account_sid) != options.account_sid:
            raise Refused(20404, 404)

    def _no(self, refused: Refused) -> web.Response:
        self.refuse()
        body = {
            "code": refused.code,
            "message": str(refused),
            "more_info": f"https://www.twilio.com/docs/errors/{refused.code}",
            "status": refused.status,
        }
        response = reply(body, refused.status)
        if refused.status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
        return response


async def posted(request: web.Request) -> dict[str, str]:
    """The fields of a send; none when it is no form."""
    return await form(request) if request.content_type == _FORM else {}


def reply(value: object, status: int = 200) -> web.Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return web.Response(body=text.encode(), status=status, content_type="application/json")


def bad(detail: str) -> NoReturn:
    raise Refused(20001, 400, detail)


def paging(request: web.Request) -> tuple[int, int]:
    """How long a page is, and which one is asked for."""
    size, page = request.query.get("PageSize", "50"), request.query.get("Page", "0")
    if not (size.isdigit() and page.isdigit() and int(size) >= 1):
        bad("Page or PageSize is no number")
    return min(int(size), 1000), int(page)
