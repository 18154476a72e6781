"""Notes of messages as OpenTelemetry traces: one trace a message, for the share of them that is sampled.

Names and numbers of a trace follow from the message's id, so that its spans belong together over restarts. Imported
only when [tracing] has an endpoint; the SDK's thread sends.
"""

import asyncio
import logging
import os
import time
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from protocol.consts import MessageState
from protocol.consts import Status as SmppStatus
from routing.message import Ids
from smppgw import __version__
from smppgw.history.events import NAMES, Kind
from smppgw.log import escaped, masked
from smppgw.settings import Tracing

log = structlog.get_logger()

MOST = 100_000
"""Sampled messages whose last step is remembered; a span of one that was forgotten begins when it ends."""

PATIENCE = 5.0
"""Seconds that one attempt to send may take, and the last one at the end."""

_HASH = 0x9E3779B97F4A7C15  # 2**64 by the golden ratio: neighbours of ids are not neighbours in it
_WORD = 0xFFFFFFFFFFFFFFFF
_SCOPE = InstrumentationScope("smppgw", __version__)
_OK = Status(StatusCode.UNSET)

Attributes = dict[str, str | int]


class Tracer:
    """Call `note` from the loop's thread."""

    def __init__(self, settings: Tracing, instance: str) -> None:
        self._below = int(settings.sample * (_WORD + 1))
        self._resource = Resource(
            {SERVICE_NAME: settings.service_name, SERVICE_VERSION: __version__, SERVICE_INSTANCE_ID: instance}
        )
        logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
        logging.getLogger("opentelemetry").propagate = False  # `_Told` says it, once
        self._exporter = _Told(OTLPSpanExporter(endpoint=settings.endpoint, timeout=PATIENCE))
        self._processor = BatchSpanProcessor(
            self._exporter,
            max_queue_size=settings.max_pending,
            max_export_batch_size=min(512, settings.max_pending),
        )
        self._last: dict[int, float] = {}
        """When the step before ended."""

    def text(self, _octets: bytes) -> bytes:
        """Never part of a trace."""
        return b""

    def note(self, at: float, id: int, kind: int, said: tuple[Any, ...]) -> None:
        if id * _HASH & _WORD >= self._below:
            return
        kind = Kind(kind)
        begun = Ids.time_of(id) if kind in _ROOTS else self._last.pop(id, at)
        if kind not in _LAST:
            if len(self._last) >= MOST:
                del self._last[next(iter(self._last))]
            self._last[id] = at
        attributes, wrong = _told(kind, said)
        trace, root = numbers_of(id)
        span = root if kind in _ROOTS else int.from_bytes(os.urandom(8), "big") or 1
        self._processor.on_end(
            ReadableSpan(
                NAMES[kind],
                context=_context(trace, span),
                parent=None if kind in _ROOTS else _context(trace, root),
                resource=self._resource,
                attributes={"smppgw.id": f"{id:016x}", "messaging.system": "smpp", **attributes},
                kind=_KINDS.get(kind, SpanKind.INTERNAL),
                instrumentation_scope=_SCOPE,
                status=Status(StatusCode.ERROR, wrong) if wrong else _OK,
                start_time=int(min(begun, at) * 1e9),
                end_time=int(at * 1e9),
            )
        )

    async def close(self) -> None:
        """Send what is left, or give up soon."""
        self._exporter.until = time.monotonic() + PATIENCE
        await asyncio.to_thread(self._processor.shutdown)


def numbers_of(id: int) -> tuple[int, int]:
    """The trace of a message, and its first span."""
    digest = blake2b(id.to_bytes(8, "big"), digest_size=24, person=b"smppgw").digest()
    return int.from_bytes(digest[:16], "big") or 1, int.from_bytes(digest[16:], "big") or 1


