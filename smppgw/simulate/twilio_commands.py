"""The simulated wireless Commands of Twilio, to SIMs and from them."""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from protocol.consts import DataCoding
from protocol.text import choose, encode
from smppgw.simulate.carrier import Notification
from smppgw.simulate.twilio_account import URL, Record, Refused, TwilioAccount, bad, paging, posted, reply

SIM = "DE" + "a" * 32

_SIM = re.compile(r"DE[0-9a-fA-F]{32}")
_SINGLE, _DOUBLE, _OCTETS, _WITH_SID = 160, 70, 140, 35


class Commands:
    def __init__(self, account: TwilioAccount) -> None:
        self._account = account
        account.app.add_routes(
            [
                web.post("/v1/Commands", account.sends(self._send)),
                web.get("/v1/Commands", account.asks(self._list)),
                web.route("*", "/v1/Commands/{sid}", account.asks(self._one)),
            ]
        )

    async def _send(self, request: web.Request) -> web.StreamResponse:
        account, record = self._account, self._new(await posted(request))
        account.accept(record.resource["sid"], record)
        failed = account.happens(account.options.undelivered)
        shown = dict(record.resource)
        if not failed and not record.resource["delivery_receipt_requested"]:
            record.resource["status"] = "sent"
        else:
            account.notify(lambda: self._done(record, "failed" if failed else "delivered"))
        return reply(shown, 201)

    def _new(self, said: Mapping[str, str]) -> Record:
        sim, command, options = said.get("Sim", ""), said.get("Command", ""), self._account.options
        if not command:
            bad("Missing required parameter Command in the post body")
        if not sim:
            bad("Missing required parameter Sim in the post body")
        if sim not in (*options.sims, *options.names) and options.sims:
            raise Refused(33107)
        mode = _one_of(said, "CommandMode", ("text", "binary"))
        include = _one_of(said, "IncludeSid", ("none", "start", "end"))
        method = _one_of(said, "CallbackMethod", ("POST", "GET"))
        receipt = _one_of(said, "DeliveryReceiptRequested", ("true", "false")) == "true"
        callback = said.get("CallbackUrl", "")
        if callback and not URL.fullmatch(callback):
            bad("CallbackUrl is not a valid URL")
        _fits(command, mode, include)
        sid, now = self._account.sid("DC"), _now()
        sim_sid, name = self._names_of(sim)
        resource = {
            "account_sid": options.account_sid,
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
        return Record(resource, callback, method, name)

    def _names_of(self, sim: str) -> tuple[str, str]:
        """Its sid and its unique name."""
        options = self._account.options
        for sid, name in zip(options.sims, options.names, strict=False):
            if sim in (sid, name):
                return sid, name
        return (sim, "") if _SIM.fullmatch(sim) else (SIM, sim)

    def _done(self, record: Record, status: str) -> Notification | None:
        resource, options = record.resource, self._account.options
        resource["status"], resource["date_updated"] = status, _now()
        url = record.callback or options.webhook
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
            fields |= {"ErrorCode": options.command_error_code, "ErrorMessage": "Command failed"}
        return self._account.signed(record.method, url, fields)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        query, size, page = request.query, *paging(request)
        wanted = {name: query[name] for name in ("Status", "Direction", "Transport") if name in query}
        if "Sim" in query:
            wanted["sim_sid"] = self._names_of(query["Sim"])[0]
        found = [
            each
            for each in self._account.newest("DC")
            if all(each[name.lower()] == value for name, value in wanted.items())
        ]

        def link(number: int) -> str:
            asked = dict(query) | {"PageSize": str(size), "Page": str(number)}
            return f"https://wireless.twilio.com/v1/Commands?{urlencode(asked)}"

        start = page * size
        return reply(
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

    async def _one(self, request: web.Request) -> web.StreamResponse:
        resource = self._account.record(request, "DC").resource
        if request.method == "GET":
            return reply(resource)
        if request.method != "DELETE":
            raise Refused(20004, 405)
        del self._account.accepted[resource["sid"]]
        return web.Response(status=204)

    def heard(self, said: Mapping[str, Any]) -> Notification:
        """What a SIM says; ValueError in words."""
        options = self._account.options
        url = options.commands_webhook or options.webhook
        if not url:
            raise ValueError("there is no commands_webhook")
        sim_sid, name = self._names_of(str(said["sim"]))
        binary = "hex" in said
        command = b64encode(bytes.fromhex(said["hex"])).decode() if binary else str(said["text"])
        mode = "binary" if binary else "text"
        _fits(command, mode, "none")
        fields = {
            "CommandSid": self._account.sid("DC"),
            "SimSid": sim_sid,
            "SimUniqueName": name,
            "Command": command,
            "Status": "received",
            "ApiVersion": "v1",
            "AccountSid": options.account_sid,
            "CommandMode": mode,
        }
        return self._account.signed(options.commands_method, url, fields)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _one_of(said: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    """The first one is the default."""
    value = said.get(name, allowed[0])
    if value not in allowed:
        bad(f"{name} is one of {', '.join(allowed)}")
    return value


def _fits(command: str, mode: str, include: str) -> None:
    """What is too long is refused; with which code is not documented."""
    if mode == "binary":
        try:
            length, room = len(b64decode(command, validate=True)), _OCTETS
        except ValueError:
            bad("Command is no base64")
    elif choose(command) is DataCoding.DEFAULT:
        length, room = len(encode(command, DataCoding.DEFAULT)), _SINGLE
    else:
        length, room = len(command.encode("utf-16-be", "replace")) // 2, _DOUBLE
    if include != "none":
        room -= _WITH_SID
    if length > room:
        bad(f"Command exceeds {room}")
