"""A deliver_sm is read as bearerbox 1.4.5 reads it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.pdus import SubmitSm
from smppgw.kannel.incoming import Mobile, Reader, fields_of, pack, unpack
from smppgw.kannel.model import Core, SmppTlv, Smsc

SMSC = Smsc(smsc="smpp", smsc_id="one", smsc_username="esme")
CORE = Core()
TLVS = (
    SmppTlv(name="my_text", tag=0x1401, type="octetstring", length=20, smsc_id=("one",)),
    SmppTlv(name="my_int", tag=0x1402, type="integer", length=4, smsc_id=("one",)),
    SmppTlv(name="my_str", tag=0x1403, type="nulterminated", length=20, smsc_id=("one",)),
    SmppTlv(name="all_text", tag=0x1404, type="octetstring", length=20),
    SmppTlv(name="others", tag=0x1405, type="octetstring", length=20, smsc_id=("two",)),
)


def read(octets: bytes = b"hi", *, smsc: Smsc = SMSC, core: Core = CORE, recode: bool = False, **fields: Any) -> Mobile:
    pdu = SubmitSm(**{"source_addr": b"447700900001", "destination_addr": b"12345", "short_message": octets, **fields})
    return Reader(core, smsc, TLVS, recode=recode).read([pdu], 0x1234, 1_800_000_000.7)


def test_what_everybody_hears_of_a_message() -> None:
    mobile = read(b"hello", service_type=b"BILL", protocol_id=3, esm_class=0x83)
    sms = mobile.sms
    assert (sms.sender, sms.receiver, sms.text, sms.time) == (b"447700900001", b"12345", b"hello", 1_800_000_000)
    assert (sms.smsc_id, sms.account, sms.binfo, sms.meta_data) == (b"one", b"esme", b"BILL", b"?smpp?")
    assert (mobile.pid, mobile.rpi) == (3, 1)
    assert read().rpi == -1


def test_a_message_has_the_same_uuid_whenever_it_is_read() -> None:
    assert read().sms.id == read().sms.id == b"00000000-0000-4000-8000-000000001234"


@pytest.mark.parametrize(
    ("data_coding", "octets", "text"),
    [
        (0x00, b"\x00\x05\x1be", "@é€".encode()),
        (0x00, b"a\xe9b", b"ab"),
        (0x01, b"plain", b"plain"),
        (0x03, b"\xe9", "é".encode()),
        (0x06, b"\xe9", "щ".encode()),
        (0x07, b"\xe9", b"\xd7\x99"),
        (0x08, b"\x04\x3f", b"\x04\x3f"),
        (0x04, b"\x00\xff", b"\x00\xff"),
        (0x02, b"\x00\xff", b"\x00\xff"),
        (0x10, b"\x02", b"$"),
        (0x20, b"\x02", b"$"),
        (0x80, b"\x02", b"$"),
        (0xC8, b"\x02", b"$"),
        (0xF0, b"\x02", b"$"),
        (0xF5, b"\x02", b"\x02"),
        (0x18, b"\x04\x3f", b"\x04\x3f"),
    ],
)
def test_a_text_is_utf8_unless_it_is_ucs2_or_binary(data_coding: int, octets: bytes, text: bytes) -> None:
    assert read(octets, data_coding=data_coding).sms.text == text


@pytest.mark.parametrize(
    ("data_coding", "fields"),
    [
        (0x00, (0, -1, -1, 0, 0)),
        (0x03, (0, -1, -1, 0, 0)),
        (0x04, (1, -1, -1, 0, 0)),
        (0x08, (2, -1, -1, 0, 0)),
        (0x10, (0, 0, -1, 0, 0)),
        (0x14, (1, 0, -1, 0, 0)),
        (0x19, (2, 1, -1, 0, 0)),
        (0x20, (0, -1, -1, 1, 0)),
        (0x80, (0, -1, -1, -1, -1)),
        (0xC0, (0, -1, 4, -1, -1)),
        (0xC8, (0, -1, 0, -1, -1)),
        (0xD9, (0, -1, 1, -1, -1)),
        (0xF1, (0, 1, -1, -1, 1)),
        (0xF7, (1, 3, -1, -1, 1)),
    ],
)
def test_what_a_data_coding_says(data_coding: int, fields: tuple[int, ...]) -> None:
    assert fields_of(data_coding) == fields


@given(st.integers(0, 255), st.binary(max_size=160), st.integers(0, 255), st.binary(max_size=20))
def test_nothing_is_unreadable(data_coding: int, octets: bytes, esm_class: int, tlvs: bytes) -> None:
    read(octets, data_coding=data_coding, esm_class=esm_class, tlvs=tlvs)


def test_an_smsc_may_have_an_alphabet_of_its_own() -> None:
    assert read(b"\xe9", smsc=Smsc(smsc_id="one", alt_charset="ISO-8859-1")).sms.text == "é".encode()
    assert read(b"\x05", smsc=Smsc(smsc_id="one", alt_charset="nonsense")).sms.text == "é".encode()


def test_ucs2_is_recoded_where_smsbox_says_so() -> None:
    sms = read("é".encode("utf-16-be"), recode=True, data_coding=8).sms
    assert (sms.text, sms.charset, sms.coding) == ("é".encode(), b"UTF-8", 0)
    torn = read(b"\xd8", recode=True, data_coding=8).sms
    assert (torn.text, torn.charset, torn.coding) == (b"\xd8", b"", 2)


@pytest.mark.parametrize(
    ("ton", "given", "seen"),
    [(0, b"358", b"358"), (1, b"358", b"+358"), (1, b"+358", b"+358"), (1, b"00358", b"+358"), (5, b"Shop", b"Shop")],
)
def test_an_international_number_has_a_plus(ton: int, given: bytes, seen: bytes) -> None:
    sms = read(source_addr_ton=ton, source_addr=given, dest_addr_ton=ton, destination_addr=given).sms
    assert (sms.sender, sms.receiver) == (seen, seen)


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        (b"0401", b"+358401"),
        (b"00358401", b"+358401"),
        (b"+358401", b"+358401"),
        (b"007700", b"+35807700"),
        (b"44", b"44"),
    ],
)
def test_the_sender_is_unified_by_the_first_prefix_that_fits(given: bytes, seen: bytes) -> None:
    core = Core(unified_prefix=(("+358", "00358", "0"), ("+", "00")))
    sms = read(source_addr=given, destination_addr=given, core=core).sms
    assert (sms.sender, sms.receiver) == (seen, given)


def test_the_smscs_own_prefixes_come_before_those_of_all() -> None:
    own = Smsc(smsc_id="one", unified_prefix=(("+44", "0"),))
    assert read(source_addr=b"07700", smsc=own, core=Core(unified_prefix=(("+1", "0"),))).sms.sender == b"+447700"


def test_my_number_stands_for_whatever_number_it_came_to() -> None:
    assert read(smsc=Smsc(smsc_id="one", my_number="777")).sms.receiver == b"777"


def test_parameters_that_the_files_name_are_meta_data() -> None:
    tlvs = bytes.fromhex("1401000461203d26 14020004 00000010 14030003787900 140400027a7a 140500017a 02040002 0007")
    assert read(tlvs=tlvs).sms.meta_data == b"?smpp?my_text=a+%3D%26&my_int=16&my_str=xy&all_text=zz&"
    assert read(tlvs=tlvs[:9]).sms.meta_data == b"?smpp?my_text=a+%3D%26&"


def test_the_header_of_a_message_is_apart_from_its_text() -> None:
    sms = read(bytes.fromhex("0605040b8423f0") + b"bin", esm_class=0x40).sms
    assert (sms.udh, sms.text) == (bytes.fromhex("0605040b8423f0"), b"bin")


def test_a_message_in_one_part_has_no_header_of_parts() -> None:
    assert read(b"\x05\x00\x03\x07\x01\x01x", esm_class=0x40).sms.udh == b""
    assert read(b"\x05\x00\x03\x07\x02\x01x", esm_class=0x40).sms.udh == b"\x05\x00\x03\x07\x02\x01"
    assert read(b"\x05\x00\x03\x07\x02\x03x", esm_class=0x40).sms.udh == b"\x05\x00\x03\x07\x02\x03"


def test_parts_are_one_message_with_what_else_the_first_header_says() -> None:
    header = bytes.fromhex("0b 0504 00010002 0003 0b02")
    parts = [SubmitSm(source_addr=b"1", destination_addr=b"2", esm_class=0x40, data_coding=8,
                      short_message=header + bytes([number]) + text)
             for number, text in ((1, b"\xd8\x3d"), (2, b"\xde\x00"))]  # fmt: skip
    sms = Reader(Core(), SMSC, ()).read(parts, 1, 0.0).sms
    assert (sms.udh, sms.text.decode("utf-16-be")) == (bytes.fromhex("06050400010002"), "\U0001f600")


def test_a_text_may_be_in_message_payload() -> None:
    assert read(b"", tlvs=bytes.fromhex("042400026869")).sms.text == b"hi"


@given(st.text(max_size=60), st.binary())
def test_a_delivery_carries_the_connector_and_the_body(connector: str, body: bytes) -> None:
    assert unpack(pack(connector, body)) == (connector, body)
