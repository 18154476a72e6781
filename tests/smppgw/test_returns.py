"""What comes back finds its message and its ESME, whatever comes first and however ids are spelled."""

from math import inf

import pytest
from structlog.testing import capture_logs

from protocol import pdus, times
from protocol.consts import EsmClass, MessageState, Status
from protocol.pdus import SubmitSm
from protocol.receipt import Receipt
from routing.message import DELIVERY, SET_ASIDE, WAITING, Delivery, SetAside
from routing.table import MoTable
from smppgw.http.callbacks import ApiFront
from smppgw.http.memo import Memo as ApiMemo
from smppgw.journal import PROBE
from smppgw.kannel.dlr import Reports
from smppgw.kannel.memo import Memo as KannelMemo
from smppgw.settings import Account, MoMatch, MoRoute
from tests.smppgw.bench import Asker, Bench, Carrier, Esme, Said, told
from tests.smppgw.jumping import EPOCH, advance, epoch, jumping, settle

DELIVERED = MessageState.DELIVERED


async def one_sent(bench: Bench, id: bytes = b"a", **fields: object) -> Asker:
    """A message that the carrier has under this id."""
    (asker,) = await bench.accepted(b"447700900001", **fields)
    bench.sent(id)
    await advance(0.1)
    return asker


def statuses(*reports: Said) -> list[int | None]:
    return [report.status for report in reports]


# Receipts


@jumping
async def test_a_receipt_is_acknowledged_upstream_after_its_commit_and_removed_after_the_esmes_answer() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    asker = await one_sent(bench)
    bench.store.hold()
    said = bench.receipt(b"a")
    await advance(60)
    assert (statuses(said), esme.got) == ([None], [])
    bench.store.flow()
    await settle()
    assert statuses(said) == [Status.ROK]
    (delivery,) = esme.got
    assert told(delivery) == (asker.id, DELIVERED)
    assert [record[0] for record in bench.store.records.values()] == [DELIVERY]
    esme.answer(delivery)
    await advance(0.1)
    assert not bench.store.records
    assert bench.account.delivered == 1


@jumping
async def test_a_receipt_goes_from_the_destination_to_the_source_of_the_message() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    await one_sent(bench, source_addr_ton=5, source_addr=b"SHOP", dest_addr_ton=1, dest_addr_npi=1)
    bench.receipt(b"a")
    await settle()
    pdu = pdus.decode_submit(esme.got[0].body)
    assert pdu[1:8] == (1, 1, b"447700900001", 5, 0, b"SHOP", EsmClass.RECEIPT)
    assert pdu.short_message.startswith(b"id:")
    assert pdu.short_message.endswith(b" stat:DELIVRD err:000 text:hello")


@jumping
async def test_an_account_chooses_the_form_of_its_receipts() -> None:
    bench = Bench()
    bench.pipeline.accounts.change(
        [Account(name="text", receipts="text"), Account(name="tlv", receipts="tlv"), Account(name="both")]
    )
    forms = {}
    for n, name in enumerate(("text", "tlv", "both")):
        account = bench.pipeline.accounts.owner(name)
        esme = Esme(account)
        bench.submit(account=account)
        await settle()
        bench.sent(b"%d" % n)
        bench.receipt(b"%d" % n)
        await settle()
        pdu = pdus.decode_submit(esme.got[0].body)
        forms[name] = (bool(pdu.short_message), bool(pdu.tlvs))
    assert forms == {"text": (True, False), "tlv": (False, True), "both": (True, True)}


@jumping
async def test_only_the_states_that_were_asked_for_are_told() -> None:
    told_of = {}
    for registered in (1, 2, 3, 0x11):
        bench = Bench()
        esme = Esme(bench.account)
        for n, state in enumerate((DELIVERED, MessageState.UNDELIVERABLE)):
            await one_sent(bench, b"%d" % n, registered_delivery=registered)
            bench.receipt(b"%d" % n, MessageState.ENROUTE)
            said = bench.receipt(b"%d" % n, state)
            await settle()
            assert said.status == Status.ROK
        told_of[registered] = [delivery.state for delivery in esme.got]
    assert told_of == {1: [2, 5], 2: [5], 3: [2], 0x11: [1, 2, 1, 5]}


