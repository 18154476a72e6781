"""The simulated KDDI refuses what the real one refuses, tells what it promises, and understands the connector."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDict

from protocol.consts import MessageState
from protocol.receipt import Receipt
from smppgw.carriers.contract import Answer, Heard, Hook, HookRefused, Text, Verdict
from smppgw.carriers.kddi import Kddi
from smppgw.carriers.kddi_settings import KddiSettings
from smppgw.exchange import Unanswered
from smppgw.simulate.kddi import KddiOptions, KddiSimulator
from tests.smppgw.hooked import Ear, Paper, client_of, listening_ear

TOKENS = ("a", "d", "s")
NUMBER = "0312345678"
HANDSET = "+819012345678"
PATH = "/au/v1/fallback/rcs/bot/v1/bot1"


Stage = tuple[KddiSimulator, Ear, Kddi]


def simulator_of(**options: Any) -> KddiSimulator:
    given = {"receipt_after": 0.0, "retry": (0.01, 0.01, 0.01), "numbers": (NUMBER,), "seed": 1}
    return KddiSimulator(KddiOptions(**{**given, **options}))


def settings_of(**keys: Any) -> KddiSettings:
    account = {"name": "kddi", "user": "testUser", "password": "testPass", "bot_id": "bot1", "sms_numbers": [NUMBER]}
    return KddiSettings.model_validate({**account, **keys})


@asynccontextmanager
async def connected(keys: dict[str, Any] | None = None, patience: float = 5.0, **options: Any) -> AsyncIterator[Stage]:
    """A simulator, an ear for what it notifies, and a carrier that talks to it over sockets."""
    async with listening_ear() as ear, simulator_of(webhook=ear.url, **options) as simulator:
        url = f"http://127.0.0.1:{simulator.port}"
        async with client_of(url, patience) as client:
            carrier = ear.carrier = Kddi(settings_of(url=url, **(keys or {})), client)
            yield simulator, ear, carrier


PLUS = {"token_au": "a", "token_docomo": "d", "token_softbank": "s"}


def text(words: str = "これは\r\nSMS 😀", **fields: Any) -> Text:
    return Text("0123456789abcdef", **{"source": "", "destination": HANDSET, "text": words, **fields})


def plus(content: Any, words: str = "") -> Text:
    return text(words, tlvs={0x1501: json.dumps(content).encode()})


# The connector and the simulator


async def test_an_sms_is_accepted_and_its_result_told() -> None:
    async with connected() as (simulator, ear, carrier):
        answer = await carrier.send(text(carrier="docomo"))
        await simulator.quiet()
        [(id, message)] = simulator.accepted.items()
        assert answer == Answer(Verdict.SENT, (id.encode(),))
        assert message.body["smsmessage"]["smsText"] == "これは\nSMS 😀"
        assert message.body["dst"] == "2"
        [receipt] = ear.receipts
        assert (receipt.id, receipt.state) == (id.encode(), MessageState.DELIVERED)
        assert receipt.done is not None


async def test_an_sms_that_fails_says_so_in_the_word_of_the_config() -> None:
    async with connected({"states": {"failed": "UNDELIV"}}, undelivered=1.0) as (simulator, ear, carrier):
        await carrier.send(text())
        await simulator.quiet()
        assert [receipt.state for receipt in ear.receipts] == [MessageState.UNDELIVERABLE]


async def test_a_plus_message_tells_of_each_stage() -> None:
    async with connected(PLUS, tokens=TOKENS) as (simulator, ear, carrier):
        answer = await carrier.send(plus({"textMessage": "hello"}))
        await simulator.quiet()
        statuses = sorted(hook.json["RCSMessage"]["status"] for hook in ear.hooks)
        assert statuses == ["delivered", "displayed", "sent"]
        assert {heard.id for heard in ear.heard} == set(answer.ids)
        assert simulator.accepted[answer.ids[0].decode()].plus


@pytest.mark.parametrize(("capable", "way"), [(1.0, True), (0.0, False)])
async def test_a_plus_message_with_a_stand_in_goes_the_way_that_the_handset_has(capable: float, way: bool) -> None:
    async with connected(PLUS, tokens=TOKENS, capable=capable) as (simulator, ear, carrier):
        await carrier.send(plus({"textMessage": "hello"}, "SMS"))
        await simulator.quiet()
        assert [message.plus for message in simulator.accepted.values()] == [way]
        assert ear.heard


async def test_a_handset_without_plus_message_revokes_one_that_has_no_stand_in() -> None:
    async with connected(PLUS, tokens=TOKENS, capable=0.0) as (simulator, ear, carrier):
        await carrier.send(plus({"textMessage": "hello"}))
        await simulator.quiet()
        states = {receipt.state for receipt in ear.receipts}
        assert states == {MessageState.ENROUTE, MessageState.DELETED}


async def test_a_status_can_be_asked_when_the_notification_is_lost() -> None:
    async with connected(lost=1.0) as (simulator, ear, carrier):
        answer = await carrier.send(text())
        [receipt] = await carrier.poll(answer.ids[0])
        assert isinstance(receipt, Receipt)
        assert (receipt.state, ear.heard) == (MessageState.DELIVERED, [])
        assert await carrier.poll(b"another") == ()
        assert simulator.counts["looked_up"] == 2
    async with connected(receipt_after=-1.0) as (simulator, _, carrier):
        answer = await carrier.send(text())
        [receipt] = await carrier.poll(answer.ids[0])
        assert isinstance(receipt, Receipt)
        assert receipt.state is MessageState.ENROUTE


async def test_handsets_say_things() -> None:
    async with connected(PLUS, tokens=TOKENS) as (simulator, ear, _):
        said = [
            {"from": HANDSET, "text": "はい"},
            {"kind": "message", "from": HANDSET, "text": "もしもし"},
            {"kind": "response", "from": HANDSET, "text": "Yes", "data": "1"},
            {"kind": "newUser", "from": HANDSET},
        ]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{simulator.port}") as session:
            for each in said:
                async with session.post("/-/mo", json=each) as response:
                    assert response.status == 200
            for wrong in ({"from": "me"}, {"kind": "call", "from": HANDSET}):
                async with session.post("/-/mo", json=wrong) as response:
                    assert response.status == 400
        await simulator.quiet()
        assert {mo.text for mo in ear.mos} == {"はい", "もしもし", "Yes", '{"event":"newUser"}'}
        assert {(mo.source, mo.destination) for mo in ear.mos} == {("819012345678", NUMBER)}


async def test_people_can_ask_it() -> None:
    async with connected(PLUS, tokens=TOKENS) as (simulator, _, carrier):
        answer = await carrier.send(plus({"textMessage": "hello"}))
        await simulator.quiet()
        id = answer.ids[0].decode()
        assert (await carrier.operations["status"](id))["reply"]["RCSMessage"]["msgId"] == id
        assert (await carrier.operations["capability"]("09012345678"))["reply"]["capabilities"] == ["chat"]
        assert (await carrier.operations["subscribers"]())["reply"] == {"subscribers": [{"userContact": HANDSET}]}


@pytest.mark.parametrize(
    ("options", "keys", "verdict", "code"),
    [
        ({"password": "other"}, {}, Verdict.LATER, "http 401"),
        ({"networks": ("192.0.2.1",)}, {}, Verdict.LATER, "http 403"),
        ({"bot_id": "another"}, {}, Verdict.NEVER, "http 404"),
        ({"numbers": ("0399999999",)}, {}, Verdict.NEVER, "http 400"),
        ({"longest": 3}, {}, Verdict.NEVER, "http 400"),
        ({}, {**PLUS, "fallback": "0"}, Verdict.NEVER, "http 400"),
        ({"tokens": TOKENS}, {**PLUS, "fallback": "0", "token_au": "wrong"}, Verdict.LATER, "http 401"),
        ({"throttle": 1.0}, {}, Verdict.LATER, "http 503"),
        ({"error": 1.0}, {}, Verdict.DOUBT, "http 500"),
        ({"bad_gateway": 1.0}, {}, Verdict.DOUBT, "http 502"),
        ({"gateway_timeout": 1.0}, {}, Verdict.LATER, "http 504"),
        ({"redirect": 1.0}, {}, Verdict.LATER, "http 302"),
        ({"garbage": 1.0}, {}, Verdict.DOUBT, "http 200"),
    ],
)
async def test_the_connector_knows_what_a_refusal_means(
    options: dict[str, Any], keys: dict[str, Any], verdict: Verdict, code: str
) -> None:
    async with connected(keys, **options) as (_, _ear, carrier):
        answer = await carrier.send(text())
        assert (answer.verdict, answer.code) == (verdict, code)


async def test_a_send_without_a_reply_may_have_been_accepted() -> None:
    async with connected(patience=0.3, accept_and_hang=1.0) as (simulator, _, carrier):
        with pytest.raises(Unanswered):
            await carrier.send(text())
        assert simulator.counts["accepted"] == 1


# Notifications


class Deaf(Kddi):
    """Wants to hear nothing."""

    def hear(self, hook: Hook) -> Sequence[Heard]:
        raise HookRefused(400, "not today")


async def test_a_notification_comes_four_times_at_most() -> None:
    async with connected() as (simulator, ear, carrier):
        ear.carrier = Deaf(settings_of(), Paper())
        await carrier.send(text())
        await simulator.quiet()
        assert ear.refusals == [400] * 4
        assert simulator.counts["given_up"] == 1
    assert len(KddiOptions().retry) == 3


def test_nothing_but_200_within_half_a_second_is_an_answer() -> None:
    simulator = simulator_of()
    assert [status for status in (0, 200, 201, 202, 204, 302, 404, 500) if simulator.taken(status)] == [200]
    assert simulator.patience == 0.5


def test_each_kind_may_have_its_own_url() -> None:
    simulator = simulator_of(mo_webhook="http://gw/mo", plus_webhook="http://gw/plus")
    [answer] = simulator.mo({"from": HANDSET, "text": "a"})
    [message] = simulator.mo({"kind": "message", "from": HANDSET, "text": "a"})
    assert (answer.url, message.url) == ("http://gw/mo", "http://gw/plus")


# What it refuses


def request(**changes: Any) -> dict[str, Any]:
    sms = {"smsNumber": NUMBER, "smsText": "A\r\nB", "smsTextEnc": b64encode("A\nB".encode("utf-16-be")).decode()}
    return {"message": {"messageContact": {"userContact": HANDSET}}, "smsmessage": sms, "dst": "0", **changes}


def headers(*tokens: str, **changes: str) -> CIMultiDict[str]:
    names = ("mkn", "tmt", "gmp")
    given = dict(zip((f"X-Plusmsg-{name}-Authorization" for name in names), tokens or ("smsonly",) * 3, strict=True))
    return CIMultiDict(
        {
            "Authorization": "Basic " + b64encode(b"testUser:testPass").decode(),
            "Content-Type": "application/json",
            "X-Fallback": "2",
            **{name: f"Bearer {token}" for name, token in given.items()},
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
    )


def sms(**changes: Any) -> dict[str, Any]:
    return request(smsmessage={**request()["smsmessage"], **changes})


async def status(simulator: KddiSimulator, body: Any, headers: CIMultiDict[str]) -> int:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{simulator.port}") as session,
        session.post(f"{PATH}/messages", data=octets, headers=headers) as response,
    ):
        return response.status


async def test_the_request_of_the_documents_is_accepted() -> None:
    async with simulator_of() as simulator:
        assert await status(simulator, request(), headers()) == 202


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        [],
        {},
        request(dst=0),
        request(dst="5"),
        request(smsmessage=None),
        request(message={"messageContact": {"userContact": "09012345678"}}),
        sms(smsNumber="0300000000"),
        sms(smsNumber=None),
        sms(smsText=""),
        sms(smsText="another"),
        sms(smsTextEnc=""),
        sms(smsTextEnc="QUJD"),
        sms(smsTextEnc=b64encode("A\nB".encode("utf-16")).decode()),
        sms(smsTextEnc=request()["smsmessage"]["smsTextEnc"].rstrip("=") + "!"),
    ],
)
async def test_a_body_that_is_not_as_the_documents_have_it_is_refused(body: Any) -> None:
    async with simulator_of() as simulator:
        assert await status(simulator, body, headers()) == 400
        assert simulator.counts["refused"] == 1


async def test_an_encoding_that_says_something_else_may_pass() -> None:
    async with simulator_of(check_encoding=False) as simulator:
        assert await status(simulator, sms(smsTextEnc="QUJD"), headers()) == 202


async def test_headers_that_are_not_as_the_documents_have_them_are_refused() -> None:
    async with simulator_of() as simulator:
        assert await status(simulator, request(), headers(Authorization="Basic x")) == 401
        assert await status(simulator, request(), headers("a", "d", "s")) == 401
        assert await status(simulator, request(), headers(X_Fallback="")) == 400
        assert await status(simulator, request(), headers(X_Fallback="0")) == 400
        assert await status(simulator, request(), headers(Content_Type="text/plain")) == 400


async def test_a_plus_message_is_refused_when_it_is_none() -> None:
    contact = {"messageContact": {"userContact": HANDSET}}
    good = {"message": {**contact, "RCSMessage": {"textMessage": "hello"}}, "dst": "1"}
    async with simulator_of(tokens=TOKENS) as simulator:
        assert await status(simulator, good, headers(*TOKENS, X_Fallback="1")) == 202
        assert await status(simulator, request(), headers()) == 202
        assert await status(simulator, good, headers(X_Fallback="1")) == 401
        assert await status(simulator, good, headers(*TOKENS, X_Fallback="0")) == 400
        assert await status(simulator, {**good, "dst": "4"}, headers(*TOKENS, X_Fallback="1")) == 400
        assert await status(simulator, request(), headers(*TOKENS, X_Fallback="1")) == 400
        bad = {"message": {**contact, "RCSMessage": {"fileMessage": {}}}, "dst": "1"}
        assert await status(simulator, bad, headers(*TOKENS, X_Fallback="1")) == 400


async def test_sends_above_the_limits_get_503() -> None:
    async with simulator_of(throttle_above=3.0) as simulator:
        assert [await status(simulator, request(), headers()) for _ in range(5)].count(503) == 2
    async with simulator_of(concurrent=1, slow=0.3) as simulator:
        both = await asyncio.gather(*(status(simulator, request(), headers()) for _ in range(2)))
        assert sorted(both) == [202, 503]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/messages/1/status"), ("POST", "/contactCapabilities"), ("GET", "/subscribers")],
)
async def test_nobody_else_may_ask(method: str, path: str) -> None:
    async with (
        simulator_of() as simulator,
        aiohttp.ClientSession(f"http://127.0.0.1:{simulator.port}") as session,
        session.request(method, PATH + path) as response,
    ):
        assert response.status == 401


async def test_a_capability_check_without_a_number_is_refused() -> None:
    async with (
        simulator_of() as simulator,
        aiohttp.ClientSession(f"http://127.0.0.1:{simulator.port}") as session,
        session.post(f"{PATH}/contactCapabilities", json={"number": 1}, headers=headers()) as response,
    ):
        assert response.status == 400
