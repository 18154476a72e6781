"""A message is acknowledged when it is on disk, offered once, and ends once."""

import asyncio
import gc

from protocol import pdus, times
from protocol.consts import MessageState, Status
from routing.message import OFFERED, SET_ASIDE, Message, Queued, SetAside, Waiting
from routing.table import Table
from smppgw.journal import PROBE
from smppgw.settings import Account, Match, Route
from tests.smppgw.bench import Asker, Bench, Carrier, Esme, told
from tests.smppgw.jumping import EPOCH, advance, epoch, jumping, settle


def answers(*askers: Asker) -> list[int | None]:
    return [asker.status for asker in askers]


def kinds(bench: Bench) -> list[int]:
    return [record[0] for record in bench.store.records.values()]


# Acknowledged after the commit


@jumping
async def test_a_message_is_acknowledged_and_offered_only_when_it_is_on_disk() -> None:
    bench = Bench()
    bench.store.hold()
    asker = bench.submit()
    await advance(100)
    assert answers(asker) == [None]
    assert not bench.carrier.queue
    bench.store.flow()
    await settle()
    assert asker.status == Status.ROK
    assert [message.destination for message in bench.carrier.queue] == [b"447700900001"]
    (record,) = bench.store.records.values()
    assert Queued.unpack(record).account == "esme"


@jumping
async def test_one_commit_serves_all_who_submitted_in_its_turn_and_the_next_one_those_who_came_meanwhile() -> None:
    bench = Bench()
    other = bench.pipeline.accounts.owner("other")
    bench.store.hold()
    first = bench.submit(b"1")
    await settle()
    second, third = bench.submit(b"2"), bench.submit(b"3", account=other)
    await settle()
    assert [len(batch) for batch in bench.store.batches] == [1]
    bench.store.flow()
    await settle()
    assert [len(batch) for batch in bench.store.batches] == [1, 2]
    assert {first.status, second.status, third.status} == {Status.ROK}
    assert [message.destination for message in bench.carrier.queue] == [b"1", b"2", b"3"]


@jumping
async def test_the_id_of_the_answer_is_16_hex_digits_and_rises() -> None:
    bench = Bench()
    ids = [asker.id for asker in await bench.accepted(b"1", b"2", b"3")]
    assert ids == sorted(set(ids))
    assert {len(id) for id in ids} == {16}


# A store that refuses


@jumping
async def test_a_commit_that_fails_refuses_its_submits_and_leaves_tombstones() -> None:
    bench = Bench()
    bench.store.trouble = "disk full"
    asker = bench.submit()
    await settle()
    assert asker.status == Status.RSYSERR
    assert not bench.pipeline.queued
    assert bench.account.queued == 0
    bench.store.trouble = ""
    await advance(PROBE)
    # A commit that failed at its very end may be on disk all the same.
    assert list(bench.store.batches[-1].values()) == [None]
    assert not bench.store.records
    assert not bench.carrier.queue


@jumping
async def test_while_the_store_refuses_new_submits_are_refused_at_once_and_then_it_resumes() -> None:
    bench = Bench()
    bench.store.trouble = "disk full"
    bench.submit()
    await settle()
    assert bench.submit().status == Status.RSYSERR
    bench.store.trouble = ""
    await advance(PROBE)
    await bench.accepted(b"1")


@jumping
async def test_what_an_upstream_took_while_the_store_refused_is_on_disk_later() -> None:
    bench = Bench()
    await bench.accepted(b"1", b"2")
    bench.sent(b"a")
    bench.store.trouble = "disk full"
    bench.sent(b"b")
    await advance(5 * PROBE)
    assert kinds(bench) == [ord("Q")] * 2
    bench.store.trouble = ""
    await advance(PROBE)
    assert kinds(bench) == [ord("W")] * 2


# ack = "upstream"


@jumping
async def test_a_transparent_relay_answers_after_the_upstream_and_the_commit() -> None:
    bench = Bench()
    asker = bench.submit(account=bench.relay)
    await settle()
    assert (asker.status, bench.store.batches) == (None, [])
    bench.store.hold()
    bench.sent(b"a")
    await settle()
    assert answers(asker) == [None]
    bench.store.flow()
    await settle()
    assert asker.status == Status.ROK
    assert kinds(bench) == [ord("W")]


