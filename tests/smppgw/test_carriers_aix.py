"""AIX in each of its generations: what is asked, what the answers mean, and what notifications say."""

import contextlib
import json
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from pydantic import ValidationError

from protocol.consts import MessageState, Status
from protocol.receipt import Receipt
from smppgw.carriers.aix import Aix
from smppgw.carriers.aix_settings import AixSettings
from smppgw.carriers.aix_texts import OPT_OUT
from smppgw.carriers.client import Reply
from smppgw.carriers.contract import Answer, Hook, HookRefused, Text, Verdict
from smppgw.exchange import Unanswered
from smppgw.values import Wrong

TOKEN = "0123456789abcdef0123456789abcdef"
ACCEPTED = '{"responseCode":0,"responseMessage":"Success.","phoneNumber":"+819012345678","smsMessage":"テスト"}'
TELLING = "テスト"
FORM = {"content-type": "application/x-www-form-urlencoded"}

DLR = (
    b"json=%7B%22eventNotifications%22%3A%5B%7B%22type%22%3A%22DLR%22%2C%22dateTime%22%3A%222023%2F01%2F01+12%3A30%3A00"
    b"%22%2C%22messageId%22%3A%220123456789abcdef0123456789abcdef%22%2C%22phoneNumber%22%3A%22%2B819012345678%22%2C%22"
    b"smsCode%22%3A%2212345%22%2C%22carrierId%22%3A%22101%22%2C%22carrierName%22%3A%22AU%22%2C%22messageText%22%3A%22"
    b"%E3%83%86%E3%82%B9%E3%83%88%22%2C%22clientId%22%3A%221234%22%2C%22clientTag%22%3A%22gw-000001%22%2C%22statusId"
    b"%22%3A%222%22%2C%22statusDescription%22%3A%22Message+delivered%22%2C%22detailedStatusId%22%3A2%2C%22"
    b"separatedSuccessCount%22%3A1%7D%5D%7D"
)
NOON_AND_A_HALF = 1672543800.0
"""2023-01-01 12:30 in Japan."""


class Scribe:
    """A client that writes down what is asked, and replies as it was told."""

    def __init__(self, body: str = ACCEPTED, status: int = 200, **headers: str) -> None:
        self.reply = Reply(status, CIMultiDict(headers), body.encode())
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Any = None,
        form: Any = None,
        json: Any = None,
        body: bytes | None = None,
    ) -> Reply:
        self.asked.append((method, url, dict(headers or {}), body or b""))
        return self.reply

    @property
    def body(self) -> bytes:
        return self.asked[-1][3]

    @property
    def fields(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.asked[-1][1]).query, keep_blank_values=True)


def settings(**keys: Any) -> AixSettings:
    given = {"name": "aix", "token": TOKEN, "client_id": "1234", "sms_code": "12345", **keys}
    return AixSettings.model_validate(given)


def aix(client: Any = None, **keys: Any) -> Aix:
    return Aix(settings(**keys), client or Scribe())


def text(said: str = TELLING, **fields: Any) -> Text:
    return Text(**{"tag": "000001", "source": "", "destination": "+819012345678", "text": said, **fields})


async def asked(said: Text, **keys: Any) -> dict[str, str]:
    """The fields of the one request that sends it."""
    scribe = Scribe()
    answer = await aix(scribe, **keys).send(said)
    assert answer.verdict is Verdict.SENT
    assert len(scribe.asked) == 1
    return scribe.fields


async def refused(said: Text, **keys: Any) -> Answer:
    """What is refused without asking AIX."""
    scribe = Scribe()
    answer = await aix(scribe, **keys).send(said)
    assert not scribe.asked
    assert answer.code
    return answer


# What is asked.


