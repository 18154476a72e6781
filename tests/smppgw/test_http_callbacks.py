"""What callbacks say."""

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest
from pydantic import SecretStr

from protocol import udh
from protocol.consts import EsmClass, MessageState, Status
from protocol.pdus import SubmitSm, encode_submit
from protocol.receipt import Receipt
from routing.message import Delivery, Message, Waiting
from smppgw.http.callbacks import RECENT, ApiFront, CallbackCaller, read
from smppgw.http.memo import Memo
from smppgw.settings import ApiKey
from tests.smppgw.bench import Bench
from tests.smppgw.jumping import epoch, jumping
from tests.smppgw.talking import talking

URL = "https://app.example/sms"
DELIVERED = MessageState.DELIVERED


def front(bench: Bench) -> ApiFront:
    return ApiFront(bench.account, epoch)


def waiting(registered: int = 1, url: str = URL, public: int = 0xABC) -> Waiting:
    memo = Memo("shop", url, "order-17").pack()
    return Waiting(
        b"esme", b"up", public, 0.0, registered, 5, 0, b"SHOP", 1, 1, b"447700900001", b"", ((b"u1", 0),), memo
    )  # fmt: skip


def message(**fields: Any) -> Message:
    pdu = SubmitSm(source_addr=b"SHOP", dest_addr_ton=1, destination_addr=b"447700900001", registered_delivery=1)
    pdu = pdu._replace(**fields)
    return Message(
        0xABC, "esme", encode_submit(pdu), b"SHOP", b"447700900001", b"", 0, 0, pdu.registered_delivery, 0.0, 1.0,
        public=0xABC, memo=Memo("shop", URL, "order-17").pack(),
    )  # fmt: skip


def said(body: bytes | None) -> dict[str, Any]:
    assert body is not None
    url, key, octets = read(body)
    assert (url, key) == (URL, "shop")
    found: dict[str, Any] = json.loads(octets)
    return found


@jumping
async def test_a_receipt_names_the_message_and_what_the_upstream_said() -> None:
    found = said(front(Bench()).receipt(waiting(), DELIVERED, Receipt(b"u1", DELIVERED, b"000", done=0.0)))
    assert found == {
        "event": "receipt", "id": "0000000000000abc", "reference": "order-17", "account": "esme", "from": "SHOP",
        "to": "+447700900001", "status": "delivered", "final": True, "at": found["at"], "error": "000",
        "connector": "up", "upstream_ids": ["u1"], "upstream_time": "1970-01-01T00:00:00.000Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said_there", "told"),
    [
        ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.000Z"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00.000Z"),
    ],
)
@jumping
async def test_a_time_beyond_all_years_does_not_lose_the_receipt(said_there: str, told: str) -> None:
    done = datetime.fromisoformat(said_there).timestamp()
    found = said(front(Bench()).receipt(waiting(), DELIVERED, Receipt(b"u1", DELIVERED, b"000", done=done)))
    assert found["upstream_time"] == told


@jumping
async def test_only_what_was_asked_for_is_told_but_all_ends_are_remembered() -> None:
    speaks = front(Bench())
    enroute = Receipt(b"u1", MessageState.ENROUTE)
    assert speaks.receipt(waiting(1), MessageState.ENROUTE, enroute) is None
    assert said(speaks.receipt(waiting(0x11), MessageState.ENROUTE, enroute))["final"] is False
    assert not speaks.recent
    assert speaks.receipt(waiting(2), DELIVERED, Receipt(b"u1", DELIVERED)) is None
    assert speaks.receipt(waiting(1, url=""), DELIVERED, Receipt(b"u1", DELIVERED)) is None
    assert speaks.recent[0xABC].status == "delivered"


@jumping
async def test_a_message_that_was_never_sent_says_why() -> None:
    speaks = front(Bench())
    found = said(speaks.ended(message(), MessageState.REJECTED, Status.RINVDSTADR))
    assert (found["status"], found["error"], found["to"]) == ("rejected", "RINVDSTADR", "+447700900001")
    assert "error" not in said(speaks.ended(message(), MessageState.EXPIRED, 0))
    assert said(speaks.ended(message(), MessageState.REJECTED, 0x499))["error"] == "0x499"


@jumping
async def test_without_a_receipt_being_sent_is_the_end() -> None:
    speaks = front(Bench())
    assert speaks.sent(message(), b"up") is None
    assert not speaks.recent
    assert speaks.sent(message(registered_delivery=0), b"up") is None
    assert speaks.recent[0xABC].status == "sent"


@jumping
async def test_what_is_remembered_has_a_limit() -> None:
    speaks = front(Bench())
    for public in range(RECENT + 10):
        speaks.receipt(waiting(public=public), DELIVERED, Receipt(b"u1", DELIVERED))
    assert len(speaks.recent) == RECENT
    assert 9 not in speaks.recent


@jumping
async def test_a_message_from_a_handset_is_read_or_passed_on_in_octets() -> None:
    speaks = front(Bench())
    speaks.inbound = "shop", ApiKey(name="shop", callback=URL)
    base = SubmitSm(source_addr_ton=1, source_addr=b"447700900001", destination_addr=b"12345")
    plain = said(speaks.mo("up", encode_submit(base._replace(short_message=b"\0Hi"))))
    assert (plain["text"], plain["from"], plain["to"]) == ("@Hi", "+447700900001", "12345")
    octets = said(speaks.mo("up", encode_submit(base._replace(short_message=b"\xff\0", data_coding=4))))
    assert (octets["base64"], "text" in octets) == ("/wA=", False)
    (first, *_) = udh.segments("long".encode("utf-16-be") * 40, 8, reference=7)
    pdu = base._replace(short_message=first.short_message, esm_class=EsmClass.UDHI, data_coding=8)
    part = said(speaks.mo("up", encode_submit(pdu)))
    assert part["part"] == {"reference": 7, "number": 1, "total": 3}
    assert (part["udh"], part["text"][:4]) == ("050003070301", "long")


@jumping
async def test_without_its_key_a_callback_is_set_aside_and_never_made_unsigned() -> None:
    told: list[str] = []
    caller = CallbackCaller(epoch, lambda delivery, result: told.append(result))
    body = front(Bench()).receipt(waiting(), DELIVERED, Receipt(b"u1", DELIVERED))
    assert body is not None
    caller.keys = {"another": ApiKey(name="another")}
    assert await caller.call(Delivery(1, "esme@api", body, 0.0)) == (Status.RX_P_APPN, "the key is gone")
    caller.keys = {"shop": ApiKey(name="shop")}
    assert await caller.call(Delivery(1, "esme@api", body, 0.0)) == (Status.RX_P_APPN, "the key is gone")
    assert told == ["not called"] * 2
    await caller.close()


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("200 OK", (Status.ROK, "")),
        ("503 Service Unavailable", (Status.RSYSERR, "http 503")),
        ("410 Gone", (Status.RX_P_APPN, "http 410")),
        ("", (Status.RSYSERR, "ServerDisconnectedError")),
    ],
)
async def test_what_the_application_answered_is_told_in_its_own_terms(line: str, outcome: tuple[Status, str]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if line:
            writer.write(f"HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    async with talking(answer) as port:
        body = front(Bench()).receipt(waiting(url=f"http://127.0.0.1:{port}/"), DELIVERED, Receipt(b"u1", DELIVERED))
        assert body is not None
        caller = CallbackCaller(epoch, lambda delivery, result: None)
        caller.keys = {"shop": ApiKey(name="shop", callback_secret=SecretStr("secret"))}
        assert await caller.call(Delivery(1, "esme@api", body, 0.0)) == outcome
        await caller.close()
