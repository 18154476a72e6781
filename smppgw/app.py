"""The gateway put together: the only file that knows all the others."""

import asyncio
import contextlib
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import uvloop

from protocol import tlv
from protocol.pdus import decode_submit
from protocol.timers import Timers
from routing import heard, said
from routing.carriers import Carriers
from routing.groups import Group
from routing.message import Message, key_of
from routing.senders import Pool
from routing.table import MoTable, Table
from smppgw import __version__, config
from smppgw import log as logging
from smppgw.access import AccessLog
from smppgw.carriers.connector import CarrierConnector
from smppgw.carriers.contract import Make
from smppgw.carriers.hearing import Hearing
from smppgw.carriers.settings import CarrierSettings
from smppgw.carriers.webhooks import WebhookServer
from smppgw.config import Config, ConfigError, Problem
from smppgw.history.diary import Diary
from smppgw.history.notes import Both
from smppgw.history.recorder import Recorder
from smppgw.http.server import HttpServer
from smppgw.kannel import setup as kannel
from smppgw.kannel.face import Face
from smppgw.kannel.fake_smsc import FakeSmsc
from smppgw.kannel.http_smsc import HttpSmsc
from smppgw.kannel.setup import Made, Setup
from smppgw.lookup import Lookup
from smppgw.metrics import GatewayMetrics
from smppgw.pipeline import Pipeline
from smppgw.restore import restore
from smppgw.seldom import Seldom
from smppgw.senders import owners
from smppgw.settings import StoreConfig
from smppgw.smpp.connector import Connector
from smppgw.smpp.inbound import EsmeLink
from smppgw.smpp.listener import Gate, Listeners
from smppgw.store.contract import Store, StoreError
from smppgw.store.lmdb import LmdbStore
from smppgw.store.memory import MemoryStore
from smppgw.targets import Target

if TYPE_CHECKING:
    from smppgw.http.port import ApiPort
    from smppgw.tracing import Tracer

log = structlog.get_logger()

AnyConnector = Connector | CarrierConnector

FOR_KANNEL: dict[str, Make] = {"kannel": HttpSmsc, "fake": FakeSmsc}
"""What makes the carriers of kinds that no gateway.toml has."""

TICK = 1.0
"""Seconds between looks at timers."""

BROKEN = 70
"""Exit status after a bug of ours (EX_SOFTWARE)."""

FIXED = ("gateway", "listeners", "limits", "timers", "http", "webhooks", "store", "history", "tracing", "log")
"""Tables of the config that a reload does not touch."""

API_FIXED = ("host", "port", "tls_certificate", "tls_key", "max_body")
"""Keys of [api] that it does not."""


