"""How one connector wants a submit_sm written: its addresses, alphabet, length and optional parameters."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Literal, Protocol

from protocol import text, tlv, udh
from protocol.consts import DataCoding, EsmClass, Npi, Status, Tag, Ton
from protocol.errors import PduError
from protocol.pdus import SubmitSm, decode_submit, encode_submit
from protocol.udh import Part, Segment

LongMessages = Literal["as_is", "udh8", "udh16", "sar", "payload"]

ADDRESS = 20
"""Octets of an address (4.4.1), without the NUL."""

SM_LENGTH = 255
"""What sm_length can say; the specification stops at 254, and what came with 255 goes on with it."""

_AS_IT_CAME = -1
_DIALLED = b"0123456789+*#-. ()"
_SAR = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
_UDHI = int(EsmClass.UDHI)
_MORE = tlv.one(Tag.MORE_MESSAGES_TO_SEND, b"\1")


class Numbers(Protocol):
    """What is read of a connector's addresses: TON and NPI to force (-1: as it came), and how numbers change."""

    @property
    def source_ton(self) -> int: ...
    @property
    def source_npi(self) -> int: ...
    @property
    def destination_ton(self) -> int: ...
    @property
    def destination_npi(self) -> int: ...
    @property
    def strip_plus(self) -> bool: ...
    @property
    def national_prefix(self) -> str: ...
    @property
    def country_code(self) -> str: ...


class Wishes(Protocol):
    """What is read of a connector's settings."""

    @property
    def encoding(self) -> str: ...
    @property
    def transliterate(self) -> bool: ...
    @property
    def long_messages(self) -> LongMessages: ...
    @property
    def more_messages(self) -> bool: ...
    @property
    def interface_version(self) -> str: ...
    @property
    def tlvs(self) -> Mapping[int, bytes]: ...
    @property
    def addresses(self) -> Numbers: ...


