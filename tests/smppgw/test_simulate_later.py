"""What is to happen later happens in its order."""

from hypothesis import given
from hypothesis import strategies as st

from smppgw.simulate.later import Later

times = st.floats(0, 100)


@given(st.lists(times), times)
def test_what_is_due_comes_in_order_and_nothing_else(dues: list[float], now: float) -> None:
    later: Later[float] = Later()
    for due in dues:
        later.add(due, due)
    assert later.next_due() == min(dues, default=None)
    assert list(later.take(now)) == sorted(due for due in dues if due <= now)
    assert len(later) == sum(due > now for due in dues)


def test_what_is_added_meanwhile_and_due_comes_too() -> None:
    later: Later[int] = Later()
    later.add(1, 1)
    taken = []
    for item in later.take(2):
        taken.append(item)
        if item < 5:
            later.add(1, item + 1)
    assert taken == [1, 2, 3, 4, 5]
