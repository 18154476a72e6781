"""A pipeline on the bench: its store can be held, its upstream and its ESME are in the test's hands."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from protocol import pdus, receipt, tlv
from protocol.consts import MessageState, Status, Tag
from protocol.pdus import SubmitSm
from protocol.receipt import Receipt
from protocol.session import Answered
from routing.message import Delivery, Message
from routing.table import Table
from smppgw.access import AccessLog
from smppgw.accounts import AccountState
from smppgw.app import tlv_of
from smppgw.pipeline import Pipeline
from smppgw.restore import restore
from smppgw.returns import Doubt
from smppgw.settings import Account, Gateway, Route
from smppgw.store.contract import StoreError
from smppgw.store.memory import MemoryStore
from tests.smppgw.jumping import epoch, settle

RECEIPT_WANTED = 1


class BenchStore(MemoryStore):
    """Commits wait while it is held, and fail while it is in trouble."""

    def __init__(self, records: Mapping[bytes, bytes] | None = None) -> None:
        super().__init__()
        self._records.update(records or {})
        self.batches: list[dict[bytes, bytes | None]] = []
        """All that were begun."""
        self.trouble = ""
        self.has_spare = False
        """Spare batches are taken all the same."""
        self._flows = asyncio.Event()
        self._flows.set()

    def hold(self) -> None:
        self._flows.clear()

    def flow(self) -> None:
        self._flows.set()

    async def commit(self, batch: Mapping[bytes, bytes | None], *, spare: bool = False) -> None:
        self.batches.append(dict(batch))
        await self._flows.wait()
        if self.trouble and not (spare and self.has_spare):
            raise StoreError(self.trouble)
        await super().commit(batch)

    @property
    def records(self) -> dict[bytes, bytes]:
        return dict(self.scan())


@dataclass(eq=False)
class Asker:
    """An ESME's submit that waits for its answer: a ticket."""

    number: bytes = b""
    status: int | None = None
    id: bytes = b""
    link: "Esme | None" = None
    gone: bool = False
    heard: Callable[[], None] | None = None
    """Done when it is answered."""

    def accepted(self, message: Message) -> None:
        assert self.status is None, "a submit is answered once"
        self.status, self.id = Status.ROK, b"%016x" % message.public
        if self.heard is not None:
            self.heard()

    def refused(self, message: Message, status: int) -> None:
        assert self.status is None, "a submit is answered once"
        self.status = status


@dataclass(eq=False)
class Said:
    """A receipt's deliver_sm that waits for its answer: a report."""

    status: int | None = None

    def accepted(self) -> None:
        assert self.status is None, "a deliver_sm is answered once"
        self.status = Status.ROK

    def refused(self, status: int) -> None:
        assert self.status is None, "a deliver_sm is answered once"
        self.status = status


class Carrier:
    """An upstream and a source of receipts that does what the test says."""

    def __init__(self, name: bytes = b"carrier", form: receipt.Form = "auto", receipts: receipt.Form = "auto") -> None:
        self.name_octets = name
        self.exact_ids = 0
        self.doubt: Doubt = "resend"
        self.oldest = 0.0
        self.segments: set[bytes] = set()
        """Ids of messages that it has in part."""
        self.hopeless = False
        self.queue: deque[Message] = deque()
        self.pumped = 0
        self.forwarded: list[tuple[int, bytes, Callable[[Answered | None], None]]] = []
        self.forwarding: frozenset[int] = frozenset()
        self._form: receipt.Form = form
        self._receipts: receipt.Form = receipts

    def offer(self, message: Message) -> None:
        self.queue.append(message)

    def offer_first(self, message: Message) -> None:
        self.queue.appendleft(message)

    def pump(self) -> None:
        self.pumped += 1

    def keys(self, id: bytes) -> Sequence[bytes]:
        return (receipt.key(id, self._form),)

    def exact(self, id: bytes) -> bytes:
        return receipt.key(id, self._form)

    def spellings(self, id: bytes) -> Sequence[bytes]:
        return receipt.candidates(id, self._receipts, self._form)

    def sending(self, spellings: Sequence[bytes]) -> bool:
        return not self.segments.isdisjoint(spellings)

    def forwards(self, command: int) -> bool:
        return command in self.forwarding

    def forward(self, command: int, body: bytes, answer: Callable[[Answered | None], None]) -> bool:
        self.forwarded.append((command, body, answer))
        return True

    def take(self) -> Message:
        """The next message, offered."""
        message = self.queue.popleft()
        message.offered = True
        return message


