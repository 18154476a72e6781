"""A carrier that is described in the config asks, reads and hears as described."""

import re
import tomllib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocol.consts import MessageState, Status
from protocol.receipt import Receipt
from smppgw.carriers.contract import Capabilities, HookRefused, Mo, Text, Verdict
from smppgw.carriers.settings import CarrierSettings
from smppgw.carriers.template import PLACEHOLDERS, Template, TemplateSettings
from smppgw.config import ConfigError, parse
from smppgw.simulate.aix import AixOptions, AixSimulator
from tests.kit import ROOT
from tests.smppgw.carrying import AIX_BY_TEMPLATE
from tests.smppgw.hooked import Paper, client_of, hook, listening_ear, reply

TEXT = Text(
    tag="00000000000000a1", source="+4420", destination="+819012345678", text="テスト", carrier="docomo", validity=90.0
)  # fmt: skip
SEND = {"form": {"to": "{destination}", "text": "{text}"}}
HOOKS: dict[str, Any] = {
    "receipts": {
        "id": "id",
        "state": "status",
        "states": {"ok": "DELIVRD", "no": "UNDELIV"},
        "err": "code",
        "done": "at",
    },
    "mo": {"id": "id", "source": "from", "destination": "to", "text": "text", "binary": "data", "header": "udh"},
}


def settings(**tables: Any) -> TemplateSettings:
    return TemplateSettings.model_validate({"name": "own", "url": "https://api.example.com", "send": SEND, **tables})


def carrier(*replies: Any, **tables: Any) -> tuple[Template, Paper]:
    paper = Paper(*replies)
    return Template(settings(**tables), paper), paper


# AIX p5, described.


async def test_the_request_of_aix_is_octet_for_octet_that_of_the_documents() -> None:
    aix, paper = carrier(reply(body=b'{"responseCode":0,"responseMessage":"Success."}'), **AIX_BY_TEMPLATE)
    answer = await aix.send(replace(TEXT, tag="gw-000001", carrier=""))
    assert (answer.verdict, answer.ids) == (Verdict.SENT, (b"gw-000001",))
    ((method, url, _, body),) = paper.asked
    assert (method, url) == ("POST", "/p5/api/mt.json")
    assert len(body) == 150
    assert body == (
        b"token=0123456789abcdef0123456789abcdef&clientId=1234&smsCode=12345&message=%E3%83%86%E3%82%B9%E3%83%88"
        b"&phoneNumber=%2B819012345678&clientTag=gw-000001"
    )


async def test_aix_takes_what_is_described_and_its_receipt_is_heard() -> None:
    async with (
        listening_ear() as ear,
        AixSimulator(AixOptions(webhook=ear.url, receipt_after=0.0)) as simulator,
        client_of(f"http://127.0.0.1:{simulator.port}") as client,
    ):
        aix = ear.carrier = Template(settings(**AIX_BY_TEMPLATE), client)
        assert (await aix.send(TEXT)).ids == (b"00000000000000a1",)
        assert simulator.accepted["00000000000000a1"].carrier == "103"
        await ear.wait_for(1)
        assert ear.heard == [Receipt(id=b"00000000000000a1", state=MessageState.DELIVERED, err=b"000")]
        assert await aix.poll(b"00000000000000a1") == ear.heard
        again = await aix.send(TEXT)
        assert (again.verdict, again.code) == (Verdict.NEVER, "400")
        resent = await aix.send(replace(TEXT, attempts=1))
        assert (resent.verdict, resent.ids) == (Verdict.SENT, (b"00000000000000a1",))
        bad = await aix.send(replace(TEXT, tag="b", destination="+442012345678"))
        assert (bad.verdict, bad.status, bad.reason) == (Verdict.NEVER, Status.RINVDSTADR, "Invalid phoneNumber.")


