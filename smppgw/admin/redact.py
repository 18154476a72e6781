"""Take texts and passwords out of a PDU, and leave all the rest as it was on the wire."""

import struct

from protocol.consts import Command, EsmClass, Tag
from protocol.wire import frame

REDACTED = b"redacted"
_BINDS = frozenset(
    map(int, (Command.BIND_TRANSMITTER, Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER, Command.OUTBIND))
)
"""What begins with a system_id and a password."""
_MESSAGES = frozenset(map(int, (Command.SUBMIT_SM, Command.DELIVER_SM)))
_RECEIPTS = (int(EsmClass.RECEIPT), int(EsmClass.INTERMEDIATE))
_UDHI = int(EsmClass.UDHI)
_PAYLOAD = int(Tag.MESSAGE_PAYLOAD)
_MASK = b"x"


class _Cut(Exception):
    """The body ends before its fields do."""


def redact(octets: bytes, *, bodies: bool, passwords: bool) -> bytes:
    """One whole PDU, without what was not asked for. One that cannot be read loses its whole body."""
    _, command, status, sequence = struct.unpack_from(">IIII", octets)
    body = octets[16:]
    try:
        if command in _BINDS and not passwords:
            return frame(command, status, sequence, _bind(body))
        if not bodies and body:
            return octets[:16] + _texts(command, body)
    except _Cut:
        return octets[:16] + _MASK * len(body)
    return octets


def _texts(command: int, body: bytes) -> bytes:
    if command in _MESSAGES:
        return _message(body)
    if command == Command.DATA_SM:
        at = _addresses(body, _strings(body, 0, 1), 2)
        return body[: at + 3] + _tlvs(body[at + 3 :], body[at] if at < len(body) else 0)
    if command == Command.SUBMIT_MULTI:
        return _multi(body)
    if command == Command.REPLACE_SM:
        at = _strings(body, 0, 1) + 2  # message_id, then the source
        at = _strings(body, at, 3) + 2
        return _short(body, at, 0)
    return body


def _bind(body: bytes) -> bytes:
    start = _strings(body, 0, 1)
    end = _strings(body, start, 1)
    return body[:start] + (REDACTED if end - start > 1 else b"") + b"\0" + body[end:]


def _message(body: bytes) -> bytes:
    at = _addresses(body, _strings(body, 0, 1), 2)
    return _short(body, _strings(body, at + 3, 2) + 4, _octet(body, at))


def _multi(body: bytes) -> bytes:
    at = _addresses(body, _strings(body, 0, 1), 1)
    count = _octet(body, at)
    at += 1
    for _ in range(count):
        at = _addresses(body, at + 1, 1) if _octet(body, at) == 1 else _strings(body, at + 1, 1)
    return _short(body, _strings(body, at + 3, 2) + 4, _octet(body, at))


def _short(body: bytes, at: int, esm_class: int) -> bytes:
    """short_message with its length at `at`, and what follows."""
    start = at + 1
    end = start + _octet(body, at)
    if end > len(body):
        raise _Cut
    return body[:start] + _masked(body[start:end], esm_class) + _tlvs(body[end:], esm_class)


def _masked(text: bytes, esm_class: int) -> bytes:
    """A header and a receipt's words stay; a receipt's `text:` does not."""
    keep = 0
    if esm_class & _UDHI and text:
        keep = min(len(text), text[0] + 1)
    elif esm_class & 0x3C in _RECEIPTS:
        found = text.lower().find(b"text:")
        keep = len(text) if found < 0 else found + 5
    return text[:keep] + _MASK * (len(text) - keep)


def _tlvs(octets: bytes, esm_class: int) -> bytes:
    parts = []
    at = 0
    while at + 4 <= len(octets):
        tag, size = struct.unpack_from(">HH", octets, at)
        value = octets[at + 4 : at + 4 + size]
        parts += [octets[at : at + 4], _masked(value, esm_class) if tag == _PAYLOAD else value]
        at += 4 + size
    return b"".join([*parts, octets[at:]])


def _addresses(body: bytes, at: int, count: int) -> int:
    """Behind so many of TON, NPI and address."""
    for _ in range(count):
        at = _strings(body, at + 2, 1)
    return at


def _strings(body: bytes, at: int, count: int) -> int:
    """Behind so many C-octet strings."""
    for _ in range(count):
        end = body.find(b"\0", at)
        if end < 0:
            raise _Cut
        at = end + 1
    return at


def _octet(body: bytes, at: int) -> int:
    if at >= len(body):
        raise _Cut
    return body[at]
