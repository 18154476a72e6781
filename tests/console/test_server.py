"""The console's port before a gateway that writes down what it is asked: what passes, what does not."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from smppgw.console.recent import Recent
from smppgw.console.server import COOKIE, MARK, Console, Options
from smppgw.console.upstream import MOST, Upstream, is_offered
from smppgw.ports import free_port

KEY = "a-key-that-no-browser-sees"
OURS = {MARK: "1", "Sec-Fetch-Site": "same-origin"}


class Api:
    """In the place of the gateway's."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, bytes]] = []
        self.body = b'{"is": "so"}'

    async def answer(self, request: web.Request) -> web.Response:
        key = request.headers.get("Authorization", "")
        self.asked.append((request.method, request.raw_path, key, await request.read()))
        if request.path.endswith("/moved"):
            return web.Response(status=302, headers={"Location": "/v1/admin/elsewhere"})
        return web.Response(body=self.body, content_type="application/json", headers={"Set-Cookie": "a=b"})

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.asked]


@pytest.fixture
async def api() -> AsyncIterator[tuple[Api, int]]:
    api = Api()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", api.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield api, runner.addresses[0][1]
    await runner.cleanup()


class Visitor:
    """Reads all that it is answered: what is left unread keeps its connection."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.close = self._session.close

    async def request(self, method: str, url: str | URL, **more: Any) -> aiohttp.ClientResponse:
        async with self._session.request(method, url, **more) as answer:
            await answer.read()
        return answer

    async def get(self, url: str | URL, **more: Any) -> aiohttp.ClientResponse:
        return await self.request("GET", url, **more)

    async def post(self, url: str | URL, **more: Any) -> aiohttp.ClientResponse:
        return await self.request("POST", url, **more)


Made = tuple[Visitor, str]
Make = Callable[..., Awaitable[Made]]


@pytest.fixture
async def make(api: tuple[Api, int]) -> AsyncIterator[Make]:
    ends: list[Callable[[], Awaitable[Any]]] = []

    async def make(api_port: int | None = None, **options: Any) -> Made:
        upstream = Upstream(f"http://127.0.0.1:{api_port or api[1]}", KEY)
        await upstream.__aenter__()
        recent = Recent(upstream)
        console = Console(Options(port=0, **options), upstream, recent)
        port = await console.start()
        visitor = Visitor()
        ends.extend([visitor.close, console.stop, lambda: upstream.__aexit__(None, None, None)])
        return visitor, f"http://127.0.0.1:{port}"

    yield make
    for end in ends:
        await end()


async def test_every_answer_keeps_the_browser_at_home(make: Make) -> None:
    visitor, url = await make()
    for path in ("/", "/app.js", "/nothing", "/v1/admin/overview", "/console/recent"):
        answer = await visitor.get(url + path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_the_key_goes_to_the_gateway_and_nowhere_else(make: Make, api: tuple[Api, int]) -> None:
    visitor, url = await make()
    answer = await visitor.get(
        URL(f"{url}/v1/admin/accounts?name=a%2Fb", encoded=True), headers={"Authorization": "Bearer of the browser"}
    )
    assert await answer.json() == {"is": "so"}
    assert ("GET", "/v1/admin/accounts?name=a%2Fb", f"Bearer {KEY}", b"") in api[0].asked
    assert KEY not in str(answer.headers)
    assert "Set-Cookie" not in answer.headers
    for path in ("/", "/app.js", "/console/recent", "/console/about"):
        assert KEY not in await (await visitor.get(url + path)).text()


async def test_a_change_passes_when_it_came_from_our_page(make: Make, api: tuple[Api, int]) -> None:
    visitor, url = await make()
    answer = await visitor.post(f"{url}/v1/admin/connectors/a%2Fb/drain", data=b"{}", headers=OURS)
    assert answer.status == 200
    assert ("POST", "/v1/admin/connectors/a%2Fb/drain", f"Bearer {KEY}", b"{}") in api[0].asked


async def test_what_a_change_did_is_seen_at_once(make: Make, api: tuple[Api, int]) -> None:
    visitor, url = await make()
    await visitor.post(f"{url}/v1/admin/connectors/a/drain", headers=OURS)
    after = api[0].paths[api[0].paths.index("/v1/admin/connectors/a/drain") + 1 :]
    assert "/v1/admin/overview" in after


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {MARK: "1", "Sec-Fetch-Site": "cross-site"},
        {MARK: "1", "Sec-Fetch-Site": "same-site"},
        {MARK: "1", "Origin": "http://evil.example"},
        {MARK: "1", "Origin": "null"},
    ],
)
async def test_a_change_from_anywhere_else_does_not(make: Make, api: tuple[Api, int], headers: dict[str, str]) -> None:
    visitor, url = await make()
    for method in ("POST", "PATCH", "DELETE", "PUT"):
        answer = await visitor.request(method, f"{url}/v1/admin/connectors/a/drain", headers=headers)
        assert answer.status == 403
    assert not any("drain" in path for path in api[0].paths)


async def test_a_name_that_is_made_to_lead_here_is_refused(make: Make) -> None:
    visitor, url = await make()
    for name in ("evil.example", "evil.example:8090"):
        answer = await visitor.get(f"{url}/v1/admin/overview", headers={"Host": name})
        assert answer.status == 421


async def test_a_name_that_was_given_is_known(make: Make) -> None:
    visitor, url = await make(names=("console.example",))
    assert (await visitor.get(url, headers={"Host": "console.example"})).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "v1/messages",
        "v1/",
        "v1/admin/../messages",
        "v1/admin/%2e%2e/messages",
        "v1/admin//x",
        "v1/admin/capture",
        "openapi.json",
    ],
)
async def test_only_what_is_offered_is_passed_on(make: Make, api: tuple[Api, int], path: str) -> None:
    visitor, url = await make()
    answer = await visitor.get(URL(f"{url}/{path}", encoded=True))
    assert answer.status == 404
    assert all(
        asked.startswith(("/v1/admin/overview", "/v1/admin/connectors", "/v1/admin/groups")) for asked in api[0].paths
    )


@pytest.mark.parametrize("path", ["v1/admin/..", "v1/admin/x/..", "v1/admin/./x", "v1/admin/a\\..\\b", "", "v1"])
def test_no_path_leads_out(path: str) -> None:
    assert not is_offered(path)


async def test_a_redirect_is_not_followed(make: Make, api: tuple[Api, int]) -> None:
    visitor, url = await make()
    answer = await visitor.get(f"{url}/v1/admin/moved", allow_redirects=False)
    assert answer.status == 302
    assert "/v1/admin/elsewhere" not in api[0].paths


async def test_a_gateway_that_is_not_there_is_a_problem_with_words(make: Make) -> None:
    visitor, url = await make(free_port())
    answer = await visitor.get(f"{url}/v1/admin/overview")
    assert answer.status == 502
    assert (await answer.json(content_type="application/problem+json"))[
        "title"
    ] == "The gateway's API cannot be reached"


async def test_an_endless_answer_has_an_end(make: Make, api: tuple[Api, int]) -> None:
    api[0].body = b"x" * (MOST + 1)
    visitor, url = await make()
    assert (await visitor.get(f"{url}/v1/admin/accounts")).status == 502


async def test_a_time_that_is_none_is_refused(make: Make) -> None:
    visitor, url = await make()
    for since in ("nan", "inf", "yesterday"):
        assert (await visitor.get(f"{url}/console/recent?since={since}")).status == 422


async def test_files_are_asked_for_once(make: Make) -> None:
    visitor, url = await make()
    answer = await visitor.get(f"{url}/style.css")
    again = await visitor.get(f"{url}/style.css", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


async def test_with_a_password_nothing_is_shown_before_it(make: Make, api: tuple[Api, int]) -> None:
    visitor, url = await make(password="3 a.m.")
    for path in ("/v1/admin/accounts", "/console/recent", "/console/about", "/app.js", "/pages/overview.js"):
        assert (await visitor.get(url + path)).status == 401
    answer = await visitor.get(f"{url}/", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/login")
    assert (await visitor.post(f"{url}/login", data=b"noon", headers=OURS)).status == 401
    assert "/v1/admin/accounts" not in api[0].paths

    answer = await visitor.post(f"{url}/login", data=b"3 a.m.", headers=OURS)
    cookie = answer.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    assert (await visitor.get(f"{url}/v1/admin/accounts")).status == 200
    await visitor.post(f"{url}/logout", headers=OURS)
    assert (await visitor.get(f"{url}/v1/admin/accounts")).status == 401


async def test_guessing_the_password_is_stopped(make: Make) -> None:
    visitor, url = await make(password="3 a.m.")
    said = [(await visitor.post(f"{url}/login", data=b"?", headers=OURS)).status for _ in range(7)]
    assert said == [401] * 5 + [429] * 2
    assert (await visitor.post(f"{url}/login", data=b"3 a.m.", headers=OURS)).status == 429


def test_others_reach_it_only_with_a_password() -> None:
    assert Options(host="0.0.0.0").wrong
    assert not Options(host="0.0.0.0", password="3 a.m.").wrong
    assert not Options().wrong
