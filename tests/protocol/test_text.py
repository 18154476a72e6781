"""Texts as octets."""

# ruff: noqa: RUF001 - look-alikes of ASCII are what transliteration is about.

import contextlib

import pytest
from aiosmpplib.codec import GSM7BitCodec
from hypothesis import given
from hypothesis import strategies as st

from protocol import text
from protocol.consts import DataCoding

ORACLE = GSM7BitCodec()
GSM = "".join(text._BASIC.values()) + "".join(text._EXTENDED.values())
GSM_TEXT = st.text(st.sampled_from(GSM))
CODINGS = st.integers(0, 255)
DEFAULT = st.sampled_from(text.DEFAULTS)


@given(GSM_TEXT)
def test_every_gsm_text_is_written_and_read_as_the_oracle_does(said: str) -> None:
    octets = text.encode(said, DataCoding.DEFAULT)
    assert octets == ORACLE.encode(said)[0]
    assert text.decode(octets, DataCoding.DEFAULT) == ORACLE.decode(octets)[0] == said


@given(st.text())
def test_gsm_is_chosen_exactly_where_the_oracle_holds_the_text(said: str) -> None:
    expected = DataCoding.DEFAULT if ORACLE.is_gsm_text(said) else DataCoding.UCS2
    assert text.choose(said) is expected


@given(st.text())
def test_the_chosen_coding_loses_nothing(said: str) -> None:
    coding = text.choose(said)
    assert text.decode(text.encode(said, coding), coding) == said


@given(st.binary(), CODINGS, DEFAULT)
def test_reading_never_raises(octets: bytes, coding: int, default: str) -> None:
    text.decode(octets, coding, default)


@given(st.text(), CODINGS, DEFAULT)
def test_what_can_be_written_is_read_back(said: str, coding: int, default: str) -> None:
    with contextlib.suppress(UnicodeEncodeError):
        octets = text.encode(said, coding, default)
        back = text.decode(octets, coding, default)
        # Shift-JIS writes the yen sign and the overline as backslash and tilde.
        assert back == (said.translate({0xA5: "\\", 0x203E: "~"}) if coding == DataCoding.JIS else said)


@given(st.binary())
def test_binary_goes_through_a_text_unharmed(octets: bytes) -> None:
    for coding in (DataCoding.OCTETS, DataCoding.OCTETS_1, 0xF4, 0xF5):
        assert text.encode(text.decode(octets, coding), coding) == octets


def test_the_character_that_does_not_fit_is_named() -> None:
    with pytest.raises(UnicodeEncodeError) as caught:
        text.encode("10 € {č}", DataCoding.DEFAULT)
    assert caught.value.object[caught.value.start] == "č"


@pytest.mark.parametrize("char", ["`", "\x1b", "ç", "\ufffe", "\ufffd", "😀", "\x80"])
def test_what_gsm_lacks_is_refused(char: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        text.encode(char, DataCoding.DEFAULT)


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (b"\x1b", "\ufffd"),  # cut behind the escape
        (b"a\x80b\xff", "a\ufffdb\ufffd"),  # no septets
        (b"\x1ba", "a"),  # not in the extension table: its basic character
        (b"\x1b\x1be", " e"),  # reserved
        (b"\x1be", "€"),
        (b"\x1b\x0a", "\x0c"),
    ],
)
def test_broken_gsm_is_shown_as_well_as_it_can_be(octets: bytes, shown: str) -> None:
    assert text.decode(octets, DataCoding.DEFAULT) == shown


@pytest.mark.parametrize(
    ("octets", "coding", "shown"),
    [
        (b"\x00@\xd8\x3d\xde\x00", DataCoding.UCS2, "@😀"),
        (b"\x00A\x00", DataCoding.UCS2, "A\ufffd"),
        (b"\xd8\x3d\x00A", DataCoding.UCS2, "\ufffdA"),
        (b"\xe9", DataCoding.LATIN1, "é"),
        (b"\xe9", DataCoding.ASCII, "\ufffd"),
        (b"\xbf\xe0", DataCoding.CYRILLIC, "Пр"),
        (b"\xf9\xe5", DataCoding.HEBREW, "שו"),
        (b"\x83e", DataCoding.JIS, "テ"),
        (b"\x1b$B%F\x1b(B", DataCoding.ISO_2022_JP, "テ"),
        (b"\xc7\xd1", DataCoding.KS_C_5601, "한"),
        (b"\x00", 0xF0, "@"),  # class 0, GSM
        (b"\x00", 0x10, "@"),
        (b"\x00A", 0x18, "A"),  # class 0, UCS-2: a flash message
        (b"\x00A", 0xE0, "A"),  # message waiting, UCS-2
        (b"\x00", 0xC0, "@"),  # message waiting, GSM
        (b"\x00", 0xF5, "\x00"),  # 8-bit
        (b"\xe9", 0x0F, "é"),  # reserved
    ],
)
def test_each_data_coding_has_its_alphabet(octets: bytes, coding: int, shown: str) -> None:
    assert text.decode(octets, coding) == shown


