"""The numbers of the running gateway as Prometheus metrics, read when somebody looks."""

import asyncio
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from protocol.consts import MessageState, Status
from routing.table import Table
from smppgw import __version__
from smppgw.access import AccessLog
from smppgw.accounts import AccountState
from smppgw.carriers.connector import CarrierConnector
from smppgw.histogram import Histogram
from smppgw.history.recorder import Recorder
from smppgw.pipeline import Pipeline
from smppgw.smpp.connector import Connector
from smppgw.smpp.inbound import EsmeLink
from smppgw.smpp.listener import Gate
from smppgw.targets import Target

COUNTS = {
    "no_route": ("no_route", "Submits refused with RINVDSTADR because no route matched."),
    "no_sender": ("no_sender", "Messages refused because no sender of the pool serves their destination."),
    "in_doubt": ("in_doubt", "Messages that were offered to an upstream whose answer never came."),
    "unknown_receipt": ("unknown_receipts", "Receipts from upstream that no message waited for."),
    "mo": ("mo", "MO messages taken for an account."),
    "mo_no_route": ("mo_no_route", "MO messages refused because no MO route matched."),
}
"""Keys of Pipeline.counts: the metric's name and what it means."""

LOOKUPS = ("found", "unknown", "failed", "late", "skipped")
"""How a question about a carrier may end."""

_STATUSES = {int(status): status.name for status in Status}
_STATES = {int(state): state.name for state in MessageState}
_VENDOR = range(0x400, 0x500)
"""What SMPP 3.4 leaves to vendors (5.1.3)."""


class Running(Protocol):
    """What is read of the running gateway; looked up anew each time, because a reload replaces connectors."""

    @property
    def pipeline(self) -> Pipeline: ...
    @property
    def access(self) -> AccessLog: ...
    @property
    def gate(self) -> Gate: ...
    @property
    def recorder(self) -> Recorder | None: ...
    @property
    def api_answers(self) -> Mapping[int, int]:
        """By HTTP status."""

    @property
    def connectors(self) -> Mapping[str, Connector | CarrierConnector]: ...
    @property
    def targets(self) -> Mapping[str, Target]: ...


class GatewayMetrics(Collector):
    """One collector for everything; nothing of it is on the path of a message."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    async def text(self) -> bytes:
        """The text exposition format, for one scrape. Only the reading happens on the loop: the writing takes four
        times as long, and with a thousand accounts it would keep every link waiting."""
        return await asyncio.to_thread(generate_latest, _Read(list(self._registry.collect())))

    def describe(self) -> Iterable[Metric]:
        """Nothing: the gateway is not read before the first scrape."""
        return ()

    def collect(self) -> Iterator[Metric]:
        running = self._running
        pipeline = running.pipeline
        info = {"version": __version__, "python": platform.python_version()}
        yield _gauge("build_info", "Always 1; what runs is in the labels.", info, [(info.values(), 1)])
        yield from _pipeline(pipeline)
        yield from _links(running.gate)
        yield from _access(running.access)
        yield from _history(running.recorder)
        answers = [((str(status),), count) for status, count in sorted(running.api_answers.items())]
        yield _counter("api_answers", "Answers of the API, by HTTP status.", ("status",), answers)
        yield from _accounts(list(pipeline.accounts.states.values()), pipeline.clock())
        connectors = list(running.connectors.values())
        yield from _connectors(connectors)
        yield from _smpp([each for each in connectors if isinstance(each, Connector)])
        yield from _carriers([each for each in connectors if isinstance(each, CarrierConnector)])
        yield from _targets(list(running.targets.values()), pipeline.clock())
        yield _senders(pipeline.table)


class _Read(Collector):
    """What was read, to be written."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


Sample = tuple[Iterable[str], float]


def status_name(status: int) -> str:
    """A label for a command_status: one of a bounded number, whatever an upstream answers with."""
    return _STATUSES.get(status) or (f"0x{status:03X}" if status in _VENDOR else "other")


def state_name(state: int) -> str:
    """A label for a message_state, bounded too."""
    return _STATES.get(state, "other")


