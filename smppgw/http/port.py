"""The API as the gateway has it: opened before anything is restored, attached to each config, closed at the end."""

from collections.abc import Mapping

import structlog

from routing.message import Delivery
from smppgw.accounts import AccountState, beside
from smppgw.admin.running import Running
from smppgw.config import Config
from smppgw.failures import Failures
from smppgw.fronts import HttpReceiver
from smppgw.http.api import ApiServer, make_app
from smppgw.http.callbacks import ApiFront, CallbackCaller
from smppgw.http.desk import Desk
from smppgw.http.keys import Keys
from smppgw.http.repeats import Repeats
from smppgw.http.routers import routers
from smppgw.settings import ApiKey

log = structlog.get_logger()

PATIENCE = 2.0
"""Seconds that callbacks under way may take at the end; they are made again after the next start else."""


class ApiPort:
    """Calls run on the event loop."""

    def __init__(self, gateway: Running) -> None:
        api = gateway.settings.api
        pipeline = gateway.pipeline
        self._gateway = gateway
        self.repeats = Repeats(pipeline.journal, pipeline.ids, pipeline.clock, api.idempotency, api.max_idempotency)
        self.fronts: dict[str, ApiFront] = {}
        """By account."""
        self._receivers: dict[str, HttpReceiver] = {}
        self._caller = CallbackCaller(pipeline.clock, self._told)
        self._failures = Failures(gateway.settings.limits, gateway.loop.time)
        self.app = make_app(api, routers(gateway), gateway.loop.time)
        self.app.state.gateway = gateway
        self.app.state.desk = Desk(gateway, self.repeats, self.fronts)
        self.server = ApiServer(api, self.app)

    def open(self) -> int:
        """The port. OSError when it cannot be had."""
        return self.server.open()

    async def prepare(self) -> None:
        """What would make the first request slow."""
        await self.server.prepare()

    def start(self) -> None:
        """Everything is restored: answer requests, and make callbacks."""
        self.server.start()
        for name in self._receivers:
            self._gateway.pipeline.accounts.owner(beside(name)).outbox.pump()

    def attach(self, settings: Config) -> None:
        """Take the keys of a config, and see that every account of theirs has its callbacks."""
        api, accounts = settings.api, self._gateway.pipeline.accounts
        if api.keys != self._gateway.settings.api.keys or not self.fronts:
            self.app.state.keys = Keys(api, self._gateway.loop.time, self._failures)
        self._caller.keys, self._caller.timeout = api.keys, api.callback_wait
        self.repeats.seconds, self.repeats.most = api.idempotency, api.max_idempotency
        inbound = _inbound(api.keys)
        for name in {name for key in api.keys.values() for name in key.accounts} & settings.accounts.keys():
            state = accounts.owner(name)
            self._callbacks(state, settings)
            front = self.fronts[name]
            front.inbound = inbound.get(name)
        for name, front in self.fronts.items():
            front.inbound = inbound.get(name)
            accounts.owner(name).calls_inbound = front.inbound is not None

    def restore(self, id: int, record: bytes) -> None:
        """A record of kind ANSWERED."""
        self.repeats.restore(id, record)

    async def close(self) -> None:
        """After the gateway has drained, before the last commit."""
        await self.server.stop()
        for receiver in self._receivers.values():
            await receiver.close(PATIENCE)
        await self._caller.close()

    def _callbacks(self, state: AccountState, settings: Config) -> None:
        """An account beside the one that binds: its outbox is for callbacks alone."""
        nobody = {"name": beside(state.name), "password": None, "password_hash": None}  # nobody binds as it
        wanted = settings.accounts[state.name].model_copy(update=nobody)
        if state.name not in self.fronts:
            self.fronts[state.name] = ApiFront(state, self._gateway.pipeline.clock)
        front = self.fronts[state.name]
        callbacks = state.callbacks = self._gateway.pipeline.accounts.internal(wanted, front, front.mo)
        callbacks.change(wanted)
        if state.name not in self._receivers:
            receiver = self._receivers[state.name] = HttpReceiver(
                callbacks.outbox, self._caller.call, self._gateway.loop
            )
            callbacks.links.append(receiver)
            callbacks.outbox.pump()  # a reload may bring a key that callbacks wait for since before the start

    def _told(self, delivery: Delivery, result: str) -> None:
        diary = self._gateway.pipeline.returns.diary
        if diary is not None:
            diary.told(delivery, result)


def _inbound(keys: Mapping[str, ApiKey]) -> dict[str, tuple[str, ApiKey]]:
    """By account, the key that gets its MO messages."""
    return {key.accounts[0]: (name, key) for name, key in keys.items() if key.inbound and key.accounts}
