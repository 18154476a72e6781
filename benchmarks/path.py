"""CPU of one message's whole way through the gateway, without a kernel or a disk: submit in, submit out, receipt in,
receipt out, with their four answers. The best of many rounds, because it is compared before and after a change. With
--history every message is noted in a history, whose writer is a process of its own."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import uvloop

from protocol import pdus, receipt
from protocol.consts import Command, MessageState
from protocol.receipt import Receipt
from protocol.session import Asked, Session, Side
from protocol.timers import Timers
from routing.groups import Group
from routing.table import Table
from smppgw import config, journal
from smppgw.access import AccessLog
from smppgw.history.diary import Diary
from smppgw.history.recorder import Recorder
from smppgw.pipeline import Pipeline
from smppgw.settings import HistoryConfig
from smppgw.smpp.bind import Bind
from smppgw.smpp.connector import Connector
from smppgw.smpp.inbound import EsmeLink
from smppgw.smpp.listener import Gate
from smppgw.store.memory import MemoryStore
from smppgw.targets import Target

BATCH = 250
ROUNDS = 200

journal.PACE = 0.0  # a round must not wait for the commit of the one before


class Wire(asyncio.Transport):
    """A transport whose other end is a Session in this process."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.written: list[bytes] = []

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def take(self) -> bytes:
        data = b"".join(self.written)
        self.written.clear()
        return data

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return False


async def turns(count: int = 8) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def measure(history: Path | None = None) -> float:
    """With `history` every message is noted there, by a writer of its own as always."""
    loop = asyncio.get_running_loop()
    settings = config.parse(
        {
            "accounts": {"esme": {"password": "secret", "window": BATCH, "deliver_window": BATCH}},
            "connectors": {"up": {"host": "-", "port": 1, "system_id": "gw", "password": "pw", "window": BATCH}},
            "routes": [{"name": "all", "to": "up"}],
        }
    )
    pipeline = Pipeline(settings.gateway, MemoryStore(), loop, time.time, AccessLog("", loop))
    cast(Any, pipeline.journal.store).open()
    pipeline.accounts.change(settings.accounts.values())
    connector = Connector(settings.smpp["up"], settings.limits, pipeline, loop)
    target = Target("up", Group([("up", 1)]), {}, pipeline, loop.time)
    target.members["up"] = connector
    connector.targets = [target]
    pipeline.upstreams = {"up": target}
    pipeline.returns.sources = {b"up": connector}
    pipeline.table = Table(settings.routes)
    pipeline.journal.start()
    recorder = Recorder(HistoryConfig(engine="sqlite", path=str(history), max_pending=1 << 30), loop)
    if history is not None:
        recorder.start()
        while not recorder.up:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        pipeline.returns.diary = Diary(recorder, time.time)

    timers = Timers()
    esme = Session(Side.ESME, 0.0, timers=timers, window=BATCH)
    smsc = Session(Side.SMSC, 0.0, timers=timers, window=BATCH)
    near, far = Wire(), Wire()
    link = EsmeLink(loop, pipeline, Gate(settings.limits, loop.time), timers, settings.limits, set())
    link.connection_made(near)
    task = loop.create_task(asyncio.sleep(0))
    bind = Bind(connector, 0, task, settings.limits, loop)
    bind.connection_made(far)
    (asked,) = smsc.receive(far.take(), 0.0)
    smsc.answer(cast(Asked, asked), 0, b"smsc\0")
    bind.data_received(smsc.outgoing())
    esme.request(Command.BIND_TRANSCEIVER, pdus.encode(9, pdus.Bind(b"esme", b"secret")), None, 0.0)
    link.data_received(esme.outgoing())
    await turns()
    esme.receive(near.take(), 0.0)

    submit = pdus.encode_submit(
        pdus.SubmitSm(b"", 1, 1, b"12345", 1, 1, b"819012345678", registered_delivery=1, short_message=b"x" * 40)
    )
    number = 0
    best = 1e9
    for _ in range(ROUNDS):
        for _ in range(BATCH):
            esme.request(Command.SUBMIT_SM, submit, None, 0.0)
        octets = esme.outgoing()
        spent = 0.0
        began = time.perf_counter()
        link.data_received(octets)
        await turns()
        spent += time.perf_counter() - began
        esme.receive(near.take(), 0.0)
        receipts = []
        for event in smsc.receive(far.take(), 0.0):
            number += 1
            smsc.answer(cast(Asked, event), 0, b"%d\0" % number)
            said = Receipt(b"%d" % number, MessageState.DELIVERED, b"000", 1.7e9, 1.7e9, 1, 1, b"x" * 20)
            receipts.append(
                pdus.encode_submit(
                    pdus.SubmitSm(b"", 1, 1, b"819012345678", 1, 1, b"12345", 4, short_message=receipt.form(said))
                )
            )
        octets = smsc.outgoing()
        began = time.perf_counter()
        bind.data_received(octets)
        await turns()
        spent += time.perf_counter() - began
        for body in receipts:
            smsc.request(Command.DELIVER_SM, body, None, 0.0)
        octets = smsc.outgoing()
        began = time.perf_counter()
        bind.data_received(octets)
        await turns()
        spent += time.perf_counter() - began
        smsc.receive(far.take(), 0.0)
        came = esme.receive(near.take(), 0.0)
        came = [event for event in came if isinstance(event, Asked)]
        if len(came) != BATCH:
            raise SystemExit(f"{len(came)} of {BATCH} receipts came back")
        for event in came:
            esme.answer(cast(Asked, event), 0, b"\0")
        octets = esme.outgoing()
        began = time.perf_counter()
        link.data_received(octets)
        await turns()
        spent += time.perf_counter() - began
        best = min(best, spent)
    if history is not None:
        await recorder.close()
        print(f"{recorder.noted} notes, {recorder.dropped} dropped")
    return best / BATCH * 1e6


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "history.db" if "--history" in sys.argv else None
        print(f"{runner.run(measure(file)):.2f} us a message, {sys.version.split()[0]}")
