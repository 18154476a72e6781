"""Write the request of an sms-service to its application: get-url, post-url and post-xml."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from smppgw.kannel import charsets
from smppgw.kannel.escapes import UNDEFINED, Sms, fill, stamp
from smppgw.kannel.incoming import Mobile
from smppgw.kannel.metadata import url_encode
from smppgw.kannel.services import Action, Service

_FIRST_WORD = re.compile(rb"\A\S*\s*")
_SEPTETS, _OCTETS, _UCS2 = 0, 1, 2

Header = tuple[bytes, bytes]


class Call(NamedTuple):
    """One request; what all requests have is for whoever makes it."""

    method: bytes
    url: bytes
    headers: tuple[Header, ...]
    body: bytes | None = None


def addressed(mobile: Mobile, service: Service, global_sender: bytes) -> Mobile:
    """The message as its service sees it: the service's own name and charset, and whoever the reply is from in the
    place of the number that it came to."""
    settings, sms = service.settings, mobile.sms
    text = sms.text
    if settings.alt_charset and sms.coding == _SEPTETS:
        with suppress(LookupError, UnicodeError):  # left as it is then
            text = charsets.encode(text.decode(), settings.alt_charset)
    receiver = (settings.faked_sender or "").encode(errors="surrogateescape") or global_sender or sms.receiver
    return mobile._replace(sms=sms._replace(text=text, receiver=receiver, service=service.name))


def call(service: Service, mobile: Mobile, now: float) -> Call:
    """Of a message that is addressed."""
    settings, sms = service.settings, mobile.sms
    url = fill(service.pattern, sms, now)
    if service.action is Action.GET:
        return Call(b"GET", url, ((b"X-Kannel-From", sms.sender),) if settings.send_sender else ())
    if settings.strip_keyword:
        sms = sms._replace(text=_FIRST_WORD.sub(b"", sms.text))
    mobile = mobile._replace(sms=sms)
    date: Header = (b"Date", stamp(int(now), b" "))
    sender = sms.sender if settings.send_sender else None
    if service.action is Action.XML:
        return Call(b"POST", url, ((b"Content-Type", _xml_type(sms)), date), _xml(mobile, sender, now))
    headers: list[Header] = [(b"Content-Type", _type(sms))]
    if sender is not None:
        headers.append((b"X-Kannel-From", sender))
    headers += [(b"X-Kannel-To", sms.receiver), (b"X-Kannel-Time", stamp(sms.time, b" ")), date]
    headers += [(b"X-Kannel-" + name, value) for name, value in _fields(mobile, now)]
    return Call(b"POST", url, tuple(headers), sms.text)


def _type(sms: Sms) -> bytes:
    if sms.coding == _OCTETS:
        return b"application/octet-stream"
    return b'text/plain; charset="%b"' % (b"UTF-16BE" if sms.coding == _UCS2 else sms.charset or b"UTF-8")


def _fields(mobile: Mobile, now: float) -> Iterator[Header]:
    """Headers in Kannel's order; those that nobody gave are left out."""
    sms = mobile.sms
    if sms.udh:
        yield b"UDH", url_encode(sms.udh)
    if sms.smsc_id:
        yield b"SMSC", sms.smsc_id
    numbers = (
        (b"MClass", sms.mclass), (b"PID", mobile.pid), (b"RPI", mobile.rpi), (b"Alt-DCS", sms.alt_dcs),
        (b"MWI", sms.mwi), (b"Coding", sms.coding), (b"Compress", sms.compress),
        (b"Validity", _minutes(sms.validity, now)), (b"Deferred", _minutes(sms.deferred, now)),
    )  # fmt: skip
    yield from ((name, b"%d" % number) for name, number in numbers if number != UNDEFINED)
    for name, value in ((b"Service", sms.service), (b"BInfo", sms.binfo), (b"Meta-Data", sms.meta_data)):
        if value:
            yield name, value


def _xml_type(sms: Sms) -> bytes:
    if sms.coding == _UCS2:
        return b'text/xml; charset="ISO-8859-1"'
    return b'text/xml; charset="%b"' % sms.charset if sms.charset else b"text/xml"


def _xml(mobile: Mobile, sender: bytes | None, now: float) -> bytes:
    """The submit document, blanks and all."""
    sms = mobile.sms
    encoding = b"ISO-8859-1" if sms.coding == _UCS2 else sms.charset or b"ISO-8859-1"
    lines = [b'<?xml version="1.0" encoding="%b"?>\n<message cid="1">\n\t<submit>\n' % encoding]
    if sender is not None:
        lines.append(_element(b"oa", _element(b"number", _escaped(sender))))
    lines.append(_element(b"da", _element(b"number", _escaped(sms.receiver))))
    if sms.udh:
        lines.append(_element(b"udh", url_encode(sms.udh)))
    if sms.text:
        lines.append(_element(b"ud", url_encode(sms.text)))
    lines += _numbers((b"pid", mobile.pid), (b"rpi", mobile.rpi))
    coding = _numbers(
        (b"coding", sms.coding), (b"mclass", sms.mclass), (b"alt-dcs", sms.alt_dcs), (b"mwi", sms.mwi),
        (b"compress", sms.compress),
    )  # fmt: skip
    for name, inner in (
        (b"dcs", coding),
        (b"timing", _numbers((b"delay", _minutes(sms.deferred, now)))),
        (b"vp", _numbers((b"delay", _minutes(sms.validity, now)))),
    ):
        if inner:
            lines.append(_element(name, b"".join(inner)))
    lines.append(_element(b"at", _at(sms.time)))
    if sms.smsc_id:
        lines.append(_element(b"from", _element(b"account", _escaped(sms.smsc_id))))
    if sms.service:
        lines.append(_element(b"to", _element(b"service", _escaped(sms.service))))
    if sms.meta_data:
        lines.append(_element(b"meta-data", _escaped(sms.meta_data)))
    lines.append(b"\t</submit>\n</message>\n")
    return b"".join(lines)


def _element(name: bytes, inner: bytes) -> bytes:
    return b"  \t\t<%b>%b</%b>\n" % (name, inner, name)


def _numbers(*named: tuple[bytes, int]) -> list[bytes]:
    return [_element(name, b"%d" % number) for name, number in named if number != UNDEFINED]


def _escaped(value: bytes) -> bytes:
    return value.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")


def _minutes(until: int, now: float) -> int:
    return UNDEFINED if until == UNDEFINED else int((until - int(now)) / 60)


def _at(time: int) -> bytes:
    year, month, day, hour, minute, second = re.split(rb"[-: ]", stamp(time, b" "))
    return (
        b"<year>%b</year><month>%b</month><day>%b</day><hour>%b</hour><minute>%b</minute><second>%b</second>"
        b"<timezone>0</timezone>" % (year, month, day, hour, minute, second)
    )
