"""An error's type says what it costs."""

from protocol.consts import Status
from protocol.errors import FrameError, LocalError, PduError


def test_a_broken_frame_is_told_as_a_bad_command_length_of_no_pdu_in_particular() -> None:
    error = FrameError("no length")
    assert (str(error), error.status, error.sequence) == ("no length", Status.RINVCMDLEN, 0)


def test_a_broken_pdu_carries_the_status_to_answer_with() -> None:
    error = PduError("too long", Status.RINVSRCADR)
    assert (str(error), error.status) == ("too long", Status.RINVSRCADR)


def test_nobody_takes_one_for_another() -> None:
    kinds = (FrameError, PduError, LocalError)
    assert not any(issubclass(one, other) for one in kinds for other in kinds if one is not other)
