"""An ESME under load that keeps count of what it was promised and what it was told."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from functools import partial

from protocol.consts import Command
from protocol.pdus import decode, encode_submit
from protocol.session import SENDING, Answered
from tests.endtoend.esme import Esme, message
from tests.endtoend.running import Running
from tests.kit import PATIENCE

WINDOW = 100
"""Unanswered submits on each of its links."""


class Aggregator:
    """An ESME that submits to another number each time and binds again after every crash.

    What it was promised is in `promised`; whatever did not get an answer it gives up.
    """

    def __init__(self, ahead: int = 1 << 30, prefix: bytes = b"4479") -> None:
        """`ahead`: it submits no more while so many receipts are owed. Numbers are `prefix` and eight digits."""
        self.promised: dict[bytes, bytes] = {}
        """Number by the id in our answer."""
        self.owed: set[bytes] = set()
        """Ids that were promised and have no receipt so far."""
        self.sent = 0
        self.told: Counter[bytes] = Counter()
        """Receipts by id."""
        self.numbers: set[bytes] = set()
        """Those that receipts came for."""
        self.mismatched: list[tuple[bytes, bytes]] = []
        self.refused: Counter[int] = Counter()
        self._links: list[Esme] = []
        self._ahead = ahead
        self._prefix = prefix
        self._parked: list[Esme] = []
        self._submitting = False
        self._waits: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    async def attach(self, gateway: Running, *modes: str, submitting: bool = True) -> None:
        """Binds, and begins to submit. ConnectionError when the gateway goes meanwhile."""
        self.detach()
        for mode in modes:
            link = await Esme.connect(gateway.port)
            self._links.append(link)
            link.answers = partial(self._told, link)
            answer = await link.bind(mode)
            assert answer.status == 0
        if submitting:
            self.go_on()

    def stop(self) -> None:
        """Submits nothing more and goes on to listen."""
        self._submitting = False
        self._parked.clear()

    def go_on(self) -> None:
        """After `stop`."""
        self._submitting = True
        for link in self._links:
            for _ in range(WINDOW * (link.session.state in SENDING)):
                self._submit(link)

    def detach(self) -> None:
        self._submitting = False
        self._parked.clear()
        for link in self._links:
            link.cut()
        self._links.clear()

    async def until(self, what: Callable[[], bool], patience: float = PATIENCE) -> None:
        if what():
            return
        entry = (what, asyncio.get_running_loop().create_future())
        self._waits.append(entry)
        try:
            await asyncio.wait_for(entry[1], patience)
        except TimeoutError:
            raise TimeoutError(
                f"{len(self.promised)} promised, {len(self.owed)} receipts owed after {patience:.0f} s, "
                f"as that to {[self.promised[id] for id in sorted(self.owed)[:3]]}"
            ) from None
        finally:
            self._waits.remove(entry)

    async def until_promised(self, count: int) -> None:
        await self.until(lambda: len(self.promised) >= count)

    async def until_told(self, count: int) -> None:
        await self.until(lambda: len(self.told) >= count)

    def _submit(self, link: Esme) -> None:
        if not self._submitting or link.closed:
            return
        if len(self.owed) >= self._ahead:
            self._parked.append(link)
            return
        self.sent += 1
        number = b"%b%08d" % (self._prefix, self.sent)
        asked = link.ask(Command.SUBMIT_SM, encode_submit(message(number)))
        asked.add_done_callback(lambda done: self._answered(link, number, done))

    def _answered(self, link: Esme, number: bytes, done: "asyncio.Future[Answered]") -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            answer = done.result()
            if answer.status == 0:
                id = decode(answer.command, answer.body).message_id
                self.promised[id] = number
                if id not in self.told:
                    self.owed.add(id)
            else:
                self.refused[answer.status] += 1
            self._submit(link)
            self._look()

    def _told(self, link: Esme, _pdu: object) -> int:
        receipt, number = link.receipts.pop(), link.deliveries.pop().source_addr
        self.told[receipt.id] += 1
        self.owed.discard(receipt.id)
        self.numbers.add(number)
        if self.promised.get(receipt.id, number) != number or receipt.state is None:
            self.mismatched.append((receipt.id, number))
        if self._parked and len(self.owed) < self._ahead:
            self._submit(self._parked.pop())
        self._look()
        return 0

    def _look(self) -> None:
        for what, done in self._waits:
            if not done.done() and what():
                done.set_result(None)
