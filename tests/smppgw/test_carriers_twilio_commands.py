"""Twilio Commands: what is asked of it, and what its answers, callbacks and records mean."""

from base64 import b64encode
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
from smppgw.carriers.twilio_commands import CODES, CommandsSettings, TwilioCommands
from smppgw.simulate.twilio_account import ACCOUNT, TOKEN
from smppgw.simulate.twilio_commands import SIM
from smppgw.values import Wrong
from tests.smppgw.twilio import BASIC, COMMAND, Scribe, error, got, posted, reply, simulator, text

SID = COMMAND.encode()
WEBHOOK = "https://gw.example.com/cb/cmd"
METER = "AliceSmithSmartMeter"
SIMS = {"819012345678": SIM, "+8190999": METER}
TO_METER = {"destination": METER}
UDH = bytes.fromhex("0605040b8423f0")


def settings(**keys: Any) -> CommandsSettings:
    given = {
        "name": "iot",
        "account_sid": ACCOUNT,
        "auth_token": TOKEN,
        "webhook_url": WEBHOOK,
        "sims": SIMS,
        **keys,
    }
    return CommandsSettings.model_validate(given)


def carrier(*replies: Reply, **keys: Any) -> tuple[TwilioCommands, Scribe]:
    scribe = Scribe(*(replies or [reply({"sid": COMMAND})]))
    return TwilioCommands(settings(**keys), scribe), scribe


# What is asked.


async def test_a_request_is_octet_for_octet_that_of_the_documents() -> None:
    twilio, scribe = carrier(auth_token="authtoken")
    answer = await twilio.send(text("SET APN=x", **TO_METER))
    assert (answer.verdict, answer.ids) == (Verdict.SENT, (SID,))
    assert scribe.asked == [
        (
            "POST",
            "/v1/Commands",
            "Sim=AliceSmithSmartMeter&Command=SET+APN%3Dx&CallbackUrl=https%3A%2F%2Fgw.example.com%2Fcb%2Fcmd"
            "&CommandMode=text&IncludeSid=none",
        )
    ]
    assert len(scribe.asked[0][2]) == 129
    assert scribe.headers["Authorization"] == BASIC


async def test_octets_go_in_base64_with_their_header_in_front() -> None:
    twilio, scribe = carrier(webhook_url="")
    await twilio.send(text("", binary=bytes.fromhex("deadbeef"), header=UDH))
    assert scribe.asked[0][2] == f"Sim={SIM}&Command=BgUEC4Qj8N6tvu8%3D&CommandMode=binary"


@pytest.mark.parametrize(
    ("destination", "sim"),
    [
        ("+819012345678", SIM),
        ("819012345678", SIM),
        ("+8190999", METER),
        (METER, METER),
        (SIM, SIM),
        ("DE" + "b" * 32, "DE" + "b" * 32),
    ],
)
async def test_a_destination_is_an_alias_a_name_or_a_sid(destination: str, sim: str) -> None:
    twilio, scribe = carrier()
    await twilio.send(text(destination=destination))
    assert scribe.form["Sim"] == sim


async def test_a_number_without_a_sim_is_refused_unless_numbers_are_names() -> None:
    twilio, scribe = carrier()
    answer = await twilio.send(text(destination="+15550001"))
    assert (answer.verdict, answer.status, answer.code) == (Verdict.NEVER, Status.RINVDSTADR, "33107")
    assert (await twilio.send(text(destination=""))).status == Status.RINVDSTADR
    assert scribe.asked == []
    twilio, scribe = carrier(unlisted="name")
    await twilio.send(text(destination="+15550001"))
    assert scribe.form["Sim"] == "15550001"
    assert (await twilio.send(text(destination="+"))).status == Status.RINVDSTADR


async def test_what_nobody_wants_to_hear_of_asks_for_no_receipt() -> None:
    twilio, scribe = carrier()
    await twilio.send(text(receipt=False))
    assert scribe.form.keys() == {"Sim", "Command", "CommandMode", "IncludeSid", "DeliveryReceiptRequested"}
    assert scribe.form["DeliveryReceiptRequested"] == "false"


