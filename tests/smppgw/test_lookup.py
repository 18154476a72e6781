"""A look-up is asked once for a number, waits for a limited time, remembers, and never stands in the way."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from protocol import pdus, times
from protocol.consts import MessageState, Status
from protocol.pdus import SubmitSm
from routing.carriers import Carriers, read_overrides
from routing.table import Table
from smppgw.app import tlv_of
from smppgw.carriers.client import Reply
from smppgw.exchange import Unanswered, Unsent
from smppgw.lookup import Lookup, at
from smppgw.settings import CarrierLookup, Match, Route
from tests.smppgw.bench import Bench, Carrier, Esme, told
from tests.smppgw.jumping import advance, epoch, jumping, settle, until

DOCOMO = b"819010012345"
"""Its prefix is docomo's."""
OTHER = b"819010012346"


class Directory:
    """The other side: it answers what, when and how the test says."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self._waiting: list[asyncio.Future[Reply]] = []

    async def request(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **_: Any) -> Reply:
        assert method == "GET"
        self.asked.append((url, headers or {}))
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return await future

    def answer(self, body: str, status: int = 200, place: int = 0) -> None:
        self._waiting.pop(place).set_result(Reply(status, {}, body.encode()))

    def fail(self, error: Exception) -> None:
        self._waiting.pop(0).set_exception(error)


def made(directory: Directory, *overrides: str, **keys: Any) -> Lookup:
    settings = CarrierLookup(**{"url": "http://directory/{number}", **keys})
    carriers = Carriers(overrides=read_overrides(overrides)[0])
    return Lookup(settings, carriers, asyncio.get_running_loop(), client=directory)


class Heard:
    """Who waits."""

    def __init__(self, lookup: Lookup, number: bytes = DOCOMO) -> None:
        self.times = 0
        self.waits = lookup.ask(number, self._then)

    def _then(self) -> None:
        self.times += 1


# What is asked, and what it means


@jumping
async def test_an_answer_wins_over_the_prefix_once_it_is_there() -> None:
    directory = Directory()
    lookup = made(directory, secret="Bearer abc", header="X-Key")
    assert lookup.asks(DOCOMO)
    assert lookup.of(DOCOMO) == "docomo"
    heard = Heard(lookup, b"+" + DOCOMO)
    assert heard.waits
    assert lookup.of(DOCOMO) == "docomo"
    await settle()
    assert directory.asked == [("http://directory/819010012345", {"X-Key": "Bearer abc"})]
    assert heard.times == 0
    directory.answer('{"carrier": "AU"}')
    await settle()
    assert heard.times == 1
    assert [lookup.of(number) for number in (DOCOMO, b"+819010012345", b"09010012345")] == ["au"] * 3
    assert not lookup.asks(DOCOMO)
    assert lookup.counts == {"found": 1}
    await lookup.close()


@jumping
async def test_a_number_may_be_asked_for_in_its_national_form() -> None:
    directory = Directory()
    lookup = made(directory, url="http://directory/?n={national}&e=%2B{number}")
    Heard(lookup)
    await settle()
    assert directory.asked[0][0] == "http://directory/?n=09010012345&e=%2B819010012345"
    await lookup.close()


@pytest.mark.parametrize(
    ("answer", "names", "body", "carrier"),
    [
        ("carrier", {}, '{"carrier": "softbank"}', "softbank"),
        ("data.0.mnc", {"44010": "rakuten"}, '{"data": [{"mnc": 44010}]}', "rakuten"),
        ("", {"KDDI": "au"}, '"KDDI"', "au"),
        ("carrier", {"KDDI": "au"}, '{"carrier": "kddi"}', "docomo"),
        ("carrier", {}, '{"carrier": null}', "docomo"),
        ("carrier", {}, '{"carrier": {"name": "au"}}', "docomo"),
        ("carrier.name", {}, "[]", "docomo"),
    ],
)
def test_the_config_says_where_the_answer_is_and_what_it_means(
    answer: str, names: dict[str, str], body: str, carrier: str
) -> None:
    @jumping
    async def asked() -> None:
        directory = Directory()
        lookup = made(directory, answer=answer, names=names)
        heard = Heard(lookup)
        await settle()
        directory.answer(body)
        await settle()
        assert heard.times == 1
        assert lookup.of(DOCOMO) == carrier
        assert not lookup.asks(DOCOMO)
        await lookup.close()

    asked()


@jumping
async def test_nobody_is_asked_about_what_is_overridden_or_no_number() -> None:
    directory = Directory()
    lookup = made(directory, "+819010012345,au")
    for number in (DOCOMO, b"", b"MyBank", b"12345", b"8190100123456789"):
        assert not lookup.asks(number)
        assert not Heard(lookup, number).waits
    assert lookup.of(DOCOMO) == "au"
    await settle()
    assert directory.asked == []
    await lookup.close()


@jumping
async def test_an_override_that_comes_by_a_reload_wins_over_what_was_looked_up() -> None:
    directory = Directory()
    lookup = made(directory)
    Heard(lookup)
    await settle()
    directory.answer('{"carrier": "au"}')
    await settle()
    lookup.carriers = Carriers(overrides=read_overrides(["09010012345,rakuten"])[0])
    assert lookup.of(DOCOMO) == "rakuten"
    await lookup.close()


# Once, and not too many


@jumping
async def test_all_who_wait_for_a_number_share_one_question() -> None:
    directory = Directory()
    lookup = made(directory)
    first, second = Heard(lookup), Heard(lookup, b"+" + DOCOMO)
    await settle()
    third = Heard(lookup)
    directory.answer('{"carrier": "au"}')
    await settle()
    assert len(directory.asked) == 1
    assert [each.times for each in (first, second, third)] == [1, 1, 1]
    await lookup.close()


@jumping
async def test_no_more_questions_are_open_than_the_window_allows() -> None:
    directory = Directory()
    lookup = made(directory, window=2)
    numbers = [b"8190100000%02d" % n for n in range(5)]
    heard = [Heard(lookup, number) for number in numbers]
    await settle()
    assert len(directory.asked) == 2
    for n in range(5):
        directory.answer('{"carrier": "au"}')
        await settle()
        assert len(directory.asked) == min(n + 3, 5)
    assert [each.times for each in heard] == [1] * 5
    assert [url[-12:].encode() for url, _ in directory.asked] == numbers
    await lookup.close()


@jumping
async def test_who_asks_about_another_number_when_he_is_answered_is_served_at_once() -> None:
    directory = Directory()
    lookup = made(directory, window=1)
    later: list[Heard] = []
    lookup.ask(DOCOMO, lambda: later.append(Heard(lookup, OTHER)))
    await settle()
    directory.answer('{"carrier": "au"}')
    await settle()
    assert len(directory.asked) == 2
    await lookup.close()


@jumping
async def test_above_the_numbers_that_may_wait_prefixes_decide_at_once() -> None:
    directory = Directory()
    lookup = made(directory, max_waiting=1)
    assert Heard(lookup).waits
    assert Heard(lookup).waits
    assert not lookup.asks(OTHER)
    assert not Heard(lookup, OTHER).waits
    assert lookup.of(OTHER) == "docomo"
    assert lookup.counts["skipped"] == 2
    await lookup.close()


@jumping
async def test_who_waited_long_enough_goes_on_and_a_late_answer_is_still_remembered() -> None:
    directory = Directory()
    lookup = made(directory, wait=2.0)
    first = Heard(lookup)
    await advance(1.0)
    second = Heard(lookup, OTHER)
    await advance(0.9)
    assert (first.times, second.times) == (0, 0)
    await advance(0.2)
    assert (first.times, second.times) == (1, 0)
    directory.answer('{"carrier": "au"}')
    await advance(1.0)
    assert (first.times, second.times) == (1, 1)
    assert lookup.of(DOCOMO) == "au"
    assert lookup.counts == {"late": 2, "found": 1}
    await lookup.close()


@jumping
async def test_what_waits_behind_a_full_window_is_not_asked_for_when_nobody_waits_any_more() -> None:
    directory = Directory()
    lookup = made(directory, window=1, wait=2.0)
    heard = [Heard(lookup, b"8190100000%02d" % n) for n in range(3)]
    await advance(2.1)
    assert [each.times for each in heard] == [1, 1, 1]
    directory.answer('{"carrier": "au"}')
    await settle()
    assert len(directory.asked) == 1
    assert Heard(lookup, b"819010000001").waits
    await settle()
    assert len(directory.asked) == 2
    await lookup.close()


# Remembered


@jumping
async def test_an_answer_is_asked_for_again_when_it_is_too_old() -> None:
    directory = Directory()
    lookup = made(directory, ttl=100.0, negative_ttl=10.0)
    for number, body in ((DOCOMO, '{"carrier": "au"}'), (OTHER, "{}")):
        Heard(lookup, number)
        await settle()
        directory.answer(body)
        await settle()
    await advance(9.0)
    assert [lookup.asks(number) for number in (DOCOMO, OTHER)] == [False, False]
    await advance(2.0)
    assert [lookup.asks(number) for number in (DOCOMO, OTHER)] == [False, True]
    assert lookup.of(DOCOMO) == "au"
    await advance(90.0)
    assert lookup.asks(DOCOMO)
    assert lookup.of(DOCOMO) == "docomo"
    await lookup.close()


@jumping
async def test_the_oldest_answer_is_forgotten_when_too_many_are_remembered() -> None:
    directory = Directory()
    lookup = made(directory, cache=2)
    numbers = [b"8190100000%02d" % n for n in range(3)]
    for number in numbers:
        Heard(lookup, number)
        await settle()
        directory.answer('{"carrier": "au"}')
        await settle()
    assert [lookup.of(number) for number in numbers] == ["docomo", "au", "au"]
    await lookup.close()


# Failures


@pytest.mark.parametrize(
    "failure", [(500, "{}"), (200, "<html>"), (302, ""), (401, ""), Unsent("refused"), Unanswered("")]
)
def test_a_failure_leaves_it_to_the_prefix(failure: Any) -> None:
    @jumping
    async def asked() -> None:
        directory = Directory()
        lookup = made(directory)
        heard = Heard(lookup)
        await settle()
        if isinstance(failure, Exception):
            directory.fail(failure)
        else:
            directory.answer(failure[1], failure[0])
        await settle()
        assert heard.times == 1
        assert lookup.of(DOCOMO) == "docomo"
        assert lookup.counts["failed"] == 1
        assert not lookup.asks(DOCOMO)
        await lookup.close()

    asked()


@jumping
async def test_a_number_that_the_other_side_does_not_know_is_no_failure() -> None:
    directory = Directory()
    lookup = made(directory, rest_after=1)
    Heard(lookup)
    await settle()
    directory.answer("", 404)
    await settle()
    assert lookup.counts == {"unknown": 1}
    assert lookup.asks(OTHER)
    await lookup.close()


@jumping
async def test_after_some_failures_in_a_row_nobody_is_asked_for_a_while() -> None:
    directory = Directory()
    lookup = made(directory, rest_after=2, rest=10.0, window=1)
    heard = [Heard(lookup, b"8190100000%02d" % n) for n in range(4)]
    for _ in range(2):
        await settle()
        directory.fail(Unsent("refused"))
    await settle()
    assert [each.times for each in heard] == [1, 1, 1, 1]
    assert len(directory.asked) == 2
    assert not lookup.asks(DOCOMO)
    await advance(10.0)
    assert Heard(lookup).waits
    await settle()
    directory.fail(Unsent("refused"))
    await settle()
    assert not lookup.asks(OTHER)
    await advance(10.0)
    assert Heard(lookup, OTHER).waits
    await settle()
    directory.answer('{"carrier": "au"}')
    await settle()
    assert lookup.asks(b"819010012347")
    await lookup.close()


@jumping
async def test_who_waits_when_it_stops_goes_on() -> None:
    directory = Directory()
    lookup = made(directory)
    heard = Heard(lookup)
    await settle()
    await lookup.close()
    await settle()
    assert heard.times == 1
    assert not lookup.asks(OTHER)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(JSON, st.text("0123ab.", max_size=8))
def test_any_path_of_any_json_leads_somewhere_or_nowhere(value: Any, path: str) -> None:
    at(value, path)
    assert at({"a": [{"b": 1}]}, "a.0.b") == 1
    assert at(value, "") == value


# In the pipeline


class Routed:
    """A bench with a route for docomo, one for all others of Japan, and a bank's that does not care."""

    def __init__(self, bench: Bench, directory: Directory, **keys: Any) -> None:
        self.bench, self.directory = bench, directory
        self.docomo, self.rest = bench.carrier, Carrier(b"rest")
        self.lookup = made(directory, **keys)
        pipeline = bench.pipeline
        pipeline.upstreams = {"docomo": self.docomo, "rest": self.rest}
        pipeline.carriers = pipeline.lookup = self.lookup
        routes = [
            Route(name="bank", to="rest", match=Match(source=("MyBank",))),
            Route(name="docomo", to="docomo", match=Match(carrier=("docomo",))),
            Route(name="japan", to="rest", match=Match(destination=("81*",))),
        ]
        pipeline.table = Table(routes, tlv_of, self.lookup.of)

    @property
    def went(self) -> list[int]:
        return [len(self.docomo.queue), len(self.rest.queue)]


