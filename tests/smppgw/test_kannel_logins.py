"""A line of the logins file is a login, and its IPs are networks."""

from ipaddress import IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from smppgw.kannel.conf import Place
from smppgw.kannel.logins import Login, networks, parse


def test_a_line_has_three_words_or_four() -> None:
    found, problems = parse(b"a pw vma\n\n  b\tpw2 \xe9 10.0.0.1;*.*.*.*  \r\nc pw", "logins")
    assert found == (
        Login(Place("logins", 1), b"a", b"pw", b"vma"),
        Login(Place("logins", 3), b"b", b"pw2", b"\xe9", "10.0.0.1;*.*.*.*"),
    )
    assert [str(problem) for problem in problems] == [
        "logins:4: there are 2 words in the line; system_id password system_type [ip;ip]"
    ]


def test_a_star_is_any_number() -> None:
    assert list(networks("10.1.2.3; 10.1.*.*;*.*.*.*")) == [
        IPv4Network("10.1.2.3/32"),
        IPv4Network("10.1.0.0/16"),
        IPv4Network("0.0.0.0/0"),
    ]


def test_what_is_no_network_is_handed_back() -> None:
    assert list(networks("10.*.0.1;localhost;300.1.1.1;10.*;;")) == ["10.*.0.1", "localhost", "300.1.1.1", "10.*"]


@given(st.binary(), st.text())
def test_junk_never_crashes_it(data: bytes, ips: str) -> None:
    parse(data, "logins")
    list(networks(ips))
