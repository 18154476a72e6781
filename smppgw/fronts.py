"""Receivers of an account of HTTP: they stand where an ESME's binds stand, and answer deliveries by what became of a
request to the application."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import structlog

from protocol.consts import Status
from routing.message import Delivery
from smppgw.outbox import Outbox

log = structlog.get_logger()


class Outcome(NamedTuple):
    """What became of a request to an application."""

    status: int
    """Status.ROK when the application has it; one of outbox.TRY_AGAIN for later; any other sets it aside."""
    said: str = ""
    """In words, for a person who finds it set aside."""


class HttpReceiver:
    """Stands where the binds of an ESME stand, and lets `handle` make the requests. Window, retries, age, dead letters
    and the store are the outbox's matter, as for any account: `deliver_window`, `deliver_retry`, `deliver_attempts`,
    `deliver_age`."""

    unflushed = False

    def __init__(
        self, outbox: Outbox, handle: Callable[[Delivery], Awaitable[Outcome]], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._outbox = outbox
        self._handle = handle
        self._loop = loop
        self._tasks: set[asyncio.Task[None]] = set()
        self.gone = False

    @property
    def room(self) -> int:
        return 0 if self.gone else self._outbox.settings.deliver_window - len(self._tasks)

    def deliver(self, delivery: Delivery) -> None:
        """Called while there is room."""
        task = self._loop.create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, patience: float) -> None:
        """Take nothing more; what is under way may end in this time, and is delivered again after a restart else."""
        self.gone = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        for task in self._tasks:
            task.cancel()

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            outcome = await self._handle(delivery)
        except Exception:  # a bug of ours: the delivery must not be lost by it
            log.exception("callback failed", account=delivery.account)
            outcome = Outcome(Status.RSYSERR)
        self._outbox.answered(delivery, outcome.status, outcome.said)
        self._ended()

    def _ended(self) -> None:
        """The place of the present task is free, before what waits is given out."""
        self._tasks.discard(asyncio.current_task())
        self._outbox.pump()
