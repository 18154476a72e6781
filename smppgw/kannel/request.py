"""Read what a request asks of sendsms, from its query, its headers or its XML: an order, or Kannel's refusal."""

import re
import xml.etree.ElementTree as ET
from binascii import unhexlify
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from smppgw.kannel import charsets
from smppgw.kannel.escapes import UNDEFINED
from smppgw.kannel.markup import strip_tags
from smppgw.kannel.model import SendsmsUser

Values = dict[str, bytes]
"""The parameters of a request by Kannel's names, whichever way they came."""

MAX_UDH = 140
MAX_ACCOUNT = 64
SEVEN_BITS, OCTETS, UCS2 = range(3)
"""What `coding` may say."""


class Refusal(NamedTuple):
    """What is answered, in Kannel's words."""

    status: int
    text: bytes


class Order(NamedTuple):
    """A request that is in order: what is to be sent, and to whom."""

    sender: bytes
    receivers: tuple[bytes, ...]
    """Those that are let, each once."""
    denied: tuple[bytes, ...]
    text: str
    """For `coding` 0."""
    octets: bytes
    """For the others: as they go out."""
    coding: int
    udh: bytes = b""
    smsc: str | None = None
    account: bytes = b""
    binfo: bytes = b""
    dlr_url: bytes = b""
    dlr_mask: int = UNDEFINED
    mclass: int = UNDEFINED
    mwi: int = UNDEFINED
    pid: int = UNDEFINED
    rpi: int = UNDEFINED
    alt_dcs: int = UNDEFINED
    compress: int = UNDEFINED
    validity: int = UNDEFINED
    """In minutes from now, as is the next."""
    deferred: int = UNDEFINED
    priority: int = UNDEFINED
    meta_data: bytes = b""


class Posted(NamedTuple):
    """The values of a POST; from XML its receivers too, which need not be words."""

    values: Values
    receivers: tuple[bytes, ...] | None = None
    markup: bool = False
    """The text is HTML or WML as it came: see `without_tags`."""


class Sender(NamedTuple):
    """The sendsms-user who asks, and what smsbox adds."""

    user: SendsmsUser
    lets: Callable[[bytes], bool]
    """May that number get anything?"""
    global_sender: str | None = None
    chars: str = "0123456789 +-"
    """What numbers are made of; see `order`."""


# Parameters


def query(text: str) -> Values:
    """Of the part of a URL after the question mark, or of a form: of a repeated parameter the first counts."""
    found: Values = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if "%" in name or "+" in name:
            name = url_decode(name).decode("latin-1")
        if name not in found:
            found[name] = url_decode(value)
    return found


def url_decode(text: str) -> bytes:
    """A percent that no two hex digits follow stands for itself; one with nothing to follow ends the text."""
    if "%" not in text:
        if "+" in text:
            text = text.replace("+", " ")
        return text.encode("utf-8", "surrogateescape")
    if "%" in text[-2:]:
        text = text[: text.index("%", max(0, len(text) - 2))]
    return unquote_to_bytes(text.replace("+", " ").encode("utf-8", "surrogateescape"))


def authority(values: Values) -> tuple[bytes | None, bytes | None]:
    """The name and the password, by either spelling."""
    user, password = values.get("username"), values.get("password")
    return (
        values.get("user") if user is None else user,
        values.get("pass") if password is None else password,
    )


# POST


def posted(headers: Mapping[str, str], body: bytes) -> Posted | Refusal:
    """The values of a POST: of X-Kannel-* headers beside the text, of an XML document, or of a form."""
    kind, charset = content_type(headers.get("Content-Type", ""))
    if kind in {"text/plain", "application/octet-stream"}:
        values = _from_headers(headers)
        values["text"] = body
        values.setdefault("coding", b"1" if kind != "text/plain" else b"0")
        return Posted(_with_charset(values, charset))
    if kind in {"text/html", "text/vnd.wap.wml"}:
        values = _from_headers(headers)
        values["text"] = body
        return Posted(_with_charset(values, charset), markup=True)
    if kind == "text/xml":
        return _from_xml(body)
    if kind == "application/x-www-form-urlencoded":
        return Posted(query(body.decode("utf-8", "surrogateescape")))
    return Refusal(400, b"Invalid content-type")


