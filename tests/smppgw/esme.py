"""A small ESME for tests: asks, and keeps what it is given."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from protocol.consts import Command, Status
from protocol.pdus import CODECS, SubmitSm, decode_submit, encode
from protocol.session import Answered, Asked, Event
from smppgw.load.link import EsmeLink, connect


class Esme:
    """`async with Esme(port) as esme:` is bound as a transceiver, unless told otherwise."""

    def __init__(self, port: int, mode: str = "trx", system_id: bytes = b"esme", password: bytes = b"") -> None:
        self.port, self.mode, self.system_id, self.password = port, mode, system_id, password
        self.delivered: list[SubmitSm] = []
        self.order: list[int] = []
        """Commands of all that came, but binds."""
        self.statuses: list[int] = []
        """Answers to the next deliveries; then ROK."""
        self.taking = True
        """Deliveries are answered."""
        self.gone = False
        self._waits: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    async def __aenter__(self) -> Self:
        self.link = await connect(self, "127.0.0.1", self.port)
        try:
            await self.link.bind(self.mode, self.system_id, self.password)
        except BaseException:
            await self.link.unbind()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.link.unbind()

    def send(self, command: int, pdu: Any) -> "asyncio.Future[Answered]":
        answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self.link.session.request(command, encode(command, pdu), answer, 0.0)
        self.link.touch()
        return answer

    async def ask(self, command: int, pdu: Any) -> Answered:
        return await asyncio.wait_for(self.send(command, pdu), 10)

    async def submit(self, destination: bytes = b"447700900001", **fields: Any) -> Answered:
        pdu = SubmitSm(source_addr=b"12345", destination_addr=destination, **fields)
        return await self.ask(Command.SUBMIT_SM, pdu)

    async def until(self, what: Callable[[], bool], patience: float = 10.0) -> None:
        if not what():
            entry = (what, asyncio.get_running_loop().create_future())
            self._waits.append(entry)
            await asyncio.wait_for(entry[1], patience)

    async def receipts(self, count: int) -> list[SubmitSm]:
        await self.until(lambda: len(self.delivered) >= count)
        return self.delivered

    def events(self, link: EsmeLink, events: list[Event], now: float) -> None:
        for event in events:
            if isinstance(event, Answered):
                self.order.append(event.command)
                if not event.token.done():
                    event.token.set_result(event)
            elif isinstance(event, Asked):
                self.order.append(event.command)
                self.delivered.append(decode_submit(event.body))
                if self.taking:
                    status = self.statuses.pop(0) if self.statuses else Status.ROK
                    link.session.answer(event, status, b"\0")
        self._look()

    def lost(self, link: EsmeLink, unanswered: list[tuple[int, Any]]) -> None:
        self.gone = True
        for _, answer in unanswered:
            if isinstance(answer, asyncio.Future):
                answer.cancel()
        self._look()

    def writable(self, link: EsmeLink) -> None:
        pass

    def _look(self) -> None:
        for what, done in self._waits:
            if not done.done() and what():
                done.set_result(None)


def message_id(answered: Answered) -> bytes:
    found: bytes = CODECS[answered.command].decode(answered.body).message_id
    return found
