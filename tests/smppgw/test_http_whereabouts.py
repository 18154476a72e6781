"""Where a message is, at every moment of its life."""

import asyncio
from pathlib import Path

import pytest

from protocol.consts import MessageState, Status
from protocol.pdus import encode_submit
from routing.message import SetAside, key_of
from smppgw.fronts import HttpReceiver
from smppgw.history.database import Query
from smppgw.http.callbacks import ApiFront, CallbackCaller
from smppgw.http.keys import Caller
from smppgw.http.memo import Memo
from smppgw.http.orders import Order, State
from smppgw.http.problems import Problem
from smppgw.http.whereabouts import find, state_of
from smppgw.http.writing import submit_of
from smppgw.settings import Account, ApiKey, HistoryConfig
from tests.smppgw.bench import Asker, Bench
from tests.smppgw.jumping import epoch, jumping, settle
from tests.smppgw.test_http_desk import Standing

ORDER = {"to": "+447700900001", "from": "12345", "text": "Hello"}


class Settings:
    history = HistoryConfig()


class Here:
    """One message of the API, and what is said of it."""

    def __init__(self, **order: object) -> None:
        self.bench = bench = Bench()
        self.front = ApiFront(bench.account, epoch)
        beside = bench.pipeline.accounts.internal(Account(name="esme@api"), self.front)
        self.caller = CallbackCaller(epoch, lambda delivery, result: None)
        beside.links.append(HttpReceiver(beside.outbox, self.caller.call, asyncio.get_running_loop()))
        bench.account.callbacks = beside
        self.gateway = Standing(bench)
        self.gateway.settings = Settings
        pdu = submit_of(Order.model_validate(ORDER | order), "gsm0338", epoch())
        memo = Memo("shop", "http://127.0.0.1:9/", "mine").pack()
        message = bench.pipeline.submit(bench.account, pdu, encode_submit(pdu), Asker(), memo=memo)
        assert not isinstance(message, Status)
        self.id = message.id

    async def state(self, account: str = "esme") -> State | None:
        await settle()
        asks = Caller("shop", ApiKey(name="shop", accounts=(account,)))
        return await state_of(self.gateway, {"esme": self.front}, asks, self.id)

    async def status(self) -> str:
        state = await self.state()
        assert state is not None
        assert (state.to, state.account) in (("+447700900001", "esme"), ("", "esme"))
        return state.status


@jumping
async def test_it_is_queued_then_sending_then_waiting_and_then_what_the_receipt_says() -> None:
    here = Here()
    assert await here.status() == "queued"
    message = here.bench.carrier.take()
    assert await here.status() == "sending"
    here.bench.sent(b"u1", message)
    state = await here.state()
    assert state is not None
    assert (state.status, state.connector, state.upstream_ids) == ("waiting", "carrier", ["u1"])
    assert (state.reference, state.sender) == ("mine", "12345")
    here.bench.receipt(b"u1", MessageState.UNDELIVERABLE)
    assert await here.status() == "undeliverable"


@jumping
async def test_an_end_outlives_a_callback_that_is_set_aside_and_says_that_it_is_owed() -> None:
    here = Here()  # its key is gone: no callback can be made
    await settle()
    here.bench.sent(b"u1")
    here.bench.receipt(b"u1")
    await asyncio.sleep(1)
    record = here.bench.store.records[key_of(here.id)]
    assert SetAside.unpack(record).account == "esme@api"
    state = await here.state()
    assert state is not None
    assert (state.status, state.final, state.callback_owed, state.known_from) == ("delivered", True, True, "memory")
    here.front.recent.clear()  # as after a restart
    state = await here.state()
    assert state is not None
    assert (state.status, state.final, state.callback_owed, state.known_from) == ("delivered", True, True, "gateway")


@jumping
async def test_one_that_a_person_must_look_at_says_why() -> None:
    here = Here()
    await settle()
    here.bench.pipeline.in_doubt(here.bench.carrier.take(), "hold")
    await asyncio.sleep(1)
    state = await here.state()
    assert state is not None
    assert (state.status, state.final) == ("set_aside", False)
    assert "in doubt" in state.error


@jumping
async def test_a_scheduled_one_says_when() -> None:
    here = Here(schedule="2027-01-16T08:00:00Z")
    state = await here.state()
    assert state is not None
    assert (state.status, state.scheduled) == ("scheduled", "2027-01-16T08:00:00.000Z")


@jumping
async def test_without_a_receipt_sent_is_the_end() -> None:
    here = Here(receipt="none")
    await settle()
    here.bench.sent(b"u1")
    assert await here.status() == "sent"


@jumping
async def test_it_is_nobody_elses_business() -> None:
    here = Here()
    assert await here.state("another") is None
    here.id += 1
    assert await here.state() is None


@jumping
async def test_a_history_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "h.db").touch()
    with pytest.raises(Problem) as raised:
        await find(HistoryConfig(engine="sqlite", path=str(tmp_path / "h.db")), Query(number="1", mo=False))
    assert raised.value.status == 503
