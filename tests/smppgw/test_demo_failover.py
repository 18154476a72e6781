"""The story of three SMSCs is told to the end."""

import pytest

from tests.kit import SMPPGW, Process


@pytest.mark.endtoend
def test_the_story_is_told_and_nothing_is_lost() -> None:
    with Process([SMPPGW, "demo", "--seconds", "5", "--rate", "100"]) as process:
        status = process.ended(120)
    said = "\n".join(process.lines)
    assert status == 0, said
    for words in ("SMPP0 takes over", "the load returns", "kill -9", "0  lost"):
        assert words in said
