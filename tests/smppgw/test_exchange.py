"""One request has one reply, and one that has none says how far it came."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from yarl import URL

from smppgw.exchange import MAX_REPLY, Broken, Connections, Unanswered, Unsent, destination
from tests.smppgw.replying import HANG, OK, Peer
from tests.smppgw.talking import talking

GET = b"GET / HTTP/1.1\r\nHost: peer\r\n\r\n"


class Asking:
    """Requests to one peer."""

    def __init__(self, peer: Peer, patience: float, limit: int) -> None:
        self.trusts: bool | OSError = True
        self.times = 0
        """That somebody asked whom to trust."""
        self.connections = Connections(limit=limit, connect=2.0, timeout=patience, idle=10.0, tls=self._tls)
        self._destination = destination(URL(peer.url))

    async def get(self) -> tuple[int, bytes]:
        head, body = await self.connections.ask(self._destination, GET)
        return head.code, body

    def _tls(self) -> bool:
        self.times += 1
        if isinstance(self.trusts, OSError):
            raise self.trusts
        return self.trusts


@asynccontextmanager
async def meeting(*answers: bytes, patience: float = 5.0, limit: int = 10) -> AsyncIterator[tuple[Peer, Asking]]:
    peer = Peer(*answers)
    async with talking(peer.serve) as port:
        peer.url = f"http://127.0.0.1:{port}"
        asking = Asking(peer, patience, limit)
        yield peer, asking
        await asking.connections.close()


async def test_a_request_leaves_as_it_is_and_its_connection_is_kept() -> None:
    async with meeting(OK, OK) as (peer, asking):
        for _ in range(2):
            assert await asking.get() == (200, b"ok")
        assert (peer.heard, peer.connections) == ([GET, GET], 1)


async def test_what_nobody_asked_for_is_not_taken_for_the_next_reply() -> None:
    async with meeting(OK + OK.replace(b"200", b"500"), OK) as (peer, asking):
        for _ in range(2):
            assert await asking.get() == (200, b"ok")
        assert peer.connections == 2


async def test_a_peer_that_closes_is_connected_to_again() -> None:
    async with meeting(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), OK) as (peer, asking):
        for _ in range(2):
            assert await asking.get() == (200, b"ok")
        assert peer.connections == 2


async def test_a_connection_that_cannot_be_had_in_time_sends_nothing() -> None:
    async with meeting(HANG, patience=0.3, limit=1) as (peer, asking):
        hung = asyncio.create_task(asking.get())
        await asyncio.sleep(0)
        with pytest.raises(Unsent, match="no connection in time"):
            await asking.get()
        with pytest.raises(Unanswered, match="no reply in time"):
            await hung
        assert len(peer.heard) == 1


async def test_until_it_is_known_whom_to_trust_nothing_is_sent() -> None:
    async with meeting(OK, OK) as (peer, asking):
        asking.trusts = FileNotFoundError(2, "it is not there")
        for _ in range(2):
            with pytest.raises(Unsent, match="no such file"):
                await asking.get()
        assert peer.connections == 0
        asking.trusts = True
        for _ in range(2):
            assert await asking.get() == (200, b"ok")
        assert asking.times == 3


@pytest.mark.parametrize(
    "answer", [HANG, OK[:-1], b"HTTP/1.1 200 OK\r\n\r\nthe end of which never comes"], ids=["none", "cut", "endless"]
)
async def test_a_reply_that_is_not_whole_in_time_is_none(answer: bytes) -> None:
    async with meeting(answer, OK, patience=1.0) as (peer, asking):
        with pytest.raises(Unanswered, match="no reply in time") as raised:
            await asking.get()
        assert not isinstance(raised.value, Broken)
        assert await asking.get() == (200, b"ok")
        assert peer.connections == 2


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize(
    ("answer", "silent"), [(HANG, True), (OK[:-1], False), (b"no http\r\n\r\n", False)], ids=["none", "cut", "garbage"]
)
async def test_a_connection_that_ends_without_a_word_is_told_from_a_bad_reply(
    answer: bytes, silent: bool, kept: bool
) -> None:
    async with meeting(*([OK] if kept else []), answer) as (peer, asking):
        if kept:
            await asking.get()
        peer.cuts = True
        with pytest.raises(Unanswered) as raised:
            await asking.get()
        assert isinstance(raised.value, Broken) is silent


async def test_a_reply_may_end_with_its_connection_come_in_chunks_or_be_compressed() -> None:
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"
    small = gzip.compress(b"ok")
    packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(small), small)
    continued = b"HTTP/1.1 100 Continue\r\n\r\n" + OK
    async with meeting(chunks, packed, continued, b"HTTP/1.1 200 OK\r\n\r\nok") as (peer, asking):
        for number in range(4):
            peer.cuts = number == 3
            assert await asking.get() == (200, b"ok")


LONG = b"x" * (MAX_REPLY + 1)
SMALL = gzip.compress(LONG)


@pytest.mark.parametrize(
    "answer",
    [
        b"Content-Length: %d\r\n\r\n%b" % (len(LONG), LONG),
        b"\r\n" + LONG,
        b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(SMALL), SMALL),
    ],
    ids=["stated", "unstated", "compressed"],
)
async def test_a_reply_that_is_too_long_is_none(answer: bytes) -> None:
    async with meeting(b"HTTP/1.1 200 OK\r\n" + answer) as (_, asking):
        with pytest.raises(Unanswered, match="more than"):
            await asking.get()


async def test_the_longest_reply_comes_whole() -> None:
    async with meeting(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (MAX_REPLY, LONG[1:])) as (_, asking):
        assert await asking.get() == (200, LONG[1:])


async def test_a_request_that_is_cancelled_gives_up_its_connection() -> None:
    async with meeting(HANG, OK) as (peer, asking):
        asked = asyncio.create_task(asking.get())
        while not peer.heard:  # noqa: ASYNC110  a peer has no event for it
            await asyncio.sleep(0.005)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert await asking.get() == (200, b"ok")
        assert peer.connections == 2


async def test_what_names_no_host_is_no_destination() -> None:
    with pytest.raises(ValueError, match="x"):
        destination(URL("/x"))