# What is asked.


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("destination", {}, "+819012345678"),
        ("destination_digits", {}, "819012345678"),
        ("destination_national", {}, "09012345678"),
        ("source", {}, "+4420"),
        ("source_digits", {}, "4420"),
        ("source_digits", {"source": "AcmeInc"}, "AcmeInc"),
        ("text", {}, "テスト"),
        ("coding", {}, "8"),
        ("coding", {"text": "plain"}, ""),
        ("coding", {"text": "", "binary": b"\0"}, "4"),
        ("tag", {}, "00000000000000a1"),
        ("validity", {}, "90"),
        ("validity_ms", {}, "90000"),
        ("validity_minutes", {}, "2"),
        ("validity_minutes", {"validity": 1.0}, "1"),
        ("validity", {"validity": 0.0}, ""),
        ("receipt", {}, "1"),
        ("receipt", {"receipt": False}, "0"),
        ("carrier", {}, "103"),
        ("carrier", {"carrier": "rakuten"}, ""),
        ("binary_hex", {"binary": b"\0\xff"}, "00ff"),
        ("binary_base64", {"binary": b"\0\xff"}, "AP8="),
        ("header_hex", {"header": b"\2\x70\0"}, "027000"),
        ("webhook_url", {}, "https://gw.example.com/own"),
        ("webhook_url", {"receipt": False}, ""),
    ],
)
async def test_every_placeholder_stands_for_something(name: str, text: dict[str, Any], value: str) -> None:
    own, paper = carrier(
        reply(),
        send={"text_body": f"<{{{name}}}>"},
        country_code="81",
        national_prefix="0",
        webhook_url="https://gw.example.com/own",
        carriers={"docomo": "103"},
        codings={"unicode": "8", "binary": "4"},
    )
    assert name in PLACEHOLDERS
    assert (await own.send(replace(TEXT, **text))).verdict is Verdict.SENT
    assert paper.asked[0][3].decode() == f"<{value}>"


async def test_without_tables_carriers_and_codings_have_their_own_names() -> None:
    own, paper = carrier(reply(), send={"text_body": "{carrier} {coding}"})
    await own.send(TEXT)
    assert paper.asked[0][3] == b"docomo unicode"


@pytest.mark.parametrize(
    ("placeholder", "destination"),
    [("destination_national", "+442012345678"), ("destination_digits", "MyName"), ("destination_national", "MyName")],
)
async def test_a_destination_that_cannot_be_written_so_is_refused_unasked(placeholder: str, destination: str) -> None:
    own, paper = carrier(send={"text_body": f"{{{placeholder}}}"}, country_code="81", national_prefix="0")
    answer = await own.send(replace(TEXT, destination=destination))
    assert (answer.verdict, answer.status, answer.code) == (Verdict.NEVER, Status.RINVDSTADR, "destination")
    assert not paper.asked


async def test_basic_authentication_has_keys_of_its_own() -> None:
    own, paper = carrier(reply(), user="me", password="pass")
    await own.send(TEXT)
    assert paper.asked[0][2]["Authorization"] == "Basic bWU6cGFzcw=="


# What is answered.

JSON_REPLY = {"id": "json:messages.*.id", "code": "json:status", "success": ["0", "queued"], "reason": "json:text"}