async def test_callbacks_come_by_get_where_the_config_says_so() -> None:
    twilio, scribe = carrier(callback_method="GET")
    await twilio.send(text())
    assert (scribe.form["CallbackUrl"], scribe.form["CallbackMethod"]) == (WEBHOOK, "GET")


@pytest.mark.parametrize(
    ("said", "include_sid", "fits"),
    [
        ("x" * 160, "none", True),
        ("x" * 161, "none", False),
        ("x" * 158 + "€", "none", True),
        ("x" * 159 + "€", "none", False),
        ("字" * 70, "none", True),
        ("字" * 71, "none", False),
        ("字" * 68 + "😀", "none", True),
        ("字" * 69 + "😀", "none", False),
        ("x" * 125, "start", True),
        ("x" * 126, "start", False),
        ("x" * 128, "end", False),
        ("字" * 35, "end", True),
        ("字" * 36, "end", False),
        ("字" * 38, "start", False),
        ("", "none", False),
    ],
)
async def test_a_text_fits_beside_the_sid_or_is_refused(said: str, include_sid: str, fits: bool) -> None:
    twilio, scribe = carrier(include_sid=include_sid)
    answer = await twilio.send(text(said))
    if fits:
        assert scribe.form["IncludeSid"] == include_sid
        return
    assert (answer.verdict, answer.status, answer.code) == (Verdict.NEVER, Status.RINVMSGLEN, "length")
    assert scribe.asked == []


@pytest.mark.parametrize(
    ("octets", "header", "fits"),
    [(140, b"", True), (141, b"", False), (133, UDH, True), (134, UDH, False), (0, b"", False)],
)
async def test_140_octets_fit_with_their_header(octets: int, header: bytes, fits: bool) -> None:
    twilio, scribe = carrier(include_sid="start")
    answer = await twilio.send(text("", binary=bytes(octets), header=header))
    assert (answer.verdict is Verdict.SENT) is fits
    assert bool(scribe.asked) is fits
    assert fits or answer.status == Status.RINVMSGLEN


async def test_a_text_has_no_header_here() -> None:
    answer = await carrier()[0].send(text(header=UDH))
    assert (answer.verdict, answer.status) == (Verdict.NEVER, Status.RINVESMCLASS)


def test_what_it_can_depends_on_the_sid() -> None:
    assert carrier()[0].capabilities.longest == 160
    assert carrier(include_sid="end")[0].capabilities.longest == 125
    assert carrier()[0].capabilities.binary == 140


@pytest.mark.parametrize(
    ("sims", "words"),
    [
        ({"1": ""}, "empty"),
        ({"": SIM}, "empty"),
        ({"1": SIM, "2": SIM}, "named twice"),
        ({"1": SIM, "+1": METER}, "named twice"),
    ],
)
def test_aliases_must_lead_both_ways(sims: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(sims=sims)
    wrong = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(wrong, Wrong)
    assert words in wrong.wrong


# What is answered.


@pytest.mark.parametrize(
    ("code", "verdict", "status", "alarm"),
    [
        (20003, Verdict.LATER, Status.RSYSERR, True),
        (20404, Verdict.NEVER, Status.RINVDSTADR, False),
        (20429, Verdict.LATER, Status.RTHROTTLED, False),
        (33000, Verdict.LATER, Status.RSYSERR, False),
        (33104, Verdict.NEVER, Status.RINVDSTADR, False),
        (33105, Verdict.NEVER, Status.RSUBMITFAIL, False),
        (33107, Verdict.NEVER, Status.RINVDSTADR, False),
        (33201, Verdict.LATER, Status.RSYSERR, True),
    ],
)
async def test_every_code_has_its_status_and_verdict(code: int, verdict: Verdict, status: Status, alarm: bool) -> None:
    assert code in CODES or code == 20429
    answer = await carrier(error(code))[0].send(text())
    assert (answer.verdict, answer.status, answer.alarm, answer.code) == (verdict, status, alarm, str(code))


# What is heard.

RESULT = {
    "CommandSid": COMMAND,
    "CommandStatus": "delivered",
    "SimSid": SIM,
    "SimUniqueName": METER,
    "ApiVersion": "v1",
    "AccountSid": ACCOUNT,
    "CommandMode": "text",
}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("queued", MessageState.ACCEPTED),
        ("sent", MessageState.ENROUTE),
        ("delivered", MessageState.DELIVERED),
        ("failed", MessageState.UNDELIVERABLE),
        ("lost", None),
    ],
)
def test_every_status_has_its_state_by_post_and_get(status: str, state: MessageState | None) -> None:
    fields = RESULT | {"CommandStatus": status}
    twilio, _ = carrier()
    receipt = Receipt(SID, state, b"000")
    assert twilio.hear(posted(fields, WEBHOOK)) == twilio.hear(got(fields, WEBHOOK)) == [receipt]


