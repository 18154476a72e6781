"""Write docs/reference.md: types and limits from the models of the config, the rest from conf/smppgw.toml."""

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from annotated_types import Ge, Gt, Le, MinLen  # noqa: E402
from pydantic import BaseModel, BeforeValidator, SecretStr  # noqa: E402
from pydantic.fields import FieldInfo  # noqa: E402

from smppgw import values  # noqa: E402
from smppgw.config import Config  # noqa: E402
from smppgw.settings import Connector, Member, Network  # noqa: E402

HEAD = """# Reference of the config

Every key of the gateway's file, made by `scripts/reference.py` from the models that read it and from
[conf/smppgw.toml](../conf/smppgw.toml), not by hand. [configuration.md](configuration.md) tells how the tables work
together and how values are written. The keys of HTTPS carriers are in [conf/carriers.toml](../conf/carriers.toml).
"""
SPOKEN = {values.duration: "duration", values.size: "size", values.status: "status", values.tag: "tag",
          values.pattern: "address pattern", values.network: "network"}  # fmt: skip
PLAIN = {
    bool: "true or false",
    int: "number",
    float: "number",
    str: "text",
    SecretStr: "secret",
    Member: "name or table",
}


def main() -> None:
    (ROOT / "docs/reference.md").write_text(written())


def written() -> str:
    """The page."""
    said = dict(lines())
    parts = [HEAD]
    for path, header, model in tables(Config, ""):
        rows = []
        for name, field in model.model_fields.items():
            found = find(said, path, name)
            if found is None:
                continue
            default, meaning = found
            rows.append(
                f"| `{name}` | {kind(field.annotation, field)} | {default} | {meaning} |".replace(" |  |", " | |")
            )
        if rows:
            parts += [f"## {header}\n", "| key | type | default | meaning |", "| --- | --- | --- | --- |", *rows, ""]
    return "\n".join(parts)


def tables(model: type[BaseModel], path: str) -> Iterator[tuple[str, str, type[BaseModel]]]:
    """By path, with the header that it has in a file."""
    for name, field in model.model_fields.items():
        nested = inner(field.annotation)
        if nested is None:
            continue
        origin = get_origin(strip(field.annotation))
        below = f"{path}.{name}".lstrip(".") + (".NAME" if origin is dict else "")
        yield below, f"[[{below}]]" if origin is tuple else f"[{below}]", nested
        yield from tables(nested, below)


def inner(annotation: Any) -> type[BaseModel] | None:
    """The model of a field that is a table, or several."""
    annotation = strip(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [nested for each in get_args(annotation) if (nested := inner(each)) is not None]
    return Connector if Connector in found else found[0] if found else None


def strip(annotation: Any) -> Any:
    return strip(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation


def lines() -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Default and meaning by table and key, as the example has them."""
    table = ""
    for text in (ROOT / "conf/smppgw.toml").read_text().splitlines():
        if header := re.match(r"\[+([a-z0-9_.]+)\]", text):
            table = header[1]
        elif setting := re.match(r"(# )?(\w+) = (.+?)(?: +# *(.*))?$", text):
            optional, name, value, meaning = setting.groups()
            needed = (meaning or "").startswith("required")
            default = "" if optional else "*required*" if needed else f"`{value}`"
            meaning = re.sub(r"^required(, this or one of the next \w+)?[:;]? *", "", meaning or "")
            meaning, _, told = meaning.partition("; default: ")
            default = f"`{told}`" if told else default
            yield (table, name), (default.replace("|", "\\|"), meaning.replace("|", "\\|").replace("<", "&lt;"))


def find(said: dict[tuple[str, str], tuple[str, str]], path: str, name: str) -> tuple[str, str] | None:
    """The first table of that kind that shows it."""
    pattern = re.compile(re.escape(path).replace("NAME", r"[a-z0-9_]+"))
    return next((found for (table, key), found in said.items() if key == name and pattern.fullmatch(table)), None)


def kind(annotation: Any, field: FieldInfo | None = None) -> str:
    """The type in words."""
    limits = list(field.metadata) if field is not None else []
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        limits += more
    word = next((SPOKEN[each.func] for each in limits if isinstance(each, BeforeValidator) and each.func in SPOKEN), "")
    return (word or bare(annotation)) + bounds(limits, word)


def bare(annotation: Any) -> str:
    if annotation == strip(Network):
        return "network"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " ".join(f'`"{each}"`' for each in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(kind(each) for each in arguments if each is not type(None)))
    if origin in (tuple, frozenset):
        return f"list of {kind(arguments[0])}"
    return "table" if origin is dict else PLAIN.get(annotation, "text")


def bounds(limits: list[Any], word: str) -> str:
    """Sizes and durations have theirs in units that a reader would have to compute: those are left to `check`."""
    said = []
    for each in limits:
        if isinstance(each, Ge) and each.ge and word == "":
            said.append(f"{each.ge:,} and more" if isinstance(each.ge, int) else f"{each.ge} and more")
        elif isinstance(each, Gt) and word == "":
            said.append("above 0")
        elif isinstance(each, Le) and word == "":
            said.append(f"at most {each.le:,}")
        elif isinstance(each, MinLen) and each.min_length:
            said.append("not empty")
    return f" ({', '.join(said)})" if said else ""


if __name__ == "__main__":
    main()