async def test_a_p5_request_is_octet_for_octet_that_of_the_documents() -> None:
    scribe = Scribe()
    answer = await aix(scribe, tag_prefix="gw-").send(text())
    assert scribe.asked == [
        (
            "POST",
            "/p5/api/mt.json",
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"token=0123456789abcdef0123456789abcdef&clientId=1234&smsCode=12345"
            b"&message=%E3%83%86%E3%82%B9%E3%83%88&phoneNumber=%2B819012345678&clientTag=gw-000001",
        )
    ]
    assert len(scribe.body) == 150
    assert answer == Answer(Verdict.SENT, (b"gw-000001",))


async def test_a_p1_request_is_octet_for_octet_that_of_the_documents() -> None:
    scribe = Scribe()
    await aix(scribe, generation="p1", tag_prefix="gw-").send(text())
    said = b"%E3%83%86%E3%82%B9%E3%83%88"
    assert scribe.asked[0][1] == "/p1/api/mt.json"
    assert scribe.body == (
        b"token=0123456789abcdef0123456789abcdef&clientId=1234&smsCode=12345&phoneNumber=%2B819012345678"
        b"&clientTag=gw-000001&message="
        + said
        + b"".join(b"&message" + name + b"=" + said for name in (b"Do", b"Au", b"Sb", b"Rm"))
    )
    assert len(scribe.body) == 302


@pytest.mark.parametrize(
    ("generation", "host"),
    [
        ("p1", "https://qpd-api.aossms.com"),
        ("p4", "https://qpd-api.aossms.com"),
        ("p11", "https://qpd-api.aossms.com"),
        ("p5", "https://sms-api.aossms.com"),
    ],
)
async def test_each_generation_has_its_host_and_path(generation: str, host: str) -> None:
    scribe = Scribe()
    await aix(scribe, generation=generation).send(text())
    assert settings(generation=generation).url == host
    assert scribe.asked[0][1] == f"/{generation}/api/mt.json"


async def test_url_and_path_can_be_others() -> None:
    scribe = Scribe()
    await aix(scribe, generation="p4", send_path="/v4/mt.json", url="https://example.com").send(text())
    assert scribe.asked[0][1] == "/v4/mt.json"
    assert settings(generation="p4", url="https://example.com").url == "https://example.com"


@pytest.mark.parametrize("destination", ["+819012345678", "09012345678"])
@pytest.mark.parametrize(("form", "written"), [("international", "+819012345678"), ("national", "09012345678")])
async def test_numbers_are_written_as_configured(destination: str, form: str, written: str) -> None:
    assert (await asked(text(destination=destination), phone_number=form))["phoneNumber"] == written


@pytest.mark.parametrize("number", ["+812012345678901", "+817012345678", "+816012345678", "+812012345678"])
async def test_numbers_that_the_expression_lets_by_are_sent(number: str) -> None:
    assert (await asked(text(destination=number)))["phoneNumber"] == number


@pytest.mark.parametrize(
    "number",
    ["", "+81312345678", "+8190012345678", "+819012345678\n", "819012345678", "+447700900123", "+81901234567x", "BANK"],
)
async def test_what_is_no_mobile_number_of_japan_is_refused(number: str) -> None:
    answer = await refused(text(destination=number))
    assert (answer.verdict, answer.status) == (Verdict.NEVER, Status.RINVDSTADR)


@pytest.mark.parametrize(
    ("carrier_id", "carrier", "sent"),
    [
        ("automatic", "docomo", None),
        ("au", "docomo", "101"),
        ("docomo", "", "103"),
        ("softbank", "", "105"),
        ("rakuten", "", "106"),
        ("detected", "docomo", "103"),
        ("detected", "", None),
        ("detected", "someone", None),
    ],
)
async def test_the_carrier_can_be_forced(carrier_id: str, carrier: str, sent: str | None) -> None:
    assert (await asked(text(carrier=carrier), carrier_id=carrier_id)).get("carrierId") == sent


async def test_a_group_tag_and_a_charset_are_sent_where_given() -> None:
    assert (await asked(text(), group_tag="春 1"))["groupTag"] == "春 1"
    assert (await asked(text(), generation="p1", charset="utf8"))["charset"] == "utf8"


