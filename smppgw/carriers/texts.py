"""Between SMPP and HTTPS: a submit_sm as the text that a carrier sends, a text from a handset as deliver_sm."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple, Protocol

from protocol import pdus, text, tlv, udh
from protocol.consts import DataCoding, EsmClass, Npi, Tag, Ton
from protocol.pdus import SubmitSm
from protocol.udh import CONCATENATED_8, CONCATENATED_16, How, Part
from routing.message import Message, shown
from smppgw.carriers.contract import Mo, Text

_UDHI = int(EsmClass.UDHI)
_NUMBERING = frozenset(
    {int(tag) for tag in (Tag.MESSAGE_PAYLOAD, Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)}
)
_SHORT = 8
"""Digits up to which a number of ours is taken for a short code, which no country code belongs to."""


class Numbering(Protocol):
    """What is read of a connector's settings."""

    @property
    def country_code(self) -> str: ...
    @property
    def national_prefix(self) -> str: ...


class Piece(NamedTuple):
    """What one submit_sm carries."""

    pdu: SubmitSm
    octets: bytes
    """The text without its user data header."""
    header: bytes
    """That header, without the elements of concatenation."""
    part: Part | None
    tlvs: dict[int, bytes]


def piece_of(message: Message) -> Piece:
    """Raises PduError where a user data header is cut."""
    pdu = message.pdu or pdus.decode_submit(message.body)
    values = tlv.parse(pdu.tlvs) if pdu.tlvs else {}
    octets = pdu.short_message or values.get(Tag.MESSAGE_PAYLOAD, b"")
    header = b""
    part = None
    if values or pdu.esm_class & _UDHI:
        part = udh.part_of(pdu.esm_class, octets, values)
        if part is not None and part.total < 2:
            part = None
    if pdu.esm_class & _UDHI:
        found, octets = udh.elements(octets)
        header = udh.header([each for each in found if each[0] not in (CONCATENATED_8, CONCATENATED_16)])
    return Piece(pdu, octets, header, part, {tag: value for tag, value in values.items() if tag not in _NUMBERING})


def text_from(
    messages: Sequence[Message],
    pieces: Sequence[Piece],
    encoding: str,
    numbering: Numbering,
    now: float,
    carrier: str,
) -> Text:
    """`pieces` are the parts in their order, `messages` all that brought them, that of the first part first; `encoding`
    is the account's default alphabet."""
    message, piece = messages[0], pieces[0]
    pdu = piece.pdu
    binary = text.is_binary(pdu.data_coding)
    octets = piece.octets if len(pieces) == 1 else b"".join([each.octets for each in pieces])
    return Text(
        shown(message.id).decode(),
        _source(pdu),
        destination(pdu.dest_addr_ton, pdu.destination_addr, numbering),
        "" if binary else _words(pieces, encoding),
        octets if binary else None,
        piece.header,
        carrier,
        any(each.registered_delivery for each in messages),
        max(min([each.expires for each in messages]) - now, 0.0),
        max([each.attempts for each in messages]),
        piece.tlvs,
        message.memo,
    )


def _words(pieces: Sequence[Piece], encoding: str) -> str:
    """Some ESMEs choose an alphabet for each part; a character is cut only between two parts of one alphabet."""
    runs = groupby(pieces, lambda piece: piece.pdu.data_coding)
    return "".join([text.decode(b"".join([each.octets for each in run]), coding, encoding) for coding, run in runs])


def _source(pdu: SubmitSm) -> str:
    source = pdu.source_addr.decode("latin-1")
    return f"+{source}" if pdu.source_addr_ton == Ton.INTERNATIONAL and source.isdigit() else source


def destination(ton: int, address: bytes, numbering: Numbering) -> str:
    """With a plus and the country code where it is a number; else as it came."""
    number = address.decode("latin-1")
    digits = number[1:] if number.startswith("+") else number
    if not (digits.isascii() and digits.isdigit()):
        return number
    prefix, code = numbering.national_prefix, numbering.country_code
    # No country code begins with 0, whatever the type of number says.
    national = digits is number and (ton != Ton.INTERNATIONAL or prefix.startswith("0"))
    if national and prefix and digits.startswith(prefix):
        return f"+{code}{digits[len(prefix) :]}"
    if national and ton == Ton.NATIONAL and code:
        return f"+{code}{digits}"
    return f"+{digits}"


def bodies_of(mo: Mo, encoding: str, how: How, reference: int) -> list[bytes]:
    """The deliver_sm to make of a message from a handset, for an account with this default alphabet; several where it
    is long. Raises PduError where it takes more than 255."""
    coding: int
    if mo.binary is not None:
        coding, octets = DataCoding.OCTETS, mo.binary
    else:
        coding, octets = _written(mo.text, encoding)
    if mo.header:
        octets = mo.header + octets
    segments = udh.segments(octets, coding, encoding, how, reference, udhi=bool(mo.header))
    source_ton, source_npi, source = _address(mo.source, Ton.INTERNATIONAL)
    dest_ton, dest_npi, dest = _address(mo.destination, Ton.UNKNOWN)
    return [
        pdus.encode_submit(
            SubmitSm(
                b"", source_ton, source_npi, source, dest_ton, dest_npi, dest,
                each.esm_class, 0, 0, b"", b"", 0, 0, coding, 0, each.short_message, tlv.encode(each.tlvs),
            )
        )
        for each in segments
    ]  # fmt: skip


def _written(words: str, encoding: str) -> tuple[int, bytes]:
    try:
        return DataCoding.DEFAULT, text.encode(words, DataCoding.DEFAULT, encoding)
    except UnicodeEncodeError:
        return DataCoding.UCS2, words.encode("utf-16-be", "replace")


def _address(address: str, short: int) -> tuple[int, int, bytes]:
    """TON, NPI and octets; at most the 20 that SMPP has room for (4.6.1)."""
    digits = address.removeprefix("+")
    if digits.isascii() and digits.isdigit():
        ton = Ton.INTERNATIONAL if len(digits) > _SHORT or address != digits else short
        return ton, Npi.ISDN, digits.encode()[:20]
    return Ton.ALPHANUMERIC, Npi.UNKNOWN, address.encode("latin-1", "replace").replace(b"\0", b"?")[:20]
