"""The figures of a run follow from its times."""

import json
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from smppgw.load.generator import NONE, Measured
from smppgw.load.plan import Plan
from smppgw.load.report import Latency, curve, figures, histogram, latency, table


def measured(answers: list[float], receipts: list[float], every: float = 1.0) -> Measured:
    found = Measured(
        array("d", [n * every for n in range(len(answers))]),
        array("d", answers),
        array("d", receipts),
        array("L", [0 if answer != NONE else 0xFFFFFFFF for answer in answers]),
    )
    found.answered = found.accepted = sum(answer != NONE for answer in answers)
    found.receipts = sum(receipt != NONE for receipt in receipts)
    return found


def test_percentiles_are_of_those_that_were_answered() -> None:
    assert latency(array("d", [NONE, *(n / 1000 for n in range(100))])) == Latency(50.0, 95.0, 99.0, 99.0)
    assert latency(array("d", [NONE])) == Latency()


def test_rates_count_from_the_first_submit_to_the_last_answer() -> None:
    found = figures(Plan(), measured([1.0, 1.0, 1.0], [2.0, 2.0, 3.0]))
    assert (found.submit_s, found.accepted_per_s) == (3.0, 1.0)
    assert (found.receipt_s, found.receipts_per_s) == (5.0, 0.6)


@pytest.mark.parametrize(("reconnect", "lost"), [(False, 2), (True, 1)])
def test_what_no_one_answered_was_not_lost_when_links_may_drop(reconnect: bool, lost: int) -> None:
    found = figures(Plan(reconnect=reconnect), measured([0.1, NONE, 0.1], [0.1, NONE, NONE]))
    assert (found.unanswered, found.lost, found.clean) == (1, lost, False)


def test_the_curve_is_a_rate() -> None:
    points = list(curve(array("d", [0.01, 0.02, 0.15]), array("d", [0.15])))
    assert points == [(0.0, 20.0, 0.0), (0.1, 10.0, 10.0)]


@given(st.lists(st.floats(0, 1e4), max_size=200))
def test_a_histogram_counts_each_once(values: list[float]) -> None:
    assert sum(count for _, _, count in histogram(array("d", values))) == len(values)


@given(st.lists(st.floats(0, 1e5), max_size=50))
def test_a_curve_is_never_long(times: list[float]) -> None:
    points = list(curve(array("d", times), array("d")))
    assert 1 <= len(points) <= 200


def test_the_json_has_every_figure() -> None:
    found = json.loads(figures(Plan(), measured([0.1], [0.2])).as_json())
    assert found["response_ms"] == {"p50": 100.0, "p95": 100.0, "p99": 100.0, "max": 100.0}
    assert found["statuses"] == {"ROK": 1}


def test_the_table_says_what_was_lost() -> None:
    console = Console(width=100)
    with console.capture() as shown:
        console.print(table(figures(Plan(), measured([0.1, NONE], [NONE, NONE]))))
    assert "unanswered  1" in shown.get()
    assert "lost  2" in shown.get()
    assert "still to come" not in shown.get()


def test_what_is_still_to_come_is_not_lost_and_not_clean_either() -> None:
    run = measured([0.1, 0.1, 0.1], [0.2, NONE, NONE])
    run.to_come = 1
    found = figures(Plan(), run)
    assert (found.lost, found.to_come, found.clean) == (1, 1, False)
    console = Console(width=100)
    with console.capture() as shown:
        console.print(table(found))
    assert "still to come  1" in shown.get()


def test_what_was_not_answered_before_a_stop_is_not_lost() -> None:
    run = measured([0.1, NONE], [0.2, NONE])
    run.stopped = True
    assert (figures(Plan(), run).lost, figures(Plan(), run).unanswered) == (0, 1)
