"""A port answers as Kannel's HTTP server does."""

import asyncio
import re
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from smppgw.kannel.server import MAX_BODY, Certificate, Handler, Port, Reply, Request


async def echo(asked: Request) -> Reply:
    said = f"{asked.method} {asked.path} {asked.query} {asked.headers.get('X-A')} {asked.ip}"
    return Reply(202, said.encode() + b" %a" % asked.body)


@asynccontextmanager
async def served(handler: Handler = echo) -> AsyncIterator[int]:
    port = Port(handler)
    yield await port.open("127.0.0.1", 0)
    await port.close()


async def ask(port: int, *requests: bytes) -> bytes:
    """What comes back until the port closes the connection, or nothing more is to come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = b""
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        size = re.search(rb"Content-Length: (\d+)", head)
        assert size is not None
        found += re.sub(rb"Date: [^\r]* GMT", b"Date: NOW", head)
        if not request.startswith(b"HEAD"):
            found += await reader.readexactly(int(size[1]))
    if b"Connection: Close" in found:
        assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    return found


HEAD = (
    b"HTTP/1.1 202 Accepted\r\nServer: smppgw\r\nDate: NOW\r\nContent-Length: %d\r\nConnection: Keep-Alive\r\n"
    b"Content-type: text/html\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n\r\n"
)


async def test_a_reply_has_kannels_headers_in_kannels_order() -> None:
    async with served() as port:
        said = b"GET /a b=%20 None 127.0.0.1 None"
        assert await ask(port, b"GET /a?b=%20 HTTP/1.1\r\nHost: x\r\n\r\n") == HEAD % len(said) + said


async def test_a_connection_serves_one_request_after_the_other() -> None:
    async with served() as port:
        found = await ask(port, *[b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(3)])
    assert found.count(b"202 Accepted") == 3
    assert [word in found for word in (b"/0 ", b"/1 ", b"/2 ")] == [True] * 3


async def test_requests_that_come_at_once_are_answered_in_order() -> None:
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        found = await reader.read()
        writer.close()
    assert found.index(b"GET /1") < found.index(b"GET /2")
    assert found.count(b"Connection: Close") == 1


async def test_a_post_has_a_body_also_when_it_is_empty_or_comes_in_chunks() -> None:
    head = b"POST /p HTTP/1.1\r\nHost: x\r\nx-a: 1\r\n"
    async with served() as port:
        assert (await ask(port, head + b"Content-Length: 2\r\n\r\nhi")).endswith(b"POST /p  1 127.0.0.1 b'hi'")
        assert (await ask(port, head + b"Content-Length: 0\r\n\r\n")).endswith(b" b''")
        chunks = b"Transfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n"
        assert (await ask(port, head + chunks)).endswith(b" b'hi'")


async def test_a_body_has_a_limit() -> None:
    async with served() as port:
        request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1)
        assert (await ask(port, request + bytes(MAX_BODY + 1))).startswith(b"HTTP/1.1 413 ")


async def test_other_methods_are_bad_requests_and_the_connection_ends() -> None:
    async with served() as port:
        found = await ask(port, b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    assert found == (
        b"HTTP/1.1 400 Bad Request\r\nServer: smppgw\r\nDate: NOW\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n"
    )


async def test_who_closes_the_connection_hears_that_it_is_closed() -> None:
    async with served() as port:
        old = await ask(port, b"GET / HTTP/1.0\r\n\r\n")
        new = await ask(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert old.startswith(b"HTTP/1.0 202 Accepted\r\n")
    assert b"\r\nConnection: Close\r\n" in old
    assert b"\r\nConnection: Close\r\n" in new


async def test_a_head_is_a_get_without_its_body() -> None:
    async with served() as port:
        found = await ask(port, b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n")
    assert found == HEAD % len(b"HEAD /a  None 127.0.0.1 None")


async def test_a_long_url_is_read_and_its_octets_are_as_they_came() -> None:
    async with served() as port:
        found = await ask(port, b"GET /?text=" + b"%zz%E4+" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"%zz%E4+" * 5000 in found


async def test_a_bug_is_answered_with_500() -> None:
    async def broken(asked: Request) -> Reply:
        raise ZeroDivisionError

    async with served(broken) as port:
        assert (await ask(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 500 ")


async def test_a_port_that_cannot_be_had_says_why(tmp_path: Path) -> None:
    async with served() as port:
        with pytest.raises(OSError, match=rf"cannot listen on 127\.0\.0\.1:{port} for sendsms: address already in use"):
            await Port(echo).open("127.0.0.1", port, what="sendsms")
    with pytest.raises(OSError, match="no such file"):
        await Port(echo).open("127.0.0.1", 0, Certificate(str(tmp_path / "none"), str(tmp_path / "none")))


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """For localhost, its own authority."""
    found = Certificate(str(tmp_path / "certificate"), str(tmp_path / "key"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", str(found.tls_certificate),
         "-keyout", str(found.tls_key)],
        check=True, capture_output=True,
    )  # fmt: skip
    return found


async def test_a_port_speaks_tls_where_it_has_a_certificate(certificate: Certificate) -> None:
    port = Port(echo)
    number = await port.open("127.0.0.1", 0, certificate)
    context = ssl.create_default_context(cafile=certificate.tls_certificate)
    reader, writer = await asyncio.open_connection("127.0.0.1", number, ssl=context, server_hostname="localhost")
    writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await reader.readline()) == b"HTTP/1.1 202 Accepted\r\n"
    writer.close()
    await port.close()


async def test_a_port_closes_also_when_it_was_never_open() -> None:
    await Port(echo).close()


async def test_a_request_under_way_may_end_when_the_port_closes() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(asked: Request) -> Reply:
        begun.set()
        await go_on.wait()
        return Reply(202, b"done")

    port = Port(slow)
    number = await port.open("127.0.0.1", 0)
    asking = asyncio.create_task(ask(number, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
    await begun.wait()
    closing = asyncio.create_task(port.close(5))
    await asyncio.sleep(0)
    go_on.set()
    assert (await asking).endswith(b"done")
    await closing
