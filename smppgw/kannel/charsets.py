"""Read and write texts in the charsets that Kannel's files and its applications name."""

import codecs
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
    name = charset.strip().lower()
    if name in _GSM:
        return None
    try:
        found = codecs.lookup(_OTHER_NAMES.get(name, name))
    except ValueError:  # a NUL
        raise LookupError(f"{charset!r} is no charset") from None
    if not found._is_text_encoding:  # Python has more under the names of codecs than charsets
        raise LookupError(f"{charset} is no charset")
    return found.name