class App:
    """A gateway from its config to its end."""

    def __init__(
        self,
        settings: Config,
        path: Path,
        setup: Setup | None = None,
        made: Made | None = None,
        *,
        may_exec: bool = False,
    ) -> None:
        """`setup` and `made` are where the settings are from when there is a kannel.conf in place of our own file."""
        self.settings = settings
        self.path = path
        self.loop = asyncio.get_running_loop()
        self.access = AccessLog(settings.log.access, self.loop)
        self.store = open_store(settings.store)
        self.pipeline = Pipeline(settings.gateway, self.store, self.loop, time.time, self.access)
        self.gate = Gate(settings.limits, self.loop.time)
        self.gate.closed = True  # until everything is restored
        self.links: set[EsmeLink] = set()
        self.connectors: dict[str, AnyConnector] = {}
        self._hooks: dict[str, CarrierConnector] = {}
        self.targets: dict[str, Target] = {}
        self.pools: dict[str, Pool] = {}
        self.lookup: Lookup | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._retired: list[AnyConnector] = []
        self.pipeline.returns.retired = self._retired
        timers = Timers(**settings.timers.model_dump())
        self.listeners = Listeners(
            lambda: EsmeLink(self.loop, self.pipeline, self.gate, timers, settings.limits, self.links)
        )
        self.recorder: Recorder | None = None
        if settings.history.engine:
            self.recorder = Recorder(settings.history, self.loop)
            self.pipeline.returns.diary = Diary(self.recorder, time.time)
        self.tracer = self._traced() if settings.tracing.endpoint else None
        self.webhooks = WebhookServer(settings.webhooks, lambda: self._hooks)
        self.metrics = GatewayMetrics(self)
        self.http = HttpServer(settings.http, self.metrics, self.unready)
        self.api: ApiPort | None = None
        if settings.api.port:
            # Imported here: FastAPI takes half a second and 20 MB, which only those pay who use it.
            from smppgw.http import port as http_port  # noqa: PLC0415

            self.api = http_port.ApiPort(self)
        self.face: Face | None = None
        if setup is not None and made is not None:
            self.face = Face(setup, made, self, may_exec=may_exec)
        self.again = False
        """It is to be started anew when it has ended."""
        self._failing = Seldom()
        self._draining: asyncio.Timeout | None = None
        self._stop = asyncio.Event()
        self._ready = False

    async def run(self) -> int:
        """Serve until told to stop; the exit status."""
        pipeline = self.pipeline
        try:
            self.store.open()
        except StoreError as error:
            log.error("cannot start", reason=str(error))
            return 1
        try:
            await self.listeners.open(self.settings.listeners)
            port = await self.http.start()
            hooks = await self.webhooks.start()
            api = self.api.open() if self.api is not None else None
            if self.face is not None:
                await self.face.open()
        except OSError as error:
            log.error("cannot start", reason=str(error))
            await self._end()
            return 1
        if self.recorder is not None:
            self.recorder.start()
        self.apply(self.settings)
        kinds = restore(pipeline, self.store, self._heard, self._answered, self._said)
        log.info("restored", **kinds)
        for carrier in self.carriers:
            carrier.start()
        if self.api is not None:
            await self.api.prepare()
        pipeline.journal.start()
        self.gate.closed = False
        self._handle_signals()
        # What is there now stays: the collector need not look at it again (a million messages are 160 ms).
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        self._ready = True
        if self.face is not None:
            self.face.start()
        if self.api is not None:
            self.api.start()
        log.info("ready", version=__version__, pid=os.getpid(), ports=self.listeners.ports, http=port, hooks=hooks,
                 api=api)  # fmt: skip
        ticking = self.loop.create_task(self._tick_forever(), name="timers")
        if await self._until_stopped():
            ticking.cancel()
            await self._drain()
            return 0
        return BROKEN

    def _traced(self) -> "Tracer":
        """Traces hear what history hears."""
        from smppgw.tracing import Tracer  # noqa: PLC0415  an extra

        gateway = self.settings.gateway
        tracer = Tracer(self.settings.tracing, f"{gateway.name}-{gateway.node}")
        notes = tracer if self.recorder is None else Both(self.recorder, tracer)
        self.pipeline.returns.diary = Diary(notes, time.time)
        return tracer

    async def _until_stopped(self) -> bool:
        """False when nothing can be committed any more for a bug of ours: who ends now and starts again loses nothing,
        who goes on acknowledges nothing."""
        committing = self.pipeline.journal.task
        stopping = self.loop.create_task(self._stop.wait(), name="stop")
        await asyncio.wait([task for task in (stopping, committing) if task], return_when=asyncio.FIRST_COMPLETED)
        if committing is None or not committing.done():
            return True
        log.critical("commits ended", exc_info=committing.exception())
        return False

    @property
    def carriers(self) -> list[CarrierConnector]:
        """The connectors to HTTPS carriers."""
        return [each for each in self.connectors.values() if isinstance(each, CarrierConnector)]

    def _heard(self, id: int, record: bytes) -> None:
        """A receipt of a carrier whose message was not known before the restart."""
        hearing = self._hearing(id, heard.unpack(record)[0])
        if hearing is not None:
            hearing.restore(id, record)

    def _said(self, id: int, record: bytes) -> None:
        """A message of a handset that a carrier may bring again."""
        hearing = self._hearing(id, said.unpack(record)[0])
        if hearing is not None:
            hearing.restore_said(id, record)

    def _hearing(self, id: int, connector: bytes) -> Hearing | None:
        """Of the carrier that a record names; where it is gone, the record goes."""
        found = self.connectors.get(connector.decode())
        if isinstance(found, CarrierConnector):
            return found.hearing
        self.pipeline.journal.turn.batch[key_of(id)] = None
        return None

    def _answered(self, id: int, record: bytes) -> None:
        """An answer of the API that a client may ask for again."""
        if self.api is not None:
            self.api.restore(id, record)
        else:
            self.pipeline.journal.turn.batch[key_of(id)] = None

    def unready(self) -> list[str]:
        """Why it does not serve now; nothing when it does."""
        reasons = []
        if not self._ready:
            reasons.append("starting or stopping")
        if self.pipeline.journal.error is not None:
            reasons.append(f"store: {self.pipeline.journal.error}")
        return reasons

    @property
    def api_answers(self) -> Mapping[int, int]:
        """By HTTP status."""
        return self.api.server.answers if self.api is not None else {}

    def stop(self) -> None:
        """Begin to end."""
        self._stop.set()

    def stop_now(self) -> None:
        """The same, and wait no longer for what is under way."""
        self.stop()
        if self._draining is not None:
            self._draining.reschedule(self.loop.time())

    def reload(self) -> tuple[Problem, ...]:
        """Read the config again; a bad one changes nothing, and its problems are returned."""
        self.access.reopen()
        if self.face is not None:
            self.face.reload()
            return ()
        try:
            settings = config.load(self.path)
        except ConfigError as error:
            for problem in error.problems:
                log.error("config refused", where=problem.path, problem=problem.wrong, fix=problem.fix)
            return error.problems
        fixed = [name for name in FIXED if getattr(settings, name) != getattr(self.settings, name)]
        api, before = settings.api, self.settings.api
        fixed += [f"api.{key}" for key in API_FIXED if getattr(api, key) != getattr(before, key)]
        if fixed:
            log.warning("these tables change at a restart only", tables=fixed)
        self.apply(settings)
        log.info("config reloaded", accounts=len(settings.accounts), connectors=len(settings.connectors))
        return ()

    # Accounts, connectors, groups, routes

    def apply(self, settings: Config) -> None:
        """Make the running gateway what the config says, keeping every bind that it does not change."""
        pipeline = self.pipeline
        gone = pipeline.accounts.change(settings.accounts.values())
        if self.face is not None:
            self.face.attach(settings)
        if self.api is not None:
            self.api.attach(settings)
        for link in [link for link in self.links if link.account in gone]:
            link.unbind()
        old_connectors, old_targets = self.connectors, self.targets
        self.connectors = {name: self._connector(name, settings, old_connectors) for name in settings.connectors}
        self.targets = self._make_targets(settings, old_targets)
        for connector in self.connectors.values():
            connector.targets = [target for target in self.targets.values() if connector.name in target.members]
        self._hooks = {each.settings.webhook_path: each for each in self.carriers if each.settings.webhook_path}
        pipeline.upstreams = dict(self.targets)
        pipeline.returns.sources = {connector.name_octets: connector for connector in self.connectors.values()}
        pipeline.ledger.cluster(clusters(settings))
        self._detect(settings)
        self.pools = self._pools(settings, self.pools)
        pools = {route.name: self.pools[route.senders] for route in settings.routes if route.senders}
        pipeline.table = Table(settings.routes, tlv_of, pipeline.carriers.of, pools)
        pipeline.returns.mo_table = MoTable(settings.mo_routes, owners(self.pools.values()))
        self.settings = settings
        left: list[Message] = []
        for target in old_targets.values():
            if self.targets.get(target.name) is not target:
                left += target.close()
        backups = {member.connector for group in settings.groups.values() for member in group.backup}
        for connector in self.connectors.values():
            connector.want("config", connector.name not in backups)
            before = old_connectors.get(connector.name)
            if self._ready and isinstance(connector, CarrierConnector) and connector is not before:
                connector.start(before if isinstance(before, CarrierConnector) else None)
            if connector.up:
                for target in connector.targets:
                    target.member_up(connector.name)
        for connector in old_connectors.values():
            if self.connectors.get(connector.name) is not connector:
                connector.stop()
                self._retired.append(connector)
        pipeline.reoffer(left)

    def _pools(self, settings: Config, old: dict[str, Pool]) -> dict[str, Pool]:
        """Those that did not change know how often each sender was used."""
        known = self.settings.senders
        return {
            name: old[name] if name in old and known.get(name) == pool else pool.pool()
            for name, pool in settings.senders.items()
        }

    def _detect(self, settings: Config) -> None:
        """Know carriers by what the config says now; what was looked up is kept if the same one would be asked."""
        pipeline, old = self.pipeline, self.lookup
        wanted = settings.carriers.lookup
        carriers = Carriers(settings.carriers.country, settings.ported.prefixes)
        if old is not None and old.settings == wanted:
            old.carriers = carriers
            return
        self.lookup = Lookup(wanted, carriers, self.loop, pipeline.lookups) if wanted.url else None
        pipeline.carriers = self.lookup or carriers
        pipeline.lookup = self.lookup
        if old is not None:
            closing = self.loop.create_task(old.close(), name="close a carrier look-up")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    def _connector(self, name: str, settings: Config, old: dict[str, AnyConnector]) -> AnyConnector:
        known, wanted = old.get(name), settings.connectors[name]
        if known is not None and known.configured == wanted:
            if known.settings != wanted:
                known.limit(wanted)  # type: ignore[arg-type]  # equal ones are of a kind
            return known
        made: AnyConnector
        if isinstance(wanted, CarrierSettings):
            made = CarrierConnector(wanted, self.pipeline, self.loop, FOR_KANNEL.get(wanted.kind))
        else:
            made = Connector(wanted, self.settings.limits, self.pipeline, self.loop)
        if known is not None:  # what a person stopped stays so
            made.held = known.held
        return made

    def _make_targets(self, settings: Config, old: dict[str, Target]) -> dict[str, Target]:
        now = self.loop.time()
        made: dict[str, Target] = {}
        for name, group in settings.groups.items():
            members = {each.connector: self.connectors[each.connector] for each in (*group.active, *group.backup)}
            known = old.get(name)
            if known is not None and self.settings.groups.get(name) == group and known.members == members:
                made[name] = known
                continue
            shares = [(each.connector, each.weight) for each in group.active]
            backups = [(each.connector, each.weight) for each in group.backup]
            sharing = Group(shares, backups, group.backup_after, group.hand_back_after, now)
            patience = group.backup_after if group.backup else 0.0
            made[name] = Target(name, sharing, members, self.pipeline, self.loop.time, patience)
        named = {target for route in settings.routes for target in (route.to, *route.fallback)}
        # A carrier has one also where no route names it: what is in doubt with it goes back to it alone.
        for name in (named | set(settings.https)) - set(made):
            connector, shy = self.connectors[name], name not in named
            known = old.get(name)
            if known is not None and known.members == {name: connector} and known.shy is shy:
                made[name] = known
            else:
                alone = Group([(name, 1)])
                made[name] = Target(name, alone, {name: connector}, self.pipeline, self.loop.time, shy=shy)
        return made

    # Life

    def _handle_signals(self) -> None:
        self.loop.add_signal_handler(signal.SIGTERM, self.stop)
        self.loop.add_signal_handler(signal.SIGINT, self.stop)
        self.loop.add_signal_handler(signal.SIGHUP, self.reload)
        self.loop.add_signal_handler(signal.SIGUSR2, self._reopen)

    def _reopen(self) -> None:
        self.access.reopen()
        if self.face is not None:
            self.face.reopen()

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            for link in list(self.links):
                self._tick("link", link.tick)
            self._retired[:] = [connector for connector in self._retired if not connector.over]
            for connector in (*self.connectors.values(), *self._retired):
                self._tick(f"connector {connector.name}", connector.tick)
            for target in self.targets.values():
                self._tick(f"target {target.name}", target.tick)
            self._tick("the clock", self.pipeline.look_at_clock)
            self._tick("what waits too long", self.pipeline.returns.expire)
            self._tick("limits", self.gate.forget_old)

    def _tick(self, what: str, look: Callable[[], object]) -> None:
        """A bug in one of them must not stop the clocks of all others: without them no window empties again."""
        try:
            look()
        except Exception:
            left_out = self._failing.due(what, self.loop.time())
            if left_out is not None:
                log.exception("a timer failed", of=what, left_out=left_out)

    async def _drain(self) -> None:
        """Take nothing new, wait for what is under way, unbind, commit, and say what is left."""
        self._ready = False
        self.gate.closed = True
        if self.face is not None:
            self.face.drain()
        log.info("draining", links=len(self.links))
        self.listeners.close()
        pipeline = self.pipeline
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.gateway.drain) as self._draining:
                for link in list(self.links):
                    link.unbind()
                for connector in self.connectors.values():
                    connector.stop()
                await asyncio.gather(*(each.stopped() for each in (*self.connectors.values(), *self._retired)))
                while self.links:  # noqa: ASYNC110  ten thousand links need no event each for this one moment
                    await asyncio.sleep(0.05)
        for link in list(self.links):
            link.close("the gateway stops")
        await self._end()
        deliveries = sum(len(account.outbox) for account in pipeline.accounts.states.values())
        log.info(
            "stopped", queued=len(pipeline.queued), waiting=len(pipeline.ledger), deliveries=deliveries,
            set_aside=pipeline.returns.aside,
        )  # fmt: skip

    async def _end(self) -> None:
        await self.webhooks.stop()
        if self.face is not None:
            await self.face.close()
        if self.api is not None:
            await self.api.close()
        await self.pipeline.journal.stop()
        self.pipeline.delays.close()
        if self.lookup is not None:
            await self.lookup.close()
        await asyncio.gather(*self._closing)
        await self.http.stop()
        if self.recorder is not None:
            await self.recorder.close()
        if self.tracer is not None:
            await self.tracer.close()
        self.access.close()
        self.store.close()


