"""Concatenated messages: a text cut into parts by user data header, SAR or message_payload, and joined again."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Literal, NamedTuple

from protocol.consts import EsmClass, Status, Tag
from protocol.errors import LocalError, PduError
from protocol.text import NOTHING, PAIRS, Keep, alphabet, limit, units

CONCATENATED_8 = 0x00
CONCATENATED_16 = 0x08
MAX_PARTS = 255
MAX_SHORT_MESSAGE = 254
"""Octets that sm_length may name (5.2.21)."""

How = Literal["udh8", "udh16", "sar", "payload"]
Element = tuple[int, bytes]
Tlvs = tuple[tuple[int, bytes], ...]

_UDHI = int(EsmClass.UDHI)
_HEADER_OF: dict[str, int] = {"udh8": 6, "udh16": 7, "sar": 6, "payload": 0}


class Part(NamedTuple):
    """Which piece of which concatenated message this is; `number` counts from 1."""

    reference: int
    total: int
    number: int
    wide: bool
    """The reference has 16 bits: another name space than that of 8 bits."""


class Segment(NamedTuple):
    """What one submit_sm of a longer text carries."""

    esm_class: int
    """Bits to set: UDHI or nothing."""
    short_message: bytes
    tlvs: Tlvs = ()


def part_of(esm_class: int, short_message: bytes, sar: Mapping[int, bytes] | None = None) -> Part | None:
    """None for a whole message and for a header that makes no sense (GSM 03.40, 9.2.3.24.1). Never raises.

    `short_message` is wherever the text is: short_message or message_payload. `sar` are the PDU's TLVs.
    """
    if esm_class & _UDHI:
        part = _of_header(short_message)
        if part is not None:
            return part
    return _of_tlvs(sar) if sar else None


def _of_header(octets: bytes) -> Part | None:
    if octets[:3] == b"\x05\x00\x03" and len(octets) >= 6:  # what nearly everybody sends
        return _sensible(octets[3], octets[4], octets[5], False)
    try:
        found, _ = elements(octets)
    except PduError:
        return None
    part = None
    for identifier, value in found:  # a repeated element: the last one counts (GSM 03.40, 9.2.3.24)
        if identifier == CONCATENATED_8 and len(value) == 3:
            part = _sensible(value[0], value[1], value[2], False)
        elif identifier == CONCATENATED_16 and len(value) == 4:
            part = _sensible(value[0] << 8 | value[1], value[2], value[3], True)
    return part


def _of_tlvs(tlvs: Mapping[int, bytes]) -> Part | None:
    reference = tlvs.get(Tag.SAR_MSG_REF_NUM)
    if reference is None:
        return None
    total, number = tlvs.get(Tag.SAR_TOTAL_SEGMENTS, b""), tlvs.get(Tag.SAR_SEGMENT_SEQNUM, b"")
    if len(reference) != 2 or len(total) != 1 or len(number) != 1:
        return None
    return _sensible(int.from_bytes(reference, "big"), total[0], number[0], True)


def _sensible(reference: int, total: int, number: int, wide: bool) -> Part | None:
    return Part(reference, total, number, wide) if 1 <= number <= total else None


def elements(short_message: bytes) -> tuple[list[Element], bytes]:
    """The information elements of a message with UDHI set, and the text behind them.

    Raises PduError (RINVESMCLASS: esm_class promises a header that is not there) where the header is cut.
    """
    if not short_message or short_message[0] >= len(short_message):
        raise PduError("user data header is cut", Status.RINVESMCLASS)
    end = short_message[0] + 1
    found = []
    at = 1
    while at < end:
        value = at + 2
        following = value + short_message[at + 1] if value <= end else end + 1
        if following > end:
            raise PduError("an element of the user data header is cut", Status.RINVESMCLASS)
        found.append((short_message[at], short_message[value:following]))
        at = following
    return found, short_message[end:]


def header(elements: Sequence[Element]) -> bytes:
    """The user data header with its length octet; nothing where there are no elements."""
    if not elements:
        return b""
    body = b"".join(bytes((identifier, len(value))) + value for identifier, value in elements)
    if len(body) > 255:
        raise LocalError("a user data header holds 255 octets")
    return bytes((len(body),)) + body


def text_of(esm_class: int, short_message: bytes) -> bytes:
    """The text without its user data header; a header that is cut is taken for text. Never raises."""
    if esm_class & _UDHI and short_message and short_message[0] < len(short_message):
        return short_message[short_message[0] + 1 :]
    return short_message


def split(octets: bytes, limit: int, *, keep: Keep = NOTHING) -> list[bytes]:
    """At most `limit` units in each piece, in order; nothing that `keep` names is torn apart.

    A character that is itself longer than `limit` is a mistake of the caller. No octets are one empty piece.
    """
    if limit < (4 if keep is PAIRS else 1 if keep is NOTHING else 2):
        raise LocalError(f"no room for one character in {limit} octets")
    pieces = []
    start = 0
    while len(octets) - start > limit or (keep.what == "doubles" and _doubled(octets[start:]) > limit):
        cut = _cut(octets, start, limit, keep)
        pieces.append(octets[start:cut])
        start = cut
    pieces.append(octets[start:])
    return pieces


def _doubled(octets: bytes) -> int:
    return units(octets, 0, "latin1")


def _cut(octets: bytes, start: int, limit: int, keep: Keep) -> int:
    """The last place at most `limit` units after `start` where a character ends."""
    cut = start + limit
    match keep.what:
        case "escapes":
            before = octets[start:cut]
            # Escapes pair up from the left; an odd one at the end waits for its character.
            return cut - (len(before) - len(before.rstrip(b"\x1b"))) % 2
        case "doubles":
            while _doubled(octets[start:cut]) > limit:
                cut -= 1
        case "pairs":
            cut -= limit & 1
            if octets[cut - 2] & 0xFC == 0xD8 and len(octets) > cut and octets[cut] & 0xFC == 0xDC:
                cut -= 2
        case "characters":
            at = start
            while at <= start + limit:
                cut = at
                at += 2 if at < len(octets) and octets[at] in keep.lead else 1
        case _:
            pass
    return cut


def segments(
    octets: bytes,
    data_coding: int,
    default: str = "gsm0338",
    how: How = "udh8",
    reference: int = 0,
    *,
    udhi: bool = False,
) -> list[Segment]:
    """What to submit for a text of any length, wherever it came from; one that fits a short message stays one.

    With `udhi` the octets begin with a user data header; its elements go into every segment. A part of a concatenated
    message, or a header that is cut, is never split: it stays one segment, in message_payload if it must.
    Raises PduError (RINVMSGLEN) for a text of more than 255 parts.
    """
    others: list[Element] = []
    text = octets
    if udhi:
        try:
            others, text = elements(octets)
        except PduError:
            return [_whole(octets, _UDHI)]
    bits = _UDHI if udhi else 0
    if any(identifier in (CONCATENATED_8, CONCATENATED_16) for identifier, _ in others):
        return [_whole(octets, bits)]
    taken = len(octets) - len(text)
    if units(text, data_coding, default) <= limit(data_coding, default, taken):
        return [_whole(octets, bits)]
    if how == "payload":
        return [Segment(bits, b"", ((Tag.MESSAGE_PAYLOAD, octets),))]
    # The length octet of the header is counted once; SAR becomes the 8-bit element on the air.
    room = limit(data_coding, default, taken + _HEADER_OF[how] - (1 if taken else 0))
    if room < 4:
        raise PduError("the user data header leaves no room for text", Status.RINVMSGLEN)
    pieces = split(text, room, keep=alphabet(data_coding, default).keep)
    total = len(pieces)
    if total > MAX_PARTS:
        raise PduError(f"the text takes {total} parts", Status.RINVMSGLEN)
    if how == "sar":
        before = header(others)
        bits = _UDHI if before else 0  # a header of no elements is gone
        return [Segment(bits, before + piece, _sar(reference, total, number)) for number, piece in enumerate(pieces, 1)]
    return [
        Segment(_UDHI, header([_concatenated(how, reference, total, number), *others]) + piece)
        for number, piece in enumerate(pieces, 1)
    ]


def _whole(octets: bytes, bits: int) -> Segment:
    if len(octets) > MAX_SHORT_MESSAGE:
        return Segment(bits, b"", ((Tag.MESSAGE_PAYLOAD, octets),))
    return Segment(bits, octets)


def _concatenated(how: How, reference: int, total: int, number: int) -> Element:
    if how == "udh16":
        return CONCATENATED_16, bytes((reference >> 8 & 0xFF, reference & 0xFF, total, number))
    return CONCATENATED_8, bytes((reference & 0xFF, total, number))


def _sar(reference: int, total: int, number: int) -> Tlvs:
    return (
        (Tag.SAR_MSG_REF_NUM, (reference & 0xFFFF).to_bytes(2, "big")),
        (Tag.SAR_TOTAL_SEGMENTS, bytes((total,))),
        (Tag.SAR_SEGMENT_SEQNUM, bytes((number,))),
    )


class Gathering:
    """The parts of one message that have come so far."""

    __slots__ = ("parts", "since", "total")

    def __init__(self, total: int, since: float) -> None:
        self.total = total
        self.since = since
        """When its first part came."""
        self.parts: dict[int, bytes] = {}

    def whole(self) -> bytes | None:
        """The joined text once every part is there."""
        if len(self.parts) < self.total:
            return None
        return b"".join(self.parts[number] for number in range(1, self.total + 1))


class Joiner:
    """Puts concatenated messages together: parts in any order, from many senders at once.

    `sender` is whatever tells one sender's references from another's: account, source and destination. Parts of
    different totals are different messages. A repeated part changes nothing; a part that has come with another text
    means that its sender uses the reference again: what is left of the message before it is forgotten.
    """

    def __init__(self, max_open: int) -> None:
        self._max_open = max_open
        self._open: dict[tuple[Hashable, int, int, bool], Gathering] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, sender: Hashable, part: Part, text: bytes, now: float) -> bytes | None:
        """The joined text when `part` was the last one missing. `text` is without its user data header.

        Raises PduError (RMSGQFUL) for the first part of one message more than `max_open`.
        """
        key = (sender, part.reference, part.total, part.wide)
        gathering = self._open.get(key)
        if gathering is None or gathering.parts.get(part.number, text) != text:
            if gathering is None and len(self._open) >= self._max_open:
                raise PduError("too many messages wait for their parts", Status.RMSGQFUL)
            gathering = self._open[key] = Gathering(part.total, now)
        gathering.parts[part.number] = text
        joined = gathering.whole()
        if joined is not None:
            del self._open[key]
        return joined

    def expire(self, before: float) -> list[Gathering]:
        """Forgets and returns what has waited for a part since before that time."""
        late = [key for key, gathering in self._open.items() if gathering.since < before]
        return [self._open.pop(key) for key in late]
