"""The API's port: FastAPI on the gateway's own loop. What it offers is in the routers; how it answers is here."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from typing import Annotated, Any, Final

import structlog
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smppgw import __version__
from smppgw.doors import Connection, Door
from smppgw.http import problems
from smppgw.http.keys import Caller, Keys
from smppgw.http.problems import RESPONSES, Problem
from smppgw.reasons import why
from smppgw.settings import Api, Role
from smppgw.tls import for_server

log = structlog.get_logger()

WATCHED = (200, 401, 403, 429, 500, 503)
"""Statuses that are counted from 0: an alert sees the first of them."""

CONNECTIONS = 1000
"""At the same time: each may have a body in memory before its key is looked at."""

CONNECTION: Final = "smppgw.connection"
"""Where the state of a request has the connection that it came by."""

PATIENCE = 2.0
"""Seconds that requests under way may take when the gateway stops."""


def caller_who(role: Role) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency: the key of the request, which must have this role. What operators do is logged with who did it."""

    async def admit(request: Request) -> Caller:
        keys: Keys = request.app.state.keys
        try:
            # A hash that was not seen before takes tens of milliseconds: not on the gateway's loop.
            caller = await asyncio.to_thread(keys.find, request) if keys.slow else keys.find(request)
            keys.admit(caller, role)
        except Problem as problem:
            log.warning("api refused", status=problem.status, method=request.method, path=request.url.path,
                        peer=request.client.host if request.client else "-")  # fmt: skip
            raise
        if role == "operate":
            log.info("api", who=caller.name, method=request.method, path=request.url.path)
        return caller

    return admit


Sender = Annotated[Caller, Depends(caller_who("send"))]
Reader = Annotated[Caller, Depends(caller_who("read"))]
Operator = Annotated[Caller, Depends(caller_who("operate"))]


def make_app(settings: Api, routers: Sequence[APIRouter], clock: Callable[[], float] = time.monotonic) -> FastAPI:
    """The whole API. `app.state.keys` is replaced when keys change."""
    app = FastAPI(
        title="smppgw",
        version=__version__,
        description="Send messages, see what became of them, and operate the gateway.",
        docs_url=None,  # a page that loads from elsewhere
        redoc_url=None,
        responses=RESPONSES,
    )
    app.state.keys = Keys(settings, clock)
    problems.install(app)
    for router in routers:
        app.include_router(router)
    app.add_middleware(Limited, most=settings.max_body)
    return app


class Counted:
    """Counts answers by their HTTP status."""

    def __init__(self, app: ASGIApp, answers: Counter[int]) -> None:
        self._app = app
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answers[message["status"]] += 1
            await send(message)

        await self._app(scope, receive, counted)


class Followed:
    """Tells the door how far each request is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection: Connection = scope["state"].pop(CONNECTION)
        headers = dict(scope["headers"])
        connection.head()
        if b"transfer-encoding" not in headers and headers.get(b"content-length", b"0") == b"0":
            connection.whole()

        async def followed() -> Message:
            message: MutableMapping[str, Any] = await receive()
            if not message.get("more_body"):
                connection.whole()
            return message

        try:
            await self._app(scope, followed, send)
        finally:
            connection.answered()


class Limited:
    """Refuses a body that is too long before anybody reads it."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._most:
            await self._too_long()(scope, receive, send)
            return
        seen, answered = 0, False

        async def counted() -> Message:
            nonlocal seen
            message: MutableMapping[str, Any] = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise Problem(413, "The body is too long")
            return message

        async def answer(message: Message) -> None:
            """Whatever the application makes of what `counted` raised."""
            nonlocal answered
            if seen <= self._most:
                await send(message)
            elif not answered:
                answered = True
                await self._too_long()(scope, receive, send)

        await self._app(scope, counted, answer)

    def _too_long(self) -> ASGIApp:
        return Problem(413, "The body is too long", f"at most {self._most} octets").response()


class _Server(uvicorn.Server):
    """The gateway has the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ApiServer:
    """One port for as long as the gateway runs."""

    def __init__(self, settings: Api, app: FastAPI, door: Door | None = None) -> None:
        self._settings = settings
        self._app = app
        self.answers = Counter(dict.fromkeys(WATCHED, 0))
        """By status, since the start."""
        self._socket: socket.socket | None = None
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._door = door or Door("api", per_port=CONNECTIONS)

    def open(self) -> int:
        """The port that it listens on, where requests wait for `start`. OSError when it cannot be had."""
        settings = self._settings
        try:
            listening = socket.create_server((settings.host, settings.port), family=_family(settings.host), backlog=256)
        except OSError as error:
            raise OSError(f"cannot listen on {settings.host}:{settings.port} for [api]: {why(error)}") from error
        self._socket = listening
        return int(listening.getsockname()[1])

    async def prepare(self) -> None:
        """Ask for what is not there: FastAPI puts its routes together at the first request, in 50 ms that no message
        should wait for, out of objects that the collector need not look at later."""

        async def nothing() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def unheard(_message: Message) -> None:
            pass

        scope: Scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": "/", "raw_path": b"/", "root_path": "", "query_string": b"", "headers": [],
            "client": None, "server": None, "state": {},
        }  # fmt: skip
        await self._app(scope, nothing, unheard)

    def start(self) -> None:
        """Answer requests; after `open`."""
        settings, listening = self._settings, self._socket
        if listening is None:
            raise RuntimeError("open() comes first")
        config = uvicorn.Config(
            Counted(Followed(self._app), self.answers), log_config=None, access_log=False, lifespan="off", ws="none",
            timeout_graceful_shutdown=int(PATIENCE), timeout_keep_alive=30, backlog=256, server_header=False,
            proxy_headers=False,  # anybody can write X-Forwarded-For: who calls is who holds the connection
        )  # fmt: skip
        config.load()
        config.http_protocol_class = self._made(config.http_protocol_class, for_server(settings))
        self._server = _Server(config)
        self._task = asyncio.get_running_loop().create_task(self._server.serve([listening]), name="api")

    def _made(self, protocol: Callable[..., asyncio.Protocol], context: ssl.SSLContext | None) -> Any:
        """In place of a class of uvicorn's: its connections go through the door, and their requests know them."""

        def make(config: uvicorn.Config, server_state: Any, app_state: dict[str, Any], _loop: Any) -> asyncio.Protocol:
            def inner(connection: Connection) -> asyncio.Protocol:
                state = {**app_state, CONNECTION: connection}
                return protocol(config=config, server_state=server_state, app_state=state, _loop=_loop)

            return self._door.guard(inner, context)()

        return make

    async def stop(self) -> None:
        """Also when it never started."""
        if self._socket is not None and self._server is None:
            self._socket.close()
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(self._task, PATIENCE + 1.0)
        self._door.close()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
