"""Twilio Messages: what is asked of it, and what its answers, callbacks and records mean."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocol.consts import MessageState, Status
from protocol.receipt import Receipt
from smppgw.carriers.client import BadReply, Reply
from smppgw.carriers.contract import HookRefused, Mo, Verdict
from smppgw.carriers.twilio_messages import CODES, FAILURES, STATES, MessagesSettings, TwilioMessages
from smppgw.exchange import Unanswered
from smppgw.simulate.twilio_account import ACCOUNT, TOKEN
from smppgw.simulate.twilio_messages import SERVICE
from smppgw.values import Wrong
from tests.smppgw.twilio import MESSAGE, WEBHOOK, Scribe, error, got, posted, reply, simulator, text

SID = MESSAGE.encode()
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"


def settings(**keys: Any) -> MessagesSettings:
    given = {
        "name": "tw",
        "account_sid": ACCOUNT,
        "auth_token": TOKEN,
        "messaging_service_sid": SERVICE,
        "webhook_url": WEBHOOK,
        **keys,
    }
    return MessagesSettings.model_validate(given)


def carrier(*replies: Reply, **keys: Any) -> tuple[TwilioMessages, Scribe]:
    scribe = Scribe(*replies)
    return TwilioMessages(settings(**keys), scribe), scribe


async def sender(given: str, **keys: Any) -> str | int:
    """Who is said to send; the status where nobody can."""
    twilio, scribe = carrier(**keys)
    answer = await twilio.send(text(source=given))
    if answer.verdict is not Verdict.SENT:
        return answer.status
    return scribe.form.get("From") or scribe.form["MessagingServiceSid"]


# What is asked.


async def test_a_request_is_octet_for_octet_that_of_the_documents() -> None:
    twilio, scribe = carrier()
    answer = await twilio.send(text("テスト", validity=3600.9))
    assert (answer.verdict, answer.ids) == (Verdict.SENT, (SID,))
    assert scribe.asked == [
        (
            "POST",
            f"{PATH}.json",
            "To=%2B819012345678&MessagingServiceSid=MGaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&Body=%E3%83%86%E3%82%B9%E3%83%88"
            "&StatusCallback=https%3A%2F%2Fgw.example.com%2Fcb%2Ftw&ValidityPeriod=3600",
        )
    ]
    assert len(scribe.asked[0][2]) == 180


async def test_an_explicit_source_always_wins() -> None:
    assert await sender("+15017122661") == "+15017122661"
    assert await sender("15017122661") == "+15017122661"
    assert await sender("12345") == "12345"
    assert await sender("+12345") == "12345"
    assert await sender("My Bank") == "My Bank"
    assert await sender("MG" + "b" * 32) == "MG" + "b" * 32


async def test_the_service_or_number_of_the_config_is_the_default() -> None:
    assert await sender("") == SERVICE
    assert await sender("", messaging_service_sid="", sender="15017122661") == "+15017122661"
    assert await sender("12345", source="ignore") == SERVICE
    assert await sender("", messaging_service_sid="") == Status.RINVSRCADR


@pytest.mark.parametrize(
    "source", ["My Bank Ltd.", "twelve chars", "1234567890123456", "+1234567890123456", "+", "ü", "a_b.c"]
)
async def test_a_source_that_can_send_nothing_is_refused(source: str) -> None:
    assert await sender(source) == Status.RINVSRCADR


async def test_a_number_is_written_with_its_country() -> None:
    assert await sender("09012345678", country_code="81", national_prefix="0") == "+819012345678"
    assert await sender("8901234", short_code_digits=7) == "8901234"
    assert await sender("8901234") == "+8901234"


async def test_what_nobody_wants_to_hear_of_names_no_callback() -> None:
    twilio, scribe = carrier()
    await twilio.send(text(receipt=False))
    assert scribe.form.keys() == {"To", "MessagingServiceSid", "Body"}
    twilio, scribe = carrier(webhook_url="")
    await twilio.send(text())
    assert "StatusCallback" not in scribe.form


@pytest.mark.parametrize(
    ("validity", "asked"), [(0.0, None), (0.2, "1"), (36_000.0, None), (35_999.9, "35999"), (172_800.0, None)]
)
async def test_a_validity_is_told_where_it_is_shorter_than_twilios_own(validity: float, asked: str | None) -> None:
    twilio, scribe = carrier()
    await twilio.send(text(validity=validity))
    assert scribe.form.get("ValidityPeriod") == asked


async def test_optional_parameters_are_keys() -> None:
    keys = {"smart_encoded": False, "content_retention": "discard", "address_retention": "obfuscate"}
    twilio, scribe = carrier(**keys, parameters={"RiskCheck": "disable"}, webhook_options="rc=3")
    await twilio.send(text())
    assert scribe.form == {
        "To": "+819012345678",
        "MessagingServiceSid": SERVICE,
        "Body": "hello",
        "StatusCallback": f"{WEBHOOK}#rc=3",
        "RiskCheck": "disable",
        "SmartEncoded": "false",
        "ContentRetention": "discard",
        "AddressRetention": "obfuscate",
    }


async def test_a_channel_stands_before_both_addresses_and_not_before_a_service() -> None:
    twilio, scribe = carrier(channel="whatsapp")
    await twilio.send(text(source="+15017122661"))
    assert (scribe.form["To"], scribe.form["From"]) == ("whatsapp:+819012345678", "whatsapp:+15017122661")
    await twilio.send(text())
    assert scribe.form["MessagingServiceSid"] == SERVICE
    heard = {"MessageSid": MESSAGE, "Body": "hi", "From": "whatsapp:+819012345678", "To": "whatsapp:+15017122661"}
    assert twilio.hear(posted(heard)) == [Mo(SID, "819012345678", "15017122661", "hi")]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"said": "x" * 1601}, Status.RINVMSGLEN),
        ({"said": ""}, Status.RINVMSGLEN),
        ({"said": "", "binary": b"\1"}, Status.RINVESMCLASS),
        ({"header": b"\x06\x05\x04\x0b\x84\x23\xf0"}, Status.RINVESMCLASS),
    ],
)
async def test_what_cannot_be_sent_is_refused_without_asking(fields: dict[str, Any], status: Status) -> None:
    twilio, scribe = carrier()
    answer = await twilio.send(text(**fields))
    assert (answer.verdict, answer.status, bool(answer.code), scribe.asked) == (Verdict.NEVER, status, True, [])


async def test_1600_characters_are_sent() -> None:
    twilio, _ = carrier()
    assert (await twilio.send(text("字" * 1600))).verdict is Verdict.SENT


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"messaging_service_sid": "MG1"}, "no MG sid"),
        ({"sender": "12345"}, "messaging_service_sid and sender are given"),
        ({"messaging_service_sid": "", "source": "ignore"}, "nothing says who sends"),
        ({"messaging_service_sid": "", "sender": "a name too long"}, "can send nothing"),
        ({"parameters": {"Body": "x"}}, "is set by the gateway"),
    ],
)
def test_a_config_that_cannot_work_is_refused_in_words(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**keys)
    wrong = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(wrong, Wrong)
    assert words in wrong.wrong


# What is answered.


async def asked_in_vain(code: int, status: int = 400, **keys: Any) -> tuple[Verdict, int, bool]:
    twilio, _ = carrier(error(code, status), **keys)
    answer = await twilio.send(text())
    assert answer.code == str(code)
    return answer.verdict, answer.status, answer.alarm


ALARMS = {20003, 20005, 20404, 21701}
STATUSES = {
    Status.RSYSERR: ALARMS,
    Status.RINVDSTADR: {21211, 21408, 21604, 21608, 21610, 21612, 21614, 21635},
    Status.RINVSRCADR: {21212, 21601, 21603, 21606, 21703, 21704},
    Status.RINVMSGLEN: {21602, 21617},
    Status.RMSGQFUL: {21611},
    Status.RINVEXPIRY: {21624},
}


@pytest.mark.parametrize("code", CODES)
async def test_every_code_has_its_status_and_verdict(code: int) -> None:
    verdict = Verdict.LATER if code in ALARMS | {21611} else Verdict.NEVER
    [status] = [status for status, codes in STATUSES.items() if code in codes]
    assert await asked_in_vain(code) == (verdict, status, code in ALARMS)


async def test_what_an_opt_out_is_answered_with_is_a_key() -> None:
    assert await asked_in_vain(21610, opted_out="RSUBMITFAIL") == (Verdict.NEVER, Status.RSUBMITFAIL, False)
    assert await asked_in_vain(21610, opted_out=0x400) == (Verdict.NEVER, 0x400, False)


# What is heard.


def heard(fields: dict[str, str], **keys: Any) -> Any:
    return carrier(**keys)[0].hear(posted(fields))


@pytest.mark.parametrize(("status", "state"), STATES.items())
def test_every_status_has_its_state(status: str, state: MessageState) -> None:
    assert heard({"MessageSid": MESSAGE, "MessageStatus": status}) == [Receipt(SID, state, b"000")]
    assert heard({"SmsSid": MESSAGE, "SmsStatus": status}) == [Receipt(SID, state, b"000")]


@pytest.mark.parametrize("status", ["failed", "undelivered", "partially_delivered"])
@pytest.mark.parametrize(("code", "meaning"), FAILURES.items())
def test_every_error_code_has_its_state_and_err(status: str, code: int, meaning: tuple[MessageState, bytes]) -> None:
    fields = {"MessageSid": MESSAGE, "MessageStatus": status, "ErrorCode": str(code)}
    assert heard(fields) == [Receipt(SID, *meaning)]


def test_the_states_of_error_codes_are_those_that_were_agreed() -> None:
    rejected = {code for code, (state, _) in FAILURES.items() if state is MessageState.REJECTED}
    assert rejected == {30002, 30004, 30007, 30010, 30450}
    assert FAILURES[30036] == (MessageState.EXPIRED, b"336")
    assert len({err for _, err in FAILURES.values()}) == len(FAILURES)


def test_an_unknown_code_or_status_is_no_guess() -> None:
    fields = {"MessageSid": MESSAGE, "MessageStatus": "failed", "ErrorCode": "30034"}
    assert heard(fields) == [Receipt(SID, MessageState.UNDELIVERABLE, b"034")]
    assert heard({"MessageSid": MESSAGE, "MessageStatus": "teleported"}) == [Receipt(SID, None, b"000")]


def test_a_code_beside_a_good_status_says_nothing() -> None:
    fields = {"MessageSid": MESSAGE, "MessageStatus": "delivered", "ErrorCode": "30003"}
    assert heard(fields) == [Receipt(SID, MessageState.DELIVERED, b"000")]


def test_where_no_receipts_are_given_sent_may_be_the_last_word() -> None:
    fields = {"MessageSid": MESSAGE, "MessageStatus": "sent"}
    assert heard(fields, sent_is="delivered") == [Receipt(SID, MessageState.DELIVERED, b"000")]


@pytest.mark.parametrize(
    ("date", "done"), [("2301011230", 1672576200.0), ("2313011230", None), ("230101", None), ("", None), ("٢٣", None)]
)
def test_the_handsets_date_counts_where_the_config_says_so(date: str, done: float | None) -> None:
    fields = {"MessageSid": MESSAGE, "MessageStatus": "delivered", "RawDlrDoneDate": date}
    assert heard(fields, done_date="utc") == [Receipt(SID, MessageState.DELIVERED, b"000", done=done)]
    assert heard(fields) == [Receipt(SID, MessageState.DELIVERED, b"000")]


INBOUND = {"MessageSid": MESSAGE, "SmsStatus": "received", "From": "+819012345678", "To": "+15017122661"}


def test_a_message_from_a_handset_is_heard_by_post_and_get() -> None:
    fields = INBOUND | {"Body": "こんにちは", "NumMedia": "0", "NumSegments": "1"}
    mo = Mo(SID, "819012345678", "15017122661", "こんにちは")
    twilio, _ = carrier()
    assert twilio.hear(posted(fields)) == twilio.hear(got(fields)) == [mo]
    fields.pop("SmsStatus")
    assert twilio.hear(posted(fields)) == [mo]


def test_an_empty_message_from_a_short_code_is_one_too() -> None:
    assert heard(INBOUND | {"From": "12345", "Body": ""}) == [Mo(SID, "12345", "15017122661", "")]


def test_media_are_named_below_the_text() -> None:
    media = {"NumMedia": "2", "MediaUrl0": "https://m/0", "MediaUrl1": "https://m/1", "MediaUrl2": "https://m/2"}
    assert heard(INBOUND | {"Body": "look"} | media)[0].text == "look\nhttps://m/0\nhttps://m/1"
    assert heard(INBOUND | {"Body": ""} | media | {"NumMedia": "1"})[0].text == "https://m/0"


def test_what_names_no_message_is_refused() -> None:
    for fields in ({}, {"MessageStatus": "sent"}, {"MessageSid": "x" * 65}, {"MessageSid": "ü"}, {"MessageSid": "a b"}):
        with pytest.raises(HookRefused) as caught:
            heard(fields)
        assert caught.value.status == 400


names = st.sampled_from(["MessageSid", "SmsSid", "MessageStatus", "SmsStatus", "ErrorCode", "NumMedia", "Body", "To"])
junk = st.sampled_from(["SM1", "failed", "received", "99999999", "-1"]) | st.text(max_size=30)


@given(st.dictionaries(names | st.text(max_size=10), junk, max_size=8))
def test_junk_with_a_signature_is_read_or_refused(fields: dict[str, str]) -> None:
    with suppress(HookRefused):
        [one] = heard(fields, done_date="utc")
        assert one.id


def test_its_thanks_are_empty_twiml() -> None:
    body, kind = TwilioMessages.thanks
    assert (body.decode(), kind) == ('<?xml version="1.0" encoding="UTF-8"?><Response></Response>', "text/xml")


# What is looked up.


async def test_a_look_up_tells_the_state_and_when() -> None:
    record = {"status": "undelivered", "error_code": 30005, "date_updated": "Thu, 24 Aug 2023 05:01:45 +0000"}
    twilio, scribe = carrier(reply(record, 200))
    assert await twilio.poll(SID) == [Receipt(SID, MessageState.UNDELIVERABLE, b"305", done=1692853305.0)]
    assert scribe.asked == [("GET", f"{PATH}/{MESSAGE}.json", "")]


@pytest.mark.parametrize("answer", [error(20404, 404), reply(b"", 500), reply(b"x", 200), reply({"status": 7}, 200)])
async def test_a_look_up_that_finds_nothing_is_a_bad_reply(answer: Reply) -> None:
    with pytest.raises(BadReply):
        await carrier(answer)[0].poll(SID)


async def test_an_id_stays_inside_its_path() -> None:
    twilio, scribe = carrier(reply({"status": "sent"}, 200))
    await twilio.poll(b"../x?y")
    assert scribe.asked[0][1] == f"{PATH}/..%2Fx%3Fy.json"


# With the simulator.


async def test_a_text_goes_out_and_its_receipts_come_back() -> None:
    async with simulator() as (twilio, client, hooks):
        mine = TwilioMessages(settings(webhook_url=hooks.url), client)
        answer = await mine.send(text("テスト"))
        await twilio.quiet()
        receipts = [receipt for hook in hooks.heard for receipt in mine.hear(hook)]
        assert receipts == [
            Receipt(answer.ids[0], MessageState.ENROUTE, b"000"),
            Receipt(answer.ids[0], MessageState.DELIVERED, b"000"),
        ]
        [polled] = await mine.poll(answer.ids[0])
        assert isinstance(polled, Receipt)
        assert (polled.state, polled.done is not None) == (MessageState.DELIVERED, True)


async def test_what_a_handset_says_is_heard() -> None:
    async with simulator() as (twilio, client, hooks):
        mine = TwilioMessages(settings(webhook_url=hooks.url), client)
        said = {"from": "+819012345678", "to": "+15017122661", "text": "はい", "media": ["https://m/1"]}
        await client.request("POST", "/-/mo", json=said)
        await twilio.quiet()
        [mo] = mine.hear(hooks.heard[0])
        assert isinstance(mo, Mo)
        assert mo[1:4] == ("819012345678", "15017122661", "はい\nhttps://m/1")


async def test_operations_fetch_list_cancel_and_redact() -> None:
    async with simulator(receipt_after=-1.0) as (_, client, hooks):
        mine = TwilioMessages(settings(webhook_url=hooks.url), client)
        ids = [(await mine.send(text(str(n), destination=f"+8190123456{n:02}"))).ids[0].decode() for n in range(5)]
        planned = {"ScheduleType": "fixed", "SendAt": "2030-01-01T00:00:00Z"}
        later = TwilioMessages(settings(parameters=planned), client)
        scheduled = (await later.send(text())).ids[0].decode()
        do = mine.operations
        assert (await do["fetch"](ids[0]))["body"] == "0"
        assert [each["sid"] for each in await do["list"](limit="4")] == [scheduled, *ids[:1:-1][:3]]
        assert [each["sid"] for each in await do["list"](to="+819012345602")] == [ids[2]]
        assert await do["list"](sender="+15550000000") == []
        assert (await do["redact"](ids[0]))["body"] == ""
        assert (await do["cancel"](scheduled))["status"] == "canceled"
        with pytest.raises(BadReply, match="http 400"):
            await do["cancel"](ids[0])


async def test_a_list_is_read_over_several_pages() -> None:
    async with simulator(receipt_after=-1.0) as (twilio, client, _):
        mine = TwilioMessages(settings(), client)
        for n in range(7):
            await mine.send(text(str(n)))
        found = await mine._account.entries(f"{PATH}.json?PageSize=3", 100)
        assert [each["body"] for each in found] == list("6543210")
        assert len(twilio.accepted) == 7


async def test_no_reply_is_no_answer() -> None:
    async with simulator(reset=1.0) as (_, client, _hooks):
        with pytest.raises(Unanswered):
            await TwilioMessages(settings(), client).send(text())


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ({"error": 1.0}, Verdict.DOUBT),
        ({"throttle": 1.0}, Verdict.LATER),
        ({"garbage": 1.0}, Verdict.DOUBT),
        ({"redirect": 1.0}, Verdict.LATER),
    ],
)
async def test_every_fault_has_its_verdict(fault: dict[str, float], verdict: Verdict) -> None:
    async with simulator(**fault) as (_, client, _hooks):
        assert (await TwilioMessages(settings(), client).send(text())).verdict is verdict
