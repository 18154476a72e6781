"""The simulated SMSC does what it is told, and tells the truth."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from protocol import tlv
from protocol.consts import Command, EsmClass, MessageState, Status, Tag
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
    SubmitSm,
    decode,
)
from smppgw.load.link import BindRefusedError
from smppgw.mix import parse_mix
from smppgw.simulate.options import Mo, Options, parse_errors, parse_mo, parse_states
from smppgw.simulate.smsc import Smsc
from tests.smppgw.esme import Esme, message_id

FINAL: dict[str, Any] = {"registered_delivery": 1, "short_message": b"hello"}


@asynccontextmanager
async def pair(mode: str = "trx", **options: Any) -> AsyncIterator[tuple[Smsc, Esme]]:
    async with Smsc(Options(**options)) as smsc, Esme(smsc.port, mode) as esme:
        yield smsc, esme


async def test_a_submit_is_answered_with_an_id_that_its_receipt_names() -> None:
    async with pair(first_id=41) as (smsc, esme):
        answered = await esme.submit(**FINAL)
        (receipt,) = await esme.receipts(1)
        await smsc.wait_acknowledged(1)
    assert (answered.status, message_id(answered)) == (Status.ROK, b"42")
    assert receipt.esm_class == EsmClass.RECEIPT
    assert (receipt.source_addr, receipt.destination_addr) == (b"447700900001", b"12345")
    assert receipt.short_message.startswith(b"id:42 sub:001 dlvrd:001 submit date:")
    assert receipt.short_message.endswith(b" stat:DELIVRD err:000 text:hello")
    assert tlv.parse(receipt.tlvs) == {Tag.RECEIPTED_MESSAGE_ID: b"42\0", Tag.MESSAGE_STATE: b"\2"}
    assert esme.order == [Command.SUBMIT_SM_RESP, Command.DELIVER_SM]


async def test_the_messages_that_came_can_be_looked_at() -> None:
    async with pair() as (smsc, esme):
        for destination in (b"1", b"2", b"2"):
            await esme.submit(destination, short_message=b"x")
        await smsc.wait_for(3)
    assert [pdu.destination_addr for pdu in smsc.received] == [b"1", b"2", b"2"]
    stats = smsc.stats()
    assert (stats["submits"], stats["unique_destinations"], stats["duplicates"]) == (3, 2, 1)


@pytest.mark.parametrize(
    ("form", "receipt_form", "said", "told"),
    [("hex", "decimal", b"FF", b"255"), ("decimal", "hex", b"255", b"FF"), ("string", None, b"sim-255", b"sim-255")],
)
async def test_ids_have_the_forms_asked_for(form: Any, receipt_form: Any, said: bytes, told: bytes) -> None:
    async with pair(id_form=form, receipt_id_form=receipt_form, first_id=254) as (_, esme):
        assert message_id(await esme.submit(**FINAL)) == said
        (receipt,) = await esme.receipts(1)
    assert receipt.short_message.startswith(b"id:%b sub" % told)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"system_id": "other"}, Status.RINVSYSID),
        ({"password": "secret"}, Status.RINVPASWD),
    ],
)
async def test_wrong_credentials_are_refused(options: dict[str, Any], status: Status) -> None:
    async with Smsc(Options(**options)) as smsc:
        with pytest.raises(BindRefusedError) as refused:
            async with Esme(smsc.port):
                pass
    assert refused.value.status == status
    assert smsc.stats()["links"]["binds_refused"] == 1


async def test_a_receipt_goes_to_any_receiving_bind_of_the_system_id() -> None:
    async with pair("tx") as (smsc, sender), Esme(smsc.port, "rx", b"stranger") as stranger:
        await sender.submit(**FINAL)
        assert smsc.waiting == 1
        async with Esme(smsc.port, "rx") as receiver:
            await receiver.receipts(1)
        assert (sender.delivered, stranger.delivered) == ([], [])


async def test_receipts_unacknowledged_at_a_drop_are_sent_again() -> None:
    async with pair() as (smsc, esme):
        esme.taking = False
        await esme.submit(**FINAL)
        await esme.receipts(1)
        smsc.drop_links()
        await esme.until(lambda: esme.gone)
        async with Esme(smsc.port) as again:
            assert await again.receipts(1) == esme.delivered
            await smsc.wait_acknowledged(1)
    assert smsc.stats()["receipts"] == {
        "sent": 2, "acked": 1, "resent": 1, "refused": 0, "lost_on_purpose": 0, "due": 0,
    }  # fmt: skip


async def test_no_more_deliveries_are_unanswered_than_the_window_allows() -> None:
    async with pair(window=2) as (smsc, esme):
        esme.taking = False
        for _ in range(5):
            await esme.submit(**FINAL)
        await esme.receipts(2)
        assert smsc.waiting == 3


async def test_what_waited_for_the_window_follows_the_answers() -> None:
    async with pair(window=2) as (smsc, esme):
        await asyncio.gather(*(esme.submit(b"%d" % n, **FINAL) for n in range(20)))
        await smsc.wait_acknowledged(20)
        assert len({pdu.source_addr for pdu in esme.delivered}) == 20


async def test_a_delivery_refused_for_good_is_not_repeated() -> None:
    async with pair() as (smsc, esme):
        esme.statuses = [Status.RX_P_APPN]
        smsc.send_mo(b"447700900001", b"12345", "hi")
        await smsc.until(lambda: smsc.delivery_statuses[Status.RX_P_APPN] == 1)
        assert smsc.stats()["mo"] == {"sent": 1, "acked": 0, "refused": 1}


async def test_a_delivery_refused_for_now_is_repeated() -> None:
    async with pair() as (smsc, esme):
        esme.statuses = [Status.RX_T_APPN]
        await esme.submit(**FINAL)
        await smsc.wait_acknowledged(1)
        assert len(esme.delivered) == 2


async def test_early_receipts_come_before_the_response() -> None:
    async with pair(early_receipts=1.0) as (_, esme):
        await esme.submit(**FINAL)
        assert esme.order == [Command.DELIVER_SM, Command.SUBMIT_SM_RESP]


async def test_receipts_can_be_lost_doubled_or_left_out() -> None:
    cases: tuple[tuple[dict[str, Any], int], ...] = (
        ({"lost_receipts": 1.0}, 0),
        ({"duplicate_receipts": 1.0}, 2),
        ({"receipts": False}, 0),
    )
    for options, count in cases:
        async with pair(**options) as (smsc, esme):
            await esme.submit(**FINAL)
            assert smsc.receipts == count


async def test_receipts_come_after_their_delay() -> None:
    async with pair(receipt_delay=0.05, receipt_jitter=0.05) as (smsc, esme):
        for n in range(20):
            await esme.submit(b"%d" % n, **FINAL)
        assert smsc.stats()["receipts"]["due"] + smsc.receipts == 20
        await smsc.wait_acknowledged(20)
        assert smsc.stats()["receipts"]["due"] == 0


@pytest.mark.parametrize(
    ("wish", "state", "told"),
    [(0, "DELIVRD", 0), (1, "UNDELIV", 1), (2, "UNDELIV", 1), (2, "DELIVRD", 0), (3, "DELIVRD", 1), (3, "EXPIRED", 0)],
)
async def test_registered_delivery_is_honoured(wish: int, state: str, told: int) -> None:
    async with pair(states={state: 1.0}) as (smsc, esme):
        await esme.submit(registered_delivery=wish)
        assert smsc.receipts == told


async def test_an_intermediate_notification_says_enroute() -> None:
    async with pair() as (_, esme):
        await esme.submit(registered_delivery=0x11)
        first, second = await esme.receipts(2)
    assert (first.esm_class, second.esm_class) == (EsmClass.INTERMEDIATE, EsmClass.RECEIPT)
    assert b"stat:ENROUTE" in first.short_message


async def test_statuses_and_states_come_at_their_rates() -> None:
    async with pair(errors={0x58: 0.25, 0x1234: 0.25}, states={"UNDELIV": 1.0}, seed=1) as (smsc, esme):
        answers = await asyncio.gather(*(esme.submit(b"%d" % n, **FINAL) for n in range(200)))
        taken = sum(answer.status == 0 for answer in answers)
        await smsc.wait_acknowledged(taken)
    assert taken == smsc.submits == 200 - smsc.refused.total()
    assert {30 < smsc.refused[status] < 70 for status in (0x58, 0x1234)} == {True}
    assert all(b"stat:UNDELIV err:001" in receipt.short_message for receipt in esme.delivered)


async def test_above_its_rate_it_says_throttled() -> None:
    async with pair(throttle_above=10) as (smsc, esme):
        answers = await asyncio.gather(*(esme.submit(b"%d" % n) for n in range(50)))
    assert [answer.status for answer in answers[:2]] == [0, 0]
    assert smsc.refused[Status.RTHROTTLED] > 40


async def test_silent_submits_are_taken_but_never_answered() -> None:
    async with pair(silent=1.0) as (smsc, esme):
        answer = esme.send(Command.SUBMIT_SM, SubmitSm(destination_addr=b"1"))
        await smsc.wait_for(1)
        assert not answer.done()
        assert smsc.stats()["silent"] == 1


async def test_slow_answers_come() -> None:
    async with pair(slow=0.05) as (smsc, esme):
        answer = esme.send(Command.SUBMIT_SM, SubmitSm(destination_addr=b"1", registered_delivery=1))
        await smsc.wait_for(1)
        assert not answer.done()
        await answer
        await smsc.wait_acknowledged(1)
        assert esme.order == [Command.SUBMIT_SM_RESP, Command.DELIVER_SM]


async def test_held_back_answers_and_receipts_go_out_when_it_resumes() -> None:
    async with pair() as (smsc, esme):
        smsc.hold()
        answer = esme.send(Command.SUBMIT_SM, SubmitSm(destination_addr=b"1", registered_delivery=1))
        smsc.send_mo(b"447700900001", b"12345", "hi")
        await smsc.wait_for(1)
        assert not answer.done()
        assert esme.delivered == []
        smsc.resume()
        await answer
        await esme.receipts(2)


async def test_it_goes_down_and_comes_back_on_the_same_port() -> None:
    async with pair() as (smsc, esme):
        port = smsc.port
        smsc.go_down()
        await esme.until(lambda: esme.gone)
        with pytest.raises(ConnectionError):
            async with Esme(port):
                pass
        await smsc.come_up()
        async with Esme(port) as again:
            assert (await again.submit()).status == Status.ROK


async def test_it_falls_after_so_many_submits_and_rises_again() -> None:
    async with pair(down_after=2, down_for=0.05) as (smsc, esme):
        await esme.submit()
        esme.send(Command.SUBMIT_SM, SubmitSm(destination_addr=b"2"))
        await esme.until(lambda: esme.gone)
        await smsc.until(lambda: not smsc.up)
        await smsc.until(lambda: smsc.up)
        async with Esme(smsc.port) as again:
            assert (await again.submit()).status == Status.ROK


async def test_flapping_drops_every_link() -> None:
    async with pair(flap=0.05) as (smsc, esme):
        await esme.until(lambda: esme.gone)
        assert smsc.stats()["links"]["dropped"] == 1


async def test_a_message_from_a_mobile_waits_for_a_receiving_bind() -> None:
    async with Smsc() as smsc:
        smsc.send_mo(b"447700900001", b"12345", "schön €")
        smsc.send_mo(b"447700900001", b"12345", "да" * 200, system_id="esme")
        async with Esme(smsc.port, "rx") as esme:
            first, second = await esme.receipts(2)
    assert (first.source_addr, first.destination_addr) == (b"447700900001", b"12345")
    assert (first.data_coding, first.short_message) == (0, b"sch\x7cn \x1b\x65")
    assert (second.data_coding, second.short_message) == (8, b"")
    assert tlv.find(second.tlvs, Tag.MESSAGE_PAYLOAD) == ("да" * 200).encode("utf-16-be")


async def test_messages_from_mobiles_come_by_themselves() -> None:
    async with pair(mo=(Mo(b"1", b"2", "hi"),), mo_every=0.02) as (_, esme):
        await esme.receipts(3)


async def test_query_sm_tells_the_state() -> None:
    async with pair(receipt_delay=60.0) as (smsc, esme):
        going = message_id(await esme.submit(**FINAL))
        answered = await esme.ask(Command.QUERY_SM, QuerySm(going))
        unknown = await esme.ask(Command.QUERY_SM, QuerySm(b"1"))
        async with Esme(smsc.port, system_id=b"other") as other:
            foreign = await other.ask(Command.QUERY_SM, QuerySm(going))
    assert decode(answered.command, answered.body) == QuerySmResp(going, b"", MessageState.ENROUTE, 0)
    assert (unknown.status, foreign.status) == (Status.RINVMSGID, Status.RINVMSGID)


async def test_query_sm_tells_the_final_date() -> None:
    async with pair(states={"EXPIRED": 1.0}) as (_, esme):
        number = message_id(await esme.submit(**FINAL))
        answered = await esme.ask(Command.QUERY_SM, QuerySm(number))
    found = decode(answered.command, answered.body)
    assert (found.message_state, len(found.final_date)) == (MessageState.EXPIRED, 16)


async def test_cancel_sm_deletes_what_is_on_its_way() -> None:
    async with pair(receipt_delay=60.0) as (_, esme):
        number = message_id(await esme.submit(**FINAL))
        statuses = [(await esme.ask(Command.CANCEL_SM, CancelSm(message_id=number))).status for _ in range(2)]
        (receipt,) = await esme.receipts(1)
    assert statuses == [Status.ROK, Status.RCANCELFAIL]
    assert b"stat:DELETED" in receipt.short_message


async def test_cancel_sm_without_an_id_goes_by_the_addresses() -> None:
    async with pair(receipt_delay=60.0) as (_, esme):
        for destination in (b"1", b"1", b"2"):
            await esme.submit(destination, **FINAL)
        cancel = CancelSm(source_addr=b"12345", destination_addr=b"1")
        assert (await esme.ask(Command.CANCEL_SM, cancel)).status == Status.ROK
        assert len(await esme.receipts(2)) == 2


async def test_replace_sm_changes_the_text_of_what_is_on_its_way() -> None:
    async with pair(receipt_delay=0.05) as (smsc, esme):
        number = message_id(await esme.submit(**FINAL))
        new = ReplaceSm(number, source_addr=b"12345", registered_delivery=1, short_message=b"other")
        assert (await esme.ask(Command.REPLACE_SM, new)).status == Status.ROK
        (receipt,) = await esme.receipts(1)
        assert receipt.short_message.endswith(b"text:other")
        assert (await esme.ask(Command.REPLACE_SM, new)).status == Status.RREPLACEFAIL
    assert smsc.submits == 1


async def test_submit_multi_reaches_every_address_and_no_list() -> None:
    async with pair() as (smsc, esme):
        ends = (DestAddressEntry(1, 1, b"1"), DistributionList(b"all"), DestAddressEntry(1, 1, b"2"))
        pdu = SubmitMulti(source_addr=b"12345", dest_address=ends, registered_delivery=1, short_message=b"hi")
        answered = await esme.ask(Command.SUBMIT_MULTI, pdu)
        receipts = await esme.receipts(2)
    resp: SubmitMultiResp = decode(answered.command, answered.body)
    assert [(entry.destination_addr, entry.error_status_code) for entry in resp.unsuccess_sme] == [
        (b"all", Status.RINVDLNAME)
    ]
    assert smsc.destinations == {b"1", b"2"}
    assert {receipt.source_addr for receipt in receipts} == {b"1", b"2"}
    assert all(b"id:%b " % resp.message_id in receipt.short_message for receipt in receipts)


async def test_data_sm_is_a_submit() -> None:
    async with pair() as (smsc, esme):
        payload = tlv.encode([(Tag.MESSAGE_PAYLOAD, b"hello")])
        pdu = DataSm(destination_addr=b"1", registered_delivery=1, tlvs=payload)
        answered = await esme.ask(Command.DATA_SM, pdu)
        (receipt,) = await esme.receipts(1)
    assert receipt.short_message.startswith(b"id:%b " % message_id(answered))
    assert receipt.short_message.endswith(b"text:hello")
    assert len(smsc.received) == 1


async def test_a_malformed_submit_gets_its_status_and_ends_nothing() -> None:
    async with pair() as (smsc, esme):
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        esme.link.session.request(Command.SUBMIT_SM, b"\0" * 5, answer, 0.0)
        esme.link.touch()
        assert (await answer).status == Status.RINVCMDLEN
        assert (await esme.submit()).status == Status.ROK
    assert smsc.stats()["malformed"] == 1


async def test_old_messages_are_forgotten() -> None:
    async with pair(keep=2) as (smsc, esme):
        numbers = [message_id(await esme.submit(b"%d" % n)) for n in range(3)]
        statuses = [(await esme.ask(Command.QUERY_SM, QuerySm(number))).status for number in numbers]
    assert statuses == [Status.RINVMSGID, Status.ROK, Status.ROK]
    assert len(smsc.received) == 2


async def test_the_same_seed_gives_the_same_run() -> None:
    async def run() -> list[int]:
        async with pair(**options) as (_, esme):
            return [(await esme.submit(b"%d" % n)).status for n in range(50)]

    options: dict[str, Any] = {"errors": {0x58: 0.5}, "seed": 7}
    assert await run() == await run()


async def test_a_wait_has_an_end() -> None:
    async with Smsc() as smsc:
        with pytest.raises(TimeoutError, match="not within"):
            await smsc.wait_for(1, patience=0.01)


def test_mixes_are_read() -> None:
    assert parse_mix("A:0.25,B") == {"A": 0.25, "B": 0.75}
    assert parse_states("undeliv:0.1") == {"UNDELIV": 0.1, "DELIVRD": 0.9}
    assert parse_errors("0x58:0.05,8:0.01") == {0x58: 0.05, 8: 0.01}
    assert parse_mo("447700900123>12345:hello: you") == Mo(b"447700900123", b"12345", "hello: you")


@pytest.mark.parametrize(
    ("read", "text"),
    [(parse_mix, "A,B"), (parse_mix, "A:x"), (parse_mix, "A:0.7,B:0.7"), (parse_mix, "A:-1"), (parse_states, "GONE:1"),
     (parse_errors, "throttled:1"), (parse_mo, "hello"), (parse_mo, ">2:x")],
)  # fmt: skip
def test_what_is_no_mix_is_refused_in_words(read: Any, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        read(text)


def test_options_can_be_changed_for_one_test() -> None:
    assert replace(Options(), window=1).window == 1
