"""The console's port: static files, the gateway's recent state, and the admin API behind it."""

import math
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from smppgw.console import pages
from smppgw.console.guard import Sessions, is_ours
from smppgw.console.recent import Recent
from smppgw.console.upstream import Answer, Upstream, is_offered, problem
from smppgw.doors import Site
from smppgw.hosts import Hosts, is_loopback

COOKIE: Final = "smppgw-console"
MARK: Final = "X-Smppgw-Console"
"""A header that no form and no page of another origin can send: each change must carry it."""

READING: Final = frozenset({"GET", "HEAD"})
MOST_BODY: Final = 1 << 20
PATIENCE: Final = 1.0
"""Seconds that requests under way may take when it stops."""

OPEN: Final = frozenset({"/login", "/login.js", "/style.css", "/icon.svg"})
"""What one may have before the password."""


@dataclass(frozen=True, slots=True)
class Options:
    """Of one console."""

    host: str = "127.0.0.1"
    port: int = 8090
    password: str = ""
    names: Collection[str] = ()
    """Host names by which browsers reach it, besides those of loopback and `host`."""
    secure: bool = False
    """Browsers reach it by https, at a proxy before it."""

    @property
    def wrong(self) -> str:
        """Why it may not start so."""
        if not is_loopback(self.host) and not self.password:
            return "a console that others can reach needs a password: set SMPPGW_CONSOLE_PASSWORD"
        return ""


class Console:
    """One port for as long as it runs."""

    def __init__(self, options: Options, upstream: Upstream, recent: Recent) -> None:
        self._options = options
        self._upstream = upstream
        self._recent = recent
        self._files = pages.load()
        self._hosts = Hosts({*options.names, options.host})
        self._sessions = Sessions(options.password, time.monotonic)
        self._site: Site | None = None

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._guarded], client_max_size=MOST_BODY)
        app.router.add_get("/", self._file)
        app.router.add_get("/console/recent", self._show_recent)
        app.router.add_get("/console/about", self._show_about)
        app.router.add_get("/login", self._file)
        app.router.add_post("/login", self._login)
        app.router.add_post("/logout", self._logout)
        app.router.add_route("*", "/{path:v1/.*}", self._pass_on)
        app.router.add_get("/{path:.+}", self._file)
        return app

    async def start(self) -> int:
        """The port that it listens on. OSError when it cannot be had."""
        site = Site("console", self.app(), PATIENCE)
        port = await site.open(self._options.host, self._options.port)
        self._site = site
        self._recent.start()
        return port

    async def stop(self) -> None:
        await self._recent.stop()
        if self._site is not None:
            await self._site.close()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every request passes here, and every answer gets its headers here."""
        refused = self._refusal(request)
        try:
            response = refused if refused is not None else await handler(request)
        except web.HTTPException as error:
            response = _response(problem(error.status, error.reason))
        response.headers.update(pages.HEADERS)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response

    def _refusal(self, request: web.Request) -> web.Response | None:
        headers = request.headers
        authority = headers.get("Host", "")
        if not self._hosts.knows(authority):
            return _response(problem(421, "This console is not known by that name", "see --name"))
        if request.method not in READING:
            ours = is_ours(headers.get("Origin"), headers.get("Sec-Fetch-Site"), authority)
            if not ours or MARK not in headers:
                return _response(problem(403, "This did not come from the console's own page"))
        if request.path in OPEN or self._sessions.admits(request.cookies.get(COOKIE)):
            return None
        if request.path == "/":
            return web.Response(status=303, headers={"Location": "/login"})
        return _response(problem(401, "Log in first", "at /login"))

    async def _file(self, request: web.Request) -> web.Response:
        path = request.path.lstrip("/")
        file = self._files.get({"": "index.html", "login": "login.html"}.get(path, path))
        if file is None:
            raise web.HTTPNotFound
        headers = {"ETag": file.tag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == file.tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=file.body, content_type=file.type, charset="utf-8", headers=headers)

    async def _show_recent(self, request: web.Request) -> web.Response:
        try:
            since = float(request.query.get("since", "0"))
        except ValueError:
            since = math.nan
        if not math.isfinite(since):
            return _response(problem(422, "since is not a time"))
        response = web.Response(body=self._recent.since(since), content_type="application/json")
        response.enable_compression()
        return response

    async def _show_about(self, _request: web.Request) -> web.Response:
        return web.json_response({"login": self._sessions.needed})

    async def _pass_on(self, request: web.Request) -> web.Response:
        """What the gateway says is what the browser gets."""
        path = request.match_info["path"]
        raw = request.rel_url.raw_path.lstrip("/")
        if not is_offered(path) or not is_offered(raw):
            return _response(problem(404, "The console does not offer this"))
        body = await request.read()
        answer = await self._upstream.ask(request.method, raw, request.rel_url.raw_query_string, body)
        if request.method not in READING and answer.status < 400:
            await self._recent.look()  # who changed something wants to see it
        return _response(answer)

    async def _login(self, request: web.Request) -> web.Response:
        address = request.remote or ""
        if self._sessions.blocked(address):
            return _response(problem(429, "Too many wrong passwords", "wait a minute"))
        password = (await request.content.read(4096)).decode("utf-8", "replace")
        token = self._sessions.login(password, address)
        if token is None:
            return _response(problem(401, "The password is wrong"))
        response = web.Response(status=204)
        response.set_cookie(COOKIE, token, httponly=True, samesite="Strict", secure=self._options.secure, path="/")
        return response

    async def _logout(self, request: web.Request) -> web.Response:
        self._sessions.logout(request.cookies.get(COOKIE))
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/")
        return response


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers={"Content-Type": answer.type})
