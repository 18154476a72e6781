"""An ESME's link: its bind, its submits, and what we deliver on it."""

import asyncio

import structlog

from protocol import pdus, tlv
from protocol.consts import Command, Status, Tag
from protocol.errors import PduError
from protocol.pdus import DistributionList, SubmitMulti, SubmitSm, UnsuccessSme
from protocol.session import BINDS, BOUND, RECEIVING, Answered, Asked, Lapsed, Session, Side, State
from protocol.timers import Timers
from protocol.wire import frame
from routing.message import Delivery, Message, shown
from smppgw.accounts import AccountState
from smppgw.pipeline import Pipeline
from smppgw.settings import Limits
from smppgw.smpp.link import Link
from smppgw.smpp.listener import Gate
from smppgw.smpp.operations import Operations

log = structlog.get_logger()

MODES = {
    Command.BIND_TRANSMITTER: "transmitter",
    Command.BIND_RECEIVER: "receiver",
    Command.BIND_TRANSCEIVER: "transceiver",
}
VERSION = 0x34
# Plain ints: members of enums cost more than the rest of a line.
_SUBMIT_SM, _DELIVER_SM, _GENERIC_NACK, _ROK = map(
    int, (Command.SUBMIT_SM, Command.DELIVER_SM, Command.GENERIC_NACK, Status.ROK)
)
_SC_INTERFACE_VERSION = tlv.encode([(Tag.SC_INTERFACE_VERSION, bytes((VERSION,)))])


