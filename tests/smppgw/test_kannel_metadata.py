"""Kannel's meta-data: groups and parameters, read, joined and written."""

from urllib.parse import quote_plus

from hypothesis import given
from hypothesis import strategies as st

from smppgw.kannel.metadata import add, pack, parse, url_decode, url_encode, value

NAME = st.binary(min_size=1, max_size=9)
GROUPS = st.dictionaries(NAME.filter(lambda name: b"?" not in name), st.dictionaries(NAME, st.binary(max_size=9)))


@given(st.binary())
def test_encoded_octets_come_back(octets: bytes) -> None:
    assert url_decode(url_encode(octets)) == octets


@given(st.text())
def test_encoding_differs_from_pythons_by_four_octets(text: str) -> None:
    assert url_encode(text.encode()).decode() == quote_plus(text, safe="!*'()")


@given(GROUPS)
def test_groups_come_back(groups: dict[bytes, dict[bytes, bytes]]) -> None:
    assert parse(pack(groups)) == groups


@given(st.binary())
def test_junk_never_crashes(junk: bytes) -> None:
    add(junk, b"smpp", {b"a": b"b"})


def test_a_value_is_found_in_its_group_alone() -> None:
    meta = b"?a?x=1&y=2?b?x=3"
    assert [value(meta, group, b"x") for group in (b"a", b"b", b"c")] == [b"1", b"3", b""]
    assert value(b"nonsense", b"a", b"x") == b""


def test_a_new_group_comes_after_the_first() -> None:
    assert add(b"", b"smpp_resp", {}) == b"?smpp_resp?"
    assert add(b"?smpp_resp?", b"orig_msg", {b"dlr_mask": b"31"}) == b"?smpp_resp??orig_msg?dlr_mask=31&"
    meta = add(b"?smpp?a=b&c=d%20e&?x?y=1", b"smpp_resp", {})
    assert meta == b"?smpp?a=b&c=d+e&?smpp_resp??x?y=1&"
    assert add(meta, b"orig_msg", {b"dlr_mask": b"31"}) == b"?smpp?a=b&c=d+e&?orig_msg?dlr_mask=31&?smpp_resp??x?y=1&"
