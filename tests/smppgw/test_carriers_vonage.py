"""Vonage sends, refuses and reports as its API is documented."""

import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocol.consts import MessageState, Status
from protocol.receipt import Receipt
from smppgw.carriers.contract import Hook, HookRefused, Mo, Text, Verdict
from smppgw.carriers.settings import CarrierSettings
from smppgw.carriers.vonage import STATES, Vonage, VonageSettings
from smppgw.carriers.vonage_signature import METHODS, Method, agrees, sign
from smppgw.exchange import Unanswered, Unsent
from smppgw.simulate.vonage import VonageOptions, VonageSimulator
from tests.kit import ROOT
from tests.smppgw.hooked import Ear, Paper, client_of, hook, listening_ear, reply

NOW = 1_672_576_200.0  # 2023-01-01 12:30:00 UTC
TEXT = Text(tag="00000000000000a1", source="AcmeInc", destination="+819012345678", text="hello", validity=3600.0)
GOOD = b'{"message-count":"1","messages":[{"to":"819012345678","message-id":"0A0000000123ABCD1","status":"0"}]}'
DLR = {
    "msisdn": "819012345678", "to": "AcmeInc", "network-code": "44010", "messageId": "0A0000000123ABCD1",
    "price": "0.03330000", "status": "delivered", "scts": "2301011230", "err-code": "0", "api-key": "abcd1234",
    "message-timestamp": "2023-01-01 12:30:00",
}  # fmt: skip
DELIVERED = Receipt(id=b"0A0000000123ABCD1", state=MessageState.DELIVERED, err=b"000", done=NOW)
INBOUND = {"msisdn": "819012345678", "to": "12345", "messageId": "0B01", "text": "hello you", "type": "text"}


def settings(**over: Any) -> VonageSettings:
    secret = {} if "signature_secret" in over else {"api_secret": "abcdef0123456789"}
    return VonageSettings.model_validate({"name": "vonage", "api_key": "abcd1234", **secret, **over}, strict=False)


def carrier(*replies: Any, **over: Any) -> tuple[Vonage, Paper]:
    paper = Paper(*replies)
    return Vonage(settings(**over), paper, lambda: NOW), paper


def asked(paper: Paper) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(paper.asked[-1][3].decode(), keep_blank_values=True).items()}


# What is asked.


async def test_the_request_is_octet_for_octet_that_of_the_documents() -> None:
    vonage, paper = carrier(reply(body=GOOD))
    answer = await vonage.send(replace(TEXT, tag="gw-000001", text="テスト", validity=259200.0))
    assert (answer.verdict, answer.ids) == (Verdict.SENT, (b"0A0000000123ABCD1",))
    ((method, url, _, body),) = paper.asked
    assert (method, url) == ("POST", "/sms/json")
    assert len(body) == 174
    assert body == (
        b"api_key=abcd1234&api_secret=abcdef0123456789&from=AcmeInc&to=819012345678"
        b"&text=%E3%83%86%E3%82%B9%E3%83%88&type=unicode&status-report-req=1&client-ref=gw-000001&ttl=259200000"
    )


@pytest.mark.parametrize(
    ("text", "kind"), [("plain {€}", "text"), ("日本", "unicode"), ("😀", "unicode"), ("ç", "unicode")]
)
async def test_the_type_is_the_cheapest_that_loses_nothing(text: str, kind: str) -> None:
    vonage, paper = carrier(reply(body=GOOD))
    await vonage.send(replace(TEXT, text=text))
    assert (asked(paper)["text"], asked(paper)["type"]) == (text, kind)


async def test_binary_goes_as_hex_with_its_header() -> None:
    vonage, paper = carrier(reply(body=GOOD), reply(body=GOOD))
    await vonage.send(replace(TEXT, text="", binary=b"\x00\xff", header=b"\x06\x05\x04\x15\x81\x15\x81"))
    fields = asked(paper)
    assert (fields["type"], fields["body"], fields["udh"]) == ("binary", "00ff", "06050415811581")
    assert "text" not in fields
    await vonage.send(replace(TEXT, text="", binary=b"\x00\xff"))
    assert "udh" not in asked(paper)


