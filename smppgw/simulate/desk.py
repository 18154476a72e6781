"""Take the messages of a simulated SMSC's ESMEs, answer for them, and make their receipts."""

import os
import time
from collections import Counter, deque
from functools import partial
from typing import Protocol

from protocol import tlv
from protocol.consts import RESPONSE, Command, MessageState, RegisteredDelivery, Status, Tag
from protocol.errors import PduError
from protocol.pdus import (
    CancelSm,
    DataSm,
    DistributionList,
    MessageIdResp,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    UnsuccessSme,
    decode,
    decode_submit,
    encode,
    encode_submit,
)
from protocol.session import Asked
from protocol.text import choose
from protocol.text import encode as encode_text
from smppgw.simulate.alarm import Alarm
from smppgw.simulate.fate import Fate
from smppgw.simulate.mailbox import Delivery, Mailbox, Receiver
from smppgw.simulate.messages import Held, absolute_time, date, id_writer, receipt
from smppgw.simulate.options import Options

RETRY = 1.0
"""Seconds until a delivery that got a temporary status is sent again."""
_TEMPORARY = frozenset({Status.RMSGQFUL, Status.RTHROTTLED, Status.RSUBMITFAIL, Status.RX_T_APPN, Status.RSYSERR})
_SUBMIT_SM = int(Command.SUBMIT_SM)
_INTERMEDIATE = int(RegisteredDelivery.INTERMEDIATE)  # an enum's & takes a microsecond


class Asker(Receiver, Protocol):
    """The link that a request came on."""

    owner: str
    wall: float
    """The time of day."""

    def answer(self, asked: Asked, status: int, body: bytes = b"") -> None: ...


