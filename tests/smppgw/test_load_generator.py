"""The load tool sends what its plan says, and counts what comes back."""

import asyncio
from typing import Any

import pytest

from protocol.consts import Command, Status
from protocol.pdus import SubmitSm
from smppgw.load.generator import Load, Measured
from smppgw.load.link import BindRefusedError
from smppgw.load.plan import Plan
from smppgw.load.report import Figures, figures
from smppgw.simulate.options import Options
from smppgw.simulate.smsc import Smsc


async def run(smsc: Smsc, **plan: Any) -> Figures:
    made = Plan(port=smsc.port, **plan)
    return figures(made, await Load(made).run())


@pytest.mark.parametrize("bind", ["trx", "tx+rx"])
async def test_every_message_is_accepted_and_has_its_receipt(bind: Any) -> None:
    async with Smsc() as smsc:
        found = await run(smsc, binds=2, bind=bind, window=10, count=500)
        assert len(smsc.destinations) == smsc.submits == 500
        assert smsc.stats()["links"]["binds"] == (2 if bind == "trx" else 4)
    assert (found.submitted, found.accepted, found.receipts) == (500, 500, 500)
    assert (found.lost, found.duplicated, found.unknown, found.unanswered) == (0, 0, 0, 0)
    assert found.clean


async def test_no_more_submits_are_unanswered_than_the_window_allows() -> None:
    async with Smsc() as smsc:
        smsc.hold()
        running = asyncio.create_task(run(smsc, binds=2, window=7, count=100))
        await smsc.wait_for(14)
        await asyncio.sleep(0)
        assert smsc.submits == 14
        smsc.resume()
        assert (await running).accepted == 100


async def test_lost_receipts_are_lost() -> None:
    async with Smsc(Options(lost_receipts=0.5, seed=1)) as smsc:
        found = await run(smsc, count=100, receipt_timeout=1.0)
        assert found.lost == smsc.stats()["receipts"]["lost_on_purpose"] > 20
    assert found.to_come == 0
    assert not found.clean
    assert found.ended == "no receipt for 1 s"


async def test_what_the_smsc_still_has_under_way_is_to_come_and_not_lost() -> None:
    async with Smsc(Options(receipt_delay=60)) as smsc:
        found = await run(smsc, count=50, binds=2, window=3, receipt_timeout=0.1)
    assert (found.accepted, found.receipts, found.lost, found.to_come) == (50, 0, 0, 50)
    assert (found.generic_nacks, found.clean) == (0, False)


async def test_an_smsc_that_cannot_be_asked_has_lost_them() -> None:
    async with Smsc(Options(receipt_delay=60, keep=1)) as smsc:
        found = await run(smsc, count=5, receipt_timeout=0.1)
    assert (found.lost, found.to_come) == (4, 1)


async def test_what_is_never_answered_is_lost() -> None:
    async with Smsc(Options(silent=1.0)) as smsc:
        found = await run(smsc, count=10, window=5, response_timeout=0.2)
    assert (found.submitted, found.unanswered, found.lost) == (5, 5, 5)
    assert found.ended == "no response for 0.2 s"


async def test_duplicated_and_early_receipts_are_counted() -> None:
    async with Smsc(Options(duplicate_receipts=1.0, early_receipts=1.0)) as smsc:
        found = await run(smsc, count=50)
    assert (found.receipts, found.duplicated, found.early, found.lost) == (50, 50, 50, 0)


async def test_refusals_are_counted_by_name() -> None:
    async with Smsc(Options(errors={0x58: 0.5, 0x501: 0.2}, seed=3)) as smsc:
        found = await run(smsc, count=100)
        refused = smsc.refused
    assert found.statuses == {"ROK": found.accepted, "RTHROTTLED": refused[0x58], "0x501": refused[0x501]}
    assert found.lost == 0


@pytest.mark.parametrize("state", ["UNDELIV", "EXPIRED", "REJECTD"])
async def test_every_final_state_is_a_receipt(state: str) -> None:
    async with Smsc(Options(states={state: 1.0}, receipt_tlvs=False)) as smsc:
        assert (await run(smsc, count=20)).receipts == 20