@pytest.mark.parametrize(
    ("validity", "ttl"),
    [(1.0, "20000"), (20.0, "20000"), (3600.5, "3600500"), (604800.0, "604800000"), (1e9, "604800000")],
)
async def test_validity_becomes_a_ttl_that_vonage_takes(validity: float, ttl: str) -> None:
    vonage, paper = carrier(reply(body=GOOD))
    await vonage.send(replace(TEXT, validity=validity))
    assert asked(paper)["ttl"] == ttl


async def test_receipts_are_asked_for_at_our_webhook_only_when_somebody_wants_them() -> None:
    vonage, paper = carrier(*[reply(body=GOOD)] * 2, webhook_url="https://gw.example.com/cb")
    await vonage.send(TEXT)
    assert asked(paper)["callback"] == "https://gw.example.com/cb"
    assert asked(paper)["status-report-req"] == "1"
    await vonage.send(replace(TEXT, receipt=False))
    assert "callback" not in asked(paper)
    assert asked(paper)["status-report-req"] == "0"


async def test_the_account_s_own_webhook_can_be_left_alone() -> None:
    vonage, paper = carrier(reply(body=GOOD), webhook_url="https://gw.example.com/cb", callback=False, account_ref="x")
    await vonage.send(TEXT)
    assert "callback" not in asked(paper)
    assert asked(paper)["account-ref"] == "x"


async def test_the_sender_is_that_of_the_message_then_the_configured_one() -> None:
    vonage, paper = carrier(*[reply(body=GOOD)] * 2, sender="+4479")
    await vonage.send(replace(TEXT, source="+81312345678"))
    assert asked(paper)["from"] == "81312345678"
    await vonage.send(replace(TEXT, source=""))
    assert asked(paper)["from"] == "4479"


@pytest.mark.parametrize("method", METHODS)
async def test_a_signed_request_names_no_secret(method: Method) -> None:
    vonage, paper = carrier(reply(body=GOOD), signature_secret="s3cret", signature_method=method)
    await vonage.send(replace(TEXT, text="a&b=c"))
    fields = asked(paper)
    assert "api_secret" not in fields
    assert fields["timestamp"] == str(int(NOW))
    assert agrees(fields, "s3cret", method)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (replace(TEXT, destination="MyName"), Status.RINVDSTADR),
        (replace(TEXT, destination="+123456"), Status.RINVDSTADR),
        (replace(TEXT, destination="+1234567890123456"), Status.RINVDSTADR),
        (replace(TEXT, source=""), Status.RINVSRCADR),
        (replace(TEXT, text="", binary=bytes(134), header=b"\x06" + bytes(6)), Status.RINVMSGLEN),
    ],
)
async def test_what_cannot_be_asked_is_refused_without_asking(text: Text, status: Status) -> None:
    vonage, paper = carrier()
    answer = await vonage.send(text)
    assert (answer.verdict, answer.status) == (Verdict.NEVER, status)
    assert answer.code
    assert not paper.asked


# What is answered.


def refusal(status: str, words: str = "") -> Any:
    return reply(
        body=b'{"message-count":"1","messages":[{"status":"%b","error-text":"%b"}]}' % (status.encode(), words.encode())
    )


