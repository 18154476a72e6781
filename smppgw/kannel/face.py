"""What a gateway has of Kannel: the HTTP ports, who speaks on them, and what becomes of it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import Any, Protocol
from urllib.parse import parse_qsl

import structlog

from protocol.consts import MessageState
from protocol.pdus import SubmitSm, encode_submit
from protocol.receipt import Quoted
from routing.message import Delivery, Message
from smppgw.accounts import AccountState
from smppgw.carriers.webhooks import Answered
from smppgw.config import Config
from smppgw.fronts import HttpReceiver, Outcome
from smppgw.kannel import accesslog, http_smsc
from smppgw.kannel.access import may_connect
from smppgw.kannel.accesslog import KannelLog
from smppgw.kannel.admin import Admin, Asked
from smppgw.kannel.bearerbox import Bearerbox
from smppgw.kannel.caller import Caller
from smppgw.kannel.conf import ConfError, Problem
from smppgw.kannel.connectors import Link
from smppgw.kannel.dlr import Reports, call_back
from smppgw.kannel.escapes import Sms
from smppgw.kannel.fake_smsc import FakePort, FakeSmsc, FakeSmscSettings
from smppgw.kannel.http_smsc import HttpSmscSettings
from smppgw.kannel.lists import Lists
from smppgw.kannel.mo import MoReceiver, account_of, marked
from smppgw.kannel.model import Kannel, SendsmsUser, Smsbox, Smsc
from smppgw.kannel.sendsms import SendSms
from smppgw.kannel.server import Certificate, Handler, Port, Reply, Request
from smppgw.kannel.setup import Made, Setup, read
from smppgw.kannel.state import State
from smppgw.pipeline import Pipeline
from smppgw.targets import Target

log = structlog.get_logger()

_GOOD = 200
_PLAIN = b"Content-Type: text/plain\r\n"

PATIENCE = 2.0
"""Seconds that callbacks under way may take at the end; they are made again after the next start else."""

SAMPLE = 1.0
"""Seconds between looks at what connectors have counted."""


class Metrics(Protocol):
    """Where a scrape comes from."""

    async def text(self) -> bytes: ...


class Gateway(Protocol):
    """What it stands before."""

    loop: asyncio.AbstractEventLoop
    pipeline: Pipeline
    settings: Config
    again: bool
    """It is to start anew when it has ended."""

    @property
    def metrics(self) -> Metrics: ...
    @property
    def connectors(self) -> Mapping[str, Any]: ...
    @property
    def targets(self) -> Mapping[str, Target]: ...
    @property
    def links(self) -> Iterable[Any]: ...
    def unready(self) -> list[str]: ...
    def apply(self, settings: Config) -> None:
        """Make the running gateway what the settings say."""

    def stop(self) -> None: ...
    def stop_now(self) -> None:
        """Without waiting for what is under way."""


class Face:
    """Opened before anything is restored, attached whenever the gateway takes a config, closed after it has drained.
    Calls run on the event loop."""

    def __init__(self, setup: Setup, made: Made, gateway: Gateway, *, may_exec: bool = False) -> None:
        """Programs of services run only with `may_exec`."""
        self.setup = setup
        self.gateway = gateway
        self.pipeline = gateway.pipeline
        self.pipeline.most_retries = setup.kannel.core.sms_resend_retry
        self.pipeline.patience = float(max(1, setup.kannel.core.sms_resend_freq))
        self.loop = gateway.loop
        self.clock: Callable[[], float] = gateway.pipeline.clock
        self.started = self.clock()
        self.state = State(lambda: len(self.pipeline.queued), setup.kannel.core.queue_limit)
        self.access = KannelLog(setup.kannel.core, self.loop)
        self.lists = Lists(setup.kannel)
        self.bearerbox = Bearerbox(setup, self, made.links)
        self.reports = Reports(_links(made), self.clock, self.access, self.bearerbox.reported)
        self.receivers: dict[str, HttpReceiver] = {}
        """By account."""
        self._may_exec = may_exec
        self._caller = self._make_caller()
        self._users: dict[str, AccountState] = {}
        self._smsbox = ""
        self._begun = asyncio.Event()
        self._tasks: set[asyncio.Task[object]] = set()
        self._smsc_ports: dict[str, tuple[Smsc, Port | FakePort]] = {}
        """By connector."""
        self._sendsms: SendSms
        self._admin = Admin(lambda: self.kannel.core, self.bearerbox, self.loop.time)
        self._ports: list[Port] = []
        self._sampling: asyncio.TimerHandle | None = None

    @property
    def kannel(self) -> Kannel:
        return self.setup.kannel

    def account(self, user: SendsmsUser) -> AccountState:
        """Whose messages those of a sendsms-user are."""
        return self._users[user.username or ""]

    @property
    def smsbox(self) -> AccountState:
        """Who gets messages from mobiles, and whose the replies of services are."""
        return self.pipeline.accounts.owner(self._smsbox)

    def tag_of(self, smsc_id: str | None) -> str:
        """Of messages for that smsc; None and "": for any."""
        return self.setup.tags.of(smsc_id)

    def is_up(self, message: Message) -> bool:
        """Is there a link now that it can go out by?"""
        targets = self.gateway.targets
        route = message.route
        return route is not None and any(name in targets and _is_up(targets[name]) for name in route.targets)

    def received(self, sms: Sms) -> None:
        """A whole message came from a mobile."""
        self.access.write(accesslog.RECEIVED, sms)

    # Life

    async def open(self) -> None:
        """Read the lists and open the ports. OSError with the list, or the port, that cannot be had."""
        problems = await self.lists.load()
        if problems:
            raise OSError("; ".join(map(str, problems)))
        self._take()
        core, smsbox = self.kannel.core, self.kannel.smsbox
        certificate = Certificate(core.ssl_server_cert_file, core.ssl_server_key_file)
        if core.admin_port is not None:
            await self._open(self._administer, core.admin_interface, core.admin_port,
                             certificate if core.admin_port_ssl else None, "admin-port")  # fmt: skip
        if smsbox is not None and smsbox.sendsms_port is not None:
            await self._open(self._send, smsbox.sendsms_interface, smsbox.sendsms_port,
                             certificate if smsbox.sendsms_port_ssl else None, "sendsms-port")  # fmt: skip
        await self._open_smscs()
        self._sample()

    async def _open_smscs(self) -> None:
        """The ports of smscs = http: those of new ones open, those of others close."""
        wanted = {
            name: settings.smsc
            for name, settings in self.gateway.settings.connectors.items()
            if isinstance(settings, (HttpSmscSettings, FakeSmscSettings))
        }
        for name, (smsc, port) in list(self._smsc_ports.items()):
            if wanted.get(name) != smsc:
                del self._smsc_ports[name]
                await port.close()
        for name, smsc in wanted.items():
            if name not in self._smsc_ports:
                if smsc.smsc == "fake":
                    fake = FakePort(name, smsc, partial(self._fake, name), partial(self._from_fake, name))
                    self._smsc_ports[name] = (smsc, fake)
                    await fake.open()
                    continue
                port = Port(partial(self._heard, name))
                self._smsc_ports[name] = (smsc, port)
                await port.open(None, smsc.port or 0, None, f"smsc {name}")

    def _fake(self, name: str) -> FakeSmsc | None:
        """The one that plays this smsc, once there is one."""
        carrier = getattr(self.gateway.connectors.get(name), "carrier", None)
        if not isinstance(carrier, FakeSmsc):
            return None
        carrier.delivered = lambda id: self._delivered(name, id)
        return carrier

    def _from_fake(self, name: str, pdu: SubmitSm) -> None:
        self.gateway.connectors[name].counts.mo += 1
        self.pipeline.returns.mo(name, pdu, encode_submit(pdu), Answered(self.loop))

    def _delivered(self, name: str, id: bytes) -> None:
        connector = self.gateway.connectors[name]
        connector.counts.receipts[MessageState.DELIVERED] += 1
        receipt = Quoted(id, MessageState.DELIVERED)
        self.loop.call_soon(self.pipeline.returns.receipt, connector, receipt, Answered(self.loop))

    async def _heard(self, name: str, asked: Request) -> Reply | None:
        """What an smsc = http brings."""
        await self._begun.wait()
        settings, connector = self.gateway.settings.connectors.get(name), self.gateway.connectors.get(name)
        if connector is None or not isinstance(settings, HttpSmscSettings):
            return None
        if not may_connect(settings.smsc.connect_allow_ip, asked.ip):
            log.warning("smsc refused", smsc=name, ip=asked.ip)
            return None
        query = asked.query if not asked.body else asked.body.decode("latin-1")
        told = http_smsc.incoming(query, settings.smsc)
        if isinstance(told, http_smsc.Refused):
            return Reply(told.status, told.body, _PLAIN)
        answered = Answered(self.loop)
        returns = self.pipeline.returns
        if isinstance(told.what, SubmitSm):
            connector.counts.mo += 1
            returns.mo(name, told.what, encode_submit(told.what), answered)
        else:
            connector.counts.receipts[told.what.state or 0] += 1
            returns.receipt(connector, told.what, answered)
        if await answered.status != _GOOD:
            return Reply(503, b"Not accepted", _PLAIN)
        return Reply(told.status, told.body, _PLAIN)

    async def _open(
        self, handler: Handler, host: str | None, number: int, certificate: Certificate | None, what: str
    ) -> None:
        port = Port(handler)
        self._ports.append(port)
        listening = await port.open(host, number, certificate, what)
        log.info("listening", port=listening, what=what)

    def _take(self) -> None:
        """The handlers of a set-up."""
        self._sendsms = SendSms(self, self.kannel, self.lists)
        smsbox = self.receivers.get(self._smsbox)
        if isinstance(smsbox, MoReceiver):
            smsbox.change(self.lists)

    def _make_caller(self) -> Caller:
        smsbox = self.kannel.smsbox or Smsbox()
        timeout = float(max(1, smsbox.http_timeout))
        return Caller(self.kannel.core, timeout=timeout, connections=max(1, smsbox.max_pending_requests))

    async def _send(self, asked: Request) -> Reply | None:
        await self._begun.wait()
        return await self._sendsms(asked)

    async def _administer(self, asked: Request) -> Reply | None:
        await self._begun.wait()
        query = dict(reversed(parse_qsl(asked.query, keep_blank_values=True, errors="surrogateescape")))
        answer = await self._admin.answer(Asked(asked.path, query, asked.headers.get("Accept", ""), asked.ip))
        if answer is None:
            log.warning("admin refused", ip=asked.ip)
            return None
        if answer.delay:
            await asyncio.sleep(answer.delay)
        body = answer.body.encode("utf-8", "surrogateescape")
        if answer.metrics:
            body = await self.gateway.metrics.text()
        return Reply(answer.status, body, b"Content-Type: %b\r\n" % answer.content_type.encode())

    def attach(self, settings: Config) -> None:
        """See that every account of HTTP is there, with who speaks for it."""
        self._smsbox = self.setup.smsbox(settings)
        self.pipeline.returns.quotes = True
        for user in self.kannel.sendsms_users:
            name = self.setup.account(user, settings)
            state = self._account(name)
            self._users[user.username or ""] = state
            if name not in self.receivers:
                self._join(state, HttpReceiver(state.outbox, self._call_back, self.loop))
        smsbox = self._account(self._smsbox, marked)
        if self._smsbox not in self.receivers:
            mobiles = MoReceiver(self, smsbox, self._caller, self.lists, self._call_back, may_exec=self._may_exec)
            self._join(smsbox, mobiles)
            self.pipeline.returns.keeps_out = mobiles.keeps_out

    async def _call_back(self, delivery: Delivery) -> Outcome:
        return await call_back(delivery, self._caller)

    def _account(self, name: str, inbound: Callable[[str, bytes], bytes] | None = None) -> AccountState:
        settings = account_of(name, self.kannel)
        state = self.pipeline.accounts.internal(settings, self.reports, inbound)
        state.change(settings)
        return state

    def _join(self, state: AccountState, receiver: HttpReceiver) -> None:
        self.receivers[state.name] = receiver
        receiver.gone = not self.state.sends
        state.links.append(receiver)
        state.outbox.pump()  # a reload may bring a user whose reports wait

    def start(self) -> None:
        """Everything is restored: let requests in, and deliveries out."""
        self.reports.restored(self.pipeline.queued.values())
        self._begun.set()
        self.pump()

    def pump(self) -> None:
        """Deliveries go out, or wait while nothing does."""
        for name, receiver in self.receivers.items():
            receiver.gone = not self.state.sends
            self.pipeline.accounts.owner(name).outbox.pump()

    # What the admin port asks for

    def change(self) -> None:
        """The smscs are others."""
        setup = self.setup.with_smscs(self.bearerbox.smscs)
        made = setup.made(setup.kannel.smscs)
        self._become(setup, made)

    def reread(self) -> Setup:
        """The files as they are now; raises ConfError."""
        return read(self.setup.paths, self.setup.data)

    def reload(self) -> None:
        """Read the files again; bad ones change nothing."""
        self.reopen()
        try:
            setup = self.reread()
            smscs = self.bearerbox.reloaded(setup.kannel.smscs)
            made = setup.with_smscs(smscs).made(smscs)
        except ConfError as error:
            refused(error.problems)
            return
        self.lists = Lists(setup.kannel)
        self._become(setup.with_smscs(smscs), made)
        self._take()
        self._begin(self.reload_lists())
        log.info("config reloaded", connectors=len(made.settings.connectors))

    def _become(self, setup: Setup, made: Made) -> None:
        self.setup = setup
        self.bearerbox.links = made.links
        self.reports.change(_links(made))
        self.gateway.apply(made.settings)
        self.pipeline.reoffer_strays()
        self._begin(self._reopen_smscs())

    async def _reopen_smscs(self) -> None:
        try:
            await self._open_smscs()
        except OSError as error:
            log.error("config refused", problem=str(error))

    def _begin(self, work: Coroutine[Any, Any, object]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def reload_lists(self) -> bool:
        problems = await self.lists.load()
        refused(problems)
        return not problems

    def reopen(self) -> None:
        """The log files may have been moved away."""
        self.access.reopen()

    def drain(self) -> None:
        """Take nothing more."""
        self.state.shutdown()

    async def close(self) -> None:
        """After the gateway has drained."""
        self.state.end()
        if self._sampling is not None:
            self._sampling.cancel()
        await asyncio.gather(*(receiver.close(PATIENCE) for receiver in self.receivers.values()))
        await asyncio.gather(*self._tasks)
        for port in (*self._ports, *(port for _, port in self._smsc_ports.values())):
            await port.close()
        await self._caller.close()
        self.access.close()

    def _sample(self) -> None:
        self.bearerbox.sample()
        self._sampling = self.loop.call_later(SAMPLE, self._sample)


def _is_up(target: Target) -> bool:
    """Some member of it is, and, if it is fake, is played."""
    members = [member for member in target.members.values() if member.up]
    return any(getattr(getattr(member, "carrier", None), "is_played", True) for member in members)


def _links(made: Made) -> Iterable[Link]:
    return [link for each in made.links.values() for link in each]


def refused(problems: Iterable[Problem]) -> None:
    """Say why something that was read does not count."""
    for problem in problems:
        log.error("config refused", where=problem.path, problem=problem.wrong, fix=problem.fix)
