"""What all carriers read alike: HTTP statuses that their documents are silent about, and bodies of notifications."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.consts import Status
from smppgw.carriers.contract import HookRefused, Verdict, by_status
from tests.smppgw.hooked import hook, reply


@pytest.mark.parametrize(
    ("status", "verdict", "alarm"),
    [
        (200, Verdict.DOUBT, False),
        (301, Verdict.LATER, True),
        (308, Verdict.LATER, True),
        (400, Verdict.NEVER, False),
        (401, Verdict.LATER, True),
        (403, Verdict.LATER, True),
        (404, Verdict.NEVER, False),
        (407, Verdict.LATER, True),
        (429, Verdict.LATER, False),
        (499, Verdict.NEVER, False),
        (500, Verdict.DOUBT, False),
        (503, Verdict.DOUBT, False),
        (599, Verdict.DOUBT, False),
    ],
)
def test_a_status_alone_says_whether_it_may_have_been_accepted(status: int, verdict: Verdict, alarm: bool) -> None:
    answer = by_status(reply(status, b"why"))
    assert (answer.verdict, answer.alarm, answer.code) == (verdict, alarm, f"http {status}")
    assert answer.status != Status.ROK


def test_who_says_when_to_come_again_is_left_in_peace_so_long() -> None:
    assert by_status(reply(429)).wait == 1.0
    assert by_status(reply(429, Retry_After="7")).wait == 7.0
    unavailable = by_status(reply(503, Retry_After="120"))
    assert (unavailable.verdict, unavailable.wait, unavailable.status) == (Verdict.LATER, 120.0, Status.RTHROTTLED)


def test_a_form_keeps_blank_and_repeated_fields() -> None:
    kind = {"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=utf-8"}
    assert hook(body=b"a=&b=%E3%81%82&b=2", headers=kind).form == [("a", ""), ("b", "あ"), ("b", "2")]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"a=1", "", 415),
        (b"a=1", "application/json", 415),
        (b"a=1", "\udcff", 415),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"a=\xff", "application/x-www-form-urlencoded", 400),
        (b"&".join([b"a=1"] * 1001), "application/x-www-form-urlencoded", 400),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, kind: str, status: int) -> None:
    with pytest.raises(HookRefused) as caught:
        _ = hook(body=body, headers={"Content-Type": kind} if kind else None).form
    assert caught.value.status == status
    assert caught.value.reason.encode()


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"1" * 5000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(HookRefused) as caught:
        _ = hook(body=body).json
    assert caught.value.status == 400


@given(st.binary(max_size=60))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    for kind in ("application/x-www-form-urlencoded", "application/json"):
        made = hook(body=body, headers={"Content-Type": kind})
        with suppress(HookRefused):
            assert isinstance(made.form, list)
        with suppress(HookRefused):
            _ = made.json
