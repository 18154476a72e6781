"""Texts as octets: the alphabets that data_coding names, and the room their characters take."""

# ruff: noqa: RUF001 - look-alikes of ASCII are what the table of `transliterate` is about.

import re
import unicodedata
from codecs import charmap_decode, charmap_encode
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from aiosmpplib.codec import GSM_BASIC_DECODE_MAP, GSM_EXTENDED_DECODE_MAP

from protocol.consts import DataCoding

DEFAULTS: Final = ("gsm0338", "latin1", "ascii")
"""What an SMSC's default alphabet (data_coding 0) may be: the values of every argument called `default` here."""

SHORT_MESSAGE: Final = 140
"""Octets of user data in one short message on the air (GSM 03.40)."""

_ESCAPE = 0x1B
_BASIC: dict[int, str] = dict(GSM_BASIC_DECODE_MAP)
_EXTENDED: dict[int, str] = dict(GSM_EXTENDED_DECODE_MAP)

# U+FFFE marks an octet without a character (the convention of codecs.charmap_decode).
_DECODING = "".join((_BASIC | {_ESCAPE: "\x1b"}).get(octet, "\ufffe") for octet in range(256))
_ENCODING: dict[int, int | bytes] = {ord(char): octet for octet, char in _BASIC.items()} | {
    ord(char): bytes((_ESCAPE, octet)) for octet, char in _EXTENDED.items()
}
# By the basic character of the octet after the escape; a second escape is shown as a space (GSM 03.38, 6.2.1.1).
_AFTER_ESCAPE = {_BASIC[octet]: char for octet, char in _EXTENDED.items()} | {"": "\ufffd", "\x1b": " "}
_ESCAPED = re.compile("\x1b(.?)", re.DOTALL)
_NOT_GSM = re.compile(f"[^{re.escape(''.join(_BASIC.values()) + ''.join(_EXTENDED.values()))}]")

_DOUBLE = "".join(_EXTENDED.values()).encode("latin-1", "ignore")
_NOT_DOUBLE = bytes(set(range(256)) - set(_DOUBLE))
"""Latin-1 octets that are one septet on the air; the others are two."""


class Keep(NamedTuple):
    """What a cut through the octets of an alphabet must not tear apart."""

    what: Literal["nothing", "escapes", "doubles", "pairs", "characters"]
    lead: frozenset[int] = frozenset()
    """First octets of two-octet characters."""


NOTHING = Keep("nothing")
ESCAPES = Keep("escapes")
DOUBLES = Keep("doubles")
PAIRS = Keep("pairs")


class Alphabet(NamedTuple):
    """How a text in one data_coding is read, written, measured and cut."""

    decode: Callable[[bytes], str]
    encode: Callable[[str], bytes]
    septets: bool
    """The air carries septets, though SMPP carries octets: 160 of them in one short message."""
    keep: Keep


def _decode_gsm(octets: bytes) -> str:
    text = charmap_decode(octets, "replace", _DECODING)[0]
    if "\x1b" not in text:
        return text
    # A code that the extension table lacks is shown as its basic character (GSM 03.38, 6.2.1.1).
    return _ESCAPED.sub(lambda found: _AFTER_ESCAPE.get(found[1], found[1]), text)


def _encode_gsm(text: str) -> bytes:
    return charmap_encode(text, "strict", _ENCODING)[0]


def _by_codec(name: str, septets: bool = False, keep: Keep = NOTHING) -> Alphabet:
    def decode(octets: bytes) -> str:
        return octets.decode(name, "replace")

    def encode(text: str) -> bytes:
        return text.encode(name)

    return Alphabet(decode, encode, septets, keep)


_GSM = Alphabet(_decode_gsm, _encode_gsm, True, ESCAPES)
_OCTETS = _by_codec("latin-1")
_UCS2 = _by_codec("utf-16-be", keep=PAIRS)
_SHIFT_JIS = Keep("characters", frozenset([*range(0x81, 0xA0), *range(0xE0, 0xFD)]))
_EUC = Keep("characters", frozenset(range(0xA1, 0xFF)))

_DEFAULT: dict[str, Alphabet] = {
    "gsm0338": _GSM,
    "latin1": _by_codec("latin-1", septets=True, keep=DOUBLES),
    "ascii": _by_codec("ascii", septets=True, keep=DOUBLES),
}
_NAMED: dict[int, Alphabet] = {
    DataCoding.ASCII: _DEFAULT["ascii"],
    DataCoding.LATIN1: _by_codec("latin-1"),
    DataCoding.JIS: _by_codec("shift_jis", keep=_SHIFT_JIS),
    DataCoding.CYRILLIC: _by_codec("iso8859-5"),
    DataCoding.HEBREW: _by_codec("iso8859-8"),
    DataCoding.UCS2: _UCS2,
    DataCoding.ISO_2022_JP: _by_codec("iso2022_jp"),
    DataCoding.EXTENDED_KANJI: _by_codec("iso2022_jp_1"),
    DataCoding.KS_C_5601: _by_codec("euc_kr", keep=_EUC),
}


def _of_group(dcs: int) -> Alphabet:
    """The alphabet bits of a GSM data coding scheme (GSM 03.38, 4); what is compressed or reserved is binary."""
    if dcs >= 0xF0:
        return _OCTETS if dcs & 0x04 else _GSM
    if dcs >= 0xC0:
        return _UCS2 if dcs >= 0xE0 else _GSM
    if dcs >= 0x80 or dcs & 0x20:
        return _OCTETS
    return (_GSM, _OCTETS, _UCS2, _OCTETS)[dcs >> 2 & 3]


