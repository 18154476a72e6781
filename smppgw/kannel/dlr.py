"""What becomes of a message of sendsms, told to its dlr-url as Kannel tells it."""

import struct
from enum import IntFlag
from typing import NamedTuple

from smppgw.kannel.escapes import UNDEFINED


class Dlr(IntFlag):
    """The bits of dlr-mask; the type of a report is one of them."""

    SUCCESS = 1
    FAIL = 2
    BUFFERED = 4
    SMSC_SUCCESS = 8
    SMSC_FAIL = 16
    INTERMEDIATE = 32


_HEAD = struct.Struct(">BBbbbbb")
_SIZES = struct.Struct(">9H")
_VERSION = 1


class Memo(NamedTuple):
    """What reports, their URLs and the access log will need of a message; it goes through the store with it."""

    mask: int = 0
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

    def pack(self) -> bytes:
        """OverflowError or struct.error for what is longer than 65535 octets."""
        texts = self[1:10]
        sizes = _SIZES.pack(*map(len, texts))
        return _HEAD.pack(_VERSION, self.mask, *self[10:]) + sizes + b"".join(texts)

    @classmethod
    def unpack(cls, record: bytes) -> "Memo":
        """ValueError for a record of a version that is not known here."""
        if record[:1] != b"\1":
            raise ValueError(f"a memo of version {record[:1].hex() or '(none)'}, not {_VERSION}")
        _, mask, *numbers = _HEAD.unpack_from(record)
        at = _HEAD.size + _SIZES.size
        texts = [record[at : (at := at + size)] for size in _SIZES.unpack_from(record, _HEAD.size)]
        return cls._make((mask, *texts, *numbers))
