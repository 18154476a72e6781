"""The HTTPS API of AIX, simulated in all its generations: it refuses with HTTP status 200 and remembers its tags."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final, Literal
from urllib.parse import quote_plus
from xml.sax.saxutils import escape

from aiohttp import web

from smppgw.carriers.aix_requests import PHONE
from smppgw.simulate.carrier import CarrierOptions, CarrierSimulator, Notification, form

GENERATIONS: Final = ("p1", "p4", "p11", "p5")
CLASSES: Final = ("721", "732", "821", "823", "824", "833", "834")
"""The last three digits of a failure; the first two are a carrier's module."""
BY_LAST_DIGIT: Final = ("103", "103", "103", "101", "101", "101", "105", "105", "106", "999")
"""The carrier of a handset, by the last digit of its number: a real one is looked up."""
JAPAN: Final = timezone(timedelta(hours=9))

_CARRIERS: Final[Mapping[str, tuple[str, str, str, int]]] = {
    "101": ("AU", "11", "messageAu", 670),
    "103": ("Docomo", "31", "messageDo", 660),
    "105": ("Softbank", "51", "messageSb", 332),
    "106": ("Rakuten", "61", "messageRm", 670),
    "999": ("Unknown", "99", "message", 70),
}
"""Name, module, body of the older generations and its characters."""
_SAID: Final = {"0": "Unknown", "1": "Message is Sending", "2": "Message delivered", "3": "Message delivery failed"}
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class AixOptions(CarrierOptions):
    token: str = "0123456789abcdef0123456789abcdef"  # noqa: S105  made up
    client_id: str = "1234"
    sms_code: str = "12345"
    dlr: Literal["json", "xml"] = "json"
    """How it writes notifications: chosen when one applies for them."""
    quota: int = 0
    """Messages until code 300; 0: any number."""
    system_error: float = 0.0
    """Share of sends refused with code 500."""


