"""An ESME of the demo that sends long texts in parts by two binds at once, and keeps what comes back."""

import asyncio
import random
from collections.abc import Sequence
from time import monotonic
from typing import Any, NamedTuple

from protocol import pdus, receipt, text, tlv, udh
from protocol.consts import FINAL_STATES, RECEIPT_TYPES, Command, DataCoding, MessageState, Npi, Status, Ton
from protocol.pdus import SubmitSm
from protocol.session import Answered, Asked, Event
from smppgw.load.link import EsmeLink, connect

BINDS = 2


class Said(NamedTuple):
    """A message from a handset."""

    source: str
    destination: str
    text: str


class Desk:
    """`bind` it, `part` at the end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._links: list[EsmeLink] = []
        self._reference = 0
        self.ids: dict[bytes, str] = {}
        """Message id to the destination, of every part that was acknowledged."""
        self.refused: list[int] = []
        self.ends: dict[bytes, MessageState] = {}
        """Final states, by message id."""
        self.repeated = 0
        """Second final receipts."""
        self.heard: list[Said] = []

    async def bind(self, system_id: bytes, password: bytes) -> None:
        for _ in range(BINDS):
            link = await connect(self, "127.0.0.1", self._port)
            await link.bind("trx", system_id, password)
            self._links.append(link)

    async def part(self) -> None:
        await asyncio.gather(*(link.unbind() for link in self._links))

    def write(self, source: str, destination: str, words: str) -> int:
        """Submit a text, its parts in any order, now by this bind and now by that one; how many there are."""
        self._reference += 1
        parts = udh.segments(words.encode("utf-16-be"), DataCoding.UCS2, reference=self._reference)
        mixed = random.sample(parts, len(parts))
        if mixed == parts:
            mixed.reverse()
        ton, npi = _kind(source)
        for number, part in enumerate(mixed):
            pdu = SubmitSm(
                source_addr_ton=ton, source_addr_npi=npi, source_addr=source.removeprefix("+").encode(),
                dest_addr_ton=Ton.INTERNATIONAL, dest_addr_npi=Npi.ISDN, destination_addr=destination.encode(),
                esm_class=part.esm_class, registered_delivery=1, data_coding=DataCoding.UCS2,
                short_message=part.short_message, tlvs=tlv.encode(part.tlvs),
            )  # fmt: skip
            link = self._links[number % len(self._links)]
            link.session.request(Command.SUBMIT_SM, pdus.encode_submit(pdu), destination, monotonic())
            link.touch()
        return len(parts)

    def delivered(self, destination: str) -> int:
        """How many parts for it have ended as DELIVRD."""
        return sum(self.ends.get(id) == MessageState.DELIVERED for id, each in self.ids.items() if each == destination)

    def events(self, link: EsmeLink, events: Sequence[Event], now: float) -> None:
        del now
        for event in events:
            if isinstance(event, Answered) and event.status == Status.ROK:
                self.ids[event.body.rstrip(b"\0")] = event.token
            elif isinstance(event, Answered):
                self.refused.append(event.status)
            elif isinstance(event, Asked) and event.command == Command.DELIVER_SM:
                self._came(pdus.decode_submit(event.body))
                link.session.answer(event, Status.ROK, b"\0")

    def _came(self, pdu: SubmitSm) -> None:
        if not pdu.esm_class & RECEIPT_TYPES:
            words = text.decode(pdu.short_message, pdu.data_coding)
            self.heard.append(Said(pdu.source_addr.decode(), pdu.destination_addr.decode(), words))
            return
        said = receipt.parse(pdu.short_message, tlv.parse(pdu.tlvs))
        if said is not None and said.state in FINAL_STATES:
            self.repeated += said.id in self.ends
            self.ends[said.id] = said.state

    def lost(self, link: EsmeLink, unanswered: list[tuple[int, Any]]) -> None:
        pass

    def writable(self, link: EsmeLink) -> None:
        pass


def _kind(source: str) -> tuple[Ton, Npi]:
    if source.startswith("+"):
        return Ton.INTERNATIONAL, Npi.ISDN
    return (Ton.NATIONAL, Npi.ISDN) if source.isdecimal() else (Ton.ALPHANUMERIC, Npi.UNKNOWN)
