"""Keep binds to an SMSC up for as long as somebody wants them."""

import asyncio
import random
import ssl
from typing import Literal

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

SAY = 600.0
"""Seconds after which a failure to bind is said again, however often it has been."""

REASONS = 10
"""Reasons that are each said when they first come; what else comes is said in its turn."""

Held = Literal["", "drain", "stop"]
"""What a person asked for: nothing, to send no more (receipts still come), or to unbind."""


class Keeper(Owner):
    """Connects, binds, waits for the end, and begins again a little later each time. A subclass says what for."""

    def __init__(self, settings: Settings, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        self.name = settings.name
        self.settings = settings
        """As in force: its window and rate may be others than those of the config, for now."""
        self.configured = settings
        self.held: Held = ""
        self.links: set[Bind] = set()
        self.binds: list[Bind] = []
        """Those that are bound."""
        self.failures = 0
        """Attempts to bind in a row that failed."""
        self.alerting = False
        self.last_error = ""
        self._said: set[str] = set()
        """Reasons of failures since the last bind that are in the log."""
        self._said_at = 0.0
        """Loop time."""
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

    @property
    def needed(self) -> bool:
        """It is wanted, and no person said otherwise."""
        return bool(self._wanted) and self.held != "stop"

    def want(self, by: object, wanted: bool) -> None:
        """Somebody needs the binds, or no longer does; the last one to let go has them unbound."""
        before = self.needed
        (self._wanted.add if wanted else self._wanted.discard)(by)
        self._changed(before)

    def hold(self, held: Held) -> None:
        """A person drains, stops or starts it; for as long as this object lives."""
        before, self.held = self.needed, held
        self._changed(before)
        self.update()

    def rebind(self) -> None:
        """Unbind what is bound, and bind anew; what waits for its next attempt waits no longer."""
        bound = {bind.keeper for bind in self.binds}
        for keeper in self._keepers.values():
            if keeper not in bound:
                keeper.cancel()
        for bind in list(self.binds):
            bind.release()
        if self.needed and not self._stopping:
            self._keep_all()

    def _changed(self, before: bool) -> None:
        if self.needed is before or self._stopping:
            return
        if self.needed:
            self._keep_all()
        else:
            self._release()

    def _keep_all(self) -> None:
        for slot in range(self.settings.binds):
            keeper = self._keepers.get(slot)
            if keeper is None or keeper.done() or keeper.cancelling():  # else it is unbinding, and will see
                self._keepers[slot] = self._loop.create_task(self._keep(slot), name=f"bind {self.name}/{slot}")

    def bound(self, bind: Bind) -> None:
        self.binds.append(bind)
        bind.bound_at = self._loop.time()
        self.last_error = ""
        log.info("bound", connector=self.name, bind=bind.slot, peer=bind.peer)
        if self.alerting:
            self.alerting = False
            log.info("alert over", connector=self.name)
        self.failures = 0
        self._said.clear()
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
        while self.needed:
            began = self._loop.time()
            reason = await self._one_life(slot)
            if not self._wanted or self.held == "stop":
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
        except UnicodeError:
            return f"{settings.host}:{settings.port}: no host can have this name"
        try:
            return await bind.done
        finally:
            bind.drop()

    def _failed(self, reason: str) -> None:
        self.failures += 1
        self.last_error = reason
        if self._worth_saying(reason):
            log.warning("bind failed", connector=self.name, reason=reason, in_a_row=self.failures)
        else:
            log.debug("bind failed", connector=self.name, reason=reason, in_a_row=self.failures)
        if self.failures >= self.settings.alert_after and not self.alerting:
            self.alerting = True
            log.error("alert: connector cannot bind", connector=self.name, reason=reason, in_a_row=self.failures)

    def _worth_saying(self, reason: str) -> bool:
        """The first failure in a row, the second, the fourth and so on, and now and then; and every new reason."""
        new = reason not in self._said and len(self._said) < REASONS
        now, doubled = self._loop.time(), self.failures & (self.failures - 1) == 0
        if not (new or doubled or now - self._said_at >= SAY):
            return False
        if new:
            self._said.add(reason)
        self._said_at = now
        return True
