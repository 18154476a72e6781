"""What both Twilio carriers rely on: signatures, credentials, the meaning of errors, lists in two shapes."""

import hashlib
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from pydantic import ValidationError

from protocol.consts import Status
from smppgw.carriers.client import BadReply, Reply
from smppgw.carriers.contract import Hook, HookRefused, Verdict
from smppgw.carriers.twilio import (
    COMMON,
    Account,
    TwilioSettings,
    error_of,
    limit_of,
    moment_of,
    number_of,
    read_answer,
    signature,
)
from smppgw.simulate.twilio_account import ACCOUNT, TOKEN
from smppgw.values import Wrong
from tests.smppgw.twilio import BASIC, MESSAGE, WEBHOOK, Scribe, error, got, posted, reply

CALL = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+12349013030",
    "Digits": "1234",
    "From": "+12349013030",
    "To": "+18005551212",
}
MYAPP = "https://mycompany.com/myapp.php?foo=1&bar=2"
STATUS = (
    "MessageSid=SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&SmsSid=SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&MessageStatus=delivered"
    "&SmsStatus=delivered&AccountSid=ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&From=%2B15017122661&To=%2B819012345678"
    "&ApiVersion=2010-04-01&MessagingServiceSid=MGaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&RawDlrDoneDate=2301011230"
)
SIGNED = "Mtn6nMa2FO1NsHv3gApJkWnV1zo="


def settings(**keys: Any) -> TwilioSettings:
    given = {
        "name": "tw",
        "kind": "tw",
        "url": "https://api.example",
        "account_sid": ACCOUNT,
        "auth_token": TOKEN,
        **keys,
    }
    return TwilioSettings.model_validate(given)


def account(*replies: Reply, **keys: Any) -> tuple[Account, Scribe]:
    scribe = Scribe(*replies)
    return Account(settings(**keys), scribe), scribe


def refusal(hook: Hook, **keys: Any) -> int:
    with pytest.raises(HookRefused) as caught:
        account(**keys)[0].fields(hook)
    return caught.value.status


# Signatures.


