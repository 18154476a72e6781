"""Parts of one message come together, whatever their order, and nothing of it is lost or sent twice."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from protocol.udh import Part
from routing.message import Message
from smppgw.carriers.joining import Gathering, Joining


def message(id: int = 1) -> Message:
    return Message(id, "esme", b"", b"", b"", b"", 0, 0, 0, 0.0, 0.0)


def add(joining: Joining, number: int, total: int, text: bytes, now: float = 0.0, key: int = 5) -> list[Gathering]:
    return joining.add(key, message(), Part(7, total, number, False), text, now)


def joined(gathering: Gathering) -> bytes:
    return b"".join(gathering.texts[number] for number in sorted(gathering.texts))


@given(st.lists(st.binary(max_size=5), min_size=2, max_size=20), st.randoms(use_true_random=False), st.data())
def test_parts_in_any_order_and_with_repetitions_make_the_text_once(
    texts: list[bytes], random: object, data: st.DataObject
) -> None:
    joining = Joining(10)
    order = data.draw(st.permutations(range(1, len(texts) + 1)))
    repeated = [number for number in order[:-1] for _ in range(data.draw(st.integers(1, 3)))]
    done = [each for number in [*repeated, order[-1]] for each in add(joining, number, len(texts), texts[number - 1])]
    assert [joined(each) for each in done] == [b"".join(texts)]
    assert done[0].complete
    assert sum(map(len, done[0].messages.values())) == len(repeated) + 1
    assert len(joining) == 0


def test_a_reference_that_is_used_for_another_text_gives_up_what_was_begun() -> None:
    joining = Joining(10)
    assert add(joining, 1, 3, b"a") == []
    (begun,) = add(joining, 1, 3, b"b")
    assert (begun.complete, begun.texts) == (False, {1: b"a"})
    assert len(joining) == 1


def test_one_more_than_there_may_be_gives_up_the_oldest() -> None:
    joining = Joining(2)
    for key in range(2):
        assert add(joining, 1, 2, b"x", key=key) == []
    (oldest,) = add(joining, 1, 2, b"x", key=2)
    assert (oldest.key, len(joining)) == (0, 2)


def test_a_message_that_gives_way_and_one_that_is_complete_come_in_that_order() -> None:
    joining = Joining(1)
    add(joining, 1, 2, b"x", key=1)
    first, second = joining.add(2, message(), Part(1, 1, 1, False), b"alone", 0.0)
    assert (first.key, first.complete, second.key, second.complete) == (1, False, 2, True)


def test_what_began_before_a_time_is_late_and_nothing_else() -> None:
    joining = Joining(10)
    for key in range(4):
        add(joining, 1, 2, b"x", now=float(key), key=key)
    assert [each.key for each in joining.late(2.0)] == [0, 1]
    assert [each.key for each in joining.late(2.0)] == []
    assert [each.key for each in joining.take()] == [2, 3]
    assert len(joining) == 0


def test_one_that_was_late_may_be_kept_and_completed() -> None:
    joining = Joining(10)
    add(joining, 1, 2, b"a")
    (late,) = joining.late(1.0)
    add(joining, 1, 2, b"a", now=3.0, key=6)
    joining.keep(late, 4.0)
    assert [each.key for each in joining.late(3.5)] == [6], "the oldest goes first"
    (done,) = add(joining, 2, 2, b"b", now=5.0)
    assert (done.complete, joined(done)) == (True, b"ab")


def test_a_part_that_comes_again_after_its_message_was_complete_is_a_repetition() -> None:
    joining = Joining(10)
    add(joining, 1, 2, b"a")
    assert [each.repeats for each in add(joining, 2, 2, b"b")] == [False]
    add(joining, 2, 2, b"b", now=1.0)
    assert [each.repeats for each in joining.take()] == [True]
    add(joining, 2, 2, b"other")
    assert [each.repeats for each in joining.take()] == [False]


def test_what_was_not_sent_after_all_is_repeated_by_nobody() -> None:
    joining = Joining(10)
    add(joining, 1, 2, b"a")
    add(joining, 2, 2, b"b")
    joining.forget(5)
    joining.forget(6)
    add(joining, 2, 2, b"b")
    assert [each.repeats for each in joining.take()] == [False]


def test_one_part_that_differs_makes_it_another_message() -> None:
    joining = Joining(10)
    for number in (1, 2, 3):
        add(joining, number, 3, b"%d" % number)
    add(joining, 1, 3, b"1")
    add(joining, 2, 3, b"another")
    assert [each.repeats for each in joining.take()] == [False]


def test_repetitions_are_known_only_for_a_while_and_only_so_many() -> None:
    joining = Joining(2)
    for key in range(3):
        add(joining, 1, 2, b"a", key=key)
        add(joining, 2, 2, b"b", key=key)
    add(joining, 1, 2, b"a", key=0)
    add(joining, 1, 2, b"a", key=1)
    assert [each.repeats for each in joining.take()] == [False, True]
    joining.late(100.0)
    add(joining, 1, 2, b"a", key=2)
    assert [each.repeats for each in joining.take()] == [False]


class Many(RuleBasedStateMachine):
    """Every message that goes in comes out once, whatever happens."""

    def __init__(self) -> None:
        super().__init__()
        self.joining = Joining(3)
        self.now = 0.0
        self.given: list[int] = []
        self.out: list[int] = []

    def _took(self, gatherings: list[Gathering]) -> None:
        for gathering in gatherings:
            self.out += [each.id for same in gathering.messages.values() for each in same]

    @rule(key=st.integers(0, 5), number=st.integers(1, 3), text=st.sampled_from([b"a", b"b"]))
    def comes(self, key: int, number: int, text: bytes) -> None:
        self.now += 1.0
        self.given.append(len(self.given))
        self._took(self.joining.add(key, message(self.given[-1]), Part(key, 3, number, False), text, self.now))

    @rule(age=st.floats(0, 10))
    def time_passes(self, age: float) -> None:
        self._took(self.joining.late(self.now - age))

    @precondition(lambda self: len(self.joining) > 1)
    @rule()
    def all_are_taken(self) -> None:
        self._took(self.joining.take())

    @invariant()
    def nothing_comes_out_twice_and_no_more_is_kept_than_may_be(self) -> None:
        assert len(self.out) == len(set(self.out))
        assert len(self.joining) <= 3
        kept = [
            each.id
            for gathering in self.joining._open.values()
            for same in gathering.messages.values()
            for each in same
        ]
        assert sorted(self.out + kept) == self.given


TestMany = Many.TestCase