@jumping
async def test_a_final_receipt_that_nobody_asked_for_ends_the_message() -> None:
    bench = Bench()
    await one_sent(bench, registered_delivery=2)
    bench.receipt(b"a")
    await settle()
    assert not bench.store.records
    assert not len(bench.pipeline.ledger)


@jumping
async def test_a_second_receipt_for_one_message_reaches_no_esme() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    await one_sent(bench)
    again = [bench.receipt(b"a"), bench.receipt(b"a", MessageState.UNDELIVERABLE)]
    await advance(60)
    assert statuses(*again) == [Status.ROK] * 2
    assert [delivery.state for delivery in esme.got] == [DELIVERED]
    assert bench.pipeline.counts["unknown_receipt"] == 1


@jumping
async def test_the_segments_of_a_message_make_one_receipt() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    (asker,) = await bench.accepted(b"1")
    message = bench.carrier.take()
    message.upstream += [b"a", b"b"]
    bench.sent(b"c", message)
    bench.receipt(b"b")
    bench.receipt(b"a", MessageState.EXPIRED)
    await settle()
    assert not esme.got
    bench.receipt(b"c")
    await settle()
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.EXPIRED)]


@jumping
async def test_segments_whose_receipts_came_survive_a_restart() -> None:
    bench = Bench()
    (asker,) = await bench.accepted(b"1")
    message = bench.carrier.take()
    message.upstream.append(b"a")
    bench.sent(b"b", message)
    bench.receipt(b"a")
    await advance(1)
    after = Bench(bench.killed())
    esme = Esme(after.account)
    after.receipt(b"b")
    await settle()
    assert [told(delivery) for delivery in esme.got] == [(asker.id, DELIVERED)]


@jumping
async def test_while_the_store_refuses_a_receipt_waits_and_is_told_once() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    await one_sent(bench)
    bench.store.trouble = "disk full"
    said = bench.receipt(b"a")
    await advance(3 * PROBE)
    assert (statuses(said), esme.got) == ([None], [])
    bench.store.trouble = ""
    await advance(PROBE)
    assert statuses(said) == [Status.ROK]
    assert len(esme.got) == 1


@jumping
async def test_a_receipt_that_is_repeated_while_the_store_refuses_is_not_acknowledged_before_the_first_is_safe() -> (
    None
):
    bench = Bench(early_receipt_wait=10.0)
    await one_sent(bench)
    bench.store.trouble = "disk full"
    bench.receipt(b"a")
    again = bench.receipt(b"a")
    await advance(11)
    assert again.status != Status.ROK, "the store has nothing of it"


@jumping
async def test_a_receipt_that_is_repeated_during_a_slow_commit_is_acknowledged_after_it() -> None:
    bench = Bench()
    bench.carrier.oldest = inf
    await one_sent(bench)
    bench.store.hold()
    first = bench.receipt(b"a")
    await advance(0.1)
    again = bench.receipt(b"a")
    await advance(60)
    assert statuses(first, again) == [None, None]
    bench.store.flow()
    await settle()
    assert statuses(first, again) == [Status.ROK] * 2


# Before the submit_sm_resp


@jumping
async def test_a_receipt_before_its_submit_sm_resp_waits_for_it() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    (asker,) = await bench.accepted(b"1")
    said = bench.receipt(b"a")
    await advance(5)
    assert (statuses(said), esme.got) == ([None], [])
    bench.sent(b"a")
    await settle()
    assert statuses(said) == [Status.ROK]
    assert [told(delivery) for delivery in esme.got] == [(asker.id, DELIVERED)]
    await advance(60)
    assert not bench.pipeline.counts["unknown_receipt"]


@jumping
async def test_receipts_of_all_segments_may_come_before_the_last_segments_answer() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    await bench.accepted(b"1")
    message = bench.carrier.take()
    reports = [bench.receipt(b"a"), bench.receipt(b"b")]
    message.upstream.append(b"a")
    bench.sent(b"b", message)
    await settle()
    assert statuses(*reports) == [Status.ROK] * 2
    assert len(esme.got) == 1