def content_type(header: str) -> tuple[str, str]:
    """The type and the charset of a body: what nobody named is octets, and text without a charset is Latin-1."""
    kind, *parameters = header.lower().split(";")
    kind = kind.strip() or "application/octet-stream"
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            return kind, value.strip().strip("\"'")
    return kind, "iso-8859-1" if kind.startswith("text/") else ""


_HEADERS = frozenset(
    {"from", "to", "username", "password", "smsc", "udh", "dlr-url", "account", "binfo", "coding", "pid", "mwi",
     "mclass", "alt-dcs", "compress", "validity", "deferred", "dlr-mask", "rpi", "priority", "meta-data"}
)  # fmt: skip
"""What X-Kannel- may be in front of."""


def _from_headers(headers: Mapping[str, str]) -> Values:
    """Of a repeated header the last counts."""
    values: Values = {}
    for name, value in headers.items():
        key = name.lower().removeprefix("x-kannel-")
        if key in _HEADERS and len(key) != len(name):
            values[key] = value.strip().encode("utf-8", "surrogateescape")
    if "udh" in values:
        udh = _unhex(values.pop("udh"))
        if udh is not None:
            values["udh"] = udh
    return values


def without_tags(values: Values) -> Values:
    """Reading a page takes a while: ask first who it is that sent it."""
    try:
        markup = _decoded(values["text"], values.get("charset", b""))
    except LookupError:
        return values  # to be refused for it
    return {**values, "text": strip_tags(markup).encode(errors="replace"), "charset": b"utf-8"}


def _with_charset(values: Values, charset: str) -> Values:
    if charset:
        values["charset"] = charset.encode("utf-8", "surrogateescape")
    return values


def _unhex(value: bytes) -> bytes | None:
    """Hex digits, or else URL-encoded octets; None where they are neither."""
    try:
        return unhexlify(value)
    except ValueError:
        return None if _BROKEN.search(value) else unquote_to_bytes(value.replace(b"+", b" "))


_BROKEN = re.compile(rb"%(?![0-9A-Fa-f]{2})")

_TEXTS = {
    "username": "from/user", "password": "from/pass", "account": "from/account", "binfo": "from/binfo",
    "from": "oa/number", "udh": "udh", "dlr-url": "statusrequest/dlr-url", "meta-data": "meta-data",
}  # fmt: skip
_NUMBERS = {
    "pid": "pid", "rpi": "rpi", "mclass": "dcs/mclass", "mwi": "dcs/mwi", "coding": "dcs/coding",
    "compress": "dcs/compress", "alt-dcs": "dcs/alt-dcs", "dlr-mask": "statusrequest/dlr-mask",
    "validity": "vp/delay", "deferred": "timing/delay", "priority": "priority",
}  # fmt: skip
"""Where in /message/submit each value is."""


def _from_xml(body: bytes) -> Posted:
    """Nothing of a document that is none: it names no user then."""
    submit = _submit(body)
    values: Values = {"charset": b"utf-8", "coding": b"0"}
    if submit is None:
        return Posted(values)
    for name, path in (*_TEXTS.items(), ("username", "from/username"), ("password", "from/password")):
        found = _text(submit, path)
        if found is not None:
            values[name] = found
    for name, path in _NUMBERS.items():
        found = _text(submit, path)
        if found is not None:
            values[name] = _number(found)
    smsc = _text(submit, "smsc")
    smsc = _text(submit, "to") if smsc is None else smsc
    if smsc is not None:
        values["smsc"] = smsc
    if "udh" in values:
        values["udh"] = _unhex(values["udh"]) or b""
    said = _text(submit, "ud") or b""
    # Hex digits are a text like any other, but Kannel decodes what is URL-encoded.
    values["text"] = url_decode(said.decode("utf-8", "surrogateescape"))
    receivers = tuple(
        number.text.strip().encode("utf-8", "surrogateescape") for number in submit.iterfind("da/number") if number.text
    )
    return Posted(values, receivers or None)