@asynccontextmanager
async def routed(bench: Bench | None = None, **keys: Any) -> AsyncIterator[Routed]:
    made = Routed(bench or Bench(), Directory(), **keys)
    yield made
    await made.lookup.close()


@jumping
async def test_a_message_is_stored_and_answered_at_once_and_routed_by_the_answer() -> None:
    async with routed() as it:
        (asker,) = await it.bench.accepted(DOCOMO)
        assert asker.status == Status.ROK
        assert len(it.bench.store.records) == 1
        assert it.went == [0, 0]
        it.directory.answer('{"carrier": "au"}')
        await settle()
        assert it.went == [0, 1]
        await it.bench.accepted(DOCOMO)
        assert it.went == [0, 2]
        assert len(it.directory.asked) == 1


@jumping
async def test_a_message_whose_route_needs_no_carrier_waits_for_nobody() -> None:
    async with routed() as it:
        await it.bench.accepted(DOCOMO, source_addr=b"MyBank")
        assert it.went == [0, 1]
        assert it.directory.asked == []


@jumping
async def test_without_an_answer_in_time_the_prefix_decides() -> None:
    async with routed(wait=2.0) as it:
        await it.bench.accepted(DOCOMO)
        await advance(1.9)
        assert it.went == [0, 0]
        await advance(0.2)
        assert it.went == [1, 0]


