"""Reasons are words that say what to mend."""

import asyncio
import socket
import ssl
from pathlib import Path

import aiohttp
import pytest

from smppgw.reasons import beneath, why
from tests.smppgw.talking import talking


async def refusal(host: str, port: int, tls: ssl.SSLContext | None = None) -> str:
    with pytest.raises(OSError) as raised:  # noqa: PT011  which one, is the question
        await asyncio.open_connection(host, port, ssl=tls)
    return why(raised.value)


async def test_a_port_where_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert await refusal("127.0.0.1", taken.getsockname()[1]) == "connection refused"


async def test_a_name_that_has_no_address() -> None:
    assert (await refusal("smsc.invalid", 2775)).startswith("no address has this name")


@pytest.mark.parametrize(
    "octets", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\x10\x80\0\0\0\0\0\0\x03\0\0\0\0", b""]
)
async def test_a_peer_that_speaks_no_tls(octets: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(octets)

    async with talking(answer) as port:
        said = await refusal("127.0.0.1", port, ssl.create_default_context())
    assert said in ("the peer does not speak TLS", "connection reset by peer") or (not octets and said)


def test_a_certificate_that_is_not_trusted() -> None:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] (_ssl.c:992)")
    error.verify_message = "self-signed certificate"
    assert why(error) == "certificate verify failed: self-signed certificate"


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as first, pytest.raises(OSError, match="in use") as raised:
        socket.create_server(first.getsockname())
    assert why(raised.value) == "address already in use"


def test_what_has_no_number_is_said_as_it_is() -> None:
    assert why(OSError("cannot listen here")) == "cannot listen here"
    assert why(ConnectionError()) == "ConnectionError"


async def test_an_error_of_aiohttp_has_one_of_the_system_in_it_or_none() -> None:
    taken = OSError(98, "taken")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError) as raised:
            await session.get("http://smsc.invalid/")
    inner = beneath(raised.value)
    assert inner is raised.value.os_error
    assert beneath(taken) is taken
    assert beneath(aiohttp.ServerDisconnectedError()) is None