class Shape:
    """The wishes of one connector; a message of a plain account passes as the octets that came."""

    __slots__ = (
        "_addresses", "_encoding", "_extra", "_extra_octets", "_how", "_more", "_split", "_tlvs", "_transliterate",
        "_untouched",
    )  # fmt: skip

    def __init__(self, settings: Wishes) -> None:
        addresses = settings.addresses
        self._addresses = _Addresses(addresses) if _Addresses.changes(addresses) else None
        self._encoding = settings.encoding
        self._transliterate = settings.transliterate
        self._tlvs = settings.interface_version != "3.3"
        """It may get optional parameters."""
        self._how = settings.long_messages
        self._more = _MORE if settings.more_messages and self._tlvs else b""
        self._split: udh.How = "udh8"
        """How what must be split is split."""
        if self._how == "udh16" or (self._tlvs and self._how != "as_is"):
            self._split = self._how
        self._extra = dict(settings.tlvs) if self._tlvs else {}
        self._extra_octets = tlv.encode(self._extra.items())
        self._untouched = self._addresses is None and self._how == "as_is" and self._tlvs and not self._extra

    def plain(self, encoding: str) -> bool:
        """No message of an account with this default alphabet is changed."""
        return self._untouched and encoding == self._encoding

    def bodies(self, body: bytes, encoding: str, reference: int) -> list[bytes]:
        """The bodies to submit for one that an account with this default alphabet sent: several when it is split.

        `reference` is the number that the parts of a split one have in common. Raises PduError with the status for the
        ESME: RSUBMITFAIL for a character that the connector's alphabet lacks (without `transliterate`), RINVMSGLEN for
        more than 255 parts, RINVDSTADR for a destination that grew too long; to a connector of version 3.3 also
        RINVMSGLEN for a part that needs message_payload and ROPTPARNOTALLWD for a text beside that of short_message.
        """
        if self._untouched and encoding == self._encoding:
            return [body]
        pdu = decode_submit(body)
        if self._addresses is not None:
            pdu = self._addresses.rewrite(pdu)
        recoded = pdu.data_coding == DataCoding.DEFAULT and encoding != self._encoding
        if not recoded and self._how == "as_is" and (self._tlvs or not pdu.tlvs):
            return [encode_submit(pdu._replace(tlvs=pdu.tlvs + self._added(pdu.tlvs)) if self._extra else pdu)]
        values = tlv.parse(pdu.tlvs)
        payload = values.get(Tag.MESSAGE_PAYLOAD, b"")
        octets = pdu.short_message or payload
        if recoded:
            octets = self._recode(octets, pdu.esm_class, encoding)
        if payload and pdu.short_message:
            return [encode_submit(self._with_both_texts(pdu, octets))]
        parts = self._segments(pdu, octets, values, reference)
        others = self._others(pdu.tlvs, values, split=len(parts) > 1)
        return [
            encode_submit(_piece(pdu, part, others if number == len(parts) else self._more + others, number))
            for number, part in enumerate(parts, 1)
        ]

    def _recode(self, octets: bytes, esm_class: int, encoding: str) -> bytes:
        """Text for the connector's alphabet, behind the header that it came with."""
        said = udh.text_of(esm_class, octets)
        header = octets[: len(octets) - len(said)]
        if self._transliterate:
            return header + text.recode(said, encoding, self._encoding)
        try:
            return header + text.encode(text.decode(said, 0, encoding), 0, self._encoding)
        except UnicodeEncodeError as error:
            lacking = f"U+{ord(error.object[error.start]):04X}"
            raise PduError(f"{self._encoding} has no {lacking}", Status.RSUBMITFAIL) from None

    def _segments(self, pdu: SubmitSm, octets: bytes, values: Mapping[int, bytes], reference: int) -> list[Segment]:
        """The text as short_message or message_payload, in as many pieces as it takes."""
        udhi = pdu.esm_class & _UDHI
        sar = udh.part_of(0, b"", values)
        if sar is not None and sar.total > 1:
            return self._part(*((octets, udhi) if self._tlvs else _headed(sar, octets, udhi)))
        if self._how == "as_is":
            if len(octets) <= SM_LENGTH and (pdu.short_message or Tag.MESSAGE_PAYLOAD not in values):
                return [Segment(udhi, octets)]
            if self._tlvs:
                return [Segment(udhi, b"", ((Tag.MESSAGE_PAYLOAD, octets),))]
        parts = udh.segments(octets, pdu.data_coding, self._encoding, self._split, reference, udhi=bool(udhi))
        return parts if self._tlvs or not parts[0].tlvs else self._part(octets, udhi)

    def _part(self, octets: bytes, udhi: int) -> list[Segment]:
        """What is never split."""
        if len(octets) <= udh.MAX_SHORT_MESSAGE:
            return [Segment(udhi, octets)]
        if not self._tlvs:
            raise PduError(f"a part of {len(octets)} octets needs message_payload", Status.RINVMSGLEN)
        return [Segment(udhi, b"", ((Tag.MESSAGE_PAYLOAD, octets),))]

    def _with_both_texts(self, pdu: SubmitSm, octets: bytes) -> SubmitSm:
        """short_message and message_payload at once (5.3.2.32 forbids it): what it means is for the SMSC to say."""
        if not self._tlvs:
            raise PduError("message_payload cannot be sent there", Status.ROPTPARNOTALLWD)
        if len(octets) > SM_LENGTH:
            raise PduError(f"short_message takes {len(octets)} octets there", Status.RINVMSGLEN)
        return pdu._replace(short_message=octets, tlvs=pdu.tlvs + self._added(pdu.tlvs))

    def _added(self, raw: bytes) -> bytes:
        """What the connector adds to the optional parameters of a message."""
        if not raw or not self._extra:
            return self._extra_octets
        there = tlv.parse(raw)
        return tlv.encode((tag, value) for tag, value in self._extra.items() if tag not in there)

    def _others(self, raw: bytes, values: Mapping[int, bytes], split: bool) -> bytes:
        """All optional parameters but those that carry or number the text."""
        if not self._tlvs:
            return b""
        mine = (Tag.MESSAGE_PAYLOAD, *_SAR) if split else (Tag.MESSAGE_PAYLOAD,)
        kept = tlv.without(raw, *mine) if any(tag in values for tag in mine) else raw
        return kept + self._added(kept)


