"""The one path of a message: admitted, stored, acknowledged, routed, sent, receipted, delivered."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from protocol import pdus, receipt, times, tlv, udh
from protocol.consts import FINAL_STATES, DataCoding, EsmClass, MessageState, Status, Tag
from protocol.errors import PduError
from protocol.pdus import SubmitSm
from protocol.receipt import Receipt
from protocol.session import Answered
from routing.admission import refused_field
from routing.message import (
    DELIVERY,
    OFFERED,
    QUEUED,
    SET_ASIDE,
    WAITING,
    Delivery,
    Ids,
    Message,
    Queued,
    SetAside,
    Ticket,
    Waiting,
    id_of,
    key_of,
    shown,
)
from routing.receipts import Keys, Ledger, wanted
from routing.retry import refusal
from routing.rules import Incoming
from routing.table import MoTable, Route, Table
from smppgw.access import AccessLog
from smppgw.accounts import Accounts, AccountState
from smppgw.delays import Delays
from smppgw.histogram import Histogram
from smppgw.outbox import Outbox
from smppgw.settings import Gateway
from smppgw.store.contract import Store, StoreError

log = structlog.get_logger()

LAZY = 0.02
"""Seconds that a change nobody waits for may wait for a commit that somebody does wait for."""

PROBE = 1.0
"""Seconds between attempts to commit while the store refuses."""


class Upstream(Protocol):
    """What a route leads to: a group or a connector."""

    @property
    def hopeless(self) -> bool:
        """It has had no bind for longer than its failover takes."""

    def offer(self, message: Message) -> None:
        """Queue it; `pump` sends."""

    def offer_first(self, message: Message) -> None:
        """Queue it before all others: it had its turn already."""

    def pump(self) -> None:
        """Send what the windows have room for."""


class Source(Protocol):
    """A connector, as where receipts and MO messages come from."""

    name_octets: bytes
    exact_ids: int

    def keys(self, id: bytes) -> Sequence[bytes]: ...
    def exact(self, id: bytes) -> bytes: ...
    def spellings(self, id: bytes) -> Sequence[bytes]: ...
    def forwards(self, command: int) -> bool: ...
    def forward(self, command: int, body: bytes, answer: Callable[[Answered | None], None]) -> bool: ...


class Report(Protocol):
    """A deliver_sm from an upstream that is to be answered once its content is safe."""

    def accepted(self) -> None: ...
    def refused(self, status: int) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Early:
    """A receipt that came before we know its id."""

    source: Source
    found: Receipt
    report: Report
    spellings: Sequence[bytes]


class Pipeline:
    """Everything that is under way, and its image in the store."""

    def __init__(
        self,
        settings: Gateway,
        store: Store,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], float],
        access: AccessLog,
    ) -> None:
        self.settings = settings
        self.store = store
        self.loop = loop
        self.clock = clock
        self.access = access
        self.delays = Delays(loop)
        self.accounts = Accounts(self, self.delays, clock)
        self.ids = Ids(settings.node)
        self.ledger = Ledger()
        self.queued: dict[int, Message] = {}
        """Messages that are not yet with an upstream for good, oldest first."""
        self.aside = 0
        """Records that a person must look at."""
        self.table = Table(())
        self.mo_table = MoTable(())
        self.upstreams: dict[str, Upstream] = {}
        self.sources: dict[bytes, Source] = {}
        self.counts: Counter[str] = Counter()
        self.commit_time = Histogram()
        self.answer_time = Histogram()
        """From a submit to its answer."""
        self.store_error: str | None = None
        self._batch: dict[bytes, bytes | None] = {}
        self._submitted: list[Message] = []
        self._answering: list[tuple[Ticket, Message]] = []
        self._reported: list[Report] = []
        self._deliveries: list[Delivery] = []
        self._then: list[Callable[[], None]] = []
        self._early: dict[bytes, list[Early]] = {}
        self._early_count = 0
        self._needed = asyncio.Event()
        self._lazy: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None

    # 1 admission, 2 store

    def submit(
        self, account: AccountState, pdu: SubmitSm, body: bytes, ticket: Ticket, public: int = 0
    ) -> Message | Status:
        """Take a message, or say at once why not. `ticket` hears `accepted` when it is on disk (or, with
        ack = "upstream", sent), or `refused` when that failed; never before this returns."""
        now = self.clock()
        refusal = self._refusal(account, pdu, now)
        if refusal is not None:
            return refusal
        try:
            message = self._message(account, pdu, body, now, public)
        except PduError as error:
            return error.status
        route = self.table.choose(message)
        if route is None:
            self.counts["no_route"] += 1
            return Status.RINVDSTADR
        message.route = route
        message.ticket = ticket
        account.queued += 1
        self.queued[message.id] = message
        if account.settings.ack == "upstream" and message.not_before <= now:
            upstream = self._offer(message)
            if upstream is not None:
                self.loop.call_soon(upstream.pump)
            return message
        self._batch[key_of(message.id)] = message.pack()
        self._submitted.append(message)
        self._needed.set()
        return message

    def _refusal(self, account: AccountState, pdu: SubmitSm, now: float) -> Status | None:
        if self.store_error is not None:
            return Status.RSYSERR
        full = (
            account.queued >= account.settings.max_queued
            or len(self.queued) >= self.settings.max_queued
            or len(self.ledger) >= self.settings.max_waiting
        )
        return refused_field(pdu) or account.admission.check(pdu.source_addr, pdu.destination_addr, full, now)

    def _message(self, account: AccountState, pdu: SubmitSm, body: bytes, now: float, public: int) -> Message:
        expires = now + self.settings.validity
        if pdu.validity_period:
            expires = times.parse(pdu.validity_period, now, Status.RINVEXPIRY) or expires
            if expires <= now:
                raise PduError("validity_period is past", Status.RINVEXPIRY)
        not_before = 0.0
        if pdu.schedule_delivery_time:
            not_before = times.parse(pdu.schedule_delivery_time, now, Status.RINVSCHED) or 0.0
            # We hold it; the upstream must not hold it again.
            body = pdus.encode_submit(pdu._replace(schedule_delivery_time=b""))
        part = None
        if pdu.tlvs or pdu.esm_class & EsmClass.UDHI:
            part = _part(account.name, pdu)
        id = self.ids.mint(now)
        return Message(
            id, account.name, body, pdu.source_addr, pdu.destination_addr, pdu.service_type, pdu.esm_class,
            pdu.data_coding, pdu.registered_delivery, now, expires, not_before, 0, public or id, 0, part,
        )  # fmt: skip

    # 3 route, 4 offer

    def _offer(self, message: Message) -> Upstream | None:
        """Queue it where its route leads; the upstream to pump, None when no route matches it any more."""
        upstream = self._upstream(message)
        if upstream is not None:
            upstream.offer(message)
        return upstream

    def _upstream(self, message: Message) -> Upstream | None:
        """The first of its route's targets that is not known to be down."""
        route: Route | None = message.route
        if route is None or route.to not in self.upstreams:  # the routes are others since a reload
            route = message.route = self.table.choose(message)
            if route is None:
                self.finish(message, MessageState.UNDELIVERABLE, b"000")
                return None
        first = self.upstreams[route.to]
        if first.hopeless:
            for name in route.fallback:
                other = self.upstreams.get(name)
                if other is not None and not other.hopeless:
                    return other
        return first

    def reoffer(self, messages: Iterable[Message]) -> None:
        """Route messages anew, in their order: after a reload, a delay, or when their target went down."""
        touched: dict[Upstream | None, None] = {}
        for message in messages:
            if not message.gone:
                message.route = None
                touched[self._offer(message)] = None
        for upstream in touched:
            if upstream is not None:
                upstream.pump()

    def better_target(self, message: Message, current: Upstream) -> bool:
        """Would the message go elsewhere if it were offered now?"""
        return self._upstream(message) is not current

    def mark_offered(self, message: Message, then: Callable[[], None]) -> None:
        """Note on disk that a message is about to be offered, then go on (in_doubt = "hold")."""
        message.flags |= OFFERED
        self._batch[key_of(message.id)] = message.pack()
        self.after_commit(then)

    # 5 sent

    def sent(self, message: Message, source: Source, pdu: SubmitSm | None = None) -> None:
        """An upstream took all of a message; its ids are in `message.upstream`."""
        account = self._leave(message)
        key = key_of(message.id)
        if message.registered_delivery & 0x13:
            if pdu is None:
                pdu = pdus.decode_submit(message.body)
            waiting = Waiting(
                message.account.encode(), source.name_octets, message.public, message.born,
                message.registered_delivery, pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr,
                pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr,
                _snippet(pdu), tuple((id, 0) for id in message.upstream),
            )  # fmt: skip
            self._batch[key] = self.ledger.add(message.id, waiting, source.keys)
            if self._early:
                self.loop.call_soon(self._match_early, source, tuple(message.upstream))
        else:
            self._batch[key] = None
        self.access.sent(message, source.name_octets)
        if message.ticket is not None:
            account.submits += 1
            self._answering.append((message.ticket, message))
            message.ticket = None
            self._needed.set()
        else:
            self._soon()

    def refused(self, message: Message, status: int) -> None:
        """An upstream's answer was final."""
        if message.ticket is not None:
            self._refuse_ticket(message, status)
            return
        self.finish(message, *refusal(status))

    def later(self, message: Message, delay: float, status: int) -> None:
        """An upstream's answer, or its silence, was: not now."""
        if message.ticket is not None:
            self._refuse_ticket(message, status)
            return
        message.attempts += 1
        message.offered = False
        message.upstream.clear()
        self.delays.after(delay, lambda: self.reoffer((message,)))

    def again(self, message: Message) -> None:
        """A message that was never really offered goes back to the front."""
        message.offered = False
        upstream = self._upstream(message)
        if upstream is not None:
            upstream.offer_first(message)

    def in_doubt(self, message: Message, *, hold: bool, delay: float) -> None:
        """It was offered, and the answer will not come. A message whose own submit was not answered yet is refused:
        its ESME decides."""
        self.counts["in_doubt"] += 1
        if message.ticket is not None:
            self._refuse_ticket(message, Status.RSYSERR)
        elif hold:
            self._leave(message)
            self._set_aside(message.id, message.account, "in doubt: offered, but not answered", message.pack())
        else:
            message.upstream.clear()
            if delay:
                self.later(message, delay, Status.RSYSERR)
            else:
                self.again(message)

    def expired(self, message: Message) -> None:
        """Its validity_period passed in a queue."""
        self.finish(message, MessageState.EXPIRED, b"000")

    def finish(self, message: Message, state: MessageState, err: bytes) -> None:
        """It ends without having been sent."""
        if message.ticket is not None:
            self._refuse_ticket(message, Status.RSUBMITFAIL)
            return
        self._leave(message)
        self.access.ended(message.id, message.account, b"", state, err)
        if not wanted(message.registered_delivery, state):
            self._batch[key_of(message.id)] = None
            self._soon()
            return
        pdu = pdus.decode_submit(message.body)
        waiting = Waiting(
            message.account.encode(), b"", message.public, message.born, message.registered_delivery,
            pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr,
            pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr, _snippet(pdu), (),
        )  # fmt: skip
        self._deliver_receipt(message.id, waiting, state, Receipt(b"", state, err))

    def _leave(self, message: Message) -> AccountState:
        """It is no longer queued."""
        message.gone = True
        account = self.accounts.owner(message.account)
        if self.queued.pop(message.id, None) is not None:
            account.queued -= 1
        return account

    def _refuse_ticket(self, message: Message, status: int) -> None:
        ticket, message.ticket = message.ticket, None
        self._leave(message)
        if message.flags & OFFERED:
            self._batch[key_of(message.id)] = None
            self._soon()
        if ticket is not None:
            ticket.refused(message, status)

    # 6 receipt, 7 deliver

    def receipt(self, source: Source, found: Receipt, report: Report) -> None:
        """A receipt from upstream; `report` is answered once it is safe, or once it is clear that nobody waits."""
        spellings: Sequence[bytes] = (source.exact(found.id),)
        id = self.ledger.match(source.name_octets, spellings)
        if id is not None:
            source.exact_ids += 1
        elif not source.exact_ids:  # where exact ids are the rule, a guess would name another message
            spellings = source.spellings(found.id)
            id = self.ledger.match(source.name_octets, spellings)
        if id is None:
            self._early_receipt(source, found, report)
            return
        self._apply(id, source, found, spellings, report)

    def _apply(self, id: int, source: Source, found: Receipt, spellings: Sequence[bytes], report: Report) -> None:
        state = MessageState.UNKNOWN if found.state is None else found.state
        keys = self._keys_of(id, source)
        waiting, whole, record = self.ledger.part(id, state, spellings, keys)
        self._reported.append(report)
        self._needed.set()
        if record is not None:
            self._batch[key_of(id)] = record
            if not whole or not wanted(waiting.registered_delivery, whole):
                return
            self._deliver_receipt(self.ids.mint(self.clock()), waiting, MessageState(whole), found)
            return
        self.access.ended(id, waiting.account.decode(), found.id, whole, found.err)
        if wanted(waiting.registered_delivery, whole):
            self._deliver_receipt(id, waiting, MessageState(whole), found)
        else:
            self._batch[key_of(id)] = None

    def _keys_of(self, id: int, source: Source) -> Keys:
        """The id form of the connector that sent the message; the receipt may have come by another one."""
        if len(self.sources) == 1:
            return source.keys
        sender = self.sources.get(Waiting.unpack(self.ledger.waiting[id]).connector)
        return source.keys if sender is None else sender.keys

    def _deliver_receipt(self, id: int, waiting: Waiting, state: MessageState, found: Receipt) -> None:
        account = self.accounts.owner(waiting.account.decode())
        account.receipts[state] += 1
        now = self.clock()
        said = Receipt(
            shown(waiting.public), state, found.err, waiting.born, found.done or now, found.sub, found.dlvrd,
            found.text or waiting.text, found.network_error,
        )  # fmt: skip
        form = account.settings.receipts
        body = pdus.encode_submit(
            SubmitSm(
                b"", waiting.dest_ton, waiting.dest_npi, waiting.destination,
                waiting.source_ton, waiting.source_npi, waiting.source,
                EsmClass.RECEIPT if state in FINAL_STATES else EsmClass.INTERMEDIATE, 0, 0, b"", b"", 0, 0, 0, 0,
                b"" if form == "tlv" else receipt.form(said),
                b"" if form == "text" else tlv.encode(receipt.tlvs(said)),
            )
        )  # fmt: skip
        self._deliver(Delivery(id, account.name, body, now, state))

    def _deliver(self, delivery: Delivery) -> None:
        self._batch[key_of(delivery.id)] = delivery.pack()
        self._deliveries.append(delivery)
        self._needed.set()

    def mo(self, connector: str, pdu: SubmitSm, body: bytes, report: Report) -> None:
        """A message from a handset. No account owns the number: RX_P_APPN, which tells the upstream not to repeat."""
        account = self.mo_table.choose(Incoming(connector, pdu.source_addr, pdu.destination_addr))
        if account is None:
            self.counts["mo_no_route"] += 1
            report.refused(Status.RX_P_APPN)
            return
        if self.store_error is not None:
            report.refused(Status.RX_T_APPN)
            return
        now = self.clock()
        self.counts["mo"] += 1
        self._reported.append(report)
        self._deliver(Delivery(self.ids.mint(now), account, body, now))

    def _early_receipt(self, source: Source, found: Receipt, report: Report) -> None:
        """Its submit_sm_resp may still be under way: keep it, unanswered, for a while."""
        early = Early(source, found, report, source.spellings(found.id))
        if self._early_count >= self.settings.max_early_receipts:
            self._give_up_early(early)
            return
        self._early_count += 1
        for spelling in early.spellings:
            self._early.setdefault(spelling, []).append(early)
        self.delays.after(self.settings.early_receipt_wait, lambda: self._early_lapsed(early))

    def _match_early(self, source: Source, upstream_ids: Sequence[bytes]) -> None:
        """Messages were sent whose receipts may have come before."""
        for upstream_id in upstream_ids:
            for early in self._early.get(source.keys(upstream_id)[0], ())[:]:
                id = self.ledger.match(early.source.name_octets, early.spellings)
                if id is not None and self._drop_early(early):
                    self._apply(id, early.source, early.found, early.spellings, early.report)

    def _early_lapsed(self, early: "Early") -> None:
        if self._drop_early(early):
            self._give_up_early(early)

    def _give_up_early(self, early: "Early") -> None:
        id = self.ledger.match(early.source.name_octets, early.spellings)
        if id is not None:
            self._apply(id, early.source, early.found, early.spellings, early.report)
            return
        self.counts["unknown_receipt"] += 1
        self.access.unknown(early.found.id, early.source.name_octets, early.found.state)
        early.report.accepted()  # it is nobody's: to refuse it would only bring it back

    def _drop_early(self, early: "Early") -> bool:
        """Forget it; False when it was dealt with before."""
        there = False
        for spelling in early.spellings:
            entries = self._early.get(spelling, [])
            if early in entries:
                there = True
                entries.remove(early)
                if not entries:
                    del self._early[spelling]
        self._early_count -= there
        return there

    # Keeper: what outboxes report

    def delivered(self, delivery: Delivery) -> None:
        """An ESME has it."""
        account = self.accounts.owner(delivery.account)
        account.delivered += 1
        self._batch[key_of(delivery.id)] = None
        self._soon()

    def postponed(self, delivery: Delivery) -> None:
        """An ESME could not take it now; the count of attempts is kept."""
        self._batch[key_of(delivery.id)] = delivery.pack()
        self._soon()

    def set_aside(self, delivery: Delivery, reason: str) -> None:
        """Nobody will take it: kept for a person to see."""
        self._set_aside(delivery.id, delivery.account, reason, delivery.pack())

    def _set_aside(self, id: int, account: str, reason: str, record: bytes) -> None:
        self.aside += 1
        self._batch[key_of(id)] = SetAside(self.clock(), account, reason, record).pack()
        self._soon()
        log.warning("set aside", id=shown(id).decode(), account=account, reason=reason)

    # The operations on what is still with us

    def find(self, account: AccountState, public: bytes) -> Message | tuple[int, Waiting] | None:
        """The message that an ESME knows by this id, if it is this account's and still with us."""
        try:
            id = int(public, 16)
        except ValueError:
            return None
        message = self.queued.get(id)
        if message is not None:
            return message if message.account == account.name else None
        record = self.ledger.waiting.get(id)
        if record is None:
            return None
        waiting = Waiting.unpack(record)
        return (id, waiting) if waiting.account == account.name.encode() else None

    def cancel(self, message: Message) -> None:
        """End a queued message that is not offered."""
        self.finish(message, MessageState.DELETED, b"000")

    def replace(self, message: Message, pdu: SubmitSm) -> None:
        """Give a queued message that is not offered another body. PduError for bad times."""
        now = self.clock()
        if pdu.validity_period:
            message.expires = times.parse(pdu.validity_period, now, Status.RINVEXPIRY) or message.expires
        if pdu.schedule_delivery_time:
            message.not_before = times.parse(pdu.schedule_delivery_time, now, Status.RINVSCHED) or 0.0
            pdu = pdu._replace(schedule_delivery_time=b"")
        message.registered_delivery = pdu.registered_delivery
        message.body = pdus.encode_submit(pdu)
        self._batch[key_of(message.id)] = message.pack()

    def after_commit(self, then: Callable[[], None]) -> None:
        """Do it once all that was changed so far is on disk."""
        self._then.append(then)
        self._needed.set()

    def drop_waiting(self, id: int, waiting: Waiting, state: MessageState) -> None:
        """End a sent message on the upstream's word (a cancel_sm that it accepted) or for its age."""
        sender = self.sources.get(waiting.connector)
        self.ledger.remove(id, waiting, sender.keys if sender else _as_it_came)
        self.access.ended(id, waiting.account.decode(), b"", state, b"000")
        if wanted(waiting.registered_delivery, state):
            self._deliver_receipt(id, waiting, state, Receipt(b"", state, b"000"))
        else:
            self._batch[key_of(id)] = None
            self._soon()

    # Life

    def restore(self) -> Counter[str]:
        """Read everything back from the store; call it once, with accounts, tables and upstreams in place."""
        kinds: Counter[str] = Counter()
        keys = {name: source.keys for name, source in self.sources.items()}
        offers: list[Message] = []
        for key, record in self.store.scan():
            id, kind = id_of(key), record[0]
            self.ids.seen(id)
            if kind == WAITING:
                kinds["waiting"] += 1
                self.ledger.restore(id, record, keys, _as_it_came)
            elif kind == DELIVERY:
                kinds["deliveries"] += 1
                delivery = Delivery.unpack(id, record)
                self.accounts.owner(delivery.account).outbox.add(delivery)
            elif kind == QUEUED:
                kinds["queued"] += 1
                message = self._restored(id, Queued.unpack(record))
                if message is not None:
                    offers.append(message)
            elif kind == SET_ASIDE:
                kinds["set_aside"] += 1
                self.aside += 1
        now = self.clock()
        self.reoffer([message for message in offers if message.not_before <= now])
        for message in offers:
            if message.not_before > now:
                self._hold(message, now)
        return kinds

    def _restored(self, id: int, queued: Queued) -> Message | None:
        pdu = pdus.decode_submit(queued.body)
        account = self.accounts.owner(queued.account)
        message = Message(
            id, queued.account, queued.body, pdu.source_addr, pdu.destination_addr, pdu.service_type, pdu.esm_class,
            pdu.data_coding, pdu.registered_delivery, queued.born, queued.expires, queued.not_before, queued.attempts,
            queued.public, queued.flags, _part(queued.account, pdu),
        )  # fmt: skip
        if queued.flags & OFFERED:
            self.counts["in_doubt"] += 1
            self._set_aside(id, queued.account, "in doubt: offered before a crash, answer unknown", message.pack())
            return None
        account.queued += 1
        self.queued[id] = message
        return message

    def start(self) -> None:
        """Begin to commit."""
        self._task = self.loop.create_task(self._commit_forever(), name="commits")

    async def stop(self) -> None:
        """Commit what is there and stop."""
        if self._lazy is not None:
            self._lazy.cancel()
            self._lazy = None
        self._needed.set()
        while self._batch and self.store_error is None:
            self._needed.set()
            await asyncio.sleep(0)
            await self._idle.wait()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.delays.close()

    def tick(self) -> None:
        """About once a second: end what has waited for its receipt too long."""
        oldest = self.clock() - self.settings.receipt_wait
        late: list[tuple[int, Waiting]] = []
        for id, record in self.ledger.waiting.items():
            if Ids.time_of(id) > oldest or len(late) == 1000:
                break
            late.append((id, Waiting.unpack(record)))
        for id, waiting in late:
            self.drop_waiting(id, waiting, MessageState.UNKNOWN)
        for account in self.accounts.states.values():
            account.outbox.expire()

    def _hold(self, message: Message, now: float) -> None:
        """Until its schedule_delivery_time."""
        self.delays.after(message.not_before - now, lambda: self.reoffer((message,)))

    def _soon(self) -> None:
        """Something to commit that nobody waits for."""
        if self._lazy is None:
            self._lazy = self.loop.call_later(LAZY, self._needed.set)

    async def _commit_forever(self) -> None:
        """One commit after the other; each serves all that came while the last one was under way."""
        while True:
            await self._needed.wait()
            self._needed.clear()
            if self._lazy is not None:
                self._lazy.cancel()
                self._lazy = None
            batch, self._batch = self._batch, {}
            submitted, self._submitted = self._submitted, []
            answering, self._answering = self._answering, []
            reported, self._reported = self._reported, []
            deliveries, self._deliveries = self._deliveries, []
            then, self._then = self._then, []
            began = self.loop.time()
            self._idle.clear()
            try:
                await self.store.commit(batch)
            except StoreError as error:
                self._put_back(batch, submitted, str(error))
                self._answering[:0], self._reported[:0] = answering, reported
                self._deliveries[:0], self._then[:0] = deliveries, then
                self._idle.set()
                await asyncio.sleep(PROBE)
                self._needed.set()
                continue
            self.commit_time.observe(self.loop.time() - began)
            if self.store_error is not None:
                log.info("the store works again")
                self.store_error = None
            self._committed(submitted, answering, reported, deliveries, then)
            self._idle.set()

    def _committed(
        self,
        submitted: list[Message],
        answering: list[tuple[Ticket, Message]],
        reported: list[Report],
        deliveries: list[Delivery],
        then: list[Callable[[], None]],
    ) -> None:
        now = self.clock()
        observe = self.answer_time.observe
        for ticket, message in answering:
            ticket.accepted(message)
            observe(now - message.born)
        touched: dict[Upstream | None, None] = {}
        if submitted:
            for message in submitted:
                held = message.ticket
                message.ticket = None
                if held is not None:
                    held.accepted(message)
                    observe(now - message.born)
                if message.gone:
                    continue
                if message.not_before > now:
                    self._hold(message, now)
                else:
                    touched[self._offer(message)] = None
        for report in reported:
            report.accepted()
        for action in then:
            action()
        for upstream in touched:
            if upstream is not None:
                upstream.pump()
        if deliveries:
            boxes: dict[Outbox, None] = {}
            for delivery in deliveries:
                box = self.accounts.owner(delivery.account).outbox
                box.add(delivery)
                boxes[box] = None
            for box in boxes:
                # After the answers of this turn are written: a receipt must not overtake the id it names.
                self.loop.call_soon(box.pump)

    def _put_back(self, batch: dict[bytes, bytes | None], submitted: list[Message], reason: str) -> None:
        """A commit failed: new messages are refused, everything else waits for the next attempt."""
        if self.store_error is None:
            log.error("the store refuses", reason=reason)
        self.store_error = reason
        self.counts["failed_commits"] += 1
        for message in submitted:
            # A commit that failed at its very end may be on disk all the same: what was refused must not be sent.
            batch[key_of(message.id)] = None
            ticket, message.ticket = message.ticket, None
            self._leave(message)
            if ticket is not None:
                ticket.refused(message, Status.RSYSERR)
        self._batch = batch | self._batch


_TEXTS = (DataCoding.DEFAULT, DataCoding.ASCII, DataCoding.LATIN1)


def _as_it_came(id: bytes) -> Sequence[bytes]:
    return (receipt.key(id),)


def _part(account: str, pdu: SubmitSm) -> int | None:
    """One number for all parts of a message; which one it is means nothing outside this process."""
    values = tlv.parse(pdu.tlvs) if pdu.tlvs else {}
    found = udh.part_of(pdu.esm_class, pdu.short_message or values.get(Tag.MESSAGE_PAYLOAD, b""), values)
    if found is None or found.total < 2:
        return None
    return hash((account, pdu.source_addr, pdu.destination_addr, found.reference, found.total, found.wide))


def _snippet(pdu: SubmitSm) -> bytes:
    """What a receipt repeats of the text: its beginning, where it is text of one octet a character."""
    if pdu.data_coding in _TEXTS and not pdu.esm_class & EsmClass.UDHI:
        return pdu.short_message[: receipt.MAX_TEXT]
    return b""