@pytest.mark.parametrize(("default", "shown"), [("gsm0338", "@"), ("latin1", "\x00"), ("ascii", "\x00")])
def test_data_coding_0_is_what_the_smsc_says(default: str, shown: str) -> None:
    assert text.decode(b"\x00", DataCoding.DEFAULT, default) == shown


@given(st.text())
def test_every_transliteration_fits_gsm(said: str) -> None:
    assert text.choose(text.transliterate(said)) is DataCoding.DEFAULT


@given(GSM_TEXT)
def test_what_fits_gsm_is_not_transliterated(said: str) -> None:
    assert text.transliterate(said) == said


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("“Curly” ‘quotes’ – and — dashes…", "\"Curly\" 'quotes' - and - dashes..."),
        ("Příliš žluťoučký kůň", "Prilis zlutoucky kun"),
        ("château à 5 €", "chateau à 5 €"),
        ("cafe\u0301", "café"),
        ("Łódź, İstanbul, þorn, œuvre", "Lodz, Istanbul, thorn, oeuvre"),
        ("ΑΘΗΝΑ αθηνα", "AΘHNA AΘHNA"),
        ("no\u00a0break\u200b", "no break"),
        ("½ №5 ﬁne ™", "1/2 No5 fine TM"),
        ("`tick´", "'tick'"),
        ("привет 😀", "?????? ?"),
    ],
)
def test_people_can_read_a_transliteration(said: str, written: str) -> None:
    assert text.transliterate(said) == written


@given(st.binary(), DEFAULT, DEFAULT)
def test_recoding_never_raises(octets: bytes, source: str, target: str) -> None:
    text.recode(octets, source, target)


@given(st.text(st.characters(max_codepoint=127)))
def test_recoding_loses_nothing_that_both_alphabets_have(said: str) -> None:
    if text.choose(said) is DataCoding.DEFAULT:
        octets = text.encode(said, DataCoding.DEFAULT)
        assert text.recode(text.recode(octets, "gsm0338", "latin1"), "latin1", "gsm0338") == octets


@pytest.mark.parametrize(
    ("octets", "source", "target", "expected"),
    [
        (b"\x00\x04\x1b(", "gsm0338", "latin1", "@è{".encode("latin-1")),
        (b"5 \x1be \x10", "gsm0338", "latin1", b"5 EUR ?"),
        (b"\xe7a va", "latin1", "gsm0338", b"ca va"),
        (b"\x05t\x05", "gsm0338", "ascii", b"ete"),
    ],
)
def test_recoding_writes_what_the_other_alphabet_has(octets: bytes, source: str, target: str, expected: bytes) -> None:
    assert text.recode(octets, source, target) == expected


@pytest.mark.parametrize(
    ("coding", "room"),
    [
        (0x00, (160, 153, 152)),
        (0x01, (160, 153, 152)),
        (0xF0, (160, 153, 152)),
        (0x03, (140, 134, 133)),
        (0x04, (140, 134, 133)),
        (0xF5, (140, 134, 133)),
        (0x08, (140, 134, 132)),  # 70, 67, 66 characters
        (0x18, (140, 134, 132)),
    ],
)
def test_the_room_is_that_of_the_specification(coding: int, room: tuple[int, int, int]) -> None:
    assert tuple(text.limit(coding, header=header) for header in (0, 6, 7)) == room


def test_a_header_that_fills_the_message_leaves_nothing() -> None:
    assert text.limit(0, header=140) == text.limit(8, header=200) == 0


@given(st.text(st.sampled_from("".join(set(GSM) & set(map(chr, range(256)))))))
def test_a_text_takes_the_same_room_whatever_the_default_alphabet(said: str) -> None:
    septets = len(text.encode(said, DataCoding.DEFAULT))
    assert text.units(text.encode(said, 0), 0) == septets
    assert text.units(text.encode(said, 0, "latin1"), 0, "latin1") == septets
