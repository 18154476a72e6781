"""Notifications of KDDI are read wherever their fields are, and what nobody knows does no harm."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from structlog.testing import capture_logs

from protocol.consts import MessageState
from protocol.receipt import Receipt
from smppgw.carriers.contract import Hook, HookRefused, Mo
from smppgw.carriers.kddi import encoded
from tests.smppgw.kddi import AT, CONTACT, ID, kddi, result


def hook(body: Any, query: str = "", content_type: str = "application/json", method: str = "POST") -> Hook:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    pairs = [tuple(pair.split("=", 1)) for pair in query.split("&") if pair]
    headers = CIMultiDict({"Content-Type": content_type})
    return Hook(method, f"https://gw.example.com/kddi?{query}", pairs, headers, octets)  # type: ignore[arg-type]


def hear(body: Any, query: str = "", **keys: Any) -> list[Any]:
    return list(kddi(**keys).hear(hook(body, query)))


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
        ("2026-01-31T03:04:05.600Z", AT),
        ("2026-01-31T12:04:05.600+09:00", AT),
        ("2026-01-31 12:04:05.600", AT),  # Japan's, where no zone is named
        (1769828645600, AT),
        ("1769828645", 1769828645.0),
        ("yesterday", None),
        (True, None),
        (-1, None),
        (10**400, None),
        ("0001-01-01", None),
    ],
)
def test_times_are_read_in_every_likely_form(time: Any, at: float | None) -> None:
    assert hear(result("sent", timestamp=time))[0].done == at


def event(name: str, **message: Any) -> dict[str, Any]:
    return {"event": name, "RCSMessage": {"msgId": ID, "timestamp": "2026-01-31T03:04:05.600Z", **message}, **CONTACT}


def test_times_without_a_zone_are_those_of_the_config() -> None:
    assert hear(result("sent", timestamp="2026-01-31T03:04:05.600"), utc_offset=0.0)[0].done == AT


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
