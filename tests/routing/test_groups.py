"""Groups share by weight, keep parts together, and call their backups in time."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from routing.groups import Event, Failover, Group


def nexmo(now: float = 0.0) -> Group:
    return Group([("smpp1", 1), ("smpp2", 1)], [("smpp0", 1)], backup_after=2, hand_back_after=5, now=now)


def room(name: str) -> bool:
    return True


# Sharing


def test_nothing_is_chosen_while_nothing_is_up() -> None:
    group = nexmo()
    assert (group.choose(room), group.choose_for(1), group.up) == (None, None, False)


def test_equal_members_take_turns() -> None:
    group = nexmo()
    group.bound("smpp1", 0)
    group.bound("smpp2", 0)
    assert [group.choose(room) for _ in range(4)] == ["smpp1", "smpp2", "smpp1", "smpp2"]


def test_weights_are_shares_and_turns_are_smooth() -> None:
    group = Group([("a", 5), ("b", 1), ("c", 1)])
    for name in group.members:
        group.bound(name, 0)
    assert "".join(str(group.choose(room)) for _ in range(14)) == "aabacaaaabacaa"


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_after_a_whole_round_everyone_had_exactly_its_share(weights: list[int]) -> None:
    group = Group([(str(n), weight) for n, weight in enumerate(weights)])
    for name in group.members:
        group.bound(name, 0)
    chosen = Counter(group.choose(room) for _ in range(3 * sum(weights)))
    assert chosen == {str(n): 3 * weight for n, weight in enumerate(weights)}


def test_a_member_without_room_is_passed_over() -> None:
    group = nexmo()
    group.bound("smpp1", 0)
    group.bound("smpp2", 0)
    assert [group.choose(lambda name: name == "smpp2") for _ in range(3)] == ["smpp2"] * 3
    assert group.choose(lambda name: False) is None
    assert group.up


def test_backups_take_nothing_while_an_active_member_is_up_even_without_room() -> None:
    group = nexmo()
    group.bound("smpp0", 0)
    group.bound("smpp1", 0)
    assert group.choose(lambda name: name == "smpp0") is None
    assert group.choose_for(7) == "smpp1"


def test_backups_take_all_when_the_last_active_member_is_lost() -> None:
    group = nexmo()
    for name in group.members:
        group.bound(name, 0)
    group.lost("smpp1", 1)
    assert group.choose(room) == "smpp2"
    group.lost("smpp2", 1)
    assert group.choose(room) == "smpp0"
    assert group.choose_for(7) == "smpp0"


# Parts of one message


@given(st.integers(0, (1 << 64) - 1), st.lists(st.integers(1, 20), min_size=1, max_size=5))
def test_all_parts_of_a_message_take_the_same_member(part: int, weights: list[int]) -> None:
    group = Group([(str(n), weight) for n, weight in enumerate(weights)])
    other = Group([(str(n), weight) for n, weight in reversed(list(enumerate(weights)))])
    for name in group.members:
        group.bound(name, 0)
        other.bound(name, 0)
    first = group.choose_for(part)
    for _ in range(5):
        group.choose(room)
    assert group.choose_for(part) == first
    assert other.choose_for(part) == first


def test_parts_are_shared_by_weight() -> None:
    group = Group([("a", 3), ("b", 1)])
    group.bound("a", 0)
    group.bound("b", 0)
    chosen = Counter(group.choose_for(part) for part in range(20_000))
    assert 0.73 < chosen["a"] / 20_000 < 0.77


@given(st.integers(0, 1 << 32))
def test_only_the_messages_of_a_lost_member_move(part: int) -> None:
    group = Group([("a", 1), ("b", 1), ("c", 1)])
    for name in group.members:
        group.bound(name, 0)
    before = group.choose_for(part)
    group.lost("b", 1)
    assert group.choose_for(part) == before or before == "b"


# Failover


def test_backups_are_wanted_when_no_active_member_came_up_at_the_start() -> None:
    group = nexmo(now=100)
    assert group.due == 102
    assert group.tick(101.9) is None
    assert group.tick(102) is Event.BACKUPS_WANTED
    assert group.tick(103) is None
    assert group.backups_wanted


def test_one_active_member_is_enough_not_to_want_backups() -> None:
    group = nexmo()
    group.bound("smpp1", 1)
    group.bound("smpp2", 1)
    group.lost("smpp1", 2)
    assert (group.due, group.tick(1000)) == (None, None)


def test_backups_are_handed_back_when_an_active_member_stays() -> None:
    group = nexmo()
    group.tick(2)
    group.bound("smpp0", 3)
    group.bound("smpp2", 10)
    assert group.due == 15
    assert group.tick(14.9) is None
    assert group.tick(15) is Event.BACKUPS_NOT_WANTED
    assert not group.backups_wanted


def test_an_active_member_that_flaps_does_not_send_the_backups_away() -> None:
    group = nexmo()
    group.tick(2)
    group.bound("smpp1", 10)
    group.lost("smpp1", 12)
    assert group.due is None
    group.bound("smpp1", 13)
    assert group.tick(17.9) is None
    assert group.tick(18) is Event.BACKUPS_NOT_WANTED


def test_a_short_loss_calls_no_backup() -> None:
    group = nexmo()
    group.bound("smpp1", 0)
    group.lost("smpp1", 10)
    assert group.due == 12
    group.bound("smpp1", 11)
    assert group.tick(100) is None


def test_saying_it_twice_does_not_start_the_wait_anew() -> None:
    group = nexmo()
    group.bound("smpp1", 0)
    group.lost("smpp1", 10)
    group.lost("smpp1", 11.9)
    assert group.tick(12) is Event.BACKUPS_WANTED


def test_a_group_without_backups_has_no_events() -> None:
    group = Group([("a", 1)])
    assert (group.due, group.tick(1000), group.backups_wanted, group.backups) == (None, None, False, ())


class Failovers(RuleBasedStateMachine):
    """Whatever happens, the backups follow the definition, told second by second."""

    @initialize()
    def start(self) -> None:
        self.failover = Failover(2, 5, 0)
        self.now = 0
        self.up = False
        self.same = 0
        self.wanted = False

    @rule(up=st.booleans())
    def change(self, up: bool) -> None:
        self.failover.active(up, self.now)
        if up != self.up:
            self.up, self.same = up, 0

    @rule()
    def second(self) -> None:
        self.now += 1
        self.same += 1
        event = self.failover.tick(self.now)
        if not self.wanted and not self.up and self.same >= 2:
            self.wanted = True
            assert event is Event.BACKUPS_WANTED
        elif self.wanted and self.up and self.same >= 5:
            self.wanted = False
            assert event is Event.BACKUPS_NOT_WANTED
        else:
            assert event is None

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "failover"):
            assert self.failover.wanted == self.wanted


TestFailovers = Failovers.TestCase


# What people see and ask for


def test_a_group_hands_back_when_told_but_only_to_somebody() -> None:
    group = nexmo()
    assert not group.hand_back(1.0)
    assert group.tick(2.0) is Event.BACKUPS_WANTED
    group.bound("smpp0", 3.0)
    assert not group.hand_back(4.0)
    group.bound("smpp1", 5.0)
    assert group.hand_back(6.0)
    assert not group.backups_wanted
    assert (group.tick(7.0), group.due) == (None, None)
    group.lost("smpp1", 8.0)
    assert group.tick(9.9) is None
    assert group.tick(10.0) is Event.BACKUPS_WANTED


def test_a_group_without_backups_has_nothing_to_hand_back() -> None:
    group = Group([("a", 1)])
    group.bound("a", 0)
    assert not group.hand_back(1.0)


def test_its_members_are_told_with_their_weights() -> None:
    group = Group([("a", 5)], [("b", 2)])
    group.bound("b", 0)
    assert group.standing() == [("a", 5, False, False), ("b", 2, True, True)]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(0, 50))
def test_what_would_be_chosen_is_chosen_next_and_to_ask_changes_nothing(weights: list[int], turns: int) -> None:
    group = Group([(f"m{n}", weight) for n, weight in enumerate(weights)])
    for name in group.members:
        group.bound(name, 0)
    for _ in range(turns):
        group.choose(room)
    foreseen = group.would_choose(room)
    assert group.would_choose(room) == foreseen == group.choose(room)


def test_nobody_would_be_chosen_where_nobody_has_room() -> None:
    assert nexmo().would_choose(room) is None
