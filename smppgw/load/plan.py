"""What load is to be made."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from protocol import tlv
from protocol.consts import DataCoding, Npi, Tag, Ton
from protocol.pdus import SubmitSm, encode_submit
from smppgw.mix import parse_mix

CODINGS: dict[str, DataCoding] = {
    "gsm": DataCoding.DEFAULT,
    "latin1": DataCoding.LATIN1,
    "ucs2": DataCoding.UCS2,
    "binary": DataCoding.OCTETS,
}
_WORDS = "the quick brown fox jumps over the lazy dog 0123456789 "
DIGITS = 8
_DRAWN = 1024
"""Messages whose length and coding are drawn; then they come again in the same order."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Times in seconds."""

    host: str = "127.0.0.1"
    port: int = 2775
    system_id: str = "test"
    password: str = "test"  # noqa: S105  what every test tool uses
    binds: int = 1
    """Links that submit; as many again that receive when they are apart."""
    bind: Literal["trx", "tx+rx"] = "trx"
    window: int = 100
    """Unanswered submits on one link."""
    rate: float = 0.0
    """Submits a second over all links; 0: as fast as the windows allow."""
    count: int = 10_000
    """0: as many as go into `seconds`."""
    seconds: float = 0.0
    lengths: Mapping[int, float] = field(default_factory=lambda: {40: 1.0})
    """Characters of a text, and rates."""
    codings: Mapping[str, float] = field(default_factory=lambda: {"gsm": 1.0})
    receipts: bool = True
    receipt_timeout: float = 30.0
    """Given up so long after the last response or receipt; then the SMSC is asked about what is missing."""
    response_timeout: float = 30.0
    reconnect: bool = False
    """A link that drops is bound again; what it had not answered is not sent again."""
    tls: ssl.SSLContext | None = None
    source: str = "12345"
    prefix: str = "4479"
    """Destinations are this and eight digits, all different."""
    start: int = 0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Template:
    """A submit_sm but for the digits of its destination."""

    head: bytes
    tail: bytes

    def body(self, number: int) -> bytes:
        return b"%b%08d%b" % (self.head, number % 10**DIGITS, self.tail)


def templates(plan: Plan) -> list[Template]:
    """What to send, in order, again and again."""
    if len(plan.prefix) + DIGITS > 20:
        raise ValueError(f"the prefix {plan.prefix!r} is longer than {20 - DIGITS} digits")
    if unknown := sorted(set(plan.codings) - set(CODINGS)):
        raise ValueError(f"{', '.join(unknown)}: no coding; one of {', '.join(CODINGS)}")
    random = Random(plan.seed)  # noqa: S311  no secret depends on it
    mixes = [(length, coding) for length in plan.lengths for coding in plan.codings]
    weights = [plan.lengths[length] * plan.codings[coding] for length, coding in mixes]
    made = {mix: _template(plan, *mix) for mix in mixes}
    if len(mixes) == 1:
        return [made[mixes[0]]]
    return [made[mix] for mix in random.choices(mixes, weights, k=_DRAWN)]


def _template(plan: Plan, length: int, coding: str) -> Template:
    text = (_WORDS * (length // len(_WORDS) + 1))[:length]
    octets = text.encode("utf-16-be" if coding == "ucs2" else "ascii")
    if len(octets) > 65535:
        raise ValueError(f"a text of {length} characters does not fit into a PDU")
    short = octets if len(octets) <= 254 else b""
    ton, npi = _source(plan.source)
    mark = "#" * DIGITS
    pdu = SubmitSm(
        source_addr_ton=ton, source_addr_npi=npi, source_addr=plan.source.encode(),
        dest_addr_ton=Ton.INTERNATIONAL, dest_addr_npi=Npi.ISDN, destination_addr=(plan.prefix + mark).encode(),
        registered_delivery=plan.receipts, data_coding=CODINGS[coding], short_message=short,
        tlvs=tlv.encode([(Tag.MESSAGE_PAYLOAD, octets)]) if octets and not short else b"",
    )  # fmt: skip
    head, _, tail = encode_submit(pdu).partition(mark.encode())
    return Template(head, tail)


def _source(address: str) -> tuple[Ton, Npi]:
    if not address.isdecimal():
        return Ton.ALPHANUMERIC, Npi.UNKNOWN
    return (Ton.NETWORK_SPECIFIC, Npi.UNKNOWN) if len(address) < 7 else (Ton.INTERNATIONAL, Npi.ISDN)


def parse_lengths(text: str) -> dict[int, float]:
    """ "20:0.5,140:0.5"."""
    try:
        return {int(name): rate for name, rate in parse_mix(text).items()}
    except ValueError as error:
        raise ValueError(f"lengths and rates are written like 20:0.5,140:0.5 ({error})") from None
