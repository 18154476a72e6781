"""An smsc = http: another Kannel, or any gateway that a send-url with escape codes describes.

Read from Debian's bearerbox 1.4.5, but for three things: an answer of 202 that says "3: Queued for later delivery" is
one of success, one of 503 means later and not never, and a long text goes whole, to be cut by who gets it.
"""

import hmac
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal, NamedTuple

from protocol import text as alphabets
from protocol import tlv
from protocol.consts import DataCoding, EsmClass, MessageState, Status, Tag, Ton
from protocol.pdus import SubmitSm
from protocol.receipt import Quoted
from smppgw import values
from smppgw.carriers.client import Client, Reply
from smppgw.carriers.contract import Answer, Capabilities, Heard, Hook, Operation, Text, doubt, later, never, sent
from smppgw.carriers.settings import CarrierSettings
from smppgw.kannel import charsets, request
from smppgw.kannel.escapes import UNDEFINED, Sms, fill
from smppgw.kannel.memo import Memo
from smppgw.kannel.metadata import url_encode
from smppgw.kannel.model import Smsc

SYSTEM_TYPES = ("kannel", "generic")
"""Those of Kannel that are spoken here; brunet, xidris, wapme and clickatell are not."""

LONGEST = 39_015
"""Characters: 255 parts of 153."""

_ACCEPTED = (b"0:", b"3:", b"sent", b"ok", b"result: ok")
"""How the body of a Kannel's reply begins when it took the message."""

_STATES = {
    1: MessageState.DELIVERED,
    2: MessageState.UNDELIVERABLE,
    4: MessageState.ENROUTE,
    16: MessageState.REJECTED,
}


class HttpSmscSettings(CarrierSettings):
    """`url` is only where it is: what is asked for is the smsc's send-url."""

    kind: Literal["kannel"] = "kannel"
    smsc: Smsc


def settings(name: str, smsc: Smsc) -> HttpSmscSettings:
    """Of one group."""
    where = re.match(r"https?://[^/?#]+", smsc.send_url or "")
    return HttpSmscSettings(
        name=name,
        url=where[0] if where is not None else "http://nowhere.invalid",
        smsc=smsc,
        window=max(1, smsc.max_pending_submits),
        rate=max(0.0, smsc.throughput),
        burst=1.0 if smsc.throughput > 0 else 0.0,
        retry=(float(max(1, smsc.reconnect_delay)),),
        in_doubt="resend_and_accept_duplicates",
    )


def problem(smsc: Smsc) -> tuple[str, str] | None:
    """What is wrong with a group, and what would be right."""
    if smsc.system_type not in SYSTEM_TYPES:
        return f"system-type {smsc.system_type!r} is not spoken here", f"{' or '.join(SYSTEM_TYPES)}"
    if not smsc.port:
        return "port is missing in this group", "add port = ..., where its messages and receipts are to come"
    if smsc.system_type == "kannel" and (smsc.username is None or smsc.smsc_password is None):
        return "smsc-username or smsc-password is missing in this group", "add both"
    if smsc.system_type == "generic" and smsc.status_success_regex is None:
        return "status-success-regex is missing in this group", "say what a reply of success holds"
    if smsc.generic_foreign_id_regex is not None and not re.compile(smsc.generic_foreign_id_regex).groups:
        return "generic-foreign-id-regex has no group", "put the id in parentheses"
    return _wrong_url(smsc.send_url or "")


def _wrong_url(url: str) -> tuple[str, str] | None:
    try:
        values.asked(url)
    except values.Wrong as wrong:
        return f"send-url: {wrong.wrong}", wrong.fix
    return None


class HttpSmsc:
    """The way out; for the way back see `incoming`."""

    kind: ClassVar[str] = "kannel"
    capabilities = Capabilities(longest=LONGEST, binary=140, header=True, receipts="webhook")
    thanks = (b"Sent.", "text/plain")

    def __init__(self, settings: HttpSmscSettings, client: Client) -> None:
        self._smsc = settings.smsc
        self._client = client

    async def send(self, text: Text) -> Answer:
        mid = str(uuid.UUID(hex=text.tag.rjust(32, "0"))).encode()
        if self._smsc.system_type == "generic":
            url = fill(_bytes(self._smsc.send_url), sms_of(text, self._smsc, mid), 0.0)
            return self._generic(await self._client.request("GET", url.decode("latin-1")), mid)
        return _kannel(await self._client.request("GET", kannel_url(text, self._smsc, mid).decode("latin-1")), mid)

    def _generic(self, reply: Reply, mid: bytes) -> Answer:
        smsc, body = self._smsc, reply.body.decode("utf-8", "replace")
        if reply.status not in {200, 202}:
            return _failed(reply)
        if re.search(smsc.status_success_regex or "", body):
            return sent(_foreign_id(smsc, body) or mid)
        if smsc.status_permfail_regex is not None and re.search(smsc.status_permfail_regex, body):
            return never(Status.RSUBMITFAIL, reply.excerpt, code="permfail")
        if smsc.status_tempfail_regex is not None and re.search(smsc.status_tempfail_regex, body):
            return later(Status.RTHROTTLED, reply.excerpt, code="tempfail")
        return never(Status.RSUBMITFAIL, reply.excerpt, code="reply")

    def hear(self, hook: Hook) -> Sequence[Heard]:  # noqa: ARG002  its port is its own: see `incoming`
        return ()

    async def poll(self, id: bytes) -> Sequence[Heard]:  # noqa: ARG002  there is no way to ask
        return ()

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {}


