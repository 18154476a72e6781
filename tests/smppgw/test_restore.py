"""After a start every record is where it was."""

import asyncio

from protocol import times
from protocol.consts import MessageState, Status
from protocol.pdus import SubmitSm, encode_submit
from protocol.receipt import Receipt
from routing import heard, said
from routing.message import DOUBTED, OFFERED, SET_ASIDE, Delivery, SetAside, key_of
from smppgw.access import AccessLog
from smppgw.pipeline import Pipeline
from smppgw.restore import restore
from smppgw.settings import Gateway
from tests.smppgw.bench import Bench, BenchStore, Carrier, Esme, Said, told
from tests.smppgw.jumping import EPOCH, advance, epoch, jumping, settle


@jumping
async def test_acknowledged_messages_are_offered_again_in_their_order() -> None:
    bench = Bench()
    await bench.accepted(b"1", b"2", b"3")
    after = Bench(bench.killed())
    assert [message.destination for message in after.carrier.queue] == [b"1", b"2", b"3"]
    assert after.restored["queued"] == 3
    assert after.account.queued == 3


@jumping
async def test_what_no_commit_saved_is_not_there() -> None:
    bench = Bench()
    bench.store.hold()
    asker = bench.submit()
    await settle()
    after = Bench(bench.killed())
    assert (asker.status, len(after.carrier.queue)) == (None, 0)


@jumping
async def test_a_scheduled_message_still_waits_for_its_time() -> None:
    bench = Bench()
    await bench.accepted(b"1", schedule_delivery_time=times.absolute(EPOCH + 3600))
    after = Bench(bench.killed())
    await advance(3590)
    assert not after.carrier.queue
    await advance(20)
    assert len(after.carrier.queue) == 1


@jumping
async def test_a_receipt_finds_its_message_after_a_restart() -> None:
    bench = Bench()
    (asker,) = await bench.accepted(b"1")
    bench.sent(b"a")
    await advance(1)
    after = Bench(bench.killed())
    esme = Esme(after.account)
    said = after.receipt(b"a")
    await settle()
    assert said.status == Status.ROK
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.DELIVERED)]


@jumping
async def test_an_answered_offer_whose_commit_was_lost_is_made_again() -> None:
    bench = Bench()
    await bench.accepted(b"1")
    bench.sent(b"a")
    after = Bench(bench.killed())
    assert len(after.carrier.queue) == 1


@jumping
async def test_a_receipt_that_no_esme_took_is_delivered_after_a_restart() -> None:
    bench = Bench()
    (asker,) = await bench.accepted(b"1")
    bench.sent(b"a")
    bench.receipt(b"a")
    await settle()
    after = Bench(bench.killed())
    esme = Esme(after.account)
    after.account.outbox.pump()
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.DELIVERED)]


@jumping
async def test_a_callback_of_an_account_that_only_binds_now_is_set_aside_and_a_receipt_is_not() -> None:
    bench = Bench()
    written = [b"\1http://a/?type=1", b"\2http://a/\0shop\0{}"]
    for body in written:
        bench.pipeline.returns.notify(bench.account, bench.pipeline.ids.mint(epoch()), body)
    bench.pipeline.returns.notify(bench.pipeline.accounts.owner("esme@api"), 1, written[1])
    odd = SubmitSm(service_type=b"\2", source_addr=b"44", destination_addr=b"12345", short_message=b"hello")
    bench.pipeline.returns.bring(bench.account, "carrier", (encode_submit(odd),), Said())
    await settle()
    after = Bench(bench.killed())
    esme = Esme(after.account)
    after.account.outbox.pump()
    await advance(1)
    assert [delivery.body for delivery in esme.got] == [encode_submit(odd)]
    assert len(after.pipeline.accounts.owner("esme@api").outbox) == 1
    kept = [SetAside.unpack(record) for record in after.store.records.values() if record[0] == SET_ASIDE]
    assert [Delivery.unpack(0, each.record).body for each in kept] == written


@jumping
async def test_a_message_that_was_marked_as_offered_is_set_aside() -> None:
    bench = Bench()
    await bench.accepted(b"1", b"2")
    bench.pipeline.mark_offered(bench.carrier.take(), lambda: None)
    await settle()
    after = Bench(bench.killed())
    assert [message.destination for message in after.carrier.queue] == [b"2"]
    await advance(1)
    kinds = sorted(record[0] for record in after.store.records.values())
    assert kinds == sorted(b"QX")
    (aside,) = (SetAside.unpack(record) for record in after.store.records.values() if record[0] == SET_ASIDE)
    assert "in doubt" in aside.reason
    assert after.pipeline.returns.aside == 1
    assert after.pipeline.counts["in_doubt"] == 1
    assert after.account.queued == 1