@pytest.mark.parametrize(("code", "err"), [("33104", b"104"), ("33201", b"201"), ("33000", b"300"), ("", b"000")])
def test_an_error_code_is_the_err_of_its_receipt(code: str, err: bytes) -> None:
    fields = RESULT | {"CommandStatus": "failed", "ErrorCode": code, "ErrorMessage": "x"}
    assert carrier()[0].hear(posted(fields)) == [Receipt(SID, MessageState.UNDELIVERABLE, err)]


SAID = {
    "CommandSid": COMMAND,
    "SimSid": SIM,
    "SimUniqueName": "",
    "Command": "temperature 21",
    "Status": "received",
    "ApiVersion": "v1",
    "AccountSid": ACCOUNT,
    "CommandMode": "text",
}


def test_a_command_from_a_sim_comes_from_its_alias() -> None:
    twilio, _ = carrier()
    mo = Mo(SID, "819012345678", "2936", "temperature 21")
    assert twilio.hear(posted(SAID)) == twilio.hear(got(SAID)) == [mo]
    [named] = twilio.hear(posted(SAID | {"SimSid": "DE" + "c" * 32, "SimUniqueName": METER}))
    assert named == mo._replace(source="8190999")


def test_a_sim_without_an_alias_has_its_name_or_sid() -> None:
    twilio, _ = carrier(sims={}, mo_destination="100")
    [mo] = twilio.hear(posted(SAID))
    assert mo[1:3] == (SIM, "100")
    [mo] = twilio.hear(posted(SAID | {"SimUniqueName": "Bob"}))
    assert mo[1] == "Bob"


def test_octets_from_a_sim_are_octets() -> None:
    fields = SAID | {"CommandMode": "binary", "Command": b64encode(UDH + b"\xde\xad").decode()}
    assert carrier()[0].hear(posted(fields)) == [Mo(SID, "819012345678", "2936", binary=UDH + b"\xde\xad")]
    [mo] = carrier(mo_header=True)[0].hear(posted(fields))
    assert mo == Mo(SID, "819012345678", "2936", binary=b"\xde\xad", header=UDH)


def test_a_header_that_is_longer_than_all_is_none() -> None:
    fields = SAID | {"CommandMode": "binary", "Command": b64encode(b"\xff\1\2").decode()}
    [mo] = carrier(mo_header=True)[0].hear(posted(fields))
    assert mo == Mo(SID, "819012345678", "2936", binary=b"\xff\1\2")
    assert carrier(mo_header=True)[0].hear(posted(fields | {"Command": ""}))[0] == mo._replace(binary=b"")


@pytest.mark.parametrize("fields", [{}, {"CommandSid": "x y"}, SAID | {"CommandMode": "binary", "Command": "?"}])
def test_what_cannot_be_read_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(HookRefused) as caught:
        carrier()[0].hear(posted(fields))
    assert caught.value.status == 400


names = st.sampled_from(["CommandSid", "CommandStatus", "Status", "Command", "CommandMode", "ErrorCode", "SimSid"])
junk = st.sampled_from(["DC1", "failed", "received", "binary", "=", "-1"]) | st.text(max_size=30)


@given(st.dictionaries(names | st.text(max_size=10), junk, max_size=8), st.booleans())
def test_junk_with_a_signature_is_read_or_refused(fields: dict[str, str], header: bool) -> None:
    with suppress(HookRefused):
        [one] = carrier(mo_header=header)[0].hear(posted(fields))
        assert one.id


