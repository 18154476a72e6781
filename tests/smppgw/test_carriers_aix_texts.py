"""Texts are measured, checked and cut so that nothing of them is lost."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.carriers.aix_texts import OPT_OUT, Counted, longer, named, outside_iso_2022_jp, pieces, short

TEXTS = st.lists(st.text(max_size=60) | st.just(OPT_OUT) | st.text("あ漢a", max_size=60), max_size=12).map("".join)


def octets(piece: str, counted: Counted) -> int:
    utf8 = len(piece.encode("utf-8", "surrogatepass"))
    ucs2 = len(piece.encode("utf-16-be", "surrogatepass"))
    return {"both": max(utf8, ucs2), "ucs2": ucs2, "utf8": utf8}[counted]


@given(TEXTS, st.sampled_from(["both", "ucs2", "utf8"]))
def test_pieces_make_up_the_text_and_each_fits(text: str, counted: Counted) -> None:
    cut = pieces(text, counted)
    assert "".join(cut) == text
    assert all(0 < octets(piece, counted) <= 140 for piece in cut)


@given(TEXTS)
def test_the_opt_out_is_in_one_piece(text: str) -> None:
    cut = pieces(text)
    assert sum(piece.count(OPT_OUT) for piece in cut) == text.count(OPT_OUT)


@given(st.text("あa", max_size=400))
def test_no_piece_could_take_the_next_character(text: str) -> None:
    assert all(octets(piece + after[0], "both") > 140 for piece, after in pairwise(pieces(text)))


@pytest.mark.parametrize(
    ("counted", "character", "count"), [("both", "あ", 46), ("both", "a", 70), ("ucs2", "あ", 70), ("utf8", "a", 140)]
)
def test_how_many_characters_a_piece_has(counted: Counted, character: str, count: int) -> None:
    assert [len(piece) for piece in pieces(character * (count + 1), counted)] == [count, 1]


@given(st.text(), st.integers(0, 100))
def test_length_is_counted_in_utf_16(text: str, limit: int) -> None:
    assert longer(text, limit) == (len(text.encode("utf-16-be", "surrogatepass")) // 2 > limit)


def test_the_short_form_is_the_beginning() -> None:
    assert short("あ" * 100) == "あ" * 70
    assert short("😀" * 100) == "😀" * 35
    assert short("あ" * 50 + OPT_OUT) == "あ" * 50
    assert short("") == ""


@pytest.mark.parametrize("text", ["", "plain", "テスト漢字", "9:00\uff5e10:00", "1\uff0d2", "\u301c\u2212", "Привет"])
def test_what_has_a_code_in_jis_is_inside(text: str) -> None:
    assert outside_iso_2022_jp(text) == ""


@pytest.mark.parametrize(
    ("text", "outside"), [("a😀b😀", "😀"), ("①テスト㈱", "①㈱"), ("ｱｲｳ", "ｱｲｳ"), ("naïve", "ï"), ("안녕", "안녕")]
)
def test_what_has_none_is_outside(text: str, outside: str) -> None:
    assert outside_iso_2022_jp(text) == outside


def test_characters_are_named_by_number_and_only_a_few() -> None:
    assert named("😀①") == "U+1F600 U+2460"
    assert len(named("abcdefgh").split()) == 5
