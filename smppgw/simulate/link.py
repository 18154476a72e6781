"""One ESME's connection to a simulated SMSC."""

import asyncio
import time
from collections import Counter
from typing import Protocol, cast

from protocol import tlv
from protocol.consts import RESPONSE, Command, Status, Tag
from protocol.errors import PduError
from protocol.pdus import Bind, BindResp, decode, encode
from protocol.session import BINDS, RECEIVING, Answered, Asked, Broken, Ended, Event, Lapsed, Session, Side
from protocol.timers import Timers
from smppgw.simulate.desk import Desk
from smppgw.simulate.mailbox import Delivery, Mailbox
from smppgw.simulate.options import Options

_OUTPUT = 1 << 20
"""Octets that may wait to be written; above that we stop reading from the link."""
_SUBMIT_SM, _DELIVER_SM = int(Command.SUBMIT_SM), int(Command.DELIVER_SM)
_DELIVER_SM_RESP = int(Command.DELIVER_SM_RESP)


class House(Protocol):
    """What a link needs of its SMSC."""

    options: Options
    desk: Desk
    delivery_statuses: Counter[int]

    def opened(self, link: "Link") -> None: ...
    def closed(self, link: "Link") -> None: ...
    def bind(self, link: "Link", bind: Bind) -> Status: ...
    def acked(self, delivery: Delivery) -> None: ...
    def sent(self, delivery: Delivery) -> None: ...
    def dirty(self, link: "Link") -> None: ...


class Link(asyncio.Protocol):
    """Feeds a session, and writes once for every turn of the loop."""

    def __init__(self, house: House) -> None:
        options = house.options
        self._house = house
        self._desk = house.desk
        self._loop = asyncio.get_running_loop()
        timers = Timers(init=60.0, enquire_link=options.enquire_link, response=options.response)
        self.session = Session(Side.SMSC, self._loop.time(), timers=timers, window=options.window)
        self.owner = ""
        """The system_id, once bound."""
        self.wall = 0.0
        """The time of day of what was read last."""
        self.mailbox: Mailbox | None = None
        """Once bound to receive."""
        self._transport: asyncio.Transport | None = None
        self._writable = True
        self._dirty = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(_OUTPUT)
        self._house.opened(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        left = [token for command, token in self.session.lost() if command == Command.DELIVER_SM]
        if self.mailbox is not None:
            self.mailbox.links.remove(self)
            self._desk.counts["resent"] += sum(delivery.receipt for delivery in left)
            self.mailbox.give_back(left)
            self.mailbox.fill_all()
        self._house.closed(self)

    def data_received(self, data: bytes) -> None:
        now = self._loop.time()
        self.wall = time.time()
        submit, took = self._desk.submit_sm, self._house.acked
        acked = 0
        for event in self.session.receive(data, now):
            if type(event) is Asked:
                if event.command == _SUBMIT_SM:
                    submit(self, event, now)
                elif event.command in BINDS:
                    self._bind(event)
                else:
                    self._desk.other(self, event, now)
            elif type(event) is Answered and event.command == _DELIVER_SM_RESP and event.status == 0:
                acked += 1
                took(event.token)
            else:
                self._event(event)
        if acked and self.mailbox is not None and self.mailbox.waiting:
            self.mailbox.fill(self)
        self._house.delivery_statuses[0] += acked
        self._touch()

    def pause_writing(self) -> None:
        self._writable = False
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._writable = True
        if self._transport is not None:
            self._transport.resume_reading()
        if self.mailbox is not None:
            self.mailbox.fill(self)

    def room(self) -> int:
        return self.session.room if self._writable and self.session.state in RECEIVING else 0

    def try_deliver(self, delivery: Delivery) -> bool:
        session = self.session
        if self.mailbox is None or session.room <= 0 or not self._writable or session.state not in RECEIVING:
            return False
        self.deliver(delivery)
        return True

    def deliver(self, delivery: Delivery) -> None:
        self.session.request(_DELIVER_SM, delivery.body, delivery, self._loop.time())
        self._house.sent(delivery)
        self._touch()

    def answer(self, asked: Asked, status: int, body: bytes = b"") -> None:
        """Does nothing when the link is gone."""
        if self._transport is not None:
            self.session.answer(asked, status, body)
            self._touch()

    def flush(self) -> None:
        self._dirty = False
        if self._transport is not None and (data := self.session.outgoing()):
            self._transport.write(data)

    def tick(self, now: float) -> None:
        for event in self.session.tick(now):
            self._event(event)
        self._touch()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _touch(self) -> None:
        if not self._dirty:
            self._dirty = True
            self._house.dirty(self)

    def _bind(self, asked: Asked) -> None:
        try:
            bind = decode(asked.command, asked.body)
        except PduError as error:
            self._desk.counts["malformed"] += 1
            self.session.answer(asked, error.status)
            return
        status = self._house.bind(self, bind)
        tlvs = tlv.encode([(Tag.SC_INTERFACE_VERSION, b"\x34")]) if bind.interface_version >= 0x34 else b""
        body = encode(asked.command | RESPONSE, BindResp(self._house.options.name.encode(), tlvs))
        self.session.answer(asked, status, body)
        if self.session.state in RECEIVING:
            self.mailbox = self._desk.mailbox(self.owner)
            self.mailbox.links.append(self)
            self.mailbox.give_back(self._desk.homeless)
            self._desk.homeless.clear()
            self.mailbox.fill(self)

    def _event(self, event: Event) -> None:
        if isinstance(event, Answered | Lapsed):
            if not isinstance(event.token, Delivery) or self.mailbox is None:
                return
            status = event.status if isinstance(event, Answered) else int(Status.RX_T_APPN)
            self._house.delivery_statuses[status] += 1
            self._desk.not_taken(self.mailbox, event.token, status)
            self.mailbox.fill(self)
        elif isinstance(event, Ended | Broken):
            self.flush()
            if self._transport is not None:
                self._transport.close()
