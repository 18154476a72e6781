"""The last minutes of the gateway: asked for once, however many browsers look, and there when one opens."""

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from smppgw.console.upstream import Answer, Upstream, problem

EVERY: Final = 2.0
"""Seconds between questions."""

SAMPLES: Final = 300
"""Ten minutes of them."""

PATHS: Final = ("overview", "connectors", "groups")
"""Of the admin API."""

Latest = dict[str, Any]
"""Their answers, by their names."""


class Recent:
    """The latest state in full, and of those before it the numbers that are drawn."""

    def __init__(self, upstream: Upstream, clock: Callable[[], float] = time.time) -> None:
        self._upstream = upstream
        self._clock = clock
        self._points: deque[dict[str, Any]] = deque(maxlen=SAMPLES)
        self._latest: Latest | None = None
        self.problem: Answer | None = None
        """What the last question met, unless it was answered."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="recent")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """One question for each path."""
        answers = [await self._upstream.ask("GET", f"v1/admin/{path}") for path in PATHS]
        self.problem = next((answer for answer in answers if answer.status != 200), None)
        if self.problem is not None:
            return
        try:
            latest = {path: json.loads(answer.body) for path, answer in zip(PATHS, answers, strict=True)}
            point = point_of(self._clock(), latest)
        except (ValueError, TypeError, KeyError, AttributeError):
            self.problem = problem(502, "The gateway's answer cannot be read", "is it of the same version?")
            return
        self._latest = latest
        self._points.append(point)

    def since(self, at: float) -> bytes:
        """JSON: the latest state, and the points after that time, oldest first."""
        wrong = self.problem
        said = {
            "now": self._clock(),
            "every": EVERY,
            "problem": {**_object(wrong.body), "status": wrong.status} if wrong is not None else None,
            "latest": self._latest,
            "points": [point for point in self._points if point["at"] > at],
        }
        return json.dumps(said, separators=(",", ":")).encode()


def point_of(at: float, latest: Mapping[str, Any]) -> dict[str, Any]:
    """What is drawn of one moment; short names, as there are many."""
    overview = latest["overview"]
    return {
        "at": round(at, 3),
        "rates": {name: spans["5s"] for name, spans in overview["rates"].items()},
        "p99": {name: latency["p99"] for name, latency in overview["latency"].items()},
        "queued": overview["queued"],
        "awaiting": overview["awaiting_receipt"],
        "deliveries": overview["deliveries"],
        "oldest": overview["oldest_queued_seconds"],
        "connectors": {each["name"]: each["rates"]["submits"] for each in latest["connectors"]},
        "up": {each["name"]: each["up"] for each in latest["connectors"]},
    }


def _object(body: bytes) -> dict[str, Any]:
    """A problem as it came, or in our words."""
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"title": "The gateway's API does not say what is wrong"}
