"""What we carry: a message, what is left of it while it waits for its receipt, and a delivery to an ESME.

Each of them is one record of the store under the message's own id, so that a message is one record at every moment of
its life: QUEUED becomes WAITING when the upstream took it, DELIVERY when its receipt came, and is gone when the ESME
has it. What could not be finished is SET_ASIDE for a person to look at. HEARD is what an HTTPS carrier said of a
message that we do not know yet, SAID the id of a handset's message that it may bring again. NOTED is a WAITING record
behind the memo of whoever brought the message, LATE one of either kind behind the time of sending, where that was long
after the message came. ANSWERED is what the API answered to a request that may be repeated.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from protocol.pdus import SubmitSm

QUEUED, WAITING, DELIVERY, SET_ASIDE, HEARD, NOTED, ANSWERED, SAID, LATE = b"QWDXHNASL"
"""The first octet of a record."""

_KEY = struct.Struct(">Q")
_QUEUED = struct.Struct(">BBdddHQBB")
_WAITING = struct.Struct(">BBdQBBBBBBBBBB")
_DELIVERY = struct.Struct(">BBdHB")
_SET_ASIDE = struct.Struct(">BBdBB")
_MOST_ATTEMPTS = 0xFFFF  # a record counts no further

OFFERED = 1
"""Flag of a QUEUED record: it was marked on disk before it was offered (where a second offer may be one too many)."""

DOUBTED = 2
"""Flag: an offer was not answered, and the connector that it is pinned to can offer it again without doubt."""

CALLBACKS = (b"\1", b"\2", b"\xff")
"""What bodies of deliveries over HTTP begin with: reports of Kannel, callbacks of the API, and messages for services of
Kannel. No PDU that anybody means to send begins so."""

HAS_MEMO = 4
"""Flag: a tag and a memo stand before the body."""

_MEMO = struct.Struct(">BH")
_NOTED = struct.Struct(">BH")
_LATE = struct.Struct(">Bd")

key_of: Callable[[int], bytes] = _KEY.pack
"""The key of a record in the store: the id, big endian, so that keys are in the order of time."""


def id_of(key: bytes) -> int:
    """The id of a key."""
    found: int = _KEY.unpack(key)[0]
    return found


def shown(id: int) -> bytes:
    """The id as ESMEs see it: 16 hex digits."""
    return b"%016x" % id


class Ids:
    """Mints message ids: 42 bits of milliseconds, 10 of node, 12 of count; unique over nodes and restarts."""

    EPOCH = 1_577_836_800.0  # 2020-01-01: 42 bits of milliseconds last until 2159
    _NODE = 0x3FF000

    def __init__(self, node: int) -> None:
        self._node = node << 12
        self._last = 0

    def mint(self, now: float) -> int:
        """Above every id minted or seen before, also when the clock was set back."""
        first = (int((now - self.EPOCH) * 1000.0) << 22) | self._node
        last = self._last
        if first <= last:
            first = last + 1
            if first & self._NODE != self._node:  # the count ran over into the node: borrow the next millisecond
                first = ((last >> 22) + 1 << 22) | self._node
        self._last = first
        return first

    def following(self, id: int) -> Iterator[int]:
        """The ids that are minted after it while time stands still, as it does for `mint(0.0)`."""
        copy = Ids(self._node >> 12)
        copy._last = id
        while True:
            yield copy.mint(0.0)

    def seen(self, id: int) -> None:
        """An id that the store holds: later ones are above it."""
        if id > self._last and id & self._NODE == self._node:
            self._last = id

    @classmethod
    def time_of(cls, id: int) -> float:
        """When an id was minted, in epoch seconds."""
        return (id >> 22) / 1000.0 + cls.EPOCH


class Ticket(Protocol):
    """Whoever waits to hear whether a message was taken: an ESME's unanswered submit_sm, an HTTP request."""

    link: Any
    """Where the answer goes, if receipts can go there too; else None."""

    @property
    def gone(self) -> bool:
        """Nobody can be told any more."""

    def accepted(self, message: "Message") -> None: ...
    def refused(self, message: "Message", status: int) -> None: ...


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
    """The id that the ESME knows: `id`, or the one that all messages of a submit_multi share."""
    flags: int = 0
    part: int | None = None
    """A number that all parts of one concatenated message have in common."""
    pdu: SubmitSm | None = None
    """The body decoded, if somebody did."""
    ticket: Ticket | None = None
    """Who is still to be told that it was taken."""
    route: Any = None
    """The route chosen for it; chosen anew after a retry, a reload or a restart."""
    offered: bool = False
    """It is with an upstream now, and cannot be cancelled or replaced."""
    held: bool = False
    """It waits for a time, in no queue."""
    gone: bool = False
    """It ended while it was in a queue, which is to pass over it."""
    upstream: list[bytes] = field(default_factory=list)
    """Ids that the upstream gave to its segments so far."""
    pin: str = ""
    """The connector that may have it, while only that one may get it again."""
    memo: bytes = b""
    """What the one who brought it over HTTP wants to know again when something becomes of it; at most 64 KiB."""
    tag: str = ""
    """What the one who brought it over HTTP calls the way it is to go, for routes; at most 255 octets."""
    by: str = ""
    """The connector whose upstream refused it for good."""

    def pack(self) -> bytes:
        account, pin = self.account.encode(), self.pin.encode()
        attempts = self.attempts if self.attempts < _MOST_ATTEMPTS else _MOST_ATTEMPTS
        flags, body = self.flags, self.body
        if self.memo or self.tag:
            tag = self.tag.encode()
            flags |= HAS_MEMO
            body = _MEMO.pack(len(tag), len(self.memo)) + tag + self.memo + body
        head = _QUEUED.pack(
            QUEUED, flags, self.born, self.expires, self.not_before, attempts, self.public, len(pin), len(account)
        )  # fmt: skip
        return head + account + pin + body