@pytest.mark.parametrize(
    ("fields", "signed"),
    [
        (CALL, b"0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        (CALL | {"Caller": "+14158675309", "From": "+14158675309"}, b"RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    ],
)
def test_a_form_is_signed_as_in_the_documents(fields: dict[str, str], signed: bytes) -> None:
    assert signature(b"12345", MYAPP, fields.items()) == signed
    assert signature(b"12345", MYAPP, reversed(fields.items())) == signed


def test_the_documented_status_callback_is_genuine() -> None:
    assert len(STATUS) == 319
    assert account()[0].fields(posted(STATUS, stated=SIGNED))["MessageStatus"] == "delivered"


@pytest.mark.parametrize(
    "hook",
    [
        posted(STATUS, stated=SIGNED[::-1]),
        posted(STATUS, stated="ünd"),
        posted(STATUS.replace("delivered", "failed"), stated=SIGNED),
        posted(STATUS + "&More=1", stated=SIGNED),
        posted(STATUS, WEBHOOK + "?a=1", stated=SIGNED),
        Hook("POST", WEBHOOK, [], CIMultiDict({"Content-Type": "application/x-www-form-urlencoded"}), STATUS.encode()),
        Hook("GET", WEBHOOK + "?a=1", [("a", "1")], CIMultiDict(), b""),
    ],
)
def test_what_is_forged_or_unsigned_is_refused(hook: Hook) -> None:
    assert refusal(hook) == 403


def test_another_token_is_refused() -> None:
    assert refusal(posted(STATUS, stated=SIGNED), auth_token="54321") == 403


def test_without_a_token_nothing_is_genuine() -> None:
    keys = {"auth_token": "", "api_key": "SK" + "b" * 32, "api_secret": "word"}
    stated = signature(b"", WEBHOOK, [("a", "1")]).decode()
    assert refusal(posted({"a": "1"}, stated=stated), **keys) == 403


def test_a_get_is_signed_by_its_url_alone() -> None:
    url = "https://gw.example.com/cb/cmd?CommandSid=DC1&CommandStatus=delivered"
    pairs = [("CommandSid", "DC1"), ("CommandStatus", "delivered")]
    hook = Hook("GET", url, pairs, CIMultiDict({"X-Twilio-Signature": "6+c+2+voalyY7pqTtL/yeCswnAM="}), b"")
    assert account()[0].fields(hook) == dict(pairs)


def json_hook(body: bytes, hashed: bytes | None = None, signed: str = "") -> Hook:
    digest = hashlib.sha256(body if hashed is None else hashed).hexdigest()
    url = f"{WEBHOOK}?bodySHA256={digest}"
    headers = {"Content-Type": "application/json", "X-Twilio-Signature": signed or signature(b"12345", url).decode()}
    return Hook("POST", url, [("bodySHA256", digest)], CIMultiDict(headers), body)


def test_json_is_signed_by_a_hash_in_the_url() -> None:
    body = b'{"MessageSid":"SM1","MessageStatus":"delivered"}'
    fields = account()[0].fields(json_hook(body, signed="GzHZY5aRPiYS85wwruYDBS5Og7s="))
    assert fields == {"MessageSid": "SM1", "MessageStatus": "delivered"}


def test_json_of_another_hash_is_refused() -> None:
    assert refusal(json_hook(b'{"a":"1"}', hashed=b'{"a":"2"}')) == 403


@pytest.mark.parametrize("body", [b"[1]", b"null", b"{", b"\xff"])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    assert refusal(json_hook(body)) == 400


@pytest.mark.parametrize(
    ("told", "signed"),
    [
        ("https://gw.example.com/cb/tw", "https://gw.example.com:443/cb/tw"),
        ("https://gw.example.com:443/cb/tw", "https://gw.example.com/cb/tw"),
        ("https://gw.example.com:8443/cb/tw", "https://gw.example.com/cb/tw"),
        ("http://gw.example.com/cb/tw?a=1", "http://gw.example.com:80/cb/tw?a=1"),
        ("https://user:word@gw.example.com/cb/tw", "https://gw.example.com/cb/tw"),
        ("https://user:word@gw.example.com:8443/cb/tw", "https://gw.example.com:8443/cb/tw"),
        ("https://gw.example.com/cb/tw", "https://me:a%40b@gw.example.com/cb/tw"),
        ("https://gw.example.com:8443/cb/tw", "https://me:a%40b@gw.example.com:8443/cb/tw#rc=3&rp=all"),
        ("https://[2001:db8::1]/cb", "https://[2001:db8::1]:443/cb"),
        ("https://gw.example.com/cb/tw", "https://gw.example.com/cb/tw#rc=3&rp=all"),
    ],
)
def test_port_user_and_overrides_may_be_signed_or_not(told: str, signed: str) -> None:
    hook = posted({"a": "1"}, told, stated=signature(b"12345", signed, [("a", "1")]).decode())
    keys = {"webhook_options": "rc=3&rp=all", "webhook_user": "me", "webhook_password": "a@b"}
    assert account(**keys)[0].fields(hook) == {"a": "1"}


def test_another_host_is_signed_by_nobody() -> None:
    stated = signature(b"12345", "https://evil.example.com/cb/tw", [("a", "1")]).decode()
    assert refusal(posted({"a": "1"}, stated=stated)) == 403


def test_signatures_are_unchecked_only_where_the_config_says_so() -> None:
    assert account(verify_signature=False)[0].fields(posted(STATUS, stated="none"))["To"] == "+819012345678"


def test_other_methods_and_bodies_are_refused() -> None:
    assert refusal(Hook("PUT", WEBHOOK, [], CIMultiDict(), b"")) == 405
    assert refusal(posted("a=1", kind="text/plain")) == 415
    assert refusal(posted("a=%ff")) == 400


words = st.text(max_size=20)


@given(
    st.sampled_from(["GET", "POST", "HEAD"]),
    words,
    st.dictionaries(words, words, max_size=4),
    st.sampled_from(["application/json", "application/x-www-form-urlencoded", "", "ü"]),
    words,
    st.binary(max_size=60),
    st.booleans(),
)
def test_junk_is_refused_and_nothing_else_happens(
    method: str, url: str, query: dict[str, str], kind: str, stated: str, body: bytes, verify: bool
) -> None:
    headers = CIMultiDict({"Content-Type": kind, "X-Twilio-Signature": stated})
    hook = Hook(method, url, list(query.items()), headers, body)
    with suppress(HookRefused):
        account(verify_signature=verify)[0].fields(hook)


@given(st.dictionaries(words, words, max_size=6), st.binary(min_size=1, max_size=20))
def test_what_is_signed_with_our_token_is_genuine(fields: dict[str, str], token: bytes) -> None:
    assert account()[0].fields(posted(fields)) == fields
    assert account()[0].fields(got(fields)) == fields


# Credentials.


async def test_the_account_and_its_token_are_the_credentials() -> None:
    mine, scribe = account(auth_token="authtoken")
    await mine.ask("GET", "/")
    assert scribe.headers["Authorization"] == BASIC


async def test_an_api_key_stands_for_them() -> None:
    mine, scribe = account(api_key="SK" + "b" * 32, api_secret="word")
    await mine.ask("GET", "/")
    assert scribe.headers["Authorization"] == "Basic U0tiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYjp3b3Jk"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"account_sid": "AC1"}, "no AC sid"),
        ({"account_sid": ""}, "account_sid is empty"),
        ({"auth_token": ""}, "no credentials"),
        ({"api_key": "SK" + "b" * 32}, "api_key goes with api_secret"),
        ({"api_secret": "word"}, "api_key goes with api_secret"),
        (
            {"auth_token": "", "api_key": "SK" + "b" * 32, "api_secret": "word", "webhook_path": "/tw"},
            "cannot be checked without auth_token",
        ),
        ({"webhook_options": "rc=3 #"}, "no connection overrides"),
    ],
)
def test_a_config_that_cannot_work_is_refused_in_words(keys: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**keys)
    wrong = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(wrong, Wrong)
    assert words in wrong.wrong