@jumping
async def test_messages_to_one_number_keep_their_order() -> None:
    async with routed() as it:
        for text in (b"1", b"2", b"3"):
            await it.bench.accepted(DOCOMO, short_message=text)
        it.directory.answer('{"carrier": "docomo"}')
        await settle()
        sent = [pdus.decode_submit(message.body).short_message for message in it.docomo.queue]
        assert sent == [b"1", b"2", b"3"]


@jumping
async def test_a_message_that_no_route_takes_after_all_ends_with_a_receipt() -> None:
    async with routed() as it:
        esme = Esme(it.bench.account)
        (asker,) = await it.bench.accepted(b"447700900001")
        it.directory.answer('{"carrier": "mobile"}')
        await settle()
        assert not it.bench.pipeline.queued
        (delivery,) = esme.got
        assert told(delivery) == (asker.id, MessageState.UNDELIVERABLE)


@jumping
async def test_a_transparent_relay_is_answered_after_the_answer_too() -> None:
    async with routed() as it:
        asker = it.bench.submit(DOCOMO, account=it.bench.relay)
        await settle()
        assert (asker.status, it.went) == (None, [0, 0])
        it.directory.answer('{"carrier": "au"}')
        await settle()
        assert it.went == [0, 1]
        it.bench.sent(b"a", it.rest.take())
        await settle()
        assert asker.status == Status.ROK