@pytest.mark.parametrize(
    ("status", "body", "rules", "verdict", "command_status", "code"),
    [
        (200, b'{"status":0,"messages":[{"id":"a"},{"id":7}]}', {}, Verdict.SENT, 0, ""),
        (200, b'{"status":"queued","messages":[{"id":"a"},{"id":"7"}]}', {}, Verdict.SENT, 0, ""),
        (200, b'{"status":0,"messages":[]}', {}, Verdict.DOUBT, 0x08, "reply"),
        (200, b'{"messages":[{"id":"a"}]}', {}, Verdict.DOUBT, 0x08, "reply"),
        (200, b"<html>", {}, Verdict.DOUBT, 0x08, "reply"),
        (200, b'{"status":5}', {}, Verdict.NEVER, 0x45, "5"),
        (200, b'{"status":5}', {"5": "later"}, Verdict.LATER, 0x08, "5"),
        (200, b'{"status":5}', {"5": {"verdict": "later", "status": "RTHROTTLED"}}, Verdict.LATER, 0x58, "5"),
        (200, b'{"status":5}', {"5": "never"}, Verdict.NEVER, 0x45, "5"),
        (200, b'{"status":5}', {"5": {"verdict": "never", "status": 0x0B}}, Verdict.NEVER, 0x0B, "5"),
        (200, b'{"status":5}', {"5": "doubt"}, Verdict.DOUBT, 0x08, "5"),
        (400, b'{"status":5,"text":"bad number"}', {"5 bad number": "doubt", "5": "never"}, Verdict.DOUBT, 0x08, "5"),
        (400, b'{"status":5}', {"http 400": "doubt"}, Verdict.DOUBT, 0x08, "5"),
        (400, b"", {"http 400": "doubt"}, Verdict.DOUBT, 0x08, "http 400"),
        (400, b'{"status":5}', {}, Verdict.NEVER, 0x45, "5"),
        (404, b"", {}, Verdict.NEVER, 0x45, "http 404"),
        (500, b'{"status":0}', {}, Verdict.DOUBT, 0x08, "0"),
        (401, b"", {}, Verdict.LATER, 0x08, "http 401"),
    ],
)
async def test_a_reply_means_what_the_config_says(
    status: int, body: bytes, rules: dict[str, Any], verdict: Verdict, command_status: int, code: str
) -> None:
    own, _ = carrier(reply(status, body), reply={**JSON_REPLY, "codes": rules})
    answer = await own.send(TEXT)
    assert (answer.verdict, answer.status, answer.code) == (verdict, command_status, code)
    assert answer.ids == ((b"a", b"7") if verdict is Verdict.SENT else ())


async def test_the_http_status_alone_can_be_the_answer() -> None:
    own, _ = carrier(reply(202, X_Id="h1"), reply(200, X_Id="h1"), reply={"statuses": [202], "id": "header:X-Id"})
    assert (await own.send(TEXT)).ids == (b"h1",)
    assert (await own.send(TEXT)).verdict is Verdict.DOUBT


async def test_later_waits_as_long_as_the_carrier_asks() -> None:
    own, _ = carrier(reply(503, Retry_After="7"), reply={"codes": {"http 503": {"verdict": "later", "alarm": True}}})
    answer = await own.send(TEXT)
    assert (answer.wait, answer.alarm) == (7.0, True)


async def test_a_code_can_mean_something_else_at_a_repeated_attempt() -> None:
    rules = {"codes": {"http 409": {"verdict": "never", "again": "sent"}}}
    own, _ = carrier(reply(409), reply(409), reply=rules)
    assert (await own.send(TEXT)).verdict is Verdict.NEVER
    assert (await own.send(replace(TEXT, attempts=1))).ids == (b"00000000000000a1",)


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_no_reason_shows_a_secret(status: int) -> None:
    own, _ = carrier(
        reply(status, b'{"status":9,"text":"the key s3cret-key of pass-word is bad"}'),
        secrets={"key": "s3cret-key", "part": "s3cret"},
        user="me",
        password="pass-word",
        reply=JSON_REPLY if status != 500 else {},
    )
    reason = (await own.send(TEXT)).reason
    assert "*** of ***" in reason
    assert "s3cret" not in reason


# What is heard.


