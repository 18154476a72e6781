"""Lists of IPs say who may come in as they do in Kannel."""

import pytest

from smppgw.kannel.access import is_allowed_ip, may_connect, plain


def test_without_a_list_of_those_denied_everybody_may_come_in() -> None:
    assert is_allowed_ip(None, None, "192.0.2.1")
    assert is_allowed_ip("127.0.0.1", None, "192.0.2.1")
    assert is_allowed_ip("127.0.0.1", "", "192.0.2.1")


def test_who_is_denied_stays_out_unless_he_is_allowed_as_well() -> None:
    assert not is_allowed_ip(None, "192.0.2.1", "192.0.2.1")
    assert is_allowed_ip("192.0.2.1", "*.*.*.*", "192.0.2.1")
    assert not is_allowed_ip("192.0.2.2", "*.*.*.*", "192.0.2.1")
    assert is_allowed_ip(None, "192.0.2.1", "192.0.2.2")


@pytest.mark.parametrize(
    ("pattern", "ip", "matches"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.11", False),
        ("127.0.0.11", "127.0.0.1", False),
        ("127.0.0.*", "127.0.0.254", True),
        ("127.*.*.1", "127.20.30.1", True),
        ("127.*", "127.20.30.1", False),
        ("10.0.0.1;127.0.0.*", "127.0.0.7", True),
        ("10.0.0.1; 127.0.0.7", "127.0.0.7", False),
        ("", "127.0.0.7", False),
        ("2001:db8::1", "2001:db8::1", True),
    ],
)
def test_a_star_stands_for_one_number_and_semicolons_part_the_patterns(pattern: str, ip: str, matches: bool) -> None:
    assert is_allowed_ip(pattern, "*.*.*.*;*:*::*", ip) is matches
    assert may_connect(pattern, ip) is matches


def test_without_a_list_only_this_machine_may_connect() -> None:
    assert may_connect(None, "127.0.0.1")
    assert not may_connect(None, "192.0.2.1")


def test_an_ipv4_address_over_ipv6_is_itself() -> None:
    assert plain("::ffff:127.0.0.1") == "127.0.0.1"
    assert plain("127.0.0.1") == "127.0.0.1"
    assert plain("::1") == "::1"
