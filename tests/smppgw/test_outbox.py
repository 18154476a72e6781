"""An ESME's deliveries go out in order on whichever link can take them, and none is lost."""

import asyncio
from dataclasses import dataclass, field

import pytest

from protocol.consts import Status
from routing.message import Delivery
from smppgw.accounts import AccountState
from smppgw.delays import Delays
from smppgw.outbox import TRY_AGAIN, UNREAD
from smppgw.settings import Account
from tests.smppgw.bench import Esme
from tests.smppgw.jumping import EPOCH, advance, epoch, jumping


@dataclass
class Records:
    """Who owns the records."""

    delivered_ids: list[int] = field(default_factory=list)
    postponed_ids: list[int] = field(default_factory=list)
    aside: dict[int, str] = field(default_factory=dict)

    def delivered(self, delivery: Delivery) -> None:
        self.delivered_ids.append(delivery.id)

    def postponed(self, delivery: Delivery) -> None:
        self.postponed_ids.append(delivery.id)

    def set_aside(self, delivery: Delivery, reason: str) -> None:
        self.aside[delivery.id] = reason


class Desk:
    """One account; make it inside the loop that it is to use."""

    def __init__(self, **settings: object) -> None:
        self.records = Records()
        delays = Delays(asyncio.get_running_loop())
        account = Account.model_validate({"name": "esme", **settings})
        self.account = AccountState(account, self.records, delays, epoch)
        self.outbox = self.account.outbox

    def add(self, *ids: int) -> None:
        for id in ids:
            self.outbox.add(Delivery(id, "esme", b"body", epoch()))
        self.outbox.pump()

    def link(self, room: int = 1000) -> Esme:
        return Esme(self.account, room)


def ids(link: Esme) -> list[int]:
    return [delivery.id for delivery in link.got]


@jumping
async def test_deliveries_wait_for_a_link_and_keep_their_order() -> None:
    desk = Desk()
    desk.add(1, 2, 3)
    link = desk.link()
    desk.outbox.pump()
    assert ids(link) == [1, 2, 3]
    assert len(desk.outbox) == 3, "until they are answered"


@jumping
async def test_a_link_gets_no_more_than_its_window() -> None:
    desk = Desk()
    link = desk.link(room=2)
    desk.add(1, 2, 3)
    assert ids(link) == [1, 2]
    link.answer(link.got[0])
    assert ids(link) == [1, 2, 3]
    assert desk.records.delivered_ids == [1]


@jumping
async def test_a_second_link_takes_what_the_first_has_no_room_for() -> None:
    desk = Desk()
    first, second = desk.link(room=1), desk.link(room=5)
    desk.add(1, 2, 3)
    assert sorted(ids(first) + ids(second)) == [1, 2, 3]
    assert len(ids(first)) <= 1


@jumping
async def test_links_take_turns() -> None:
    desk = Desk()
    first, second = desk.link(), desk.link()
    for id in range(6):
        desk.add(id)
    assert (len(first.got), len(second.got)) == (3, 3)


@jumping
async def test_a_link_without_room_gets_nothing() -> None:
    desk = Desk()
    transmitter, receiver = desk.link(room=0), desk.link()
    desk.add(1, 2)
    assert (ids(transmitter), ids(receiver)) == ([], [1, 2])


@jumping
async def test_nothing_overtakes_the_answers_that_another_link_has_not_read() -> None:
    desk = Desk()
    slow, quick = desk.link(room=0), desk.link()
    slow.unflushed = True
    desk.add(1)
    await advance(1)
    assert not quick.got
    slow.unflushed = False
    await advance(0.01)
    assert ids(quick) == [1]


@jumping
async def test_a_link_may_have_unread_answers_of_its_own() -> None:
    desk = Desk()
    link = desk.link()
    desk.link(room=0)
    link.unflushed = True
    desk.add(1)
    assert ids(link) == [1]


@jumping
@pytest.mark.parametrize("status", sorted(TRY_AGAIN))
async def test_a_delivery_that_is_not_taken_now_comes_again_after_growing_delays(status: int) -> None:
    desk = Desk(deliver_retry=(5.0, 30.0))
    link = desk.link()
    desk.add(1)
    for attempts, delay in enumerate((5, 30, 30), 1):
        link.answer(link.got[-1], status)
        assert desk.records.postponed_ids == [1] * attempts
        assert len(desk.outbox) == 1
        await advance(delay - 1)
        assert len(link.got) == attempts
        await advance(1.5)
        assert len(link.got) == attempts + 1
    assert desk.records.delivered_ids == []


@jumping
async def test_a_postponed_delivery_keeps_no_other_one_waiting() -> None:
    desk = Desk()
    link = desk.link(room=1)
    desk.add(1, 2)
    link.answer(link.got[0], Status.RMSGQFUL)
    assert ids(link) == [1, 2]


