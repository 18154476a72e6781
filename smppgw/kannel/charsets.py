"""Read and write texts in the charsets that Kannel's files and its applications name."""

from encodings import normalize_encoding
from encodings.aliases import aliases
from functools import lru_cache

from protocol import text

_GSM = frozenset({"gsm", "gsm0338", "gsm-0338", "gsm 03.38", "gsm 03.38-7bit"})
_OTHER_NAMES = {
    "ucs-2": "utf-16-le",  # iconv's order is that of the machine
    "ucs2": "utf-16-le",
    "ucs-2le": "utf-16-le",
    "ucs-2be": "utf-16-be",
    "utf16": "utf-16-be",
    "utf-16": "utf-16-be",
    "8-bit": "latin-1",
}
_CHARSETS = frozenset(
    {"ascii", "big5", "big5hkscs", "cp037", "cp1006", "cp1026", "cp1125", "cp1140", "cp1250", "cp1251", "cp1252",
     "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp273", "cp424", "cp437", "cp500", "cp720", "cp737",
     "cp775", "cp850", "cp852", "cp855", "cp856", "cp857", "cp858", "cp860", "cp861", "cp862", "cp863", "cp864",
     "cp865", "cp866", "cp869", "cp874", "cp875", "cp932", "cp949", "cp950", "euc_jis_2004", "euc_jisx0213", "euc_jp",
     "euc_kr", "gb18030", "gb2312", "gbk", "hp_roman8", "hz", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_2",
     "iso2022_jp_2004", "iso2022_jp_3", "iso2022_jp_ext", "iso2022_kr", "iso8859_1", "iso8859_10", "iso8859_11",
     "iso8859_13", "iso8859_14", "iso8859_15", "iso8859_16", "iso8859_2", "iso8859_3", "iso8859_4", "iso8859_5",
     "iso8859_6", "iso8859_7", "iso8859_8", "iso8859_9", "johab", "koi8_r", "koi8_t", "koi8_u", "kz1048", "latin_1",
     "mac_arabic", "mac_croatian", "mac_cyrillic", "mac_farsi", "mac_greek", "mac_iceland", "mac_latin2", "mac_roman",
     "mac_romanian", "mac_turkish", "ptcp154", "shift_jis", "shift_jis_2004", "shift_jisx0213", "tis_620", "utf_16",
     "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le", "utf_7", "utf_8"}
)  # fmt: skip
"""Python's codecs that are charsets. It has more under that name: punycode takes the square of a text's length,
undefined and idna fail without saying which octets, and others are files or escapes. It also remembers for good each
name that it was asked for, so it is asked for these alone."""
_LONGEST = 40
"""Characters of a name."""
_BOM = "\ufeff"


def decode(octets: bytes, charset: str, errors: str = "strict") -> str:
    """LookupError for a charset that is unknown, UnicodeDecodeError for octets that are none of its texts, unless
    `errors` says otherwise, as for bytes.decode."""
    name = _codec(charset)
    if name is None:
        return text.decode(octets, 0).replace("\ufffd", "")
    return octets.decode(name, errors).removeprefix(_BOM)


def encode(string: str, charset: str) -> bytes:
    """LookupError, or UnicodeEncodeError for a text that the charset has no octets for."""
    name = _codec(charset)
    return text.encode(string, 0) if name is None else string.encode(name)


@lru_cache(64)
def _codec(charset: str) -> str | None:
    """Python's name of it; None is the alphabet of GSM."""
    if len(charset) > _LONGEST:
        raise LookupError("a name that long is no charset")
    name = charset.strip().lower()
    if name in _GSM:
        return None
    name = normalize_encoding(_OTHER_NAMES.get(name, name))
    found = aliases.get(name) or aliases.get(name.replace(".", "_"), name)
    if found not in _CHARSETS:
        raise LookupError(f"{charset!r} is no charset")
    return found
