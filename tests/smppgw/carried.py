"""A connector to an HTTPS carrier on the bench: what it is asked, and what it answers, is in the test's hands."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from protocol import pdus, tlv, udh
from protocol.consts import MessageState, RegisteredDelivery
from protocol.pdus import SubmitSm
from protocol.receipt import Receipt
from routing.groups import Group
from routing.message import Message, id_of
from routing.table import MoTable, Table
from smppgw.access import AccessLog
from smppgw.app import tlv_of
from smppgw.carriers.connector import CarrierConnector
from smppgw.carriers.contract import Answer, Capabilities, Heard, Hook, HookRefused, Operation, Text, sent
from smppgw.carriers.settings import CarrierSettings
from smppgw.pipeline import Pipeline
from smppgw.restore import restore
from smppgw.settings import Account, Gateway, MoRoute, Route
from smppgw.targets import Target
from tests.smppgw.bench import Asker, BenchStore, Said
from tests.smppgw.jumping import advance, epoch

ASKS = int(RegisteredDelivery.FINAL)
NUMBER = b"819012345678"


async def settle() -> None:
    """Let commits happen, also those that nobody waits for."""
    await advance(0.1)


class Ask:
    """A text that waits for its answer."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self._answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def answer(self, answer: Answer) -> None:
        self._answer.set_result(answer)

    def fail(self, error: Exception) -> None:
        self._answer.set_exception(error)

    async def wait(self) -> Answer:
        return await self._answer


@dataclass
class Script:
    """A carrier that answers what it is told; by default with the tag as the id."""

    capabilities: Capabilities
    kind: ClassVar[str] = "script"
    thanks: tuple[bytes, str] = (b"ok", "text/plain")
    automatic: bool = True
    asks: list[Ask] = field(default_factory=list)
    """All there were."""
    says: Callable[[bytes], Sequence[Heard]] = lambda id: ()
    """To polls."""
    polled: list[bytes] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    """Notifications: the body is an upstream id, and it was delivered."""
    slow: float = 0.0
    """Seconds until it says something to a poll."""

    @property
    def texts(self) -> list[str]:
        return [ask.text.text for ask in self.asks]

    async def send(self, text: Text) -> Answer:
        ask = Ask(text)
        self.asks.append(ask)
        if self.automatic:
            ask.answer(sent(text.tag.encode()))
        return await ask.wait()

    def hear(self, hook: Hook) -> Sequence[Heard]:
        self.hooks.append(hook)
        if hook.body == b"forged":
            raise HookRefused(403, "forged")
        return [Receipt(hook.body, MessageState.DELIVERED, b"000")]

    async def poll(self, id: bytes) -> Sequence[Heard]:
        self.polled.append(id)
        await asyncio.sleep(self.slow)
        return self.says(id)

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {}


class Rig:
    """A pipeline whose only way leads to one carrier; make it inside the loop that it is to use."""

    def __init__(
        self,
        store: BenchStore | None = None,
        *,
        idempotent: bool = False,
        gateway: Mapping[str, Any] | None = None,
        **keys: Any,
    ) -> None:
        self.loop = loop = asyncio.get_running_loop()
        self.store = store or BenchStore()
        self.store.open()
        self.script = Script(Capabilities(1000, 140, True, idempotent=idempotent, receipts="both"))
        self.pipeline = Pipeline(Gateway(**(gateway or {})), self.store, loop, epoch, AccessLog("", loop))
        self.pipeline.accounts.change([Account(name="esme"), Account(name="relay", ack="upstream")])
        self.account = self.pipeline.accounts.owner("esme")
        self.relay = self.pipeline.accounts.owner("relay")
        self.pipeline.table = Table([Route(name="all", to="carrier")], tlv_of)
        self.pipeline.returns.mo_table = MoTable([MoRoute(account="esme")])
        self.connector = self._connect(keys)
        hearing = self.connector.hearing
        self.restored = restore(self.pipeline, self.store, hearing.restore, said=hearing.restore_said)
        self.connector.start()
        self.pipeline.journal.start()

    def _connect(self, keys: Mapping[str, Any]) -> CarrierConnector:
        settings = CarrierSettings(**{"name": "carrier", "kind": "script", "url": "https://api.example.com", **keys})
        connector = CarrierConnector(settings, self.pipeline, self.loop, lambda _settings, _client: self.script)
        self.target = Target("carrier", Group([("carrier", 1)]), {"carrier": connector}, self.pipeline, self.loop.time)
        connector.targets = [self.target]
        self.pipeline.upstreams = {"carrier": self.target}
        self.pipeline.returns.sources = {b"carrier": connector}
        self.target.member_up("carrier")
        return connector

    def reload(self, **keys: Any) -> CarrierConnector:
        """Another connector takes its place; returns the one before."""
        before, left = self.connector, self.target
        self.connector = self._connect(keys)
        messages = left.close()
        self.connector.start(before)
        before.stop()
        self.pipeline.reoffer(messages)
        return before

    def submit(self, words: bytes = b"hello", *, account: Any = None, **fields: Any) -> Asker:
        pdu = SubmitSm(
            **{"source_addr": b"12345", "destination_addr": NUMBER, "registered_delivery": ASKS, "short_message": words,
               **fields}
        )  # fmt: skip
        asker = Asker()
        taken = self.pipeline.submit(account or self.account, pdu, pdus.encode_submit(pdu), asker)
        if not isinstance(taken, Message):
            asker.status = taken
        return asker

    def part(self, number: int, total: int = 2, reference: int = 7, words: bytes = b"", **fields: Any) -> Asker:
        header = bytes((5, 0, 3, reference, total, number))
        return self.submit(header + (words or b"part%d " % number), esm_class=0x40, **fields)

    async def taken(self, *askers: Asker) -> None:
        await settle()
        assert [asker.status for asker in askers] == [0] * len(askers)

    def receipt(self, id: bytes, state: MessageState = MessageState.DELIVERED) -> Said:
        said = Said()
        self.connector.hearing.hear((Receipt(id, state, b"000"),), said)
        return said

    async def pass_time(self, seconds: int) -> None:
        """With all that happens once a second."""
        for _ in range(seconds):
            await asyncio.sleep(1)
            self.connector.tick()
            self.target.tick()
        await settle()

    def message(self, asker: Asker) -> Message:
        return next(each for each in self.pipeline.queued.values() if b"%016x" % each.public == asker.id)

    def kinds(self) -> str:
        """Of the records in the store, sorted."""
        return "".join(sorted(chr(record[0]) for record in self.store.records.values()))

    def waiting(self) -> list[bytes]:
        """Ids of messages that wait for receipts."""
        return [b"%016x" % id for id in self.pipeline.ledger.waiting]

    def stored(self) -> set[bytes]:
        return {b"%016x" % id_of(key) for key in self.store.records}

    def killed(self) -> BenchStore:
        self.pipeline.delays.close()
        self.store.hold()
        return BenchStore(self.store.records)

    def outcomes(self, name: str) -> int:
        return self.connector.counts.outcomes[name]


def segments(words: str, coding: int = 8, how: udh.How = "udh8", reference: int = 9) -> list[dict[str, Any]]:
    """Fields of the submit_sm that bring this text in parts."""
    return [
        {
            "words": each.short_message,
            "esm_class": each.esm_class,
            "data_coding": coding,
            "tlvs": tlv.encode(each.tlvs),
        }
        for each in udh.segments(words.encode("utf-16-be"), coding, how=how, reference=reference)
    ]
