"""Which link a message came by."""

from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from smppgw.origins import KEEP, Origins
from smppgw.outbox import Receiver


def link() -> Receiver:
    return cast(Receiver, object())


def test_a_message_just_acknowledged_has_its_link() -> None:
    origins, one = Origins(), link()
    origins.note(7, one, 100.0)
    assert origins.of(7, 100.0) is one
    assert origins.of(8, 100.0) is None


@given(st.lists(st.floats(min_value=0.0, max_value=0.04), max_size=50))
def test_a_link_is_remembered_for_as_long_as_promised(pauses: list[float]) -> None:
    origins, now, noted = Origins(), 1000.0, {}
    for number, pause in enumerate(pauses):
        now += pause
        noted[number] = (link(), now)
        origins.note(number, noted[number][0], now)
        for each, (one, when) in noted.items():
            if now - when <= KEEP:
                assert origins.of(each, now) is one


def test_what_is_long_ago_is_forgotten_also_when_nothing_came_since() -> None:
    origins, now = Origins(), 1000.0
    origins.note(1, link(), now)
    assert origins.of(1, now + 3 * KEEP) is None
    for number in range(2, 6):
        now += 2 * KEEP
        origins.note(number, link(), now)
    assert origins.of(2, now) is None
