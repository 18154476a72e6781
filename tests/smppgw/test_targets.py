"""A target empties its queue into members that have room, and knows when it cannot."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from protocol.consts import MessageState
from routing.groups import Group
from routing.message import DOUBTED, OFFERED, Message
from routing.table import Table
from smppgw.settings import Match, Route
from smppgw.targets import STEPPED_OVER, SWEEP, Target
from tests.smppgw.bench import Bench, Carrier, Esme, told
from tests.smppgw.jumping import advance, jumping, settle

PATIENCE = 5.0
"""Seconds until a target that is down is hopeless."""


@dataclass(eq=False)
class Member:
    """A connector as its groups see it."""

    name: str
    room: int = 0
    up: bool = False
    steady: bool = True
    _wanted: set[object] = field(default_factory=set)
    got: list[Message] = field(default_factory=list)
    full_binds: bool = False
    """The one bind that parts would go by has no room."""

    def takes(self, part: int) -> bool:
        return not self.full_binds

    def send(self, message: Message) -> None:
        self.room -= 1
        self.got.append(message)

    def want(self, by: object, wanted: bool) -> None:
        (self._wanted.add if wanted else self._wanted.discard)(by)

    def wanted(self) -> bool:
        return bool(self._wanted)

    @property
    def numbers(self) -> list[bytes]:
        return [message.destination for message in self.got]


class Desk:
    """A group of active members a and b with a backup c, in the place of the bench's carrier."""

    def __init__(self, bench: Bench) -> None:
        self.a, self.b, self.c = Member("a"), Member("b"), Member("c")
        loop = asyncio.get_running_loop()
        members = {each.name: each for each in (self.a, self.b, self.c)}
        group = Group([("a", 1), ("b", 1)], [("c", 1)], 2.0, 5.0, loop.time())
        self.bench = bench
        self.target = Target("carrier", group, members, bench.pipeline, loop.time)
        bench.pipeline.upstreams["carrier"] = self.target

    def up(self, member: Member, room: int = 1000) -> None:
        member.up, member.room = True, room
        self.target.member_up(member.name)

    def down(self, member: Member) -> None:
        member.up, member.room = False, 0
        self.target.member_down(member.name)

    async def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            await advance(1)
            self.target.tick()


@jumping
async def test_messages_wait_in_order_until_a_member_is_up() -> None:
    bench = Bench()
    desk = Desk(bench)
    await bench.accepted(b"1", b"2", b"3")
    assert len(desk.target.queue) == 3
    desk.up(desk.a)
    assert desk.a.numbers == [b"1", b"2", b"3"]


@jumping
async def test_active_members_share_and_a_full_one_gets_nothing() -> None:
    bench = Bench()
    desk = Desk(bench)
    desk.up(desk.a)
    desk.up(desk.b, room=1)
    await bench.accepted(*(b"%d" % n for n in range(6)))
    assert (len(desk.a.got), len(desk.b.got)) == (5, 1)
    desk.b.room = 2
    await bench.accepted(b"7", b"8")
    assert (len(desk.a.got), len(desk.b.got)) == (6, 2)


@jumping
async def test_when_nobody_has_room_messages_wait_for_the_next_pump() -> None:
    bench = Bench()
    desk = Desk(bench)
    desk.up(desk.a, room=1)
    await bench.accepted(b"1", b"2")
    assert desk.a.numbers == [b"1"]
    desk.a.room = 1
    desk.target.pump()
    assert desk.a.numbers == [b"1", b"2"]


@jumping
async def test_a_member_that_is_not_steady_is_asked_for_its_room_after_every_message() -> None:
    bench = Bench()
    desk = Desk(bench)
    desk.a.steady = False
    desk.up(desk.a, room=2)
    await bench.accepted(b"1", b"2", b"3")
    assert desk.a.numbers == [b"1", b"2"]


@jumping
async def test_backups_are_wanted_only_while_no_active_member_is_up_and_hand_back_afterwards() -> None:
    bench = Bench()
    desk = Desk(bench)
    assert [each.wanted() for each in (desk.a, desk.b, desk.c)] == [True, True, False]
    desk.up(desk.a)
    desk.down(desk.a)
    await desk.pass_time(1)
    assert not desk.c.wanted()
    await desk.pass_time(2)
    assert desk.c.wanted()
    desk.up(desk.c)
    await bench.accepted(b"1")
    assert desk.c.numbers == [b"1"]
    desk.up(desk.b)
    await bench.accepted(b"2")
    assert desk.b.numbers == [b"2"], "an active member at once"
    await desk.pass_time(4)
    assert desk.c.wanted()
    await desk.pass_time(2)
    assert not desk.c.wanted()


