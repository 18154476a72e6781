"""Texts, fields and JSON with {placeholders} in them, compiled once and filled for each message."""

from collections.abc import Callable, Iterable, Mapping
from string import Formatter
from typing import Any

from smppgw.values import Wrong, did_you_mean

Values = Mapping[str, str]
"""What the placeholders of a message stand for, by name; all that are used must be there."""

_PARSE = Formatter().parse
_KINDS = ("number", "bool")


class Words:
    """What placeholders may be there: those that differ from message to message, and those that never do."""

    def __init__(self, names: Iterable[str], constants: Mapping[str, str]) -> None:
        self._names = frozenset(names)
        self._constants = constants
        self.used: set[str] = set()
        """Those of `names` that were met."""

    def text(self, template: str, field: str) -> "Filled":
        """Raises Wrong, with the field's name."""
        filled = self._compile(template, field)
        if filled.kind:
            raise Wrong(f"{field}: :{filled.kind} is for values in JSON", "leave it out")
        return filled

    def json(self, node: Any, field: str) -> Callable[[Values], Any]:
        """Makes the same with its strings filled. An entry of an object whose placeholders are all empty is left out.
        Raises Wrong, with the field's name."""
        match node:
            case str():
                return self._compile(node, field).value
            case bool() | int() | float():
                return lambda _values: node
            case list():
                makers = [self.json(inner, f"{field}[{number}]") for number, inner in enumerate(node)]
                return lambda values: [make(values) for make in makers]
            case dict():
                return self._object(node, field)
        raise Wrong(f"{field}: {node!r} has no form in JSON", "write text, a number, true, false, a list or a table")

    def _object(self, node: Mapping[str, Any], field: str) -> Callable[[Values], Any]:
        entries: list[tuple[str, Callable[[Values], Any], bool]] = []
        for name, inner in node.items():
            optional = isinstance(inner, str) and bool(self._compile(inner, f"{field}.{name}").names)
            entries.append((name, self.json(inner, f"{field}.{name}"), optional))

        def make(values: Values) -> dict[str, Any]:
            made = {}
            for name, maker, optional in entries:
                value = maker(values)
                if not (optional and value == ""):
                    made[name] = value
            return made

        return make

    def fields(self, templates: Mapping[str, str], field: str) -> "Fields":
        """Raises Wrong, with the field's name."""
        return Fields({name: self.text(template, f"{field}.{name}") for name, template in templates.items()})

    def _compile(self, template: str, field: str) -> "Filled":
        form, names, kind = "", [], ""
        try:
            pieces = list(_PARSE(template))
        except ValueError as error:
            raise Wrong(f"{field}: {error}", 'write "{{" and "}}" for braces that are meant') from None
        for literal, name, spec, conversion in pieces:
            form += literal.replace("%", "%%")
            if name is None:
                continue
            if name in self._constants and not spec and not conversion:
                form += self._constants[name].replace("%", "%%")
                continue
            if name not in self._names:
                known = self._names | self._constants.keys()
                raise Wrong(f"{field}: {{{name}}} is no placeholder", did_you_mean(name, known))
            kind = spec or ""
            if conversion or (kind and (kind not in _KINDS or len(pieces) > 1 or literal)):
                fix = 'only a value of its own can be of a kind, like "{validity:number}"; kinds are number and bool'
                raise Wrong(f"{field}: {template!r} cannot be filled", fix)
            form += f"%({name})s"
            names.append(name)
        self.used.update(names)
        return Filled(form, tuple(names), kind)


class Filled:
    """A text with placeholders."""

    __slots__ = ("_constant", "_form", "_whole", "kind", "names")

    def __init__(self, form: str, names: tuple[str, ...], kind: str) -> None:
        self._form = form
        self._constant = form % {} if not names else ""
        self._whole = names[0] if len(names) == 1 and form == f"%({names[0]})s" else ""
        self.names = names
        """Of its placeholders; empty: it is the same for every message."""
        self.kind = kind

    def __call__(self, values: Values) -> str:
        if self._whole:
            return values[self._whole]
        return self._form % values if self.names else self._constant

    def empty(self, values: Values) -> bool:
        """None of its placeholders stands for anything."""
        return bool(self.names) and not any(values[name] for name in self.names)

    def value(self, values: Values) -> Any:
        """For JSON: of the kind that was asked for, where it can be; empty where its placeholders are."""
        if self.empty(values):
            return ""
        text = self(values)
        if self.kind == "number" and text.isascii() and text.isdigit():
            return int(text)
        return text not in {"0", "false"} if self.kind == "bool" else text


class Fields:
    """Names and values; one whose placeholders are all empty is left out."""

    __slots__ = ("_constants", "_filled", "varies")

    def __init__(self, filled: Mapping[str, Filled]) -> None:
        self.varies = any(each.names for each in filled.values())
        self._filled = tuple(filled.items())
        self._constants = {} if self.varies else {name: each({}) for name, each in filled.items()}

    def __call__(self, values: Values) -> dict[str, str]:
        """Not to be changed: it may be the same for every message."""
        if not self.varies:
            return self._constants
        return {name: each(values) for name, each in self._filled if not each.empty(values)}
