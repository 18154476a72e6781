"""Delivery receipts: every dialect of their text in, one canonical form out."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from protocol import tlv
from protocol.consts import MessageState, Tag

FORMS: Final = ("auto", "string", "hex", "decimal")
"""How an upstream spells its message ids: the values of every argument of type Form."""

Form = Literal["auto", "string", "hex", "decimal"]

MAX_TEXT = 20
"""Octets of the message that a receipt repeats (appendix B)."""

MAX_ERR = 20
"""Octets of an upstream's err that a receipt repeats; the specification has 3, some carriers have words."""


class Receipt(NamedTuple):
    """What a receipt says. None and b"" stand for what it does not say."""

    id: bytes
    """As it came: case and leading zeros kept."""
    state: MessageState | None = None
    err: bytes = b""
    submitted: float | None = None
    """Epoch seconds; the texts have no time zone, so this takes them for UTC."""
    done: float | None = None
    sub: int | None = None
    dlvrd: int | None = None
    text: bytes = b""
    network_error: bytes | None = None
    """The network_error_code TLV: a type and two octets of code."""


class Quoted(Receipt):
    """A receipt with what it came in, for those who pass that on."""

    words: bytes = b""
    """The whole text."""
    values: Mapping[int, bytes] = {}
    """Its TLVs."""


_NAMES: dict[MessageState, bytes] = {
    MessageState.SCHEDULED: b"ENROUTE",  # of SMPP 5.0; texts have no word for it
    MessageState.ENROUTE: b"ENROUTE",
    MessageState.DELIVERED: b"DELIVRD",
    MessageState.EXPIRED: b"EXPIRED",
    MessageState.DELETED: b"DELETED",
    MessageState.UNDELIVERABLE: b"UNDELIV",
    MessageState.ACCEPTED: b"ACCEPTD",
    MessageState.UNKNOWN: b"UNKNOWN",
    MessageState.REJECTED: b"REJECTD",
}
_SPELLINGS: dict[MessageState, bytes] = {
    MessageState.SCHEDULED: b"SCHEDULED 0",
    MessageState.ENROUTE: b"ENROUTE ENROUT BUFFERED BUFFERD BUFFRED BUFFED SENT SUBMITTED SUBMITD QUEUED "
    b"PENDING RETRY 1",
    MessageState.DELIVERED: b"DELIVRD DELIVERED DELIVERD DELIVRED DELIVER DELIVERY DELIVERY_OK DLVRD SUCCESS OK 2",
    MessageState.EXPIRED: b"EXPIRED EXPIRD TIMEOUT 3",
    MessageState.DELETED: b"DELETED DELETD CANCELED CANCELLED 4",
    MessageState.UNDELIVERABLE: b"UNDELIV UNDELIVERABLE UNDELIVERED UNDELIVERD UNDELIVRD UNDLVRD UNDLV FAILED FAIL "
    b"FAILURE ERROR NOTDELIVERED NONDELIVRD SKIPPED 5",
    MessageState.ACCEPTED: b"ACCEPTD ACCEPTED ACCEPT ACKED 6",
    MessageState.UNKNOWN: b"UNKNOWN UNKNOWM UNKN 7",
    MessageState.REJECTED: b"REJECTD REJECTED REJECT REJCTD REJ BLOCKED 8",
}
_STATES: dict[bytes, MessageState] = {name: state for state, names in _SPELLINGS.items() for name in names.split()}
_BY_NUMBER: dict[bytes, MessageState] = {bytes((state,)): state for state in MessageState}

_STATE_TLVS = {state: tlv.encode([(Tag.MESSAGE_STATE, bytes((state,)))]) for state in MessageState}

_ORDINARY = re.compile(
    rb"id:([^\s:]+) (?:sub:(\d{1,5}) dlvrd:(\d{1,5}) )?submit date:(\d{10,14}) done date:(\d{10,14})"
    rb" stat:([A-Z]+) err:(\w+)(?: [Tt]ext:|[\s\0]*\Z)"
)
_KEY = re.compile(
    rb"(?:^|(?<=[\s,;|\0]))(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat|err|text)[ \t]*[:=]", re.IGNORECASE
)
_PADDING = b"\0 \t\r\n"