class _Refused(Exception):
    """With a responseCode and its words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


@dataclass(slots=True)
class Sent:
    """What was accepted."""

    generation: str
    tag: str
    phone: str
    text: str
    """What the handset shows."""
    carrier: str
    fails: bool
    detail: str
    id: str
    due: float
    """When it goes out, by the clock of the wall."""
    done: float
    """When its final state is known; infinite: never."""
    group: str = ""
    cancelled: bool = False

    def status(self, now: float) -> str:
        return "1" if now < self.done else "3" if self.fails else "2"


class AixSimulator(CarrierSimulator):
    options: AixOptions

    def __init__(self, options: AixOptions, clock: Callable[[], float] = time.time) -> None:
        super().__init__(options)
        self._clock = clock
        self._billed: Counter[tuple[str, str]] = Counter()
        """Parts by month and carrier."""
        router = self.app.router
        for generation in GENERATIONS:
            router.add_post(f"/{generation}/api/mt.json", self._of_generation(generation))
            router.add_get(f"/{generation}/api/status.json", self._asked(self._status))
        router.add_get("/p5/api/checkreservation.json", self._asked(self._check_reservation))
        router.add_get("/p5/api/cancelreservation.json", self._asked(self._cancel_reservation))
        router.add_get("/p5/api/numbercleaning.json", self._asked(self._clean))
        router.add_get("/p5/api/separatedsuccesscount.json", self._asked(self._count))
        router.add_get("/p5/api/template.json", self._asked(lambda _: {"count": 0, "templates": []}))
        router.add_post("/p1/api/shortenurl.json", self._asked(self._shorten))

    def taken(self, status: int) -> bool:
        """The documents say 2xx in one place and 200 in another: the stricter."""
        return status == 200

    # Sending

    def _of_generation(self, generation: str) -> Callable[[web.Request], Any]:
        async def send(request: web.Request) -> web.StreamResponse:
            if (broken := await self.fault(request)) is not None:
                return broken
            fields = await form(request)
            try:
                return _reply(self._send(generation, fields))
            except _Refused as refused:
                self.refuse()
                return _reply(_refusal(refused))

        return send

    def _send(self, generation: str, fields: Mapping[str, str]) -> dict[str, Any]:
        self._check_who(fields, "smsCode", "message", "phoneNumber")
        if fields["smsCode"] != self.options.sms_code:
            raise _Refused(110, "Invalid smsCode.")
        if not PHONE.fullmatch(fields["phoneNumber"]):
            raise _Refused(110, "Invalid phoneNumber.")
        phone = _international(fields["phoneNumber"])
        carrier = BY_LAST_DIGIT[int(phone[-1])]
        now = self._clock()
        if generation == "p5":
            _check_length(fields, "message", 660)
            carrier = _one_of(fields, "carrierId", _CARRIERS.keys() - {"999"}) or carrier
            text = fields["message"]
            due = _future(fields.get("scheduleTime", ""), now)
        else:
            _check_bodies(generation, fields)
            text = _body(generation, carrier, fields)
            due = now
        for name in ("clientTag", "groupTag"):
            _check_length(fields, name, 200)
        tag = fields.get("clientTag", "")
        if tag in self.accepted:
            self.counts["duplicates"] += 1
            raise _Refused(400, "Duplicate client tag.")
        if self.options.quota and self.counts["accepted"] >= self.options.quota:
            raise _Refused(300, "Exceed sending count.")
        if self.happens(self.options.system_error):
            raise _Refused(500, "System error.")
        self._accept(Sent(generation, tag, phone, text, carrier, *self._fate(generation, carrier), due=due, done=0.0,
                          group=fields.get("groupTag", "")), now)  # fmt: skip
        return {"phoneNumber": phone, "smsMessage": fields["message"]}

    def _fate(self, generation: str, carrier: str) -> tuple[bool, str, str]:
        """Whether it fails, the code of that, and an id."""
        fails = self.happens(self.options.undelivered)
        detail = f"{_CARRIERS[carrier][1]}{self.random.choice(CLASSES)}" if fails else "2"
        return fails, "" if generation == "p1" else detail, f"{self.random.getrandbits(128):032x}"

    def _accept(self, sent: Sent, now: float) -> None:
        after = self.options.receipt_after
        sent.done = sent.due + after if after >= 0 else float("inf")
        self.accept(sent.tag or sent.id, sent)
        if not sent.fails:
            self._billed[_month(sent), sent.carrier] += _parts(sent.text)
        if sent.tag and self.options.webhook:  # without a tag there is nothing to notify of
            wait = None if sent.due <= now else sent.due - now + after if after >= 0 else -1.0
            self.notify(lambda: self._dlr(sent), after=wait)

    # Notifications

    def _dlr(self, sent: Sent) -> Notification | None:
        if sent.cancelled:
            return None
        state = "3" if sent.fails else "2"
        event: dict[str, Any] = {
            "type": "DLR",
            "dateTime": datetime.fromtimestamp(self._clock(), JAPAN).strftime("%Y/%m/%d %H:%M:%S"),
            "messageId": sent.id,
            "phoneNumber": sent.phone,
            "smsCode": self.options.sms_code,
            "carrierId": sent.carrier,
            "carrierName": _CARRIERS[sent.carrier][0],
            "messageText": sent.text,
            "clientId": self.options.client_id,
            "clientTag": sent.tag,
            "statusId": state,
            "statusDescription": _SAID[state],
        }
        if sent.detail:
            event["detailedStatusId"] = int(sent.detail)
        if not sent.fails:
            event["separatedSuccessCount"] = _parts(sent.text)
        document = json.dumps({"eventNotifications": [event]}) if self.options.dlr == "json" else _xml(event)
        body = f"{self.options.dlr}={quote_plus(document)}".encode()
        return Notification("POST", self.options.webhook, _FORM, body)

    def shown(self, what: Sent) -> tuple[str, str]:
        return what.phone, what.text

    # Look-ups

    def _asked(self, answer: Callable[[dict[str, str]], dict[str, Any]]) -> Callable[[web.Request], Any]:
        async def asked(request: web.Request) -> web.StreamResponse:
            fields = await form(request)
            try:
                self._check_who(fields)
                return _reply(answer(fields))
            except _Refused as refused:
                return _reply(_refusal(refused))

        return asked

    def _check_who(self, fields: Mapping[str, str], *required: str) -> None:
        for name in ("token", "clientId", *required):
            if not fields.get(name):
                raise _Refused(100, f"Required {name}.")
        if fields["token"] != self.options.token:
            raise _Refused(110, "Invalid token.")
        if fields["clientId"] != self.options.client_id:
            raise _Refused(110, "Invalid clientId.")

    def _status(self, fields: dict[str, str]) -> dict[str, Any]:
        tag, date = fields.get("clientTag", ""), fields.get("date", "")
        if not tag and not date:
            raise _Refused(100, "Required clientTag.")
        _check_length(fields, "clientTag", 203)
        if not tag and not (len(date) == 8 and date.isdigit()):
            raise _Refused(110, "Invalid date.")
        now = self._clock()
        return {"status": [self._shown(sent, now) for sent in self._found(tag, date) if sent.due <= now]}

    def _found(self, tag: str, date: str) -> list[Sent]:
        if tag:
            sent = self.accepted.get(tag)
            return [sent] if sent is not None and sent.tag else []
        return [
            sent
            for sent in self.accepted.values()
            if not sent.cancelled and datetime.fromtimestamp(sent.due, JAPAN).strftime("%Y%m%d") == date
        ]

    def _shown(self, sent: Sent, now: float) -> dict[str, Any]:
        state = sent.status(now)
        when = datetime.fromtimestamp(min(sent.done, now), JAPAN)
        known = state in {"2", "3"}
        return {
            "dateTime": f"{when:%Y%m%d %H%M%S}{when.microsecond // 1000:03d}",
            "phoneNumber": sent.phone,
            "message": sent.text,
            "smsCode": _number(self.options.sms_code),
            "carrierId": sent.carrier if known else None,
            "carrierName": _CARRIERS[sent.carrier][0] if known else "",
            "statusId": state,
            "clientTag": sent.tag,
            "detailedStatusId": sent.detail if known else "",
            "separatedSuccessCount": _parts(sent.text) if state == "2" else 0,
        }

    def _check_reservation(self, fields: dict[str, str]) -> dict[str, Any]:
        if not fields.get("smsCode"):
            raise _Refused(100, "Required smsCode.")
        tag, minute, day = (fields.get(name, "") for name in ("clientTag", "scheduleTime", "scheduleDate"))
        if not (tag or minute or day):
            raise _Refused(100, "Required clientTag.")
        now = self._clock()
        if tag:
            found = self._found(tag, "")
            if found and found[0].due <= now:
                raise _Refused(130, "Already send.")
        else:
            found = list(self.accepted.values())
        reserved = [
            {
                "scheduleTime": when,
                "phoneNumber": sent.phone,
                "message": sent.text,
                "smsCode": _number(self.options.sms_code),
                "clientTag": sent.tag,
            }
            for sent in found
            if sent.due > now and not sent.cancelled and fields.get("groupTag", sent.group) == sent.group
            for when in [datetime.fromtimestamp(sent.due, JAPAN).strftime("%Y-%m-%d %H:%M")]
            if tag or when == minute or (not minute and when[:10].replace("-", "") == day)
        ]
        return {"count": len(reserved), "status": reserved}

    def _cancel_reservation(self, fields: dict[str, str]) -> dict[str, Any]:
        if not (tag := fields.get("clientTag", "")):
            raise _Refused(100, "Required clientTag.")
        found = self._found(tag, "")
        if not found or found[0].cancelled:
            raise _Refused(110, "Invalid clientTag.")
        if found[0].due <= self._clock():
            raise _Refused(130, "Already send.")
        found[0].cancelled = True
        if not found[0].fails:
            self._billed[_month(found[0]), found[0].carrier] -= _parts(found[0].text)
        return {"clientTag": tag}

    def _clean(self, fields: dict[str, str]) -> dict[str, Any]:
        for name in ("phoneNumber", "referenceDate"):
            if not fields.get(name):
                raise _Refused(100, f"Required {name}.")
        if not PHONE.fullmatch(fields["phoneNumber"]):
            raise _Refused(110, "Invalid phoneNumber.")
        try:
            day = datetime.strptime(fields["referenceDate"], "%Y%m%d").replace(tzinfo=JAPAN).timestamp()
        except ValueError:
            raise _Refused(110, "Invalid referenceDate.") from None
        if not -1 < (self._clock() - day) / 86400 < 2 * 366:
            raise _Refused(110, "Invalid referenceDate.")
        phone = _international(fields["phoneNumber"])
        owner = "ERROR" if phone.endswith("9") else "T" if phone.endswith("8") else "N"
        return {"phoneNumber": phone, "referenceDate": fields["referenceDate"], "status": owner}

    def _count(self, fields: dict[str, str]) -> dict[str, Any]:
        if not (month := fields.get("month", "")):
            raise _Refused(100, "Required month.")
        counted = {carrier: count for (when, carrier), count in self._billed.items() if when == month and count}
        shown: dict[str, Any] = {**counted, "clientId": int(self.options.client_id)}
        return {"separatedSuccessCount": [shown] if counted else []}

    def _shorten(self, fields: dict[str, str]) -> dict[str, Any]:
        if not fields.get("longUrl"):
            raise _Refused(100, "Required longUrl.")
        _check_length(fields, "longUrl", 2048)
        _check_length(fields, "name", 256)
        now = datetime.fromtimestamp(self._clock(), UTC)
        name = fields.get("name") or f"Shorturl-{now:%Y%m%d%H%M%S}{now.microsecond // 1000:03d}"
        return {"shortUrl": f"https://ai9.jp/{self.random.getrandbits(24):06x}", "name": name}


# Checks


def _check_length(fields: Mapping[str, str], name: str, limit: int) -> None:
    if len(fields.get(name, "")) > limit:
        raise _Refused(120, f"{name} too long.")


def _check_bodies(generation: str, fields: Mapping[str, str]) -> None:
    _check_length(fields, "message", 70)
    for _, _, name, limit in _CARRIERS.values():
        if generation != "p11" or name != "messageAu":
            _check_length(fields, name, limit)
    if generation == "p11":
        for name in _PIECES:
            piece = fields.get(name, "")
            if max(len(piece.encode()), 2 * len(piece)) > 140:
                raise _Refused(120, f"{name} too long.")


_PIECES: Final = ("messageAu", *(f"messageAu{number}" for number in range(2, 11)))


def _body(generation: str, carrier: str, fields: Mapping[str, str]) -> str:
    """What the handset shows: the body of its carrier, or else `message`."""
    if generation == "p11" and carrier == "101":
        return "".join(fields.get(name, "") for name in _PIECES) or fields["message"]
    return fields.get(_CARRIERS[carrier][2]) or fields["message"]


def _one_of(fields: Mapping[str, str], name: str, known: set[str]) -> str:
    value = fields.get(name, "")
    if value and value not in known:
        raise _Refused(110, f"Invalid {name}.")
    return value


def _future(text: str, now: float) -> float:
    """When it is to go out; now without a time."""
    if not text:
        return now
    try:
        due = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=JAPAN).timestamp()
    except ValueError:
        raise _Refused(110, "Invalid scheduleTime.") from None
    if due < now - 60:
        raise _Refused(140, "Past scheduleTime.")
    return max(due, now)


# Forms


def _number(digits: str) -> int | str:
    return int(digits) if digits.isdecimal() else digits


def _international(phone: str) -> str:
    return phone if phone.startswith("+") else f"+81{phone[1:]}"


def _month(sent: Sent) -> str:
    return datetime.fromtimestamp(sent.due, JAPAN).strftime("%Y%m")


def _parts(text: str) -> int:
    return 1 if len(text) <= 70 else -(-len(text) // 67)


_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def _xml(event: Mapping[str, Any]) -> str:
    """The real layout is not public."""
    shown = {name: escape(_NOT_IN_XML.sub("?", str(value))) for name, value in event.items()}
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in shown.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<eventNotifications><eventNotification>{fields}</eventNotification></eventNotifications>"
    )


def _reply(document: dict[str, Any]) -> web.Response:
    document = {"responseCode": 0, "responseMessage": "Success.", **document}
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return web.Response(body=body, headers=_JSON)


_JSON: Final = {"Content-Type": "application/json"}


def _refusal(refused: _Refused) -> dict[str, Any]:
    return {"responseCode": refused.code, "responseMessage": refused.words}
