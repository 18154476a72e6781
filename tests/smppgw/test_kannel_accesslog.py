"""Kannel's access-log: its lines, byte for byte, and what happens when they cannot be written."""

import asyncio
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from smppgw.kannel.accesslog import DEFAULT, RECEIVED, RECEIVED_DLR, SENT, Format, KannelLog
from smppgw.kannel.escapes import Sms
from smppgw.kannel.model import Core
from tests.kit import PATIENCE

NOW = 1_795_451_759.5
MT = Sms(
    sender=b"1234",
    receiver=b"41791234567",
    text="hé *ll?o \nthere".encode(),
    time=1_795_451_883,
    id=b"6eda9edd-a178-4c3f-89fe-ac89bcb64d57",
    smsc_id=b"up",
    foreign_id=b"id1",
    service=b"tester",
    account=b"ac",
    binfo=b"bi",
    boxc_id=b"mybox",
    meta_data=b"?smpp_resp?",
    dlr_url=b"http://h/dlr?d=%d",
    dlr_mask=31,
    coding=0,
    mclass=2,
)


def test_the_default_line_is_kannels() -> None:
    assert Format(DEFAULT).fill(SENT, MT) == (
        b"Sent SMS [SMSC:up] [SVC:tester] [ACT:ac] [BINF:bi] [FID:id1] [META:?smpp_resp?] [from:1234] [to:41791234567] "
        b"[flags:2:0:-1:-1:31] [msg:16:h.. *ll?o .there] [udh:0:]"
    )


def test_octets_are_written_as_hex() -> None:
    sms = Sms(text="hé".encode("utf-16-be"), udh=b"\3\1\1\1", coding=2)
    assert Format(b"%L %b %U %u").fill(SENT, sms) == b"4 006800E9 4 03010101"


def test_every_code_stands_for_what_kannel_puts_there() -> None:
    """As bearerbox 1.4.5 wrote it, each code tried."""
    codes = b"aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwWxXyYzZ%"
    pattern = b"|".join(b"%c=%%%c" % (code, code) for code in codes) + b"|m=%#smpp#dlr_err#|%"
    assert Format(pattern).fill(SENT, MT) == (
        b"a=h.. *ll?o .there|A=ac|b=h.. *ll?o .there|B=bi|c=0|C=-1|d=31|D=?smpp_resp?|e=%e|E=%E|f=%f|F=id1|g=%g|G=%G|"
        b"h=%h|H=%H|i=up|I=6eda9edd-a178-4c3f-89fe-ac89bcb64d57|j=%j|J=%J|k=h..|K=%K|l=Sent SMS|L=16|m=2|M=-1|n=tester|"
        b"N=|o=%o|O=%O|p=1234|P=41791234567|q=%q|Q=%Q|r=*ll?o+.there|R=http://h/dlr?d=%d|s=*ll?o|S=.there|"
        b"t=2026-11-23 16:38:03|T=1795451883|u=|U=0|v=%v|V=%V|w=%w|W=%W|x=mybox|X=%X|y=%y|Y=%Y|z=%z|Z=%Z|%=%|"
        b"m=%#smpp#dlr_err#|%"
    )
    assert Format(b"%N").fill(RECEIVED_DLR, Sms(text=b"ACK/")) == b"ACK/"


def test_no_field_ends_the_line() -> None:
    forged = b"1\r\n2026-11-23 16:38:03 Sent SMS\0\x1b[2J\x7f\xe9"
    sms = Sms(
        sender=forged, receiver=forged, smsc_id=forged, foreign_id=forged, service=forged, account=forged, binfo=forged,
        boxc_id=forged, meta_data=forged, dlr_url=forged, id=forged,
    )  # fmt: skip
    told = b"1..2026-11-23 16:38:03 Sent SMS..[2J.\xe9"
    assert Format(b"%p\t%P|%i|%F|%n|%A|%B|%x|%D|%R|%I").fill(SENT, sms) == told + b"\t" + b"|".join([told] * 10)


@given(st.binary(), st.binary())
def test_no_format_crashes(pattern: bytes, text: bytes) -> None:
    Format(pattern).fill(RECEIVED, Sms(text=text))


async def written(core: Core) -> None:
    log = KannelLog(core, asyncio.get_running_loop(), lambda: NOW)
    log.write(RECEIVED, Sms(sender=b"41", receiver=b"12", text=b"hi", coding=0))
    log.close()


async def test_lines_have_the_time_unless_they_are_to_be_clean(tmp_path: Path) -> None:
    core = Core(access_log=str(tmp_path / "access.log"), access_log_time="gmt", access_log_format="%l %p %b")
    await written(core)
    assert (tmp_path / "access.log").read_text() == (
        "2026-11-23 16:35:59 Log begins\n2026-11-23 16:35:59 Receive SMS 41 hi\n2026-11-23 16:35:59 Log ends\n"
    )
    clean = replace(core, access_log=str(tmp_path / "clean.log"), access_log_clean=True)
    await written(clean)
    assert (tmp_path / "clean.log").read_text() == "Receive SMS 41 hi\n"


async def test_a_file_that_was_moved_away_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    core = Core(access_log=str(path), access_log_clean=True, access_log_format="%b")
    log = KannelLog(core, asyncio.get_running_loop(), lambda: NOW)
    log.write(RECEIVED, Sms(text=b"one"))
    log.flush()
    async with asyncio.timeout(PATIENCE):
        while not path.exists() or not path.read_text():  # noqa: ASYNC110  a thread does it
            await asyncio.sleep(0.005)
    path.rename(tmp_path / "old.log")
    log.reopen()
    log.write(RECEIVED, Sms(text=b"two"))
    log.close()
    assert ((tmp_path / "old.log").read_text(), path.read_text()) == ("one\n", "two\n")


async def test_without_an_access_log_nothing_is_written() -> None:
    log = KannelLog(Core(), asyncio.get_running_loop())
    log.write(RECEIVED, Sms())
    log.close()
    assert not log.lost