def _pipeline(pipeline: Pipeline) -> Iterator[Metric]:
    for key, (name, meaning) in COUNTS.items():
        yield _counter(name, meaning, (), [((), pipeline.counts[key])])
    lookups = [((result,), pipeline.lookups[result]) for result in LOOKUPS]
    yield _counter("carrier_lookups", "Carrier look-ups, by what came of them.", ("result",), lookups)
    failures = [((), pipeline.journal.failures)]
    yield _counter("failed_commits", "Commits that the store refused.", (), failures)
    up = pipeline.journal.error is None
    yield _gauge("queued_messages", "Messages that no upstream has taken yet.", (), [((), len(pipeline.queued))])
    yield _gauge("awaiting_receipt", "Messages sent whose receipt is to come.", (), [((), len(pipeline.ledger))])
    yield _gauge("set_aside", "Records that a person must look at.", (), [((), pipeline.returns.aside)])
    yield _gauge("delayed", "Things that wait for their time: retries, schedules.", (), [((), len(pipeline.delays))])
    yield _gauge("store_up", "1 while the store takes commits.", (), [((), up)])
    yield _histogram("commit_seconds", "Time of a commit of the store.", (), [((), pipeline.journal.time)])
    yield _histogram("submit_seconds", "From a submit that was taken to its answer.", (), [((), pipeline.answer_time)])


def _links(gate: Gate) -> Iterator[Metric]:
    bound = gate.open - gate.unbound
    yield _gauge("links", "Open links of ESMEs.", ("state",), [(("bound",), bound), (("unbound",), gate.unbound)])
    refused = [((reason,), count) for reason, count in sorted(gate.refused.items())]
    yield _counter("links_refused", "Links closed at once, by the limit they met.", ("reason",), refused)


def _access(access: AccessLog) -> Iterator[Metric]:
    yield _counter("access_log_errors", "Writes of the access log that failed.", (), [((), access.errors)])
    yield _counter(
        "access_log_lost_lines", "Lines given up because they could not be written.", (), [((), access.lost)]
    )


def _history(recorder: Recorder | None) -> Iterator[Metric]:
    """Without a sample while history is off."""

    def sample(value: Callable[[Recorder], float]) -> list[Sample]:
        return [] if recorder is None else [((), value(recorder))]

    yield _gauge("history_up", "1 while history has a process that writes it.", (), sample(lambda each: each.up))
    pending = sample(lambda each: each.pending)
    yield _gauge("history_pending_bytes", "Octets of notes that wait for that process.", (), pending)
    notes = sample(lambda each: each.noted)
    yield _counter("history_notes", "Notes that were handed to that process.", (), notes)
    restarts = sample(lambda each: each.restarts)
    yield _counter("history_restarts", "Times that the process ended and was started again.", (), restarts)
    dropped = sample(lambda each: each.dropped)
    yield _counter("history_dropped", "Notes that were given up, because it was too slow or did not run.", (), dropped)


def _accounts(accounts: list[AccountState], now: float) -> Iterator[Metric]:
    def each(value: Callable[[AccountState], float]) -> list[Sample]:
        return [((account.name,), value(account)) for account in accounts]

    by_account = ("account",)
    links = [(account, link) for account in accounts for link in account.links if isinstance(link, EsmeLink)]
    yield _counter(
        "account_answers",
        "Answers to an account's submits and other requests, by status.",
        ("account", "status"),
        _by(
            ((account.name, status_name(status)), count)
            for account in accounts
            for status, count in account.statuses.items()
        ),
    )
    yield _counter(
        "account_receipts",
        "Receipts made for an account, by message_state.",
        ("account", "state"),
        _by(
            ((account.name, state_name(state)), count)
            for account in accounts
            for state, count in account.receipts.items()
        ),
    )
    yield _counter(
        "account_delivered", "deliver_sm that an account accepted.", by_account, each(lambda account: account.delivered)
    )
    yield _counter(
        "account_refused_deliveries",
        "deliver_sm and callbacks that an account did not accept.",
        by_account,
        each(lambda account: account.outbox.refused),
    )
    yield _gauge(
        "account_queued_messages",
        "Its messages that no upstream has taken yet.",
        by_account,
        each(lambda account: account.queued),
    )
    stages: list[Sample] = []
    for account in accounts:
        box = account.outbox
        stages += [
            ((account.name, "waiting"), len(box.waiting)),
            ((account.name, "delayed"), box.delayed),
            ((account.name, "under_way"), box.under_way),
        ]
    yield _gauge(
        "account_outbox", "Receipts and MO messages that an account is still to get.", ("account", "stage"), stages
    )
    yield _gauge(
        "account_outbox_oldest_seconds",
        "Age of the first delivery that waits for a receiver.",
        by_account,
        each(lambda account: max(0.0, now - account.outbox.waiting[0].born) if account.outbox.waiting else 0.0),
    )
    yield _gauge(
        "account_binds",
        "Binds of an account.",
        ("account", "mode"),
        _by(((account.name, link.mode), 1) for account, link in links),
    )
    used: dict[str, int] = {account.name: 0 for account in accounts}
    for account, link in links:
        used[account.name] += link.unanswered
    yield _gauge(
        "account_window_used",
        "Submits that wait for our answer, over all binds.",
        by_account,
        each(lambda account: used[account.name]),
    )
    yield _gauge(
        "account_window",
        "Submits that may wait for our answer, over all binds.",
        by_account,
        each(lambda account: account.settings.window * len(account.links)),
    )