async def test_a_time_of_sending_comes_from_the_tlv_that_the_config_names() -> None:
    said = text(tlvs={0x1500: b"2026-12-01 09:30\0"})
    assert (await asked(said, schedule_tlv=0x1500))["scheduleTime"] == "2026-12-01 09:30"
    assert "scheduleTime" not in await asked(text(), schedule_tlv=0x1500)
    assert "scheduleTime" not in await asked(said)


@pytest.mark.parametrize("when", [b"", b"2026-13-01 09:30", b"2026-12-01 9:30", b"tomorrow", b"\xff"])
async def test_a_time_that_is_none_is_refused(when: bytes) -> None:
    assert (await refused(text(tlvs={0x1500: when}), schedule_tlv=0x1500)).status == Status.RINVSCHED


@pytest.mark.parametrize("key", ["carrier_id", "group_tag", "schedule_tlv"])
def test_keys_of_p5_are_wrong_in_older_generations(key: str) -> None:
    value: Any = {"carrier_id": "au", "group_tag": "g", "schedule_tlv": 0x1500}[key]
    with pytest.raises(ValidationError, match=f"{key} means nothing in p11") as error:
        settings(generation="p11", **{key: value})
    assert isinstance(error.value.errors()[0]["ctx"]["error"], Wrong)


def test_keys_of_older_generations_are_wrong_in_p5() -> None:
    with pytest.raises(ValidationError, match="short_text means nothing in p5"):
        settings(short_text="call us")


@pytest.mark.parametrize(
    "wrong", [{"token": ""}, {"states": {"82": "EXPIRED"}}, {"xml_names": {"tag": "t"}}, {"client_id": "x"}]
)
def test_settings_that_cannot_be_right_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


# How long a text may be.


@pytest.mark.parametrize("character", ["a", "あ"])
async def test_p5_takes_660_characters_of_any_width(character: str) -> None:
    assert (await asked(text(character * 660)))["message"] == character * 660
    assert (await refused(text(character * 661))).status == Status.RINVMSGLEN


async def test_a_character_above_ffff_counts_twice() -> None:
    assert len((await asked(text("😀" * 330)))["message"]) == 330
    assert (await refused(text("😀" * 331))).status == Status.RINVMSGLEN


@pytest.mark.parametrize(
    ("carrier", "limit", "field"),
    [
        ("docomo", 660, "messageDo"),
        ("au", 670, "messageAu"),
        ("softbank", 332, "messageSb"),
        ("rakuten", 670, "messageRm"),
    ],
)
async def test_an_older_generation_has_a_limit_for_each_carrier(carrier: str, limit: int, field: str) -> None:
    fields = await asked(text("あ" * limit, carrier=carrier), generation="p4")
    assert fields[field] == "あ" * limit
    assert fields["message"] == "あ" * 70
    assert (await refused(text("あ" * (limit + 1), carrier=carrier), generation="p4")).status == Status.RINVMSGLEN


async def test_an_unknown_carrier_gets_70_characters() -> None:
    for carrier in ("", "somebody"):
        assert (await asked(text("あ" * 70, carrier=carrier), generation="p1"))["message"] == "あ" * 70
        assert (await refused(text("あ" * 71, carrier=carrier), generation="p1")).status == Status.RINVMSGLEN


async def test_every_body_that_the_text_fits_in_is_sent_because_numbers_move_between_carriers() -> None:
    fields = await asked(text("あ" * 400, carrier="docomo"), generation="p4")
    assert {name for name in fields if name.startswith("message")} == {"message", "messageDo", "messageAu", "messageRm"}


async def test_only_the_detected_carrier_has_a_body_where_the_config_says_so() -> None:
    keys = {"generation": "p4", "bodies": "detected", "short_text": "長い文です"}
    fields = await asked(text("あ" * 400, carrier="docomo"), **keys)
    assert {name: value for name, value in fields.items() if name.startswith("message")} == {
        "message": "長い文です",
        "messageDo": "あ" * 400,
    }
    fields = await asked(text("あ" * 70), **keys)
    assert [name for name in fields if name.startswith("message")] == ["message"]


