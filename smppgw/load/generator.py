"""Make load, and measure what comes of it."""

import asyncio
import contextlib
import gc
import resource
import time
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from protocol import receipt, tlv
from protocol.consts import FINAL_STATES, RECEIPT_TYPES, Command, Status, Tag
from protocol.errors import PduError
from protocol.pdus import SubmitSm, decode_submit
from protocol.session import SENDING, Answered, Asked, Event
from protocol.timers import Timers
from smppgw.load.inquiry import Inquiry
from smppgw.load.link import BindRefusedError, EsmeLink, connect
from smppgw.load.plan import DIGITS, Plan, templates

NONE = -1.0
"""A latency that there is not."""
_UNANSWERED = 0xFFFFFFFF
_REBIND = 0.2
_LINGER = 0.2
"""Seconds after the last receipt in which repeated ones may still come."""
_BIND_PATIENCE = 30.0
_INQUIRY = 10.0
"""Seconds for asking what became of messages whose receipt did not come."""
_SUBMIT_SM, _DELIVER_SM = int(Command.SUBMIT_SM), int(Command.DELIVER_SM)
_MESSAGE_ID_RESP = frozenset({int(Command.SUBMIT_SM_RESP), int(Command.DATA_SM_RESP)})


@dataclass(slots=True)
class Measured:
    """Of every message its times, in the order of sending; and what was counted."""

    sent: "array[float]"
    """Seconds since the start."""
    answer: "array[float]"
    """Seconds from the submit to its response."""
    receipt: "array[float]"
    """Seconds from the submit to its first final receipt."""
    status: "array[int]"
    duplicates: int = 0
    unknown: int = 0
    """Receipts for ids that no response named."""
    mismatched: int = 0
    """Receipts from another number than the message with their id went to."""
    early: int = 0
    """Receipts that came before their response."""
    intermediate: int = 0
    mo: int = 0
    nacks: int = 0
    disconnects: int = 0
    accepted: int = 0
    answered: int = 0
    receipts: int = 0
    to_come: int = 0
    """Accepted messages whose receipt may still come: nobody waited for it, or the SMSC says that they go on."""
    cpu: float = 0.0
    """Seconds that this process used."""
    began: float = 0.0
    """Epoch seconds."""
    ended: str = ""
    """Why it stopped, when not because all was done."""
    stopped: bool = False
    """Because somebody said so."""

    @property
    def statuses(self) -> Counter[int]:
        return Counter(status for status in self.status if status != _UNANSWERED)


