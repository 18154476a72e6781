"""A simulated HTTPS carrier without an API: a server, its notifications, and every way to behave badly.

A subclass adds routes to `app`. Its handler of a send asks `fault` first, and lets no reply pass but `fault`'s where
there is one:

    async def _send(self, request: web.Request) -> web.StreamResponse:
        if (broken := await self.fault(request)) is not None:
            return broken
        ...
        self.accept(id, message)
        self.notify(lambda: Notification("POST", self.options.webhook, HEADERS, body))
        return web.json_response({"id": id})
"""

import asyncio
import json
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from random import Random
from time import monotonic
from typing import Any, ClassVar, NamedTuple, Self
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web
from yarl import URL

from smppgw.reasons import why
from smppgw.simulate.fate import Draw
from smppgw.simulate.later import Later

KEPT = 200_000
"""Accepted messages that are remembered; the oldest are forgotten."""

SENDING = 50
"""Notifications under way at a time, each on a connection that is kept."""

GRAIN = 0.002
"""Seconds within which notifications that are due go together."""

FAULTS = ("hang", "reset", "error", "throttle", "garbage", "redirect", "accept_and_hang")
"""The options that spoil a request to send; a request gets one of them at most."""


@dataclass(frozen=True, slots=True)
class CarrierOptions:
    """By default everything is accepted and delivered soon. Shares are 0 to 1, times seconds. A subclass adds what its
    API needs to know."""

    host: str = "127.0.0.1"
    port: int = 0
    """0: a free one, see `start`."""
    webhook: str = ""
    """Gets the notifications where a request does not name another URL; empty: nobody."""
    receipt_after: float = 0.1
    """From acceptance to the final notification; negative: never."""
    undelivered: float = 0.0
    """Share of messages whose notification says failed."""
    hang: float = 0.0
    """No reply at all, and nothing accepted."""
    reset: float = 0.0
    """The connection is cut after the request was read, and nothing accepted."""
    error: float = 0.0
    """Status 500."""
    throttle: float = 0.0
    """Status 429 with Retry-After: 1."""
    garbage: float = 0.0
    """Status 200 with a body that is no JSON."""
    redirect: float = 0.0
    """Status 302."""
    accept_and_hang: float = 0.0
    """Accepted, and notified, but no reply."""
    slow: float = 0.0
    """Before each reply to a send."""
    lost: float = 0.0
    """Notifications never sent."""
    repeated: float = 0.0
    """Notifications sent twice."""
    early: float = 0.0
    """Notifications sent, and answered, before the reply to the send."""
    retry: tuple[float, ...] = (0.2, 0.5, 1.0)
    """The carrier's own waits before it sends again what was not answered well."""
    seed: int | None = None
    """The same chances every time."""


