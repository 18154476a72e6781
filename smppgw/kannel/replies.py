"""What an application answers to a message, as the SMS that its sender gets."""

import re
from typing import Any

from smppgw.kannel import charsets
from smppgw.kannel.caller import Reply
from smppgw.kannel.escapes import UNDEFINED
from smppgw.kannel.incoming import Mobile
from smppgw.kannel.markup import strip_tags
from smppgw.kannel.metadata import url_decode
from smppgw.kannel.model import Smsbox
from smppgw.kannel.request import OCTETS, SEVEN_BITS, UCS2, Order, Posted, content_type, posted
from smppgw.kannel.services import Service

OK = frozenset({200, 202})
"""Statuses that come with a reply."""
_TEXTS = ("dlr-url", "account", "binfo", "meta-data")
_LIMITS = {"mclass": 3, "mwi": 7, "coding": 2, "compress": 1, "alt-dcs": 1, "pid": 255, "rpi": 2, "priority": 3,
           "validity": 1 << 30, "deferred": 1 << 30, "dlr-mask": 63}  # fmt: skip
"""Numbers that an application may set, and the most that each may be; others count for nothing."""

_NUMBER = re.compile(rb"\s*([+-]?[0-9]{1,10})")


def reply(service: Service, mobile: Mobile, answer: Reply | None, smsbox: Smsbox) -> Order | None:
    """To a message that is addressed; None: its sender hears nothing. No answer is one that cannot be had."""
    if answer is None or answer.status not in OK:
        return plain(service, mobile, smsbox.reply_couldnotfetch, smsbox)
    try:
        order = _read(service, mobile, answer)
    except (LookupError, UnicodeError):
        order = None
    if order is None:
        return plain(service, mobile, smsbox.reply_couldnotrepresent, smsbox)
    return finished(service, order, smsbox)


def _read(service: Service, mobile: Mobile, answer: Reply) -> Order | None:
    """By its type; None: no SMS can be made of it. LookupError and UnicodeError for texts that are none."""
    kind, said = _content_type(answer)
    charset = said or service.settings.alt_charset or ""
    accepts = service.settings.accept_x_kannel_headers
    wishes = _wishes(answer) if accepts else {}
    body = answer.body
    match kind:
        case "text/html" | "text/vnd.wap.wml":
            return _order(mobile, wishes, strip_tags(_decoded(_cut(body, service), charset)))
        case "text/xml":
            return _of_document(mobile, body, accepts)
        case "application/octet-stream" if accepts:
            return _order(mobile, {"coding": OCTETS, **wishes}, octets=body)
        case "text/plain" if wishes.get("coding") == OCTETS:
            return _order(mobile, wishes, octets=body)
        case "text/plain" | "application/octet-stream":
            return _order(mobile, wishes, _decoded(body, charset))
    return None


def plain(service: Service, mobile: Mobile, text: str, smsbox: Smsbox) -> Order | None:
    """A text of our own, or of a file."""
    return finished(service, _order(mobile, {}, text), smsbox)


def failed(mobile: Mobile, smsbox: Smsbox) -> Order:
    """To a message as it came, that no service takes, or whose service cannot do anything."""
    return _order(mobile, {}, smsbox.reply_requestfailed)


def finished(service: Service, order: Order, smsbox: Smsbox) -> Order | None:
    """With what the service says of all its replies."""
    settings = service.settings
    if settings.max_messages == 0:
        return None
    if not order.text and not order.octets:
        if settings.omit_empty:
            return None
        text = smsbox.reply_emptymessage
        order = order._replace(text=text, octets=_octets(text, order.coding))
    if not order.dlr_url and settings.dlr_url is not None:
        order = order._replace(dlr_url=settings.dlr_url.encode(errors="surrogateescape"))
    return order if order.dlr_mask != UNDEFINED else order._replace(dlr_mask=settings.dlr_mask)


