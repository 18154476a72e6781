"""Which messages an ESME means by an id: one, or those of a submit_multi, which it knows by the id of the first."""

from collections.abc import Mapping
from itertools import islice
from typing import Final

from routing.message import Ids, Message, Waiting
from routing.receipts import Ledger
from smppgw.accounts import AccountState

MULTIS: Final = 100_000
"""Ids of submit_multis that are remembered."""

MOST_DESTINATIONS: Final = 255
"""Of a submit_multi: number_of_dests is one octet."""

Found = Message | tuple[int, Waiting]
"""A message that is queued, or the id of one that an upstream has with what is kept of it."""


class Known:
    """What is still with us, by the id in the answer to its submit."""

    def __init__(self, ids: Ids, queued: Mapping[int, Message], ledger: Ledger) -> None:
        self._ids = ids
        self._queued = queued
        self._ledger = ledger
        self._multis: dict[int, None] = {}

    def remember(self, id: int, public: int) -> None:
        """An ESME knows this message by the id of another, the first of its submit_multi."""
        if public == id:
            return
        self._multis[public] = None
        if len(self._multis) > MULTIS:
            del self._multis[next(iter(self._multis))]

    def find(self, account: AccountState, public: bytes) -> list[Found]:
        """The messages that an ESME knows by this id, if they are this account's and still with us."""
        try:
            first = int(public, 16)
        except ValueError:
            return []
        found = [self._with_us(first)]
        following = self._ids.following(first) if first in self._multis else ()
        for id in islice(following, MOST_DESTINATIONS):
            other = self._with_us(id)
            if other is None:  # it ended, or was never taken
                continue
            if _public(other) != first:
                break
            found.append(other)
        names = (account.name, account.name.encode())
        return [each for each in found if each and (each if isinstance(each, Message) else each[1]).account in names]

    def _with_us(self, id: int) -> Found | None:
        message = self._queued.get(id)
        if message is not None:
            return message
        record = self._ledger.waiting.get(id)
        return None if record is None else (id, Waiting.unpack(record))


def _public(found: Found) -> int:
    return found.public if isinstance(found, Message) else found[1].public