async def test_p11_cuts_the_text_for_au_in_ten_pieces_of_140_octets() -> None:
    said = "".join(chr(0x3041 + n % 80) for n in range(460))
    fields = await asked(text(said, carrier="au"), generation="p11")
    names = ["messageAu", *(f"messageAu{n}" for n in range(2, 11))]
    assert "".join(fields[name] for name in names) == said
    assert all(len(fields[name].encode()) <= 140 for name in names)
    assert (await refused(text(said + "あ", carrier="au"), generation="p11")).status == Status.RINVMSGLEN


async def test_p11_leaves_au_out_where_the_text_is_another_carriers_and_too_long_for_it() -> None:
    fields = await asked(text("あ" * 600, carrier="docomo"), generation="p11")
    assert not [name for name in fields if name.startswith("messageAu")]


async def test_what_the_connector_must_refuse_is_said_by_the_longest() -> None:
    assert aix().capabilities.longest == 660
    assert aix(generation="p4").capabilities.longest == 670
    assert aix(generation="p11").capabilities.longest == 700
    assert aix().capabilities.idempotent


# Texts.


async def test_the_opt_out_is_passed_on_unchanged() -> None:
    assert OPT_OUT in (await asked(text(f"停止 {OPT_OUT} から")))["message"]
    fields = await asked(text("あ" * 60 + OPT_OUT + "い" * 30, carrier="au"), generation="p11")
    assert fields["message"] == "あ" * 60
    assert any(OPT_OUT in value for name, value in fields.items() if name.startswith("messageAu"))


async def test_a_text_outside_iso_2022_jp_is_refused_warned_of_or_let_by() -> None:
    assert (await refused(text("ok 😀"), charset_check="refuse")).code == "charset"
    assert (await asked(text("ok 😀"), charset_check="warn"))["message"] == "ok 😀"
    assert (await asked(text("ok 😀"), charset_check="off"))["message"] == "ok 😀"
    assert (await asked(text("9時〜10時"), charset_check="refuse"))["message"] == "9時〜10時"


async def test_binary_and_empty_messages_are_refused() -> None:
    assert (await refused(text("", binary=b"\1\2"))).verdict is Verdict.NEVER
    assert (await refused(text(""))).status == Status.RINVMSGLEN


@given(
    st.text(min_size=1, max_size=700), st.sampled_from(["p1", "p4", "p11", "p5"]), st.sampled_from(["au", "softbank"])
)
async def test_any_text_is_sent_or_refused(said: str, generation: str, carrier: str) -> None:
    answer = await aix(generation=generation, charset_check="refuse").send(text(said, carrier=carrier))
    assert answer.verdict in {Verdict.SENT, Verdict.NEVER}


async def test_half_of_a_surrogate_pair_does_no_harm() -> None:
    assert (await asked(text("a\ud800b"), charset_check="off"))["message"] == "a?b"


# What the answers mean.


async def answered(body: str, status: int = 200, attempts: int = 0, headers: Any = None, **keys: Any) -> Answer:
    return await aix(Scribe(body, status, **headers or {}), **keys).send(text(attempts=attempts))


def coded(code: object, message: str = "") -> str:
    quoted = f'"{code}"' if isinstance(code, str) else code
    return f'{{"responseCode":{quoted},"responseMessage":"{message}"}}'


