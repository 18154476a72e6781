"""The one path of a message: admitted, stored, acknowledged, routed, sent; what comes back is `returns`."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from protocol import pdus, times
from protocol.consts import MessageState, RegisteredDelivery, Status
from protocol.errors import PduError
from protocol.pdus import SubmitSm
from protocol.receipt import Receipt
from routing.admission import refused_field
from routing.carriers import Carriers
from routing.intake import expiry, message_of, number_of, part_of, waiting_of
from routing.message import DOUBTED, OFFERED, Delivery, Ids, Message, Ticket, key_of
from routing.receipts import wanted
from routing.retry import refusal
from routing.senders import Pool
from routing.table import Route, Table
from smppgw.access import AccessLog
from smppgw.accounts import AccountState
from smppgw.delays import Delays
from smppgw.histogram import Histogram
from smppgw.journal import Journal, Turn
from smppgw.known import Known
from smppgw.outbox import Outbox
from smppgw.returns import Doubt, Returns, Source
from smppgw.settings import Gateway
from smppgw.store.contract import Store

_ANY_RECEIPT = int(RegisteredDelivery.SUCCESS_ONLY | RegisteredDelivery.INTERMEDIATE)

SET = 1.0
"""Seconds by which the clock is wrong at least before somebody sets it."""


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


class Detection(Protocol):
    """Who knows carriers: prefixes, overrides, and what was looked up."""

    def of(self, destination: bytes) -> str:
        """The name of its mobile carrier, like "docomo"; "" when it is unknown."""


class LookingUp(Protocol):
    """Who asks somebody else about a number's carrier."""

    def asks(self, number: bytes) -> bool:
        """Would `ask` wait for an answer?"""

    def ask(self, number: bytes, then: Callable[[], None]) -> bool:
        """Call `then` when the carrier is as known as it will be; False: it is now, and nobody is asked."""


Touched = dict[Upstream | None, None]
"""Upstreams to pump, in order; None stands for messages that went nowhere."""