C = TypeVar("C", Connector, CarrierConnector)


def _connectors(connectors: list[Connector | CarrierConnector]) -> Iterator[Metric]:
    """What both kinds have."""

    def each(value: Callable[[Connector | CarrierConnector], float]) -> list[Sample]:
        return [((connector.name,), value(connector)) for connector in connectors]

    by_connector = ("connector",)
    counters: list[tuple[str, str, Callable[[Connector | CarrierConnector], float]]] = [
        ("submits", "Submits (submit_sm or requests) sent to an upstream.", lambda connector: connector.counts.submits),
        ("mo", "MO messages that came from an upstream.", lambda connector: connector.counts.mo),
    ]
    for name, meaning, value in counters:
        yield _counter(f"connector_{name}", meaning, by_connector, each(value))
    yield _counter(
        "connector_outcomes",
        "What answers to submits meant: sent, later, never or doubt; or unwritable, when a message did not fit this "
        "upstream; or incomplete, when parts of it never came.",
        ("connector", "outcome"),
        _by(((each.name, outcome), count) for each in connectors for outcome, count in each.counts.outcomes.items()),
    )
    yield _counter(
        "connector_receipts",
        "Receipts of an upstream, by message_state.",
        ("connector", "state"),
        _by(
            ((each.name, state_name(state)), count)
            for each in connectors
            for state, count in each.counts.receipts.items()
        ),
    )
    gauges: list[tuple[str, str, Callable[[Connector | CarrierConnector], float]]] = [
        ("up", "1 while it can submit.", lambda connector: connector.up),
        ("wanted", "1 while a group wants it.", lambda connector: connector.wanted),
        ("held", "1 while a person drains it, or has stopped it.", lambda connector: bool(connector.held)),
        ("alert", "1 while it needs a person: alert_after failed binds in a row, or refused credentials.",
         lambda connector: connector.alerting),
        ("paused", "1 while it rests because the upstream asked for it.", lambda connector: connector.paused),
        ("window_used", "Submits that wait for an upstream's answer.", lambda connector: connector.in_flight),
        ("window", "Submits that may wait, over the binds that are bound.",
         lambda connector: connector.settings.window * _binds(connector)),
    ]  # fmt: skip
    for name, meaning, value in gauges:
        yield _gauge(f"connector_{name}", meaning, by_connector, each(value))
    times = [((connector.name,), connector.counts.answer_time) for connector in connectors]
    yield _histogram("connector_answer_seconds", "Time an upstream took to answer a submit.", by_connector, times)


def _binds(connector: Connector | CarrierConnector) -> int:
    return len(connector.binds) if isinstance(connector, Connector) else 1


def _smpp(connectors: list[Connector]) -> Iterator[Metric]:
    counters: list[tuple[str, str, Callable[[Connector], float]]] = [
        ("lapsed", "Submits that an upstream did not answer in time.", lambda connector: connector.counts.lapsed),
        ("alert_notifications", "alert_notification from an upstream.", lambda connector: connector.counts.alerts),
        ("unreadable_receipts", "Receipts without a message id.", lambda connector: connector.counts.unreadable),
    ]
    gauges: list[tuple[str, str, Callable[[Connector], float]]] = [
        ("binds", "Binds that are bound.", lambda connector: len(connector.binds)),
        ("binds_configured", "Binds there are while it is wanted.", lambda connector: connector.settings.binds),
        ("bind_failures", "Attempts to bind in a row that failed.", lambda connector: connector.failures),
    ]
    yield from _each(connectors, counters, gauges)
    yield _counter(
        "connector_answers",
        "Answers of an upstream to submits, by status.",
        ("connector", "status"),
        _by(
            ((each.name, status_name(status)), count)
            for each in connectors
            for status, count in each.counts.statuses.items()
        ),
    )


