"""/v1/history: what happened to which message."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from protocol import text
from smppgw.history import timeline
from smppgw.history.database import Event, Found
from smppgw.history.database import Query as Asked
from smppgw.history.engines import HistoryError, find
from smppgw.http.api import Reader
from smppgw.http.keys import Caller
from smppgw.http.moments import Moment, epoch
from smppgw.http.orders import PRINTABLE
from smppgw.http.problems import Problem
from smppgw.settings import HistoryConfig

AT_ONCE = 4
"""Questions to the database under way; others wait."""

EXAMPLE: dict[str, Any] = {
    "id": "0caa92f4e1400000", "born": 1795450000.125, "mo": False, "account": "demo", "source": "12345",
    "destination": "819012345678", "coding": 0, "octets": 17, "text_hex": "", "text": "",
    "events": [
        {"at": 1795450000.125, "kind": "accepted", "said": {"route": "all", "tag": ""},
         "words": "accepted and on disk  route=all"},
        {"at": 1795450000.137, "kind": "sent", "said": {"connector": "smsc", "upstream": ["4F21"], "attempts": 1},
         "words": "sent  connector=smsc upstream=4F21 attempts=1"},
    ],
}  # fmt: skip


class Happened(BaseModel):
    """One line of a timeline."""

    at: float
    kind: str
    said: dict[str, Any]
    words: str = Field(description="The same for people.")


class Told(BaseModel):
    """A message, and what happened to it, oldest first."""

    id: str
    born: float
    mo: bool = Field(description="It came from a handset.")
    account: str
    source: str
    destination: str
    coding: int
    octets: int
    text_hex: str = Field(description="As [history] bodies says: nothing, its SHA-256, or its octets.")
    text: str = Field(description="Decoded, where the octets were kept.")
    events: list[Happened]

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})


class Messages(BaseModel):
    messages: list[Told]


def router(settings: HistoryConfig) -> APIRouter:
    """`settings` are those of the start: a reload does not change them."""
    history = APIRouter(prefix="/v1/history", tags=["history"])
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(*queries: Asked) -> list[Told]:
        if not settings.engine:
            raise Problem(503, "There is no history", "[history] engine is off in the config")
        async with gate:
            try:
                found = await run_in_threadpool(find, settings, *queries)
            except HistoryError as error:
                raise Problem(503, "The history cannot be read", str(error)) from None
        return [_told(each, settings) for each in found]

    @history.get("/messages")
    async def messages(
        caller: Reader,
        id: Annotated[str, Query(max_length=200, pattern=PRINTABLE, description="Ours, or an upstream's.")] = "",
        number: Annotated[str, Query(max_length=32, pattern=PRINTABLE, description="Source or destination.")] = "",
        account: Annotated[str, Query(max_length=64, pattern=PRINTABLE)] = "",
        since: Moment = None,
        until: Moment = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    ) -> Messages:
        """Every key that is given must fit; the newest first."""
        asked = Asked(id, number, account, epoch(since, "since"), epoch(until, "until"), limit)
        found = await ask(*_queries(caller, asked))
        return Messages(messages=sorted(found, key=lambda each: each.id, reverse=True)[:limit])

    @history.get("/messages/{id}")
    async def message(caller: Reader, id: Annotated[str, Path(max_length=200, pattern=PRINTABLE)]) -> Told:
        """One message by our id, or the newest with an upstream's."""
        found = await ask(*_queries(caller, Asked(id=id, limit=1)))
        if not found:
            raise Problem(404, "History knows no such message")
        return max(found, key=lambda each: (each.id == id.lower(), each.id))

    return history


def _queries(caller: Caller, asked: Asked) -> list[Asked]:
    """One for each account that the key may see, if those are limited."""
    if asked.account:
        if not caller.sees(asked.account):
            raise Problem(403, "This key may not see this account")
        return [asked]
    accounts = caller.settings.accounts or ("",)
    return [Asked(asked.id, asked.number, name, asked.since, asked.until, asked.limit) for name in accounts]


def _told(found: Found, settings: HistoryConfig) -> Told:
    words = (
        text.decode(found.text, found.coding) if settings.bodies == "keep" and not text.is_binary(found.coding) else ""
    )
    return Told(
        id=found.id, born=found.born, mo=found.mo, account=found.account, source=found.source,
        destination=found.destination, coding=found.coding, octets=found.octets, text_hex=found.text.hex(), text=words,
        events=[_happened(event) for event in found.events],
    )  # fmt: skip


def _happened(event: Event) -> Happened:
    return Happened(at=event.at, kind=event.kind, said=event.said, words=timeline.words(event))
