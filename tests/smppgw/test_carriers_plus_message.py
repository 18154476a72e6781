"""A +message is passed on as it came, or refused by the name of the field that is wrong."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.carriers import plus_message
from smppgw.carriers.plus_message import Malformed

URL = "https://files.example/picture.png"
REPLY = {"reply": {"displayText": "Yes", "postback": {"data": "yes"}}}
MEDIA = {"mediaUrl": URL, "mediaContentType": "image/png", "mediaFileSize": 4096, "height": "SHORT_HEIGHT"}
CARD = {"title": "Shop", "description": "Open until nine", "media": MEDIA, "suggestions": [REPLY]}
FILE = {"fileUrl": URL, "fileName": "picture", "fileMIMEType": "image/png", "fileSize": 4096, "thumbnailUrl": URL}
PLACE = {
    "pos": "35.681236 139.767125",
    "label": "Tokyo Station",
    "radius": 20.5,
    "timestamp": "2026-01-31T03:04:05.600Z",
    "expiry": "2026-02-01T00:00:00Z",
    "timeOffset": 540,
}


def card(**changes: Any) -> dict[str, Any]:
    return rich(generalPurposeCard={"layout": {"cardOrientation": "VERTICAL"}, "content": {**CARD, **changes}})


def carousel(count: int) -> dict[str, Any]:
    return rich(generalPurposeCardCarousel={"layout": {"cardWidth": "SMALL_WIDTH"}, "content": [CARD] * count})


def rich(**message: Any) -> dict[str, Any]:
    return {"richcardMessage": {"message": message}}


def action(**kind: Any) -> dict[str, Any]:
    chips = {"suggestions": [{"action": {"displayText": "Do it", "postback": {"data": "1"}, **kind}}]}
    return {"textMessage": "Please choose", "suggestedChipList": chips}


EVENT = {"startTime": "2026-01-31T11:00:00Z", "endTime": "2026-01-31T12:00:00Z", "title": "Visit"}
GOOD: list[dict[str, Any]] = [
    plus_message.text("こんにちは"),
    {"fileMessage": FILE},
    {"fileMessage": {"fileUrl": URL}},
    {"audioMessage": {"fileUrl": URL, "playingLength": 12}},
    {"geolocationPushMessage": PLACE},
    card(),
    card(media=None),
    carousel(1),
    carousel(11),
    {"textMessage": "Please choose", "suggestedChipList": {"suggestions": [REPLY] * 11}},
    action(urlAction={"openUrl": {"url": "https://shop.example/"}}),
    action(dialerAction={"dialPhoneNumber": {"phoneNumber": "+81312345678"}}),
    action(mapAction={"requestLocationPush": {}}),
    action(mapAction={"showLocation": {"location": {"latitude": 35.68, "longitude": 139}}}),
    action(mapAction={"showLocation": {"location": {"query": "restaurants"}}}),
    action(calendarAction={"createCalendarEvent": EVENT}),
    action(composeAction={"composeTextMessage": {"phoneNumber": "+81312345678", "text": "Hello"}}),
    action(composeAction={"composeRecordingMessage": {"phoneNumber": "+81312345678", "type": "VIDEO"}}),
    action(deviceAction={"requestDeviceSpecifics": {}}),
    action(settingsAction={"disableAnonymization": {}}),
    action(walletAction={"something": "new"}),
    {"textMessage": "x", "trafficType": "notYetKnown"},
]


@pytest.mark.parametrize("content", GOOD, ids=lambda content: json.dumps(content)[:40])
def test_what_is_good_is_passed_on_as_it_came(content: dict[str, Any]) -> None:
    assert plus_message.read(json.dumps(content).encode()) == (content, None)


BAD: list[tuple[Any, str]] = [
    ([], "a JSON object is expected"),
    ({}, "one of textMessage, fileMessage, audioMessage, geolocationPushMessage, richcardMessage is expected"),
    ({"textMessage": "a", "fileMessage": FILE}, "not textMessage and fileMessage"),
    ({"textMessage": 5}, "textMessage: it should be a valid string"),
    ({"textMessage": ""}, "textMessage: String should have at least 1 character"),
    ({"fileMessage": {}}, "fileMessage.fileUrl: it is missing"),
    ({"fileMessage": {**FILE, "fileUrl": "ftp://x"}}, "fileMessage.fileUrl: it should be an http or https URL"),
    ({"fileMessage": {**FILE, "fileSize": "81280"}}, "fileMessage.fileSize: it should be a valid integer"),
    ({"fileMessage": {**FILE, "fileSize": -1}}, "fileMessage.fileSize: it should be greater than or equal to 0"),
    ({"geolocationPushMessage": {"pos": "35.6"}}, 'pos: it should be "LATITUDE LONGITUDE"'),
    ({"geolocationPushMessage": {"pos": "139.7 35.6"}}, "pos: it is nowhere on earth"),
    ({"geolocationPushMessage": {"pos": "nan nan"}}, "pos: it is nowhere on earth"),
    ({"geolocationPushMessage": {**PLACE, "expiry": "tomorrow"}}, "geolocationPushMessage.expiry: it should be a time"),
    ({"geolocationPushMessage": {**PLACE, "radius": True}}, "geolocationPushMessage.radius: it should be a number"),
    (rich(), "richcardMessage.message: one of generalPurposeCard, generalPurposeCardCarousel is expected"),
    (card(media={**MEDIA, "height": "HUGE"}), "generalPurposeCard.content.media.height: it should be 'SHORT_HEIGHT'"),
    (card(media=None, title="", description=None), "content: media, title or description is expected"),
    (card(suggestions=[]), "content.suggestions: List should have at least 1 item"),
    (card(suggestions=[{}]), "content.suggestions.0: one of reply, action is expected"),
    (card(suggestions=[REPLY] * 12), "content.suggestions: it has 12 suggestions, and at most 11 are possible"),
    (carousel(0), "generalPurposeCardCarousel.content: List should have at least 1 item"),
    (
        carousel(12),
        "richcardMessage.message.generalPurposeCardCarousel.content: it has 12 cards, and at most 11 are possible",
    ),
    (
        {"textMessage": "x", "suggestedChipList": {"suggestions": [REPLY] * 12}},
        "suggestedChipList.suggestions: it has 12 suggestions, and at most 11 are possible",
    ),
    (action(), "suggestedChipList.suggestions.0.action: one of urlAction"),
    (action(urlAction={"openUrl": {}}), "suggestions.0.action.urlAction.openUrl.url: it is missing"),
    (action(dialerAction={}), "action.dialerAction: one of dialPhoneNumber"),
    (action(mapAction={"showLocation": {"location": {"latitude": 35}}}), "location: latitude and longitude, or query"),
    (
        action(mapAction={"showLocation": {"location": {"latitude": 95, "longitude": 1}}}),
        "location.latitude: it should",
    ),
    (
        action(calendarAction={"createCalendarEvent": {**EVENT, "startTime": "noon"}}),
        "action.calendarAction.createCalendarEvent.startTime: it should be a time",
    ),
    (action(composeAction={}), "action.composeAction: one of composeTextMessage, composeRecordingMessage"),
]


@pytest.mark.parametrize(("content", "reason"), BAD, ids=[reason[:50] for _, reason in BAD])
def test_a_mistake_is_told_by_the_name_of_its_field(content: Any, reason: str) -> None:
    with pytest.raises(Malformed) as refused:
        plus_message.read(json.dumps(content).encode())
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    "octets", [b"", b"{", b"\xff\xfe\xfd", b'{"textMessage": NaN}', b'{"x": -1e999}', b"[" * 100_000]
)
def test_what_is_no_json_is_refused(octets: bytes) -> None:
    with pytest.raises(Malformed, match="it is no JSON in UTF-8"):
        plus_message.read(octets)


def test_the_sender_may_choose_how_it_falls_back() -> None:
    wrapped = {"RCSMessage": plus_message.text("hello"), "fallback": "1"}
    assert plus_message.read(json.dumps(wrapped).encode()) == (plus_message.text("hello"), "1")
    with pytest.raises(Malformed, match='fallback: "0", "1" or "2" is expected'):
        plus_message.read(json.dumps({**wrapped, "fallback": 1}).encode())
    with pytest.raises(Malformed, match="a JSON object is expected"):
        plus_message.read(b'{"RCSMessage": "hello"}')


def test_the_limits_are_those_that_are_given() -> None:
    assert plus_message.read(json.dumps(carousel(12)).encode(), cards=12)
    with pytest.raises(Malformed, match="it has 2 cards, and at most 1"):
        plus_message.read(json.dumps(carousel(2)).encode(), cards=1)


def test_without_the_check_any_object_will_do() -> None:
    assert plus_message.read(b'{"vcard": {"n": 1}}', check=False).content == {"vcard": {"n": 1}}
    with pytest.raises(Malformed, match="a JSON object is expected"):
        plus_message.read(b'"text"', check=False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*plus_message.Message.model_fields, "x"]), inner),
)


@given(JSON)
def test_junk_is_refused_or_is_what_it_was(value: Any) -> None:
    try:
        content = plus_message.read(json.dumps(value).encode()).content
    except Malformed:
        return
    assert content == value


@given(st.binary())
def test_no_octets_break_it(octets: bytes) -> None:
    with suppress(Malformed):
        plus_message.read(octets)
