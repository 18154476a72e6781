"""Changes of records on their way to the store, and what may happen once they are there."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from routing.message import Delivery, Message
from smppgw.histogram import Histogram
from smppgw.store.contract import Store, StoreError

log = structlog.get_logger()

LAZY = 0.02
"""Seconds that a change nobody waits for may wait for a commit that somebody does wait for."""

PACE = 0.002
"""Seconds between the starts of two commits at least: one costs as much as the rest of ten messages, and at a moderate
rate each would carry but one or two."""

PROBE = 1.0
"""Seconds between attempts to commit while the store refuses."""


class Report(Protocol):
    """A deliver_sm from an upstream that is to be answered once its content is safe."""

    def accepted(self) -> None: ...
    def refused(self, status: int) -> None: ...


class Nobody:
    """Nobody waits to hear."""

    def accepted(self) -> None:
        pass

    def refused(self, status: int) -> None:
        pass


NOBODY = Nobody()


@dataclass(slots=True)
class Turn:
    """All that one commit makes safe. The lists are in the order of coming."""

    batch: dict[bytes, bytes | None] = field(default_factory=dict)
    """Records by key; None deletes."""
    submitted: list[Message] = field(default_factory=list)
    """New messages, to be acknowledged and offered."""
    sent: list[Message] = field(default_factory=list)
    """Messages whose own submit is answered only now that an upstream has them (ack = "upstream")."""
    reported: list[Report] = field(default_factory=list)
    """Receipts and MO messages, to be acknowledged upstream."""
    deliveries: list[Delivery] = field(default_factory=list)
    """What ESMEs are to get."""
    actions: list[Callable[[], None]] = field(default_factory=list)

    def before(self, later: "Turn") -> "Turn":
        """Both, this one's content first."""
        return Turn(
            self.batch | later.batch,
            self.submitted + later.submitted,
            self.sent + later.sent,
            self.reported + later.reported,
            self.deliveries + later.deliveries,
            self.actions + later.actions,
        )


class Journal:
    """One commit after the other; each serves all that came while the last one was under way."""

    def __init__(
        self,
        store: Store,
        loop: asyncio.AbstractEventLoop,
        committed: Callable[[Turn], None],
        refused: Callable[[Turn], None],
    ) -> None:
        self.store = store
        self.turn = Turn()
        """What the next commit will make safe: put things here, then call `urgent` or `soon`."""
        self.error: str | None = None
        """Why the store refuses, while it does."""
        self.failures = 0
        self.time = Histogram()
        """How long commits took."""
        self._loop = loop
        self._committed = committed
        self._refused = refused
        self._needed = asyncio.Event()
        self.urgent: Callable[[], None] = self._needed.set
        """Say that somebody waits for this turn. Not a method of its own, because every message says it three times."""
        self._committing: Turn | None = None
        self._ended = asyncio.Event()
        """A commit ended, well or not; `stop` clears it."""
        self._lazy: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[None] | None = None
        """Ends only by `stop`, or by a bug: then nothing is safe any more and the process must end."""

    def get(self, key: bytes) -> bytes | None:
        """The record as it is on disk, or is to be there soon; None: there is none. StoreError when it cannot be
        read."""
        for turn in (self.turn, self._committing):
            if turn is not None and key in turn.batch:
                return turn.batch[key]
        return self.store.get(key)

    def soon(self) -> None:
        """Nobody waits for it."""
        if self._lazy is None:
            self._lazy = self._loop.call_later(LAZY, self._needed.set)

    def after(self, action: Callable[[], None]) -> None:
        """Do it once all that was changed so far is on disk."""
        self.turn.actions.append(action)
        self._needed.set()

    def start(self) -> None:
        """Begin to commit."""
        self.task = self._loop.create_task(self._run(), name="commits")

    async def stop(self) -> None:
        """Commit what is there and end; a commit under way is waited for."""
        while (self.turn.batch or self._committing) and self.error is None:
            self._ended.clear()
            if self.turn.batch:
                self._needed.set()
            await self._ended.wait()
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def _run(self) -> None:
        began = 0.0
        while True:
            await self._needed.wait()
            pause = began + PACE - self._loop.time()
            if pause > 0:
                await asyncio.sleep(pause)
            self._needed.clear()
            if self._lazy is not None:
                self._lazy.cancel()
                self._lazy = None
            turn, self.turn = self.turn, Turn()
            self._committing = turn
            began = self._loop.time()
            try:
                # After a refusal no new message is among it, unless it came meanwhile: what is left cannot be refused
                # any more, and all that comes behind it waits for it, what would make room too.
                await self.store.commit(turn.batch, spare=self.error is not None and not turn.submitted)
            except StoreError as error:
                self._failed(turn, str(error))
                self._end()
                await asyncio.sleep(PROBE)
                self._needed.set()
                continue
            self.time.observe(self._loop.time() - began)
            if self.error is not None:
                log.info("the store works again")
                self.error = None
            self._committed(turn)
            self._end()

    def _end(self) -> None:
        self._committing = None
        self._ended.set()

    def _failed(self, turn: Turn, reason: str) -> None:
        """New messages are refused, everything else waits for the next attempt."""
        if self.error is None:
            log.error("the store refuses", reason=reason)
        self.error = reason
        self.failures += 1
        self._refused(turn)
        self.turn = turn.before(self.turn)
