"""The simulated Twilio takes what the real one takes, refuses what it refuses, and signs what it says."""

import asyncio
from base64 import b64encode
from typing import Any

import pytest

from smppgw.carriers.client import HttpClient, Reply, Unanswered
from smppgw.carriers.twilio import signature
from smppgw.simulate.twilio import ACCOUNT, SERVICE, SIM, TOKEN
from tests.smppgw.twilio import FORM, simulator

MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"
COMMANDS = "/v1/Commands"
GOOD = {"To": "+819012345678", "From": "+15017122661", "Body": "hello"}
ORDER = {"Sim": SIM, "Command": "SET APN=x"}
BASIC = {"Authorization": f"Basic {b64encode(f'{ACCOUNT}:{TOKEN}'.encode()).decode()}"}


async def ask(
    client: HttpClient, method: str, path: str, form: dict[str, str] | None = None, headers: Any = None
) -> Reply:
    return await client.request(method, path, headers=BASIC if headers is None else headers, form=form)


async def refused(path: str, form: dict[str, str], **options: Any) -> tuple[int, int]:
    """The HTTP status and the code of the error."""
    async with simulator(**options) as (twilio, client, _):
        reply = await ask(client, "POST", path, form)
        body = reply.json()
        assert body == {
            "code": body["code"],
            "message": body["message"],
            "more_info": f"https://www.twilio.com/docs/errors/{body['code']}",
            "status": reply.status,
        }
        assert (twilio.counts["refused"], twilio.accepted) == (1, {})
        return reply.status, body["code"]


async def test_a_message_is_queued_by_a_number_and_accepted_by_a_service() -> None:
    async with simulator() as (_, client, _hooks):
        reply = await ask(client, "POST", f"{MESSAGES}.json", GOOD)
        body = reply.json()
        assert (reply.status, body["status"], body["from"]) == (201, "queued", "+15017122661")
        assert (len(body["sid"]), body["sid"][:2], body["num_segments"]) == (34, "SM", "1")
        for service in ({"From": SERVICE}, {"MessagingServiceSid": SERVICE, "From": ""}):
            body = (await ask(client, "POST", f"{MESSAGES}.json", GOOD | service)).json()
            assert (body["status"], body["from"], body["messaging_service_sid"]) == ("accepted", None, SERVICE)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "09012345678"}, 21211),
        ({"To": "+15005550001"}, 21211),
        ({"To": "+15005550004"}, 21610),
        ({"From": ""}, 21603),
        ({"From": "a name too long"}, 21212),
        ({"From": "+15005550008"}, 21611),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"ValidityPeriod": "0"}, 21624),
        ({"ValidityPeriod": "36001"}, 21624),
        ({"StatusCallback": "gw.example.com"}, 21609),
        ({"ScheduleType": "fixed"}, 35118),
    ],
)
async def test_a_bad_message_is_refused_with_its_code(change: dict[str, str], code: int) -> None:
    assert await refused(f"{MESSAGES}.json", GOOD | change) == (400, code)


async def test_a_service_that_is_none_is_not_found() -> None:
    service = {"MessagingServiceSid": "MG" + "b" * 32}
    assert await refused(f"{MESSAGES}.json", GOOD | service, services=(SERVICE,)) == (404, 21701)
    assert await refused(f"{MESSAGES}.json", GOOD | {"MessagingServiceSid": "MG1"}) == (404, 21701)
    assert await refused(f"/2010-04-01/Accounts/AC{'b' * 32}/Messages.json", GOOD) == (404, 20404)


async def test_only_who_knows_the_token_or_a_key_may_ask() -> None:
    async with simulator(api_key="SK1", api_secret="word") as (_, client, _hooks):
        for path, form in ((f"{MESSAGES}.json", GOOD), (COMMANDS, ORDER)):
            key = {"Authorization": f"Basic {b64encode(b'SK1:word').decode()}"}
            assert (await ask(client, "POST", path, form, key)).status == 201
            for headers in ({}, {"Authorization": "Basic QUM6eA=="}):
                reply = await ask(client, "POST", path, form, headers)
                assert (reply.status, reply.json()["code"]) == (401, 20003)
                assert (await ask(client, "GET", path, None, headers)).status == 401


