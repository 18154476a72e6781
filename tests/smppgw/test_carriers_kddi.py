"""What KDDI Message Cast is asked, what its answers mean, and what its notifications say."""

import json
import tomllib
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from pydantic import ValidationError
from structlog.testing import capture_logs

from protocol.consts import MessageState, Status
from protocol.receipt import Receipt
from smppgw.carriers.client import Reply
from smppgw.carriers.contract import Answer, Hook, HookRefused, Mo, Text, Verdict
from smppgw.carriers.kddi import Fields, Kddi, KddiSettings, decoded, encoded
from smppgw.carriers.settings import CarrierSettings
from tests.kit import ROOT
from tests.smppgw.hooked import Paper
from tests.smppgw.test_carriers_plus_message import carousel

ID = "05840e5f-fbe3-41c3-8af9-a3e363d5a678"
ACCEPTED = {
    "smsmessage": {"orderId": ID, "status": "pending", "msgId": ID, "timestamp": "2022-03-22T11:44:30.231Z"},
    "Destination": "sms",
}
AT = 1647949470.231
TEXT = "これは、SMSテストメッセージです"
PATH = "/au/v1/fallback/rcs/bot/v1/botId_dummy/messages"
TOKENS = {"token_au": "a", "token_docomo": "Bearer d", "token_softbank": "s"}


class Desk(Paper):
    """Replies the same to everything."""

    def __init__(self, status: int = 202, body: Any = ACCEPTED, headers: Mapping[str, str] | None = None) -> None:
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        super().__init__(Reply(status, CIMultiDict(headers or {}), octets))

    @property
    def last(self) -> tuple[str, str, dict[str, str], bytes]:
        """The method, url, headers and body that it was asked."""
        return self.asked[-1]

    @property
    def headers(self) -> dict[str, str]:
        return self.last[2]

    @property
    def json(self) -> Any:
        return json.loads(self.last[3])


def settings(**keys: Any) -> KddiSettings:
    given = {"user": "testUser", "password": "testPass", "bot_id": "botId_dummy", "sms_numbers": ["0312345678"], **keys}
    return KddiSettings.model_validate({"name": "kddi", **given})


def kddi(desk: Desk | None = None, **keys: Any) -> Kddi:
    return Kddi(settings(**keys), desk or Desk())


def text(words: str = TEXT, **fields: Any) -> Text:
    return Text("0123456789abcdef", **{"source": "", "destination": "+819012345678", "text": words, **fields})


async def asked(words: str = TEXT, *, keys: dict[str, Any] | None = None, **fields: Any) -> Desk:
    """What a text becomes."""
    desk = Desk()
    answer = await kddi(desk, **keys or {}).send(text(words, **fields))
    assert answer.verdict is Verdict.SENT, answer
    return desk


async def answer(status: int, body: Any = b"", headers: Mapping[str, str] | None = None, **keys: Any) -> Answer:
    return await kddi(Desk(status, body, headers), **keys).send(text())


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
        (b"{", "", Status.RINVOPTPARAMVAL, "+message: it is no JSON in UTF-8"),
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


# Keys


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"fallback": "0"}, "needs a +message account"),
        ({"fallback": "1"}, "needs a +message account"),
        ({**TOKENS, "fallback": "1", "dst": "4"}, "reaches nobody"),
        ({"sms_numbers": []}, "sms_numbers is missing"),
        ({"sms_numbers": ["Bank"]}, "sms_numbers"),
        ({"user": "a:b"}, "user"),
        ({"token_au": "a\nb"}, "no header can hold"),
        ({"status_path": "/x/{msgid}"}, "did you mean 'msg_id'?"),
        ({"status_path": "/x/{}"}, "has {}"),
        ({"status_path": "/x/{msg_id"}, "is no path"),
        ({"status_path": "/x"}, "does not say where the id is"),
        ({"send_path": "x"}, "begin it with /"),
        ({"states": {"ng": "FAILED"}}, "states.ng"),
        ({"fields": {"idd": "x"}}, "fields.idd"),
    ],
)
def test_keys_that_cannot_be_right_are_refused(keys: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**keys)
    assert reason in str(refused.value)


