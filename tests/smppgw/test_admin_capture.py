"""A capture has what passes on the links that were asked for, while it lasts, and leaves nothing behind."""

import asyncio
from pathlib import Path

import pytest

from protocol.consts import Command
from smppgw.admin import capture
from smppgw.admin.capture import Capture, Captures, Wanted
from smppgw.admin.pcap import FILE_HEADER
from smppgw.admin.running import Refused
from tests.smppgw.jumping import advance, jumping, until
from tests.smppgw.operated import Operated, operated, submit


async def recorded(gateway: Operated, wanted: Wanted) -> "asyncio.Task[bytes]":
    """The whole file, once it ends."""
    captures = Captures(gateway.app)
    started = captures.begin("boss", wanted)

    async def file() -> bytes:
        return b"".join([piece async for piece in captures.stream(started)])

    task = asyncio.ensure_future(file())
    await asyncio.sleep(0)
    return task


@jumping
async def test_it_has_both_ways_of_links_old_and_new_and_of_no_others(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        old = await gateway.esme()
        task = await recorded(gateway, Wanted(account="esme", seconds=5.0, bodies=True))
        await gateway.submit(old, b"111")
        new = await gateway.esme()
        await gateway.submit(new, b"222")
        await advance(6)
        octets = await task
        assert octets.startswith(FILE_HEADER)
        assert octets.count(submit(b"111")) == octets.count(submit(b"222")) == 1
        assert b"esme\0redacted\0" in octets
        assert b"secret" not in octets
        for link in gateway.app.links:
            assert link.tap is None
        assert gateway.app.pipeline.accounts.owner("esme").tap is None
        await gateway.submit(old, b"333")
        for peer in (old, new):
            await peer.__aexit__(None, None, None)


@jumping
async def test_texts_are_taken_out_unless_asked_for(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        peer = await gateway.esme()
        task = await recorded(gateway, Wanted(account="esme", seconds=2.0))
        await gateway.submit(peer)
        await advance(3)
        octets = await task
        assert b"12345\0" in octets
        assert b"hello" not in octets
        await peer.__aexit__(None, None, None)


@jumping
async def test_binds_of_a_connector_are_in_it_from_their_first_octet(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        task = await recorded(gateway, Wanted(connector="c", seconds=5.0))
        gateway.smsc.drop()
        await advance(6)
        octets = await task
        assert b"c\0redacted\0" in octets
        assert b"upstream\0" in octets
        assert b"secret" not in octets


@jumping
async def test_a_pdu_that_was_under_way_when_it_began_is_whole(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        peer = await gateway.esme()
        (link,) = gateway.app.links
        pdu = (
            (16 + len(submit())).to_bytes(4, "big")
            + Command.SUBMIT_SM.to_bytes(4, "big")
            + bytes(4)
            + b"\0\0\0\x63"
            + submit()
        )
        peer.write(pdu[:30])
        await until(lambda: link.session.unread == pdu[:30])
        task = await recorded(gateway, Wanted(account="esme", seconds=2.0, bodies=True))
        peer.write(pdu[30:])
        await until(lambda: peer.answer_to(0x63))
        await advance(3)
        assert pdu in await task
        await peer.__aexit__(None, None, None)


@jumping
async def test_what_the_ring_cannot_hold_is_counted(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        peer = await gateway.esme()
        (link,) = gateway.app.links
        made = Capture(gateway.app, Wanted(account="esme"))
        made.begin()
        pdu = (1 << 15).to_bytes(4, "big") + bytes((1 << 15) - 4)
        for _ in range(capture.RING // len(pdu) + 3):
            made.passed(link, outward=True, octets=pdu)
        assert (made.pdus, made.dropped) == (capture.RING // len(pdu), 3)
        made.passed(link, outward=False, octets=b"GET / HTTP/1.1\r\n\r\n")
        made.passed(link, outward=False, octets=pdu)
        assert made.dropped == 3
        made.end()
        await peer.__aexit__(None, None, None)


@jumping
async def test_only_so_many_at_a_time_and_only_one_of_a_kind(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        captures = Captures(gateway.app)
        first = captures.begin("boss", Wanted(account="esme", seconds=1.0))
        with pytest.raises(Refused, match="It is being captured already"):
            captures.begin("boss", Wanted(account="esme"))
        for wanted in (
            Wanted(),
            Wanted(account="esme", connector="c"),
            Wanted(account="nobody"),
            Wanted(connector="none"),
        ):
            with pytest.raises(Refused):
                captures.begin("boss", wanted)
        free = (Wanted(account="other"), Wanted(connector="c"), Wanted(connector="b"))
        others = [captures.begin("boss", each) for each in free]
        assert len(others) == 3
        with pytest.raises(Refused, match="Too many captures"):
            captures.begin("boss", Wanted(account="esme"))
        async for _ in captures.stream(first):
            pass
        again = captures.begin("boss", Wanted(account="esme"))
        for each in (*others, again):
            each.end()


@jumping
async def test_who_may_read_gets_no_texts(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        for asked in ("bodies", "passwords"):
            query = {"account": "esme", asked: "true"}
            assert (await gateway.refused("GET", "/capture", "eye", params=query))[0] == 403
        assert (await gateway.refused("GET", "/capture", "shop", params={"account": "other"}))[0] == 403
        assert (await gateway.refused("GET", "/capture", "eye", params={"account": "nobody"}))[0] == 404
        assert (await gateway.refused("GET", "/capture", "eye", params={"account": "esme", "seconds": 0}))[0] == 422
        answer = await gateway.ask("GET", "/admin/capture", "eye", params={"account": "esme", "seconds": 0.5})
        assert (answer.status_code, answer.content) == (200, FILE_HEADER)
        assert answer.headers["content-type"] == "application/vnd.tcpdump.pcap"


@jumping
async def test_one_that_nobody_reads_ends_all_the_same(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        Captures(gateway.app).begin("boss", Wanted(account="esme", seconds=5.0))
        await advance(16)
        assert gateway.app.pipeline.accounts.owner("esme").tap is None
