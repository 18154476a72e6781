"""Ask somebody else over HTTP which mobile carrier a number belongs to now, and remember the answers."""

import asyncio
import json
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, cast

import structlog

from routing.carriers import Carriers
from smppgw.carriers.client import Client, HttpClient, Reply
from smppgw.exchange import Unanswered, Unsent
from smppgw.settings import CarrierLookup

log = structlog.get_logger()

SHORTEST, LONGEST = 8, 15
"""Digits of a number that is worth a question."""

STRANGE = 100
"""Answers without a name that are logged; after that they are only counted."""

_NOT_FOUND = frozenset({404, 410})


class Failed(Exception):
    """There is no answer, for this reason."""


class Lookup:
    """Knows what `carriers` knows, and what it was told. Overrides win over answers, answers over prefixes.

    `of` never waits. `ask` does, at most `wait` from the question, and not at all while the other side fails.
    """

    def __init__(
        self,
        settings: CarrierLookup,
        carriers: Carriers,
        loop: asyncio.AbstractEventLoop,
        counts: Counter[str] | None = None,
        client: Client | None = None,
    ) -> None:
        self.settings = settings
        self.carriers = carriers
        """Others after a reload."""
        self.counts: Counter[str] = Counter() if counts is None else counts
        self._loop = loop
        self._own = HttpClient("", connections=settings.window, connect=settings.response, timeout=settings.response)
        self._client = client or self._own
        secret = settings.secret.get_secret_value()
        self._headers = {settings.header: secret} if secret else {}
        self._known: OrderedDict[bytes, tuple[float, str]] = OrderedDict()
        """Until when an answer counts, and the carrier; oldest answer first."""
        self._waiting: OrderedDict[bytes, tuple[float, list[Callable[[], None]]]] = OrderedDict()
        """Until when it is waited for an answer, and by whom; who waits longest first."""
        self._queue: OrderedDict[bytes, None] = OrderedDict()
        """Those of them that nobody asks about yet."""
        self._asking: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._failures = 0
        self._rests_until = 0.0
        self._strange: set[str] = set()
        self._closed = False

    def of(self, number: bytes) -> str:
        """The carrier's name as far as it is known now; "" when it is not."""
        number = self.carriers.digits(number)
        entry = self._known.get(number)
        if entry is not None and entry[1] and entry[0] > self._loop.time():
            return self.carriers.override(number) or entry[1]
        return self.carriers.of(number)

    def ask(self, number: bytes, then: Callable[[], None]) -> bool:
        """Call `then` when `of` knows more, or nothing more is to be expected; never before this returns. False: there
        is nothing to wait for, and `then` is not called."""
        number = self.carriers.digits(number)
        if not self._worth(number):
            return False
        waiting = self._waiting.get(number)
        if waiting is not None:
            waiting[1].append(then)
            return True
        self._waiting[number] = (self._loop.time() + self.settings.wait, [then])
        self._queue[number] = None
        if len(self._asking) < self.settings.window:
            task = self._loop.create_task(self._work(), name="carrier look-up")
            self._asking.add(task)
        if self._timer is None:
            self._set_timer()
        return True

    def asks(self, number: bytes) -> bool:
        """Would `ask` wait for an answer?"""
        return self._worth(self.carriers.digits(number))

    def _worth(self, number: bytes) -> bool:
        now = self._loop.time()
        entry = self._known.get(number)
        if entry is not None and entry[0] > now:
            return False
        if not SHORTEST <= len(number) <= LONGEST or not number.isdigit() or self.carriers.override(number):
            return False
        if number in self._waiting:
            return True
        if self._closed or now < self._rests_until or len(self._waiting) >= self.settings.max_waiting:
            self.counts["skipped"] += 1
            return False
        return True

    def stop(self) -> None:
        """Nobody waits any more, and nothing is asked any more."""
        self._closed = True
        for task in self._asking:
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for number in list(self._waiting):
            self._release(number)

    async def close(self) -> None:
        """Stop, and close the connections."""
        self.stop()
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._own.close()

    # Questions

    async def _work(self) -> None:
        try:
            await self._empty_the_queue()
        finally:  # not in a callback of the task: who is asked for before that would wait for nobody
            self._asking.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _empty_the_queue(self) -> None:
        while self._queue:
            number, _ = self._queue.popitem(last=False)
            if self._loop.time() < self._rests_until:
                self._release(number)
                continue
            try:
                name = await self._question(number)
            except Failed as failure:
                self._failed(str(failure))
                name = ""
            else:
                self._answered()
                self.counts["found" if name else "unknown"] += 1
            self._remember(number, name)
            self._release(number)

    async def _question(self, number: bytes) -> str:
        """The carrier's name; "" when the other side does not know the number, or we do not know its answer."""
        digits = number.decode()
        url = self.settings.url.replace("{number}", digits)
        if "{national}" in url:
            url = url.replace("{national}", self.carriers.national(number).decode())
        try:
            reply = await self._client.request("GET", url, headers=self._headers)
        except (Unsent, Unanswered) as error:
            raise Failed(str(error)) from None
        if reply.status in _NOT_FOUND:
            return ""
        if reply.status != 200:
            raise Failed(f"http {reply.status}")
        return self._name_in(reply)

    def _name_in(self, reply: Reply) -> str:
        try:
            found = at(json.loads(reply.body), self.settings.answer)
        except (ValueError, RecursionError):
            raise Failed("the answer is no JSON") from None
        said = "" if found is None or isinstance(found, (dict, list)) else str(found)
        name = self.settings.names.get(said, "") if self.settings.names else said.lower()
        if not name and said not in self._strange and len(self._strange) < STRANGE:
            self._strange.add(said)
            log.warning("the carrier look-up's answer has no name in the config", answer=said[:40])
        return name

    def _failed(self, reason: str) -> None:
        self.counts["failed"] += 1
        self._failures += 1
        if self._failures == self.settings.rest_after:
            log.warning("carrier look-ups fail; prefixes decide", reason=reason, seconds=self.settings.rest)
        if self._failures >= self.settings.rest_after:
            self._rests_until = self._loop.time() + self.settings.rest

    def _answered(self) -> None:
        if self._failures >= self.settings.rest_after:
            log.info("carrier look-ups work again")
        self._failures = 0
        self._rests_until = 0.0

    # Answers

    def _remember(self, number: bytes, name: str) -> None:
        known = self._known
        known.pop(number, None)
        while len(known) >= self.settings.cache:
            known.popitem(last=False)
        known[number] = (self._loop.time() + (self.settings.ttl if name else self.settings.negative_ttl), name)

    def _release(self, number: bytes) -> None:
        self._queue.pop(number, None)
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            for then in waiting[1]:
                self._loop.call_soon(then)

    def _set_timer(self) -> None:
        self._timer = None
        if self._waiting:
            until = next(iter(self._waiting.values()))[0]
            self._timer = self._loop.call_at(until, self._waited)

    def _waited(self) -> None:
        """Whoever waited long enough goes on without an answer; one that comes later is still remembered."""
        now = self._loop.time() + 0.001  # timers may fire a clock tick early
        while self._waiting:
            number, (until, _) = next(iter(self._waiting.items()))
            if until > now:
                break
            self.counts["late"] += 1
            self._release(number)
        self._set_timer()


def at(value: Any, path: str) -> Any:
    """What stands at a path like "data.0.carrier" of a JSON value; None when nothing does."""
    for key in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value
