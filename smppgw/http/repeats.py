"""Requests that a client may repeat: the answer to the first one is kept, in the store and in memory."""

import asyncio
import contextlib
import json
import struct
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from routing.message import ANSWERED, Ids, key_of
from smppgw.http.problems import Problem
from smppgw.journal import Journal

HEADER = "Idempotency-Key"

PATIENCE = 5.0
"""Seconds that an answer may wait for its own record."""

_RECORD = struct.Struct(">B16s16s")

Answer = dict[str, Any]
"""The JSON of a 2xx."""


@dataclass(slots=True)
class _Entry:
    body: bytes
    """Digest of what was asked."""
    id: int = 0
    """Of its record; 0 while it has none."""
    answer: bytes = b""
    """Compressed."""
    under_way: "asyncio.Future[Answer] | None" = None

    def settle(self) -> None:
        """What is kept is the answer."""
        under_way, self.under_way = self.under_way, None
        if under_way is not None:
            under_way.set_result(json.loads(zlib.decompress(self.answer)))


class Repeats:
    """`keep` puts the answer into the same commit as the messages, so that both are on disk or none."""

    def __init__(self, journal: Journal, ids: Ids, clock: Callable[[], float], seconds: float, most: int) -> None:
        self.seconds = seconds
        self.most = most
        self._journal = journal
        self._ids = ids
        self._clock = clock
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        """By the digest of key and Idempotency-Key, oldest first."""

    def __len__(self) -> int:
        return len(self._entries)

    def restore(self, id: int, record: bytes) -> None:
        """A record of kind ANSWERED, in the order of ids."""
        _, who, body = _RECORD.unpack_from(record)
        self._entries[who] = _Entry(body, id, record[_RECORD.size :])
        self._forget_old()

    async def once(
        self, caller: str, key: str, asked: bytes, do: "Callable[[Callable[[Answer], None]], Awaitable[Answer]]"
    ) -> tuple[Answer, bool]:
        """What `do` answers, or answered before (True). `do` calls what it is given with the answer that it is going
        to give, in the moment in which it hands the messages over. What it raises is not kept."""
        who, body = _digest(caller.encode() + b"\0" + key.encode()), _digest(asked)
        self._forget_old()
        entry = self._entries.get(who)
        if entry is not None:
            if entry.body != body:
                raise Problem(
                    409, "This Idempotency-Key was used for another request", "use another one",
                    errors=[(HEADER, "the body is not that of the first request")],
                )  # fmt: skip
            if entry.under_way is None:
                found: Answer = json.loads(zlib.decompress(entry.answer))
                return found, True
            return await asyncio.shield(entry.under_way), True
        entry = self._entries[who] = _Entry(body)
        entry.under_way = under_way = asyncio.get_running_loop().create_future()
        try:
            answer = await do(lambda said: self._keep(who, entry, said))
        except BaseException as error:
            if entry.id and not isinstance(error, Exception):
                # It was cut off: its answer goes to disk with its messages, and whoever repeats it gets that then.
                self._journal.after(entry.settle)
                raise
            self._forget(who)
            failed = error if isinstance(error, Problem) else Problem(503, "The first request failed", "try again")
            under_way.set_exception(failed)
            under_way.exception()  # perhaps nobody else waits for it
            raise
        if not entry.id and answer.get("accepted") == 0:  # a batch of which nothing was taken sent nothing
            self._forget(who)
        elif not entry.id:  # it was not known before what the answer would be
            self._keep(who, entry, answer)
            await self._durable()
        entry.under_way = None
        under_way.set_result(answer)
        return answer, False

    def _keep(self, who: bytes, entry: _Entry, answer: Answer) -> None:
        entry.answer = zlib.compress(json.dumps(answer).encode(), 1)
        entry.id = self._ids.mint(self._clock())
        self._journal.turn.batch[key_of(entry.id)] = _RECORD.pack(ANSWERED, who, entry.body) + entry.answer
        self._journal.urgent()

    async def _durable(self) -> None:
        """The answer is true all the same, if the store does not work now."""
        done = asyncio.Event()
        self._journal.after(done.set)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), PATIENCE)

    def _forget(self, who: bytes) -> None:
        entry = self._entries.pop(who, None)
        if entry is not None and entry.id:
            self._journal.turn.batch[key_of(entry.id)] = None
            self._journal.soon()

    def _forget_old(self) -> None:
        oldest = self._clock() - self.seconds
        surplus = len(self._entries) - self.most
        old: list[bytes] = []
        for who, entry in self._entries.items():
            if entry.under_way is not None:  # others wait for it; those behind it need not
                continue
            if len(old) >= surplus and Ids.time_of(entry.id) >= oldest:
                break
            old.append(who)
        for who in old:
            self._forget(who)


def _digest(octets: bytes) -> bytes:
    return sha256(octets).digest()[:16]