@dataclass(eq=False)
class Esme:
    """A receiving link."""

    account: AccountState
    room: int = 1000
    unflushed: bool = False
    gone: bool = False
    got: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account.links.append(self)

    def deliver(self, delivery: Delivery) -> None:
        self.room -= 1
        self.got.append(delivery)

    def answer(self, delivery: Delivery, status: int = Status.ROK) -> None:
        self.room += 1
        self.account.outbox.answered(delivery, status)
        self.account.outbox.pump()

    def drop(self) -> None:
        """The link is gone; what it got without an answer goes to the next one."""
        self.gone = True
        self.account.links.remove(self)
        left, self.got = self.got, []
        self.account.outbox.returned(left)


class Bench:
    """A pipeline with one account, one route and one carrier; make it inside the loop that it is to use."""

    def __init__(self, store: BenchStore | None = None, carrier: Carrier | None = None, **gateway: Any) -> None:
        loop = asyncio.get_running_loop()
        self.store = store or BenchStore()
        self.store.open()
        self.carrier = carrier or Carrier()
        access = AccessLog("", loop)
        self.pipeline = Pipeline(Gateway(**gateway), self.store, loop, epoch, access)
        self.pipeline.accounts.change([Account(name="esme"), Account(name="relay", ack="upstream")])
        self.account = self.pipeline.accounts.owner("esme")
        self.relay = self.pipeline.accounts.owner("relay")
        self.pipeline.upstreams = {"carrier": self.carrier}
        self.pipeline.returns.sources = {self.carrier.name_octets: self.carrier}
        self.pipeline.table = Table([Route(name="all", to="carrier")], tlv_of)
        self.restored = restore(self.pipeline, self.store, lambda id, record: None)
        self.pipeline.journal.start()

    def submit(
        self, number: bytes = b"447700900001", *, account: AccountState | None = None, memo: bytes = b"", **fields: Any
    ) -> Asker:
        """Submit; the answer is in what it returns, now or later."""
        fields = {"source_addr": b"12345", "registered_delivery": RECEIPT_WANTED, "short_message": b"hello", **fields}
        pdu = SubmitSm(destination_addr=number, **fields)
        asker = Asker(number)
        taken = self.pipeline.submit(account or self.account, pdu, pdus.encode_submit(pdu), asker, memo=memo)
        if not isinstance(taken, Message):
            asker.status = taken
        return asker

    def sent(self, id: bytes, message: Message | None = None) -> Message:
        """The carrier takes the next message, or this one, under this id."""
        message = message or self.carrier.take()
        message.upstream.append(id)
        self.pipeline.sent(message, self.carrier)
        return message

    def receipt(self, id: bytes, state: MessageState = MessageState.DELIVERED, carrier: Carrier | None = None) -> Said:
        said = Said()
        self.pipeline.returns.receipt(carrier or self.carrier, Receipt(id, state), said)
        return said

    async def accepted(self, *numbers: bytes, **fields: Any) -> list[Asker]:
        """Messages that are on disk, acknowledged and offered."""
        askers = [self.submit(number, **fields) for number in numbers]
        await settle()
        assert [asker.status for asker in askers] == [Status.ROK] * len(askers)
        return askers

    def killed(self) -> BenchStore:
        """The process is gone; this is what its disk holds. No commit under way gets there any more."""
        self.pipeline.delays.close()
        self.store.hold()
        return BenchStore(self.store.records)


def told(delivery: Delivery) -> tuple[bytes, MessageState]:
    """The id and state that a receipt names."""
    values = tlv.parse(pdus.decode_submit(delivery.body).tlvs)
    return values[Tag.RECEIPTED_MESSAGE_ID].rstrip(b"\0"), MessageState(values[Tag.MESSAGE_STATE][0])
