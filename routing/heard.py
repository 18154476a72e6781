"""The record of a receipt that an HTTPS carrier sent before we know its message."""

import struct
from math import isnan, nan

from protocol.consts import MessageState
from protocol.receipt import Receipt
from routing.message import HEARD

_HEAD = struct.Struct(">BBBBBd")
_LONGEST = 255


def pack(connector: bytes, found: Receipt) -> bytes:
    """A HEARD record: its id, state, err and time."""
    state = 0 if found.state is None else int(found.state)
    done = nan if found.done is None else found.done
    err, id = found.err[:_LONGEST], found.id[:_LONGEST]
    return _HEAD.pack(HEARD, len(connector), state, len(err), len(id), done) + connector + err + id


def unpack(record: bytes) -> tuple[bytes, Receipt]:
    """The connector and what it heard."""
    _, size, state, err_size, id_size, done = _HEAD.unpack_from(record)
    at = _HEAD.size
    connector = record[at : (at := at + size)]
    err = record[at : (at := at + err_size)]
    id = record[at : at + id_size]
    found = Receipt(id, MessageState(state) if state else None, err, done=None if isnan(done) else done)
    return connector, found
