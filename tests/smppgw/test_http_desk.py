"""From a caller to the pipeline: what is answered, and when."""

import asyncio
import json
from typing import Any

import pytest
from fastapi.responses import JSONResponse
from hypothesis import given
from hypothesis import strategies as st

from protocol.consts import Status
from routing.message import ANSWERED, QUEUED, Queued
from smppgw.http.callbacks import ApiFront
from smppgw.http.desk import Desk, callback_of, refusal
from smppgw.http.gateway import Gateway
from smppgw.http.keys import Caller
from smppgw.http.memo import Memo
from smppgw.http.orders import Order
from smppgw.http.problems import Problem
from smppgw.http.repeats import Repeats
from smppgw.settings import ApiKey
from tests.smppgw.bench import Bench
from tests.smppgw.jumping import epoch, jumping, settle

ORDER = {"to": "+447700900001", "from": "12345", "text": "Hello", "reference": "r", "tag": "cheap"}


class Standing:
    """A gateway that is a bench."""

    def __init__(self, bench: Bench) -> None:
        self.loop = asyncio.get_running_loop()
        self.pipeline = bench.pipeline
        self.settings: Any = None
        self.connectors: dict[str, Any] = {}
        self.targets: dict[str, Any] = {}
        self.reasons: list[str] = []

    def unready(self) -> list[str]:
        return self.reasons


def caller(account: str = "esme", **key: Any) -> Caller:
    return Caller("shop", ApiKey(name="shop", accounts=(account,), **key))


def desk(bench: Bench) -> tuple[Desk, Standing]:
    standing = Standing(bench)
    gateway: Gateway = standing
    pipeline = bench.pipeline
    fronts = {"esme": ApiFront(bench.account, epoch)}
    return Desk(gateway, Repeats(pipeline.journal, pipeline.ids, epoch, 60.0, 100), fronts), standing


def order(**fields: Any) -> Order:
    return Order.model_validate(ORDER | fields)


@jumping
async def test_an_answer_means_that_the_message_is_on_disk() -> None:
    bench = Bench()
    bench.store.hold()
    taking = asyncio.create_task(desk(bench)[0].take(caller(), order(), None))
    await settle()
    assert not taking.done()
    bench.store.flow()
    answer, _ = await taking
    (record,) = bench.store.records.values()
    queued = Queued.unpack(record)
    assert (f"{queued.public:016x}", queued.tag) == (answer["id"], "cheap")
    assert Memo.unpack(queued.memo) == Memo("shop", "", "r")


@jumping
async def test_the_answer_to_a_repeatable_request_is_in_the_commit_of_its_message() -> None:
    bench = Bench()
    await desk(bench)[0].take(caller(), order(), "key")
    assert sorted(record[0] for record in bench.store.batches[0].values() if record) == sorted([QUEUED, ANSWERED])


@jumping
async def test_when_the_store_refuses_it_is_503_and_the_same_key_may_try_again() -> None:
    bench = Bench()
    taking = desk(bench)[0]
    bench.store.trouble = "the disk is full"
    asks = (taking.take_all(caller(), [ORDER, ORDER], "more"), taking.take(caller(), order(), "key"))
    for ask in asks:
        with pytest.raises(Problem) as raised:
            await ask
        assert raised.value.status == 503
    answer, _ = await taking.take_all(caller(), [ORDER, ORDER], "more")
    assert [each["status"] for each in answer["results"]] == [503, 503]
    bench.store.trouble = ""
    await asyncio.sleep(2)
    assert not bench.store.records
    answer, before = await taking.take(caller(), order(), "key")
    assert answer["id"]
    assert not before


@jumping
async def test_a_batch_is_answered_each_for_itself_and_empty_ones_of_it_too() -> None:
    bench = Bench()
    orders = [ORDER, {}, ORDER | {"to": "\n"}, *[ORDER] * 200]
    answer, _ = await desk(bench)[0].take_all(caller(), orders, "key")
    assert (answer["accepted"], answer["refused"]) == (201, 2)
    assert [each["status"] for each in answer["results"][:4]] == [202, 422, 422, 202]
    assert len(bench.store.batches[0]) == 202


@jumping
async def test_what_cannot_be_written_is_no_reason_to_lose_the_answer_of_a_batch() -> None:
    half = json.loads('"\\ud800"')
    answer, _ = await desk(Bench())[0].take_all(caller(), [ORDER, {"to": half}, {half: half}], "key")
    assert [each["status"] for each in answer["results"]] == [202, 422, 422]
    assert answer["results"][1]["to"] == "?"
    assert JSONResponse(answer).body


@jumping
async def test_where_an_upstream_answers_its_refusal_is_the_answer() -> None:
    bench = Bench()
    taking = asyncio.create_task(desk(bench)[0].take(caller("relay"), order(), "key"))
    await settle()
    bench.pipeline.refused(bench.carrier.take(), Status.RINVDSTADR)
    with pytest.raises(Problem) as raised:
        await taking
    assert raised.value.details.errors[0].field == "to"
    again = asyncio.create_task(desk(bench)[0].take(caller("relay"), order(), "key"))
    await settle()
    bench.sent(b"1")
    await again


@jumping
async def test_a_gateway_that_is_not_ready_takes_nothing() -> None:
    taking, gateway = desk(Bench())
    gateway.reasons = ["starting or stopping"]
    with pytest.raises(Problem) as raised:
        await taking.take(caller(), order(), None)
    assert (raised.value.status, raised.value.details.detail) == (503, "starting or stopping")


@pytest.mark.parametrize(
    ("key", "url", "good"),
    [
        ({"callback": "https://app.example/x"}, "https://app.example:444/y", True),
        ({"callback": "https://app.example/x"}, "https://APP.example/y", True),
        ({"callback": "https://app.example/x"}, "https://app.example.evil/y", False),
        ({"callback": "https://app.example/x"}, "http://169.254.169.254/", False),
        ({"callback_hosts": ("b.example",)}, "http://b.example/?x=1", True),
        ({"callback_hosts": ("b.example",)}, "http://b.example\\@evil.example/", False),
        ({"callback_hosts": ("*",)}, "http://127.0.0.1:1/", True),
        ({}, "http://b.example/", False),
    ],
)
def test_callbacks_go_where_the_key_lets_them(key: dict[str, Any], url: str, good: bool) -> None:
    asks = caller(callback_secret="secret", **key)
    if good:
        assert callback_of(asks, order(callback=url)) == url
    else:
        with pytest.raises((Problem, ValueError)):
            callback_of(asks, order(callback=url))


def test_without_a_secret_nothing_is_signed_and_so_nothing_called() -> None:
    with pytest.raises(Problem):
        callback_of(caller(callback_hosts=("*",)), order(callback="http://b.example/"))


@given(st.sampled_from(Status) | st.integers(1, 0xFFFFFFFF))
def test_every_refusal_has_a_status_of_http_and_says_why(status: int) -> None:
    problem = refusal(status)
    assert problem.status in (422, 429, 503)
    assert problem.details.detail or problem.details.errors
    assert ("Retry-After" in problem.headers) is (problem.status != 422)
