"""Write an order as a submit_sm, and measure what a text costs."""

import base64
import binascii
from datetime import datetime
from typing import Final, NamedTuple

from protocol import text, times, tlv, udh
from protocol.consts import DataCoding, EsmClass, Npi, RegisteredDelivery, Tag, Ton
from protocol.errors import LocalError, PduError
from protocol.pdus import SubmitSm
from routing.senders import kind_of
from smppgw import values
from smppgw.http.orders import Content, Order, Preview
from smppgw.http.problems import Problem

CODINGS: Final = {
    "gsm": int(DataCoding.DEFAULT),
    "ascii": int(DataCoding.ASCII),
    "latin1": int(DataCoding.LATIN1),
    "ucs2": int(DataCoding.UCS2),
}
_NAMES = {number: name for name, number in CODINGS.items()}
_DEFAULT, _UCS2, _BINARY = int(DataCoding.DEFAULT), int(DataCoding.UCS2), int(DataCoding.OCTETS)
_RECEIPTS: Final = {
    "none": 0,
    "final": int(RegisteredDelivery.FINAL),
    "failure": int(RegisteredDelivery.FAILURE_ONLY),
    "all": int(RegisteredDelivery.FINAL | RegisteredDelivery.INTERMEDIATE),
}
_TON_NPI: Final = {
    "short_code": (int(Ton.NETWORK_SPECIFIC), int(Npi.UNKNOWN)),
    "alphanumeric": (int(Ton.ALPHANUMERIC), int(Npi.UNKNOWN)),
    "long": (int(Ton.INTERNATIONAL), int(Npi.ISDN)),
}
LATE = 60.0
"""Seconds that a scheduled time may lie in the past: clocks differ."""


class Octets(NamedTuple):
    """A content as it goes on the wire, with its user data header."""

    octets: bytes
    data_coding: int
    esm_class: int
    parts: int


def wrong(field: str, why: str) -> Problem:
    """One field of the request is not valid."""
    return Problem(422, "The request is not valid", errors=[(field, why)])


def submit_of(order: Order, encoding: str, now: float) -> SubmitSm:
    """`encoding` is what data_coding 0 means to the account. Raises Problem."""
    said = octets_of(order, encoding)
    tlvs = [(values.tag(tag), values.tlv(value)) for tag, value in order.tlvs.items()]
    if len({tag for tag, _ in tlvs}) < len(tlvs):
        raise wrong("tlvs", "a tag is there twice")
    message, long = said.octets, said.parts > 1 or len(said.octets) > udh.MAX_SHORT_MESSAGE
    if long:
        # Whole, so that it stays one message with one id: its connector cuts it (long_messages), or the SMSC.
        message = b""
        tlvs.append((int(Tag.MESSAGE_PAYLOAD), said.octets))
    raw = tlv.encode(tlvs)
    try:
        tlv.check(raw)
    except PduError as error:
        raise wrong("tlvs", str(error)) from None
    ton, npi = (0, 0) if not order.sender else _TON_NPI[kind_of(order.sender)]
    plus = order.to.startswith("+")
    return SubmitSm(
        order.service_type.encode(), ton, npi, _address(order.sender, "from"),
        int(Ton.INTERNATIONAL) if plus else int(Ton.UNKNOWN), int(Npi.ISDN), _address(order.to, "to"),
        said.esm_class, 0, order.priority, _schedule(order, now), _validity(order, now),
        _RECEIPTS[order.receipt], 0, said.data_coding, 0, message, raw,
    )  # fmt: skip