@jumping
async def test_a_delivery_that_is_refused_for_good_is_set_aside_at_once() -> None:
    desk = Desk()
    link = desk.link()
    desk.add(1)
    link.answer(link.got[0], Status.RX_R_APPN)
    assert list(desk.records.aside) == [1]
    assert "0x66" in desk.records.aside[1]
    assert len(desk.outbox) == 0


@jumping
async def test_a_delivery_that_is_refused_too_often_is_set_aside() -> None:
    desk = Desk(deliver_retry=(1.0,), deliver_attempts=3)
    link = desk.link()
    desk.add(1)
    for _ in range(3):
        assert not desk.records.aside
        link.answer(link.got[-1], Status.RMSGQFUL)
        await advance(2)
    assert list(desk.records.aside) == [1]
    assert "3 times" in desk.records.aside[1]
    assert len(desk.outbox) == 0


@jumping
async def test_what_an_application_answered_last_is_why_its_delivery_is_set_aside() -> None:
    desk = Desk(deliver_retry=(1.0,), deliver_attempts=2)
    link = desk.link()
    desk.add(1, 2)
    desk.outbox.answered(link.got[0], Status.RX_P_APPN, "http 410")
    desk.outbox.answered(link.got[1], Status.RSYSERR, "http 500")
    await advance(2)
    desk.outbox.answered(link.got[2], Status.RSYSERR, "http 503")
    assert desk.records.aside == {1: "refused: http 410", 2: "refused 2 times, last: http 503"}


@jumping
async def test_a_delivery_that_is_refused_when_it_is_too_old_is_set_aside() -> None:
    desk = Desk(deliver_age=60.0)
    link = desk.link()
    desk.add(1)
    await advance(61)
    link.answer(link.got[0], Status.RMSGQFUL)
    assert desk.records.aside == {1: "older than deliver_age"}


@jumping
async def test_what_no_link_comes_for_in_time_is_set_aside() -> None:
    desk = Desk(deliver_age=60.0)
    desk.add(1)
    await advance(30)
    desk.add(2)
    await advance(31)
    desk.outbox.expire()
    assert list(desk.records.aside) == [1]
    assert [delivery.id for delivery in desk.outbox.waiting] == [2]


@jumping
async def test_what_a_dropped_link_had_not_answered_goes_to_the_next_one_first_and_in_order() -> None:
    desk = Desk()
    first = desk.link(room=3)
    desk.add(1, 2, 3, 4, 5)
    first.answer(first.got.pop(0))
    assert ids(first) == [2, 3, 4]
    first.drop()
    second = desk.link()
    desk.outbox.pump()
    assert ids(second) == [2, 3, 4, 5]
    assert desk.records.delivered_ids == [1]


@jumping
async def test_a_dropped_links_deliveries_go_to_another_link_at_once() -> None:
    desk = Desk()
    first, second = desk.link(), desk.link(room=0)
    desk.add(1, 2)
    second.room = 10
    first.drop()
    assert ids(second) == [1, 2]
    assert len(desk.outbox) == 2


@jumping
async def test_a_drop_is_no_attempt() -> None:
    desk = Desk(deliver_attempts=1)
    for _ in range(5):
        link = desk.link()
        desk.outbox.pump()
        if not desk.outbox.under_way:
            desk.add(1)
        link.drop()
    assert desk.records.aside == {}
    (delivery,) = desk.outbox.waiting
    assert (delivery.attempts, delivery.born) == (0, EPOCH)


def fresh(desk: Desk, id: int, origin: Esme) -> Delivery:
    """The receipt of a message that was acknowledged on this link a moment ago."""
    delivery = Delivery(id, "esme", b"body", epoch())
    delivery.origin = origin
    desk.outbox.add(delivery)
    return delivery


@jumping
async def test_the_receipt_of_a_message_just_acknowledged_takes_the_link_of_its_submit() -> None:
    desk = Desk()
    first, second = desk.link(), desk.link()
    for id in (1, 2, 3):
        fresh(desk, id, second)
    desk.outbox.pump()
    assert (ids(first), ids(second)) == ([], [1, 2, 3])


@jumping
async def test_when_that_link_takes_no_more_any_other_may_have_it_a_little_later() -> None:
    desk = Desk()
    submitting, receiving = desk.link(room=0), desk.link()
    fresh(desk, 1, submitting)
    desk.add(2)
    assert ids(receiving) == [2]
    assert len(desk.outbox) == 2
    await advance(UNREAD)
    assert (ids(submitting), ids(receiving)) == ([], [2, 1])


@jumping
async def test_when_that_link_is_gone_any_other_has_it_at_once() -> None:
    desk = Desk()
    gone, there = desk.link(), desk.link()
    delivery = fresh(desk, 1, gone)
    gone.drop()
    desk.outbox.pump()
    assert ids(there) == [1]
    assert delivery.origin is None
