"""The kannel.conf that comes with Kannel: bearerbox and smsbox, and ours, do the same with it."""

import asyncio
from pathlib import Path

import pytest

from tests.interop.kannel.compare import as_text
from tests.interop.kannel.row import Ask, Row, mo, send
from tests.interop.kannel.scenes import smsc
from tests.interop.kannel.side import SIDES, Outcome
from tests.interop.stacks import need

pytestmark = pytest.mark.interop

EXAMPLE = Path("/usr/share/doc/kannel/examples/kannel.conf")
LINES = {
    "admin-port = 13000": "admin-port = {admin}\nsmsbox-port = {box}",
    "sendsms-port = 13013": "sendsms-port = {sendsms}\nbearerbox-port = {box}",
    "bearerbox-host = localhost": "bearerbox-host = 127.0.0.1",
}
ROWS = (
    Row("status", "example", Ask("/status.txt?password=bar", port="admin")),
    Row("status without a password", "example", Ask("/status.xml", port="admin")),
    Row("store-status", "example", Ask("/store-status.xml?password=bar", port="admin")),
    send("a message", scene="example"),
    send("a message for a relay", "username=kannel&password=rL4y", scene="example"),
    send("a message with a wrong password", "password=wrong", scene="example"),
    send("a message of two parts", "text=" + "a" * 200, scene="example"),
    mo("a message from a mobile", b"anything", scene="example"),
)


def conf() -> str:
    """The example, on ports of ours and with an SMSC."""
    text = EXAMPLE.read_text() + "\n" + smsc("one")
    for line, by in LINES.items():
        assert line in text
        text = text.replace(line, by)
    return text


async def outcomes(side: str, text: str, directory: Path) -> dict[str, Outcome]:
    running = SIDES[side]("example", ROWS, directory, None)
    running.text = text
    async with running:
        return await running.all()


@pytest.mark.skipif(not EXAMPLE.exists(), reason="the examples of Debian's package kannel are not here")
def test_ours_does_with_kannels_own_example_what_kannel_does(tmp_path: Path) -> None:
    need("kannel")
    for side in SIDES:
        (tmp_path / side).mkdir()
    there, here = (asyncio.run(outcomes(side, conf(), tmp_path / side)) for side in ("kannel", "smppgw"))
    assert {name: as_text(outcome) for name, outcome in here.items()} == {
        name: as_text(outcome) for name, outcome in there.items()
    }
