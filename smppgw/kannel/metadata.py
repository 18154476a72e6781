"""Kannel's meta-data: `?group?name=value&name=value&?group?...`, where names and values are URL-encoded."""

import re
from collections.abc import Mapping

_UNSAFE = re.compile(rb"[^A-Za-z0-9\-_.!~*'()]")
_ENCODED = {octet: b"%%%02X" % octet for octet in range(256)} | {0x20: b"+"}
_HEX = re.compile(rb"%([0-9A-Fa-f]{2})")
_GROUP = re.compile(rb"\?([^?]*)\?([^?]*)")

Groups = dict[bytes, dict[bytes, bytes]]


def url_encode(text: bytes) -> bytes:
    """In Kannel's way."""
    return _UNSAFE.sub(_encoded, text)


def _encoded(found: re.Match[bytes]) -> bytes:
    return _ENCODED[found[0][0]]


def url_decode(text: bytes) -> bytes:
    """`+` is a blank; a percent that no two hex digits follow stands for itself."""
    if b"%" not in text and b"+" not in text:
        return text
    return _HEX.sub(lambda found: bytes([int(found[1], 16)]), text.replace(b"+", b" "))


def parse(meta_data: bytes) -> Groups:
    """What is no meta-data is left out."""
    groups: Groups = {}
    for found in _GROUP.finditer(meta_data):
        values = groups.setdefault(found[1], {})
        for pair in found[2].split(b"&"):
            name, equals, value = pair.partition(b"=")
            if equals:
                values[url_decode(name)] = url_decode(value)
    return groups


def pack(groups: Groups) -> bytes:
    return b"".join(
        b"?%b?%b"
        % (group, b"".join(b"%b=%b&" % (url_encode(name), url_encode(value)) for name, value in values.items()))
        for group, values in groups.items()
    )


def value(meta_data: bytes, group: bytes, name: bytes) -> bytes:
    return parse(meta_data).get(group, {}).get(name, b"")


def add(meta_data: bytes, group: bytes, values: Mapping[bytes, bytes]) -> bytes:
    """Set values of a group; one that is new comes after the first, as Kannel has it."""
    groups = parse(meta_data)
    if group in groups:
        groups[group].update(values)
    else:
        items = list(groups.items())
        items.insert(1, (group, dict(values)))
        groups = dict(items)
    return pack(groups)
