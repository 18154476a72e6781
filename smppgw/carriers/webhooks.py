"""The port that carriers send their notifications to: one path for each connector, and 200 only for what is on disk."""

import asyncio
import base64
import binascii
import hmac
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Protocol

import structlog
from aiohttp import web

from protocol.consts import Status
from smppgw.carriers.contract import Carrier, Hook, HookRefused
from smppgw.carriers.hearing import Hearing
from smppgw.carriers.settings import CarrierSettings
from smppgw.doors import Site
from smppgw.reasons import why
from smppgw.seldom import Seldom
from smppgw.settings import Network, Webhooks
from smppgw.tls import for_server

log = structlog.get_logger()

SAFE_WITHIN = 5.0
"""Seconds after which a notification that is not on disk is refused: a disk that slow is as good as none."""

BODY_WITHIN = 10.0
"""Seconds that a notification may take to come: it is a few hundred octets."""

PATIENCE = 1.0
"""Seconds that requests under way may take when the server stops."""


class Notified(Protocol):
    """A connector, as its webhook sees it."""

    @property
    def name(self) -> str: ...
    @property
    def settings(self) -> CarrierSettings: ...
    @property
    def carrier(self) -> Carrier: ...
    @property
    def hearing(self) -> Hearing: ...


class Answered:
    """Tells the request that waits for it what to answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.status: asyncio.Future[int] = loop.create_future()

    def accepted(self) -> None:
        self._set(200)

    def refused(self, status: int) -> None:
        self._set(200 if status == Status.RX_P_APPN else 503)

    def _set(self, status: int) -> None:
        if not self.status.done():
            self.status.set_result(status)


class WebhookServer:
    """Finds the connector by the path; who may call, and what it says, is the connector's matter."""

    def __init__(self, settings: Webhooks, connectors: Callable[[], Mapping[str, Notified]]) -> None:
        self._settings = settings
        self._connectors = connectors
        """By their webhook_path; looked up anew each time, because a reload replaces them."""
        self._site: Site | None = None
        self._seldom = Seldom()

    async def start(self) -> int:
        """The port that it listens on; 0 when the config has it off. OSError when the port cannot be had."""
        settings = self._settings
        if not settings.port:
            return 0
        app = web.Application(client_max_size=settings.max_body)
        app.router.add_route("*", "/{path:.*}", self._serve)
        site = Site("webhooks", app, PATIENCE)
        try:
            port = await site.open(settings.host, settings.port, for_server(settings), backlog=1024)
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise OSError(f"cannot listen on {where} for [webhooks]: {why(error)}") from error
        self._site = site
        return port

    async def stop(self) -> None:
        """Also when it never started."""
        site, self._site = self._site, None
        if site is not None:
            await site.close()

    async def _serve(self, request: web.Request) -> web.Response:
        connector = self._connectors().get(request.path)
        if connector is None:
            return web.Response(status=404, text="no connector has this webhook_path\n")
        try:
            self._admit(request, connector.settings)
            body = await _body(request)
            heard = connector.carrier.hear(_hook(request, body, connector.settings))
        except HookRefused as refused:
            connector.hearing.counts.notifications[refused.status] += 1
            now = asyncio.get_running_loop().time()
            left_out = self._seldom.due((connector.name, refused.reason, request.remote), now)
            if left_out is not None:
                log.warning(
                    "notification refused", connector=connector.name, status=refused.status, reason=refused.reason,
                    peer=request.remote, left_out=left_out,
                )  # fmt: skip
            headers = {"WWW-Authenticate": 'Basic realm="smppgw"'} if refused.status == 401 else None
            return web.Response(status=refused.status, text=f"{refused.reason}\n", headers=headers)
        loop = asyncio.get_running_loop()
        answered = Answered(loop)
        connector.hearing.hear(heard, answered)
        limit = loop.call_later(SAFE_WITHIN, answered.refused, Status.RX_T_APPN)
        try:
            status = await answered.status
        finally:
            limit.cancel()
        connector.hearing.counts.notifications[status] += 1
        if status != 200:
            return web.Response(status=status, text="not now\n", headers={"Retry-After": "1"})
        thanks, kind = connector.carrier.thanks
        return web.Response(body=thanks, content_type=kind)

    def _admit(self, request: web.Request, settings: CarrierSettings) -> None:
        address = self._address(request)
        if not _inside(address, settings.webhook_networks):
            raise HookRefused(403, f"{address} is in none of webhook_networks")
        if settings.webhook_user and not _authorized(request, settings):
            raise HookRefused(401, "wrong user or password")

    def _address(self, request: web.Request) -> str:
        """Of the caller; behind our proxies the last one that is none of them."""
        address = request.remote or ""
        passed = [each.strip() for each in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")]
        while passed and passed[-1] and _inside(address, self._settings.proxies):
            address = passed.pop()
        return address


def _inside(address: str, networks: Sequence[Network]) -> bool:
    peer = _peer(address)
    return peer is not None and any(peer in network for network in networks)


@lru_cache(maxsize=1000)
def _peer(address: str) -> IPv4Address | IPv6Address | None:
    try:
        peer = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(peer, "ipv4_mapped", None) or peer


def _authorized(request: web.Request, settings: CarrierSettings) -> bool:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        given = b""
    wanted = f"{settings.webhook_user}:{settings.webhook_password.get_secret_value()}".encode()
    return hmac.compare_digest(given, wanted)


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_WITHIN):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise HookRefused(413, "the body is longer than [webhooks] max_body") from None
    except web.RequestPayloadError:
        raise HookRefused(400, "the body is not in the encoding that its head names") from None
    except TimeoutError:
        raise HookRefused(400, f"the body did not come within {BODY_WITHIN:g} seconds") from None


def _hook(request: web.Request, body: bytes, settings: CarrierSettings) -> Hook:
    query = request.rel_url.raw_query_string
    # A query of webhook_url comes back with the call: it is not added to itself.
    url = (settings.webhook_url or str(request.url)).partition("?")[0]
    if query:
        url += f"?{query}"
    return Hook(request.method, url, list(request.query.items()), request.headers, body)
