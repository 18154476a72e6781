"""From an ESME to +message and back: cards, their stand-in, buttons, and notifications that never come."""

import json
from typing import Any

import aiohttp

from protocol import text, tlv
from protocol.consts import MessageState
from smppgw.ports import free_port
from smppgw.simulate.kddi import KddiOptions, KddiSimulator
from tests.endtoend.conftest import Join, Serve
from tests.kit import Config, relay_config

TAG = 0x1501
HANDSET = "819012345678"
NUMBER = "0312345678"
CARD = {
    "richcardMessage": {
        "message": {
            "generalPurposeCard": {
                "layout": {"cardOrientation": "VERTICAL"},
                "content": {
                    "title": "Your parcel",
                    "suggestions": [{"reply": {"displayText": "Leave it", "postback": {"data": "leave"}}}],
                },
            }
        }
    }
}


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}/kddi"


def simulator(webhook: int, **options: Any) -> KddiSimulator:
    return KddiSimulator(KddiOptions(webhook=url(webhook), tokens=("a", "d", "s"), numbers=(NUMBER,), **options))


def config(kddi: KddiSimulator, webhook: int, **keys: Any) -> Config:
    made = relay_config(1, webhooks={"host": "127.0.0.1", "port": webhook})
    made["connectors"] = {
        "kddi": {
            "kind": "kddi",
            "url": f"http://127.0.0.1:{kddi.port}",
            "user": "testUser",
            "password": "testPass",
            "bot_id": "bot1",
            "sms_numbers": [NUMBER],
            "token_au": "a",
            "token_docomo": "d",
            "token_softbank": "s",
            "webhook_path": "/kddi",
            **keys,
        }
    }
    made["routes"] = [{"name": "all", "to": "kddi"}]
    return made


def holding(content: Any) -> bytes:
    return tlv.encode([(TAG, json.dumps(content).encode())])


async def test_a_card_goes_out_whole_and_its_receipt_comes_back(serve: Serve, join: Join) -> None:
    port = free_port()
    async with simulator(port) as kddi:
        esme = await join(await serve(config(kddi, port)))
        id = await esme.submitted(HANDSET, b"A parcel for you", tlvs=holding(CARD))
        (receipt,) = await esme.wait_receipts(1)
        assert (receipt.id, receipt.state) == (id, MessageState.DELIVERED)
        (sent,) = kddi.accepted.values()
        assert sent.plus
        assert sent.body["message"]["RCSMessage"] == CARD
        assert sent.body["smsmessage"]["smsText"] == "A parcel for you"


async def test_a_card_needs_no_text_beside_it(serve: Serve, join: Join) -> None:
    port = free_port()
    async with simulator(port) as kddi:
        esme = await join(await serve(config(kddi, port)))
        id = await esme.submitted(HANDSET, b"", tlvs=holding(CARD))
        (receipt,) = await esme.wait_receipts(1)
        assert (receipt.id, receipt.state) == (id, MessageState.DELIVERED)
        (sent,) = kddi.accepted.values()
        assert "smsmessage" not in sent.body


async def test_a_handset_without_the_app_gets_the_text_as_sms(serve: Serve, join: Join) -> None:
    port = free_port()
    async with simulator(port, capable=0.0) as kddi:
        esme = await join(await serve(config(kddi, port)))
        await esme.submitted(HANDSET, b"A parcel for you", tlvs=holding(CARD))
        (receipt,) = await esme.wait_receipts(1)
        assert receipt.state is MessageState.DELIVERED
        assert [sent.plus for sent in kddi.accepted.values()] == [False]


async def test_a_card_that_is_none_is_rejected_and_the_log_names_the_field(serve: Serve, join: Join) -> None:
    port = free_port()
    async with simulator(port) as kddi:
        gateway = await serve(config(kddi, port))
        esme = await join(gateway)
        id = await esme.submitted(HANDSET, b"hello", tlvs=holding({"fileMessage": {"fileName": "x"}}))
        (receipt,) = await esme.wait_receipts(1)
        assert (receipt.id, receipt.state) == (id, MessageState.REJECTED)
        assert kddi.accepted == {}
        await gateway.expect("+message refused", id=id.decode(), reason="fileMessage.fileUrl: it is missing")


async def test_a_pressed_button_comes_as_deliver_sm(serve: Serve, join: Join) -> None:
    port = free_port()
    async with simulator(port) as kddi, aiohttp.ClientSession() as session:
        esme = await join(await serve(config(kddi, port, response_as="postback")))
        said = {"kind": "response", "from": f"+{HANDSET}", "text": "Leave it", "data": "leave"}
        async with session.post(f"http://127.0.0.1:{kddi.port}/-/mo", json=said) as response:
            assert response.status == 200
        (mo,) = await esme.wait_mo(1)
        assert (mo.source_addr, mo.destination_addr) == (HANDSET.encode(), NUMBER.encode())
        assert text.decode(mo.short_message, mo.data_coding) == "leave"


async def test_a_lost_notification_is_made_up_for_by_asking(serve: Serve, join: Join) -> None:
    port = free_port()
    async with simulator(port, lost=1.0) as kddi:
        esme = await join(await serve(config(kddi, port, poll=["500ms", "1s", "2s"])))
        id = await esme.submitted(HANDSET)
        (receipt,) = await esme.wait_receipts(1)
        assert (receipt.id, receipt.state) == (id, MessageState.DELIVERED)
        assert kddi.counts["looked_up"] >= 1


async def test_what_has_no_end_after_the_last_look_has_expired(serve: Serve, join: Join) -> None:
    port = free_port()
    async with simulator(port, receipt_after=-1) as kddi:
        esme = await join(await serve(config(kddi, port, poll=["500ms", "1s"])))
        id = await esme.submitted(HANDSET)
        (receipt,) = await esme.wait_receipts(1)
        assert (receipt.id, receipt.state) == (id, MessageState.EXPIRED)
