"""An ESME of the demo that sends at one pace, and remembers every promise it was given."""

import asyncio
import time
from collections import Counter
from typing import Any

from protocol import receipt, tlv
from protocol.consts import FINAL_STATES, RECEIPT_TYPES, Command, Status
from protocol.pdus import decode_submit
from protocol.session import SENDING, Answered, Asked, Event
from smppgw.demo.story import PATIENCE
from smppgw.load.link import BindRefusedError, EsmeLink, connect
from smppgw.load.plan import Plan, templates

PREFIX = "4479"
_REBIND = 0.2


class Steady:
    """Binds again whenever it must. `run` never returns."""

    def __init__(self, port: int, rate: float, prefix: str = PREFIX, first: int = 0) -> None:
        self._port = port
        self._rate = rate
        self._prefix = prefix
        self._first = first
        self._body = templates(Plan(receipts=True, prefix=prefix))[0].body
        self._link: EsmeLink | None = None
        self.sending = True
        self.sent = 0
        self.promised: dict[bytes, bytes] = {}
        """Message id to destination, of what was acknowledged."""
        self.receipts: Counter[bytes] = Counter()
        """Final ones, by id."""
        self.refused: Counter[int] = Counter()
        self.unanswered = 0
        self.binds = 0

    @property
    def acknowledged(self) -> int:
        return len(self.promised)

    @property
    def missing(self) -> int:
        """Acknowledged messages without a receipt so far."""
        return len(self.promised) - len(self.promised.keys() & self.receipts.keys())

    @property
    def waiting(self) -> int:
        """Submits without an answer so far."""
        return self._link.session.unanswered if self._link is not None else 0

    async def run(self) -> None:
        due = time.monotonic()
        while True:
            if self._link is None:
                await self._bind()
                due = time.monotonic()
                continue
            self._send(due)
            due = max(due + 0.02, time.monotonic() - 0.5)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def part(self) -> None:
        if self._link is not None:
            await self._link.unbind()

    async def _bind(self) -> None:
        link = None
        try:
            link = await connect(self, "127.0.0.1", self._port, window=1000)
            await asyncio.wait_for(link.bind("trx", b"demo", b"secret"), PATIENCE)
        except (OSError, BindRefusedError, TimeoutError):
            if link is not None:
                link.abort()
            await asyncio.sleep(_REBIND)
            return
        self._link = link
        self.binds += 1

    def _send(self, now: float) -> None:
        link = self._link
        if not self.sending or link is None or link.session.state not in SENDING or not link.free:
            return
        for _ in range(min(max(1, round(self._rate * 0.02)), link.session.room)):
            self.sent += 1
            number = self._first + self.sent
            destination = f"{self._prefix}{number:08}".encode()
            link.session.request(Command.SUBMIT_SM, self._body(number), destination, now)
        link.touch()

    def events(self, link: EsmeLink, events: list[Event], now: float) -> None:
        del now
        for event in events:
            if isinstance(event, Answered):
                if event.status == Status.ROK:
                    self.promised[event.body.rstrip(b"\0")] = event.token
                else:
                    self.refused[event.status] += 1
            elif isinstance(event, Asked) and event.command == Command.DELIVER_SM:
                pdu = decode_submit(event.body)
                said = receipt.parse(pdu.short_message, tlv.parse(pdu.tlvs))
                if pdu.esm_class & RECEIPT_TYPES and said is not None and said.state in FINAL_STATES:
                    self.receipts[said.id] += 1
                link.session.answer(event, Status.ROK, b"\0")

    def lost(self, link: EsmeLink, unanswered: list[tuple[int, Any]]) -> None:
        self.unanswered += sum(command == Command.SUBMIT_SM for command, _ in unanswered)
        if link is self._link:
            self._link = None

    def writable(self, link: EsmeLink) -> None:
        pass
