"""Read what people write in a config ("10s", "64KiB", "RTHROTTLED", "hex:00ff") as numbers and octets."""

import difflib
import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

from protocol.consts import Status

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_OCTETS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)")
_MAX_TLV = 0xFFFF


class Wrong(ValueError):
    """A value that cannot be read: what is wrong with it, and what would be right."""

    def __init__(self, wrong: str, fix: str) -> None:
        super().__init__(f"{wrong}; {fix}")
        self.wrong = wrong
        self.fix = fix


def asked(url: str) -> str:
    """One that can be asked: its host can be read, and its port is one. What is wrong says nothing of the URL."""
    try:
        urlsplit(url).port  # noqa: B018  it raises
    except ValueError as error:
        raise Wrong("no such host or port", "correct it between // and the next /; a port is at most 65535") from error
    return url


def host(name: str) -> str:
    """A name that DNS can be asked for, or an address."""
    try:
        name.encode("idna")
    except UnicodeError as error:
        raise Wrong(f"{name!r} is no host", "write a name like smsc.example, 1 to 63 letters between dots") from error
    return name


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint: the nearest of the known words, or all of them."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known are: {', '.join(words)}" if words else "none is known"


def duration(value: object) -> float:
    """Seconds."""
    fix = 'write a number with ms, s, m, h or d, like "500ms", "30s", "48h"'
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        raise Wrong(f"{value!r} is not a duration", fix)
    parts = _QUANTITY.fullmatch(value)
    if parts is None or parts[2] not in _SECONDS:
        raise Wrong(f"{value!r} is not a duration", fix)
    return float(parts[1]) * _SECONDS[parts[2]]


def size(value: object) -> int:
    """Octets."""
    fix = 'write whole octets, or a number with KiB, MiB or GiB, like "64KiB"'
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise Wrong(f"{value!r} is not a size", fix)
    parts = _QUANTITY.fullmatch(value)
    if parts is None or parts[2] not in _OCTETS:
        raise Wrong(f"{value!r} is not a size", fix)
    return int(float(parts[1]) * _OCTETS[parts[2]])


def status(value: object) -> int:
    """A command_status by its name, with or without ESME_, or its number."""
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif not isinstance(value, str):
        raise Wrong(f"{value!r} is not a status", 'write a name like "RTHROTTLED", or a number like 0x58')
    elif (name := value.upper().removeprefix("ESME_")) in Status.__members__:
        number = Status[name]
    else:
        try:
            number = int(value, 0)
        except ValueError:
            raise Wrong(f"{value!r} is not a status", did_you_mean(name, Status.__members__)) from None
    if number == Status.ROK:
        raise Wrong("ROK is no refusal", "leave it out: it always means sent")
    if not 0 < number <= 0xFFFFFFFF:
        raise Wrong(f"{number} is not a status", "a status is 1 to 0xFFFFFFFF")
    return int(number)


def tag(value: object) -> int:
    """The tag of an optional parameter."""
    fix = "write its number, like 0x1400"
    try:
        number = value if isinstance(value, int) else int(str(value), 0)
    except ValueError:
        raise Wrong(f"{value!r} is not a tag", fix) from None
    if not 0 < number <= 0xFFFF:
        raise Wrong(f"{value!r} is not a tag", "a tag is 0x0001 to 0xFFFF")
    return int(number)


def tlv(value: object) -> bytes:
    """The value of an optional parameter: text, "hex:..." or a number in 1, 2 or 4 octets."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= 0xFFFFFFFF:
            raise Wrong(f"{value} does not fit in 4 octets", "a number is 0 to 0xFFFFFFFF")
        return value.to_bytes(1 if value <= 0xFF else 2 if value <= 0xFFFF else 4, "big")
    if not isinstance(value, str):
        raise Wrong(f"{value!r} is no value of a TLV", 'write text, "hex:..." or a number')
    octets = value.encode()
    if value.startswith("hex:"):
        try:
            octets = bytes.fromhex(value[4:])
        except ValueError:
            raise Wrong(f"{value!r} is not hex", 'write pairs of hex digits, like "hex:0a1b"') from None
    if len(octets) > _MAX_TLV:
        raise Wrong(f"it has {len(octets)} octets", f"at most {_MAX_TLV}")
    return octets


def tlv_pattern(value: object) -> bytes | None:
    """The value that an optional parameter must have; None, written "*", is any."""
    return None if value == "*" else tlv(value)


def pattern(value: object) -> str:
    """A pattern of addresses: exact, "prefix*" or "re:..."."""
    if not isinstance(value, str) or not value:
        raise Wrong(f"{value!r} is no pattern", 'write "12345", "81*" or "re:^[A-Z]"')
    try:
        octets = value.encode("latin-1")
    except UnicodeEncodeError:
        raise Wrong(f"{value!r} has characters above U+00FF", "addresses are octets: write them as Latin-1") from None
    if value.startswith("re:"):
        try:
            re.compile(octets[3:])
        except re.error as error:
            raise Wrong(f"{value!r} is no regular expression: {error}", "correct it after 're:'") from None
    elif "*" in value[:-1]:
        raise Wrong(f"{value!r} has '*' before its end", "only the last character may be '*'; else use 're:'")
    return value


def network(value: object) -> IPv4Network | IPv6Network:
    """An IP network, or one address."""
    if isinstance(value, (IPv4Network, IPv6Network)):
        return value
    if not isinstance(value, str):
        raise Wrong(f"{value!r} is no network", 'write it like "192.0.2.0/24"')
    try:
        return ip_network(value)
    except ValueError as error:
        try:
            meant = f'did you mean "{ip_network(value, strict=False)}"?'
        except ValueError:
            meant = 'write it like "192.0.2.0/24" or "2001:db8::/32"'
        raise Wrong(str(error), meant) from None


def octets_within(limit: int, text: str) -> str:
    """A C-octet string of SMPP: at most `limit` octets of Latin-1 without NUL."""
    try:
        length = len(text.encode("latin-1"))
    except UnicodeEncodeError:
        raise Wrong(f"{text!r} has characters above U+00FF", "SMPP fields are octets: use Latin-1") from None
    if length > limit:
        raise Wrong(f"{text!r} has {length} octets", f"at most {limit}")
    if "\0" in text:
        raise Wrong("it holds a NUL", "leave it out: NUL ends the field on the wire")
    return text