@pytest.mark.parametrize("way", ["query", "form", "json"])
def test_receipts_and_messages_are_told_apart_by_their_fields(way: str) -> None:
    own, _ = carrier(**HOOKS)
    for fields, heard in (
        ({"id": "a", "status": "ok", "at": "1672576200"},
         Receipt(b"a", MessageState.DELIVERED, b"000", done=1672576200.0)),
        ({"id": "a", "status": "no", "code": "12345"}, Receipt(b"a", MessageState.UNDELIVERABLE, b"345")),
        ({"id": "a", "status": "no", "code": "7", "at": "2023-01-01T12:30:00Z"},
         Receipt(b"a", MessageState.UNDELIVERABLE, b"007", done=1672576200.0)),
        ({"id": "a", "status": "no", "code": "absent", "at": "1672576200500"},
         Receipt(b"a", MessageState.UNDELIVERABLE, b"abs", done=1672576200.5)),
        ({"id": "a", "status": "new"}, Receipt(b"a", None, b"")),
        ({"id": "m", "from": "+8190", "to": "+123", "text": "hi"}, Mo(b"m", "8190", "123", "hi")),
        ({"id": "m", "from": "8190", "to": "123", "data": "00ff", "udh": "027000"},
         Mo(b"m", "8190", "123", "", b"\0\xff", b"\2\x70\0")),
    ):  # fmt: skip
        one = hook("GET", query=fields) if way == "query" else hook(form=fields) if way == "form" else hook(json=fields)
        assert own.hear(one) == [heard]


def test_many_notifications_may_come_in_one_request() -> None:
    own, _ = carrier(**HOOKS, webhook_items="data.events")
    events = [{"id": "a", "status": "ok"}, 7, {"id": "b", "status": "no"}, {"status": "ok"}, {"id": "c"}]
    heard = own.hear(hook(json={"data": {"events": events}}))
    assert [each.id for each in heard] == [b"a", b"b"]
    assert own.hear(hook(json={"data": {"events": events[0]}}))[0].id == b"a"
    assert own.hear(hook(json={"other": 1})) == []


def test_when_tells_kinds_apart_that_have_the_same_fields() -> None:
    tables = {
        "receipts": {**HOOKS["receipts"], "when": {"type": "dlr"}},
        "mo": {"when": {"type": "mo"}, "source": "from", "destination": "to", "text": "text", "id": "id"},
    }
    own, _ = carrier(**tables)
    fields = {"id": "a", "status": "ok", "from": "1", "to": "2", "text": "hi"}
    assert own.hear(hook(json={**fields, "type": "dlr"})) == [Receipt(b"a", MessageState.DELIVERED, b"000")]
    assert own.hear(hook(json={**fields, "type": "mo"})) == [Mo(b"a", "1", "2", "hi")]
    assert own.hear(hook(json={**fields, "type": "other"})) == []


def test_json_can_be_wrapped_in_a_form() -> None:
    own, _ = carrier(**HOOKS, webhook_unwrap="json")
    assert len(own.hear(hook(form={"json": '{"id":"a","status":"ok"}'}))) == 1
    with pytest.raises(HookRefused) as refused:
        own.hear(hook(form={"xml": "<a/>"}))
    assert refused.value.status == 400


@pytest.mark.parametrize("place", ["header:X-Token", "query:token"])
def test_a_notification_without_the_token_is_refused(place: str) -> None:
    own, _ = carrier(**HOOKS, webhook_token="s3cret", webhook_token_in=place)
    fields = {"id": "a", "status": "ok"}

    def heard(token: dict[str, str]) -> int:
        inside = {"headers": token} if place.startswith("header") else {"query": token}
        return len(own.hear(hook(json=fields, **inside)))  # type: ignore[arg-type]

    name = place.partition(":")[2]
    assert heard({name: "s3cret"}) == 1
    for wrong in (
        ({}, {name: "s3cre"}, {name: ""}, {name: "\ud800"}) if place.startswith("header") else ({}, {name: "x"})
    ):
        with pytest.raises(HookRefused) as refused:
            heard(wrong)
        assert refused.value.status == 403


def test_binary_that_is_no_hex_is_refused() -> None:
    own, _ = carrier(**HOOKS)
    with pytest.raises(HookRefused) as refused:
        own.hear(hook(form={"from": "1", "data": "zz"}))
    assert refused.value.status == 400


