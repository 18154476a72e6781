"""A histogram counts every duration in the first bucket that holds it."""

from hypothesis import given
from hypothesis import strategies as st

from smppgw.histogram import LATENCY, Histogram

durations = st.lists(st.floats(min_value=0, max_value=1000))


@given(durations)
def test_each_bucket_counts_what_is_at_most_its_bound(seconds: list[float]) -> None:
    histogram = Histogram()
    histogram.observe_all(seconds)
    for (text, count), bound in zip(histogram.cumulated(), (*LATENCY, float("inf")), strict=True):
        assert float(text.replace("+Inf", "inf")) == bound
        assert count == sum(1 for each in seconds if each <= bound)
    assert histogram.total == sum(seconds)


def test_its_bounds_may_be_others() -> None:
    histogram = Histogram((1.0,))
    histogram.observe(1.0)
    histogram.observe(1.1)
    assert list(histogram.cumulated()) == [("1.0", 1), ("+Inf", 2)]