class Notification(NamedTuple):
    """A request to somebody's webhook; `url` goes out as it stands, so it must be quoted."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


Make = Callable[[], Notification | None]
"""Makes a notification when its time has come; None, or one without a url: there is nobody to tell."""

_UNAVAILABLE: tuple[int, dict[str, str], bytes] = (503, {}, b"unavailable")
_FAULTY: dict[str, tuple[int, dict[str, str], bytes]] = {
    "error": (500, {}, b"internal error"),
    "throttle": (429, {"Retry-After": "1"}, b"too many requests"),
    "garbage": (200, {"Content-Type": "text/html"}, b"<html>maintenance"),
    "redirect": (302, {"Location": "/elsewhere"}, b""),
}


class _Delivery:
    __slots__ = ("attempt", "make", "notification", "over")

    def __init__(self, make: Make) -> None:
        self.make = make
        self.notification: Notification | None = None
        self.attempt = 0
        self.over: asyncio.Future[None] | None = None
        """Set at the first answer, for a reply that waits for it."""


class CarrierSimulator:
    """`start` it on the loop, `stop` it at the end. Control requests: POST /-/options changes options while it runs,
    GET /-/counts tells the counts, GET /-/messages what was accepted, POST /-/mo lets a handset say something."""

    patience: ClassVar[float] = 10.0
    """Seconds that a webhook has for its answer."""

    def __init__(self, options: CarrierOptions) -> None:
        self.options = options
        self.app = web.Application(middlewares=[self._around], client_max_size=1 << 20)
        self.app.add_routes(
            [
                web.post("/-/options", self._set_options),
                web.get("/-/options", self._show_options),
                web.get("/-/counts", self._show_counts),
                web.get("/-/messages", self._show_messages),
                web.post("/-/mo", self._say),
            ]
        )
        self.accepted: dict[str, Any] = {}
        """By the carrier's id; see `accept`."""
        self.counts: Counter[str] = Counter()
        """accepted, refused, mo, notified, failed_notifications, given_up, lost, repeated, early, and every fault."""
        self.answer_times: deque[float] = deque(maxlen=KEPT)
        """Seconds that webhooks took for their latest answers."""
        self.port = 0
        self.random = Random(options.seed)  # noqa: S311  no secret depends on it
        self._fault = self._draw()
        self._order: deque[str] = deque()
        self._early: dict[asyncio.Task[Any] | None, list[asyncio.Future[None]]] = {}
        self._silent: set[asyncio.Task[Any] | None] = set()
        """Handlers whose reply is not to go out."""
        self._hung: set[asyncio.Transport] = set()
        self._later: Later[_Delivery] = Later()
        self._ready: deque[_Delivery] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        """When the timer goes off: uvloop's handle of one that is due at once does not say."""
        self._workers: set[asyncio.Task[None]] = set()
        self._busy = 0
        self._idle = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    # Life

    async def start(self) -> int:
        """The port. OSError, in words, when it cannot be had."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=SENDING, keepalive_timeout=30),
            timeout=aiohttp.ClientTimeout(total=self.patience),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        runner = web.AppRunner(
            self.app, access_log=None, handle_signals=False, shutdown_timeout=0.1, handler_cancellation=True
        )
        await runner.setup()
        self._runner = runner
        try:
            await web.TCPSite(runner, self.options.host, self.options.port, backlog=1024).start()
        except OSError as error:
            await self.stop()
            raise OSError(f"cannot listen on {self.options.host}:{self.options.port}: {why(error)}") from error
        self.port = int(runner.addresses[0][1])
        return self.port

    async def stop(self) -> None:
        """Notifications that have not gone out are forgotten."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        for transport in tuple(self._hung):
            transport.abort()
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def quiet(self) -> None:
        """Returns when no notification is due, under way or to be sent again."""
        while self._pending:
            self._idle.clear()
            await self._idle.wait()

    @property
    def _pending(self) -> int:
        return len(self._later) + len(self._ready) + self._busy

    # For subclasses

    def happens(self, share: float) -> bool:
        """By chance: as often as `share` says."""
        return share > 0 and self.random.random() < share

    def accept(self, id: str, what: Any) -> None:
        """Remember a message, and count it."""
        self.counts["accepted"] += 1
        self.accepted[id] = what
        self._order.append(id)
        if len(self._order) > KEPT:
            self.accepted.pop(self._order.popleft(), None)

    def refuse(self) -> None:
        """Count a refusal."""
        self.counts["refused"] += 1

    async def fault(self, request: web.Request) -> web.StreamResponse | None:
        """What is answered in place of a reply, where chance says so. A handler of sends asks it first."""
        options = self.options
        fault = self._fault()
        if options.slow:
            await asyncio.sleep(options.slow)
        if not fault:
            return None
        self.counts[fault] += 1
        if fault == "accept_and_hang":
            self._silent.add(asyncio.current_task())
            return None
        if fault == "hang":
            await self._hang(request)
        if fault == "reset":
            await request.read()
            if request.transport is not None:
                request.transport.abort()
        status, headers, body = _FAULTY.get(fault, _UNAVAILABLE)
        return web.Response(status=status, headers=headers, body=body)

    def notify(self, make: Make, *, after: float | None = None) -> None:
        """Send what `make` makes in `after` seconds, by default the `receipt_after` of the options; negative: never.
        It may be lost, repeated, or sent before the handler's reply, as the options say. Never waits."""
        wait = self.options.receipt_after if after is None else after
        if wait < 0:
            return
        if self.happens(self.options.lost):
            self.counts["lost"] += 1
            return
        delivery = _Delivery(make)
        if self.happens(self.options.early):
            self.counts["early"] += 1
            delivery.over = asyncio.get_running_loop().create_future()
            self._early.setdefault(asyncio.current_task(), []).append(delivery.over)
            wait = 0.0
        self._in(wait, delivery)
        if self.happens(self.options.repeated):
            self.counts["repeated"] += 1
            self._in(wait, _Delivery(make))

    def mo(self, said: Mapping[str, Any]) -> Iterable[Notification]:
        """What the webhook is told when a handset says something; raises ValueError in words. For POST /-/mo."""
        raise ValueError(f"this carrier has no messages from handsets: {', '.join(said)} cannot be said")

    def shown(self, what: Any) -> tuple[str, str]:  # noqa: ARG002
        """Destination and text of what was accepted, for GET /-/messages."""
        return "", ""

    def taken(self, status: int) -> bool:
        """Whether a webhook's answer ends the matter."""
        return 200 <= status < 300

    # Inside

    @web.middleware
    async def _around(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            response = await handler(request)
        finally:
            task = asyncio.current_task() if self._early or self._silent else None
            early = self._early.pop(task, None) if task is not None else None
            silent = task in self._silent
            self._silent.discard(task)
        if early:
            await asyncio.wait(early, timeout=self.patience)
        if silent:
            await self._hang(request)
        return response

    async def _hang(self, request: web.Request) -> None:
        """Until the peer goes: its handler is cancelled then."""
        transport = request.transport
        if transport is None:
            return
        self._hung.add(transport)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._hung.discard(transport)

    def _draw(self) -> Draw[str]:
        return Draw({fault: getattr(self.options, fault) for fault in FAULTS}, "", self.random.random)

    def _in(self, wait: float, delivery: _Delivery) -> None:
        loop = asyncio.get_running_loop()
        if wait > 0:
            self._later.add(loop.time() + wait, delivery)
            self._arm(loop)
        else:
            self._ready.append(delivery)
            self._put_to_work(loop)

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        due = self._later.next_due()
        if due is None:
            return
        due = max(due, loop.time()) + GRAIN
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._timer, self._due = loop.call_at(due, self._wake, loop), due

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        self._ready.extend(self._later.take(loop.time()))
        self._put_to_work(loop)
        self._arm(loop)

    def _put_to_work(self, loop: asyncio.AbstractEventLoop) -> None:
        for _ in range(min(len(self._ready), SENDING - len(self._workers))):
            worker = loop.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        while self._ready:
            delivery = self._ready.popleft()
            self._busy += 1
            try:
                await self._deliver(delivery)
            finally:
                self._busy -= 1
                if delivery.over is not None and not delivery.over.done():
                    delivery.over.set_result(None)
        if not self._pending:
            self._idle.set()

    async def _deliver(self, delivery: _Delivery) -> None:
        notification = delivery.notification
        if notification is None:
            notification = delivery.notification = delivery.make()
        if notification is None or not notification.url:
            return
        if self.taken(await self._tell(notification)):
            self.counts["notified"] += 1
            return
        self.counts["failed_notifications"] += 1
        if delivery.attempt >= len(self.options.retry):
            self.counts["given_up"] += 1
            return
        wait = self.options.retry[delivery.attempt]
        delivery.attempt += 1
        self._in(max(wait, GRAIN), delivery)

    async def _tell(self, notification: Notification) -> int:
        """The status of the answer; 0 without one."""
        if self._session is None:
            return 0
        method, url, headers, body = notification
        began = monotonic()
        try:
            async with self._session.request(
                method, URL(url, encoded=True), headers=headers, data=body or None, allow_redirects=False
            ) as response:
                await response.read()
                self.answer_times.append(monotonic() - began)
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return 0

    # Control

    async def _set_options(self, request: web.Request) -> web.Response:
        try:
            self.options = _changed(self.options, await request.json())
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        self._fault = self._draw()
        return await self._show_options(request)

    async def _show_options(self, _request: web.Request) -> web.Response:
        return web.json_response(asdict(self.options))

    async def _show_counts(self, _request: web.Request) -> web.Response:
        return web.json_response(self.counts)

    async def _show_messages(self, request: web.Request) -> web.Response:
        """The newest last; one of several parts once, by the id of its first."""
        limit = request.query.get("limit", "100")
        if not (limit.isascii() and limit.isdigit() and limit.strip("0")):
            return web.json_response({"error": "limit: a number above 0 is expected"}, status=400)
        found: deque[tuple[str, Any]] = deque(maxlen=min(int(limit), KEPT))
        for id, what in self.accepted.items():
            if not found or found[-1][1] is not what:
                found.append((id, what))
        shown = [{"id": id, **dict(zip(("to", "text"), self.shown(what), strict=True))} for id, what in found]
        return web.json_response(shown)

    async def _say(self, request: web.Request) -> web.Response:
        try:
            said = await request.json()
            if not isinstance(said, dict):
                raise ValueError("an object is expected")
            notifications = list(self.mo(said))
        except (ValueError, TypeError, KeyError) as error:
            return web.json_response({"error": str(error)}, status=400)
        for notification in notifications:
            self.notify(lambda made=notification: made, after=0.0)  # type: ignore[misc]
        self.counts["mo"] += 1
        return web.json_response({"notifications": len(notifications)})


async def form(request: web.Request) -> dict[str, str]:
    """The fields of a form, or of the query of a GET: what `request.post` gives, at a fraction of its cost. Of a name
    that comes twice the last counts."""
    text = request.query_string if request.method == "GET" else (await request.read()).decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))


def _changed(options: CarrierOptions, changes: Any) -> CarrierOptions:
    """Raises ValueError in words."""
    if not isinstance(changes, dict):
        raise ValueError("an object of options is expected")
    known = {field.name for field in fields(options)} - {"host", "port", "seed"}
    if unknown := sorted(set(changes) - known):
        raise ValueError(f"{', '.join(unknown)}: no option that can change; there are {', '.join(sorted(known))}")
    values: dict[str, Any] = {}
    for name, value in changes.items():
        now = getattr(options, name)
        if isinstance(now, tuple):
            if not isinstance(value, list):
                raise ValueError(f"{name} is a list")
            values[name] = tuple(value)
        elif isinstance(now, float) and not isinstance(value, bool) and isinstance(value, (int, float)):
            values[name] = float(value)
        elif type(value) is type(now):
            values[name] = value
        else:
            raise ValueError(f"{name} is like {json.dumps(now)}, not {json.dumps(value)}")
    return replace(options, **values)
