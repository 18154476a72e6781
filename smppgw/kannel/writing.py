"""Write an order as the submit_sm that Kannel's smpp driver would write: the text cut, the fields set."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from protocol import pdus, text, times, tlv, udh
from protocol.consts import EsmClass, Npi, Tag, Ton
from protocol.pdus import SubmitSm
from smppgw.kannel import metadata
from smppgw.kannel.escapes import UNDEFINED
from smppgw.kannel.model import Comma, Kannel, SendsmsUser, SmppTlv, Smsc, SmsService
from smppgw.kannel.request import SEVEN_BITS, UCS2, Order

MAX_ADDRESS = 20
MAX_SERVICE_TYPE = 5
_UDHI = int(EsmClass.UDHI)
_RPI = 0x80
_CATENATION = 5
"""Octets of a user data header that numbers parts, without the length octet."""
_BILLING = 0x060B
_SMPP_50 = 50
_SOONEST = 2
"""Seconds of validity that a message gets at least: one without any would be over before it is on disk."""


class Cut(NamedTuple):
    """A text as messages, and how many parts Kannel counts."""

    texts: list[bytes]
    parts: int


class Style(NamedTuple):
    """How texts of a user, or the replies of a service, are cut."""

    header: str = ""
    footer: str = ""
    suffix: str = ""
    chars: str = ""
    max_messages: int = 1
    concatenation: bool = False
    size: int = text.SHORT_MESSAGE

    @classmethod
    def of(cls, user: SendsmsUser | SmsService, size: int) -> "Style":
        return cls(
            user.header or "", user.footer or "", user.split_suffix or "", user.split_chars or "",
            user.max_messages, user.concatenation, size,
        )  # fmt: skip


def gsm(said: str) -> bytes:
    """In GSM 03.38; what it lacks is a question mark, as it is with Kannel."""
    try:
        return text.encode(said, 0)
    except UnicodeEncodeError:
        return b"".join(_gsm_or_question(char) for char in said)


def _gsm_or_question(char: str) -> bytes:
    try:
        return text.encode("Ç" if char == "ç" else char, 0)
    except UnicodeEncodeError:
        return b"?"


def octets_of(order: Order) -> bytes:
    return gsm(order.text) if order.coding == SEVEN_BITS else order.octets


def cut(order: Order, style: Style) -> Cut:
    """As many messages as the style says, each with header and footer; with concatenation all in one again, which
    whoever sends it takes apart by user data headers."""
    said = octets_of(order)
    coding = order.coding
    taken = len(order.udh)
    if not style.header and not style.footer and len(said) <= _room(style.size, coding, taken):
        return Cut([said], 1)
    header, footer, suffix = (_in(coding, part) for part in (style.header, style.footer, style.suffix))
    around = len(header) + len(footer)
    room = _room(style.size, coding, taken) - around
    if len(said) > room and style.concatenation:
        room = _room(style.size, coding, (taken or 1) + _CATENATION) - around
    room = max(room, 0)
    stops = _stops(coding, style.chars)
    found: list[bytes] = []
    while True:
        last = len(said) <= room
        if last:
            piece, said = said, b""
        else:
            end = _end(said, max(room - len(suffix), 0), coding, stops)
            piece, said = said[:end], said[end:]
            last = len(found) + 1 >= style.max_messages or end == 0
        found.append(header + piece + footer + (b"" if last else suffix))
        if last:
            break
    return Cut([b"".join(found)] if style.concatenation else found, len(found))


def _room(size: int, coding: int, taken: int) -> int:
    """Septets or octets beside a user data header."""
    left = max(size - taken, 0)
    return left * 8 // 7 if coding == SEVEN_BITS else left


def _in(coding: int, said: str) -> bytes:
    if coding == SEVEN_BITS:
        return gsm(said)
    if coding == UCS2:
        return said.encode("utf-16-be", "replace")
    return said.encode(errors="surrogateescape")


def _stops(coding: int, chars: str) -> frozenset[bytes]:
    """What a cut had better come after."""
    return frozenset(_in(coding, char) for char in chars)


def _end(said: bytes, most: int, coding: int, stops: frozenset[bytes]) -> int:
    """Where to cut: after the last stop, or else as late as no character is torn apart."""
    width = 2 if coding == UCS2 else 1
    end = most - most % width
    if coding == SEVEN_BITS and _escapes(said, end):
        end -= 1
    elif coding == UCS2 and end and 0xD8 <= said[end - 2] <= 0xDB:
        end -= 2
    for at in range(end, 0, -width):
        if said[at - width : at] in stops and not (coding == SEVEN_BITS and _escapes(said, at - 1)):
            return at
    return max(end, 0)


def _escapes(said: bytes, end: int) -> bool:
    """Does what ends there end with an escape, to which the next septet belongs?"""
    return end > 0 and said[end - 1] == 0x1B


# Fields


class Defaults(NamedTuple):
    """What an smsc writes where the request says nothing."""

    esm_class: int = 3
    service_type: bytes = b""
    alt_dcs: int = 0
    priority: int = 0
    validity: int = UNDEFINED
    """In minutes."""
    version: int = 34
    prefixes: tuple[Comma, ...] = ()
    """Of the gateway, and then of the smsc."""
    tlvs: Mapping[bytes, SmppTlv] = {}
    """By name."""

    @classmethod
    def of(cls, smsc: Smsc, kannel: Kannel) -> "Defaults":
        return cls(
            smsc.esm_class, _encoded(smsc.service_type or ""), smsc.alt_dcs, smsc.priority,
            UNDEFINED if smsc.validityperiod is None else smsc.validityperiod, smsc.interface_version,
            (kannel.core.unified_prefix, smsc.unified_prefix), _tlvs(kannel.smpp_tlvs, smsc.id),
        )  # fmt: skip


def defaults(kannel: Kannel) -> tuple[dict[str, Defaults], Defaults]:
    """By smsc-id, and those of messages that are for none in particular: of the first smsc that takes them."""
    found: dict[str, Defaults] = {}
    free: Defaults | None = None
    for smsc in kannel.smscs:
        each = Defaults.of(smsc, kannel)
        found.setdefault(smsc.id, each)
        if free is None and not smsc.allowed_smsc_id and smsc.allowed_smsc_id_regex is None:
            free = each
    return found, free or Defaults(prefixes=(kannel.core.unified_prefix,), tlvs=_tlvs(kannel.smpp_tlvs, None))


def _tlvs(tlvs: Iterable[SmppTlv], smsc_id: str | None) -> dict[bytes, SmppTlv]:
    """Those of one smsc before those of all."""
    found: dict[bytes, SmppTlv] = {}
    for each in tlvs:
        name = _encoded(each.name or "")
        if not each.smsc_id:
            found.setdefault(name, each)
        elif smsc_id in each.smsc_id:
            found[name] = each
    return found


def _encoded(said: str) -> bytes:
    return said.encode(errors="surrogateescape")


def normalized(number: bytes, prefixes: Iterable[Comma]) -> bytes:
    """By unified-prefix, one after the other: the first prefix that the number has decides."""
    for rules in prefixes:
        number = _unified(number, rules)
    return number


def _unified(number: bytes, rules: Comma) -> bytes:
    for rule in rules:
        for prefix in rule:
            octets = _encoded(prefix)
            if number.startswith(octets):
                return _encoded(rule[0]) + number[len(octets) :]
    return number


def source(address: bytes) -> tuple[int, int, bytes]:
    """TON, NPI and the sender as it came: a plus tells an international number, anything but digits a name."""
    if address.isdigit():
        return Ton.NATIONAL, Npi.ISDN, address
    if address[:1] == b"+" and address[1:].isdigit():
        return Ton.INTERNATIONAL, Npi.ISDN, _fitting(address)
    return Ton.ALPHANUMERIC, Npi.UNKNOWN, address


def destination(address: bytes) -> tuple[int, int, bytes]:
    """The plus stays with a number, for routes: the connector takes it away."""
    if address[:1] != b"+":
        return Ton.NATIONAL, Npi.ISDN, address
    return Ton.INTERNATIONAL, Npi.ISDN, _fitting(address) if address[1:].isdigit() else address[1:]


def _fitting(address: bytes) -> bytes:
    return address if len(address) <= MAX_ADDRESS else address[1:]


def data_coding(order: Order, alt_dcs: int, empty: bool) -> int:
    """GSM 03.38, 4: by groups 0x, Cx to Ex for message waiting, or Fx, as Kannel chooses among them."""
    coding, mclass, mwi = order.coding, order.mclass, order.mwi
    if mwi != UNDEFINED:
        if mwi & 4:
            return mwi & 3 | 0xC0
        group = 0xC0 if empty else 0xD0 if coding == SEVEN_BITS else 0xE0
        return group | mwi & 3 | 8
    # A message class is only where it belongs in group Fx.
    if (mclass == UNDEFINED and alt_dcs <= 0) or coding == UCS2 or order.compress == 1:
        compressed = 0x20 if order.compress == 1 else 0
        return compressed | (0 if mclass == UNDEFINED else 0x10 | mclass) | coding << 2
    return 0xF0 | coding << 2 | (1 if mclass == UNDEFINED else mclass)


def registered_delivery(mask: int) -> int:
    if mask <= 0:
        return 0
    final = 1 if mask & 1 else 2 if mask & 0x62 else 0
    return final | (16 if mask & 4 else 0)


def submits(order: Order, said: bytes, style: Defaults, now: float) -> SubmitSm:
    """All that the messages of an order have in common, whoever they are to."""
    alt_dcs = style.alt_dcs if order.alt_dcs == UNDEFINED else order.alt_dcs
    ton, npi, address = source(order.sender)
    octets = order.udh + said if order.udh else said
    service_type, extra = style.service_type, b""
    if order.binfo:
        if style.version == _SMPP_50:
            extra = tlv.one(_BILLING, order.binfo)
        else:
            service_type = order.binfo
    if len(octets) > udh.MAX_SHORT_MESSAGE:
        extra += tlv.one(Tag.MESSAGE_PAYLOAD, octets)
        octets = b""
    pdu = SubmitSm(
        service_type=service_type[:MAX_SERVICE_TYPE],
        source_addr_ton=ton,
        source_addr_npi=npi,
        source_addr=address,
        esm_class=style.esm_class | (_UDHI if order.udh else 0) | (_RPI if order.rpi > 0 else 0),
        protocol_id=max(order.pid, 0),
        priority_flag=style.priority if order.priority == UNDEFINED else order.priority,
        schedule_delivery_time=_at(now, order.deferred) if order.deferred != UNDEFINED else b"",
        validity_period=_until(now, order, style),
        registered_delivery=registered_delivery(order.dlr_mask),
        data_coding=data_coding(order, alt_dcs, not said),
        short_message=octets,
        tlvs=extra,
    )
    return _overridden(pdu, order.meta_data, style) if order.meta_data else pdu


def _at(now: float, minutes: int) -> bytes:
    return times.absolute(int(now) + minutes * 60)


def _until(now: float, order: Order, style: Defaults) -> bytes:
    minutes = style.validity if order.validity == UNDEFINED else order.validity
    if minutes == UNDEFINED:
        return b""
    begin = max(order.deferred, 0) * 60
    return times.absolute(int(now) + max(minutes * 60, begin + _SOONEST))


_FIELDS = (b"data_coding", b"source_addr_ton", b"source_addr_npi")
"""And dest_addr_ton and dest_addr_npi, in `addressed`."""


def _overridden(pdu: SubmitSm, meta_data: bytes, style: Defaults) -> SubmitSm:
    """With what meta-data says of SMPP: fields by their names, and the optional parameters that the config names."""
    given = metadata.parse(meta_data).get(b"smpp")
    if not given:
        return pdu
    fields: dict[str, Any] = {name.decode(): _integer(given[name]) & 0xFF for name in _FIELDS if name in given}
    return pdu._replace(tlvs=pdu.tlvs + b"".join(_parameters(given, style.tlvs)), **fields)


def _parameters(given: Mapping[bytes, bytes], known: Mapping[bytes, SmppTlv]) -> Iterator[bytes]:
    for name, value in given.items():
        each = known.get(name)
        octets = None if each is None else _parameter(each, value)
        if each is not None and each.tag is not None and octets is not None:
            yield tlv.one(each.tag & 0xFFFF, octets)


def _parameter(each: SmppTlv, value: bytes) -> bytes | None:
    """None for what is longer than its length."""
    size = each.length or 0
    if each.type == "integer":
        size = min(max(size, 1), 8)
        return (_integer(value) % (1 << 8 * size)).to_bytes(size, "big")
    if len(value) > size:
        return None
    return value + b"\0" if each.type == "nulterminated" else value


def _integer(value: bytes) -> int:
    try:
        return int(value)
    except ValueError:
        return 0


def addressed(pdu: SubmitSm, receiver: bytes, meta_data: bytes = b"") -> SubmitSm:
    """The same to one of the receivers."""
    ton, npi, address = destination(receiver)
    if meta_data:
        given = metadata.parse(meta_data).get(b"smpp", {})
        if b"dest_addr_ton" in given:
            ton = _integer(given[b"dest_addr_ton"]) & 0xFF
        if b"dest_addr_npi" in given:
            npi = _integer(given[b"dest_addr_npi"]) & 0xFF
    return pdu._replace(dest_addr_ton=ton, dest_addr_npi=npi, destination_addr=address)


def fits(pdu: SubmitSm) -> bool:
    """Kannel drops what has a longer address, and of a NUL it makes a PDU whose fields are all shifted."""
    source, destination = pdu.source_addr, pdu.destination_addr
    return (
        len(source) <= MAX_ADDRESS
        and len(destination) <= MAX_ADDRESS
        and b"\0" not in source
        and b"\0" not in destination
        and b"\0" not in pdu.service_type
    )


def body_of(pdu: SubmitSm) -> bytes:
    return pdus.encode_submit(pdu)