def _kannel(reply: Reply, mid: bytes) -> Answer:
    if reply.status not in {200, 202}:
        return _failed(reply)
    if reply.body.lower().startswith(_ACCEPTED):
        return sent(mid)
    return never(Status.RSUBMITFAIL, reply.excerpt, code="reply")


def _failed(reply: Reply) -> Answer:
    code = f"http {reply.status}"
    if reply.status in {429, 503}:
        return later(Status.RTHROTTLED, reply.excerpt, code=code, wait=reply.retry_after)
    if reply.status >= 500:
        return doubt(reply.excerpt, code=code)
    return never(Status.RSUBMITFAIL, reply.excerpt, code=code)


def _foreign_id(smsc: Smsc, body: str) -> bytes:
    found = re.search(smsc.generic_foreign_id_regex, body) if smsc.generic_foreign_id_regex else None
    return found[1].encode() if found is not None and found[1] else b""


def kannel_url(text: Text, smsc: Smsc, mid: bytes) -> bytes:
    """A request of sendsms, in the order of Kannel's own."""
    sms = sms_of(text, smsc, mid)
    pairs = [(b"username", _bytes(smsc.username)), (b"password", _bytes(smsc.smsc_password)), (b"to", sms.sender)]
    hexed = smsc.no_sep
    pairs.append((b"text", sms.text.hex().encode() if hexed else sms.text))
    if sms.udh:
        pairs.append((b"udh", sms.udh.hex().encode() if hexed else sms.udh))
    if not smsc.no_sender:
        pairs.append((b"from", sms.receiver))
    if sms.mclass != UNDEFINED:
        pairs.append((b"mclass", b"%d" % sms.mclass))
    if not smsc.no_coding:
        pairs.append((b"coding", b"%d" % sms.coding))
    if sms.charset:
        pairs.append((b"charset", sms.charset))
    if sms.mwi != UNDEFINED:
        pairs.append((b"mwi", b"%d" % sms.mwi))
    if sms.account:
        pairs.append((b"account", sms.service + b":" + sms.account))
    if sms.binfo:
        pairs.append((b"binfo", sms.binfo))
    pairs.append((b"smsc", sms.smsc_id))
    pairs.append((b"dlr-url", _dlr_url(smsc, sms, mid)))
    if sms.dlr_mask > 0:
        pairs.append((b"dlr-mask", b"%d" % sms.dlr_mask))
    return _bytes(smsc.send_url) + b"?" + b"&".join(b"%b=%b" % (name, url_encode(value)) for name, value in pairs)


def _dlr_url(smsc: Smsc, sms: Sms, mid: bytes) -> bytes:
    """Where the other Kannel is to tell: us, if the smsc says where we are, else the application itself."""
    if not sms.dlr_mask > 0:
        return b""
    if smsc.dlr_url is None:
        return sms.dlr_url
    base = _bytes(smsc.dlr_url)
    return b"%b%bdlr-url=%b&dlr-mask=%%d&dlr-mid=%b" % (base, b"&" if b"?" in base else b"?", sms.dlr_url, mid)


def sms_of(text: Text, smsc: Smsc, mid: bytes) -> Sms:
    """As escape codes see it: the mobile is the sender."""
    memo = Memo.readable(text.memo) or Memo(mask=31 if text.receipt else 0)
    coding, charset, octets = 0, b"UTF-8", text.text.encode()
    if text.binary is not None:
        coding, charset, octets = 1, b"", text.binary
    elif alphabets.choose(text.text) == DataCoding.UCS2:
        coding, charset, octets = 2, b"UTF-16BE", text.text.encode("utf-16-be", "replace")
    return Sms(
        memo.receiver or text.destination.encode(), memo.sender or text.source.encode(), octets, text.header, 0, mid,
        _bytes(smsc.id), b"", b"", memo.service, memo.account, memo.binfo, memo.boxc_id, charset, memo.meta_data,
        memo.url, memo.mask, coding, memo.mclass, memo.mwi, memo.compress, memo.alt_dcs,
    )  # fmt: skip


