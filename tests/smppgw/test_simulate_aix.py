"""The simulated AIX takes what the real one takes, refuses what it refuses, and the carrier gets along with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web

from protocol.consts import MessageState, Status
from protocol.receipt import Receipt
from smppgw.carriers.aix import Aix
from smppgw.carriers.aix_settings import AixSettings
from smppgw.carriers.aix_texts import OPT_OUT
from smppgw.carriers.client import HttpClient
from smppgw.carriers.contract import Heard, Hook, Text, Verdict
from smppgw.exchange import Unanswered
from smppgw.simulate.aix import AixOptions, AixSimulator, Sent

TOKEN = "0123456789abcdef0123456789abcdef"
NOW = 1672543800.0
"""2023-01-01 12:30 in Japan."""

DOCOMO, AU, SOFTBANK, RAKUTEN, OTHER = (f"+8190123456{digits}" for digits in ("70", "73", "76", "78", "79"))


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Ear:
    """A webhook that has the carrier read what comes."""

    def __init__(self) -> None:
        self.carrier: Aix | None = None
        self.heard: list[Heard] = []
        self.documents: list[str] = []
        self.answers: list[int] = []
        """Statuses of the next answers; 200 when there are none."""

    async def hook(self, request: web.Request) -> web.Response:
        assert self.carrier is not None
        body = await request.read()
        self.documents.append(next(iter(parse_qs(body.decode()).values()))[0])
        if self.answers:
            return web.Response(status=self.answers.pop(0))
        self.heard += self.carrier.hear(Hook(request.method, str(request.url), (), request.headers, body))
        return web.Response(body=self.carrier.thanks[0])


class Pair:
    def __init__(
        self, simulator: AixSimulator, carrier: Aix, ear: Ear, clock: Clock, http: aiohttp.ClientSession
    ) -> None:
        self.simulator, self.carrier, self.ear, self.clock, self.http = simulator, carrier, ear, clock, http

    async def send(self, text: str = "テスト", **fields: Any) -> Any:
        return await self.carrier.send(
            Text(**{"tag": "t1", "source": "", "destination": DOCOMO, "text": text, **fields})
        )

    async def receipts(self) -> list[Heard]:
        await asyncio.wait_for(self.simulator.quiet(), 10)
        return self.ear.heard

    async def post(self, path: str = "/p5/api/mt.json", **fields: str) -> dict[str, Any]:
        """As somebody else's client would."""
        given = {"token": TOKEN, "clientId": "1234", "smsCode": "12345", "phoneNumber": DOCOMO, "message": "x"}
        async with self.http.post(
            path, data={name: value for name, value in (given | fields).items() if value}
        ) as reply:
            assert reply.status == 200
            document: dict[str, Any] = await reply.json()
            return document

    def sent(self, tag: str = "t1") -> Sent:
        sent: Sent = self.simulator.accepted[tag]
        return sent


@asynccontextmanager
async def pair(keys: dict[str, Any] | None = None, patience: float = 5.0, **options: Any) -> AsyncIterator[Pair]:
    clock, ear = Clock(), Ear()
    app = web.Application()
    app.router.add_route("*", "/cb/aix", ear.hook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    webhook = f"http://127.0.0.1:{runner.addresses[0][1]}/cb/aix"
    defaults: dict[str, Any] = {"webhook": webhook, "receipt_after": 0.0, "retry": (0.001, 0.001, 0.001), "seed": 1}
    given = {"name": "aix", "token": TOKEN, "client_id": "1234", "sms_code": "12345", **(keys or {})}
    try:
        async with AixSimulator(AixOptions(**(defaults | options)), clock) as simulator:
            url = f"http://127.0.0.1:{simulator.port}"
            client = HttpClient(url, connections=4, connect=5, timeout=patience)
            ear.carrier = Aix(AixSettings.model_validate(given | {"url": url}), client)
            async with aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(total=10)) as http:
                try:
                    yield Pair(simulator, ear.carrier, ear, clock, http)
                finally:
                    await client.close()
    finally:
        await runner.cleanup()


# The carrier and it.


@pytest.mark.parametrize("generation", ["p1", "p4", "p11", "p5"])
@pytest.mark.parametrize("dlr", ["json", "xml"])
async def test_a_text_goes_out_and_its_receipt_comes_back(generation: str, dlr: str) -> None:
    async with pair({"generation": generation, "tag_prefix": "gw-"}, dlr=dlr) as both:
        answer = await both.send("テスト <&> 'x'")
        assert answer.ids == (b"gw-t1",)
        assert both.sent("gw-t1").text == "テスト <&> 'x'"
        assert await both.receipts() == [Receipt(b"gw-t1", MessageState.DELIVERED, b"000", done=NOW)]


@pytest.mark.parametrize("dlr", ["json", "xml"])
async def test_a_failure_comes_back_with_its_class(dlr: str) -> None:
    async with pair(dlr=dlr, undelivered=1.0) as both:
        await both.send()
        (receipt,) = await both.receipts()
        detail = both.sent().detail
        assert isinstance(receipt, Receipt)
        assert (receipt.state, receipt.err) == (MessageState.UNDELIVERABLE, detail[2:].encode())
        assert receipt.network_error == b"\x03" + int(detail).to_bytes(2, "big")


