"""The simulated Messages of Twilio, with Messaging Services.

Numbers of Twilio's test credentials are refused as there (+15005550001 and so on).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import formatdate
from time import gmtime, strftime, time
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from protocol.consts import DataCoding
from protocol.text import choose, encode
from smppgw.simulate.carrier import Notification, form
from smppgw.simulate.twilio_account import URL, Record, Refused, TwilioAccount, paging, posted, reply

SERVICE = "MG" + "a" * 32

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}")
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_CHANNEL = re.compile(r"(whatsapp|messenger|rcs):")

_TO: dict[str, int] = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_FROM: dict[str, int] = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
"""What the numbers of Twilio's test credentials are refused with."""


class Messages:
    def __init__(self, account: TwilioAccount) -> None:
        self._account = account
        path = "/2010-04-01/Accounts/{account}/Messages"
        account.app.add_routes(
            [
                web.post(f"{path}.json", account.sends(self._send)),
                web.get(f"{path}.json", account.asks(self._list)),
                web.get(f"{path}/{{sid}}.json", account.asks(self._show)),
                web.post(f"{path}/{{sid}}.json", account.asks(self._change)),
                web.delete(f"{path}/{{sid}}.json", account.asks(self._remove)),
            ]
        )

    async def _send(self, request: web.Request) -> web.StreamResponse:
        record = self._new(await posted(request))
        self._account.accept(record.resource["sid"], record)
        if record.resource["status"] != "scheduled":
            self._go(record)
        return reply(record.resource, 201)

    def _new(self, said: Mapping[str, str]) -> Record:
        to, sender, service = said.get("To", ""), said.get("From", ""), said.get("MessagingServiceSid", "")
        body, options = said.get("Body", ""), self._account.options
        if not to:
            raise Refused(21604)
        if not _NUMBER.fullmatch(_CHANNEL.sub("", to)):
            raise Refused(21211)
        if to in _TO:
            raise Refused(_TO[to])
        if _SERVICE.fullmatch(sender):
            sender, service = "", sender
        if not sender and not service:
            raise Refused(21603)
        if sender in _FROM:
            raise Refused(_FROM[sender])
        if sender and not _SENDER.fullmatch(_CHANNEL.sub("", sender)):
            raise Refused(21212)
        if service and (not _SERVICE.fullmatch(service) or service not in (options.services or (service,))):
            raise Refused(21701, 404)
        if not body and "MediaUrl" not in said:
            raise Refused(21602)
        if len(body) > 1600:
            raise Refused(21617)
        _check_rest(said, service)
        sid, now = self._account.sid("SM"), _now()
        path = f"/2010-04-01/Accounts/{options.account_sid}/Messages/{sid}"
        status = "scheduled" if said.get("ScheduleType") else "accepted" if service else "queued"
        resource = {
            "account_sid": options.account_sid,
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
        return Record(resource, said.get("StatusCallback", ""))

    def _go(self, record: Record) -> None:
        """On its way: what its status callback hears of it."""
        account, options = self._account, self._account.options
        resource, wait = record.resource, options.receipt_after
        failed = account.happens(options.undelivered)
        if wait < 0:
            return
        if account.happens(options.progress):
            account.notify(lambda: self._step(record, "sent"), after=wait / 2)
        elif resource["from"] is None:
            resource["from"] = options.numbers[0] if options.numbers else None
        account.notify(lambda: self._step(record, "undelivered" if failed else "delivered"), after=wait)

    def _step(self, record: Record, status: str) -> Notification | None:
        resource, options = record.resource, self._account.options
        if resource["status"] not in ("delivered", "undelivered", "canceled"):
            now = _now()
            resource["status"], resource["date_updated"] = status, now
            resource["date_sent"] = resource["date_sent"] or now
            if resource["from"] is None and options.numbers:
                resource["from"] = options.numbers[0]
            if status == "undelivered":
                resource["error_code"] = int(options.error_code)
        if not record.callback and not options.webhook:
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
            fields["ErrorCode"] = options.error_code
        if status in ("delivered", "undelivered"):
            fields["RawDlrDoneDate"] = strftime("%y%m%d%H%M", gmtime())
        return self._account.signed("POST", record.callback or options.webhook, fields)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        query, size, page = request.query, *paging(request)
        found = [each for each in self._account.newest("SM") if _wanted(each, query)]
        base = f"/2010-04-01/Accounts/{self._account.options.account_sid}/Messages.json"

        def link(number: int) -> str:
            return f"{base}?{urlencode(dict(query) | {'PageSize': str(size), 'Page': str(number)})}"

        start = page * size
        shown = found[start : start + size]
        return reply(
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

    async def _show(self, request: web.Request) -> web.StreamResponse:
        return reply(self._account.record(request, "SM").resource)

    async def _change(self, request: web.Request) -> web.StreamResponse:
        resource, said = self._account.record(request, "SM").resource, await form(request)
        if said.get("Status") == "canceled" and resource["status"] == "scheduled":
            resource["status"] = "canceled"
        elif said.get("Body") == "":
            resource["body"] = ""
        else:
            raise Refused(20001)
        return reply(resource)

    async def _remove(self, request: web.Request) -> web.StreamResponse:
        del self._account.accepted[self._account.record(request, "SM").resource["sid"]]
        return web.Response(status=204)

    def heard(self, said: Mapping[str, Any]) -> Notification:
        """What a handset says; ValueError in words."""
        options = self._account.options
        if not options.webhook:
            raise ValueError("there is no webhook")
        sid, media = self._account.sid("SM"), [str(url) for url in said.get("media", ())]
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
            "AccountSid": options.account_sid,
            "From": str(said["from"]),
            "ApiVersion": "2010-04-01",
        }
        if options.services:
            fields["MessagingServiceSid"] = options.services[0]
        for number, url in enumerate(media):
            fields |= {f"MediaUrl{number}": url, f"MediaContentType{number}": "image/jpeg"}
        return self._account.signed("POST", options.webhook, fields)


def _check_rest(said: Mapping[str, str], service: str) -> None:
    callback, validity = said.get("StatusCallback", ""), said.get("ValidityPeriod", "14400")
    if callback and not URL.fullmatch(callback):
        raise Refused(21609)
    if not (validity.isascii() and validity.isdigit() and 1 <= int(validity) <= 36000):
        raise Refused(21624)
    if "ScheduleType" in said and not service:
        raise Refused(35118)


def _now() -> str:
    return formatdate(time()).replace("-0000", "+0000")


def _segments(body: str) -> int:
    if choose(body) is DataCoding.DEFAULT:
        length, single, part = len(encode(body, DataCoding.DEFAULT)), 160, 153
    else:
        length, single, part = len(body.encode("utf-16-be", "replace")) // 2, 70, 67
    return 1 if length <= single else -(-length // part)


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
