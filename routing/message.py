"""What we carry: a message, what is left of it while it waits for its receipt, and a delivery to an ESME.

Each of them is one record of the store under the message's own id, so that a message is one record at every moment of
its life: QUEUED becomes WAITING when the upstream took it, DELIVERY when its receipt came, and is gone when the ESME
has it. What could not be finished is SET_ASIDE for a person to look at.
"""

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

QUEUED, WAITING, DELIVERY, SET_ASIDE = b"QWDX"

_QUEUED = struct.Struct(">BBdddHQHBBB")
_WAITING = struct.Struct(">BBQdBBBBBBBBBB")
_DELIVERY = struct.Struct(">BBdHB")
_SET_ASIDE = struct.Struct(">BdH")

MULTI, OFFERED = 1, 2
"""Flags of a queued message: one of a submit_multi; marked on disk as offered (only where in_doubt is "hold")."""


class Ids:
    """Mints message ids: 42 bits of milliseconds, 10 of node, 12 of count; unique over nodes and restarts."""

    EPOCH = 1_577_836_800.0  # 2020-01-01: 42 bits of milliseconds last until 2159

    def __init__(self, node: int) -> None:
        self._node = node << 12
        self._last = 0

    def mint(self, now: float) -> int:
        """Above every id minted or seen before, also when the clock was set back."""
        first = (int((now - self.EPOCH) * 1000.0) << 22) | self._node
        last = self._last
        if first <= last:
            first = last + 1
            if first & 0x3FF000 != self._node:  # the count ran over into the node: borrow the next millisecond
                first = ((last >> 22) + 1 << 22) | self._node
        self._last = first
        return first

    def seen(self, id: int) -> None:
        """An id that the store holds: later ones are above it."""
        if id > self._last and id & 0x3FF000 == self._node:
            self._last = id


def shown(id: int) -> bytes:
    """The id as ESMEs see it: 16 hex digits."""
    return b"%016x" % id


@dataclass(slots=True, eq=False)
class Message:
    """A submit_sm on its way to an upstream; `body` is the PDU's body as it came or was made from another PDU."""

    id: int
    account: str
    body: bytes
    source: bytes
    destination: bytes
    service_type: bytes
    esm_class: int
    data_coding: int
    registered_delivery: int
    born: float
    expires: float
    not_before: float = 0.0
    attempts: int = 0
    public: int = 0
    """The id that the ESME knows, where it is not `id`: all messages of one submit_multi share it."""
    flags: int = 0
    part: int | None = None
    """A number that all parts of one concatenated message have in common."""
    target: int = 0
    """How many of the route's targets were given up."""
    upstream: list[bytes] = field(default_factory=list)
    """Ids that the upstream gave to the segments sent so far."""

    def pack(self) -> bytes:
        account = self.account.encode()
        return (
            _QUEUED.pack(
                QUEUED, self.flags, self.born, self.expires, self.not_before, self.attempts,
                self.public, 0, self.target, 0, len(account),
            )
            + account
            + self.body
        )  # fmt: skip


class QueuedRecord(NamedTuple):
    """A QUEUED record read back; the pipeline makes a Message of it by decoding the body."""

    flags: int
    born: float
    expires: float
    not_before: float
    attempts: int
    public: int
    target: int
    account: str
    body: bytes

    @classmethod
    def unpack(cls, record: bytes) -> "QueuedRecord":
        _, flags, born, expires, not_before, attempts, public, _, target, _, size = _QUEUED.unpack_from(record)
        start = _QUEUED.size + size
        account = record[_QUEUED.size : start].decode()
        return cls(flags, born, expires, not_before, attempts, public, target, account, record[start:])
