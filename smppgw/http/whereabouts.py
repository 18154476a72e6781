"""Where a message is: with us, ended lately, or in the records of history."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from protocol import pdus
from protocol.consts import FINAL_STATES, MessageState, Ton
from routing.message import DELIVERY, SET_ASIDE, Delivery, Ids, Message, SetAside, Waiting, key_of, shown
from smppgw.accounts import owner_of
from smppgw.http.callbacks import ApiFront, Ended, iso
from smppgw.http.gateway import Gateway
from smppgw.http.keys import Caller
from smppgw.http.memo import Memo
from smppgw.http.orders import State
from smppgw.http.problems import Problem
from smppgw.settings import HistoryConfig

_SQL: Final = 2**63 - 1
"""The largest number of SQL."""
_INTERNATIONAL: Final = int(Ton.INTERNATIONAL)
_STATES: Final = {int(state): state.name.lower() for state in MessageState}


async def state_of(gateway: Gateway, fronts: Mapping[str, ApiFront], caller: Caller, id: int) -> State | None:
    """What is known of a message that is the caller's business."""
    now = gateway.pipeline.clock()
    found = _here(gateway, id, now) or _lately(fronts, id, gateway)
    if found is None and gateway.settings.history.engine and id <= _SQL:
        from smppgw.history.database import Query  # noqa: PLC0415  SQL is needed by those who have it

        past = await find(gateway.settings.history, Query(id=shown(id).decode(), limit=1, mo=False))
        found = next((each for each in past if each.id == shown(id).decode()), None)
    return found if found is not None and caller.sees(found.account) else None


def _here(gateway: Gateway, id: int, now: float) -> State | None:
    pipeline = gateway.pipeline
    message = pipeline.queued.get(id)
    if message is not None:
        return _queued(message, now)
    record = pipeline.ledger.waiting.get(id)
    if record is not None:
        return _waiting(id, Waiting.unpack(record))
    kept = pipeline.journal.get(key_of(id))
    if kept is None or kept[0] != SET_ASIDE:
        return None
    aside = SetAside.unpack(kept)
    if aside.record[:1] == bytes((DELIVERY,)):  # it has ended; what is set aside is the news of it
        return None
    return State(id=shown(id).decode(), status="set_aside", final=False, account=aside.account, error=aside.reason,
                 created=iso(Ids.time_of(id)))  # fmt: skip


def _queued(message: Message, now: float) -> State:
    pdu = message.pdu or pdus.decode_submit(message.body)
    scheduled = message.not_before > now
    status = "sending" if message.offered else "scheduled" if scheduled else "queued"
    return State(
        id=shown(message.public).decode(), status=status, final=False, account=message.account,  # type: ignore[arg-type]
        sender=number(pdu.source_addr, pdu.source_addr_ton), to=number(pdu.destination_addr, pdu.dest_addr_ton),
        reference=_reference(message.memo), created=iso(message.born),
        scheduled=iso(message.not_before) if scheduled else None,
        expires=iso(message.expires), attempts=message.attempts,
    )  # fmt: skip


def _waiting(id: int, waiting: Waiting) -> State:
    return State(
        id=shown(id).decode(), status="waiting", final=False, account=waiting.account.decode(),
        sender=number(waiting.source, waiting.source_ton), to=number(waiting.destination, waiting.dest_ton),
        reference=_reference(waiting.memo), created=iso(waiting.born), connector=waiting.connector.decode(),
        upstream_ids=[part.decode("latin-1") for part, _ in waiting.parts],
    )  # fmt: skip


def _lately(fronts: Mapping[str, ApiFront], id: int, gateway: Gateway) -> State | None:
    delivery = _news(gateway, id)
    for front in fronts.values():
        ended = front.recent.get(id)
        if ended is not None:
            return _ended(id, ended, delivery is not None)
    if delivery is None or delivery.state not in FINAL_STATES:
        return None
    account = owner_of(delivery.account)
    return State(id=shown(id).decode(), status=_STATES[delivery.state], final=True, account=account,  # type: ignore[arg-type]
                 created=iso(Ids.time_of(id)), callback_owed=account != delivery.account)  # fmt: skip


def _news(gateway: Gateway, id: int) -> Delivery | None:
    """The receipt that nobody has taken yet, set aside or not."""
    record = gateway.pipeline.journal.get(key_of(id)) or b""
    if record[:1] == bytes((SET_ASIDE,)):
        record = SetAside.unpack(record).record
    return Delivery.unpack(id, record) if record[:1] == bytes((DELIVERY,)) else None


def _ended(id: int, ended: Ended, owed: bool) -> State:
    return State(
        id=shown(id).decode(), status=ended.status, final=True, account=ended.account,  # type: ignore[arg-type]
        sender=ended.source, to=ended.destination, reference=ended.reference, created=iso(Ids.time_of(id)),
        connector=ended.connector, upstream_ids=list(ended.upstream), error=ended.error, callback_owed=owed,
        known_from="memory",
    )  # fmt: skip


async def find(history: HistoryConfig, query: Any) -> list[State]:
    """From history, in its order; a query of messages to handsets (`mo=False`). Raises Problem."""
    return await asyncio.to_thread(_find, history, query)


def _find(history: HistoryConfig, query: Any) -> list[State]:
    from smppgw.history import engines  # noqa: PLC0415

    try:
        return [_past(found) for found in engines.find(history, query)]
    except engines.HistoryError as error:
        raise Problem(503, "History cannot be read now", str(error), headers={"Retry-After": "5"}) from None


def _past(found: Any) -> State:
    status, final, connector, error, attempts = "queued", False, "", "", 0
    upstream: list[str] = []
    for event in found.events:
        said = event.said
        match event.kind:
            case "sent":
                status, connector = "waiting", str(said.get("connector", ""))
                upstream = [str(each) for each in said.get("upstream", [])]
            case "later":
                attempts = int(said.get("attempts", 0))
            case "refused":
                status, final = "refused", True
            case "aside" if not final:
                status, error = "set_aside", str(said.get("reason", ""))
            case "receipt" | "ended" if said.get("state") in FINAL_STATES:
                status, final, error = _STATES[said["state"]], True, str(said.get("err", ""))
            case _:
                pass
    return State(
        id=found.id, status=status, final=final, account=found.account, sender=found.source, to=found.destination,  # type: ignore[arg-type]
        created=iso(found.born), attempts=attempts, connector=connector, upstream_ids=upstream, error=error,
        known_from="history",
    )  # fmt: skip


def number(address: bytes, ton: int) -> str:
    """As a client of the API writes it."""
    said = address.decode("latin-1")
    return f"+{said}" if ton == _INTERNATIONAL and said.isdigit() else said


def _reference(memo: bytes) -> str:
    try:
        return Memo.unpack(memo).reference if memo else ""
    except ValueError:  # it came by another way than the API
        return ""
