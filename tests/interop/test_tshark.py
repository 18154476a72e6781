"""Wireshark's dissector reads every PDU that the gateway sends, and complains of none."""

import contextlib
import re
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.consts import Command
from tests.interop import pcap
from tests.interop.scenario import DESTINATION, ESMES, MO, SOURCE, Start
from tests.interop.stacks import PATH, need
from tests.kit import Gateway, Process, Wire, relay_config

pytestmark = pytest.mark.interop
ESME_SIDE, SMSC_SIDE = 2775, 2776
"""Ports in the capture: where the gateway listens, and where it binds to."""
OURS = f"tcp.srcport == {ESME_SIDE} or tcp.dstport == {SMSC_SIDE}"
NODE = next(esme for esme in ESMES if esme.name == "node-smpp")


def pdu(command: int, sequence: int, body: bytes = b"") -> bytes:
    return struct.pack(">IIII", 16 + len(body), command, 0, sequence) + body


ENDS = b"\x01\x01" + SOURCE.encode() + b"\0\x01\x01" + DESTINATION.encode() + b"\0"
SUBMIT = b"\0" + ENDS + bytes(3) + b"\0\0" + b"\x01\0\0\0" + b"\x02hi"
UNKNOWN_ID = b"00000000ffffffff\0"
REQUESTS = {
    Command.SUBMIT_SM: SUBMIT,
    Command.DATA_SM: b"\0" + ENDS + b"\0\x01\0" + b"\x04\x24\0\x02hi",
    Command.SUBMIT_MULTI: (
        b"\0\x01\x01" + SOURCE.encode() + b"\0"
        + b"\x02\x01\x01\x0181900000001\0\x01\x01\x0181900000002\0"
        + bytes(3) + b"\0\0" + b"\x01\0\0\0" + b"\x02hi"
    ),
    Command.QUERY_SM: UNKNOWN_ID + b"\x01\x01" + SOURCE.encode() + b"\0",
    Command.CANCEL_SM: b"\0" + UNKNOWN_ID + ENDS,
    Command.REPLACE_SM: UNKNOWN_ID + b"\x01\x01" + SOURCE.encode() + b"\0" + b"\0\0" + b"\x01\0" + b"\x03new",
    Command.ENQUIRE_LINK: b"",
}  # fmt: skip


def converse(port: int) -> None:
    """Every request, a command that does not exist, a submit cut short; each answered. Then unbind, until the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as link:
        link.sendall(pdu(Command.BIND_TRANSMITTER, 1, b"esme\0secret\0\0\x34\0\0\0"))
        assert link.recv(65536)
        for sequence, (command, body) in enumerate(REQUESTS.items(), 2):
            link.sendall(pdu(command, sequence, body))
        link.sendall(pdu(0x0123, 90) + pdu(Command.SUBMIT_SM, 91, SUBMIT[:-4]))
        answers = b""
        while len(commands(answers)) < len(REQUESTS) + 2:
            answers += link.recv(65536)
        link.sendall(pdu(Command.UNBIND, 92))
        with contextlib.suppress(ConnectionResetError):
            while link.recv(65536):
                pass


def refused(port: int) -> None:
    """A bind with a wrong password; ends with its answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as link:
        link.sendall(pdu(Command.BIND_TRANSCEIVER, 1, b"esme\0wrong\0\0\x34\0\0\0"))
        assert link.recv(65536)


@pytest.fixture
def to_smsc(smsc: Process) -> Iterator[Wire]:
    with Wire(smsc.expect("listening")["port"]) as wire:
        yield wire


@pytest.fixture
def gateway(tmp_path: Path, to_smsc: Wire, smsc: Process) -> Iterator[Gateway]:
    config = relay_config(to_smsc.port)
    config["connectors"]["up"]["enquire_link"] = "100ms"
    with Gateway(tmp_path, config) as gateway:
        smsc.expect("bound")
        yield gateway


def commands(octets: bytes) -> list[int]:
    """The command ids of the whole PDUs in the octets, told by their lengths alone."""
    found = []
    while len(octets) >= 16:
        length, command = struct.unpack_from(">II", octets)
        if len(octets) < length:
            break
        found.append(command)
        octets = octets[length:]
    return found


def test_wireshark_reads_everything_that_we_send(
    tmp_path: Path, start: Start, smsc: Process, to_smsc: Wire, gateway: Gateway
) -> None:
    need("tshark")
    with Wire(gateway.port) as to_gateway:
        peer = start(NODE, to_gateway.port, "transceiver")
        peer.expect("submitted", name="ucs2")
        smsc.tell({"deliver": {"source": DESTINATION, "destination": SOURCE, "text": MO}})
        assert peer.ended() == 0
        converse(to_gateway.port)
        refused(to_gateway.port)
        gateway.stop()
    capture = tmp_path / "wire.pcap"
    pcap.write(capture, [(ESME_SIDE, to_gateway.chunks), (SMSC_SIDE, to_smsc.chunks)])
    sent = [
        command
        for wire, direction in ((to_gateway, "down"), (to_smsc, "up"))
        for connection in {chunk.connection for chunk in wire.chunks}
        for command in commands(wire.recorded(direction, connection))  # type: ignore[arg-type]
    ]
    answered = {0x80000000 | command for command in REQUESTS}
    bind_and_unbind = {Command.BIND_TRANSCEIVER, Command.UNBIND, Command.BIND_TRANSCEIVER_RESP, Command.UNBIND_RESP}
    assert {*answered, *bind_and_unbind, Command.SUBMIT_SM, Command.DELIVER_SM, Command.GENERIC_NACK} <= {*sent}

    tshark = shutil.which("tshark", path=PATH)
    assert tshark
    words = [tshark, "-n", "-r", str(capture), "-V", "-Y", f"smpp and ({OURS})"]
    words += ["-d", f"tcp.port=={ESME_SIDE},smpp", "-d", f"tcp.port=={SMSC_SIDE},smpp"]
    told = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    assert len(re.findall(r"^    Operation: ", told, re.MULTILINE)) == len(sent)
    complaints = re.findall(r".*(?:Malformed|Expert Info \((?:Warning|Error)).*", told)
    assert not complaints, "\n".join(complaints) + "\n" + told
