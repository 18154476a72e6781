"""Parts become a message in whatever order they come, and no part is ever forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.udh import Part
from smppgw.kannel.parts import Gatherings


def part(number: int, total: int = 2, reference: int = 7) -> Part:
    return Part(reference, total, number, False)


@given(st.permutations(range(1, 6)))
def test_the_last_part_completes_the_message_in_the_order_of_its_parts(numbers: list[int]) -> None:
    waiting = Gatherings[int](10)
    done = [waiting.add("key", part(number, 5), b"%d" % number, number, 1.0) for number in numbers]
    assert [len(each) for each in done] == [0, 0, 0, 0, 1]
    assert done[-1][0].parts == [1, 2, 3, 4, 5]
    assert not waiting


def test_messages_of_others_and_with_other_references_do_not_mix() -> None:
    waiting = Gatherings[str](10)
    assert not waiting.add("a", part(1), b"x", "a1", 1.0)
    assert not waiting.add("b", part(2), b"x", "b2", 1.0)
    assert not waiting.add("a", part(2, reference=8), b"x", "a2", 1.0)
    assert not waiting.add("a", part(2, total=3), b"x", "a3", 1.0)
    assert len(waiting) == 4


def test_a_repeated_part_counts_once_but_is_not_forgotten() -> None:
    waiting = Gatherings[str](10)
    waiting.add("a", part(2), b"x", "first", 1.0)
    assert not waiting.add("a", part(2), b"x", "again", 2.0)
    [done] = waiting.add("a", part(1), b"y", "begin", 3.0)
    assert done.parts == ["begin", "first"]
    assert list(done.repetitions()) == ["again"]


def test_a_reference_that_is_used_again_ends_what_it_was_used_for() -> None:
    waiting = Gatherings[str](10)
    waiting.add("a", part(2), b"old", "old", 1.0)
    [done] = waiting.add("a", part(2), b"new", "new", 2.0)
    assert (done.complete, done.parts) == (False, ["old"])
    [done] = waiting.add("a", part(1), b"begin", "begin", 3.0)
    assert done.parts == ["begin", "new"]


def test_the_oldest_goes_when_there_are_too_many() -> None:
    waiting = Gatherings[str](2)
    waiting.add("a", part(1), b"x", "a", 1.0)
    waiting.add("b", part(1), b"x", "b", 2.0)
    [done] = waiting.add("c", part(1), b"x", "c", 3.0)
    assert done.parts == ["a"]
    assert len(waiting) == 2


def test_what_waits_too_long_for_its_next_part_goes_as_it_is() -> None:
    waiting = Gatherings[str](10)
    waiting.add("a", part(1, 3), b"x", "a1", 1.0)
    waiting.add("b", part(1), b"x", "b", 2.0)
    waiting.add("a", part(3, 3), b"x", "a3", 5.0)
    assert waiting.next == 2.0
    assert [done.parts for done in waiting.late(5.0)] == [["b"]]
    assert waiting.next == 5.0
    assert [done.parts for done in waiting.late(5.1)] == [["a1", "a3"]]
    assert waiting.next is None
