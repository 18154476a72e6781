"""What mobiles get of what applications answer: as smsbox 1.4.5 sends it, where that makes sense."""

from typing import Any

import pytest

from smppgw.kannel.caller import Reply
from smppgw.kannel.escapes import Sms
from smppgw.kannel.incoming import Mobile
from smppgw.kannel.lists import OPEN
from smppgw.kannel.model import Smsbox, SmsService
from smppgw.kannel.replies import failed, header_of, plain, reply
from smppgw.kannel.request import Order
from smppgw.kannel.services import Service, Services

MOBILE = Mobile(Sms(sender=b"447700900001", receiver=b"12345", text=b"get", smsc_id=b"one"))
NOT_FETCHED = "Could not fetch content, sorry."
NOT_AN_SMS = "Result could not be represented as an SMS message."
EMPTY = "<Empty reply from service provider>"


def service(**keys: Any) -> Service:
    found = Services([SmsService(keyword="get", get_url="http://a/", **keys)], lambda _: OPEN).find(Sms(text=b"get"))
    assert found is not None
    return found


def answered(body: bytes, kind: str | None = "text/plain", keys: dict[str, Any] | None = None, **headers: Any) -> Order:
    order = heard(body, kind, keys, **headers)
    assert order is not None
    return order


def heard(
    body: bytes, kind: str | None = "text/plain", keys: dict[str, Any] | None = None, **headers: str
) -> Order | None:
    lines = [] if kind is None else [(b"Content-Type", kind.encode())]
    lines += [(b"X-Kannel-" + name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return reply(service(**keys or {}), MOBILE, Reply(200, tuple(lines), body), Smsbox())


ACCEPTS = {"accept_x_kannel_headers": True}


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"  hi \n\n there \n", "text/plain", "  hi \n\n there \n"),
        ("café €".encode(), "text/plain; charset=utf-8", "café €"),
        (b"caf\xe9", "text/plain", "café"),
        (b"caf\xe9", 'text/plain; charset="ISO-8859-1"', "café"),
        (b"\0h\0i", "text/plain; charset=UTF-16BE", "hi"),
        (b"x", "text/plain; charset=nonsense", NOT_AN_SMS),
        (b"caf\xe9", "text/plain; charset=us-ascii", NOT_AN_SMS),
        (b"upper type", "TEXT/PLAIN", "upper type"),
        (b"{}", "application/json", NOT_AN_SMS),
        (b"<p>x</p>", "application/xhtml+xml", NOT_AN_SMS),
        (b"no type", "", NOT_AN_SMS),
        (b"octets", None, "octets"),
        ("octets é".encode(), "application/octet-stream", "octets é"),
        (b"", "text/plain", EMPTY),
        (b"   ", "text/plain", "   "),
        (b"<p></p>", "text/html", EMPTY),
        (b"<wml><card><p>Hi<br/>there</p></card></wml>", "text/vnd.wap.wml", "Hithere"),
        ("<p>café &eacute;</p>".encode(), "text/html; charset=utf-8", "café é"),
    ],
)
def test_a_reply_by_its_type(body: bytes, kind: str | None, text: str) -> None:
    assert answered(body, kind).text == text


@pytest.mark.parametrize("status", [201, 204, 302, 404, 500])
def test_any_status_but_200_and_202_is_no_answer(status: int) -> None:
    order = reply(service(), MOBILE, Reply(status, ((b"Content-Type", b"text/plain"),), b"x"), Smsbox())
    assert order is not None
    assert order.text == NOT_FETCHED
    accepted = reply(service(), MOBILE, Reply(202, ((b"Content-Type", b"text/plain"),), b"x"), Smsbox())
    assert accepted is not None
    assert accepted.text == "x"


def test_nobody_who_answers_is_no_answer_either() -> None:
    order = reply(service(), MOBILE, None, Smsbox(reply_couldnotfetch="Später"))
    assert order is not None
    assert order.text == "Später"


def test_a_reply_goes_back_by_the_way_that_the_message_came() -> None:
    order = answered(b"hi")
    assert (order.sender, order.receivers, order.smsc, order.coding) == (b"12345", (b"447700900001",), "one", 0)


def test_a_service_may_send_nothing() -> None:
    assert heard(b"hi", keys={"max_messages": 0}) is None
    assert heard(b"", keys={"omit_empty": True}) is None
    assert heard(b"<p></p>", "text/html", {"omit_empty": True}) is None


def test_a_page_is_cut_between_prefix_and_suffix() -> None:
    both = {"prefix": "<BODY>", "suffix": "</body>"}
    assert answered(b"<html>junk<body>kept &amp; <i>this</i></BODY>after", "text/html", both).text == "kept & this"
    assert answered(b"<html>junk<body>kept", "text/html", both).text == "junkkept"
    assert answered(b"<html>junk<body>kept</body>", "text/html", {"prefix": "<body>"}).text == "junkkept"


def test_alt_charset_is_for_what_has_no_charset_by_its_type() -> None:
    keys = {"alt_charset": "UTF-8"}
    assert answered("é".encode(), keys=keys).text == "Ã©"
    assert answered("é".encode(), "application/octet-stream", keys).text == "é"
    assert answered(b"\xe9", None, {"alt_charset": "ISO-8859-1"}).text == "é"


