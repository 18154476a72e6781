"""A request of a carrier that is described in the config: compiled at the start, filled for each message."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape as escape_xml

from smppgw.carriers.client import Client, Reply
from smppgw.carriers.placeholders import Fields, Filled, Values, Words
from smppgw.carriers.template_settings import Escape, Request

_CONTROLS = dict.fromkeys((*range(32), 127), " ")
"""No value of a message makes a header of its own."""


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _plain(text: str) -> str:
    return text.translate(_CONTROLS)


_ESCAPES: dict[Escape, Callable[[str], str]] = {
    "none": str,
    "xml": lambda text: escape_xml(text, {'"': "&quot;", "'": "&apos;"}),
    "json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
}


class Prepared:
    """`name` is the table's, for errors. Raises Wrong for what cannot be compiled."""

    def __init__(self, name: str, request: Request, placeholders: Collection[str], secrets: Mapping[str, str]) -> None:
        def words(escape: Callable[[str], str]) -> Words:
            return Words(placeholders, {key: escape(secret) for key, secret in secrets.items()})

        plain, quoted, bare = words(str), words(_quoted), words(_plain)
        self._escape = _ESCAPES[request.escape]
        escaped = words(self._escape)
        self._method = request.method
        self._path: Filled = quoted.text(request.path, f"{name}.path")
        self._query: Fields = plain.fields(request.query, f"{name}.query")
        self._headers: Fields = bare.fields(request.headers, f"{name}.headers")
        self._form: Fields = plain.fields(request.form, f"{name}.form")
        self._json = plain.json(request.json_body, f"{name}.json_body") if request.json_body else None
        self._text: Filled | None = escaped.text(request.text_body, f"{name}.text_body") if request.text_body else None
        self.used = plain.used | quoted.used | bare.used | escaped.used
        """The placeholders that it needs."""

    async def ask(self, client: Client, values: Values, headers: Mapping[str, str]) -> Reply:
        """With these headers beside its own, which win. Raises Unsent or Unanswered."""
        path = self._path(_each(_quoted, values)) if self._path.names else self._path(values)
        if query := self._query(values):
            path += f"?{urlencode(query)}"
        own = self._headers(values)
        if own:
            headers = {**headers, **(_each(_plain, own) if self._headers.varies else own)}
        more: dict[str, Any] = {}
        if self._json is not None:
            more["json"] = self._json(values)
        elif self._text is not None:
            more["body"] = self._text(_each(self._escape, values)).encode()
        elif form := self._form(values):
            more["form"] = form
        return await client.request(self._method, path, headers=headers, **more)


def _each(change: Callable[[str], str], values: Values) -> dict[str, str]:
    return {name: change(value) for name, value in values.items()}
