"""Passwords are hashed with salt, and verified."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.passwords import hash_password, known, matches_hash, matches_plain, parse_hash


@settings(max_examples=20)
@given(st.text(max_size=20), st.text(max_size=20))
def test_only_the_same_password_matches_its_hash(password: str, other: str) -> None:
    hashed = hash_password(password, iterations=1000)
    for _ in range(2):  # the second answer is remembered
        assert matches_hash(password.encode(), hashed)
        assert matches_hash(other.encode(), hashed) == (other == password)


def test_wrong_passwords_make_nobody_forget_the_right_one() -> None:
    right, other = hash_password("right", iterations=1000), hash_password("other", iterations=1000)
    assert known(b"right", right) is None
    assert matches_hash(b"right", right)
    for n in range(5000):
        matches_hash(b"%d" % n, other)
    assert known(b"right", right) is True
    assert known(b"0", other) is None


def test_two_hashes_of_a_password_differ() -> None:
    assert hash_password("a", iterations=1000) != hash_password("a", iterations=1000)


def test_a_hash_is_the_same_everywhere() -> None:
    # RFC 7914, section 11: PBKDF2-HMAC-SHA-256 of "Password" and "NaCl", its first 32 octets
    hashed = hash_password("Password", iterations=80_000, salt=b"NaCl")
    assert hashed.endswith("$4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56")
    assert matches_hash(b"Password", hashed)


@pytest.mark.parametrize(
    "hashed",
    ["", "plain", "md5$1000$00$" + "0" * 64, "pbkdf2_sha256$1$00$" + "0" * 64, "pbkdf2_sha256$1000$00$00",
     "pbkdf2_sha256$x$00$" + "0" * 64, "pbkdf2_sha256$1000$0$" + "0" * 64, "pbkdf2_sha256$1000$00$" + "x" * 64],
)  # fmt: skip
def test_what_is_no_hash_of_ours_is_refused(hashed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the caller has its own words for it
        parse_hash(hashed)


def test_plain_passwords_are_compared_whole() -> None:
    assert matches_plain(b"secret", b"secret")
    assert not matches_plain(b"secre", b"secret")
    assert not matches_plain(b"", b"secret")
