"""Rates and latencies of the last minute, from numbers that are counted anyway: they are read once a second."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from smppgw.accounts import AccountState
from smppgw.admin.running import AnyConnector, Running
from smppgw.histogram import Histogram

SPANS = (1, 5, 60)
"""Seconds that rates are told for."""

EVERY = 5
"""Seconds between two looks at the accounts, of which there may be thousands."""


class Sample(NamedTuple):
    """The whole gateway at one moment."""

    at: float
    """Loop time."""
    counts: Mapping[str, float]
    histograms: Mapping[str, Sequence[int]]
    connectors: Mapping[str, tuple[float, float, float, Sequence[int]]]
    """Submits, acceptances, receipts, and its answer times."""


class Sampler:
    """`start` it once; it goes on as long as the loop."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._loop = running.loop
        self._samples: deque[Sample] = deque(maxlen=SPANS[-1] + 1)
        self._accounts: deque[tuple[float, dict[str, tuple[int, int, int]]]] = deque(maxlen=SPANS[-1] // EVERY + 1)
        self._timer: asyncio.TimerHandle | None = None
        self._ticks = 0

    def start(self) -> None:
        self._tick()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        self._samples.append(self._read())
        if self._ticks % EVERY == 0:
            states = self._running.pipeline.accounts.states
            counted = {name: account_counts(state) for name, state in states.items()}
            self._accounts.append((self._loop.time(), counted))
        self._ticks += 1
        self._timer = self._loop.call_later(1.0, self._tick)

    def _read(self) -> Sample:
        pipeline = self._running.pipeline
        connectors = {
            name: (each.counts.submits, each.counts.outcomes["sent"], each.counts.receipts.total(),
                   tuple(each.counts.answer_time.counts))
            for name, each in self._running.connectors.items()
        }  # fmt: skip
        states = pipeline.accounts.states.values()
        counts = {
            "accepted": sum(pipeline.answer_time.counts),
            "refused": sum(state.statuses.total() - state.statuses[0] for state in states),
            "sent": sum(each[1] for each in connectors.values()),
            "receipts": sum(each[2] for each in connectors.values()),
            "delivered": sum(state.delivered for state in states),
            "mo": pipeline.counts["mo"],
        }
        answers = [sum(column) for column in zip(*(each[3] for each in connectors.values()), strict=True)]
        histograms = {
            "submit": tuple(pipeline.answer_time.counts),
            "commit": tuple(pipeline.journal.time.counts),
            "upstream": answers or [0] * len(pipeline.answer_time.counts),
        }
        return Sample(self._loop.time(), counts, histograms, connectors)

    # What is asked

    def _before(self, seconds: float, now: float) -> Sample | None:
        """The youngest sample that is at least nearly so old; the oldest when there is none."""
        found = None
        for sample in self._samples:
            if now - sample.at >= seconds - 0.5 or found is None:
                found = sample
            else:
                break
        return found

    def rates(self) -> dict[str, dict[str, float]]:
        """A second, by what is counted and by span."""
        latest = self._read()
        found: dict[str, dict[str, float]] = {name: {} for name in latest.counts}
        for span in SPANS:
            before = self._before(span, latest.at)
            for name, value in latest.counts.items():
                old = before.counts[name] if before is not None else value
                found[name][f"{span}s"] = _rate(value - old, latest.at - before.at if before is not None else 0.0)
        return found

    def latencies(self) -> dict[str, dict[str, float]]:
        """Milliseconds at p50, p95 and p99 of the last minute."""
        latest, before = self._read(), self._before(SPANS[-1], self._loop.time())
        empty: Mapping[str, Sequence[int]] = {}
        return {
            name: quantiles(counts, (before.histograms if before is not None else empty).get(name))
            for name, counts in latest.histograms.items()
        }

    def connector(self, connector: AnyConnector) -> tuple[dict[str, float], dict[str, float]]:
        """Rates of the last five seconds, and latencies of the last minute."""
        counts, now, name = connector.counts, self._loop.time(), connector.name
        rates = {}
        near = self._before(EVERY, now)
        known = near.connectors.get(name) if near is not None else None
        old = known[:3] if known is not None else (0.0, 0.0, 0.0)
        values = (counts.submits, counts.outcomes["sent"], counts.receipts.total())
        for n, key in enumerate(("submits", "sent", "receipts")):
            rates[key] = _rate(values[n] - old[n], now - near.at) if near is not None else 0.0
        far = self._before(SPANS[-1], now)
        first = far.connectors.get(name) if far is not None else None
        return rates, quantiles(counts.answer_time.counts, first[3] if first is not None else None)

    def account(self, account: AccountState) -> dict[str, float]:
        """A second, over the last five to ten."""
        now, counted = self._loop.time(), account_counts(account)
        looks = [look for look in self._accounts if now - look[0] >= EVERY] or list(self._accounts)
        at, before = looks[-1] if looks else (now, {})
        old = before.get(account.name, (0, 0, 0))  # one that was not there began with nothing
        names = ("accepted", "refused", "delivered")
        return {name: _rate(new - was, now - at) for name, new, was in zip(names, counted, old, strict=True)}


def account_counts(account: AccountState) -> tuple[int, int, int]:
    """Accepted, refused, delivered."""
    accepted = account.statuses[0]
    return accepted, account.statuses.total() - accepted, account.delivered


def quantiles(counts: Sequence[int], before: Sequence[int] | None = None) -> dict[str, float]:
    """In milliseconds, estimated within their bucket; 0 when nothing was measured."""
    if before is not None:
        counts = [max(0, new - old) for new, old in zip(counts, before, strict=True)]
    bounds = Histogram().bounds
    total = sum(counts)
    found = {}
    for name, share in (("p50", 0.50), ("p95", 0.95), ("p99", 0.99)):
        found[name] = round(_at(share * total, counts, bounds) * 1000.0, 3) if total else 0.0
    return found


def _at(rank: float, counts: Sequence[int], bounds: Sequence[float]) -> float:
    below, low = 0, 0.0
    for count, bound in zip(counts, bounds, strict=False):
        if count and below + count >= rank:
            return low + (bound - low) * (rank - below) / count
        below += count
        low = bound
    return low


def _rate(difference: float, seconds: float) -> float:
    """A connector that a reload replaced begins to count anew."""
    return round(max(0.0, difference) / seconds, 2) if seconds > 0.0 else 0.0
