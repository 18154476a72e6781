"""How the console looks: at a desk and on a phone, light and dark; the pictures of docs/console.md are made here.

SMPPGW_SHOTS=docs/images keeps the pictures; SMPPGW_SHOTS_AFTER=90 lets curves grow for so many seconds before.
"""

import asyncio
import os
from pathlib import Path

from playwright.async_api import Page, expect

from protocol.consts import Status
from tests.console.conftest import DESK, PHONE, Look, Open, load, two_and_one
from tests.endtoend.conftest import Join, Serve, Simulate
from tests.endtoend.esme import message
from tests.kit import ROOT

PAGES = ("overview", "connectors", "accounts", "accounts/esme", "messages/819012345678", "aside", "routes")

SHOTS = {
    "overview-light": (DESK, False, "overview"),
    "overview-dark": (DESK, True, "overview"),
    "connectors-dark": (DESK, True, "connectors"),
    "message-light": (DESK, False, "messages/819012345678"),
    "aside-dark": (DESK, True, "aside"),
    "routes-light": (DESK, False, "routes"),
    "phone-overview-dark": (PHONE, True, "overview"),
    "phone-message-light": (PHONE, False, "messages/819012345678"),
}

NAMELESS = """() => [...document.querySelectorAll("button, a[href], input, select")]
    .filter((each) => each.checkVisibility())
    .filter((each) => !(each.innerText?.trim() || each.getAttribute("aria-label") || each.labels?.length))
    .map((each) => each.outerHTML)"""
"""Controls that a screen reader has no name for."""

HEADLESS = """() => [...document.querySelectorAll("table")].filter((each) => !each.caption ||
    [...each.querySelectorAll("thead th")].some((head) => head.scope !== "col" || !head.textContent)).length"""
"""Tables without a caption, or with a column that says nothing."""


async def shown(page: Page, where: str) -> None:
    """The page is there, and what it shows is of now."""
    await page.goto(f"{page.url.partition('#')[0]}#/{where}")
    await expect(page.locator("main > *").first).to_be_visible()
    await expect(page.locator("main > .empty")).to_have_count(0)
    if where.startswith("messages"):
        await expect(page.get_by_role("region", name="Timeline")).to_be_visible()
    if where == "routes":
        await page.get_by_label("To", exact=True).fill("819012345678")
        await page.get_by_role("button", name="Try it").click()
        await expect(page.locator(".result")).to_be_visible()
        await page.locator("h1").focus()


async def test_every_page_fits_and_names_its_controls(
    serve: Serve, simulate: Simulate, open_console: Open, look: Look, join: Join, tmp_path: Path
) -> None:
    smscs = [await simulate(slow=0.004, receipt_delay=0.4, receipt_jitter=0.3) for _ in range(3)]
    smscs[2].go_down()
    config = two_and_one(*(smsc.port for smsc in smscs))
    config["accounts"]["esme"]["deliver_attempts"] = 2
    config["accounts"]["shop"] = {"password": "secret"}
    gateway = await serve(config, "tokyo1", "tokyo2")
    console = await open_console(gateway)
    esme = await join(gateway)
    esme.answers = lambda pdu: Status.RX_P_APPN if pdu.source_addr == b"819099999999" else Status.ROK
    await esme.submit("819012345678", b"your parcel is here")
    for n in range(3):
        smscs[0].deliver(message("12345", b"stop", source_addr=b"819099999999"))
        await gateway.expect("set aside", n + 1)
    target = Path(os.environ.get("SMPPGW_SHOTS", tmp_path))
    async with load(esme, 0.01):
        await asyncio.sleep(float(os.environ.get("SMPPGW_SHOTS_AFTER", "0")))
        for size, dark in ((DESK, False), (DESK, True), (PHONE, False), (PHONE, True)):
            page = await look(console, size, dark=dark)
            await expect(page.locator("#health")).to_contain_text("problem")
            for where in PAGES:
                await shown(page, where)
                width = await page.evaluate("document.documentElement.scrollWidth")
                assert width <= size["width"], f"{where} is {width} wide"
                assert await page.evaluate(NAMELESS) == []
                assert await page.evaluate(HEADLESS) == 0
                for name in [name for name, shot in SHOTS.items() if shot == (size, dark, where)]:
                    await page.screenshot(path=target / f"console-{name}.png", animations="disabled")
            await page.context.close()


def test_the_pictures_of_the_documentation_are_those_that_are_made_here() -> None:
    made = {f"console-{name}.png" for name in SHOTS}
    kept = {path.name for path in (ROOT / "docs" / "images").glob("console-*.png")}
    assert kept == made
    text = (ROOT / "docs" / "console.md").read_text()
    assert all(f"images/{name}" in text for name in made)
