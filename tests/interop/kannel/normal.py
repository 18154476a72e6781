"""Write what happened in words that are alike on both sides: only what must differ is replaced.

That is: times and what is counted from them, ids that are drawn, ports, versions.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from protocol import tlv
from protocol.consts import EsmClass
from protocol.pdus import SubmitSm
from tests.interop.kannel.http import Heard

_IGNORED = frozenset({"date", "connection", "host", "content-length", "transfer-encoding", "keep-alive"})
"""Headers that belong to the connection."""
_VERSIONS = frozenset({"server", "user-agent"})
_RULES = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"20\d\d-\d\d-\d\d([+ T]|%20|%2B)\d\d(:|%3A)\d\d(:|%3A)\d\d"), r"DATE\1HH\2MM\3SS"),
    (re.compile(r"20\d\d-\d\d-\d\d([+ T]|%20|%2B)\d\d(:|%3A)\d\d"), r"DATE\1HH\2MM"),
    (re.compile(r"(?<!\d)1[78]\d{8}(?!\d)"), "EPOCH"),
    (re.compile(r"<at><year>.*?</at>"), "<at>NOW</at>"),
    (re.compile(r"\d+d \d+h \d+m \d+s"), "UPTIME"),
    (re.compile(r"online \d+s"), "online Ns"),
    (re.compile(r"(?<=\d\.)\d\d(?=[,)<])"), "dd"),
    (re.compile(r"\d+\.dd"), "n.dd"),
)


def text(octets: bytes, ports: Mapping[str, int] | None = None) -> str:
    """Readable, one to one, times and ports named."""
    found = repr(octets)[2:-1].replace("\\'", "'") if octets else ""
    found = found.replace("\\n", "\n").replace("\\r", "\r").replace("\\\\", "\\")
    for name, port in (ports or {}).items():
        found = re.sub(rf"(?<!\d){port}(?!\d)", name.upper(), found)
    for rule, by in _RULES:
        found = rule.sub(by, found)
    return found


def heard(message: Heard, ports: Mapping[str, int]) -> dict[str, Any]:
    headers = [
        [name, "VERSION" if name.lower() in _VERSIONS else text(value.encode("latin-1"), ports)]
        for name, value in message.headers
        if name.lower() not in _IGNORED
    ]
    start = re.sub(r"HTTP/1\.[01]", "HTTP", message.start)
    return {
        "start": text(start.encode("latin-1"), ports),
        "headers": headers,
        "body": text(_version(message.body), ports),
    }


def _version(body: bytes) -> bytes:
    """Without the block that tells the version of the bearerbox."""
    body = re.sub(rb"Kannel bearerbox version.*?\.(?=\n\n|\n</p>)", b"VERSION", body, flags=re.S)
    return re.sub(rb"<version>.*?</version>", b"<version>VERSION</version>", body, flags=re.S)


def submit(owner: str, pdu: SubmitSm, now: float) -> dict[str, Any]:
    """Its fields that are not 0 or empty."""
    fields: dict[str, Any] = {"smsc": owner}
    for name, value in pdu._asdict().items():
        if name == "tlvs":
            fields[name] = [[f"0x{tag:04x}", value.hex()] for tag, value in tlv.walk(pdu.tlvs)]
        elif name in {"schedule_delivery_time", "validity_period"}:
            fields[name] = _minutes(value, now)
        elif isinstance(value, bytes):
            fields[name] = text(value)
        else:
            fields[name] = value
    if pdu.esm_class & EsmClass.UDHI:
        fields["short_message"] = _reference(pdu.short_message)
    return {name: value for name, value in fields.items() if value not in ("", 0, [])}


def _reference(message: bytes) -> str:
    """The number that the parts of a message share is drawn."""
    head = message[: message[0] + 1] if message else b""
    at = 1
    while at + 2 < len(head):
        if head[at : at + 2] == b"\0\3":
            return text(message[: at + 2] + b"?" + message[at + 3 :])
        at += 2 + head[at + 1]
    return text(message)


def _minutes(value: bytes, now: float) -> str:
    found = re.fullmatch(rb"(\d{12})000\+", value)
    if not found:
        return text(value)
    then = datetime.strptime(found[1].decode(), "%y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
    return f"YYMMDDhhmmss000+ in {round((then - now) / 60)} minutes"


def finish(outcome: dict[str, Any]) -> None:
    """What may come in any order is sorted: callbacks, and messages to several receivers."""
    outcome["callbacks"].sort(key=lambda call: (call["start"], call["body"]))
    outcome["submits"].sort(key=lambda sent: sent["destination_addr"])
