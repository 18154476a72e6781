"""Turn Kannel's smsc groups of type smpp into connectors."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from protocol.text import SHORT_MESSAGE
from smppgw.kannel.conf import Place, Problem
from smppgw.kannel.model import Core, SmppTlv, Smsc

Table = dict[str, Any]

NOWHERE = Place("", 0)

SERVED = ("smpp", "http", "fake")
"""Types of smsc that `smppgw serve --kannel` speaks; the importer knows the first alone."""

_ENCODINGS = {
    **dict.fromkeys(("gsm", "gsm0338", "gsm-0338", "gsm 03.38"), "gsm0338"),
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "cp1252"), "latin1"),
    **dict.fromkeys(("ascii", "us-ascii", "iso646-us", "ansi_x3.4-1968"), "ascii"),
}
_VERSIONS = {33: "3.3", 34: "3.4", 50: "5.0"}
_ID_FORMS = {None: ("string", "string"), 0: ("decimal", "decimal"), 1: ("hex", "decimal"), 2: ("decimal", "hex"),
             3: ("hex", "hex")}  # fmt: skip
"""By msg-id-type: in submit_sm_resp, and in receipts."""


@dataclass(frozen=True, slots=True)
class Link:
    """A connector, with the smsc that says what may go by it."""

    name: str
    smsc: Smsc
    binds: int

    @property
    def sends(self) -> bool:
        if self.smsc.smsc == "fake":
            return True
        if self.smsc.smsc == "http":
            return self.smsc.send_url is not None
        return self.smsc.transceiver_mode or self.smsc.smpp_ports[0] != 0


def octets(text: str) -> str:
    """The octets of a value as Latin-1, which is how fields of SMPP are written in gateway.toml."""
    return text.encode(errors="surrogateescape").decode("latin-1")


def readable(text: str) -> str:
    """The value itself, or its octets where it is no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return octets(text)
    return text


def unique(name: str, taken: Collection[str]) -> str:
    """The name, with a number when it is taken."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    return found


def links(
    smscs: Iterable[Smsc], types: Collection[str] = ("smpp",)
) -> tuple[dict[str, tuple[Link, ...]], list[Problem]]:
    """The connectors of each smsc-id, and what is left out.

    Groups of one id that differ in nothing are so many binds of one connector. One that is a dead-start is left out,
    but the others are called as they would be beside it.
    """
    lost: list[Problem] = []
    alike: dict[str, dict[Smsc, int]] = {}
    for smsc in smscs:
        if smsc.smsc not in types:
            continue
        found = alike.setdefault(smsc.id, {})
        binds = found.setdefault(same(smsc), 0)
        if smsc.dead_start:
            wrong = f"smsc {smsc.id} is left out: it is a dead-start"
            lost.append(Problem(smsc.place, wrong, "a connector binds as soon as it is in the config"))
        else:
            found[same(smsc)] = binds + max(1, smsc.instances)
    taken: set[str] = set()
    result: dict[str, tuple[Link, ...]] = {}
    for id, found in alike.items():
        whole = readable(id)
        names = [whole] if len(found) == 1 else [f"{whole}-{way}" for way in _ways(list(found))]
        members = []
        for name, (smsc, binds) in zip(names, found.items(), strict=True):
            free = unique(name, taken | (alike.keys() - {id}))
            taken.add(free)
            if binds:
                members.append(Link(free, smsc, binds))
        if members:
            result[id] = tuple(members)
    return result, lost


def same(smsc: Smsc) -> Smsc:
    """But for what makes no other connector of it."""
    return replace(smsc, place=NOWHERE, smsc_admin_id=None, instances=1, dead_start=False)


def _ways(smscs: list[Smsc]) -> list[str]:
    """What tells the connectors of one id apart: which way messages go, or a number."""
    ports = [smsc.smpp_ports for smsc in smscs]
    if len(smscs) == 2 and not any(smsc.transceiver_mode for smsc in smscs):
        ways = ["rx" if send == 0 else "tx" for send, _ in ports]
        if set(ways) == {"tx", "rx"}:
            return ways
    return [str(number) for number in range(1, len(smscs) + 1)]


def table(link: Link, core: Core, tlvs: Iterable[SmppTlv]) -> Table:
    """The table of a connector, with what differs from the gateway's own defaults."""
    smsc = link.smsc
    if smsc.smsc != "smpp":
        return {"kind": "template", "url": "http://localhost", "send": {}}  # to be replaced: see `Setup.made`
    send, receive = smsc.smpp_ports
    id_form, receipt_id_form = _ID_FORMS[smsc.msg_id_type]
    found: Table = {
        "host": readable(smsc.host or ""),
        "port": send or receive,
        "system_id": octets(smsc.username or ""),
        "password": readable(smsc.smsc_password or ""),
        "system_type": octets(smsc.system_type or ""),
        "bind": "transceiver" if smsc.transceiver_mode else "transmitter" if send else "receiver",
        "binds": link.binds,
        "interface_version": _VERSIONS.get(smsc.interface_version, "3.4"),
        "address_range": octets(smsc.address_range or ""),
        "window": max(1, smsc.max_pending_submits),
        # Kannel's rate is of one link and knows no bursts; ours is of all binds.
        "rate": smsc.throughput * link.binds if smsc.throughput > 0 else 0,
        "burst": 1 if smsc.throughput > 0 else 0,
        "enquire_link": _seconds(smsc.enquire_link_interval, 30),
        "response": _seconds(smsc.wait_ack, 60),
        "rebind": [_seconds(smsc.reconnect_delay, 1)],
        "retry": [_seconds(core.sms_resend_freq, 1)],
        "in_doubt": "hold" if smsc.wait_ack_expire >= 2 else "",
        "id_form": id_form,
        "receipt_id_form": receipt_id_form,
        # A limit above 140 octets says that the SMSC takes long texts apart itself.
        "long_messages": "udh8" if smsc.max_sms_octets <= SHORT_MESSAGE else "as_is",
        "more_messages": True,
        "encoding": encoding(smsc.alt_charset) or "gsm0338",
        # Kannel sends what the charset lacks as it came; that is no reason to refuse the rest.
        "transliterate": True,
    }
    defaults: Table = {"system_type": "", "binds": 1, "interface_version": "3.4", "address_range": "", "rate": 0,
                       "burst": 0, "enquire_link": "30s", "in_doubt": "", "encoding": "gsm0338"}  # fmt: skip
    found = {key: value for key, value in found.items() if key not in defaults or value != defaults[key]}
    if smsc.use_ssl:
        found |= _tls(smsc, core)
    if constant := dict(_constants(smsc, tlvs)):
        found["tlvs"] = constant
    found["addresses"] = _addresses(smsc, core)
    return found