def test_the_url_that_twilio_is_told_has_the_overrides() -> None:
    assert account(webhook_url=WEBHOOK, webhook_options="rc=3&rp=all")[0].webhook == f"{WEBHOOK}#rc=3&rp=all"
    assert account(webhook_options="rc=3")[0].webhook == ""


def test_the_url_that_twilio_is_told_has_the_user_that_the_webhook_asks_for() -> None:
    keys = {"webhook_url": WEBHOOK, "webhook_user": "me", "webhook_password": "a@b"}
    assert account(**keys)[0].webhook == "https://me:a%40b@gw.example.com/cb/tw"


# Answers.


def test_a_created_resource_is_sent_under_its_sid() -> None:
    answer = read_answer(reply({"sid": MESSAGE, "status": "accepted"}), COMMON)
    assert (answer.verdict, answer.ids) == (Verdict.SENT, (MESSAGE.encode(),))


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"sid":7}', b'{"sid":""}', b'{"sid":"a b"}'])
def test_a_success_without_a_sid_is_doubt(body: bytes) -> None:
    answer = read_answer(reply(body), COMMON)
    assert (answer.verdict, answer.code) == (Verdict.DOUBT, "bad reply")


def test_too_many_requests_rest_the_connector_as_long_as_twilio_says() -> None:
    for refused in (error(20429, 429, Retry_After="7"), error(63038, 429, Retry_After="7")):
        answer = read_answer(refused, COMMON)
        assert (answer.verdict, answer.status, answer.wait) == (Verdict.LATER, Status.RTHROTTLED, 7.0)
    assert read_answer(error(20429, 400), COMMON).wait == 1.0
    assert read_answer(reply(b"slow down", 429), COMMON).verdict is Verdict.LATER


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_raise_an_alarm(status: int) -> None:
    for refused in (error(20003, status), reply(b"", status)):
        answer = read_answer(refused, COMMON)
        assert (answer.verdict, answer.status, answer.alarm) == (Verdict.LATER, Status.RSYSERR, True)


def test_a_code_that_nobody_knows_is_judged_by_its_http_status() -> None:
    answer = read_answer(error(29999), COMMON)
    assert (answer.verdict, answer.status, answer.code) == (Verdict.NEVER, Status.RSUBMITFAIL, "29999")
    assert "errors/29999" in answer.reason
    answer = read_answer(error(20500, 500), COMMON)
    assert (answer.verdict, answer.code) == (Verdict.DOUBT, "20500")


def test_a_known_code_in_an_answer_of_status_500_is_doubt_all_the_same() -> None:
    assert read_answer(error(20003, 500), COMMON).verdict is Verdict.DOUBT


def test_an_error_without_a_code_is_judged_by_its_http_status() -> None:
    for body in (b"", b"[]", b'{"code":"x"}', b'{"code":true}', b"\xff"):
        assert read_answer(reply(body, 400), COMMON).code == "http 400"


def test_no_reason_names_an_address() -> None:
    assert "8190" not in read_answer(error(29999), COMMON).reason