@jumping
async def test_parts_of_one_message_stay_with_one_member() -> None:
    bench = Bench()
    desk = Desk(bench)
    desk.up(desk.a)
    desk.up(desk.b)
    for reference in range(20):
        for number in (1, 2, 3):
            header = bytes((5, 0, 3, reference, 3, number))
            await bench.accepted(b"1", esm_class=0x40, short_message=header + b"text")
    references = [{pdu.body[-7] for pdu in member.got} for member in (desk.a, desk.b)]
    assert references[0]
    assert references[1]
    seen = [{message.part for message in member.got} for member in (desk.a, desk.b)]
    assert not seen[0] & seen[1]
    assert len(seen[0] | seen[1]) == 20


@jumping
async def test_a_part_waits_for_the_room_of_its_own_member_and_bind() -> None:
    bench = Bench()
    desk = Desk(bench)
    desk.up(desk.a)
    desk.a.full_binds = True
    await bench.accepted(b"1", esm_class=0x40, short_message=b"\5\0\3\1\2\1text")
    assert not desk.a.got
    desk.a.full_binds = False
    desk.target.pump()
    assert len(desk.a.got) == 1


def part(number: int, reference: int = 1) -> dict[str, Any]:
    """Fields of the submit_sm that brings it."""
    return {"esm_class": 0x40, "short_message": bytes((5, 0, 3, reference, 2, number)) + b"text"}


async def halved(bench: Bench, desk: Desk) -> None:
    """The first part of a message is with a, which has no room for the second one now."""
    for reference in range(50):
        await bench.accepted(b"9", **part(1, reference))
        if desk.a.got:
            desk.a.room = 0
            await bench.accepted(b"9", **part(2, reference))
            desk.b.got.clear()
            return
    raise AssertionError("all of them went to b")


@jumping
async def test_a_part_whose_member_is_full_lets_the_others_go_and_keeps_its_place() -> None:
    bench = Bench()
    desk = Desk(bench)
    desk.up(desk.a)
    desk.up(desk.b)
    await halved(bench, desk)
    await bench.accepted(b"1", b"2")
    assert desk.b.numbers == [b"1", b"2"]
    desk.b.room = 0
    await bench.accepted(b"3")
    assert [message.destination for message in desk.target.queue] == [b"9", b"3"]
    desk.a.room = 1
    desk.target.pump()
    assert [message.body[-5] for message in desk.a.got] == [1, 2]


@jumping
async def test_only_so_many_parts_let_others_go_before_them() -> None:
    bench = Bench()
    desk = Desk(bench)
    desk.up(desk.a)
    desk.up(desk.b)
    await halved(bench, desk)
    (waits,) = desk.target.queue
    desk.target.queue.extend([waits] * (STEPPED_OVER - 1))
    await bench.accepted(b"1")
    assert desk.b.numbers == [b"1"]
    desk.target.queue.append(waits)
    await bench.accepted(b"2")
    assert desk.b.numbers == [b"1"]
    assert len(desk.target.queue) == STEPPED_OVER + 2


@jumping
async def test_what_expires_in_the_queue_is_not_sent() -> None:
    bench = Bench(validity=60.0)
    desk = Desk(bench)
    esme = Esme(bench.account)
    (asker,) = await bench.accepted(b"1")
    await advance(61)
    desk.up(desk.a)
    await settle()
    assert not desk.a.got
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.EXPIRED)]


@jumping
async def test_what_expires_in_a_queue_that_does_not_move_is_told_too() -> None:
    bench = Bench(validity=60.0)
    desk = Desk(bench)
    esme = Esme(bench.account)
    await bench.accepted(b"1", b"2")
    await desk.pass_time(int(60 + SWEEP + 2))
    assert [delivery.state for delivery in esme.got] == [MessageState.EXPIRED] * 2
    assert not desk.target.queue


@jumping
async def test_a_cancelled_message_is_passed_over() -> None:
    bench = Bench()
    desk = Desk(bench)
    await bench.accepted(b"1", b"2")
    bench.pipeline.cancel(desk.target.queue[0])
    desk.up(desk.a)
    assert desk.a.numbers == [b"2"]


@jumping
async def test_a_message_that_was_put_off_waits_for_its_new_time() -> None:
    bench = Bench()
    desk = Desk(bench)
    await bench.accepted(b"1")
    desk.target.queue[0].not_before = bench.pipeline.clock() + 60
    desk.up(desk.a)
    await advance(59)
    assert not desk.a.got
    await advance(2)
    assert desk.a.numbers == [b"1"]


@jumping
async def test_a_target_is_hopeless_when_it_was_down_for_longer_than_a_bind_takes() -> None:
    desk = Desk(Bench())

    def hopeless() -> bool:
        return desk.target.hopeless

    await advance(PATIENCE - 1)
    assert hopeless() is False
    await advance(2)
    assert hopeless() is True
    desk.up(desk.a)
    await advance(60)
    assert hopeless() is False
    desk.down(desk.a)
    assert hopeless() is False
    await advance(PATIENCE + 1)
    assert hopeless() is True


