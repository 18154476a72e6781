"""Times in queries: with a zone, as seconds of the epoch."""

from datetime import datetime
from typing import Annotated

from fastapi import Query

from routing.message import Ids
from smppgw.http.writing import wrong

Moment = Annotated[str | None, Query(max_length=40, json_schema_extra={"format": "date-time"}, description="RFC 3339")]


def epoch(said: str | None, field: str) -> float | None:
    """None when it is not given. Raises Problem."""
    if said is None:
        return None
    try:
        moment = datetime.fromisoformat(said.upper().replace("Z", "+00:00"))
    except ValueError:
        raise wrong(field, 'write a time like "2030-01-31T12:00:00Z"') from None
    if moment.tzinfo is None:
        raise wrong(field, "the zone is missing")
    return min(max(0.0, moment.timestamp()), Ids.time_of(2**63 - 1))  # SQL has no larger number
