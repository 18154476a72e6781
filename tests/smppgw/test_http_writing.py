"""An order as a submit_sm, and what a text costs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import pdus, text, times, tlv, udh
from protocol.consts import EsmClass, Tag
from protocol.pdus import SubmitSm
from smppgw.http.orders import Content, Order
from smppgw.http.problems import Problem
from smppgw.http.writing import octets_of, preview, submit_of

NOW = 1_800_000_000.0
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=400)


def submit(encoding: str = "gsm0338", **fields: Any) -> SubmitSm:
    given = {} if {"hex", "base64"} & fields.keys() else {"text": "Hello"}
    order = Order.model_validate({"to": "+447700900001", **given, **fields})
    return submit_of(order, encoding, NOW)


def wrong(**fields: Any) -> tuple[str, str]:
    with pytest.raises(Problem) as raised:
        submit(**fields)
    (error,) = raised.value.details.errors
    assert raised.value.status == 422
    return error.field, error.wrong


def words_of(pdu: SubmitSm) -> str:
    octets = pdu.short_message or tlv.parse(pdu.tlvs)[Tag.MESSAGE_PAYLOAD]
    return text.decode(octets, pdu.data_coding)


@given(WORDS)
def test_any_text_arrives_as_it_was_given(words: str) -> None:
    pdu = submit(text=words)
    assert words_of(pdus.decode_submit(pdus.encode_submit(pdu))) == words


@given(WORDS)
def test_a_preview_counts_the_parts_that_are_sent(words: str) -> None:
    said = preview(Content(text=words), "gsm0338")
    pdu = submit(text=words)
    octets = pdu.short_message or tlv.parse(pdu.tlvs)[Tag.MESSAGE_PAYLOAD]
    parts = udh.segments(octets, pdu.data_coding)
    assert (said.parts, said.data_coding, said.octets) == (len(parts), pdu.data_coding, len(octets))
    assert 0 <= said.left <= said.per_part
    assert bool(said.forces_ucs2) is (said.data_coding == 8)
    assert said.plain_parts is None or said.plain_parts >= 1


def test_a_preview_names_what_makes_a_text_dear() -> None:
    said = preview(Content(text="Price: 5 \u20ac \u2013 today\u2026\u2026"), "gsm0338")
    assert (said.coding, said.forces_ucs2) == ("ucs2", ["\u2013", "\u2026"])
    assert said.plain == "Price: 5 \u20ac - today......"
    plain = preview(Content(text="x" * 161), "gsm0338")
    assert (plain.coding, plain.parts, plain.per_part, plain.left) == ("gsm", 2, 153, 145)
    emoji = preview(Content(text="\U0001f600" * 36), "gsm0338")
    assert (emoji.parts, emoji.per_part, emoji.characters) == (2, 67, 36)


def test_the_alphabet_of_the_account_decides_what_is_plain() -> None:
    assert preview(Content(text="\u00e7"), "latin1").coding == "gsm"
    assert submit("latin1", text="\u00e7").short_message == b"\xe7"
    assert submit("gsm0338", text="\u00e7").data_coding == 8


def test_a_long_text_stays_one_message() -> None:
    short, long = submit(text="x" * 160), submit(text="x" * 161)
    assert (len(short.short_message), short.tlvs) == (160, b"")
    assert (long.short_message, tlv.parse(long.tlvs)) == (b"", {Tag.MESSAGE_PAYLOAD: b"x" * 161})


def test_numbers_and_names_get_their_kind() -> None:
    pdu = submit(**{"from": "SHOP"})
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (5, 0, b"SHOP")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (1, 1, b"447700900001")
    assert submit(to="09012345678").dest_addr_ton == 0
    assert (submit(**{"from": "12345"}).source_addr_ton, submit(**{"from": "+4477"}).source_addr_ton) == (3, 1)
    assert (submit().source_addr, submit().source_addr_ton) == (b"", 0)


def test_octets_go_out_as_they_are() -> None:
    pdu = submit(base64="AP8=", udh="050415810000")
    assert (pdu.short_message, pdu.data_coding, pdu.esm_class) == (bytes.fromhex("05041581000000ff"), 4, EsmClass.UDHI)
    assert (submit(hex="00ff").short_message, submit(hex="00", data_coding=245).data_coding) == (b"\0\xff", 245)


def test_times_are_absolute() -> None:
    pdu = submit(schedule="2027-01-15T09:00:00+01:00", validity=86400)
    assert times.parse(pdu.schedule_delivery_time, NOW) == 1_800_000_000.0 - 1_800_000_000 % 86400 + 8 * 3600
    assert times.parse(pdu.validity_period, NOW) == NOW + 86400


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"hex": "00", "text": "x"}, "hex"), ({"text": None}, "text"), ({"udh": "00"}, "udh"),
        ({"hex": "00", "udh": "0500"}, "udh"), ({"hex": "00", "coding": "ucs2"}, "coding"),
        ({"base64": "AP8=="}, "base64"),
        ({"base64": "\u00e9\u00e9\u00e9\u00e9"}, "base64"), ({"coding": "gsm", "text": "\u3042"}, "coding"),
        ({"data_coding": 4}, "data_coding"), ({"data_coding": 8, "coding": "ucs2"}, "data_coding"),
        ({"text": "\u3042" * 20_000}, "text"), ({"hex": "00" * 65535}, "hex"),
        ({"hex": "00" * 300, "udh": "050003070201"}, "hex"), ({"hex": "00" * 135, "udh": "050003070201"}, "hex"),
        ({"schedule": "2020-01-01T00:00:00Z"}, "schedule"), ({"schedule": "2199-01-01T00:00:00Z"}, "schedule"),
        ({"schedule": "2027-02-15T08:00:00Z", "validity": 60}, "validity"),
        ({"tlvs": {"0x1400": "a", "5120": "b"}}, "tlvs"), ({"tlvs": {"0x0204": "too long"}}, "tlvs"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_by_its_name(fields: dict[str, Any], field: str) -> None:
    assert wrong(**fields)[0] == field


def test_a_part_that_fits_a_short_message_goes_as_it_is() -> None:
    found = preview(Content(hex="00" * 134, udh="050003070201"), "gsm0338")
    assert (found.parts, found.left, found.octets) == (1, 0, 140)


@given(st.binary(min_size=1, max_size=300), st.integers(0, 255))
def test_any_octets_in_any_coding_are_measured_or_refused(octets: bytes, coding: int) -> None:
    content = Content(hex=octets.hex(), data_coding=coding)
    try:
        found = octets_of(content, "gsm0338")
    except Problem:
        return
    assert found.octets == octets
    assert preview(content, "gsm0338").parts == found.parts


@given(st.text(min_size=1, max_size=300), st.integers(0, 255), st.sampled_from(["gsm0338", "latin1", "ascii"]))
def test_any_text_in_any_coding_is_measured_or_refused(words: str, coding: int, encoding: str) -> None:
    try:
        said = preview(Content.model_construct(text=words, data_coding=coding), encoding)
    except Problem:
        return
    assert said.parts >= 1