def _submit(body: bytes) -> ET.Element | None:
    if b"<!ENTITY" in body.replace(b"\0", b""):
        return None  # entities of its own are a way to fill the memory; a document type alone is not read
    try:
        message = ET.fromstring(body)  # noqa: S314  see above
    except (ET.ParseError, LookupError, ValueError):
        return None
    return message.find("submit") if message.tag == "message" else None


def _text(submit: ET.Element, path: str) -> bytes | None:
    found = submit.find(path)
    return None if found is None else "".join(found.itertext()).strip().encode("utf-8", "surrogateescape")


def _number(value: bytes) -> bytes:
    """As XPath reads it: what is no number is far out of any range."""
    try:
        return b"%d" % int(float(value))
    except (ValueError, OverflowError):
        return b"-2147483648"


# The order

_RANGES: tuple[tuple[str, str, int, int, bytes], ...] = (
    ("dlr-mask", "dlrmask", -1, 66, b"DLR-Mask"),
    ("mclass", "", -1, 3, b"MClass"),
    ("pid", "", -1, 255, b"PID"),
    ("rpi", "", -1, 2, b"RPI"),
    ("alt-dcs", "", -1, 1, b"Alt-DCS"),
    ("mwi", "", -1, 7, b"MWI"),
    ("coding", "", -1, 2, b"Coding"),
    ("compress", "", -1, 1, b"Compress"),
    ("validity", "", -1, 1 << 31, b"Validity"),
    ("deferred", "", -1, 1 << 31, b"Deferred"),
    ("priority", "", -1, 3, b"Priority"),
)
"""In the order in which Kannel looks at them: name, old name, least, most, and what the refusal calls it."""

_INTEGER = re.compile(rb"[ \t\n\v\f\r]*([+-]?[0-9]+)")


def integer(value: bytes) -> int:
    """As C reads it: blanks before it and anything behind it do not matter; no number is UNDEFINED."""
    if value.isdigit() and len(value) < 10:
        return int(value)
    found = _INTEGER.match(value)
    if found is None:
        return UNDEFINED
    whole = min(max(int(found[1][:30]), -(1 << 63)), (1 << 63) - 1)
    return (whole + (1 << 31)) % (1 << 32) - (1 << 31)  # C keeps the low 32 bits


class _Fault(Exception):
    """A field that is not in order, in Kannel's words."""


def order(
    values: Values, sender: Sender, receivers: Sequence[bytes] | None = None, post: bool = False
) -> Order | Refusal:
    """What is to be sent for a user who is who he says. `receivers` are those of an XML document.

    The first fault in Kannel's order is the one that is told.
    """
    try:
        return _order(values, sender, _receivers(values, post) if receivers is None else receivers)
    except _Fault as fault:
        return Refusal(400, fault.args[0])