REFUSALS = [
    (100, "Required phoneNumber.", Verdict.NEVER, Status.RINVDSTADR),
    (100, "Required message.", Verdict.NEVER, Status.RINVMSGLEN),
    (100, "Required smsCode.", Verdict.LATER, Status.RINVSRCADR),
    (110, "Invalid phoneNumber.", Verdict.NEVER, Status.RINVDSTADR),
    (110, "Invalid phone number.", Verdict.NEVER, Status.RINVDSTADR),
    (110, "Invalid token.", Verdict.LATER, Status.RSYSERR),
    (110, "Invalid clientId.", Verdict.LATER, Status.RSYSERR),
    (110, "Invalid scheduleTime.", Verdict.NEVER, Status.RINVSCHED),
    (110, "", Verdict.LATER, Status.RSYSERR),
    (120, "message too long.", Verdict.NEVER, Status.RINVMSGLEN),
    (120, "messageAu2 too long.", Verdict.NEVER, Status.RINVMSGLEN),
    (120, "clientTag too long.", Verdict.NEVER, Status.RINVPARLEN),
    (130, "Already send.", Verdict.NEVER, Status.RCANCELFAIL),
    (140, "Past scheduleTime.", Verdict.NEVER, Status.RINVSCHED),
    (300, "Exceed sending count.", Verdict.LATER, Status.RMSGQFUL),
    (500, "System error.", Verdict.LATER, Status.RSYSERR),
    (999, "Something new.", Verdict.NEVER, Status.RSUBMITFAIL),
]


@pytest.mark.parametrize(("code", "message", "verdict", "status"), REFUSALS)
@pytest.mark.parametrize("spelling", [int, str])
async def test_every_response_code_has_its_meaning(
    code: int, message: str, verdict: Verdict, status: Status, spelling: type
) -> None:
    answer = await answered(coded(spelling(code), message))
    assert (answer.verdict, answer.status, answer.code) == (verdict, status, str(code))


async def test_what_is_wrong_for_every_text_is_an_alarm() -> None:
    for field in ("token", "clientId", "smsCode", "clientTag"):
        assert (await answered(coded(110, f"Invalid {field}."))).alarm
    assert not (await answered(coded(110, "Invalid phoneNumber."))).alarm


async def test_a_used_up_quota_lets_the_connector_rest() -> None:
    assert (await answered(coded(300), quota_wait="10m")).wait == 600


async def test_a_duplicate_tag_means_sent_at_a_second_attempt_and_never_at_the_first() -> None:
    again = await answered(coded(400, "Duplicate client tag."), attempts=1)
    assert again == Answer(Verdict.SENT, (b"000001",))
    first = await answered(coded(400, "Duplicate client tag."))
    assert (first.verdict, first.status, first.code) == (Verdict.NEVER, Status.RSUBMITFAIL, "400")
    assert (await answered(coded(410), attempts=2, duplicate_codes=[410])).verdict is Verdict.SENT


@pytest.mark.parametrize("body", ["", "<html>", "[]", "null", "{}", '{"responseCode":null}', '{"responseCode":"x"}'])
async def test_a_reply_without_a_code_leaves_doubt(body: str) -> None:
    assert (await answered(body)).verdict is Verdict.DOUBT


async def test_a_reply_without_a_code_means_what_its_http_status_says() -> None:
    assert (await answered("busy", 503)).verdict is Verdict.DOUBT
    assert (await answered("", 429, headers={"Retry-After": "7"})).wait == 7
    assert (await answered("", 401)).alarm
    assert (await answered("", 302)).alarm
    assert (await answered(coded(0), 500)).verdict is Verdict.DOUBT
    assert (await answered(coded(999), 429)).verdict is Verdict.LATER


async def test_a_code_counts_more_than_the_http_status() -> None:
    answer = await answered(coded(110, "Invalid token."), 400)
    assert (answer.verdict, answer.alarm) == (Verdict.LATER, True)


@given(st.binary(max_size=60), st.sampled_from([200, 204, 301, 400, 404, 429, 500, 503]))
async def test_any_reply_is_an_answer(body: bytes, status: int) -> None:
    scribe = Scribe()
    scribe.reply = Reply(status, CIMultiDict(), body)
    assert isinstance(await aix(scribe).send(text()), Answer)


async def test_the_clients_errors_pass_through() -> None:
    class Gone(Scribe):
        async def request(self, *_: Any, **__: Any) -> Reply:
            raise Unanswered("no reply in time")

    with pytest.raises(Unanswered):
        await aix(Gone()).send(text())


# Notifications.


