"""Write recorded octets as a capture file that Wireshark reads."""

import struct
from collections.abc import Iterable
from pathlib import Path

from tests.kit import Chunk

CLIENT, SERVER = bytes((127, 0, 0, 1)), bytes((127, 0, 0, 2))
_RAW_IP = 101
_SEGMENT = 16_000
_ACK, _PUSH_ACK, _SYN, _SYN_ACK = 0x10, 0x18, 0x02, 0x12


Ports = tuple[int, int]


def _segment(ports: Ports, up: bool, at: dict[bool, int], flags: int, octets: bytes = b"") -> bytes:
    """One packet; `ports` are the client's and the server's, `at` is what each side has sent."""
    ports = ports if up else (ports[1], ports[0])
    ends = (CLIENT, SERVER) if up else (SERVER, CLIENT)
    tcp = struct.pack(">HHIIBBHHH", *ports, at[up], at[not up], 5 << 4, flags, 65535, 0, 0) + octets
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, *ends) + tcp


def write(path: Path, wires: Iterable[tuple[int, list[Chunk]]]) -> None:
    """One file of several wires, each with the port that its listening end is to have in the file.

    Every connection gets a handshake of its own, so that reassembly starts at its first octet.
    """
    packets: list[tuple[float, bytes]] = []
    for server, chunks in wires:
        sent: dict[int, dict[bool, int]] = {}
        for when, connection, direction, octets in chunks:
            ports, up = (40_000 + connection, server), direction == "up"
            if connection not in sent:
                at = sent[connection] = {True: 0, False: 0}
                packets.append((when, _segment(ports, True, at, _SYN)))
                at[True] = 1
                packets.append((when, _segment(ports, False, at, _SYN_ACK)))
                at[False] = 1
                packets.append((when, _segment(ports, True, at, _ACK)))
            at = sent[connection]
            for start in range(0, len(octets), _SEGMENT):
                piece = octets[start : start + _SEGMENT]
                packets.append((when, _segment(ports, up, at, _PUSH_ACK, piece)))
                at[up] += len(piece)
    packets.sort(key=lambda packet: packet[0])
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, _RAW_IP))
        for when, packet in packets:
            seconds = int(when)
            head = struct.pack("<IIII", seconds, int((when - seconds) * 1e6), len(packet), len(packet))
            file.write(head + packet)
