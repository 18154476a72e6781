"""Our own names are known, and nobody else's."""

import pytest

from smppgw.hosts import Hosts, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_is_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "console.example", ""])
def test_everything_else_may_be_reached_by_others(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "authority", ["127.0.0.1:8090", "localhost", "LOCALHOST:1", "[::1]:8090", "Console.Example:443"]
)
def test_our_names_are_known_with_and_without_a_port(authority: str) -> None:
    assert Hosts(["console.example"]).knows(authority)


@pytest.mark.parametrize(
    "authority", ["", "evil.example", "localhost.evil.example", "127.0.0.1@evil.example", "[::1", "a:b:c"]
)
def test_a_name_of_somebody_else_is_not(authority: str) -> None:
    assert not Hosts(["console.example"]).knows(authority)