def _order(values: Values, sender: Sender, receivers: Sequence[bytes]) -> Order:
    udh = values.get("udh", b"")
    if udh and len(udh) != udh[0] + 1:
        raise _Fault(b"UDH field misformed, rejected")
    if len(udh) > MAX_UDH:
        raise _Fault(b"UDH field is too long, rejected")
    allowed, denied = _screened(receivers, sender)
    if not allowed:
        raise _Fault(b"Number(s) has/have been denied by white- and/or black-lists.")
    source = _source(values, sender.user, sender.global_sender)
    account = _account(values)
    url = _dlr_url(values)
    numbers = _numbers(values)
    get = numbers.get
    coding = get("coding", UNDEFINED)
    if coding == UNDEFINED:
        coding = OCTETS if udh else SEVEN_BITS
    text, octets = _text_of(values, coding)
    return Order(
        source, allowed, denied, text, octets, coding, udh, _smsc(values, sender.user), account,
        values.get("binfo", b""), url, get("dlr-mask", UNDEFINED), get("mclass", UNDEFINED), get("mwi", UNDEFINED),
        get("pid", UNDEFINED), get("rpi", UNDEFINED), get("alt-dcs", UNDEFINED), get("compress", UNDEFINED),
        get("validity", UNDEFINED), get("deferred", UNDEFINED), get("priority", UNDEFINED),
        values.get("meta-data", b""),
    )  # fmt: skip


def _receivers(values: Values, post: bool) -> Sequence[bytes]:
    to = values.get("to")
    if to is None:
        raise _Fault(b"Missing receiver(s) number(s), rejected" if post else b"Missing receiver number, rejected")
    if not to:
        raise _Fault(b"Empty receiver number not allowed, rejected")
    return to.split()


def _account(values: Values) -> bytes:
    account = values.get("account", b"")
    if account and (len(account) > MAX_ACCOUNT or account.translate(None, b"[]\n\r") != account):
        raise _Fault(b"Account field misformed or too long, rejected")
    return account


def _numbers(values: Values) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, old, least, most, called in _RANGES:
        value = values.get(name)
        if value is None and old:
            value = values.get(old)
        if value is not None:
            found[name] = number = integer(value)
            if not least <= number <= most:
                raise _Fault(b"%b field misformed, rejected" % called)
    return found


def _screened(numbers: Sequence[bytes], sender: Sender) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Those that may get it, and those that may not, each once."""
    chars = sender.chars.encode(errors="surrogateescape")
    allowed: dict[bytes, None] = {}
    denied: dict[bytes, None] = {}
    for number in numbers:
        good = not number.translate(None, chars) and sender.lets(number)
        (allowed if good else denied)[number] = None
    return tuple(allowed), tuple(denied)


def _source(values: Values, user: SendsmsUser, global_sender: str | None) -> bytes:
    if user.faked_sender is None and (given := values.get("from")):
        return given
    for name in (user.faked_sender, user.default_sender, global_sender):
        if name is not None:
            return name.encode(errors="surrogateescape")
    raise _Fault(b"Sender missing and no global set, rejected")


def _dlr_url(values: Values) -> bytes:
    url = values.get("dlr-url")
    if url is None:
        url = values.get("dlrurl", b"")
    if url and (len(url) < 8 or not url[:8].lower().startswith((b"http://", b"https://"))):
        raise _Fault(b"DLR-URL field misformed, rejected")
    return url


def _smsc(values: Values, user: SendsmsUser) -> str | None:
    """The smsc-id that it is for; an empty one is one too, that nobody has."""
    if user.forced_smsc is not None:
        return user.forced_smsc
    given = values.get("smsc")
    return user.default_smsc if given is None else given.decode(errors="surrogateescape")


def _text_of(values: Values, coding: int) -> tuple[str, bytes]:
    """As characters for 7 bits, as octets otherwise. Octets that the charset does not have are lost, not the text."""
    octets = values.get("text", b"")
    charset = values.get("charset", b"")
    if coding == OCTETS or not octets:
        return "", octets
    if not charset:
        return (octets.decode("utf-8", "replace"), b"") if coding == SEVEN_BITS else ("", octets)
    try:
        text = _decoded(octets, charset)
    except LookupError:
        raise _Fault(b"Charset or body misformed, rejected") from None
    return (text, b"") if coding == SEVEN_BITS else ("", text.encode("utf-16-be", "surrogatepass"))


def _decoded(octets: bytes, charset: bytes) -> str:
    return charsets.decode(octets, charset.decode("ascii", "replace"), "replace")