@jumping
async def test_a_transparent_relay_carries_the_upstreams_refusal() -> None:
    bench = Bench()
    never, later = bench.submit(b"1", account=bench.relay), bench.submit(b"2", account=bench.relay)
    bench.pipeline.refused(bench.carrier.take(), Status.RINVDSTADR)
    bench.pipeline.later(bench.carrier.take(), 5.0, Status.RTHROTTLED)
    assert (never.status, later.status) == (Status.RINVDSTADR, Status.RTHROTTLED)
    await advance(60)
    assert not bench.carrier.queue
    assert not bench.pipeline.queued
    assert bench.relay.queued == 0


@jumping
async def test_a_transparent_relay_in_doubt_says_so_and_does_not_repeat() -> None:
    bench = Bench()
    askers = [bench.submit(b"1", account=bench.relay), bench.submit(b"2", account=bench.relay)]
    bench.pipeline.in_doubt(bench.carrier.take(), "resend")
    bench.pipeline.in_doubt(bench.carrier.take(), "hold")
    await advance(60)
    assert [asker.status for asker in askers] == [Status.RSYSERR] * 2
    assert not bench.carrier.queue
    assert not bench.store.records


@jumping
async def test_a_transparent_relay_refuses_what_expires_in_the_queue() -> None:
    bench = Bench()
    asker = bench.submit(account=bench.relay)
    bench.pipeline.expired(bench.carrier.take())
    assert asker.status == Status.RSUBMITFAIL


@jumping
async def test_a_scheduled_message_is_stored_first_also_by_a_transparent_relay() -> None:
    bench = Bench()
    asker = bench.submit(account=bench.relay, schedule_delivery_time=times.absolute(EPOCH + 60))
    await settle()
    assert asker.status == Status.ROK
    assert not bench.carrier.queue
    await advance(61)
    assert len(bench.carrier.queue) == 1


# Admission


@jumping
async def test_queues_have_limits_and_the_esme_hears_of_them() -> None:
    bench = Bench(max_queued=2)
    bench.pipeline.accounts.change([Account(name="esme", max_queued=1), Account(name="other")])
    other = bench.pipeline.accounts.owner("other")
    statuses = [bench.submit(account=each).status for each in (bench.account, bench.account, other, other)]
    assert statuses == [None, Status.RMSGQFUL, None, Status.RMSGQFUL]


@jumping
async def test_messages_that_wait_for_receipts_have_a_limit_too() -> None:
    bench = Bench(max_waiting=1)
    await bench.accepted(b"1")
    bench.sent(b"a")
    assert bench.submit().status == Status.RMSGQFUL


@jumping
async def test_no_route_is_said_at_once_and_counted() -> None:
    bench = Bench()
    bench.pipeline.table = Table([Route(name="uk", to="carrier", match=Match(destination=("44*",)))])
    assert bench.submit(b"33700900001").status == Status.RINVDSTADR
    assert bench.pipeline.counts["no_route"] == 1
    assert bench.account.queued == 0


@jumping
async def test_times_that_are_none_are_refused() -> None:
    bench = Bench()
    assert bench.submit(validity_period=b"1234567890123456").status == Status.RINVEXPIRY
    assert bench.submit(validity_period=times.absolute(EPOCH - 60)).status == Status.RINVEXPIRY
    assert bench.submit(schedule_delivery_time=b"1234567890123456").status == Status.RINVSCHED


# Times


@jumping
async def test_we_hold_a_scheduled_message_and_the_upstream_does_not() -> None:
    bench = Bench()
    await bench.accepted(b"1", schedule_delivery_time=times.absolute(EPOCH + 3600))
    await advance(3590)
    assert not bench.carrier.queue
    await advance(20)
    message = bench.carrier.take()
    assert pdus.decode_submit(message.body).schedule_delivery_time == b""


@jumping
async def test_a_scheduled_message_that_is_cancelled_leaves_no_memory_behind() -> None:
    bench = Bench()
    await bench.accepted(b"cancelled", schedule_delivery_time=times.absolute(EPOCH + 3600), registered_delivery=0)
    bench.pipeline.cancel(next(iter(bench.pipeline.queued.values())))
    await advance(1)
    gc.collect()
    left = [each for each in gc.get_objects() if isinstance(each, Message) and each.destination == b"cancelled"]
    assert not left