@jumping
async def test_a_receipt_that_nobody_waits_for_is_acknowledged_after_a_while_and_counted() -> None:
    bench = Bench(early_receipt_wait=10.0)
    said = bench.receipt(b"who")
    await advance(9)
    assert statuses(said) == [None]
    await advance(2)
    assert statuses(said) == [Status.ROK]
    assert bench.pipeline.counts["unknown_receipt"] == 1


@jumping
async def test_the_receipt_of_a_segment_waits_for_the_rest_of_its_message_however_long() -> None:
    bench = Bench(early_receipt_wait=10.0)
    esme = Esme(bench.account)
    (asker,) = await bench.accepted(b"1")
    message = bench.carrier.take()
    message.upstream.append(b"a")
    bench.carrier.segments = {b"a"}
    said = bench.receipt(b"a")
    await advance(11)
    assert statuses(said) == [Status.ROK], "the upstream is not kept waiting"
    await advance(600)
    assert not bench.pipeline.counts["unknown_receipt"]
    bench.carrier.segments = set()
    bench.sent(b"b", message)
    bench.receipt(b"b")
    await settle()
    assert [told(delivery) for delivery in esme.got] == [(asker.id, DELIVERED)]


@jumping
async def test_the_receipt_of_a_segment_whose_message_is_never_sent_is_nobodys() -> None:
    bench = Bench(early_receipt_wait=10.0)
    bench.carrier.segments = {b"a"}
    said = bench.receipt(b"a")
    await advance(25)
    bench.carrier.segments = set()
    await advance(10)
    assert statuses(said) == [Status.ROK]
    assert bench.pipeline.counts["unknown_receipt"] == 1


@jumping
async def test_a_receipt_that_no_unanswered_message_can_own_is_acknowledged_soon() -> None:
    bench = Bench(early_receipt_wait=10.0)
    said = bench.receipt(b"who")
    await advance(1)
    assert statuses(said) == [None]
    bench.carrier.oldest = inf
    await advance(0.1)
    assert statuses(said) == [Status.ROK]


@jumping
async def test_so_many_receipts_may_wait_and_no_more() -> None:
    bench = Bench(max_early_receipts=2)
    reports = [bench.receipt(b"%d" % n) for n in range(3)]
    await settle()
    assert statuses(*reports) == [None, None, Status.RX_T_APPN], "it may come again"
    await bench.accepted(b"1")
    bench.sent(b"0")
    await settle()
    assert statuses(*reports) == [Status.ROK, None, Status.RX_T_APPN]
    assert statuses(bench.receipt(b"3")) == [None]


# Spellings of ids


@jumping
async def test_hexadecimal_ids_are_found_under_their_decimal_receipts_and_the_other_way_round() -> None:
    for given, named in ((b"1A2B", b"6699"), (b"6699", b"1a2b"), (b"00000255", b"255"), (b"ABC", b"abc")):
        bench = Bench()
        esme = Esme(bench.account)
        await one_sent(bench, given)
        bench.receipt(named)
        await settle()
        assert len(esme.got) == 1, (given, named)


@jumping
async def test_a_guess_is_made_only_while_no_exact_id_was_ever_right() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    await one_sent(bench, b"1")
    bench.receipt(b"1")
    hexadecimal = await one_sent(bench, b"10")
    bench.receipt(b"16")  # 0x10, were it not for the exact one before
    await advance(60)
    assert hexadecimal.id not in [told(delivery)[0] for delivery in esme.got]
    assert bench.pipeline.counts["unknown_receipt"] == 1


@jumping
async def test_an_early_receipt_waits_for_its_own_message_where_exact_ids_are_the_rule() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    await one_sent(bench, b"1")
    bench.receipt(b"1")
    ten, sixteen = await bench.accepted(b"10", b"16")
    first, second = bench.carrier.take(), bench.carrier.take()
    bench.receipt(b"10")
    bench.sent(b"16", second)  # which is 0x10
    await settle()
    assert len(esme.got) == 1
    bench.sent(b"10", first)
    await settle()
    assert [told(delivery)[0] for delivery in esme.got[1:]] == [ten.id]
    assert sixteen.id not in [told(delivery)[0] for delivery in esme.got]