def hook(body: bytes, method: str = "POST", headers: dict[str, str] | None = None) -> Hook:
    return Hook(method, "https://gw.example.com/cb/aix", (), CIMultiDict(headers or FORM), body)


def heard(document: str, form: str = "json", **keys: Any) -> list[Any]:
    return list(aix(**keys).hear(hook(f"{form}={quote_plus(document)}".encode())))


def test_the_notification_of_the_documents_is_a_receipt() -> None:
    assert len(DLR) == 583
    assert aix(tag_prefix="gw-").hear(hook(DLR)) == [
        Receipt(b"gw-000001", MessageState.DELIVERED, b"000", done=NOON_AND_A_HALF)
    ]


XML = """<?xml version="1.0" encoding="UTF-8"?>
<eventNotifications><eventNotification><type>DLR</type><dateTime>2023/01/01 12:30:00</dateTime>
<clientTag>gw-000001</clientTag><statusId>3</statusId><detailedStatusId>31834</detailedStatusId>
<messageText>a &lt;b&gt;</messageText></eventNotification></eventNotifications>"""


@pytest.mark.parametrize(
    "document",
    [
        XML,
        XML.replace("eventNotifications", "dlr").replace("eventNotification", "event"),
        XML.replace("<eventNotifications>", '<eventNotifications xmlns="urn:x">'),
        '<r><e type="DLR" dateTime="2023/01/01 12:30:00" clientTag="gw-000001" statusId="3" '
        'detailedStatusId="31834"/></r>',
        XML.split("?>")[1].replace("<eventNotifications>", "").replace("</eventNotifications>", ""),
    ],
)
def test_an_event_in_xml_is_found_whatever_stands_around_it(document: str) -> None:
    assert heard(document, "xml") == [
        Receipt(
            b"gw-000001",
            MessageState.UNDELIVERABLE,
            b"834",
            done=NOON_AND_A_HALF,
            network_error=b"\x03" + (31834).to_bytes(2, "big"),
        )
    ]


def test_the_names_of_elements_can_be_others() -> None:
    document = "<dlr><tag>gw-1</tag><status>2</status></dlr>"
    names = {"clientTag": "tag", "statusId": "status"}
    assert heard(document, "xml", xml_names=names) == [Receipt(b"gw-1", MessageState.DELIVERED, b"000")]


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><a><clientTag>&b;</clientTag></a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a><clientTag>x</clientTag></a>',
        "<a><clientTag>&b;</clientTag></a>",
        "<a>",
        "",
    ],
)
def test_xml_with_a_doctype_or_broken_xml_is_refused(document: str) -> None:
    with pytest.raises(HookRefused) as refusal:
        heard(document, "xml")
    assert refusal.value.status == 400


def event(**fields: object) -> str:
    return json.dumps({"eventNotifications": [{"type": "DLR", "clientTag": "t", **fields}]})


@pytest.mark.parametrize("state", ["2", 2, 2.0, " 2 "])
def test_numbers_may_be_strings_and_strings_numbers(state: object) -> None:
    assert heard(event(statusId=state)) == [Receipt(b"t", MessageState.DELIVERED, b"000")]


@pytest.mark.parametrize(
    ("detail", "state", "err", "whole"),
    [
        (31721, MessageState.UNDELIVERABLE, b"721", 31721),
        ("62732", MessageState.UNDELIVERABLE, b"732", 62732),
        ("14821", MessageState.UNDELIVERABLE, b"821", 14821),
        (51823, MessageState.UNDELIVERABLE, b"823", 51823),
        (11824, MessageState.UNDELIVERABLE, b"824", 11824),
        (11833, MessageState.UNDELIVERABLE, b"833", 11833),
        (32999, MessageState.UNDELIVERABLE, b"999", 32999),
        ("99123", MessageState.UNDELIVERABLE, b"123", None),
        (7, MessageState.UNDELIVERABLE, b"007", None),
        (None, MessageState.UNDELIVERABLE, b"", None),
        ("n/a", MessageState.UNDELIVERABLE, b"", None),
        ([], MessageState.UNDELIVERABLE, b"", None),
        (True, MessageState.UNDELIVERABLE, b"", None),
    ],
)
def test_five_digits_become_a_state_and_an_error(
    detail: object, state: MessageState, err: bytes, whole: int | None
) -> None:
    network = None if whole is None else b"\x03" + whole.to_bytes(2, "big")
    assert heard(event(statusId=3, detailedStatusId=detail)) == [Receipt(b"t", state, err, network_error=network)]


