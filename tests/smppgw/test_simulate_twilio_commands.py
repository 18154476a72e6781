"""The simulated Commands take what fits into one SMS, and end as the real ones end."""

from base64 import b64encode

import pytest

from smppgw.simulate.twilio_commands import SIM
from tests.smppgw.twilio import COMMANDS, ORDER, ask, refused, simulator


@pytest.mark.parametrize(
    "change",
    [
        {"Command": ""},
        {"Sim": ""},
        {"Command": "x" * 161},
        {"Command": "字" * 71},
        {"Command": "x" * 126, "IncludeSid": "start"},
        {"Command": "字" * 36, "IncludeSid": "end"},
        {"Command": b64encode(bytes(141)).decode(), "CommandMode": "binary"},
        {"Command": "?", "CommandMode": "binary"},
        {"CommandMode": "pdu"},
        {"IncludeSid": "middle"},
        {"CallbackMethod": "PUT"},
        {"CallbackUrl": "x"},
        {"DeliveryReceiptRequested": "yes"},
    ],
)
async def test_a_bad_command_is_refused(change: dict[str, str]) -> None:
    assert await refused(COMMANDS, ORDER | change) == (400, 20001)


@pytest.mark.parametrize(
    "change",
    [
        {"Command": "x" * 160},
        {"Command": "字" * 70},
        {"Command": "x" * 125, "IncludeSid": "start"},
        {"Command": b64encode(bytes(140)).decode(), "CommandMode": "binary"},
    ],
)
async def test_what_just_fits_is_taken(change: dict[str, str]) -> None:
    async with simulator() as (_, client, _hooks):
        reply = await ask(client, "POST", COMMANDS, ORDER | change)
        body = reply.json()
        assert (reply.status, body["status"], body["sid"][:2], body["sim_sid"]) == (201, "queued", "DC", SIM)
        assert body["command"] == change["Command"]


async def test_a_sim_that_is_none_is_refused() -> None:
    assert await refused(COMMANDS, ORDER | {"Sim": "Nobody"}, sims=(SIM,)) == (400, 33107)


async def test_a_command_without_a_receipt_ends_as_sent_and_calls_nobody() -> None:
    async with simulator() as (twilio, client, hooks):
        reply = await ask(client, "POST", COMMANDS, ORDER | {"DeliveryReceiptRequested": "false"})
        await twilio.quiet()
        assert reply.json()["status"] == "queued"
        assert (await ask(client, "GET", f"{COMMANDS}/{reply.json()['sid']}")).json()["status"] == "sent"
        assert hooks.heard == []


async def test_a_command_cannot_be_changed() -> None:
    async with simulator() as (_, client, _hooks):
        sid = (await ask(client, "POST", COMMANDS, ORDER)).json()["sid"]
        for method in ("POST", "PUT"):
            reply = await ask(client, method, f"{COMMANDS}/{sid}", {"Command": "x"})
            assert (reply.status, reply.json()["code"]) == (405, 20004)
        assert (await ask(client, "DELETE", f"{COMMANDS}/{sid}")).status == 204
