"""Read HTML and WML as the text that an SMS can say."""

import html.entities
import re

_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<(?:[^>\"']|\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z))*>?", re.DOTALL)
_ENTITY = re.compile(r"&(?:#([0-9]{1,7});?|#[xX]([0-9a-fA-F]{1,6});?|([A-Za-z][A-Za-z0-9]*;))")
_BLANKS = re.compile(r"[ \t-\r]([ \t-\r]*)")
_BLANK = " \t\n\v\f\r"


def strip_tags(markup: str) -> str:
    """What is left of HTML or WML in an SMS."""
    text = _ENTITY.sub(_entity, _TAG.sub("", markup))
    return _BLANKS.sub(_shrunk, text).strip(_BLANK)


def _shrunk(found: re.Match[str]) -> str:
    """Kannel keeps the second blank of two."""
    return " " + (found[1] if len(found[1]) == 1 else "")


def _entity(found: re.Match[str]) -> str:
    decimal, hexadecimal, name = found.groups()
    if name is not None:
        return html.entities.html5.get(name, found[0])
    code = int(decimal) if decimal is not None else int(hexadecimal, 16)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code < 0xE000 else ""