@jumping
async def test_fixed_forms_make_no_guesses() -> None:
    bench = Bench(carrier=Carrier(form="hex", receipts="decimal"))
    esme = Esme(bench.account)
    await one_sent(bench, b"ff")
    bench.receipt(b"255")
    await settle()
    assert len(esme.got) == 1


@jumping
async def test_a_receipt_may_come_by_a_sibling_of_the_connector_that_sent() -> None:
    bench = Bench()
    sibling, stranger = Carrier(b"sibling"), Carrier(b"stranger")
    bench.pipeline.returns.sources |= {b"sibling": sibling, b"stranger": stranger}
    bench.pipeline.ledger.cluster([["carrier", "sibling"]])
    esme = Esme(bench.account)
    await one_sent(bench)
    bench.receipt(b"a", carrier=stranger)
    await settle()
    assert not esme.got
    bench.receipt(b"a", carrier=sibling)
    await settle()
    assert len(esme.got) == 1


@jumping
async def test_an_early_receipt_may_come_by_a_sibling_too() -> None:
    bench = Bench()
    sibling = Carrier(b"sibling")
    bench.pipeline.returns.sources[b"sibling"] = sibling
    bench.pipeline.ledger.cluster([["carrier", "sibling"]])
    esme = Esme(bench.account)
    await bench.accepted(b"1")
    said = bench.receipt(b"a", carrier=sibling)
    bench.sent(b"a")
    await settle()
    assert (statuses(said), len(esme.got)) == ([Status.ROK], 1)


# Messages with a memo


MEMOS = {"api": ApiMemo("shop", "http://a/").pack(), "kannel": KannelMemo(31, b"http://a/").pack(), "none": b""}


def with_front(bench: Bench, front: str) -> None:
    """The account as it is in a gateway with an API, or with sendsms."""
    if front == "api":
        made = ApiFront(bench.account, epoch)
        bench.account.callbacks = bench.pipeline.accounts.internal(Account(name="esme@api"), made)
    elif front == "kannel":
        bench.account.front = Reports((), epoch)


STRANGE = pytest.mark.parametrize(
    ("front", "memo"),
    [("api", "kannel"), ("none", "kannel"), ("none", "api"), ("kannel", "api"), ("kannel", "none")],
)


@STRANGE
def test_a_receipt_whose_memo_nobody_can_read_goes_to_the_esme(front: str, memo: str) -> None:
    @jumping
    async def run() -> None:
        bench = Bench()
        esme = Esme(bench.account)
        with_front(bench, front)
        asker = await one_sent(bench, memo=MEMOS[memo])
        said = bench.receipt(b"a")
        await settle()
        assert said.status == Status.ROK
        assert [told(delivery) for delivery in esme.got] == [(asker.id, DELIVERED)]

    run()


@STRANGE
def test_a_message_that_was_never_sent_and_whose_memo_nobody_can_read_is_told_to_the_esme(
    front: str, memo: str
) -> None:
    @jumping
    async def run() -> None:
        bench = Bench()
        esme = Esme(bench.account)
        with_front(bench, front)
        (asker,) = await bench.accepted(b"44", memo=MEMOS[memo])
        bench.pipeline.refused(bench.carrier.take(), Status.RINVDSTADR)
        await settle()
        assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.UNDELIVERABLE)]

    run()


@pytest.mark.parametrize(("front", "memo"), [("api", "kannel"), ("none", "kannel"), ("none", "api")])
def test_what_waited_too_long_with_a_memo_that_nobody_can_read_holds_up_nothing_else(front: str, memo: str) -> None:
    @jumping
    async def run() -> None:
        bench = Bench(receipt_wait=60.0)
        esme = Esme(bench.account)
        askers = [await one_sent(bench, id, memo=MEMOS[memo]) for id in (b"a", b"b")]
        with_front(bench, front)
        await advance(100)
        bench.pipeline.returns.expire()
        await settle()
        assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.UNKNOWN) for asker in askers]

    run()


