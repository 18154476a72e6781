"""A gateway with a group behind it, its console, and a real Chromium that looks at it."""

import asyncio
import contextlib
import math
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Request,
    ViewportSize,
    async_playwright,
    expect,
)

from smppgw.ports import free_port
from tests.endtoend.conftest import Serve, Simulate, join, serve, simulate  # noqa: F401  fixtures
from tests.endtoend.esme import Esme
from tests.endtoend.running import Running
from tests.kit import PATIENCE, SMPPGW, Process, relay_config

KEYS = {"operator": "operator-key-1", "reader": "reader-key-1", "shop": "shop-key-1"}

expect.set_options(timeout=1000 * PATIENCE)

NAMES = ("tokyo1", "tokyo2", "osaka")

DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}

Open = Callable[..., Awaitable["Console"]]
"""open(gateway, key="operator"): a console that reads this gateway."""

Look = Callable[..., Awaitable[Page]]
"""look(console, size=DESK, dark=False): a page that shows it."""


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Console:
    """`smppgw console` as a process."""

    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url


def two_and_one(one: int, two: int, zero: int, **over: Any) -> dict[str, Any]:
    """Two connectors share the load, a third stands by, each to its port; the API is on, and history is kept."""
    config = relay_config(one, **over)
    up = config["connectors"].pop("up") | {"rebind": ["100ms", "300ms"], "rate": 200}
    config["connectors"] = {name: up | {"port": port} for name, port in zip(NAMES, (one, two, zero), strict=True)}
    config["groups"] = {
        "domestic": {
            "active": ["tokyo1", "tokyo2"],
            "backup": ["osaka"],
            "backup_after": "1s",
            "hand_back_after": "60s",
        }
    }
    config["routes"] = [
        {"name": "osaka only", "to": "osaka", "match": {"destination": "8106*"}},
        {"name": "domestic", "to": "domestic", "match": {"destination": "81*"}},
    ]
    config["api"] = {
        "port": free_port(),
        "keys": {
            "operator": {"key": KEYS["operator"], "roles": ["operate"]},
            "reader": {"key": KEYS["reader"], "roles": ["read"]},
        },
    }
    config["history"] = {"engine": "sqlite", "path": "history.db", "bodies": "keep"}
    return config


@pytest.fixture
async def open_console(serve: Serve) -> AsyncIterator[Open]:  # noqa: F811
    opened: list[Console] = []

    async def open_console(gateway: Running, key: str = "operator", **env: str) -> Console:
        port = free_port()
        api = gateway.gateway.config["api"]["port"]
        command: list[str | Path] = [SMPPGW, "console", "--url", f"http://127.0.0.1:{api}", "--port", str(port)]
        process = Process(command, name="console", env={"SMPPGW_KEY": KEYS[key], **env})
        console = Console(process, f"http://127.0.0.1:{port}")
        opened.append(console)
        await asyncio.to_thread(process.expect_line, "^listening on ")
        return console

    yield open_console
    for console in opened:
        console.process.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("there is no Chromium: scripts/setup installs Debian's")
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = await playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def load(esme: Esme, pause: float = 0.01) -> AsyncIterator[None]:
    """Messages go on as long as this lasts."""

    async def go_on() -> None:
        for n in range(100_000):
            await esme.submit(f"8190{n:08}")
            await asyncio.sleep(pause * (1.0 + 0.8 * math.sin(n / 300)))

    task = asyncio.create_task(go_on())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


class Watch:
    """What a page does that none may do: ask somebody else, break its policy, fail in its script."""

    def __init__(self, url: str, wrong: list[str]) -> None:
        self._url = url
        self._wrong = wrong

    def on(self, page: Page) -> None:
        page.on("pageerror", self._failed)
        page.on("request", self._asked)
        page.on("console", self._said)

    def _failed(self, error: Error) -> None:
        self._wrong.append(str(error))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(self._url):
            self._wrong.append(request.url)

    def _said(self, said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            self._wrong.append(said.text)


@pytest.fixture
async def look(browser: Browser) -> AsyncIterator[Look]:
    wrong: list[str] = []

    async def look(console: Console, size: ViewportSize = DESK, *, dark: bool = False, path: str = "/") -> Page:
        context = await browser.new_context(
            viewport=size, color_scheme="dark" if dark else "light", locale="en-GB",
            device_scale_factor=2 if size is PHONE else 1,
        )  # fmt: skip
        context.set_default_timeout(1000 * PATIENCE)
        page = await context.new_page()
        Watch(console.url, wrong).on(page)
        await page.goto(console.url + path)
        return page

    yield look
    assert not wrong
