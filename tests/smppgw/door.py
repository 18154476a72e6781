"""The gateway's side of ESMEs' links on a real port, with a bench behind it, and a peer that can say anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from protocol import pdus
from protocol.consts import RESPONSE, Command
from protocol.pdus import Bind
from protocol.timers import Timers
from protocol.wire import Reader, frame
from smppgw.settings import Account, Limits, Listener
from smppgw.smpp.inbound import EsmeLink
from smppgw.smpp.listener import Gate, Listeners
from tests.smppgw.bench import Bench
from tests.smppgw.jumping import until

SECRET = "secret"


class Door:
    """An open port."""

    def __init__(self, bench: Bench, accounts: list[Account], limits: Limits, timers: Timers) -> None:
        loop = asyncio.get_running_loop()
        self.bench = bench
        bench.pipeline.accounts.change(accounts)
        self.account = bench.account
        self.gate = Gate(limits, loop.time)
        self.links: set[EsmeLink] = set()
        self.listeners = Listeners(lambda: EsmeLink(loop, bench.pipeline, self.gate, timers, limits, self.links))

    @property
    def port(self) -> int:
        return self.listeners.ports[0]


@asynccontextmanager
async def opened(
    *others: Account, limits: dict[str, Any] | None = None, timers: Timers | None = None, **account: Any
) -> AsyncIterator[Door]:
    """A door for the account "esme", with these settings, and others."""
    secret = {} if "password_hash" in account else {"password": SECRET}
    esme = Account.model_validate({"name": "esme", **secret, **account})
    relay = Account.model_validate({"name": "relay", "password": SECRET, "ack": "upstream"})
    given = Limits.model_validate(limits or {})
    door = Door(Bench(), [esme, relay, *others], given, timers or Timers(0, 0, 0, 0))
    await door.listeners.open([Listener(host="127.0.0.1", port=0)])
    try:
        yield door
    finally:
        door.listeners.close()
        for link in list(door.links):
            link.abort("the test is over")
        await until(lambda: not door.gate.open)


class Peer:
    """`async with Peer(door.port) as peer:` is an open connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sequence = 0
        self._reader = Reader(65536)
        self.came: list[tuple[int, int, int, bytes]] = []
        """Every PDU: command, status, sequence, body."""
        self.closed = False

    async def __aenter__(self) -> Self:
        read, self._write = await asyncio.open_connection("127.0.0.1", self._port)
        self._task = asyncio.ensure_future(self._listen(read))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._write.transport.abort()
        await self._task

    async def _listen(self, read: asyncio.StreamReader) -> None:
        try:
            while data := await read.read(65536):
                self.came += self._reader.feed(data)
        except ConnectionError:
            pass
        self.closed = True

    def write(self, data: bytes) -> None:
        self._write.write(data)

    def send(self, command: int, body: bytes = b"", status: int = 0, sequence: int | None = None) -> int:
        """Send without waiting; the sequence number."""
        if sequence is None:
            self._sequence += 1
            sequence = self._sequence
        self.write(frame(command, status, sequence, body))
        return sequence

    def answer_to(self, sequence: int) -> tuple[int, int, bytes] | None:
        """Command, status and body, once it is there."""
        for command, status, number, body in self.came:
            if number == sequence and command & RESPONSE:
                return command, status, body
        return None

    async def ask(self, command: int, body: bytes = b"") -> tuple[int, int, bytes]:
        sequence = self.send(command, body)
        await until(lambda: self.answer_to(sequence))
        answer = self.answer_to(sequence)
        assert answer is not None
        return answer

    async def bind(self, system_id: bytes = b"esme", mode: str = "transceiver", **fields: Any) -> tuple[int, bytes]:
        """The status and body of the answer."""
        command = Command[f"BIND_{mode.upper()}"]
        body = pdus.encode(command, Bind(system_id, **{"password": SECRET.encode(), **fields}))
        _, status, answer = await self.ask(command, body)
        return status, answer

    def delivered(self) -> list[tuple[int, pdus.SubmitSm]]:
        """Sequence number and content of every deliver_sm that came."""
        return [
            (sequence, pdus.decode_submit(body))
            for command, _, sequence, body in self.came
            if command == Command.DELIVER_SM
        ]
