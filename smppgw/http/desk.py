"""Takes orders: from a caller to the pipeline, with an answer once they are on disk."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import structlog
from pydantic import ValidationError

from protocol import pdus
from protocol.consts import Status
from protocol.errors import LocalError, PduError
from protocol.pdus import SubmitSm
from routing.message import Message, shown
from smppgw.accounts import AccountState
from smppgw.http import writing
from smppgw.http.callbacks import ApiFront
from smppgw.http.gateway import Gateway
from smppgw.http.keys import Caller
from smppgw.http.memo import Memo
from smppgw.http.orders import Order
from smppgw.http.problems import Problem, problem_of
from smppgw.http.repeats import Answer, Repeats
from smppgw.tickets import JointTicket

log = structlog.get_logger()

BREATH = 50
"""Messages of a batch that are read in one go."""

_FIELDS: Final[Mapping[int, tuple[str, str]]] = {
    Status.RINVSRCADR: ("from", "the account may not send from it, or no sender of the pool serves the destination"),
    Status.RINVDSTADR: ("to", "no route matches"),
    Status.RINVEXPIRY: ("validity", "it ends before the message may go"),
    Status.RINVSCHED: ("schedule", "it is no time"),
    Status.RINVMSGLEN: ("text", "it is too long for where it goes"),
}
_LATER: Final = frozenset({Status.RMSGQFUL, Status.RSYSERR, Status.RX_T_APPN, Status.RSUBMITFAIL})


class Desk:
    """One for all requests."""

    def __init__(self, gateway: Gateway, repeats: Repeats, fronts: Mapping[str, ApiFront]) -> None:
        self.gateway = gateway
        self.repeats = repeats
        self.fronts = fronts

    def account(self, caller: Caller) -> AccountState:
        """Whose messages the caller sends. Raises Problem."""
        reasons = self.gateway.unready()
        if reasons:
            raise Problem(503, "The gateway takes nothing now", "; ".join(reasons), headers={"Retry-After": "1"})
        names = caller.settings.accounts
        account = self.gateway.pipeline.accounts.known(names[0]) if names else None
        if account is None:
            raise Problem(403, "This key has no account", "the config names none for it")
        return account

    async def take(self, caller: Caller, order: Order, key: str | None) -> tuple[Answer, bool]:
        """One message: the answer, and whether it was given before. Raises Problem."""
        account = self.account(caller)

        async def do(keep: Callable[[Answer], None]) -> Answer:
            waiting = JointTicket(self.gateway.loop)
            message = self._submit(account, self._ready(caller, account, order), waiting)
            answer = _taken(message, order)
            if account.settings.ack == "store":
                keep(answer)
            waiting.settle()
            await waiting.future
            if waiting.failed:
                raise refusal(waiting.failed[message.id])
            return answer

        asked = order.model_dump(mode="json") if key is not None else None
        return await self._once(caller, key, "one", asked, do)

    async def take_all(self, caller: Caller, orders: list[dict[str, Any]], key: str | None) -> tuple[Answer, bool]:
        """Each for itself. Raises Problem for all of them when the store refuses them."""
        account = self.account(caller)

        async def do(keep: Callable[[Answer], None]) -> Answer:
            ready: list[_Ready | Problem] = []
            for number, raw in enumerate(orders, 1):
                ready.append(self._read(caller, account, raw))
                if not number % BREATH:  # others have turns, too; nothing is handed over yet
                    await asyncio.sleep(0)
            waiting = JointTicket(self.gateway.loop)
            results: list[Answer] = []
            placed: dict[int, int] = {}
            for raw, each in zip(orders, ready, strict=True):
                try:
                    if isinstance(each, Problem):
                        raise each
                    message = self._submit(account, each, waiting)
                except Problem as problem:
                    results.append(_failed(raw, problem))
                else:
                    placed[message.id] = len(results)
                    results.append({"status": 202, **_taken(message, each.order)})
            kept = account.settings.ack == "store" and bool(placed)
            if kept:
                keep(_results(results))
            waiting.settle()
            await waiting.future
            if kept and waiting.failed:  # one commit has them all, or none
                raise refusal(next(iter(waiting.failed.values())))
            for id, status in waiting.failed.items():
                place = placed[id]
                results[place] = _failed(orders[place], refusal(status))
            return _results(results)

        return await self._once(caller, key, "batch", orders, do)

    async def _once(
        self,
        caller: Caller,
        key: str | None,
        what: str,
        asked: Any,
        do: "Callable[[Callable[[Answer], None]], Awaitable[Answer]]",
    ) -> tuple[Answer, bool]:
        if key is None or not self.repeats.seconds:
            return await do(lambda answer: None), False  # noqa: ARG005
        octets = json.dumps([what, asked], sort_keys=True).encode()
        return await self.repeats.once(caller.name, key, octets, do)

    def _read(self, caller: Caller, account: AccountState, raw: Mapping[str, Any]) -> "_Ready | Problem":
        try:
            return self._ready(caller, account, Order.model_validate(raw))
        except ValidationError as error:
            return problem_of(error.errors())
        except Problem as problem:
            return problem

    def _ready(self, caller: Caller, account: AccountState, order: Order) -> "_Ready":
        """Raises Problem."""
        pdu = writing.submit_of(order, account.settings.encoding, self.gateway.pipeline.clock())
        memo = Memo(caller.name, callback_of(caller, order), order.reference).pack()
        try:
            return _Ready(order, pdu, pdus.encode_submit(pdu), memo)
        except (LocalError, PduError) as error:
            raise Problem(422, "The request is not valid", str(error)) from None

    def _submit(self, account: AccountState, ready: "_Ready", waiting: JointTicket) -> Message:
        """Raises Problem."""
        order, pdu, body, memo = ready
        found = self.gateway.pipeline.submit(account, pdu, body, waiting, memo=memo, tag=order.tag)
        if not isinstance(found, Message):
            raise refusal(found)
        waiting.left += 1
        return found


class _Ready(NamedTuple):
    """A message that may be handed over."""

    order: Order
    pdu: SubmitSm
    body: bytes
    memo: bytes


def callback_of(caller: Caller, order: Order) -> str:
    """Where receipts go: nowhere that the config does not allow. Raises Problem."""
    key = caller.settings
    if order.callback is None:
        return key.callback
    hosts = {*key.callback_hosts, *([_host(key.callback)] if key.callback else [])}
    if not key.callback_secret.get_secret_value():
        raise writing.wrong("callback", "this key has no callback_secret to sign with")
    if "*" not in hosts and _host(order.callback) not in hosts:
        raise writing.wrong("callback", "this key may not name that host (callback_hosts)")
    return order.callback


def refusal(status: int) -> Problem:
    """What the pipeline or an upstream refused, in HTTP's words."""
    if status in _FIELDS:
        return writing.wrong(*_FIELDS[Status(status)])
    name = Status(status).name if status in Status._value2member_map_ else f"0x{status:X}"
    if status == Status.RTHROTTLED:
        return Problem(429, "Too many messages", "above the account's rate", headers={"Retry-After": "1"})
    if status in _LATER:
        full = "the queue is full" if status == Status.RMSGQFUL else "try again"
        return Problem(503, "Not now", f"{full} ({name})", headers={"Retry-After": "1"})
    return Problem(422, "The message was refused", name)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _taken(message: Message, order: Order) -> Answer:
    id = shown(message.public).decode()
    return {"id": id, "to": order.to, "reference": order.reference, "links": {"self": f"/v1/messages/{id}"}}


def _failed(raw: Mapping[str, Any], problem: Problem) -> Answer:
    to = raw.get("to")
    result: Answer = {"status": problem.status, "problem": problem.body()}
    # JSON can say half a surrogate pair, and no answer can.
    return {**result, "to": to[:64].encode(errors="replace").decode()} if isinstance(to, str) else result


def _results(results: list[Answer]) -> Answer:
    accepted = sum(each["status"] == 202 for each in results)
    return {"accepted": accepted, "refused": len(results) - accepted, "results": results}
