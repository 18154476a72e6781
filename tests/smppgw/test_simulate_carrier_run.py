"""A simulated carrier runs as a process that says where it listens, and what it counted."""

import json
import signal
import urllib.error
import urllib.request
from typing import Any

import pytest

from smppgw.ports import free_port
from tests.kit import SMPPGW, Process


def vonage(*options: str) -> Process:
    return Process([SMPPGW, "simulate", "vonage", *options])


def get(port: str, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as reply:
        return json.load(reply)


def test_it_listens_where_it_says_with_the_options_it_was_given() -> None:
    with vonage("--port", "0", "--early", "0.5", "--api-key", "mine", "--webhook-by", "json") as simulator:
        port = simulator.expect_line(r"^listening on 127\.0\.0\.1:(\d+)$")[1]
        options = get(port, "/-/options")
        assert (options["early"], options["api_key"], options["webhook_by"]) == (0.5, "mine", "json")
        assert get(port, "/-/counts") == {}


def test_it_tells_its_counts_when_asked_and_at_its_end() -> None:
    with vonage("--port", "0", "--error", "1") as simulator:
        port = simulator.expect_line(r":(\d+)$")[1]
        with pytest.raises(urllib.error.HTTPError, match="500"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/sms/json", data=b"", timeout=10)
        simulator.send(signal.SIGUSR1)
        simulator.expect("stats", error=1)
        simulator.send(signal.SIGTERM)
        assert simulator.ended() == 0
        assert len(simulator.events("stats", error=1)) == 2


def test_a_port_that_is_taken_ends_it_in_words() -> None:
    port = str(free_port())
    with vonage("--port", port) as first:
        first.expect_line("^listening")
        with vonage("--port", port) as second:
            second.expect_line(f"^cannot listen on 127.0.0.1:{port}: ")
            assert second.ended() == 1


def test_options_that_cannot_go_together_are_refused() -> None:
    with vonage("--sign-webhooks") as simulator:
        assert simulator.ended() == 2
