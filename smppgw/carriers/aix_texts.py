"""Measure, check and cut texts as AIX does."""

from collections.abc import Callable, Iterator
from typing import Final, Literal

OPT_OUT: Final = "https://ai9.jp/0PT0UT"
"""AIX puts an address of the recipient's own in its place: it is never cut in two."""

SHORT: Final = 70
"""Characters of `message` in the older generations, for every carrier that has no body of its own."""
PIECE: Final = 140
"""Octets of messageAu, messageAu2 ... messageAu10 in p11."""

Counted = Literal["both", "ucs2", "utf8"]


def longer(text: str, limit: int) -> bool:
    """A character above U+FFFF counts twice, as it does in UTF-16: how AIX counts it is not said."""
    size = len(text)
    return size > limit or (2 * size > limit and sum(map(_units, text)) > limit)


def short(text: str) -> str:
    """The beginning of it that fits in `message`."""
    return next(_cut(text, (_units,), SHORT), "")


def pieces(text: str, counted: Counted = "both") -> list[str]:
    """In which encoding p11 counts the octets of a piece is not said: "both" fits in either."""
    return list(_cut(text, _COUNTS[counted], PIECE))


_Count = Callable[[str], int]


def _units(character: str) -> int:
    return 1 if character <= "\uffff" else 2


def _ucs2(character: str) -> int:
    return 2 if character <= "\uffff" else 4


def _utf8(character: str) -> int:
    return 1 if character < "\x80" else 2 if character < "\u0800" else 3 if character <= "\uffff" else 4


_COUNTS: Final[dict[Counted, tuple[_Count, ...]]] = {"both": (_ucs2, _utf8), "ucs2": (_ucs2,), "utf8": (_utf8,)}


def _cut(text: str, counts: tuple[_Count, ...], limit: int) -> Iterator[str]:
    """As long pieces as every count allows, none of which ends inside the opt-out."""
    begin = 0
    while begin < len(text):
        end = min(_end(text, begin, count, limit) for count in counts)
        inside = text.find(OPT_OUT, max(begin, end - len(OPT_OUT) + 1), end + len(OPT_OUT) - 1)
        if begin < inside < end:
            end = inside
        yield text[begin:end]
        begin = end


def _end(text: str, begin: int, count: _Count, limit: int) -> int:
    for at in range(begin, len(text)):
        limit -= count(text[at])
        if limit < 0:
            return at
    return len(text)


# Characters

_SAME: Final = str.maketrans("\uff5e\u2225\uff0d\uffe0\uffe1\uffe2\u2015", "\u301c\u2016\u2212\u00a2\u00a3\u00ac\u2014")
"""Windows and JIS X 0208 read the same code as different characters, such as the wave dash: both have one."""


def outside_iso_2022_jp(text: str) -> str:
    """Its characters that ISO-2022-JP has no code for, each once."""
    if text.isascii() or _has_code(text):
        return ""
    return "".join(dict.fromkeys(character for character in text if not _has_code(character.translate(_SAME))))


def _has_code(text: str) -> bool:
    try:
        text.encode("iso2022_jp")
    except UnicodeEncodeError:
        return False
    return True


def named(characters: str) -> str:
    """The first few by their numbers, which tell nothing of the text."""
    return " ".join(f"U+{ord(character):04X}" for character in characters[:5])
