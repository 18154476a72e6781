"""Read the regular expressions of Kannel's keys that end in -regex as Python's.

Its guide calls them POSIX's, but Debian's Kannel gives them to PCRE (its errors and its libraries say so): they are
nearly Python's already.
"""

import re
import warnings

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t\n\v\f\r",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_SAME = frozenset("dDwWsSbBAnrtfa0123456789")
"""What a backslash before them means is the same in both."""
_OTHER = {"z": r"\Z", "Z": r"(?=\n?\Z)", "h": r"[ \t]", "H": r"[^ \t]", "v": r"[\n-\r]", "V": r"[^\n-\r]",
          "R": r"(?:\r\n|[\n-\r])", "N": r"[^\n]", "e": r"\x1b"}  # fmt: skip
_IN_BRACKETS = {"h": r" \t", "v": r"\n-\r", "e": r"\x1b", "b": r"\x08"}
_NOT_HERE = frozenset("KGpPXCQEgk")
_INTERVAL = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}")
_HEX = re.compile(r"x(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{0,2}))")
_NAMED = re.compile(r"\(\?<(?=[A-Za-z_])")
_POSIX = re.compile(r"\[:(\^?)(\w*):\]")


def translate(pattern: str) -> str:
    """The same for `re.search`; raises ValueError when it is no expression, or has what only PCRE knows."""
    done: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            found, at = _escape(pattern, at + 1, _OTHER)
            done.append(found)
        elif char == "[":
            found, at = _bracket(pattern, at + 1)
            done.append(found)
        elif char == "{" and not _INTERVAL.match(pattern, at):
            done.append(r"\{")
            at += 1
        elif named := _NAMED.match(pattern, at):
            done.append("(?P<")
            at = named.end()
        else:
            done.append(char)
            at += 1
    result = "".join(done)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python may mean otherwise some day
            re.compile(result)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise ValueError(str(error)) from None
    return result


def _escape(pattern: str, at: int, others: dict[str, str]) -> tuple[str, int]:
    """What stands after a backslash, and where the rest begins."""
    if at == len(pattern):
        raise ValueError("a backslash ends it")
    char = pattern[at]
    if char in others:
        return others[char], at + 1
    if char in _SAME:
        return f"\\{char}", at + 1
    if char in _NOT_HERE:
        raise ValueError(f"\\{char} is known to PCRE alone")
    if hexadecimal := _HEX.match(pattern, at):
        number = int(hexadecimal[1] or hexadecimal[2] or "0", 16)
        if number > 0x10FFFF:
            raise ValueError(f"there is no character {number:#x}")
        return f"\\U{number:08x}", hexadecimal.end()
    return re.escape(char), at + 1


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    """What stands from after a [ to its ], and where the rest begins."""
    members = ["["]
    if pattern[at : at + 1] == "^":
        members.append("^")
        at += 1
    first = at
    while at < len(pattern):
        char = pattern[at]
        if char == "]" and at > first:
            return "".join(members) + "]", at + 1
        if named := _POSIX.match(pattern, at):
            if named[1] or named[2] not in _CLASSES:
                raise ValueError(f"there is no class {named[0]}")
            members.append(_CLASSES[named[2]])
            at = named.end()
        elif char == "\\":
            found, at = _escape(pattern, at + 1, _IN_BRACKETS)
            members.append(found)
        else:
            # Two of these in a row are kept for later in Python, but a hyphen has to stay one.
            members.append(f"\\{char}" if char in "[]&|~" else char)
            at += 1
    raise ValueError("a [ is not closed")
