"""A message from an ESME to its SMSC, and its receipt back."""

import asyncio
import re
import time
from itertools import chain

import pytest

from protocol import tlv, udh
from protocol.consts import EsmClass, MessageState, Status, Tag
from protocol.pdus import SubmitSm, encode_submit
from protocol.times import relative
from smppgw.simulate.smsc import Smsc
from tests.endtoend.conftest import Join, Relay, Serve, Simulate
from tests.endtoend.esme import Esme, id_of, message
from tests.kit import merged, relay_config

ENROUTE, DELIVERED, UNDELIVERABLE = MessageState.ENROUTE, MessageState.DELIVERED, MessageState.UNDELIVERABLE
WISHES = (0, 1, 2, 3, 0x10, 0x11)


async def told(esme: Esme) -> list[list[MessageState | None]]:
    """Submits one message for every wish, then one that is always told of: the states told of each of the former."""
    ids = [await esme.submitted(f"44770090{wish:04}", registered_delivery=wish) for wish in WISHES]
    last = await esme.submitted("447700999999", registered_delivery=0x01)
    await esme.until(lambda: any(each.id == last for each in esme.receipts))
    return [[each.state for each in esme.receipts if each.id == id] for id in ids]


async def test_a_submit_arrives_octet_for_octet_and_its_receipt_names_its_id(
    relay: Relay, smsc: Smsc, join: Join
) -> None:
    esme = await join(await relay(smsc))
    id = await esme.submitted("447700900001", b"Hello @ world")
    assert re.fullmatch(rb"[0-9a-f]{16}", id)
    (receipt,) = await esme.wait_receipts(1)
    assert encode_submit(smsc.received[0]) == encode_submit(message("447700900001", b"Hello @ world"))
    assert (receipt.id, receipt.state, receipt.err) == (id, DELIVERED, b"000")
    assert (receipt.sub, receipt.dlvrd, receipt.text) == (1, 1, b"Hello @ world")
    (delivery,) = esme.deliveries
    assert (delivery.source_addr, delivery.destination_addr) == (b"447700900001", b"12345")
    assert delivery.esm_class == EsmClass.RECEIPT
    values = tlv.parse(delivery.tlvs)
    assert (values[Tag.RECEIPTED_MESSAGE_ID], values[Tag.MESSAGE_STATE]) == (id + b"\0", b"\2")


async def test_a_receipt_comes_on_another_bind_of_the_account(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    sender, receiver = await join(gateway, "transmitter"), await join(gateway, "receiver")
    ids = [await sender.submitted(f"4477009{n:05}") for n in range(20)]
    receipts = await receiver.wait_receipts(20)
    assert [receipt.id for receipt in receipts] == ids
    assert not sender.deliveries


async def test_a_receipt_never_overtakes_the_response_that_names_its_id(
    relay: Relay, simulate: Simulate, join: Join
) -> None:
    gateway = await relay(await simulate(early_receipts=0.5, seed=1))
    sender, receiver = await join(gateway, "transmitter"), await join(gateway, "receiver")
    known: set[bytes] = set()
    unknown: list[bytes] = []

    def heard(pdu: SubmitSm) -> int:
        unknown.extend({receiver.receipts[-1].id} - known)
        return Status.ROK

    receiver.answers = heard

    async def submit(number: int) -> None:
        known.add(id_of(await sender.submit(f"4477009{number:05}")))

    await asyncio.gather(*map(submit, range(300)))
    await receiver.wait_receipts(300)
    assert len(known) == 300
    assert not unknown


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("DELIVRD", [[], [DELIVERED], [], [DELIVERED], [ENROUTE], [ENROUTE, DELIVERED]]),
        ("UNDELIV", [[], [UNDELIVERABLE], [UNDELIVERABLE], [], [ENROUTE], [ENROUTE, UNDELIVERABLE]]),
    ],
)
async def test_registered_delivery_says_which_receipts_come(
    relay: Relay, simulate: Simulate, join: Join, state: str, expected: list[list[MessageState]]
) -> None:
    smsc = await simulate(states={state: 1.0})
    assert await told(await join(await relay(smsc))) == expected
    assert [pdu.registered_delivery for pdu in smsc.received] == [*WISHES, 1]


