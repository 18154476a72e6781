"""submit_multi, data_sm, and the operations on messages: here, or passed on."""

import asyncio
from typing import Any

from protocol import tlv
from protocol.consts import Command, MessageState, Status, Tag
from protocol.pdus import (
    CancelSm,
    DataSm,
    DestAddressEntry,
    DistributionList,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SubmitMulti,
    SubmitMultiResp,
    decode,
    encode,
)
from protocol.session import Answered
from protocol.times import relative
from smppgw.simulate.smsc import Smsc
from tests.endtoend.conftest import Join, Relay, Simulate
from tests.endtoend.esme import Esme, id_of

FROM: dict[str, Any] = {"source_addr_ton": 1, "source_addr_npi": 1, "source_addr": b"12345"}
FORWARD = {"up": {"forward": ["query_sm", "cancel_sm", "replace_sm"]}}


async def multi(esme: Esme, *to: Any, **fields: Any) -> tuple[int, SubmitMultiResp | None]:
    pdu = SubmitMulti(dest_address=to, short_message=b"to many", registered_delivery=1)._replace(**FROM, **fields)
    answer = await esme.ask(Command.SUBMIT_MULTI, encode(Command.SUBMIT_MULTI, pdu))
    return answer.status, decode(Command.SUBMIT_MULTI_RESP, answer.body) if answer.body else None


async def query(esme: Esme, id: bytes, source: bytes = b"12345") -> tuple[int, int]:
    """The status, and the message_state."""
    answer = await esme.ask(Command.QUERY_SM, encode(Command.QUERY_SM, QuerySm(id, 1, 1, source)))
    if answer.status:
        return answer.status, -1
    resp: QuerySmResp = decode(Command.QUERY_SM_RESP, answer.body)
    assert resp.message_id == id
    return answer.status, resp.message_state


async def cancel(esme: Esme, id: bytes, source: bytes = b"12345", destination: bytes = b"") -> int:
    pdu = CancelSm(b"", id, 1, 1, source, 1, 1, destination)
    return (await esme.ask(Command.CANCEL_SM, encode(Command.CANCEL_SM, pdu))).status


async def replace(esme: Esme, id: bytes, text: bytes, **fields: Any) -> int:
    pdu = ReplaceSm(id, 1, 1, b"12345", registered_delivery=1, short_message=text)._replace(**fields)
    return (await esme.ask(Command.REPLACE_SM, encode(Command.REPLACE_SM, pdu))).status


async def behind(esme: Esme, smsc: Smsc, *to: str, **fields: Any) -> list[bytes]:
    """Ids of messages that stay with the gateway, behind one that the SMSC does not answer until it resumes."""
    smsc.hold()
    await esme.submitted("440000000000", registered_delivery=0)
    await smsc.wait_for(1)
    return [await esme.submitted(number, **fields) for number in to]


NARROW = {"up": {"window": 1}}


async def test_submit_multi_reaches_every_number_and_names_those_that_it_cannot(
    relay: Relay, smsc: Smsc, join: Join
) -> None:
    gateway = await relay(smsc)
    esme = await join(gateway)
    good = [DestAddressEntry(1, 1, b"44770090000%d" % n) for n in range(3)]
    bad = DestAddressEntry(2, 8, b"")
    status, resp = await multi(esme, *good, bad, DistributionList(b"friends"))
    assert status == 0
    assert resp is not None
    assert resp.unsuccess_sme == ((2, 8, b"", Status.RINVDSTADR), (0, 0, b"friends", Status.RINVDLNAME))
    receipts = await esme.wait_receipts(3)
    assert {receipt.id for receipt in receipts} == {resp.message_id}
    assert {pdu.source_addr for pdu in esme.deliveries} == {entry.destination_addr for entry in good}
    assert [tuple(pdu[4:7]) for pdu in smsc.received] == [tuple(entry) for entry in good]
    assert {pdu.short_message for pdu in smsc.received} == {b"to many"}


async def test_submit_multi_of_which_nothing_can_be_sent_is_refused(relay: Relay, smsc: Smsc, join: Join) -> None:
    esme = await join(await relay(smsc))
    assert await multi(esme, DestAddressEntry(1, 1, b""), DestAddressEntry(1, 1, b"x\1")) == (Status.RINVDSTADR, None)
    assert (await multi(esme, *(DestAddressEntry(1, 1, b"44770090%04d" % n) for n in range(254))))[0] == 0
    await esme.wait_receipts(254)
    assert smsc.submits == 254


async def test_data_sm_takes_the_path_of_submit_sm(relay: Relay, smsc: Smsc, join: Join) -> None:
    esme = await join(await relay(smsc))

    async def send(payload: bytes | None, number: bytes) -> Answered:
        tlvs = [] if payload is None else [(int(Tag.MESSAGE_PAYLOAD), payload)]
        data = DataSm(
            b"", 1, 1, b"12345", 1, 1, number, registered_delivery=1, tlvs=tlv.encode([*tlvs, (0x1400, b"v")])
        )
        return await esme.ask(Command.DATA_SM, encode(Command.DATA_SM, data))

    payloads = {b"447700900001": b"short", b"447700900002": b"l" * 500, b"447700900003": None, b"447700900004": b""}
    ids = {}
    for number, payload in payloads.items():
        answer = await send(payload, number)
        assert answer.command == Command.DATA_SM_RESP
        ids[id_of(answer)] = number
    await esme.wait_receipts(4)
    assert {pdu.source_addr: receipt.id for pdu, receipt in zip(esme.deliveries, esme.receipts, strict=True)} == {
        number: id for id, number in ids.items()
    }
    for pdu in smsc.received:
        values = tlv.parse(pdu.tlvs)
        assert (pdu.short_message or values.get(Tag.MESSAGE_PAYLOAD, b"")) == (payloads[pdu.destination_addr] or b"")
        assert values[0x1400] == b"v"