@jumping
async def test_a_memo_that_nobody_can_read_is_said_once_a_minute_and_nobody_gets_what_was_not_asked_for() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    with_front(bench, "api")
    await bench.accepted(*[b"44"] * 3, memo=MEMOS["kannel"], registered_delivery=0)
    with capture_logs() as events:
        for _ in range(3):
            bench.pipeline.refused(bench.carrier.take(), Status.RINVDSTADR)
            await advance(1)
    assert [(event["event"], event["account"]) for event in events] == [("a callback cannot be written", "esme@api")]
    assert not esme.got
    assert not bench.store.records


# Ends without a receipt


@jumping
async def test_a_message_whose_receipt_never_comes_ends_unknown() -> None:
    bench = Bench(receipt_wait=3600.0)
    esme = Esme(bench.account)
    asker = await one_sent(bench)
    await advance(3590)
    bench.pipeline.returns.expire()
    await settle()
    assert not esme.got
    await advance(20)
    bench.pipeline.returns.expire()
    await settle()
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.UNKNOWN)]
    assert not len(bench.pipeline.ledger)


@jumping
async def test_receipt_wait_counts_from_the_sending_of_what_was_sent_late() -> None:
    bench = Bench(receipt_wait=3600.0)
    esme = Esme(bench.account)
    askers = await bench.accepted(b"1", b"2", schedule_delivery_time=times.absolute(EPOCH + 7200))
    await advance(7210)
    bench.sent(b"a")
    bench.sent(b"b")
    await advance(3590)
    bench.pipeline.returns.expire()
    bench.receipt(b"a")
    await settle()
    assert [told(delivery) for delivery in esme.got] == [(askers[0].id, DELIVERED)]
    await advance(20)
    bench.pipeline.returns.expire()
    await settle()
    assert told(esme.got[1]) == (askers[1].id, MessageState.UNKNOWN)


@jumping
async def test_after_a_restart_receipt_wait_counts_from_the_sending_too() -> None:
    bench = Bench(receipt_wait=3600.0)
    (late,) = await bench.accepted(b"1", schedule_delivery_time=times.absolute(EPOCH + 7200))
    await advance(7190)
    (early,) = await bench.accepted(b"2")
    await advance(20)
    bench.sent(b"a", bench.carrier.queue.pop())
    bench.sent(b"b", bench.carrier.queue.popleft())
    await advance(1)
    bench = Bench(bench.killed(), receipt_wait=3600.0)
    esme = Esme(bench.account)
    await advance(3585)
    bench.pipeline.returns.expire()
    await settle()
    assert [told(delivery) for delivery in esme.got] == [(early.id, MessageState.UNKNOWN)]
    await advance(20)
    bench.pipeline.returns.expire()
    await settle()
    assert told(esme.got[1]) == (late.id, MessageState.UNKNOWN)


@jumping
async def test_a_state_that_nobody_knows_ends_nothing_and_is_not_told() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    asker = await one_sent(bench, registered_delivery=0x11)
    said = Said()
    bench.pipeline.returns.receipt(bench.carrier, Receipt(b"a", None), said)
    await settle()
    assert (statuses(said), esme.got) == ([Status.ROK], [])
    bench.receipt(b"a")
    await settle()
    assert [told(delivery) for delivery in esme.got] == [(asker.id, DELIVERED)]


# MO messages

MO = SubmitSm(source_addr=b"447700900001", destination_addr=b"12345", short_message=b"stop")


def mo(bench: Bench, pdu: SubmitSm = MO) -> Said:
    said = Said()
    bench.pipeline.returns.mo("carrier", pdu, pdus.encode_submit(pdu), said)
    return said


@jumping
async def test_a_message_from_a_handset_reaches_the_account_of_its_number_and_is_acknowledged_after_the_commit() -> (
    None
):
    bench = Bench()
    bench.pipeline.returns.mo_table = MoTable([MoRoute(account="esme", match=MoMatch(destination=("12345",)))])
    esme = Esme(bench.account)
    bench.store.hold()
    said = mo(bench)
    await settle()
    assert (statuses(said), esme.got) == ([None], [])
    bench.store.flow()
    await settle()
    assert statuses(said) == [Status.ROK]
    assert [pdus.decode_submit(delivery.body) for delivery in esme.got] == [MO]


