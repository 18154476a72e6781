"""A PDU body declared as a NamedTuple becomes one decode and one encode function, generated once at import.

The annotations of the class are its field table, read from top to bottom:

    class QuerySm(NamedTuple):
        message_id: Annotated[bytes, CString(65, Status.RINVMSGID)] = b""

Decoding matches one regular expression for each run of plain fields, which is as fast as Python gets; only when it does
not match are the fields walked one by one, to say which of them is wrong.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar, get_type_hints

from protocol import tlv
from protocol.consts import Status
from protocol.errors import LocalError, PduError

T = TypeVar("T", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class Integer:
    """One octet, 0 to 255."""

    def pattern(self, group: bytes) -> bytes:
        return group + rb".)"


@dataclass(frozen=True, slots=True)
class CString:
    """A C-Octet String (3.1) of at most `size` octets with its NUL; a longer one is refused with `status`."""

    size: int
    status: Status
    exact: bool = False
    """Empty or exactly `size` octets: the times of 7.1.1."""

    def pattern(self, group: bytes) -> bytes:
        # Possessive (+), since no shorter match can be followed by a NUL: that takes a tenth off a match.
        size = self.size - 1
        return group + (rb"|[^\0]{%d})\0" % size if self.exact else rb"[^\0]{0,%d}+)\0" % size)


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """sm_length and as many octets (5.2.21, 5.2.22); 255, which SMPP 5.0 allows, is read and written, too."""


class Custom(Protocol):
    """A field that needs code of its own: the lists of submit_multi."""

    def read(self, body: bytes, position: int) -> tuple[tuple[Any, ...], int]: ...
    def write(self, value: tuple[Any, ...]) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Tlvs:
    """The optional parameters: all octets that are left, kept as they came."""

    checked: bool = True
    """False where a PDU has none by the specification: what peers append there all the same is not looked into."""


Kind = Integer | CString | ShortMessage | Tlvs | Custom


class Codec(NamedTuple):
    """What is generated for one body class."""

    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]


def diagnose(body: bytes, position: int, run: list[tuple[str, Kind]]) -> PduError:
    """Which field of a run that did not match is wrong."""
    for name, kind in run:
        if isinstance(kind, CString):
            end = body.find(0, position, position + kind.size)
            if end < 0:
                if len(body) - position < kind.size:
                    return PduError(f"the body ends inside {name}", Status.RINVCMDLEN)
                return PduError(f"{name} is longer than {kind.size - 1} octets", kind.status)
            if kind.exact and end - position not in (0, kind.size - 1):
                return PduError(f"{name} has {end - position} octets, not 0 or {kind.size - 1}", kind.status)
            position = end + 1
        else:
            if position >= len(body):
                return PduError(f"the body ends before {name}", Status.RINVCMDLEN)
            position += 1
    raise LocalError("a body that can be read did not match its pattern")


def refuse_encode(name: str, value: bytes, kind: CString) -> LocalError:
    fit = f"0 or {kind.size - 1}" if kind.exact else f"at most {kind.size - 1}"
    return LocalError(f"{name} has {len(value)} octets or a NUL; {fit} fit")


def overflow(cls: type[Any], error: OverflowError) -> LocalError:
    return LocalError(f"{cls.__name__}: an octet, a length or a count is out of its range ({error})")


def no_length(name: str) -> PduError:
    return PduError(f"the body ends before the length of {name}", Status.RINVCMDLEN)


def cut_message(name: str) -> PduError:
    return PduError(f"{name} is shorter than sm_length says", Status.RINVMSGLEN)


def surplus(size: int) -> PduError:
    return PduError(f"{size} octets more than the fields of this PDU", Status.RINVCMDLEN)


def _table(cls: type[T]) -> list[tuple[str, Kind]]:
    hints = get_type_hints(cls, include_extras=True)
    return [(name, hints[name].__metadata__[0]) for name in cls._fields]  # type: ignore[attr-defined]


def generate(cls: type[T], *, response: bool) -> Codec:
    """The codec of a body class. A response may come without any body (4.4.2): its defaults stand for it."""
    table = _table(cls)
    scope = _scope(cls)
    decode = _decoder(table, scope, response=response)
    encode = _encoder(table, scope)
    exec(compile(decode + encode, f"<codec of {cls.__name__}>", "exec"), scope)  # noqa: S102  our own text, made above
    return Codec(scope["decode"], scope["encode"])


def generate_part(cls: type[T], *wanted: str) -> Callable[[bytes], tuple[Any, ...]]:
    """Decodes some fields alone, and refuses what the decoder of all of them refuses."""
    scope = _scope(cls)
    decode = _decoder(_table(cls), scope, response=False, wanted=wanted)
    exec(compile(decode, f"<part of {cls.__name__}>", "exec"), scope)  # noqa: S102  our own text, made above
    found: Callable[[bytes], tuple[Any, ...]] = scope["decode"]
    return found


def _scope(cls: type[Any]) -> dict[str, Any]:
    return {
        "cls": cls, "new": tuple.__new__, "diagnose": diagnose, "check": tlv.check, "surplus": surplus,
        "refuse": refuse_encode, "overflow": overflow, "no_length": no_length, "cut": cut_message,
    }  # fmt: skip


def _decoder(
    table: list[tuple[str, Kind]], scope: dict[str, Any], *, response: bool, wanted: Collection[str] | None = None
) -> str:
    lines = ["def decode(body):"]
    if response:
        lines.append("    if not body: return cls()")
    lines.append("    at = 0")
    run: list[tuple[str, Kind]] = []
    made: list[str] = []

    def is_wanted(name: str) -> bool:
        return wanted is None or name in wanted

    def finish_run() -> None:
        if not run:
            return
        key = f"run_{run[0][0]}"
        scope[key] = list(run)
        kept = [(name, kind) for name, kind in run if is_wanted(name)]
        pattern = b"".join(k.pattern(b"(" if is_wanted(n) else b"(?:") for n, k in run)  # type: ignore[union-attr]
        scope[key + "_match"] = re.compile(pattern, re.DOTALL).match
        lines.append(f"    m = {key}_match(body, at)")
        lines.append(f"    if m is None: raise diagnose(body, at, {key})")
        if kept:
            lines.append(f"    {', '.join('v_' + n for n, _ in kept)}, = m.groups()")
        lines.append("    at = m.end()")
        made.extend(f"v_{n}[0]" if isinstance(k, Integer) else f"v_{n}" for n, k in kept)
        run.clear()

    for name, kind in table:
        if isinstance(kind, Integer | CString):
            run.append((name, kind))
            continue
        finish_run()
        if isinstance(kind, ShortMessage):
            lines.append(f"    if at >= len(body): raise no_length({name!r})")
            lines.append("    end = at + 1 + body[at]")
            lines.append(f"    if end > len(body): raise cut({name!r})")
            lines.append(f"    v_{name} = body[at + 1:end]")
            lines.append("    at = end")
        elif isinstance(kind, Tlvs):
            lines.append(f"    v_{name} = body[at:]")
            if not kind.checked:
                lines.append(f"    if 0 < len(v_{name}) < 4: raise surplus(len(v_{name}))")
            elif not response:  # a broken tail of a response harms nobody, and there is no one to answer
                lines.append(f"    if v_{name}: check(v_{name})")
            lines.append("    at = len(body)")
        else:
            scope[f"read_{name}"] = kind.read
            lines.append(f"    v_{name}, at = read_{name}(body, at)")
        if is_wanted(name):
            made.append(f"v_{name}")
    finish_run()
    lines.append("    if at != len(body): raise surplus(len(body) - at)")
    if wanted is not None:
        lines.append(f"    return {', '.join(made)},")
    else:
        lines.append(f"    return new(cls, ({', '.join(made)},))" if made else "    return cls()")
    return "\n".join(lines) + "\n"


def _encoder(table: list[tuple[str, Kind]], scope: dict[str, Any]) -> str:
    lines = ["def encode(pdu):"]
    if table:
        lines.append(f"    {', '.join('v_' + n for n, _ in table)}, = pdu")
    form, values = "", []
    for name, kind in table:
        if isinstance(kind, Integer):
            form += "%c"
            values.append(f"v_{name}")
        elif isinstance(kind, CString):
            scope[f"kind_{name}"] = kind
            unfit = (
                f"v_{name} and len(v_{name}) != {kind.size - 1}" if kind.exact else f"len(v_{name}) > {kind.size - 1}"
            )
            lines.append(f"    if {unfit} or 0 in v_{name}:")
            lines.append(f"        raise refuse({name!r}, v_{name}, kind_{name})")
            form += "%b\\0"
            values.append(f"v_{name}")
        elif isinstance(kind, ShortMessage):
            form += "%c%b"
            values += [f"len(v_{name})", f"v_{name}"]
        elif isinstance(kind, Tlvs):
            form += "%b"
            values.append(f"v_{name}")
        else:
            scope[f"write_{name}"] = kind.write
            form += "%b"
            values.append(f"write_{name}(v_{name})")
    if not values:
        return "\n".join([*lines, '    return b""', ""])
    lines.append(f'    try: return b"{form}" % ({", ".join(values)},)')
    lines.append("    except OverflowError as error: raise overflow(cls, error) from error")
    return "\n".join(lines) + "\n"