@jumping
async def test_a_message_that_is_cancelled_while_it_waits_goes_nowhere() -> None:
    async with routed() as it:
        await it.bench.accepted(DOCOMO)
        (message,) = it.bench.pipeline.queued.values()
        it.bench.pipeline.cancel(message)
        it.directory.answer('{"carrier": "au"}')
        await settle()
        assert it.went == [0, 0]


@jumping
async def test_a_message_that_is_put_off_while_it_waits_goes_at_its_time() -> None:
    async with routed() as it:
        await it.bench.accepted(DOCOMO)
        (message,) = it.bench.pipeline.queued.values()
        later = times.absolute(epoch() + 60.0)
        it.bench.pipeline.replace(message, SubmitSm(schedule_delivery_time=later, destination_addr=DOCOMO))
        it.directory.answer('{"carrier": "au"}')
        await advance(30.0)
        assert it.went == [0, 0]
        await advance(31.0)
        assert it.went == [0, 1]


@jumping
async def test_a_scheduled_message_is_looked_up_at_its_time() -> None:
    async with routed() as it:
        await it.bench.accepted(DOCOMO, schedule_delivery_time=times.absolute(epoch() + 60.0))
        await advance(59.0)
        assert it.directory.asked == []
        await advance(2.0)
        it.directory.answer('{"carrier": "au"}')
        await settle()
        assert it.went == [0, 1]