@jumping
async def test_a_schedule_follows_the_clock_when_somebody_sets_it() -> None:
    for by, waits in ((7200.0, 120.0), (-3600.0, 2 * 7200.0)):
        bench = Bench()
        shift = [0.0]
        bench.pipeline.clock = lambda shift=shift: epoch() + shift[0]  # type: ignore[misc]
        await bench.accepted(b"1", schedule_delivery_time=times.absolute(epoch() + 7200))
        await advance(60)
        shift[0] = by
        bench.pipeline.look_at_clock()
        if by < 0:
            await advance(7200)
            assert not bench.carrier.queue, "not before its time"
        await advance(waits)
        assert len(bench.carrier.queue) == 1


@jumping
async def test_validity_is_that_of_the_message_or_of_the_gateway() -> None:
    bench = Bench(validity=100.0)
    await bench.accepted(b"1")
    await bench.accepted(b"2", validity_period=times.relative(30))
    assert [round(message.expires - EPOCH) for message in bench.carrier.queue] == [100, 30]


@jumping
async def test_what_expires_in_a_queue_is_told() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    (asker,) = await bench.accepted(b"1")
    bench.pipeline.expired(bench.carrier.take())
    await settle()
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.EXPIRED)]
    assert bench.account.queued == 0


# What became of an offer


@jumping
async def test_a_sent_message_waits_for_its_receipt() -> None:
    bench = Bench()
    await bench.accepted(b"1")
    bench.sent(b"a")
    await advance(1)
    (record,) = bench.store.records.values()
    waiting = Waiting.unpack(record)
    assert (waiting.connector, waiting.parts, waiting.text) == (b"carrier", ((b"a", 0),), b"hello")
    assert not bench.pipeline.queued
    assert bench.account.queued == 0


@jumping
async def test_a_sent_message_without_a_receipt_to_come_is_gone() -> None:
    bench = Bench()
    await bench.accepted(b"1", registered_delivery=0)
    bench.sent(b"a")
    await advance(1)
    assert not bench.store.records
    assert not len(bench.pipeline.ledger)


@jumping
async def test_a_refused_message_ends_and_its_receipt_names_the_status() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    (asker,) = await bench.accepted(b"1")
    bench.pipeline.refused(bench.carrier.take(), Status.RINVDSTADR)
    await settle()
    (delivery,) = esme.got
    assert told(delivery) == (asker.id, MessageState.UNDELIVERABLE)
    assert b" err:011 " in delivery.body


@jumping
async def test_a_refused_message_whose_esme_wants_no_receipt_is_gone() -> None:
    bench = Bench()
    await bench.accepted(b"1", registered_delivery=0)
    bench.pipeline.refused(bench.carrier.take(), Status.RINVDSTADR)
    await advance(1)
    assert not bench.store.records
    assert not bench.pipeline.queued


@jumping
async def test_later_means_after_the_delay() -> None:
    bench = Bench()
    await bench.accepted(b"1")
    message = bench.carrier.take()
    bench.pipeline.later(message, 30.0, Status.RTHROTTLED)
    await advance(29)
    assert not bench.carrier.queue
    await advance(2)
    assert list(bench.carrier.queue) == [message]
    assert (message.attempts, message.offered) == (1, False)


@jumping
async def test_a_dropped_offer_goes_again_before_all_others() -> None:
    bench = Bench()
    await bench.accepted(b"1", b"2")
    bench.pipeline.in_doubt(bench.carrier.take(), "resend")
    assert [message.destination for message in bench.carrier.queue] == [b"1", b"2"]
    assert bench.pipeline.counts["in_doubt"] == 1


@jumping
async def test_an_unanswered_offer_goes_again_after_its_delay() -> None:
    bench = Bench()
    await bench.accepted(b"1", b"2")
    bench.pipeline.in_doubt(bench.carrier.take(), "resend", 30.0)
    await advance(31)
    assert [message.destination for message in bench.carrier.queue] == [b"2", b"1"]


