"""Who may hold how many links is decided before anything of a peer is kept."""

import asyncio

import pytest

from smppgw.settings import Limits, Listener
from smppgw.smpp.listener import Gate, Listeners
from tests.smppgw.door import Peer, opened
from tests.smppgw.jumping import jumping, until

A, B = "192.0.2.1", "192.0.2.2"


class Clock:
    """It goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def gate(**limits: float) -> tuple[Gate, Clock]:
    clock = Clock()
    return Gate(Limits.model_validate(limits), clock), clock


def test_so_many_links_are_open_in_all_and_no_more() -> None:
    here, _ = gate(links=2)
    here.enter(A)
    assert here.refusal(B) is None
    here.enter(B)
    assert here.refusal(A) == "links"
    here.leave(A, bound=False)
    assert here.refusal(A) is None


def test_so_many_links_come_from_one_address_and_no_more() -> None:
    here, _ = gate(links_per_address=1)
    here.enter(A)
    assert here.refusal(A) == "links_per_address"
    assert here.refusal(B) is None
    here.leave(A, bound=False)
    assert here.refusal(A) is None


def test_so_many_links_are_unbound_and_no_more() -> None:
    here, _ = gate(unbound_links=1)
    here.enter(A)
    assert here.refusal(B) == "unbound_links"
    here.bound(A)
    assert here.refusal(B) is None
    here.enter(B)
    here.leave(A, bound=True)
    assert here.refusal(A) == "unbound_links"
    here.leave(B, bound=False)
    assert (here.open, here.unbound) == (0, 0)


def test_wrong_passwords_slow_an_address_down_and_then_block_it_for_a_while() -> None:
    here, clock = gate(auth_failures=3, auth_delay=1.0, auth_block=60.0)
    assert [here.failed(A) for _ in range(3)] == [1.0, 2.0, 3.0]
    assert here.failed(A) == 3.0
    assert (here.blocked(A), here.refusal(A)) == (True, "address is blocked")
    assert (here.blocked(B), here.refusal(B)) == (False, None)
    clock.now += 61
    assert here.refusal(A) is None


def test_a_right_password_forgets_the_wrong_ones() -> None:
    here, _ = gate(auth_failures=3)
    here.enter(A)
    here.failed(A)
    here.failed(A)
    here.bound(A)
    assert here.failed(A) == 1.0
    assert not here.blocked(A)


def test_failures_are_forgotten_after_a_while() -> None:
    here, clock = gate(auth_failures=3, auth_delay=1.0, auth_block=60.0)
    here.failed(A)
    here.failed(A)
    clock.now += 59
    here.forget_old()
    assert here.failed(A) == 3.0
    clock.now += 61
    here.forget_old()
    assert here.failed(A) == 1.0


@jumping
async def test_a_link_too_many_is_closed_at_once_and_counted() -> None:
    async with opened(limits={"links_per_address": 1}) as door, Peer(door.port) as first:
        await until(lambda: door.gate.open == 1)
        async with Peer(door.port) as second:
            await until(lambda: second.closed)
        assert not second.came
        assert door.gate.refused == {"links_per_address": 1}
        assert (await first.bind())[0] == 0


@jumping
async def test_a_port_that_cannot_be_had_leaves_none_open() -> None:
    async with opened() as door:
        listeners = Listeners(asyncio.Protocol)
        wanted = [Listener(host="127.0.0.1", port=0), Listener(host="127.0.0.1", port=door.port)]
        with pytest.raises(OSError, match="in use"):
            await listeners.open(wanted)
        assert listeners.ports == []


@jumping
async def test_after_the_close_no_new_link_comes_and_the_old_ones_stay() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        port = door.port
        door.listeners.close()
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection("127.0.0.1", port)
        assert not peer.closed


def test_a_closed_gate_takes_no_link() -> None:
    door, _ = gate()
    door.closed = True
    assert door.refusal("192.0.2.1") == "closed"
    door.closed = False
    assert door.refusal("192.0.2.1") is None