def parse(text: bytes, tlvs: Mapping[int, bytes] | None = None) -> Receipt | None:
    """None where nothing names a message. Never raises.

    `text` is wherever the text is: short_message or message_payload. receipted_message_id and message_state win over
    it, or stand alone. A state that nobody knows is None, so that no word of a carrier ends a message by chance.
    """
    found = _ORDINARY.match(text)
    if found is None:
        receipt = _any_order(text)
    else:
        id, sub, dlvrd, submitted, done, stat, err = found.groups()
        receipt = Receipt(
            id,
            _STATES.get(stat),
            err,
            _epoch(submitted),
            _epoch(done),
            None if sub is None else int(sub),
            None if dlvrd is None else int(dlvrd),
            text[found.end() :].rstrip(b"\0"),
        )
    if tlvs:
        receipt = _with_tlvs(receipt, tlvs)
    return receipt if receipt.id else None


def _with_tlvs(receipt: Receipt, tlvs: Mapping[int, bytes]) -> Receipt:
    id = tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b"").strip(_PADDING) or receipt.id
    state = _BY_NUMBER.get(tlvs.get(Tag.MESSAGE_STATE, b""), receipt.state)
    code = tlvs.get(Tag.NETWORK_ERROR_CODE)
    err = receipt.err
    # The type is 1 to 8; some carriers put digits into the three octets, and those say nothing that the text does not.
    if not err and code is not None and len(code) == 3 and code[0] <= 8:
        err = b"%03d" % int.from_bytes(code[1:], "big")
    _, _, _, submitted, done, sub, dlvrd, text, _ = receipt
    return Receipt(id, state, err, submitted, done, sub, dlvrd, text, code)


def _any_order(text: bytes) -> Receipt:
    """Fields in any order, any case, with or without their neighbours."""
    text = text.removeprefix(b"\xfe\xff")
    if text[:1] == b"\0" and text[1:2].isalpha():  # UCS-2: every key and value of interest is ASCII
        text = text.decode("utf-16-be", "replace").encode("latin-1", "replace")
    fields: dict[bytes, bytes] = {}
    last, start = b"", 0
    for found in _KEY.finditer(text):
        if last == b"text" and b"stat" in fields:
            break  # what looks like a field in there was written by a person
        if last:
            fields.setdefault(last, text[start : found.start()])
        last, start = found[1].lower().replace(b" ", b"").replace(b"_", b""), found.end()
    if last:
        fields.setdefault(last, text[start:])
    said = fields.pop(b"text", b"")
    value = {key: _token(field) for key, field in fields.items()}.get
    return Receipt(
        value(b"id", b""),
        _state(value(b"stat", b"")),
        value(b"err", b""),
        _date(fields.get(b"submitdate", b"")),
        _date(fields.get(b"donedate", b"")),
        _count(value(b"sub", b"")),
        _count(value(b"dlvrd", b"")),
        said.rstrip(b"\0"),
    )


def _token(field: bytes) -> bytes:
    """The value of a field; what follows a space belongs to a field that we do not know."""
    words = field.strip(_PADDING + b",;|").split(None, 1)
    if not words or (field[:1].isspace() and b":" in words[0]):
        return b""
    return words[0].rstrip(b",;|\0")


def _state(name: bytes) -> MessageState | None:
    return _STATES.get(name.upper())


def _count(digits: bytes) -> int | None:
    return int(digits) if digits.isdigit() and len(digits) <= 9 else None


def _date(field: bytes) -> float | None:
    """Of 10, 12 or 14 digits, whatever stands between them."""
    words = field.split()
    digits = re.sub(rb"\D", b"", words[0]) if words else b""
    if len(digits) < 10 and len(words) > 1:  # "2015-05-08 14:40:58"
        digits += re.sub(rb"\D", b"", words[1])
    return _epoch(digits)


@lru_cache(maxsize=4096)
def _epoch(digits: bytes) -> float | None:
    """YYMMDDhhmm, YYMMDDhhmmss (or YYYYMMDDhhmm where that is no date), YYYYMMDDhhmmss."""
    match len(digits):
        case 10:
            return _moment(b"20" + digits + b"00")
        case 12:
            short = _moment(b"20" + digits)
            return _moment(digits + b"00") if short is None else short
        case 14:
            return _moment(digits)
    return None


