"""A submit_sm as a text and a handset's text as deliver_sm: nothing is lost between SMPP and HTTPS."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from protocol import pdus, text, tlv, udh
from protocol.consts import DataCoding, EsmClass, Npi, Tag, Ton
from protocol.errors import PduError
from protocol.pdus import SubmitSm
from routing.intake import number_of
from routing.message import Message
from smppgw.carriers import texts
from smppgw.carriers.contract import Mo
from smppgw.carriers.joining import Joining

NOW = 1_800_000_000.0
HOWS: list[udh.How] = ["udh8", "udh16", "sar", "payload"]
BMP = st.text(st.characters(exclude_categories=["Cs"]), max_size=700)
GSM = st.text(st.sampled_from("abc €[]{}~^|\\@£ÄöñüàΔ_\n" + "".join(map(chr, range(48, 91)))), max_size=900)


@dataclass(frozen=True)
class Numbering:
    country_code: str = "81"
    national_prefix: str = "0"


def message_of(pdu: SubmitSm, id: int = 1) -> Message:
    made = Message(
        id, "esme", pdus.encode_submit(pdu), pdu.source_addr, pdu.destination_addr, b"", pdu.esm_class, pdu.data_coding,
        pdu.registered_delivery, NOW, NOW + 60,
    )  # fmt: skip
    made.part = number_of("esme", pdu) if pdu.tlvs or pdu.esm_class & EsmClass.UDHI else None
    return made


def parts_of(octets: bytes, coding: int, how: udh.How, reference: int = 7) -> list[Message]:
    return [
        message_of(
            SubmitSm(
                source_addr=b"12345",
                destination_addr=b"819012345678",
                esm_class=each.esm_class,
                data_coding=coding,
                short_message=each.short_message,
                tlvs=tlv.encode(each.tlvs),
            ),
            number,
        )
        for number, each in enumerate(udh.segments(octets, coding, how=how, reference=reference), 1)
    ]


def through(messages: list[Message]) -> list[str]:
    """The texts that a connector would send."""
    joining = Joining(10)
    sent = []
    for message in messages:
        piece = texts.piece_of(message)
        if message.part is None or piece.part is None:
            sent.append(texts.text_from([message], [piece], "gsm0338", Numbering(), NOW, "").text)
            continue
        for done in joining.add(message.part, message, piece.part, piece.octets, NOW):
            assert done.complete
            ordered = [each for number in sorted(done.messages) for each in done.messages[number]]
            pieces = [texts.piece_of(done.messages[number][0]) for number in sorted(done.messages)]
            sent.append(texts.text_from(ordered, pieces, "gsm0338", Numbering(), NOW, "").text)
    return sent


# Out


@given(BMP, st.sampled_from(HOWS), st.integers(0, 65535), st.data())
def test_any_text_in_ucs2_arrives_as_it_was_however_it_was_cut_and_came(
    words: str, how: udh.How, reference: int, data: st.DataObject
) -> None:
    messages = parts_of(words.encode("utf-16-be"), DataCoding.UCS2, how, reference)
    assert through(data.draw(st.permutations(messages))) == [words]


@given(GSM, st.sampled_from(HOWS), st.data())
def test_any_text_in_gsm_arrives_as_it_was(words: str, how: udh.How, data: st.DataObject) -> None:
    octets = text.encode(words, 0)
    assume(len(octets) < 30_000)
    assert through(data.draw(st.permutations(parts_of(octets, 0, how)))) == [words]


@given(st.sampled_from([DataCoding.UCS2, DataCoding.DEFAULT]), BMP, st.lists(st.integers(0, 1000), max_size=5))
def test_a_text_that_its_sender_cut_anywhere_arrives_as_it_was(coding: int, words: str, cuts: list[int]) -> None:
    """Also through a surrogate pair, a unit of two octets, or an escape."""
    words = words if coding == DataCoding.UCS2 else "€" * (len(words) % 200) + "x"
    octets = words.encode("utf-16-be") if coding == DataCoding.UCS2 else text.encode(words, 0)
    places = [0, *sorted(cut % (len(octets) + 1) for cut in cuts), len(octets)]
    pieces = [octets[start:end] for start, end in pairwise(places)]
    assume(all(len(piece) < 240 for piece in pieces) and len(pieces) > 1)
    messages = [
        message_of(
            SubmitSm(
                destination_addr=b"1",
                esm_class=EsmClass.UDHI,
                data_coding=coding,
                short_message=bytes((5, 0, 3, 1, len(pieces), number)) + piece,
            )
        )
        for number, piece in enumerate(pieces, 1)
    ]
    assert through(messages) == [words]


def test_parts_may_have_alphabets_of_their_own() -> None:
    first = message_of(SubmitSm(destination_addr=b"1", esm_class=0x40, short_message=b"\5\0\3\1\2\1plain "))
    other = message_of(
        SubmitSm(
            destination_addr=b"1",
            esm_class=0x40,
            data_coding=8,
            short_message=b"\5\0\3\1\2\2" + "日本".encode("utf-16-be"),
        )
    )
    assert through([other, first]) == ["plain 日本"]


@given(st.binary(max_size=254), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=60))
def test_no_submit_breaks_more_than_itself(octets: bytes, esm_class: int, coding: int, tlvs: bytes) -> None:
    pdu = SubmitSm(
        source_addr=b"\xff" * 5,
        destination_addr=b"\xe3x",
        esm_class=esm_class,
        data_coding=coding,
        short_message=octets,
        tlvs=tlvs,
    )
    message = message_of(pdu._replace(tlvs=b"", esm_class=0))
    message.pdu = pdu
    try:
        piece = texts.piece_of(message)
    except PduError:
        return
    made = texts.text_from([message], [piece], "gsm0338", Numbering(), NOW, "")
    assert (made.binary is None) == (not text.is_binary(coding))


def test_all_of_it_is_known_from_all_its_parts() -> None:
    messages = parts_of(b"x" * 300, 0, "udh8")
    first, second = messages
    first.registered_delivery, first.expires, first.attempts = 0, NOW + 50, 0
    second.registered_delivery, second.expires, second.attempts = 1, NOW + 40, 2
    made = texts.text_from(messages, [texts.piece_of(each) for each in messages], "gsm0338", Numbering(), NOW, "docomo")
    assert (made.receipt, made.validity, made.attempts, made.carrier) == (True, 40.0, 2, "docomo")
    assert made.tag == "0000000000000001"


def test_binary_parts_are_joined_as_octets() -> None:
    messages = parts_of(bytes(range(256)), DataCoding.OCTETS, "udh8")
    pieces = [texts.piece_of(each) for each in messages]
    made = texts.text_from(messages, pieces, "gsm0338", Numbering(), NOW, "")
    assert (made.text, made.binary) == ("", bytes(range(256)))


def test_what_numbers_parts_is_left_out_and_everything_else_kept() -> None:
    tlvs = tlv.encode(
        [
            (Tag.SAR_MSG_REF_NUM, b"\0\1"),
            (Tag.SAR_TOTAL_SEGMENTS, b"\1"),
            (Tag.SAR_SEGMENT_SEQNUM, b"\1"),
            (0x1400, b"x"),
        ]
    )
    piece = texts.piece_of(
        message_of(SubmitSm(esm_class=0x40, short_message=b"\x0b\0\3\1\2\1\5\4\1\2\3\4text", tlvs=tlvs))
    )
    assert piece.tlvs == {0x1400: b"x"}
    assert (piece.header, piece.octets) == (b"\6\5\4\1\2\3\4", b"text")
    assert piece.part == (1, 2, 1, False)


def test_one_part_of_one_is_a_whole_message() -> None:
    assert texts.piece_of(message_of(SubmitSm(esm_class=0x40, short_message=b"\5\0\3\1\1\1text"))).part is None


@pytest.mark.parametrize(
    ("ton", "address", "number"),
    [
        (Ton.UNKNOWN, b"819012345678", "+819012345678"),
        (Ton.INTERNATIONAL, b"819012345678", "+819012345678"),
        (Ton.UNKNOWN, b"+819012345678", "+819012345678"),
        (Ton.UNKNOWN, b"09012345678", "+819012345678"),
        (Ton.NATIONAL, b"09012345678", "+819012345678"),
        (Ton.NATIONAL, b"9012345678", "+819012345678"),
        (Ton.INTERNATIONAL, b"09012345678", "+819012345678"),
        (Ton.ALPHANUMERIC, b"Bank", "Bank"),
        (Ton.UNKNOWN, b"", ""),
        (Ton.UNKNOWN, b"+", "+"),
        (Ton.UNKNOWN, b"+0", "+0"),
    ],
)
def test_a_destination_is_a_whole_number_where_it_is_one(ton: int, address: bytes, number: str) -> None:
    assert texts.destination(ton, address, Numbering()) == number


def test_without_a_country_code_numbers_are_taken_as_they_are() -> None:
    assert texts.destination(Ton.NATIONAL, b"9012345678", Numbering("", "")) == "+9012345678"
    assert texts.destination(Ton.UNKNOWN, b"09012345678", Numbering("", "")) == "+09012345678"


# Back


@given(BMP | GSM, st.sampled_from(HOWS), st.integers(0, 65535), st.data())
def test_what_a_handset_says_is_the_same_text_when_its_parts_are_joined(
    words: str, how: udh.How, reference: int, data: st.DataObject
) -> None:
    bodies = texts.bodies_of(Mo(b"1", "+819011112222", "12345", words), "gsm0338", how, reference)
    messages = [message_of(pdus.decode_submit(body), number) for number, body in enumerate(bodies, 1)]
    assert through(data.draw(st.permutations(messages))) == [words]


@given(st.binary(max_size=1000), st.sampled_from(HOWS))
def test_what_a_handset_says_in_octets_is_the_same_when_it_is_joined(octets: bytes, how: udh.How) -> None:
    bodies = texts.bodies_of(Mo(b"1", "x", "y", binary=octets, header=b"\6\5\4\1\2\3\4"), "gsm0338", how, 1)
    pieces = [texts.piece_of(message_of(pdus.decode_submit(body))) for body in bodies]
    assert b"".join(each.octets for each in pieces) == octets
    assert {each.header for each in pieces} == {b"\6\5\4\1\2\3\4"}
    assert {each.pdu.data_coding for each in pieces} == {DataCoding.OCTETS}


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=300))
def test_no_address_nor_text_of_a_handset_breaks_a_deliver_sm(source: str, destination: str, words: str) -> None:
    for body in texts.bodies_of(Mo(b"", source, destination, words), "latin1", "udh8", 1):
        pdu = pdus.decode_submit(body)
        assert len(pdu.source_addr) <= 20


def test_numbers_and_names_get_their_type() -> None:
    def types(address: str) -> tuple[int, int, bytes]:
        pdu = pdus.decode_submit(texts.bodies_of(Mo(b"", "x", address, "x"), "gsm0338", "udh8", 1)[0])
        return pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr

    assert types("12345") == (Ton.UNKNOWN, Npi.ISDN, b"12345")
    assert types("+12345") == (Ton.INTERNATIONAL, Npi.ISDN, b"12345")
    assert types("819012345678") == (Ton.INTERNATIONAL, Npi.ISDN, b"819012345678")
    assert types("MyBank") == (Ton.ALPHANUMERIC, Npi.UNKNOWN, b"MyBank")
    assert types("日\0") == (Ton.ALPHANUMERIC, Npi.UNKNOWN, b"??")
