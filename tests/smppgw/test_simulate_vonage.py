"""The simulated Vonage refuses what the real one refuses, and says so with status 200."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from smppgw.carriers.vonage_signature import agrees, sign
from smppgw.simulate.vonage import VonageOptions, VonageSimulator, parts
from tests.smppgw.hooked import listening_ear

SEND = {
    "api_key": "abcd1234",
    "api_secret": "abcdef0123456789",
    "from": "AcmeInc",
    "to": "819012345678",
    "text": "hello",
}


@asynccontextmanager
async def asking(**options: Any) -> AsyncIterator[tuple[VonageSimulator, aiohttp.ClientSession]]:
    defaults: dict[str, Any] = {"receipt_after": 0.0, "seed": 1}
    async with VonageSimulator(VonageOptions(**{**defaults, **options})) as simulator:
        base = f"http://127.0.0.1:{simulator.port}"
        async with aiohttp.ClientSession(base, timeout=aiohttp.ClientTimeout(total=10)) as session:
            yield simulator, session


async def send(session: aiohttp.ClientSession, /, **fields: str) -> list[dict[str, str]]:
    async with session.post("/sms/json", data=fields) as response:
        assert response.status == 200
        body = await response.json()
    assert body["message-count"] == str(len(body["messages"]))
    said: list[dict[str, str]] = body["messages"]
    return said


async def statuses(session: aiohttp.ClientSession, /, **fields: str) -> list[str]:
    return [part["status"] for part in await send(session, **fields)]


@pytest.mark.parametrize(
    ("text", "unicode", "count"),
    [
        ("x" * 160, False, 1),
        ("x" * 161, False, 2),
        ("x" * 306, False, 2),
        ("x" * 307, False, 3),
        ("€" * 80, False, 1),
        ("€" * 81, False, 2),
        ("あ" * 70, True, 1),
        ("あ" * 71, True, 2),
        ("あ" * 670, True, 10),
        ("😀" * 35, True, 1),
        ("😀" * 36, True, 2),
    ],
)
def test_texts_are_counted_in_parts(text: str, unicode: bool, count: int) -> None:
    assert parts(text, unicode) == count


async def test_each_part_has_an_id_of_its_own() -> None:
    async with asking() as (simulator, session):
        said = await send(session, **{**SEND, "text": "あ" * 100, "type": "unicode"})
    assert [part["status"] for part in said] == ["0", "0"]
    assert list(simulator.accepted) == [part["message-id"] for part in said]


async def test_it_takes_json_too() -> None:
    async with asking() as (_, session), session.post("/sms/json", json=SEND) as response:
        assert (await response.json())["messages"][0]["status"] == "0"


@pytest.mark.parametrize("body", [b"", b"{", b"[]"])
async def test_what_is_no_request_misses_its_key(body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with asking() as (_, session), session.post("/sms/json", data=body, headers=headers) as response:
        assert (await response.json())["messages"][0]["status"] == "2"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"api_key": "other"}, "4"),
        ({"api_secret": "other"}, "4"),
        ({"sig": "0", "timestamp": "0"}, "32"),
        ({"to": ""}, "2"),
        ({"from": ""}, "2"),
        ({"text": ""}, "2"),
        ({"to": "+819012345678"}, "3"),
        ({"to": "123456"}, "3"),
        ({"type": "telepathy"}, "3"),
        ({"ttl": "19999"}, "3"),
        ({"ttl": "604800001"}, "3"),
        ({"ttl": "soon"}, "3"),
        ({"client-ref": "x" * 41}, "3"),
        ({"callback": "ftp://x"}, "23"),
        ({"from": "TwelveLetter"}, "15"),
        ({"text": "x" * 3201}, "12"),
        ({"type": "binary"}, "2"),
        ({"type": "binary", "body": "zz"}, "3"),
        ({"type": "binary", "body": "00", "udh": "0"}, "3"),
        ({"type": "binary", "body": "00" * 134, "udh": "06050415811581"}, "12"),
        ({"type": "binary", "body": "00" * 133, "udh": "06050415811581"}, "0"),
        ({"text": "x" * 3200, "ttl": "20000", "client-ref": "x" * 40}, "0"),
    ],
)
async def test_refusals_are_vonage_s(change: dict[str, str], status: str) -> None:
    async with asking() as (simulator, session):
        assert set(await statuses(session, **{**SEND, **change})) == {status}
    assert simulator.counts["refused"] == (status != "0")


async def test_a_text_that_should_have_been_unicode_arrives_as_question_marks() -> None:
    async with asking() as (simulator, session):
        await send(session, **{**SEND, "text": "テスト ok"})
    ((fields),) = simulator.accepted.values()
    assert fields["text"] == "??? ok"


async def test_a_signed_request_needs_the_right_signature_of_today() -> None:
    fields = {**SEND, "timestamp": str(int(time.time()))}
    del fields["api_secret"]
    async with asking(signature_secret="s3cret", signature_method="sha256") as (_, session):
        good = {**fields, "sig": sign(fields, "s3cret", "sha256")}
        assert await statuses(session, **good) == ["0"]
        assert await statuses(session, **{**good, "text": "changed"}) == ["14"]
        old = {**fields, "timestamp": "1461605396"}
        assert await statuses(session, **{**old, "sig": sign(old, "s3cret", "sha256")}) == ["14"]
    async with asking() as (_, session):
        assert await statuses(session, **{**fields, "sig": sign(fields, "", "md5hash")}) == ["14"]


async def test_the_account_can_be_throttled_barred_and_used_up() -> None:
    async with asking(throttled=1.0) as (_, session):
        assert await statuses(session, **SEND) == ["1"]
    async with asking(throttle_above=1.0) as (_, session):
        assert [await statuses(session, **SEND) for _ in range(4)][-1] == ["1"]
    async with asking(barred="819012345678") as (_, session):
        assert await statuses(session, **SEND) == ["7"]
    async with asking(quota=2) as (_, session):
        assert [await statuses(session, **SEND) for _ in range(3)] == [["0"], ["0"], ["9"]]


async def test_the_last_part_of_a_long_text_can_be_refused() -> None:
    async with asking(partial=1.0) as (simulator, session):
        assert await statuses(session, **{**SEND, "text": "x" * 400}) == ["0", "0", "1"]
        assert await statuses(session, **SEND) == ["0"]
    assert simulator.counts["accepted"] == 3


async def test_receipts_go_where_the_request_says() -> None:
    async with listening_ear() as ear, asking() as (simulator, session):
        await send(session, **SEND)
        await send(session, **SEND, callback=ear.url, **{"client-ref": "tag"})
        await send(session, **SEND, callback=ear.url, **{"status-report-req": "0"})
        await simulator.quiet()
    ((hook),) = ear.hooks
    said = dict(hook.query)
    assert said["messageId"] == list(simulator.accepted)[1]
    assert (said["status"], said["client-ref"], said["msisdn"], said["to"]) == (
        "delivered", "tag", "819012345678", "AcmeInc",
    )  # fmt: skip


@pytest.mark.parametrize("by", ["get", "form", "json"])
async def test_notifications_are_signed_when_configured(by: str) -> None:
    options = {"signature_secret": "s3cret", "signature_method": "sha512", "sign_webhooks": True, "webhook_by": by}
    async with listening_ear() as ear, asking(webhook=ear.url + "?x=1", **options) as (simulator, session):
        async with session.post("/-/mo", json={"from": "81", "to": "12345", "text": "hello"}) as response:
            assert response.status == 200
        await simulator.quiet()
    ((hook),) = ear.hooks
    said = hook.json if by == "json" else dict(hook.form if by == "form" else hook.query[1:])
    assert agrees(said, "s3cret", "sha512")


async def test_a_handset_says_long_things_in_parts_and_binary_in_hex() -> None:
    async with listening_ear() as ear, asking(webhook=ear.url) as (simulator, session):
        text = "テスト" * 30
        for said in (
            {"from": "81", "to": "12345", "text": text},
            {"from": "81", "to": "12345", "data": "00ff", "udh": "06050415811581"},
        ):
            async with session.post("/-/mo", json=said) as response:
                assert response.status == 200
        await simulator.quiet()
        async with session.post("/-/mo", json={"from": "81"}) as response:
            assert response.status == 400
    told = sorted((dict(hook.query) for hook in ear.hooks), key=lambda fields: fields.get("concat-part", "9"))
    first, second, binary = told
    assert first["text"] + second["text"] == text
    assert (first["concat"], first["concat-total"], first["type"]) == ("true", "2", "unicode")
    assert first["concat-ref"] == second["concat-ref"]
    assert (binary["type"], binary["data"], binary["udh"]) == ("binary", "00ff", "06050415811581")
    assert "concat" not in binary