@pytest.mark.parametrize(
    ("status", "verdict", "command_status", "alarm"),
    [
        ("1", Verdict.LATER, 0x58, False),
        ("2", Verdict.NEVER, 0x45, False),
        ("3", Verdict.NEVER, 0x45, False),
        ("4", Verdict.LATER, 0x08, True),
        ("5", Verdict.LATER, 0x08, False),
        ("6", Verdict.NEVER, 0x45, False),
        ("7", Verdict.NEVER, 0x0B, False),
        ("8", Verdict.LATER, 0x08, True),
        ("9", Verdict.LATER, 0x14, True),
        ("10", Verdict.LATER, 0x58, False),
        ("11", Verdict.LATER, 0x08, True),
        ("12", Verdict.NEVER, 0x01, False),
        ("14", Verdict.LATER, 0x08, True),
        ("15", Verdict.NEVER, 0x0A, False),
        ("22", Verdict.NEVER, 0x45, False),
        ("23", Verdict.NEVER, 0x45, False),
        ("29", Verdict.NEVER, 0x0B, False),
        ("32", Verdict.LATER, 0x08, True),
        ("33", Verdict.NEVER, 0x0B, False),
        ("999", Verdict.NEVER, 0x45, False),
    ],
)
async def test_a_refusal_means_what_the_documents_say(
    status: str, verdict: Verdict, command_status: int, alarm: bool
) -> None:
    vonage, _ = carrier(refusal(status))
    answer = await vonage.send(TEXT)
    assert (answer.verdict, answer.status, answer.alarm) == (verdict, command_status, alarm)
    assert answer.code == status
    assert answer.reason


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("Missing to param", Status.RINVDSTADR),
        ("Missing from param", Status.RINVSRCADR),
        ("Invalid value for parameter: to", Status.RINVDSTADR),
        ("Invalid value for parameter: from", Status.RINVSRCADR),
        ("The `to` parameter is wrong", Status.RINVDSTADR),
        ("from address is not valid", Status.RINVSRCADR),
        ("Unable to read what came from you", Status.RSUBMITFAIL),
        ("Missing text param", Status.RSUBMITFAIL),
    ],
)
async def test_a_bad_address_is_told_from_another_bad_parameter(words: str, status: Status) -> None:
    vonage, _ = carrier(refusal("3", words))
    assert (await vonage.send(TEXT)).status == status


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"messages":[]}', b'{"messages":{"status":"0"}}', b'{"messages":["0"]}',
     b'{"messages":[{"status":"0"}]}', b'{"messages":[{"status":"0","message-id":7}]}'],
)  # fmt: skip
async def test_a_reply_that_makes_no_sense_leaves_a_doubt(body: bytes) -> None:
    vonage, _ = carrier(reply(body=body))
    answer = await vonage.send(TEXT)
    assert (answer.verdict, answer.code) == (Verdict.DOUBT, "reply")


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (429, Verdict.LATER),
        (401, Verdict.LATER),
        (302, Verdict.LATER),
        (500, Verdict.DOUBT),
        (404, Verdict.NEVER),
    ],
)
async def test_another_http_status_is_judged_by_itself(status: int, verdict: Verdict) -> None:
    vonage, _ = carrier(reply(status))
    assert (await vonage.send(TEXT)).verdict == verdict


def two_of_three(status: str) -> Any:
    part = b'{"status":"0","message-id":"%b"}'
    refused = b'{"status":"%b","error-text":"no"}' % status.encode()
    return reply(body=b'{"message-count":"3","messages":[%b,%b,%b]}' % (part % b"A1", part % b"A2", refused))


@pytest.mark.parametrize(
    ("partial", "status", "verdict", "ids"),
    [
        ("retry", "1", Verdict.LATER, ()),
        ("retry", "6", Verdict.NEVER, ()),
        ("refuse", "1", Verdict.NEVER, ()),
        ("accept", "1", Verdict.SENT, (b"A1", b"A2")),
    ],
)
async def test_a_text_of_which_a_part_was_refused_is_answered_as_configured(
    partial: str, status: str, verdict: Verdict, ids: tuple[bytes, ...]
) -> None:
    vonage, _ = carrier(two_of_three(status), partial=partial)
    answer = await vonage.send(TEXT)
    assert (answer.verdict, answer.ids) == (verdict, ids)
    assert verdict is Verdict.SENT or answer.reason == "2 of 3 parts were accepted, then: no"


async def test_nothing_is_known_of_a_text_but_by_its_receipts() -> None:
    vonage, paper = carrier()
    assert await vonage.poll(b"A1") == ()
    assert vonage.operations == {}
    assert not paper.asked


# What is heard.


WAYS = ("query", "form", "json")


def told(way: str, fields: dict[str, str]) -> Hook:
    if way == "query":
        return hook("GET", query=fields)
    return hook(form=fields) if way == "form" else hook(json=fields)


@pytest.mark.parametrize("way", WAYS)
def test_a_receipt_is_heard_in_every_way_it_may_come(way: str) -> None:
    vonage, _ = carrier()
    assert vonage.hear(told(way, DLR)) == (DELIVERED,)


@pytest.mark.parametrize("status", STATES)
def test_every_status_of_the_documents_is_a_state(status: str) -> None:
    vonage, _ = carrier()
    (receipt,) = vonage.hear(told("query", {**DLR, "status": status, "err-code": "2"}))
    assert isinstance(receipt, Receipt)
    assert (receipt.state, receipt.err) == (STATES[status], b"002")


