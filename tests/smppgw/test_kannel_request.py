"""What a request asks is read as Kannel's smsbox reads it, and refused in its words."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.kannel.model import SendsmsUser
from smppgw.kannel.request import (
    Order,
    Posted,
    Refusal,
    Sender,
    authority,
    content_type,
    integer,
    order,
    posted,
    query,
    url_decode,
    without_tags,
)

USER = SendsmsUser(username="u", password="p", default_sender="1234")
SENDER = Sender(USER, lambda number: True)


def ordered(text: str, sender: Sender = SENDER) -> Order:
    found = order(query(text), sender)
    assert isinstance(found, Order)
    return found


def refused(text: str, sender: Sender = SENDER) -> bytes:
    found = order(query(text), sender)
    assert isinstance(found, Refusal)
    assert found.status == 400
    return found.text


def post(kind: str, body: bytes, headers: Mapping[str, str] = {}) -> Order:
    found = posted({"Content-Type": kind, "X-Kannel-To": "99", **headers}, body)
    assert isinstance(found, Posted)
    values = without_tags(found.values) if found.markup else found.values
    result = order(values, SENDER, found.receivers, post=True)
    assert isinstance(result, Order)
    return result


# The query


@given(st.dictionaries(st.text("abc-", min_size=1), st.binary(), max_size=5))
def test_what_is_url_encoded_comes_back(values: dict[str, bytes]) -> None:
    text = "&".join(f"{name}={quote(value)}" for name, value in values.items())
    assert {name: value for name, value in query(text).items() if name} == values


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("a+b", b"a b"),
        ("a%2Bb", b"a+b"),
        ("100%", b"100"),
        ("a%0", b"a"),
        ("%zz", b"%zz"),
        ("a%zzb%41", b"a%zzbA"),
        ("%E4", b"\xe4"),
        ("\udce4", b"\xe4"),
        ("", b""),
    ],
)
def test_a_broken_percent_is_what_kannel_makes_of_it(text: str, octets: bytes) -> None:
    assert url_decode(text) == octets


def test_of_a_repeated_parameter_the_first_counts_whose_name_may_be_encoded_too() -> None:
    assert query("te%78t=a&text=b&to&=c") == {"text": b"a", "to": b"", "": b"c"}


def test_name_and_password_have_old_spellings() -> None:
    assert authority(query("user=a&pass=b")) == (b"a", b"b")
    assert authority(query("user=a&username=c&password=d&pass=b")) == (b"c", b"d")
    assert authority({}) == (None, None)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (b"3", 3),
        (b" 3", 3),
        (b"+3x", 3),
        (b"-1", -1),
        (b"x", -1),
        (b"", -1),
        (b"99999999999", 1215752191),
        (b"4294967295", -1),
        (b"9" * 40, -1),
    ],
)
def test_numbers_are_read_as_c_reads_them(value: bytes, number: int) -> None:
    assert integer(value) == number


# Receivers and senders


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("text=a", b"Missing receiver number, rejected"),
        ("to=", b"Empty receiver number not allowed, rejected"),
        ("to=+", b"Number(s) has/have been denied by white- and/or black-lists."),
        ("to=12a", b"Number(s) has/have been denied by white- and/or black-lists."),
        ("to=1&udh=%05%00%03%01%02", b"UDH field misformed, rejected"),
        (f"to=1&udh=%8C{'x' * 140}", b"UDH field is too long, rejected"),
        ("to=1&account=a%5D", b"Account field misformed or too long, rejected"),
        (f"to=1&account={'a' * 65}", b"Account field misformed or too long, rejected"),
        ("to=1&dlr-url=http://", b"DLR-URL field misformed, rejected"),
        ("to=1&dlr-url=ftp://example", b"DLR-URL field misformed, rejected"),
        ("to=1&dlr-mask=67", b"DLR-Mask field misformed, rejected"),
        ("to=1&dlrmask=-2", b"DLR-Mask field misformed, rejected"),
        ("to=1&mclass=4", b"MClass field misformed, rejected"),
        ("to=1&pid=256", b"PID field misformed, rejected"),
        ("to=1&rpi=3", b"RPI field misformed, rejected"),
        ("to=1&alt-dcs=2", b"Alt-DCS field misformed, rejected"),
        ("to=1&mwi=8", b"MWI field misformed, rejected"),
        ("to=1&coding=3", b"Coding field misformed, rejected"),
        ("to=1&compress=2", b"Compress field misformed, rejected"),
        ("to=1&validity=-2", b"Validity field misformed, rejected"),
        ("to=1&deferred=-2", b"Deferred field misformed, rejected"),
        ("to=1&priority=4", b"Priority field misformed, rejected"),
        ("to=1&text=x&charset=nope", b"Charset or body misformed, rejected"),
        ("to=1&text=x&charset=punycode", b"Charset or body misformed, rejected"),
        ("to=1&text=x&charset=undefined", b"Charset or body misformed, rejected"),
        ("to=12a&pid=256&udh=x", b"UDH field misformed, rejected"),
        ("to=12a&pid=256", b"Number(s) has/have been denied by white- and/or black-lists."),
        ("to=1&pid=256&mclass=4", b"MClass field misformed, rejected"),
    ],
)
def test_the_first_fault_is_told_in_kannels_words(text: str, refusal: bytes) -> None:
    assert refused(text) == refusal


def test_every_receiver_is_let_or_denied_once() -> None:
    found = ordered("to=1+2%0A1+%2B3+4a+5&text=x", Sender(USER, lambda number: number != b"5"))
    assert found.receivers == (b"1", b"2", b"+3")
    assert found.denied == (b"4a", b"5")


def test_the_characters_of_numbers_are_the_configs() -> None:
    assert ordered("to=a1", Sender(USER, lambda number: True, chars="a1")).receivers == (b"a1",)
    assert refused("to=12", Sender(USER, lambda number: True, chars="a1"))


@pytest.mark.parametrize(
    ("user", "global_sender", "text", "source"),
    [
        (SendsmsUser(faked_sender="F", default_sender="D"), "G", "from=X", b"F"),
        (SendsmsUser(default_sender="D"), "G", "from=X", b"X"),
        (SendsmsUser(default_sender="D"), "G", "from=", b"D"),
        (SendsmsUser(), "G", "", b"G"),
    ],
)
def test_a_faked_sender_comes_before_the_given_one_and_that_before_defaults(
    user: SendsmsUser, global_sender: str, text: str, source: bytes
) -> None:
    assert ordered(f"to=1&{text}", Sender(user, lambda number: True, global_sender)).sender == source


def test_without_any_sender_the_request_is_refused() -> None:
    nobody = Sender(SendsmsUser(), lambda number: True)
    assert refused("to=1", nobody) == b"Sender missing and no global set, rejected"


@pytest.mark.parametrize(
    ("user", "text", "smsc"),
    [
        (SendsmsUser(forced_smsc="f", default_smsc="d", default_sender="1"), "smsc=x", "f"),
        (SendsmsUser(default_smsc="d", default_sender="1"), "smsc=x", "x"),
        (SendsmsUser(default_smsc="d", default_sender="1"), "smsc=", ""),
        (SendsmsUser(default_smsc="d", default_sender="1"), "", "d"),
        (SendsmsUser(default_sender="1"), "", None),
    ],
)
def test_a_forced_smsc_comes_before_the_given_one_and_that_before_the_default(
    user: SendsmsUser, text: str, smsc: str | None
) -> None:
    assert ordered(f"to=1&{text}", Sender(user, lambda number: True)).smsc == smsc


# Texts


@pytest.mark.parametrize(
    ("text", "said", "octets"),
    [
        ("text=%C3%A4", "ä", b""),
        ("text=%E4", "\ufffd", b""),
        ("text=%E4&charset=ISO-8859-1", "ä", b""),
        ("text=%80&charset=windows-1252", "€", b""),
        ("text=%D0%96&charset=UTF-8&coding=2", "", b"\x04\x16"),
        ("text=%04%16&coding=2", "", b"\x04\x16"),
        ("text=%F0%9F%98%80&charset=UTF-8&coding=2", "", b"\xd8\x3d\xde\x00"),
        ("text=%01%FF&coding=1&charset=UTF-8", "", b"\x01\xff"),
        ("text=&charset=nope", "", b""),
        ("text=a%FFb&charset=UTF-8", "a\ufffdb", b""),
        ("text=%80%81&charset=windows-1252", "€\ufffd", b""),
        ("charset=UTF-8", "", b""),
    ],
)
def test_a_text_is_in_its_charset_or_that_of_its_coding(text: str, said: str, octets: bytes) -> None:
    found = ordered(f"to=1&{text}")
    assert (found.text, found.octets) == (said, octets)


def test_a_header_makes_octets_of_a_text_unless_its_coding_is_given() -> None:
    assert ordered("to=1&udh=%01x&text=a").coding == 1
    assert ordered("to=1&udh=%01x&text=a&coding=0").coding == 0
    assert ordered("to=1&udh=&text=a").coding == 0
    assert ordered("to=1&text=a&coding=-1").coding == 0


def test_every_parameter_is_in_the_order() -> None:
    found = ordered(
        "to=1&from=2&text=t&udh=%01x&smsc=s&mclass=1&mwi=2&coding=1&compress=1&validity=3&deferred=4&dlr-mask=31"
        "&dlr-url=http://a/&pid=5&rpi=1&alt-dcs=1&account=ac&binfo=b&priority=2&meta-data=%3Fsmpp%3Fa%3Db"
    )
    assert found == Order(
        b"2", (b"1",), (), "", b"t", 1, b"\x01x", "s", b"ac", b"b", b"http://a/", 31, 1, 2, 5, 1, 1, 1, 3, 4, 2,
        b"?smpp?a=b",
    )  # fmt: skip


def test_dlr_parameters_have_old_spellings() -> None:
    found = ordered("to=1&dlrurl=HTTPS://a&dlrmask=3")
    assert (found.dlr_url, found.dlr_mask) == (b"HTTPS://a", 3)


# POST


@pytest.mark.parametrize(
    ("kind", "body", "said", "octets"),
    [
        ("text/plain", b" h\xe4 \n", " hä \n", b""),
        ("text/plain; charset=utf-8", b"\xc3\xa4", "ä", b""),
        ('TEXT/PLAIN; Charset="UTF-8"', b"\xc3\xa4", "ä", b""),
        ("application/octet-stream", b"\x01\xff", "", b"\x01\xff"),
        ("", b"\x01\xff", "", b"\x01\xff"),
        ("text/html", b"<p>h\xe4 &amp; <b>g</b>\n x</p>", "hä & g  x", b""),
        ("text/html; charset=utf-8", b"\xc3\xa4&euro;", "ä€", b""),
        ("text/html; charset=utf-8", b"\xe4&euro;", "\ufffd€", b""),
        ("text/vnd.wap.wml", b"<wml><p>a</p></wml>", "a", b""),
        ("application/x-www-form-urlencoded", b"to=99&text=a+b%C3%A4", "a bä", b""),
    ],
)
def test_a_body_is_the_text_by_its_type(kind: str, body: bytes, said: str, octets: bytes) -> None:
    found = post(kind, body)
    assert (found.text, found.octets, found.receivers) == (said, octets, (b"99",))


@pytest.mark.parametrize("charset", ["nope", "punycode", "idna", "undefined", "unicode_escape"])
@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_a_body_of_no_charset_is_refused(kind: str, charset: str) -> None:
    found = posted({"Content-Type": f"{kind}; charset={charset}", "X-Kannel-To": "1"}, b"a")
    assert isinstance(found, Posted)
    values = without_tags(found.values) if found.markup else found.values
    assert order(values, SENDER, post=True) == Refusal(400, b"Charset or body misformed, rejected")


def test_headers_say_the_rest_in_any_case() -> None:
    headers = {
        "x-kannel-from": " 12 ", "X-Kannel-SMSC": "s", "X-Kannel-UDH": "0178", "X-Kannel-Coding": "2",
        "X-Kannel-DLR-Mask": "3", "X-Kannel-DLR-URL": "http://a/", "X-Kannel-Meta-Data": "?smpp?a=b",
        "X-Kannel-BInfo": "b", "X-Kannel-MClass": "1", "From": "nobody", "X-Kannel-Text": "nothing",
    }  # fmt: skip
    found = post("text/plain; charset=utf-8", b"a", headers)
    assert (found.sender, found.smsc, found.udh, found.octets) == (b"12", "s", b"\x01x", b"\0a")
    assert (found.dlr_mask, found.dlr_url, found.binfo, found.mclass) == (3, b"http://a/", b"b", 1)


@pytest.mark.parametrize(("value", "udh"), [("050003010201", b"\5\0\3\1\2\1"), ("%01x", b"\1x"), ("%zz", b"")])
def test_a_header_with_a_udh_is_hex_or_url_encoded(value: str, udh: bytes) -> None:
    assert post("text/plain", b"a", {"X-Kannel-UDH": value}).udh == udh


def test_other_types_are_refused() -> None:
    assert posted({"Content-Type": "application/json"}, b"{}") == Refusal(400, b"Invalid content-type")


def test_a_post_without_receivers_hears_of_several() -> None:
    found = posted({"Content-Type": "text/plain"}, b"a")
    assert isinstance(found, Posted)
    assert order(found.values, SENDER, post=True) == Refusal(400, b"Missing receiver(s) number(s), rejected")


def xml(inner: str, encoding: str = "UTF-8") -> bytes:
    return f'<?xml version="1.0" encoding="{encoding}"?><message><submit>{inner}</submit></message>'.encode(encoding)


def documented(body: bytes) -> Any:
    found = posted({"Content-Type": "text/xml"}, body)
    assert isinstance(found, Posted)
    return found


def test_a_document_says_all_of_it() -> None:
    inner = (
        "<da><number>1</number></da><da><number> 2 </number></da><oa><number>3</number></oa><ud>h%41 ä</ud>"
        "<udh>0178</udh><to>s</to><pid>1</pid><rpi>1</rpi><dcs><mclass>1</mclass><mwi>2</mwi><coding>0</coding>"
        "<compress>1</compress><alt-dcs>1</alt-dcs></dcs><statusrequest><dlr-mask>3</dlr-mask>"
        "<dlr-url>http://x/</dlr-url></statusrequest><vp><delay>10</delay></vp><timing><delay>5</delay></timing>"
        "<priority>1</priority><meta-data>?smpp?a=b</meta-data>"
        "<from><user>u</user><pass>p</pass><account>ac</account><binfo>b</binfo></from>"
    )
    found = documented(xml(inner))
    assert authority(found.values) == (b"u", b"p")
    assert order(found.values, SENDER, found.receivers, post=True) == Order(
        b"3", (b"1", b"2"), (), "hA ä", b"", 0, b"\x01x", "s", b"ac", b"b", b"http://x/", 3, 1, 2, 1, 1, 1, 1, 10, 5, 1,
        b"?smpp?a=b",
    )  # fmt: skip


def test_a_document_is_in_the_charset_that_it_says() -> None:
    found = documented(xml("<da><number>1</number></da><ud>hä</ud>", "ISO-8859-1"))
    result = order(found.values, SENDER, found.receivers)
    assert isinstance(result, Order)
    assert result.text == "hä"


@pytest.mark.parametrize(
    "body", [b"", b"<broken", b"<other/>", b'<!DOCTYPE m [<!ENTITY a "b">]><message><submit/></message>']
)
def test_a_document_that_is_none_names_nobody(body: bytes) -> None:
    assert authority(documented(body).values) == (None, None)


def test_a_document_may_name_its_type() -> None:
    body = b'<!DOCTYPE message SYSTEM "kannel.dtd"><message><submit><from><user>u</user></from></submit></message>'
    assert authority(documented(body).values)[0] == b"u"


def test_a_number_of_a_document_that_is_none_is_out_of_range() -> None:
    found = documented(xml("<da><number>1</number></da><pid>x</pid>"))
    assert order(found.values, SENDER, found.receivers) == Refusal(400, b"PID field misformed, rejected")


def test_hex_digits_are_a_text() -> None:
    found = documented(xml("<da><number>1</number></da><ud>6162</ud>"))
    assert found.values["text"] == b"6162"


@given(st.binary(max_size=200), st.sampled_from(["text/plain", "text/html", "text/xml", "x", "text/plain;charset=x"]))
def test_no_body_breaks_it(body: bytes, kind: str) -> None:
    found = posted({"Content-Type": kind, "X-Kannel-To": "1"}, body)
    if isinstance(found, Posted):
        order(without_tags(found.values) if found.markup else found.values, SENDER, found.receivers, post=True)


@given(st.text(st.characters(codec="latin-1"), max_size=100))
def test_no_query_breaks_it(text: str) -> None:
    order(query("to=1&" + text), SENDER)


def test_the_charset_of_a_type_may_be_left_out() -> None:
    assert content_type("") == ("application/octet-stream", "")
    assert content_type("text/plain") == ("text/plain", "iso-8859-1")
    assert content_type("application/octet-stream") == ("application/octet-stream", "")
