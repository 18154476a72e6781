"""The base of the simulated carriers notifies and misbehaves as it is told."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from smppgw.simulate import carrier
from smppgw.simulate.carrier import CarrierOptions, CarrierSimulator, Notification, form


class Echo(CarrierSimulator):
    """A carrier whose ids are its tags."""

    def __init__(self, options: CarrierOptions) -> None:
        super().__init__(options)
        self.app.router.add_route("*", "/send", self._send)

    async def _send(self, request: web.Request) -> web.StreamResponse:
        if (broken := await self.fault(request)) is not None:
            return broken
        fields = await form(request)
        if "id" not in fields:
            self.refuse()
            return web.Response(status=400)
        id = fields["id"]
        self.accept(id, fields)
        self.notify(lambda: Notification("POST", self.options.webhook, {}, id.encode()))
        return web.Response(text=id)

    def shown(self, what: Any) -> tuple[str, str]:
        return what["id"], what.get("text", "")

    def mo(self, said: Mapping[str, Any]) -> Iterable[Notification]:
        yield Notification("GET", f"{self.options.webhook}?text={said['text']}", {})


class Listener:
    """A webhook that remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.answers: list[int] = []
        """Statuses of the next answers; 200 when there are none."""
        self.url = ""

    async def hook(self, request: web.Request) -> web.Response:
        self.heard.append(request.query_string or (await request.read()).decode())
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@asynccontextmanager
async def pair(**options: Any) -> AsyncIterator[tuple[Echo, Listener, aiohttp.ClientSession]]:
    listener = Listener()
    app = web.Application()
    app.router.add_route("*", "/hook", listener.hook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    defaults: dict[str, Any] = {"webhook": listener.url, "receipt_after": 0.0, "retry": (0.001, 0.001), "seed": 1}
    try:
        async with Echo(CarrierOptions(**(defaults | options))) as echo:
            base = f"http://127.0.0.1:{echo.port}"
            async with aiohttp.ClientSession(base, timeout=aiohttp.ClientTimeout(total=10)) as session:
                yield echo, listener, session
    finally:
        await runner.cleanup()


async def send(session: aiohttp.ClientSession, id: str = "1", text: str = "", **more: Any) -> int:
    said = {"id": id, "text": text} if text else {"id": id}
    async with session.post("/send", data=said, allow_redirects=False, **more) as response:
        await response.read()
        return response.status


async def test_what_was_accepted_is_remembered_and_notified() -> None:
    async with pair() as (echo, listener, session):
        assert await send(session, "a") == 200
        await echo.quiet()
    assert listener.heard == ["a"]
    assert echo.accepted == {"a": {"id": "a"}}
    assert echo.counts == {"accepted": 1, "notified": 1}


async def test_notifications_come_in_the_order_of_their_times() -> None:
    async with pair() as (echo, listener, _):
        for after, name in ((0.02, b"third"), (0.0, b"first"), (0.01, b"second")):
            echo.notify(lambda name=name: Notification("POST", listener.url, {}, name), after=after)  # type: ignore[misc]
        await echo.quiet()
    assert listener.heard == ["first", "second", "third"]


async def test_only_so_many_messages_are_remembered() -> None:
    echo = Echo(CarrierOptions())
    for number in range(carrier.KEPT + 2):
        echo.accept(str(number), None)
    assert len(echo.accepted) == carrier.KEPT
    assert next(iter(echo.accepted)) == "2"


async def test_a_webhook_that_fails_is_asked_again_until_the_waits_are_used_up() -> None:
    async with pair() as (echo, listener, session):
        listener.answers = [500, 302, 204, 500, 500, 500]
        await send(session, "a")
        await echo.quiet()
        await send(session, "b")
        await echo.quiet()
    assert listener.heard == ["a", "a", "a", "b", "b", "b"]
    assert (echo.counts["notified"], echo.counts["failed_notifications"], echo.counts["given_up"]) == (1, 5, 1)


async def test_a_webhook_that_does_not_listen_counts_as_failed() -> None:
    async with pair(webhook="http://127.0.0.1:1/", retry=()) as (echo, _, session):
        await send(session)
        await echo.quiet()
    assert echo.counts["given_up"] == 1


async def test_without_a_webhook_nobody_is_told() -> None:
    async with pair(webhook="") as (echo, _, session):
        await send(session)
        await echo.quiet()
    assert echo.counts == {"accepted": 1}


@pytest.mark.parametrize(
    ("options", "heard", "counts"),
    [
        ({"receipt_after": -1.0}, [], {"accepted": 1}),
        ({"lost": 1.0}, [], {"accepted": 1, "lost": 1}),
        ({"repeated": 1.0}, ["1", "1"], {"accepted": 1, "notified": 2, "repeated": 1}),
    ],
)
async def test_notifications_are_withheld_lost_and_repeated(
    options: dict[str, Any], heard: list[str], counts: dict[str, int]
) -> None:
    async with pair(**options) as (echo, listener, session):
        await send(session)
        await echo.quiet()
    assert listener.heard == heard
    assert echo.counts == counts


async def test_an_early_notification_is_heard_before_the_reply() -> None:
    async with pair(early=1.0, receipt_after=60.0) as (_, listener, session):
        await send(session)
        assert listener.heard == ["1"]


@pytest.mark.parametrize(("fault", "status"), [("error", 500), ("throttle", 429), ("garbage", 200), ("redirect", 302)])
async def test_a_fault_answers_in_place_of_the_carrier(fault: str, status: int) -> None:
    async with pair(**{fault: 1.0}) as (echo, listener, session):
        assert await send(session) == status
        await echo.quiet()
    assert not listener.heard
    assert echo.counts == {fault: 1}


async def test_a_throttled_client_is_told_how_long() -> None:
    async with pair(throttle=1.0) as (_, _, session), session.post("/send") as response:
        assert response.headers["Retry-After"] == "1"


async def test_a_reset_cuts_the_connection() -> None:
    async with pair(reset=1.0) as (echo, _, session):
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await send(session)
    assert echo.counts == {"reset": 1}


async def test_hanging_never_replies_and_accepts_nothing() -> None:
    async with pair(hang=1.0) as (echo, _, session):
        with pytest.raises(TimeoutError):
            await send(session, timeout=aiohttp.ClientTimeout(total=0.05))
    assert echo.counts == {"hang": 1}


async def test_a_carrier_that_stops_lets_hanging_requests_go() -> None:
    async with pair(hang=1.0) as (echo, _, session):
        asking = asyncio.create_task(send(session))
        async with asyncio.timeout(10):
            while not echo.counts["hang"]:  # noqa: ASYNC110  there is nothing to wait for: nobody is told of a hang
                await asyncio.sleep(0)
        await echo.stop()
        with pytest.raises(aiohttp.ClientError):
            await asking


async def test_it_can_accept_and_never_reply() -> None:
    async with pair(accept_and_hang=1.0) as (echo, listener, session):
        with pytest.raises(TimeoutError):
            await send(session, timeout=aiohttp.ClientTimeout(total=0.05))
        await echo.quiet()
    assert listener.heard == ["1"]
    assert echo.counts == {"accepted": 1, "accept_and_hang": 1, "notified": 1}


async def test_a_refusal_is_counted_and_not_notified() -> None:
    async with pair() as (echo, listener, session):
        async with session.post("/send") as response:
            assert response.status == 400
        await echo.quiet()
    assert echo.counts == {"refused": 1}
    assert not listener.heard


async def test_shares_are_what_happens_of_many() -> None:
    async with pair(error=0.25, throttle=0.25, receipt_after=-1.0) as (_, _, session):
        statuses = [await send(session) for _ in range(400)]
    assert all(70 < statuses.count(status) < 130 for status in (500, 429))
    assert 150 < statuses.count(200) < 250


async def test_options_change_while_it_runs() -> None:
    async with pair() as (echo, _, session):
        async with session.post("/-/options", json={"error": 1, "retry": [0.5], "webhook": ""}) as response:
            assert (await response.json())["error"] == 1.0
        assert await send(session) == 500
        async with session.get("/-/counts") as response:
            assert await response.json() == {"error": 1}
    assert echo.options.retry == (0.5,)


@pytest.mark.parametrize("change", ['{"port": 1}', '{"nonsense": 1}', '{"error": "much"}', "[]", "{", '{"retry": 1}'])
async def test_options_that_cannot_change_are_refused(change: str) -> None:
    async with pair() as (_, _, session), session.post("/-/options", data=change) as response:
        assert response.status == 400
        assert (await response.json())["error"]


async def test_a_handset_can_be_made_to_say_something() -> None:
    async with pair() as (echo, listener, session):
        async with session.post("/-/mo", json={"text": "hello"}) as response:
            assert await response.json() == {"notifications": 1}
        await echo.quiet()
        async with session.post("/-/mo", json=[]) as response:
            assert response.status == 400
    assert listener.heard == ["text=hello"]


async def test_a_port_that_is_taken_is_an_error_in_words() -> None:
    async with pair() as (echo, _, _):
        second = Echo(CarrierOptions(port=echo.port))
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{echo.port}: "):
            await second.start()


async def test_what_was_accepted_is_shown_the_newest_last() -> None:
    async with pair() as (_, _, session):
        for id in "abc":
            await send(session, id, id * 3)
        async with session.get("/-/messages?limit=2") as response:
            assert await response.json() == [
                {"id": "b", "to": "b", "text": "bbb"},
                {"id": "c", "to": "c", "text": "ccc"},
            ]
        for limit in ("0", "-1", "all"):
            async with session.get(f"/-/messages?limit={limit}") as response:
                assert response.status == 400
