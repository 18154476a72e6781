"""Bring messages from mobiles to their sms-services, and send what those answer.

A message is done when its reply is on disk, and in the same commit: a crash before that has the application asked once
more (with the same %I), and the mobile never gets two replies. A part of a long message stays in its own record until
the whole is done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import structlog

from protocol import pdus
from protocol.consts import Status
from protocol.errors import LocalError, PduError
from protocol.pdus import SubmitSm
from routing.message import Delivery, Message, key_of
from smppgw.accounts import AccountState
from smppgw.fronts import HttpReceiver, Outcome
from smppgw.kannel import calls, connectors, incoming, programs, replies, writing
from smppgw.kannel.caller import BadUrl, Headers, NoReply, Reply
from smppgw.kannel.escapes import Sms, fill
from smppgw.kannel.incoming import Mobile, Reader
from smppgw.kannel.lists import Lists
from smppgw.kannel.memo import Memo
from smppgw.kannel.model import Kannel, Smsbox, Smsc
from smppgw.kannel.parts import Gathering, Gatherings
from smppgw.kannel.request import Order
from smppgw.kannel.services import Action, Service, Services
from smppgw.outbox import TRY_AGAIN
from smppgw.pipeline import Pipeline
from smppgw.settings import Account
from smppgw.tickets import JointTicket

log = structlog.get_logger()

MARK = b"\xff"
"""What the body of a delivery begins with that is a message from a mobile; any other is a report on a reply."""

MOST_PARTS = 10_000
"""Messages that may wait for parts; the one that waits longest goes as it is when there is another."""

RESUBMIT = 1.0
"""Seconds until a reply that could not be taken is submitted again."""

_MOST = 1 << 16
"""Octets of a file that count."""
_MOST_OF_MEMO = 60_000
"""Octets of what an application may make long."""
_KINDS_OF_FAILURE = (LocalError, PduError, ValueError, OverflowError)

Later = Literal["later"]


class Asking(Protocol):
    """Who makes requests."""

    async def ask(self, method: bytes, url: bytes, headers: Headers = (), body: bytes | None = None) -> Reply:
        """Raises NoReply or BadUrl."""


class Desk(Protocol):
    """What it needs of the face of a gateway."""

    @property
    def kannel(self) -> Kannel: ...
    @property
    def pipeline(self) -> Pipeline: ...
    @property
    def clock(self) -> Callable[[], float]: ...
    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    def tag_of(self, smsc_id: str | None) -> str: ...
    def received(self, sms: Sms) -> None:
        """A whole message came, for the access log; `sms` as it came."""


def account_of(name: str, kannel: Kannel) -> Account:
    """The account of smsbox: what http-request-retry and http-queue-delay ask for come before its own delays."""
    smsbox = kannel.smsbox or Smsbox()
    delay = float(max(smsbox.http_queue_delay, 1))
    usual = Account(name=name)
    return usual.model_copy(
        update={
            "deliver_window": max(1, smsbox.max_pending_requests),
            "deliver_retry": (*(delay for _ in range(smsbox.http_request_retry)), *usual.deliver_retry),
            "deliver_attempts": smsbox.http_request_retry + usual.deliver_attempts,
        }
    )


def marked(connector: str, body: bytes) -> bytes:
    """A message from a mobile, as the account of smsbox keeps it."""
    return MARK + incoming.pack(connector, body)


class Letter(NamedTuple):
    """A deliver_sm that waits for its service, or for the rest of its message."""

    delivery: Delivery
    connector: str
    pdu: SubmitSm


class MoReceiver(HttpReceiver):
    """`reports` handles deliveries that are reports on replies; programs run only with `may_exec`."""

    def __init__(
        self,
        desk: Desk,
        account: AccountState,
        caller: Asking,
        lists: Lists,
        reports: Callable[[Delivery], Awaitable[Outcome]],
        *,
        may_exec: bool = False,
    ) -> None:
        super().__init__(account.outbox, reports, desk.loop)
        self._desk = desk
        self._account = account
        self._caller = caller
        self._may_exec = may_exec
        self._parts = Gatherings[Letter](MOST_PARTS)
        self._look: asyncio.TimerHandle | None = None
        self.change(lists)

    def change(self, lists: Lists) -> None:
        """The files were read again. ConfError for keywords that are no expressions."""
        kannel = self._kannel = self._desk.kannel
        self._services = Services(kannel.sms_services, lists.of)
        self._lists = lists
        self._smsbox = kannel.smsbox or Smsbox()
        self._ways, self._any_way = writing.defaults(kannel)
        self._smscs = _smscs(kannel)
        self._readers: dict[str, Reader] = {}

    def deliver(self, delivery: Delivery) -> None:
        if not delivery.body.startswith(MARK):
            super().deliver(delivery)
            return
        try:
            connector, body = incoming.unpack(delivery.body[len(MARK) :])
            letter = Letter(delivery, connector, pdus.decode_submit(body))
            part = incoming.part_of(letter.pdu) if self._kannel.core.sms_combine_concatenated_mo else None
        except (PduError, ValueError):
            self._outbox.answered(delivery, Status.RINVMSGLEN)
            return
        if part is None or part.total == 1:
            self._start((letter,))
            return
        pdu = letter.pdu
        key = (self._id(connector), pdu.source_addr, pdu.destination_addr)
        octets = incoming.octets_of(pdu)
        for gathering in self._parts.add(key, part, octets, letter, self._desk.clock()):
            self._gathered(gathering)
        self._look_later()

    def keeps_out(self, connector: str, pdu: SubmitSm) -> bool:
        """Is a message that has just come kept out by a list of the gateway?"""
        return not self._lets(*self._reader(connector).addresses(pdu))

    def _lets(self, sender: bytes, receiver: bytes) -> bool:
        return self._lists.senders.lets(sender) and self._lists.receivers.lets(receiver)

    async def close(self, patience: float) -> None:
        if self._look is not None:
            self._look.cancel()
        await super().close(patience)

    # Parts

    def _gathered(self, gathering: Gathering[Letter]) -> None:
        """Complete, or as much as there is: each part is a message then."""
        if gathering.complete:
            self._start(gathering.parts, tuple(gathering.repetitions()))
            return
        repeated = tuple(gathering.repetitions())
        for number, letter in enumerate(gathering.parts):
            self._start((letter,), () if number else repeated)

    def _look_later(self) -> None:
        oldest = self._parts.next
        if oldest is None or self._look is not None:
            return
        wait = oldest + self._kannel.core.sms_combine_concatenated_mo_timeout - self._desk.clock()
        self._look = self._loop.call_later(max(wait, 0.0) + 0.01, self._look_now)

    def _look_now(self) -> None:
        self._look = None
        if self.gone:  # nothing goes out for now
            self._look = self._loop.call_later(RESUBMIT, self._look_now)
            return
        for gathering in self._parts.late(self._desk.clock() - self._kannel.core.sms_combine_concatenated_mo_timeout):
            log.warning("parts of a message did not come", parts=len(gathering.found), total=gathering.total)
            self._gathered(gathering)
        self._look_later()

    # One message

    def _start(self, letters: Sequence[Letter], repeated: Sequence[Letter] = ()) -> None:
        task = self._loop.create_task(self._settle(letters, repeated))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, letters: Sequence[Letter], repeated: Sequence[Letter]) -> None:
        deliveries = [letter.delivery for letter in (*letters, *repeated)]
        try:
            status = await self._serve(letters, deliveries)
        except Exception:  # a bug of ours: the message must not be lost by it
            log.exception("service failed")
            status = Status.RSYSERR
        for delivery in deliveries:
            self._outbox.answered(delivery, status)
        self._ended()

    async def _serve(self, letters: Sequence[Letter], deliveries: Sequence[Delivery]) -> int:
        first = letters[0].delivery
        mobile = self._reader(letters[0].connector).read([letter.pdu for letter in letters], first.id, first.born)
        sms = mobile.sms
        if first.attempts == 0:
            self._desk.received(sms)
        if not sms.sender or not sms.receiver:
            log.warning("a message without a sender or a receiver is left out", smsc=sms.smsc_id.decode("latin-1"))
            return Status.ROK
        if not self._lets(sms.sender, sms.receiver):
            log.info("a message is kept out by a list", smsc=sms.smsc_id.decode("latin-1"))
            return Status.ROK
        service = self._services.find(sms)
        if service is None:
            log.warning("no service for a message", smsc=sms.smsc_id.decode("latin-1"))
            await self._send(None, replies.failed(mobile, self._smsbox), deliveries)
            return Status.ROK
        order = await self._ask(service, mobile, first.attempts)
        if order == "later":
            return Status.RSYSERR
        if order is not None:
            await self._send(service, order, deliveries)
        return Status.ROK

    async def _ask(self, service: Service, came: Mobile, attempts: int) -> Order | Later | None:
        """What the service answers."""
        smsbox = self._smsbox
        mobile = calls.addressed(came, service, _octets(smsbox.global_sender))
        now = self._desk.clock()
        match service.action:
            case Action.TEXT:
                text = fill(service.pattern, mobile.sms, now)
            case Action.FILE:
                text = await asyncio.to_thread(_file, service.pattern, fill(service.pattern, mobile.sms, now))
            case Action.EXEC:
                found = await self._run(service, mobile.sms, now)
                if found is None:
                    return replies.failed(mobile, smsbox)
                text = found
            case _:
                return await self._fetch(service, mobile, attempts)
        return replies.plain(service, mobile, text.decode(errors="replace"), smsbox)

    async def _fetch(self, service: Service, mobile: Mobile, attempts: int) -> Order | Later | None:
        asked = calls.call(service, mobile, self._desk.clock())
        answer: Reply | None = None
        try:
            answer = await self._caller.ask(asked.method, asked.url, asked.headers, asked.body)
        except BadUrl as error:
            log.warning("service cannot be asked", service=service.name.decode("latin-1"), reason=str(error))
            return replies.reply(service, mobile, None, self._smsbox)
        except NoReply as error:
            log.warning("service does not answer", service=service.name.decode("latin-1"), reason=str(error))
        if answer is None or answer.status not in replies.OK:
            if attempts < self._smsbox.http_request_retry:
                return "later"
            # Who would hear nothing of it anyway is no reason to give up: the application gets it when it is there.
            if service.settings.max_messages == 0 and (answer is None or answer.status >= 500):
                return "later"
        return replies.reply(service, mobile, answer, self._smsbox)

    async def _run(self, service: Service, sms: Sms, now: float) -> bytes | None:
        name = service.name.decode("latin-1")
        if not self._may_exec:
            log.warning("no program is run: start the gateway with --allow-exec if it may", service=name)
            return None
        try:
            words = programs.arguments(service.pattern, sms, now)
        except ValueError as error:
            log.warning("no program is run", service=name, reason=str(error))
            return None
        found = await programs.run(words)
        if found is None:
            log.warning("the program failed or took too long", service=name)
        return found or b""

    # The reply

    async def _send(self, service: Service | None, order: Order, deliveries: Sequence[Delivery]) -> None:
        """Submit it. The deliveries are deleted in the commit that its last message is safe by."""
        left = list(self._messages(service, order))
        tag = self._desk.tag_of(order.smsc)
        batch = self._desk.pipeline.journal
        while left:
            again: list[tuple[SubmitSm, bytes]] = []
            under_way: dict[int, tuple[SubmitSm, bytes]] = {}
            waiting = JointTicket(self._loop)
            for pdu, memo in left:
                found = self._submit(pdu, memo, waiting, tag)
                if isinstance(found, Message):
                    waiting.left += 1
                    under_way[found.id] = pdu, memo
                elif found in TRY_AGAIN:
                    again.append((pdu, memo))
                else:
                    log.warning("a reply goes nowhere", smsc=order.smsc, status=Status(found).name)
            if not again and under_way:
                for delivery in deliveries:
                    batch.turn.batch[key_of(delivery.id)] = None
            waiting.settle()
            await waiting.future
            again += [under_way[id] for id in waiting.failed]
            if again:
                for delivery in deliveries:  # what was not committed must not be deleted either
                    batch.turn.batch[key_of(delivery.id)] = delivery.pack()
                batch.soon()
                await asyncio.sleep(RESUBMIT)
            left = again

    def _submit(self, pdu: SubmitSm, memo: bytes, ticket: JointTicket, tag: str) -> Message | Status:
        try:
            body = writing.body_of(pdu)
        except _KINDS_OF_FAILURE:
            return Status.RINVDSTADR
        return self._desk.pipeline.submit(self._account, pdu, body, ticket, memo=memo, tag=tag)

    def _messages(self, service: Service | None, order: Order) -> list[tuple[SubmitSm, bytes]]:
        """With their memos; only the first of several asks for reports."""
        size = self._smsbox.sms_length
        style = writing.Style(size=size) if service is None else writing.Style.of(service.settings, size)
        way = self._any_way if order.smsc is None else self._ways.get(order.smsc, self._any_way)
        found = []
        try:
            commons = [
                writing.submits(order, said, way, self._desk.clock()) for said in writing.cut(order, style).texts
            ]
        except _KINDS_OF_FAILURE as error:
            log.warning("a reply cannot be written", reason=str(error))
            return []
        for receiver in order.receivers:
            number = writing.normalized(receiver, way.prefixes)
            for place, common in enumerate(commons):
                pdu = writing.addressed(common, number, order.meta_data)
                mask = max(order.dlr_mask, 0)
                if place:
                    pdu, mask = pdu._replace(registered_delivery=0), 0
                memo = self._memo(service, order, number, mask)
                if writing.fits(pdu) and memo is not None:
                    found.append((pdu, memo))
                else:
                    log.warning("a reply cannot be written", reason="an address, a URL or meta-data is too long")
        return found

    def _memo(self, service: Service | None, order: Order, number: bytes, mask: int) -> bytes | None:
        """None: it would be longer than a memo may be."""
        if len(order.dlr_url) + len(order.meta_data) + len(order.account) + len(order.binfo) > _MOST_OF_MEMO:
            return None
        return Memo(
            mask, order.dlr_url if mask else b"", b"" if service is None else service.name, order.sender, number,
            order.account, order.binfo, order.meta_data, b"", _octets(self._smsbox.smsbox_id), order.coding,
            order.mclass, order.mwi, order.compress, order.alt_dcs,
        ).pack()  # fmt: skip

    # Whence it came

    def _reader(self, connector: str) -> Reader:
        found = self._readers.get(connector)
        if found is None:
            kannel, smsc = self._kannel, self._smsc(connector)
            found = Reader(kannel.core, smsc, kannel.smpp_tlvs, recode=self._smsbox.mo_recode)
            self._readers[connector] = found
        return found

    def _id(self, connector: str) -> str:
        return self._smsc(connector).id

    def _smsc(self, connector: str) -> Smsc:
        """One that the files no longer have is known by the name of its connector."""
        return self._smscs.get(connector) or Smsc(smsc_id=connector)


def _smscs(kannel: Kannel) -> Mapping[str, Smsc]:
    """By the names of their connectors."""
    links, _ = connectors.links((replace(smsc, dead_start=False) for smsc in kannel.smscs), connectors.SERVED)
    return {link.name: link.smsc for each in links.values() for link in each}


def _file(pattern: bytes, path: bytes) -> bytes:
    """Nothing of one that cannot be read, or that only the mobile's words lead up to."""
    if path.split(b"/").count(b"..") > pattern.split(b"/").count(b".."):
        return b""
    try:
        with Path(path.decode(errors="surrogateescape")).open("rb") as file:
            return file.read(_MOST)
    except (OSError, ValueError) as error:
        log.warning("the file of a service cannot be read", reason=getattr(error, "strerror", None) or str(error))
        return b""


def _octets(said: str | None) -> bytes:
    return (said or "").encode(errors="surrogateescape")
