"""What a gateway has of Kannel: the HTTP ports, who speaks on them, and what becomes of it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog

from routing.message import Message
from smppgw.accounts import AccountState
from smppgw.config import Config
from smppgw.kannel.conf import ConfError
from smppgw.kannel.connectors import readable
from smppgw.kannel.model import Kannel, SendsmsUser
from smppgw.kannel.setup import Setup, read
from smppgw.pipeline import Pipeline
from smppgw.settings import Account
from smppgw.targets import Target

log = structlog.get_logger()


class Gateway(Protocol):
    """What it stands before."""

    loop: asyncio.AbstractEventLoop
    pipeline: Pipeline
    settings: Config

    @property
    def connectors(self) -> Mapping[str, Any]: ...
    @property
    def targets(self) -> Mapping[str, Target]: ...
    def apply(self, settings: Config) -> None:
        """Make the running gateway what the settings say."""

    def stop(self) -> None: ...


class Face:
    """Opened before anything is restored, attached whenever the gateway has taken a config, closed after it has
    drained. Calls run on the event loop."""

    def __init__(self, setup: Setup, gateway: Gateway) -> None:
        self.setup = setup
        self.gateway = gateway
        self.pipeline = gateway.pipeline
        self.loop = gateway.loop
        self.clock: Callable[[], float] = gateway.pipeline.clock
        self.started = self.clock()
        self._users: dict[str, AccountState] = {}
        self._smsbox = ""

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
        return route is not None and any(name in targets and targets[name].up for name in route.targets)

    # Life

    async def open(self) -> None:
        """Open the ports. OSError with the one that cannot be had."""

    def attach(self, settings: Config) -> None:
        """See that every account of HTTP is there, with who speaks for it."""
        self._smsbox = self.setup.smsbox(settings)
        for user in self.kannel.sendsms_users:
            name = readable(user.username or "")
            if name in settings.accounts:  # a login of opensmppbox
                name += "@sendsms"
            account = Account(name=name, deliver_window=self._window)
            self._users[user.username or ""] = self.pipeline.accounts.owner(account.name)

    @property
    def _window(self) -> int:
        return self.kannel.smsbox.max_pending_requests if self.kannel.smsbox is not None else 512

    def drain(self) -> None:
        """Take nothing more."""

    def reload(self) -> None:
        """Read the files again; bad ones change nothing."""
        try:
            setup = read(self.setup.paths, self.setup.data)
            settings, _ = setup.settings(setup.smscs)
        except ConfError as error:
            for problem in error.problems:
                log.error("config refused", where=problem.path, problem=problem.wrong, fix=problem.fix)
            return
        self.setup = setup
        self.gateway.apply(settings)
        log.info("config reloaded", accounts=len(settings.accounts), connectors=len(settings.connectors))

    def reopen(self) -> None:
        """The log files may have been moved away."""

    async def close(self) -> None:
        """After the gateway has drained."""