async def test_a_message_that_the_smsc_refuses_is_told_of_as_registered_delivery_says(
    relay: Relay, simulate: Simulate, join: Join
) -> None:
    smsc = await simulate(errors={Status.RINVDSTADR: 1.0})
    esme = await join(await relay(smsc))
    assert await told(esme) == [[], [UNDELIVERABLE], [UNDELIVERABLE], [], [], [UNDELIVERABLE]]
    assert {receipt.err for receipt in esme.receipts} == {b"011"}


@pytest.mark.parametrize("name", ["EXPIRED", "DELETED", "ACCEPTD", "UNKNOWN", "REJECTD"])
async def test_every_state_of_the_smsc_reaches_the_esme(
    relay: Relay, simulate: Simulate, join: Join, name: str
) -> None:
    esme = await join(await relay(await simulate(states={name: 1.0})))
    if name == "ACCEPTD":  # it is not final: only whoever asks for intermediate ones hears of it
        await esme.submitted("447700900001", registered_delivery=0x11)
        receipts = await esme.wait_receipts(2)
    else:
        await esme.submitted("447700900001")
        receipts = await esme.wait_receipts(1)
    assert b"stat:" + name.encode() in esme.deliveries[-1].short_message
    assert receipts[-1].state is not None
    assert receipts[-1].state.name.startswith(name[:6])


