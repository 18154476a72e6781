"""What brings other gateways down, or makes them lose a message, does not do so here."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from protocol import tlv
from protocol.consts import RESPONSE, Command, MessageState, Status, Tag
from protocol.pdus import BindResp, DataSm, SubmitSm, encode
from protocol.wire import Reader, frame
from smppgw.simulate.smsc import Smsc
from tests.endtoend.aggregator import Aggregator
from tests.endtoend.conftest import Join, Relay, Serve, Simulate, keep_deliveries
from tests.endtoend.esme import id_of, message
from tests.kit import Wire, merged, relay_config
from tests.smppgw.talking import talking

DATE = b"sub:001 dlvrd:001 submit date:2611231200 done date:2611231201"


def a_receipt(id: bytes, *, text: bytes = b"id:%b " + DATE + b" stat:DELIVRD err:000 text:", **fields: Any) -> SubmitSm:
    """As an SMSC writes it."""
    return message("12345", text % id, source_addr=b"447700900001", esm_class=4, registered_delivery=0, **fields)


async def test_a_data_sm_without_payload_passes_and_again_after_a_restart(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    esme = await join(gateway)
    smsc.go_down()
    await gateway.expect("unbound", connector="up")
    bare = encode(Command.DATA_SM, DataSm(b"", 1, 1, b"12345", 1, 1, b"447700900001", registered_delivery=1))
    id = id_of(await esme.ask(Command.DATA_SM, bare))
    for _ in range(2):
        await gateway.kill()
        await gateway.start()
        assert (await gateway.expect("restored"))["queued"] == 1
    await smsc.come_up()
    back = await join(gateway)
    assert [receipt.id for receipt in await back.wait_receipts(1)] == [id]
    assert smsc.received[0].short_message == b""
    assert "Traceback" not in gateway.log


async def test_a_data_sm_of_the_smsc_without_payload_passes(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    esme = await join(gateway)
    await smsc.wait_bound()
    (link,) = smsc.links
    bare = encode(Command.DATA_SM, DataSm(b"", 1, 1, b"447700900001", 1, 1, b"12345"))
    link.session.request(Command.DATA_SM, bare, None, 0.0)
    link.flush()
    (pdu,) = await esme.wait_mo(1)
    assert (pdu.source_addr, pdu.short_message) == (b"447700900001", b"")


async def test_a_message_that_is_never_answered_holds_up_nobody(relay: Relay, simulate: Simulate, join: Join) -> None:
    smsc = await simulate(silent=0.1, seed=2)
    gateway = await relay(smsc, connectors={"up": {"response": "3s", "retry": ["100ms"]}})
    esme = await join(gateway)
    ids = set(await asyncio.gather(*(esme.submitted(f"4477009{n:05}") for n in range(60))))
    await smsc.wait_for(60)
    silent = smsc.desk.counts["silent"]
    assert 0 < silent < 30
    await esme.wait_receipts(60 - silent, patience=2.5)
    await esme.until(lambda: {receipt.id for receipt in esme.receipts} == ids)
    assert await gateway.metric("smppgw_connector_lapsed_total") >= silent
    assert await gateway.metric("smppgw_in_doubt_total") >= silent


async def test_receipts_that_were_not_acknowledged_come_again(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    esme = await join(gateway)
    esme.answers = lambda pdu: None
    ids = [await esme.submitted(f"4477009{n:05}") for n in range(10)]
    await esme.wait_receipts(10)
    esme.cut()
    again = await join(gateway, "receiver")
    assert [receipt.id for receipt in await again.wait_receipts(10)] == ids
    await gateway.wait_metric("smppgw_account_delivered_total", 10)
    third = await join(gateway, "receiver")
    last = await (await join(gateway, "transmitter")).submitted("447700900099")
    await gateway.wait_metric("smppgw_account_delivered_total", 11)
    assert [receipt.id for receipt in again.receipts[10:] + third.receipts] == [last]


async def test_a_receipt_that_was_not_answered_in_time_comes_again(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, timers={"response": "1s"})
    esme = await join(gateway)
    esme.answers = lambda pdu: None if len(esme.deliveries) == 1 else Status.ROK
    id = await esme.submitted("447700900001")
    assert [receipt.id for receipt in await esme.wait_receipts(2)] == [id, id]
    await gateway.wait_metric("smppgw_account_delivered_total", 1)


async def test_a_receipt_may_come_before_its_response(relay: Relay, simulate: Simulate, join: Join) -> None:
    smsc = await simulate(early_receipts=1.0)
    gateway = await relay(smsc)
    esme = await join(gateway)
    ids = {await esme.submitted(f"4477009{n:05}") for n in range(50)}
    assert {receipt.id for receipt in await esme.wait_receipts(50)} == ids
    assert await gateway.metric("smppgw_unknown_receipts_total") == 0


FORMS = [
    ("decimal", "decimal", {}),
    ("hex", "hex", {}),
    ("string", "string", {}),
    ("hex", "decimal", {}),
    ("decimal", "hex", {}),
    ("hex", "decimal", {"id_form": "hex", "receipt_id_form": "decimal"}),
    ("decimal", "hex", {"id_form": "decimal", "receipt_id_form": "hex"}),
    ("string", "string", {"id_form": "string", "receipt_id_form": "string"}),
]


@pytest.mark.parametrize(("form", "receipt_form", "connector"), FORMS)
async def test_ids_are_matched_whatever_their_form(
    relay: Relay, simulate: Simulate, join: Join, form: Any, receipt_form: Any, connector: dict[str, str]
) -> None:
    smsc = await simulate(id_form=form, receipt_id_form=receipt_form, receipt_tlvs=False, receipt_delay=0.05)
    gateway = await relay(smsc, connectors={"up": connector})
    esme = await join(gateway)
    ids = {f"4477009{n:05}".encode(): await esme.submitted(f"4477009{n:05}") for n in range(100)}
    receipts = await esme.wait_receipts(100)
    told = {pdu.source_addr: receipt.id for pdu, receipt in zip(esme.deliveries, receipts, strict=True)}
    assert told == ids


async def test_receipts_of_messages_sent_before_a_restart_are_matched_in_another_form(
    relay: Relay, simulate: Simulate, join: Join
) -> None:
    smsc = await simulate(id_form="hex", receipt_id_form="decimal")
    keep_deliveries(smsc)
    gateway = await relay(smsc)
    esme = await join(gateway)
    ids = {await esme.submitted(f"4477009{n:05}") for n in range(20)}
    await gateway.wait_metric("smppgw_awaiting_receipt", 20)
    await gateway.kill()
    await gateway.start("up")
    back = await join(gateway)
    smsc.resume()
    assert {receipt.id for receipt in await back.wait_receipts(20)} == ids


DIALECTS = [
    b"id:%b " + DATE + b" stat:DELIVRD err:000 text:hello",
    b"id:000%b stat:DELIVRD",
    b"ID:%b SUB:1 DLVRD:1 SUBMIT DATE:20261123120000 DONE DATE:261123120001 STAT:DELIVRD ERR:0",
    b"id:%b stat:delivrd err:000 done date:2611231201 submit date:2611231200",
    b"stat:DELIVRD id:%b mccmnc:23410 price:0.01 err:0",
]


async def test_every_dialect_of_receipts_becomes_the_canonical_one(
    relay: Relay, simulate: Simulate, join: Join
) -> None:
    smsc = await simulate(receipts=False, first_id=4999)
    gateway = await relay(smsc)
    esme = await join(gateway)
    ids = [await esme.submitted("447700900001") for _ in DIALECTS]
    await gateway.wait_metric("smppgw_awaiting_receipt", len(ids))
    for n, text in enumerate(DIALECTS):
        smsc.deliver(a_receipt(b"%d" % (5000 + n), text=text))
    receipts = await esme.wait_receipts(len(ids))
    assert [(receipt.id, receipt.state, receipt.err) for receipt in receipts] == [
        (id, MessageState.DELIVERED, b"000") for id in ids
    ]
    for id, pdu in zip(ids, esme.deliveries, strict=True):
        assert pdu.short_message.startswith(b"id:%b sub:001 dlvrd:001 submit date:" % id)


async def test_a_receipt_of_tlvs_alone_is_understood(relay: Relay, simulate: Simulate, join: Join) -> None:
    smsc = await simulate(receipts=False, first_id=4999)
    gateway = await relay(smsc)
    esme = await join(gateway)
    id = await esme.submitted("447700900001")
    await gateway.wait_metric("smppgw_awaiting_receipt", 1)
    tlvs = tlv.encode([(Tag.RECEIPTED_MESSAGE_ID, b"5000\0"), (Tag.MESSAGE_STATE, b"\5")])
    smsc.deliver(message("12345", b"", source_addr=b"447700900001", esm_class=4, registered_delivery=0, tlvs=tlvs))
    (receipt,) = await esme.wait_receipts(1)
    assert (receipt.id, receipt.state) == (id, MessageState.UNDELIVERABLE)


@pytest.mark.parametrize("form", ["text", "tlv"])
async def test_an_account_gets_receipts_in_the_form_that_it_wants(
    relay: Relay, smsc: Smsc, join: Join, form: str
) -> None:
    esme = await join(await relay(smsc, accounts={"esme": {"receipts": form}}))
    id = await esme.submitted("447700900001")
    (receipt,) = await esme.wait_receipts(1)
    assert (receipt.id, receipt.state) == (id, MessageState.DELIVERED)
    (pdu,) = esme.deliveries
    assert bool(pdu.short_message) is (form == "text")
    assert bool(pdu.tlvs) is (form == "tlv")


async def test_a_receipt_of_nobodys_message_is_taken_and_counted(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, gateway={"early_receipt_wait": "200ms"})
    esme = await join(gateway)
    smsc.deliver(a_receipt(b"987654321"))
    smsc.deliver(a_receipt(b"what-is-this"))
    smsc.deliver(a_receipt(b"", text=b"no id in here%b"))
    await smsc.until(lambda: smsc.delivery_statuses[0] == 3)
    assert await gateway.metric("smppgw_unknown_receipts_total") == 2
    assert await gateway.metric("smppgw_connector_unreadable_receipts_total") == 1
    id = await esme.submitted("447700900001")
    assert [receipt.id for receipt in await esme.wait_receipts(1)] == [id]
    assert not esme.mo


async def test_a_receipt_that_comes_twice_is_told_once(relay: Relay, simulate: Simulate, join: Join) -> None:
    smsc = await simulate(duplicate_receipts=1.0)
    gateway = await relay(smsc, gateway={"early_receipt_wait": "200ms"})
    esme = await join(gateway)
    ids = [await esme.submitted(f"4477009{n:05}") for n in range(20)]
    await smsc.wait_acknowledged(40)
    last = await esme.submitted("447700900099")
    await esme.until(lambda: any(receipt.id == last for receipt in esme.receipts))
    assert [receipt.id for receipt in esme.receipts] == [*ids, last]


async def test_a_receipt_that_never_comes_ends_the_message_as_unknown(
    relay: Relay, simulate: Simulate, join: Join
) -> None:
    gateway = await relay(await simulate(lost_receipts=1.0), gateway={"receipt_wait": "1s"})
    esme = await join(gateway)
    id = await esme.submitted("447700900001")
    (receipt,) = await esme.wait_receipts(1)
    assert (receipt.id, receipt.state) == (id, MessageState.UNKNOWN)
    assert await gateway.metric("smppgw_awaiting_receipt") == 0


async def test_a_throttling_smsc_gets_a_pause_and_the_messages_in_order(
    relay: Relay, simulate: Simulate, join: Join
) -> None:
    smsc = await simulate(throttle_above=100)
    gateway = await relay(smsc, connectors={"up": {"pause": "100ms", "window": 1}})
    esme = await join(gateway)
    numbers = [f"4477009{n:05}" for n in range(60)]
    ids = [await esme.submitted(number) for number in numbers]
    assert [receipt.id for receipt in await esme.wait_receipts(60)] == ids
    assert [pdu.destination_addr.decode() for pdu in smsc.received] == numbers
    # A refusal costs a pause: not more than one for each burst that it lets pass.
    assert 1 <= smsc.refused[Status.RTHROTTLED] <= 20


@pytest.mark.parametrize("status", [Status.RTHROTTLED, Status.RMSGQFUL, Status.RSYSERR])
async def test_a_message_refused_for_now_is_sent_later(
    relay: Relay, simulate: Simulate, join: Join, status: int
) -> None:
    smsc = await simulate(errors={status: 0.3}, seed=2)
    gateway = await relay(smsc, connectors={"up": {"pause": "20ms", "retry": ["50ms"]}})
    esme = await join(gateway)
    ids = {await esme.submitted(f"4477009{n:05}") for n in range(60)}
    assert {receipt.id for receipt in await esme.wait_receipts(60)} == ids
    assert {receipt.state for receipt in esme.receipts} == {MessageState.DELIVERED}
    assert smsc.refused[status] > 5
    assert smsc.submits == 60


async def test_the_connectors_own_table_says_what_a_status_means(relay: Relay, simulate: Simulate, join: Join) -> None:
    smsc = await simulate(errors={0x0402: 1.0})
    gateway = await relay(smsc, connectors={"up": {"errors": {"sent": ["0x402"]}}})
    esme = await join(gateway)
    await esme.submitted("447700900001")
    await gateway.wait_metric('smppgw_connector_outcomes_total{outcome="sent"}', 1)
    await gateway.wait_metric("smppgw_awaiting_receipt", 1)
    assert not esme.receipts


async def test_nothing_is_lost_by_an_smsc_whose_links_drop_all_the_time(serve: Serve, simulate: Simulate) -> None:
    smsc = await simulate(flap=0.25, receipt_delay=0.05)
    gateway = await serve(relay_config(smsc.port, gateway={"early_receipt_wait": "100ms"}, log={"level": "info"}), "up")
    esme = Aggregator(ahead=200)
    await esme.attach(gateway, "transceiver")
    await esme.until_promised(4000)
    esme.stop()
    await esme.until(lambda: not esme.owed)
    esme.detach()
    assert not esme.mismatched
    assert set(esme.promised.values()) <= smsc.destinations
    assert smsc.desk.counts["dropped"] > 2


async def test_a_silent_smsc_is_noticed_and_bound_again(serve: Serve, smsc: Smsc, join: Join) -> None:
    with Wire(smsc.port) as wire:
        over = {"up": {"enquire_link": "1s", "response": "1s"}}
        gateway = await serve(relay_config(wire.port, connectors=over), "up")
        wire.stall()
        await gateway.expect("unbound", connector="up", reason="enquire_link was not answered")
        wire.flow()
        await gateway.expect("bound", 2, connector="up")
        esme = await join(gateway)
        await esme.submitted("447700900001")
        await esme.wait_receipts(1)


async def test_an_answer_cut_in_the_middle_is_no_answer(serve: Serve, smsc: Smsc, join: Join) -> None:
    with Wire(smsc.port) as wire:
        gateway = await serve(relay_config(wire.port, gateway={"early_receipt_wait": "100ms"}), "up")
        esme = await join(gateway)
        for n, octets in enumerate((1, 10, 20)):
            wire.cut_after("down", octets)
            id = await esme.submitted(f"4477009{n:05}")
            await esme.until(lambda id=id: any(receipt.id == id for receipt in esme.receipts))  # type: ignore[misc]
        assert smsc.desk.again == 3
        assert len(esme.receipts) == 3


Answer = Callable[[int, int, bytes, asyncio.StreamWriter], None]


def bad_smsc(misbehave: Answer) -> AbstractAsyncContextManager[int]:
    """An SMSC that takes any bind and answers everything else as it is told; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pdus = Reader(1 << 20)
        while data := await reader.read(65536):
            for command, _, sequence, body in pdus.feed(data):
                if command == Command.BIND_TRANSCEIVER:
                    resp = encode(Command.BIND_TRANSCEIVER_RESP, BindResp(b"bad"))
                    writer.write(frame(command | RESPONSE, 0, sequence, resp))
                elif not command & RESPONSE:
                    misbehave(command, sequence, body, writer)

    return talking(serve)


