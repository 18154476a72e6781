"""An SMSC that can be told how to behave, well or badly."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from protocol.consts import Status
from protocol.pdus import Bind, SubmitSm
from smppgw.simulate.alarm import Alarm
from smppgw.simulate.desk import Desk, message
from smppgw.simulate.link import Link
from smppgw.simulate.mailbox import Delivery
from smppgw.simulate.options import Options

PATIENCE = 10.0
"""Seconds that a wait lasts unless told otherwise."""


class Smsc:
    """`async with Smsc(Options(...)) as smsc:` listens on `smsc.port` until the end of the block."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.port = self.options.port
        self.links: list[Link] = []
        """All that are open, bound or not."""
        self.delivery_statuses: Counter[int] = Counter()
        """Answers to our deliver_sm."""
        self.acknowledged = 0
        """Receipts that the peer took."""
        self.receipts = 0
        """Receipts sent, repeated ones included."""
        self._dirty: list[Link] = []
        self._waits: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._server: asyncio.Server | None = None
        self._rising: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._fallen = self._mo_started = False

    async def __aenter__(self) -> Self:
        """Raises OSError when it cannot listen."""
        self._loop = asyncio.get_running_loop()
        self._alarm = Alarm(self._look)
        self.desk = Desk(self.options, self._alarm)
        await self.come_up()
        self._alarm.every(1.0, self._tick)
        if self.options.flap:
            self._alarm.every(self.options.flap, self.drop_links)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.go_down()
        self._alarm.stop()
        if self._closing is not None:
            await self._closing
        await self.until(lambda: not self.links)

    # What happened.

    @property
    def received(self) -> deque[SubmitSm]:
        """Every message that was taken, in order, whether its submit has been answered or not."""
        return self.desk.received

    @property
    def submits(self) -> int:
        """Messages that were taken."""
        return self.desk.submits

    @property
    def destinations(self) -> set[bytes]:
        """Of all messages that were taken."""
        return self.desk.destinations

    @property
    def refused(self) -> Counter[int]:
        """Submits that were refused, by status."""
        return self.desk.refused

    @property
    def up(self) -> bool:
        """Listening."""
        return self._server is not None

    @property
    def bound(self) -> int:
        """Links that are bound."""
        return sum(bool(link.owner) for link in self.links)

    @property
    def waiting(self) -> int:
        """Deliveries that no link has taken so far."""
        return sum(len(mailbox.waiting) for mailbox in self.desk.mailboxes.values()) + len(self.desk.homeless)

    def stats(self) -> dict[str, Any]:
        """Plain values for JSON."""
        desk, counts = self.desk, self.desk.counts
        span = desk.last - desk.first
        return {
            "submits": desk.submits,
            "unique_destinations": len(desk.destinations),
            "duplicates": desk.again,
            "refused": {f"0x{status:02x}": count for status, count in sorted(desk.refused.items())},
            "silent": counts["silent"],
            "malformed": counts["malformed"],
            "submits_per_s": round(desk.submits / span) if span > 0 else 0,
            "first": round(desk.first, 3),
            "last": round(desk.last, 3),
            "receipts": {
                "sent": self.receipts,
                "acked": self.acknowledged,
                "resent": counts["resent"],
                "refused": counts["receipts refused"],
                "lost_on_purpose": counts["lost"],
                "due": desk.due,
            },
            "mo": {"sent": counts["mo"], "acked": counts["mo acked"], "refused": counts["mo refused"]},
            "waiting": self.waiting,
            "links": {
                "open": len(self.links),
                "bound": self.bound,
                "opened": counts["opened"],
                "binds": counts["binds"],
                "binds_refused": counts["binds refused"],
                "dropped": counts["dropped"],
            },
        }

    # Waiting.

    async def until(self, what: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Wait until something holds; it is looked at whenever anything has happened here. Raises TimeoutError."""
        if what():
            return
        entry = (what, self._loop.create_future())
        self._waits.append(entry)
        try:
            await asyncio.wait_for(entry[1], patience)
        except TimeoutError:
            raise TimeoutError(f"not within {patience} s: {self.stats()}") from None
        finally:
            self._waits.remove(entry)

    async def wait_for(self, submits: int, patience: float = PATIENCE) -> None:
        """Until so many messages were taken."""
        await self.until(lambda: self.submits >= submits, patience)

    async def wait_acknowledged(self, receipts: int, patience: float = PATIENCE) -> None:
        """Until the peer took so many receipts."""
        await self.until(lambda: self.acknowledged >= receipts, patience)

    async def wait_bound(self, links: int = 1, patience: float = PATIENCE) -> None:
        await self.until(lambda: self.bound >= links, patience)

    # What it can be told.

    def send_mo(
        self,
        source: bytes,
        destination: bytes,
        text: str | bytes,
        *,
        system_id: str | None = None,
        data_coding: int | None = None,
    ) -> None:
        """A message from a mobile; see `deliver`."""
        self.deliver(message(source, destination, text, data_coding), system_id=system_id)

    def deliver(self, pdu: SubmitSm, *, system_id: str | None = None) -> None:
        """Any deliver_sm, to this system_id or to whichever has or next gets a receiving bind. Kept until taken."""
        self.desk.deliver(pdu, system_id)

    def drop_links(self) -> None:
        """Cut every link without a word."""
        self.desk.counts["dropped"] += len(self.links)
        for link in list(self.links):
            link.abort()

    def hold(self) -> None:
        """From now on submits are taken but not answered, and deliveries wait."""
        self.desk.hold()

    def resume(self) -> None:
        """All that `hold` held back goes out."""
        self.desk.resume()

    def go_down(self) -> None:
        """Drop all links and refuse new ones, in a few turns of the loop. Messages and receipts are kept."""
        if self._server is not None:
            self._closing = self._loop.create_task(_close(self._server))
            self._server = None
        self.drop_links()

    async def come_up(self) -> None:
        """Listen, on the same port as before."""
        if self._closing is not None:
            await self._closing
        if self._server is None:
            self._server = await self._loop.create_server(
                lambda: Link(self), self.options.host, self.port, ssl=self.options.tls, backlog=1024
            )
            self.port = self._server.sockets[0].getsockname()[1]
            self._look()

    def toggle(self) -> None:
        """Down when up, up when down."""
        if self.up:
            self.go_down()
        else:
            self._rising = self._loop.create_task(self.come_up())

    # What links tell.

    def opened(self, link: Link) -> None:
        self.links.append(link)
        self.desk.counts["opened"] += 1
        if not self.up:  # accepted before it went down
            link.abort()

    def closed(self, link: Link) -> None:
        self.links.remove(link)
        self._look()

    def bind(self, link: Link, bind: Bind) -> Status:
        options, counts = self.options, self.desk.counts
        if options.system_id and bind.system_id != options.system_id.encode():
            counts["binds refused"] += 1
            return Status.RINVSYSID
        if options.password and bind.password != options.password.encode():
            counts["binds refused"] += 1
            return Status.RINVPASWD
        link.owner = bind.system_id.decode("latin-1") or "nobody"
        counts["binds"] += 1
        if options.mo and not self._mo_started:
            self._mo_started = True
            self._send_mos()
            if options.mo_every:
                self._alarm.every(options.mo_every, self._send_mos)
        return Status.ROK

    def acked(self, delivery: Delivery) -> None:
        if delivery.receipt:
            self.acknowledged += 1
        else:
            self.desk.counts["mo acked"] += 1

    def sent(self, delivery: Delivery) -> None:
        if delivery.receipt:
            self.receipts += 1
        else:
            self.desk.counts["mo"] += 1

    def dirty(self, link: Link) -> None:
        if not self._dirty:
            self._loop.call_soon(self._flush)
        self._dirty.append(link)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for link in dirty:
            link.flush()
        if self.options.down_after and not self._fallen and self.submits >= self.options.down_after:
            self._fallen = True
            self.go_down()
            if self.options.down_for:
                self._alarm.after(self.options.down_for, self.toggle)
        self._look()

    def _tick(self) -> None:
        now = self._loop.time()
        for link in list(self.links):
            link.tick(now)

    def _send_mos(self) -> None:
        for mo in self.options.mo:
            self.send_mo(mo.source, mo.destination, mo.text)

    def _look(self) -> None:
        for what, done in self._waits:
            if not done.done() and what():
                done.set_result(None)


async def _close(server: asyncio.Server) -> None:
    """Let what was accepted become links first: on a closed server it would stay open and unheard (CPython 3.11)."""
    loop = asyncio.get_running_loop()
    for listener in server.sockets:
        loop.remove_reader(listener.fileno())
    for _ in range(4):
        await asyncio.sleep(0)
    server.close()
    await server.wait_closed()
