"""Kannel's own words for each refusal of an SMSC."""

from smppgw.kannel.nack import refusal


def test_a_refusal_has_kannels_words() -> None:
    assert refusal(0x0B) == b"0x0000000b/Invalid Destination Address"
    assert refusal(0x104) == b"0x00000104/Invalid Data Coding Scheme"
    assert refusal(0x433) == b"0x00000433/Vendor-specific error, please refer to your SMPP provider"
    assert refusal(0x12345678) == b"0x12345678/Unknown/Reserved"


def test_what_kannel_sends_again_ends_when_it_gives_up() -> None:
    assert {refusal(status) for status in (0x08, 0x14, 0x58, 0x64)} == {b"Retries Exceeded"}