def octets_of(content: Content, encoding: str) -> Octets:
    """Raises Problem."""
    given = [name for name in ("text", "hex", "base64") if getattr(content, name) is not None]
    if len(given) != 1:
        raise wrong(given[-1] if given else "text", "give exactly one of text, hex, base64")
    if content.text is not None:
        if content.udh is not None:
            raise wrong("udh", "a text has none: give hex or base64")
        octets, coding = _encoded(content, content.text, encoding)
        head = b""
    else:
        if content.coding != "auto":
            raise wrong("coding", "octets have none: give data_coding")
        octets, coding = _binary(content), _BINARY if content.data_coding is None else content.data_coding
        head = bytes.fromhex(content.udh or "")
    if head and head[0] != len(head) - 1:
        raise wrong("udh", f"its first octet says {head[0]} octets, and {len(head) - 1} follow")
    try:
        parts = len(udh.segments(head + octets, coding, encoding, udhi=bool(head)))
    except PduError as error:
        raise wrong(given[0], f"too long: {error.args[0]}; at most 255") from None
    if len(head + octets) > 0xFFFF:
        raise wrong(given[0], "too long: at most 65535 octets")
    if head and parts == 1 and text.units(octets, coding, encoding) > text.limit(coding, encoding, len(head)):
        # It says itself that it is a part (or its elements cannot be read): nobody may cut it, and it fits no message.
        raise wrong(given[0], "too long: with its udh it is one short message, of at most 140 octets")
    return Octets(head + octets, coding, int(EsmClass.UDHI) if head else 0, parts)


def preview(content: Content, encoding: str) -> Preview:
    """Raises Problem."""
    said = octets_of(content, encoding)
    head = bytes.fromhex(content.udh or "")
    body = said.octets[len(head) :]
    coding, wide = said.data_coding, text.alphabet(said.data_coding, encoding).keep
    unit = 2 if coding == _UCS2 else 1
    used = text.units(body, coding, encoding)
    room = text.limit(coding, encoding, len(head) if said.parts == 1 else 6 + max(len(head) - 1, 0))
    last = used
    if said.parts > 1:
        last = text.units(udh.split(body, room, keep=wide)[-1], coding, encoding)
    words = content.text or ""
    lacking = _lacking(words, encoding) if coding == _UCS2 else []
    plain = text.transliterate(words) if lacking and encoding == "gsm0338" else None
    return Preview(
        coding=_NAMES.get(coding, "text" if content.text is not None else "binary"), data_coding=coding,
        characters=len(words), octets=len(said.octets), parts=said.parts, per_part=room // unit,
        left=(room - last) // unit, forces_ucs2=lacking, plain=plain,
        plain_parts=None if plain is None else len(udh.segments(text.encode(plain, 0, encoding), 0, encoding)),
    )  # fmt: skip


def _lacking(words: str, encoding: str) -> list[str]:
    found = []
    for char in dict.fromkeys(words):
        try:
            text.encode(char, _DEFAULT, encoding)
        except UnicodeEncodeError:
            found.append(char)
    return found


def _encoded(content: Content, words: str, encoding: str) -> tuple[bytes, int]:
    if content.data_coding is not None:
        if content.coding != "auto":
            raise wrong("data_coding", "give coding or data_coding, not both")
        coding, field = content.data_coding, "data_coding"
        if text.is_binary(coding):
            raise wrong(field, f"{coding} is for octets: give hex or base64, or another coding")
    elif content.coding == "auto":
        try:
            return text.encode(words, _DEFAULT, encoding), _DEFAULT
        except UnicodeEncodeError:
            coding, field = _UCS2, "text"
    else:
        coding, field = CODINGS[content.coding], "coding"
    try:
        return text.encode(words, coding, encoding), coding
    except UnicodeEncodeError as error:
        char = error.object[error.start]
        raise wrong(field, f"it has no U+{ord(char):04X}, character {error.start + 1} of the text") from None


def _binary(content: Content) -> bytes:
    if content.hex is not None:
        return bytes.fromhex(content.hex)
    try:
        return base64.b64decode((content.base64 or "").encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise wrong("base64", "it is no base64") from None


def _address(said: str, field: str) -> bytes:
    octets = said.removeprefix("+").encode()
    if len(octets) > 20:
        raise wrong(field, "at most 20 characters")
    return octets


def _schedule(order: Order, now: float) -> bytes:
    if order.schedule is None:
        return b""
    try:
        when = datetime.fromisoformat(order.schedule.upper().replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        raise wrong("schedule", "no such time") from None
    if when < now - LATE:
        raise wrong("schedule", "it is past")
    if order.validity is not None and now + order.validity <= when:
        raise wrong("validity", "it ends before the message may go")
    try:
        return times.absolute(when)
    except LocalError as error:
        raise wrong("schedule", str(error)) from None


def _validity(order: Order, now: float) -> bytes:
    return b"" if order.validity is None else times.absolute(now + order.validity)