class Pipeline:
    """Every message that is not yet with an upstream, and the way there."""

    def __init__(
        self,
        settings: Gateway,
        store: Store,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], float],
        access: AccessLog,
    ) -> None:
        self.settings = settings
        self.loop = loop
        self.clock = clock
        self.access = access
        self.delays = Delays(loop)
        self.ids = Ids(settings.node)
        self.returns = Returns(settings, loop, clock, self.delays, self.ids, access)
        self.accounts = self.returns.accounts
        self.ledger = self.returns.ledger
        self.journal = self.returns.journal = Journal(store, loop, self._committed, self._refused)
        self.table = Table(())
        self.carriers: Detection = Carriers()
        self.lookup: LookingUp | None = None
        """Who can find out more about carriers than `carriers` knows at once."""
        self.lookups: Counter[str] = Counter()
        """How its questions ended."""
        self.upstreams: dict[str, Upstream] = {}
        self.queued: dict[int, Message] = {}
        """Messages that no upstream has for good, oldest first."""
        self.known = Known(self.ids, self.queued, self.ledger)
        self._returned: Touched = {}
        """Where messages went back to in this turn of the loop."""
        self.counts = self.returns.counts
        self.answer_time = Histogram()
        """From a submit to its answer."""
        self.suspended = False
        """Nothing goes to upstreams for now."""
        self._ahead = clock() - loop.time()
        """Of the loop's clock, which nobody sets."""
        self.patience = 0.0
        """Seconds after which a stored message that no route matches any more is looked at again; 0: it ends."""
        self.most_retries = -1
        """How often a message may be offered again after an upstream's not now; below 0: any number of times."""

    # Admission and store

    def submit(
        self,
        account: AccountState,
        pdu: SubmitSm,
        body: bytes,
        ticket: Ticket,
        public: int = 0,
        memo: bytes = b"",
        tag: str = "",
        together: bool = False,
    ) -> Message | Status:
        """Take a message, or say at once why not. `ticket` hears `accepted` when it is on disk (or, with
        ack = "upstream", sent), or `refused` when that failed; never before this returns. One of several that are
        answered `together` does not wait for its upstream: its receipt would come before the answer to all."""
        now = self.clock()
        if self.journal.error is not None:
            return Status.RSYSERR
        full = not self.has_room(account)
        status = refused_field(pdu) or account.admission.check(pdu.source_addr, pdu.destination_addr, full, now)
        if status is not None:
            return status
        try:
            id = self.ids.mint(0.0 if public else now)  # those of one public id are neighbours: see `Known.find`
            message = message_of(pdu, body, account.name, id, now, self.settings.validity, public)
        except PduError as error:
            return Status(error.status)
        if public:
            self.known.remember(id, public)
        message.memo, message.tag = memo, tag
        lookup = self.lookup
        if lookup is None or not (self.table.asks_carrier(message) and lookup.asks(message.destination)):
            # Otherwise it is routed by the answer, once it is stored.
            route = message.route = self.table.choose(message)
            if route is None:
                self.counts["no_route"] += 1
                status = Status.RINVDSTADR
            elif route.pool is not None and not self._give_sender(message, route.pool):
                status = Status.RINVSRCADR
            if status is not None:
                return status
        message.ticket = ticket
        account.queued += 1
        self.queued[message.id] = message
        if account.settings.ack == "upstream" and not together and message.not_before <= now:
            message.expires = min(message.expires, now + self.settings.upstream_ack_wait)
            upstream = self._offer(message)
            if upstream is not None:
                self.loop.call_soon(upstream.pump)
            return message
        journal = self.journal
        journal.turn.batch[key_of(message.id)] = message.pack()
        journal.turn.submitted.append(message)
        journal.urgent()
        return message

    def has_room(self, account: AccountState, messages: int = 1) -> bool:
        """For so many more?"""
        more = messages - 1
        return (
            account.queued + more < account.settings.max_queued
            and len(self.queued) + more < self.settings.max_queued
            and len(self.ledger.waiting) < self.settings.max_waiting
            and not account.overfull
        )

    def _committed(self, turn: Turn) -> None:
        """A turn is on disk: acknowledge, then go on."""
        for message in turn.sent:
            self._accept(message)
        touched = self._begin(turn.submitted)
        for report in turn.reported:
            report.accepted()
        for action in turn.actions:
            action()
        self._pump(touched)
        if turn.deliveries:
            # After the answers of this turn are written: a receipt must not overtake the id it names.
            self.loop.call_soon(self._hand_out, turn.deliveries)

    def _hand_out(self, deliveries: list[Delivery]) -> None:
        """Not earlier, since a link empties its account's outbox whenever something is read from it."""
        boxes: dict[Outbox, None] = {}
        for delivery in deliveries:
            box = self.accounts.owner(delivery.account).outbox
            box.add(delivery)
            boxes[box] = None
        for box in boxes:
            box.pump()

    def _begin(self, submitted: list[Message]) -> Touched:
        """Acknowledge new messages and queue them where they go; returns what to pump."""
        touched: Touched = {}
        now = self.clock()
        for message in submitted:
            self._accept(message)
            if message.gone:
                continue
            if message.not_before > now:
                self.hold(message, message.not_before - now)
            else:
                touched[self._offer(message)] = None
        return touched

    def _pump(self, touched: Touched) -> None:
        for upstream in touched:
            if upstream is not None:
                upstream.pump()

    def _accept(self, message: Message) -> None:
        ticket, message.ticket = message.ticket, None
        if ticket is not None:
            now = self.clock()
            self.answer_time.observe(now - message.born)
            if ticket.link is not None:
                self.returns.origins.note(message.public, ticket.link, now)
            if self.returns.diary is not None:
                self.returns.diary.accepted(message)
            ticket.accepted(message)

    def _refused(self, turn: Turn) -> None:
        """A turn could not be committed: its new messages are refused, and are not part of it any more."""
        for message in turn.submitted:
            # A commit that failed at its very end may be on disk all the same: what was refused must not be sent.
            turn.batch[key_of(message.id)] = None
            self._refuse(message, Status.RSYSERR)
        turn.submitted.clear()

    # Route and offer

    def _offer(self, message: Message) -> Upstream | None:
        """Queue it where its route leads; the upstream to pump, None when no route matches it any more, or when it
        must wait until its carrier is known."""
        lookup = self.lookup
        if lookup is not None and message.route is None and not message.pin and self.table.asks_carrier(message):
            message.held = lookup.ask(message.destination, lambda: self._looked_up(message))
            if message.held:
                return None
        return self._queue(message)

    def _looked_up(self, message: Message) -> None:
        """Its carrier is as known as it will be."""
        if message.gone or not message.held:
            return
        message.held = False
        now = self.clock()
        if message.not_before > now:  # it was replaced meanwhile
            self.hold(message, message.not_before - now)
        else:
            self._pump({self._queue(message): None})

    def _queue(self, message: Message) -> Upstream | None:
        upstream = self._upstream(message)
        if upstream is not None:
            upstream.offer(message)
        return upstream

    def _upstream(self, message: Message) -> Upstream | None:
        """The first of its route's targets that is not known to be down; None: it has ended or is set aside."""
        if message.pin:
            pinned = self.upstreams.get(message.pin)
            if pinned is None:
                self._hold_back(message, f"in doubt: offered to {message.pin}, which the config no longer has")
            return pinned
        route: Route | None = message.route
        if route is None or route.to not in self.upstreams:  # the routes are others since a reload
            route = message.route = self.table.choose(message)
            if route is None:
                self._stray(message)
                return None
            if route.pool is not None and not self._give_sender(message, route.pool):
                self.refused(message, Status.RINVSRCADR)
                return None
        first = self.upstreams[route.to]
        if first.hopeless:
            for name in route.fallback:
                other = self.upstreams.get(name)
                if other is not None and not other.hopeless:
                    return other
        return first

    def _give_sender(self, message: Message, pool: Pool) -> bool:
        """Let the pool choose the source, unless it has one that is not the pool's own name: that of its ESME, or the
        one that was chosen before. False: no sender serves the destination."""
        if message.source and message.source != pool.name:
            return True
        pdu = message.pdu or pdus.decode_submit(message.body)
        part = part_of(pdu) if message.part is not None else None
        sender = pool.choose(
            pdu.destination_addr, pdu.dest_addr_ton, b"/%d/%d" % (part.reference, part.total) if part else b""
        )
        if sender is None:
            self.counts["no_sender"] += 1
            return False
        pdu = pdu._replace(source_addr_ton=sender.ton, source_addr_npi=sender.npi, source_addr=sender.address)
        message.pdu, message.body, message.source = pdu, pdus.encode_submit(pdu), sender.address
        if part is not None:
            message.part = number_of(message.account, pdu)
        if message.id in self.queued and message.ticket is None:  # it is on disk as it was
            self.journal.turn.batch[key_of(message.id)] = message.pack()
            self.journal.soon()
        return True

    def _stray(self, message: Message) -> None:
        if message.expires <= self.clock():
            self.expired(message)
        elif self.patience and message.ticket is None:
            self.hold(message, self.patience)
        else:
            self.finish(message, MessageState.UNDELIVERABLE, b"000")

    def reoffer_strays(self) -> None:
        """The routes are others now: those that none matched may have one."""
        now = self.clock()
        strays = [each for each in self.queued.values() if each.held and each.route is None and each.not_before <= now]
        for message in strays:
            message.held = False
        self.reoffer(strays)

    def reoffer(self, messages: Iterable[Message]) -> None:
        """Route messages anew, in their order: after a reload, a delay, or when their target went down."""
        touched: Touched = {}
        for message in messages:
            if not message.gone:
                message.route = None
                touched[self._offer(message)] = None
        self._pump(touched)

    def better_target(self, message: Message, current: Upstream) -> bool:
        """Would the message go elsewhere if it were offered now?"""
        return self._upstream(message) is not current

    def hold(self, message: Message, seconds: float) -> None:
        """Offer it only then: its schedule_delivery_time, or the delay of a retry."""
        message.held = True
        self.delays.after(seconds, partial(self._held, message.id))  # the delay must not keep one that ends before

    def _held(self, id: int) -> None:
        message = self.queued.get(id)
        if message is None or not message.held:
            return
        left = message.not_before - self.clock()
        if left > 0.0:
            self.hold(message, left)
        else:
            message.held = False
            self.reoffer((message,))

    def look_at_clock(self) -> None:
        """About once a second: where somebody set it, what waits for its time waits anew."""
        was, self._ahead = self._ahead, self.clock() - self.loop.time()
        if abs(self._ahead - was) < SET:
            self._ahead = was  # so that many small steps are a large one
            return
        before, now = self.loop.time() + was, self.clock()
        for message in self.queued.values():
            if message.held and message.not_before > before:
                self.hold(message, message.not_before - now)

    def keep(self, message: Message) -> None:
        """Answer a submit that waits for an upstream's answer as soon as it is on disk: it cannot go alone."""
        turn = self.journal.turn
        # Until now it had only as long as its ESME waits for the answer.
        pdu = message.pdu or pdus.decode_submit(message.body)
        message.expires = expiry(pdu, message.born, message.born, self.settings.validity)
        turn.batch[key_of(message.id)] = message.pack()
        turn.sent.append(message)
        self.journal.urgent()

    def mark_offered(self, message: Message, then: Callable[[], None], pin: str = "") -> None:
        """Note on disk that a message is about to be offered, and to whom if it alone can get it again; then go on."""
        message.flags |= OFFERED
        message.pin = pin
        self.journal.turn.batch[key_of(message.id)] = message.pack()
        self.journal.after(then)

    # What became of an offer

    def sent(self, message: Message, source: Source) -> None:
        """An upstream took all of a message; its ids are in `message.upstream`."""
        self._leave(message)
        journal = self.journal
        key = key_of(message.id)
        if message.memo:
            self._tell_front(message, source.name_octets)
        if message.registered_delivery & _ANY_RECEIPT:
            waiting = waiting_of(message, source.name_octets, message.upstream)
            journal.turn.batch[key] = self.returns.expect(message.id, waiting, source)
        else:
            journal.turn.batch[key] = None
        self.access.sent(message, source.name_octets)
        if self.returns.diary is not None:
            self.returns.diary.sent(message, source.name_octets)
        if message.ticket is not None:
            journal.turn.sent.append(message)
            journal.urgent()
        else:
            journal.soon()

    def _tell_front(self, message: Message, connector: bytes) -> None:
        account = self.accounts.owner(message.account).hearer(message.memo)
        said = self.returns.written(account, lambda front: front.sent(message, connector))
        if said:
            self.returns.notify(account, self.ids.mint(self.clock()), said)

    def refused(self, message: Message, status: int) -> None:
        """An upstream's answer was final."""
        if message.ticket is not None:
            self._refuse(message, status)
        else:
            self.finish(message, *refusal(status), status)

    def spent(self, message: Message, status: int) -> bool:
        """Was this offer its last one? Then it has ended."""
        if message.ticket is not None or not 0 <= self.most_retries <= message.attempts:
            return False
        self.finish(message, *refusal(status), status)
        return True

    def later(self, message: Message, delay: float, status: int) -> None:
        """An upstream's answer, or its silence, was: not now."""
        if message.ticket is not None:
            self._refuse(message, status)
            return
        if self.spent(message, status):
            return
        message.attempts += 1
        message.upstream.clear()
        if self.returns.diary is not None:
            self.returns.diary.later(message, status)
        self._back(message)
        self.hold(message, delay)

    def again(self, message: Message) -> None:
        """A message that was not taken goes back to the front."""
        self._back(message)
        upstream = self._upstream(message)
        if upstream is not None:
            upstream.offer_first(message)
            # A reload may have given the queue another connector, which hears nothing of this one's answers.
            if not self._returned:
                self.loop.call_soon(self._pump_returned)
            self._returned[upstream] = None

    def _pump_returned(self) -> None:
        returned, self._returned = self._returned, {}
        self._pump(returned)

    def _back(self, message: Message) -> None:
        """It is ours again, and in no doubt but that of an earlier offer."""
        message.offered = False
        if message.flags & OFFERED and not message.flags & DOUBTED:
            message.flags &= ~OFFERED
            message.pin = ""
            self.journal.turn.batch[key_of(message.id)] = message.pack()
            self.journal.soon()

    def in_doubt(self, message: Message, how: Doubt, delay: float = 0.0) -> None:
        """It was offered, and the answer will not come. A message whose own submit was not answered yet is refused:
        its ESME decides."""
        self.counts["in_doubt"] += 1
        if self.returns.diary is not None:
            self.returns.diary.doubt(message, how)
        if message.ticket is not None:
            self._refuse(message, Status.RSYSERR)
        elif how == "hold":
            self._hold_back(message, "in doubt: offered, but not answered")
        elif how == "unknown":
            self.finish(message, MessageState.UNKNOWN, b"000")
        else:
            if how == "again":
                message.flags |= DOUBTED
                self.journal.turn.batch[key_of(message.id)] = message.pack()
            if delay:
                self.later(message, delay, Status.RSYSERR)
            else:
                message.upstream.clear()
                self.again(message)

    def _hold_back(self, message: Message, reason: str) -> None:
        """For a person to decide."""
        self._leave(message)
        self.returns.keep_aside(message.id, message.account, reason, message.pack())

    def expired(self, message: Message) -> None:
        """Its validity_period passed in a queue; nobody knows what became of one that is in doubt."""
        doubted = message.flags & DOUBTED
        self.finish(message, MessageState.UNKNOWN if doubted else MessageState.EXPIRED, b"000")

    def finish(self, message: Message, state: MessageState, err: bytes, status: int = 0) -> None:
        """It ends without having been sent; `status` is the upstream's, if one refused it."""
        if message.ticket is not None:
            self._refuse(message, Status.RSUBMITFAIL)
            return
        self._leave(message)
        self.access.ended(message.id, message.account, b"", state, err)
        if self.returns.diary is not None:
            self.returns.diary.ended(message.id, state, err)
        if message.memo or wanted(message.registered_delivery, state):
            waiting, found = waiting_of(message, b"", ()), Receipt(b"", state, err)
            self.returns.tell(message.id, waiting, state, found, lambda front: front.ended(message, state, status))
        else:
            self.journal.turn.batch[key_of(message.id)] = None
            self.journal.soon()

    def _refuse(self, message: Message, status: int) -> None:
        """Its submit was not answered yet: now it is, and the message ends with that."""
        ticket, message.ticket = message.ticket, None
        self._leave(message)
        if message.part is not None:  # it may be on disk (see `keep`), and must not come back from there
            self.journal.turn.batch[key_of(message.id)] = None
            self.journal.soon()
        if ticket is not None:
            self.access.refused(message.account, message.source, message.destination, status)
            if self.returns.diary is not None:
                self.returns.diary.refused(message, status)
            ticket.refused(message, status)

    def _leave(self, message: Message) -> None:
        """It is no longer queued."""
        message.gone = True
        if self.queued.pop(message.id, None) is not None:
            self.accounts.owner(message.account).queued -= 1

    # Operations of the ESME on what is still here

    def cancel(self, message: Message) -> None:
        """End a queued message that is not offered."""
        self.finish(message, MessageState.DELETED, b"000")

    def replace(self, message: Message, pdu: SubmitSm, validity: bytes = b"") -> None:
        """Give a queued message that is not offered another body; `validity` is the period that counts from now, if it
        is to have another. PduError for bad times, and then nothing is changed."""
        now = self.clock()
        start, expires = message.not_before, message.expires
        if pdu.schedule_delivery_time:
            start = times.parse(pdu.schedule_delivery_time, now, Status.RINVSCHED) or 0.0
            if not pdu.validity_period:
                expires = max(expires, start + self.settings.validity)
        if validity:
            expires = times.parse(validity, now, Status.RINVEXPIRY) or expires
        if expires <= max(start, now):
            raise PduError("validity_period ends before the message may go", Status.RINVEXPIRY)
        message.not_before, message.expires = start, expires
        if pdu.schedule_delivery_time:
            pdu = pdu._replace(schedule_delivery_time=b"")
            if message.held:
                self.hold(message, message.not_before - now)
        message.registered_delivery = pdu.registered_delivery
        message.body = pdus.encode_submit(pdu)
        message.pdu = pdu
        self.journal.turn.batch[key_of(message.id)] = message.pack()
        self.journal.soon()
