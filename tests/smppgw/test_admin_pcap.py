"""What is captured is a file that Wireshark reads without a complaint."""

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from protocol import pdus
from protocol.consts import Command
from protocol.pdus import SubmitSm
from protocol.wire import frame
from smppgw.admin.pcap import FILE_HEADER, Connection

SUBMIT = frame(Command.SUBMIT_SM, 0, 1, pdus.encode_submit(SubmitSm(b"", 1, 1, b"1", 1, 1, b"2", short_message=b"hi")))
ENDS = [
    (("192.0.2.7", 40000), ("127.0.0.1", 2775)),
    (("2001:db8::7", 40000), ("::1", 12345)),
    (("::ffff:1.2.3.4", 1), ("127.0.0.1", 9999)),
]


def told(path: Path, *words: str) -> str:
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    checked = [word for kind in ("ip", "tcp") for word in ("-o", f"{kind}.check_checksum:TRUE")]
    command = [tshark, "-n", *checked, "-r", str(path), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize(("client", "server"), ENDS)
def test_wireshark_reads_it_whatever_the_port_and_checks_its_sums(
    tmp_path: Path, client: tuple[str, int], server: tuple[str, int]
) -> None:
    connection = Connection(client, server)
    long = frame(
        Command.SUBMIT_SM,
        0,
        2,
        pdus.encode_submit(SubmitSm(short_message=b"", tlvs=b"\x04\x24\xea\x60" + b"x" * 60000)),
    )
    packets = [
        *connection.packets(1_795_000_000.25, SUBMIT, from_client=True),
        *connection.packets(1_795_000_000.5, frame(0x80000004, 0, 1, b"id\0"), from_client=False),
        *connection.packets(1_795_000_001.0, long, from_client=True),
        *connection.packets(1_795_000_001.5, frame(0x80000004, 0, 2, b"id\0"), from_client=False),
    ]
    path = tmp_path / "x.pcap"
    path.write_bytes(FILE_HEADER + b"".join(packets))
    said = told(path, "-V", "-Y", "smpp")
    assert len(re.findall(r"^    Operation: ", said, re.MULTILINE)) == 4
    assert not re.findall(r".*(?:Malformed|Expert Info \((?:Warning|Error)|\[incorrect).*", said)
    times = told(path, "-T", "fields", "-e", "frame.time_epoch", "-Y", "smpp").split()
    assert float(times[0]) == 1_795_000_000.25


def test_a_record_says_how_long_it_is() -> None:
    (*_, record) = Connection(("192.0.2.7", 1), ("127.0.0.1", 2)).packets(1.5, SUBMIT, from_client=True)
    seconds, micros, kept, size = struct.unpack_from("<IIII", record)
    assert (seconds, micros, kept, size) == (1, 500_000, len(record) - 16, len(record) - 16)