# What comes to its port.

Value = Callable[[str], bytes | None]
_GROUPS = {int(DataCoding.DEFAULT): 0, int(DataCoding.OCTETS): 4, int(DataCoding.UCS2): 8}
"""Of data_coding 0x10 to 0x1B, by alphabet."""
_SHORT = 255
_LONG = 0xFFFF
_ADDRESS = 20


class Refused(NamedTuple):
    """What the other side is told instead."""

    status: int
    body: bytes


class Told(NamedTuple):
    """A receipt, or a message from a mobile, and what to answer when it is safe."""

    what: Quoted | SubmitSm
    status: int
    body: bytes


def incoming(query: str, smsc: Smsc) -> Told | Refused:
    """What a request to its port says."""
    values = request.query(query)
    generic = smsc.system_type == "generic"

    def value(name: str) -> bytes | None:
        key = (getattr(smsc, f"generic_param_{name.replace('-', '_')}", None) or name) if generic else name
        return values.get(key)

    error = smsc.generic_status_error if generic and smsc.generic_status_error is not None else 202
    good = smsc.generic_status_sent if generic and smsc.generic_status_sent is not None else 202
    username, password = value("username"), value("password")
    if username != _bytes(smsc.username) or not _is(password, _bytes(smsc.smsc_password)):
        return Refused(error, b"Authorization failed for sendsms")
    thanks = _bytes(smsc.generic_message_sent) if generic and smsc.generic_message_sent else b"Sent"
    if not generic:
        thanks = b"Sent."
    mid = value("dlr-mid")
    if mid:
        receipt = Quoted(mid, _STATES.get(request.integer(value("dlr-mask") or b"")))
        receipt.words = value("text") or b""
        return Told(receipt, good, thanks)
    sender, receiver, words = value("from"), value("to"), value("text")
    if sender is None or receiver is None or words is None:
        return Refused(error, b"Insufficient args, rejected")
    try:
        return Told(from_mobile(sender, receiver, words, value), good, thanks)
    except (LookupError, UnicodeError, ValueError):
        return Refused(error, b"Charset or body misformed, rejected")


def from_mobile(sender: bytes, receiver: bytes, words: bytes, value: Value) -> SubmitSm:
    udh = value("udh") or b""
    if udh and (len(udh) != udh[0] + 1 or len(udh) > request.MAX_UDH):
        raise ValueError("UDH")
    coding, charset = value("coding") or b"", (value("charset") or b"").decode("ascii")
    if coding == b"1" or (not coding and udh):
        data_coding, octets = int(DataCoding.OCTETS), words
    elif coding == b"2":
        text = words.decode("utf-16-be") if not charset else charsets.decode(words, charset)
        data_coding, octets = int(DataCoding.UCS2), text.encode("utf-16-be")
    else:
        text = charsets.decode(words, charset or "UTF-8")
        data_coding = int(alphabets.choose(text))
        octets = alphabets.encode(text, data_coding)
    octets = udh + octets
    mclass = request.integer(value("mclass") or b"")
    if 0 <= mclass < 4:
        data_coding = 0x10 | _GROUPS[data_coding] | mclass
    source_ton, source = _address(sender)
    dest_ton, destination = _address(receiver)
    whole = len(octets) < _SHORT
    service_type = (value("binfo") or b"")[:5]
    if b"\0" in service_type or len(octets) > _LONG:
        raise ValueError("no PDU holds it")
    return SubmitSm(
        service_type, source_ton, 1, source, dest_ton, 1, destination,
        int(EsmClass.UDHI) if udh else 0, data_coding=data_coding, short_message=octets if whole else b"",
        tlvs=b"" if whole else tlv.encode([(Tag.MESSAGE_PAYLOAD, octets)]),
    )  # fmt: skip


def _address(given: bytes) -> tuple[int, bytes]:
    """A plus is the type of number; octets that no address may have are an error."""
    number = given.removeprefix(b"+")
    if not number or len(number) > _ADDRESS or b"\0" in number:
        raise ValueError("address")
    return (Ton.INTERNATIONAL if number != given else Ton.UNKNOWN), number


def _is(given: bytes | None, password: bytes) -> bool:
    return given is not None and hmac.compare_digest(given, password)


def _bytes(said: str | None) -> bytes:
    return (said or "").encode(errors="surrogateescape")
