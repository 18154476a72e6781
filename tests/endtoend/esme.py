"""A small ESME that does what a test says, rightly or wrongly, and keeps all that it hears."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Self, cast

from protocol import receipt, tlv
from protocol.consts import RECEIPT_TYPES, Command, Status, Tag
from protocol.pdus import Bind, MessageIdResp, SubmitSm, decode, decode_submit, encode, encode_submit
from protocol.receipt import Receipt
from protocol.session import Answered, Asked, Broken, Ended, Session, Side, State
from protocol.timers import Timers
from protocol.wire import Frame, Reader, frame
from tests.kit import PATIENCE

MODES = {
    "transmitter": Command.BIND_TRANSMITTER,
    "receiver": Command.BIND_RECEIVER,
    "transceiver": Command.BIND_TRANSCEIVER,
}
HOT = (Command.SUBMIT_SM, Command.DELIVER_SM)


def message(destination: str | bytes, text: bytes = b"hello", **fields: Any) -> SubmitSm:
    """A submit that asks for a receipt, unless the fields say otherwise."""
    number = destination.encode() if isinstance(destination, str) else destination
    asked = {"source_addr_ton": 1, "source_addr_npi": 1, "source_addr": b"12345", "registered_delivery": 1, **fields}
    return SubmitSm(dest_addr_ton=1, dest_addr_npi=1, destination_addr=number, short_message=text)._replace(**asked)


class Esme(asyncio.Protocol):
    """One link. Deliveries are answered at once with what `answers` says; None leaves them unanswered."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.session = Session(Side.ESME, 0.0, timers=Timers(0, 0, 0, 0), max_pdu=1 << 20, window=1 << 30, patient=True)
        self.frames: list[Frame] = []
        """All PDUs that came, but the deliveries and answers to submits that went their ordinary way."""
        self.deliveries: list[SubmitSm] = []
        self.receipts: list[Receipt] = []
        """Read from text and TLVs, those that were refused included."""
        self.mo: list[SubmitSm] = []
        self.answers: Callable[[SubmitSm], int | None] = lambda pdu: Status.ROK
        self.closed = False
        self.reset = False
        """It was closed by a reset, not in an orderly way."""
        self._raw = Reader(1 << 20)
        self._transport: asyncio.Transport | None = None
        self._waits: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._flushing = False

    @classmethod
    async def connect(cls, port: int, tls: ssl.SSLContext | None = None) -> Self:
        loop = asyncio.get_running_loop()
        name = "localhost" if tls else None
        _, link = await loop.create_connection(cls, "127.0.0.1", port, ssl=tls, server_hostname=name)
        return link

    # What it does.

    async def bind(
        self, mode: str = "transceiver", system_id: str = "esme", password: str = "secret", version: int = 0x34
    ) -> Answered:
        body = Bind(system_id.encode(), password.encode(), interface_version=version)
        return await self.ask(MODES[mode], encode(MODES[mode], body))

    def ask(self, command: int, body: bytes = b"") -> "asyncio.Future[Answered]":
        """Any request; its answer. ConnectionError when the link goes first."""
        future: asyncio.Future[Answered] = self._loop.create_future()
        if self.closed or self.session.state is State.CLOSED:
            future.set_exception(ConnectionError("closed"))
            future.exception()
            return future
        self.session.request(command, body, future, self._loop.time())
        self._flush_soon()
        return future

    async def submit(self, destination: str | bytes, text: bytes = b"hello", **fields: Any) -> Answered:
        pdu = message(destination, text, **fields)
        return await asyncio.wait_for(self.ask(Command.SUBMIT_SM, encode_submit(pdu)), PATIENCE)

    async def submitted(self, destination: str | bytes, text: bytes = b"hello", **fields: Any) -> bytes:
        """Submits a message that is to be taken; its id."""
        return id_of(await self.submit(destination, text, **fields))

    async def status(self, destination: str | bytes, text: bytes = b"hello", **fields: Any) -> int:
        return (await self.submit(destination, text, **fields)).status

    async def unbind(self) -> None:
        self.ask(Command.UNBIND)
        await self.gone()

    def write(self, octets: bytes) -> None:
        """Whatever it is."""
        if self._transport is not None:
            self._transport.write(octets)

    async def raw(self, command: int, body: bytes = b"", sequence: int = 7777) -> Frame:
        """A request that the session would not send; the PDU that comes back with its sequence number."""
        before = len(self.frames)
        self.write(frame(command, 0, sequence, body))

        def found() -> Frame | None:
            return next((each for each in self.frames[before:] if each[2] == sequence), None)

        await self.until(lambda: found() is not None)
        return cast(Frame, found())

    def stop_reading(self) -> None:
        assert self._transport is not None
        self._transport.pause_reading()

    def read_on(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def cut(self) -> None:
        """Without a word."""
        if self._transport is not None:
            self._transport.abort()

    # What it waits for.

    async def until(self, what: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Looked at whenever something came. Raises TimeoutError."""
        if what():
            return
        entry = (what, self._loop.create_future())
        self._waits.append(entry)
        try:
            await asyncio.wait_for(entry[1], patience)
        except TimeoutError:
            heard = f"{len(self.receipts)} receipts, {len(self.mo)} MO, last frames {self.frames[-3:]}"
            raise TimeoutError(f"not within {patience} s; closed: {self.closed}; heard {heard}") from None
        finally:
            self._waits.remove(entry)

    async def wait_receipts(self, count: int, patience: float = PATIENCE) -> list[Receipt]:
        await self.until(lambda: len(self.receipts) >= count, patience)
        return self.receipts

    async def wait_mo(self, count: int, patience: float = PATIENCE) -> list[SubmitSm]:
        await self.until(lambda: len(self.mo) >= count, patience)
        return self.mo

    async def gone(self, patience: float = PATIENCE) -> None:
        await self.until(lambda: self.closed, patience)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed, self.reset, self._transport = True, exc is not None, None
        for _, token in self.session.lost():
            if isinstance(token, asyncio.Future) and not token.done():
                token.set_exception(ConnectionError("the gateway closed the link"))
                token.exception()  # who does not wait for it need not hear of it
        self._look()

    def data_received(self, data: bytes) -> None:
        for each in self._raw.feed(data):
            if each[0] & 0x7FFFFFFF not in HOT or each[1]:
                self.frames.append(each)
        for event in self.session.receive(data, self._loop.time()):
            if isinstance(event, Asked):
                self._asked(event)
            elif isinstance(event, Answered) and isinstance(event.token, asyncio.Future):
                if not event.token.done():
                    event.token.set_result(event)
            elif isinstance(event, Ended | Broken) and self._transport is not None:
                self._flush()
                self._transport.close()
        if self.session.leaving:  # every delivery of this read was answered before
            self.session.leave()
            self._flush()
            if self._transport is not None:
                self._transport.close()
        self._flush()
        self._look()

    def _asked(self, event: Asked) -> None:
        if event.command == Command.DATA_SM:
            self.session.answer(event, Status.ROK, b"\0")
            return
        pdu = decode_submit(event.body)
        self.deliveries.append(pdu)
        if pdu.esm_class & RECEIPT_TYPES:
            values = tlv.parse(pdu.tlvs)
            found = receipt.parse(pdu.short_message or values.get(Tag.MESSAGE_PAYLOAD, b""), values)
            self.receipts.append(found or Receipt(b""))
        else:
            self.mo.append(pdu)
        status = self.answers(pdu)
        if status is not None:
            self.session.answer(event, status, b"\0")

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        data = self.session.outgoing()
        if data and self._transport is not None:
            self._transport.write(data)

    def _look(self) -> None:
        for what, done in self._waits:
            if not done.done() and what():
                done.set_result(None)


def id_of(answer: Answered) -> bytes:
    """The message_id of an answer that says ROK."""
    assert answer.status == Status.ROK, f"refused with status 0x{answer.status:02X}"
    resp: MessageIdResp = decode(Command.SUBMIT_SM_RESP, answer.body)
    return resp.message_id
