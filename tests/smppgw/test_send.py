"""One message goes out with a client that is not ours, and every failure is said in words."""

import asyncio
import io
import socket
from typing import Any

import pytest
from rich.console import Console

from smppgw.send import Letter, _send, send
from smppgw.simulate.options import Options
from smppgw.simulate.smsc import Smsc
from tests.smppgw.talking import talking


async def write(port: int, **changes: Any) -> tuple[int, str]:
    """The exit status, and what was shown."""
    return await asyncio.to_thread(write_now, port, **changes)


def write_now(port: int, **changes: Any) -> tuple[int, str]:
    fields: dict[str, Any] = {
        "host": "127.0.0.1", "port": port, "system_id": "demo", "password": "secret",
        "source": "12345", "destination": "447700900123", "text": "hello", "wait": 5.0,
    }  # fmt: skip
    shown = io.StringIO()
    status = send(Letter(**(fields | changes)), Console(file=shown, width=200))
    return status, shown.getvalue()


async def test_the_receipt_is_shown() -> None:
    async with Smsc(Options(first_id=41, receipt_delay=0.02)) as smsc:
        status, shown = await write(smsc.port)
        (pdu,) = smsc.received
    assert status == 0
    assert "accepted, id 42" in shown
    assert "receipt: id:42 sub:001 dlvrd:001" in shown
    assert (pdu.source_addr_ton, pdu.source_addr, pdu.dest_addr_ton) == (3, b"12345", 1)
    assert (pdu.short_message, pdu.registered_delivery) == (b"hello", 1)


async def test_a_receipt_may_come_before_the_answer() -> None:
    async with Smsc(Options(early_receipts=1.0)) as smsc:
        status, shown = await write(smsc.port)
    assert (status, "stat:DELIVRD" in shown) == (0, True)


async def test_a_text_that_gsm_lacks_goes_as_ucs2() -> None:
    async with Smsc() as smsc:
        await write(smsc.port, text="привет", wait=0.0)
        (pdu,) = smsc.received
    assert (pdu.data_coding, pdu.short_message, pdu.registered_delivery) == (8, "привет".encode("utf-16-be"), 0)


async def test_a_bad_end_is_an_error() -> None:
    async with Smsc(Options(states={"UNDELIV": 1.0})) as smsc:
        status, shown = await write(smsc.port)
    assert (status, "stat:UNDELIV" in shown) == (1, True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"password": "other"}, "RINVPASWD (0x0E): the password is wrong"),
        ({"system_id": "other"}, "RINVSYSID (0x0F): no account 'demo'"),
        ({"errors": {0x58: 1.0}}, "refused: RTHROTTLED (0x58)"),
        ({"receipts": False}, "no receipt for"),
    ],
)
async def test_what_went_wrong_is_said(options: dict[str, Any], words: str) -> None:
    async with Smsc(Options(**options)) as smsc:
        status, shown = await write(smsc.port, wait=0.2)
    assert status == 1
    assert words in shown


def test_nothing_listening_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        status, shown = write_now(taken.getsockname()[1])
    assert (status, "nothing is listening on 127.0.0.1:" in shown) == (1, True)


async def test_a_peer_that_hangs_up_is_said() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with talking(hang_up) as port:
        status, shown = await write(port)
    assert (status, "closed the connection before it answered" in shown) == (1, True)


async def test_a_peer_that_speaks_something_else_is_said() -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with talking(speak) as port:
        status, shown = await write(port)
    assert (status, "answers, but not in SMPP" in shown) == (1, True)


def test_what_smpp_does_not_allow_is_said() -> None:
    status, shown = write_now(1, password="much too long")
    assert (status, "SMPP does not allow this" in shown) == (1, True)


def test_the_client_is_imported_when_it_is_used() -> None:
    assert "aiosmpplib" not in _send.__globals__
