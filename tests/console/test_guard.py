"""Who gets in, and whose requests count."""

import pytest

from smppgw.console.guard import LASTS, MOST_ADDRESSES, MOST_SESSIONS, TRIES, TRIES_WITHIN, Sessions, is_ours

HERE = "127.0.0.1"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("origin", "site", "ours"),
    [
        ("http://localhost:8090", "same-origin", True),
        ("https://localhost:8090", None, True),
        (None, "none", True),
        (None, None, True),
        ("http://localhost:9999", "same-site", False),
        ("http://localhost:9999", None, False),
        ("null", None, False),
        ("http://evil.example", "cross-site", False),
        ("http://[", None, False),
    ],
)
def test_what_a_page_elsewhere_sends_is_not_ours(origin: str | None, site: str | None, ours: bool) -> None:
    assert is_ours(origin, site, "localhost:8090") is ours


def test_without_a_password_everybody_is_in() -> None:
    sessions = Sessions("", Clock())
    assert not sessions.needed
    assert sessions.admits(None)


def test_a_login_lasts_until_its_time_or_until_it_is_ended() -> None:
    clock = Clock()
    sessions = Sessions("pässword", clock)
    one, two = sessions.login("pässword", HERE), sessions.login("pässword", HERE)
    assert one
    assert two not in {one, None}
    assert sessions.admits(one)
    sessions.logout(one)
    assert not sessions.admits(one)
    clock.now += LASTS
    assert not sessions.admits(two)


def test_no_token_and_a_made_up_one_admit_nobody() -> None:
    sessions = Sessions("password", Clock())
    assert not sessions.admits(None)
    assert not sessions.admits("")
    assert not sessions.admits("x" * 43)


def test_guessing_has_an_end() -> None:
    clock = Clock()
    sessions = Sessions("password", clock)
    assert [sessions.login(f"guess {n}", HERE) for n in range(TRIES)] == [None] * TRIES
    assert sessions.blocked(HERE)
    assert sessions.login("password", HERE) is None
    clock.now += TRIES_WITHIN
    assert sessions.login("password", HERE)


@pytest.mark.parametrize(
    ("guesser", "same", "other"),
    [("192.0.2.1", "::ffff:192.0.2.1", HERE), ("2001:db8::1", "2001:db8::2%eth0", "2001:db8:0:1::1")],
)
def test_who_guesses_locks_out_no_other_address(guesser: str, same: str, other: str) -> None:
    sessions = Sessions("password", Clock())
    for n in range(TRIES):
        sessions.login(f"guess {n}", guesser)
    assert sessions.blocked(guesser)
    assert sessions.blocked(same)
    assert sessions.login("password", other)


def test_addresses_that_guess_are_forgotten_above_a_number() -> None:
    sessions = Sessions("password", Clock())
    for _ in range(TRIES):
        sessions.login("guess", "192.0.2.1")
    for n in range(MOST_ADDRESSES):
        sessions.login("guess", f"10.0.{n // 256}.{n % 256}")
    assert not sessions.blocked("192.0.2.1")


def test_logins_are_bounded() -> None:
    sessions = Sessions("password", Clock())
    tokens = [sessions.login("password", HERE) for _ in range(MOST_SESSIONS + 1)]
    assert not sessions.admits(tokens[0])
    assert all(sessions.admits(token) for token in tokens[1:])
