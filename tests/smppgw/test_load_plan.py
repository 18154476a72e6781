"""What the load tool sends is what it was asked to send."""

from collections import Counter

import pytest

from protocol import tlv
from protocol.consts import Tag
from protocol.pdus import decode_submit
from smppgw.load.plan import Plan, parse_lengths, templates


def test_every_destination_is_different_and_in_order() -> None:
    (template,) = templates(Plan(prefix="4479"))
    found = [decode_submit(template.body(n)).destination_addr for n in (0, 1, 12345678)]
    assert found == [b"447900000000", b"447900000001", b"447912345678"]


def test_lengths_and_codings_come_at_their_rates() -> None:
    plan = Plan(lengths={20: 0.5, 300: 0.5}, codings={"gsm": 0.75, "ucs2": 0.25})
    found = [decode_submit(template.body(n)) for n, template in enumerate(templates(plan))]
    sizes = Counter(
        (pdu.data_coding, len(pdu.short_message or tlv.find(pdu.tlvs, Tag.MESSAGE_PAYLOAD) or b"")) for pdu in found
    )
    assert set(sizes) == {(0, 20), (0, 300), (8, 40), (8, 600)}
    assert 0.3 < sizes[0, 20] / len(found) < 0.45
    assert 0.07 < sizes[8, 600] / len(found) < 0.18


def test_a_text_too_long_for_short_message_is_a_payload() -> None:
    for length, short in ((254, True), (255, False)):
        (template,) = templates(Plan(lengths={length: 1.0}))
        pdu = decode_submit(template.body(1))
        assert bool(pdu.short_message) is short
        assert (tlv.find(pdu.tlvs, Tag.MESSAGE_PAYLOAD) is None) is short


@pytest.mark.parametrize(("source", "ton"), [("12345", 3), ("447700900123", 1), ("ACME", 5)])
def test_the_source_has_its_type_of_number(source: str, ton: int) -> None:
    (template,) = templates(Plan(source=source))
    assert decode_submit(template.body(1)).source_addr_ton == ton


def test_receipts_are_asked_for_unless_not_wanted() -> None:
    for wanted in (True, False):
        (template,) = templates(Plan(receipts=wanted))
        assert decode_submit(template.body(1)).registered_delivery == wanted


@pytest.mark.parametrize(
    "plan", [Plan(prefix="1" * 13), Plan(codings={"morse": 1.0}), Plan(lengths={70000: 1.0}, codings={"gsm": 1.0})]
)
def test_what_cannot_be_sent_is_refused(plan: Plan) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        templates(plan)


def test_lengths_are_read() -> None:
    assert parse_lengths("20:0.5,140") == {20: 0.5, 140: 0.5}
    with pytest.raises(ValueError, match="written like"):
        parse_lengths("long:0.5")
