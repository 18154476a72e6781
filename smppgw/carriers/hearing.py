"""What a carrier says: receipts and messages from handsets, by notification or when it is asked."""

import asyncio
import random
from collections.abc import Callable, Sequence
from itertools import count

import structlog

from protocol.consts import FINAL_STATES, MessageState, Status
from protocol.errors import PduError
from protocol.receipt import Receipt
from routing import heard
from routing.message import Message, Waiting, sent_at
from routing.rules import Incoming
from smppgw.carriers import texts
from smppgw.carriers.client import BadReply
from smppgw.carriers.contract import Carrier, Heard, Mo
from smppgw.carriers.counts import Counts
from smppgw.carriers.early import Early, Kept
from smppgw.carriers.polls import Polls
from smppgw.carriers.repeats import Repeats
from smppgw.carriers.settings import CarrierSettings
from smppgw.exchange import Unanswered, Unsent
from smppgw.journal import NOBODY, Report
from smppgw.pipeline import Pipeline
from smppgw.returns import Source

log = structlog.get_logger()


class Hearing:
    """The way back of one connector."""

    def __init__(
        self,
        settings: CarrierSettings,
        carrier: Carrier,
        counts: Counts,
        pipeline: Pipeline,
        loop: asyncio.AbstractEventLoop,
        source: Source,
        proven: Callable[[Message, bytes], None],
    ) -> None:
        self.counts = counts
        self._settings = settings
        self._name = settings.name
        self._carrier = carrier
        self._pipeline = pipeline
        self._loop = loop
        self._source = source
        """The connector, as the ledger knows it."""
        self._proven = proven
        """Told of a message in doubt that a receipt proves to have been sent, with its upstream id."""
        self._early = Early(pipeline, source.name_octets, self._lapsed)
        self._polls = Polls(settings.poll)
        self._polling: set[asyncio.Task[None]] = set()
        self._closing = False
        self._repeats = Repeats(pipeline, source.name_octets)
        self._reference = random.randrange(0x10000)  # noqa: S311  not a secret: it tells long messages apart

    @property
    def early(self) -> int:
        """Receipts whose message is not known yet."""
        return len(self._early)

    def start(self, before: "Hearing | None" = None) -> None:
        """After a restore, or in the place of another: go on asking about what waits for receipts."""
        if before is not None:
            # Both have all of it: requests of the other are still answered there, notifications come here.
            self._early, self._repeats = before._early, before._repeats
            if before._settings.poll == self._settings.poll:
                self._polls = before._polls
                return
            before._polls = self._polls
        if not self._settings.poll:
            return
        now = self._pipeline.clock()
        asked: set[bytes] = set()
        for id, record in self._pipeline.ledger.waiting.items():
            waiting = Waiting.unpack(record)
            if waiting.connector == self._source.name_octets:
                for upstream, state in waiting.parts:
                    if state not in FINAL_STATES and (plain := _plain(upstream)) not in asked:
                        asked.add(plain)
                        self._polls.add(plain, sent_at(id, record), now)

    async def close(self) -> None:
        """Ask no more; requests under way are waited for."""
        self._closing = True
        if self._polling:
            await asyncio.wait(self._polling)

    def sent(self, ids: Sequence[bytes]) -> None:
        """A text was sent, and its receipts will name these."""
        now = self._pipeline.clock()
        for id in ids:
            self._polls.add(id, now, now)
            for kept in self._early.take(id):
                self._loop.call_soon(self._known_now, kept)

    def _known_now(self, kept: Kept) -> None:
        if not self._receipt(kept.found, kept):
            kept.accepted()  # it repeats one that ended the message just now

    def hear(self, heard: Sequence[Heard], report: Report) -> None:
        """What a notification said; `report` is answered once it is safe, or clear that nobody waits."""
        if self._pipeline.journal.error is not None:
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
        if found.state not in FINAL_STATES:
            report.accepted()  # it came before its message is known, or after it ended: the final one says all
        elif self._ended(found.id):
            self._nobody(found)
            self._pipeline.returns.answer(report)
        elif self.early >= self._pipeline.settings.max_early_receipts:
            report.refused(Status.RX_T_APPN)
        else:
            wait = max(self._pipeline.settings.early_receipt_wait, self._settings.response)
            self._early.keep(found, wait)
            self._pipeline.journal.turn.reported.append(report)
            self._pipeline.journal.urgent()

    def _receipt(self, found: Receipt, report: Report) -> bool:
        """Apply it to every submit_sm that waits for it; False: none does."""
        returns = self._pipeline.returns
        ids = self._known(found.id) or self._prove(found)
        if not ids:
            return False
        if len(ids) > 1:
            report = All(len(ids), report)
        for id in ids:
            returns.receipt(self._source, found._replace(id=id), report)
        return True

    def _known(self, id: bytes) -> list[bytes]:
        """Its id, or those that `_sent` made of it."""
        knows = self._pipeline.returns.knows
        if knows(self._source, id):
            return [id]
        ids: list[bytes] = []
        for number in count(1):  # they end together
            each = b"%b#%d" % (id, number)
            if not knows(self._source, each):
                return ids
            ids.append(each)
        return ids

    def _ended(self, id: bytes) -> bool:
        ended, name = self._pipeline.ledger.ended, self._source.name_octets
        return ended(name, id) or ended(name, b"%b#1" % id)

    def _prove(self, found: Receipt) -> list[bytes]:
        """A receipt of a message in doubt, where the carrier names it by our id, is the proof that it was sent."""
        message = self._named(found)
        if message is None or message.part is not None or message.ticket is not None:
            return []
        self._proven(message, found.id)
        return self._known(found.id)

    def _named(self, found: Receipt) -> Message | None:
        """A message that this carrier alone can get (again)."""
        if not self._carrier.capabilities.idempotent:
            return None
        try:
            message = self._pipeline.queued.get(int(found.id[-16:], 16))
        except ValueError:
            return None
        return message if message is not None and message.pin == self._name else None

    def _lapsed(self, kept: Kept) -> None:
        if self._receipt(kept.found, kept):
            return
        if self._named(kept.found) is not None:  # the parts of a message in doubt, which will be sent again
            self._early.restore(kept.id, kept.found, self._pipeline.settings.early_receipt_wait)
            return
        self._nobody(kept.found)
        kept.accepted()

    def _nobody(self, found: Receipt) -> None:
        self._pipeline.returns.unknown(self._source, found)

    def restore(self, id: int, record: bytes) -> None:
        """A HEARD record of the store, after a restart."""
        _, found = heard.unpack(record)
        self._early.restore(id, found, self._pipeline.settings.early_receipt_wait)

    def restore_said(self, id: int, record: bytes) -> None:
        """A SAID record of the store, likewise."""
        self._repeats.restore(id, record)

    def _mo(self, mo: Mo, report: Report) -> None:
        safe = self._repeats.safe(mo.id) if mo.id else None
        if safe is not None:
            (report.accepted() if safe else report.refused(Status.RX_T_APPN))
            return
        self.counts.mo += 1
        returns = self._pipeline.returns
        source, destination = (
            address.removeprefix("+").encode("utf-8", "replace")  # JSON can have half a character
            for address in (mo.source, mo.destination)
        )
        account = returns.mo_owner(Incoming(self._name, source, destination))
        if account is None:
            log.warning("MO for nobody", connector=self._name, destination=mo.destination)
            report.accepted()  # to refuse it would only bring it back
            return
        if account.overfull:
            report.refused(Status.RX_T_APPN)
            return
        self._reference = self._reference + 1 & 0xFFFF
        try:
            bodies = texts.bodies_of(mo, account.settings.encoding, self._settings.mo_long, self._reference)
        except PduError as error:
            log.warning("MO cannot be written", connector=self._name, reason=str(error))
            report.accepted()
            return
        returns.bring(account, self._name, bodies, Said(self._repeats, mo.id, report))
        if mo.id:
            self._repeats.add(mo.id)

    def tick(self) -> None:
        """About once a second."""
        self._repeats.forget_old()
        self.ask()

    def ask(self) -> None:
        """Poll for what is due."""
        if not self._polls or self._closing or self._pipeline.journal.error is not None:
            return
        free = self._settings.poll_window - len(self._polling)
        if free <= 0:
            return
        knows = self._known
        for id, sent, last in self._polls.due(self._pipeline.clock()):
            if knows(id):
                task = self._loop.create_task(self._poll(id, sent, last))
                self._polling.add(task)
                task.add_done_callback(self._polled)
                free -= 1
                if not free:
                    return

    def _polled(self, task: asyncio.Task[None]) -> None:
        self._polling.discard(task)
        self.ask()

    async def _poll(self, id: bytes, sent: float, last: bool) -> None:
        self.counts.polls += 1
        try:
            heard: Sequence[Heard] = await self._carrier.poll(id)
        except (Unsent, Unanswered, BadReply) as error:
            log.warning("poll failed", connector=self._name, reason=str(error))
            heard = ()
        except Exception:  # a bug of the carrier's file: the next poll may fare better
            log.exception("poll failed", connector=self._name)
            heard = ()
        if self._pipeline.journal.error is not None:
            self._polls.add(id, sent, self._pipeline.clock())  # what it said could not be made safe
            return
        ended = any(isinstance(each, Receipt) and each.state in FINAL_STATES for each in heard)
        if heard:
            self.hear(heard, NOBODY)
        if ended:
            return
        if not last:
            self._polls.add(id, sent, self._pipeline.clock())
        elif self._settings.poll_end != "wait":
            state = MessageState.EXPIRED if self._settings.poll_end == "expired" else MessageState.UNKNOWN
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

    def __init__(self, repeats: Repeats, id: bytes, report: Report) -> None:
        self._repeats = repeats
        self._id = id
        self._report = report

    def accepted(self) -> None:
        self._repeats.committed(self._id)
        self._report.accepted()

    def refused(self, status: int) -> None:
        self._repeats.forget(self._id)
        self._report.refused(status)
