"""The record of a message from a handset that an HTTPS carrier brought, and may bring again."""

import struct

from routing.message import SAID

_HEAD = struct.Struct(">BBB")

LONGEST = 255
"""Octets of an id."""


def pack(connector: bytes, id: bytes) -> bytes:
    """A SAID record: who brought it, under which id; when is in the record's own key."""
    return _HEAD.pack(SAID, len(connector), len(id)) + connector + id


def unpack(record: bytes) -> tuple[bytes, bytes]:
    """The connector and its id."""
    _, size, id_size = _HEAD.unpack_from(record)
    at = _HEAD.size + size
    return record[_HEAD.size : at], record[at : at + id_size]