@pytest.mark.parametrize(
    ("code", "err", "state"),
    [
        ("6", b"006", MessageState.REJECTED),
        ("10", b"010", MessageState.REJECTED),
        ("99", b"099", MessageState.UNDELIVERABLE),
        ("", b"", MessageState.UNDELIVERABLE),
        ("1234", b"234", MessageState.UNDELIVERABLE),
        ("?!", b"", MessageState.UNDELIVERABLE),
    ],
)
def test_what_was_refused_as_spam_or_illegal_is_rejected(code: str, err: bytes, state: MessageState) -> None:
    vonage, _ = carrier()
    (receipt,) = vonage.hear(told("query", {**DLR, "status": "failed", "err-code": code}))
    assert isinstance(receipt, Receipt)
    assert (receipt.state, receipt.err) == (state, err)


@pytest.mark.parametrize(
    ("times", "done"),
    [
        ({"message-timestamp": "2023-01-01 12:30:00"}, NOW),
        ({"message-timestamp": "2023-01-01T12:30:00+00:00"}, NOW),
        ({"scts": "2301011230"}, NOW),
        ({"message-timestamp": "yesterday", "scts": "2399999999"}, None),
        ({}, None),
    ],
)
def test_the_time_is_utc_where_it_can_be_read(times: dict[str, str], done: float | None) -> None:
    vonage, _ = carrier()
    assert vonage.hear(told("query", {"messageId": "1", "status": "delivered", **times})) == (
        Receipt(id=b"1", state=MessageState.DELIVERED, done=done),
    )


def test_a_status_that_nobody_knows_ends_no_message() -> None:
    vonage, _ = carrier()
    (receipt,) = vonage.hear(told("query", {**DLR, "status": "vanished"}))
    assert isinstance(receipt, Receipt)
    assert receipt.state is None


@pytest.mark.parametrize("way", WAYS)
def test_a_handset_is_heard(way: str) -> None:
    vonage, _ = carrier()
    assert vonage.hear(told(way, INBOUND)) == (Mo(b"0B01", "819012345678", "12345", "hello you"),)


@pytest.mark.parametrize(
    ("reference", "total", "part", "header"),
    [
        ("7", "3", "2", "050003070302"),
        ("300", "3", "1", "060804012c0301"),
        ("7", "3", "4", ""),
        ("7", "0", "0", ""),
        ("7", "256", "1", ""),
        ("7", "x", "", ""),
    ],
)
def test_a_part_of_a_longer_text_has_its_header(reference: str, total: str, part: str, header: str) -> None:
    vonage, _ = carrier()
    fields = {**INBOUND, "concat": "true", "concat-ref": reference, "concat-total": total, "concat-part": part}
    (mo,) = vonage.hear(told("json", fields))
    assert isinstance(mo, Mo)
    assert mo.header.hex() == header


def test_parts_that_share_a_word_share_a_reference() -> None:
    vonage, _ = carrier()
    mos = [
        vonage.hear(
            hook(json={**INBOUND, "concat": True, "concat-ref": "9f-ab", "concat-total": 2, "concat-part": part})
        )[0]
        for part in (1, 2)
    ]
    first, second = (mo.header for mo in mos if isinstance(mo, Mo))
    assert first[:2] == b"\6\x08"
    assert first[:5] == second[:5]
    assert (first[5:], second[5:]) == (b"\2\1", b"\2\2")


@pytest.mark.parametrize(
    ("data", "udh", "mo"),
    [
        ("00ff", "06050415811581", Mo(b"0B01", "1", "2", "", b"\x00\xff", bytes.fromhex("06050415811581"))),
        ("00ff", "050415811581", Mo(b"0B01", "1", "2", "", b"\x00\xff", bytes.fromhex("06050415811581"))),
        ("00ff", "", Mo(b"0B01", "1", "2", "", b"\x00\xff")),
    ],
)
def test_binary_from_a_handset_is_hex(data: str, udh: str, mo: Mo) -> None:
    vonage, _ = carrier()
    fields = {"msisdn": "1", "to": "2", "messageId": "0B01", "type": "binary", "data": data, "udh": udh}
    assert vonage.hear(told("form", fields)) == (mo,)


