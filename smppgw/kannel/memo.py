"""What reports, their URLs and the access log will need of a message; it goes through the store with it."""

import struct
from typing import NamedTuple

from smppgw.kannel.escapes import UNDEFINED

_HEAD = struct.Struct(">BBbbbbbBBQ")
_SIZES = struct.Struct(">9H")
_VERSION = 1


class Memo(NamedTuple):
    """Also of a message that nobody wants reports of, for the access log."""

    mask: int = 0
    """As dlr-mask; 0 where there is none."""
    url: bytes = b""
    service: bytes = b""
    """Of the sendsms-user: its name, or its username."""
    sender: bytes = b""
    """As the application gave it, or as it was given in its place; the PDU has it in its type of number."""
    receiver: bytes = b""
    account: bytes = b""
    binfo: bytes = b""
    meta_data: bytes = b""
    charset: bytes = b""
    boxc_id: bytes = b""
    coding: int = UNDEFINED
    mclass: int = UNDEFINED
    mwi: int = UNDEFINED
    compress: int = UNDEFINED
    alt_dcs: int = UNDEFINED
    part: int = 0
    """From 1, where a text was cut into several messages; only the first of them asks for receipts."""
    parts: int = 0
    group: int = 0
    """What the parts have in common, below 2 to the 64th."""

    def pack(self) -> bytes:
        """struct.error for what is longer than 65535 octets."""
        texts = self[1:10]
        sizes = _SIZES.pack(*map(len, texts))
        return _HEAD.pack(_VERSION, self.mask, *self[10:]) + sizes + b"".join(texts)

    @classmethod
    def readable(cls, record: bytes) -> "Memo | None":
        """None where it is none of sendsms: the message came by another way."""
        return cls.unpack(record) if record[:1] == b"\1" else None

    @classmethod
    def unpack(cls, record: bytes) -> "Memo":
        """ValueError for a record of a version that is not known here."""
        if record[:1] != b"\1":
            raise ValueError(f"a memo of version {record[:1].hex() or '(none)'}, not {_VERSION}")
        _, mask, *numbers = _HEAD.unpack_from(record)
        at = _HEAD.size + _SIZES.size
        texts = [record[at : (at := at + size)] for size in _SIZES.unpack_from(record, _HEAD.size)]
        return cls._make((mask, *texts, *numbers))
