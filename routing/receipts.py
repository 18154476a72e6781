"""Upstream id to our id: which message a receipt belongs to, and what it makes of it.

One million waiting messages are the normal case, so entries are the packed records of the store and plain ints.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from protocol.consts import FINAL_STATES, MessageState, RegisteredDelivery
from routing.message import LATE, Waiting, sent_at

Keys = Callable[[bytes], Sequence[bytes]]
"""The spellings of an id, the one to store first."""

# Plain ints: members of enums cost more than the rest of a line.
_FINAL = int(RegisteredDelivery.FINAL)
_FAILURE_ONLY = int(RegisteredDelivery.FAILURE_ONLY)
_SUCCESS_ONLY = int(RegisteredDelivery.SUCCESS_ONLY)
_INTERMEDIATE = int(RegisteredDelivery.INTERMEDIATE)
_DELIVERED = int(MessageState.DELIVERED)

_NO_FINAL = 0

REMEMBERED = 20_000
"""At least so many of the last upstream ids that ended are known again."""


class Ledger:
    """All messages that an upstream has and whose receipts are to come."""

    def __init__(self) -> None:
        self.waiting: dict[int, bytes] = {}
        """Our id to its WAITING, NOTED or LATE record, first sent first."""
        self._by_upstream: dict[bytes, int] = {}
        self._ended: dict[bytes, None] = {}
        self._ended_before: dict[bytes, None] = {}
        self._prefixes = _Prefixes()
        self._unordered = False
        self._siblings: dict[bytes, tuple[bytes, ...]] = {}

    def __len__(self) -> int:
        return len(self.waiting)

    def cluster(self, groups: Iterable[Iterable[str]]) -> None:
        """Connectors of one group are one cluster: a receipt may come by any of them."""
        siblings: dict[bytes, dict[bytes, None]] = {}
        for group in groups:
            names = [name.encode() for name in group]
            for name in names:
                siblings.setdefault(name, {}).update((other, None) for other in names if other != name)
        self._siblings = {name: tuple(others) for name, others in siblings.items()}

    def cluster_of(self, connector: bytes) -> tuple[bytes, ...]:
        """It, and those that its receipts may come by."""
        return (connector, *self._siblings.get(connector, ()))

    def add(self, id: int, waiting: Waiting, keys: Keys) -> bytes:
        """The record to store. An upstream id in use is taken over: the upstream began to count anew."""
        record = waiting.pack()
        self._enter(id, record, waiting, keys)
        return record

    def restore(self, id: int, record: bytes, keys: Mapping[bytes, Keys], default: Keys) -> int:
        """An entry read from the store after a restart; `keys` by connector. Returns the id that its ESME knows."""
        waiting = Waiting.unpack(record)
        self._enter(id, record, waiting, keys.get(waiting.connector, default))
        self._unordered = self._unordered or record[0] == LATE
        return waiting.public

    def restored(self) -> None:
        """All are here: records come in the order of their ids, and some were sent long after they came."""
        if self._unordered:
            self._unordered = False
            self.waiting = dict(sorted(self.waiting.items(), key=lambda entry: sent_at(*entry)))

    def _enter(self, id: int, record: bytes, waiting: Waiting, keys: Keys) -> None:
        self.waiting[id] = record
        prefix = self._prefixes[waiting.connector]
        for upstream, state in waiting.parts:
            if upstream and state not in FINAL_STATES:
                self._by_upstream[prefix + keys(upstream)[0]] = id

    def match(self, connector: bytes, spellings: Sequence[bytes]) -> int | None:
        """Our id for an upstream's, as it may be spelled, first among those sent on this connector, then on its
        siblings; None when we do not know it (yet)."""
        for name in (connector, *self._siblings.get(connector, ())):
            prefix = self._prefixes[name]
            for spelling in spellings:
                key = prefix + spelling
                found = self._by_upstream.get(key)
                if found is None:
                    continue
                if found in self.waiting:
                    return found
                # It was removed by another spelling than it was added by: a reload changed the connector's form of ids.
                del self._by_upstream[key]
        return None

    def ended(self, connector: bytes, spelling: bytes) -> bool:
        """A message of this upstream id ended not long ago: what comes for it now is probably a repetition."""
        key = self._prefixes[connector] + spelling
        return key in self._ended or key in self._ended_before

    def part(
        self, id: int, waiting: Waiting, state: int, spellings: Sequence[bytes], keys: Keys
    ) -> tuple[int, bytes | None]:
        """Note a state that the upstream reported for a message, by the spellings of the id that it was found by.
        Returns the state that the whole message has now (0: its other segments are still to come) and its new record,
        or None when it is final and has left the ledger."""
        if len(waiting.parts) == 1:
            if state not in FINAL_STATES:
                return state, self.waiting[id]
            key = self._prefixes[waiting.connector] + spellings[0]
            if self._by_upstream.get(key) == id:  # as a rule: then nothing need be spelled again
                del self.waiting[id]
                self._end(id, key)
            else:
                self.remove(id, waiting, keys)
            return state, None
        parts = tuple(
            (upstream, state if known not in FINAL_STATES and keys(upstream)[0] in spellings else known)
            for upstream, known in waiting.parts
        )
        whole = overall(known for _, known in parts)
        if whole in FINAL_STATES and all(known in FINAL_STATES for _, known in parts):
            self.remove(id, waiting, keys)
            return whole, None
        record = waiting._replace(parts=parts).pack()
        self.waiting[id] = record
        return _NO_FINAL if state in FINAL_STATES else state, record

    def remove(self, id: int, waiting: Waiting, keys: Keys) -> None:
        """It ended."""
        self.waiting.pop(id, None)
        prefix = self._prefixes[waiting.connector]
        for upstream, _ in waiting.parts:
            if upstream:
                self._end(id, prefix + keys(upstream)[0])

    def _end(self, id: int, key: bytes) -> None:
        if self._by_upstream.get(key) == id:
            del self._by_upstream[key]
        self._ended[key] = None
        if len(self._ended) > REMEMBERED:
            self._ended_before, self._ended = self._ended, {}


class _Prefixes(dict[bytes, bytes]):
    """A short name for every connector, so that a million keys do not each spell it out."""

    def __missing__(self, connector: bytes) -> bytes:
        prefix = self[connector] = len(self).to_bytes(2, "big")
        return prefix


def overall(states: Iterable[int]) -> int:
    """The state of a message from those of its segments: delivered only when all of them are."""
    worst = MessageState.DELIVERED
    for state in states:
        if state not in FINAL_STATES:
            return state or MessageState.ENROUTE
        if state != MessageState.DELIVERED:
            worst = MessageState(state)
    return worst


def wanted(registered_delivery: int, state: int) -> bool:
    """Did the ESME ask to hear of this state? (registered_delivery, 5.2.17; 3 is success only, as in SMPP 5.0)"""
    if state not in FINAL_STATES:
        return bool(registered_delivery & _INTERMEDIATE)
    asked = registered_delivery & 0x03
    if asked == _FINAL:
        return True
    if asked == _FAILURE_ONLY:
        return state != _DELIVERED
    return asked == _SUCCESS_ONLY and state == _DELIVERED