class _Addresses:
    """Source and destination as the connector wants them.

    A source with anything in it that nobody dials is a name: TON and NPI are forced on numbers, and a name stays
    (or, where a TON is forced, becomes) alphanumeric, unless the TON to force is that of names.
    """

    __slots__ = (
        "_country_code", "_destination_npi", "_destination_ton", "_national_prefix", "_source_npi", "_source_ton",
        "_strip_plus", "_trunk_zero",
    )  # fmt: skip

    def __init__(self, rules: Numbers) -> None:
        self._source_ton = rules.source_ton
        self._source_npi = rules.source_npi
        self._destination_ton = rules.destination_ton
        self._destination_npi = rules.destination_npi
        self._strip_plus = rules.strip_plus
        self._national_prefix = rules.national_prefix.encode("latin-1")
        self._country_code = rules.country_code.encode("latin-1")
        self._trunk_zero = self._national_prefix.startswith(b"0")

    @staticmethod
    def changes(rules: Numbers) -> bool:
        """Is there any rule at all?"""
        forced = (rules.source_ton, rules.source_npi, rules.destination_ton, rules.destination_npi)
        return any(value != _AS_IT_CAME for value in forced) or rules.strip_plus or bool(rules.national_prefix)

    def rewrite(self, pdu: SubmitSm) -> SubmitSm:
        ton, npi, source = pdu[1:4]
        name = bool(source.translate(None, _DIALLED))
        if self._strip_plus and not name:
            ton, npi, source = _without_plus(ton, npi, source)
        if name and self._source_ton != Ton.ALPHANUMERIC:
            if self._source_ton != _AS_IT_CAME:
                ton, npi = Ton.ALPHANUMERIC, Npi.UNKNOWN
        else:
            ton = ton if self._source_ton == _AS_IT_CAME else self._source_ton
            npi = npi if self._source_npi == _AS_IT_CAME else self._source_npi
        dest_ton, dest_npi, destination = self._destination(*pdu[4:7])
        if len(destination) > ADDRESS:
            raise PduError(f"destination_addr takes {len(destination)} octets there", Status.RINVDSTADR)
        return SubmitSm._make((pdu[0], ton, npi, source, dest_ton, dest_npi, destination, *pdu[7:]))

    def _destination(self, ton: int, npi: int, address: bytes) -> tuple[int, int, bytes]:
        # No country code begins with 0; any other prefix may be the beginning of an international number.
        national = self._trunk_zero or ton != Ton.INTERNATIONAL
        if self._national_prefix and national and address.startswith(self._national_prefix):
            address = self._country_code + address[len(self._national_prefix) :]
            if self._country_code:
                ton, npi = Ton.INTERNATIONAL, Npi.ISDN
        elif self._strip_plus:
            ton, npi, address = _without_plus(ton, npi, address)
        ton = ton if self._destination_ton == _AS_IT_CAME else self._destination_ton
        npi = npi if self._destination_npi == _AS_IT_CAME else self._destination_npi
        return ton, npi, address


def _without_plus(ton: int, npi: int, address: bytes) -> tuple[int, int, bytes]:
    """A plus says that the number is international; without it TON has to say so."""
    if not address.startswith(b"+"):
        return ton, npi, address
    address = address[1:]
    return (Ton.INTERNATIONAL, Npi.ISDN, address) if address.isdigit() else (ton, npi, address)


def _headed(part: Part, octets: bytes, udhi: int) -> tuple[bytes, int]:
    """A part that SAR parameters number, numbered by a user data header instead (8 bits: the room SAR reckons with)."""
    others: list[udh.Element] = []
    said = octets
    if udhi:
        with suppress(PduError):  # a header that is cut is taken for text
            others, said = udh.elements(octets)
    if any(identifier in (udh.CONCATENATED_8, udh.CONCATENATED_16) for identifier, _ in others):
        return octets, udhi
    if len(octets) - len(said) > SM_LENGTH - 6:
        raise PduError("the user data header has no room for the number of the part", Status.RINVMSGLEN)
    number = (udh.CONCATENATED_8, bytes((part.reference & 0xFF, part.total, part.number)))
    return udh.header([number, *others]) + said, _UDHI


def _piece(pdu: SubmitSm, part: Segment, others: bytes, number: int) -> SubmitSm:
    return pdu._replace(
        esm_class=pdu.esm_class & ~_UDHI | part.esm_class,
        short_message=part.short_message,
        # Only the first may replace an earlier message: another would replace the part before it.
        replace_if_present_flag=pdu.replace_if_present_flag if number == 1 else 0,
        tlvs=others + tlv.encode(part.tlvs) if part.tlvs else others,
    )