def test_binary_that_is_no_hex_is_refused() -> None:
    vonage, _ = carrier()
    with pytest.raises(HookRefused) as refused:
        vonage.hear(told("form", {"msisdn": "1", "to": "2", "data": "zz"}))
    assert refused.value.status == 400


def test_somebody_may_try_whether_we_are_there() -> None:
    vonage, _ = carrier()
    assert vonage.hear(hook("GET")) == ()


def signed(
    fields: dict[str, str], method: Method = "md5hash", secret: str = "s3cret", at: float = NOW
) -> dict[str, str]:
    fields = {**fields, "timestamp": str(int(at)), "nonce": "0" * 32}
    return {**fields, "sig": sign(fields, secret, method)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_a_signed_notification_is_heard(way: str, method: Method) -> None:
    vonage, _ = carrier(signature_secret="s3cret", signature_method=method, webhook_signed=True)
    assert vonage.hear(told(way, signed(DLR, method))) == (DELIVERED,)


@pytest.mark.parametrize("by", ["get", "form", "json"])
async def test_what_our_own_url_says_is_not_signed(by: str) -> None:
    over = {"signature_secret": "s3cret", "webhook_signed": True}
    async with talking(over, signature_secret="s3cret", sign_webhooks=True, webhook_by=by) as (_, simulator, ear):
        async with client_of(f"http://127.0.0.1:{simulator.port}") as client:
            url = f"{ear.url}?token=1&x="
            ear.carrier = Vonage(settings(webhook_url=url, **over), client)
            assert (await ear.carrier.send(TEXT)).verdict is Verdict.SENT
        await ear.wait_for(1)
    assert not ear.refusals


@pytest.mark.parametrize(
    "fields",
    [
        DLR,
        signed(DLR, secret="other"),
        {**signed(DLR), "status": "failed"},
        signed(DLR, at=NOW - 301),
        signed(DLR, at=NOW + 301),
        {**DLR, "sig": sign(DLR, "s3cret", "md5hash")},
        {},
    ],
    ids=["unsigned", "another secret", "changed", "old", "of the future", "timeless", "empty"],
)
def test_a_forged_or_replayed_notification_is_refused(fields: dict[str, str]) -> None:
    vonage, _ = carrier(signature_secret="s3cret", webhook_signed=True)
    with pytest.raises(HookRefused) as refused:
        vonage.hear(told("query", fields))
    assert refused.value.status == 403


NAMES = st.sampled_from(
    [*DLR, *INBOUND, "data", "udh", "concat", "concat-ref", "concat-total", "concat-part", "sig", "timestamp"]
)
VALUES = st.text(max_size=20) | st.sampled_from(["true", "delivered", "00", "1", "255", "9999-12-31 23:59:59+14:00"])
SHAPES = st.recursive(
    st.none() | st.booleans() | st.floats() | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=8,
)


@given(
    st.sampled_from(["GET", "POST"]),
    st.dictionaries(NAMES, VALUES),
    st.sampled_from(["query", "form", "json", "body"]),
    st.binary(max_size=50),
    st.booleans(),
)
def test_junk_is_refused_at_most(method: str, fields: dict[str, str], way: str, body: bytes, check: bool) -> None:
    vonage, _ = carrier(signature_secret="s3cret", webhook_signed=check)
    junk: dict[str, Any] = {way: body if way == "body" else fields}
    kind = {"Content-Type": "application/json"} if way == "body" else None
    try:
        heard = vonage.hear(hook(method, **junk, headers=kind))
    except HookRefused:
        return
    for each in heard:
        assert isinstance(each.id, bytes)


@given(SHAPES)
def test_json_of_any_shape_is_refused_at_most(junk: Any) -> None:
    vonage, _ = carrier()
    try:
        vonage.hear(hook(json=junk if junk is not None else {}))
    except HookRefused:
        return


# The config.


@pytest.mark.parametrize(
    ("over", "wrong"),
    [
        ({"api_secret": ""}, "neither api_secret nor signature_secret"),
        ({"webhook_signed": True}, "webhook_signed needs signature_secret"),
        ({"signature_method": "sha3"}, "signature_method"),
        ({"longest": 3201}, "longest"),
    ],
)
def test_settings_that_cannot_work_are_refused(over: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        settings(**over)


def test_conf_carriers_toml_shows_every_key_with_its_default() -> None:
    text = (ROOT / "conf" / "carriers.toml").read_text()
    shown = tomllib.loads(text)["connectors"]["vonage"]
    assert VonageSettings.model_validate({"name": "vonage", **shown}) == settings()
    commented = {"url", "signature_secret"}
    own = set(VonageSettings.model_fields) - set(CarrierSettings.model_fields)
    assert set(shown) | commented == own | commented | {"kind"}
    assert all(f"# {key} = " in text for key in commented)


# Against the simulated Vonage.


@asynccontextmanager
async def talking(
    over: dict[str, Any] | None = None, patience: float = 5.0, **options: Any
) -> AsyncIterator[tuple[Vonage, VonageSimulator, Ear]]:
    defaults: dict[str, Any] = {"receipt_after": 0.0, "seed": 1}
    async with (
        listening_ear() as ear,
        VonageSimulator(VonageOptions(**{**defaults, **options})) as simulator,
        client_of(f"http://127.0.0.1:{simulator.port}", patience) as client,
    ):
        ear.carrier = vonage = Vonage(settings(webhook_url=ear.url, **(over or {})), client)
        yield vonage, simulator, ear


async def test_every_part_has_an_id_and_a_receipt() -> None:
    async with talking() as (vonage, _, ear):
        for text, parts in (
            ("x" * 160, 1),
            ("x" * 161, 2),
            ("€" * 81, 2),
            ("あ" * 70, 1),
            ("あ" * 71, 2),
            ("あ" * 660, 10),
        ):
            ear.heard.clear()
            answer = await vonage.send(replace(TEXT, text=text))
            assert len(answer.ids) == parts
            await ear.wait_for(parts)
            assert {receipt.id for receipt in ear.receipts} == set(answer.ids)
            assert {receipt.state for receipt in ear.receipts} == {MessageState.DELIVERED}


@pytest.mark.parametrize("by", ["get", "form", "json"])
@pytest.mark.parametrize("method", METHODS)
async def test_both_sides_sign(by: str, method: Method) -> None:
    over = {"signature_secret": "s3cret", "signature_method": method, "webhook_signed": True}
    options: dict[str, Any] = {
        "signature_secret": "s3cret", "signature_method": method, "sign_webhooks": True, "webhook_by": by,
    }  # fmt: skip
    async with talking(over, **options) as (vonage, _, ear):
        answer = await vonage.send(replace(TEXT, text="a&b=ü テスト"))
        await ear.wait_for(1)
    assert ear.receipts[0].id == answer.ids[0]
    assert not ear.refusals


async def test_a_receipt_says_that_it_failed() -> None:
    async with talking(undelivered=1.0) as (vonage, _, ear):
        await vonage.send(TEXT)
        await ear.wait_for(1)
    assert (ear.receipts[0].state, ear.receipts[0].err) == (MessageState.UNDELIVERABLE, b"002")


async def test_wrong_credentials_are_an_alarm() -> None:
    async with talking({"api_key": "wrong"}) as (vonage, _, _):
        answer = await vonage.send(TEXT)
    assert (answer.verdict, answer.alarm, answer.code) == (Verdict.LATER, True, "4")


@pytest.mark.parametrize("fault", ["hang", "reset", "accept_and_hang"])
async def test_no_reply_is_no_answer(fault: str) -> None:
    async with talking(None, 0.5, **{fault: 1.0}) as (vonage, _, _):
        with pytest.raises(Unanswered):
            await vonage.send(TEXT)


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [("error", Verdict.DOUBT), ("throttle", Verdict.LATER), ("garbage", Verdict.DOUBT), ("redirect", Verdict.LATER)],
)
async def test_a_reply_that_is_not_vonage_s_has_its_verdict(fault: str, verdict: Verdict) -> None:
    async with talking(None, **{fault: 1.0}) as (vonage, _, _):
        assert (await vonage.send(TEXT)).verdict == verdict


async def test_without_a_connection_nothing_was_sent() -> None:
    async with client_of("http://127.0.0.1:1") as client:
        with pytest.raises(Unsent):
            await Vonage(settings(), client).send(TEXT)
