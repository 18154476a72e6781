"""The last minutes are kept in little, the present in full."""

import json
from typing import Any

from smppgw.console.recent import SAMPLES, Recent, point_of
from smppgw.console.upstream import Answer, Upstream, problem

OVERVIEW = {
    "rates": {"accepted": {"1s": 1.0, "5s": 5.0, "60s": 60.0}},
    "latency": {"submit": {"p50": 1.0, "p95": 2.0, "p99": 3.0}},
    "queued": 4, "awaiting_receipt": 5, "deliveries": 6, "oldest_queued_seconds": 7.0,
}  # fmt: skip
CONNECTORS = [{"name": "smsc", "up": True, "rates": {"submits": 8.0}, "settings": {"host": "a long table"}}]


class Answering(Upstream):
    """An upstream that answers what a test says."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9", "")
        self.answers: dict[str, Answer] = {}
        self.say(overview=OVERVIEW, connectors=CONNECTORS, groups=[])

    def say(self, **bodies: Any) -> None:
        for name, body in bodies.items():
            self.answers[f"v1/admin/{name}"] = Answer(200, json.dumps(body).encode(), "application/json")

    async def ask(self, method: str, path: str, query: str = "", body: bytes = b"") -> Answer:
        return self.answers[path]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def told(recent: Recent, since: float = 0.0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(recent.since(since))
    return found


async def test_points_hold_what_is_drawn_and_the_latest_holds_everything() -> None:
    recent = Recent(Answering(), Clock())
    await recent.look()
    said = told(recent)
    assert said["latest"] == {"overview": OVERVIEW, "connectors": CONNECTORS, "groups": []}
    assert said["points"] == [
        {"at": 1000.0, "rates": {"accepted": 5.0}, "p99": {"submit": 3.0}, "queued": 4, "awaiting": 5, "deliveries": 6,
         "oldest": 7.0, "connectors": {"smsc": 8.0}, "up": {"smsc": True}}
    ]  # fmt: skip
    assert said["problem"] is None


async def test_who_has_a_point_gets_only_newer_ones() -> None:
    clock = Clock()
    recent = Recent(Answering(), clock)
    for _ in range(3):
        await recent.look()
        clock.now += 2.0
    assert [point["at"] for point in told(recent, since=1000.0)["points"]] == [1002.0, 1004.0]
    assert told(recent, since=1004.0)["points"] == []


async def test_only_the_last_minutes_are_kept() -> None:
    clock = Clock()
    recent = Recent(Answering(), clock)
    for _ in range(SAMPLES + 5):
        await recent.look()
        clock.now += 2.0
    points = told(recent)["points"]
    assert len(points) == SAMPLES
    assert points[0]["at"] == 1010.0


async def test_a_gateway_that_is_gone_leaves_what_was_known_and_says_so() -> None:
    upstream = Answering()
    recent = Recent(upstream, Clock())
    await recent.look()
    upstream.answers["v1/admin/groups"] = problem(502, "The gateway's API cannot be reached", "connection refused")
    await recent.look()
    said = told(recent)
    assert said["problem"]["status"] == 502
    assert said["latest"]["overview"] == OVERVIEW
    assert len(said["points"]) == 1
    upstream.say(groups=[])
    await recent.look()
    assert told(recent)["problem"] is None


async def test_an_answer_of_something_else_is_a_problem_and_no_crash() -> None:
    upstream = Answering()
    recent = Recent(upstream, Clock())
    for body in (b"<html>", b"[]", b'{"rates": 1}'):
        upstream.answers["v1/admin/overview"] = Answer(200, body, "text/html")
        await recent.look()
        assert told(recent)["problem"]["title"] == "The gateway's answer cannot be read"
    upstream.answers["v1/admin/overview"] = Answer(404, b"<html>", "text/html")
    await recent.look()
    assert told(recent)["problem"]["status"] == 404


def test_a_point_is_small() -> None:
    point = point_of(1.0, {"overview": OVERVIEW, "connectors": CONNECTORS, "groups": []})
    assert len(json.dumps(point)) < 250
