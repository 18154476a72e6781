"""An ESME's link: who may bind, what its submits are answered, and what it is sent."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from protocol import pdus, tlv
from protocol.consts import Command, EsmClass, MessageState, Status, Tag
from protocol.pdus import (
    CancelSm,
    DataSm,
    DestAddressEntry,
    DistributionList,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    UnsuccessSme,
)
from protocol.timers import Timers
from protocol.wire import frame
from routing.message import Delivery
from smppgw.passwords import hash_password
from tests.smppgw.bench import Said
from tests.smppgw.door import Door, Peer, opened
from tests.smppgw.jumping import advance, jumping, settle, until

SUBMIT = SubmitSm(source_addr=b"12345", destination_addr=b"447700900001", registered_delivery=1, short_message=b"hello")
BODY = pdus.encode_submit(SUBMIT)


async def submit(peer: Peer, **fields: Any) -> tuple[int, bytes]:
    """Status and id of the answer."""
    _, status, body = await peer.ask(Command.SUBMIT_SM, pdus.encode_submit(SUBMIT._replace(**fields)))
    return status, body.rstrip(b"\0")


async def receipted(door: Door, id: bytes) -> Said:
    """The next message of the carrier is sent under this id and has its receipt."""
    await until(lambda: door.bench.carrier.queue)
    door.bench.sent(id)
    return door.bench.receipt(id)


# Binds


@jumping
async def test_the_right_password_binds_and_the_answer_names_us_and_our_version() -> None:
    for mode in ("transmitter", "receiver", "transceiver"):
        async with opened() as door, Peer(door.port) as peer:
            status, body = await peer.bind(mode=mode)
            assert (status, body) == (Status.ROK, b"smppgw\0" + tlv.encode([(Tag.SC_INTERFACE_VERSION, b"\x34")]))
            assert [link.mode for link in door.links] == [mode]
            assert door.gate.unbound == 0


@jumping
async def test_an_esme_of_version_33_gets_no_optional_parameters() -> None:
    async with opened() as door, Peer(door.port) as peer:
        status, body = await peer.bind(interface_version=0x33)
        assert (status, body) == (Status.ROK, b"smppgw\0")
        await submit(peer)
        await receipted(door, b"a")
        await until(peer.delivered)
        pdu = peer.delivered()[0][1]
        assert pdu.tlvs == b""
        assert pdu.short_message.startswith(b"id:")


@jumping
async def test_an_esme_of_version_33_gets_the_payload_as_far_as_it_fits() -> None:
    async with opened(receipts="tlv") as door, Peer(door.port) as peer:
        await peer.bind(interface_version=0x33)
        body = pdus.encode_submit(SubmitSm(tlvs=tlv.encode([(Tag.MESSAGE_PAYLOAD, b"x" * 300)])))
        await until(lambda: door.account.links)
        door.account.outbox.add(Delivery(1, "esme", body, 0.0))
        door.account.outbox.pump()
        await until(peer.delivered)
        assert peer.delivered()[0][1].short_message == b"x" * 254


@jumping
async def test_an_esme_of_version_50_is_served() -> None:
    async with opened() as door, Peer(door.port) as peer:
        assert (await peer.bind(interface_version=0x50))[0] == Status.ROK


@jumping
async def test_wrong_credentials_are_answered_late_and_later_each_time() -> None:
    async with opened(limits={"auth_delay": 1.0, "auth_failures": 3}) as door, Peer(door.port) as peer:
        clock = asyncio.get_running_loop().time
        for seconds, (system_id, wanted) in enumerate(((b"who", Status.RINVSYSID), (b"esme", Status.RINVPASWD)), 1):
            body = pdus.encode(Command.BIND_TRANSCEIVER, pdus.Bind(system_id, b"wrong"))
            began, sequence = clock(), peer.send(Command.BIND_TRANSCEIVER, body)
            while (answer := peer.answer_to(sequence)) is None:
                await advance(0.1)
            assert answer[1] == wanted
            assert seconds - 0.01 <= clock() - began <= seconds + 0.5
        assert (await peer.bind())[0] == Status.ROK, "the link stays open"


@jumping
async def test_a_blocked_address_cannot_bind_even_with_the_right_password() -> None:
    async with opened(limits={"auth_delay": 0.0, "auth_failures": 2}) as door, Peer(door.port) as peer:
        assert [(await peer.bind(password=b"wrong"))[0] for _ in range(2)] == [Status.RINVPASWD] * 2
        assert (await peer.bind())[0] == Status.RBINDFAIL
        async with Peer(door.port) as other:
            await until(lambda: other.closed)
        await advance(61)
        assert (await peer.bind())[0] == Status.ROK


@jumping
async def test_a_hashed_password_is_verified_beside_the_loop() -> None:
    limits = {"auth_delay": 0.0}
    hashed = hash_password("hidden")
    async with opened(password_hash=hashed, limits=limits) as door, Peer(door.port) as peer, Peer(door.port) as other:
        assert (await other.bind(b"relay"))[0] == Status.ROK
        body = pdus.encode(Command.BIND_TRANSCEIVER, pdus.Bind(b"esme", b"hidden"))
        sequence = peer.send(Command.BIND_TRANSCEIVER, body)
        assert (await other.ask(Command.ENQUIRE_LINK))[1] == Status.ROK
        await until(lambda: peer.answer_to(sequence))
        assert peer.answer_to(sequence) is not None
        assert door.account.links
        async with Peer(door.port) as third:
            assert (await third.bind(password=b"wrong"))[0] == Status.RINVPASWD


@jumping
async def test_a_link_that_goes_while_its_password_is_verified_is_no_bind() -> None:
    async with opened(password_hash=hash_password("hidden")) as door:
        async with Peer(door.port) as peer:
            body = pdus.encode(Command.BIND_TRANSCEIVER, pdus.Bind(b"esme", b"hidden"))
            peer.send(Command.BIND_TRANSCEIVER, body)
            await until(lambda: door.links)
        await until(lambda: not door.links)
        async with Peer(door.port) as peer:
            assert (await peer.bind(password=b"hidden"))[0] == Status.ROK
        await until(lambda: not door.links)
        assert not door.account.links


@jumping
@pytest.mark.parametrize(
    ("settings", "mode", "status"),
    [
        ({"networks": ["192.0.2.0/24"]}, "transceiver", Status.RBINDFAIL),
        ({"networks": ["127.0.0.0/8"]}, "transceiver", Status.ROK),
        ({"bind_modes": ["receiver"]}, "transmitter", Status.RBINDFAIL),
        ({"bind_modes": ["receiver"]}, "receiver", Status.ROK),
    ],
)
async def test_the_config_says_from_where_and_how_an_account_may_bind(
    settings: dict[str, Any], mode: str, status: int
) -> None:
    async with opened(**settings) as door, Peer(door.port) as peer:
        assert (await peer.bind(mode=mode))[0] == status


@jumping
async def test_an_account_has_so_many_binds_and_no_more() -> None:
    async with opened(max_binds=1) as door, Peer(door.port) as second:
        async with Peer(door.port) as first:
            assert (await first.bind())[0] == Status.ROK
            assert (await second.bind())[0] == Status.RALYBND
        await until(lambda: not door.account.links)
        assert (await second.bind())[0] == Status.ROK


@jumping
async def test_a_second_bind_on_a_link_is_refused_and_changes_nothing() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        assert (await peer.bind())[0] == Status.RALYBND
        assert (await submit(peer))[0] == Status.ROK


@jumping
async def test_a_bind_that_cannot_be_read_gets_its_status_and_may_be_tried_again() -> None:
    async with opened() as door, Peer(door.port) as peer:
        _, status, _ = await peer.ask(Command.BIND_TRANSCEIVER, b"x" * 20)
        assert status == Status.RINVSYSID
        assert (await peer.bind())[0] == Status.ROK


@jumping
async def test_a_link_that_does_not_bind_in_time_is_closed() -> None:
    async with opened(timers=Timers(10.0, 0, 0, 0)) as door, Peer(door.port) as peer:
        await until(lambda: door.links)
        await advance(11)
        for link in list(door.links):
            link.tick()
        await until(lambda: peer.closed)


# Submits


@jumping
async def test_a_submit_is_answered_with_our_id_after_its_commit() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        door.bench.store.hold()
        sequence = peer.send(Command.SUBMIT_SM, BODY)
        await until(lambda: door.bench.store.batches)
        await advance(5)
        assert peer.answer_to(sequence) is None
        door.bench.store.flow()
        await until(lambda: peer.answer_to(sequence))
        (message,) = door.bench.pipeline.queued.values()
        assert peer.answer_to(sequence) == (Command.SUBMIT_SM_RESP, Status.ROK, b"%016x\0" % message.id)
        assert message.body == BODY


@jumping
async def test_one_commit_serves_many_links() -> None:
    async with opened() as door, Peer(door.port) as first, Peer(door.port) as second:
        await first.bind()
        await second.bind()
        door.bench.store.hold()
        blocker = first.send(Command.SUBMIT_SM, BODY)
        await until(lambda: door.bench.store.batches)
        waiting = [(peer, peer.send(Command.SUBMIT_SM, BODY)) for peer in (first, second) for _ in range(5)]
        await until(lambda: door.account.queued == 11)
        door.bench.store.flow()
        await until(lambda: all(peer.answer_to(sequence) for peer, sequence in waiting))
        assert first.answer_to(blocker) is not None
        assert [len(batch) for batch in door.bench.store.batches] == [1, 10]


@jumping
async def test_a_refused_submit_ends_nothing() -> None:
    async with opened(sources=["12345"]) as door, Peer(door.port) as peer:
        await peer.bind()
        assert (await submit(peer, source_addr=b"BANK"))[0] == Status.RINVSRCADR
        assert (await submit(peer, destination_addr=b""))[0] == Status.RINVDSTADR
        assert (await submit(peer, esm_class=EsmClass.RECEIPT))[0] == Status.RINVESMCLASS
        assert (await peer.ask(Command.SUBMIT_SM, BODY[:-3]))[1] == Status.RINVMSGLEN
        assert (await submit(peer))[0] == Status.ROK
        assert door.account.statuses[Status.RINVSRCADR] == 1


@jumping
async def test_over_the_rate_is_throttled() -> None:
    async with opened(rate=1.0, burst=2.0) as door, Peer(door.port) as peer:
        await peer.bind()
        assert [(await submit(peer))[0] for _ in range(3)] == [Status.ROK, Status.ROK, Status.RTHROTTLED]
        await advance(1.1)
        assert (await submit(peer))[0] == Status.ROK


@jumping
async def test_more_than_the_window_without_an_answer_is_refused() -> None:
    async with opened(window=2) as door, Peer(door.port) as peer:
        await peer.bind()
        door.bench.store.hold()
        sequences = [peer.send(Command.SUBMIT_SM, BODY) for _ in range(3)]
        await until(lambda: peer.answer_to(sequences[2]))
        assert peer.answer_to(sequences[2]) == (Command.SUBMIT_SM_RESP, Status.RMSGQFUL, b"")
        door.bench.store.flow()
        await until(lambda: peer.answer_to(sequences[1]))
        assert (await submit(peer))[0] == Status.ROK


@jumping
async def test_a_full_disk_is_a_system_error_and_the_link_stays() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        door.bench.store.trouble = "disk full"
        assert (await submit(peer))[0] == Status.RSYSERR
        assert (await submit(peer))[0] == Status.RSYSERR
        door.bench.store.trouble = ""
        await advance(1.1)
        assert (await submit(peer))[0] == Status.ROK


@jumping
async def test_what_was_submitted_on_a_link_that_is_gone_is_kept() -> None:
    async with opened() as door:
        async with Peer(door.port) as peer:
            await peer.bind()
            door.bench.store.hold()
            peer.send(Command.SUBMIT_SM, BODY)
            await until(lambda: door.bench.store.batches)
        await until(lambda: not door.links)
        door.bench.store.flow()
        await settle()
        assert len(door.bench.carrier.queue) == 1


@jumping
async def test_a_transparent_relay_answers_with_the_upstreams_status() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind(b"relay")
        first, second = peer.send(Command.SUBMIT_SM, BODY), peer.send(Command.SUBMIT_SM, BODY)
        await until(lambda: len(door.bench.carrier.queue) == 2)
        door.bench.pipeline.refused(door.bench.carrier.take(), 0x433)
        door.bench.sent(b"a")
        await until(lambda: peer.answer_to(first) and peer.answer_to(second))
        assert [answer and answer[1] for answer in map(peer.answer_to, (first, second))] == [0x433, Status.ROK]


@jumping
async def test_a_transparent_relay_answers_a_submit_multi_before_any_of_its_receipts_can_come() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind(b"relay")
        _, status, _ = await peer.ask(Command.SUBMIT_MULTI, multi(to(b"1"), to(b"2")))
        assert status == Status.ROK
        assert len(door.bench.carrier.queue) == 2, "no upstream has them"


@jumping
async def test_a_data_sm_is_a_submit_too() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        data = DataSm(
            source_addr=b"12345",
            destination_addr=b"44",
            tlvs=tlv.encode([(Tag.MESSAGE_PAYLOAD, b"hello"), (0x1400, b"v")]),
        )
        command, status, body = await peer.ask(Command.DATA_SM, pdus.encode(Command.DATA_SM, data))
        assert (command, status, len(body)) == (Command.DATA_SM_RESP, Status.ROK, 17)
        pdu = pdus.decode_submit(door.bench.carrier.take().body)
        assert (pdu.short_message, pdu.tlvs) == (b"hello", tlv.encode([(0x1400, b"v")]))


@jumping
async def test_a_data_sm_without_a_payload_is_taken() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        data = pdus.encode(Command.DATA_SM, DataSm(source_addr=b"12345", destination_addr=b"44"))
        assert (await peer.ask(Command.DATA_SM, data))[1] == Status.ROK


# submit_multi


def multi(*destinations: DestAddressEntry | DistributionList) -> bytes:
    return pdus.encode(
        Command.SUBMIT_MULTI, SubmitMulti(source_addr=b"12345", dest_address=destinations, short_message=b"hello")
    )


def to(number: bytes) -> DestAddressEntry:
    return DestAddressEntry(1, 1, number)


@jumping
async def test_a_submit_multi_is_one_message_for_each_destination_under_one_id() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        command, status, body = await peer.ask(Command.SUBMIT_MULTI, multi(to(b"1"), to(b"2"), to(b"3")))
        assert (command, status) == (Command.SUBMIT_MULTI_RESP, Status.ROK)
        found: SubmitMultiResp = pdus.decode(command, body)
        messages = list(door.bench.carrier.queue)
        assert [message.destination for message in messages] == [b"1", b"2", b"3"]
        assert {b"%016x" % message.public for message in messages} == {found.message_id}
        assert found.unsuccess_sme == ()


@jumping
async def test_a_submit_multi_says_which_destinations_failed() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        _, status, body = await peer.ask(Command.SUBMIT_MULTI, multi(to(b"1"), to(b""), DistributionList(b"friends")))
        assert status == Status.ROK
        found: SubmitMultiResp = pdus.decode(Command.SUBMIT_MULTI_RESP, body)
        assert found.unsuccess_sme == (
            UnsuccessSme(1, 1, b"", Status.RINVDSTADR),
            UnsuccessSme(0, 0, b"friends", Status.RINVDLNAME),
        )


@jumping
async def test_a_submit_multi_of_which_nothing_is_taken_is_refused() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        assert (await peer.ask(Command.SUBMIT_MULTI, multi(to(b""))))[1:] == (Status.RINVDSTADR, b"")
        assert (await peer.ask(Command.SUBMIT_MULTI, multi()))[1] == Status.RINVNUMDESTS
        assert all(link.unanswered == 0 for link in door.links)


@jumping
async def test_one_destination_named_twice_and_taken_once_is_taken() -> None:
    async with opened(rate=1.0, burst=1.0) as door, Peer(door.port) as peer:
        await peer.bind()
        _, status, body = await peer.ask(Command.SUBMIT_MULTI, multi(to(b"1"), to(b"1")))
        assert status == Status.ROK
        found: SubmitMultiResp = pdus.decode(Command.SUBMIT_MULTI_RESP, body)
        assert found.unsuccess_sme == (UnsuccessSme(1, 1, b"1", Status.RTHROTTLED),)


@jumping
async def test_a_submit_multi_that_the_disk_refuses_is_refused() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        door.bench.store.trouble = "disk full"
        assert (await peer.ask(Command.SUBMIT_MULTI, multi(to(b"1"), to(b"2"))))[1] == Status.RSYSERR


# Deliveries


@jumping
async def test_a_receipt_comes_on_any_receiving_bind_of_the_account() -> None:
    async with opened() as door, Peer(door.port) as transmitter, Peer(door.port) as receiver:
        await transmitter.bind(mode="transmitter")
        await receiver.bind(mode="receiver")
        _, id = await submit(transmitter)
        await receipted(door, b"a")
        await until(receiver.delivered)
        values = tlv.parse(receiver.delivered()[0][1].tlvs)
        assert values == {Tag.RECEIPTED_MESSAGE_ID: id + b"\0", Tag.MESSAGE_STATE: bytes((MessageState.DELIVERED,))}
        assert not transmitter.delivered()


@jumping
async def test_a_receipt_waits_for_a_receiver_and_for_its_answer() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind(mode="transmitter")
        await submit(peer)
        await receipted(door, b"a")
        await settle()
        assert len(door.account.outbox) == 1
        async with Peer(door.port) as first:
            await first.bind(mode="receiver")
            await until(first.delivered)
        async with Peer(door.port) as second:
            await second.bind(mode="receiver")
            await until(second.delivered)
            assert second.delivered()[0][1] == first.delivered()[0][1]
            sequence = second.delivered()[0][0]
            second.send(Command.DELIVER_SM_RESP, b"\0", sequence=sequence)
            await until(lambda: not len(door.account.outbox))
        await advance(1)
        assert not door.bench.store.records


@jumping
async def test_a_nacked_delivery_is_not_taken_for_delivered() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        await submit(peer)
        await receipted(door, b"a")
        await until(peer.delivered)
        peer.send(Command.GENERIC_NACK, sequence=peer.delivered()[0][0])
        await until(lambda: door.bench.pipeline.returns.aside)


@jumping
async def test_a_delivery_that_is_not_answered_in_time_comes_again() -> None:
    async with opened(timers=Timers(0, 0, 0, 5.0), deliver_retry=[10.0]) as door, Peer(door.port) as peer:
        await peer.bind()
        await submit(peer)
        await receipted(door, b"a")
        await until(peer.delivered)
        await advance(6)
        for link in list(door.links):
            link.tick()
        await advance(11)
        await until(lambda: len(peer.delivered()) == 2)


# The end of a link


@jumping
async def test_we_unbind_only_after_what_was_submitted_is_answered() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        door.bench.store.hold()
        sequence = peer.send(Command.SUBMIT_SM, BODY)
        await until(lambda: door.bench.store.batches)
        (link,) = door.links
        link.unbind()
        door.bench.store.flow()
        await until(lambda: any(command == Command.UNBIND for command, *_ in peer.came))
        commands = [command for command, *_ in peer.came]
        assert commands[1:] == [Command.SUBMIT_SM_RESP, Command.UNBIND]
        assert peer.answer_to(sequence) is not None


@jumping
async def test_an_esme_that_unbinds_behind_its_cancel_sm_gets_both_answers() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        _, id = await submit(peer)
        cancel = frame(Command.CANCEL_SM, 0, 50, pdus.encode(Command.CANCEL_SM, CancelSm(message_id=id)))
        peer.write(cancel + frame(Command.UNBIND, 0, 51))
        await until(lambda: peer.closed)
        answers = [(command, status) for command, status, *_ in peer.came[-2:]]
        assert answers == [(Command.CANCEL_SM_RESP, Status.ROK), (Command.UNBIND_RESP, Status.ROK)]


@jumping
async def test_who_is_to_be_unbound_submits_nothing_more_and_so_goes() -> None:
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        door.bench.store.hold()
        peer.send(Command.SUBMIT_SM, BODY)
        await until(lambda: door.bench.store.batches)
        (link,) = door.links
        link.unbind()
        for command, body in ((Command.SUBMIT_SM, BODY), (Command.SUBMIT_MULTI, multi(to(b"44")))):
            assert (await peer.ask(command, body))[1] == Status.RMSGQFUL
        door.bench.store.flow()
        await until(lambda: any(command == Command.UNBIND for command, *_ in peer.came))
        assert len(door.bench.pipeline.queued) == 1


@jumping
async def test_a_broken_frame_ends_that_link_alone() -> None:
    async with opened() as door, Peer(door.port) as broken, Peer(door.port) as other:
        await broken.bind()
        await other.bind()
        broken.write(frame(Command.SUBMIT_SM, 0, 7, BODY) + b"\0\0\0\x0f" + b"\0" * 12)
        await until(lambda: broken.closed)
        commands = [(command, status) for command, status, *_ in broken.came]
        assert (Command.GENERIC_NACK, Status.RINVCMDLEN) in commands
        assert (await submit(other))[0] == Status.ROK
        assert door.account.links


@jumping
@pytest.mark.parametrize("octets", [b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", b"GET / HTTP/1.1\r\n\r\n"])
async def test_who_speaks_something_else_is_named(octets: bytes) -> None:
    with capture_logs() as events:
        async with opened() as door, Peer(door.port) as peer:
            peer.write(octets + bytes(16))
            await until(lambda: peer.closed)
    [event] = [event for event in events if event["event"] == "not SMPP"]
    assert event["peer"] == "127.0.0.1"


@jumping
async def test_who_says_nothing_is_not() -> None:
    with capture_logs() as events:
        async with opened() as door:
            async with Peer(door.port):
                await until(lambda: door.links)
            await until(lambda: not door.links)
    assert events == [] or {event["event"] for event in events} == {"listening"}
