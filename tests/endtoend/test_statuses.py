"""What the gateway refuses, with which status, and that whoever did nothing wrong goes on."""

import asyncio
import os
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from protocol import tlv
from protocol.consts import RESPONSE, Command, MessageState, Status, Tag
from protocol.pdus import (
    Bind,
    CancelSm,
    DestAddressEntry,
    DistributionList,
    QuerySm,
    ReplaceSm,
    SubmitMulti,
    encode,
    encode_submit,
)
from protocol.wire import frame
from smppgw.passwords import hash_password
from smppgw.simulate.smsc import Smsc
from tests.endtoend.conftest import Join, Relay, Serve, Simulate
from tests.endtoend.esme import Esme, message
from tests.kit import PATIENCE, relay_config

Connect = Callable[[int], Awaitable[Esme]]
QUICK = {"auth_delay": "10ms"}


def bind_body(**fields: Any) -> bytes:
    return encode(Command.BIND_TRANSCEIVER, Bind(b"esme", b"secret")._replace(**fields))


GOOD = encode_submit(message("447700900001", b"text"))
SUBMITS = {
    "short_message is cut": (GOOD[:-1], Status.RINVMSGLEN),
    "the body ends in a field": (GOOD[:12], Status.RINVCMDLEN),
    "no body": (b"", Status.RINVCMDLEN),
    "priority_flag 4": (encode_submit(message("447700900001", priority_flag=4)), Status.RINVPRTFLG),
    "source_addr too long": (GOOD.replace(b"12345", b"1" * 21), Status.RINVSRCADR),
    "destination empty": (encode_submit(message("")), Status.RINVDSTADR),
    "destination too long": (GOOD.replace(b"447700900001", b"4" * 21), Status.RINVDSTADR),
    "destination with a control character": (encode_submit(message("4477\x01")), Status.RINVDSTADR),
    "service_type too long": (b"X" * 17 + GOOD, Status.RINVSERTYP),
    "esm_class of a receipt": (encode_submit(message("447700900001", esm_class=4)), Status.RINVESMCLASS),
    "schedule is no time": (
        encode_submit(message("447700900001", schedule_delivery_time=b"tomorrow at noon")), Status.RINVSCHED,
    ),
    "validity is no time": (
        encode_submit(message("447700900001", validity_period=b"000000000000000Z")), Status.RINVEXPIRY,
    ),
    "validity is past": (
        encode_submit(message("447700900001", validity_period=b"200101000000000+")), Status.RINVEXPIRY,
    ),
    "optional parameters are cut": (GOOD + b"\x14\0\0", Status.RINVOPTPARSTREAM),
    "an optional parameter of a wrong length": (GOOD + tlv.encode([(Tag.SAR_MSG_REF_NUM, b"1")]), Status.RINVPARLEN),
}  # fmt: skip


