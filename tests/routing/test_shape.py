"""How a connector wants its submits written."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from protocol import text, tlv, udh
from protocol.consts import EsmClass, Status, Tag
from protocol.errors import PduError
from protocol.pdus import SubmitSm, decode_submit, encode_submit
from routing.shape import LongMessages, Shape
from smppgw import settings

PAYLOAD, UDHI = Tag.MESSAGE_PAYLOAD, EsmClass.UDHI
ENCODINGS = ("gsm0338", "latin1", "ascii")
SPLITS: tuple[LongMessages, ...] = ("udh8", "udh16", "sar")
WAYS: tuple[LongMessages, ...] = ("as_is", *SPLITS, "payload")
PORTS = b"\x06\x05\x04\x15\x81\x00\x00"
SAR = tlv.encode([(Tag.SAR_MSG_REF_NUM, b"\x12\x34"), (Tag.SAR_TOTAL_SEGMENTS, b"\3"), (Tag.SAR_SEGMENT_SEQNUM, b"\2")])


@dataclass
class Rules:
    source_ton: int = -1
    source_npi: int = -1
    destination_ton: int = -1
    destination_npi: int = -1
    strip_plus: bool = False
    national_prefix: str = ""
    country_code: str = ""


@dataclass
class Wants:
    encoding: str = "gsm0338"
    transliterate: bool = False
    long_messages: LongMessages = "as_is"
    interface_version: str = "3.4"
    tlvs: Mapping[int, bytes] = field(default_factory=dict)
    addresses: Rules = field(default_factory=Rules)
    more_messages: bool = False


def shaped(pdu: SubmitSm, wants: Wants, encoding: str = "gsm0338", reference: int = 7) -> list[SubmitSm]:
    return [decode_submit(body) for body in Shape(wants).bodies(encode_submit(pdu), encoding, reference)]


def tried(pdu: SubmitSm, wants: Wants, encoding: str = "gsm0338", reference: int = 7) -> list[SubmitSm] | Status:
    """What is written, or the status of the refusal."""
    try:
        return shaped(pdu, wants, encoding, reference)
    except PduError as error:
        return error.status


def addressed(source: tuple[int, int, bytes], destination: tuple[int, int, bytes], **rules: Any) -> tuple[Any, ...]:
    (pdu,) = shaped(SubmitSm(b"", *source, *destination), Wants(addresses=Rules(**rules)))
    return pdu[1:4], pdu[4:7]


def payload(octets: bytes, *others: tuple[int, bytes]) -> bytes:
    return tlv.encode([(PAYLOAD, octets), *others])


def joined(parts: list[SubmitSm]) -> bytes | None:
    """The whole text, the way a handset puts it together."""
    joiner, whole = udh.Joiner(1), None
    for pdu in parts:
        values = tlv.parse(pdu.tlvs)
        octets = pdu.short_message or values.get(PAYLOAD, b"")
        said = udh.text_of(pdu.esm_class, octets)
        part = udh.part_of(pdu.esm_class, octets, values)
        whole = said if part is None else joiner.add("sender", part, said, 0.0)
    return whole


NUMBER = (0, 0, b"819012345678")
THERE = (1, 1, b"818000000000")

# Unchanged


def test_a_connector_without_wishes_gets_the_octets_that_came() -> None:
    body = encode_submit(SubmitSm(b"CMT", 5, 0, b"MyBank", 1, 1, b"8190", short_message=b"hi", tlvs=payload(b"x")))
    assert Shape(Wants()).plain("gsm0338")
    assert Shape(Wants()).bodies(body, "gsm0338", 1) == [body]


def test_the_settings_of_a_connector_are_wishes() -> None:
    connector = settings.Connector(name="c", host="h", port=1, system_id="s")
    assert Shape(connector).plain("gsm0338")
    assert not Shape(connector).plain("latin1")
    rules = settings.Addresses(strip_plus=True)
    assert not Shape(connector.model_copy(update={"addresses": rules})).plain("gsm0338")


@pytest.mark.parametrize(
    "wants",
    [
        Wants(encoding="latin1"),
        Wants(long_messages="udh8"),
        Wants(long_messages="payload"),
        Wants(interface_version="3.3"),
        Wants(tlvs={0x1400: b"x"}),
        Wants(addresses=Rules(source_ton=0)),
        Wants(addresses=Rules(destination_npi=1)),
        Wants(addresses=Rules(strip_plus=True)),
        Wants(addresses=Rules(national_prefix="0", country_code="81")),
    ],
)
def test_any_wish_ends_being_plain(wants: Wants) -> None:
    assert not Shape(wants).plain("gsm0338")


# Addresses


def test_ton_and_npi_are_forced_on_numbers() -> None:
    forced = {"source_ton": 3, "source_npi": 9, "destination_ton": 1, "destination_npi": 1}
    assert addressed((0, 0, b"12345"), (2, 8, b"819012345678"), **forced) == ((3, 9, b"12345"), (1, 1, b"819012345678"))


def test_a_source_that_is_a_name_is_alphanumeric_whatever_is_forced_on_numbers() -> None:
    forced = {"source_ton": 1, "source_npi": 1}
    for came in ((5, 0), (0, 0), (1, 1)):
        assert addressed((*came, b"MyBank"), THERE, **forced)[0] == (5, 0, b"MyBank")
    assert addressed((5, 0, b"24 7 Taxi"), THERE, **forced)[0] == (5, 0, b"24 7 Taxi")


def test_a_name_is_as_it_came_where_no_ton_is_forced() -> None:
    assert addressed((0, 7, b"MyBank"), THERE, source_npi=1, strip_plus=True)[0] == (0, 7, b"MyBank")
    assert addressed((5, 0, b"+Plus"), THERE, strip_plus=True)[0] == (5, 0, b"+Plus")


def test_every_source_becomes_a_name_where_that_is_forced() -> None:
    assert addressed((1, 1, b"12345"), THERE, source_ton=5, source_npi=0)[0] == (5, 0, b"12345")
    assert addressed((1, 1, b"MyBank"), THERE, source_ton=5, source_npi=0)[0] == (5, 0, b"MyBank")


def test_a_number_without_its_plus_says_that_it_is_international() -> None:
    found = addressed((0, 0, b"+819012345678"), (0, 0, b"+818000000000"), strip_plus=True)
    assert found == ((1, 1, b"819012345678"), (1, 1, b"818000000000"))


def test_what_is_forced_wins_over_what_the_plus_says() -> None:
    found = addressed((0, 0, b"+8190"), (0, 0, b"+8180"), strip_plus=True, source_ton=0, destination_npi=0)
    assert found == ((0, 1, b"8190"), (1, 0, b"8180"))


def test_a_number_without_a_plus_is_as_it_came() -> None:
    assert addressed((3, 9, b"8190"), (2, 8, b"8180"), strip_plus=True) == ((3, 9, b"8190"), (2, 8, b"8180"))


def test_a_national_destination_becomes_international() -> None:
    rules = {"national_prefix": "0", "country_code": "81"}
    assert addressed((0, 0, b"0901"), (0, 0, b"09012345678"), **rules) == ((0, 0, b"0901"), (1, 1, b"819012345678"))
    assert addressed(NUMBER, (1, 1, b"09012345678"), **rules)[1] == (1, 1, b"819012345678")
    assert addressed(NUMBER, (2, 1, b"09012345678"), **rules, destination_ton=0)[1] == (0, 1, b"819012345678")


def test_an_international_number_that_begins_like_a_national_one_is_left_alone() -> None:
    rules = {"national_prefix": "8", "country_code": "7", "strip_plus": True}
    assert addressed(NUMBER, (0, 0, b"89161234567"), **rules)[1] == (1, 1, b"79161234567")
    assert addressed(NUMBER, (1, 1, b"819012345678"), **rules)[1] == (1, 1, b"819012345678")
    assert addressed(NUMBER, (0, 0, b"+819012345678"), **rules)[1] == (1, 1, b"819012345678")


def test_a_prefix_may_only_be_taken_off() -> None:
    assert addressed(NUMBER, (0, 0, b"09012345678"), national_prefix="0")[1] == (0, 0, b"9012345678")


def test_a_destination_that_grows_too_long_is_refused() -> None:
    with pytest.raises(PduError) as refused:
        addressed(NUMBER, (0, 0, b"0" + b"9" * 19), national_prefix="0", country_code="81")
    assert refused.value.status is Status.RINVDSTADR


ADDRESS = st.binary(max_size=20).map(lambda octets: octets.replace(b"\0", b"+"))
OCTET = st.integers(0, 255)
TON_NPI = st.integers(-1, 8)
RULES = st.builds(
    Rules,
    TON_NPI,
    TON_NPI,
    TON_NPI,
    TON_NPI,
    st.booleans(),
    st.sampled_from(["", "0", "8", "+"]),
    st.sampled_from(["", "81"]),
)


END = st.tuples(OCTET, OCTET, ADDRESS)


@given(END, END, RULES)
def test_nothing_but_the_addresses_is_rewritten(
    source: tuple[int, int, bytes], destination: tuple[int, int, bytes], rules: Rules
) -> None:
    sent = SubmitSm(b"CMT", *source, *destination, short_message=b"hi")
    found = tried(sent, Wants(addresses=rules))
    if isinstance(found, Status):
        assert found is Status.RINVDSTADR
        assert len(destination[2]) + len(rules.country_code) > 20
        return
    (pdu,) = found
    assert pdu[7:] == sent[7:]
    if -1 not in (rules.destination_ton, rules.destination_npi):
        assert pdu[4:6] == (rules.destination_ton, rules.destination_npi)


# Alphabets


def test_default_text_is_written_in_the_connectors_alphabet() -> None:
    sent = SubmitSm(short_message="caffè [1]".encode("latin-1"))
    (pdu,) = shaped(sent, Wants(), "latin1")
    assert pdu.short_message == b"caff\x04 \x1b<1\x1b>"
    (back,) = shaped(pdu, Wants(encoding="latin1"))
    assert back == sent


def test_a_character_that_the_connector_lacks_is_refused_unless_it_may_be_replaced() -> None:
    sent = SubmitSm(short_message="à ± ç".encode("latin-1"))
    with pytest.raises(PduError, match=r"ascii has no U\+00E0") as refused:
        shaped(sent, Wants(encoding="ascii"), "latin1")
    assert refused.value.status is Status.RSUBMITFAIL
    (pdu,) = shaped(sent, Wants(encoding="ascii", transliterate=True), "latin1")
    assert pdu.short_message == b"a +/- c"


@pytest.mark.parametrize("data_coding", [1, 2, 3, 4, 8, 0x10, 0xF0, 0xF5])
@pytest.mark.parametrize("transliterate", [False, True])
def test_a_text_that_names_its_alphabet_is_left_alone(data_coding: int, transliterate: bool) -> None:
    sent = SubmitSm(short_message=b"\x04\xe9", data_coding=data_coding)
    assert shaped(sent, Wants(encoding="latin1", transliterate=transliterate)) == [sent]


def test_a_header_is_not_text() -> None:
    sent = SubmitSm(esm_class=UDHI, short_message=PORTS + b"\x04")
    (pdu,) = shaped(sent, Wants(encoding="latin1"))
    assert pdu.short_message == PORTS + b"\xe8"


def test_a_text_in_message_payload_is_recoded_where_it_is() -> None:
    (pdu,) = shaped(SubmitSm(tlvs=payload(b"\x04", (0x1400, b"x"))), Wants(encoding="latin1"))
    assert pdu.short_message == b""
    assert tlv.parse(pdu.tlvs) == {PAYLOAD: b"\xe8", 0x1400: b"x"}


def test_a_text_that_outgrows_short_message_goes_to_message_payload() -> None:
    (pdu,) = shaped(SubmitSm(short_message=b"[" * 200), Wants(), "latin1")
    assert (pdu.short_message, tlv.parse(pdu.tlvs)) == (b"", {PAYLOAD: b"\x1b<" * 200})


# Long messages


def test_a_long_text_is_cut_by_an_8_bit_header() -> None:
    sent = SubmitSm(
        b"CMT", 5, 0, b"MyBank", 1, 1, b"8190", 3, 0, 2, b"", b"000001000000000R", 1, 0, 0, 0, b"x" * 200,
        tlv.encode([(0x1400, b"v")]),
    )  # fmt: skip
    first, second = shaped(sent, Wants(long_messages="udh8"), reference=0x1FE)
    assert first == sent._replace(esm_class=3 | UDHI, short_message=b"\x05\x00\x03\xfe\x02\x01" + b"x" * 153)
    assert second == sent._replace(esm_class=3 | UDHI, short_message=b"\x05\x00\x03\xfe\x02\x02" + b"x" * 47)


def test_a_long_text_is_cut_by_a_16_bit_header() -> None:
    first, second = shaped(SubmitSm(short_message=b"x" * 200), Wants(long_messages="udh16"), reference=0x1FE)
    assert (first.esm_class, first.short_message) == (UDHI, b"\x06\x08\x04\x01\xfe\x02\x01" + b"x" * 152)
    assert (second.esm_class, second.short_message) == (UDHI, b"\x06\x08\x04\x01\xfe\x02\x02" + b"x" * 48)


def test_a_long_text_is_cut_by_sar() -> None:
    first, second = shaped(SubmitSm(short_message=b"x" * 200), Wants(long_messages="sar"), reference=0x1FE)
    assert (first.esm_class, first.short_message, second.short_message) == (0, b"x" * 153, b"x" * 47)
    assert tlv.parse(second.tlvs) == {
        Tag.SAR_MSG_REF_NUM: b"\x01\xfe", Tag.SAR_TOTAL_SEGMENTS: b"\2", Tag.SAR_SEGMENT_SEQNUM: b"\2",
    }  # fmt: skip


def test_a_long_text_goes_whole_in_message_payload() -> None:
    (pdu,) = shaped(SubmitSm(short_message=b"x" * 200), Wants(long_messages="payload"))
    assert (pdu.short_message, tlv.parse(pdu.tlvs)) == (b"", {PAYLOAD: b"x" * 200})
    assert shaped(pdu, Wants(long_messages="payload")) == [pdu]


@pytest.mark.parametrize("how", [*SPLITS, "payload"])
def test_a_short_text_in_message_payload_becomes_a_short_message(how: LongMessages) -> None:
    (pdu,) = shaped(SubmitSm(tlvs=payload(b"hi", (0x1400, b"v"))), Wants(long_messages=how))
    assert pdu == SubmitSm(short_message=b"hi", tlvs=tlv.encode([(0x1400, b"v")]))


def test_only_the_first_part_replaces_an_earlier_message() -> None:
    parts = shaped(SubmitSm(replace_if_present_flag=1, short_message=b"x" * 200), Wants(long_messages="udh8"))
    assert [pdu.replace_if_present_flag for pdu in parts] == [1, 0]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(
    "part",
    [
        SubmitSm(esm_class=UDHI, short_message=b"\x05\x00\x03\x01\x03\x02" + b"x" * 200),
        SubmitSm(esm_class=UDHI, short_message=b"\x06\x08\x04\x00\x01\x03\x02" + b"x" * 200),
        SubmitSm(short_message=b"x" * 200, tlvs=SAR),
        SubmitSm(tlvs=payload(b"x" * 300) + SAR),
    ],
)
def test_a_part_is_not_split_again(how: LongMessages, part: SubmitSm) -> None:
    (pdu,) = shaped(part, Wants(long_messages=how))
    assert pdu.short_message == part.short_message
    assert tlv.parse(pdu.tlvs) == tlv.parse(part.tlvs)


def test_a_message_that_calls_itself_the_only_part_is_split() -> None:
    only = [(Tag.SAR_MSG_REF_NUM, b"\0\1"), (Tag.SAR_TOTAL_SEGMENTS, b"\1"), (Tag.SAR_SEGMENT_SEQNUM, b"\1")]
    parts = shaped(SubmitSm(tlvs=payload(b"x" * 200, *only)), Wants(long_messages="udh8"))
    assert [(len(pdu.short_message), pdu.tlvs) for pdu in parts] == [(159, b""), (53, b"")]


def test_more_than_255_parts_are_refused() -> None:
    with pytest.raises(PduError) as refused:
        shaped(SubmitSm(tlvs=payload(b"x" * 60_000)), Wants(long_messages="udh8"))
    assert refused.value.status is Status.RINVMSGLEN


def test_two_texts_in_one_message_are_left_to_the_smsc() -> None:
    both = SubmitSm(short_message=b"hi", tlvs=payload(b"x" * 200))
    assert shaped(both, Wants(long_messages="udh8")) == [both]
    with pytest.raises(PduError) as refused:
        shaped(both, Wants(interface_version="3.3"))
    assert refused.value.status is Status.ROPTPARNOTALLWD
    with pytest.raises(PduError) as too_long:
        shaped(both._replace(short_message=b"[" * 200), Wants(), "latin1")
    assert too_long.value.status is Status.RINVMSGLEN


# Optional parameters


def test_the_connectors_parameters_are_added_where_the_message_lacks_them() -> None:
    wants = Wants(tlvs={0x1400: b"v", 0x1401: b"w"})
    (pdu,) = shaped(SubmitSm(short_message=b"hi"), wants)
    assert pdu.tlvs == tlv.encode([(0x1400, b"v"), (0x1401, b"w")])
    (pdu,) = shaped(SubmitSm(short_message=b"hi", tlvs=tlv.encode([(0x1401, b"own")])), wants)
    assert pdu.tlvs == tlv.encode([(0x1401, b"own"), (0x1400, b"v")])


@pytest.mark.parametrize("how", [*SPLITS, "payload"])
def test_the_connectors_parameters_are_added_to_every_part(how: LongMessages) -> None:
    for pdu in shaped(SubmitSm(short_message=b"x" * 200), Wants(long_messages=how, tlvs={0x1400: b"v"})):
        assert tlv.find(pdu.tlvs, 0x1400) == b"v"


# Version 3.3


@pytest.mark.parametrize("how", WAYS)
def test_version_3_3_gets_no_optional_parameters(how: LongMessages) -> None:
    wants = Wants(long_messages=how, interface_version="3.3", tlvs={0x1400: b"v"})
    sent = SubmitSm(short_message=b"hi", tlvs=tlv.encode([(Tag.SOURCE_PORT, b"\0\1")]))
    assert shaped(sent, wants) == [SubmitSm(short_message=b"hi")]
    assert shaped(SubmitSm(tlvs=payload(b"hi")), wants) == [SubmitSm(short_message=b"hi")]
    parts = shaped(SubmitSm(tlvs=payload(b"x" * 300)), wants)
    assert [pdu.tlvs for pdu in parts] == [b"", b""]
    assert joined(parts) == b"x" * 300


def test_an_over_long_short_message_goes_to_version_3_3_as_it_is() -> None:
    sent = SubmitSm(short_message=b"x" * 200)
    assert shaped(sent, Wants(interface_version="3.3")) == [sent]
    assert len(shaped(sent, Wants(interface_version="3.3", long_messages="payload"))) == 2


def test_a_part_numbered_by_sar_is_numbered_by_a_header_for_version_3_3() -> None:
    wants = Wants(interface_version="3.3")
    (pdu,) = shaped(SubmitSm(short_message=b"hi", tlvs=SAR), wants)
    assert pdu == SubmitSm(esm_class=UDHI, short_message=b"\x05\x00\x03\x34\x03\x02hi")
    (pdu,) = shaped(SubmitSm(esm_class=UDHI, short_message=PORTS + b"hi", tlvs=SAR), wants)
    assert pdu.short_message == b"\x0b\x00\x03\x34\x03\x02" + PORTS[1:] + b"hi"
    twice = SubmitSm(esm_class=UDHI, short_message=b"\x05\x00\x03\x01\x03\x02hi", tlvs=SAR)
    assert shaped(twice, wants) == [twice._replace(tlvs=b"")]


def test_a_part_that_version_3_3_has_no_room_for_is_refused() -> None:
    for sent in (
        SubmitSm(tlvs=payload(b"x" * 300) + SAR),
        SubmitSm(esm_class=UDHI, tlvs=payload(b"\x05\x00\x03\x01\x03\x02" + b"x" * 300)),
        SubmitSm(esm_class=UDHI, short_message=b"\xfc\x70\xfa" + b"x" * 251, tlvs=SAR),
    ):
        with pytest.raises(PduError) as refused:
            shaped(sent, Wants(interface_version="3.3"))
        assert refused.value.status is Status.RINVMSGLEN


# Laws

TEXTS = st.one_of(
    st.text(st.sampled_from("abc @àé€[]{}^\\ΔΩß"), max_size=700),
    st.text(st.characters(codec="utf-16"), max_size=300),
    st.text(st.sampled_from("a漢😀"), max_size=300),
)
OTHERS = st.dictionaries(st.sampled_from([0x1400, 0x1401, Tag.USSD_SERVICE_OP]), st.binary(min_size=1, max_size=1))


@st.composite
def written(draw: st.DrawFn) -> tuple[str, int, str, bytes]:
    """A text, and how some account wrote it: its data_coding, the account's encoding, the octets."""
    said, encoding = draw(TEXTS), draw(st.sampled_from(ENCODINGS))
    data_coding = draw(st.sampled_from([0, 0, 3, 8, 0x18]))
    try:
        return said, data_coding, encoding, text.encode(said, data_coding, encoding)
    except UnicodeEncodeError:
        return said, 8, encoding, text.encode(said, 8, encoding)


