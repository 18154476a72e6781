"""An smsc = http is asked as bearerbox asks, and hears what its partner says; what is expected was read from 1.4.5."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.consts import DataCoding, EsmClass, MessageState, Ton
from protocol.pdus import SubmitSm, encode_submit
from protocol.receipt import Quoted
from smppgw.carriers.client import Reply
from smppgw.carriers.contract import Answer, Text, Verdict
from smppgw.http.memo import Memo as ApiMemo
from smppgw.kannel.http_smsc import HttpSmsc, Refused, Told, incoming, kannel_url, problem, settings
from smppgw.kannel.memo import Memo
from smppgw.kannel.model import Smsc
from smppgw.ports import free_port
from tests.smppgw.boxed import ask, boxed
from tests.smppgw.jumping import jumping, until
from tests.smppgw.talking import talking

MID = b"00000000-0000-0000-0000-0000000000ff"
MEMO = Memo(31, b"http://app/dlr?t=%d&a=%A", b"svc", b"+100", b"+44123", coding=0)
HELLO = Text("ff", "+100", "+44123", "h\xe9llo w&x", memo=MEMO.pack())
BASE = "username=user&password=pass"


def smsc(**more: Any) -> Smsc:
    base: dict[str, Any] = {
        "smsc": "http", "smsc_id": "K", "system_type": "kannel", "port": 1, "send_url": "http://there/k",
        "smsc_username": "user", "smsc_password": "pass",
    }  # fmt: skip
    return Smsc(**{**base, **more})


def generic(**more: Any) -> Smsc:
    base: dict[str, Any] = {
        "system_type": "generic", "send_url": "http://there/g?to=%p&from=%P&text=%b&c=%c&u=%n&d=%d",
        "status_success_regex": "OK", "status_permfail_regex": "nope", "status_tempfail_regex": "later",
        "generic_foreign_id_regex": "id=(.+) done",
    }  # fmt: skip
    return smsc(**{**base, **more})


class Partner:
    """Answers one request."""

    def __init__(self, status: int, body: bytes) -> None:
        self.reply = Reply(status, {}, body)
        self.urls: list[str] = []

    async def request(self, method: str, url: str, **_: Any) -> Reply:
        assert method == "GET"
        self.urls.append(url)
        return self.reply


def answered(smsc: Smsc, status: int, body: bytes, text: Text = HELLO) -> tuple[Answer, str]:
    partner = Partner(status, body)
    answer = asyncio.run(HttpSmsc(settings("K", smsc), partner).send(text))
    return answer, partner.urls[0]


def test_another_kannel_is_asked_as_by_bearerbox() -> None:
    assert kannel_url(HELLO, smsc(), MID) == (
        b"http://there/k?username=user&password=pass&to=%2B44123&text=h%C3%A9llo+w%26x&from=%2B100&coding=0"
        b"&charset=UTF-8&smsc=K&dlr-url=http%3A%2F%2Fapp%2Fdlr%3Ft%3D%25d%26a%3D%25A&dlr-mask=31"
    )


def test_a_message_that_came_by_another_way_goes_as_one_without_a_memo() -> None:
    plain, other = (replace(HELLO, memo=memo) for memo in (b"", ApiMemo("shop", "http://a/").pack()))
    assert kannel_url(other, smsc(), MID) == kannel_url(plain, smsc(), MID)


def test_who_says_where_he_is_gets_the_receipts_himself() -> None:
    url = kannel_url(HELLO, smsc(dlr_url="http://us:1/"), MID)
    back = quote_plus(f"http://us:1/?dlr-url={MEMO.url.decode()}&dlr-mask=%d&dlr-mid={MID.decode()}").encode()
    assert b"&dlr-url=" + back + b"&dlr-mask=31" in url


def test_ucs2_and_octets_are_said_to_be_such() -> None:
    assert b"&text=O%60&from=%2B100&coding=2&charset=UTF-16BE&" in kannel_url(
        Text("ff", "+100", "+1", "\u4f60", memo=MEMO.pack()), smsc(), MID
    )
    binary = Text("ff", "+100", "+1", "", b"ab", b"\x02\x7f\x00", memo=MEMO.pack())
    assert b"&text=ab&udh=%02%7F%00&from=%2B100&coding=1&smsc=" in kannel_url(binary, smsc(), MID)
    assert b"&text=6162&udh=027f00&from=" in kannel_url(binary, smsc(no_sep=True), MID)


def test_what_is_not_to_be_said_is_not() -> None:
    url = kannel_url(HELLO, smsc(no_sender=True, no_coding=True), MID)
    assert b"from=" not in url
    assert b"coding=" not in url


def test_more_that_the_application_said_goes_on() -> None:
    memo = MEMO._replace(mask=0, account=b"ac", binfo=b"bi", mclass=1, mwi=1)
    url = kannel_url(Text("ff", "+100", "+44123", "x", memo=memo.pack()), smsc(), MID)
    assert b"&mclass=1&coding=0&charset=UTF-8&mwi=1&account=svc%3Aac&binfo=bi&smsc=K&dlr-url=" in url
    assert b"dlr-mask" not in url


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (202, b"0: Accepted for delivery", Verdict.SENT),
        (202, b"3: Queued for later delivery", Verdict.SENT),
        (202, b"Sent.", Verdict.SENT),
        (200, b"Ok.", Verdict.SENT),
        (202, b"Authorization failed for sendsms", Verdict.NEVER),
        (403, b"Not routable. Do not try again.", Verdict.NEVER),
        (503, b"Temporal failure, try again later.", Verdict.LATER),
        (500, b"", Verdict.DOUBT),
    ],
)
def test_the_reply_of_another_kannel_says_what_became_of_it(status: int, body: bytes, verdict: Verdict) -> None:
    answer, _ = answered(smsc(), status, body)
    assert answer.verdict is verdict
    assert answer.ids == ((MID,) if verdict is Verdict.SENT else ())


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b"OK id=abc done", Verdict.SENT),
        (200, b"nope", Verdict.NEVER),
        (200, b"later", Verdict.LATER),
        (200, b"something else", Verdict.NEVER),
        (404, b"OK", Verdict.NEVER),
    ],
)
def test_a_reply_means_what_the_expressions_say(status: int, body: bytes, verdict: Verdict) -> None:
    answer, url = answered(generic(), status, body)
    assert answer.verdict is verdict
    assert answer.ids == ((b"abc",) if verdict is Verdict.SENT else ())
    assert url == "http://there/g?to=%2B44123&from=%2B100&text=h%C3%A9llo+w%26x&c=0&u=svc&d=31"


def test_a_message_from_a_mobile_becomes_a_deliver_sm() -> None:
    told = incoming(f"{BASE}&from=%2B44999&to=100&text=hello%20there&binfo=bi", smsc())
    assert isinstance(told, Told)
    assert (told.status, told.body) == (202, b"Sent.")
    assert told.what == SubmitSm(
        b"bi", Ton.INTERNATIONAL, 1, b"44999", Ton.UNKNOWN, 1, b"100", short_message=b"hello there"
    )


def test_its_charset_coding_class_and_header_count() -> None:
    def what(more: str) -> SubmitSm:
        told = incoming(f"{BASE}&from=1&to=2&{more}", smsc())
        assert isinstance(told, Told)
        assert isinstance(told.what, SubmitSm)
        return told.what

    ucs2 = what("text=%00h&coding=2&charset=UTF-16BE&udh=%02%7F%00&mclass=1")
    assert (ucs2.short_message, ucs2.data_coding, ucs2.esm_class) == (b"\x02\x7f\x00\x00h", 0x19, EsmClass.UDHI)
    assert what("text=%E9&charset=ISO-8859-1").short_message == b"\x05"
    assert what("text=%E4%BD%A0").data_coding == DataCoding.UCS2
    assert what("text=%FF&coding=1").data_coding == DataCoding.OCTETS
    assert len(what(f"text={'a' * 300}").tlvs) == 304


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("username=user&password=bad&from=1&to=2&text=x", b"Authorization failed for sendsms"),
        ("from=1&to=2&text=x", b"Authorization failed for sendsms"),
        (f"{BASE}&from=1&text=x", b"Insufficient args, rejected"),
        (f"{BASE}&from=1&to=2&text=%FF", b"Charset or body misformed, rejected"),
        (f"{BASE}&from={'1' * 21}&to=2&text=x", b"Charset or body misformed, rejected"),
        (f"{BASE}&from=1&to=2&text=x&binfo=%00", b"Charset or body misformed, rejected"),
        (f"{BASE}&from=1&to=2&text={'x' * 65536}", b"Charset or body misformed, rejected"),
        (f"{BASE}&from=1&to=2&text=x&charset=punycode", b"Charset or body misformed, rejected"),
    ],
)
def test_who_says_it_wrong_is_told_so(query: str, body: bytes) -> None:
    assert incoming(query, smsc()) == Refused(202, body)
    assert incoming(query, generic(generic_status_error=404)) == Refused(404, body)


def test_a_receipt_names_the_message_and_the_type() -> None:
    told = incoming(f"{BASE}&dlr-mid=abc&dlr-mask=2&text=failed", generic(generic_message_sent="GOT IT"))
    assert isinstance(told, Told)
    assert isinstance(told.what, Quoted)
    assert (told.body, told.what.id, told.what.state, told.what.words) == (
        b"GOT IT", b"abc", MessageState.UNDELIVERABLE, b"failed",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mask", "state"),
    [("1", MessageState.DELIVERED), ("16x", MessageState.REJECTED), ("x", None), ("", None), ("1" * 5000, None)],
)
def test_a_type_of_receipt_is_what_atoi_reads(mask: str, state: MessageState | None) -> None:
    told = incoming(f"{BASE}&dlr-mid=abc&dlr-mask={mask}", smsc())
    assert isinstance(told, Told)
    assert isinstance(told.what, Quoted)
    assert told.what.state == state


@pytest.mark.parametrize("mclass", ["9", "-1", "", "x", "1" * 5000])
def test_a_class_that_is_none_counts_for_nothing(mclass: str) -> None:
    told = incoming(f"{BASE}&from=1&to=2&text=x&mclass={mclass}", smsc())
    assert isinstance(told, Told)
    assert isinstance(told.what, SubmitSm)
    assert told.what.data_coding == 0


@given(st.text(st.characters(codec="latin-1"), max_size=100))
def test_no_request_to_its_port_breaks_it(text: str) -> None:
    told = incoming(f"{BASE}&from=1&to=2&text=x&{text}", smsc())
    if isinstance(told, Told) and isinstance(told.what, SubmitSm):
        encode_submit(told.what)


def test_parameters_may_have_other_names() -> None:
    told = incoming(f"{BASE}&phone=7&to=2&text=x", generic(generic_param_from="phone"))
    assert isinstance(told, Told)
    assert isinstance(told.what, SubmitSm)
    assert told.what.source_addr == b"7"


@pytest.mark.parametrize(
    ("group", "wrong"),
    [
        (smsc(system_type="brunet"), "system-type 'brunet' is not spoken here"),
        (smsc(send_url="http://smsc:99999/send?pass=secret"), "send-url: no such host or port"),
        (smsc(port=None), "port is missing in this group"),
        (smsc(smsc_password=None), "smsc-username or smsc-password is missing in this group"),
        (generic(status_success_regex=None), "status-success-regex is missing in this group"),
        (generic(generic_foreign_id_regex="id"), "generic-foreign-id-regex has no group"),
    ],
)
def test_a_group_that_bearerbox_would_not_start_with_is_a_problem(group: Smsc, wrong: str) -> None:
    found = problem(group)
    assert found is not None
    assert found[0] == wrong
    assert problem(smsc()) is None
    assert problem(generic()) is None


GROUP = """
group = smsc
smsc = http
smsc-id = H
system-type = kannel
port = {port}
send-url = "http://127.0.0.1:{there}/k"
smsc-username = user
smsc-password = pass
dlr-url = "http://127.0.0.1:{port}/"
"""


@jumping
async def test_a_message_goes_by_http_and_its_receipt_comes_back(tmp_path: Path) -> None:
    asked: list[str] = []

    async def partner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split()[1])
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\nConnection: close\r\n\r\nSent.")

    port = free_port()
    async with talking(partner) as there, boxed(tmp_path, GROUP.format(port=port, there=there)) as box:
        url = f"http://127.0.0.1:{there}/told?%d"
        assert await box.send("447911", **{"dlr-mask": "1", "dlr-url": url}) == (202, "0: Accepted for delivery")
        await until(lambda: len(box.app.pipeline.ledger) == 1)
        mid = asked[0].partition("dlr-mid%3D")[2].partition("&")[0]
        query = {"username": "user", "password": "pass", "dlr-mid": mid, "dlr-mask": "1"}
        assert await ask(port, "/", **query) == (202, "Sent.")
        await until(lambda: "/told?1" in asked)
        assert "HTTP:kannel" in await box.command("/status")
        await box.command("/stop-smsc", smsc="H")
        await until(lambda: not box.face._smsc_ports)