@given(st.integers(100, 599), st.binary(max_size=40) | st.sampled_from([b'{"code":1e99}', b'{"code":-1}', b"1"]))
def test_every_reply_means_something(status: int, body: bytes) -> None:
    assert read_answer(reply(body, status), COMMON).verdict in Verdict


# Small things.


def test_codes_come_as_numbers_and_words() -> None:
    assert [number_of(code) for code in ("30003", 30003, None, "", "x", "-1", "9" * 30, "٣")] == [30003, 30003] + [
        0
    ] * 6


def test_an_unlisted_code_has_three_digits_in_a_receipt() -> None:
    assert [error_of(code) for code in (30034, 63016, 33000, 7)] == [b"034", b"016", b"999", b"007"]


def test_dates_come_in_two_forms() -> None:
    assert moment_of("Thu, 24 Aug 2023 05:01:45 +0000") == 1692853305.0
    assert moment_of("2015-07-30T20:00:00Z") == 1438286400.0
    for junk in (None, 7, "", "yesterday", "Thu, 99", "2015-07-30T20:00:00", "Thu, 24 Aug 2023 05:01:45"):
        assert moment_of(junk) is None


@pytest.mark.parametrize("limit", ["", "0", "-1", "x", "100001", "٣"])
def test_a_limit_is_a_number(limit: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        limit_of(limit)


# Lists.


def commands(number: int, following: str | None) -> Reply:
    return reply({"commands": [{"n": number}], "meta": {"key": "commands", "next_page_url": following}}, 200)


async def test_pages_are_followed_to_the_last_in_both_shapes() -> None:
    mine, scribe = account(commands(1, "https://wireless.twilio.com/v1/Commands?Page=1&Sim=a%2Bb"), commands(2, None))
    assert [entry["n"] for entry in await mine.entries("/v1/Commands", 10)] == [1, 2]
    assert [url for _, url, _ in scribe.asked] == ["/v1/Commands", "/v1/Commands?Page=1&Sim=a%2Bb"]
    mine, scribe = account(
        reply({"messages": [{"n": 1}], "next_page_uri": "/2010-04-01/x.json?Page=1"}, 200),
        reply({"messages": [{"n": 2}], "next_page_uri": None}, 200),
    )
    assert [entry["n"] for entry in await mine.entries("/x.json", 10)] == [1, 2]
    assert scribe.asked[1][1] == "/2010-04-01/x.json?Page=1"


async def test_a_link_to_another_host_does_not_take_our_credentials_there() -> None:
    mine, scribe = account(commands(1, "https://evil.example.com/v1/Commands?Page=1"), commands(2, None))
    assert [entry["n"] for entry in await mine.entries("/v1/Commands", 10)] == [1, 2]
    assert all(url.startswith("/v1/") for _, url, _ in scribe.asked)


@pytest.mark.parametrize("link", ["a:https://evil.example.com/x", "x", "?Page=1", "https://[/x"])
async def test_a_link_that_has_no_path_is_not_followed(link: str) -> None:
    mine, scribe = account(commands(1, link))
    with pytest.raises(BadReply, match="the link to the next page"):
        await mine.entries("/v1/Commands", 10)
    assert len(scribe.asked) == 1


async def test_a_list_that_links_to_itself_ends() -> None:
    mine, _ = account(commands(1, "/v1/Commands"))
    assert len(await mine.entries("/v1/Commands", 100_000)) == 1000


async def test_no_more_pages_are_asked_for_than_are_wanted() -> None:
    mine, scribe = account(commands(1, "/v1/Commands"))
    assert len(await mine.entries("/v1/Commands", 2)) == len(scribe.asked) == 2


@pytest.mark.parametrize("page", [reply(b"[]", 200), reply(b"x", 200), error(20404, 404)])
async def test_a_page_that_is_none_is_a_bad_reply(page: Reply) -> None:
    mine, _ = account(page)
    with pytest.raises(BadReply):
        await mine.entries("/v1/Commands", 10)


@pytest.mark.parametrize(
    "page", [{}, {"meta": {}}, {"meta": 7, "messages": 7}, {"meta": {"key": "a"}, "a": [7], "next_page_uri": 7}]
)
async def test_a_page_without_entries_has_none(page: object) -> None:
    mine, _ = account(reply(json.dumps(page).encode(), 200))
    assert await mine.entries("/v1/Commands", 10) == []


async def test_a_deleted_resource_has_no_body() -> None:
    mine, _ = account(reply(b"", 204))
    assert await mine.resource("DELETE", "/v1/Commands/DC1") == {}