_1970 = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(digits: bytes) -> float | None:
    year, rest = int(digits[:4]), [int(digits[at : at + 2]) for at in range(4, 14, 2)]
    try:
        moment = datetime(year, rest[0], rest[1], rest[2], rest[3], rest[4], tzinfo=UTC)
    except ValueError:
        return None
    return (moment - _1970).total_seconds()


def state_name(state: MessageState) -> bytes:
    """The word for it after `stat:`."""
    return _NAMES[state]


@lru_cache(maxsize=4096)
def _minute(minutes: int) -> bytes:
    try:
        return (_1970 + timedelta(minutes=minutes)).strftime("%y%m%d%H%M").encode()
    except OverflowError:
        return b"7001010000"


def form(receipt: Receipt) -> bytes:
    """The canonical text (appendix B), which every ESME reads: 10-digit dates in UTC, numbers of 3 digits.

    A missing date is the other one, a missing state UNKNOWN, missing counts those of one short message.
    """
    id, state, err, submitted, done, sub, dlvrd, text, _ = receipt
    if done is None:
        done = submitted or 0.0
    if submitted is None:
        submitted = done
    if not err:
        err = b"000"
    elif len(err) != 3:
        err = err[:MAX_ERR]
        if err.isdigit():
            err = b"%03d" % int(err)
    return b"id:%b sub:%03d dlvrd:%03d submit date:%b done date:%b stat:%b err:%b text:%b" % (
        id,
        1 if sub is None else sub,
        dlvrd if dlvrd is not None else state == MessageState.DELIVERED,
        _minute(int(submitted // 60)),
        _minute(int(done // 60)),
        b"UNKNOWN" if state is None else _NAMES[state],
        err,
        text[:MAX_TEXT],
    )


def tlvs(receipt: Receipt) -> bytes:
    """The same for who reads TLVs."""
    octets = tlv.one(Tag.RECEIPTED_MESSAGE_ID, receipt.id + b"\0")
    if receipt.state is not None:
        octets += _STATE_TLVS[receipt.state]
    if receipt.network_error is not None:
        octets += tlv.one(Tag.NETWORK_ERROR_CODE, receipt.network_error)
    return octets


MAX_ID = 64
"""Octets of an id that may still be a number (5.2.23)."""


def _number(id: bytes, base: int) -> int | None:
    """Without the signs, spaces and underscores that `int` alone would take."""
    digits = b"0123456789abcdefABCDEF" if base == 16 else b"0123456789"
    return int(id, base) if id and len(id) <= MAX_ID and not id.translate(None, digits) else None


def key(id: bytes, form: Form = "auto") -> bytes:
    """Under what the id of a submit_sm_resp is kept, so that `candidates` of the receipt's id find it.

    "string" keeps it as it is; "auto" folds case and strips leading zeros; "hex" and "decimal" make a number of it,
    and where it is none, do as "auto".
    """
    if form == "string":
        return id
    if form != "auto":
        number = _number(id, 16 if form == "hex" else 10)
        if number is not None:
            return b"%d" % number
    return id.lower().lstrip(b"0") or id[:1]


def candidates(id: bytes, form: Form = "auto", stored: Form = "auto") -> tuple[bytes, ...]:
    """The keys under which the message of a receipt may be kept, the likeliest first.

    `form` is how receipts spell ids, `stored` how the submit_sm_resp did (what `key` was given). Where both are fixed
    there is one. Where one is "auto" those behind the first are guesses, and a guess can name another message: look it
    up only after the first has had the time to appear (its submit_sm_resp may still be under way).
    """
    exact = key(id, stored)
    if "string" in (form, stored) or form == stored != "auto":
        return (exact,)
    decimal = None if form == "hex" else _number(id, 10)
    hexadecimal = None if form == "decimal" else _number(id, 16)
    if stored == "auto":
        keys = [exact]
        if decimal is not None:
            keys.append(b"%x" % decimal)
        if hexadecimal is not None:
            keys.append(b"%d" % hexadecimal)
    else:
        numbers = (hexadecimal, decimal) if stored == "hex" else (decimal, hexadecimal)
        keys = [b"%d" % number for number in numbers if number is not None] or [exact]
    return tuple(dict.fromkeys(keys))