def test_by_default_it_asks_until_31_days_have_passed() -> None:
    days = [seconds / 86400 for seconds in settings().poll]
    assert settings().poll[:5] == (300, 1800, 6 * 3600, 24 * 3600, 72 * 3600)
    assert days == sorted(days)
    assert days[-1] == 31
    assert settings().poll_end == "expired"


def test_no_secret_is_shown() -> None:
    assert "testPass" not in repr(settings())


# Notifications


def hook(body: Any, query: str = "", content_type: str = "application/json", method: str = "POST") -> Hook:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    pairs = [tuple(pair.split("=", 1)) for pair in query.split("&") if pair]
    headers = CIMultiDict({"Content-Type": content_type})
    return Hook(method, f"https://gw.example.com/kddi?{query}", pairs, headers, octets)  # type: ignore[arg-type]


def hear(body: Any, query: str = "", **keys: Any) -> list[Any]:
    return list(kddi(**keys).hear(hook(body, query)))


def result(status: Any, **more: Any) -> dict[str, Any]:
    return {"smsmessage": {"msgId": ID, "status": status, "timestamp": "2022-03-22T11:44:30.231Z", **more}}


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("pending", MessageState.ENROUTE),
        ("sent", MessageState.ENROUTE),
        ("delivered", MessageState.DELIVERED),
        ("Displayed", MessageState.DELIVERED),
        ("REVOKED", MessageState.DELETED),
    ],
)
def test_a_result_says_the_state(word: str, state: MessageState) -> None:
    err = b"000" if state is MessageState.DELIVERED else b""
    assert hear(result(word)) == [Receipt(ID.encode(), state, err, done=AT)]


def test_an_unknown_word_ends_nothing_and_is_logged() -> None:
    with capture_logs() as logs:
        [receipt] = hear(result("dame"))
    assert (receipt.id, receipt.state) == (ID.encode(), None)
    assert [(line["event"], line["status"]) for line in logs] == [("unknown status", "dame")]


def test_words_and_places_are_those_of_the_config() -> None:
    body = {"result": {"code": 7, "why": "E1234", "sms": {"Id": 99}}}
    fields = {"id": "RESULT.sms.id", "status": ["nowhere", "result.code"], "error": "result.why"}
    assert hear(body, states={"7": "UNDELIV"}, fields=fields) == [Receipt(b"99", MessageState.UNDELIVERABLE, b"234")]
    assert hear(result("sent"), states={"7": "UNDELIV"})[0].state is MessageState.ENROUTE


def test_several_results_may_come_in_one_notification() -> None:
    assert len(hear([result("sent"), result("delivered")])) == 2
    assert len(hear({"results": [result("sent")] * 3}, fields={"items": "results"})) == 3


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("2022-03-22T11:44:30.231Z", AT),
        ("2022-03-22T20:44:30.231+09:00", AT),
        ("2022-03-22 20:44:30.231", AT),  # Japan's, where no zone is named
        (1647949470231, AT),
        ("1647949470", 1647949470.0),
        ("yesterday", None),
        (True, None),
        (-1, None),
        (10**400, None),
        ("0001-01-01", None),
    ],
)
def test_times_are_read_in_every_likely_form(time: Any, at: float | None) -> None:
    assert hear(result("sent", timestamp=time))[0].done == at


CONTACT = {"messageContact": {"userContact": "+819012345678"}}


def event(name: str, **message: Any) -> dict[str, Any]:
    return {"event": name, "RCSMessage": {"msgId": ID, "timestamp": "2022-03-22T11:44:30.231Z", **message}, **CONTACT}


def test_times_without_a_zone_are_those_of_the_config() -> None:
    assert hear(result("sent", timestamp="2022-03-22T11:44:30.231"), utc_offset=0.0)[0].done == AT


def test_a_message_status_says_the_state() -> None:
    assert hear(event("messageStatus", status="displayed")) == [
        Receipt(ID.encode(), MessageState.DELIVERED, b"000", done=AT)
    ]


def test_a_message_from_a_handset_is_a_message_from_a_mobile() -> None:
    assert hear(event("message", textMessage="もしもし")) == [Mo(ID.encode(), "819012345678", "0312345678", "もしもし")]


def test_what_is_no_text_comes_as_json() -> None:
    [mo] = hear(event("message", fileMessage={"fileUrl": "https://x"}), plus_message_address="777")
    assert (mo.source, mo.destination) == ("819012345678", "777")
    assert json.loads(mo.text)["RCSMessage"]["fileMessage"] == {"fileUrl": "https://x"}


