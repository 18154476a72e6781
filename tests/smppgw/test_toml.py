"""What is written as TOML is read back as it was."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.toml import dumps

TEXT = st.text(st.characters(codec="utf-8"))
VALUES = TEXT | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
TABLES = st.recursive(
    st.dictionaries(TEXT, VALUES | st.lists(VALUES)),
    lambda inner: st.dictionaries(TEXT, VALUES | inner | st.lists(inner)),
    max_leaves=10,
)


@given(TABLES)
def test_it_is_read_back_as_it_was(tables: dict[str, Any]) -> None:
    assert tomllib.loads(dumps(tables)) == tables


@pytest.mark.parametrize(
    ("tables", "text"),
    [
        ({}, "\n"),
        ({"a": 1, "b": "x"}, 'a = 1\nb = "x"\n'),
        ({"a": {"b": {"c": True}}}, "[a.b]\nc = true\n"),
        ({"a": {"x": 1, "b": {}}}, "[a]\nx = 1\n\n[a.b]\n"),
        ({"a": [{"b": 1}, {"c": {"d": 2}}]}, "[[a]]\nb = 1\n\n[[a]]\n\n[a.c]\nd = 2\n"),
        ({"a.b": {"é": ["x", 1.5]}}, '["a.b"]\n"é" = ["x", 1.5]\n'),
    ],
)
def test_it_reads_well(tables: dict[str, Any], text: str) -> None:
    assert dumps(tables) == text
