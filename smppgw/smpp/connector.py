"""A connector: our binds to one SMSC, what they send and what they bring back."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any, NamedTuple

import structlog

from protocol import pdus, receipt, tlv
from protocol.consts import RECEIPT_TYPES, Command, EsmClass, Status, Tag
from protocol.errors import PduError
from protocol.session import Answered, Asked, Lapsed
from routing import retry
from routing.message import OFFERED, Message
from routing.retry import ErrorTable, Outcome
from routing.shape import Shape
from routing.throttle import TokenBucket
from smppgw.histogram import Histogram
from smppgw.pauses import Pauses
from smppgw.pipeline import Pipeline
from smppgw.returns import Doubt
from smppgw.seldom import Seldom
from smppgw.settings import Connector as Settings
from smppgw.settings import Limits
from smppgw.smpp.bind import Bind, Report
from smppgw.smpp.keeper import Keeper

log = structlog.get_logger()

# Plain ints: members of enums cost more than the rest of a line.
_SUBMIT_SM, _DELIVER_SM, _GENERIC_NACK, _ROK = map(
    int, (Command.SUBMIT_SM, Command.DELIVER_SM, Command.GENERIC_NACK, Status.ROK)
)
_RECEIPTS = frozenset(map(int, (EsmClass.RECEIPT, EsmClass.INTERMEDIATE)))
PAUSING = frozenset({Status.RTHROTTLED, Status.RMSGQFUL})
Answer = Callable[[Answered | None], None]
"""What is done with the answer to a forwarded request; None: there is none."""


@dataclass(slots=True, eq=False)
class Splitting:
    """A message that goes out as several submit_sm."""

    message: Message
    bodies: deque[tuple[int, bytes]]
    """Segments to send, with their places in the message."""
    left: int
    """Segments that no answer has settled."""
    paid: bool = True
    """The rate allowed the segment that is next."""
    begun: float = 0.0
    """When the first of them was sent (loop time)."""
    failed: bool = False
    bind: Bind | None = None
    """The one that the segments so far went by."""


class Ready(NamedTuple):
    """A message as it goes out: one body, or a segment each."""

    message: Message
    bodies: Sequence[bytes]


class Segment(NamedTuple):
    """One of them, on its way."""

    split: Splitting
    place: int
    body: bytes


@dataclass(slots=True)
class Counts:
    """Plain numbers for the metrics."""

    submits: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    receipts: Counter[int] = field(default_factory=Counter)
    mo: int = 0
    alerts: int = 0
    unreadable: int = 0
    lapsed: int = 0
    answer_time: Histogram = field(default_factory=Histogram)


class Connector(Keeper):
    """Wanted by groups, bound while wanted. All methods run on the event loop."""

    def __init__(self, settings: Settings, limits: Limits, pipeline: Pipeline, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(settings, limits, loop)
        self.name_octets = settings.name.encode()
        self.counts = Counts()
        self.up = False
        """A bind can submit."""
        self.targets: list[Any] = []
        self.pipeline = pipeline
        self._shape = Shape(settings)
        self._errors = ErrorTable(settings.errors.sent, settings.errors.later, settings.errors.never)
        self._bucket = TokenBucket(settings.rate, settings.burst) if settings.rate else None
        self.doubt: Doubt = settings.in_doubt or pipeline.settings.in_doubt
        self._pauses = Pauses(loop, pipeline.delays, self.turned)
        self._marking = 0
        self._ready: deque[Ready] = deque()
        """Those that are marked and wait for room."""
        self._turn = 0
        self.steady = _is_steady(settings)
        self._splits: deque[Splitting] = deque()
        self._unsettled: set[Splitting] = set()
        """Those of which a segment was sent and not all are answered."""
        self._segments: set[bytes] = set()
        """The ids of their segments so far, as they are kept."""
        self._again: list[Message] = []
        self.exact_ids = 0
        """Receipts that were found under their id as it was spelled: then other spellings are unlikely here."""
        fixed = settings.id_form in ("hex", "decimal") and settings.receipt_id_form in ("hex", "decimal")
        self._exact_form = settings.receipt_id_form if fixed else settings.id_form
        self._guessing = settings.id_form == settings.receipt_id_form == "auto"
        self._hexadecimal = False
        """An id of a submit_sm_resp had more than digits."""
        self._seldom = Seldom()
        self._reference = random.randrange(0x10000)  # noqa: S311  not a secret: it tells long messages apart

    # Upstream ids (pipeline.Source)

    def keys(self, id: bytes) -> Sequence[bytes]:
        """Under what an id of a submit_sm_resp is kept."""
        if not self._hexadecimal and not id.isdigit():
            self._hexadecimal = True
            self.pipeline.returns.hexadecimal.add(self.name_octets)
        return (receipt.key(id, self.settings.id_form),)

    def exact(self, id: bytes) -> bytes:
        """What to look a receipt's id up under first."""
        return receipt.key(id, self._exact_form)

    def spellings(self, id: bytes) -> Sequence[bytes]:
        """That, and what it may be in other forms: guesses, where the forms are "auto"."""
        found = receipt.candidates(id, self.settings.receipt_id_form, self.settings.id_form)
        if self._guessing and id.isdigit():
            # Digits may be the decimal form of an id in hex, but only where ids are in hex: else they name themselves.
            names = self.pipeline.ledger.cluster_of(self.name_octets)
            return found[:1] if self.pipeline.returns.hexadecimal.isdisjoint(names) else found[:2]
        return found

    # What groups ask

    @property
    def room(self) -> int:
        if self._pauses.until or self._splits or self._ready:
            return 0
        room = -self._marking
        for bind in self.binds:
            if bind.sending:
                room += bind.session.room
        if room > 0 and self._bucket is not None:
            wait = self._bucket.wait(self.pipeline.clock())
            if wait > 0:
                self._pauses.turn_after(wait)
                return 0
        return room

    @property
    def oldest(self) -> float:
        """When the first message that has no id so far was sent (loop time); infinite when all have theirs."""
        sent = [bind.session.oldest for bind in self.binds]
        return min([*sent, *(split.begun for split in self._unsettled)], default=inf)

    def sending(self, spellings: Sequence[bytes]) -> bool:
        """Is one of them the id of a segment whose message is not wholly sent so far?"""
        return not self._segments.isdisjoint(spellings)

    @property
    def in_flight(self) -> int:
        """Submits without an answer so far."""
        return sum(bind.session.unanswered for bind in self.binds)

    @property
    def paused(self) -> bool:
        """The upstream asked for a pause."""
        return self._pauses.until > 0

    def takes(self, part: int) -> bool:
        """The bind that all parts of this message go by has room."""
        return self._bind_of(part).session.room > self._marking

    def send(self, message: Message) -> None:
        """Offer a message; `room` was above 0."""
        message.offered = True
        bodies: Sequence[bytes] = (message.body,)
        encoding = self.pipeline.accounts.owner(message.account).settings.encoding
        if not self._shape.plain(encoding):
            try:
                self._reference = self._reference + 1 & 0xFFFF
                bodies = self._shape.bodies(message.body, encoding, self._reference)
            except PduError as error:
                self.counts.outcomes["unwritable"] += 1
                self.pipeline.refused(message, error.status)
                return
        if self._bucket is not None:
            self._bucket.take(self.pipeline.clock())  # `room` saw that there is one
        if self.doubt == "hold" and not message.flags & OFFERED and message.ticket is None:
            self._marking += 1
            self.pipeline.mark_offered(message, partial(self._marked, Ready(message, bodies)))
            return
        self._transmit(message, bodies)

    def _marked(self, ready: Ready) -> None:
        self._marking -= 1
        if self.up:
            self._ready.append(ready)
            self._pump_ready()
        else:
            self.pipeline.again(ready.message)

    def _pump_ready(self) -> None:
        """Send what is marked: the upstream may have asked for a pause since, or a long message took the window."""
        while self._ready and not self._splits and not self._pauses.until:
            part = self._ready[0].message.part
            binds = self.binds if part is None else (self._bind_of(part),)
            if not any(bind.sending and bind.session.room > 0 for bind in binds):
                return
            self._transmit(*self._ready.popleft())

    def _transmit(self, message: Message, bodies: Sequence[bytes]) -> None:
        if len(bodies) > 1:
            self._splits.append(Splitting(message, deque(enumerate(bodies)), len(bodies)))
            self._pump_splits()
            return
        bind = self._bind_for(message)
        self.counts.submits += 1
        bind.session.request(_SUBMIT_SM, bodies[0], message, self._loop.time())
        bind.flush_soon()

    def _bind_for(self, message: Message) -> Bind:
        """One that sends, the next one in turn with room; there is one."""
        binds = self.binds
        count = len(binds)
        if count == 1:
            return binds[0]
        if message.part is not None:
            return self._bind_of(message.part)
        turn = self._turn
        for step in range(1, count + 1):
            bind = binds[(turn + step) % count]
            if bind.sending and bind.session.room > 0:
                self._turn = (turn + step) % count
                return bind
        return next(bind for bind in binds if bind.sending)

    def _bind_of(self, part: int) -> Bind:
        """All parts of a message go by one bind, hence in order."""
        sending = [bind for bind in self.binds if bind.sending]
        return sending[part % len(sending)]

    def _pump_splits(self) -> None:
        """Send the segments of split messages, in order and by one bind each, before any other message."""
        while self._splits and not self._pauses.until:
            split = self._splits[0]
            bind = split.bind
            if bind is None or not (bind.ending if split.begun else bind.sending):
                if not any(each.sending for each in self.binds):
                    return
                bind = split.bind = self._bind_for(split.message)
            while split.bodies and bind.session.room > 0:
                if self._bucket is not None and not split.paid and not self._bucket.take(self.pipeline.clock()):
                    self._pauses.turn_after(self._bucket.wait(self.pipeline.clock()))
                    break
                split.paid = False
                self.counts.submits += 1
                if not split.begun:
                    split.begun = self._loop.time()
                    self._unsettled.add(split)
                place, body = split.bodies.popleft()
                bind.session.request(Command.SUBMIT_SM, body, Segment(split, place, body), self._loop.time())
            bind.flush_soon()
            if split.bodies:
                return
            self._splits.popleft()

    def forwards(self, command: int) -> bool:
        """Is a command on a sent message passed on?"""
        return Command(command).name.lower() in self.settings.forward

    def forward(self, command: int, body: bytes, answer: Answer) -> bool:
        """Pass a query_sm, cancel_sm or replace_sm on; False when nothing is bound, or no window has room."""
        for bind in self.binds:
            if bind.sending and bind.session.room > 0:
                bind.session.request(command, body, answer, self._loop.time())
                bind.flush_soon()
                return True
        return False

    def limit(self, settings: Settings) -> None:
        """Another window or rate, until the next reload."""
        if (settings.rate, settings.burst) != (self.settings.rate, self.settings.burst):
            self._bucket = TokenBucket(settings.rate, settings.burst) if settings.rate else None
        self.settings = settings
        self.steady = _is_steady(settings)
        for bind in self.links:
            bind.session.window = settings.window
        self._loop.call_soon(self.turned)

    # What binds report

    def unfinished(self, bind: Bind) -> bool:
        """A long message is half sent on it, and another bind would begin it anew."""
        return any(split.begun and split.bind is bind for split in self._splits)

    def alerted(self) -> None:
        self.counts.alerts += 1
        log.info("alert_notification", connector=self.name)

    def update(self) -> None:
        """Tell the groups when the first bind can submit, and when none can any more."""
        up = not self.held and any(bind.sending for bind in self.binds)
        if up is self.up:
            return
        self.up = up
        if not up:
            ready, self._ready = self._ready, deque()
            for message, _ in reversed(ready):
                self.pipeline.again(message)
        for target in self.targets:
            if up:
                target.member_up(self.name)
            else:
                target.member_down(self.name)

    def answered(self, event: Answered) -> None:
        """An answer to a submit_sm, or to a forwarded request."""
        if event.command == _GENERIC_NACK and event.status == _ROK:
            event = event._replace(status=Status.RUNKNOWNERR)  # whatever it means, it is no success
        token = event.token
        if type(token) is Message:
            self._submit_answered(token, event)
        elif type(token) is Segment:
            self._segment_answered(token, event)
        else:
            token(event)

    def _submit_answered(self, message: Message, event: Answered) -> None:
        outcome = self._outcome(event)
        if outcome is Outcome.SENT:
            message.upstream.append(pdus.message_id(event.body))
            self.pipeline.sent(message, self)
        elif outcome is Outcome.NEVER:
            message.by = self.name
            self.pipeline.refused(message, event.status)
        else:
            self._postpone(message, event.status)

    def _outcome(self, event: Answered) -> Outcome:
        status = event.status
        counts = self.counts
        counts.statuses[status] += 1
        counts.answer_time.observe(self._loop.time() - event.sent)
        outcome = self._errors.outcome(status)
        counts.outcomes[outcome] += 1
        if status in PAUSING and outcome is Outcome.LATER:
            self._pauses.pause(self.settings.pause)
        return outcome

    def _postpone(self, message: Message, status: int) -> None:
        if self.pipeline.spent(message, status):
            return
        if status in PAUSING and message.ticket is None:
            message.attempts += 1
            message.upstream.clear()
            self._again.append(message)  # in order, see `turned`
        else:
            self.pipeline.later(message, retry.delay(message.attempts + 1, self.settings.retry), status)

    def _segment_answered(self, segment: Segment, event: Answered) -> None:
        outcome = self._outcome(event)
        split = segment.split
        if split.failed:
            return
        message = split.message
        if outcome is Outcome.SENT:
            split.left -= 1
            id = pdus.message_id(event.body)
            message.upstream.append(id)
            self._segments.update(self.keys(id))
            if not split.left:
                self._forget(split)
                self.pipeline.sent(message, self)
        elif outcome is Outcome.NEVER or message.ticket is not None:
            split.failed = True
            self._forget(split)
            message.by = self.name
            self.pipeline.refused(message, event.status)
        elif message.expires <= self.pipeline.clock():
            split.failed = True
            self._forget(split)
            self.pipeline.expired(message)
        elif event.status in PAUSING:
            self._segment_again(segment)
        else:
            message.attempts += 1
            delay = retry.delay(message.attempts, self.settings.retry)
            self.pipeline.delays.after(delay, partial(self._segment_later, segment))

    def _segment_again(self, segment: Segment) -> None:
        """That segment alone is sent again, in its place among those that are still to go."""
        split = segment.split
        split.bodies = deque(sorted([*split.bodies, (segment.place, segment.body)]))
        if split not in self._splits:
            self._splits.appendleft(split)

    def _segment_later(self, segment: Segment) -> None:
        if segment.split.failed:
            return
        if any(bind.sending for bind in self.binds):
            self._segment_again(segment)
            self._pump_splits()
        else:
            self._doubt(segment, lapsed=False)

    def _forget(self, split: Splitting) -> None:
        self._unsettled.discard(split)
        for id in split.message.upstream:
            self._segments.difference_update(self.keys(id))
        split.bodies.clear()
        if split in self._splits:
            self._splits.remove(split)

    def lapsed(self, event: Lapsed) -> None:
        """No answer in time: in doubt, and never a reason for the others to wait."""
        self.counts.lapsed += 1
        self._doubt(event.token, lapsed=True)

    def _doubt(self, token: Any, *, lapsed: bool) -> None:
        if type(token) is Segment:
            token = token.split
        if type(token) is Splitting:
            if token.failed:
                return
            token.failed = True
            self._forget(token)
            if not token.begun:
                self.pipeline.again(token.message)
                return
            token = token.message
        if type(token) is Message:
            delay = retry.delay(token.attempts + 1, self.settings.retry) if lapsed else 0.0
            self.pipeline.in_doubt(token, self.doubt, delay)
        else:
            token(None)

    def turned(self) -> None:
        """A read of some bind was handled: go on sending."""
        if self._again:
            again, self._again = self._again, []
            for message in reversed(again):
                self.pipeline.again(message)
        if self._splits:
            self._pump_splits()
        if self._ready:
            self._pump_ready()
        for target in self.targets:
            if target.queue:
                target.pump()

    def lost(self, bind: Bind, reason: str) -> None:
        """A bind is gone: what it had not answered is in doubt, and goes first again, in order."""
        super().lost(bind, reason)
        left = [token for command, token in bind.session.lost() if token is not None]
        for token in reversed(left):
            self._doubt(token, lapsed=False)
        self.update()
        if not any(each.sending for each in self.binds):
            for split in list(self._splits):
                self._doubt(split, lapsed=False)
        self.turned()

    def deliver(self, bind: Bind, event: Asked) -> None:
        """A deliver_sm or data_sm of the upstream: a receipt or an MO message."""
        body = event.body
        try:
            if event.command != _DELIVER_SM:
                body = pdus.encode_submit(pdus.submit_of(pdus.decode(event.command, body)))
            esm_class, words, tlvs = pdus.decode_report(body)
        except PduError as error:
            self.counts.unreadable += 1
            left_out = self._seldom.due("unreadable", self._loop.time())
            if left_out is not None:
                log.warning("unreadable deliver_sm", connector=self.name, reason=str(error), left_out=left_out)
            bind.session.answer(event, error.status)
            return
        report = Report(bind, event)
        found = _receipt_in(esm_class, words, tlvs, quoted=self.pipeline.returns.quotes)
        if found is None:
            self.counts.mo += 1
            self.pipeline.returns.mo(self.name, pdus.decode_submit(body), body, report)
            return
        if not found.id:
            self.counts.unreadable += 1
            left_out = self._seldom.due("no id", self._loop.time())
            if left_out is not None:
                log.warning("receipt without a message id", connector=self.name, left_out=left_out)
            report.accepted()
            return
        if found.state is not None:
            self.counts.receipts[found.state] += 1
        self.pipeline.returns.receipt(self, found, report)


def _is_steady(settings: Settings) -> bool:
    return not settings.rate and settings.long_messages == "as_is" and settings.interface_version != "3.3"


def _receipt_in(esm_class: int, words: bytes, tlvs: bytes, *, quoted: bool) -> receipt.Receipt | None:
    kind = esm_class & RECEIPT_TYPES
    values = tlv.parse(tlvs) if tlvs else {}
    if kind not in _RECEIPTS and (kind or Tag.RECEIPTED_MESSAGE_ID not in values):
        return None
    words = words or values.get(Tag.MESSAGE_PAYLOAD, b"")
    found = receipt.parse(words, values) or receipt.Receipt(b"")
    if not quoted:
        return found
    quotation = receipt.Quoted(*found)
    quotation.words, quotation.values = words, values
    return quotation
