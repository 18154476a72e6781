"""Whatever upstreams, ESMEs, the disk and the power do, an acknowledged message ends exactly once."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from protocol.consts import MessageState, Status
from protocol.pdus import decode_submit
from routing.message import Message, id_of, shown
from tests.smppgw.bench import Asker, Bench, BenchStore, Carrier, Esme, Said, told
from tests.smppgw.jumping import JumpingLoop, advance, settle

PLACES = st.integers(0, 1000)


class Life(RuleBasedStateMachine):
    """The gateway may die; the disk, the carrier and the ESME remember."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=JumpingLoop)
        self.lives: list[Bench] = []
        self.askers: list[Asker] = []
        self.flying: list[tuple[Message, bytes]] = []
        """Messages that the carrier was offered and has not answered, with the ids it has for them."""
        self.taken: set[bytes] = set()
        """Numbers that the carrier ever saw."""
        self.ids = 0
        self.owed: list[bytes] = []
        """Ids whose receipt the carrier has still to send."""
        self.known: list[bytes] = []
        self.reported: list[tuple[bytes, Said]] = []
        """Receipts that it sent on this connection, answered or not."""
        self.heard: Counter[bytes] = Counter()
        """Receipts that the ESME took, by id."""
        self.in_doubt: set[bytes] = set()
        """Those that it took just before a kill: it may get them again."""
        self.numbers: dict[bytes, bytes] = {}
        """Numbers by the carrier's ids."""
        self.early: set[bytes] = set()
        """Numbers of messages with a receipt that came before its answer, and may have waited for it too long."""
        self.given_up: set[bytes] = set()
        """Numbers of messages that ended without their receipt."""
        self.unnamed: set[bytes] = set()
        """Ids of messages that were on disk at a kill and not acknowledged by then."""

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        self.run(self.start(None))

    async def start(self, store: BenchStore | None) -> None:
        self.bench = Bench(store, Carrier())
        self.lives.append(self.bench)
        self.esme = Esme(self.bench.account)
        await settle()

    # What ESMEs do

    @rule(count=st.integers(1, 3))
    def submit(self, count: int) -> None:
        async def work() -> None:
            for _ in range(count):
                self.askers.append(self.bench.submit(b"%d" % len(self.askers)))

        self.run(work())

    @precondition(lambda self: self.esme.got)
    @rule(place=PLACES, status=st.sampled_from((Status.ROK, Status.ROK, Status.RMSGQFUL)))
    def esme_answers(self, place: int, status: Status) -> None:
        delivery = self.esme.got.pop(place % len(self.esme.got))
        if status == Status.ROK:
            id, state = told(delivery)
            self.heard[id] += 1
            if state == MessageState.UNKNOWN:
                self.given_up.add(decode_submit(delivery.body).source_addr)

        async def work() -> None:
            self.esme.answer(delivery, status)

        self.run(work())

    @rule()
    def esme_drops(self) -> None:
        async def work() -> None:
            self.esme.drop()
            self.esme = Esme(self.bench.account)
            self.bench.account.outbox.pump()

        self.run(work())

    # What the carrier does

    @precondition(lambda self: self.bench.carrier.queue)
    @rule()
    def carrier_takes(self) -> None:
        message = self.bench.carrier.take()
        if message.gone:
            return
        self.ids += 1
        id = b"u%d" % self.ids
        self.taken.add(message.destination)
        self.numbers[id] = message.destination
        self.flying.append((message, id))
        self.owed.append(id)
        self.known.append(id)

    @precondition(lambda self: self.flying)
    @rule(place=PLACES, answer=st.sampled_from(("sent", "sent", "sent", "later", "never", "lapsed")))
    def carrier_answers(self, place: int, answer: str) -> None:
        message, id = self.flying.pop(place % len(self.flying))
        pipeline = self.bench.pipeline

        async def work() -> None:
            if answer == "sent" or (answer != "lapsed" and id not in self.owed):
                self.bench.sent(id, message)
            elif answer == "lapsed":
                pipeline.in_doubt(message, "resend", 5.0)
            else:
                self.owed.remove(id)
                if answer == "later":
                    pipeline.later(message, 5.0, Status.RTHROTTLED)
                else:
                    pipeline.refused(message, Status.RINVDSTADR)

        self.run(work())

    @precondition(lambda self: self.owed)
    @rule(place=PLACES)
    def carrier_reports(self, place: int) -> None:
        id = self.owed.pop(place % len(self.owed))
        if any(id == other for _, other in self.flying):
            self.early.add(self.numbers[id])

        async def work() -> None:
            self.reported.append((id, self.bench.receipt(id)))

        self.run(work())

    @precondition(lambda self: self.known)
    @rule(place=PLACES)
    def carrier_repeats_a_receipt(self, place: int) -> None:
        id = self.known[place % len(self.known)]
        if id in self.owed:
            return

        async def work() -> None:
            self.bench.receipt(id)

        self.run(work())

    @rule()
    def carrier_drops(self) -> None:
        async def work() -> None:
            for message, _ in reversed(self.flying):
                self.bench.pipeline.in_doubt(message, "resend")

        self.run(work())
        self.connection_lost()

    def connection_lost(self) -> None:
        self.flying.clear()
        self.owed += [id for id, said in self.reported if said.status != Status.ROK]
        self.reported.clear()

    # What the machine does

    @rule(trouble=st.sampled_from(("", "", "disk full")))
    def disk(self, trouble: str) -> None:
        self.bench.store.trouble = trouble

    @rule(held=st.booleans())
    def commits(self, held: bool) -> None:
        if held:
            self.bench.store.hold()
        else:
            self.bench.store.flow()

    @rule()
    def turn(self) -> None:
        self.run(settle())

    @rule(seconds=st.sampled_from((0.02, 1.0, 6.0, 15.0)))
    def time_passes(self, seconds: float) -> None:
        self.run(advance(seconds))

    @rule()
    def kill(self) -> None:
        acknowledged = {asker.id for asker in self.askers if asker.status == Status.ROK}

        async def work() -> None:
            store = self.bench.killed()
            store.open()
            left = {shown(id_of(key)) for key in store.records}
            store.close()
            self.in_doubt |= left & set(self.heard)
            self.unnamed |= left - acknowledged
            await self.start(store)

        self.connection_lost()
        self.run(work())

    # What holds

    @invariant()
    def no_receipt_comes_before_the_answer_that_names_its_id(self) -> None:
        named = {asker.id for asker in self.askers if asker.status == Status.ROK} | self.unnamed
        assert {told(delivery)[0] for delivery in self.esme.got} <= named

    @invariant()
    def what_was_refused_is_not_sent(self) -> None:
        assert not self.taken & {asker.number for asker in self.askers if asker.status not in (None, Status.ROK)}

    @invariant()
    def nothing_is_told_twice(self) -> None:
        assert not [id for id, count in self.heard.items() if count > 1 and id not in self.in_doubt]

    def teardown(self) -> None:
        try:
            self.bench.store.trouble = ""
            self.bench.store.flow()
            for _ in range(10):
                self.time_passes(31.0)
                while self.bench.carrier.queue:
                    self.carrier_takes()
                while self.flying:
                    self.carrier_answers(0, "sent")
                while self.owed:
                    self.carrier_reports(0)
                self.run(settle())
                while self.esme.got:
                    self.esme_answers(0, Status.ROK)
            self.time_passes(8 * 86400.0)
            self.run(self.give_up())
            while self.esme.got:
                self.esme_answers(0, Status.ROK)
            self.time_passes(31.0)
            self.no_receipt_comes_before_the_answer_that_names_its_id()
            self.what_was_refused_is_not_sent()
            self.nothing_is_told_twice()
            self.every_acknowledged_message_has_ended()
            self.nothing_is_left()
        finally:
            self.runner.close()

    async def give_up(self) -> None:
        self.bench.pipeline.returns.expire()
        await settle()

    def every_acknowledged_message_has_ended(self) -> None:
        assert not [asker.number for asker in self.askers if asker.status == Status.ROK and not self.heard[asker.id]]
        assert self.given_up <= self.early, "receipts were lost"

    def nothing_is_left(self) -> None:
        pipeline, account = self.bench.pipeline, self.bench.account
        assert not self.bench.store.records
        assert (len(pipeline.queued), account.queued) == (0, 0)
        assert (len(pipeline.ledger), len(account.outbox), pipeline.returns.aside) == (0, 0, 0)
        assert len(pipeline.delays) == 0
        assert [said.status for _, said in self.reported] == [Status.ROK] * len(self.reported)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