class Queued(NamedTuple):
    """A QUEUED record read back; a Message again once its body is decoded."""

    flags: int
    born: float
    expires: float
    not_before: float
    attempts: int
    public: int
    account: str
    body: bytes
    pin: str = ""
    memo: bytes = b""
    tag: str = ""

    @classmethod
    def unpack(cls, record: bytes) -> "Queued":
        _, flags, born, expires, not_before, attempts, public, pin_size, size = _QUEUED.unpack_from(record)
        at = _QUEUED.size
        account = record[at : (at := at + size)].decode()
        pin = record[at : (at := at + pin_size)].decode()
        memo, tag = b"", ""
        if flags & HAS_MEMO:
            tag_size, memo_size = _MEMO.unpack_from(record, at)
            at += _MEMO.size
            tag = record[at : (at := at + tag_size)].decode()
            memo = record[at : (at := at + memo_size)]
        flags &= ~HAS_MEMO
        return cls(flags, born, expires, not_before, attempts, public, account, record[at:], pin, memo, tag)


class Waiting(NamedTuple):
    """A message that its upstream has: what its receipt will need."""

    account: bytes
    connector: bytes
    public: int
    born: float
    registered_delivery: int
    source_ton: int
    source_npi: int
    source: bytes
    dest_ton: int
    dest_npi: int
    destination: bytes
    text: bytes
    """The first octets of the text, for the receipt's `text:`."""
    parts: tuple[tuple[bytes, int], ...]
    """For every segment the upstream's id and the state known so far (0 = none)."""
    memo: bytes = b""
    """As Message.memo."""
    sent: float = 0.0
    """When it was sent, if that was long after it came; else 0."""

    def pack(self) -> bytes:
        (account, connector, public, born, registered, source_ton, source_npi, source,
         dest_ton, dest_npi, destination, text, parts, memo, sent) = self  # fmt: skip
        if sent:
            return _LATE.pack(LATE, sent) + self._replace(sent=0.0).pack()
        if memo:
            return _NOTED.pack(NOTED, len(memo)) + memo + self._replace(memo=b"").pack()
        head = _WAITING.pack(
            WAITING, registered, born, public, source_ton, source_npi, dest_ton, dest_npi,
            len(account), len(connector), len(source), len(destination), len(text), len(parts),
        )  # fmt: skip
        if len(parts) == 1:
            id, state = parts[0]
            return b"%b%b%b%b%b%b%c%c%b" % (head, account, connector, source, destination, text, state, len(id), id)
        tail = b"".join(b"%c%c%b" % (state, len(id), id) for id, state in parts)
        return b"%b%b%b%b%b%b%b" % (head, account, connector, source, destination, text, tail)

    @classmethod
    def unpack(cls, record: bytes) -> "Waiting":
        if record[0] == LATE:
            return cls.unpack(record[_LATE.size :])._replace(sent=_LATE.unpack_from(record)[1])
        if record[0] == NOTED:
            end = _NOTED.size + _NOTED.unpack_from(record)[1]
            return cls.unpack(record[end:])._replace(memo=record[_NOTED.size : end])
        (
            _, registered, born, public, source_ton, source_npi, dest_ton, dest_npi,
            account_size, connector_size, source_size, dest_size, text_size, count,
        ) = _WAITING.unpack_from(record)  # fmt: skip
        at = _WAITING.size
        account = record[at : (at := at + account_size)]
        connector = record[at : (at := at + connector_size)]
        source = record[at : (at := at + source_size)]
        destination = record[at : (at := at + dest_size)]
        text = record[at : (at := at + text_size)]
        if count == 1:  # as nearly always
            parts: tuple[tuple[bytes, int], ...] = ((record[at + 2 :], record[at]),)
        else:
            parts = tuple(_parts(record, at, count))
        return cls(
            account, connector, public, born, registered, source_ton, source_npi, source,
            dest_ton, dest_npi, destination, text, parts,
        )  # fmt: skip