class Load:
    """One run. `progress` is called about ten times a second."""

    def __init__(self, plan: Plan, progress: Callable[[Measured], None] | None = None) -> None:
        self.plan = plan
        self.measured = Measured(array("d"), array("d"), array("d"), array("L"))
        self._progress = progress or (lambda _: None)
        self._templates = templates(plan)
        self._ids: dict[bytes, int] = {}
        self._early: dict[bytes, list[tuple[float, bytes]]] = {}
        """Of receipts that came before we know their id: when, and from which number."""
        self._links: list[EsmeLink] = []
        """That are bound."""
        self._senders: list[EsmeLink] = []
        self._binding: set[asyncio.Task[None]] = set()
        self._finished = asyncio.Event()
        self._stop_at = float("inf")
        self._sending = False
        self._waited = False
        """As long as the plan says, for the last receipts."""
        self._start = self._last = 0.0
        self._turn = 0

    async def run(self) -> Measured:
        """Raises OSError or BindRefusedError when the links cannot be bound at the start."""
        plan, measured = self.plan, self.measured
        modes = ["trx"] * plan.binds if plan.bind == "trx" else ["rx"] * plan.binds + ["tx"] * plan.binds
        threshold = gc.get_threshold()
        try:
            for mode in modes:
                await asyncio.wait_for(self._bind(mode), _BIND_PATIENCE)
            gc.collect()
            gc.freeze()
            gc.set_threshold(200_000, 50, 1000)  # what is kept holds no circles
            cpu = _cpu()
            measured.began = time.time()
            self._start = self._last = monotonic()
            self._stop_at = self._start + plan.seconds if plan.seconds else float("inf")
            self._sending = True
            for link in self._senders:
                self._fill(link, self._start)
            pace = asyncio.ensure_future(self._pace()) if plan.rate else None
            await self._watch()
            if pace is not None:
                pace.cancel()
            measured.cpu = _cpu() - cpu
            self._sending = False
            under_way = await self._under_way() if self._waited else None
        finally:
            self._sending = False
            gc.set_threshold(*threshold)
            gc.unfreeze()
            for task in self._binding:
                task.cancel()
            links, self._links = self._links, []
            await asyncio.gather(*(link.unbind() for link in links))
        measured.unknown = sum(len(receipts) for receipts in self._early.values())
        missing = self._missing  # the last answers came while links were unbound
        measured.to_come = missing if under_way is None else min(under_way, missing)
        return measured

    def stop(self) -> None:
        """End the run now, and wait for nothing more."""
        self.measured.ended = "stopped"
        self.measured.stopped = True
        self._finished.set()

    # Links.

    async def _bind(self, mode: str) -> None:
        plan = self.plan
        timers = Timers(init=0, enquire_link=30.0, response=plan.response_timeout)
        link = await connect(self, plan.host, plan.port, window=plan.window, timers=timers, tls=plan.tls)
        try:
            await link.bind(mode, plan.system_id.encode(), plan.password.encode())
        except BaseException:
            link.abort()
            raise
        self._links.append(link)
        if mode != "rx":
            self._senders.append(link)

    async def _rebind(self, mode: str) -> None:
        while True:
            await asyncio.sleep(_REBIND)
            try:
                await asyncio.wait_for(self._bind(mode), _BIND_PATIENCE)
            except (OSError, BindRefusedError, TimeoutError):
                continue
            if self._sending:
                self._fill(self._senders[-1], monotonic())
            return

    def lost(self, link: EsmeLink, unanswered: list[tuple[int, Any]]) -> None:
        del unanswered  # they stay without an answer
        if link not in self._links:
            return
        self._links.remove(link)
        if link in self._senders:
            self._senders.remove(link)
        self.measured.disconnects += 1
        if self.plan.reconnect:
            task = asyncio.ensure_future(self._rebind(link.mode))
            self._binding.add(task)
            task.add_done_callback(self._binding.discard)
        elif not self._senders:
            self.measured.ended = "all links were lost"
            self._finished.set()

    def writable(self, link: EsmeLink) -> None:
        self._fill(link, monotonic())

    # Sending.

    def _fill(self, link: EsmeLink, now: float) -> None:
        """Send what window, rate and plan allow."""
        if not self._sending or not link.free or link.session.state not in SENDING:
            return
        measured, plan = self.measured, self.plan
        number = len(measured.sent)
        room = link.session.room
        if now >= self._stop_at:
            return
        if plan.count:
            room = min(room, plan.count - number)
        if plan.rate:
            room = min(room, int((now - self._start) * plan.rate) + 1 - number)
        if room <= 0:
            return
        request, made, kinds = link.session.request, self._templates, len(self._templates)
        first = plan.start
        for n in range(number, number + room):
            request(_SUBMIT_SM, made[n % kinds].body(first + n), n, now)
        at = now - self._start
        measured.sent.extend([at] * room)
        measured.answer.extend([NONE] * room)
        measured.receipt.extend([NONE] * room)
        measured.status.extend([_UNANSWERED] * room)
        link.touch()

    async def _pace(self) -> None:
        while True:
            now = monotonic()
            for _ in range(len(self._senders)):
                self._turn += 1
                self._fill(self._senders[self._turn % len(self._senders)], now)
            await asyncio.sleep(max(0.001, min(0.01, 1 / self.plan.rate)))

    # Hearing.

    def events(self, link: EsmeLink, events: list[Event], now: float) -> None:
        measured = self.measured
        answers, statuses, ids = measured.answer, measured.status, self._ids
        for event in events:
            if type(event) is Answered:
                n = event.token
                if event.command not in _MESSAGE_ID_RESP:
                    if isinstance(n, Inquiry):
                        n.answered(event)
                        continue
                    measured.nacks += 1
                answers[n] = now - event.sent
                statuses[n] = event.status
                measured.answered += 1
                if event.status == 0:
                    measured.accepted += 1
                    number = event.body[: event.body.find(0)]
                    ids[number] = n
                    if self._early and number in self._early:
                        self._catch_up(n, self._early.pop(number))
                self._last = now
            elif type(event) is Asked:
                if event.command == _DELIVER_SM:
                    self._delivered(event.body, now)
                    link.session.answer(event, 0, b"\0")
                else:
                    link.session.answer(event, Status.ROK, b"\0" if event.command == Command.DATA_SM else b"")
        self._fill(link, now)

    def _delivered(self, body: bytes, now: float) -> None:
        try:
            pdu = decode_submit(body)
        except PduError:
            self.measured.mo += 1
            return
        if not pdu.esm_class & RECEIPT_TYPES:
            self.measured.mo += 1
            return
        text = pdu.short_message
        if text.startswith(b"id:") and b" stat:DELIVRD " in text:
            n = self._ids.get(text[3 : text.find(32)])
            if n is not None:
                self._receipt(n, now, pdu.source_addr)  # nearly all of them
                return
        self._odd_receipt(pdu, now)

    def _odd_receipt(self, pdu: SubmitSm, now: float) -> None:
        tlvs = tlv.parse(pdu.tlvs)
        text = pdu.short_message or tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
        found = receipt.parse(text, tlvs)
        if found is None:
            self.measured.mo += 1
        elif found.state is not None and found.state not in FINAL_STATES:
            self.measured.intermediate += 1
        elif (n := self._ids.get(found.id)) is not None:
            self._receipt(n, now, pdu.source_addr)
        else:
            self._early.setdefault(found.id, []).append((now, pdu.source_addr))
            self._last = now

    def _receipt(self, n: int, now: float, number: bytes) -> None:
        measured = self.measured
        self._last = now
        if number[-DIGITS:] != b"%08d" % ((self.plan.start + n) % 10**DIGITS):
            measured.mismatched += 1
        if measured.receipt[n] != NONE:
            measured.duplicates += 1
            return
        measured.receipt[n] = now - self._start - measured.sent[n]
        measured.receipts += 1

    def _catch_up(self, n: int, receipts: list[tuple[float, bytes]]) -> None:
        self.measured.early += 1
        for at, number in receipts:
            self._receipt(n, at, number)

    # The end.

    async def _watch(self) -> None:
        ticked, done_at = 0.0, None
        while not self._finished.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._finished.wait(), 0.1)
            now = monotonic()
            self._progress(self.measured)
            if now - ticked >= 1:
                ticked = now
                for link in list(self._links):
                    link.tick(now)
            if self._complete(now):
                done_at = done_at or now
                if now - done_at >= (_LINGER if self.plan.receipts else 0):
                    return
            elif self._stuck(now):
                return

    async def _under_way(self) -> int:
        """Of what is missing, messages that the SMSC says go on."""
        measured = self.measured
        inquiry = Inquiry(id for id, n in self._ids.items() if measured.receipt[n] == NONE)
        deadline = monotonic() + _INQUIRY
        while not inquiry.over and self._senders and monotonic() < deadline and not measured.stopped:
            inquiry.ask(self._senders, monotonic())
            await asyncio.sleep(0.01)
        return inquiry.under_way

    @property
    def _missing(self) -> int:
        """Receipts."""
        return self.measured.accepted - self.measured.receipts if self.plan.receipts else 0

    def _all_sent(self, now: float) -> bool:
        return now >= self._stop_at or 0 < self.plan.count <= len(self.measured.sent)

    def _waiting(self) -> int:
        return sum(link.session.unanswered for link in self._senders)

    def _complete(self, now: float) -> bool:
        measured = self.measured
        if not self._all_sent(now) or self._waiting():
            return False
        return not self.plan.receipts or measured.receipts >= measured.accepted

    def _stuck(self, now: float) -> bool:
        quiet = now - self._last
        if self._all_sent(now) and not self._waiting():
            if quiet > self.plan.receipt_timeout:
                self._waited = True
                self.measured.ended = f"no receipt for {self.plan.receipt_timeout:g} s"
                return True
            return False
        if quiet > self.plan.response_timeout and self._waiting():
            self.measured.ended = f"no response for {self.plan.response_timeout:g} s"
            return True
        return False


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
