"""Where something stands in the file."""

import pytest

from smppgw.config.places import placed, written


@pytest.mark.parametrize(
    ("loc", "path"),
    [
        (("gateway", "node"), "gateway.node"),
        (("routes", 1, "match", "source", 0), "routes[1].match.source[0]"),
        (("connectors", "up", "smpp", "port"), "connectors.up.port"),
        (("connectors", "smpp", "smpp", "port"), "connectors.smpp.port"),
        (("connectors", "up", "smpp", "tlvs", "0x10000", "[key]"), "connectors.up.tlvs.0x10000"),
        (("accounts", "aix", "aix"), "accounts.aix.aix"),
    ],
)
def test_a_path_is_written_as_in_the_file(loc: tuple[int | str, ...], path: str) -> None:
    assert written(loc) == path


def test_entries_keep_their_places_when_those_before_them_are_gone() -> None:
    assert list(placed("routes", "ab", {})) == [("routes[0]", "a"), ("routes[1]", "b")]
    assert list(placed("routes", "ab", {"routes": [1, 4]})) == [("routes[1]", "a"), ("routes[4]", "b")]
