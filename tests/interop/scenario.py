"""What every foreign ESME does with the gateway, and the words in which it reports.

A peer is a script that is given one JSON object as its argument and writes JSON lines, each with an `event`:

    bound      mode, status, smsc (the system_id of the answer)
    submitted  name ("short", "long", "payload", "ucs2"), ids, statuses: one of each for every PDU
    enquired   status of the answer to its enquire_link
    receipt    id and stat from the text, text, tlv_id, tlv_state, source, destination
    mo         source, destination, text
    unbound    status

It binds, submits each message once, asks with enquire_link, waits for its deliveries (a receipt of each submit and one
MO, or as many as `deliveries` says; none as a transmitter), unbinds and exits with 0.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.interop.stacks import HERE
from tests.kit import Process

SHORT = "Hello, [world]! 5€ @ 20%"
LONG = "The quick brown fox jumps over the lazy dog, and {again} it did: " * 5
UCS2 = "こんにちは、世界。Привет 😀"
MO = "STOP it please"
SOURCE, DESTINATION = "12345", "819012345678"

# 3GPP 23.038, as far as the texts above go.
_GSM = {"@": "00", "[": "1b3c", "]": "1b3e", "{": "1b28", "}": "1b29", "€": "1b65"}


def gsm(text: str) -> bytes:
    return b"".join(bytes.fromhex(_GSM[c]) if c in _GSM else c.encode("ascii") for c in text)


def parts(text: str, size: int = 150) -> list[bytes]:
    """The text in GSM 03.38, cut between characters into parts of at most that many octets."""
    cut = [b""]
    for character in text:
        octets = gsm(character)
        if len(cut[-1]) + len(octets) > size:
            cut.append(b"")
        cut[-1] += octets
    return cut


def told(
    port: int, mode: str, *, account: str = "esme", password: str = "secret", deliveries: int = 0
) -> dict[str, Any]:
    """The argument of a peer: where to bind, as what, and the texts, as characters and as octets."""
    return {
        "host": "127.0.0.1",
        "port": port,
        "system_id": account,
        "password": password,
        "mode": mode,
        "source": SOURCE,
        "destination": DESTINATION,
        "deliveries": deliveries,
        "short": {"text": SHORT, "octets": gsm(SHORT).hex(), "data_coding": 0},
        "long": {
            "text": LONG,
            "octets": gsm(LONG).hex(),
            "parts": [part.hex() for part in parts(LONG)],
            "data_coding": 0,
        },
        "ucs2": {"text": UCS2, "octets": UCS2.encode("utf-16-be").hex(), "data_coding": 8},
    }


@dataclass(frozen=True)
class Esme:
    """A foreign ESME: how to start it, and which of the messages it sends."""

    name: str
    command: Sequence[str | Path]
    messages: frozenset[str]
    modes: tuple[str, ...] = ("transceiver", "transmitter", "receiver")


ALL = frozenset({"short", "long", "payload", "ucs2"})
ESMES = (
    Esme("aiosmpplib", (sys.executable, HERE / "aiosmpplib_esme.py"), ALL),
    Esme("smpplib", (sys.executable, HERE / "smpplib_esme.py"), ALL),
    Esme("node-smpp", ("node", HERE / "node" / "esme.js"), ALL),
    Esme("Net::SMPP", ("perl", HERE / "net_smpp.pl"), ALL),
)

Start = Callable[..., Process]
"""start(esme, port, mode, deliveries=0): runs it, until the end of the test at most."""
