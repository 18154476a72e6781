"""A person at the console, in a real browser before a real gateway: finds, replays, moves traffic."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import expect

from smppgw.http.signing import HEADER
from smppgw.ports import free_port
from smppgw.simulate.smsc import Smsc
from tests.console.conftest import KEYS, Look, Open, load, two_and_one
from tests.endtoend.conftest import Join, Serve, Simulate
from tests.endtoend.running import Running
from tests.kit import PATIENCE, simulator

SECRET = "a secret of thirty-two octets or so"


@pytest.fixture
async def smscs(simulate: Simulate) -> list[Smsc]:
    return [await simulate() for _ in range(3)]


@pytest.fixture
async def gateway(serve: Serve, smscs: list[Smsc]) -> Running:
    return await serve(two_and_one(*(smsc.port for smsc in smscs)), "tokyo1", "tokyo2", "osaka")


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One for all tests that leave it as it was."""
    port = free_port()
    with simulator(port):
        running = Running(tmp_path_factory.mktemp("quiet"), two_and_one(port, port, port))
        with running.gateway:
            yield running


class Shop:
    """A web server that gets callbacks, and answers as it is told."""

    def __init__(self) -> None:
        self.status = 410
        self.heard: list[dict[str, object]] = []
        self.signed: list[bool] = []
        self.port = free_port()
        self._news = asyncio.Event()

    async def until(self, callbacks: int) -> None:
        """Returns when so many were taken."""
        async with asyncio.timeout(PATIENCE):
            while len(self.heard) < callbacks:
                self._news.clear()
                await self._news.wait()

    async def take(self, request: web.Request) -> web.Response:
        if self.status == 200:
            self.heard.append(json.loads(await request.read()))
            self.signed.append(HEADER in request.headers)
            self._news.set()
        return web.Response(status=self.status)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop()
    app = web.Application()
    app.router.add_post("/receipts", shop.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", shop.port).start()
    yield shop
    await runner.cleanup()


async def test_what_happened_to_a_message_is_found_by_its_number(
    gateway: Running, open_console: Open, look: Look, join: Join, smscs: list[Smsc]
) -> None:
    esme = await join(gateway)
    id = await esme.submitted("819012345678", b"<img src=x onerror=alert(1)>")
    await esme.wait_receipts(1)
    page = await look(await open_console(gateway))
    await expect(page.get_by_text("Nothing needs a person")).to_be_visible()

    await page.keyboard.press("/")
    await page.keyboard.type("+819012345678")
    await page.keyboard.press("Enter")

    timeline = page.get_by_role("region", name="Timeline")
    await expect(timeline.locator("strong")).to_have_text(
        ["Accepted and on disk", "Sent upstream", "Receipt from upstream", "Delivered to the account"]
    )
    await expect(timeline).to_contain_text(id.decode())
    await expect(timeline).to_contain_text("routed by domestic")
    await expect(timeline.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    await expect(page.get_by_role("region", name="Found").get_by_text("Delivered")).to_be_visible()

    # by the id of the upstream, too, and by ours
    [sent] = [each for smsc in smscs for each in smsc.received]
    assert sent.destination_addr == b"819012345678"
    for what in (id.decode(), await timeline.locator("li").nth(1).locator(".value").nth(1).inner_text()):
        await page.get_by_label("Number or id", exact=True).fill(what)
        await page.get_by_role("button", name="Find").click()
        await expect(timeline).to_contain_text("819012345678")


async def test_dead_callbacks_are_replayed_one_by_one_and_together(
    serve: Serve, smscs: list[Smsc], shop: Shop, open_console: Open, look: Look
) -> None:
    config = two_and_one(*(smsc.port for smsc in smscs))
    config["api"]["keys"]["shop"] = {
        "key": KEYS["shop"], "roles": ["send"], "accounts": ["esme"],
        "callback": f"http://127.0.0.1:{shop.port}/receipts", "callback_secret": SECRET,
    }  # fmt: skip
    gateway = await serve(config, "tokyo1", "tokyo2")
    url = f"http://127.0.0.1:{config['api']['port']}/v1/messages"
    order = {"from": "12345", "to": "+819055555555", "text": "your parcel is here"}
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEYS['shop']}"}) as session:
        for _ in range(3):
            async with session.post(url, json=order) as answer:
                assert answer.status == 202, await answer.text()
    await gateway.expect("set aside", 3)
    page = await look(await open_console(gateway))
    await page.get_by_role("link", name="3 records set aside for a person").click()

    rows = page.get_by_role("row").filter(has_text="its URL says that it will never take it")
    await expect(rows).to_have_count(3)
    shop.status = 200
    await rows.first.get_by_role("button", name="Replay").click()
    await expect(rows).to_have_count(2)
    await page.get_by_role("button", name="timeline").first.click()
    timeline = page.get_by_role("region", name="Timeline")
    await expect(timeline.locator("strong").last).to_have_text("Set aside for a person")
    await page.go_back()
    await page.get_by_role("button", name="Replay all 2").click()
    await page.get_by_role("dialog").get_by_role("button", name="Replay all").click()
    await expect(page.get_by_text("Nothing waits for a person")).to_be_visible()
    await shop.until(3)
    assert {said["to"] for said in shop.heard} == {"+819055555555"}
    assert shop.signed == [True] * 3
    await expect(page.get_by_text("All well")).to_be_visible()
    await page.go_forward()
    await expect(timeline.get_by_text("A person decided")).to_be_visible()
    await expect(timeline).to_contain_text("who operator")


async def test_what_is_set_aside_can_be_dropped_after_a_question(
    serve: Serve, smscs: list[Smsc], open_console: Open, look: Look, join: Join
) -> None:
    config = two_and_one(*(smsc.port for smsc in smscs))
    config["accounts"]["esme"]["deliver_attempts"] = 1
    gateway = await serve(config, "tokyo1", "tokyo2")
    esme = await join(gateway)
    esme.answers = lambda pdu: 0x08
    await esme.submit("819012345678")
    await gateway.expect("set aside")
    page = await look(await open_console(gateway), path="/#/aside")
    drop = page.get_by_role("button", name="Drop")
    await drop.click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(drop).to_be_visible()
    await drop.click()
    await dialog.get_by_role("button", name="Drop").click()
    await expect(page.get_by_text("Nothing waits for a person")).to_be_visible()
    assert await gateway.metric("smppgw_set_aside") == 0


async def test_traffic_moves_when_a_connector_is_drained(
    gateway: Running, open_console: Open, look: Look, join: Join, smscs: list[Smsc]
) -> None:
    one, two, zero = smscs
    page = await look(await open_console(gateway), path="/#/connectors")
    tokyo1 = page.get_by_role("article", name="Connector tokyo1")
    tokyo2 = page.get_by_role("article", name="Connector tokyo2")
    group = page.get_by_role("article", name="Group domestic")
    async with load(await join(gateway)):
        await one.wait_for(20)
        await two.wait_for(20)

        await tokyo1.get_by_role("button", name="Drain").click()
        await page.get_by_role("dialog").get_by_role("button", name="Drain").click()
        await expect(tokyo1.get_by_text("Drained")).to_be_visible()
        await expect(page.get_by_text("1 problem")).to_be_visible()
        before = one.submits
        await two.wait_for(two.submits + 50)
        assert one.submits == before

        # nobody is left: the backup takes over
        await tokyo2.get_by_role("button", name="Stop").click()
        await page.get_by_role("dialog").get_by_role("button", name="Stop").click()
        await expect(group.get_by_text("Failed over")).to_be_visible()
        await zero.wait_for(50)

        # back again, at once and not after a minute
        await tokyo1.get_by_role("button", name="Start").click()
        await one.wait_for(before + 50)
        await expect(group.get_by_text("Handing back soon")).to_be_visible()
        await group.get_by_role("button", name="Hand back now").click()
        await expect(group.get_by_text("Active", exact=False).first).to_be_visible()
        await expect(group.get_by_role("button", name="Hand back now")).to_have_count(0)
        last = zero.submits
        await one.wait_for(one.submits + 50)
        assert zero.submits == last
    who = {event["who"] for event in gateway.process.events("operated")}
    assert who == {"operator"}


async def test_a_route_is_tried_without_a_message(quiet: Running, open_console: Open, look: Look) -> None:
    page = await look(await open_console(quiet), path="/#/routes")
    await page.get_by_label("To", exact=True).fill("819012345678")
    await page.get_by_role("button", name="Try it").click()
    result = page.locator(".result")
    await expect(result).to_contain_text("Accepted")
    await expect(result).to_contain_text("route domestic to domestic, now by tokyo")
    await expect(page.get_by_role("row").filter(has_text="osaka only")).to_contain_text("destination")
    await page.get_by_label("To", exact=True).fill("447700900001")
    await page.get_by_role("button", name="Try it").click()
    await expect(result).to_contain_text("Refused")
    assert await quiet.metric("smppgw_connector_submits_total") == 0


async def test_a_key_that_may_only_read_is_told_so(quiet: Running, open_console: Open, look: Look) -> None:
    page = await look(await open_console(quiet, "reader"), path="/#/connectors")
    await page.get_by_role("article", name="Connector tokyo1").get_by_role("button", name="Drain").click()
    await page.get_by_role("dialog").get_by_role("button", name="Drain").click()
    await expect(page.locator(".toast.bad")).to_contain_text("This key may not operate")
    await quiet.expect("api refused", status=403)
    assert not quiet.process.events("operated")


async def test_a_gateway_that_is_gone_is_said_and_found_again(gateway: Running, open_console: Open, look: Look) -> None:
    page = await look(await open_console(gateway))
    await expect(page.get_by_text("All well")).to_be_visible()
    await gateway.kill()
    await expect(page.get_by_role("alert")).to_contain_text("The gateway's API cannot be reached")
    await expect(page.get_by_text("No contact")).to_be_visible()
    await expect(page.get_by_role("alert")).to_contain_text("What you see is of")
    await gateway.start("tokyo1", "tokyo2")
    await expect(page.get_by_text("All well")).to_be_visible()


async def test_the_keyboard_is_enough(quiet: Running, open_console: Open, look: Look, join: Join) -> None:
    await join(quiet)
    page = await look(await open_console(quiet))
    title = page.get_by_role("heading", level=1)
    for key, name in (("2", "Connectors"), ("3", "Accounts"), ("5", "Set aside"), ("6", "Routes"), ("1", "Overview")):
        await page.keyboard.press(key)
        await expect(title).to_have_text(name)
        await expect(title).to_be_focused()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("t")
    assert await page.evaluate("document.documentElement.dataset.theme") == "light"
    await page.keyboard.press("t")
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    await page.reload()
    await expect(title).to_have_text("Overview")
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"

    # what has the focus keeps it while the page follows the gateway
    await page.keyboard.press("2")
    drain = page.get_by_role("article", name="Connector tokyo2").get_by_role("button", name="Drain")
    await drain.focus()
    for _ in range(2):
        async with page.expect_response("**/console/recent*"):
            pass
    await expect(drain).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()


async def test_an_account_is_limited_for_now_and_its_bind_ended(
    quiet: Running, open_console: Open, look: Look, join: Join
) -> None:
    esme = await join(quiet)
    page = await look(await open_console(quiet), path="/#/accounts")
    await page.get_by_role("link", name="esme", exact=True).click()
    await page.get_by_text("Limits for now").click()
    await page.get_by_label("Messages a second").fill("0.5")
    await page.get_by_role("button", name="Apply").click()
    await expect(page.get_by_text("0/s of 0.5")).to_be_visible()
    await page.get_by_role("button", name="As configured").click()
    await expect(page.get_by_text("0/s of 0.5")).to_have_count(0)
    await page.get_by_role("button", name="Unbind").click()
    await page.get_by_role("dialog").get_by_role("button", name="Unbind").click()
    await esme.gone()
    await expect(page.get_by_text("Nobody is bound.")).to_be_visible()


async def test_a_password_is_asked_for_where_one_is_set(quiet: Running, open_console: Open, look: Look) -> None:
    console = await open_console(quiet, SMPPGW_CONSOLE_PASSWORD="3 a.m.")
    page = await look(console)
    await page.get_by_label("Password").fill("noon")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("alert")).to_have_text("The password is wrong")
    await page.get_by_label("Password").fill("3 a.m.")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("All well")).to_be_visible()
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_label("Password")).to_be_visible()
