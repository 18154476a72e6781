"""What comes back: receipts and MO messages from upstream, on their way to the ESME that is to have them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from math import inf
from typing import Literal, Protocol

import structlog

from protocol import pdus, receipt
from protocol.consts import FINAL_STATES, EsmClass, MessageState, Status
from protocol.pdus import SubmitSm
from protocol.receipt import Receipt
from protocol.session import Answered
from routing.message import Delivery, Ids, SetAside, Waiting, key_of, sent_at, shown
from routing.receipts import Ledger, wanted
from routing.rules import Incoming
from routing.table import MoTable
from smppgw.access import AccessLog
from smppgw.accounts import Accounts, AccountState, Front
from smppgw.delays import Delays
from smppgw.history.diary import Diary
from smppgw.journal import NOBODY, Journal, Report
from smppgw.origins import Origins
from smppgw.seldom import Seldom
from smppgw.settings import Gateway

log = structlog.get_logger()

# Plain ints: arithmetic on enum members costs more than the rest of a line.
_RECEIPT, _INTERMEDIATE = int(EsmClass.RECEIPT), int(EsmClass.INTERMEDIATE)
_STATES = {int(state): state for state in MessageState}

LATE = 60.0
"""Seconds after which the time of sending a message is remembered: until then, that of its coming says enough."""

LOOK = 0.02
"""Seconds between looks at whether receipts that came early can still find their message."""

REPETITION = 1.0
"""Seconds that a receipt waits for its message when one of that upstream id has just ended."""

UNWRITTEN = b""
"""What no front writes."""

Write = Callable[[Front], bytes | None]
"""What a front is asked for."""

Doubt = Literal["hold", "unknown", "resend", "again"]
"""What becomes of a message that was offered and not answered: set aside for a person, ended as UNKNOWN, offered again
(perhaps once too often), or offered again to this connector alone, which recognises it."""


class Source(Protocol):
    """A connector, as where receipts and MO messages come from."""

    name_octets: bytes
    doubt: Doubt
    exact_ids: int
    """Receipts that were found under their id as it was spelled."""

    @property
    def oldest(self) -> float:
        """When the first message that has no id so far was sent (loop time); infinite when all have theirs."""

    def sending(self, spellings: Sequence[bytes]) -> bool:
        """Is one of them the id of a segment whose message is not wholly sent so far?"""

    def keys(self, id: bytes) -> Sequence[bytes]: ...
    def exact(self, id: bytes) -> bytes: ...
    def spellings(self, id: bytes) -> Sequence[bytes]: ...
    def forwards(self, command: int) -> bool: ...
    def forward(self, command: int, body: bytes, answer: Callable[[Answered | None], None]) -> bool: ...


@dataclass(frozen=True, slots=True, eq=False)
class Early:
    """A receipt that came before we know its id."""

    source: Source
    found: Receipt
    report: Report
    spellings: Sequence[bytes]
    came: float
    """Loop time."""


class Returns:
    """The ledger of messages that wait for their receipts, and the accounts' outboxes."""

    def __init__(
        self,
        settings: Gateway,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], float],
        delays: Delays,
        ids: Ids,
        access: AccessLog,
    ) -> None:
        self.accounts = Accounts(self, delays, clock)
        self.ledger = Ledger()
        self.origins = Origins()
        self.mo_table = MoTable(())
        self.sources: dict[bytes, Source] = {}
        self.counts: Counter[str] = Counter()
        self.hexadecimal: set[bytes] = set()
        """Connectors of which an upstream id had more than digits."""
        self.retired: Sequence[Source] = ()
        """Connectors that a reload replaced, and that may still have answers to come."""
        self.shelf: dict[int, None] = {}
        """Ids of records that a person must look at, oldest first."""
        self.isolated = False
        """Nothing is taken from upstreams for now: they are asked to come again."""
        self.quotes = False
        """Somebody wants receipts in the words that they came in, too."""
        self.keeps_out: Callable[[str, SubmitSm], bool] | None = None
        """Is a message from a handset, by this connector, refused whoever it is for?"""
        self.diary: Diary | None = None
        """Who is told what happened to each message, if history is on."""
        self.journal: Journal
        self._settings = settings
        self._loop = loop
        self._clock = clock
        self._delays = delays
        self._ids = ids
        self._access = access
        self._early: dict[Early, None] = {}
        """In the order of coming."""
        self._early_by: dict[bytes, list[Early]] = {}
        """By each spelling of their ids."""
        self._looking = False
        self._failing = Seldom()

    @property
    def aside(self) -> int:
        """Records that a person must look at."""
        return len(self.shelf)

    # Receipts

    def expect(self, id: int, waiting: Waiting, source: Source) -> bytes:
        """An upstream took a message: the record to keep until its receipt comes. It may be here already."""
        if self._early:
            self._loop.call_soon(self._match_early, source, waiting)
        now = self._clock()
        if now - waiting.born > LATE:
            waiting = waiting._replace(sent=now)
        return self.ledger.add(id, waiting, source.keys)

    def receipt(self, source: Source, found: Receipt, report: Report) -> None:
        """A receipt from upstream; `report` is answered once it is safe, or once it is clear that nobody waits."""
        if self.isolated:
            report.refused(Status.RX_T_APPN)
            return
        spellings: Sequence[bytes] = (source.exact(found.id),)
        id = self.ledger.match(source.name_octets, spellings)
        if id is not None:
            source.exact_ids += 1
        elif not source.exact_ids:  # where exact ids are the rule, a guess would name another message
            spellings = source.spellings(found.id)
            id = self.ledger.match(source.name_octets, spellings)
        if id is None:
            self._came_early(source, found, report)
        else:
            self._apply(id, source, found, spellings, report)

    def knows(self, source: Source, id: bytes) -> bool:
        """Does a message wait for a receipt of exactly this id?"""
        return self.ledger.match(source.name_octets, (id,)) is not None

    def unknown(self, source: Source, found: Receipt) -> None:
        """A receipt that nobody waits for."""
        self.counts["unknown_receipt"] += 1
        self._access.unknown(found.id, source.name_octets, found.state)

    def _apply(self, id: int, source: Source, found: Receipt, spellings: Sequence[bytes], report: Report) -> None:
        said = 0 if found.state is None else int(found.state)  # no word that nobody knows ends a message
        waiting = Waiting.unpack(self.ledger.waiting[id])
        # The id form is that of the connector that sent the message; the receipt may have come by another one.
        sender = self.sources.get(waiting.connector, source)
        state, record = self.ledger.part(id, waiting, said, spellings, sender.keys)
        turn = self.journal.turn
        turn.reported.append(report)
        self.journal.urgent()
        if self.diary is not None:
            self.diary.receipt(id, source.name_octets, found, said)
        if record is not None:
            turn.batch[key_of(id)] = record
            if state and (waiting.memo or wanted(waiting.registered_delivery, state)):
                self.tell(self._ids.mint(self._clock()), waiting, state, found)
            return
        self._access.ended(id, waiting.account.decode(), found.id, state, found.err)
        if waiting.memo or wanted(waiting.registered_delivery, state):
            self.tell(id, waiting, state, found)
        else:
            turn.batch[key_of(id)] = None

    def tell(self, id: int, waiting: Waiting, state: int, found: Receipt, write: Write | None = None) -> None:
        """See that whoever sent a message hears of it: by its front, which writes a receipt unless `write` asks it for
        something else; where it has none that can, by the receipt of an ESME, in the form its account asks for."""
        account = self.accounts.owner(waiting.account.decode())
        account.receipts[state] += 1
        hearer = account.hearer(waiting.memo)
        if hearer.front is not None:
            body = self.written(hearer, write or (lambda front: front.receipt(waiting, state, found)))
            if body != UNWRITTEN:
                self.notify(hearer, id, body, state)
                return
        if waiting.memo and not wanted(waiting.registered_delivery, state):
            self.notify(account, id, None)
            return
        now = self._clock()
        said = Receipt(
            shown(waiting.public), _STATES[state], found.err, waiting.born, found.done or now,
            found.sub, found.dlvrd, found.text or waiting.text, found.network_error,
        )  # fmt: skip
        form = account.settings.receipts
        body = pdus.encode_receipt(
            waiting.dest_ton, waiting.dest_npi, waiting.destination,
            waiting.source_ton, waiting.source_npi, waiting.source,
            _RECEIPT if state in FINAL_STATES else _INTERMEDIATE,
            b"" if form == "tlv" else receipt.form(said),
            b"" if form == "text" else receipt.tlvs(said),
        )  # fmt: skip
        self._deliver(Delivery(id, account.name, body, now, state, 0, self.origins.of(waiting.public, now)))

    def written(self, account: AccountState, write: Write) -> bytes | None:
        """What its front writes; UNWRITTEN where it has none, or one that cannot. A record may hold the memo of
        another front, which the account had before: no receipt may be lost by that, nor a bind, nor the process."""
        if account.front is None:
            return UNWRITTEN
        try:
            return write(account.front)
        except Exception:
            left_out = self._failing.due(account.name, self._loop.time())
            if left_out is not None:
                log.exception("a callback cannot be written", account=account.name, left_out=left_out)
            return UNWRITTEN

    def notify(self, account: AccountState, id: int, body: bytes | None, state: int = 0) -> None:
        """Give an account of HTTP what its front wrote, in place of the record of this id."""
        if body is None:
            self.journal.turn.batch[key_of(id)] = None
            self.journal.soon()
        else:
            self._deliver(Delivery(id, account.name, body, self._clock(), state))

    def drop(self, id: int, waiting: Waiting, state: MessageState) -> None:
        """End a sent message without a receipt of its upstream: a cancel_sm that it accepted, or its age."""
        sender = self.sources.get(waiting.connector)
        self.ledger.remove(id, waiting, sender.keys if sender else as_it_came)
        self._access.ended(id, waiting.account.decode(), b"", state, b"000")
        if self.diary is not None:
            self.diary.ended(id, state, b"000")
        if waiting.memo or wanted(waiting.registered_delivery, state):
            self.tell(id, waiting, state, Receipt(b"", state, b"000"))
        else:
            self.journal.turn.batch[key_of(id)] = None
            self.journal.soon()

    def expire(self) -> None:
        """Now and then: end what has waited for its receipt too long, set aside what no ESME came for."""
        oldest = self._clock() - self._settings.receipt_wait
        late: list[tuple[int, Waiting]] = []
        for id, record in self.ledger.waiting.items():
            # They are in the order of sending: what is behind one that is not late was sent after it.
            if sent_at(id, record) > oldest or len(late) == 1000:
                break
            late.append((id, Waiting.unpack(record)))
        for id, waiting in late:
            self.drop(id, waiting, MessageState.UNKNOWN)
        for account in self.accounts.states.values():
            account.outbox.expire()

    # Receipts that came before their submit_sm_resp

    def _came_early(self, source: Source, found: Receipt, report: Report) -> None:
        """Its submit_sm_resp may still be under way: keep it, unanswered, for a while."""
        early = Early(source, found, report, source.spellings(found.id), self._loop.time())
        if len(self._early) >= self._settings.max_early_receipts:
            report.refused(Status.RX_T_APPN)  # who knows whether it is nobody's: it may come again
            return
        wait = self._settings.early_receipt_wait
        if self.ledger.ended(source.name_octets, early.spellings[0]):
            wait = min(wait, REPETITION)  # an upstream that repeats what it had no answer to must not fill its window
        self._keep_early(early, wait)
        self._look_soon()

    def _keep_early(self, early: Early, wait: float) -> None:
        self._early[early] = None
        for spelling in early.spellings:
            self._early_by.setdefault(spelling, []).append(early)
        self._delays.after(wait, lambda: self._lapsed(early))

    def _look_soon(self) -> None:
        if self._early and not self._looking:
            self._looking = True
            self._delays.after(LOOK, self._look)

    def _look(self) -> None:
        """Give up those that came after every message sent before them had its id. After a restart upstreams repeat
        receipts, and bring those of messages that were sent again: they must not fill the upstream's window until they
        lapse. Not in the turn that they came in: answers of that turn are perhaps not handled yet."""
        self._looking = False
        sources = dict.fromkeys((*self.sources.values(), *self.retired, *(early.source for early in self._early)))
        oldest = min((source.oldest for source in sources), default=inf)
        for early in list(takewhile(lambda early: early.came < oldest, self._early)):
            self._lapsed(early)
        self._look_soon()

    def _match_early(self, source: Source, waiting: Waiting) -> None:
        for upstream, _ in waiting.parts:
            for early in self._early_by.get(source.keys(upstream)[0], ())[:]:
                id = self._find(early)
                if id is not None and self._forget(early):
                    self._apply(id, early.source, early.found, early.spellings, early.report)

    def _find(self, early: Early) -> int | None:
        """By the rule of `receipt`: what came early may only guess where no exact id was ever right."""
        source, spellings = early.source, early.spellings
        id = self.ledger.match(source.name_octets, spellings[:1])
        if id is not None:
            source.exact_ids += 1
        elif not source.exact_ids:
            id = self.ledger.match(source.name_octets, spellings[1:])
        return id

    def _lapsed(self, early: Early) -> None:
        """It had its time. That of a segment waits on, for as long as others of its message are still to be sent, but
        need not keep the upstream waiting: if we end before, the whole message is sent again or set aside."""
        if not self._forget(early):
            return
        if any(source.sending(early.spellings) for source in (*self.sources.values(), *self.retired)):
            if self.journal.error is None:
                self.answer(early.report)
                early = replace(early, report=NOBODY)
            self._keep_early(early, self._settings.early_receipt_wait)
        else:
            self._give_up(early)

    def _give_up(self, early: Early) -> None:
        id = self._find(early)
        if id is not None:
            self._apply(id, early.source, early.found, early.spellings, early.report)
            return
        if self.journal.error is not None:  # it may repeat one that is not safe yet
            early.report.refused(Status.RX_T_APPN)
            return
        self.unknown(early.source, early.found)
        self.answer(early.report)  # it is nobody's: to refuse it would only bring it back

    def answer(self, report: Report) -> None:
        """Accept what changes nothing, once what it may repeat is on disk."""
        self.journal.turn.reported.append(report)
        self.journal.urgent()

    def _forget(self, early: Early) -> bool:
        """False when it was dealt with before."""
        if early not in self._early:
            return False
        del self._early[early]
        for spelling in early.spellings:
            entries = self._early_by[spelling]
            entries.remove(early)
            if not entries:
                del self._early_by[spelling]
        return True

    # MO messages

    def mo(self, connector: str, pdu: SubmitSm, body: bytes, report: Report) -> None:
        """A message from a handset. No account owns the number: RX_P_APPN, which tells the upstream not to repeat."""
        account = self.mo_owner(Incoming(connector, pdu.source_addr, pdu.destination_addr))
        if account is None:
            report.refused(Status.RX_P_APPN)
        elif self.isolated or self.journal.error is not None or account.overfull:
            report.refused(Status.RX_T_APPN)
        elif self.keeps_out is not None and self.keeps_out(connector, pdu):
            report.refused(Status.RX_R_APPN)
        else:
            self.bring(account, connector, (body,), report)

    def mo_owner(self, incoming: Incoming) -> AccountState | None:
        """The account that gets a message from a handset; None is counted."""
        name = self.mo_table.choose(incoming)
        if name is None:
            self.counts["mo_no_route"] += 1
            return None
        return self.accounts.owner(name)

    def bring(self, account: AccountState, connector: str, bodies: Sequence[bytes], report: Report) -> None:
        """Give an account a message from a handset: one deliver_sm, or several where it is long."""
        now = self._clock()
        self.counts["mo"] += 1
        self.journal.turn.reported.append(report)
        if account.callbacks is not None and account.calls_inbound:
            account = account.callbacks
        inbound = account.inbound
        for body in bodies:
            written = body if inbound is None else inbound(connector, body)
            delivery = Delivery(self._ids.mint(now), account.name, written, now)
            self._deliver(delivery)
            if self.diary is not None:
                self.diary.mo(delivery, connector, body)

    def _deliver(self, delivery: Delivery) -> None:
        turn = self.journal.turn
        turn.batch[key_of(delivery.id)] = delivery.pack()
        turn.deliveries.append(delivery)
        self.journal.urgent()

    # Keeper: what outboxes report

    def delivered(self, delivery: Delivery) -> None:
        """An ESME has it."""
        self.accounts.owner(delivery.account).delivered += 1
        if self.diary is not None:
            self.diary.delivered(delivery)
        self.journal.turn.batch[key_of(delivery.id)] = None
        self.journal.soon()

    def postponed(self, delivery: Delivery) -> None:
        """An ESME could not take it now; the count of attempts is kept."""
        if self.diary is not None:
            self.diary.postponed(delivery)
        self.journal.turn.batch[key_of(delivery.id)] = delivery.pack()
        self.journal.soon()

    def set_aside(self, delivery: Delivery, reason: str) -> None:
        """Nobody will take it: kept for a person to see."""
        self.keep_aside(delivery.id, delivery.account, reason, delivery.pack())

    def keep_aside(self, id: int, account: str, reason: str, record: bytes) -> None:
        """Keep a record that nothing more is done with."""
        self.shelf[id] = None
        if self.diary is not None:
            self.diary.aside(id, account, reason)
        self.journal.turn.batch[key_of(id)] = SetAside(self._clock(), account, reason, record).pack()
        self.journal.soon()
        log.warning("set aside", id=shown(id).decode(), account=account, reason=reason)


def as_it_came(id: bytes) -> Sequence[bytes]:
    """The keys of an id whose connector is no longer in the config."""
    return (receipt.key(id),)
