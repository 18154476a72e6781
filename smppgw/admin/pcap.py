"""PDUs as a capture file: each link is a TCP connection of made-up packets, between its real addresses and ports."""

import struct
from collections.abc import Iterator
from ipaddress import ip_address

FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1)
"""Microseconds, Ethernet."""

_SEGMENT = 16_000
_ACK, _PUSH_ACK, _SYN, _SYN_ACK = 0x10, 0x18, 0x02, 0x12
_MACS = bytes.fromhex("020000000002020000000001"), bytes.fromhex("020000000001020000000002")

End = tuple[str, int]
"""Address and port."""


class Connection:
    """One link. Sequence numbers are ours: nothing is ever lost or repeated in the file."""

    def __init__(self, client: End, server: End) -> None:
        self._ports = client[1], server[1]
        ends = ip_address(client[0]), ip_address(server[0])
        if ends[0].version != ends[1].version:
            ends = ip_address("127.0.0.1"), ip_address("127.0.0.2")
        self._version = ends[0].version
        self._ends = ends[0].packed, ends[1].packed
        self._sent = [0, 0]
        self._open = False

    def packets(self, at: float, octets: bytes, *, from_client: bool) -> Iterator[bytes]:
        """Records of the file, a handshake before the first."""
        if not self._open:
            self._open = True
            yield _record(at, self._packet(True, _SYN))
            self._sent[0] = 1
            yield _record(at, self._packet(False, _SYN_ACK))
            self._sent[1] = 1
            yield _record(at, self._packet(True, _ACK))
        side = 0 if from_client else 1
        for start in range(0, len(octets), _SEGMENT):
            piece = octets[start : start + _SEGMENT]
            yield _record(at, self._packet(from_client, _PUSH_ACK, piece))
            self._sent[side] = (self._sent[side] + len(piece)) & 0xFFFFFFFF

    def _packet(self, from_client: bool, flags: int, octets: bytes = b"") -> bytes:
        mine, other = (0, 1) if from_client else (1, 0)
        acked = 0 if flags == _SYN else self._sent[other] + (flags == _SYN_ACK and self._sent[other] == 0)
        tcp = struct.pack(
            ">HHIIBBHHH", self._ports[mine], self._ports[other], self._sent[mine], acked, 5 << 4, flags, 65535, 0, 0
        )
        source, destination = self._ends[mine], self._ends[other]
        tcp = _with_checksum(tcp + octets, 16, source + destination + struct.pack(">II", len(tcp) + len(octets), 6))
        if self._version == 4:
            head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, source, destination)
            return _MACS[mine] + b"\x08\x00" + _with_checksum(head, 10) + tcp
        head = struct.pack(">IHBB16s16s", 6 << 28, len(tcp), 6, 64, source, destination)
        return _MACS[mine] + b"\x86\xdd" + head + tcp


def _record(at: float, packet: bytes) -> bytes:
    seconds = int(at)
    return struct.pack("<IIII", seconds, int((at - seconds) * 1e6), len(packet), len(packet)) + packet


def _with_checksum(octets: bytes, at: int, pseudo: bytes = b"") -> bytes:
    """RFC 1071, written where the zeros are."""
    summed = pseudo + octets + b"\0" * (len(octets) % 2)
    total = int.from_bytes(summed, "big") % 0xFFFF if summed else 0  # the sum of 16-bit words, with its carries
    if total == 0 and any(summed):
        total = 0xFFFF
    return octets[:at] + struct.pack(">H", total ^ 0xFFFF) + octets[at + 2 :]
