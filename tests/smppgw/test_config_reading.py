"""A file is read, or what is wrong with it is said with its place."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.config import ConfigError, load
from tests.kit import ROOT
from tests.smppgw.configured import problems_of


def test_an_absent_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "absent.toml")


def test_a_file_that_is_not_utf8_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(b'[gateway]\nname = "\xff"\n')
    with pytest.raises(ConfigError, match="octet 18 is not UTF-8"):
        load(path)


junk = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({}),
    st.lists(st.one_of(st.integers(), st.text(max_size=5), st.just([]), st.just({})), min_size=1, max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2), st.dates(),
)  # fmt: skip


@settings(max_examples=300)
@given(st.data())
def test_junk_anywhere_is_accepted_or_said_with_its_place(data: st.DataObject) -> None:
    tables = tomllib.loads((ROOT / "conf/smppgw.toml").read_text())
    for _ in range(data.draw(st.integers(1, 4))):
        place: Any = tables
        while True:
            key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.integers(0, 4)) == 0:
                break
            place = place[key]
        place[key] = data.draw(junk)
    for problem in problems_of(tables):
        assert problem.path
        assert problem.wrong
        assert problem.fix