def _context(trace: int, span: int) -> SpanContext:
    return SpanContext(trace, span, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


_ROOTS = frozenset({Kind.ACCEPTED, Kind.MO})
_LAST = frozenset({Kind.DELIVERED, Kind.REFUSED, Kind.ASIDE})
_KINDS = {
    Kind.ACCEPTED: SpanKind.SERVER,
    Kind.MO: SpanKind.SERVER,
    Kind.SENT: SpanKind.CLIENT,
    Kind.LATER: SpanKind.CLIENT,
    Kind.RECEIPT: SpanKind.CONSUMER,
    Kind.DELIVERED: SpanKind.PRODUCER,
    Kind.POSTPONED: SpanKind.PRODUCER,
    Kind.TOLD: SpanKind.PRODUCER,
}
_GOOD = frozenset({0, int(MessageState.ENROUTE), int(MessageState.ACCEPTED), int(MessageState.DELIVERED)})


def _told(kind: Kind, said: tuple[Any, ...]) -> tuple[Attributes, str]:  # noqa: PLR0911  each kind says its own
    """What a note says, with addresses as the access log shows them; and what is wrong, if anything is."""
    match kind:
        case Kind.ACCEPTED | Kind.MO:
            account, source, destination, coding, octets, _, place = said[:7]
            return {
                "smppgw.account": account,
                "smppgw.source": masked(source).decode(),
                "smppgw.destination": masked(destination).decode(),
                "smppgw.data_coding": coding,
                "messaging.message.body.size": octets,
                "smppgw.route" if kind is Kind.ACCEPTED else "smppgw.connector": _word(place),
            }, ""
        case Kind.SENT:
            connector, upstream, attempts = said
            return {
                "smppgw.connector": _word(connector),
                "smppgw.upstream": ",".join(map(_word, upstream)),
                "smppgw.attempts": attempts,
            }, ""
        case Kind.LATER | Kind.REFUSED:
            return {"smppgw.status": _status(said[0])}, _status(said[0])
        case Kind.DOUBT:
            return {"smppgw.doubt": said[0]}, "the upstream did not answer"
        case Kind.RECEIPT:
            connector, state, err, upstream = said
            told: Attributes = {
                "smppgw.connector": _word(connector),
                "smppgw.upstream": _word(upstream),
                "smppgw.state": _state(state),
                "smppgw.error": _word(err),
            }
            return told, "" if state in _GOOD else _state(state)
        case Kind.ENDED:
            state, err = said
            return {"smppgw.state": _state(state), "smppgw.error": _word(err)}, "" if state in _GOOD else _state(state)
        case Kind.DELIVERED | Kind.POSTPONED:
            wrong = "refused for now" if kind is Kind.POSTPONED else ""
            return {"smppgw.account": said[0], "smppgw.attempts": said[-1]}, wrong
        case Kind.ASIDE:
            return {"smppgw.account": said[0]}, str(said[1])
        case Kind.TOLD:
            return {"smppgw.account": said[0], "smppgw.result": str(said[1])}, ""
        case Kind.DECIDED:
            return {"smppgw.decided": str(said[1])}, ""


def _word(value: bytes | str) -> str:
    return escaped(value).decode() if isinstance(value, bytes) else value


def _status(number: int) -> str:
    try:
        return SmppStatus(number).name
    except ValueError:
        return f"0x{number:X}"


def _state(number: int) -> str:
    try:
        return MessageState(number).name
    except ValueError:
        return str(number)


class _Told(SpanExporter):
    """Says once that nobody takes traces, and once that somebody does again. Called by the SDK's thread."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._failing = False
        self.until = float("inf")
        """Nothing is sent after this time of the monotonic clock."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if time.monotonic() > self.until:
            return SpanExportResult.FAILURE
        result = self._exporter.export(spans)
        failed = result is not SpanExportResult.SUCCESS
        if failed is not self._failing:
            self._failing = failed
            if failed:
                log.warning("traces cannot be exported")
            else:
                log.info("traces are exported again")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