async def test_p1_gives_no_detail_of_a_failure() -> None:
    async with pair({"generation": "p1"}, undelivered=1.0) as both:
        await both.send()
        assert await both.receipts() == [Receipt(b"t1", MessageState.UNDELIVERABLE, b"", done=NOW)]


@pytest.mark.parametrize(
    ("destination", "carrier", "length"),
    [(DOCOMO, "docomo", 660), (AU, "au", 460), (SOFTBANK, "softbank", 332), (RAKUTEN, "rakuten", 670), (OTHER, "", 70)],
)
async def test_a_long_text_reaches_a_handset_of_every_carrier_whole(
    destination: str, carrier: str, length: int
) -> None:
    async with pair({"generation": "p11"}) as both:
        text = "".join(chr(0x3041 + n % 80) for n in range(length))
        await both.send(text, destination=destination, carrier=carrier)
        assert both.sent().text == text


async def test_a_text_reaches_a_handset_whole_though_its_carrier_was_guessed_wrong() -> None:
    async with pair({"generation": "p4"}) as both:
        await both.send("あ" * 300, destination=SOFTBANK, carrier="docomo")
        assert both.sent().text == "あ" * 300


async def test_a_handset_without_a_body_of_its_own_gets_the_beginning_or_what_the_config_says() -> None:
    async with pair({"generation": "p4"}) as both:
        await both.send("あ" * 60 + OPT_OUT + "い" * 400, destination=SOFTBANK, carrier="docomo")
        assert both.sent().text == "あ" * 60
    async with pair({"generation": "p4", "short_text": "お電話ください"}) as both:
        await both.send("あ" * 400, destination=SOFTBANK, carrier="docomo")
        assert both.sent().text == "お電話ください"


async def test_a_text_that_was_accepted_without_a_reply_is_accepted_once() -> None:
    async with pair(accept_and_hang=1.0, patience=1.0) as both:
        with pytest.raises(Unanswered):
            await both.send()
        await both.http.post("/-/options", json={"accept_and_hang": 0.0})
        again = await both.send(attempts=1)
        assert again.ids == (b"t1",)
        assert (both.simulator.counts["accepted"], both.simulator.counts["duplicates"]) == (1, 1)


async def test_a_tag_that_comes_twice_at_first_attempts_is_refused() -> None:
    async with pair() as both:
        assert (await both.send()).verdict is Verdict.SENT
        again = await both.send()
        assert (again.verdict, again.status, again.code) == (Verdict.NEVER, Status.RSUBMITFAIL, "400")


async def test_faults_become_verdicts() -> None:
    async with pair(error=1.0) as both:
        assert (await both.send()).verdict is Verdict.DOUBT
    async with pair(throttle=1.0) as both:
        assert (await both.send()).wait == 1.0
    async with pair(garbage=1.0) as both:
        assert (await both.send()).verdict is Verdict.DOUBT
    async with pair(redirect=1.0) as both:
        assert (await both.send()).alarm
    async with pair(system_error=1.0) as both:
        assert (await both.send()).verdict is Verdict.LATER
    async with pair(reset=1.0) as both:
        with pytest.raises(Unanswered):
            await both.send()


async def test_wrong_credentials_are_an_alarm_and_a_quota_makes_it_rest() -> None:
    async with pair({"token": "x"}) as both:
        assert (await both.send()).alarm
    async with pair({"sms_code": "54321"}) as both:
        assert (await both.send()).alarm
    async with pair(quota=1) as both:
        await both.send()
        answer = await both.send(tag="t2")
        assert (answer.status, answer.wait) == (Status.RMSGQFUL, 300.0)


async def test_polling_tells_nothing_until_all_is_known() -> None:
    async with pair(receipt_after=60.0, webhook="") as both:
        await both.send()
        assert list(await both.carrier.poll(b"t1")) == []
        both.clock.now += 60
        assert list(await both.carrier.poll(b"t1")) == [Receipt(b"t1", MessageState.DELIVERED, b"000", done=NOW + 60)]
        assert list(await both.carrier.poll(b"t2")) == []


async def test_a_notification_that_is_not_answered_with_200_comes_three_more_times() -> None:
    async with pair() as both:
        both.ear.answers = [500, 204, 302]
        await both.send()
        assert len(await both.receipts()) == 1
        assert len(both.ear.documents) == 4
    async with pair() as both:
        both.ear.answers = [500] * 9
        await both.send()
        assert await both.receipts() == []
        assert len(both.ear.documents) == 4


