"""Hypothesis strategies for PDU bodies, derived from the same annotations that the codec is generated from."""

from typing import Any, get_type_hints

from hypothesis import strategies as st

from protocol import tlv
from protocol.consts import Tag
from protocol.fields import CString, Integer, ShortMessage, Tlvs
from protocol.pdus import (
    BODIES,
    DestAddressEntry,
    Destinations,
    DistributionList,
    Unsuccessful,
    UnsuccessSme,
)

octet = st.integers(0, 255)


def text(size: int) -> st.SearchStrategy[bytes]:
    """A C-Octet String without its NUL."""
    return st.binary(max_size=size).map(lambda value: value.replace(b"\0", b"\x01"))


@st.composite
def parameter(draw: st.DrawFn) -> tuple[int, bytes]:
    """A known tag with a length that it may have, or a tag of somebody's own."""
    tag = draw(st.sampled_from(list(Tag)) | st.integers(0x1400, 0x3FFF))
    least, most = tlv.LENGTHS.get(tag, (0, 40))
    return int(tag), draw(st.binary(min_size=least, max_size=min(most, 80)))


parameters = st.lists(parameter(), max_size=4)
entry = st.builds(DestAddressEntry, octet, octet, text(20)) | st.builds(DistributionList, text(20))
unsuccessful = st.builds(UnsuccessSme, octet, octet, text(20), st.integers(0, 0xFFFFFFFF))


def of_kind(kind: object) -> st.SearchStrategy[Any]:  # noqa: PLR0911  one for each kind
    match kind:
        case Integer():
            return octet
        case CString(size=size, exact=True):
            return st.just(b"") | st.binary(min_size=size - 1, max_size=size - 1).map(
                lambda value: value.replace(b"\0", b"0")
            )
        case CString(size=size):
            return text(size - 1)
        case ShortMessage():
            return st.binary(max_size=255)
        case Tlvs(checked=False):
            return st.just(b"") | st.binary(min_size=4, max_size=20)
        case Tlvs():
            return parameters.map(tlv.encode)
        case Destinations():
            return st.lists(entry, max_size=5).map(tuple)
        case Unsuccessful():
            return st.lists(unsuccessful, max_size=5).map(tuple)
    raise AssertionError(f"no strategy for {kind}")


def of(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Any body of this class that may be written."""
    hints = get_type_hints(cls, include_extras=True)
    return st.builds(cls, **{name: of_kind(hints[name].__metadata__[0]) for name in cls._fields})


commands = st.sampled_from(sorted(BODIES))


@st.composite
def pdu(draw: st.DrawFn) -> tuple[int, Any]:
    """A command and a body for it."""
    command = draw(commands)
    return command, draw(of(BODIES[command]))