@jumping
async def test_messages_of_a_hopeless_target_take_their_fallback_in_order() -> None:
    bench = Bench()
    desk = Desk(bench)
    other = Carrier(b"other")
    bench.pipeline.upstreams["other"] = other
    bench.pipeline.table = Table([Route(name="all", to="carrier", fallback=("other",))])
    await bench.accepted(b"1", b"2")
    await desk.pass_time(4)
    assert not other.queue
    await desk.pass_time(2)
    assert [message.destination for message in other.queue] == [b"1", b"2"]
    assert not desk.target.queue


@jumping
async def test_a_message_whose_route_has_no_fallback_does_not_keep_others_from_theirs() -> None:
    bench = Bench()
    desk = Desk(bench)
    other = Carrier(b"other")
    bench.pipeline.upstreams["other"] = other
    here = Route(name="here", to="carrier", match=Match(destination=("1*",)))
    bench.pipeline.table = Table([here, Route(name="all", to="carrier", fallback=("other",))])
    await bench.accepted(b"1", b"2", b"11", b"3")
    await desk.pass_time(7)
    assert [message.destination for message in other.queue] == [b"2", b"3"]
    assert [message.destination for message in desk.target.queue] == [b"1", b"11"]


@jumping
async def test_messages_stay_where_the_fallback_is_hopeless_too() -> None:
    bench = Bench()
    desk = Desk(bench)
    other = Carrier(b"other")
    other.hopeless = True
    bench.pipeline.upstreams["other"] = other
    bench.pipeline.table = Table([Route(name="all", to="carrier", fallback=("other",))])
    await bench.accepted(b"1", b"2")
    await desk.pass_time(10)
    assert len(desk.target.queue) == 2


@jumping
async def test_a_target_that_is_closed_wants_nobody_and_gives_back_its_messages() -> None:
    bench = Bench()
    desk = Desk(bench)
    await bench.accepted(b"1", b"2")
    left = desk.target.close()
    assert [message.destination for message in left] == [b"1", b"2"]
    assert not desk.a.wanted()
    assert not desk.b.wanted()


@jumping
async def test_a_target_in_the_place_of_another_of_its_name_keeps_its_members() -> None:
    bench = Bench()
    desk = Desk(bench)
    loop = asyncio.get_running_loop()
    Target("carrier", Group([("a", 1)]), {"a": desk.a}, bench.pipeline, loop.time)
    desk.target.close()
    assert desk.a.wanted()
    assert not desk.b.wanted()


@jumping
async def test_messages_that_go_again_keep_their_order_whenever_they_come_back() -> None:
    bench = Bench()
    desk = Desk(bench)
    desk.up(desk.a, room=4)
    await bench.accepted(b"1", b"2", b"3", b"4", b"5")
    for message in desk.a.got[:3]:  # each in a read of its own
        bench.pipeline.again(message)
    assert [message.destination for message in desk.target.queue] == [b"1", b"2", b"3", b"5"]


# Messages that only this one may get again


def pinned(bench: Bench, count: int) -> list[Message]:
    """Messages that are in doubt, oldest first."""
    found = list(bench.pipeline.queued.values())[:count]
    for message in found:
        message.pin, message.flags = "carrier", OFFERED | DOUBTED
    return found


@jumping
async def test_pinned_messages_stay_in_their_order_when_the_others_take_their_fallback() -> None:
    bench = Bench()
    desk = Desk(bench)
    other = Carrier(b"other")
    bench.pipeline.upstreams["other"] = other
    bench.pipeline.table = Table([Route(name="all", to="carrier", fallback=("other",))])
    await bench.accepted(b"1", b"2", b"3", b"4")
    pinned(bench, 2)
    await desk.pass_time(7)
    assert [message.destination for message in other.queue] == [b"3", b"4"]
    assert [message.destination for message in desk.target.queue] == [b"1", b"2"]


@jumping
async def test_where_all_are_pinned_nothing_is_moved() -> None:
    bench = Bench()
    desk = Desk(bench)
    bench.pipeline.upstreams["other"] = Carrier(b"other")
    bench.pipeline.table = Table([Route(name="all", to="carrier", fallback=("other",))])
    await bench.accepted(b"1", b"2")
    first, second = pinned(bench, 2)
    queue = desk.target.queue
    await desk.pass_time(10)
    assert desk.target.queue is queue
    assert list(queue) == [first, second]


@jumping
async def test_a_shy_target_wants_its_member_while_it_has_messages_and_no_longer() -> None:
    bench = Bench()
    member = Member("a")
    loop = asyncio.get_running_loop()
    target = Target("a", Group([("a", 1)]), {"a": member}, bench.pipeline, loop.time, shy=True)
    bench.pipeline.upstreams["a"] = target
    assert not member.wanted()
    await bench.accepted(b"1")
    (message,) = bench.pipeline.queued.values()
    for offer in (target.offer, target.offer_first):
        offer(message)
        assert member.wanted()
        target.queue.clear()
        target.tick()
        assert not member.wanted()
