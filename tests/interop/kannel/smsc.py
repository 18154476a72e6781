"""A simulated SMSC that treats each message as its row says, and remembers who sent what."""

from collections.abc import Callable, Mapping
from typing import Self

from protocol import tlv
from protocol.consts import Status
from protocol.errors import PduError
from protocol.pdus import SubmitSm, decode_submit, encode_submit
from protocol.session import Asked
from smppgw.simulate.desk import Asker, Desk
from smppgw.simulate.mailbox import Delivery, Mailbox
from smppgw.simulate.options import Options
from smppgw.simulate.smsc import Smsc
from tests.interop.kannel.row import NUMBER, Receipt, Row

Came = Callable[[Row, str, SubmitSm], int]
"""Told of every submit_sm of a row; which of them it is, from 0."""
Taken = Callable[[Row, int], None]
"""Told of the status of every deliver_sm_resp."""


class TableDesk(Desk):
    def __init__(self, smsc: "TableSmsc") -> None:
        super().__init__(smsc.options, smsc._alarm)
        self._smsc = smsc

    def submit_sm(self, link: Asker, asked: Asked, now: float) -> None:
        try:
            pdu = decode_submit(asked.body)
        except PduError as error:
            link.answer(asked, error.status)
            return
        row = self._smsc.row_of(pdu.destination_addr)
        if row is None:
            link.answer(asked, 0, b"unknown\0")
            return
        number = self._smsc.came(row, link.owner, pdu)
        if number < len(row.statuses) and row.statuses[number] != Status.ROK:
            link.answer(asked, row.statuses[number])
            return
        id = b"%s-%d" % (pdu.destination_addr, number)
        link.answer(asked, 0, id + b"\0")
        if pdu.registered_delivery & 0x1F:
            for receipt in row.receipts:
                self.mailbox(link.owner).offer(Delivery(_receipt(pdu, receipt, id), True))

    def not_taken(self, mailbox: Mailbox, delivery: Delivery, status: int) -> None:
        """Nothing is sent again."""
        self._smsc.answered(delivery, status)


def _receipt(pdu: SubmitSm, receipt: Receipt, id: bytes) -> bytes:
    return encode_submit(
        SubmitSm(
            source_addr_ton=pdu.dest_addr_ton, source_addr_npi=pdu.dest_addr_npi, source_addr=pdu.destination_addr,
            dest_addr_ton=pdu.source_addr_ton, dest_addr_npi=pdu.source_addr_npi, destination_addr=pdu.source_addr,
            esm_class=receipt.esm_class, short_message=receipt.text.replace(b"{id}", id),
            tlvs=tlv.encode([(tag, value.replace(b"{id}", id)) for tag, value in receipt.tlvs]),
        )
    )  # fmt: skip


class TableSmsc(Smsc):
    """Listens like any `Smsc`; rows are found by their numbers."""

    def __init__(self, rows: Mapping[str, Row], came: Came, taken: Taken) -> None:
        super().__init__(Options(window=10))
        self._rows = rows
        self.came = came
        self._taken = taken
        self._started: dict[bytes, Row] = {}

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.desk = TableDesk(self)
        return self

    def row_of(self, number: bytes) -> Row | None:
        found = NUMBER.search(number)
        return self._rows.get(found[1].decode()) if found else None

    def start(self, row: Row) -> None:
        """Send the deliver_sm of a row."""
        for pdu in row.mo:
            delivery = Delivery(encode_submit(pdu), False)
            self._started[delivery.body] = row
            self.desk.mailbox(row.over).offer(delivery)

    def acked(self, delivery: Delivery) -> None:
        super().acked(delivery)
        self.answered(delivery, 0)

    def answered(self, delivery: Delivery, status: int) -> None:
        """An answer to a deliver_sm, good or bad."""
        if row := self._started.get(delivery.body):
            self._taken(row, status)