@given(st.binary(min_size=1, max_size=140))
async def test_octets_out_are_the_octets_in(octets: bytes) -> None:
    twilio, scribe = carrier()
    await twilio.send(text("", binary=octets))
    [mo] = twilio.hear(posted(SAID | {"CommandMode": "binary", "Command": scribe.form["Command"]}))
    assert isinstance(mo, Mo)
    assert mo.binary == octets


# What is looked up.


async def test_a_look_up_tells_the_state_and_when() -> None:
    twilio, scribe = carrier(reply({"status": "delivered", "date_updated": "2015-07-30T20:00:00Z"}, 200))
    assert await twilio.poll(SID) == [Receipt(SID, MessageState.DELIVERED, b"000", done=1438286400.0)]
    assert scribe.asked == [("GET", f"/v1/Commands/{COMMAND}", "")]


@pytest.mark.parametrize("answer", [error(20404, 404), reply(b"", 500), reply(b"x", 200), reply({"status": 7}, 200)])
async def test_a_look_up_that_finds_nothing_is_a_bad_reply(answer: Reply) -> None:
    with pytest.raises(BadReply):
        await carrier(answer)[0].poll(SID)


# With the simulator.

ABROAD = {"sims": (SIM, "DE" + "b" * 32), "names": ("", METER)}


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_command_goes_out_and_its_receipt_comes_back(method: str) -> None:
    async with simulator(**ABROAD) as (twilio, client, hooks):
        mine = TwilioCommands(settings(webhook_url=hooks.url, callback_method=method), client)
        answer = await mine.send(text("SET APN=x", **TO_METER))
        await twilio.quiet()
        assert [hook.method for hook in hooks.heard] == [method]
        assert mine.hear(hooks.heard[0]) == [Receipt(answer.ids[0], MessageState.DELIVERED, b"000")]
        [polled] = await mine.poll(answer.ids[0])
        assert isinstance(polled, Receipt)
        assert polled.state is MessageState.DELIVERED


async def test_an_unknown_sim_and_a_failure_are_told() -> None:
    async with simulator(**ABROAD, undelivered=1.0) as (twilio, client, hooks):
        mine = TwilioCommands(settings(webhook_url=hooks.url), client)
        assert (await mine.send(text(destination="Nobody"))).code == "33107"
        answer = await mine.send(text("", binary=b"\1\2"))
        await twilio.quiet()
        assert mine.hear(hooks.heard[0]) == [Receipt(answer.ids[0], MessageState.UNDELIVERABLE, b"300")]


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("said", [{"text": "21 °C & rising"}, {"hex": "00ff"}])
async def test_what_a_sim_says_is_heard(said: dict[str, str], method: str) -> None:
    async with simulator(**ABROAD, commands_method=method) as (twilio, client, hooks):
        mine = TwilioCommands(settings(webhook_url=hooks.url), client)
        await client.request("POST", "/-/mo", json={"sim": METER, **said})
        await twilio.quiet()
        [mo] = mine.hear(hooks.heard[0])
        assert isinstance(mo, Mo)
        binary = bytes.fromhex(said["hex"]) if "hex" in said else None
        assert mo[1:5] == ("8190999", "2936", said.get("text", ""), binary)


async def test_operations_fetch_list_and_delete() -> None:
    async with simulator(**ABROAD, receipt_after=-1.0) as (_, client, _hooks):
        mine = TwilioCommands(settings(webhook_url=""), client)
        ids = [(await mine.send(text(str(n)))).ids[0].decode() for n in range(4)]
        meter = (await mine.send(text(**TO_METER))).ids[0].decode()
        do = mine.operations
        assert (await do["fetch"](meter))["command"] == "hello"
        assert [each["sid"] for each in await do["list"](limit="3")] == [meter, ids[3], ids[2]]
        assert [each["sid"] for each in await do["list"](sim="8190999", status="queued")] == [meter]
        assert await do["list"](direction="from_sim") == []
        assert len(await do["list"](direction="to_sim", transport="sms")) == 5
        assert await do["delete"](meter) == {}
        with pytest.raises(BadReply, match="http 404"):
            await do["fetch"](meter)
        found = await mine._account.entries("/v1/Commands?PageSize=3&Status=queued", 100)
        assert [each["command"] for each in found] == list("3210")