async def test_receipts_for_others_and_messages_from_mobiles_are_told_apart() -> None:
    async with Smsc(Options(receipt_delay=0.1)) as smsc:
        running = asyncio.create_task(run(smsc, count=1))
        await smsc.wait_for(1)
        stranger = b"id:99 sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:"
        going = stranger.replace(b"DELIVRD", b"ENROUTE")
        for esm_class, text in ((4, stranger), (4, going), (0, b"hello"), (4, b"no receipt")):
            smsc.deliver(SubmitSm(esm_class=esm_class, short_message=text))
        found = await running
    assert (found.receipts, found.unknown, found.intermediate, found.mo) == (1, 1, 1, 2)


async def test_a_receipt_from_another_number_is_counted() -> None:
    async with Smsc(Options(receipts=False, first_id=6)) as smsc:
        running = asyncio.create_task(run(smsc, count=2))
        await smsc.wait_for(2)
        for id, number in ((7, b"+447900000000"), (8, b"447900000000")):
            text = b"id:%d sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000" % id
            smsc.deliver(SubmitSm(esm_class=4, source_addr=number, short_message=text))
        found = await running
    assert (found.receipts, found.unknown, found.mismatched) == (2, 0, 1)


async def test_the_rate_is_kept() -> None:
    async with Smsc() as smsc:
        found = await run(smsc, count=100, rate=500.0)
        span = smsc.stats()["last"] - smsc.stats()["first"]
    assert 0.19 < span < 1
    assert found.accepted == 100


async def test_a_run_can_last_so_long_instead_of_so_many() -> None:
    async with Smsc() as smsc:
        found = await run(smsc, count=0, seconds=1.0, rate=200.0)
    assert 100 < found.submitted <= 220
    assert found.lost == 0


async def test_without_receipts_none_is_waited_for() -> None:
    async with Smsc() as smsc:
        found = await run(smsc, count=50, receipts=False)
        assert smsc.receipts == 0
    assert (found.accepted, found.lost, found.clean) == (50, 0, True)


async def test_lost_links_end_the_run() -> None:
    async with Smsc(Options(down_after=5, receipts=False)) as smsc:
        found = await run(smsc, count=100, window=1)
    assert found.ended == "all links were lost"
    assert not found.clean


async def test_lost_links_are_bound_again_when_asked() -> None:
    async with Smsc(Options(flap=0.15)) as smsc:
        found = await run(smsc, count=400, rate=1000.0, reconnect=True, binds=2)
    assert found.disconnects >= 2
    assert found.submitted == 400
    assert found.accepted + found.unanswered == 400
    assert found.lost == 0


async def test_a_run_can_be_stopped() -> None:
    async with Smsc() as smsc:
        load = Load(plan := Plan(port=smsc.port, count=0, rate=100.0))
        running = asyncio.create_task(load.run())
        await smsc.wait_for(3)
        load.stop()
        assert figures(plan, await running).ended == "stopped"


async def test_what_a_stopped_run_did_not_wait_for_is_not_lost() -> None:
    async with Smsc(Options(receipt_delay=60)) as smsc:
        load = Load(plan := Plan(port=smsc.port, count=0, rate=2000.0))
        running = asyncio.create_task(load.run())
        await smsc.wait_for(50)
        load.stop()
        found = figures(plan, await running)
    assert (found.lost, found.to_come) == (0, found.accepted)
    assert found.accepted >= 50


async def test_progress_is_told() -> None:
    told: list[Measured] = []
    async with Smsc() as smsc:
        await Load(Plan(port=smsc.port, count=10), told.append).run()
    assert told[-1].receipts == 10


async def test_wrong_credentials_are_said() -> None:
    async with Smsc(Options(password="other")) as smsc:
        with pytest.raises(BindRefusedError, match="RINVPASWD"):
            await run(smsc, count=1)


async def test_nothing_listening_is_said() -> None:
    async with Smsc() as smsc:
        port = smsc.port
    with pytest.raises(ConnectionRefusedError):
        await Load(Plan(port=port, count=1)).run()


async def test_our_own_answers_are_right() -> None:
    async with Smsc() as smsc:
        await run(smsc, count=20)
        assert smsc.delivery_statuses == {Status.ROK: 20}
    assert Command.DELIVER_SM_RESP & 0x80000000
