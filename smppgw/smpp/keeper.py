"""Keep binds to an SMSC up for as long as somebody wants them."""

import asyncio
import random
import ssl

import structlog

from routing import retry
from smppgw.reasons import why
from smppgw.settings import Connector as Settings
from smppgw.settings import Limits
from smppgw.smpp.bind import Bind, Owner
from smppgw.tls import for_connector

log = structlog.get_logger()

CONNECT_TIMEOUT = 10.0
STABLE = 10.0
"""Seconds after which a bind counts as a success, and the next rebind begins with the first delay again."""


class Keeper(Owner):
    """Connects, binds, waits for the end, and begins again a little later each time. A subclass says what for."""

    def __init__(self, settings: Settings, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        self.name = settings.name
        self.settings = settings
        self.links: set[Bind] = set()
        self.binds: list[Bind] = []
        """Those that are bound."""
        self.failures = 0
        """Attempts to bind in a row that failed."""
        self.alerting = False
        self.last_error = ""
        self._limits = limits
        self._loop = loop
        self._wanted: set[object] = set()
        self._keepers: dict[int, asyncio.Task[None]] = {}
        self._stopping = False
        self._tls: ssl.SSLContext | None = None

    @property
    def wanted(self) -> bool:
        """A group needs its binds."""
        return bool(self._wanted)

    def want(self, by: object, wanted: bool) -> None:
        """Somebody needs the binds, or no longer does; the last one to let go has them unbound."""
        before = bool(self._wanted)
        (self._wanted.add if wanted else self._wanted.discard)(by)
        if bool(self._wanted) is before or self._stopping:
            return
        if not self._wanted:
            self._release()
            return
        for slot in range(self.settings.binds):
            keeper = self._keepers.get(slot)
            if keeper is None or keeper.done() or keeper.cancelling():  # else it is unbinding, and will see
                self._keepers[slot] = self._loop.create_task(self._keep(slot), name=f"bind {self.name}/{slot}")

    def bound(self, bind: Bind) -> None:
        self.binds.append(bind)
        self.last_error = ""
        log.info("bound", connector=self.name, bind=bind.slot, peer=bind.peer)
        if self.alerting:
            self.alerting = False
            log.info("alert over", connector=self.name)
        self.failures = 0
        self.update()

    def lost(self, bind: Bind, reason: str) -> None:
        self.links.discard(bind)
        if bind in self.binds:
            self.binds.remove(bind)
            say = log.info if bind.releasing else log.warning
            say("unbound", connector=self.name, bind=bind.slot, reason=reason)

    def stop(self) -> None:
        """Unbind in an orderly way, for good."""
        self._stopping = True
        self._wanted.clear()
        self._release()

    @property
    def over(self) -> bool:
        """Stopped, and all its binds are gone."""
        return self._stopping and all(keeper.done() for keeper in self._keepers.values())

    async def stopped(self) -> None:
        """Until all binds are gone."""
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)

    def tick(self) -> None:
        """Look at the timers; about once a second."""
        for bind in list(self.links):
            bind.tick()

    def _release(self) -> None:
        for bind in list(self.binds):
            bind.release()
        for keeper in self._keepers.values():
            if not any(bind.keeper is keeper for bind in self.binds):
                keeper.cancel()

    async def _keep(self, slot: int) -> None:
        """Keep one bind up while it is wanted: connect, bind, wait for its end, wait a little longer each time."""
        attempt = 0
        while self._wanted:
            began = self._loop.time()
            reason = await self._one_life(slot)
            if not self._wanted:
                return
            if reason is not None:
                self._failed(reason)
            attempt = 1 if self._loop.time() - began > STABLE else attempt + 1
            delay = retry.delay(attempt, self.settings.rebind)
            await asyncio.sleep(delay * random.uniform(0.8, 1.2))  # noqa: S311  jitter

    async def _one_life(self, slot: int) -> str | None:
        """Connect, bind and stay; why it could not bind, or None when it was bound and ended."""
        settings = self.settings
        try:
            if settings.tls and self._tls is None:
                self._tls = for_connector(settings)
            name = (settings.tls_name or settings.host) if settings.tls else None
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, bind = await self._loop.create_connection(
                    lambda: Bind(self, slot, self._keepers[slot], self._limits, self._loop),
                    settings.host,
                    settings.port,
                    ssl=self._tls,
                    server_hostname=name,
                )
        except TimeoutError:
            return f"no connection to {settings.host}:{settings.port} within {CONNECT_TIMEOUT:.0f} s"
        except OSError as error:
            return f"{settings.host}:{settings.port}: {why(error)}"
        try:
            return await bind.done
        finally:
            bind.drop()

    def _failed(self, reason: str) -> None:
        self.failures += 1
        self.last_error = reason
        log.warning("bind failed", connector=self.name, reason=reason, in_a_row=self.failures)
        if self.failures >= self.settings.alert_after and not self.alerting:
            self.alerting = True
            log.error("alert: connector cannot bind", connector=self.name, reason=reason, in_a_row=self.failures)