def test_the_answer_to_a_notification_is_configured() -> None:
    assert carrier()[0].thanks == (b"", "text/plain")
    assert carrier(webhook_answer="OK")[0].thanks == (b"OK", "text/plain")


NAMES = st.sampled_from(["id", "status", "code", "at", "from", "to", "text", "data", "udh", "type"])
SHAPES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=6) | st.sampled_from(["ok", "00", "0" * 10, "9" * 13]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=10,
)


@given(SHAPES, st.sampled_from(["", "text", "text.*", "0"]))
def test_json_of_any_shape_is_refused_at_most(junk: Any, items: str) -> None:
    own, _ = carrier(**HOOKS, webhook_items=items)
    try:
        own.hear(hook(json=junk if junk is not None else []))
    except HookRefused:
        return


# Asking.

LOOK_UP = {"path": "/status/{id}", "headers": {"X-Key": "{key}"}, "items": "results", "state": "state", "err": "why"}


@pytest.mark.parametrize(
    ("status", "body", "heard"),
    [
        (200, b'{"results":[{"state":"ok"}]}', [Receipt(b"a/1", MessageState.DELIVERED, b"000")]),
        (200, b'{"results":{"state":"no","why":31}}', [Receipt(b"a/1", MessageState.UNDELIVERABLE, b"031")]),
        (200, b'{"results":[{"state":"waiting"}]}', []),
        (200, b"{}", []),
        (200, b"<html>", []),
        (404, b'{"results":[{"state":"ok"}]}', []),
    ],
)
async def test_a_message_can_be_asked_for(status: int, body: bytes, heard: list[Receipt]) -> None:
    own, paper = carrier(reply(status, body), **HOOKS, look_up=LOOK_UP, secrets={"key": "k"}, poll=["1m"])
    assert list(await own.poll(b"a/1")) == heard
    assert paper.asked == [("GET", "/status/a%2F1", {"X-Key": "k"}, b"")]


async def test_of_a_list_the_message_itself_is_taken() -> None:
    own, _ = carrier(
        reply(body=b'[{"ref":"b","state":"no"},{"ref":"a","state":"ok"}]'),
        look_up={"query": {"id": "{id}"}, "id": "ref", "state": "state", "states": {"ok": "DELIVRD", "no": "EXPIRED"}},
    )
    assert await own.poll(b"a") == [Receipt(b"a", MessageState.DELIVERED, b"000")]


async def test_without_a_look_up_nothing_is_asked() -> None:
    own, paper = carrier()
    assert await own.poll(b"a") == ()
    assert not paper.asked


# What it can do.


@pytest.mark.parametrize(
    ("tables", "can"),
    [
        ({}, Capabilities(longest=1600, receipts="none")),
        (HOOKS, Capabilities(longest=1600, receipts="webhook")),
        ({**HOOKS, "look_up": LOOK_UP, "secrets": {"key": "k"}}, Capabilities(longest=1600, receipts="both")),
        ({"look_up": {"path": "/{id}", "state": "s"}, "longest": 70}, Capabilities(longest=70, receipts="poll")),
        (
            {"binary": 133, "idempotent": True, "send": {"form": {"body": "{binary_hex}", "udh": "{header_hex}"}}},
            Capabilities(longest=1600, binary=133, header=True, idempotent=True, receipts="none"),
        ),
    ],
)
def test_what_it_can_do_follows_from_what_is_described(tables: dict[str, Any], can: Capabilities) -> None:
    own, _ = carrier(**tables)
    assert own.capabilities == can
    assert own.operations == {}


# The config.


