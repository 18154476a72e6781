"""A link writes once for all that one turn brings, and stops reading from who does not read."""

import asyncio
from typing import Any

from protocol.consts import Command, Status
from protocol.session import Answered, Asked, Lapsed, Session, Side
from protocol.timers import Timers
from protocol.wire import frame
from smppgw.smpp.link import Link
from tests.smppgw.jumping import advance, jumping, settle

BIND = frame(Command.BIND_TRANSCEIVER, 0, 1, b"esme\0secret\0\0\x34\0\0\0")


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": ("192.0.2.1", 4711)})
        self.written: list[bytes] = []
        self.unread = 0
        self.reading = True
        self.end = ""
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limit = high

    def get_write_buffer_size(self) -> int:
        return self.unread

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.end, "nothing is written after the end"
        self.written.append(bytes(data))

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return bool(self.end)

    def close(self) -> None:
        self.end = self.end or "closed"

    def abort(self) -> None:
        self.end = "aborted"


class Asking(Link):
    """A server's link that answers everything, when it is told to."""

    def __init__(self, timers: Timers) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(loop, Session(Side.SMSC, loop.time(), timers=timers), 4096, 30.0)
        self.events: list[Any] = []
        self.reasons: list[str] = []
        self.turns = 0

    @property
    def busy(self) -> bool:
        return False

    def asked(self, event: Asked) -> None:
        self.events.append(event)
        self.session.answer(event, Status.ROK, b"\0")
        self.flush_soon()

    def answered(self, event: Answered) -> None:
        self.events.append(event)

    def lapsed(self, event: Lapsed) -> None:
        self.events.append(event)

    def turned(self) -> None:
        self.turns += 1

    def ended(self, reason: str) -> None:
        self.reasons.append(reason)


def linked(timers: Timers | None = None) -> tuple[Asking, Wire]:
    link = Asking(timers or Timers(0, 0, 0, 0))
    wire = Wire(link)
    link.connection_made(wire)
    return link, wire


@jumping
async def test_all_answers_of_one_read_are_one_write() -> None:
    link, wire = linked()
    link.data_received(BIND)
    link.data_received(b"".join(frame(Command.SUBMIT_SM, 0, n, b"body") for n in range(2, 12)))
    await settle()
    assert len(wire.written) <= 2
    assert len(b"".join(wire.written)) == 11 * 17
    assert link.turns == 2


@jumping
async def test_what_is_answered_later_in_one_turn_is_one_write_too() -> None:
    link, wire = linked()
    link.data_received(BIND)
    await settle()
    wire.written.clear()
    for _ in range(10):
        link.session.request(Command.DELIVER_SM, b"body", None, 0.0)
        link.flush_soon()
    assert not wire.written
    await settle()
    assert len(wire.written) == 1


@jumping
async def test_the_peer_and_the_limit_of_its_buffer_are_known() -> None:
    link, wire = linked()
    assert (link.peer, wire.limit) == ("192.0.2.1", 4096)


@jumping
async def test_who_does_not_read_is_not_read_from() -> None:
    link, wire = linked()
    read = [wire.reading]
    for change in (link.pause_writing, link.resume_writing):
        change()
        read.append(wire.reading)
    assert read == [True, False, True]
    assert link.turns == 1, "there is room again"


@jumping
async def test_who_does_not_read_for_too_long_is_cut_off() -> None:
    link, wire = linked()
    link.pause_writing()
    await advance(29)
    link.tick()
    assert not link.reasons
    await advance(2)
    link.tick()
    assert (wire.end, link.reasons) == ("aborted", ["the peer does not read"])


@jumping
async def test_octets_that_the_peer_has_not_taken_are_unflushed() -> None:
    link, wire = linked()
    seen = []
    for unread in (0, 10):
        wire.unread = unread
        seen.append(link.unflushed)
    link.abort("enough")
    assert [*seen, link.unflushed] == [False, True, False]


@jumping
async def test_the_end_comes_once_whoever_ends_it() -> None:
    link, wire = linked()
    link.close("we do not like it")
    link.abort("nor now")
    link.connection_lost(None)
    assert link.reasons == ["we do not like it"]
    link.session.outgoing()
    link.flush_soon()
    await settle()
    assert wire.end == "aborted"


@jumping
async def test_an_unbind_is_answered_before_the_link_is_closed() -> None:
    link, wire = linked()
    link.data_received(BIND)
    link.data_received(frame(Command.UNBIND, 0, 2))
    await settle()
    assert frame(Command.UNBIND_RESP, 0, 2) in b"".join(wire.written)
    assert (wire.end, link.reasons) == ("closed", ["the peer unbound"])


@jumping
async def test_garbage_is_told_and_closes_the_link_after_what_came_before_it() -> None:
    link, wire = linked()
    link.data_received(BIND)
    link.data_received(frame(Command.SUBMIT_SM, 0, 2, b"body") + b"\0\0\0\1" + b"\0" * 12)
    assert [event.command for event in link.events] == [Command.BIND_TRANSCEIVER, Command.SUBMIT_SM]
    written = b"".join(wire.written)
    assert frame(Command.GENERIC_NACK, Status.RINVCMDLEN, 0) in written
    assert wire.end == "closed"


@jumping
async def test_the_timers_are_looked_at_when_it_ticks() -> None:
    link, wire = linked(Timers(init=10.0, enquire_link=5.0, inactivity=0, response=3.0))
    link.data_received(BIND)
    link.session.request(Command.DELIVER_SM, b"body", "token", link.loop.time())
    await advance(4)
    link.tick()
    assert link.events[-1] == Lapsed(Command.DELIVER_SM, "token")
    await advance(2)
    link.tick()
    assert b"".join(wire.written).endswith(b"\0\0\0\x15\0\0\0\0\0\0\0\2")
    await advance(4)
    link.tick()
    assert link.reasons == ["enquire_link was not answered"]


@jumping
async def test_the_loss_of_the_connection_names_its_cause() -> None:
    link, _ = linked()
    link.connection_lost(ConnectionResetError("reset by peer"))
    other, _ = linked()
    other.connection_lost(None)
    assert (link.reasons, other.reasons) == (["reset by peer"], ["the peer closed the connection"])