def test_the_config_says_what_a_failure_means() -> None:
    states = {"824": "EXPIRED", "31834": "REJECTD"}
    codes = (11824, 31834, 51834, 31721)
    assert [heard(event(statusId="3", detailedStatusId=code), states=states)[0].state for code in codes] == [
        MessageState.EXPIRED,
        MessageState.REJECTED,
        MessageState.UNDELIVERABLE,
        MessageState.UNDELIVERABLE,
    ]


def test_a_state_that_is_not_final_is_said_as_such_or_not_at_all() -> None:
    assert heard(event(statusId="1", detailedStatusId="31834")) == [Receipt(b"t", MessageState.ENROUTE)]
    assert heard(event(statusId="0")) == []
    assert heard(event(statusId="9")) == []


@pytest.mark.parametrize(
    "document",
    ["{}", "[]", '{"eventNotifications":null}', '{"eventNotifications":[1,{}]}', event(type="MO", statusId=2)],
)
def test_what_says_nothing_of_a_message_is_taken_and_forgotten(document: str) -> None:
    assert heard(document) == []


def test_messages_of_others_on_the_same_account_are_left_alone() -> None:
    assert heard(event(statusId=2), tag_prefix="gw-") == []


def test_several_events_are_several_receipts() -> None:
    document = '[{"clientTag":"a","statusId":"2"},{"clientTag":"b","statusId":"3"}]'
    assert [receipt.id for receipt in heard(document)] == [b"a", b"b"]


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        (hook(b"json=%7B"), 400),
        (hook(b"json="), 400),
        (hook(b"json=" + b"%5B" * 100_000), 400),
        (hook(b"text=x"), 400),
        (hook(b""), 400),
        (hook(b"\xff\xfe"), 400),
        (hook(b"{}", headers={"content-type": "application/json"}), 415),
        (hook(b"json=%7B%7D", method="GET"), 405),
    ],
)
def test_a_notification_that_cannot_be_read_is_refused(broken: Hook, status: int) -> None:
    with pytest.raises(HookRefused) as refusal:
        aix().hear(broken)
    assert refusal.value.status == status