@jumping
async def test_what_was_set_aside_stays_so() -> None:
    bench = Bench()
    await bench.accepted(b"1")
    bench.pipeline.in_doubt(bench.carrier.take(), "hold")
    await advance(1)
    after = Bench(bench.killed())
    assert after.restored["set_aside"] == 1
    assert after.pipeline.returns.aside == 1
    assert not after.carrier.queue


@jumping
async def test_the_messages_of_an_account_that_is_gone_are_kept() -> None:
    bench = Bench()
    stranger = bench.pipeline.accounts.owner("stranger")
    await bench.accepted(b"1", account=stranger)
    after = Bench(bench.killed())
    assert len(after.carrier.queue) == 1
    owner = after.pipeline.accounts.owner("stranger")
    assert (owner.queued, owner.removed, after.pipeline.accounts.known("stranger")) == (1, True, None)


@jumping
async def test_new_ids_are_above_those_of_the_store() -> None:
    bench = Bench()
    (before,) = await bench.accepted(b"1")
    after = Bench(bench.killed())
    (asker,) = await after.accepted(b"2")
    assert asker.id > before.id


@jumping
async def test_a_record_of_an_unknown_kind_is_left_where_it_is() -> None:
    store = BenchStore({b"\0" * 7 + b"\1": b"?what is this"})
    after = Bench(store)
    await advance(1)
    assert after.store.records == {b"\0" * 7 + b"\1": b"?what is this"}


@jumping
async def test_what_was_in_doubt_with_a_connector_that_is_gone_is_set_aside() -> None:
    bench = Bench()
    await bench.accepted(b"1")
    bench.pipeline.mark_offered(bench.carrier.take(), lambda: None, "another")
    await settle()
    after = Bench(bench.killed())
    await advance(1)
    assert [record[0] for record in after.store.records.values()] == [SET_ASIDE]


@jumping
async def test_what_was_offered_to_one_that_recognises_it_goes_back_there_in_doubt() -> None:
    bench = Bench()
    await bench.accepted(b"1")
    bench.pipeline.mark_offered(bench.carrier.take(), lambda: None, "carrier")
    await settle()
    carrier = Carrier()
    carrier.doubt = "again"
    after = Bench(bench.killed(), carrier)
    (message,) = after.carrier.queue
    assert (message.pin, message.flags, message.attempts) == ("carrier", OFFERED | DOUBTED, 1)


@jumping
async def test_what_was_offered_to_one_that_may_get_it_twice_is_free_again() -> None:
    bench = Bench()
    await bench.accepted(b"1")
    bench.pipeline.mark_offered(bench.carrier.take(), lambda: None, "carrier")
    await settle()
    after = Bench(bench.killed())
    (message,) = after.carrier.queue
    assert (message.pin, message.flags) == ("", 0)


@jumping
async def test_what_was_offered_ends_as_unknown_where_the_config_says_so() -> None:
    bench = Bench()
    (asker,) = await bench.accepted(b"1")
    bench.pipeline.mark_offered(bench.carrier.take(), lambda: None, "carrier")
    await settle()
    carrier = Carrier()
    carrier.doubt = "unknown"
    after = Bench(bench.killed(), carrier)
    esme = Esme(after.account)
    await advance(1)
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.UNKNOWN)]
    assert after.account.queued == 0


@jumping
async def test_what_carriers_said_of_unknown_messages_is_handed_on() -> None:
    loop = asyncio.get_running_loop()
    record = heard.pack(b"carrier", Receipt(b"a", MessageState.DELIVERED))
    store = BenchStore({key_of(5): record})
    pipeline = Pipeline(Gateway(), store, loop, epoch, AccessLog("", loop))
    got: list[tuple[int, bytes]] = []
    store.open()
    assert restore(pipeline, store, lambda id, each: got.append((id, each)))["heard"] == 1
    assert got == [(5, record)]


@jumping
async def test_what_handsets_said_is_handed_on_to_who_knows_it_again() -> None:
    loop = asyncio.get_running_loop()
    records = {key_of(id): said.pack(b"carrier", b"mo-%d" % id) for id in (5, 6)}
    store = BenchStore(records)
    pipeline = Pipeline(Gateway(), store, loop, epoch, AccessLog("", loop))
    got: list[tuple[int, bytes]] = []
    store.open()
    restore(pipeline, store, lambda id, each: None, said=lambda id, each: got.append((id, each)))
    assert got == [(5, records[key_of(5)]), (6, records[key_of(6)])]
