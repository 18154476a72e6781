"""A program of a service runs without a shell, and what a mobile wrote stays a word of its own."""

import asyncio
import sys

import pytest

from smppgw.kannel.escapes import Sms
from smppgw.kannel.programs import MOST, arguments, run

SMS = Sms(sender=b"447700900001", receiver=b"12345", text=b"exec $(reboot);'x two")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (b"/bin/echo hello %k", [b"/bin/echo", b"hello", b"exec"]),
        (b"/bin/echo '%s %s' \"%p\"", [b"/bin/echo", b"%24(reboot)%3B'x two", b"447700900001"]),
        (b"/bin/echo %S %S", [b"/bin/echo", b"$(reboot);'x", b"two"]),
        (b"/bin/echo %% %", [b"/bin/echo", b"%", b"%"]),
    ],
)
def test_a_code_is_part_of_one_word(command: bytes, words: list[bytes]) -> None:
    assert arguments(command, SMS, 0) == words


def test_a_message_in_ucs2_makes_no_more_words() -> None:
    assert arguments(b"/bin/echo %S", SMS._replace(text="exec a".encode("utf-16-be")), 0) == [b"/bin/echo", b"a"]


@pytest.mark.parametrize("command", [b"", b"echo 'open", b"%k x"])
def test_a_command_that_is_none_or_that_the_mobile_names_is_not_run(command: bytes) -> None:
    with pytest.raises(ValueError, match=r"command|quotation"):
        arguments(command, SMS, 0)


def test_what_a_program_writes_is_the_reply() -> None:
    script = "print('$HOME')"
    assert asyncio.run(run([sys.executable.encode(), b"-c", script.encode()])) == b"$HOME\n"


def test_a_program_that_is_not_there_says_nothing() -> None:
    assert asyncio.run(run([b"/nonexistent/program"])) is None


def test_a_program_that_takes_too_long_is_killed() -> None:
    script = b"import time; print('x', flush=True); time.sleep(600)"
    assert asyncio.run(run([sys.executable.encode(), b"-c", script], patience=0.2)) is None


def test_too_much_is_forgotten() -> None:
    found = asyncio.run(run([sys.executable.encode(), b"-c", b"print('x' * 1000000)"]))
    assert found == b"x" * MOST