@pytest.mark.parametrize(
    ("tables", "wrong"),
    [
        ({"send": {"form": {"to": "{dest}"}}}, "send.form.to: {dest} is no placeholder; known are: "),
        ({"send": {"path": "/{tga}"}}, "send.path: {tga} is no placeholder; did you mean 'tag'?"),
        ({"send": {"headers": {"X": "{kye}"}}, "secrets": {"key": "k"}},
         "send.headers.X: {kye} is no placeholder; did you mean 'key'?"),
        ({"send": {"json_body": {"a": [{"b": "{x}"}]}}}, "send.json_body.a[0].b: {x} is no placeholder"),
        ({"send": {"text_body": "{"}}, "send.text_body: "),
        ({"secrets": {"text": "x"}}, "secrets.text has the name of a placeholder"),
        ({"binary": 140}, "binary is given, but send names no {binary_hex}"),
        ({"poll": ["1m"]}, "poll is given, but look_up has no path"),
        ({"look_up": {"path": "/{id}"}}, "look_up has no state"),
        ({"look_up": {"path": "/{tag}", "state": "s"}}, "look_up.path: {tag} is no placeholder"),
        ({"receipts": {"id": "id"}}, "receipts have an id, but no state or states"),
        ({"reply": {"id": "jsn:id"}}, "reply.id: 'jsn:id' is no place"),
        ({"webhook_token_in": "cookie:x"}, "webhook_token_in"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_at_the_start_and_named(tables: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**tables)
    assert wrong in str(caught.value)


def test_a_config_names_the_connector_of_a_mistake() -> None:
    tables = {"kind": "template", "url": "https://x", "secrets": {"key": 7}, "send": {"form": {"a": "{txt}"}}}
    with pytest.raises(ConfigError) as caught:
        parse({"connectors": {"own": tables}})
    assert "connectors.own.secrets: key is no secret" in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        parse({"connectors": {"own": {**tables, "secrets": {}}}})
    assert "connectors.own: send.form.a: {txt} is no placeholder; did you mean 'text'?" in str(caught.value)


SHOWN = (ROOT / "conf" / "carriers.toml").read_text().partition("[connectors.other]")[2]


def test_conf_carriers_toml_shows_every_key() -> None:
    shown = tomllib.loads("[connectors.other]" + SHOWN)["connectors"]["other"]
    own = TemplateSettings.model_validate({"name": "other", **shown})
    top = set(TemplateSettings.model_fields) - set(CarrierSettings.model_fields) | {"kind", "url"}
    assert set(shown) | {"password", "webhook_token"} == top
    for table in ("send", "reply", "receipts", "mo"):
        commented = {"json_body", "text_body"} if table == "send" else set()
        assert set(shown[table]) | commented == set(type(getattr(own, table)).model_fields)
    defaults = TemplateSettings.model_validate({"name": "own", "url": "https://x", "send": {}})
    for key in ("longest", "binary", "idempotent", "webhook_token_in", "webhook_unwrap", "webhook_items", "user"):
        assert getattr(own, key) == getattr(defaults, key)


def test_the_bodies_that_the_conf_shows_as_comments_are_good() -> None:
    for body in re.findall(r"^# (?:json|text)_body = .*?[}\"](?= +#|$)", SHOWN, re.MULTILINE):
        assert settings(send=tomllib.loads(body.removeprefix("# ")))


def test_the_page_about_carriers_describes_aix_as_it_is_tested() -> None:
    page = (ROOT / "docs" / "carriers.md").read_text()
    (block,) = (block for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "connectors.described" in block)
    described = tomllib.loads(block)["connectors"]["described"]
    described["secrets"] = AIX_BY_TEMPLATE["secrets"]
    assert {name: described[name] for name in AIX_BY_TEMPLATE} == AIX_BY_TEMPLATE


def test_the_page_about_carriers_tells_every_placeholder() -> None:
    page = (ROOT / "docs" / "carriers.md").read_text()
    told = {
        name for row in re.findall(r"^\| (`\{.*?) \|", page, re.MULTILINE) for name in re.findall(r"\{(\w+)\}", row)
    }
    assert told == {*PLACEHOLDERS, "id"}
