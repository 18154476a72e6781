"""A connector to an HTTPS carrier: what it sends, what it hears, and what it asks for."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf

import structlog

from protocol.consts import FINAL_STATES, MessageState, RegisteredDelivery, Status
from protocol.errors import PduError
from protocol.receipt import Receipt
from protocol.udh import MAX_PARTS
from routing import retry
from routing.message import Ids, Message, Waiting
from routing.rules import Incoming
from routing.throttle import TokenBucket
from smppgw.carriers import early, texts
from smppgw.carriers.breaker import Breaker
from smppgw.carriers.client import BadReply, HttpClient, Unanswered, Unsent
from smppgw.carriers.contract import Answer, Carrier, Heard, Mo, Text, Verdict, doubt, later
from smppgw.carriers.early import Early, Kept
from smppgw.carriers.joining import Gathering, Joining
from smppgw.carriers.polls import Polls
from smppgw.carriers.registry import KINDS
from smppgw.carriers.settings import CarrierSettings
from smppgw.carriers.texts import Piece
from smppgw.histogram import Histogram
from smppgw.journal import Report
from smppgw.pipeline import Pipeline
from smppgw.returns import Doubt
from smppgw.targets import Target
from smppgw.tls import for_client

log = structlog.get_logger()

_RECEIPT = int(RegisteredDelivery.SUCCESS_ONLY | RegisteredDelivery.INTERMEDIATE)
THROTTLED = frozenset({Status.RTHROTTLED, Status.RMSGQFUL})

REMEMBERED = 10_000
"""Ids of the last MO messages, by which a repeated notification is known."""

CODES = 100
"""Different codes of a carrier that are counted by name; what comes after them is "other"."""


@dataclass(slots=True)
class Counts:
    """Plain numbers for the metrics."""

    submits: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    receipts: Counter[int] = field(default_factory=Counter)
    notifications: Counter[int] = field(default_factory=Counter)
    """Requests to the webhook, by the HTTP status of our answer."""
    mo: int = 0
    polls: int = 0
    opened: int = 0
    """Times that the breaker opened."""
    answer_time: Histogram = field(default_factory=Histogram)


@dataclass(slots=True, eq=False)
class Whole:
    """One message as the carrier gets it."""

    messages: list[Message]
    """The submit_sm that it was made of."""
    text: Text
    marking: int = 0
    """Those whose offer is not marked on disk yet."""
    begun: float = 0.0
    """Loop time of the request."""


class CarrierConnector:
    """A member of groups like a connector to an SMSC. All methods run on the event loop."""

    steady = False

    def __init__(self, settings: CarrierSettings, pipeline: Pipeline, loop: asyncio.AbstractEventLoop) -> None:
        self.name = settings.name
        self.name_octets = settings.name.encode()
        self.settings = settings
        self.pipeline = pipeline
        self.counts = Counts()
        self.up = False
        """It is wanted, and the breaker lets requests through."""
        self.last_error = ""
        self.alerting = False
        """A person must mend something: credentials, url, account."""
        self.targets: list[Target] = []
        self.exact_ids = 1  # ids are what the carrier says, and no other spelling of them
        self.client = HttpClient(
            settings.url, connections=settings.window + settings.poll_window, connect=settings.connect,
            timeout=settings.response, idle=settings.idle, tls=for_client(settings),
        )  # fmt: skip
        self.carrier: Carrier = KINDS[settings.kind].make(settings, self.client)
        again = self.carrier.capabilities.idempotent
        self.doubt: Doubt = (
            "again" if again else "resend" if settings.in_doubt == "resend_and_accept_duplicates" else settings.in_doubt
        )
        self._loop = loop
        self._wanted: set[object] = set()
        self._closing: asyncio.Task[None] | None = None
        self._breaker = Breaker(settings.breaker_failures, settings.breaker_wait)
        self._bucket = TokenBucket(settings.rate, settings.burst) if settings.rate else None
        self._paused_until = 0.0
        self._pumping = False
        self._marking: dict[int, Whole] = {}
        self._flying: dict[Whole, asyncio.Task[None]] = {}
        self._joining = Joining(settings.max_joining)
        self._early = Early(pipeline, self.name_octets, self._lapsed)
        self._polls = Polls(settings.poll)
        self._polling: set[asyncio.Task[None]] = set()
        self._said: dict[bytes, bool] = {}
        """Ids of MO messages: is it safe, or still under way?"""
        self._reference = random.randrange(0x10000)  # noqa: S311  not a secret: it tells long messages apart

    # Upstream ids (returns.Source)

    def keys(self, id: bytes) -> Sequence[bytes]:
        return (id,)

    def exact(self, id: bytes) -> bytes:
        return id

    def spellings(self, id: bytes) -> Sequence[bytes]:
        return (id,)

    @property
    def oldest(self) -> float:
        """When the first message that has no id so far was sent (loop time); infinite when all have theirs."""
        return min((whole.begun for whole in self._flying), default=inf)

    def forwards(self, command: int) -> bool:  # noqa: ARG002  no carrier can query, cancel or replace like an SMSC
        return False

    def forward(self, command: int, body: bytes, answer: object) -> bool:  # noqa: ARG002
        return False

    # What groups and the app ask

    @property
    def wanted(self) -> bool:
        return bool(self._wanted)

    @property
    def in_flight(self) -> int:
        """Requests without a reply so far."""
        return len(self._flying)

    @property
    def joining(self) -> int:
        """Messages that wait for parts."""
        return len(self._joining)

    @property
    def early(self) -> int:
        """Receipts whose message is not known yet."""
        return len(self._early)

    @property
    def paused(self) -> bool:
        """The carrier asked for a pause."""
        return self._paused_until > 0

    @property
    def room(self) -> int:
        if self._paused_until:
            return 0
        window = 1 if self._breaker.half_open else self.settings.window
        room = window - len(self._flying) - len(self._marking)
        if room > 0 and self._bucket is not None:
            wait = self._bucket.wait(self.pipeline.clock())
            if wait > 0:
                self._pump_after(wait)
                return 0
        return room

    def takes(self, part: int) -> bool:  # noqa: ARG002
        """All parts of a message come here, whatever the room: they are one request."""
        return True

    def want(self, by: object, wanted: bool) -> None:
        """A group needs it, or no longer does."""
        (self._wanted.add if wanted else self._wanted.discard)(by)
        self._update()

    def start(self) -> None:
        """After a restore: go on asking about what waits for receipts."""
        if not self.settings.poll:
            return
        now = self.pipeline.clock()
        for id, record in self.pipeline.ledger.waiting.items():
            waiting = Waiting.unpack(record)
            if waiting.connector == self.name_octets:
                for upstream, state in waiting.parts:
                    if state not in FINAL_STATES:
                        self._polls.add(_plain(upstream), Ids.time_of(id), now)

    def stop(self) -> None:
        """Send nothing more; what is under way may end."""
        self._wanted.clear()
        self._update()
        if self._closing is None:
            self._closing = self._loop.create_task(self._close())

    @property
    def over(self) -> bool:
        """Stopped, and nothing is under way."""
        return self._closing is not None and self._closing.done()

    async def stopped(self) -> None:
        """Until every request has its reply."""
        if self._closing is not None:
            await asyncio.wait((self._closing,))

    async def _close(self) -> None:
        while self._flying or self._polling:
            await asyncio.wait((*self._flying.values(), *self._polling))
        await self.client.close()

    def tick(self) -> None:
        """About once a second."""
        for gathering in self._joining.late(self._loop.time() - self.settings.join_wait):
            self._incomplete(gathering)
        self._ask()

    # Out: join, mark, send

    def send(self, message: Message) -> None:
        """Offer a message; `room` was above 0."""
        try:
            piece = texts.piece_of(message)
        except PduError as error:
            self.counts.outcomes["unwritable"] += 1
            self.pipeline.refused(message, error.status)
            return
        if message.part is None or piece.part is None:
            self._offer([message], piece, piece.octets)
            return
        if message.ticket is not None:
            self.pipeline.keep(message)  # who waits for its answer may not send the next part before
        for gathering in self._joining.add(message.part, message, piece.part, piece.octets, self._loop.time()):
            if gathering.complete:
                self._offer_joined(gathering)
            else:
                self._incomplete(gathering)

    def _offer_joined(self, gathering: Gathering) -> None:
        messages = [message for message in gathering.messages if not message.gone]
        if messages:
            self._offer(messages, texts.piece_of(messages[0]), gathering.octets)

    def _incomplete(self, gathering: Gathering) -> None:
        """Not all of its parts came in time."""
        self.counts.outcomes["incomplete"] += 1
        log.warning(
            "a message came in part", connector=self.name, parts=sorted(gathering.parts), of=gathering.total,
            action=self.settings.incomplete,
        )  # fmt: skip
        if self.settings.incomplete == "send":
            self._offer_joined(gathering)
            return
        for message in gathering.messages:
            if not message.gone:
                self.pipeline.refused(message, Status.RSUBMITFAIL)

    def _offer(self, messages: list[Message], piece: Piece, octets: bytes) -> None:
        pipeline, first = self.pipeline, messages[0]
        encoding = pipeline.accounts.owner(first.account).settings.encoding
        carrier = pipeline.carriers.of(first.destination)
        text = texts.text_from(first, piece, octets, encoding, self.settings, pipeline.clock(), carrier)
        status = self._unfit(text)
        if status is not None:
            self.counts.outcomes["unwritable"] += 1
            for message in messages:
                pipeline.refused(message, status)
            return
        if self._bucket is not None:
            self._bucket.take(pipeline.clock())  # `room` saw that there is one
        whole = Whole(messages, text)
        for message in messages:
            message.offered = True
            if message.ticket is None:
                whole.marking += 1
                pipeline.mark_offered(message, partial(self._marked, whole), self.name)
        if whole.marking:
            self._marking[id(whole)] = whole
        else:
            self._launch(whole)

    def _unfit(self, text: Text) -> Status | None:
        """What no attempt could change."""
        capabilities = self.carrier.capabilities
        if text.header and not capabilities.header:
            return Status.RINVESMCLASS
        if text.binary is not None:
            return None if 0 < len(text.binary) <= capabilities.binary else Status.RINVMSGLEN
        return None if 0 < len(text.text) <= capabilities.longest else Status.RINVMSGLEN

    def _marked(self, whole: Whole) -> None:
        whole.marking -= 1
        if whole.marking:
            return
        del self._marking[id(whole)]
        if self.up:
            self._launch(whole)
        else:
            for message in reversed(whole.messages):
                self.pipeline.again(message)

    def _launch(self, whole: Whole) -> None:
        self.counts.submits += 1
        whole.begun = self._loop.time()
        self._flying[whole] = self._loop.create_task(self._ask_to_send(whole))

    async def _ask_to_send(self, whole: Whole) -> None:
        try:
            answer = await self.carrier.send(whole.text)
        except Unsent as error:
            answer = later(Status.RSYSERR, str(error), code="unsent")
        except Unanswered as error:
            answer = doubt(str(error), code="unanswered")
        except BadReply as error:
            answer = doubt(str(error), code="bad reply")
        except Exception as error:  # a bug of the carrier's file: the message must not be lost by it
            log.exception("carrier failed", connector=self.name)
            answer = doubt(repr(error), code="bug")
        del self._flying[whole]
        self._answered(whole, answer)
        self._turned()

    # What became of it

    def _answered(self, whole: Whole, answer: Answer) -> None:
        if answer.code in self.settings.errors:
            answer = answer._replace(verdict=Verdict(self.settings.errors[answer.code]))
        counts = self.counts
        counts.answer_time.observe(self._loop.time() - whole.begun)
        counts.outcomes[answer.verdict.value] += 1
        known = answer.code in counts.codes or len(counts.codes) < CODES
        counts.codes[(answer.code or "ok") if known else "other"] += 1
        self._judge(answer)
        messages = [message for message in whole.messages if not message.gone]  # its receipt may have come before
        match answer.verdict:
            case Verdict.SENT:
                self._sent(messages, answer.ids)
            case Verdict.NEVER:
                for message in messages:
                    self.pipeline.refused(message, answer.status or Status.RSUBMITFAIL)
            case Verdict.LATER:
                self._postpone(messages, answer)
            case Verdict.DOUBT:
                for message in messages:
                    self.pipeline.in_doubt(message, self.doubt, self._delay(message))

    def _sent(self, messages: list[Message], ids: Sequence[bytes]) -> None:
        """Where several submit_sm ask for the one receipt, each gets an id of its own (see `_known`)."""
        askers = [message for message in messages if message.registered_delivery & _RECEIPT]
        for message in messages:
            message.upstream = list(ids)
        if len(askers) > 1:
            for number, message in enumerate(askers, 1):
                message.upstream = [b"%b#%d" % (id, number) for id in ids]
        for message in messages:
            self.pipeline.sent(message, self)
        if askers and ids:
            now = self.pipeline.clock()
            for id in ids:
                if self.settings.poll:
                    self._polls.add(id, now, now)
                for kept in self._early.take(id):
                    self._loop.call_soon(self._receipt, kept.found, kept)

    def _postpone(self, messages: list[Message], answer: Answer) -> None:
        if answer.wait or answer.status in THROTTLED:
            self._pause(answer.wait or self.settings.pause)
            for message in reversed(messages):
                if message.ticket is not None:
                    self.pipeline.refused(message, answer.status)
                else:
                    message.attempts += 1
                    self.pipeline.again(message)
            return
        for message in messages:
            self.pipeline.later(message, self._delay(message), answer.status or Status.RSYSERR)

    def _delay(self, message: Message) -> float:
        return max(retry.delay(message.attempts + 1, self.settings.retry), 0.001)

    def _judge(self, answer: Answer) -> None:
        """Open the breaker after failures, close it after a sensible answer."""
        failed = answer.alarm or answer.verdict is Verdict.DOUBT or answer.code == "unsent"
        if not failed:
            self.last_error = ""
            if self._breaker.succeeded():
                self.alerting = False
                log.info("the carrier answers again", connector=self.name)
            return
        self.last_error = answer.reason or answer.code
        wait = self._breaker.failed(self._loop.time(), alarm=answer.alarm)
        if not wait:
            return
        self.counts.opened += 1
        say = log.error if answer.alarm else log.warning
        say(
            "alert: the carrier needs a person" if answer.alarm else "the carrier fails",
            connector=self.name, code=answer.code, reason=answer.reason, next_try=wait,
        )  # fmt: skip
        self.alerting = self.alerting or answer.alarm
        self._update()
        self.pipeline.delays.after(wait, self._update)

    def _update(self) -> None:
        """Tell the groups when it can send, and when it cannot any more."""
        up = bool(self._wanted) and self._breaker.closed_at(self._loop.time() + 0.005)
        if up is self.up:
            return
        self.up = up
        if not up:
            for gathering in self._joining.take():  # their other parts will go elsewhere, too
                for message in reversed(gathering.messages):
                    if not message.gone:
                        self.pipeline.again(message)
        for target in self.targets:
            if up:
                target.member_up(self.name)
            else:
                target.member_down(self.name)

    def _pause(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, self._loop.time() + seconds)
        self.pipeline.delays.after(seconds, self._resume)

    def _resume(self) -> None:
        if self._paused_until and self._loop.time() >= self._paused_until - 0.005:
            self._paused_until = 0.0
            self._turned()

    def _pump_after(self, seconds: float) -> None:
        if not self._pumping:
            self._pumping = True
            self.pipeline.delays.after(seconds, self._pump_now)

    def _pump_now(self) -> None:
        self._pumping = False
        self._turned()

    def _turned(self) -> None:
        for target in self.targets:
            if target.queue:
                target.pump()

    # Back: notifications and polls

    def hear(self, heard: Sequence[Heard], report: Report) -> None:
        """What a notification said; `report` is answered once it is safe, or clear that nobody waits."""
        if self.pipeline.journal.error is not None:
            report.refused(Status.RX_T_APPN)
            return
        if len(heard) != 1:
            report = All(len(heard), report)
        for each in heard:
            if isinstance(each, Mo):
                self._mo(each, report)
            else:
                self._notified(each, report)

    def _notified(self, found: Receipt, report: Report) -> None:
        if found.state is not None:
            self.counts.receipts[found.state] += 1
        if self._receipt(found, report):
            return
        if found.state not in FINAL_STATES or self.pipeline.ledger.ended(self.name_octets, found.id):
            self._nobody(found)
            report.accepted()
        elif self.early >= self.pipeline.settings.max_early_receipts:
            report.refused(Status.RX_T_APPN)
        else:
            wait = max(self.pipeline.settings.early_receipt_wait, self.settings.response)
            self._early.keep(found, wait)
            self.pipeline.journal.turn.reported.append(report)
            self.pipeline.journal.urgent()

    def _receipt(self, found: Receipt, report: Report) -> bool:
        """Apply it to every submit_sm that waits for it; False: none does."""
        returns = self.pipeline.returns
        ids = self._known(found.id) or self._proven(found)
        if not ids:
            return False
        if len(ids) > 1:
            report = All(len(ids), report)
        for id in ids:
            returns.receipt(self, found._replace(id=id), report)
        return True

    def _known(self, id: bytes) -> list[bytes]:
        """Its id, or those that `_sent` made of it."""
        knows = self.pipeline.returns.knows
        if knows(self, id):
            return [id]
        return [each for number in range(1, MAX_PARTS + 1) if knows(self, each := b"%b#%d" % (id, number))]

    def _proven(self, found: Receipt) -> list[bytes]:
        """A receipt of a message in doubt, where the carrier names it by our id, is the proof that it was sent."""
        if not self.carrier.capabilities.idempotent:
            return []
        try:
            message = self.pipeline.queued.get(int(found.id[-16:], 16))
        except ValueError:
            return []
        if message is None or message.pin != self.name or message.part is not None or message.ticket is not None:
            return []
        self._sent([message], [found.id])
        return self._known(found.id)

    def _lapsed(self, kept: Kept) -> None:
        if self._receipt(kept.found, kept):
            return
        self._nobody(kept.found)
        kept.accepted()

    def _nobody(self, found: Receipt) -> None:
        self.pipeline.returns.unknown(self, found)

    def heard_before(self, id: int, record: bytes) -> None:
        """A HEARD record of the store, after a restart."""
        _, found = early.unpack(record)
        self._early.restore(id, found, self.pipeline.settings.early_receipt_wait)

    def _mo(self, mo: Mo, report: Report) -> None:
        safe = self._said.get(mo.id) if mo.id else None
        if safe is not None:
            (report.accepted() if safe else report.refused(Status.RX_T_APPN))
            return
        self.counts.mo += 1
        returns = self.pipeline.returns
        source, destination = mo.source.removeprefix("+").encode(), mo.destination.removeprefix("+").encode()
        account = returns.mo_owner(Incoming(self.name, source, destination))
        if account is None:
            log.warning("MO for nobody", connector=self.name, destination=mo.destination)
            report.accepted()  # to refuse it would only bring it back
            return
        self._reference = self._reference + 1 & 0xFFFF
        try:
            bodies = texts.bodies_of(mo, account.settings.encoding, self.settings.mo_long, self._reference)
        except PduError as error:
            log.warning("MO cannot be written", connector=self.name, reason=str(error))
            report.accepted()
            return
        if mo.id:
            self._remember(mo.id)
        returns.bring(account, bodies, Said(self, mo.id, report))

    def _remember(self, id: bytes) -> None:
        self._said[id] = False
        if len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]

    def said(self, id: bytes, safe: bool) -> None:
        """An MO message is on disk, or could not be put there."""
        if safe and id in self._said:
            self._said[id] = True
        else:
            self._said.pop(id, None)

    def _ask(self) -> None:
        """Poll for what is due."""
        if not self._polls or self._closing is not None:
            return
        free = self.settings.poll_window - len(self._polling)
        if free <= 0:
            return
        knows = self._known
        for id, sent, last in self._polls.due(self.pipeline.clock()):
            if knows(id):
                task = self._loop.create_task(self._poll(id, sent, last))
                self._polling.add(task)
                task.add_done_callback(self._polled)
                free -= 1
                if not free:
                    return

    def _polled(self, task: asyncio.Task[None]) -> None:
        self._polling.discard(task)
        self._ask()

    async def _poll(self, id: bytes, sent: float, last: bool) -> None:
        self.counts.polls += 1
        try:
            heard: Sequence[Heard] = await self.carrier.poll(id)
        except (Unsent, Unanswered, BadReply) as error:
            log.warning("poll failed", connector=self.name, reason=str(error))
            heard = ()
        except Exception:  # a bug of the carrier's file: the next poll may fare better
            log.exception("poll failed", connector=self.name)
            heard = ()
        ended = any(isinstance(each, Receipt) and each.state in FINAL_STATES for each in heard)
        if heard:
            self.hear(heard, NOBODY)
        if ended:
            return
        if not last:
            self._polls.add(id, sent, self.pipeline.clock())
        elif self.settings.poll_end != "wait":
            state = MessageState.EXPIRED if self.settings.poll_end == "expired" else MessageState.UNKNOWN
            self.hear((Receipt(id, state, b"000"),), NOBODY)


def _plain(id: bytes) -> bytes:
    """The carrier's id in one that `_sent` made of it."""
    head, sharp, number = id.rpartition(b"#")
    return head if sharp and number.isdigit() else id


class All:
    """Answers for several when the last of them is safe, or any cannot be made safe."""

    def __init__(self, count: int, report: Report) -> None:
        self._left = count
        self._report = report
        if not count:
            report.accepted()

    def accepted(self) -> None:
        self._left -= 1
        if not self._left:
            self._report.accepted()

    def refused(self, status: int) -> None:
        if self._left > 0:
            self._left = -1
            self._report.refused(status)


class Said:
    """Remembers an MO message as safe once it is."""

    def __init__(self, connector: CarrierConnector, id: bytes, report: Report) -> None:
        self._connector = connector
        self._id = id
        self._report = report

    def accepted(self) -> None:
        self._connector.said(self._id, True)
        self._report.accepted()

    def refused(self, status: int) -> None:
        self._connector.said(self._id, False)
        self._report.refused(status)


class Nobody:
    """Nobody waits to hear."""

    def accepted(self) -> None:
        pass

    def refused(self, status: int) -> None:
        pass


NOBODY = Nobody()