class Desk:
    """All that one SMSC knows about its messages."""

    def __init__(self, options: Options, alarm: Alarm) -> None:
        self.options = options
        self.received: deque[SubmitSm] = deque(maxlen=options.keep)
        self.destinations: set[bytes] = set()
        self.counts: Counter[str] = Counter()
        self.refused: Counter[int] = Counter()
        self.mailboxes: dict[str, Mailbox] = {}
        self.homeless: list[Delivery] = []
        """For whichever system_id gets a receiving bind first."""
        self.submits = self.again = self.due = 0
        self.first = self.last = 0.0
        self._alarm = alarm
        self._fate = Fate(options)
        self._number = options.first_id if options.first_id is not None else _first_id()
        self._id = id_writer(options.id_form)
        self._receipt_id = id_writer(options.receipt_id_form or options.id_form)
        self._held: dict[bytes, Held] = {}
        self._order: deque[bytes] = deque()
        """Ids, the oldest first: finding the first key of a dict that shrinks there takes microseconds."""
        self._holding = False
        self._withheld: list[tuple[Asker, Asked, Held]] = []
        self._minute, self._date = 0.0, b""
        # Where one message is like the next, no rate is looked at.
        self._plain = not (options.silent or options.errors or options.throttle_above or options.slow)
        self._prompt = not (options.receipt_delay or options.receipt_jitter)

    def hold(self) -> None:
        self._holding = True
        for mailbox in self.mailboxes.values():
            mailbox.holding = True

    def resume(self) -> None:
        self._holding = False
        withheld, self._withheld = self._withheld, []
        for link, asked, held in withheld:
            self._accept(link, asked, held)
        for mailbox in self.mailboxes.values():
            mailbox.holding = False
            mailbox.fill_all()

    def mailbox(self, system_id: str) -> Mailbox:
        mailbox = self.mailboxes.get(system_id)
        if mailbox is None:
            mailbox = self.mailboxes[system_id] = Mailbox()
            mailbox.holding = self._holding
        return mailbox

    # Requests.

    def submit_sm(self, link: Asker, asked: Asked, now: float) -> None:
        try:
            pdu = decode_submit(asked.body)
        except PduError as error:
            self.counts["malformed"] += 1
            link.answer(asked, error.status)
            return
        if self._plain and not self._holding:
            self._accept(link, asked, self._take(link, pdu, now))
        else:
            self._submitted(link, asked, pdu, now)

    def other(self, link: Asker, asked: Asked, now: float) -> None:
        """Every request of a bound ESME but submit_sm."""
        try:
            pdu = decode(asked.command, asked.body)
        except PduError as error:
            self.counts["malformed"] += 1
            link.answer(asked, error.status)
            return
        if isinstance(pdu, DataSm):
            self._submitted(link, asked, _as_submit(pdu), now)
        elif isinstance(pdu, SubmitMulti):
            self._submit_multi(link, asked, pdu, now)
        elif isinstance(pdu, QuerySm):
            link.answer(asked, *self._query(pdu, link.owner, now))
        elif isinstance(pdu, CancelSm):
            link.answer(asked, self._cancel(pdu, link, now))
        elif isinstance(pdu, ReplaceSm):
            link.answer(asked, self._replace(pdu, link.owner, now))

    def deliver(self, pdu: SubmitSm, system_id: str | None) -> None:
        delivery = Delivery(encode_submit(pdu), False)
        if system_id is not None:
            self.mailbox(system_id).offer(delivery)
            return
        for mailbox in self.mailboxes.values():
            if mailbox.links:
                mailbox.offer(delivery)
                return
        self.homeless.append(delivery)

    def not_taken(self, mailbox: Mailbox, delivery: Delivery, status: int) -> None:
        """The ESME refused a delivery: it is sent again later, or never."""
        if status in _TEMPORARY:
            self.counts["resent"] += delivery.receipt
            self._alarm.after(RETRY, partial(mailbox.offer, delivery))
        else:
            self.counts["receipts refused" if delivery.receipt else "mo refused"] += 1

    # One message.

    def _submitted(self, link: Asker, asked: Asked, pdu: SubmitSm, now: float) -> None:
        status = Status.RTHROTTLED if self._fate.throttled(now) else self._fate.status()
        if status != Status.ROK:
            self.refused[status] += 1
            self._alarm.after(self.options.slow, partial(link.answer, asked, status))
            return
        held = self._take(link, pdu, now)
        if self._fate.happens(self.options.silent):
            self.counts["silent"] += 1
        elif self._holding:
            self._withheld.append((link, asked, held))
        elif self.options.slow:
            self._alarm.after(self.options.slow, partial(self._accept, link, asked, held))
        else:
            self._accept(link, asked, held)

    def _take(self, link: Asker, pdu: SubmitSm, now: float) -> Held:
        self.submits += 1
        destinations = self.destinations
        before = len(destinations)
        destinations.add(pdu.destination_addr)
        if len(destinations) == before:
            self.again += 1
        self.last = wall = link.wall
        if self.submits == 1:
            self.first = wall
        self.received.append(pdu)
        self._number = number = self._number + 1
        done = now if self._prompt else now + self.options.slow + self.options.receipt_delay + self._fate.jitter()
        held = Held(number, pdu, link.owner, self._day(wall), done, self._fate.outcome())
        kept = self._held
        key = self._id(number)
        kept[key] = held
        self._order.append(key)
        if len(kept) > self.options.keep:
            del kept[self._order.popleft()]
        return held

    def _accept(self, link: Asker, asked: Asked, held: Held) -> None:
        """Answer, and see to the receipt."""
        wanted = held.pdu.registered_delivery and self.options.receipts
        early = wanted and self._fate.happens(self.options.early_receipts)
        if early:
            self._receipt(held, link)
        number = self._id(held.number)
        if asked.command == _SUBMIT_SM:
            link.answer(asked, 0, number + b"\0")
        else:
            link.answer(asked, 0, encode(asked.command | RESPONSE, MessageIdResp(number)))
        if wanted and not early:
            self._see_to_receipt(held, link)

    def _see_to_receipt(self, held: Held, link: Asker) -> None:
        if held.pdu.registered_delivery & _INTERMEDIATE:
            self._tell(held, MessageState.ENROUTE, link)
        if self._prompt:
            self._receipt(held, link)
        else:
            self.due += 1
            self._alarm.at(held.done, partial(self._receipt_due, held, link))

    def _receipt_due(self, held: Held, link: Asker) -> None:
        self.due -= 1
        self._receipt(held, link)

    def _receipt(self, held: Held, link: Asker) -> None:
        if held.told or not held.wants_receipt():
            return
        held.told = True
        if self._fate.happens(self.options.lost_receipts):
            self.counts["lost"] += 1
            return
        state = MessageState.DELETED if held.deleted else held.outcome
        self._tell(held, state, link)
        if self._fate.happens(self.options.duplicate_receipts):
            self._tell(held, state, link)

    def _tell(self, held: Held, state: MessageState, link: Asker) -> None:
        number, day = self._receipt_id(held.number), self._day(time.time())
        body = receipt(held, number, state, day, tlvs=self.options.receipt_tlvs)
        self.mailbox(held.owner).offer(Delivery(body, True), link)

    def _day(self, wall: float) -> bytes:
        """The date of a receipt: the same octets for a whole minute."""
        if not 0 <= wall - self._minute < 60:
            self._minute, self._date = wall // 60 * 60, date(wall)
        return self._date

    # The other requests.

    def _submit_multi(self, link: Asker, asked: Asked, pdu: SubmitMulti, now: float) -> None:
        failed, taken = [], []
        for entry in pdu.dest_address:
            if isinstance(entry, DistributionList):  # we have none
                failed.append(UnsuccessSme(0, 0, entry.dl_name, Status.RINVDLNAME))
            else:
                taken.append(self._take(link, SubmitSm._make((*pdu[:4], *entry, *pdu[5:])), now))
        if not taken:
            link.answer(asked, Status.RCNTSUBDL if failed else Status.RINVNUMDESTS)
            return
        for held in taken:  # one response, hence one id for all (4.5.2)
            held.number = taken[0].number
        resp = SubmitMultiResp(self._id(taken[0].number), tuple(failed))
        link.answer(asked, 0, encode(Command.SUBMIT_MULTI_RESP, resp))
        for held in taken:
            if held.pdu.registered_delivery and self.options.receipts:
                self._see_to_receipt(held, link)

    def _find(self, number: bytes, owner: str) -> Held | None:
        held = self._held.get(number)
        return held if held is not None and held.owner == owner else None

    def _query(self, pdu: QuerySm, owner: str, now: float) -> tuple[Status, bytes]:
        held = self._find(pdu.message_id, owner)
        if held is None:
            return Status.RINVMSGID, b""
        state = held.state(now)
        final = b"" if state == MessageState.ENROUTE else absolute_time(time.time() - max(0.0, now - held.done))
        return Status.ROK, encode(Command.QUERY_SM_RESP, QuerySmResp(pdu.message_id, final, state, 0))

    def _cancel(self, pdu: CancelSm, link: Asker, now: float) -> Status:
        if pdu.message_id:
            found = self._find(pdu.message_id, link.owner)
            if found is None:
                return Status.RINVMSGID
            wanted = [found]
        else:  # all between these two (4.9.1)
            ends = (pdu.source_addr, pdu.destination_addr)
            own = [held for held in self._held.values() if held.owner == link.owner]
            wanted = [held for held in own if (held.pdu.source_addr, held.pdu.destination_addr) == ends]
        going = [held for held in wanted if held.state(now) == MessageState.ENROUTE]
        for held in going:
            held.deleted, held.done = True, now
            if held.pdu.registered_delivery and self.options.receipts:
                self._alarm.after(0, partial(self._receipt, held, link))
        return Status.ROK if going else Status.RCANCELFAIL

    def _replace(self, pdu: ReplaceSm, owner: str, now: float) -> Status:
        held = self._find(pdu.message_id, owner)
        if held is None:
            return Status.RINVMSGID
        if held.state(now) != MessageState.ENROUTE or held.pdu.source_addr != pdu.source_addr:
            return Status.RREPLACEFAIL
        held.pdu = held.pdu._replace(
            short_message=pdu.short_message, registered_delivery=pdu.registered_delivery, tlvs=b""
        )
        return Status.ROK


def _first_id() -> int:
    """After a restart, and beside another SMSC, no id comes twice."""
    return int(time.time()) * 10**9 + int.from_bytes(os.urandom(4), "big") % 10**9


def message(source: bytes, destination: bytes, text: str | bytes, data_coding: int | None) -> SubmitSm:
    """A message from a mobile; octets are sent as they are, a text in the cheapest coding unless one is named."""
    if isinstance(text, str):
        data_coding = choose(text) if data_coding is None else data_coding
        text = encode_text(text, data_coding)
    short = text if len(text) <= 254 else b""
    tlvs = b"" if short or not text else tlv.encode([(Tag.MESSAGE_PAYLOAD, text)])
    return SubmitSm(
        source_addr_ton=1, source_addr_npi=1, source_addr=source, dest_addr_ton=1, dest_addr_npi=1,
        destination_addr=destination, data_coding=data_coding or 0, short_message=short, tlvs=tlvs,
    )  # fmt: skip


def _as_submit(pdu: DataSm) -> SubmitSm:
    return SubmitSm(*pdu[:8], registered_delivery=pdu.registered_delivery, data_coding=pdu.data_coding, tlvs=pdu.tlvs)
