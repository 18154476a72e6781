"""Charsets by the names that Kannel's files and iconv have for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.kannel import charsets
from smppgw.kannel.charsets import decode, encode


@pytest.mark.parametrize(
    ("charset", "octets"),
    [
        ("UTF-8", "é".encode()),
        ("iso-8859-1", b"\xe9"),
        (" ISO-8859-1 ", b"\xe9"),
        ("windows-1252", b"\xe9"),
        ("GSM", b"\x05"),
        ("gsm0338", b"\x05"),
        ("UTF-16BE", b"\x00\xe9"),
        ("UTF-16", b"\x00\xe9"),
        ("UCS-2", b"\xe9\x00"),
        ("UCS-2BE", b"\x00\xe9"),
        ("UTF-16LE", b"\xe9\x00"),
    ],
)
def test_a_charset_by_its_name(charset: str, octets: bytes) -> None:
    assert decode(octets, charset) == "é"
    assert encode("é", charset) == octets


@pytest.mark.parametrize(
    "charset",
    [
        *("nonsense", "", "base64", "rot13", "a\0b", "é", "-".join("8" * 1000) + "utf-8"),
        *("punycode", "PunyCode", "idna", "undefined", "unicode_escape", "raw-unicode-escape", "charmap", "mbcs"),
    ],
)
def test_what_is_no_charset(charset: str) -> None:
    for errors in ("strict", "replace"):
        with pytest.raises(LookupError):
            decode(b"x", charset, errors)
    with pytest.raises(LookupError):
        encode("x", charset)


@pytest.mark.parametrize("charset", ["ISO_8859-1:1987", "latin1", "us-ascii", "ANSI_X3.4-1968", "EUC-JP", "koi8-r"])
def test_a_charset_by_its_other_names(charset: str) -> None:
    assert decode(b"x", charset) == "x"


@given(st.binary(max_size=300), st.sampled_from(sorted(charsets._CHARSETS)))
def test_any_octets_are_a_text_where_what_is_none_is_replaced(octets: bytes, charset: str) -> None:
    decode(octets, charset, "replace")


def test_what_a_charset_lacks() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode("é", "ascii")
    with pytest.raises(UnicodeDecodeError):
        decode(b"\xe9", "ascii")
    assert decode(b"\xe9", "ascii", "replace") == "\ufffd"
    assert decode(b"a\xe9b", "gsm") == "ab"


def test_a_mark_of_order_is_no_text() -> None:
    assert decode("\ufeffé".encode("utf-16-be"), "UTF-16BE") == "é"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\ufeff")))
def test_every_text_comes_back(text: str) -> None:
    for charset in ("utf-8", "UTF-16BE", "UCS-2"):
        assert decode(encode(text, charset), charset) == text