def _seconds(given: int, least: int) -> str:
    """A wait that is none would be a busy loop."""
    return f"{given if given > 0 else least}s"


def encoding(charset: str | None) -> str | None:
    """What the gateway calls it; None when it has no such."""
    return "gsm0338" if not charset else _ENCODINGS.get(charset.strip().lower())


def _tls(smsc: Smsc, core: Core) -> Table:
    found: Table = {"tls": True}
    if core.ssl_trusted_ca_file:
        found["tls_ca"] = readable(core.ssl_trusted_ca_file)
    if both := smsc.ssl_client_certkey_file or core.ssl_client_certkey_file:
        found |= {"tls_certificate": readable(both), "tls_key": readable(both)}
    return found


def _constants(smsc: Smsc, tlvs: Iterable[SmppTlv]) -> Iterator[tuple[str, str]]:
    """What Kannel adds to every submit_sm: only TLVs that name the smsc-id."""
    for tlv in tlvs:
        if tlv.const is None or tlv.tag is None or smsc.id not in tlv.smsc_id:
            continue
        value = tlv.const.encode(errors="surrogateescape")
        if tlv.type == "nulterminated":
            value += b"\0"
        elif tlv.type == "integer":
            length = min(max(1, tlv.length or 1), 8)
            number = int(tlv.const) if tlv.const.strip().isdecimal() else 0
            value = (number % (1 << 8 * length)).to_bytes(length, "big")
        yield f"0x{tlv.tag & 0xFFFF:04X}", f"hex:{value.hex()}"


def _addresses(smsc: Smsc, core: Core) -> Table:
    found: Table = {"strip_plus": True}
    # Of a TON without its NPI Kannel takes no notice, nor the other way round.
    if smsc.source_addr_ton > -1 and smsc.source_addr_npi > -1:
        found |= {"source_ton": smsc.source_addr_ton, "source_npi": smsc.source_addr_npi}
    if smsc.dest_addr_ton > -1 and smsc.dest_addr_npi > -1:
        found |= {"destination_ton": smsc.dest_addr_ton, "destination_npi": smsc.dest_addr_npi}
    national = [rule for rule in replacements(smsc, core) if rule[1].startswith("0")]
    if national:
        country, prefix = min(national, key=lambda rule: len(rule[1]))
        found |= {"national_prefix": octets(prefix), "country_code": octets(country.lstrip("+"))}
    return found


def replacements(smsc: Smsc, core: Core) -> list[tuple[str, str]]:
    """Which prefix stands in for which other, but for those with a plus, which is always taken away."""
    rules = (*core.unified_prefix, *smsc.unified_prefix)
    return [(rule[0], other) for rule in rules for other in rule[1:] if other.lstrip("+") != rule[0].lstrip("+")]