class Case(NamedTuple):
    """A text, where it is in the submit, and what else is there."""

    message: tuple[str, int, str, bytes]
    headed: bool
    inside: bool
    others: dict[int, bytes]

    def submit(self) -> SubmitSm:
        _, data_coding, _, octets = self.message
        octets = (PORTS if self.headed else b"") + octets
        inside = self.inside or len(octets) > 254
        return SubmitSm(
            b"", 1, 1, b"8190", 1, 1, b"8180", UDHI if self.headed else 0, 0, 1, b"", b"", 1, 0, data_coding, 0,
            b"" if inside else octets,
            payload(octets, *self.others.items()) if inside else tlv.encode(self.others.items()),
        )  # fmt: skip


CASES = st.builds(Case, written(), st.booleans(), st.booleans(), OTHERS)
WORDS = st.builds(
    Wants, st.sampled_from(ENCODINGS), st.just(False), st.sampled_from(WAYS), st.sampled_from(["3.3", "3.4", "5.0"]),
    OTHERS,
)  # fmt: skip


@given(CASES, WORDS, st.integers(0, 0xFFFF))
def test_what_is_said_is_what_is_read(case: Case, wants: Wants, reference: int) -> None:
    said, data_coding, encoding, _ = case.message
    parts = tried(case.submit(), wants, encoding, reference)
    if isinstance(parts, Status):
        assert parts is Status.RSUBMITFAIL
        with pytest.raises(UnicodeEncodeError):
            text.encode(said, 0, wants.encoding)
        return
    whole = joined(parts)
    assert whole is not None
    assert text.decode(whole, data_coding, wants.encoding) == said