def open_store(settings: StoreConfig) -> Store:
    """The engine of the config, not opened yet."""
    if settings.engine == "memory":
        return MemoryStore()
    return LmdbStore(settings.path, settings.max_size)


def clusters(settings: Config) -> Iterable[list[str]]:
    """Connectors whose receipts may come by one another: those of a kind in a group, and those of one SMSC."""
    for group in settings.groups.values():
        kinds: dict[str, list[str]] = {}
        for each in (*group.active, *group.backup):
            carrier = settings.https.get(each.connector)
            kinds.setdefault(carrier.kind if carrier is not None else "", []).append(each.connector)
        yield from kinds.values()
    by_peer: dict[tuple[str, int, str], list[str]] = {}
    for connector in settings.smpp.values():
        by_peer.setdefault((connector.host, connector.port, connector.system_id), []).append(connector.name)
    yield from by_peer.values()


def tlv_of(body: bytes, tag: int) -> bytes | None:
    """An optional parameter of a submit_sm's body, for routes."""
    return tlv.find(decode_submit(body).tlvs, tag)


def run(path: Path) -> int:
    """`smppgw serve`: read the config, serve, and return the exit status. Raises ConfigError."""
    settings = config.load(path)
    logging.configure(settings.log.level, settings.log.format)
    for warning in config.warnings(settings):
        log.warning("config", where=warning.path, problem=warning.wrong, fix=warning.fix)
    return _served(lambda: App(settings, path))


def run_kannel(paths: Sequence[Path], data: Path, *, may_exec: bool = False) -> int:
    """`smppgw serve --kannel`: the same from Kannel's own files. Raises kannel.conf.ConfError."""
    setup = kannel.read(paths, data)
    made = setup.made(setup.kannel.smscs)
    settings = made.settings
    logging.configure(settings.log.level, settings.log.format)
    for problem in made.said:
        log.warning("config", where=problem.path, problem=problem.wrong, fix=problem.fix)
    return _served(lambda: App(settings, paths[0], setup, made, may_exec=may_exec))


def _served(make: Callable[[], App]) -> int:
    again = False

    async def serve() -> int:
        nonlocal again
        app = make()
        status = await app.run()
        again = app.again and not status
        return status

    # Threads hand the loop their results within half a millisecond, not five (the store's commits).
    sys.setswitchinterval(0.0005)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        status = runner.run(serve())
    if again:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  the very command that began it
    return status
