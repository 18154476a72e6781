"""The upstream's status decides whether a message is sent, waits or ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.consts import MessageState, Status
from routing.retry import ErrorTable, Outcome, delay, refusal

TABLE = ErrorTable(sent=[0x45], later=[Status.RTHROTTLED, Status.RMSGQFUL], never=[Status.RINVDSTADR])


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0, Outcome.SENT),
        (0x45, Outcome.SENT),
        (0x58, Outcome.LATER),
        (0x14, Outcome.LATER),
        (0x0B, Outcome.NEVER),
        (0x400, Outcome.NEVER),
    ],
)
def test_a_status_means_what_its_list_says(status: int, outcome: Outcome) -> None:
    assert TABLE.outcome(status) is outcome


def test_no_table_can_make_ok_a_refusal() -> None:
    assert ErrorTable(never=[0]).outcome(0) is Outcome.SENT


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 5), (1, 5), (2, 30), (3, 120), (4, 120), (10_000, 120)])
def test_delays_are_taken_in_order_and_the_last_one_repeats(attempts: int, seconds: float) -> None:
    assert delay(attempts, (5, 30, 120)) == seconds


@pytest.mark.parametrize(
    ("status", "state", "err"),
    [
        (Status.RINVDSTADR, MessageState.UNDELIVERABLE, b"011"),
        (Status.RTHROTTLED, MessageState.UNDELIVERABLE, b"088"),
        (Status.RINVSRCADR, MessageState.REJECTED, b"010"),
        (Status.RINVMSGLEN, MessageState.REJECTED, b"001"),
        (0x400, MessageState.REJECTED, b"999"),
    ],
)
def test_a_refusal_has_a_state_and_an_err_for_the_receipt(status: int, state: MessageState, err: bytes) -> None:
    assert refusal(status) == (state, err)


@given(st.integers(1, 0xFFFFFFFF))
def test_every_err_has_three_digits(status: int) -> None:
    err = refusal(status).err
    assert len(err) == 3
    assert err.isdigit()