def _content_type(answer: Reply) -> tuple[str, str]:
    if all(name.lower() != b"content-type" for name, _ in answer.headers):
        return "application/octet-stream", ""
    said = answer.header(b"Content-Type").decode("latin-1")
    return content_type(said) if said.strip() else ("", "")


def _cut(body: bytes, service: Service) -> bytes:
    """Between the first prefix and the next suffix, in whatever case; all of it when one of them is missing."""
    prefix, suffix = service.settings.prefix, service.settings.suffix
    if prefix is None or suffix is None:
        return body
    low = body.lower()
    first, last = (each.encode(errors="surrogateescape").lower() for each in (prefix, suffix))
    start = low.find(first)
    end = low.find(last, start + len(first))
    return body if start < 0 or end < 0 else body[start + len(first) : end]


def _decoded(octets: bytes, charset: str) -> str:
    if not charset or charset.lower() in {"utf-8", "utf8"}:
        return octets.decode(errors="replace")
    return charsets.decode(octets, charset)


def _octets(text: str, coding: int) -> bytes:
    """Nothing for 7 bits, which have the text itself."""
    if coding == SEVEN_BITS:
        return b""
    return text.encode("utf-16-be" if coding == UCS2 else "utf-8", "surrogatepass")


def _wishes(answer: Reply) -> dict[str, Any]:
    """What X-Kannel headers ask for, as fields of an order; of several of one name the last counts."""
    values: dict[str, bytes] = {}
    for name, value in answer.headers:
        key = name.decode("latin-1").lower()
        if key.startswith("x-kannel-"):
            values[key.removeprefix("x-kannel-")] = value.strip()
    if "udh" in values:
        values["udh"] = header_of(values["udh"])
    return _fields(values, tuple(values["to"].split()) if "to" in values else None)


def _fields(values: dict[str, bytes], receivers: tuple[bytes, ...] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, most in _LIMITS.items():
        number = _NUMBER.match(values.get(name, b""))
        if number is not None and 0 <= int(number[1]) <= most:
            found[name.replace("-", "_")] = int(number[1])
    for name in _TEXTS:
        if name in values:
            found[name.replace("-", "_")] = values[name]
    if values.get("from"):
        found["sender"] = values["from"]
    if values.get("smsc"):
        found["smsc"] = values["smsc"].decode(errors="surrogateescape")
    if (udh := values.get("udh", b"")) and len(udh) == udh[0] + 1:
        found["udh"] = udh
    if receivers:
        found["receivers"] = receivers
    return found


def _of_document(mobile: Mobile, body: bytes, accepts: bool) -> Order | None:
    """Of a submit document."""
    document = posted({"Content-Type": "text/xml"}, body)
    if not isinstance(document, Posted) or "text" not in document.values:
        return None
    wishes = _fields(document.values, document.receivers) if accepts else {}
    text = document.values["text"]
    if wishes.get("coding") == OCTETS:
        return _order(mobile, wishes, octets=text)
    return _order(mobile, wishes, text.decode(errors="replace"))


def header_of(written: bytes) -> bytes:
    """A user data header as hexadecimal digits or URL-encoded; nothing when it is none."""
    try:
        octets = bytes.fromhex(written.decode("ascii"))
    except ValueError:
        octets = url_decode(written)
    return octets if octets and len(octets) == octets[0] + 1 else b""


def _order(mobile: Mobile, wishes: dict[str, Any], text: str = "", octets: bytes = b"") -> Order:
    """Back to where the message came from."""
    sms = mobile.sms
    coding = wishes.get("coding", SEVEN_BITS)
    back = Order(
        sender=sms.receiver,
        receivers=(sms.sender,),
        denied=(),
        text=text,
        octets=octets or _octets(text, coding),
        coding=coding,
        smsc=sms.smsc_id.decode(errors="surrogateescape"),
    )
    return back._replace(**{**wishes, "coding": coding})
