"""HTTP octet by octet: a client for one request, and the application that both gateways call."""

import asyncio
import re
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from tests.interop.kannel.row import NUMBER, Answer, Ask, Row
from tests.smppgw.talking import talking

PATIENCE = 15.0


class Heard(NamedTuple):
    """A request or an answer as it came."""

    start: str
    """Its first line."""
    headers: list[tuple[str, str]]
    body: bytes


async def read(reader: asyncio.StreamReader) -> Heard | None:
    """The next message; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    start, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    pairs = [line.partition(":") for line in lines]
    headers = [(name, value.strip()) for name, _, value in pairs]
    named = {name.lower(): value for name, value in headers}
    if "chunked" in named.get("transfer-encoding", ""):
        return Heard(start, headers, await _chunks(reader))
    if "content-length" in named:
        try:
            body = await reader.readexactly(int(named["content-length"]))
        except asyncio.IncompleteReadError as error:  # of HEAD, or cut
            body = error.partial
        return Heard(start, headers, body)
    return Heard(start, headers, await reader.read() if start.startswith("HTTP/") else b"")


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def ask(port: int, request: Ask, patience: float = PATIENCE) -> Heard | None:
    """Its answer, on a connection of its own; None when it was closed without one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    headers = {"Host": "127.0.0.1", "Connection": "close", **request.headers}
    if request.body or request.method == "POST":
        headers["Content-Length"] = str(len(request.body))
    lines = [f"{request.method} {request.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + request.body)
    try:
        async with asyncio.timeout(patience):
            return await read(reader)
    except (TimeoutError, ConnectionError):
        return None
    finally:
        writer.close()


class Catcher:
    """Hears dlr-url, get-url, post-url and post-xml, and answers as their row says."""

    def __init__(self, row_of: Callable[[bytes], Row | None], came: Callable[[Row, Heard], None]) -> None:
        self._row_of = row_of
        self._came = came
        self.lists: dict[str, bytes] = {}
        """Bodies by path, for white-list and its like."""
        self.homeless: list[Heard] = []
        """What belongs to no row."""
        self.port = 0
        self._talking = talking(self._serve)

    async def __aenter__(self) -> Self:
        self.port = await self._talking.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._talking.__aexit__(kind, error, trace)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while heard := await read(reader):
            path = heard.start.split(" ")[1]
            body = self.lists.get(path)
            answer = self._answer(heard) if body is None else Answer(200, {"Content-Type": "text/plain"}, body)
            headers = {**answer.headers, "Content-Length": str(len(answer.body))}
            lines = [f"HTTP/1.1 {answer.status} Said", *(f"{name}: {value}" for name, value in headers.items())]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + answer.body)

    def _answer(self, heard: Heard) -> Answer:
        whole = b"\n".join((heard.start.encode(), *(f"{name}: {value}".encode() for name, value in heard.headers)))
        found = NUMBER.search(whole) or NUMBER.search(heard.body)
        row = self._row_of(found[0]) if found else None
        if row is None:
            self.homeless.append(heard)
            return Answer()
        self._came(row, heard)
        return Answer() if re.match(r"\w+ /dlr", heard.start) and row.mo else row.answer