_ALPHABETS: dict[str, tuple[Alphabet, ...]] = {
    default: (
        alphabet,
        *(_NAMED.get(coding, _OCTETS) for coding in range(0x01, 0x10)),
        *(_of_group(coding) for coding in range(0x10, 0x100)),
    )
    for default, alphabet in _DEFAULT.items()
}


def alphabet(data_coding: int, default: str = "gsm0338") -> Alphabet:
    """Only data_coding 0 depends on `default`; a coding that nobody defined is binary."""
    return _ALPHABETS[default][data_coding]


def is_binary(data_coding: int) -> bool:
    """It stands for octets without characters, or for nothing that anybody defined."""
    return _ALPHABETS["gsm0338"][data_coding] is _OCTETS


def decode(octets: bytes, data_coding: int, default: str = "gsm0338") -> str:
    """Never raises: what the alphabet lacks becomes U+FFFD. Binary becomes Latin-1, octet by octet."""
    return _ALPHABETS[default][data_coding].decode(octets)


def encode(text: str, data_coding: int, default: str = "gsm0338") -> bytes:
    """Raises UnicodeEncodeError; its object[start] is the first character that does not fit."""
    return _ALPHABETS[default][data_coding].encode(text)


def choose(text: str) -> DataCoding:
    """The cheapest coding that loses nothing: DEFAULT where GSM 03.38 holds every character, else UCS2."""
    return DataCoding.UCS2 if _NOT_GSM.search(text) else DataCoding.DEFAULT


def recode(octets: bytes, from_default: str, to_default: str) -> bytes:
    """Octets for a peer whose default alphabet is another; what it lacks is written as in `transliterate`."""
    if from_default == to_default:
        return octets
    text = _DEFAULT[from_default].decode(octets)
    target = _DEFAULT[to_default].encode
    try:
        return target(text)
    except UnicodeEncodeError:
        return b"".join(_nearest(char, target) for char in text)


def _nearest(char: str, target: Callable[[str], bytes]) -> bytes:
    for attempt in (char, _fold(char)):
        try:
            return target(attempt)
        except UnicodeEncodeError:
            continue
    return b"?"


_FOLDED: dict[str, str] = {
    **dict.fromkeys("‘’‚‛′‵`´ʹʻʼʽˈ", "'"),
    **dict.fromkeys("“”„‟″«»〝〞", '"'),
    **dict.fromkeys("‹", "<"),
    **dict.fromkeys("›", ">"),
    **dict.fromkeys("−⁃", "-"),
    **dict.fromkeys("•·∙●▪", "*"),
    **dict.fromkeys("\t\x0b\x85\u2028\u2029", " "),
    "…": "...", "⁄": "/", "×": "x", "÷": "/", "±": "+/-", "≤": "<=", "≥": ">=", "≠": "!=",
    "©": "(c)", "®": "(R)", "™": "TM", "°": "o", "¢": "c", "¦": "|", "¬": "-", "¶": "", "€": "EUR",
    "Œ": "OE", "œ": "oe", "Ð": "D", "ð": "d", "Đ": "D", "đ": "d", "Þ": "Th", "þ": "th", "Ł": "L", "ł": "l",
    "Ħ": "H", "ħ": "h", "ı": "i", "ĸ": "k", "Ŋ": "N", "ŋ": "n", "Ŧ": "T", "ŧ": "t", "ẞ": "SS", "ƒ": "f",
    "Ə": "E", "ə": "e", "Ø": "O", "ø": "o", "Æ": "AE", "æ": "ae", "ß": "ss", "£": "GBP", "¥": "JPY",
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True)),
    "ς": "Σ",
}  # fmt: skip
"""Characters that no Unicode decomposition turns into what a person would write instead."""


def _fold(char: str) -> str:
    """What a person with fewer keys would write for it; "?" where nobody knows, "" for what is invisible."""
    if char in _FOLDED:
        return _FOLDED[char]
    plain = unicodedata.normalize("NFKD", char)
    if plain != char:
        return "".join(part if ord(part) < 0x80 or _is_gsm(part) else _fold(part) for part in plain)
    category = unicodedata.category(char)
    if category in ("Mn", "Me", "Cf"):
        return ""
    if category in ("Pd", "Zs"):
        return "-" if category == "Pd" else " "
    if "α" <= char <= "ω":
        return char.upper()
    return "?"


def _is_gsm(char: str) -> bool:
    return ord(char) in _ENCODING


class _ToGsm(dict[int, str]):
    """A table for str.translate that works out what it does not hold, and forgets it again."""

    def __missing__(self, code: int) -> str:
        return "".join(part if _is_gsm(part) else _FOLDED.get(part, "?") for part in _fold(chr(code)))


_TO_GSM = _ToGsm({code: chr(code) for code in _ENCODING})


def transliterate(text: str) -> str:
    """The same text as well as GSM 03.38 can write it; a text that fits already comes back as it is."""
    if not _NOT_GSM.search(text):
        return text
    return unicodedata.normalize("NFC", text).translate(_TO_GSM)


def units(octets: bytes, data_coding: int, default: str = "gsm0338") -> int:
    """Septets or octets that the text (without its user data header) takes on the air; compare with `limit`."""
    if _ALPHABETS[default][data_coding].keep is DOUBLES:
        return len(octets) + len(octets.translate(None, _NOT_DOUBLE))
    return len(octets)


def limit(data_coding: int, default: str = "gsm0338", header: int = 0) -> int:
    """Most `units` in one short message beside `header` octets of user data header.

    Septets: 160, or 153 and 152 in a part (header 6 and 7); octets: 140, 134, 133; UCS-2: 140, 134, 132 octets, which
    are 70, 67, 66 characters.
    """
    alphabet = _ALPHABETS[default][data_coding]
    room = max(SHORT_MESSAGE - header, 0)
    if alphabet.septets:
        return room * 8 // 7
    return room & ~1 if alphabet.keep is PAIRS else room
