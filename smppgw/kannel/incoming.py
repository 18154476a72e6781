"""Read a deliver_sm from a mobile as Kannel does."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from protocol import text, tlv, udh
from protocol.consts import DataCoding, EsmClass, Tag
from protocol.errors import PduError
from protocol.pdus import SubmitSm
from protocol.udh import Part
from smppgw.kannel import charsets
from smppgw.kannel.dlr import uuid
from smppgw.kannel.escapes import UNDEFINED, Sms
from smppgw.kannel.metadata import pack as pack_groups
from smppgw.kannel.model import Comma, Core, SmppTlv, Smsc
from smppgw.kannel.writing import normalized

_INTERNATIONAL = 1
_REPLY_PATH = 0x80
_UDHI = int(EsmClass.UDHI)
_CONCATENATION = (udh.CONCATENATED_8, udh.CONCATENATED_16)


class Mobile(NamedTuple):
    """A message from a mobile: what applications are told of it, and what of the air no escape code tells."""

    sms: Sms
    pid: int = UNDEFINED
    rpi: int = UNDEFINED
    """1: its sender asks for the reply by the same SMSC."""


class Fields(NamedTuple):
    """What data_coding says, in Kannel's numbers."""

    coding: int
    mclass: int = UNDEFINED
    mwi: int = UNDEFINED
    compress: int = UNDEFINED
    alt_dcs: int = UNDEFINED


def pack(connector: str, body: bytes) -> bytes:
    """What a delivery carries: by which connector, and the body of the deliver_sm."""
    name = connector.encode()
    return bytes((len(name),)) + name + body


def unpack(packed: bytes) -> tuple[str, bytes]:
    end = packed[0] + 1
    return packed[1:end].decode(), packed[end:]


def octets_of(pdu: SubmitSm) -> bytes:
    """The user data, its header included."""
    return pdu.short_message or tlv.parse(pdu.tlvs).get(Tag.MESSAGE_PAYLOAD, b"")


def part_of(pdu: SubmitSm) -> Part | None:
    """Which piece of which concatenated message it is."""
    return udh.part_of(pdu.esm_class, octets_of(pdu), tlv.parse(pdu.tlvs))


class Reader:
    """Knows what the files say of one smsc, and what of all."""

    def __init__(self, core: Core, smsc: Smsc, tlvs: Iterable[SmppTlv], *, recode: bool = False) -> None:
        self._rules: tuple[Comma, ...] = (smsc.unified_prefix, core.unified_prefix)
        self._smsc = smsc
        self._id = _bytes(smsc.id)
        self._account = _bytes(smsc.username or "")
        self._number = _bytes(smsc.my_number or "")
        # One that names the smsc counts before one for all.
        both = sorted((each for each in tlvs if not each.smsc_id or smsc.id in each.smsc_id), key=_for_all)
        self._tlvs = {each.tag: each for each in reversed(both) if each.tag is not None}
        self._recode = recode

    def read(self, pdus: Sequence[SubmitSm], id: int, born: float) -> Mobile:
        """Of one deliver_sm, or of all parts of a message in their order; never raises. `id` is that of the delivery,
        so that who is told twice of a message can see that it is one."""
        first = pdus[0]
        fields = fields_of(first.data_coding)
        header, octets = _content(pdus, whole=len(pdus) > 1)
        found = self._text(octets, first.data_coding, fields.coding)
        charset = b""
        if self._recode and fields.coding == 2:
            recoded = _recoded(found)
            if recoded is not None:
                found, charset, fields = recoded, b"UTF-8", fields._replace(coding=0)
        sender, receiver = self.addresses(first)
        sms = Sms(
            sender=sender, receiver=receiver, text=found, udh=header, time=int(born), id=uuid(id),
            smsc_id=self._id, account=self._account, binfo=first.service_type, charset=charset,
            meta_data=self._meta_data(first.tlvs), **fields._asdict(),
        )  # fmt: skip
        return Mobile(sms, first.protocol_id, 1 if first.esm_class & _REPLY_PATH else UNDEFINED)

    def addresses(self, pdu: SubmitSm) -> tuple[bytes, bytes]:
        """Of the mobile, and of who it wrote to."""
        sender = normalized(self._address(pdu.source_addr_ton, pdu.source_addr), self._rules)
        return sender, self._number or self._address(pdu.dest_addr_ton, pdu.destination_addr)

    def _address(self, ton: int, address: bytes) -> bytes:
        if self._smsc.alt_addr_charset:
            with suppress(LookupError, UnicodeError):
                address = charsets.decode(address, self._smsc.alt_addr_charset).encode()
        if ton == _INTERNATIONAL and address and not address.startswith(b"+"):
            return b"+" + address.removeprefix(b"00")
        return address

    def _text(self, octets: bytes, data_coding: int, coding: int) -> bytes:
        """As UTF-8 where it is a text of one octet a character; UCS-2 and binary as they are."""
        if coding in {1, 2}:
            return octets
        if data_coding == DataCoding.DEFAULT and self._smsc.alt_charset:
            with suppress(LookupError, UnicodeError):
                return charsets.decode(octets, self._smsc.alt_charset).encode()
        return text.decode(octets, _alphabet(data_coding)).replace("\ufffd", "").encode()

    def _meta_data(self, raw: bytes) -> bytes:
        """The parameters that the files name."""
        said: dict[bytes, bytes] = {}
        with suppress(PduError):  # those before it are good
            for tag, value in tlv.walk(raw):
                known = self._tlvs.get(tag)
                if known is not None and known.name is not None:
                    said[_bytes(known.name)] = _value(known, value)
        return pack_groups({b"smpp": said})