JSONS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["eventNotifications", "clientTag", "statusId", "detailedStatusId", "dateTime", "type"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(JSONS)
def test_any_json_is_heard(document: Any) -> None:
    assert all(isinstance(each, Receipt) for each in heard(json.dumps(document)))


@given(st.sampled_from([b"json=", b"xml=", b""]), st.binary(max_size=80))
def test_junk_is_heard_or_refused(field: bytes, junk: bytes) -> None:
    with contextlib.suppress(HookRefused):
        aix().hear(hook(field + junk))


@given(st.text(alphabet='<>/="&;!?-[]xmlclientTag 2é', max_size=60))
def test_any_xml_is_heard_or_refused(document: str) -> None:
    with contextlib.suppress(HookRefused):
        heard(document, "xml")


# Look-ups.

STATUS = (
    '{"responseCode":0,"responseMessage":"Success.","status":[{"dateTime":"20230101 123000250","phoneNumber":'
    '"+819012345678","message":"x","smsCode":12345,"carrierId":"101","carrierName":"AU","statusId":"%s","clientTag":"%s",'
    '"detailedStatusId":"%s","separatedSuccessCount":1}]}'
)


async def test_a_look_up_asks_by_the_client_tag() -> None:
    scribe = Scribe(STATUS % ("2", "gw-000001", "2"))
    assert list(await aix(scribe).poll(b"gw-000001")) == [
        Receipt(b"gw-000001", MessageState.DELIVERED, b"000", done=NOON_AND_A_HALF + 0.25)
    ]
    assert scribe.asked[0][0] == "GET"
    assert urlsplit(scribe.asked[0][1]).path == "/p5/api/status.json"
    assert scribe.query == {"token": [TOKEN], "clientId": ["1234"], "clientTag": ["gw-000001"]}


@pytest.mark.parametrize(
    "body",
    [
        STATUS % ("0", "t", ""),
        STATUS % ("1", "t", ""),
        STATUS % ("2", "other", "2"),
        '{"responseCode":110,"status":[{"statusId":"2"}]}',
        '{"responseCode":0}',
        '{"responseCode":0,"status":[1]}',
        "gone",
    ],
)
async def test_a_look_up_that_says_nothing_final_says_nothing(body: str) -> None:
    assert list(await aix(Scribe(body)).poll(b"t")) == []


# What people ask.


@pytest.mark.parametrize(
    ("name", "arguments", "path", "query"),
    [
        ("status", {"tag": "t"}, "/p5/api/status.json", {"clientTag": ["t"]}),
        ("status", {"date": "20260131"}, "/p5/api/status.json", {"date": ["20260131"]}),
        (
            "checkreservation",
            {"time": "2026-01-31 09:00", "group": "g"},
            "/p5/api/checkreservation.json",
            {"smsCode": ["12345"], "scheduleTime": ["2026-01-31 09:00"], "groupTag": ["g"]},
        ),
        ("cancelreservation", {"tag": "t"}, "/p5/api/cancelreservation.json", {"clientTag": ["t"]}),
        (
            "numbercleaning",
            {"phone": "+819012345678", "date": "20260131"},
            "/p5/api/numbercleaning.json",
            {"phoneNumber": ["+819012345678"], "referenceDate": ["20260131"]},
        ),
        ("separatedsuccesscount", {"month": "202601"}, "/p5/api/separatedsuccesscount.json", {"month": ["202601"]}),
    ],
)
async def test_an_operation_is_one_request(
    name: str, arguments: dict[str, str], path: str, query: dict[str, list[str]]
) -> None:
    scribe = Scribe()
    shown = await aix(scribe).operations[name](**arguments)
    assert shown["responseCode"] == 0
    method, url, _, _ = scribe.asked[0]
    assert (method, urlsplit(url).path) == ("GET", path)
    assert scribe.query == {"token": [TOKEN], "clientId": ["1234"], **query}


async def test_a_url_is_shortened_by_a_form() -> None:
    scribe = Scribe()
    await aix(scribe).operations["shortenurl"](url="https://example.com/?a=b&c", name="spring")
    assert scribe.asked[0][:2] == ("POST", "/p1/api/shortenurl.json")
    assert scribe.fields == {
        "token": TOKEN,
        "clientId": "1234",
        "name": "spring",
        "longUrl": "https://example.com/?a=b&c",
    }


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("status", {}),
        ("status", {"tag": "t", "date": "20260131"}),
        ("status", {"date": "today"}),
        ("checkreservation", {}),
        ("checkreservation", {"time": "9:00"}),
        ("cancelreservation", {"tag": ""}),
        ("cancelreservation", {"tag": " "}),
        ("numbercleaning", {"phone": "+81312345678", "date": "20260131"}),
        ("shortenurl", {"url": ""}),
        ("shortenurl", {"url": "https://example.com", "name": "n" * 257}),
        ("separatedsuccesscount", {"month": "2026"}),
    ],
)
async def test_an_operation_with_arguments_that_mean_nothing_asks_nothing(name: str, arguments: dict[str, str]) -> None:
    scribe = Scribe()
    with pytest.raises(Wrong):
        await aix(scribe).operations[name](**arguments)
    assert not scribe.asked


def test_the_call_that_cancels_everything_is_not_offered() -> None:
    assert not [name for name in aix().operations if "all" in name]


# The example.
