"""What is said of every message is said seldom."""

from smppgw.seldom import EVERY, MOST, Seldom


def test_the_same_thing_is_said_once_in_a_while_with_how_often_it_was_left_out() -> None:
    seldom = Seldom()
    assert [seldom.due("a", now) for now in (5.0, 6.0, 7.0, 5.0 + EVERY, 6.0 + EVERY)] == [0, None, None, 2, None]


def test_one_thing_does_not_keep_another_from_being_said() -> None:
    seldom = Seldom()
    assert [seldom.due(what, 0.0) for what in "abab"] == [0, 0, None, None]


def test_no_more_is_remembered_than_has_room() -> None:
    seldom = Seldom()
    for number in range(MOST + 1):
        assert seldom.due(number, 0.0) == 0
    assert seldom.due(MOST, 0.0) is None
    assert seldom.due(0, 0.0) == 0
