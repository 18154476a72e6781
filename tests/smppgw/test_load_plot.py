"""A drawn run is one well-formed page that asks the network for nothing."""

import re
import xml.etree.ElementTree as ET
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.load import plot
from smppgw.load.generator import Measured
from smppgw.load.plan import Plan
from smppgw.load.report import Figures, figures


def run(count: int) -> Figures:
    times = array("d", [n / 1000 for n in range(count)])
    answers = array("d", [(n % 7 + 1) / 1000 for n in range(count)])
    receipts = array("d", [(n % 70 + 1) / 100 for n in range(count)])
    found = Measured(times, answers, receipts, array("L", [0] * count))
    found.answered = found.accepted = found.receipts = count
    return figures(Plan(), found)


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_the_drawings_are_well_formed(count: int) -> None:
    drawn = re.findall(r"<svg.*?</svg>", plot.page(run(count), "a run"), re.DOTALL)
    assert len(drawn) == (3 if count else 1)
    for svg in drawn:
        assert ET.fromstring(svg).tag == "svg"


def test_the_page_needs_no_network() -> None:
    page = plot.page(run(100), "a run")
    assert not re.search(r"https?:|src=|@import|url\(", page)


def test_the_page_is_for_light_and_dark() -> None:
    assert "prefers-color-scheme: dark" in plot.page(run(1), "a run")


def test_titles_are_text() -> None:
    assert "<script>" not in plot.page(run(1), "<script>")


@given(st.floats(0.001, 1e9))
def test_an_axis_ends_above_its_values(value: float) -> None:
    assert value <= plot._ceiling(value) <= max(4, value * 2.5)


def test_it_is_written(tmp_path: Path) -> None:
    plot.write(tmp_path / "run.html", run(10), "a run")
    assert (tmp_path / "run.html").read_text().startswith("<!doctype html>")
