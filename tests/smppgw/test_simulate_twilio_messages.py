"""The simulated Messages take what the real ones take, and refuse what they refuse."""

import asyncio

import pytest

from smppgw.carriers.client import HttpClient
from smppgw.carriers.twilio import signature
from smppgw.exchange import Unanswered
from smppgw.simulate.twilio_account import TOKEN
from smppgw.simulate.twilio_messages import SERVICE
from tests.smppgw.twilio import FORM, GOOD, MESSAGES, ask, refused, simulator


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


async def test_a_message_that_is_accepted_without_a_reply_has_its_receipt_all_the_same() -> None:
    async with simulator(accept_and_hang=1.0, progress=0.0) as (twilio, _client, hooks):
        impatient = HttpClient(f"http://127.0.0.1:{twilio.port}", connections=1, connect=5, timeout=0.2)
        with pytest.raises(Unanswered):
            await ask(impatient, "POST", f"{MESSAGES}.json", GOOD)
        await impatient.close()
        await twilio.quiet()
        assert (len(hooks.heard), twilio.counts["accepted"]) == (1, 1)


async def test_an_early_callback_comes_before_the_reply() -> None:
    async with simulator(early=1.0, progress=0.0) as (_, client, hooks):
        reply = await asyncio.wait_for(ask(client, "POST", f"{MESSAGES}.json", GOOD), 5)
        assert dict(hooks.heard[0].form)["MessageSid"] == reply.json()["sid"]
