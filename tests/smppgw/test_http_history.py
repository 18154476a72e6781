"""The API tells what happened to which message, to whom it concerns."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from smppgw.history.engines import open_database
from smppgw.history.events import Kind, Note
from smppgw.http import history
from smppgw.http.api import make_app
from smppgw.settings import Api, ApiKey, HistoryConfig
from tests.smppgw.postgres import postgres
from tests.smppgw.test_history_database import NOW, accepted, minted, story

KEYS = {
    "eye": ApiKey(name="eye", key=SecretStr("eye"), roles=("read",)),
    "shop": ApiKey(name="shop", key=SecretStr("shop"), roles=("read",), accounts=("demo", "third")),
    "sender": ApiKey(name="sender", key=SecretStr("sender"), roles=("send",)),
}


def sent(id: int, upstream: bytes = b"4F21") -> Note:
    return NOW, id, int(Kind.SENT), (b"up", (upstream,), 1)


class Asking:
    def __init__(self, http: httpx.AsyncClient, settings: HistoryConfig) -> None:
        self._http = http
        self._settings = settings

    def write(self, notes: list[Note]) -> None:
        settings = self._settings
        database = open_database(settings.engine, settings.path, settings.url.get_secret_value(), writing=True)
        database.write(notes)
        database.close()

    async def ask(self, path: str, key: str = "eye", **query: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return await self._http.get(f"/v1/history/messages{path}", params=query, headers=headers)

    async def ids(self, key: str = "eye", **query: Any) -> list[int]:
        """Which of the messages there are, by their number."""
        answer = await self.ask("", key, **query)
        assert answer.status_code == 200, answer.text
        return [int(each["id"], 16) - minted(NOW) for each in answer.json()["messages"]]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


def filled(settings: HistoryConfig) -> HistoryConfig:
    database = open_database(settings.engine, settings.path, settings.url.get_secret_value(), writing=True)
    database.prune(NOW * 2)
    mo = ("demo", b"8190", b"12345", 0, 2, b"hi", "up")
    database.write(
        [*story(minted(NOW)), accepted(minted(NOW, 1), account="other"), (NOW, minted(NOW, 2), int(Kind.MO), mo)]
    )
    database.write([accepted(minted(NOW, 3), account="third", to=b"7")])
    database.close()
    return settings


@pytest.fixture(params=["sqlite", "postgres"])
async def asking(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Asking]:
    url = request.getfixturevalue("server") if request.param == "postgres" else ""
    settings = filled(
        HistoryConfig(engine=request.param, path=str(tmp_path / "h.db"), url=SecretStr(url), bodies="keep")
    )
    async for each in _asking(settings):
        yield each


async def _asking(settings: HistoryConfig) -> AsyncIterator[Asking]:
    app = make_app(Api(keys=KEYS), [history.router(settings)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway") as http:
        yield Asking(http, settings)


async def test_messages_are_found_by_everything_that_is_known_of_them(asking: Asking) -> None:
    assert await asking.ids() == [3, 2, 1, 0]
    assert await asking.ids(number="8190") == [2, 1, 0]
    assert await asking.ids(number="+8190", account="demo") == [2, 0]
    assert await asking.ids(id="4F21") == [0]
    assert await asking.ids(id=f"{minted(NOW, 1):016x}") == [1]
    assert await asking.ids(limit=1) == [3]
    assert await asking.ids(since="2026-11-18T00:00:00Z") == [3, 2, 1, 0]
    assert await asking.ids(until="2026-11-18T00:00:00Z") == []
    assert await asking.ids(number="' OR 1=1 --") == []
    assert await asking.ids(until="1970-01-01T00:00:00Z") == []


async def test_a_timeline_is_told_in_order_with_words(asking: Asking) -> None:
    told = (await asking.ask(f"/{minted(NOW):016x}")).json()
    assert [each["kind"] for each in told["events"]] == ["accepted", "later", "sent", "receipt", "delivered"]
    assert told["events"][1]["words"] == "refused for now  status=RTHROTTLED attempts=1"
    assert (told["text_hex"], told["text"]) == ("00ff", "\xff")
    assert (await asking.ask(f"/{minted(NOW, 2):016x}")).json()["text"] == "hi"


async def test_a_key_with_accounts_sees_the_messages_of_those_alone(asking: Asking) -> None:
    assert await asking.ids("shop") == [3, 2, 0]
    assert await asking.ids("shop", limit=2) == [3, 2]
    assert await asking.ids("shop", account="demo") == [2, 0]
    assert (await asking.ask("", "shop", account="other")).status_code == 403
    assert (await asking.ask(f"/{minted(NOW, 1):016x}", "shop")).status_code == 404


async def test_what_is_not_there_or_not_allowed_is_refused_in_words(asking: Asking) -> None:
    assert (await asking.ask("/nothing")).json()["title"] == "History knows no such message"
    assert (await asking.ask("", "sender")).status_code == 403
    assert (await asking.ask("", "wrong")).status_code == 401
    for when in ("yesterday", "2026-11-18T00:00:00"):
        problem = (await asking.ask("", since=when)).json()
        assert (problem["status"], problem["errors"][0]["field"]) == (422, "since")
    assert (await asking.ask("", limit=0)).status_code == 422


async def test_a_key_finds_its_own_message_among_any_number_of_others_with_that_upstream_id(asking: Asking) -> None:
    crowd = [note for n in range(10, 120) for note in (accepted(minted(NOW, n), account="other"), sent(minted(NOW, n)))]
    asking.write(crowd)
    found = await asking.ask("/4F21", "shop")
    assert (found.status_code, found.json()["id"]) == (200, f"{minted(NOW):016x}")


async def test_our_id_is_found_before_an_upstreams_that_looks_like_it(asking: Asking) -> None:
    ours = f"{minted(NOW):016x}"
    asking.write([accepted(minted(NOW, 9)), sent(minted(NOW, 9), ours.encode())])
    assert (await asking.ask(f"/{ours}")).json()["id"] == ours
    assert (await asking.ask(f"/{ours.upper()}", "shop")).json()["id"] == ours


@pytest.mark.parametrize("path", ["", "/%00"])
async def test_control_characters_are_refused_by_their_field(asking: Asking, path: str) -> None:
    for field in ("account", "id", "number"):
        answer = await asking.ask(path, **({} if path else {field: "a\0b"}))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "id" if path else field)


async def test_a_history_without_its_tables_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "h.db").touch()
    async for asking in _asking(HistoryConfig(engine="sqlite", path=str(tmp_path / "h.db"))):
        assert (await asking.ask("")).status_code == 503


@pytest.mark.parametrize("settings", [HistoryConfig(), HistoryConfig(engine="sqlite", path="/nonexistent/h.db")])
async def test_a_history_that_is_off_or_away_is_said_so(settings: HistoryConfig) -> None:
    async for asking in _asking(settings):
        answer = await asking.ask("")
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert "history" in answer.json()["title"]
