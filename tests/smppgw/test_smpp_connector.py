"""A connector keeps its binds, its window and its order, and reads what the SMSC says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from structlog.testing import capture_logs

from protocol import pdus, times, tlv
from protocol.consts import Command, EsmClass, MessageState, Status, Tag
from protocol.pdus import DataSm, QuerySm, SubmitSm
from protocol.receipt import Receipt
from protocol.session import Answered
from routing.groups import Group
from routing.message import SET_ASIDE
from routing.table import MoTable
from smppgw.settings import Connector as Settings
from smppgw.settings import Limits, MoRoute
from smppgw.smpp.connector import Connector
from smppgw.smpp.keeper import SAY
from smppgw.targets import Target
from tests.smppgw.bench import Asker, Bench, Esme, Said, told
from tests.smppgw.jumping import advance, jumping, settle, until
from tests.smppgw.upstream import Upstream


class Desk:
    """A bench whose carrier is a real connector."""

    def __init__(self, bench: Bench, connector: Connector) -> None:
        self.bench = bench
        self._lead_to(connector)

    def _lead_to(self, connector: Connector) -> None:
        self.connector = connector
        pipeline, loop = self.bench.pipeline, asyncio.get_running_loop()
        self.target = Target("carrier", Group([(connector.name, 1)]), {connector.name: connector}, pipeline, loop.time)
        connector.targets = [self.target]
        pipeline.upstreams = {"carrier": self.target}
        pipeline.returns.sources = {connector.name_octets: connector}

    def another(self, **settings: Any) -> Connector:
        """With other settings; nobody wants it so far."""
        given = self.connector.settings.model_copy(update=settings)
        return Connector(given, Limits(), self.bench.pipeline, asyncio.get_running_loop())

    def reload(self, **settings: Any) -> Connector:
        """Another connector takes its place; returns the one before, which waits for its answers."""
        before = self.connector
        self._lead_to(self.another(**settings))
        before.stop()
        self.bench.pipeline.returns.retired = [before]
        return before

    async def submit(self, *numbers: bytes, **fields: Any) -> list[Asker]:
        return await self.bench.accepted(*numbers, **fields)

    def kinds(self) -> bytes:
        return bytes(record[0] for record in self.bench.store.records.values())


def receipt(id: bytes, state: bytes = b"DELIVRD") -> SubmitSm:
    return SubmitSm(esm_class=EsmClass.RECEIPT, short_message=b"id:%b stat:%b err:000" % (id, state))


@asynccontextmanager
async def connected(
    upstream: Upstream | None = None, up: bool = True, **settings: Any
) -> AsyncIterator[tuple[Upstream, Desk]]:
    async with upstream or Upstream() as smsc:
        bench = Bench()
        given = {"name": "c", "host": "127.0.0.1", "port": smsc.port, "system_id": "me", **settings}
        loop = asyncio.get_running_loop()
        connector = Connector(Settings.model_validate(given), Limits(), bench.pipeline, loop)
        desk = Desk(bench, connector)
        if up:
            await until(lambda: len(connector.binds) == connector.settings.binds)
        try:
            yield smsc, desk
        finally:
            smsc.drop()
            desk.connector.stop()
            await until(lambda: not desk.connector.binds)
            await desk.connector.stopped()


# Binding


@jumping
async def test_it_binds_as_the_config_says() -> None:
    for mode, command in (
        ("transmitter", Command.BIND_TRANSMITTER),
        ("receiver", Command.BIND_RECEIVER),
        ("transceiver", Command.BIND_TRANSCEIVER),
    ):
        async with connected(bind=mode, password="secret", system_type="VMA", interface_version="5.0") as (smsc, desk):
            assert desk.connector.up is (mode != "receiver")
        assert smsc.binds == [(command, pdus.Bind(b"me", b"secret", b"VMA", 0x50))]


@jumping
async def test_it_keeps_as_many_binds_as_the_config_says() -> None:
    async with connected(binds=3) as (smsc, desk):
        assert len(smsc.links) == 3
        smsc.links[0].transport.abort()
        await until(lambda: len(desk.connector.binds) == 2)
        assert desk.connector.up
        await advance(2)
        assert len(desk.connector.binds) == 3


@jumping
async def test_it_waits_longer_each_time_with_jitter_and_starts_anew_after_a_stable_bind() -> None:
    smsc = Upstream()
    smsc.verdict = Status.RBINDFAIL
    loop = asyncio.get_running_loop()
    async with connected(smsc, up=False, rebind=(10.0, 100.0)) as (smsc, desk):
        times: list[float] = []
        for attempt in range(8):
            while smsc.connections <= attempt:
                await advance(0.5)
            times.append(loop.time())
        waits = [later - earlier for earlier, later in pairwise(times)]
        assert 7 <= waits[0] <= 13
        assert all(79 <= wait <= 121 for wait in waits[1:])
        assert len({round(wait, 3) for wait in waits}) > 3, "with jitter"
        smsc.verdict = Status.ROK
        await advance(121)
        assert desk.connector.up
        await advance(60)
        smsc.drop()
        await until(lambda: not desk.connector.up)
        await advance(12.5)
        assert desk.connector.up


@jumping
async def test_it_raises_an_alert_after_repeated_failures_and_takes_it_back() -> None:
    smsc = Upstream()
    smsc.verdict = Status.RINVPASWD
    async with connected(smsc, up=False, rebind=(1.0,), alert_after=3) as (smsc, desk):
        connector = desk.connector
        failures: list[int] = []
        while len(failures) < 4:
            await advance(0.1)
            if connector.failures not in failures:
                failures.append(connector.failures)
                assert connector.alerting is (connector.failures >= 3)
        assert "0x0E" in connector.last_error
        assert "RINVPASWD" in connector.last_error
        smsc.verdict = Status.ROK
        await advance(2)
        assert (connector.alerting, connector.failures, connector.last_error) == (False, 0, "")


@jumping
async def test_a_bind_that_fails_for_hours_is_said_at_first_then_seldom_and_each_new_reason_at_once() -> None:
    smsc = Upstream()
    smsc.verdict = Status.RINVPASWD
    with capture_logs() as events:
        async with connected(smsc, up=False, rebind=(1.0,)) as (smsc, desk):
            await advance(3600)
            failures = desk.connector.failures
            smsc.verdict = Status.RBINDFAIL
            await advance(2)
            smsc.verdict = Status.ROK
            await advance(2)
            smsc.verdict = Status.RINVPASWD
            smsc.drop()
            await until(lambda: not desk.connector.up)
            await advance(1.3)
            assert desk.connector.failures == 1
    failed = [event for event in events if event["event"] == "bind failed"]
    said = [event for event in failed if event["log_level"] == "warning"]
    assert [event["in_a_row"] for event in said[:10]] == [2**n for n in range(10)]
    assert len([event for event in said if "RINVPASWD" in event["reason"]]) <= 10 + 3600 / SAY + 3
    assert said[-2]["in_a_row"] >= failures, "the SMSC says something else"
    assert "RBINDFAIL" in said[-2]["reason"]
    assert (said[-1]["in_a_row"], "RINVPASWD" in said[-1]["reason"]) == (1, True), "after a bind it is news again"
    assert {event["log_level"] for event in failed} == {"warning", "debug"}


@jumping
async def test_nobody_there_is_a_failure_too() -> None:
    async with Upstream() as gone:
        port = gone.port
    async with connected(up=False, rebind=(1.0,), port=port) as (_, desk):
        await advance(3)
        assert desk.connector.failures >= 2
        assert str(port) in desk.connector.last_error


@jumping
async def test_a_host_that_no_dns_can_have_is_a_failure_too() -> None:
    async with connected(up=False, rebind=(1.0,)) as (_, desk):
        connector = desk.connector
        connector.settings = connector.settings.model_copy(update={"host": "smsc..example"})
        await advance(3)
        assert connector.failures >= 2
        assert connector.last_error.endswith("no host can have this name")


@jumping
async def test_what_nobody_wants_is_unbound_once_its_answers_came() -> None:
    async with connected() as (smsc, desk):
        await desk.submit(b"1", b"2")
        await until(lambda: len(smsc.asked) == 2)
        desk.connector.want(desk.target, False)
        await desk.submit(b"3")
        assert not desk.connector.up
        await settle()
        assert len(smsc.links) == 1
        smsc.accept(b"a", b"b")
        await until(lambda: not smsc.links)
        await advance(60)
        assert smsc.connections == 1
        assert [message.destination for message in desk.target.queue] == [b"3"]
        assert len(desk.bench.pipeline.ledger) == 2


@jumping
async def test_what_is_wanted_again_while_it_is_let_go_has_no_more_binds_than_before() -> None:
    async with connected(rebind=(1.0,)) as (smsc, desk):
        await desk.submit(b"1")
        await until(lambda: smsc.asked)
        desk.connector.want(desk.target, False)
        desk.connector.want(desk.target, True)
        await settle()
        smsc.accept(b"a")
        await until(lambda: not smsc.links)
        await advance(60)
        assert desk.connector.up
        assert (len(smsc.links), smsc.connections) == (1, 2)


# Sending


@jumping
async def test_a_submit_passes_octet_for_octet() -> None:
    async with connected() as (smsc, desk):
        extra = tlv.encode([(0x1400, b"vendor"), (Tag.USER_MESSAGE_REFERENCE, b"\0\1")])
        await desk.submit(b"1", source_addr_ton=9, data_coding=0xF0, priority_flag=2, tlvs=extra)
        await until(lambda: smsc.asked)
        (pdu,) = smsc.submits
        assert (pdu.source_addr_ton, pdu.data_coding, pdu.priority_flag, pdu.tlvs) == (9, 0xF0, 2, extra)


@jumping
async def test_the_window_is_never_exceeded_and_all_is_sent_in_order() -> None:
    async with connected(window=3) as (smsc, desk):
        numbers = [b"%d" % n for n in range(10)]
        await desk.submit(*numbers)
        seen: list[bytes] = []
        for n in range(10):
            await until(lambda n=n: len(smsc.asked) == min(3, 10 - n))  # type: ignore[misc]
            await settle()
            assert len(smsc.asked) <= 3
            seen.append(smsc.numbers[0])
            smsc.accept(b"%d" % n)
        assert seen == numbers


@jumping
async def test_the_rate_is_never_exceeded() -> None:
    async with connected(rate=10.0, burst=1.0) as (smsc, desk):
        await desk.submit(*(b"%d" % n for n in range(30)))
        await advance(1.05)
        assert 10 <= len(smsc.asked) <= 12
        await advance(3)
        assert smsc.numbers == [b"%d" % n for n in range(30)]


@jumping
async def test_the_rate_is_never_exceeded_where_each_offer_is_marked_first() -> None:
    async with connected(rate=10.0, burst=1.0, in_doubt="hold") as (smsc, desk):
        await desk.submit(*(b"%d" % n for n in range(30)))
        await advance(1.05)
        assert 10 <= len(smsc.asked) <= 12
        await advance(3)
        assert smsc.numbers == [b"%d" % n for n in range(30)]


@jumping
async def test_the_segments_of_long_messages_keep_to_the_rate_too() -> None:
    async with connected(rate=10.0, burst=1.0, long_messages="udh8") as (smsc, desk):
        await desk.submit(*(b"%d" % n for n in range(4)), short_message=b"", tlvs=LONG)
        await advance(1.05)
        assert len(smsc.asked) <= 12
        await advance(3)
        assert len(smsc.asked) == 16


@jumping
async def test_binds_share_the_load() -> None:
    async with connected(binds=2, window=5) as (smsc, desk):
        await desk.submit(*(b"%d" % n for n in range(10)))
        await until(lambda: len(smsc.asked) == 10)
        assert {sum(1 for link, _ in smsc.asked if link is each) for each in smsc.links} == {5}


@jumping
async def test_parts_of_a_message_go_by_one_bind_in_order() -> None:
    async with connected(binds=3) as (smsc, desk):
        for number in (1, 2, 3, 4):
            await desk.submit(b"1", esm_class=0x40, short_message=b"\5\0\3\7\4" + bytes((number,)) + b"text")
        await until(lambda: len(smsc.asked) == 4)
        assert len({id(link) for link, _ in smsc.asked}) == 1
        assert [pdu.short_message[5] for pdu in smsc.submits] == [1, 2, 3, 4]


# Answers


@jumping
async def test_every_status_means_what_the_error_table_says() -> None:
    errors = {"sent": [0x45], "later": [0x58, 0x14, 0x08], "never": [0x0B]}
    async with connected(errors=errors, retry=(1000.0,), pause=0.1) as (smsc, desk):
        waiting = {}
        for status in (0x00, 0x45, 0x08, 0x0B, 0x64, 0x400):
            (asker,) = await desk.submit(b"%d" % status)
            await until(lambda: smsc.asked)
            smsc.answer(status, b"id\0" if not status else b"")
            await until(lambda: desk.connector.in_flight == 0)
            id = int(asker.id, 16)
            pipeline = desk.bench.pipeline
            waiting[status] = "sent" if id in pipeline.ledger.waiting else "later" if id in pipeline.queued else "never"
        assert waiting == {0: "sent", 0x45: "sent", 0x08: "later", 0x0B: "never", 0x64: "never", 0x400: "never"}
        assert desk.connector.counts.outcomes == {"sent": 2, "later": 1, "never": 3}


@jumping
async def test_a_throttled_connector_pauses_and_goes_on_in_order() -> None:
    for status in (Status.RTHROTTLED, Status.RMSGQFUL):
        async with connected(pause=10.0) as (smsc, desk):
            await desk.submit(b"1", b"2", b"3")
            await until(lambda: len(smsc.asked) == 3)
            for _ in range(3):  # each in a read of its own
                smsc.answer(status)
                left = len(smsc.asked)
                await until(lambda left=left: desk.connector.in_flight == left)  # type: ignore[misc]
            await desk.submit(b"4")
            assert desk.connector.paused
            await advance(9)
            assert not smsc.asked
            await advance(2)
            assert smsc.numbers == [b"1", b"2", b"3", b"4"]
            assert not desk.connector.paused


@jumping
async def test_a_generic_nack_without_a_status_is_no_success() -> None:
    async with connected() as (smsc, desk):
        asker = desk.bench.submit(account=desk.bench.relay)
        (stored,) = await desk.submit(b"2")
        await until(lambda: len(smsc.asked) == 2)
        smsc.nack(0)
        smsc.nack(0)
        await until(lambda: desk.connector.in_flight == 0)
        await settle()
        assert asker.status not in (None, Status.ROK)
        assert int(stored.id, 16) not in desk.bench.pipeline.queued
        assert not len(desk.bench.pipeline.ledger)


@jumping
async def test_an_answer_that_cannot_be_read_has_sent_its_message_all_the_same() -> None:
    async with connected() as (smsc, desk):
        await desk.submit(b"1")
        await until(lambda: smsc.asked)
        smsc.answer(Status.ROK, b"x" * 80)
        await until(lambda: len(desk.bench.pipeline.ledger) == 1)


@jumping
async def test_a_drop_sends_what_was_not_answered_again_first_and_in_order() -> None:
    async with connected(rebind=(1.0,), window=3) as (smsc, desk):
        await desk.submit(b"1", b"2", b"3", b"4")
        await until(lambda: len(smsc.asked) == 3)
        smsc.accept(b"a")
        await until(lambda: smsc.numbers == [b"2", b"3", b"4"])
        smsc.drop()
        await until(lambda: not desk.connector.up)
        await advance(2)
        assert smsc.numbers == [b"2", b"3", b"4"]
        assert desk.bench.pipeline.counts["in_doubt"] == 3


@jumping
async def test_a_message_that_is_never_answered_keeps_nobody_waiting() -> None:
    async with connected(window=1, response=5.0, retry=(60.0,)) as (smsc, desk):
        await desk.submit(b"1", b"2")
        await until(lambda: smsc.asked)
        await advance(6)
        desk.connector.tick()
        await until(lambda: len(smsc.asked) == 2)
        assert smsc.numbers == [b"1", b"2"]
        smsc.answer(Status.ROK, b"late\0")  # too late: it is in doubt
        smsc.accept(b"b")
        await until(lambda: len(desk.bench.pipeline.ledger) == 1)
        assert desk.connector.counts.lapsed == 1
        await advance(61)
        assert smsc.numbers == [b"1"]


# in_doubt = "hold"


@jumping
async def test_the_offer_waits_for_its_mark_where_doubt_is_held() -> None:
    async with connected(in_doubt="hold") as (_, desk):
        desk.bench.submit(b"1")
        await until(lambda: desk.connector.in_flight == 1)
        marked = [record[1] for record in desk.bench.store.records.values()]
        assert marked == [1]


@jumping
async def test_a_drop_between_mark_and_offer_is_no_doubt() -> None:
    async with connected(in_doubt="hold", rebind=(1.0,)) as (smsc, desk):
        store = desk.bench.store
        desk.bench.submit(b"1").heard = store.hold  # so that the commit of the mark waits
        await until(lambda: len(store.batches) == 2)
        smsc.drop()
        await until(lambda: not desk.connector.up)
        desk.bench.store.flow()
        await settle()
        assert not desk.bench.pipeline.counts["in_doubt"]
        await advance(2)
        assert smsc.numbers == [b"1"]


@jumping
async def test_what_was_not_answered_before_a_drop_is_held_for_a_person() -> None:
    async with connected(in_doubt="hold", rebind=(1.0,)) as (smsc, desk):
        await desk.submit(b"1", b"2")
        await until(lambda: len(smsc.asked) == 2)
        smsc.accept(b"a")
        await until(lambda: desk.connector.in_flight == 1)
        smsc.drop()
        await until(lambda: not desk.connector.up)
        await advance(2)
        assert not smsc.asked
        assert sorted(desk.kinds()) == sorted(b"WX")
        assert desk.bench.pipeline.returns.aside == 1
        assert SET_ASIDE in desk.kinds()


@jumping
async def test_parts_that_are_marked_first_keep_to_the_window_of_their_bind() -> None:
    async with connected(in_doubt="hold", binds=2, window=3) as (smsc, desk):
        await desk.submit(*[b"1"] * 10, esm_class=0x40, short_message=b"\5\0\3\7\2\1text")
        await until(lambda: len(smsc.asked) == 3)
        await settle()
        assert len(smsc.asked) == 3
        smsc.accept(b"a")
        await until(lambda: len(smsc.asked) == 3)


@jumping
async def test_what_is_marked_after_a_long_message_waits_for_its_segments_and_the_window() -> None:
    async with connected(in_doubt="hold", long_messages="udh8", window=3) as (smsc, desk):
        desk.bench.submit(b"1", short_message=b"", tlvs=LONG)
        desk.bench.submit(b"2")
        desk.bench.submit(b"3")
        seen = []
        for n in range(6):
            await until(lambda n=n: len(smsc.asked) == min(3, 6 - n))  # type: ignore[misc]
            await settle()
            assert len(smsc.asked) <= 3
            seen.append(smsc.numbers[0])
            smsc.accept(b"%d" % n)
        assert seen == [b"1"] * 4 + [b"2", b"3"]


@jumping
async def test_what_is_marked_while_the_upstream_asks_for_a_pause_waits_for_its_end() -> None:
    async with connected(in_doubt="hold", pause=10.0) as (smsc, desk):
        store = desk.bench.store
        await desk.submit(b"1")
        await until(lambda: smsc.asked)
        desk.bench.submit(b"2").heard = store.hold  # so that the commit of the mark waits
        await until(lambda: len(store.batches) == 4)
        smsc.answer(Status.RTHROTTLED)
        await until(lambda: desk.connector.paused)
        store.flow()
        await settle()
        assert not smsc.asked
        await advance(11)
        assert sorted(smsc.numbers) == [b"1", b"2"]


@jumping
async def test_what_is_marked_and_not_sent_before_a_drop_is_no_doubt() -> None:
    async with connected(in_doubt="hold", long_messages="udh8", window=2, rebind=(1.0,)) as (smsc, desk):
        desk.bench.submit(b"1", short_message=b"", tlvs=LONG)
        desk.bench.submit(b"2")
        await until(lambda: len(smsc.asked) == 2)
        await settle()
        smsc.drop()
        await until(lambda: not desk.connector.up)
        assert desk.bench.pipeline.counts["in_doubt"] == 1
        await advance(2)
        assert smsc.numbers == [b"2"]


# Long messages

LONG = tlv.encode([(Tag.MESSAGE_PAYLOAD, b"x" * 600)])
"""Four segments."""


@jumping
async def test_a_long_message_is_split_and_its_receipts_are_gathered() -> None:
    async with connected(long_messages="udh8", window=2) as (smsc, desk):
        esme = Esme(desk.bench.account)
        (asker,) = await desk.submit(b"1", short_message=b"", tlvs=LONG)
        texts = b""
        for n in range(4):
            await until(lambda: smsc.asked)
            pdu = smsc.submits[0]
            assert pdu.esm_class == EsmClass.UDHI
            assert pdu.short_message[:3] == b"\5\0\3"
            assert tuple(pdu.short_message[4:6]) == (4, n + 1)
            texts += pdu.short_message[6:]
            smsc.accept(b"%d" % n)
        assert texts == b"x" * 600
        await until(lambda: len(desk.bench.pipeline.ledger) == 1)
        for n in (2, 0, 3):
            smsc.deliver(receipt(b"%d" % n))
        await until(lambda: len(smsc.answered) == 3)
        assert not esme.got
        smsc.deliver(receipt(b"1", b"UNDELIV"))
        await until(lambda: esme.got)
        assert told(esme.got[0]) == (asker.id, MessageState.UNDELIVERABLE)


@jumping
async def test_a_refused_segment_ends_the_message_and_the_rest_of_it_is_not_sent() -> None:
    async with connected(long_messages="udh8", window=2) as (smsc, desk):
        esme = Esme(desk.bench.account)
        (asker,) = await desk.submit(b"1", short_message=b"", tlvs=LONG)
        await until(lambda: len(smsc.asked) == 2)
        smsc.answer(Status.RINVDSTADR)
        smsc.accept(b"b")
        await until(lambda: esme.got)
        assert told(esme.got[0]) == (asker.id, MessageState.UNDELIVERABLE)
        await desk.submit(b"2")
        await until(lambda: smsc.asked)
        assert smsc.numbers == [b"2"]


@jumping
async def test_a_throttled_segment_is_sent_again_alone() -> None:
    for status, seconds in ((Status.RTHROTTLED, 10.0), (Status.RSYSERR, 60.0)):
        async with connected(long_messages="udh8", window=4, pause=10.0, retry=(60.0,)) as (smsc, desk):
            await desk.submit(b"1", short_message=b"", tlvs=LONG)
            await until(lambda: len(smsc.asked) == 4)
            smsc.answer(status, place=1)
            smsc.accept(b"a", b"c", b"d")
            await until(lambda: desk.connector.in_flight == 0)
            await advance(seconds + 1)
            await until(lambda: smsc.asked)
            assert [pdu.short_message[5] for pdu in smsc.submits] == [2]
            smsc.accept(b"b")
            await until(lambda: len(desk.bench.pipeline.ledger) == 1)
            assert desk.bench.account.queued == 0


@jumping
async def test_the_receipt_of_a_segment_is_kept_while_another_is_put_off() -> None:
    async with connected(long_messages="udh8", retry=(60.0,)) as (smsc, desk):
        esme = Esme(desk.bench.account)
        (asker,) = await desk.submit(b"1", short_message=b"x" * 200)
        await until(lambda: len(smsc.asked) == 2)
        smsc.accept(b"a")
        smsc.answer(Status.RSYSERR)
        smsc.deliver(receipt(b"a"))
        await advance(30)
        assert [status for _, status in smsc.answered] == [Status.ROK]
        await advance(31)
        smsc.accept(b"b")
        await until(lambda: len(desk.bench.pipeline.ledger) == 1)
        smsc.deliver(receipt(b"b"))
        await until(lambda: esme.got)
        assert told(esme.got[0]) == (asker.id, MessageState.DELIVERED)
        assert not desk.connector.sending((b"a",))


@jumping
@pytest.mark.parametrize("status", [Status.RSYSERR, Status.RMSGQFUL])
async def test_a_message_of_which_a_segment_is_put_off_again_and_again_expires(status: Status) -> None:
    async with connected(long_messages="udh8", retry=(5.0,), pause=1.0) as (smsc, desk):
        esme = Esme(desk.bench.account)
        (asker,) = await desk.submit(b"1", short_message=b"x" * 200, validity_period=times.relative(60))
        await until(lambda: len(smsc.asked) == 2)
        smsc.accept(b"a")
        await desk.submit(b"2")
        for _ in range(70):
            while b"1" in smsc.numbers:
                smsc.answer(status, place=smsc.numbers.index(b"1"))
            await advance(1)
        assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.EXPIRED)]
        assert smsc.numbers == [b"2"], "it keeps nobody waiting any more"


@jumping
async def test_a_drop_between_segments_puts_the_message_in_doubt_once() -> None:
    async with connected(long_messages="udh8", window=2, rebind=(1.0,)) as (smsc, desk):
        await desk.submit(b"1", short_message=b"", tlvs=LONG)
        await until(lambda: len(smsc.asked) == 2)
        smsc.accept(b"a")
        await until(lambda: len(smsc.asked) == 2)
        smsc.drop()
        await until(lambda: not desk.connector.up)
        await advance(2)
        assert [pdu.short_message[5] for pdu in smsc.submits] == [1, 2]
        assert desk.bench.pipeline.counts["in_doubt"] == 1


@jumping
async def test_a_long_message_that_is_half_sent_at_a_reload_is_ended_by_the_connector_before() -> None:
    async with connected(long_messages="udh8", window=1) as (smsc, desk):
        await desk.submit(b"1", short_message=b"", tlvs=LONG)
        await until(lambda: smsc.asked)
        desk.reload(window=2)
        await until(lambda: len(smsc.links) == 2)
        for number in (1, 2, 3, 4):
            await until(lambda: smsc.asked)
            assert [pdu.short_message[5] for pdu in smsc.submits] == [number]
            smsc.accept(b"%d" % number)
        await until(lambda: len(smsc.links) == 1)
        assert not desk.bench.pipeline.counts["in_doubt"]
        assert len(desk.bench.pipeline.ledger) == 1


@jumping
async def test_all_segments_go_by_one_bind() -> None:
    async with connected(long_messages="udh8", window=2, binds=2) as (smsc, desk):
        await desk.submit(b"1", short_message=b"", tlvs=LONG)
        links = set()
        for n in range(4):
            await until(lambda: smsc.asked)
            links.add(id(smsc.asked[0][0]))
            smsc.accept(b"%d" % n)
        assert len(links) == 1


@jumping
async def test_what_cannot_be_written_for_this_smsc_is_refused() -> None:
    async with connected(encoding="latin1") as (_, desk):
        esme = Esme(desk.bench.account)
        (asker,) = await desk.submit(b"1", short_message=b"\x1be")  # the euro sign
        await until(lambda: esme.got)
        assert told(esme.got[0]) == (asker.id, MessageState.UNDELIVERABLE)
        assert desk.connector.counts.outcomes["unwritable"] == 1


# What comes


@jumping
async def test_a_receipt_is_answered_when_it_is_on_disk() -> None:
    async with connected() as (smsc, desk):
        esme = Esme(desk.bench.account)
        (asker,) = await desk.submit(b"1")
        await until(lambda: smsc.asked)
        smsc.accept(b"a")
        await until(lambda: len(desk.bench.pipeline.ledger) == 1)
        desk.bench.store.hold()
        smsc.deliver(receipt(b"a"))
        await until(lambda: desk.connector.counts.receipts)
        await settle()
        assert not smsc.answered
        desk.bench.store.flow()
        await until(lambda: smsc.answered)
        assert smsc.answered == [(Command.DELIVER_SM_RESP, Status.ROK)]
        assert told(esme.got[0]) == (asker.id, MessageState.DELIVERED)


@jumping
async def test_a_receipt_in_a_data_sm_is_one_too() -> None:
    async with connected() as (smsc, desk):
        esme = Esme(desk.bench.account)
        await desk.submit(b"1")
        await until(lambda: smsc.asked)
        smsc.accept(b"a")
        await until(lambda: len(desk.bench.pipeline.ledger) == 1)
        values = tlv.encode([(Tag.RECEIPTED_MESSAGE_ID, b"a\0"), (Tag.MESSAGE_STATE, b"\2")])
        data = DataSm(esm_class=EsmClass.RECEIPT, tlvs=values)
        smsc.deliver(SubmitSm(), Command.DATA_SM, pdus.encode(Command.DATA_SM, data))
        await until(lambda: esme.got and smsc.answered)
        assert smsc.answered == [(Command.DATA_SM_RESP, Status.ROK)]


@jumping
async def test_a_receipt_without_an_id_is_acknowledged_and_counted() -> None:
    async with connected() as (smsc, desk):
        smsc.deliver(SubmitSm(esm_class=EsmClass.RECEIPT, short_message=b"hello"))
        await until(lambda: smsc.answered)
        assert smsc.answered == [(Command.DELIVER_SM_RESP, Status.ROK)]
        assert desk.connector.counts.unreadable == 1


@jumping
async def test_an_early_receipt_waits_for_the_answer_that_a_replaced_connector_is_still_to_get() -> None:
    async with connected() as (smsc, desk):
        esme = Esme(desk.bench.account)
        (asker,) = await desk.submit(b"1")
        await until(lambda: smsc.asked)
        before = desk.reload(window=50)
        await until(lambda: desk.connector.binds)
        smsc.deliver(receipt(b"a"))
        await advance(0.2)
        smsc.accept(b"a")
        await before.stopped()
        await until(lambda: esme.got)
        assert told(esme.got[0]) == (asker.id, MessageState.DELIVERED)


@jumping
async def test_decimal_receipts_of_hexadecimal_ids_are_known_after_a_reload() -> None:
    async with connected() as (smsc, desk):
        esme = Esme(desk.bench.account)
        (asker,) = await desk.submit(b"1")
        await until(lambda: smsc.asked)
        smsc.accept(b"1A2B3C")
        await until(lambda: len(desk.bench.pipeline.ledger) == 1)
        await desk.reload(window=50).stopped()
        await until(lambda: desk.connector.binds)
        smsc.deliver(receipt(b"%d" % 0x1A2B3C))
        await until(lambda: esme.got)
        assert told(esme.got[0]) == (asker.id, MessageState.DELIVERED)


@jumping
async def test_decimal_receipts_of_hexadecimal_ids_may_come_by_a_sibling_that_sends_nothing() -> None:
    async with connected(bind="transmitter") as (smsc, desk):
        beside = desk.another(name="rx", bind="receiver")
        number = b"%d" % 0x1A2B3C
        assert beside.spellings(number) == (number,), "nobody's ids are hexadecimal so far"
        returns = desk.bench.pipeline.returns
        returns.ledger.cluster([["c", "rx"]])
        esme = Esme(desk.bench.account)
        (asker,) = await desk.submit(b"1")
        await until(lambda: smsc.asked)
        smsc.accept(b"1A2B3C")
        await until(lambda: len(returns.ledger) == 1)
        returns.receipt(beside, Receipt(number, MessageState.DELIVERED), Said())
        await settle()
        assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.DELIVERED)]


@jumping
async def test_a_message_from_a_handset_reaches_its_account() -> None:
    async with connected() as (smsc, desk):
        desk.bench.pipeline.returns.mo_table = MoTable([MoRoute(account="esme")])
        esme = Esme(desk.bench.account)
        smsc.deliver(SubmitSm(source_addr=b"44", destination_addr=b"12345", short_message=b"id:7 is my number"))
        await until(lambda: smsc.answered)
        assert pdus.decode_submit(esme.got[0].body).short_message == b"id:7 is my number"
        assert desk.connector.counts.mo == 1


@jumping
async def test_a_malformed_delivery_gets_its_status_and_ends_nothing() -> None:
    async with connected() as (smsc, desk):
        with capture_logs() as events:
            for n in (1, 2):
                smsc.deliver(SubmitSm(), body=b"\0\1")
                await until(lambda n=n: len(smsc.answered) == n)  # type: ignore[misc]
        assert Status.ROK not in [status for _, status in smsc.answered]
        assert [event["event"] for event in events] == ["unreadable deliver_sm"], "it is said once a minute"
        assert desk.connector.up


@jumping
async def test_a_broken_frame_ends_that_link_alone() -> None:
    async with connected(binds=2) as (smsc, desk):
        smsc.links[0].transport.write(b"\0\0\0\1" + b"\0" * 12)
        await until(lambda: len(desk.connector.binds) == 1)
        assert desk.connector.up


# Forwarding


@jumping
async def test_what_is_forwarded_comes_back_to_whoever_asked() -> None:
    async with connected(forward=["query_sm"]) as (smsc, desk):
        assert desk.connector.forwards(Command.QUERY_SM)
        assert not desk.connector.forwards(Command.CANCEL_SM)
        answers: list[Answered | None] = []
        body = pdus.encode(Command.QUERY_SM, QuerySm(b"a"))
        assert desk.connector.forward(Command.QUERY_SM, body, answers.append)
        await until(lambda: smsc.asked)
        smsc.answer(Status.RQUERYFAIL)
        await until(lambda: answers)
        assert answers[0] is not None
        assert answers[0].status == Status.RQUERYFAIL
        assert desk.connector.forward(Command.QUERY_SM, body, answers.append)
        smsc.drop()
        await until(lambda: len(answers) == 2)
        assert answers[1] is None
        assert not desk.connector.forward(Command.QUERY_SM, body, answers.append)


@jumping
async def test_nothing_is_forwarded_by_a_bind_whose_window_is_full() -> None:
    async with connected(forward=["query_sm"], window=2) as (smsc, desk):
        answers: list[Answered | None] = []
        body = pdus.encode(Command.QUERY_SM, QuerySm(b"a"))
        assert desk.connector.forward(Command.QUERY_SM, body, answers.append)
        assert desk.connector.forward(Command.QUERY_SM, body, answers.append)
        assert not desk.connector.forward(Command.QUERY_SM, body, answers.append)
        await until(lambda: len(smsc.asked) == 2)
        smsc.answer(Status.RQUERYFAIL)
        await until(lambda: answers)
        assert desk.connector.forward(Command.QUERY_SM, body, answers.append)
