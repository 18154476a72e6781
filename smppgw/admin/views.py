"""The running gateway as what the admin API shows of it."""

import asyncio
import os
from collections.abc import Callable
from itertools import islice

from protocol.consts import Status
from protocol.session import BOUND
from smppgw import __version__
from smppgw.accounts import AccountState
from smppgw.admin.configs import shown as settings_shown
from smppgw.admin.models import (
    AccountView,
    BindView,
    ConnectorView,
    GroupView,
    History,
    Latency,
    MemberView,
    MoRouteView,
    Overview,
    Queue,
    Routes,
    RouteView,
)
from smppgw.admin.running import AnyConnector, Refused, Running
from smppgw.admin.sampler import Sampler
from smppgw.smpp.bind import Bind
from smppgw.smpp.connector import Connector
from smppgw.smpp.inbound import EsmeLink
from smppgw.targets import Target

LOOKED_AT = 1000
"""Messages of a queue that are looked at for its oldest: those that ended stay there until their turn."""


AT_ONCE = 20
"""Accounts that are looked at without a pause."""


class Views:
    """Made once; it knows when."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._began = running.loop.time()
        self.sampler = Sampler(running)

    def overview(self) -> Overview:
        running, pipeline = self._running, self._running.pipeline
        reasons = running.unready()
        accounts = list(pipeline.accounts.states.values())
        now = pipeline.clock()
        oldest = next((each.born for each in islice(pipeline.queued.values(), 1)), now)
        return Overview(
            version=__version__,
            name=running.settings.gateway.name,
            ready=not reasons,
            reasons=reasons,
            uptime_seconds=round(running.loop.time() - self._began, 1),
            pid=os.getpid(),
            links=running.gate.open,
            bound=running.gate.open - running.gate.unbound,
            rates=self.sampler.rates(),
            latency={name: Latency(**each) for name, each in self.sampler.latencies().items()},
            queued=len(pipeline.queued),
            awaiting_receipt=len(pipeline.ledger),
            deliveries=sum(len(account.outbox) for account in accounts),
            delayed=len(pipeline.delays),
            set_aside=pipeline.returns.aside,
            oldest_queued_seconds=_age(oldest, now),
            oldest_delivery_seconds=max((self._oldest_delivery(account) for account in accounts), default=0.0),
            queues=self.queues(),
            history=self._history(),
        )

    def _history(self) -> History | None:
        recorder = self._running.recorder
        if recorder is None:
            return None
        return History(
            engine=self._running.settings.history.engine, up=recorder.up, noted=recorder.noted,
            dropped=recorder.dropped, restarts=recorder.restarts, pending_octets=recorder.pending,
        )  # fmt: skip

    def queues(self) -> list[Queue]:
        groups = self._running.settings.groups
        return [
            Queue(
                target=name, kind="group" if name in groups else "connector", up=target.up, waiting=len(target.queue),
                oldest_seconds=self._oldest(target),
            )
            for name, target in sorted(self._running.targets.items())
        ]  # fmt: skip

    def _oldest(self, target: Target) -> float:
        now = self._running.pipeline.clock()
        first = next((each for each in islice(target.queue, LOOKED_AT) if not each.gone), None)
        return 0.0 if first is None else _age(first.born, now)

    def _oldest_delivery(self, account: AccountState) -> float:
        waiting = account.outbox.waiting
        return _age(waiting[0].born, self._running.pipeline.clock()) if waiting else 0.0

    # Accounts

    async def accounts(self, sees: Callable[[str], bool]) -> list[AccountView]:
        """Without their settings; a thousand of them keep no link waiting."""
        names = [name for name in sorted(self._running.pipeline.accounts.states) if sees(name)]
        found = []
        for n, name in enumerate(names):
            if n % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
            found.append(self.account(name, whole=False))
        return found

    def account(self, name: str, *, whole: bool = True) -> AccountView:
        """Raises Refused."""
        account = account_of(self._running, name)
        settings, box = account.settings, account.outbox
        links = [link for link in account.links if isinstance(link, EsmeLink)]
        return AccountView(
            name=name,
            removed=account.removed,
            http=account.front is not None,
            binds=[self._link(link) for link in links],
            window=settings.window * len(links),
            window_used=sum(link.unanswered for link in links),
            rate=settings.rate,
            burst=settings.burst,
            max_queued=settings.max_queued,
            limited=settings != account.configured,
            queued=account.queued,
            outbox_waiting=len(box.waiting),
            outbox_delayed=box.delayed,
            outbox_under_way=box.under_way,
            outbox_oldest_seconds=self._oldest_delivery(account),
            delivered=account.delivered,
            statuses={status_of(status): count for status, count in sorted(account.statuses.items())},
            rates=self.sampler.account(account),
            settings=settings_shown(account.configured) if whole else {},
        )

    def _link(self, link: EsmeLink) -> BindView:
        settings = link.account.settings if link.account is not None else None
        return BindView(
            id=link_id(link), peer=link.peer, mode=link.mode, state=str(link.session.state),
            since=self._since(link.bound_at), version=f"0x{link.version:02X}",
            window=settings.window if settings is not None else 0, window_used=link.unanswered,
            delivering=link.session.unanswered,
        )  # fmt: skip

    def _since(self, bound_at: float) -> float | None:
        running = self._running
        return round(running.pipeline.clock() - (running.loop.time() - bound_at), 3) if bound_at else None

    # Connectors

    def connectors(self) -> list[ConnectorView]:
        return [self.connector(name) for name in self._running.connectors]

    def connector(self, name: str) -> ConnectorView:
        """Raises Refused."""
        connector = connector_of(self._running, name)
        rates, latency = self.sampler.connector(connector)
        settings = connector.settings
        smpp = connector if isinstance(connector, Connector) else None
        groups = self._running.settings.groups
        return ConnectorView(
            name=name,
            kind=settings.kind,
            up=connector.up,
            wanted=connector.wanted,
            held=connector.held,
            alert=connector.alerting,
            last_error=connector.last_error,
            failures=connector.failures,
            breaker="" if isinstance(connector, Connector) else connector.breaker,
            paused=connector.paused,
            window=settings.window * (len(smpp.binds) if smpp else 1),
            window_used=connector.in_flight,
            rate=settings.rate,
            limited=settings != connector.configured,
            binds_wanted=smpp.settings.binds if smpp else 0,
            binds=[self._bind(bind) for bind in sorted(smpp.links, key=_slot)] if smpp else [],
            groups=[target.name for target in connector.targets if target.name in groups],
            submits=connector.counts.submits,
            outcomes=dict(connector.counts.outcomes),
            rates=rates,
            latency=Latency(**latency),
            settings=settings_shown(connector.configured),
        )

    def _bind(self, bind: Bind) -> BindView:
        settings = bind.owner.settings
        return BindView(
            id=str(bind.slot), peer=bind.peer, mode=settings.bind,
            state="releasing" if bind.releasing else str(bind.session.state),
            since=self._since(bind.bound_at) if bind.session.state in BOUND else None,
            version=f"0x{settings.version:02X}", window=bind.session.window, window_used=bind.session.unanswered,
            delivering=0,
        )  # fmt: skip

    # Groups and routes

    def groups(self) -> list[GroupView]:
        return [self.group(name) for name in self._running.settings.groups]

    def group(self, name: str) -> GroupView:
        """Raises Refused."""
        target = group_of(self._running, name)
        group, now = target.group, self._running.loop.time()
        standing = group.standing()
        active = any(up for _, _, up, backup in standing if not backup)
        state = "active" if active else "down"
        if group.backups_wanted:
            state = "handing back soon" if active else "failed over" if group.up else "waiting for backups"
        return GroupView(
            name=name,
            up=group.up,
            state=state,  # type: ignore[arg-type]  # one of those
            backups_wanted=group.backups_wanted,
            changes_in_seconds=None if group.due is None else round(max(0.0, group.due - now), 1),
            members=[
                MemberView(connector=each, role="backup" if backup else "active", weight=weight, up=up)
                for each, weight, up, backup in standing
            ],
            waiting=len(target.queue),
            oldest_seconds=self._oldest(target),
        )

    def routes(self) -> Routes:
        settings = self._running.settings
        return Routes(
            routes=[
                RouteView(
                    name=each.name, to=each.to, fallback=list(each.fallback), senders=each.senders,
                    match=settings_shown(each.match, whole=False),
                )
                for each in settings.routes
            ],
            mo_routes=[
                MoRouteView(account=each.account, match=settings_shown(each.match, whole=False))
                for each in settings.mo_routes
            ],
        )  # fmt: skip


def account_of(running: Running, name: str) -> AccountState:
    """Raises Refused."""
    account = running.pipeline.accounts.states.get(name)
    if account is None:
        raise Refused(404, "There is no such account", f"{name!r} is neither in the config nor in the store", "account")
    return account


def connector_of(running: Running, name: str) -> AnyConnector:
    """Raises Refused."""
    connector = running.connectors.get(name)
    if connector is None:
        raise Refused(404, "There is no such connector", f"the config has no {name!r}", "connector")
    return connector


def group_of(running: Running, name: str) -> Target:
    """Raises Refused."""
    if name not in running.settings.groups:
        raise Refused(404, "There is no such group", f"the config has no {name!r}", "group")
    return running.targets[name]


def link_id(link: EsmeLink) -> str:
    """Address and port at the other end."""
    name = link.transport.get_extra_info("peername")
    return f"{link.peer}:{name[1]}" if name else link.peer


def status_of(status: int) -> str:
    """Its name."""
    return Status(status).name if status in Status._value2member_map_ else f"0x{status:02X}"


def _slot(bind: Bind) -> int:
    return bind.slot


def _age(born: float, now: float) -> float:
    return round(max(0.0, now - born), 3)
