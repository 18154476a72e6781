"""One look at a terminal shows what is worst first, in 80 columns."""

import copy
from typing import Any

from rich.console import Console

from smppgw.top import ROWS, Look, frame

OVERVIEW: dict[str, Any] = {
    "name": "gw1", "version": "1", "ready": True, "reasons": [], "uptime_seconds": 90000.0, "bound": 2, "links": 3,
    "set_aside": 0, "history": None, "queued": 1234567, "awaiting_receipt": 5, "deliveries": 6, "delayed": 7,
    "rates": {"accepted": {"1s": 12345.6, "5s": 1.5, "60s": 0.0}},
    "latency": {"submit": {"p50": 1.0, "p95": 20.0, "p99": 0.0}},
    "queues": [{"target": "alone", "kind": "connector", "up": False, "waiting": 9, "oldest_seconds": 61.0}],
}  # fmt: skip
CONNECTOR: dict[str, Any] = {
    "name": "up", "alert": False, "up": True, "wanted": True, "held": "", "paused": False, "window": 100,
    "window_used": 7, "binds": [{"since": 1.0}, {"since": None}], "binds_wanted": 2, "last_error": "",
    "rates": {"sent": 5.0, "receipts": 4.0}, "latency": {"p99": 3.0},
}  # fmt: skip
ACCOUNT: dict[str, Any] = {
    "name": "shop", "binds": [{}], "window": 10, "window_used": 1, "queued": 2, "outbox_waiting": 1,
    "outbox_delayed": 2, "outbox_under_way": 3, "outbox_oldest_seconds": 0.0,
    "rates": {"accepted": 1.0, "refused": 0.0, "delivered": 2.0},
}  # fmt: skip
GROUP: dict[str, Any] = {
    "name": "g", "state": "failed over", "up": True, "waiting": 3, "oldest_seconds": 2.0,
    "members": [{"connector": "a", "role": "active", "up": False}, {"connector": "b", "role": "backup", "up": True}],
}  # fmt: skip


def shown(overview: dict[str, Any] | None = None, **lists: list[dict[str, Any]]) -> list[str]:
    console = Console(width=80, highlight=False, color_system=None, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    full = {"accounts": [ACCOUNT], "connectors": [CONNECTOR], "groups": [GROUP], **lists}
    console.print(frame(Look({**OVERVIEW, **(overview or {})}, **full)))
    console.file.close()
    return console.export_text().splitlines()


def row(lines: list[str], name: str) -> list[str]:
    return next(line.split() for line in lines if line.startswith(name + " "))


def test_numbers_stand_where_they_belong_and_nothing_is_wider_than_the_terminal() -> None:
    lines = shown()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("gw1 1  ready  up 1.0 d  links 2/3")
    assert row(lines, "accepted")[:4] == ["accepted", "12,346", "1.5", "0"]
    assert row(lines, "accepted")[-1] == "1,234,567"
    assert row(lines, "up")[1:6] == ["up", "1/2", "7/100", "5", "4"]
    assert row(lines, "shop") == ["shop", "1", "1/10", "1", "0", "2", "2", "6", "-"]
    assert row(lines, "g")[:3] == ["g", "failed", "over"]
    assert row(lines, "alone") == ["alone", "9", "1.0", "m"]


def test_what_is_wrong_is_said_at_the_top() -> None:
    lost = {"up": False, "dropped": 5}
    head = " ".join(
        shown({"ready": False, "reasons": ["store: the disk is full"], "set_aside": 3, "history": lost})[:3]
    )
    for words in ("not ready: store: the disk is full", "set aside 3", "dropped 5"):
        assert words in head


def test_the_worst_connectors_come_first_and_the_rest_is_counted() -> None:
    many = [{**copy.deepcopy(CONNECTOR), "name": f"c{n:02}"} for n in range(ROWS + 3)]
    many[-1] |= {"alert": True, "up": False, "last_error": "refused with status 0x0E [oops]"}
    many[-2] |= {"up": False}
    many[-3] |= {"held": "drain", "up": False}
    lines = shown(connectors=many)
    first = lines.index(next(line for line in lines if line.startswith("connector ")))
    assert lines[first + 1].split()[:2] == [f"c{ROWS + 2}", "alert"]
    assert lines[first + 2].split()[1] in {"down", "drained"}
    assert any(line.strip() == "and 3 more" for line in lines)


def test_groups_and_queues_beyond_those_shown_are_counted_too() -> None:
    groups = [{**GROUP, "name": f"g{n:02}"} for n in range(ROWS + 2)]
    queues = [{**OVERVIEW["queues"][0], "target": f"q{n:02}"} for n in range(ROWS + 4)]
    lines = [line.strip() for line in shown({"queues": queues}, groups=groups)]
    assert "and 2 more" in lines
    assert "and 4 more" in lines


def test_a_gateway_without_anything_has_a_frame_too() -> None:
    assert shown({"queues": []}, accounts=[], connectors=[], groups=[])
