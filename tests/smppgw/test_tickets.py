"""Who brings several messages hears once what became of all of them, and which of them failed."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from protocol.consts import Status
from routing.message import Message
from smppgw.tickets import JointTicket
from tests.smppgw.jumping import jumping


def message(id: int) -> Message:
    return Message(id, "esme", b"", b"", b"", b"", 0, 0, 0, 0.0, 1.0)


@given(st.lists(st.booleans()), st.integers(0))
def test_it_ends_with_the_last_message_and_not_before_all_are_handed_over(fates: list[bool], late: int) -> None:
    loop = asyncio.new_event_loop()
    ticket = JointTicket(loop)
    ticket.left += len(fates)
    handed_over = late % (len(fates) + 1)
    for id, well in enumerate(fates):
        if id == handed_over:
            ticket.settle()
        assert not ticket.gone
        if well:
            ticket.accepted(message(id))
        else:
            ticket.refused(message(id), Status.RSYSERR)
    if handed_over == len(fates):
        ticket.settle()
    assert ticket.gone
    assert ticket.failed == {id: Status.RSYSERR for id, well in enumerate(fates) if not well}
    loop.close()


@jumping
async def test_who_went_away_is_gone_and_what_ends_after_that_does_no_harm() -> None:
    ticket = JointTicket(asyncio.get_running_loop())
    ticket.left += 1
    ticket.future.cancel()
    assert ticket.gone
    ticket.settle()
    ticket.accepted(message(1))
    assert ticket.left == 0