@jumping
async def test_a_message_that_waited_at_a_crash_is_looked_up_again() -> None:
    async with routed() as it:
        await it.bench.accepted(DOCOMO)
        store = it.bench.killed()
    bench = Bench(store)
    async with routed(bench) as again:
        bench.pipeline.reoffer(list(bench.pipeline.queued.values()))
        bench.carrier.queue.clear()
        await settle()
        again.directory.answer('{"carrier": "au"}')
        await settle()
        assert again.went == [0, 1]


# Over a real connection


@jumping
async def test_a_real_server_is_asked_over_kept_connections() -> None:
    asked: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.query["n"], request.headers["Authorization"]))
        return web.json_response({"data": [{"mnc": "44020"}]})

    app = web.Application()
    app.router.add_get("/v1", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    settings = CarrierLookup(
        url=f"http://127.0.0.1:{port}/v1?n=%2B{{number}}",
        secret=SecretStr("Basic x"),
        answer="data.0.mnc",
        names={"44020": "softbank"},
    )
    lookup = Lookup(settings, Carriers(), asyncio.get_running_loop())
    heard = [Heard(lookup, number) for number in (DOCOMO, OTHER)]
    await until(lambda: all(each.times for each in heard))
    assert [lookup.of(number) for number in (DOCOMO, OTHER)] == ["softbank"] * 2
    assert sorted(asked) == [("+819010012345", "Basic x"), ("+819010012346", "Basic x")]
    await lookup.close()
    await runner.cleanup()


@jumping
async def test_a_server_that_is_not_there_costs_no_more_than_a_moment() -> None:
    lookup = Lookup(CarrierLookup(url="http://127.0.0.1:1/{number}"), Carriers(), asyncio.get_running_loop())
    heard = Heard(lookup)
    await until(lambda: heard.times)
    assert lookup.counts["failed"] == 1
    await lookup.close()
