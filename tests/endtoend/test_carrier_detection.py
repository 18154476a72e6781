"""Messages go by the carrier of their destination: its prefix, a file of ported numbers, or a look-up over HTTP."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from smppgw.simulate.smsc import Smsc
from tests.endtoend.conftest import Join, Serve, Simulate
from tests.endtoend.running import Running
from tests.kit import Config, merged, relay_config

DOCOMO, AU, ABROAD = "819010012345", "818051234567", "447700900001"


class Directory:
    """An HTTP server that knows where numbers were ported to."""

    def __init__(self) -> None:
        self.ported: dict[str, str] = {}
        self.asked: list[str] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/{number}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self.answers.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        self.asked.append(number)
        await self.answers.wait()
        if request.headers.get("X-Key") != "key":
            return web.Response(status=401)
        return web.json_response({"result": {"network": self.ported.get(number)}})


@pytest.fixture
async def directory() -> AsyncIterator[Directory]:
    started = Directory()
    await started.start()
    yield started
    await started.stop()


class Both(dict[str, Smsc]):
    """An SMSC for docomo and one for all others."""

    @property
    def went(self) -> tuple[int, int]:
        return self["docomo"].submits, self["rest"].submits


Split = Callable[..., Awaitable[tuple[Running, Both]]]


@pytest.fixture
async def split(serve: Serve, simulate: Simulate) -> Split:
    """split(**tables): a gateway that sends docomo's numbers one way and all others another."""

    async def split(**over: Any) -> tuple[Running, Both]:
        both = Both(docomo=await simulate(), rest=await simulate())
        config: Config = relay_config(both["rest"].port, **over)
        up = config["connectors"].pop("up")
        config["connectors"] = {name: {**up, "port": smsc.port} for name, smsc in both.items()}
        config["routes"] = [
            {"name": "bank", "to": "rest", "match": {"source": "MyBank"}},
            {"name": "docomo", "to": "docomo", "match": {"carrier": "docomo"}},
            {"name": "rest", "to": "rest"},
        ]
        return await serve(config, "docomo", "rest"), both

    return split


def asking(directory: Directory, **keys: Any) -> dict[str, Any]:
    lookup = {
        "url": f"http://127.0.0.1:{directory.port}/{{number}}",
        "header": "X-Key",
        "secret": "key",
        "answer": "result.network",
        "names": {"NTT": "docomo", "KDDI": "au"},
    }
    return {"lookup": lookup | keys}


async def test_a_message_goes_by_the_prefix_of_its_number(split: Split, join: Join) -> None:
    gateway, both = await split()
    esme = await join(gateway)
    for number in (DOCOMO, "+" + DOCOMO, "0" + DOCOMO[2:], AU, ABROAD):
        await esme.submitted(number)
    await esme.wait_receipts(5)
    assert both.went == (3, 2)


async def test_a_ported_number_goes_by_the_file_which_a_reload_reads_again(
    split: Split, join: Join, tmp_path: Path
) -> None:
    file = tmp_path / "ported.csv"
    file.write_text(f"{DOCOMO},au\n")
    gateway, both = await split(carriers={"overrides": str(file)})
    esme = await join(gateway)
    await esme.submitted(DOCOMO)
    await esme.wait_receipts(1)
    assert both.went == (0, 1)

    file.write_text(f"# came back\n{AU},docomo\n")
    await gateway.reload(gateway.gateway.config)
    await esme.submitted(DOCOMO)
    await esme.submitted(AU)
    await esme.wait_receipts(3)
    assert both.went == (2, 1)

    file.write_text(f"{AU},docomo\n{DOCOMO}:au\n")
    gateway.process.send(signal.SIGHUP)
    refused = await gateway.expect("config refused")
    assert (refused["where"], "line 2" in refused["problem"]) == ("carriers.overrides", True)
    await esme.submitted(AU)
    await esme.wait_receipts(4)
    assert both.went == (3, 1)


async def test_a_message_waits_for_the_look_up_and_goes_by_its_answer(
    split: Split, join: Join, directory: Directory
) -> None:
    directory.ported = {DOCOMO: "KDDI", AU: "NTT"}
    directory.answers.clear()
    gateway, both = await split(carriers=asking(directory, wait="20s", response="20s"))
    esme = await join(gateway)
    for number in (DOCOMO, AU):
        await esme.submitted(number)
    await esme.submitted(ABROAD, source_addr=b"MyBank")
    await esme.wait_receipts(1)
    assert both.went == (0, 1)
    directory.answers.set()
    await esme.wait_receipts(3)
    assert both.went == (1, 2)
    await esme.submitted(DOCOMO)
    await esme.wait_receipts(4)
    assert both.went == (1, 3)
    assert sorted(directory.asked) == sorted([DOCOMO, AU])
    assert await gateway.metric('smppgw_carrier_lookups_total{result="found"}') == 2


async def test_when_the_look_up_hangs_or_is_away_prefixes_decide(
    split: Split, join: Join, directory: Directory
) -> None:
    directory.answers.clear()
    gateway, both = await split(carriers=asking(directory, wait="300ms", response="1s", rest_after=1, rest="1h"))
    esme = await join(gateway)
    await esme.submitted(DOCOMO)
    await esme.submitted(AU)
    await esme.wait_receipts(2)
    assert both.went == (1, 1)
    await gateway.wait_metric('smppgw_carrier_lookups_total{result="failed"}', 1)
    await gateway.expect("carrier look-ups fail; prefixes decide")
    before = len(directory.asked)
    await esme.submitted("819010012346")
    await esme.wait_receipts(3)
    assert both.went == (2, 1)
    assert len(directory.asked) == before


async def test_what_waited_for_an_answer_at_a_crash_is_asked_for_again_and_lost_by_nobody(
    split: Split, join: Join, directory: Directory
) -> None:
    directory.ported = {DOCOMO: "KDDI"}
    directory.answers.clear()
    gateway, both = await split(carriers=asking(directory, wait="20s", response="20s"))
    id = await (await join(gateway)).submitted(DOCOMO)
    await gateway.kill()
    directory.answers.set()
    await gateway.start("docomo", "rest")
    esme = await join(gateway)
    assert [receipt.id for receipt in await esme.wait_receipts(1)] == [id]
    assert both.went == (0, 1)


async def test_a_reload_may_bring_and_take_the_look_up(split: Split, join: Join, directory: Directory) -> None:
    directory.ported = {DOCOMO: "KDDI", AU: "NTT"}
    gateway, both = await split()
    plain = gateway.gateway.config
    esme = await join(gateway)
    await esme.submitted(DOCOMO)
    await esme.wait_receipts(1)
    await gateway.reload(merged(plain, {"carriers": asking(directory)}))
    await esme.submitted(DOCOMO)
    await esme.wait_receipts(2)
    assert both.went == (1, 1)
    directory.answers.clear()
    await esme.submitted(AU)
    await gateway.reload(plain)
    await esme.wait_receipts(3)
    assert both.went == (1, 2)
