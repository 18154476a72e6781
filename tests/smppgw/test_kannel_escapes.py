"""Kannel's escape codes: every code, in every place that knows them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.kannel.escapes import UNDEFINED, Sms, dcs, fill

NOW = 1_700_000_000.0
SMS = Sms(
    sender=b"0041791234567",
    receiver=b"+1234",
    text="Kéy a*b c&d  e".encode(),
    udh=b"\x05\x00\x03\xaa\x02\x01",
    time=1_700_000_000,
    id=b"0d1e2f30-0000-4000-8000-000000000001",
    smsc_id=b"up one",
    foreign_id=b"ab/12",
    service=b"tester",
    account=b"acc",
    binfo=b"bill",
    boxc_id=b"box",
    meta_data=b"?smpp?dlr_err=%03%00%0B&my_param=x%20y&?other?a=1",
    dlr_url=b"http://h/?a=%d",
    dlr_mask=31,
    coding=0,
    mclass=UNDEFINED,
    validity=1_700_000_000 + 600,
)

CODES = {
    b"%a": b"K%C3%A9y+a*b+c%26d+e",
    b"%A": b"K%C3%A9y+a*b+c%26d++e",
    b"%b": b"K%C3%A9y+a*b+c%26d++e",
    b"%e": b"4BC3A97920612A6220632664202065",
    b"%k": b"K%C3%A9y",
    b"%s": b"a*b",
    b"%s %s %s %s": b"a*b c%26d e ",
    b"%S": b"a~b",
    b"%s-%r": b"a*b-c%26d+e",
    b"%r": b"a*b+c%26d+e",
    b"%t": b"2023-11-14+22:13:20",
    b"%T": b"1700000000",
    b"%p %P": b"0041791234567 %2B1234",
    b"%q %Q": b"%2B41791234567 %2B1234",
    b"%i": b"up+one",
    b"%I": b"0d1e2f30-0000-4000-8000-000000000001",
    b"%d": b"31",
    b"%R": b"http%3A%2F%2Fh%2F%3Fa%3D%25d",
    b"%D": b"%3Fsmpp%3Fdlr_err%3D%2503%2500%250B%26my_param%3Dx%2520y%26%3Fother%3Fa%3D1",
    b"%F": b"ab%2F12",
    b"%n": b"tester",
    b"%c %m %M": b"0 -1 -1",
    b"%C": b"UTF-8",
    b"%u": b"%05%00%03%AA%02%01",
    b"%B %o": b"bill acc",
    b"%O": b"00",
    b"%f": b"",
    b"%v": b"10",
    b"%V": b"",
    b"%#smpp#my_param#": b"x+y",
    b"%#other#a#": b"1",
    b"%#other#b#": b"",
    b"100%% %z%": b"100% %z%",
    b"%U%x%X%y%w%j%l%L%N%G%H%E%h%K%J%g": b"%U%x%X%y%w%j%l%L%N%G%H%E%h%K%J%g",
    b"a%#b": b"ab",
}


@pytest.mark.parametrize("pattern", CODES)
def test_every_code_stands_for_what_kannel_puts_there(pattern: bytes) -> None:
    assert fill(pattern, SMS, NOW) == CODES[pattern]


def test_what_is_filled_in_is_not_filled_in_again() -> None:
    assert fill(b"%k", Sms(text=b"%p"), NOW) == b"%25p"


def test_a_coding_implies_a_charset() -> None:
    codings = {UNDEFINED: b"UTF-8", 0: b"UTF-8", 1: b"8-BIT", 2: b"UTF-16BE"}
    assert {coding: fill(b"%C", Sms(coding=coding), NOW) for coding in codings} == codings
    assert fill(b"%C", Sms(coding=0, charset=b"windows-1252"), NOW) == b"windows-1252"


def test_fields_become_a_data_coding_scheme() -> None:
    assert dcs(Sms()) == 0
    assert dcs(Sms(udh=b"\1\1", coding=UNDEFINED)) == 4
    assert dcs(Sms(coding=2, mclass=0)) == 0x18
    assert dcs(Sms(coding=1, alt_dcs=1, mclass=2)) == 0xF6
    assert dcs(Sms(coding=0, alt_dcs=1)) == 0xF1
    assert dcs(Sms(mwi=1, coding=0, text=b"x")) == 0xD9
    assert dcs(Sms(mwi=1, coding=2, text=b"x")) == 0xE9
    assert dcs(Sms(mwi=0)) == 0xC8
    assert dcs(Sms(mwi=5)) == 0xC1


@given(st.binary(), st.binary())
def test_no_pattern_crashes(pattern: bytes, text: bytes) -> None:
    fill(pattern, Sms(text=text, meta_data=text), NOW)


@given(st.binary().filter(lambda octets: b"%" not in octets))
def test_what_has_no_codes_stays(pattern: bytes) -> None:
    assert fill(pattern, SMS, NOW) == pattern
