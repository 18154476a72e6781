"""Cut a byte stream into PDUs, and put PDUs into bytes."""

from struct import Struct

from protocol.consts import HEADER
from protocol.errors import FrameError

Frame = tuple[int, int, int, bytes]
"""command_id, command_status, sequence_number, body: a plain tuple, because there is one for every PDU."""

_HEADER = Struct(">IIII")
_LENGTH = Struct(">I")
_read_header = _HEADER.unpack_from
_pack_header = _HEADER.pack

_TLS = range(0x16030000, 0x16040000)
"""What a handshake of TLS begins with, as a length."""

_HTTP = frozenset({b"GET ", b"POST", b"HEAD", b"HTTP"})
"""What HTTP begins with."""


class Reader:
    """The receiving half of a stream."""

    __slots__ = ("_limit", "_rest", "broken")

    def __init__(self, max_pdu: int) -> None:
        self._rest = b""
        self._limit = max_pdu
        self.broken: FrameError | None = None

    @property
    def rest(self) -> bytes:
        """What came of a PDU that is not whole yet."""
        return self._rest

    def feed(self, data: bytes) -> list[Frame]:
        """The PDUs that are whole now. Never raises: what went before a broken frame is still returned, then `broken`
        says what is wrong and everything that follows is ignored. A PDU above the limit is refused by its
        command_length, before any of it is kept."""
        if self.broken is not None:
            return []
        if self._rest:
            data = self._rest + data
        frames: list[Frame] = []
        at, size, limit = 0, len(data), self._limit
        while size - at >= HEADER:
            length, command, status, sequence = _read_header(data, at)
            if not HEADER <= length <= limit:
                break
            end = at + length
            if end > size:
                break
            frames.append((command, status, sequence, data[at + HEADER : end]))
            at = end
        self._rest = data[at:]
        if size - at >= 4:
            self._check(self._rest)
        return frames

    def _check(self, rest: bytes) -> None:
        (length,) = _LENGTH.unpack_from(rest)
        if HEADER <= length <= self._limit:
            return
        sequence = _LENGTH.unpack_from(rest, 12)[0] if len(rest) >= HEADER else 0
        speaks = "; it speaks TLS" if length in _TLS else "; it speaks HTTP" if rest[:4] in _HTTP else ""
        self.broken = FrameError(
            f"command_length {length} is not between {HEADER} and {self._limit}{speaks}", sequence=sequence
        )
        self._rest = b""


def frame(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """The octets of one PDU."""
    return _pack_header(HEADER + len(body), command, status, sequence) + body