@jumping
async def test_a_message_in_doubt_is_held_for_a_person_where_the_config_says_so() -> None:
    bench = Bench()
    (asker,) = await bench.accepted(b"1")
    message = bench.carrier.take()
    bench.pipeline.in_doubt(message, "hold")
    await advance(1)
    ((key, record),) = bench.store.records.items()
    assert (b"%016x" % int.from_bytes(key, "big"), record[0]) == (asker.id, SET_ASIDE)
    aside = SetAside.unpack(record)
    assert "in doubt" in aside.reason
    assert Queued.unpack(aside.record).body == message.body
    assert (bench.pipeline.returns.aside, bench.account.queued) == (1, 0)


@jumping
async def test_the_mark_of_an_offer_is_on_disk_before_the_offer() -> None:
    bench = Bench()
    await bench.accepted(b"1")
    message, offered = bench.carrier.take(), list[Message]()
    bench.store.hold()
    bench.pipeline.mark_offered(message, lambda: offered.append(message))
    await advance(1)
    assert not offered
    bench.store.flow()
    await settle()
    assert offered == [message]
    (record,) = bench.store.records.values()
    assert Queued.unpack(record).flags & OFFERED


# Routes


def two_ways(bench: Bench) -> Carrier:
    """A second carrier, the fallback of the only route."""
    other = Carrier(b"other")
    bench.pipeline.upstreams["other"] = other
    bench.pipeline.table = Table([Route(name="all", to="carrier", fallback=("other",))])
    return other


@jumping
async def test_a_route_leads_to_its_fallback_while_its_target_is_hopeless() -> None:
    bench = Bench()
    other = two_ways(bench)
    bench.carrier.hopeless = True
    await bench.accepted(b"1")
    bench.carrier.hopeless = False
    await bench.accepted(b"2")
    assert [message.destination for message in other.queue] == [b"1"]
    assert [message.destination for message in bench.carrier.queue] == [b"2"]


@jumping
async def test_where_all_are_hopeless_messages_wait_for_the_first() -> None:
    bench = Bench()
    other = two_ways(bench)
    bench.carrier.hopeless = other.hopeless = True
    await bench.accepted(b"1")
    assert (len(bench.carrier.queue), len(other.queue)) == (1, 0)


@jumping
async def test_a_message_that_goes_again_takes_the_fallback_if_its_target_is_hopeless_by_then() -> None:
    bench = Bench()
    other = two_ways(bench)
    await bench.accepted(b"1")
    bench.carrier.hopeless = True
    bench.pipeline.again(bench.carrier.take())
    assert len(other.queue) == 1


@jumping
async def test_after_a_reload_messages_take_the_new_routes() -> None:
    bench = Bench()
    await bench.accepted(b"1", b"2")
    left = [bench.carrier.take(), bench.carrier.take()]
    new = Carrier(b"new")
    bench.pipeline.upstreams = {"new": new}
    bench.pipeline.table = Table([Route(name="all", to="new")])
    bench.pipeline.reoffer(left)
    assert list(new.queue) == left
    assert new.pumped == 1


@jumping
async def test_a_message_that_no_route_matches_any_more_is_undeliverable() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    (asker,) = await bench.accepted(b"1")
    bench.pipeline.table = Table(())
    bench.pipeline.reoffer([bench.carrier.take()])
    await settle()
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.UNDELIVERABLE)]


# What ESMEs ask


def only(bench: Bench) -> Message:
    (message,) = bench.pipeline.queued.values()
    return message


@jumping
async def test_a_cancelled_message_is_told_and_passed_over() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    (asker,) = await bench.accepted(b"1")
    message = only(bench)
    bench.pipeline.cancel(message)
    await settle()
    assert message.gone
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.DELETED)]


@jumping
async def test_a_cancelled_message_that_waits_for_its_time_is_not_offered() -> None:
    bench = Bench()
    await bench.accepted(b"1", schedule_delivery_time=times.absolute(EPOCH + 60))
    bench.pipeline.cancel(only(bench))
    await advance(120)
    assert not bench.carrier.queue