@jumping
async def test_an_account_of_http_gets_a_message_from_a_handset_as_it_is_written_for_it() -> None:
    bench = Bench()
    bench.pipeline.returns.mo_table = MoTable([MoRoute(account="esme")])
    bench.account.inbound = lambda connector, body: connector.encode() + b": " + body
    esme = Esme(bench.account)
    mo(bench)
    await settle()
    assert [delivery.body for delivery in esme.got] == [b"carrier: " + pdus.encode_submit(MO)]


@jumping
async def test_a_message_to_nobodys_number_is_refused_for_good_and_counted() -> None:
    bench = Bench()
    said = mo(bench)
    assert statuses(said) == [Status.RX_P_APPN]
    assert bench.pipeline.counts["mo_no_route"] == 1


@jumping
async def test_while_the_store_refuses_a_message_from_a_handset_is_to_come_later() -> None:
    bench = Bench()
    bench.pipeline.returns.mo_table = MoTable([MoRoute(account="esme")])
    bench.store.trouble = "disk full"
    bench.submit()
    await settle()
    assert statuses(mo(bench)) == [Status.RX_T_APPN]


@jumping
async def test_an_account_that_takes_nothing_gets_no_more_messages_from_handsets_and_submits_none() -> None:
    bench = Bench()
    bench.pipeline.accounts.change([Account(name="esme", max_deliveries=2)])
    bench.pipeline.returns.mo_table = MoTable([MoRoute(account="esme")])
    reports = []
    for _ in range(3):
        reports.append(mo(bench))
        await settle()
    assert statuses(*reports) == [Status.ROK, Status.ROK, Status.RX_T_APPN]
    assert bench.submit().status == Status.RMSGQFUL
    esme = Esme(bench.account)
    bench.account.outbox.pump()
    assert len(esme.got) == 2
    assert bench.submit().status is None


@jumping
async def test_a_message_from_a_handset_that_is_kept_out_is_rejected_and_not_repeated() -> None:
    bench = Bench()
    bench.pipeline.returns.mo_table = MoTable([MoRoute(account="esme")])
    bench.pipeline.returns.keeps_out = lambda connector, pdu: (connector, pdu) == ("carrier", MO)
    assert statuses(mo(bench)) == [Status.RX_R_APPN]
    assert not bench.store.records


# What outboxes report


@jumping
async def test_a_delivery_that_is_set_aside_is_kept_whole_with_its_reason() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    await one_sent(bench)
    bench.receipt(b"a")
    await settle()
    (delivery,) = esme.got
    esme.answer(delivery, Status.RINVDSTADR)
    await advance(0.1)
    ((key, record),) = bench.store.records.items()
    assert record[0] == SET_ASIDE
    aside = SetAside.unpack(record)
    assert (aside.account, aside.reason) == ("esme", "refused with status 0x0B")
    assert Delivery.unpack(int.from_bytes(key, "big"), aside.record).body == delivery.body
    assert bench.pipeline.returns.aside == 1


@jumping
async def test_a_postponed_delivery_keeps_its_count_of_attempts_over_a_restart() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    await one_sent(bench)
    bench.receipt(b"a")
    await settle()
    esme.answer(esme.got[0], Status.RMSGQFUL)
    await advance(0.1)
    after = Bench(bench.killed())
    (restored,) = after.account.outbox.waiting
    assert restored.attempts == 1


@jumping
async def test_nothing_is_left_of_what_ended() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    await one_sent(bench)
    assert [record[0] for record in bench.store.records.values()] == [WAITING]
    bench.receipt(b"a")
    await settle()
    esme.answer(esme.got[0])
    await advance(60)
    assert not bench.store.records
    assert (len(bench.pipeline.queued), len(bench.pipeline.ledger), len(bench.account.outbox)) == (0, 0, 0)
    assert len(bench.pipeline.delays) == 0