def pressed(kind: str = "reply", display: str = "Yes", data: str = "yes-1") -> dict[str, Any]:
    inner = {"displayText": display, "postback": {"data": data}}
    return event("response", suggestedResponse={"response": {kind: inner}})


@pytest.mark.parametrize("kind", ["reply", "action"])
def test_a_button_says_its_text_or_its_data_or_everything(kind: str) -> None:
    assert hear(pressed(kind))[0].text == "Yes"
    assert hear(pressed(kind), response_as="postback")[0].text == "yes-1"
    everything = json.loads(hear(pressed(kind), response_as="json")[0].text)
    assert everything["RCSMessage"]["suggestedResponse"]["response"][kind]["displayText"] == "Yes"


def test_two_buttons_of_one_message_are_two_messages() -> None:
    yes, again, no = (hear(body)[0].id for body in (pressed(), pressed(), pressed(display="No", data="no-1")))
    assert yes == again != no
    assert yes.startswith(ID.encode())


def test_a_new_user_is_a_message_from_a_mobile() -> None:
    [mo] = hear({"event": "newUser", **CONTACT})
    assert mo == Mo(b"", "819012345678", "0312345678", '{"event":"newUser"}')


def test_events_that_the_account_does_not_want_are_dropped() -> None:
    assert hear({"event": "newUser", **CONTACT}, mo_events=["message"]) == []
    assert len(hear(event("message", textMessage="a"), mo_events=["message"])) == 1


MO = {"smsmessage": {"msgId": "mo-1", "smsNumber": "0312345678", "smsText": "はい"}, **CONTACT}


def test_an_answer_to_an_sms_is_a_message_from_a_mobile() -> None:
    assert hear(MO) == [Mo(b"mo-1", "819012345678", "0312345678", "はい")]


@pytest.mark.parametrize("number", ["09012345678", "819012345678", "tel:+819012345678", 819012345678])
def test_a_handset_is_digits_with_the_country_code(number: Any) -> None:
    [mo] = hear({**MO, "messageContact": {"userContact": number}})
    assert mo.source == "819012345678"


def test_an_answer_may_have_its_text_encoded_alone() -> None:
    [mo] = hear({"smsmessage": {"smsTextEnc": encoded("はい")}, **CONTACT})
    assert (mo.text, mo.destination) == ("はい", "0312345678")


def test_an_answer_without_an_id_has_one_of_its_own_where_it_names_a_time() -> None:
    one, same, other = (
        hear({"text": "はい", "userContact": "+819012345678", "timestamp": time})[0].id for time in (1, 1, 2)
    )
    assert one == same != other
    assert hear({"text": "はい", "userContact": "+819012345678"})[0].id == b""


def test_a_url_for_each_kind_settles_what_came() -> None:
    both = {"status": "sent", "msgId": ID, "text": "はい", "userContact": "+819012345678"}
    assert isinstance(hear(both)[0], Receipt)
    assert isinstance(hear(both, "kind=result")[0], Receipt)
    assert isinstance(hear(both, "kind=mo")[0], Mo)


def test_a_form_is_read_too() -> None:
    heard = kddi().hear(hook(f"msgId={ID}&status=delivered".encode(), content_type="application/x-www-form-urlencoded"))
    assert [receipt.state for receipt in heard if isinstance(receipt, Receipt)] == [MessageState.DELIVERED]


def test_so_is_a_query() -> None:
    heard = kddi().hear(hook(b"", f"kind=result&msgId={ID}&status=sent", method="GET"))
    assert len(heard) == 1


@pytest.mark.parametrize("body", [{"secret": {"word": ["abc"]}}, [], "text", 7, None, {"event": "isTyping"}, [[]]])
def test_what_nobody_knows_is_taken_and_logged_by_its_shape(body: Any) -> None:
    with capture_logs() as logs:
        assert hear(body) == []
    if body not in ([], None):
        assert [line["event"] for line in logs] == ["notification not understood"]
        assert "abc" not in str(logs)


@pytest.mark.parametrize("body", [b"", b"test", b"\xff\0", b"{", b"[" * 100_000, b'{"a":' * 900 + b"1" + b"}" * 900])
def test_a_trial_of_the_connection_is_answered_well(body: bytes) -> None:
    assert hear(body) == []