async def test_receipts_wait_for_an_esme_that_is_away(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    sender = await join(gateway, "transmitter")
    ids = {await sender.submitted(f"4477009{n:05}") for n in range(50)}
    await smsc.wait_acknowledged(50)
    await sender.unbind()
    receiver = await join(gateway, "receiver")
    assert {receipt.id for receipt in await receiver.wait_receipts(50)} == ids
    assert await gateway.metric("smppgw_account_outbox") == 0 or len(receiver.receipts) == 50


async def test_receipts_wait_through_a_restart(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    sender = await join(gateway, "transmitter")
    ids = {await sender.submitted(f"4477009{n:05}") for n in range(50)}
    await smsc.wait_acknowledged(50)
    assert await gateway.stop() == 0
    await gateway.start()
    assert (await gateway.expect("restored"))["deliveries"] == 50
    receiver = await join(gateway, "receiver")
    assert {receipt.id for receipt in await receiver.wait_receipts(50)} == ids
    assert len(receiver.receipts) == 50


@pytest.mark.parametrize("status", [0x14, 0x58, 0x45, 0x64, 0x08])
async def test_a_receipt_refused_for_now_comes_again(relay: Relay, smsc: Smsc, join: Join, status: int) -> None:
    esme = await join(await relay(smsc))
    esme.answers = lambda pdu: status if len(esme.deliveries) <= 2 else Status.ROK
    id = await esme.submitted("447700900001")
    receipts = await esme.wait_receipts(3)
    assert [receipt.id for receipt in receipts] == [id] * 3


@pytest.mark.parametrize("status", [0x65, 0x66, 0xFE, 0x0400])
async def test_a_receipt_refused_for_good_is_set_aside(relay: Relay, smsc: Smsc, join: Join, status: int) -> None:
    gateway = await relay(smsc)
    esme = await join(gateway)
    esme.answers = lambda pdu: status if len(esme.deliveries) <= 1 else Status.ROK
    id = await esme.submitted("447700900001")
    event = await gateway.expect("set aside", account="esme")
    assert event["id"] == id.decode()
    assert f"0x{status:02X}" in event["reason"]
    other = await esme.submitted("447700900002")
    receipts = await esme.wait_receipts(2)
    assert [receipt.id for receipt in receipts] == [id, other]
    assert await gateway.metric("smppgw_set_aside") == 1


async def test_a_receipt_is_set_aside_after_deliver_attempts(relay: Relay, smsc: Smsc, join: Join) -> None:
    account = {"deliver_retry": ["10ms"], "deliver_attempts": 3}
    gateway = await relay(smsc, accounts={"esme": account})
    esme = await join(gateway)
    esme.answers = lambda pdu: Status.RMSGQFUL
    await esme.submitted("447700900001")
    assert "3 times" in (await gateway.expect("set aside"))["reason"]
    assert len(esme.receipts) == 3


async def test_an_esme_of_smpp_33_gets_no_tlvs(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    old, new = await join(gateway, version=0x33, mode="receiver"), await join(gateway, "transmitter")
    await new.submitted("447700900001")
    await old.wait_receipts(1)
    assert old.deliveries[0].tlvs == b""
    assert old.receipts[0].state == DELIVERED
    old_resp, new_resp = (next(body for command, _, _, body in each.frames if command >> 31) for each in (old, new))
    assert old_resp == b"smppgw\0"
    assert new_resp == b"smppgw\0" + tlv.encode([(Tag.SC_INTERFACE_VERSION, b"\x34")])


@pytest.mark.parametrize("version", [0x00, 0x33, 0x34, 0x50])
async def test_an_esme_of_any_version_is_served(relay: Relay, smsc: Smsc, join: Join, version: int) -> None:
    esme = await join(await relay(smsc), version=version)
    id = await esme.submitted("447700900001")
    assert (await esme.wait_receipts(1))[0].id == id


async def test_ack_upstream_carries_the_status_of_the_upstream(relay: Relay, simulate: Simulate, join: Join) -> None:
    smsc = await simulate(errors={0x0401: 0.5}, seed=7)
    gateway = await relay(smsc, accounts={"esme": {"ack": "upstream"}})
    esme = await join(gateway)
    answers = [await esme.submit(f"4477009{n:05}") for n in range(40)]
    assert {answer.status for answer in answers} == {0, 0x0401}
    assert sum(answer.status == 0x0401 for answer in answers) == smsc.refused[0x0401]
    ids = {id_of(answer) for answer in answers if answer.status == 0}
    assert {receipt.id for receipt in await esme.wait_receipts(len(ids))} == ids


async def test_ack_upstream_waits_for_the_upstream(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc, accounts={"esme": {"ack": "upstream"}})
    esme = await join(gateway)
    smsc.hold()
    waiting = asyncio.ensure_future(esme.submit("447700900001"))
    await smsc.wait_for(1)
    assert not waiting.done()
    smsc.resume()
    assert (await esme.wait_receipts(1))[0].id == id_of(await waiting)


async def test_an_mo_message_goes_to_the_account_that_owns_the_number(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(
        smsc,
        accounts={"other": {"password": "secret"}},
        mo_routes=[
            {"account": "other", "match": {"destination": ["777*"]}},
            {"account": "esme", "match": {"destination": ["12345"]}},
        ],
    )
    esme, other = await join(gateway), await join(gateway, system_id="other")
    smsc.send_mo(b"447700900001", b"12345", "to the one")
    smsc.send_mo(b"447700900002", b"77701", "to the other")
    assert [pdu.short_message for pdu in await esme.wait_mo(1)] == [b"to the one"]
    assert [pdu.short_message for pdu in await other.wait_mo(1)] == [b"to the other"]
    smsc.send_mo(b"447700900003", b"99999", "to nobody")
    await smsc.until(lambda: smsc.delivery_statuses[Status.RX_P_APPN] == 1)
    assert await gateway.metric("smppgw_mo_no_route_total") == 1


async def test_an_mo_message_passes_octet_for_octet_and_waits_for_its_esme(
    relay: Relay, smsc: Smsc, join: Join
) -> None:
    gateway = await relay(smsc)
    tlvs = tlv.encode([(0x1400, b"vendor"), (Tag.MESSAGE_PAYLOAD, bytes(range(256)) * 2)])
    pdu = message("12345", b"", source_addr=b"447700900001", registered_delivery=0, data_coding=0xF5, tlvs=tlvs)
    smsc.deliver(pdu)
    await smsc.until(lambda: smsc.stats()["mo"]["acked"] == 1)
    await gateway.kill()
    await gateway.start()
    esme = await join(gateway)
    assert await esme.wait_mo(1) == [pdu]


async def test_vendor_tlvs_codings_and_types_of_number_pass_unchanged(relay: Relay, smsc: Smsc, join: Join) -> None:
    esme = await join(await relay(smsc))
    pdus = [
        message("447700900001", tlvs=tlv.encode([(0x1400, b"dlt-id\0"), (0x3FFF, b""), (0xFFFF, b"\0\1\2")])),
        message("447700900002", b"\0\xff" * 70, data_coding=0xF0),
        message("447700900003", source_addr=b"BANK", source_addr_ton=7, source_addr_npi=15, dest_addr_npi=255),
        message("447700900004", service_type=b"CMT", protocol_id=0x7F, priority_flag=3, sm_default_msg_id=9),
        message("447700900005", replace_if_present_flag=1, validity_period=relative(3600)),
        message("447700900006", b"", data_coding=4),
        message("447700900007", b"x" * 254),
        message("447700900008", tlvs=tlv.encode([(Tag.USER_MESSAGE_REFERENCE, b"\1\2"), (Tag.SOURCE_PORT, b"\3\4")])),
    ]
    for pdu in pdus:
        assert await esme.status(pdu.destination_addr, pdu.short_message, **pdu._asdict()) == 0
    await smsc.wait_for(len(pdus))
    assert sorted(smsc.received) == sorted(pdus)


async def test_a_payload_of_450_octets_arrives_whole(relay: Relay, smsc: Smsc, join: Join) -> None:
    esme = await join(await relay(smsc))
    payload = bytes(range(225)) * 2
    await esme.submitted("447700900001", b"", data_coding=4, tlvs=tlv.encode([(Tag.MESSAGE_PAYLOAD, payload)]))
    await esme.wait_receipts(1)
    assert tlv.parse(smsc.received[0].tlvs)[Tag.MESSAGE_PAYLOAD] == payload
    assert smsc.submits == 1


@pytest.mark.parametrize("how", ["udh8", "udh16", "sar", "payload"])
async def test_a_long_message_is_split_as_the_connector_says_and_has_one_receipt(
    relay: Relay, smsc: Smsc, join: Join, how: str
) -> None:
    esme = await join(await relay(smsc, connectors={"up": {"long_messages": how}}))
    text = b"".join(b"%04d " % n for n in range(90))
    id = await esme.submitted("447700900001", b"", tlvs=tlv.encode([(Tag.MESSAGE_PAYLOAD, text)]))
    (receipt,) = await esme.wait_receipts(1)
    assert (receipt.id, receipt.state) == (id, DELIVERED)
    whole, numbers = b"", []
    for pdu in smsc.received:
        values = tlv.parse(pdu.tlvs)
        octets = pdu.short_message or values.get(Tag.MESSAGE_PAYLOAD, b"")
        part = udh.part_of(pdu.esm_class, octets, values)
        whole += udh.text_of(pdu.esm_class, octets)
        numbers.append((part.reference, part.total, part.number) if part else None)
    assert whole == text
    if how == "payload":
        assert numbers == [None]
    else:
        (reference,) = {number[0] for number in numbers if number}
        assert numbers == [(reference, 3, 1), (reference, 3, 2), (reference, 3, 3)]
    marker = await esme.submitted("447700900002")
    assert [each.id for each in await esme.wait_receipts(2)] == [id, marker]


async def test_a_split_message_of_which_a_part_fails_is_not_delivered(
    relay: Relay, simulate: Simulate, join: Join
) -> None:
    smsc = await simulate(states={"UNDELIV": 0.5}, seed=3)
    esme = await join(await relay(smsc, connectors={"up": {"long_messages": "udh8"}}))
    text = tlv.encode([(Tag.MESSAGE_PAYLOAD, b"a" * 450)])
    ids = [await esme.submitted(f"4477009{n:05}", b"", tlvs=text) for n in range(12)]
    receipts = await esme.wait_receipts(12)
    assert sorted(receipt.id for receipt in receipts) == ids
    assert {receipt.state for receipt in receipts} == {DELIVERED, UNDELIVERABLE}


def udh8(reference: int, total: int, number: int) -> dict[str, object]:
    text = b"\5\0\3" + bytes((reference, total, number)) + b"part %d" % number
    return {"text": text, "esm_class": int(EsmClass.UDHI)}


def udh16(reference: int, total: int, number: int) -> dict[str, object]:
    text = b"\6\x08\4\1" + bytes((reference, total, number)) + b"part %d" % number
    return {"text": text, "esm_class": int(EsmClass.UDHI)}


def sar(reference: int, total: int, number: int) -> dict[str, object]:
    tags = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    values = (bytes((0, reference)), bytes((total,)), bytes((number,)))
    return {"text": b"part %d" % number, "tlvs": tlv.encode(zip(tags, values, strict=True))}


@pytest.mark.parametrize("form", [udh8, udh16, sar])
async def test_parts_keep_together_and_in_order_over_two_connectors(
    serve: Serve, simulate: Simulate, join: Join, form: object
) -> None:
    assert callable(form)
    one, two = await simulate(), await simulate()
    config = relay_config(one.port, groups={"pair": {"active": ["up", "too"], "backup": []}})
    config["connectors"]["up"]["binds"] = 2
    config["connectors"]["too"] = merged(config["connectors"]["up"], {"port": two.port})
    config["routes"] = [{"name": "all", "to": "pair"}]
    gateway = await serve(config, "up", "too")
    await one.wait_bound(2)
    await two.wait_bound(2)
    esme = await join(gateway)
    parts = [(f"4477009{n:05}", form(n, 4, part)) for n in range(60) for part in range(1, 5)]
    # A different message's part after every part, as a busy aggregator sends them.
    mixed = list(chain.from_iterable(zip(*(parts[start::4] for start in range(4)), strict=True)))
    ordered = sorted(mixed, key=lambda part: parts.index(part) % 4)
    assert set(await asyncio.gather(*(esme.status(to, **fields) for to, fields in ordered))) == {0}
    await esme.wait_receipts(240)
    where: dict[bytes, list[tuple[int, bytes]]] = {}
    for place, each in enumerate((one, two)):
        for pdu in each.received:
            where.setdefault(pdu.destination_addr, []).append((place, pdu.short_message[-6:]))
    assert len(where) == 60
    for found in where.values():
        assert len({place for place, _ in found}) == 1
        assert [text for _, text in found] == [b"part 1", b"part 2", b"part 3", b"part 4"]
    assert one.submits
    assert two.submits


async def test_a_scheduled_message_is_held_until_its_time(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    esme = await join(gateway)
    began = time.monotonic()
    await esme.submitted("447700900001", schedule_delivery_time=relative(2), registered_delivery=0)
    await esme.submitted("447700900002", registered_delivery=0)
    await smsc.wait_for(1)
    await gateway.kill()
    await gateway.start("up")
    await smsc.until(lambda: b"447700900001" in smsc.destinations)
    assert time.monotonic() - began >= 1.99
    assert smsc.received[-1].schedule_delivery_time == b""


async def test_a_message_whose_validity_passes_in_the_queue_expires(relay: Relay, smsc: Smsc, join: Join) -> None:
    gateway = await relay(smsc)
    esme = await join(gateway)
    smsc.go_down()
    await gateway.expect("unbound", connector="up")
    late = await esme.submitted("447700900001", validity_period=relative(1))
    good = await esme.submitted("447700900002", validity_period=relative(100))
    await gateway.expect("bind failed", len(gateway.process.events("bind failed")) + 4)
    await smsc.come_up()
    receipts = await esme.wait_receipts(2)
    assert {(receipt.id, receipt.state) for receipt in receipts} == {(late, MessageState.EXPIRED), (good, DELIVERED)}
    assert smsc.destinations == {b"447700900002"}
    assert smsc.received[0].validity_period == relative(100)
