"""Optional parameters: tag, length, value (SMPP 3.4, 3.2.4).

They stay the octets that came until somebody asks for one; unknown and vendor tags are kept byte for byte.
"""

from collections.abc import Iterable, Iterator
from struct import Struct, error

from protocol.consts import Status, Tag
from protocol.errors import LocalError, PduError

_HEAD = Struct(">HH")
_head = _HEAD.unpack_from

LENGTHS: dict[int, tuple[int, int]] = {
    Tag.DEST_ADDR_SUBUNIT: (1, 1),
    Tag.DEST_NETWORK_TYPE: (1, 1),
    Tag.DEST_BEARER_TYPE: (1, 1),
    Tag.DEST_TELEMATICS_ID: (2, 2),
    Tag.SOURCE_ADDR_SUBUNIT: (1, 1),
    Tag.SOURCE_NETWORK_TYPE: (1, 1),
    Tag.SOURCE_BEARER_TYPE: (1, 1),
    Tag.SOURCE_TELEMATICS_ID: (1, 1),
    Tag.QOS_TIME_TO_LIVE: (4, 4),
    Tag.PAYLOAD_TYPE: (1, 1),
    Tag.ADDITIONAL_STATUS_INFO_TEXT: (1, 256),
    Tag.RECEIPTED_MESSAGE_ID: (1, 65),
    Tag.MS_MSG_WAIT_FACILITIES: (1, 1),
    Tag.PRIVACY_INDICATOR: (1, 1),
    Tag.SOURCE_SUBADDRESS: (2, 23),
    Tag.DEST_SUBADDRESS: (2, 23),
    Tag.USER_MESSAGE_REFERENCE: (2, 2),
    Tag.USER_RESPONSE_CODE: (1, 1),
    Tag.SOURCE_PORT: (2, 2),
    Tag.DESTINATION_PORT: (2, 2),
    Tag.SAR_MSG_REF_NUM: (2, 2),
    Tag.LANGUAGE_INDICATOR: (1, 1),
    Tag.SAR_TOTAL_SEGMENTS: (1, 1),
    Tag.SAR_SEGMENT_SEQNUM: (1, 1),
    Tag.SC_INTERFACE_VERSION: (1, 1),
    Tag.CALLBACK_NUM_PRES_IND: (1, 1),
    Tag.CALLBACK_NUM_ATAG: (0, 65),
    Tag.NUMBER_OF_MESSAGES: (1, 1),
    Tag.CALLBACK_NUM: (4, 19),
    Tag.DPF_RESULT: (1, 1),
    Tag.SET_DPF: (1, 1),
    Tag.MS_AVAILABILITY_STATUS: (1, 1),
    Tag.NETWORK_ERROR_CODE: (3, 3),
    Tag.MESSAGE_PAYLOAD: (0, 65535),
    Tag.DELIVERY_FAILURE_REASON: (1, 1),
    Tag.MORE_MESSAGES_TO_SEND: (1, 1),
    Tag.MESSAGE_STATE: (1, 1),
    Tag.USSD_SERVICE_OP: (1, 1),
    Tag.DISPLAY_TIME: (1, 1),
    Tag.SMS_SIGNAL: (2, 2),
    Tag.MS_VALIDITY: (1, 1),
    Tag.ALERT_ON_MESSAGE_DELIVERY: (0, 1),
    Tag.ITS_REPLY_TYPE: (1, 1),
    Tag.ITS_SESSION_INFO: (2, 2),
}
"""Octets that a known parameter may have (5.3.2)."""


def walk(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Each tag and value in order. A stream that is cut: PduError RINVOPTPARSTREAM, after the whole ones."""
    position, size = 0, len(raw)
    while position < size:
        if size - position < 4:
            raise PduError("an optional parameter is cut in its tag or length", Status.RINVOPTPARSTREAM)
        tag, length = _HEAD.unpack_from(raw, position)
        position += 4 + length
        if position > size:
            raise PduError(f"optional parameter 0x{tag:04X} is cut", Status.RINVOPTPARSTREAM)
        yield tag, raw[position - length : position]


def check(raw: bytes) -> None:
    """A cut stream is RINVOPTPARSTREAM, a known parameter of a wrong length is RINVPARLEN (5.1.3)."""
    position, size = 0, len(raw)
    while size - position >= 4:
        tag, length = _head(raw, position)
        position += 4 + length
        if tag in LENGTHS and position <= size:
            least, most = LENGTHS[tag]
            if not least <= length <= most:
                allowed = str(least) if least == most else f"{least} to {most}"
                raise PduError(f"{Tag(tag).name.lower()} has {length} octets, not {allowed}", Status.RINVPARLEN)
    if position != size:
        raise PduError("the optional parameters are cut", Status.RINVOPTPARSTREAM)


def parse(raw: bytes) -> dict[int, bytes]:
    """The parameters by tag; of a repeated one the first. Never raises: a cut one and what follows it are left out."""
    found: dict[int, bytes] = {}
    position, size = 0, len(raw)
    while size - position >= 4:
        tag, length = _head(raw, position)
        position += 4 + length
        if position > size:
            break
        if tag not in found:
            found[tag] = raw[position - length : position]
    return found


def find(raw: bytes, tag: int) -> bytes | None:
    """The first value of one tag."""
    return parse(raw).get(tag) if raw else None


def encode(pairs: Iterable[tuple[int, bytes]]) -> bytes:
    """The octets of tags and values, in the order given; what cannot be written raises LocalError."""
    return b"".join([one(tag, value) for tag, value in pairs])


def one(tag: int, value: bytes) -> bytes:
    """The octets of one parameter."""
    try:
        return _HEAD.pack(tag, len(value)) + value
    except error as reason:
        raise LocalError(f"a tag or the length of a value is out of its range ({reason})") from reason


def without(raw: bytes, *tags: int) -> bytes:
    """The octets with all parameters of these tags taken out; a cut one at the end stays as it came."""
    kept: list[bytes] = []
    position = 0
    try:
        for tag, value in walk(raw):
            end = position + 4 + len(value)
            if tag not in tags:
                kept.append(raw[position:end])
            position = end
    except PduError:
        kept.append(raw[position:])
    return b"".join(kept)