async def test_operations_are_answered() -> None:
    async with pair({"schedule_tlv": 0x1500, "group_tag": "g"}) as both:
        ask = both.carrier.operations
        await both.send(tlvs={0x1500: b"2023-01-01 18:00"})
        assert (await ask["status"](tag="t1"))["status"] == []
        assert (await ask["checkreservation"](tag="t1"))["status"][0]["scheduleTime"] == "2023-01-01 18:00"
        assert (await ask["checkreservation"](date="20230101", group="g"))["count"] == 1
        assert (await ask["checkreservation"](date="20230101", group="h"))["count"] == 0
        assert (await ask["cancelreservation"](tag="t1"))["clientTag"] == "t1"
        assert (await ask["checkreservation"](time="2023-01-01 18:00"))["count"] == 0
        await both.send(tag="t2")
        assert (await ask["cancelreservation"](tag="t2"))["responseCode"] == 130
        assert (await ask["status"](date="20230101"))["status"][0]["clientTag"] == "t2"
        assert (await ask["separatedsuccesscount"](month="202301")) == {
            "responseCode": 0,
            "responseMessage": "Success.",
            "separatedSuccessCount": [{"103": 1, "clientId": 1234}],
        }
        assert (await ask["numbercleaning"](phone="09012345678", date="20221231"))["status"] == "T"
        assert (await ask["numbercleaning"](phone="09012345678", date="20200101"))["responseCode"] == 110
        assert (await ask["shortenurl"](url="https://example.com"))["shortUrl"].startswith("https://ai9.jp/")


async def test_a_reservation_that_was_cancelled_is_never_notified() -> None:
    async with pair({"schedule_tlv": 0x1500}) as both:
        both.clock.now += 59.95
        for tag in ("t1", "t2"):
            await both.send(tag=tag, tlvs={0x1500: b"2023-01-01 12:31"})
        await both.carrier.operations["cancelreservation"](tag="t1")
        assert [receipt.id for receipt in await both.receipts()] == [b"t2"]


# What it refuses.


@pytest.mark.parametrize("generation", ["p1", "p4", "p11", "p5"])
@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"token": ""}, 100, "Required token."),
        ({"clientId": ""}, 100, "Required clientId."),
        ({"smsCode": ""}, 100, "Required smsCode."),
        ({"message": ""}, 100, "Required message."),
        ({"phoneNumber": ""}, 100, "Required phoneNumber."),
        ({"token": "f" * 32}, 110, "Invalid token."),
        ({"clientId": "4321"}, 110, "Invalid clientId."),
        ({"smsCode": "54321"}, 110, "Invalid smsCode."),
        ({"phoneNumber": "0312345678"}, 110, "Invalid phoneNumber."),
        ({"phoneNumber": "819012345678"}, 110, "Invalid phoneNumber."),
        ({"message": "あ" * 661}, 120, "message too long."),
        ({"clientTag": "t" * 201}, 120, "clientTag too long."),
    ],
)
async def test_every_generation_refuses_what_is_missing_wrong_or_too_long(
    generation: str, fields: dict[str, str], code: int, message: str
) -> None:
    async with pair() as both:
        reply = await both.post(f"/{generation}/api/mt.json", **fields)
        assert (reply["responseCode"], reply["responseMessage"]) == (code, message)
        assert both.simulator.counts["refused"] == 1


@pytest.mark.parametrize(
    ("generation", "fields", "code"),
    [
        ("p5", {"message": "あ" * 660}, 0),
        ("p5", {"carrierId": "101"}, 0),
        ("p5", {"carrierId": "102"}, 110),
        ("p5", {"scheduleTime": "2023-01-01 13:00"}, 0),
        ("p5", {"scheduleTime": "2023-01-01 12:00"}, 140),
        ("p5", {"scheduleTime": "soon"}, 110),
        ("p5", {"groupTag": "g" * 201}, 120),
        ("p4", {"message": "あ" * 71}, 120),
        ("p4", {"messageDo": "あ" * 661}, 120),
        ("p4", {"messageAu": "あ" * 670}, 0),
        ("p4", {"messageAu": "あ" * 671}, 120),
        ("p4", {"messageSb": "あ" * 333}, 120),
        ("p1", {"messageRm": "あ" * 671}, 120),
        ("p11", {"messageAu": "あ" * 46, "messageAu10": "a" * 70}, 0),
        ("p11", {"messageAu": "あ" * 47}, 120),
        ("p11", {"messageAu10": "a" * 71}, 120),
    ],
)
async def test_each_generation_has_rules_of_its_own(generation: str, fields: dict[str, str], code: int) -> None:
    async with pair() as both:
        assert (await both.post(f"/{generation}/api/mt.json", **fields))["responseCode"] == code


async def test_a_message_without_a_tag_is_sent_and_never_notified() -> None:
    async with pair() as both:
        assert await both.post() == {
            "responseCode": 0,
            "responseMessage": "Success.",
            "phoneNumber": DOCOMO,
            "smsMessage": "x",
        }
        assert await both.receipts() == []
        assert both.simulator.counts["accepted"] == 1


async def test_a_forced_carrier_is_that_of_the_handset() -> None:
    async with pair({"carrier_id": "au"}) as both:
        await both.send()
        assert both.sent().carrier == "101"
