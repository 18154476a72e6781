"""An smsc = fake: the lines that Kannel's fakesmsc speaks, for tests of a set-up without an SMSC."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal
from urllib.parse import unquote_to_bytes

import structlog

from protocol.pdus import SubmitSm
from smppgw.carriers.client import Client
from smppgw.carriers.contract import Answer, Capabilities, Heard, Hook, Operation, Text, sent
from smppgw.carriers.settings import CarrierSettings
from smppgw.exchange import Unsent
from smppgw.kannel.access import may_connect, plain
from smppgw.kannel.http_smsc import LONGEST, from_mobile, sms_of
from smppgw.kannel.metadata import url_encode
from smppgw.kannel.model import Smsc
from smppgw.reasons import why

log = structlog.get_logger()

MAX_LINE = 1 << 16


class FakeSmscSettings(CarrierSettings):
    """There is no url: who plays the SMSC comes to us."""

    kind: Literal["fake"] = "fake"
    smsc: Smsc


def settings(name: str, smsc: Smsc) -> FakeSmscSettings:
    """Of one group."""
    return FakeSmscSettings(
        name=name,
        url="http://nowhere.invalid",
        smsc=smsc,
        rate=max(0.0, smsc.throughput),
        burst=1.0 if smsc.throughput > 0 else 0.0,
        retry=(1.0,),
        breaker_failures=1_000_000,
    )


class FakeSmsc:
    """What goes out is a line to whoever plays the SMSC, and is delivered then."""

    kind: ClassVar[str] = "fake"
    capabilities = Capabilities(longest=LONGEST, binary=140, header=True, receipts="webhook")
    thanks = (b"", "text/plain")

    def __init__(self, settings: FakeSmscSettings, client: Client) -> None:  # noqa: ARG002  it asks nobody
        self._smsc = settings.smsc
        self._player: asyncio.StreamWriter | None = None
        self.delivered: Callable[[bytes], None] = lambda _: None

    @property
    def is_played(self) -> bool:
        return self._player is not None

    def played(self, by: asyncio.StreamWriter | None) -> None:
        """Somebody has come, or has gone."""
        self._player = by

    async def send(self, text: Text) -> Answer:
        if self._player is None or self._player.is_closing():
            raise Unsent("nobody plays the SMSC")
        self._player.write(line_of(text, self._smsc))
        id = text.tag.encode()
        if text.receipt:
            self.delivered(id)
        return sent(id)

    def hear(self, hook: Hook) -> Sequence[Heard]:  # noqa: ARG002
        return ()

    async def poll(self, id: bytes) -> Sequence[Heard]:  # noqa: ARG002
        return ()

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {}


def line_of(text: Text, smsc: Smsc) -> bytes:
    """Sender, receiver, and what they say in the simplest way that holds it."""
    sms = sms_of(text, smsc, b"")
    head = b"%b %b" % (sms.receiver.replace(b" ", b""), sms.sender.replace(b" ", b""))
    if sms.udh:
        return b"%b udh %b %b\n" % (head, url_encode(sms.udh), url_encode(sms.text))
    if all(32 <= octet < 127 for octet in sms.text):
        return b"%b text %b\n" % (head, sms.text)
    return b"%b data %b\n" % (head, url_encode(sms.text))


def incoming(line: bytes) -> SubmitSm | None:
    """A message from a mobile; None is no such line."""
    words = line.rstrip(b"\r\n").split(b" ", 3)
    if len(words) < 4:
        return None
    sender, receiver, kind, said = words
    more: dict[str, bytes] = {}
    if kind in {b"udh", b"route", b"dlr-mask"}:
        first, blank, said = said.partition(b" ")
        if not blank:
            return None
        if kind == b"udh":
            more = {"udh": unquote_to_bytes(first), "coding": b"1"}
    if kind in {b"udh", b"data"}:
        said = unquote_to_bytes(said.replace(b"+", b" "))
    elif kind not in {b"text", b"route", b"dlr-mask"}:
        return None
    try:
        return from_mobile(sender, receiver, said, more.get)
    except (LookupError, UnicodeError, ValueError):
        return None


class FakePort:
    """Where one plays the SMSC after the other; `heard` takes what comes."""

    def __init__(
        self, name: str, smsc: Smsc, carrier: Callable[[], FakeSmsc | None], heard: Callable[[SubmitSm], None]
    ) -> None:
        self._name = name
        self._smsc = smsc
        self._carrier = carrier
        self._heard = heard
        self._server: asyncio.Server | None = None
        self._players: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """OSError with the reason when the port cannot be had."""
        try:
            self._server = await asyncio.start_server(self._play, None, self._smsc.port, limit=MAX_LINE)
        except OSError as error:
            raise OSError(f"cannot listen on *:{self._smsc.port} for smsc {self._name}: {why(error)}") from error

    async def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for writer in list(self._players):
            writer.close()

    async def _play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ip = plain(str(writer.get_extra_info("peername")[0]))
        carrier = self._carrier()
        if carrier is None or carrier.is_played or not may_connect(self._smsc.connect_allow_ip, ip):
            log.warning("fakesmsc refused", smsc=self._name, ip=ip)
            writer.close()
            return
        log.info("fakesmsc connected", smsc=self._name, ip=ip)
        self._players.add(writer)
        carrier.played(writer)
        try:
            while line := await reader.readline():
                pdu = incoming(line)
                if pdu is None:
                    log.warning("fakesmsc said what is no message", smsc=self._name)
                else:
                    self._heard(pdu)
        except (OSError, ValueError) as error:  # ValueError: a line without an end
            log.warning("fakesmsc lost", smsc=self._name, reason=str(error))
        finally:
            carrier.played(None)
            self._players.discard(writer)
            writer.close()
