"""A connector to an HTTPS carrier: what it sends, what it hears, and what it asks for."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Literal

import structlog

from protocol.consts import MessageState, RegisteredDelivery, Status
from protocol.errors import PduError
from routing import retry
from routing.message import DOUBTED, Message
from routing.throttle import TokenBucket
from smppgw.carriers import texts
from smppgw.carriers.breaker import Breaker
from smppgw.carriers.client import BadReply, HttpClient
from smppgw.carriers.contract import Answer, Carrier, Make, Text, Verdict, doubt, later
from smppgw.carriers.counts import Counts
from smppgw.carriers.hearing import Hearing
from smppgw.carriers.joining import Gathering, Joining
from smppgw.carriers.registry import KINDS
from smppgw.carriers.settings import CarrierSettings
from smppgw.carriers.texts import Piece
from smppgw.exchange import Unanswered, Unsent
from smppgw.pauses import Pauses
from smppgw.pipeline import Pipeline
from smppgw.returns import Doubt
from smppgw.seldom import Seldom
from smppgw.targets import Target
from smppgw.tls import for_client

log = structlog.get_logger()

_RECEIPT = int(RegisteredDelivery.SUCCESS_ONLY | RegisteredDelivery.INTERMEDIATE)
THROTTLED = frozenset({Status.RTHROTTLED, Status.RMSGQFUL})

LONGEST_ID = 200
"""Octets of an upstream id that a record has room for, with what `_sent` adds."""

MOST_IDS = 255
"""Upstream ids of one message that a record has room for."""


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

    def __init__(
        self,
        settings: CarrierSettings,
        pipeline: Pipeline,
        loop: asyncio.AbstractEventLoop,
        make: Make | None = None,
    ) -> None:
        """`make`: unless its kind says what makes the carrier."""
        self.name = settings.name
        self.name_octets = settings.name.encode()
        self.settings = settings
        """As in force: its window and rate may be others than those of the config, for now."""
        self.configured = settings
        self.held: Literal["", "drain", "stop"] = ""
        """What a person asked for: to send nothing more."""
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
        self.carrier: Carrier = (make or KINDS[settings.kind].make)(settings, self.client)
        again = self.carrier.capabilities.idempotent
        self.doubt: Doubt = (
            "again" if again else "resend" if settings.in_doubt == "resend_and_accept_duplicates" else settings.in_doubt
        )
        self._loop = loop
        self._wanted: set[object] = set()
        self._closing: asyncio.Task[None] | None = None
        self._breaker = Breaker(settings.breaker_failures, settings.breaker_wait)
        self._bucket = TokenBucket(settings.rate, settings.burst) if settings.rate else None
        self._pauses = Pauses(loop, pipeline.delays, self._turned)
        self._seldom = Seldom()
        self._marking: dict[int, Whole] = {}
        self._flying: dict[Whole, asyncio.Task[None]] = {}
        self._joining = Joining(settings.max_joining)
        self._overdue: deque[Gathering] = deque()
        """Parts whose others did not come, and that go without them as soon as there is room."""
        self.hearing = Hearing(settings, self.carrier, self.counts, pipeline, loop, self, self._proven)

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

    def sending(self, spellings: Sequence[bytes]) -> bool:  # noqa: ARG002  a message is one request
        return False

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
        return len(self._joining) + len(self._overdue)

    @property
    def paused(self) -> bool:
        """The carrier asked for a pause."""
        return self._pauses.until > 0

    @property
    def room(self) -> int:
        if self._pauses.until:
            return 0
        window = 1 if self._breaker.half_open else self.settings.window
        room = window - len(self._flying) - len(self._marking)
        if room > 0 and self._bucket is not None:
            wait = self._bucket.wait(self.pipeline.clock())
            if wait > 0:
                self._pauses.turn_after(wait)
                return 0
        return room

    def takes(self, part: int) -> bool:  # noqa: ARG002
        """All parts of a message come here, whatever the room: they are one request."""
        return True

    def want(self, by: object, wanted: bool) -> None:
        """A group needs it, or no longer does."""
        (self._wanted.add if wanted else self._wanted.discard)(by)
        self._update()

    def hold(self, held: Literal["", "drain", "stop"]) -> None:
        """A person drains, stops or starts it; for as long as this object lives."""
        self.held = held
        self._update()

    def rebind(self) -> None:
        """Ask it again at once, however long it is to rest."""
        self._breaker.reset()
        self._update()
        self._pauses.end()

    def limit(self, settings: CarrierSettings) -> None:
        """Another window or rate, until the next reload."""
        if (settings.rate, settings.burst) != (self.settings.rate, self.settings.burst):
            self._bucket = TokenBucket(settings.rate, settings.burst) if settings.rate else None
        self.settings = settings
        self._loop.call_soon(self._turned)

    @property
    def breaker(self) -> Literal["closed", "half open", "open"]:
        if not self._breaker.closed_at(self._loop.time()):
            return "open"
        return "half open" if self._breaker.half_open else "closed"

    @property
    def failures(self) -> int:
        """Requests in a row that failed."""
        return self._breaker.failures

    def start(self, before: "CarrierConnector | None" = None) -> None:
        """After a restore, or in the place of one that a reload replaces."""
        self.hearing.start(before.hearing if before is not None else None)

    def stop(self) -> None:
        """Send nothing more; what is under way may end."""
        if self._closing is None:
            self._closing = self._loop.create_task(self._close())
        self._wanted.clear()
        self._update()

    @property
    def over(self) -> bool:
        """Stopped, and nothing is under way."""
        return self._closing is not None and self._closing.done()

    async def stopped(self) -> None:
        """Until every request has its reply."""
        if self._closing is not None:
            await asyncio.wait((self._closing,))

    async def _close(self) -> None:
        await self.hearing.close()
        while self._flying:
            await asyncio.wait(self._flying.values())
        await self.client.close()

    def tick(self) -> None:
        """About once a second."""
        late = self._joining.late(self._loop.time() - self.settings.join_wait)
        behind = {message.part for target in self.targets for message in target.queue} if late else ()
        for gathering in late:
            if gathering.key in behind:  # more of it is here, and waits for room
                self._joining.keep(gathering, self._loop.time())
            else:
                self._incomplete(gathering)
        self._update()
        self.hearing.tick()

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
            self._offer([message], [piece], stored=message.ticket is None)
            return
        if message.ticket is not None:
            self.pipeline.keep(message)  # who waits for its answer may not send the next part before
        for gathering in self._joining.add(message.part, message, piece.part, piece.octets, self._loop.time()):
            if gathering.complete:
                self._offer_joined(gathering)
            else:
                self._incomplete(gathering)

    def _offer_joined(self, gathering: Gathering) -> None:
        """All of it came; but parts may have ended while they waited for the others."""
        messages, pieces = self._left(gathering)
        if len(pieces) == gathering.total:
            self._offer(messages, pieces, stored=True)
        elif messages:
            self._incomplete(gathering)

    def _left(self, gathering: Gathering) -> tuple[list[Message], list[Piece]]:
        """Every submit_sm of it that did not end meanwhile, and each part of the text as it is by now."""
        pipeline, now = self.pipeline, self.pipeline.clock()
        messages: list[Message] = []
        pieces: dict[int, Piece] = {}
        for number in sorted(gathering.messages):
            for message in gathering.messages[number][:]:
                if message.gone:
                    continue
                if message.expires <= now:
                    pipeline.expired(message)
                    continue
                if message.not_before > now:  # a replace_sm put it off
                    gathering.messages[number].remove(message)
                    pipeline.hold(message, message.not_before - now)
                    continue
                try:
                    pieces.setdefault(number, texts.piece_of(message))
                except PduError as error:  # a replace_sm left it without the header that it promises
                    self.counts.outcomes["unwritable"] += 1
                    pipeline.refused(message, error.status)
                    continue
                messages.append(message)
        return messages, list(pieces.values())

    def _incomplete(self, gathering: Gathering) -> None:
        """Not all of its parts came in time."""
        messages, _ = self._left(gathering)
        if not messages:
            return
        action = "none: it was sent before" if gathering.repeats else self.settings.incomplete
        self.counts.outcomes["incomplete"] += 1
        log.warning(
            "a message came in part", connector=self.name, parts=sorted(gathering.messages), of=gathering.total,
            action=action,
        )  # fmt: skip
        if gathering.repeats:  # the handset has the text: a piece of it would be a second message there
            for message in messages:
                self.pipeline.finish(message, MessageState.UNKNOWN, b"000")
        elif self.settings.incomplete == "send":
            self._overdue.append(gathering)
            self._send_overdue()
        else:
            for message in messages:
                self.pipeline.refused(message, Status.RSUBMITFAIL)

    def _send_overdue(self) -> None:
        while self._overdue and self.up and self.room > 0:
            messages, pieces = self._left(self._overdue.popleft())
            if messages:
                self._offer(messages, pieces, stored=True)

    def _offer(self, messages: list[Message], pieces: list[Piece], *, stored: bool) -> None:
        """`stored`: they are on disk, or on their way there."""
        pipeline, first = self.pipeline, messages[0]
        encoding = pipeline.accounts.owner(first.account).settings.encoding
        carrier = pipeline.carriers.of(first.destination)
        text = texts.text_from(messages, pieces, encoding, self.settings, pipeline.clock(), carrier)
        status = self._unfit(text)
        if status is not None:
            self.counts.outcomes["unwritable"] += 1
            self._not_sent(messages)
            for message in messages:
                message.by = self.name
                pipeline.refused(message, status)
            return
        if self._bucket is not None:
            self._bucket.take(pipeline.clock())  # `room` saw that there is one
        whole = Whole(messages, text)
        for message in messages:
            message.offered = True
            if stored:
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
        shortest = 0 if capabilities.stands_in in text.tlvs else 1
        return None if shortest <= len(text.text) <= capabilities.longest else Status.RINVMSGLEN

    def _marked(self, whole: Whole) -> None:
        whole.marking -= 1
        if whole.marking:
            return
        del self._marking[id(whole)]
        if self.up:
            self._launch(whole)
        else:
            self._not_sent(whole.messages)
            for message in reversed(whole.messages):
                if not message.gone:  # a receipt proved that an earlier attempt was accepted
                    self.pipeline.again(message)

    def _not_sent(self, messages: list[Message]) -> None:
        """Parts of it that come again are no repetitions, unless an earlier attempt may have been accepted."""
        for message in messages:
            if message.part is not None and not message.flags & DOUBTED:
                self._joining.forget(message.part)

    def _launch(self, whole: Whole) -> None:
        self.counts.submits += 1
        whole.begun = self._loop.time()
        self._flying[whole] = self._loop.create_task(self._ask_to_send(whole))

    async def _ask_to_send(self, whole: Whole) -> None:
        try:
            answer = await self.carrier.send(whole.text)
            if len(answer.ids) > MOST_IDS or any(len(id) > LONGEST_ID for id in answer.ids):
                answer = doubt("more ids, or longer ones, than there is room for", code="bad reply")
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
        counts.code(answer.code or "ok")
        self._judge(answer)
        if answer.verdict in (Verdict.NEVER, Verdict.LATER):
            self._not_sent(whole.messages)
        messages = [message for message in whole.messages if not message.gone]  # its receipt may have come before
        match answer.verdict:
            case Verdict.SENT:
                self._sent(messages, answer.ids)
            case Verdict.NEVER:
                left_out = self._seldom.due(answer.code, self._loop.time())
                said = {"connector": self.name, "id": whole.text.tag, "code": answer.code, "reason": answer.reason}
                if left_out is None:
                    log.debug("the carrier refused", **said)
                else:
                    log.info("the carrier refused", **said, left_out=left_out)
                for message in messages:
                    self.pipeline.refused(message, answer.status or Status.RSUBMITFAIL)
            case Verdict.LATER:
                self._postpone(messages, answer)
            case Verdict.DOUBT:
                for message in messages:
                    self.pipeline.in_doubt(message, self.doubt, self._delay(message))

    def _sent(self, messages: list[Message], ids: Sequence[bytes]) -> None:
        """Where several submit_sm ask for the one receipt, each gets an id of its own (see `Hearing`)."""
        askers = [message for message in messages if message.registered_delivery & _RECEIPT]
        for message in messages:
            message.upstream = list(ids)
        if len(askers) > 1:
            for number, message in enumerate(askers, 1):
                message.upstream = [b"%b#%d" % (id, number) for id in ids]
        for message in messages:
            self.pipeline.sent(message, self)
        if askers:
            self.hearing.sent(ids)

    def _proven(self, message: Message, id: bytes) -> None:
        self._sent([message], [id])

    def _postpone(self, messages: list[Message], answer: Answer) -> None:
        if answer.wait or answer.status in THROTTLED:
            self._pauses.pause(answer.wait or self.settings.pause)
            for message in reversed(messages):
                if message.ticket is not None:
                    self.pipeline.refused(message, answer.status)
                elif not self.pipeline.spent(message, answer.status or Status.RTHROTTLED):
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
        said = {"connector": self.name, "code": answer.code, "reason": answer.reason, "next_try": wait}
        if answer.alarm:
            log.error("alert: the carrier needs a person", **said)
        else:
            log.warning("the carrier fails", **said)
        self.alerting = self.alerting or answer.alarm
        self._update()
        self.pipeline.delays.after(wait, self._update)

    def _update(self) -> None:
        """Tell the groups when it can send, and when it cannot any more."""
        # What came here is finished first, unless a person wants it elsewhere.
        needed = bool(self._wanted or self._marking or self.joining) and not self.held
        up = needed and self._closing is None and self._breaker.closed_at(self._loop.time() + 0.005)
        if up is self.up:
            return
        self.up = up
        for target in self.targets:
            if up:
                target.member_up(self.name)
            else:
                target.member_down(self.name)
        if not up:
            self._give_back()

    def _give_back(self) -> None:
        """Parts that wait for others: those will go elsewhere, too."""
        overdue = list(self._overdue)
        self._overdue.clear()
        for gathering in (*self._joining.take(), *overdue):
            for message in reversed([each for same in gathering.messages.values() for each in same]):
                if not message.gone:
                    self.pipeline.again(message)

    def _turned(self) -> None:
        self._send_overdue()
        for target in self.targets:
            if target.queue:
                target.pump()
