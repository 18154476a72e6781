"""What KDDI Message Cast is asked, and what its answers mean."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from protocol.consts import MessageState, Status
from protocol.receipt import Receipt
from smppgw.carriers.client import BadReply
from smppgw.carriers.contract import Answer, Verdict
from smppgw.carriers.kddi import encoded
from smppgw.carriers.kddi_events import decoded
from tests.smppgw.kddi import ACCEPTED, AT, CONTACT, ID, PATH, TEXT, TOKENS, Desk, answer, asked, kddi, result, text
from tests.smppgw.test_carriers_plus_message import carousel

# An SMS


async def test_an_sms_is_the_request_of_the_documents() -> None:
    method, url, headers, body = (await asked()).last
    assert (method, url) == ("POST", PATH)
    assert headers == {
        "Authorization": "Basic dGVzdFVzZXI6dGVzdFBhc3M=",
        "Content-Type": "application/json",
        "X-Plusmsg-mkn-Authorization": "Bearer smsonly",
        "X-Plusmsg-tmt-Authorization": "Bearer smsonly",
        "X-Plusmsg-gmp-Authorization": "Bearer smsonly",
        "X-Fallback": "2",
    }
    assert body.decode() == (
        '{"message":{"messageContact":{"userContact":"+819012345678"}},"smsmessage":{"smsNumber":"0312345678",'
        f'"smsText":"{TEXT}","smsTextEnc":"MFMwjDBvMAEAUwBNAFMwxjC5MMgw4TDDMLsw/DC4MGcwWQ=="}},"dst":"0"}}'
    )
    assert len(body) == 234


VECTORS = {
    TEXT: "MFMwjDBvMAEAUwBNAFMwxjC5MMgw4TDDMLsw/DC4MGcwWQ==",
    "これは、SMSメッセージです": "MFMwjDBvMAEAUwBNAFMw4TDDMLsw/DC4MGcwWQ==",
    "【SMSサービス正常性確認開始】\n個人端末から配信試験実施": (
        "MBAAUwBNAFMwtTD8MNMwuWtjXjhgJ3i6io2Vi1nLMBEAClALTrp672crMEswiZFNT+GKZpoTW59lvQ=="
    ),
    "A": "AEE=",
    "\n": "AAo=",
    "é": "AOk=",
    "€": "IKw=",
    "あ": "MEI=",
    "😀": "2D3eAA==",
}


@pytest.mark.parametrize(("words", "base64"), VECTORS.items())
async def test_the_text_goes_twice_as_itself_and_as_base64_of_utf_16(words: str, base64: str) -> None:
    assert encoded(words) == base64
    assert decoded(base64) == words
    sms = (await asked(words)).json["smsmessage"]
    assert (sms["smsText"], sms["smsTextEnc"]) == (words, base64)


@pytest.mark.parametrize("words", ["a\r\nb\rc\n", "a\nb\rc\r\n"])
async def test_every_newline_is_a_line_feed_in_both(words: str) -> None:
    sms = (await asked(words)).json["smsmessage"]
    assert (sms["smsText"], sms["smsTextEnc"]) == ("a\nb\nc\n", encoded("a\nb\nc\n"))


@given(st.text())
def test_any_text_is_what_its_base64_says(words: str) -> None:
    assert decoded(encoded(words)) == words


async def test_half_a_surrogate_pair_does_no_harm() -> None:
    sms = (await asked("a\ud83d")).json["smsmessage"]
    assert (sms["smsText"], sms["smsTextEnc"]) == ("a\ud83d", "AGHYPQ==")


@pytest.mark.parametrize("carrier", ["", "au", "docomo", "softbank", "rakuten", "elsewhere"])
async def test_dst_is_the_mobile_carrier_where_it_is_known(carrier: str) -> None:
    dst = {"au": "1", "docomo": "2", "softbank": "3", "rakuten": "4"}.get(carrier, "0")
    assert (await asked(carrier=carrier)).json["dst"] == dst


async def test_dst_may_be_the_same_for_all() -> None:
    assert (await asked(carrier="au", keys={"dst": "3"})).json["dst"] == "3"


@pytest.mark.parametrize(
    ("source", "number"),
    [("", "0312345678"), ("MyBank", "0312345678"), ("05012345678", "05012345678"), ("+815012345678", "05012345678")],
)
async def test_a_source_that_is_one_of_our_numbers_is_the_sender(source: str, number: str) -> None:
    desk = await asked(source=source, keys={"sms_numbers": ["0312345678", "05012345678"]})
    assert desk.json["smsmessage"]["smsNumber"] == number


@pytest.mark.parametrize(
    "destination", ["09012345678", "MyBank", "+", "+0312345678", "+8190abc", "", "+1234567890123456"]
)
async def test_what_is_no_number_with_a_country_code_is_not_asked(destination: str) -> None:
    desk = Desk()
    refused = await kddi(desk).send(text(destination=destination))
    assert (refused.verdict, refused.status, desk.asked) == (Verdict.NEVER, Status.RINVDSTADR, [])


async def test_binary_messages_are_not_asked() -> None:
    refused = await kddi().send(text("", binary=b"\1\2"))
    assert (refused.verdict, refused.status) == (Verdict.NEVER, Status.RSUBMITFAIL)


async def test_ids_in_paths_are_quoted() -> None:
    desk = await asked(keys={"bot_id": "a/b?c", "aggid": "x y", "send_path": "/{aggid}/{bot_id}/send"})
    assert desk.last[1] == "/x%20y/a%2Fb%3Fc/send"


# Answers


@pytest.mark.parametrize(
    "body",
    [
        ACCEPTED,
        {"SMSMessage": {"MSGID": ID}},
        {"smsMessage": {"orderId": ID}},
        {"RCSMessage": {"msgId": ID, "status": "pending"}, "messageContact": {}},
        {"message": {"rcsMessage": {"msgId": ID}}},
        {"msgId": ID},
    ],
)
async def test_the_id_is_found_whatever_the_case_of_its_names(body: Any) -> None:
    accepted = await answer(202, body)
    assert (accepted.verdict, accepted.ids) == (Verdict.SENT, (ID.encode(),))


@pytest.mark.parametrize(
    ("status", "verdict", "command_status", "alarm"),
    [
        (400, Verdict.NEVER, Status.RSUBMITFAIL, False),
        (401, Verdict.LATER, Status.RSYSERR, True),
        (403, Verdict.LATER, Status.RSYSERR, True),
        (404, Verdict.NEVER, Status.RSUBMITFAIL, False),
        (429, Verdict.LATER, Status.RTHROTTLED, False),
        (500, Verdict.DOUBT, Status.RSYSERR, False),
        (502, Verdict.DOUBT, Status.RSYSERR, False),
        (503, Verdict.LATER, Status.RTHROTTLED, False),
        (504, Verdict.LATER, Status.RSYSERR, False),
    ],
)
async def test_a_refusal_means_what_its_status_says(
    status: int, verdict: Verdict, command_status: Status, alarm: bool
) -> None:
    refused = await answer(status)
    assert (refused.verdict, refused.status, refused.alarm) == (verdict, command_status, alarm)
    assert refused.code == f"http {status}"


async def test_too_many_requests_ask_for_a_pause() -> None:
    assert (await answer(503, pause=2.5)).wait == 2.5
    assert (await answer(503, b"", {"Retry-After": "7"})).wait == 7


async def test_the_reason_is_what_the_service_said() -> None:
    assert (await answer(400, b'{"error": "smsNumber"}')).reason == '{"error": "smsNumber"}'


@pytest.mark.parametrize("body", [b"", b"<html>", [], {"smsmessage": {}}, {"smsmessage": []}, {"msgId": {}}, 5])
async def test_an_acceptance_without_an_id_is_in_doubt(body: Any) -> None:
    assert (await answer(202, body)).verdict is Verdict.DOUBT


# +message


async def plus(content: Any, words: str = "", **keys: Any) -> tuple[Answer, Desk]:
    desk = Desk()
    octets = content if isinstance(content, bytes) else json.dumps(content).encode()
    return await kddi(desk, **{**TOKENS, **keys}).send(text(words, tlvs={0x1501: octets})), desk


async def test_a_plus_message_goes_with_the_tokens_and_its_stand_in() -> None:
    answer, desk = await plus(carousel(2), "SMS text")
    assert answer.verdict is Verdict.SENT
    assert desk.json == {
        "message": {"RCSMessage": carousel(2), "messageContact": {"userContact": "+819012345678"}},
        "smsmessage": {"smsNumber": "0312345678", "smsText": "SMS text", "smsTextEnc": encoded("SMS text")},
        "dst": "0",
    }
    assert desk.headers["X-Fallback"] == "0"
    assert desk.headers["X-Plusmsg-mkn-Authorization"] == "Bearer a"
    assert desk.headers["X-Plusmsg-tmt-Authorization"] == "Bearer d"
    assert desk.headers["X-Plusmsg-gmp-Authorization"] == "Bearer s"


async def test_without_a_text_there_is_no_stand_in() -> None:
    _, desk = await plus(b'{"textMessage": "hello"}\0')
    assert desk.headers["X-Fallback"] == "1"
    assert desk.json == {
        "message": {"RCSMessage": {"textMessage": "hello"}, "messageContact": {"userContact": "+819012345678"}},
        "dst": "0",
    }


@pytest.mark.parametrize(
    ("fallback", "wanted", "words", "goes"),
    [
        ("2", None, "SMS", "0"),
        ("0", None, "SMS", "0"),
        ("0", None, "", "1"),
        ("1", None, "SMS", "1"),
        ("1", "0", "SMS", "0"),
        ("0", "1", "SMS", "1"),
        ("0", "2", "SMS", "2"),
    ],
)
async def test_x_fallback_is_what_its_sender_the_config_and_the_text_make_it(
    fallback: str, wanted: str | None, words: str, goes: str
) -> None:
    content = {"RCSMessage": {"textMessage": "hello"}, "fallback": wanted}
    _, desk = await plus(content, words, fallback=fallback)
    assert desk.headers["X-Fallback"] == goes
    assert ("smsmessage" in desk.json) == (goes != "1")
    assert ("RCSMessage" in desk.json["message"]) == (goes != "2")


async def test_an_sms_of_a_plus_message_account_goes_as_sms_only() -> None:
    desk = await asked(keys=TOKENS)
    assert (desk.headers["X-Fallback"], desk.headers["X-Plusmsg-mkn-Authorization"]) == ("2", "Bearer smsonly")


@pytest.mark.parametrize(("fallback", "sms"), [("0", True), ("1", False)])
async def test_a_plain_text_goes_as_plus_message_where_the_config_says_so(fallback: str, sms: bool) -> None:
    desk = await asked("hello", keys={**TOKENS, "fallback": fallback})
    assert desk.headers["X-Fallback"] == fallback
    assert desk.json["message"]["RCSMessage"] == {"textMessage": "hello"}
    assert ("smsmessage" in desk.json) == sms


@pytest.mark.parametrize(("fallback", "goes", "dst"), [("0", "2", "4"), ("1", "1", "0")])
async def test_rakuten_gets_an_sms_for_it_has_no_plus_message(fallback: str, goes: str, dst: str) -> None:
    desk = await asked("hello", carrier="rakuten", keys={**TOKENS, "fallback": fallback})
    assert (desk.headers["X-Fallback"], desk.json["dst"]) == (goes, dst)


@pytest.mark.parametrize(
    ("content", "words", "status", "reason"),
    [
        (b"{", "", Status.RINVOPTPARAMVAL, "it is no JSON in UTF-8"),
        (
            carousel(12),
            "x",
            Status.RINVOPTPARAMVAL,
            "richcardMessage.message.generalPurposeCardCarousel.content: it has 12",
        ),
        ({"RCSMessage": {"textMessage": "a"}, "fallback": "0"}, "", Status.RINVMSGLEN, "has no text"),
    ],
)
async def test_a_wrong_plus_message_is_refused_with_a_reason(
    content: Any, words: str, status: Status, reason: str
) -> None:
    answer, desk = await plus(content, words)
    assert (answer.verdict, answer.status, desk.asked) == (Verdict.NEVER, status, [])
    assert reason in answer.reason


@pytest.mark.parametrize("depth", [900, 950, 980, 5000])
async def test_what_is_nested_too_deeply_is_refused_or_sent(depth: int) -> None:
    answer, desk = await plus(b'{"textMessage": "a", "x": ' + b"[" * depth + b"]" * depth + b"}")
    assert answer.verdict is Verdict.NEVER or len(desk.asked) == 1


async def test_a_plus_message_needs_tokens() -> None:
    answer, _ = await plus({"textMessage": "a"}, token_au="", token_docomo="", token_softbank="")
    assert (answer.verdict, answer.status) == (Verdict.NEVER, Status.RINVOPTPARAMVAL)
    assert "tokens" in answer.reason


async def test_an_sms_that_stands_in_needs_a_number() -> None:
    wrapped = {"RCSMessage": {"textMessage": "a"}, "fallback": "0"}
    answer, _ = await plus(wrapped, "SMS", sms_numbers=[], fallback="1")
    assert (answer.verdict, answer.status) == (Verdict.NEVER, Status.RINVSRCADR)


async def test_the_tag_and_the_limits_are_those_of_the_config() -> None:
    desk = Desk()
    carrier = kddi(desk, **TOKENS, plus_message_tlv="0x1402", plus_message_cards=20)
    await carrier.send(text(tlvs={0x1402: json.dumps(carousel(20)).encode()}))
    assert desk.json["message"]["RCSMessage"] == carousel(20)
    desk = Desk()
    await kddi(desk, **TOKENS, plus_message_check=False).send(text(tlvs={0x1501: b'{"unknown": 1}'}))
    assert desk.json["message"]["RCSMessage"] == {"unknown": 1}


# Asking


async def test_a_status_is_asked_with_the_id_in_the_path() -> None:
    desk = Desk(200, {"smsmessage": {"status": "delivered", "timestamp": "2026-01-31T03:04:05.600Z"}})
    receipts = await kddi(desk).poll(b"a/b")
    method, url, headers, body = desk.last
    assert (method, url, body) == ("GET", f"{PATH}/a%2Fb/status", b"")
    assert headers["Authorization"] == "Basic dGVzdFVzZXI6dGVzdFBhc3M="
    assert receipts == [Receipt(b"a/b", MessageState.DELIVERED, b"000", done=AT)]


@pytest.mark.parametrize(("status", "body"), [(404, b""), (401, b""), (500, b"x"), (200, {"a": 1})])
async def test_a_status_that_is_not_told_is_nothing_new(status: int, body: Any) -> None:
    with capture_logs() as logs:
        assert list(await kddi(Desk(status, body)).poll(b"a")) == []
    assert logs


async def test_a_status_that_is_a_page_of_html_is_no_reply() -> None:
    with pytest.raises(BadReply):
        await kddi(Desk(200, b"<html>")).poll(b"a")


async def test_people_may_ask_for_a_status() -> None:
    carrier = kddi(desk := Desk(200, result("sent")), status_path="/status/{msg_id}")
    assert await carrier.operations["status"](ID) == {"http": 200, "reply": result("sent")}
    assert desk.last[1] == f"/status/{ID}"


@pytest.mark.parametrize("number", ["+819012345678", "09012345678", "819012345678"])
async def test_people_may_ask_whether_a_handset_has_plus_message(number: str) -> None:
    carrier = kddi(desk := Desk(200, b"yes"), **TOKENS, capability_field="messageContact.userContact")
    assert await carrier.operations["capability"](number) == {"http": 200, "reply": "yes"}
    assert desk.last[:2] == ("POST", "/au/v1/fallback/rcs/bot/v1/bot1/contactCapabilities")
    assert desk.json == CONTACT
    assert desk.headers["X-Plusmsg-gmp-Authorization"] == "Bearer s"


async def test_people_may_ask_who_has_subscribed() -> None:
    carrier = kddi(desk := Desk(200, ["+819012345678"]), subscribers_path="/{bot_id}/list")
    assert await carrier.operations["subscribers"]() == {"http": 200, "reply": ["+819012345678"]}
    assert desk.last[:2] == ("GET", "/bot1/list")


def test_it_says_what_it_can_do() -> None:
    can = kddi(longest=70).capabilities
    assert (can.longest, can.binary, can.idempotent, can.receipts) == (70, 0, False, "both")
    assert can.stands_in == 0x1501
    assert kddi().thanks[0] == b""


async def test_the_basic_credentials_are_utf_8() -> None:
    desk = await asked(keys={"password": "パス"})
    assert desk.headers["Authorization"] == "Basic " + b64encode("testUser:パス".encode()).decode()
