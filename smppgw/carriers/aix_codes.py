"""What the numbers of AIX mean: response codes, states of a message, and the five digits of a failure."""

import re
from calendar import timegm
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from protocol.consts import MessageState, Status
from protocol.receipt import Receipt
from smppgw.carriers.contract import Answer, later, never

REQUIRED: Final = 100
INVALID: Final = 110
TOO_LONG: Final = 120
ALREADY_SENT: Final = 130
PAST: Final = 140
QUOTA: Final = 300
SYSTEM_ERROR: Final = 500
KNOWN: Final = frozenset({REQUIRED, INVALID, TOO_LONG, ALREADY_SENT, PAST, QUOTA, SYSTEM_ERROR})
"""The rest are refusals too, as AIX says of whatever is above 0."""

BLAMED: Final[Mapping[str, Status]] = {
    "phonenumber": Status.RINVDSTADR,
    "message": Status.RINVMSGLEN,
    "messagedo": Status.RINVMSGLEN,
    "messageau": Status.RINVMSGLEN,
    "messagesb": Status.RINVMSGLEN,
    "messagerm": Status.RINVMSGLEN,
    "scheduletime": Status.RINVSCHED,
}
"""Fields that are about one text. The others come from the config: a wrong one is wrong for every text."""

_FIELD = re.compile(r"(?:required|invalid|past)\s+([\w ]+?)\s*\.?\s*\Z|\A\s*([\w ]+?)\s+too\s+long", re.IGNORECASE)


def refusal(code: int, message: str, quota_wait: float) -> Answer:
    """What a `responseCode` that is neither 0 nor "duplicate" means. The message names the field, as in
    "Invalid phoneNumber."."""
    word = str(code)
    if code in {REQUIRED, INVALID, TOO_LONG}:
        field = field_of(message)
        blamed = BLAMED.get(field.rstrip("0123456789"))
        if code == TOO_LONG:
            longer = Status.RINVMSGLEN if blamed is Status.RINVMSGLEN else Status.RINVPARLEN
            return never(longer, message, code=word)
        if blamed is not None:
            return never(blamed, message, code=word)
        ours = Status.RINVSRCADR if field == "smscode" else Status.RSYSERR
        return later(ours, message, code=word, alarm=True)
    if code == QUOTA:
        return later(Status.RMSGQFUL, message, code=word, wait=quota_wait)
    if code == SYSTEM_ERROR:
        return later(Status.RSYSERR, message, code=word)
    return never(_OTHER.get(code, Status.RSUBMITFAIL), message, code=word)


_OTHER: Final[Mapping[int, Status]] = {ALREADY_SENT: Status.RCANCELFAIL, PAST: Status.RINVSCHED}


def field_of(message: str) -> str:
    """The field that a message of refusal names, in lower case without spaces; empty: none."""
    found = _FIELD.search(message)
    return "".join((found[1] or found[2]).lower().split()) if found else ""


# Receipts

_UNKNOWN, _SENDING, _DELIVERED, _FAILED = "0123"
_NON_DIGITS = re.compile(r"[^0-9]+")
_NETWORK = b"\x03"
"""The network type of network_error_code: GSM (SMPP 3.4, 5.3.2.31), the nearest to what carriers of Japan run."""


def receipt(id: bytes, event: Mapping[str, object], states: Mapping[str, MessageState], east: float) -> Receipt | None:
    """Of one event of a notification or of a status look-up; None where it says nothing that can be used.

    `states` says what failures mean, by all five digits or the last three. Times are `east` seconds ahead of UTC.
    """
    status = word(event.get("statusId"))
    if status not in {_SENDING, _DELIVERED, _FAILED}:
        return None  # 0 is "unknown": AIX may know later
    if status == _SENDING:
        return Receipt(id, MessageState.ENROUTE)
    done = moment(word(event.get("dateTime")), east)
    if status == _DELIVERED:
        return Receipt(id, MessageState.DELIVERED, b"000", done=done)
    detail = word(event.get("detailedStatusId"))
    if not (detail.isascii() and detail.isdigit()):
        return Receipt(id, MessageState.UNDELIVERABLE, done=done)
    state = states.get(detail) or states.get(detail[-3:]) or MessageState.UNDELIVERABLE
    number = int(detail[-5:])
    whole = _NETWORK + number.to_bytes(2, "big") if len(detail) == 5 and number <= 0xFFFF else None
    return Receipt(id, state, detail[-3:].rjust(3, "0").encode(), done=done, network_error=whole)


def word(value: object) -> str:
    """A scalar of JSON or XML as text: AIX writes the same field now as a string, now as a number."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int) else ""


def moment(text: str, east: float) -> float | None:
    """Epoch seconds of "2023/01/01 12:30:00" or "20230101 123030123", whatever stands between the digits."""
    digits = _NON_DIGITS.sub("", text)
    if len(digits) not in {14, 17}:
        return None
    try:
        when = datetime(
            int(digits[:4]),
            int(digits[4:6]),
            int(digits[6:8]),
            int(digits[8:10]),
            int(digits[10:12]),
            int(digits[12:14]),
        )
    except ValueError:
        return None
    return timegm(when.timetuple()) + int(digits[14:] or 0) / 1000 - east
