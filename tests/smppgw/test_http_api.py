"""The API's port: who is let in, how much of a body is read, and how every error looks."""

import asyncio
import gc
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Request
from pydantic import BaseModel

from smppgw import passwords
from smppgw.doors import Door
from smppgw.http.api import ApiServer, Operator, Reader, Sender, make_app
from smppgw.passwords import hash_password
from smppgw.settings import Api, ApiKey, Limits

router = APIRouter()


class Body(BaseModel):
    number: int


@router.post("/send")
async def send(body: Body, caller: Sender) -> str:
    return f"{caller.name} {body.number}"


@router.get("/read")
async def read(caller: Reader) -> str:
    return caller.name


@router.post("/operate")
async def operate(caller: Operator) -> str:
    return caller.name


@router.get("/peer")
async def peer(request: Request) -> str:
    return request.client.host if request.client else ""


@router.get("/bug")
async def bug() -> str:
    raise RuntimeError("a bug")


def key(secret: str, *roles: str, **more: Any) -> ApiKey:
    return ApiKey.model_validate({"name": secret, "key": secret, "roles": roles, **more}, strict=False)


def client(*keys: ApiKey, peer: str = "192.0.2.1", max_body: int = 1024, clock: Any = lambda: 0.0) -> httpx.AsyncClient:
    app = make_app(Api(max_body=max_body, keys={each.name: each for each in keys}), [router], clock)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(peer, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://api")


async def asked(on: httpx.AsyncClient, method: str, path: str, secret: str = "", **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    answer = await on.request(method, path, headers=headers | more.pop("headers", {}), **more)
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
        assert answer.json()["title"]
    return answer


ALL = [key("s", "send"), key("r", "read"), key("o", "operate")]


@pytest.mark.parametrize(
    ("secret", "statuses"),
    [("s", (200, 403, 403)), ("r", (403, 200, 403)), ("o", (403, 200, 200)), ("", (401,) * 3), ("x", (401,) * 3)],
)
async def test_a_key_may_what_its_roles_say(secret: str, statuses: tuple[int, ...]) -> None:
    on = client(*ALL)
    found = [
        await asked(on, "POST", "/send", secret, json={"number": 1}),
        await asked(on, "GET", "/read", secret),
        await asked(on, "POST", "/operate", secret),
    ]
    assert tuple(answer.status_code for answer in found) == statuses
    if statuses[0] == 401:
        assert found[0].headers["WWW-Authenticate"] == "Bearer"


async def test_without_any_key_this_machine_may_read_and_nobody_may_more() -> None:
    here, there = client(peer="127.0.0.1"), client()
    here.base_url = httpx.URL("http://localhost:8080")
    assert (await asked(here, "GET", "/read")).status_code == 200
    assert (await asked(here, "POST", "/operate")).status_code == 403
    assert (await asked(here, "POST", "/send", json={"number": 1})).status_code == 403
    assert (await asked(here, "GET", "/read", "x")).status_code == 401
    assert (await asked(there, "GET", "/read")).status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8080", 200), ("[::1]:8080", 200), ("evil.example", 403), ("127.0.0.1.evil.example:8080", 403)],
)
async def test_without_any_key_no_page_elsewhere_reads_by_a_name_that_leads_here(host: str, status: int) -> None:
    here = client(peer="127.0.0.1")
    assert (await asked(here, "GET", "/read", headers={"Host": host})).status_code == status


async def test_with_a_key_this_machine_is_like_any_other() -> None:
    assert (await asked(client(*ALL, peer="127.0.0.1"), "GET", "/read")).status_code == 401


async def test_a_hashed_key_is_known() -> None:
    on = client(ApiKey(name="h", key_hash=hash_password("word", iterations=1000), roles=("read",)))
    assert (await asked(on, "GET", "/read", "word")).status_code == 200
    assert (await asked(on, "GET", "/read", "another")).status_code == 401
    assert (await asked(on, "GET", "/read", headers={"X-API-Key": "word"})).status_code == 200


async def test_wrong_keys_block_an_address_for_a_while_and_none_that_was_right_before() -> None:
    now = [0.0]
    hashed = {name: hash_password(name, iterations=1000) for name in ("used", "new")}
    keys = [ApiKey(name=name, key_hash=each, roles=("read",)) for name, each in hashed.items()]
    on = client(*keys, key("plain", "read"), clock=lambda: now[0])
    assert (await asked(on, "GET", "/read", "used")).status_code == 200
    most = Limits().auth_failures
    statuses = [(await asked(on, "GET", "/read", f"wrong {n}")).status_code for n in range(most + 2)]
    assert statuses == [401] * most + [429] * 2
    assert passwords.known(f"wrong {most}".encode(), hashed["new"]) is None
    statuses = [(await asked(on, "GET", "/read", secret)).status_code for secret in ("used", "plain", "new")]
    assert statuses == [200, 200, 429]
    assert (await asked(on, "GET", "/read")).status_code == 401
    now[0] += float((await asked(on, "GET", "/read", "new")).headers["Retry-After"])
    assert (await asked(on, "GET", "/read", "new")).status_code == 200


async def test_above_its_rate_a_key_waits() -> None:
    now = [0.0]
    on = client(key("r", "read", rate=1.0, burst=2.0), clock=lambda: now[0])
    statuses = [(await asked(on, "GET", "/read", "r")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    late = await asked(on, "GET", "/read", "r")
    now[0] += float(late.headers["Retry-After"])
    assert (await asked(on, "GET", "/read", "r")).status_code == 200


async def chunks(octets: int) -> AsyncIterator[bytes]:
    yield b'{"number": 1'
    yield b" " * octets
    yield b"}"


@pytest.mark.parametrize(("octets", "status"), [(100, 200), (2000, 413)])
async def test_a_body_has_a_limit_whether_it_says_its_length_or_not(octets: int, status: int) -> None:
    on = client(*ALL)
    json = {"Content-Type": "application/json"}
    body = b"".join([chunk async for chunk in chunks(octets)])
    assert (await asked(on, "POST", "/send", "s", content=body, headers=json)).status_code == status
    assert (await asked(on, "POST", "/send", "s", content=chunks(octets), headers=json)).status_code == status


async def test_every_error_names_its_field_and_no_value() -> None:
    answer = await asked(client(*ALL), "POST", "/send", "s", json={"number": "a secret"})
    assert [error["field"] for error in answer.json()["errors"]] == ["number"]
    assert "a secret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("DELETE", "/read", 405), ("GET", "/bug", 500)]
)
async def test_what_is_not_there_and_what_breaks_are_problems_too(method: str, path: str, status: int) -> None:
    answer = await asked(client(*ALL), method, path, "r")
    assert answer.status_code == status
    assert "Traceback" not in answer.text


async def test_a_port_is_taken_before_it_answers_and_given_back() -> None:
    server = ApiServer(Api(port=0), make_app(Api(), [router]))
    port = server.open()
    other = ApiServer(Api(port=port), make_app(Api(), [router]))
    with pytest.raises(OSError, match=r"\[api\]"):
        other.open()
    server.start()
    async with httpx.AsyncClient() as web:
        assert (await web.get(f"http://127.0.0.1:{port}/read")).status_code == 200
    await server.stop()
    assert other.open() == port
    await other.stop()


async def test_what_the_first_request_would_put_together_is_there_before_it() -> None:
    def kept() -> int:
        gc.collect()
        return len(gc.get_objects())

    many = APIRouter()
    for number in range(50):
        many.add_api_route(f"/{number}", peer)
    made = []
    for prepared in (False, True):
        app = make_app(Api(), [many])
        server = ApiServer(Api(port=0), app)
        if prepared:
            await server.prepare()
        before = kept()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as web:
            assert (await web.get("/none")).status_code == 404
        made.append(kept() - before)
        assert not server.answers.total()
    assert made[1] < made[0] / 20


async def test_nobody_says_for_himself_where_he_calls_from() -> None:
    server = ApiServer(Api(port=0), make_app(Api(), [router]))
    port = server.open()
    server.start()
    async with httpx.AsyncClient() as web:
        answer = await web.get(f"http://127.0.0.1:{port}/peer", headers={"X-Forwarded-For": "192.0.2.7"})
    await server.stop()
    assert answer.json() == "127.0.0.1"


@asynccontextmanager
async def served(door: Door) -> AsyncIterator[int]:
    server = ApiServer(Api(port=0), make_app(Api(), [router]), door)
    port = server.open()
    server.start()
    yield port
    await server.stop()


async def closed(*streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    for _, writer in streams:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


UNFINISHED = (
    b"", b"GET /read HT", b"POST /send HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
    b"POST /send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
)  # fmt: skip


@pytest.mark.parametrize("octets", UNFINISHED)
async def test_who_does_not_say_all_of_a_request_keeps_nobody_out(octets: bytes) -> None:
    async with served(Door("test", per_port=3)) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for _, writer in silent:
            writer.write(octets)
        async with httpx.AsyncClient() as web:
            for _ in range(5):
                assert (await web.get(f"http://127.0.0.1:{port}/read")).status_code == 200
        assert await silent[0][0].read() == b""
        await closed(*silent)


@pytest.mark.parametrize("octets", UNFINISHED)
async def test_a_request_has_to_come_in_time(octets: bytes) -> None:
    async with served(Door("test", head_within=0.2, body_within=0.2)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(octets)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        await closed((reader, writer))


async def test_connections_are_kept_between_requests() -> None:
    async with served(Door("test", head_within=0.1, body_within=0.1)) as port:
        kept = await asyncio.open_connection("127.0.0.1", port)
        silent = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            kept[1].write(b"GET /read HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = await kept[0].readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            size = re.search(rb"content-length: (\d+)", head)
            assert size is not None
            await kept[0].readexactly(int(size[1]))
            assert await silent[0].read() == b""
            await closed(silent)
            silent = await asyncio.open_connection("127.0.0.1", port)
        await closed(kept, silent)