class EsmeLink(Link):
    """One link of an ESME."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pipeline: Pipeline,
        gate: Gate,
        timers: Timers,
        limits: Limits,
        links: "set[EsmeLink]",
    ) -> None:
        session = Session(Side.SMSC, loop.time(), timers=timers, max_pdu=limits.max_pdu, patient=True)
        super().__init__(loop, session, limits.output_buffer, timers.response)
        self.account: AccountState | None = None
        self.mode = ""
        self.unanswered = 0
        """Submits that wait for our answer."""
        self._operations = 0
        """What was asked about messages, likewise."""
        self.bound_at = 0.0
        """Loop time."""
        self.version = 0
        """interface_version of its bind."""
        self._pipeline = pipeline
        self._gate = gate
        self._links = links
        self._entered = False
        self._unbinding = False
        self._tlvs = True

    # Receiver, for the outbox

    @property
    def room(self) -> int:
        if self.session.state not in RECEIVING or self.clogged_since is not None or self._unbinding:
            return 0
        return self.session.room

    @property
    def gone(self) -> bool:
        return self.session.state not in BOUND

    def deliver(self, delivery: Delivery) -> None:
        body = delivery.body if self._tlvs else _without_tlvs(delivery.body)
        self.session.request(_DELIVER_SM, body, delivery, self.loop.time())
        self.flush_soon()

    # Link

    @property
    def busy(self) -> bool:
        return self.unanswered + self._operations > 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        refusal = self._gate.refusal(self.peer)
        if refusal is not None:
            self._gate.refused[refusal] += 1
            self.abort(refusal)
            return
        self._entered = True
        self._gate.enter(self.peer)
        self._links.add(self)

    def asked(self, event: Asked) -> None:
        account, command = self.account, event.command
        if account is None:
            if command in BINDS:
                self._bind(event)
            return
        try:
            if command == _SUBMIT_SM:
                self._take(account, event, pdus.decode_submit(event.body), event.body)
            elif command == Command.DATA_SM:
                pdu = pdus.submit_of(pdus.decode(command, event.body))
                self._take(account, event, pdu, pdus.encode_submit(pdu))
            elif command == Command.SUBMIT_MULTI:
                self._multi(account, event, pdus.decode(command, event.body))
            else:
                self._operate(account, event)
        except PduError as error:
            self._answer(event, error.status)

    def answered(self, event: Answered) -> None:
        if self.account is not None and type(event.token) is Delivery:
            failed = event.command == _GENERIC_NACK and event.status == _ROK
            self.account.outbox.answered(event.token, Status.RUNKNOWNERR if failed else event.status)

    def lapsed(self, event: Lapsed) -> None:
        if self.account is not None and type(event.token) is Delivery:
            self.account.outbox.answered(event.token, Status.RX_T_APPN)

    def turned(self) -> None:
        if self._unbinding and self.session.state in BOUND:
            self.unbind()
        elif self.account is not None and self.account.outbox.waiting:
            self.account.outbox.pump()

    def ended(self, reason: str) -> None:
        account = self.account
        if self._entered:
            self._links.discard(self)
            self._gate.leave(self.peer, bound=account is not None)
        if account is None:
            if self.broken:
                log.warning("not SMPP", peer=self.peer, reason=reason)
            return
        account.links.remove(self)
        log.info("unbound", account=account.name, mode=self.mode, peer=self.peer, reason=reason)
        left = [token for _, token in self.session.lost() if type(token) is Delivery]
        account.outbox.returned(left)

    def unbind(self) -> None:
        """Ask the ESME to go: the gateway stops, or its account is no longer in the config."""
        self._unbinding = True
        if self.session.state in BOUND:
            if not self.busy and not self.session.unanswered:  # answers under way come first, on both sides
                self.session.request(Command.UNBIND, b"", None, self.loop.time())
                self.flush_soon()
        elif self.session.state is not State.UNBINDING:
            self.close("not bound")

    # Bind

    def _bind(self, event: Asked) -> None:
        try:
            bind: pdus.Bind = pdus.decode(event.command, event.body)
        except PduError as error:
            self._refuse_bind(event, error.status)
            return
        account = self._pipeline.accounts.known(bind.system_id.decode("latin-1"))
        if self._gate.blocked(self.peer):
            self._refuse_bind(event, Status.RBINDFAIL)
        elif account is None:
            self._wrong(event, bind, Status.RINVSYSID)
        elif account.settings.password_hash is not None:
            # Tens of milliseconds by design: not on the loop.
            verified = self.loop.run_in_executor(None, account.settings.verifies, bind.password)
            verified.add_done_callback(lambda done: self._verified(event, bind, account, done.result()))
        else:
            self._verified(event, bind, account, account.settings.verifies(bind.password))

    def _verified(self, event: Asked, bind: pdus.Bind, account: AccountState, right: bool) -> None:
        if self._closed:
            return
        mode = MODES[Command(event.command)]
        settings = account.settings
        if not right:
            self._wrong(event, bind, Status.RINVPASWD)
        elif not settings.admits(self.peer):
            log.warning("bind refused", account=account.name, peer=self.peer, reason="not in its networks")
            self._refuse_bind(event, Status.RBINDFAIL)
        elif mode not in settings.bind_modes:
            log.warning("bind refused", account=account.name, peer=self.peer, reason=f"mode {mode}")
            self._refuse_bind(event, Status.RBINDFAIL)
        elif len(account.links) >= settings.max_binds:
            log.warning("bind refused", account=account.name, peer=self.peer, reason="max_binds")
            self._refuse_bind(event, Status.RALYBND)
        else:
            self._bound(event, bind, account, mode)

    def _bound(self, event: Asked, bind: pdus.Bind, account: AccountState, mode: str) -> None:
        self._tlvs = bind.interface_version >= VERSION  # an older ESME does not know optional parameters
        self.mode = mode
        self.account = account
        self.bound_at, self.version = self.loop.time(), bind.interface_version
        if account.tap is not None:
            self.tap = account.tap
            self.tap.bound(self, frame(event.command, Status.ROK, event.sequence, event.body))
        self.session.window = account.settings.deliver_window
        name = self._pipeline.settings.name.encode()
        body = pdus.encode(
            Command.BIND_TRANSCEIVER_RESP, pdus.BindResp(name, _SC_INTERFACE_VERSION if self._tlvs else b"")
        )
        self.session.answer(event, Status.ROK, body)
        self._gate.bound(self.peer)
        account.links.append(self)
        log.info("bound", account=account.name, mode=mode, peer=self.peer, version=f"0x{bind.interface_version:02X}")
        self.flush_soon()
        account.outbox.pump()

    def _wrong(self, event: Asked, bind: pdus.Bind, status: Status) -> None:
        """A wrong system_id or password: answered late, and later each time."""
        delay = self._gate.failed(self.peer)
        name = bind.system_id.decode("latin-1")
        log.warning("bind refused", system_id=name, peer=self.peer, reason=status.name)
        self.loop.call_later(delay, self._refuse_bind, event, status)

    def _refuse_bind(self, event: Asked, status: int) -> None:
        if not self._closed:
            self.session.answer(event, status, self._pipeline.settings.name.encode() + b"\0")
            self.flush_soon()

    # Submits

    def _take(self, account: AccountState, event: Asked, pdu: SubmitSm, body: bytes) -> None:
        if self.unanswered >= account.settings.window or (self._unbinding and not self._gate.closed):
            # Who is to go and never pauses would never go; where the gateway itself stops, `drain` ends it.
            taken: Message | Status = Status.RMSGQFUL
        else:
            taken = self._pipeline.submit(account, pdu, body, Submit(self, event))
        if isinstance(taken, Message):
            self.unanswered += 1
        else:
            self._pipeline.access.refused(account.name, pdu.source_addr, pdu.destination_addr, taken)
            self._answer(event, taken)

    def _multi(self, account: AccountState, event: Asked, pdu: SubmitMulti) -> None:
        if not pdu.dest_address:
            self._answer(event, Status.RINVNUMDESTS)
        elif self.unanswered >= account.settings.window or (self._unbinding and not self._gate.closed):
            self._answer(event, Status.RMSGQFUL)
        else:
            self.unanswered += 1
            Multi(self, event).submit(self._pipeline, account, pdu)

    def done(self, event: Asked, status: int, body: bytes = b"") -> None:
        """The answer to a submit that was taken."""
        self.unanswered -= 1
        self._answer(event, status, body)
        self._leave_if_idle()

    def _operate(self, account: AccountState, event: Asked) -> None:
        self._operations += 1
        try:
            Operations(self._pipeline, account, self._operated).asked(event)
        except PduError as error:
            self._operated(event, error.status)

    def _operated(self, event: Asked, status: int, body: bytes = b"") -> None:
        self._operations -= 1
        self._answer(event, status, body)
        self._leave_if_idle()

    def _leave_if_idle(self) -> None:
        """Either side may have unbound and wait for the last answer."""
        if not self.busy:
            if self.session.leaving:
                self.settle()
            elif self._unbinding:
                self.unbind()

    def _answer(self, event: Asked, status: int, body: bytes = b"") -> None:
        if self.account is not None:
            self.account.statuses[status] += 1
        self.session.answer(event, status, body)
        self.flush_soon()


class Submit:
    """A submit_sm or data_sm that waits for our answer."""

    __slots__ = ("_event", "link")

    def __init__(self, link: EsmeLink, event: Asked) -> None:
        self.link = link
        self._event = event

    @property
    def gone(self) -> bool:
        return self.link.gone

    def accepted(self, message: Message) -> None:
        self.link.done(self._event, _ROK, b"%016x\0" % message.public)

    def refused(self, message: Message, status: int) -> None:  # noqa: ARG002  a Ticket hears which message it was
        self.link.done(self._event, status)


class Multi:
    """A submit_multi: one message for each destination, one answer when all of them are decided."""

    def __init__(self, link: EsmeLink, event: Asked) -> None:
        self.link = link
        self._event = event
        self._open = 0
        self._taken = 0
        self._public = 0
        self._failed: list[UnsuccessSme] = []
        self._where: dict[int, tuple[int, int, bytes]] = {}

    @property
    def gone(self) -> bool:
        return self.link.gone

    def submit(self, pipeline: Pipeline, account: AccountState, multi: SubmitMulti) -> None:
        self._open = 1
        for destination in multi.dest_address:
            if isinstance(destination, DistributionList):
                # We keep no lists; whoever sends to one hears that this name is not valid (4.5.1.2).
                self._failed.append(UnsuccessSme(0, 0, destination.dl_name, Status.RINVDLNAME))
                continue
            # All other fields are those of submit_sm, in the same order.
            pdu = SubmitSm._make((*multi[:4], *destination, *multi[5:]))
            body = pdus.encode_submit(pdu)
            taken = pipeline.submit(account, pdu, body, self, public=self._public, together=True)
            if isinstance(taken, Message):
                self._open += 1
                self._public = taken.public
                self._where[taken.id] = destination
            else:
                self._failed.append(UnsuccessSme(*destination, taken))
        self._decide()

    def accepted(self, message: Message) -> None:  # noqa: ARG002  a Ticket hears which message it was
        self._taken += 1
        self._decide()

    def refused(self, message: Message, status: int) -> None:
        self._failed.append(UnsuccessSme(*self._where[message.id], status))
        self._decide()

    def _decide(self) -> None:
        self._open -= 1
        if self._open:
            return
        if not self._taken:
            self.link.done(self._event, self._failed[-1].error_status_code)
            return
        body = pdus.encode(Command.SUBMIT_MULTI_RESP, pdus.SubmitMultiResp(shown(self._public), tuple(self._failed)))
        self.link.done(self._event, Status.ROK, body)


def _without_tlvs(body: bytes) -> bytes:
    """For an ESME of SMPP 3.3: the payload moves into short_message as far as it fits."""
    pdu = pdus.decode_submit(body)
    payload = tlv.find(pdu.tlvs, Tag.MESSAGE_PAYLOAD)
    message = pdu.short_message or (payload or b"")[: pdus.MAX_SHORT_MESSAGE]
    return pdus.encode_submit(pdu._replace(short_message=message, tlvs=b""))