def _carriers(connectors: list[CarrierConnector]) -> Iterator[Metric]:
    counters: list[tuple[str, str, Callable[[CarrierConnector], float]]] = [
        ("polls", "Requests to a carrier for what became of a message.", lambda connector: connector.counts.polls),
        (
            "breaker_opened",
            "Times that a carrier failed too often to be asked.",
            lambda connector: connector.counts.opened,
        ),
    ]
    gauges: list[tuple[str, str, Callable[[CarrierConnector], float]]] = [
        ("joining", "Messages that wait for their other parts.", lambda connector: connector.joining),
        (
            "early_receipts",
            "Receipts of a carrier whose message is not known yet.",
            lambda connector: connector.hearing.early,
        ),
    ]
    yield from _each(connectors, counters, gauges)
    yield _counter(
        "connector_carrier_codes",
        "Answers of an HTTPS carrier to submits, by its own codes; ok is an acceptance.",
        ("connector", "code"),
        _by(((each.name, code), count) for each in connectors for code, count in each.counts.codes.items()),
    )
    yield _counter(
        "connector_notifications",
        "Notifications of an HTTPS carrier, by the HTTP status of our answer.",
        ("connector", "status"),
        _by(
            ((each.name, str(status)), count)
            for each in connectors
            for status, count in each.counts.notifications.items()
        ),
    )


def _each(
    connectors: list[C],
    counters: list[tuple[str, str, Callable[[C], float]]],
    gauges: list[tuple[str, str, Callable[[C], float]]],
) -> Iterator[Metric]:
    for make, families in ((_counter, counters), (_gauge, gauges)):
        for name, meaning, value in families:
            samples = [((connector.name,), value(connector)) for connector in connectors]
            yield make(f"connector_{name}", meaning, ("connector",), samples)


def _targets(targets: list[Target], now: float) -> Iterator[Metric]:
    def oldest(target: Target) -> float:
        message = next((message for message in target.queue if not message.gone), None)
        return 0.0 if message is None else max(0.0, now - message.born)

    by_target = ("target",)
    depth = [((target.name,), len(target.queue)) for target in targets]
    yield _gauge("target_queue", "Messages that wait for a group or connector.", by_target, depth)
    ages = [((target.name,), oldest(target)) for target in targets]
    yield _gauge("target_oldest_seconds", "Age of the first message that waits for it.", by_target, ages)
    up = [((target.name,), target.up) for target in targets]
    yield _gauge("target_up", "1 while a member can submit.", by_target, up)


def _senders(table: Table) -> Metric:
    pools = {route.pool.name: route.pool for route in table.routes if route.pool is not None}
    used: list[Sample] = [
        ((name.decode("latin-1"), member.sender.value), member.used)
        for name, pool in pools.items()
        for member in pool.members
    ]
    return _counter("sender_messages", "Messages that got this source from this pool.", ("pool", "sender"), used)


def _by(samples: Iterable[tuple[tuple[str, ...], float]]) -> list[Sample]:
    """One sample for each set of labels: what has the same ones is added up."""
    sums: dict[tuple[str, ...], float] = {}
    for labels, value in samples:
        sums[labels] = sums.get(labels, 0) + value
    return list(sums.items())


def _counter(name: str, meaning: str, labels: Iterable[str], samples: Iterable[Sample]) -> Metric:
    family = CounterMetricFamily(f"smppgw_{name}", meaning, labels=tuple(labels))
    for values, value in samples:
        family.add_metric(tuple(values), value)
    return family


def _gauge(name: str, meaning: str, labels: Iterable[str], samples: Iterable[Sample]) -> Metric:
    family = GaugeMetricFamily(f"smppgw_{name}", meaning, labels=tuple(labels))
    for values, value in samples:
        family.add_metric(tuple(values), value)
    return family


def _histogram(
    name: str, meaning: str, labels: Iterable[str], samples: Iterable[tuple[Iterable[str], Histogram]]
) -> Metric:
    family = HistogramMetricFamily(f"smppgw_{name}", meaning, labels=tuple(labels))
    for values, histogram in samples:
        family.add_metric(tuple(values), list(histogram.cumulated()), histogram.total)
    return family