NAMES = ("event", "smsmessage", "RCSMessage", "messageContact", "userContact", "msgId", "status", "timestamp", "text")
WORDS = st.sampled_from(["message", "messageStatus", "response", "newUser", "delivered", ID, "+819012345678", "\ud800"])
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=6),
)


@given(JUNK, st.sampled_from(["", "kind=mo", "kind=result", "kind=webhook"]))
def test_no_json_breaks_it(body: Any, query: str) -> None:
    for heard in hear(body, query):
        if isinstance(heard, Mo):
            heard.text.encode()
            assert heard.source
        else:
            assert heard.id


@given(st.binary(), st.sampled_from(["application/json", "application/x-www-form-urlencoded", "", "text/xml"]))
def test_no_octets_break_it(body: bytes, content_type: str) -> None:
    with suppress(HookRefused):
        kddi().hear(hook(body, content_type=content_type))


# Asking


async def test_a_status_is_asked_with_the_id_in_the_path() -> None:
    desk = Desk(200, {"smsmessage": {"status": "delivered", "timestamp": "2022-03-22T11:44:30.231Z"}})
    receipts = await kddi(desk).poll(b"a/b")
    method, url, headers, body = desk.last
    assert (method, url, body) == ("GET", f"{PATH}/a%2Fb/status", b"")
    assert headers["Authorization"] == "Basic dGVzdFVzZXI6dGVzdFBhc3M="
    assert receipts == [Receipt(b"a/b", MessageState.DELIVERED, b"000", done=AT)]


@pytest.mark.parametrize(("status", "body"), [(404, b""), (401, b""), (500, b"x"), (200, b"<html>"), (200, {"a": 1})])
async def test_a_status_that_is_not_told_is_nothing_new(status: int, body: Any) -> None:
    with capture_logs() as logs:
        assert list(await kddi(Desk(status, body)).poll(b"a")) == []
    assert logs


async def test_people_may_ask_for_a_status() -> None:
    carrier = kddi(desk := Desk(200, result("sent")), status_path="/status/{msg_id}")
    assert await carrier.operations["status"](ID) == {"http": 200, "reply": result("sent")}
    assert desk.last[1] == f"/status/{ID}"


@pytest.mark.parametrize("number", ["+819012345678", "09012345678", "819012345678"])
async def test_people_may_ask_whether_a_handset_has_plus_message(number: str) -> None:
    carrier = kddi(desk := Desk(200, b"yes"), **TOKENS, capability_field="messageContact.userContact")
    assert await carrier.operations["capability"](number) == {"http": 200, "reply": "yes"}
    assert desk.last[:2] == ("POST", "/au/v1/fallback/rcs/bot/v1/botId_dummy/contactCapabilities")
    assert desk.json == CONTACT
    assert desk.headers["X-Plusmsg-gmp-Authorization"] == "Bearer s"


async def test_people_may_ask_who_has_subscribed() -> None:
    carrier = kddi(desk := Desk(200, ["+819012345678"]), subscribers_path="/{bot_id}/list")
    assert await carrier.operations["subscribers"]() == {"http": 200, "reply": ["+819012345678"]}
    assert desk.last[:2] == ("GET", "/botId_dummy/list")


def test_it_says_what_it_can_do() -> None:
    can = kddi(longest=70).capabilities
    assert (can.longest, can.binary, can.idempotent, can.receipts) == (70, 0, False, "both")
    assert kddi().thanks[0] == b""


async def test_the_basic_credentials_are_utf_8() -> None:
    desk = await asked(keys={"password": "パス"})
    assert desk.headers["Authorization"] == "Basic " + b64encode("testUser:パス".encode()).decode()


# What is documented


def test_conf_carriers_toml_shows_every_key_with_its_default() -> None:
    shown = tomllib.loads((ROOT / "conf" / "carriers.toml").read_text())["connectors"]["kddi"]
    assert KddiSettings.model_validate({"name": "kddi", **shown}) == settings(password="secret", bot_id="bot1")
    own = set(KddiSettings.model_fields) - (set(CarrierSettings.model_fields) - {"poll", "poll_end"})
    assert own - {"token_au", "token_docomo", "token_softbank"} <= set(shown)
    assert set(Fields.model_fields) == set(shown["fields"])
