"""Orders become the submit_sm that Kannel's smpp driver makes of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import times, tlv
from protocol.consts import Tag
from protocol.pdus import decode_submit
from smppgw.kannel import writing
from smppgw.kannel.model import Core, Kannel, SendsmsUser, SmppTlv, Smsc
from smppgw.kannel.request import Order
from smppgw.kannel.writing import Cut, Defaults, Style

NOW = 1_800_000_000.0
COUNTED = "".join(f"{number} " for number in range(1000))


def order(text: str = "", octets: bytes = b"", coding: int = 0, **more: Any) -> Order:
    return Order(b"1234", (b"99",), (), text, octets, coding, **more)


# Cutting


def texts(text: str, **style: Any) -> list[bytes]:
    return writing.cut(order(text), Style(**style)).texts


def test_a_text_that_fits_is_one_message() -> None:
    assert writing.cut(order("x" * 160), Style(max_messages=5)) == Cut([b"x" * 160], 1)
    assert writing.cut(order(octets=b"x" * 140, coding=1), Style(max_messages=5)) == Cut([b"x" * 140], 1)


def test_a_longer_one_is_several_messages_and_what_they_have_no_room_for_is_lost() -> None:
    assert list(map(len, texts("x" * 161, max_messages=5))) == [160, 1]
    assert list(map(len, texts("x" * 1000, max_messages=3))) == [160, 160, 160]
    assert texts("x" * 200) == [b"x" * 160]


def test_with_concatenation_it_is_one_message_for_whoever_takes_it_apart() -> None:
    assert writing.cut(order(COUNTED[:1000]), Style(max_messages=5, concatenation=True)) == Cut(
        [COUNTED[: 5 * 153].encode()], 5
    )
    assert texts("x" * 200, concatenation=True) == [b"x" * 153]


def test_each_message_has_header_and_footer_and_all_but_the_last_the_suffix() -> None:
    style: dict[str, Any] = {
        "header": "HD ", "footer": " FT", "suffix": "...", "chars": " .", "max_messages": 3,
    }  # fmt: skip
    assert texts(COUNTED[:155], **style) == [
        b"HD " + COUNTED[:149].encode() + b" FT...",
        b"HD " + COUNTED[149:155].encode() + b" FT",
    ]
    assert texts("", **style) == [b"HD  FT"]
    (joined,) = texts(COUNTED[:155], **style, concatenation=True)
    assert joined == b"HD " + COUNTED[:143].encode() + b" FT...HD " + COUNTED[143:155].encode() + b" FT"


def test_a_last_message_that_has_room_for_the_rest_has_all_of_it() -> None:
    style = Style(header="HD ", footer=" FT", suffix="...", chars=" .", max_messages=3)
    assert writing.cut(order(COUNTED[:154]), style).texts == [b"HD " + COUNTED[:154].encode() + b" FT"]


def test_no_character_of_two_septets_is_torn_apart() -> None:
    assert list(map(len, texts("a" + "€" * 81, max_messages=3))) == [159, 4]


def test_characters_of_ucs2_are_not_torn_apart_either() -> None:
    octets = "x😀".encode("utf-16-be") * 30
    for piece in writing.cut(order(octets=octets, coding=2), Style(max_messages=9)).texts:
        piece.decode("utf-16-be")


def test_header_and_stops_are_in_the_coding_of_the_text() -> None:
    octets = ("a b " * 20).encode("utf-16-be")
    found = writing.cut(order(octets=octets, coding=2), Style(header="H", chars=" ", max_messages=3)).texts
    assert [piece.decode("utf-16-be") for piece in found] == ["H" + "a b " * 17, "H" + "a b " * 3]


def test_a_user_data_header_takes_room() -> None:
    found = writing.cut(order(octets=b"x" * 141, coding=1, udh=b"\3$\1\1"), Style(max_messages=3))
    assert list(map(len, found.texts)) == [136, 5]


@given(st.text("ab €{.\n", max_size=900), st.sampled_from(["", " ", ".a"]), st.booleans())
def test_nothing_is_lost_while_there_is_room(text: str, chars: str, concatenation: bool) -> None:
    style = Style(chars=chars, max_messages=1000, concatenation=concatenation)
    found = writing.cut(order(text), style).texts
    assert b"".join(found) == writing.gsm(text)
    assert concatenation or all(len(piece) <= 160 for piece in found)


@given(
    st.text(max_size=400), st.text("HD€ ", max_size=200), st.text("FT", max_size=20), st.text("...", max_size=5),
    st.text("x .", max_size=3), st.integers(1, 5), st.booleans(), st.integers(0, 2), st.integers(1, 140),
)  # fmt: skip
def test_no_style_breaks_it(
    text: str, header: str, footer: str, suffix: str, chars: str, most: int, joined: bool, coding: int, size: int
) -> None:
    one = order(text) if coding == 0 else order(octets=text.encode("utf-16-be", "replace"), coding=coding)
    found = writing.cut(one, Style(header, footer, suffix, chars, most, joined, size))
    assert 1 <= found.parts <= most
    assert len(found.texts) == (1 if joined else found.parts)


def test_what_the_alphabet_lacks_is_a_question_mark() -> None:
    assert writing.gsm("aÄ€ÖçáЖ😀") == b"a[\x1be\\\x09???"


# Fields


def submit(order: Order, style: Defaults = Defaults()) -> Any:  # noqa: B008  it is frozen
    said = writing.octets_of(order)
    pdu = writing.addressed(writing.submits(order, said, style, NOW), b"99", order.meta_data)
    assert decode_submit(writing.body_of(pdu)) == pdu
    return pdu


@pytest.mark.parametrize(
    ("fields", "coding"),
    [
        ({}, 0x00), ({"coding": 1}, 0x04), ({"coding": 2}, 0x08),
        ({"mclass": 0}, 0xF0), ({"mclass": 3}, 0xF3), ({"mclass": 1, "coding": 1}, 0xF5),
        ({"mclass": 1, "coding": 2}, 0x19), ({"mclass": 1, "alt_dcs": 0}, 0xF1),
        ({"alt_dcs": 1}, 0xF1), ({"alt_dcs": 1, "coding": 1}, 0xF5), ({"alt_dcs": 1, "coding": 2}, 0x08),
        ({"compress": 1}, 0x20), ({"compress": 1, "mclass": 1}, 0x31),
        ({"mwi": 0}, 0xD8), ({"mwi": 3}, 0xDB), ({"mwi": 4}, 0xC0), ({"mwi": 7}, 0xC3),
        ({"mwi": 1, "coding": 2}, 0xE9), ({"mwi": 1, "coding": 1}, 0xE9), ({"mwi": 1, "text": ""}, 0xC9),
        ({"mwi": 1, "mclass": 1}, 0xD9),
    ],
)  # fmt: skip
def test_data_coding_is_that_of_kannel(fields: dict[str, Any], coding: int) -> None:
    text = "" if fields.get("coding") else fields.get("text", "hi")
    fields = {key: value for key, value in fields.items() if key != "text"}
    assert submit(order(text, b"hi" if fields.get("coding") else b"", **fields)).data_coding == coding


@pytest.mark.parametrize(
    ("mask", "registered"),
    [(-1, 0), (0, 0), (1, 1), (2, 2), (3, 1), (4, 16), (5, 17), (6, 18), (8, 0), (16, 0), (18, 2), (19, 1), (31, 17),
     (32, 2), (33, 1), (63, 17), (64, 2), (66, 2)],
)  # fmt: skip
def test_registered_delivery_is_that_of_kannel(mask: int, registered: int) -> None:
    assert submit(order("a", dlr_mask=mask)).registered_delivery == registered


@pytest.mark.parametrize(
    ("sender", "ton", "npi"),
    [(b"1234", 2, 1), (b"+1234", 1, 1), (b"abc", 5, 0), (b"+12a", 5, 0), (b"12 3", 5, 0)],
)
def test_the_sender_says_its_type_of_number(sender: bytes, ton: int, npi: int) -> None:
    pdu = submit(order("a")._replace(sender=sender))
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (ton, npi, sender)


@pytest.mark.parametrize(
    ("receiver", "ton", "address"),
    [(b"99", 2, b"99"), (b"+99", 1, b"+99"), (b"+12-3", 1, b"12-3"), (b"+" + b"1" * 20, 1, b"1" * 20)],
)
def test_the_destination_keeps_its_plus_for_routes_where_it_can(receiver: bytes, ton: int, address: bytes) -> None:
    pdu = writing.addressed(writing.submits(order("a"), b"a", Defaults(), NOW), receiver)
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (ton, 1, address)
    assert writing.fits(pdu)


def test_an_address_of_more_than_20_octets_does_not_fit() -> None:
    pdu = writing.submits(order("a"), b"a", Defaults(), NOW)
    assert not writing.fits(writing.addressed(pdu, b"1" * 21))


def test_no_field_of_text_holds_a_nul() -> None:
    pdu = writing.addressed(writing.submits(order("a"), b"a", Defaults(), NOW), b"99")
    assert writing.fits(pdu)
    assert not writing.fits(writing.addressed(pdu, b"1\0" + b"1"))
    assert not writing.fits(pdu._replace(source_addr=b"\0"))
    assert not writing.fits(pdu._replace(service_type=b"C\0T"))


def test_esm_class_is_the_smscs_with_what_the_order_adds() -> None:
    assert submit(order("a")).esm_class == 3
    assert submit(order("a", rpi=1)).esm_class == 0x83
    assert submit(order(octets=b"a", coding=1, udh=b"\1x")).esm_class == 0x43
    assert submit(order("a"), Defaults(esm_class=0)).esm_class == 0


def test_what_the_request_says_comes_before_what_the_smsc_says() -> None:
    smsc = Defaults(service_type=b"DEF", priority=1, validity=5, alt_dcs=1)
    assert submit(order("a"), smsc)[0] == b"DEF"
    assert submit(order("a"), smsc).priority_flag == 1
    assert submit(order("a"), smsc).data_coding == 0xF1
    assert submit(order("a", binfo=b"CMT", priority=0), smsc).service_type == b"CMT"
    assert submit(order("a", binfo=b"CMT", priority=0), smsc).priority_flag == 0
    assert submit(order("a", alt_dcs=0), smsc).data_coding == 0
    assert submit(order("a", binfo=b"1234567")).service_type == b"12345"


def test_binfo_is_billing_to_an_smsc_of_version_5() -> None:
    pdu = submit(order("a", binfo=b"bill"), Defaults(version=50))
    assert tlv.parse(pdu.tlvs) == {0x060B: b"bill"}


def test_times_are_minutes_from_now() -> None:
    pdu = submit(order("a", validity=10, deferred=5))
    assert times.parse(pdu.validity_period, 0.0) == NOW + 600
    assert times.parse(pdu.schedule_delivery_time, 0.0) == NOW + 300
    assert submit(order("a")).validity_period == b""


def test_no_message_is_over_before_it_may_go() -> None:
    assert times.parse(submit(order("a", validity=0)).validity_period, 0.0) > NOW  # type: ignore[operator]
    pdu = submit(order("a", validity=3, deferred=5))
    assert times.parse(pdu.validity_period, 0.0) > times.parse(pdu.schedule_delivery_time, 0.0)  # type: ignore[operator]


def test_a_long_text_is_in_message_payload() -> None:
    pdu = submit(order(octets=b"x" * 300, coding=1, udh=b"\1y"))
    assert pdu.short_message == b""
    assert tlv.parse(pdu.tlvs) == {Tag.MESSAGE_PAYLOAD: b"\1y" + b"x" * 300}


# meta-data

TLVS = (
    SmppTlv(name="octets", tag=0x1400, type="octetstring", length=5),
    SmppTlv(name="number", tag=0x1401, type="integer", length=2),
    SmppTlv(name="text", tag=0x1402, type="nulterminated", length=5),
    SmppTlv(name="theirs", tag=0x1403, type="octetstring", length=5, smsc_id=("other",)),
)


@pytest.mark.parametrize(
    ("meta_data", "tlvs"),
    [
        (b"?smpp?octets=a%2Cb", {0x1400: b"a,b"}),
        (b"?smpp?number=258", {0x1401: b"\1\2"}),
        (b"?smpp?number=99999", {0x1401: b"\x86\x9f"}),
        (b"?smpp?number=x", {0x1401: b"\0\0"}),
        (b"?smpp?text=abcde", {0x1402: b"abcde\0"}),
        (b"?smpp?text=abcdef&octets=abcdef", {}),
        (b"?smpp?unknown=1&theirs=1", {}),
        (b"?other?octets=abc", {}),
        (b"junk", {}),
    ],
)
def test_meta_data_sets_the_parameters_that_the_config_names(meta_data: bytes, tlvs: dict[int, bytes]) -> None:
    smsc = Smsc(smsc="smpp", smsc_id="one")
    style = Defaults.of(smsc, Kannel(smscs=(smsc,), smpp_tlvs=TLVS))
    assert tlv.parse(submit(order("a", meta_data=meta_data), style).tlvs) == tlvs


def test_meta_data_may_override_some_fields() -> None:
    meta = b"?smpp?data_coding=4&source_addr_ton=3&source_addr_npi=9&dest_addr_ton=4&dest_addr_npi=8&esm_class=0"
    pdu = submit(order("a", meta_data=meta))
    assert (pdu.data_coding, pdu.source_addr_ton, pdu.source_addr_npi) == (4, 3, 9)
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.esm_class) == (4, 8, 3)


# What an smsc adds


def test_the_first_smsc_of_an_id_says_its_defaults_and_the_first_free_one_those_of_no_id() -> None:
    kept = Smsc(smsc="smpp", smsc_id="kept", allowed_smsc_id=("kept",), priority=1)
    free = Smsc(smsc="smpp", smsc_id="free", priority=2)
    ways, any_way = writing.defaults(Kannel(smscs=(kept, free, Smsc(smsc="smpp", smsc_id="free", priority=3))))
    assert (ways["kept"].priority, ways["free"].priority, any_way.priority) == (1, 2, 2)
    assert writing.defaults(Kannel())[1] == Defaults(prefixes=((),))


@pytest.mark.parametrize(
    ("number", "whole"),
    [(b"0401", b"00358401"), (b"+358401", b"00358401"), (b"+491", b"00491"), (b"00358401", b"00358401"), (b"9", b"9")],
)
def test_prefixes_are_unified_by_the_gateway_and_then_by_the_smsc(number: bytes, whole: bytes) -> None:
    smsc = Smsc(smsc="smpp", smsc_id="one", unified_prefix=(("00", "+"),))
    kannel = Kannel(core=Core(unified_prefix=(("+358", "00358", "0"), ("+", "00"))), smscs=(smsc,))
    assert writing.normalized(number, Defaults.of(smsc, kannel).prefixes) == whole


def test_a_style_is_what_the_user_says() -> None:
    user = SendsmsUser(header="h", footer="f", split_suffix="s", split_chars="c", max_messages=2, concatenation=True)
    assert Style.of(user, 100) == Style("h", "f", "s", "c", 2, True, 100)
