"""Notes become spans: of one message one trace, whoever asks and whenever, with nothing in it that logs would hide."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from pydantic import ValidationError

from protocol.consts import MessageState, Status
from routing.message import Ids
from smppgw.history.events import Kind
from smppgw.history.notes import Both
from smppgw.ports import free_port
from smppgw.settings import Tracing
from smppgw.tracing import Tracer, numbers_of

NOW = 1_790_000_000.0
ID = Ids(7).mint(NOW)
ACCEPTED = ("shop", b"12345", b"819012345678", 0, 5, b"", "all", "")


class Collector:
    """Takes OTLP over HTTP, as a collector does."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.came = asyncio.Event()
        self.port = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/traces"

    @property
    def spans(self) -> list[Span]:
        scopes = [scope for each in self.requests for group in each.resource_spans for scope in group.scope_spans]
        return [span for scope in scopes for span in scope.spans]

    @property
    def resource(self) -> dict[str, str]:
        return said(self.requests[0].resource_spans[0].resource)

    def named(self, name: str) -> Span:
        [span] = [span for span in self.spans if span.name == name]
        return span

    async def take(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        self.requests.append(ExportTraceServiceRequest.FromString(await request.read()))
        self.came.set()
        return web.Response(body=b"", content_type="application/x-protobuf")


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.port = runner.addresses[0][1]
    try:
        yield collector
    finally:
        await runner.cleanup()


def said(of: Any) -> dict[str, Any]:
    """Its attributes."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in of.attributes}


async def traced(collector: Collector, *notes: tuple[float, int, int, tuple[Any, ...]], **settings: Any) -> None:
    tracer = Tracer(Tracing(**{"endpoint": collector.endpoint, "sample": 1, **settings}), "here-0")
    for note in notes:
        tracer.note(*note)
    await tracer.close()


async def test_a_message_is_one_trace_from_its_submit_to_its_receipt() -> None:
    async with collecting() as collector:
        await traced(
            collector,
            (NOW + 0.01, ID, Kind.ACCEPTED, ACCEPTED),
            (NOW + 0.05, ID, Kind.SENT, (b"up", (b"4F21",), 1)),
            (NOW + 3, ID, Kind.RECEIPT, (b"up", int(MessageState.DELIVERED), b"000", b"4F21")),
            (NOW + 3.5, ID, Kind.DELIVERED, ("shop", int(MessageState.DELIVERED), 0)),
            service_name="gateway",
        )
        assert [span.name for span in collector.spans] == ["accepted", "sent", "receipt", "delivered"]
        root = collector.named("accepted")
        trace, first = numbers_of(ID)
        assert {span.trace_id for span in collector.spans} == {trace.to_bytes(16, "big")}
        assert root.span_id == first.to_bytes(8, "big")
        assert root.parent_span_id == b""
        assert {span.parent_span_id for span in collector.spans[1:]} == {root.span_id}
        assert len({span.span_id for span in collector.spans}) == 4
        times = [
            (span.start_time_unix_nano / 1e9 - NOW, span.end_time_unix_nano / 1e9 - NOW) for span in collector.spans
        ]
        for time, expected in zip(times, [(0, 0.01), (0.01, 0.05), (0.05, 3), (3, 3.5)], strict=True):
            assert time == pytest.approx(expected, abs=0.002)
        kinds = [span.kind for span in collector.spans]
        assert kinds == [
            Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_CONSUMER, Span.SPAN_KIND_PRODUCER,
        ]  # fmt: skip
        assert collector.resource["service.name"] == "gateway"
        assert collector.resource["service.instance.id"] == "here-0"
        assert said(collector.named("sent"))["smppgw.upstream"] == "4F21"
        assert said(collector.named("receipt"))["smppgw.state"] == "DELIVERED"


async def test_spans_before_and_after_a_restart_belong_together() -> None:
    async with collecting() as collector:
        await traced(collector, (NOW, ID, Kind.ACCEPTED, ACCEPTED))
        await traced(collector, (NOW + 60, ID, Kind.SENT, (b"up", (b"1",), 1)))
        accepted, sent = collector.named("accepted"), collector.named("sent")
        assert (sent.trace_id, sent.parent_span_id) == (accepted.trace_id, accepted.span_id)


async def test_addresses_are_shortened_and_texts_left_out() -> None:
    async with collecting() as collector:
        await traced(collector, (NOW, ID, Kind.ACCEPTED, (*ACCEPTED[:5], b"hello", "all", "")))
        attributes = said(collector.named("accepted"))
        assert attributes["smppgw.destination"] == "8190***78"
        assert attributes["smppgw.source"] == "***"
        assert attributes["smppgw.id"] == f"{ID:016x}"
        assert attributes["messaging.message.body.size"] == 5
        assert b"hello" not in collector.requests[0].SerializeToString()


@pytest.mark.parametrize(
    ("kind", "note", "wrong"),
    [
        (Kind.REFUSED, (int(Status.RSYSERR),), "RSYSERR"),
        (Kind.LATER, (0x58, 1), "RTHROTTLED"),
        (Kind.LATER, (0x499, 1), "0x499"),
        (Kind.DOUBT, ("hold",), "the upstream did not answer"),
        (Kind.RECEIPT, (b"up", int(MessageState.UNDELIVERABLE), b"011", b"1"), "UNDELIVERABLE"),
        (Kind.RECEIPT, (b"up", 99, b"011", b"\xff"), "99"),
        (Kind.RECEIPT, (b"up", int(MessageState.ENROUTE), b"000", b"1"), ""),
        (Kind.ENDED, (int(MessageState.EXPIRED), b"000"), "EXPIRED"),
        (Kind.POSTPONED, ("shop", 3), "refused for now"),
        (Kind.ASIDE, ("shop", "older than deliver_age"), "older than deliver_age"),
        (Kind.TOLD, ("shop", "200"), ""),
        (Kind.DECIDED, ("boss", "released"), ""),
        (Kind.MO, ("shop", b"819012345678", b"12345", 8, 4, b"", "up"), ""),
    ],
)
async def test_what_goes_wrong_is_an_error_in_words(kind: Kind, note: tuple[Any, ...], wrong: str) -> None:
    async with collecting() as collector:
        await traced(collector, (NOW, ID, kind, note))
        [span] = collector.spans
        assert span.name == kind.name.lower()
        assert (span.status.code == span.status.STATUS_CODE_ERROR, span.status.message) == (bool(wrong), wrong)
        assert (span.parent_span_id == b"") is (kind is Kind.MO)


async def test_a_share_of_the_messages_is_sampled_whole_or_not_at_all() -> None:
    ids = Ids(0)
    messages = [ids.mint(NOW + n / 1000) for n in range(4000)]
    notes = [
        (NOW, id, kind, what) for id in messages for kind, what in ((Kind.ACCEPTED, ACCEPTED), (Kind.DOUBT, ("hold",)))
    ]
    async with collecting() as collector:
        await traced(collector, *notes, sample=0.05, max_pending=10_000)
        traces = [span.trace_id for span in collector.spans]
        assert all(traces.count(trace) == 2 for trace in set(traces))
        assert 100 < len(set(traces)) < 300


async def test_no_sample_is_no_trace() -> None:
    async with collecting() as collector:
        await traced(collector, (NOW, ID, Kind.ACCEPTED, ACCEPTED), sample=0)
        assert not collector.requests


async def test_nobody_at_the_endpoint_keeps_nobody_waiting_for_long() -> None:
    loop = asyncio.get_running_loop()
    tracer = Tracer(Tracing(endpoint=f"http://127.0.0.1:{free_port()}/v1/traces", sample=1, max_pending=10), "here-0")
    for _ in range(100):
        tracer.note(NOW, ID, Kind.ACCEPTED, ACCEPTED)
    begun = loop.time()
    await tracer.close()
    assert loop.time() - begun < 12


def test_two_hear_the_same_and_the_first_keeps_texts() -> None:
    class Ear:
        def __init__(self, keeps: bytes) -> None:
            self.heard: list[Any] = []
            self._keeps = keeps

        def note(self, *note: Any) -> None:
            self.heard.append(note)

        def text(self, octets: bytes) -> bytes:
            return octets[: len(self._keeps)]

    first, second = Ear(b"12"), Ear(b"")
    both = Both(first, second)
    both.note(NOW, ID, Kind.DOUBT, ("hold",))
    assert first.heard == second.heard == [(NOW, ID, Kind.DOUBT, ("hold",))]
    assert both.text(b"hello") == b"he"


@given(st.integers(1, (1 << 64) - 1))
def test_numbers_follow_from_the_id_and_are_never_zero(id: int) -> None:
    trace, span = numbers_of(id)
    assert (trace, span) == numbers_of(id)
    assert 0 < trace < 1 << 128
    assert 0 < span < 1 << 64


@pytest.mark.parametrize("wrong", [{"sample": 1.5}, {"endpoint": "localhost:4318"}, {"max_pending": 0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Tracing(**wrong)
