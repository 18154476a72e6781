"""Record the links of one account or connector for a while: whole PDUs in a bounded ring, as a capture file."""

import asyncio
import struct
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from smppgw.admin.pcap import FILE_HEADER, Connection, End
from smppgw.admin.redact import redact
from smppgw.admin.running import Refused, Running
from smppgw.admin.views import account_of, connector_of
from smppgw.smpp.connector import Connector
from smppgw.smpp.inbound import EsmeLink
from smppgw.smpp.link import Link

log = structlog.get_logger()

RING = 8 << 20
"""Octets that may wait for who asked for them; what comes then is not in the file."""

MOST = 4
"""Captures at a time."""

LONGEST = 3600.0
"""Seconds."""

GRACE = 10.0
"""Seconds after which one ends that nobody read."""

FLUSH = 0.25
"""Seconds between two looks at the ring."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be recorded; one of `account` and `connector`."""

    account: str = ""
    connector: str = ""
    seconds: float = 60.0
    bodies: bool = False
    passwords: bool = False


class Passed(NamedTuple):
    at: float
    wire: "Wire"
    outward: bool
    pdu: bytes


@dataclass(slots=True)
class Wire:
    """One link as it is recorded."""

    connection: Connection
    we_called: bool
    rest: dict[bool, bytes] = field(default_factory=lambda: {True: b"", False: b""})
    broken: bool = False


class Capture:
    """A tap on some links. Made, `begin`, read `file` to its end, `end`."""

    def __init__(self, running: Running, wanted: Wanted) -> None:
        """Raises Refused."""
        self._running = running
        self.wanted = wanted
        self.pdus = 0
        self.dropped = 0
        self._ring: deque[Passed] = deque()
        self._octets = 0
        self._wires: dict[Link, Wire] = {}
        if bool(wanted.account) is bool(wanted.connector):
            raise Refused(422, "The request is not valid", "give an account or a connector", "account")
        if wanted.account:
            self._account = account_of(running, wanted.account)
        else:
            connector = connector_of(running, wanted.connector)
            if not isinstance(connector, Connector):
                raise Refused(409, "It has no SMPP links", "it is an HTTPS carrier")
            self._connector = connector

    def begin(self) -> None:
        """Raises Refused."""
        owner = self._account if self.wanted.account else self._connector
        if owner.tap is not None:
            raise Refused(409, "It is being captured already", "wait for the end of that one")
        owner.tap = self
        for link in self._links():
            link.tap = self

    def end(self) -> None:
        owner = self._account if self.wanted.account else self._connector
        if owner.tap is self:
            owner.tap = None
        for link in (*self._links(), *self._wires):
            if link.tap is self:
                link.tap = None

    def _links(self) -> Iterable[Link]:
        if self.wanted.account:
            return [link for link in self._account.links if isinstance(link, EsmeLink)]
        return list(self._connector.links)

    def bound(self, link: Link, pdu: bytes) -> None:
        """Listen from this bind on: whose it is was not known before."""
        wire = self._wires[link] = _wire(link)
        self._keep(Passed(self._running.pipeline.clock(), wire, False, pdu))
        wire.rest[False] = link.session.unread

    def passed(self, link: Link, *, outward: bool, octets: bytes) -> None:
        """Called on the path of every read and write of these links."""
        wire = self._wires.get(link)
        if wire is None:
            wire = self._wires[link] = _wire(link)
            wire.rest[False] = link.session.unread
        if wire.broken:
            return
        at = self._running.pipeline.clock()
        octets = wire.rest[outward] + octets
        start, size = 0, len(octets)
        while size - start >= 16:
            (length,) = struct.unpack_from(">I", octets, start)
            if not 16 <= length <= self._running.settings.limits.max_pdu:
                wire.broken = True  # not SMPP: the link ends
                return
            if size - start < length:
                break
            self._keep(Passed(at, wire, outward, octets[start : start + length]))
            start += length
        wire.rest[outward] = octets[start:]

    def _keep(self, passed: Passed) -> None:
        if self._octets + len(passed.pdu) > RING:
            self.dropped += 1
            return
        self.pdus += 1
        self._octets += len(passed.pdu)
        self._ring.append(passed)

    def _take(self) -> bytes:
        """What is in the ring, as records of the file."""
        ring, self._ring = self._ring, deque()
        self._octets = 0
        found: list[bytes] = []
        wanted = self.wanted
        for at, wire, outward, pdu in ring:
            shown = redact(pdu, bodies=wanted.bodies, passwords=wanted.passwords)
            found += wire.connection.packets(at, shown, from_client=outward is wire.we_called)
        return b"".join(found)

    async def file(self) -> AsyncIterator[bytes]:
        """The file, piece by piece, as long as it was asked for."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self.wanted.seconds
        yield FILE_HEADER
        while (left := end - loop.time()) > 0.001:
            await asyncio.sleep(min(FLUSH, left))
            if self._ring:
                yield self._take()


class Captures:
    """Those under way."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._under_way: set[Capture] = set()

    def begin(self, who: str, wanted: Wanted) -> Capture:
        """Raises Refused."""
        if len(self._under_way) >= MOST:
            raise Refused(429, "Too many captures", f"at most {MOST} at a time")
        capture = Capture(self._running, wanted)
        capture.begin()
        self._under_way.add(capture)
        # Whoever asked may be gone before the first octet was.
        self._running.loop.call_later(wanted.seconds + GRACE, self._end, capture)
        shows = [name for name in ("bodies", "passwords") if getattr(wanted, name)]
        log.warning(
            "capture", who=who, account=wanted.account, connector=wanted.connector, seconds=wanted.seconds, shows=shows
        )
        return capture

    async def stream(self, capture: Capture) -> AsyncIterator[bytes]:
        """Its file; it ends with it, also when who reads it goes away."""
        try:
            async for piece in capture.file():
                yield piece
        finally:
            self._end(capture)

    def _end(self, capture: Capture) -> None:
        if capture in self._under_way:
            self._under_way.discard(capture)
            capture.end()
            wanted = capture.wanted
            log.info(
                "capture ended", account=wanted.account, connector=wanted.connector, pdus=capture.pdus,
                dropped=capture.dropped,
            )  # fmt: skip


def _wire(link: Link) -> Wire:
    here, there = _end(link, "sockname"), _end(link, "peername")
    we_called = not isinstance(link, EsmeLink)
    return Wire(Connection(here, there) if we_called else Connection(there, here), we_called)


def _end(link: Link, name: str) -> End:
    found = link.transport.get_extra_info(name)
    return (str(found[0]).partition("%")[0], int(found[1])) if found else ("127.0.0.1", 0)