async def test_a_queued_message_can_be_queried_cancelled_and_replaced(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, connectors=NARROW)
    esme = await join(gateway)
    numbers = ["447700900001", "447700900002", "447700900003"]
    kept, gone, changed = await behind(esme, smsc, *numbers)
    assert await query(esme, kept) == (0, MessageState.ENROUTE)
    assert await query(esme, kept, b"54321") == (Status.RQUERYFAIL, -1)
    assert await cancel(esme, kept, b"54321") == Status.RCANCELFAIL
    assert await cancel(esme, gone) == 0
    assert await replace(esme, changed, b"other words") == 0
    smsc.resume()
    receipts = await esme.wait_receipts(3)
    assert {receipt.id: receipt.state for receipt in receipts} == {
        kept: MessageState.DELIVERED,
        gone: MessageState.DELETED,
        changed: MessageState.DELIVERED,
    }
    assert [pdu.short_message for pdu in smsc.received][1:] == [b"hello", b"other words"]
    assert await query(esme, gone) == (Status.RINVMSGID, -1)


async def test_what_was_cancelled_or_replaced_stays_so_after_a_crash(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, connectors=NARROW)
    esme = await join(gateway)
    gone, changed = await behind(esme, smsc, "447700900001", "447700900002")
    assert await cancel(esme, gone) == 0
    assert await replace(esme, changed, b"other words") == 0
    await gateway.kill()
    smsc.resume()
    await gateway.start("up")
    back = await join(gateway)
    # That it was deleted may have been told before the crash.
    await back.until(lambda: {receipt.id for receipt in esme.receipts + back.receipts} >= {gone, changed})
    texts = {pdu.destination_addr: pdu.short_message for pdu in smsc.received}
    assert texts == {b"440000000000": b"hello", b"447700900002": b"other words"}


async def test_cancel_without_an_id_takes_all_between_two_numbers(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, connectors=NARROW)
    esme = await join(gateway)
    ids = await behind(esme, smsc, "447700900001", "447700900002", "447700900001")
    assert await cancel(esme, b"", destination=b"447700900001") == 0
    assert await cancel(esme, b"", destination=b"447700900001") == Status.RCANCELFAIL
    smsc.resume()
    receipts = await esme.wait_receipts(3)
    deleted = {receipt.id for receipt in receipts if receipt.state == MessageState.DELETED}
    assert deleted == {ids[0], ids[2]}


async def test_nobody_touches_the_messages_of_another_account(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, connectors=NARROW, accounts={"other": {"password": "secret"}})
    esme, other = await join(gateway), await join(gateway, system_id="other")
    (id,) = await behind(esme, smsc, "447700900001")
    assert await query(other, id) == (Status.RINVMSGID, -1)
    assert await cancel(other, id) == Status.RINVMSGID
    assert await replace(other, id, b"x") == Status.RINVMSGID
    smsc.resume()
    await esme.wait_receipts(1)


async def test_a_replaced_message_is_sent_at_its_new_time(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    esme = await join(gateway)
    id = await esme.submitted("447700900001", schedule_delivery_time=relative(1))
    assert await replace(esme, id, b"later", schedule_delivery_time=relative(3600)) == 0
    soon = await esme.submitted("447700900002", schedule_delivery_time=relative(2))
    assert [receipt.id for receipt in await esme.wait_receipts(1)] == [soon]
    assert await query(esme, id) == (0, MessageState.ENROUTE)
    assert await cancel(esme, id) == 0


async def test_what_is_with_an_upstream_cannot_be_cancelled_unless_it_is_passed_on(
    relay: Relay, simulate: Simulate, join: Join
) -> None:
    smsc = await simulate(receipt_delay=60)
    esme = await join(await relay(smsc))
    id = await esme.submitted("447700900001")
    await smsc.wait_for(1)
    assert await query(esme, id) == (0, MessageState.ENROUTE)
    assert await cancel(esme, id) == Status.RCANCELFAIL
    assert await replace(esme, id, b"x") == Status.RREPLACEFAIL


async def test_operations_are_passed_on_where_the_connector_allows(
    relay: Relay, simulate: Simulate, join: Join
) -> None:
    smsc = await simulate(receipt_delay=60, id_form="hex")
    gateway = await relay(smsc, connectors=FORWARD)
    esme = await join(gateway)
    id = await esme.submitted("447700900001")
    await gateway.wait_metric("smppgw_awaiting_receipt", 1)
    assert await query(esme, id) == (0, MessageState.ENROUTE)
    assert await replace(esme, id, b"other words") == 0
    assert await cancel(esme, id) == 0
    receipts = await esme.wait_receipts(1)
    assert (receipts[0].id, receipts[0].state) == (id, MessageState.DELETED)
    assert await query(esme, id) == (Status.RINVMSGID, -1)
    assert await gateway.metric("smppgw_awaiting_receipt") == 0


async def test_an_operation_that_is_passed_on_and_not_answered_fails(
    relay: Relay, simulate: Simulate, join: Join
) -> None:
    smsc = await simulate(receipt_delay=60)
    gateway = await relay(smsc, connectors=FORWARD)
    esme = await join(gateway)
    id = await esme.submitted("447700900001")
    await gateway.wait_metric("smppgw_awaiting_receipt", 1)
    smsc.go_down()
    await gateway.expect("unbound", connector="up")
    assert await query(esme, id) == (0, MessageState.ENROUTE)
    assert await cancel(esme, id) == Status.RCANCELFAIL
    status = await asyncio.wait_for(replace(esme, id, b"x"), 5)
    assert status == Status.RREPLACEFAIL