def junk(command: int, sequence: int, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\xff" * 100)


def zero(command: int, sequence: int, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\0" * 16)


def empty(command: int, sequence: int, body: bytes, writer: asyncio.StreamWriter) -> None:
    """An answer without a body: no id, hence no receipt, and no trouble."""
    writer.write(frame(command | RESPONSE, 0, sequence))


def nack(command: int, sequence: int, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(frame(Command.GENERIC_NACK, Status.RINVCMDID, sequence))


def cut_body(command: int, sequence: int, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(frame(command | RESPONSE, 0, sequence, b"no end of this id"))


def stray(command: int, sequence: int, body: bytes, writer: asyncio.StreamWriter) -> None:
    for command_id in (command | RESPONSE, Command.UNBIND_RESP, 0x80000777, 0x00000777):
        writer.write(frame(command_id, 0, sequence + 1000, b"\0"))
    writer.write(frame(command | RESPONSE, 0, sequence, b"1\0"))


@pytest.mark.parametrize("misbehave", [junk, zero, empty, nack, cut_body, stray])
async def test_an_smsc_that_talks_nonsense_disturbs_no_other(
    serve: Serve, smsc: Smsc, join: Join, misbehave: Answer
) -> None:
    async with bad_smsc(misbehave) as port:
        config = relay_config(smsc.port)
        config["connectors"]["bad"] = merged(config["connectors"]["up"], {"port": port})
        config["routes"] = [
            {"name": "bad", "to": "bad", "match": {"destination": ["666*"]}},
            {"name": "all", "to": "up"},
        ]
        gateway = await serve(config, "up", "bad")
        esme = await join(gateway)
        for n in range(5):
            await esme.submitted(f"666{n:05}", registered_delivery=0)
        await gateway.wait_metric('smppgw_connector_submits_total{connector="bad"}', 5)
        ids = [await esme.submitted(f"4477009{n:05}") for n in range(10)]
        assert [receipt.id for receipt in await esme.wait_receipts(10)] == ids
        assert "Traceback" not in gateway.log
        assert await gateway.stop() == 0


async def test_one_bad_esme_blocks_no_other(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, accounts={"other": {"password": "secret"}})
    bad, good = await join(gateway), await join(gateway, system_id="other")
    bad.answers = lambda pdu: None
    for n in range(150):
        await bad.submitted(f"4477019{n:05}")
    ids = [await good.submitted(f"4477009{n:05}") for n in range(150)]
    assert [receipt.id for receipt in await good.wait_receipts(150)] == ids
    assert len(bad.receipts) == 100  # its deliver_window


async def test_the_rate_of_a_connector_is_kept(relay: Relay, smsc: Smsc, join: Join) -> None:
    esme = await join(await relay(smsc, connectors={"up": {"rate": 50, "burst": 5}}))
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(esme.submitted(f"4477009{n:05}") for n in range(105)))
    await esme.wait_receipts(105)
    assert 1.9 <= loop.time() - began <= 5
