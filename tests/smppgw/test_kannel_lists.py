"""White and black lists let through whom Kannel's let through."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.kannel.lists import OPEN, Lists, Screen, fetch, key_of, numbers
from smppgw.kannel.model import Core, Kannel, SendsmsUser, Smsbox


def lists(files: dict[str, bytes], **groups: object) -> Lists:
    found = Lists(Kannel(**groups), files.__getitem__)  # type: ignore[arg-type]  # what the test gives
    assert found.read() == ()
    return found


@pytest.mark.parametrize(
    ("number", "key"),
    [
        (b"491701234567", 491701234567),
        (b"+491701234567", 491701234567),
        (b"00491701234567", 491701234567),
        (b"12-34", 12),
        (b"-12", -12),
        (b"", 0),
        (b"abc", 0),
        (b"9" * 19, (1 << 63) - 1),
        (b"1" * 30, 1111111111111111111),
    ],
)
def test_of_a_number_counts_what_c_reads_as_one(number: bytes, key: int) -> None:
    assert key_of(number) == key


def test_a_file_has_a_number_a_line_and_comments() -> None:
    data = b"040 1234\n+358 40 1234\n+358 40-9999 : a friend\n# 111\n  222\nx333\n\n444"
    assert numbers(data) == {401234, 358401234, 358409999, 222}


@given(st.sets(st.integers(1, 10**15)))
def test_every_number_that_is_written_is_found_with_a_plus_or_without(found: set[int]) -> None:
    screen = Screen(white=numbers(b"".join(b"+%d\n" % number for number in found)))
    assert all(screen.lets(b"%d" % number) and screen.lets(b"+%d" % number) for number in found)


def test_a_number_has_to_be_in_every_white_list_and_in_no_black_one() -> None:
    user = SendsmsUser(white_list="white", black_list="black", white_list_regex="^49", black_list_regex="0$")
    screen = lists({"white": b"491\n492\n490\n331\n", "black": b"492\n"}, sendsms_users=(user,)).of(user)
    assert screen.lets(b"491")
    assert not screen.lets(b"492")
    assert not screen.lets(b"490")
    assert not screen.lets(b"331")
    assert not screen.lets(b"493")


def test_kannel_has_words_for_each_list() -> None:
    screen = Screen(white=frozenset({1, 2}), black=frozenset({2}))
    assert [screen.why_not(number, b"sender") for number in (b"1", b"2", b"3")] == [
        b"", b"sender in black-list", b"sender not in white-list",
    ]  # fmt: skip


def test_users_without_lists_are_let() -> None:
    user = SendsmsUser(username="u")
    found = lists({}, sendsms_users=(user,), smsbox=Smsbox())
    assert found.of(user) is OPEN
    assert found.smsbox is OPEN
    assert found.senders is OPEN
    assert OPEN.lets(b"anything")


def test_the_gateways_old_lists_are_of_senders() -> None:
    found = lists({"b": b"1\n", "r": b"2\n"}, core=Core(black_list="b", black_list_receiver="r"))
    assert not found.senders.lets(b"1")
    assert found.receivers.lets(b"1")
    assert not found.receivers.lets(b"2")
    assert found.senders.lets(b"2")


def test_a_list_that_cannot_be_read_is_told_with_its_place_and_changes_nothing() -> None:
    files = {"black": b"1\n"}

    def get(url: str) -> bytes:
        if url not in files:
            raise OSError("it is gone")
        return files[url]

    smsbox = Smsbox(black_list="black")
    found = Lists(Kannel(smsbox=smsbox), get)
    assert found.read() == ()
    files.clear()
    (problem,) = found.read()
    assert "black" in problem.wrong
    assert problem.place == smsbox.place
    assert not found.smsbox.lets(b"1")


async def test_lists_are_read_again_without_holding_the_loop() -> None:
    files = {"black": b"1\n"}
    found = lists(files, smsbox=Smsbox(black_list="black"))
    files["black"] = b"2\n"
    assert await found.load() == ()
    assert found.smsbox.lets(b"1")
    assert not found.smsbox.lets(b"2")


def test_a_list_is_a_file_or_a_url(tmp_path: Path) -> None:
    path = tmp_path / "list of numbers"
    path.write_bytes(b"1\n")
    assert fetch(str(path)) == b"1\n"
    assert fetch(path.as_uri()) == b"1\n"
    with pytest.raises(OSError, match="no way"):
        fetch("ftp://localhost/list")
