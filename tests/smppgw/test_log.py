"""Events are lines that people or machines read, and nothing in them is secret or forged."""

import ast
import io
import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from smppgw.log import LEVELS, configure, escaped, mask, masked

ROOT = Path(__file__).parents[2]
addresses = st.binary(max_size=30)


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers, logging.root.level = handlers, level


def logged(format: str, level: str = "info") -> io.StringIO:
    """Where the events of this test go."""
    out = io.StringIO()
    configure(level, format, out)
    return out


def test_an_event_is_one_object_of_json_with_time_and_level() -> None:
    out = logged("json")
    structlog.get_logger().warning("bind refused", account="demo", status="RINVPASWD")
    event = json.loads(out.getvalue())
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "bind refused", "level": "warning", "account": "demo", "status": "RINVPASWD"}


def test_the_console_has_no_colours_where_nobody_sees_them() -> None:
    out = logged("console")
    structlog.get_logger().error("bind failed", connector="SMPP1", in_a_row=3)
    assert "\x1b" not in out.getvalue()
    assert "bind failed" in out.getvalue()
    assert "connector=SMPP1" in out.getvalue()


def test_below_the_level_nothing_is_written() -> None:
    out = logged("json", "warning")
    structlog.get_logger().info("bound")
    assert out.getvalue() == ""


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_of_the_config_is_one(level: str) -> None:
    out = logged("json", level)
    structlog.get_logger().error("it shows")
    assert out.getvalue()


@pytest.mark.parametrize("format", ["console", "json"])
def test_what_is_named_like_a_secret_is_not_shown(format: str) -> None:
    out = logged(format)
    structlog.get_logger().info("odd", password="hunter2", tls_private_key=b"hunter2", api_token="hunter2")
    assert "hunter2" not in out.getvalue()


@pytest.mark.parametrize("format", ["console", "json"])
def test_a_traceback_shows_no_values(format: str) -> None:
    out = logged(format)
    password = "".join(["hunter", "2"])
    try:
        int(password[:1])
    except ValueError as error:
        structlog.get_logger().error("broke", exc_info=error.with_traceback(error.__traceback__))
    assert "Traceback" in out.getvalue()
    assert password not in out.getvalue()


@given(st.text(max_size=20), st.binary(max_size=20))
def test_a_peer_cannot_write_a_line_of_its_own(name: str, octets: bytes) -> None:
    out = logged("console")
    structlog.get_logger().info("bind refused", system_id=name, received=octets)
    line, newline, rest = out.getvalue().partition("\n")
    assert (newline, rest) == ("\n", "")
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line)


def test_dependencies_speak_in_the_same_form() -> None:
    out = logged("json")
    logging.getLogger("aiohttp").error("Error handling request from %s", "127.0.0.1")
    assert json.loads(out.getvalue())["event"] == "Error handling request from 127.0.0.1"


def test_a_stream_that_fails_loses_lines_and_raises_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", closefd=True) as broken:
        configure("info", "json", broken)
        structlog.get_logger().info("lost")
        logging.getLogger("aiohttp").error("lost too")
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)  # so that it can be closed
    structlog.get_logger().info("lost: the stream is closed")


def test_a_number_shows_its_country_and_its_end() -> None:
    assert mask(b"819012345678") == "8190***78"
    assert mask(b"+81901234567") == "+819***67"
    assert mask(b"123456") == "12***56"
    assert mask(b"12345") == "***"
    assert mask(b"") == "-"


@given(addresses)
def test_an_address_is_never_shown_whole(address: bytes) -> None:
    shown = masked(address)
    assert shown == b"-" if not address else b"***" in shown
    head, _, tail = shown.partition(b"***")
    if address.isalnum():
        assert len(head) + len(tail) < len(address)


@given(st.one_of(addresses, st.binary(max_size=200)))
def test_what_is_escaped_is_one_printable_word(octets: bytes) -> None:
    for word in (escaped(octets), masked(octets)):
        assert word
        assert all(0x20 < octet < 0x7F for octet in word)
        assert len(word) <= 320


def events(path: Path) -> Iterator[str]:
    """What a file logs."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            said = node.args[0]
            if isinstance(node.func.value, ast.Name) and node.func.value.id == "log":
                words = (said.body, said.orelse) if isinstance(said, ast.IfExp) else (said,)
                yield from (str(word.value) for word in words if isinstance(word, ast.Constant))


def test_the_operations_manual_lists_every_event_and_no_other() -> None:
    apart = {ROOT / "smppgw" / "simulate", ROOT / "smppgw" / "load"}
    code = [path for path in (ROOT / "smppgw").rglob("*.py") if path.parent not in apart]
    manual = (ROOT / "docs" / "operations.md").read_text().partition("## Events")[2].partition("## Signals")[0]
    rows = re.findall(r"^\| (`.+`) \| [\w, ]+ \|", manual, re.MULTILINE)
    listed = [event for row in rows for event in re.findall("`([^`]+)`", row)]
    assert sorted(listed) == sorted({event for path in code for event in events(path)})