async def test_status_callbacks_are_signed_and_say_sent_first() -> None:
    async with simulator(undelivered=1.0, error_code="30005") as (twilio, client, hooks):
        await ask(client, "POST", f"{MESSAGES}.json", GOOD | {"StatusCallback": f"{hooks.url}?a=1#rc=3"})
        await twilio.quiet()
        forms = [dict(hook.form) for hook in hooks.heard]
        assert [form["MessageStatus"] for form in forms] == ["sent", "undelivered"]
        assert forms[1]["ErrorCode"] == "30005"
        for hook, form in zip(hooks.heard, forms, strict=True):
            assert hook.url == f"{hooks.url}?a=1"
            right = signature(TOKEN.encode(), hook.url, form.items()).decode()
            assert (hook.headers["X-Twilio-Signature"], hook.headers["Content-Type"]) == (right, FORM)
        record = (await ask(client, "GET", f"{MESSAGES}/{forms[0]['MessageSid']}.json")).json()
        assert (record["status"], record["error_code"]) == ("undelivered", 30005)


async def test_a_message_without_progress_has_one_callback() -> None:
    async with simulator(progress=0.0) as (twilio, client, hooks):
        await ask(client, "POST", f"{MESSAGES}.json", GOOD)
        await twilio.quiet()
        assert [dict(hook.form)["MessageStatus"] for hook in hooks.heard] == ["delivered"]


async def test_a_message_can_be_deleted_and_nothing_else_done_to_it() -> None:
    async with simulator(receipt_after=-1.0) as (_, client, _hooks):
        sid = (await ask(client, "POST", f"{MESSAGES}.json", GOOD)).json()["sid"]
        assert (await ask(client, "POST", f"{MESSAGES}/{sid}.json", {"Status": "canceled"})).json()["code"] == 20001
        assert (await ask(client, "DELETE", f"{MESSAGES}/{sid}.json")).status == 204
        for method in ("GET", "POST", "DELETE"):
            reply = await ask(client, method, f"{MESSAGES}/{sid}.json", {} if method == "POST" else None)
            assert (reply.status, reply.json()["code"]) == (404, 20404)


async def test_lists_have_the_shape_of_their_api() -> None:
    async with simulator(receipt_after=-1.0) as (_, client, _hooks):
        for n in range(3):
            await ask(client, "POST", f"{MESSAGES}.json", GOOD | {"Body": str(n)})
            await ask(client, "POST", COMMANDS, ORDER | {"Command": str(n)})
        page = (await ask(client, "GET", f"{MESSAGES}.json?PageSize=2")).json()
        assert [each["body"] for each in page["messages"]] == ["2", "1"]
        assert page.keys() == {
            *("end", "first_page_uri", "messages", "next_page_uri", "page", "page_size"),
            *("previous_page_uri", "start", "uri"),
        }
        page = (await ask(client, "GET", page["next_page_uri"])).json()
        assert ([each["body"] for each in page["messages"]], page["next_page_uri"]) == (["0"], None)
        page = (await ask(client, "GET", f"{COMMANDS}?PageSize=2&Direction=to_sim")).json()
        assert page["meta"]["key"] == "commands"
        assert page["meta"]["next_page_url"].startswith("https://wireless.twilio.com/v1/Commands?")
        assert page["meta"].keys() == {
            *("first_page_url", "key", "next_page_url", "page", "page_size", "previous_page_url", "url")
        }
        assert (await ask(client, "GET", f"{COMMANDS}?PageSize=x")).status == 400
        assert (await ask(client, "GET", f"{MESSAGES}.json?PageSize=0")).status == 400
        assert (await ask(client, "GET", f"{MESSAGES}.json?DateSent=2026-01-01")).json()["messages"] == []


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


async def test_a_message_that_is_accepted_without_a_reply_has_its_receipt_all_the_same() -> None:
    async with simulator(accept_and_hang=1.0, progress=0.0) as (twilio, _client, hooks):
        impatient = HttpClient(f"http://127.0.0.1:{twilio.port}", connections=1, connect=5, timeout=0.2)
        with pytest.raises(Unanswered):
            await ask(impatient, "POST", f"{MESSAGES}.json", GOOD)
        await impatient.close()
        await twilio.quiet()
        assert (len(hooks.heard), twilio.counts["accepted"]) == (1, 1)


@pytest.mark.parametrize(
    "said", [{"sim": SIM}, {"from": "a"}, {"sim": SIM, "hex": "x"}, {"sim": SIM, "text": "x" * 161}]
)
async def test_a_handset_says_nothing_that_makes_no_sense(said: dict[str, str]) -> None:
    async with simulator() as (_, client, _hooks):
        assert (await client.request("POST", "/-/mo", json=said)).status == 400


async def test_an_early_callback_comes_before_the_reply() -> None:
    async with simulator(early=1.0, progress=0.0) as (_, client, hooks):
        reply = await asyncio.wait_for(ask(client, "POST", f"{MESSAGES}.json", GOOD), 5)
        assert dict(hooks.heard[0].form)["MessageSid"] == reply.json()["sid"]
