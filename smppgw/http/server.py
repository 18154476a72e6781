"""The HTTP port for whoever watches the gateway: /metrics, /health and /ready."""

from collections.abc import Callable
from typing import Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from smppgw.doors import Site
from smppgw.reasons import why
from smppgw.settings import Http

PATIENCE = 1.0
"""Seconds that a scrape under way may take when the server stops."""


class Metrics(Protocol):
    """Where a scrape comes from."""

    async def text(self) -> bytes: ...


class HttpServer:
    """Everything on it is for reading only; it shows no secret and no address."""

    def __init__(self, settings: Http, metrics: Metrics, readiness: Callable[[], list[str]]) -> None:
        self._settings = settings
        self._metrics = metrics
        self._readiness = readiness
        """Reasons why the gateway should get no traffic now; none when it should."""
        self._site: Site | None = None

    async def start(self) -> int:
        """The port that it listens on; 0 when the config has it off. OSError when the port cannot be had."""
        if not self._settings.port:
            return 0
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._show_metrics),
                web.get("/health", self._show_health),
                web.get("/ready", self._show_ready),
            ]
        )
        site = Site("http", app, PATIENCE)
        try:
            port = await site.open(self._settings.host, self._settings.port)
        except OSError as error:
            where = f"{self._settings.host}:{self._settings.port}"
            raise OSError(f"cannot listen on {where} for [http]: {why(error)}") from error
        self._site = site
        return port

    async def stop(self) -> None:
        """Also when it never started."""
        site, self._site = self._site, None
        if site is not None:
            await site.close()

    async def _show_metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=await self._metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _show_health(self, _request: web.Request) -> web.Response:
        """To have answered is the proof: the process lives, and its loop turns."""
        return web.json_response({"alive": True})

    async def _show_ready(self, _request: web.Request) -> web.Response:
        reasons = self._readiness()
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)
