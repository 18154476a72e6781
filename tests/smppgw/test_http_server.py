"""The HTTP port answers those who watch the gateway, whatever they send."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client import CONTENT_TYPE_LATEST

from smppgw.http.server import HttpServer
from smppgw.ports import free_port
from smppgw.settings import Http


class Numbers:
    async def text(self) -> bytes:
        return b"smppgw_store_up 1.0\n"


@pytest.fixture
async def reasons() -> list[str]:
    """Why the gateway is not ready; tests add to it."""
    return []


@pytest.fixture
async def port(reasons: list[str]) -> AsyncIterator[int]:
    server = HttpServer(Http(port=free_port()), Numbers(), lambda: reasons)
    yield await server.start()
    await server.stop()


async def get(port: int, path: str) -> tuple[int, str, bytes]:
    """Status, content type and body."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as response,
    ):
        return response.status, response.headers["Content-Type"], await response.read()


async def test_a_scrape_gets_the_text_format(port: int) -> None:
    assert await get(port, "/metrics") == (200, CONTENT_TYPE_LATEST, b"smppgw_store_up 1.0\n")


async def test_who_asks_for_its_health_learns_that_it_lives(port: int, reasons: list[str]) -> None:
    reasons.append("store: disk full")
    status, _, body = await get(port, "/health")
    assert (status, json.loads(body)) == (200, {"alive": True})


async def test_it_is_ready_until_there_is_a_reason_why_not(port: int, reasons: list[str]) -> None:
    status, _, body = await get(port, "/ready")
    assert (status, json.loads(body)) == (200, {"ready": True, "reasons": []})
    reasons += ["starting or stopping", "store: disk full"]
    status, _, body = await get(port, "/ready")
    assert (status, json.loads(body)) == (503, {"ready": False, "reasons": reasons})
    reasons.clear()
    assert (await get(port, "/ready"))[0] == 200


async def test_nothing_else_is_there(port: int) -> None:
    assert (await get(port, "/"))[0] == 404


async def raw(port: int, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = await reader.read(12)
    writer.close()
    return answer


@pytest.mark.parametrize(
    "sent",
    [b"\x00\x00\x00\x10\x00\x00\x00\x15\x00\x00\x00\x00\x00\x00\x00\x01\r\n\r\n", b"GET /metrics HTTP/9.9.9\r\n\r\n"],
)
async def test_what_is_not_http_is_refused_and_the_next_is_served(port: int, sent: bytes) -> None:
    assert await raw(port, sent) == b"HTTP/1.0 400"
    assert (await get(port, "/health"))[0] == 200


async def test_the_port_may_be_off() -> None:
    server = HttpServer(Http(port=0), Numbers(), list)
    assert await server.start() == 0
    await server.stop()


async def test_a_port_in_use_is_an_error_of_the_start(port: int) -> None:
    server = HttpServer(Http(port=port), Numbers(), list)
    with pytest.raises(OSError, match="in use"):
        await server.start()
    await server.stop()


async def test_a_client_that_stays_does_not_hold_up_the_end(reasons: list[str]) -> None:
    server = HttpServer(Http(port=free_port()), Numbers(), lambda: reasons)
    port = await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /hea")
    async with asyncio.timeout(5):
        await server.stop()
        assert await reader.read() == b""
    writer.close()
