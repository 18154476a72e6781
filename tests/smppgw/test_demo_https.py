"""The story of the carriers is told to the end, and fails when anything was lost or sent twice."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from smppgw.demo.https import WORDS, Ending, table
from smppgw.demo.tally import Tally
from tests.kit import SMPPGW, Process

LOAD = Tally(9, 8, 0, 1, {"SMPP1": 5, "AIX": 3}, 0, 8, 0, 0, 0, 0)
GOOD = Ending(LOAD, whole=4, parts=12, ended=12, answers=3, refused_tags=7, twice=0)


def test_the_text_is_long_and_japanese() -> None:
    assert len(WORDS) > 2 * 67
    assert WORDS.encode("iso2022_jp")


@pytest.mark.parametrize(
    ("end", "good"),
    [
        (GOOD, True),
        (replace(GOOD, twice=1), False),
        (replace(GOOD, ended=11), False),
        (replace(GOOD, load=replace(LOAD, lost=1)), False),
    ],
)
def test_what_is_lost_or_sent_twice_is_no_success(end: Ending, good: bool) -> None:
    assert end.good is good


def test_the_table_tells_the_end() -> None:
    shown = io.StringIO()
    Console(file=shown, width=100).print(table(GOOD))
    for words in (
        "0  lost",
        "4  long texts out as one, of 12 parts in",
        "7  requests repeated",
        "0  sent twice by AIX",
    ):
        assert words in shown.getvalue()


@pytest.mark.endtoend
def test_the_story_is_told_and_nothing_is_lost_nor_sent_twice() -> None:
    with Process([SMPPGW, "demo", "--carriers", "--seconds", "5", "--rate", "100"]) as process:
        status = process.ended(120)
    said = "\n".join(process.lines)
    assert status == 0, said
    for name in ("AIX", "KDDI", "Twilio", "Vonage"):
        assert f"one text of {len(WORDS)} characters out" in said.partition(name)[2]
    for words in ("キャンセル", "AIX takes over", "kill -9", "0  lost", "0  sent twice by AIX"):
        assert words in said
