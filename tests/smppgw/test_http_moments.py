"""Times in queries have a zone, and none is not the first of all."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.message import Ids
from smppgw.http.moments import epoch
from smppgw.http.problems import Problem


@pytest.mark.parametrize(
    ("said", "means"),
    [(None, None), ("1970-01-01T00:00:00Z", 0.0), ("1970-01-01T09:00:01+09:00", 1.0), ("1970-01-01t00:00:02z", 2.0),
     ("0001-01-01T00:00:00+14:00", 0.0), ("9999-12-31T23:59:59-14:00", Ids.time_of(2**63 - 1))],
)  # fmt: skip
def test_a_time_is_seconds_of_the_epoch_within_what_ids_can_say(said: str | None, means: float | None) -> None:
    assert epoch(said, "since") == means


@pytest.mark.parametrize("said", ["", "yesterday", "2026-01-31T12:00:00", "2026-01-31", "2026-02-30T00:00:00Z"])
def test_what_is_no_time_or_has_no_zone_is_refused(said: str) -> None:
    with pytest.raises(Problem) as raised:
        epoch(said, "until")
    assert raised.value.details.errors[0].field == "until"


@given(st.datetimes(timezones=st.sampled_from([timezone(timedelta(hours=n)) for n in range(-14, 15)])))
def test_every_time_that_there_is_can_be_read(when: datetime) -> None:
    assert epoch(when.isoformat(), "since") is not None
