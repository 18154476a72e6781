"""What an SMSC answers to query_sm tells messages that go on from messages that have ended."""

import pytest

from protocol import pdus
from protocol.consts import Command, MessageState, Status
from protocol.pdus import QuerySmResp
from protocol.session import Answered
from smppgw.load.inquiry import Inquiry


def answer(state: int, status: int = Status.ROK, command: int = Command.QUERY_SM_RESP) -> Answered:
    body = pdus.encode(Command.QUERY_SM_RESP, QuerySmResp(b"1", b"", state, 0))
    return Answered(command, status, body, None, 0.0)


@pytest.mark.parametrize(
    ("event", "under_way"),
    [
        (answer(MessageState.ENROUTE), 1),
        (answer(MessageState.ACCEPTED), 1),
        (answer(MessageState.DELIVERED), 0),
        (answer(MessageState.UNKNOWN), 0),
        (answer(MessageState.ENROUTE, Status.RQUERYFAIL), 0),
        (answer(MessageState.ENROUTE, command=Command.GENERIC_NACK), 0),
        (answer(MessageState.ENROUTE)._replace(body=b"1"), 0),
    ],
)
def test_only_what_the_smsc_says_goes_on_is_under_way(event: Answered, under_way: int) -> None:
    inquiry = Inquiry(())
    inquiry.answered(event)
    assert inquiry.under_way == under_way
