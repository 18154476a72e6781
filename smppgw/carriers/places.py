"""Where a value stands in a reply or in a notification, as a config writes it."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from smppgw.carriers.client import BadReply, Reply
from smppgw.values import Wrong, did_you_mean


class Said:
    """A reply to the message with this tag; its JSON is read once, and only if somebody asks."""

    __slots__ = ("_document", "reply", "tag")

    def __init__(self, reply: Reply, tag: str = "") -> None:
        self.reply = reply
        self.tag = tag
        self._document: tuple[Any] | None = None

    @property
    def document(self) -> Any:
        """None where the body is no JSON."""
        if self._document is None:
            try:
                self._document = (self.reply.json(),)
            except BadReply:
                self._document = (None,)
        return self._document[0]


Find = Callable[[Said], tuple[str, ...]]
"""The values that stand there; none: there is no such place."""

_FIX = 'write "json:path.to.id", "re:id=([0-9]+)", "header:X-Message-Id" or "tag"'


def place(text: str, field: str) -> Find:
    """Raises Wrong, with the field's name."""
    kind, _, what = text.partition(":")
    if text == "tag":
        return lambda said: (said.tag,)
    if kind not in {"json", "re", "header"}:
        raise Wrong(f"{field}: {text!r} is no place", f"{did_you_mean(kind, ('json', 're', 'header', 'tag'))} {_FIX}")
    if not what:
        raise Wrong(f"{field}: {text!r} names nothing", _FIX)
    if kind == "json":
        path = what.split(".")
        return lambda said: tuple(filter(None, map(word, _dig(said.document, path))))
    if kind == "header":
        return lambda said: tuple(filter(None, (said.reply.headers.get(what, "").strip(),)))
    try:
        pattern = re.compile(what)
    except re.error as error:
        raise Wrong(f"{field}: {what!r} is no regular expression: {error}", "correct it after 're:'") from None
    if pattern.groups != 1:
        raise Wrong(f"{field}: {what!r} has {pattern.groups} groups", "put the one that is meant in ( )")
    return lambda said: tuple(filter(None, pattern.findall(said.reply.body.decode("utf-8", "replace"))))


def values(document: Any, path: str) -> list[Any]:
    """What stands in a document under "a.b", "a.0.b" or, for each of a list, "a.*.b"; the document where the path is
    empty. A name may itself have dots in it."""
    if not path:
        return [document]
    if isinstance(document, dict) and path in document:
        return [document[path]]
    return _dig(document, path.split("."))


def value(document: Any, path: str) -> str:
    """The first that stands there, as a text; empty where nothing does."""
    if not path:
        return ""
    found = values(document, path)
    return word(found[0]) if found else ""


def word(found: Any) -> str:
    """A text, a number or a truth as a text; empty for what is none of them."""
    if isinstance(found, str):  # halves of surrogate pairs, which JSON can hold and UTF-8 cannot, become "?"
        return found if found.isascii() else found.encode("utf-8", "replace").decode()
    return json.dumps(found) if isinstance(found, (bool, int, float)) else ""


def _dig(document: Any, path: Sequence[str]) -> list[Any]:
    found = [document]
    for step in path:
        inner: list[Any] = []
        for each in found:
            if isinstance(each, dict) and step in each:
                inner.append(each[step])
            elif isinstance(each, list) and step == "*":
                inner.extend(each)
            elif isinstance(each, list) and step.isascii() and step.isdigit() and int(step[:9]) < len(each):
                inner.append(each[int(step[:9])])
        found = inner
    return found