def fields_of(data_coding: int) -> Fields:
    """Of a data_coding of SMPP, or of the data coding scheme of GSM 03.38 that it may be as well."""
    if data_coding in {DataCoding.OCTETS_1, DataCoding.OCTETS}:
        return Fields(1, compress=0, alt_dcs=0)
    if data_coding < 0x10:
        return Fields(2 if data_coding in {DataCoding.UCS2, 0x09} else 0, compress=0, alt_dcs=0)
    if data_coding >= 0xF0:
        return Fields(1 if data_coding & 4 else 0, mclass=data_coding & 3, alt_dcs=1)
    if data_coding >= 0xC0:
        mwi = data_coding & 3 if data_coding & 8 else data_coding & 3 | 4
        return Fields(2 if data_coding >= 0xE0 else 0, mwi=mwi)
    if data_coding >= 0x80:
        return Fields(0)
    coding = data_coding >> 2 & 3
    mclass = data_coding & 3 if data_coding & 0x10 else UNDEFINED
    return Fields(0 if coding == 3 else coding, mclass, compress=1 if data_coding & 0x20 else 0, alt_dcs=0)


def _alphabet(data_coding: int) -> int:
    """What is reserved or compressed is read as the default alphabet, as Kannel does."""
    reserved = 0x80 <= data_coding < 0xC0 or (data_coding < 0x80 and data_coding & 0x20)
    return DataCoding.DEFAULT if reserved else data_coding


def _content(pdus: Sequence[SubmitSm], *, whole: bool) -> tuple[bytes, bytes]:
    """The header of the first, and the text of all; of a whole message the header says nothing of parts any more."""
    header, octets = b"", b""
    for number, pdu in enumerate(pdus):
        data = octets_of(pdu)
        said = udh.text_of(pdu.esm_class, data)
        octets += said
        if number == 0 and pdu.esm_class & _UDHI:
            header = data[: len(data) - len(said)]
    part = part_of(pdus[0])
    if header and (whole or (part is not None and part.total == 1)):
        try:
            others, _ = udh.elements(header)
        except PduError:
            return header, octets
        header = udh.header([each for each in others if each[0] not in _CONCATENATION])
    return header, octets


def _recoded(octets: bytes) -> bytes | None:
    try:
        return octets.decode("utf-16-be").encode()
    except UnicodeDecodeError:
        return None


def _value(known: SmppTlv, value: bytes) -> bytes:
    if known.type == "integer":
        return b"%d" % int.from_bytes(value, "big")
    return value.partition(b"\0")[0] if known.type == "nulterminated" else value


def _for_all(each: SmppTlv) -> bool:
    return not each.smsc_id


def _bytes(value: str) -> bytes:
    return value.encode(errors="surrogateescape")
