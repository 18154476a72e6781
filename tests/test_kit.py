"""The test kit itself: a wire that cuts nothing by mistake, processes whose end is noticed."""

import contextlib
import socket
import sys
import tomllib
from collections.abc import Iterator

import pytest

from tests.kit import Process, Wire, merged, toml

ECHO = """
import json, sys
print("warming up", flush=True)
for line in sys.stdin:
    print(json.dumps({"event": "echo", "said": json.loads(line)}), flush=True)
"""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        yield listener


@pytest.fixture
def wire(listener: socket.socket) -> Iterator[Wire]:
    with Wire(listener.getsockname()[1]) as wire:
        yield wire


@pytest.fixture
def ends(listener: socket.socket, wire: Wire) -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_connection(("127.0.0.1", wire.port), timeout=5) as near:
        far, _ = listener.accept()
        far.settimeout(5)
        with far:
            yield near, far


Ends = tuple[socket.socket, socket.socket]


def test_what_passes_is_recorded_by_direction(wire: Wire, ends: Ends) -> None:
    near, far = ends
    near.sendall(b"question")
    assert far.recv(100) == b"question"
    far.sendall(b"answer")
    assert near.recv(100) == b"answer"
    assert (wire.recorded("up"), wire.recorded("down")) == (b"question", b"answer")


def test_a_half_close_passes_and_the_other_half_still_flows(ends: Ends) -> None:
    near, far = ends
    near.sendall(b"last words")
    near.shutdown(socket.SHUT_WR)
    assert far.recv(100) == b"last words"
    assert far.recv(100) == b""
    far.sendall(b"heard")
    far.close()
    assert near.recv(100) == b"heard"
    assert near.recv(100) == b""


def test_a_stalled_wire_holds_octets_until_it_flows(wire: Wire, ends: Ends) -> None:
    near, far = ends
    wire.stall()
    near.sendall(b"later")
    far.settimeout(0.05)
    with pytest.raises(TimeoutError):
        far.recv(100)
    wire.flow()
    far.settimeout(5)
    assert far.recv(100) == b"later"


def test_a_cut_resets_both_ends(wire: Wire, ends: Ends) -> None:
    wire.cut()
    for end in ends:
        with pytest.raises(ConnectionResetError):
            end.recv(100)


def test_a_cut_can_fall_between_two_octets(wire: Wire, ends: Ends) -> None:
    near, far = ends
    wire.cut_after("up", 5)
    near.sendall(b"hello world")
    heard = b""
    with contextlib.suppress(ConnectionResetError):
        while octets := far.recv(100):
            heard += octets
    with pytest.raises(ConnectionResetError):
        near.recv(100)
    assert wire.recorded("up") == b"hello"
    assert b"hello".startswith(heard)


def test_a_wire_that_refuses_resets_newcomers(wire: Wire) -> None:
    wire.refuse()
    # A reset may come before `connect` has returned.
    with (
        pytest.raises(ConnectionResetError),
        socket.create_connection(("127.0.0.1", wire.port), timeout=5) as near,
    ):
        near.recv(1)


def test_a_process_is_told_and_heard() -> None:
    with Process([sys.executable, "-c", ECHO]) as process:
        process.expect_line("warming")
        process.tell({"n": 1})
        process.tell({"n": 2})
        assert process.expect("echo", 2)["said"] == {"n": 2}
        assert process.expect("echo", said={"n": 1})
        assert process.stop() == -15


def test_a_process_that_ends_is_not_waited_for() -> None:
    with Process([sys.executable, "-c", "print('reason'); raise SystemExit(3)"]) as process:
        with pytest.raises(AssertionError, match=r"(?s)ended with 3.*reason"):
            process.expect("ready")
        assert process.ended() == 3


def test_the_toml_that_we_write_says_what_we_meant() -> None:
    config = {
        "a": {"text": 'say "x" \\ é', "list": [1, 2], "inline": [{"k": 1}], "deep": {"0x1400": "v"}, "none": []},
        "tables": [{"name": "one", "match": {"source": ["re:^[A-Z]"]}}, {"name": "two"}],
        "top": True,
    }
    assert tomllib.loads(toml(config)) == config


def test_merging_replaces_lists_and_joins_tables() -> None:
    assert merged({"a": {"x": 1, "y": [1]}, "b": 1}, {"a": {"y": [2]}, "c": 3}) == {
        "a": {"x": 1, "y": [2]},
        "b": 1,
        "c": 3,
    }