@given(CASES, WORDS)
def test_every_part_says_all_that_the_message_said(case: Case, wants: Wants) -> None:
    sent = case.submit()
    parts = tried(sent, wants, case.message[2])
    assume(not isinstance(parts, Status))
    assert isinstance(parts, list)
    both = {**wants.tlvs, **case.others}
    for pdu in parts:
        assert pdu[:7] + pdu[8:15] == sent[:7] + sent[8:15]
        values = tlv.parse(pdu.tlvs)
        if wants.interface_version == "3.3":
            assert not values
        else:
            assert {tag: values[tag] for tag in both} == both


@given(CASES, WORDS, st.sampled_from(SPLITS))
def test_every_part_fits_one_short_message(case: Case, wants: Wants, how: LongMessages) -> None:
    wants = replace(wants, long_messages=how)
    parts = tried(case.submit(), wants, case.message[2])
    assume(not isinstance(parts, Status))
    assert isinstance(parts, list)
    data_coding = case.message[1]
    septets = text.alphabet(data_coding, wants.encoding).septets
    for pdu in parts:
        values = tlv.parse(pdu.tlvs)
        assert PAYLOAD not in values
        header = len(pdu.short_message) - len(udh.text_of(pdu.esm_class, pdu.short_message))
        taken = -(-header * 8 // 7) if septets else header
        units = text.units(pdu.short_message[header:], data_coding, wants.encoding)
        assert taken + units <= (160 if septets else 140)


FIELDS = st.builds(
    SubmitSm, st.just(b"CMT"), OCTET, OCTET, ADDRESS, OCTET, OCTET, ADDRESS, OCTET, OCTET, OCTET, st.just(b""),
    st.sampled_from([b"", b"000001000000000R"]), OCTET, OCTET, OCTET, OCTET, st.binary(max_size=255),
    st.lists(
        st.one_of(
            st.tuples(st.just(PAYLOAD), st.binary(max_size=600)),
            st.sampled_from(list(tlv.walk(SAR))),
            st.tuples(st.integers(0x1400, 0x3FFF), st.binary(max_size=9)),
        ),
        max_size=5,
    ).map(tlv.encode),
)  # fmt: skip
WANTS = st.builds(
    Wants, st.sampled_from(ENCODINGS), st.booleans(), st.sampled_from(WAYS), st.sampled_from(["3.3", "3.4", "5.0"]),
    st.dictionaries(st.integers(0x1400, 0x1402), st.binary(max_size=4), max_size=2), st.one_of(st.builds(Rules), RULES),
)  # fmt: skip


@given(FIELDS, WANTS, st.sampled_from(ENCODINGS), st.integers(0, 1 << 32))
def test_any_message_is_written_or_refused(sent: SubmitSm, wants: Wants, encoding: str, reference: int) -> None:
    body, shape = encode_submit(sent), Shape(wants)
    found = tried(sent, wants, encoding, reference)
    if isinstance(found, Status):
        assert not shape.plain(encoding)
        assert found in (Status.RSUBMITFAIL, Status.RINVMSGLEN, Status.RINVDSTADR, Status.ROPTPARNOTALLWD)
        return
    bodies = shape.bodies(body, encoding, reference)
    assert 1 <= len(bodies) <= 255
    for pdu in map(decode_submit, bodies):
        assert not (wants.interface_version == "3.3" and pdu.tlvs)
    if shape.plain(encoding):
        assert bodies == [body]


@given(FIELDS, WANTS)
def test_what_is_written_for_a_connector_is_not_changed_again(sent: SubmitSm, wants: Wants) -> None:
    assume(not wants.addresses.national_prefix)
    sent = sent._replace(source_addr=sent.source_addr.lstrip(b"+"), destination_addr=sent.destination_addr.lstrip(b"+"))
    found = tried(sent, wants, wants.encoding)
    for pdu in [] if isinstance(found, Status) else found:
        (again,) = shaped(pdu, wants, wants.encoding, 8)
        assert again[:16] == pdu[:16]
        assert tlv.parse(again.tlvs) == tlv.parse(pdu.tlvs)


@pytest.mark.parametrize("how", SPLITS)
def test_all_parts_but_the_last_say_that_more_will_follow_where_that_is_wanted(how: LongMessages) -> None:
    wants = Wants(long_messages=how, more_messages=True, tlvs={0x1401: b"x"})
    pieces = shaped(SubmitSm(short_message=b"a" * 254), wants)
    assert [tlv.find(piece.tlvs, Tag.MORE_MESSAGES_TO_SEND) for piece in pieces] == [b"\1", None]
    assert {tlv.find(piece.tlvs, 0x1401) for piece in pieces} == {b"x"}


def test_nobody_hears_of_more_messages_in_version_3_3() -> None:
    wants = Wants(long_messages="udh8", more_messages=True, interface_version="3.3")
    assert {piece.tlvs for piece in shaped(SubmitSm(short_message=b"a" * 254), wants)} == {b""}
