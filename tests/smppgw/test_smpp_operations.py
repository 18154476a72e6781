"""query_sm, cancel_sm and replace_sm work on what is with us, and are passed on where the connector allows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from protocol import pdus, times
from protocol.consts import Command, MessageState, Status
from protocol.pdus import (
    CancelSm,
    DestAddressEntry,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
)
from protocol.session import Answered
from protocol.wire import frame
from routing.message import DOUBTED
from smppgw.smpp import operations
from tests.smppgw.bench import Bench, BenchStore
from tests.smppgw.door import Door, Peer, opened
from tests.smppgw.jumping import advance, epoch, jumping, settle, until

SUBMIT = SubmitSm(source_addr=b"12345", destination_addr=b"44", registered_delivery=1, short_message=b"hello")
FINAL_DATE = b"260101000000000+"


@asynccontextmanager
async def submitted(**fields: Any) -> AsyncIterator[tuple[Door, Peer, bytes]]:
    """A bound peer and the id of a message of its that is queued."""
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        _, _, body = await peer.ask(Command.SUBMIT_SM, pdus.encode_submit(SUBMIT._replace(**fields)))
        yield door, peer, body.rstrip(b"\0")


async def ask(peer: Peer, command: Command, pdu: Any) -> tuple[int, bytes]:
    _, status, body = await peer.ask(command, pdus.encode(command, pdu))
    return status, body


def passes_on(door: Door, command: Command) -> None:
    """The carrier allows it, and has the message as "a"."""
    door.bench.carrier.forwarding = frozenset({command})
    door.bench.sent(b"a")


def answered(command: Command, status: int, body: bytes = b"") -> Answered:
    return Answered(command, status, body, None, 0.0)


@jumping
async def test_a_message_that_is_with_us_is_enroute() -> None:
    async with submitted() as (door, peer, id):
        wanted = (Status.ROK, pdus.encode(Command.QUERY_SM_RESP, QuerySmResp(id, b"", MessageState.ENROUTE, 0)))
        assert await ask(peer, Command.QUERY_SM, QuerySm(id, source_addr=b"12345")) == wanted
        door.bench.sent(b"a")
        assert await ask(peer, Command.QUERY_SM, QuerySm(id)) == wanted


@jumping
async def test_an_unknown_message_and_that_of_another_account_have_no_valid_id() -> None:
    async with submitted() as (door, _, id), Peer(door.port) as other:
        await other.bind(b"relay")
        for command, pdu in (
            (Command.QUERY_SM, QuerySm(id)),
            (Command.QUERY_SM, QuerySm(b"nonsense")),
            (Command.CANCEL_SM, CancelSm(message_id=id)),
            (Command.REPLACE_SM, ReplaceSm(id)),
        ):
            assert (await ask(other, command, pdu))[0] == Status.RINVMSGID


@jumping
async def test_the_source_must_be_that_of_the_message() -> None:
    async with submitted() as (_, peer, id):
        assert (await ask(peer, Command.QUERY_SM, QuerySm(id, source_addr=b"1")))[0] == Status.RQUERYFAIL
        cancel = CancelSm(message_id=id, source_addr=b"1")
        assert (await ask(peer, Command.CANCEL_SM, cancel))[0] == Status.RCANCELFAIL
        assert (await ask(peer, Command.REPLACE_SM, ReplaceSm(id, source_addr=b"1")))[0] == Status.RREPLACEFAIL


@jumping
async def test_a_cancelled_message_ends_and_the_answer_waits_for_the_commit() -> None:
    async with submitted() as (door, peer, id):
        door.bench.store.hold()
        body = pdus.encode(Command.CANCEL_SM, CancelSm(message_id=id, source_addr=b"12345"))
        sequence = peer.send(Command.CANCEL_SM, body)
        await until(lambda: not door.bench.pipeline.queued)
        await settle()
        assert peer.answer_to(sequence) is None
        door.bench.store.flow()
        await until(lambda: peer.answer_to(sequence) and peer.delivered())
        assert b"stat:DELETED" in peer.delivered()[0][1].short_message


@jumping
async def test_a_message_that_is_offered_cannot_be_cancelled_or_replaced() -> None:
    async with submitted() as (door, peer, id):
        door.bench.carrier.take()
        assert (await ask(peer, Command.CANCEL_SM, CancelSm(message_id=id)))[0] == Status.RCANCELFAIL
        assert (await ask(peer, Command.REPLACE_SM, ReplaceSm(id)))[0] == Status.RREPLACEFAIL


@jumping
async def test_without_an_id_all_messages_between_two_addresses_are_cancelled() -> None:
    async with submitted() as (door, peer, _):
        await peer.ask(Command.SUBMIT_SM, pdus.encode_submit(SUBMIT))
        await peer.ask(Command.SUBMIT_SM, pdus.encode_submit(SUBMIT._replace(destination_addr=b"45")))
        both = CancelSm(source_addr=b"12345", destination_addr=b"44")
        assert (await ask(peer, Command.CANCEL_SM, both))[0] == Status.ROK
        assert [message.destination for message in door.bench.pipeline.queued.values()] == [b"45"]
        assert (await ask(peer, Command.CANCEL_SM, both))[0] == Status.RCANCELFAIL


@jumping
async def test_to_cancel_among_many_messages_keeps_nobody_waiting_and_is_done_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operations, "AT_ONCE", 2)
    async with submitted() as (door, peer, id):
        for _ in range(20):
            await peer.ask(Command.SUBMIT_SM, pdus.encode_submit(SUBMIT))
        both = pdus.encode(Command.CANCEL_SM, CancelSm(source_addr=b"12345", destination_addr=b"44"))
        peer.write(
            frame(Command.CANCEL_SM, 0, 70, both)
            + frame(Command.CANCEL_SM, 0, 71, both)
            + frame(Command.QUERY_SM, 0, 72, pdus.encode(Command.QUERY_SM, QuerySm(id)))
        )
        await until(lambda: peer.answer_to(70))
        answers = [(sequence, status) for _, status, sequence, *_ in peer.came if sequence in (70, 71, 72)]
        assert answers == [(71, Status.RTHROTTLED), (72, Status.RINVMSGID), (70, Status.ROK)]
        assert not door.bench.pipeline.queued
        assert (await peer.ask(Command.CANCEL_SM, both))[1] == Status.RCANCELFAIL


@asynccontextmanager
async def submitted_to(*numbers: bytes) -> AsyncIterator[tuple[Door, Peer, bytes]]:
    """The same with a submit_multi."""
    entries = tuple(DestAddressEntry(1, 1, number) for number in numbers)
    multi = SubmitMulti(source_addr=b"12345", registered_delivery=1, dest_address=entries, short_message=b"hello")
    async with opened() as door, Peer(door.port) as peer:
        await peer.bind()
        _, _, body = await peer.ask(Command.SUBMIT_MULTI, pdus.encode(Command.SUBMIT_MULTI, multi))
        answer: SubmitMultiResp = pdus.decode(Command.SUBMIT_MULTI_RESP, body)
        yield door, peer, answer.message_id


@jumping
async def test_the_one_id_of_a_submit_multi_cancels_and_replaces_all_its_messages() -> None:
    async with submitted_to(b"1", b"2", b"3") as (door, peer, id):
        replacement = ReplaceSm(id, source_addr=b"12345", registered_delivery=1, short_message=b"changed")
        assert (await ask(peer, Command.REPLACE_SM, replacement))[0] == Status.ROK
        texts = [pdus.decode_submit(message.body).short_message for message in door.bench.pipeline.queued.values()]
        assert texts == [b"changed"] * 3
        assert (await ask(peer, Command.CANCEL_SM, CancelSm(message_id=id, source_addr=b"12345")))[0] == Status.ROK
        assert not door.bench.pipeline.queued
        await until(lambda: len(peer.delivered()) == 3)


@jumping
async def test_a_cancel_that_comes_too_late_for_one_of_several_cancels_the_others_and_fails() -> None:
    async with submitted_to(b"1", b"2", b"3") as (door, peer, id):
        door.bench.sent(b"a")
        assert (await ask(peer, Command.REPLACE_SM, ReplaceSm(id, short_message=b"changed")))[0] == Status.RREPLACEFAIL
        assert (await ask(peer, Command.QUERY_SM, QuerySm(id)))[0] == Status.ROK
        texts = [pdus.decode_submit(message.body).short_message for message in door.bench.pipeline.queued.values()]
        assert texts == [b"hello"] * 2
        assert (await ask(peer, Command.CANCEL_SM, CancelSm(message_id=id)))[0] == Status.RCANCELFAIL
        assert not door.bench.pipeline.queued
        assert len(door.bench.pipeline.ledger) == 1


@jumping
async def test_after_a_restart_too_the_one_id_is_that_of_all_its_messages() -> None:
    async with submitted_to(b"1", b"2", b"3") as (door, _, id):
        door.bench.sent(b"a")
        await settle()
        again = Bench(BenchStore(dict(door.bench.store.records)))
        assert len(again.pipeline.known.find(again.account, id)) == 3


@jumping
async def test_a_replaced_message_goes_out_with_its_new_text() -> None:
    async with submitted() as (door, peer, id):
        replacement = ReplaceSm(id, source_addr=b"12345", registered_delivery=0, short_message=b"changed")
        assert (await ask(peer, Command.REPLACE_SM, replacement))[0] == Status.ROK
        message = door.bench.carrier.take()
        pdu = pdus.decode_submit(message.body)
        assert (pdu.short_message, pdu.registered_delivery, pdu.destination_addr) == (b"changed", 0, b"44")
        assert message.registered_delivery == 0


@jumping
async def test_a_replacement_with_a_time_that_is_none_changes_nothing() -> None:
    async with submitted() as (door, peer, id):
        replacement = ReplaceSm(id, validity_period=b"1234567890123456", short_message=b"changed")
        assert (await ask(peer, Command.REPLACE_SM, replacement))[0] == Status.RINVEXPIRY
        assert pdus.decode_submit(door.bench.carrier.take().body).short_message == b"hello"


@jumping
async def test_a_replacement_of_which_one_time_is_none_leaves_the_other_time_too() -> None:
    async with submitted() as (door, peer, id):
        (message,) = door.bench.pipeline.queued.values()
        before = message.expires
        replacement = ReplaceSm(
            id, schedule_delivery_time=b"999999999999999+", validity_period=times.relative(60), short_message=b"changed"
        )
        assert (await ask(peer, Command.REPLACE_SM, replacement))[0] == Status.RINVSCHED
        assert (message.expires, message.not_before) == (before, 0.0)


@jumping
async def test_a_replacement_without_a_validity_period_leaves_that_of_the_message() -> None:
    async with submitted(validity_period=times.relative(600)) as (door, peer, id):
        (message,) = door.bench.pipeline.queued.values()
        before = message.expires
        await advance(60)
        assert (await ask(peer, Command.REPLACE_SM, ReplaceSm(id, short_message=b"changed")))[0] == Status.ROK
        pdu = pdus.decode_submit(message.body)
        assert (pdu.validity_period, pdu.short_message) == (times.relative(600), b"changed")
        assert message.expires == before


@jumping
async def test_a_message_that_is_put_off_for_longer_than_it_was_valid_goes_at_its_time() -> None:
    async with submitted() as (door, peer, id):
        (message,) = door.bench.pipeline.queued.values()
        start = epoch() + 30 * 86400
        replacement = ReplaceSm(id, schedule_delivery_time=times.absolute(start), short_message=b"changed")
        assert (await ask(peer, Command.REPLACE_SM, replacement))[0] == Status.ROK
        assert message.expires > message.not_before >= start - 1


@jumping
async def test_a_message_cannot_be_put_off_beyond_the_validity_period_that_its_esme_gave_it() -> None:
    async with submitted(validity_period=times.relative(600)) as (door, peer, id):
        (message,) = door.bench.pipeline.queued.values()
        times_before = message.not_before, message.expires
        for validity in (b"", times.relative(60)):
            replacement = ReplaceSm(
                id, schedule_delivery_time=times.absolute(epoch() + 3600), validity_period=validity,
                short_message=b"changed",
            )  # fmt: skip
            assert (await ask(peer, Command.REPLACE_SM, replacement))[0] == Status.RINVEXPIRY
        assert (message.not_before, message.expires) == times_before
        assert pdus.decode_submit(message.body).short_message == b"hello"


@jumping
async def test_what_is_sent_and_not_passed_on_cannot_be_cancelled_or_replaced() -> None:
    async with submitted() as (door, peer, id):
        door.bench.sent(b"a")
        assert (await ask(peer, Command.CANCEL_SM, CancelSm(message_id=id)))[0] == Status.RCANCELFAIL
        assert (await ask(peer, Command.REPLACE_SM, ReplaceSm(id)))[0] == Status.RREPLACEFAIL
        assert not door.bench.carrier.forwarded


@jumping
async def test_a_query_is_passed_on_under_the_upstreams_id_and_answered_under_ours() -> None:
    async with submitted() as (door, peer, id):
        passes_on(door, Command.QUERY_SM)
        sequence = peer.send(Command.QUERY_SM, pdus.encode(Command.QUERY_SM, QuerySm(id)))
        await until(lambda: door.bench.carrier.forwarded)
        ((command, body, answer),) = door.bench.carrier.forwarded
        assert (command, pdus.decode(command, body).message_id) == (Command.QUERY_SM, b"a")
        found = QuerySmResp(b"a", FINAL_DATE, MessageState.DELIVERED, 7)
        answer(answered(Command.QUERY_SM_RESP, Status.ROK, pdus.encode(Command.QUERY_SM_RESP, found)))
        await until(lambda: peer.answer_to(sequence))
        wanted = pdus.encode(Command.QUERY_SM_RESP, found._replace(message_id=id))
        assert peer.answer_to(sequence) == (Command.QUERY_SM_RESP, Status.ROK, wanted)


@jumping
async def test_a_cancel_that_the_upstream_accepts_ends_the_message() -> None:
    async with submitted() as (door, peer, id):
        passes_on(door, Command.CANCEL_SM)
        sequence = peer.send(Command.CANCEL_SM, pdus.encode(Command.CANCEL_SM, CancelSm(message_id=id)))
        await until(lambda: door.bench.carrier.forwarded)
        door.bench.carrier.forwarded[0][2](answered(Command.CANCEL_SM_RESP, Status.ROK))
        await until(lambda: peer.answer_to(sequence) and peer.delivered())
        assert b"stat:DELETED" in peer.delivered()[0][1].short_message
        assert not len(door.bench.pipeline.ledger)


@jumping
async def test_what_the_upstream_refuses_does_not_understand_or_never_answers_fails() -> None:
    async with submitted() as (door, peer, id):
        passes_on(door, Command.CANCEL_SM)
        for answer, wanted in (
            (answered(Command.CANCEL_SM_RESP, Status.RINVMSGID), Status.RINVMSGID),
            (answered(Command.GENERIC_NACK, Status.RINVCMDID), Status.RCANCELFAIL),
            (None, Status.RCANCELFAIL),
        ):
            sequence = peer.send(Command.CANCEL_SM, pdus.encode(Command.CANCEL_SM, CancelSm(message_id=id)))
            await until(lambda: door.bench.carrier.forwarded)
            door.bench.carrier.forwarded.pop()[2](answer)
            await until(lambda sequence=sequence: peer.answer_to(sequence))  # type: ignore[misc]
            found = peer.answer_to(sequence)
            assert found is not None
            assert found[1] == wanted
        assert len(door.bench.pipeline.ledger) == 1


@jumping
async def test_a_receipt_may_come_while_a_cancel_is_under_way() -> None:
    async with submitted() as (door, peer, id):
        passes_on(door, Command.CANCEL_SM)
        sequence = peer.send(Command.CANCEL_SM, pdus.encode(Command.CANCEL_SM, CancelSm(message_id=id)))
        await until(lambda: door.bench.carrier.forwarded)
        door.bench.receipt(b"a")
        await until(peer.delivered)
        door.bench.carrier.forwarded[0][2](answered(Command.CANCEL_SM_RESP, Status.ROK))
        await until(lambda: peer.answer_to(sequence))
        assert len(peer.delivered()) == 1


@jumping
async def test_a_request_that_cannot_be_read_gets_its_status() -> None:
    async with submitted() as (_, peer, _id):
        for command in (Command.QUERY_SM, Command.CANCEL_SM, Command.REPLACE_SM):
            _, status, _ = await peer.ask(command, b"x" * 70)
            assert status != Status.ROK
        assert (await peer.ask(Command.ENQUIRE_LINK))[1] == Status.ROK


@jumping
async def test_what_is_in_doubt_is_neither_cancelled_nor_replaced() -> None:
    async with submitted() as (door, peer, id):
        (message,) = door.bench.pipeline.queued.values()
        message.flags |= DOUBTED
        assert (await ask(peer, Command.CANCEL_SM, CancelSm(message_id=id)))[0] == Status.RCANCELFAIL
        everything = CancelSm(source_addr=b"12345", destination_addr=b"44")
        assert (await ask(peer, Command.CANCEL_SM, everything))[0] == Status.RCANCELFAIL
        assert (await ask(peer, Command.REPLACE_SM, ReplaceSm(id, short_message=b"other")))[0] == Status.RREPLACEFAIL
        assert (await ask(peer, Command.QUERY_SM, QuerySm(id)))[0] == Status.ROK