def sent_at(id: int, record: bytes) -> float:
    """When a message was sent, or little earlier, by its record that waits for the receipt (epoch seconds)."""
    if record[0] == LATE:
        sent: float = _LATE.unpack_from(record)[1]
        return sent
    return Ids.time_of(id)


def _parts(record: bytes, at: int, count: int) -> Iterator[tuple[bytes, int]]:
    for _ in range(count):
        state, size = record[at], record[at + 1]
        yield record[at + 2 : at + 2 + size], state
        at += 2 + size


@dataclass(slots=True, eq=False)
class Delivery:
    """A deliver_sm that an ESME is to get: a receipt or an MO message."""

    id: int
    account: str
    body: bytes
    born: float
    state: int = 0
    """The message_state it reports; 0 for an MO message."""
    attempts: int = 0
    origin: Any = None
    """The link that it must take, for the moment."""

    def pack(self) -> bytes:
        account = self.account.encode()
        attempts = self.attempts if self.attempts < _MOST_ATTEMPTS else _MOST_ATTEMPTS
        return _DELIVERY.pack(DELIVERY, len(account), self.born, attempts, self.state) + account + self.body

    @classmethod
    def unpack(cls, id: int, record: bytes) -> "Delivery":
        _, size, born, attempts, state = _DELIVERY.unpack_from(record)
        start = _DELIVERY.size + size
        account = record[_DELIVERY.size : start].decode()
        return cls(id, account, record[start:], born, state, attempts)


class SetAside(NamedTuple):
    """A message or delivery that a person must look at: when and why, and its record as it was."""

    when: float
    account: str
    reason: str
    record: bytes

    def pack(self) -> bytes:
        account, reason = self.account.encode(), self.reason.encode()[:255]
        return _SET_ASIDE.pack(SET_ASIDE, 0, self.when, len(account), len(reason)) + account + reason + self.record

    @classmethod
    def unpack(cls, record: bytes) -> "SetAside":
        _, _, when, account_size, reason_size = _SET_ASIDE.unpack_from(record)
        at = _SET_ASIDE.size
        account = record[at : (at := at + account_size)].decode()
        reason = record[at : (at := at + reason_size)].decode(errors="replace")
        return cls(when, account, reason, record[at:])
