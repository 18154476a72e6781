"""Latencies are estimated from counted durations."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.admin.sampler import quantiles
from smppgw.histogram import LATENCY, Histogram


def of(*durations: float) -> list[int]:
    histogram = Histogram()
    histogram.observe_all(durations)
    return histogram.counts


def test_nothing_measured_is_zero() -> None:
    assert quantiles(of()) == {"p50": 0.0, "p95": 0.0, "p99": 0.0}


def test_only_what_came_since_counts() -> None:
    assert quantiles(of(0.0001, 0.0001, 0.15), of(0.0001, 0.0001))["p50"] == pytest.approx(150)
    assert quantiles(of(0.1), of(0.1, 0.1)) == {"p50": 0.0, "p95": 0.0, "p99": 0.0}


def test_what_is_longer_than_every_bound_is_the_last_bound() -> None:
    assert quantiles(of(1000.0))["p99"] == LATENCY[-1] * 1000


@given(st.lists(st.floats(0.0001, 59.0), min_size=1, max_size=200))
def test_an_estimate_is_in_the_bucket_of_the_true_one(durations: list[float]) -> None:
    found = quantiles(of(*durations))
    assert found["p50"] <= found["p95"] <= found["p99"]
    bounds = (0.0, *LATENCY)
    rank = sorted(durations)[max(0, -(-len(durations) * 99 // 100) - 1)]
    (low, high) = next((a, b) for a, b in itertools.pairwise(bounds) if rank <= b)
    assert low * 1000 - 0.001 <= found["p99"] <= high * 1000 + 0.001