@jumping
async def test_a_replaced_message_has_its_new_body_on_disk_and_in_its_receipt() -> None:
    bench = Bench()
    await bench.accepted(b"1")
    message = only(bench)
    new = pdus.decode_submit(message.body)._replace(short_message=b"changed")
    bench.pipeline.replace(message, new)
    await advance(1)
    (record,) = bench.store.records.values()
    assert pdus.decode_submit(Queued.unpack(record).body).short_message == b"changed"
    bench.sent(b"a")
    await advance(1)
    (record,) = bench.store.records.values()
    assert Waiting.unpack(record).text == b"changed"


@jumping
async def test_a_replacement_may_bring_a_scheduled_message_forward() -> None:
    bench = Bench()
    await bench.accepted(b"1", schedule_delivery_time=times.absolute(EPOCH + 3600))
    message = only(bench)
    sooner = pdus.decode_submit(message.body)._replace(schedule_delivery_time=times.absolute(EPOCH + 60))
    bench.pipeline.replace(message, sooner)
    await advance(61)
    assert len(bench.carrier.queue) == 1
    bench.carrier.take()
    await advance(3600)
    assert not bench.carrier.queue


# Exactly once, in small


@jumping
async def test_what_ended_while_its_commit_was_under_way_is_not_offered() -> None:
    bench = Bench()
    (asker,) = (bench.submit(b"1"),)
    asker.heard = lambda: bench.pipeline.cancel(only(bench))
    await settle()
    assert not bench.carrier.queue
    assert not bench.pipeline.queued


@jumping
async def test_a_receipt_stays_behind_the_answer_that_names_its_id() -> None:
    bench = Bench()
    esme = Esme(bench.relay)
    asker = bench.submit(account=bench.relay)
    answered = asyncio.Event()
    asker.heard = answered.set
    bench.receipt(b"a")
    await settle()
    bench.sent(b"a")
    await answered.wait()
    bench.relay.outbox.pump()  # as any other link of the account does when something is read from it
    assert not esme.got, "the answer is not written yet"
    await settle()
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.DELIVERED)]


@jumping
async def test_where_messages_came_back_to_is_pumped_once() -> None:
    bench = Bench()
    await bench.accepted(b"1", b"2")
    taken, pumped = [bench.carrier.take(), bench.carrier.take()], bench.carrier.pumped
    for message in reversed(taken):
        bench.pipeline.again(message)
    await settle()
    assert list(bench.carrier.queue) == taken
    assert bench.carrier.pumped == pumped + 1


@jumping
async def test_what_is_in_doubt_with_one_connector_ends_as_unknown_when_it_expires() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    await bench.accepted(b"1")
    message = bench.carrier.take()
    bench.pipeline.in_doubt(message, "again", 5.0)
    bench.pipeline.expired(message)
    await settle()
    assert [delivery.state for delivery in esme.got] == [MessageState.UNKNOWN]


@jumping
async def test_a_stored_part_of_a_transparent_relay_is_answered_and_gets_its_validity_back() -> None:
    bench = Bench(upstream_ack_wait=10.0, validity=3600.0)
    asker = bench.submit(account=bench.relay, esm_class=0x40, short_message=b"\5\0\3\1\2\1part")
    (message,) = bench.pipeline.queued.values()
    assert message.expires == message.born + 10.0
    bench.pipeline.keep(message)
    await settle()
    assert asker.status == Status.ROK
    assert message.expires == message.born + 3600.0
    assert len(bench.store.records) == 1


@jumping
async def test_a_stored_part_that_is_refused_before_its_answer_leaves_nothing() -> None:
    bench = Bench()
    asker = bench.submit(account=bench.relay, esm_class=0x40, short_message=b"\5\0\3\1\2\1part")
    (message,) = bench.pipeline.queued.values()
    bench.pipeline.keep(message)
    bench.pipeline.refused(message, Status.RSUBMITFAIL)
    await advance(1)
    assert asker.status == Status.RSUBMITFAIL
    assert bench.store.records == {}


@jumping
async def test_a_message_is_offered_again_no_more_often_than_it_may_be() -> None:
    bench = Bench()
    bench.pipeline.most_retries = 1
    await bench.accepted(b"447700900001")
    for _ in range(2):
        message = bench.carrier.take()
        bench.pipeline.later(message, 1.0, Status.RTHROTTLED)
        await advance(2.0)
    assert not bench.carrier.queue
    assert not bench.pipeline.queued