async def test_a_malformed_submit_gets_its_status_and_ends_nothing(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    esme, other = await join(gateway), await join(gateway)
    found = {name: (await esme.raw(Command.SUBMIT_SM, body))[:2] for name, (body, _) in SUBMITS.items()}
    assert found == {name: (Command.SUBMIT_SM_RESP, status) for name, (_, status) in SUBMITS.items()}
    assert await esme.status("447700900001") == 0
    assert await other.status("447700900001") == 0
    await smsc.wait_for(2)
    assert smsc.submits == 2


async def test_other_requests_that_are_malformed_get_their_status(relay: Relay, smsc: Smsc, join: Join) -> None:
    esme = await join(await relay(smsc))
    multi = encode(Command.SUBMIT_MULTI, SubmitMulti(dest_address=(DestAddressEntry(1, 1, b"4477"),)))
    asked = {
        "data_sm that is cut": (Command.DATA_SM, b"\0\0\0", Status.RINVCMDLEN),
        "no destinations": (Command.SUBMIT_MULTI, encode(Command.SUBMIT_MULTI, SubmitMulti()), Status.RINVNUMDESTS),
        "dest_flag 3": (Command.SUBMIT_MULTI, multi.replace(b"\1\1\1\1", b"\1\3\1\1"), Status.RINVDESTFLAG),
        "query of nothing": (Command.QUERY_SM, encode(Command.QUERY_SM, QuerySm(b"f" * 16)), Status.RINVMSGID),
        "query of no number": (Command.QUERY_SM, encode(Command.QUERY_SM, QuerySm(b"xyz")), Status.RINVMSGID),
        "cancel of nothing": (Command.CANCEL_SM, encode(Command.CANCEL_SM, CancelSm(b"", b"f" * 16)), Status.RINVMSGID),
        "cancel of none": (
            Command.CANCEL_SM, encode(Command.CANCEL_SM, CancelSm(source_addr=b"1")), Status.RCANCELFAIL,
        ),
        "replace of nothing": (Command.REPLACE_SM, encode(Command.REPLACE_SM, ReplaceSm(b"f" * 16)), Status.RINVMSGID),
        "query that is cut": (Command.QUERY_SM, b"abc", Status.RINVCMDLEN),
        "deliver_sm from an ESME": (Command.DELIVER_SM, GOOD, Status.RINVBNDSTS),
        "a second bind": (Command.BIND_TRANSCEIVER, bind_body(), Status.RALYBND),
    }  # fmt: skip
    for name, (command, body, status) in asked.items():
        answer = await esme.raw(command, body)
        assert (name, answer[0], answer[1]) == (name, command | RESPONSE, status)
    unknown = await esme.raw(0x00000777)
    assert unknown[:2] == (Command.GENERIC_NACK, Status.RINVCMDID)
    lists = SubmitMulti(dest_address=(DistributionList(b"friends"),), short_message=b"hi")
    assert (await esme.raw(Command.SUBMIT_MULTI, encode(Command.SUBMIT_MULTI, lists)))[1] == Status.RINVDLNAME
    assert await esme.status("447700900001") == 0


async def test_a_bind_that_is_not_allowed_gets_its_status(
    relay: Relay, smsc: Smsc, join: Join, connect: Connect
) -> None:
    gateway = await relay(
        smsc,
        limits=QUICK | {"auth_failures": 100},
        accounts={
            "elsewhere": {"password": "secret", "networks": ["192.0.2.0/24"]},
            "sender": {"password": "secret", "bind_modes": ["transmitter"]},
            "one": {"password": "secret", "max_binds": 1},
            "hashed": {"password_hash": hash_password("secret")},
            "hash2": {"password_hash": hash_password("other")},
        },
    )
    await join(gateway, system_id="one")
    await join(gateway, system_id="hashed")
    await join(gateway, "transmitter", system_id="sender")

    async def refused(*, mode: str = "transceiver", **who: Any) -> int:
        return (await (await connect(gateway.port)).bind(mode, **who)).status

    assert await refused(system_id="nobody") == Status.RINVSYSID
    assert await refused(system_id="") == Status.RINVSYSID
    assert await refused(password="wrong") == Status.RINVPASWD
    assert await refused(password="") == Status.RINVPASWD
    assert await refused(system_id="hash2") == Status.RINVPASWD
    assert await refused(system_id="elsewhere") == Status.RBINDFAIL
    assert await refused(system_id="sender") == Status.RBINDFAIL
    assert await refused(system_id="sender", mode="receiver") == Status.RBINDFAIL
    assert await refused(system_id="one") == Status.RALYBND
    malformed = {
        b"x" * 16 + bind_body(): Status.RINVSYSID,
        b"esme\0" + b"p" * 130 + b"\0\0\x34\0\0\0": Status.RINVPASWD,
        bind_body()[:-3]: Status.RINVCMDLEN,
        b"": Status.RINVCMDLEN,
    }
    for body, status in malformed.items():
        assert (await (await connect(gateway.port)).raw(Command.BIND_TRANSCEIVER, body))[1] == status
    # A link whose bind was refused may try again.
    esme = await connect(gateway.port)
    assert (await esme.bind(password="wrong")).status == Status.RINVPASWD
    assert (await esme.bind()).status == 0


async def test_what_a_state_forbids_gets_rinvbndsts(relay: Relay, smsc: Smsc, join: Join, connect: Connect) -> None:
    gateway = await relay(smsc)
    unbound, receiver = await connect(gateway.port), await join(gateway, "receiver")
    for command in (Command.SUBMIT_SM, Command.DATA_SM, Command.QUERY_SM, Command.UNBIND):
        assert (await unbound.raw(command, GOOD))[:2] == (command | RESPONSE, Status.RINVBNDSTS)
    for command in (Command.SUBMIT_SM, Command.SUBMIT_MULTI, Command.CANCEL_SM):
        assert (await receiver.raw(command, GOOD))[:2] == (command | RESPONSE, Status.RINVBNDSTS)
    assert (await unbound.raw(Command.ENQUIRE_LINK))[:2] == (Command.ENQUIRE_LINK_RESP, 0)
    assert (await unbound.bind()).status == 0


async def test_a_submit_above_the_rate_is_throttled(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, accounts={"esme": {"rate": 20, "burst": 5}})
    one, two = await join(gateway), await join(gateway)
    began = time.monotonic()
    statuses = await asyncio.gather(*((one, two)[n % 2].status(f"4477009{n:05}") for n in range(60)))
    taken = statuses.count(Status.ROK)
    assert set(statuses) == {Status.ROK, Status.RTHROTTLED}
    assert 5 <= taken <= 7 + 20 * (time.monotonic() - began)
    await smsc.wait_for(taken)
    assert smsc.submits == taken


async def test_a_submit_above_the_window_or_queue_is_told_that_it_is_full(relay: Relay, smsc: Smsc, join: Join) -> None:
    accounts = {
        "esme": {"ack": "upstream", "window": 3},
        "queue": {"password": "secret", "max_queued": 4},
    }
    gateway = await relay(smsc, accounts=accounts)
    esme, queue = await join(gateway), await join(gateway, system_id="queue")
    smsc.hold()
    waiting = [asyncio.ensure_future(esme.submit(f"4477009{n:05}")) for n in range(3)]
    await smsc.wait_for(3)
    assert await esme.status("447700900009") == Status.RMSGQFUL
    for n in range(4):
        assert await queue.status(f"4477019{n:05}") == 0
    assert await queue.status("447701900009") == Status.RMSGQFUL
    smsc.resume()
    assert [(await each).status for each in waiting] == [0, 0, 0]
    await queue.wait_receipts(4)
    assert await queue.status("447701900009") == 0


async def test_a_submit_above_the_gateways_own_limits_is_told_that_it_is_full(
    relay: Relay, simulate: Simulate, join: Join
) -> None:
    smsc = await simulate(receipt_delay=60)
    gateway = await relay(smsc, gateway={"max_queued": 2, "max_waiting": 5})
    esme = await join(gateway)
    smsc.hold()
    for n in range(2):
        assert await esme.status(f"4477009{n:05}") == 0
    assert await esme.status("447700900002") == Status.RMSGQFUL
    smsc.resume()
    await gateway.wait_metric("smppgw_awaiting_receipt", 2)
    for n in range(3):
        assert await esme.status(f"4477009{n:05}") == 0
        await gateway.wait_metric("smppgw_awaiting_receipt", 3 + n)
    assert await esme.status("447700900006") == Status.RMSGQFUL


async def test_a_source_that_is_not_allowed_is_refused(relay: Relay, smsc: Smsc, join: Join) -> None:
    esme = await join(await relay(smsc, accounts={"esme": {"sources": ["12345", "81*", "re:^MyB"]}}))
    sources = {b"12345": 0, b"8190": 0, b"MyBank": 0, b"1234": 0x0A, b"": 0x0A, b"Bank": 0x0A}
    found = {source: await esme.status("447700900001", source_addr=source) for source in sources}
    assert found == sources


async def test_no_route_is_told_at_once_and_counted(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, routes=[{"name": "uk", "to": "up", "match": {"destination": ["44*"]}}])
    esme = await join(gateway)
    assert await esme.status("447700900001") == 0
    assert await esme.status("817700900001") == Status.RINVDSTADR
    assert await esme.status("837700900001") == Status.RINVDSTADR
    assert await gateway.metric("smppgw_no_route_total") == 2
    assert await gateway.metric('smppgw_account_answers_total{status="RINVDSTADR"}') == 2
    await esme.wait_receipts(1)
    assert smsc.submits == 1


async def test_wrong_passwords_are_answered_later_each_time_and_then_block(
    relay: Relay, smsc: Smsc, join: Join, connect: Connect
) -> None:
    limits = {"auth_delay": "100ms", "auth_failures": 3, "auth_block": "3s"}
    gateway = await relay(smsc, limits=limits)
    bound = await join(gateway)
    delays = []
    for _ in range(3):
        began = time.monotonic()
        esme = await connect(gateway.port)
        assert (await esme.bind(password="wrong")).status == Status.RINVPASWD
        delays.append(time.monotonic() - began)
    assert [delay >= 0.1 * (n + 1) - 0.01 for n, delay in enumerate(delays)] == [True] * 3
    await gateway.expect("address blocked", address="127.0.0.1")
    assert (await esme.bind()).status == Status.RBINDFAIL  # on a link from before
    blocked = await connect(gateway.port)
    await blocked.gone()
    assert await bound.status("447700900001") == 0  # who is bound goes on
    async with asyncio.timeout(PATIENCE):
        while True:
            late = await connect(gateway.port)
            try:
                assert (await late.bind()).status == 0
                break
            except ConnectionError:
                continue
    assert await gateway.metric('smppgw_links_refused_total{reason="address is blocked"}') >= 1


async def test_a_link_that_does_not_bind_is_closed(relay: Relay, smsc: Smsc, connect: Connect, join: Join) -> None:
    gateway = await relay(smsc, timers={"init": "1s"})
    silent, chatty, bound = await connect(gateway.port), await connect(gateway.port), await join(gateway)
    assert (await chatty.raw(Command.ENQUIRE_LINK))[1] == 0
    await silent.gone()
    await chatty.gone()
    assert await bound.status("447700900001") == 0


async def test_a_silent_esme_is_asked_and_closed_when_it_does_not_answer(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, timers={"enquire_link": "1s", "response": "1s"})
    dead, alive = await join(gateway), await join(gateway)
    dead.stop_reading()
    await gateway.expect("unbound", reason="enquire_link was not answered")
    await alive.until(lambda: any(command == Command.ENQUIRE_LINK for command, *_ in alive.frames))
    assert await alive.status("447700900001") == 0
    assert await gateway.metric("smppgw_account_binds") == 1
    dead.read_on()
    await dead.gone()


async def test_an_idle_esme_is_unbound(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, timers={"inactivity": "2s", "enquire_link": "500ms"})
    idle = await join(gateway)
    await idle.gone()
    assert Command.UNBIND in [command for command, *_ in idle.frames]
    assert not idle.reset


@pytest.mark.parametrize(("limit", "bind"), [("links_per_address", True), ("links", True), ("unbound_links", False)])
async def test_links_above_a_limit_are_closed_at_once(
    relay: Relay, smsc: Smsc, connect: Connect, limit: str, bind: bool
) -> None:
    gateway = await relay(smsc, limits={limit: 3})
    links = []
    for _ in range(3):
        links.append(await connect(gateway.port))
        if bind:
            assert (await links[-1].bind()).status == 0
        else:
            await links[-1].raw(Command.ENQUIRE_LINK)
    surplus = await connect(gateway.port)
    await surplus.gone()
    assert await gateway.metric(f'smppgw_links_refused_total{{reason="{limit}"}}') == 1
    if not bind:
        assert (await links[0].bind()).status == 0
    assert await links[0].status("447700900001") == 0
    links[1].cut()
    await links[1].gone()
    await gateway.wait_metric("smppgw_account_binds", 1)
    async with asyncio.timeout(PATIENCE):
        while True:
            late = await connect(gateway.port)
            try:
                assert (await late.bind()).status == 0
                break
            except ConnectionError:
                continue


async def test_an_esme_that_does_not_read_is_cut_and_loses_nothing(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, limits={"output_buffer": "16KiB"}, timers={"response": "2s", "enquire_link": "60s"})
    slow, other = await join(gateway, "transmitter"), await join(gateway, "transmitter")
    slow.stop_reading()
    asked = encode(Command.QUERY_SM, QuerySm(b"f" * 16))
    flood = b"".join(frame(Command.QUERY_SM, 0, n, asked) for n in range(1, 50_000))
    slow.write(flood * 8)
    await gateway.expect("unbound", reason="the peer does not read")
    assert await other.status("447700900001") == 0
    assert await gateway.metric("process_resident_memory_bytes") < 300e6
    slow.cut()


async def test_receipts_for_an_esme_that_does_not_read_are_not_lost(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, timers={"response": "1s", "enquire_link": "60s"})
    sender, stuck = await join(gateway, "transmitter"), await join(gateway, "receiver")
    stuck.stop_reading()
    ids = {await sender.submitted(f"4477009{n:05}") for n in range(50)}
    await smsc.wait_acknowledged(50)
    stuck.cut()
    good = await join(gateway, "receiver")
    await good.until(lambda: {receipt.id for receipt in good.receipts} >= ids)


BROKEN = {
    "command_length 0": struct.pack(">IIII", 0, Command.ENQUIRE_LINK, 0, 5),
    "command_length 15": struct.pack(">IIII", 15, Command.ENQUIRE_LINK, 0, 5),
    "command_length 4 GB": struct.pack(">IIII", 0xFFFFFFFF, Command.SUBMIT_SM, 0, 5),
    "above max_pdu": struct.pack(">IIII", 65537, Command.SUBMIT_SM, 0, 5) + b"x" * 1000,
}


async def test_a_frame_that_cannot_be_read_ends_its_link_alone(
    relay: Relay, smsc: Smsc, join: Join, connect: Connect
) -> None:
    gateway = await relay(smsc)
    bystander = await join(gateway)
    for octets in BROKEN.values():
        for esme in (await join(gateway), await connect(gateway.port)):
            good = await esme.raw(Command.ENQUIRE_LINK, sequence=4)
            assert good[1] == 0
            esme.write(octets)
            await esme.gone()
            assert esme.frames[-1][:3] == (Command.GENERIC_NACK, Status.RINVCMDLEN, 5)
    assert await bystander.status("447700900001") == 0
    assert not bystander.closed


async def test_junk_ends_no_more_than_its_own_link(relay: Relay, smsc: Smsc, join: Join, connect: Connect) -> None:
    gateway = await relay(smsc, timers={"init": "2s"})
    bystander = await join(gateway)
    junk = [
        os.urandom(5000),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00" * 20,
        b"\0" * 64,
        b"\0\0",
    ]
    for octets in junk:
        esme = await connect(gateway.port)
        esme.write(octets)
    valid = await connect(gateway.port)
    for command in (*Command, 0x80000777):
        valid.write(frame(command, 0xFFFFFFFF, 0xFFFFFFFF, os.urandom(40)))
    assert await bystander.status("447700900001") == 0
    (receipt,) = await bystander.wait_receipts(1)
    assert receipt.state == MessageState.DELIVERED
    assert "Traceback" not in gateway.log


async def test_a_pdu_in_pieces_of_one_octet_is_read(relay: Relay, smsc: Smsc, connect: Connect) -> None:
    gateway = await relay(smsc)
    esme = await connect(gateway.port)
    whole = frame(Command.BIND_TRANSCEIVER, 0, 1, bind_body()) + frame(Command.SUBMIT_SM, 0, 2, GOOD)
    for octet in whole:
        esme.write(bytes((octet,)))
        await asyncio.sleep(0)
    await smsc.wait_for(1)
    assert encode_submit(smsc.received[0]) == GOOD


async def test_a_hundred_links_at_once_are_served(serve: Serve, smsc: Smsc, join: Join) -> None:
    gateway = await serve(relay_config(smsc.port, accounts={"esme": {"max_binds": 200}}), "up")
    links = await asyncio.gather(*(join(gateway) for _ in range(100)))
    ids = await asyncio.gather(*(link.submitted(f"4477009{n:05}") for n, link in enumerate(links)))
    assert len(set(ids)) == 100
    await gateway.wait_metric("smppgw_account_delivered_total", 100)
    assert {receipt.id for link in links for receipt in link.receipts} == set(ids)
