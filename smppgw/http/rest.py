"""/v1/messages: send, preview, look up, cancel."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import JSONResponse

from protocol import pdus
from protocol.consts import Command, Status
from protocol.pdus import CancelSm
from protocol.session import Asked
from routing.message import shown
from smppgw.http.api import Reader, Sender
from smppgw.http.desk import Desk
from smppgw.http.moments import Moment, epoch
from smppgw.http.orders import PRINTABLE, Batch, Content, Listed, Order, Preview, Results, State, Taken
from smppgw.http.problems import MEDIA, Problem, ProblemDetails
from smppgw.http.whereabouts import find, state_of
from smppgw.http.writing import preview, wrong
from smppgw.smpp.operations import Operations

router = APIRouter(prefix="/v1/messages", tags=["messages"])

MAX_LISTED = 1000
CANCEL_WAIT = 15.0
"""Seconds for an upstream's answer, where a cancel is passed on."""
REPLAYED = "Idempotent-Replayed"
"""Header of an answer that was given before."""

Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[!-~]+$",
           description="The same key with the same body gets the same answer, and sends nothing again"),
]  # fmt: skip
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="16 hex digits", examples=["1b5f0c3a52800000"])]

_CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"model": ProblemDetails, "description": "It conflicts with what was before", "content": {MEDIA: {}}}
}


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


@router.post("", status_code=202, response_model=Taken, responses=_CONFLICT, summary="Send a message")
async def send(request: Request, order: Order, caller: Sender, idempotency_key: Key = None) -> JSONResponse:
    """202: the message is on disk, and is not lost any more. Long texts keep one id."""
    answer, before = await _desk(request).take(caller, order, idempotency_key)
    return JSONResponse(answer, 202, {REPLAYED: "true"} if before else None)


@router.post("/batch", response_model=Results, responses=_CONFLICT, summary="Send several messages")
async def send_all(request: Request, batch: Batch, caller: Sender, idempotency_key: Key = None) -> JSONResponse:
    """Each is answered for itself; look at `status` of each result. All that were accepted are on disk."""
    desk = _desk(request)
    most = desk.gateway.settings.api.max_batch
    if len(batch.messages) > most:
        raise wrong("messages", f"at most {most} in one request ([api] max_batch)")
    answer, before = await desk.take_all(caller, batch.messages, idempotency_key)
    return JSONResponse(answer, 200, {REPLAYED: "true"} if before else None)


@router.post("/preview", response_model=Preview, summary="What would a text cost?")
async def look(request: Request, content: Content, caller: Sender) -> Preview:
    """Parts, coding, and the characters that make it dear. Nothing is sent."""
    return preview(content, _desk(request).account(caller).settings.encoding)


@router.get("", response_model=Listed, summary="Messages of a number")
async def recent(
    request: Request,
    caller: Reader,
    number: Annotated[str, Query(pattern=r"^\+?[0-9A-Za-z ]{1,20}$", description="Source or destination")],
    account: Annotated[str, Query(max_length=64, pattern=PRINTABLE, description="Only of this account")] = "",
    since: Moment = None,
    until: Moment = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 20,
) -> Listed:
    """From history, the newest first: [history] must be on. It is written within a second."""
    asked = [name for name, _ in request.query_params.multi_items()]
    for name in asked:
        if asked.count(name) > 1:
            raise wrong(name, "it is given twice")
    span = epoch(since, "since"), epoch(until, "until")
    settings = _desk(request).gateway.settings.history
    if not settings.engine:
        raise Problem(404, "There is no history", "[history] engine is off")
    from smppgw.history.database import Query as Wanted  # noqa: PLC0415  SQL is needed by those who have it

    if account and not caller.sees(account):
        return Listed(messages=[])
    names = [account] if account or not caller.settings.accounts else list(caller.settings.accounts)
    found: list[State] = []
    for name in names:
        wanted = Wanted(number=number, account=name, since=span[0], until=span[1], limit=limit, mo=False)
        found += await find(settings, wanted)
    return Listed(messages=sorted(found, key=lambda each: each.id, reverse=True)[:limit])


@router.get("/{id}", response_model=State, summary="Where is a message?")
async def where(request: Request, id: Id, caller: Reader) -> State:
    """From the gateway while it is here, then from memory for a while, then from history where that is on."""
    desk = _desk(request)
    state = await state_of(desk.gateway, desk.fronts, caller, int(id, 16))
    if state is None:
        raise _unknown(desk)
    return state


@router.delete("/{id}", response_model=State, responses=_CONFLICT, summary="Cancel a message")
async def cancel(request: Request, id: Id, caller: Sender) -> State:
    """As SMPP's cancel_sm: while no upstream has it, or where its connector passes a cancel on (`forward`)."""
    desk = _desk(request)
    account = desk.account(caller)
    number = int(id, 16)
    before = await state_of(desk.gateway, desk.fronts, caller, number)
    if before is None or before.account != account.name:
        raise _unknown(desk)
    if before.final:
        raise Problem(409, "The message has ended", before.status)
    answered: asyncio.Future[int] = desk.gateway.loop.create_future()

    def answer(event: Asked, status: int, body: bytes = b"") -> None:  # noqa: ARG001
        if not answered.done():
            answered.set_result(status)

    body = pdus.encode(Command.CANCEL_SM, CancelSm(message_id=shown(number)))
    Operations(desk.gateway.pipeline, account, answer).asked(Asked(Command.CANCEL_SM, 1, body))
    try:
        status = await asyncio.wait_for(answered, CANCEL_WAIT)
    except TimeoutError:
        raise Problem(503, "Not known", "the upstream has not answered the cancel; look the message up") from None
    if status == Status.ROK:
        return before.model_copy(update={"status": "deleted", "final": True})
    raise Problem(409, "The message cannot be cancelled any more", f"it is {before.status}")


def _unknown(desk: Desk) -> Problem:
    where = "" if desk.gateway.settings.history.engine else "; it may have ended, and [history] is off"
    return Problem(404, "There is no such message", f"none of this key's accounts has it{where}")
