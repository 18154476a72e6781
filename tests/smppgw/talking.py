"""A peer on a port of its own that says what the test has it say, and leaves no connection open behind it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PATIENCE = 10.0
"""Seconds until a connection that does not end fails its test."""


@contextlib.asynccontextmanager
async def talking(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Its port. A connection is closed when its talk is over; talks that are not over at the end are broken off."""
    talks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            if server.is_serving():
                await talk(reader, writer)
        except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            writer.transport.abort()
        finally:
            writer.close()
            talks.discard(task)

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls)
    gone = asyncio.ensure_future(server.wait_closed())  # CPython 3.11 waits only when it was asked before the close
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await asyncio.sleep(0)  # it cannot tell of a connection that it has just accepted
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.wait_for(gone, PATIENCE)