def test_the_reports_that_a_service_wants_of_its_replies() -> None:
    order = answered(b"hi", keys={"dlr_url": "http://a/dlr", "dlr_mask": 31})
    assert (order.dlr_url, order.dlr_mask) == (b"http://a/dlr", 31)
    text = plain(service(dlr_url="http://a/dlr", dlr_mask=3), MOBILE, "fixed", Smsbox())
    assert text is not None
    assert (text.text, text.dlr_url, text.dlr_mask) == ("fixed", b"http://a/dlr", 3)


def test_wishes_that_are_not_accepted_change_nothing() -> None:
    wishes: dict[str, Any] = {
        "From": "555",
        "To": "666",
        "Coding": "2",
        "MClass": "1",
        "DLR_Mask": "3",
        "UDH": "050003010201",
    }
    assert answered(b"hi", keys={}, **wishes) == answered(b"hi")


def test_wishes_that_are_accepted() -> None:
    order = answered(
        b"hi", keys=ACCEPTS, From=" 555 ", To="666", MClass="1", DLR_Mask="3", DLR_URL="http://b/", Validity="60",
        Deferred="1", Priority="1", PID="7", BInfo="B", SMSC="two", Account="acc", RPI="1", MWI="0", Alt_DCS="1",
        Compress="1", Meta_Data="?smpp?a=b", UDH="0605040b8423f0",
    )  # fmt: skip
    assert order == Order(
        b"555", (b"666",), (), "hi", b"", 0, bytes.fromhex("0605040b8423f0"), "two", b"acc", b"B", b"http://b/", 3,
        mclass=1, mwi=0, pid=7, rpi=1, alt_dcs=1, compress=1, validity=60, deferred=1, priority=1,
        meta_data=b"?smpp?a=b",
    )  # fmt: skip


def test_numbers_that_make_no_sense_are_not_wishes() -> None:
    assert answered(b"x", keys=ACCEPTS, Coding="abc", Priority="9", MClass="-1", MWI="8") == answered(b"x")


@pytest.mark.parametrize(
    ("body", "kind", "coding", "octets"),
    [
        (b"\x00\x01\xff", "application/octet-stream", "", b"\x00\x01\xff"),
        (b"caf\xc3\xa9", "text/plain", "1", b"caf\xc3\xa9"),
        ("при".encode(), "text/plain; charset=utf-8", "2", "при".encode("utf-16-be")),
        (b"\xe9", "text/plain", "2", b"\0\xe9"),
        (b"<b>\xe9</b>", "text/html", "2", b"\0\xe9"),
        (b"\x04\x3f", "application/octet-stream", "2", b"\x04\x3f"),
    ],
)
def test_octets_and_ucs2_go_as_they_are(body: bytes, kind: str, coding: str, octets: bytes) -> None:
    order = answered(body, kind, ACCEPTS, **({"Coding": coding} if coding else {}))
    assert (order.octets, order.coding) == (octets, int(coding or "1"))


def test_an_empty_reply_in_ucs2_is_told_in_ucs2() -> None:
    order = answered(b"", keys=ACCEPTS, Coding="2")
    assert order.octets == EMPTY.encode("utf-16-be")


DOCUMENT = '<?xml version="1.0" encoding="{}"?><message cid="1"><submit><oa><number>777</number></oa>' \
           "<da><number>888</number></da><ud>{}</ud>{}</submit></message>"  # fmt: skip


@pytest.mark.parametrize(("ud", "text"), [("hello+w%20x", "hello w x"), ("414243", "414243"), ("", EMPTY)])
def test_a_document_says_its_text_url_encoded(ud: str, text: str) -> None:
    order = answered(DOCUMENT.format("UTF-8", ud, "").encode(), "text/xml")
    assert (order.text, order.sender, order.receivers) == (text, b"12345", (b"447700900001",))


def test_a_document_may_have_wishes_too() -> None:
    more = ("<dcs><coding>1</coding><mclass>0</mclass></dcs><smsc>two</smsc><pid>5</pid><vp><delay>10</delay></vp>"
            "<statusrequest><dlr-mask>1</dlr-mask><dlr-url>http://b/</dlr-url></statusrequest>")  # fmt: skip
    order = answered(DOCUMENT.format("UTF-8", "a%00b", more).encode(), "text/xml", ACCEPTS)
    assert (order.sender, order.receivers, order.octets) == (b"777", (b"888",), b"a\0b")
    assert (order.coding, order.mclass, order.smsc, order.pid, order.validity) == (1, 0, "two", 5, 10)
    assert (order.dlr_mask, order.dlr_url) == (1, b"http://b/")


def test_a_document_that_is_none_is_no_sms() -> None:
    assert answered(b"<message>", "text/xml").text == NOT_AN_SMS
    assert answered(b"<!DOCTYPE x><message/>", "text/xml").text == NOT_AN_SMS


def test_what_no_service_takes_is_answered_with_regret() -> None:
    order = failed(MOBILE, Smsbox(reply_requestfailed="RF"))
    assert (order.text, order.sender, order.receivers) == ("RF", b"12345", (b"447700900001",))


@pytest.mark.parametrize(
    ("written", "octets"),
    [(b"050003010201", "050003010201"), (b"%05%00%03%01%02%01", "050003010201"), (b"zz", ""), (b"0600", ""), (b"", "")],
)
def test_a_header_is_hexadecimal_or_url_encoded(written: bytes, octets: str) -> None:
    assert header_of(written) == bytes.fromhex(octets)
