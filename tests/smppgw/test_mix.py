"""Mixes are read as they are meant, or refused in words."""

import pytest

from smppgw.mix import parse_mix


def test_names_and_their_rates() -> None:
    assert parse_mix("A:0.25, B:0.5") == {"A": 0.25, "B": 0.5}


def test_one_name_alone_has_what_the_others_leave() -> None:
    assert parse_mix("A:0.25,B") == {"A": 0.25, "B": 0.75}
    assert parse_mix("A") == {"A": 1.0}
    assert parse_mix("") == {}


@pytest.mark.parametrize("text", ["A,B", "A:x", "A:0.7,B:0.7", "A:-1", "A:2"])
def test_what_is_no_mix_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        parse_mix(text)
