"""A connector to an HTTPS carrier sends every message once, says what became of it, and leaves a carrier in peace."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from protocol.consts import MessageState, RegisteredDelivery, Status
from protocol.pdus import SubmitSm, decode_submit
from routing.message import DOUBTED, OFFERED, QUEUED, Queued, SetAside, Waiting
from smppgw.carriers.client import BadReply
from smppgw.carriers.contract import doubt, later, never, sent
from smppgw.exchange import Unanswered, Unsent
from tests.smppgw.bench import Esme, told
from tests.smppgw.carried import Rig, settle
from tests.smppgw.jumping import advance, jumping

ACCEPTED = sent(b"up-1")
ALARM = later(Status.RSYSERR, "credentials refused", code="http 401", alarm=True)


# Out and back


@jumping
async def test_a_message_is_sent_once_and_its_receipt_told() -> None:
    rig = Rig()
    esme = Esme(rig.account)
    asker = rig.submit()
    await rig.taken(asker)
    (ask,) = rig.script.asks
    assert (ask.text.tag.encode(), ask.text.text, ask.text.destination) == (asker.id, "hello", "+819012345678")
    said = rig.receipt(asker.id)
    await settle()
    assert said.status == Status.ROK
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.DELIVERED)]


@jumping
async def test_it_is_marked_with_its_connector_on_disk_before_it_is_sent() -> None:
    rig = Rig()
    rig.script.automatic = False
    await rig.taken(rig.submit())
    assert rig.script.asks
    (record,) = rig.store.records.values()
    queued = Queued.unpack(record)
    assert (queued.flags, queued.pin) == (OFFERED, "carrier")


@jumping
async def test_while_the_store_refuses_nothing_is_sent_and_afterwards_everything_once() -> None:
    rig = Rig()
    asker = rig.submit()

    def fills() -> None:
        rig.store.trouble = "full"

    asker.heard = fills  # the next commit is that of the mark
    await settle()
    assert asker.status == Status.ROK
    assert not rig.script.asks
    rig.store.trouble = ""
    await advance(3)
    assert len(rig.script.asks) == 1
    assert rig.kinds() == "W"


@jumping
async def test_who_asks_for_no_receipt_leaves_nothing_behind() -> None:
    rig = Rig()
    await rig.taken(rig.submit(registered_delivery=0))
    await advance(1)
    assert not rig.script.asks[0].text.receipt
    assert rig.store.records == {}


@jumping
async def test_the_receipts_of_several_ids_make_one_receipt() -> None:
    rig = Rig()
    rig.script.automatic = False
    esme = Esme(rig.account)
    await rig.taken(rig.submit())
    rig.script.asks[0].answer(sent(b"a", b"b"))
    await settle()
    rig.receipt(b"b")
    await settle()
    assert not esme.got
    rig.receipt(b"a", MessageState.UNDELIVERABLE)
    await settle()
    assert [delivery.state for delivery in esme.got] == [MessageState.UNDELIVERABLE]


# Refusals and doubts


@jumping
async def test_a_refusal_for_good_ends_the_message() -> None:
    rig = Rig()
    rig.script.automatic = False
    esme = Esme(rig.account)
    await rig.taken(rig.submit())
    rig.script.asks[0].answer(never(Status.RINVDSTADR, code="21211"))
    await settle()
    assert [delivery.state for delivery in esme.got] == [MessageState.UNDELIVERABLE]
    assert rig.connector.counts.codes == {"21211": 1}


@jumping
async def test_many_refusals_of_a_code_are_one_line_of_the_log() -> None:
    rig = Rig()
    rig.script.automatic = False
    with capture_logs() as said:
        for number in range(3):
            await rig.taken(rig.submit())
            rig.script.asks[number].answer(never(Status.RINVDSTADR, code="21211"))
            await settle()
    assert [line["log_level"] for line in said if line["event"] == "the carrier refused"] == ["info", "debug", "debug"]


@jumping
async def test_a_refusal_for_now_is_tried_again_after_its_delay() -> None:
    rig = Rig(retry=(5.0,))
    rig.script.automatic = False
    await rig.taken(rig.submit())
    rig.script.asks[0].answer(later(Status.RSYSERR, code="500"))
    await advance(4)
    assert len(rig.script.asks) == 1
    await advance(2)
    assert [ask.text.attempts for ask in rig.script.asks] == [0, 1]
    assert rig.script.asks[0].text.tag == rig.script.asks[1].text.tag


@jumping
async def test_the_config_has_the_last_word_on_a_code() -> None:
    rig = Rig(errors={"21610": "never"})
    rig.script.automatic = False
    await rig.taken(rig.submit())
    rig.script.asks[0].answer(doubt(code="21610"))
    await settle()
    assert rig.outcomes("never") == 1
    assert rig.kinds() == "D"


@pytest.mark.parametrize("error", [Unanswered("cut"), BadReply("no JSON"), ZeroDivisionError("a bug")])
@jumping
async def test_what_may_have_been_accepted_is_set_aside(error: Exception) -> None:
    rig = Rig()
    rig.script.automatic = False
    await rig.taken(rig.submit())
    rig.script.asks[0].fail(error)
    await advance(100)
    assert len(rig.script.asks) == 1
    assert rig.kinds() == "X"


@jumping
async def test_what_never_left_is_tried_again() -> None:
    rig = Rig(retry=(5.0,))
    rig.script.automatic = False
    await rig.taken(rig.submit())
    rig.script.asks[0].fail(Unsent("connection refused"))
    await advance(6)
    assert len(rig.script.asks) == 2
    assert rig.connector.counts.codes["unsent"] == 1


@jumping
async def test_a_doubt_may_end_the_message_as_unknown_or_repeat_it() -> None:
    for how, expected in (("unknown", [MessageState.UNKNOWN]), ("resend_and_accept_duplicates", [])):
        rig = Rig(in_doubt=how, retry=(5.0,))
        rig.script.automatic = False
        esme = Esme(rig.account)
        await rig.taken(rig.submit())
        rig.script.asks[0].fail(Unanswered("cut"))
        await advance(6)
        assert [delivery.state for delivery in esme.got] == expected
        assert len(rig.script.asks) == 2 - len(expected)


@jumping
async def test_an_idempotent_carrier_is_asked_again_with_the_same_tag_whatever_the_config_says() -> None:
    rig = Rig(idempotent=True, retry=(5.0,), in_doubt="unknown")
    rig.script.automatic = False
    asker = rig.submit()
    await rig.taken(asker)
    rig.script.asks[0].fail(Unanswered("cut"))
    await advance(6)
    first, second = rig.script.asks
    assert first.text.tag == second.text.tag
    second.answer(sent(asker.id))
    await settle()
    assert rig.waiting() == [asker.id]


@jumping
async def test_what_is_in_doubt_and_expires_is_unknown() -> None:
    rig = Rig(idempotent=True, retry=(500.0,), gateway={"validity": 100.0})
    rig.script.automatic = False
    esme = Esme(rig.account)
    await rig.taken(rig.submit())
    rig.script.asks[0].fail(Unanswered("cut"))
    await advance(501)
    assert [delivery.state for delivery in esme.got] == [MessageState.UNKNOWN]


@jumping
async def test_ids_that_no_record_has_room_for_are_a_doubt() -> None:
    for ids in ([b"x" * 300], [b"%d" % number for number in range(256)]):
        rig = Rig()
        rig.script.automatic = False
        await rig.taken(rig.submit())
        rig.script.asks[0].answer(sent(*ids))
        await advance(1)
        assert rig.kinds() == "X"


@jumping
async def test_a_text_that_no_attempt_could_send_ends_at_once() -> None:
    rig = Rig()
    esme = Esme(rig.account)
    await rig.taken(
        rig.submit(b""),
        rig.submit(b"", tlvs=b"\x04\x24\x03\xe9" + b"x" * 1001),
        rig.submit(b"\x09no header", esm_class=0x40),
        rig.submit(b"x" * 141, data_coding=4),
    )
    assert rig.outcomes("unwritable") == len(esme.got) == 4
    assert not rig.script.asks


@jumping
async def test_what_is_in_a_header_besides_the_number_of_a_part_goes_with_the_text() -> None:
    rig = Rig()
    await rig.taken(rig.submit(b"\x03\x24\x01\x01words", esm_class=0x40))
    (ask,) = rig.script.asks
    assert (ask.text.header, ask.text.text) == (b"\x03\x24\x01\x01", "words")


# Room


@jumping
async def test_no_more_requests_are_under_way_than_the_window_allows() -> None:
    rig = Rig(window=2)
    rig.script.automatic = False
    await rig.taken(*(rig.submit() for _ in range(5)))
    assert (len(rig.script.asks), rig.connector.in_flight, rig.connector.room) == (2, 2, 0)
    rig.script.asks[0].answer(ACCEPTED)
    await settle()
    assert len(rig.script.asks) == 3


@jumping
async def test_no_more_messages_a_second_are_sent_than_the_rate_allows() -> None:
    rig = Rig(rate=2.0, burst=1.0)
    await rig.taken(*(rig.submit() for _ in range(9)))
    assert len(rig.script.asks) == 1
    await advance(2)
    assert len(rig.script.asks) == 5
    await advance(3)
    assert len(rig.script.asks) == 9


@jumping
async def test_a_message_that_is_put_off_has_its_last_attempt_also_where_all_others_wait() -> None:
    rig = Rig()
    rig.pipeline.most_retries = 1
    rig.script.automatic = False
    await rig.taken(rig.submit(b"hi"))
    for _ in range(2):
        rig.script.asks[-1].answer(later(Status.RTHROTTLED, wait=30.0))
        await advance(31)
    assert len(rig.script.asks) == 2
    assert not rig.pipeline.queued


@jumping
async def test_a_carrier_that_asks_for_a_pause_gets_it_and_the_order_stays() -> None:
    rig = Rig(window=2)
    rig.script.automatic = False
    await rig.taken(*(rig.submit(b"%d" % number) for number in range(4)))
    for ask in rig.script.asks[:2]:
        ask.answer(later(Status.RTHROTTLED, wait=30.0))
    await advance(25)
    assert (len(rig.script.asks), rig.connector.paused, rig.connector.room) == (2, True, 0)
    rig.script.automatic = True
    await advance(6)
    assert rig.script.texts[2:] == ["0", "1", "2", "3"]


# The breaker


@jumping
async def test_failures_in_a_row_close_the_way_and_one_message_tries_it_again() -> None:
    rig = Rig(breaker_failures=2, breaker_wait=(60.0,), retry=(1.0,), window=2)
    rig.script.automatic = False
    await rig.taken(*(rig.submit() for _ in range(6)))
    for ask in rig.script.asks:
        ask.fail(Unsent("refused"))
    await advance(50)
    assert (len(rig.script.asks), rig.connector.up, rig.target.up) == (2, False, False)
    assert rig.connector.counts.opened == 1
    await advance(15)
    assert (len(rig.script.asks), rig.connector.up) == (3, True)
    rig.script.asks[2].fail(Unsent("refused"))
    await advance(50)
    assert (len(rig.script.asks), rig.connector.up) == (3, False)
    await advance(15)
    rig.script.automatic = True
    rig.script.asks[3].answer(ACCEPTED)
    await advance(5)
    assert len(rig.script.asks) == 4 + 5
    assert not rig.connector.alerting


@jumping
async def test_refused_credentials_close_the_way_at_once_and_call_for_a_person_until_they_are_right() -> None:
    rig = Rig(breaker_wait=(60.0,), retry=(1.0,))
    rig.script.automatic = False
    await rig.taken(rig.submit())
    rig.script.asks[0].answer(ALARM)
    await advance(30)
    assert (rig.connector.up, rig.connector.alerting, rig.connector.last_error) == (False, True, "credentials refused")
    rig.script.automatic = True
    await advance(40)
    assert (rig.connector.up, rig.connector.alerting, rig.connector.last_error) == (True, False, "")
    assert len(rig.waiting()) == 1


@jumping
async def test_what_was_being_marked_when_the_way_closed_is_not_sent_until_it_opens() -> None:
    rig = Rig(breaker_failures=1, breaker_wait=(60.0,), retry=(600.0,))
    rig.script.automatic = False
    await rig.taken(rig.submit())
    second = rig.submit()
    second.heard = lambda: rig.script.asks[0].fail(Unsent("refused"))  # it is marked with the next commit
    await settle()
    assert second.status == Status.ROK
    assert (len(rig.script.asks), rig.connector.up, len(rig.target.queue)) == (1, False, 1)
    assert Queued.unpack(rig.store.records[int(second.id, 16).to_bytes(8, "big")])[0] in {0, OFFERED}
    await advance(61)
    assert len(rig.script.asks) == 2


# Stop and reload


@jumping
async def test_stopping_sends_nothing_more_and_waits_for_what_is_under_way() -> None:
    rig = Rig(window=1)
    rig.script.automatic = False
    first, second = rig.submit(b"1"), rig.submit(b"2")
    await rig.taken(first, second)
    rig.connector.stop()
    await settle()
    over = [rig.connector.over]
    rig.script.asks[0].answer(sent(first.id))
    await settle()
    await rig.connector.stopped()
    assert [*over, rig.connector.over] == [False, True]
    assert rig.script.texts == ["1"]
    assert rig.waiting() == [first.id]
    assert [b"%016x" % message.id for message in rig.target.queue] == [second.id]


@jumping
async def test_a_stopped_connector_stays_down_whoever_wants_it() -> None:
    rig = Rig()
    rig.connector.stop()
    rig.connector.want("somebody", True)
    assert not rig.connector.up


@jumping
async def test_what_comes_back_to_a_connector_that_was_replaced_goes_by_its_successor() -> None:
    rig = Rig(retry=(1.0,))
    rig.script.automatic = False
    await rig.taken(rig.submit(b"throttled"), rig.submit(b"later"), rig.submit(b"taken"))
    rig.part(1)
    await settle()
    before = rig.reload(window=7, join_wait=5.0)
    throttled, postponed, taken = rig.script.asks
    throttled.answer(later(Status.RTHROTTLED, wait=1.0))
    postponed.answer(later(Status.RSYSERR))
    taken.answer(ACCEPTED)
    rig.script.automatic = True
    await rig.pass_time(3)
    assert rig.script.texts[3:] == ["throttled", "later"]
    await before.stopped()
    await rig.pass_time(5)
    assert rig.script.texts[5:] == ["part1 "]


@jumping
async def test_the_receipt_of_what_a_replaced_connector_sent_is_told_in_any_order() -> None:
    rig = Rig()
    rig.script.automatic = False
    esme = Esme(rig.account)
    first, second = rig.submit(b"1"), rig.submit(b"2")
    await rig.taken(first, second)
    rig.reload(window=7)
    early = rig.receipt(b"a")
    await settle()
    assert early.status == Status.ROK
    rig.script.asks[0].answer(sent(b"a"))
    await settle()
    assert [told(delivery) for delivery in esme.got] == [(first.id, MessageState.DELIVERED)]
    rig.script.asks[1].answer(sent(b"b"))
    await settle()
    rig.receipt(b"b")
    await settle()
    assert told(esme.got[1]) == (second.id, MessageState.DELIVERED)
    await advance(1)
    assert "H" not in rig.kinds()


# ack = "upstream"


@jumping
async def test_the_carriers_answer_is_that_of_the_submit() -> None:
    rig = Rig()
    rig.script.automatic = False
    answers = [never(Status.RINVDSTADR), later(Status.RTHROTTLED, wait=1.0), doubt(), ALARM, ACCEPTED]
    askers = [rig.submit(account=rig.relay) for _ in answers]
    await settle()
    assert rig.store.records == {}
    for ask, answer in zip(rig.script.asks, answers, strict=True):
        ask.answer(answer)
    await settle()
    expected = [Status.RINVDSTADR, Status.RTHROTTLED, Status.RSYSERR, Status.RSYSERR, Status.ROK]
    assert [asker.status for asker in askers] == expected
    await advance(100)
    assert len(rig.script.asks) == len(answers)
    assert rig.kinds() == "W"


@jumping
async def test_a_part_is_answered_when_it_is_stored_and_marked_before_it_is_sent() -> None:
    rig = Rig()
    rig.script.automatic = False
    askers = [rig.part(number, account=rig.relay) for number in (1, 2)]
    await settle()
    assert [asker.status for asker in askers] == [Status.ROK] * 2
    assert len(rig.script.asks) == 1
    assert {Queued.unpack(record).pin for record in rig.store.records.values()} == {"carrier"}
    assert not Rig(rig.killed()).script.asks


@jumping
async def test_a_stored_part_has_its_whole_validity() -> None:
    rig = Rig(join_wait=60.0, gateway={"upstream_ack_wait": 10.0})
    await rig.taken(rig.part(1, account=rig.relay))
    await advance(30)
    await rig.taken(rig.part(2, account=rig.relay))
    assert rig.script.texts == ["part1 part2 "]


@jumping
async def test_a_part_that_was_refused_while_the_store_was_full_does_not_come_back() -> None:
    rig = Rig(join_wait=2.0, incomplete="refuse")
    await advance(1)
    rig.store.trouble = "full"
    asker = rig.part(1, account=rig.relay)
    await rig.pass_time(5)
    assert asker.status == Status.RSUBMITFAIL
    rig.store.trouble = ""
    await rig.pass_time(3)
    assert rig.store.records == {}


# Parts


@jumping
async def test_parts_in_any_order_are_one_text_and_each_that_asks_is_told() -> None:
    rig = Rig()
    esme = Esme(rig.account)
    askers = [rig.part(number, 3, registered_delivery=asks) for number, asks in ((3, 1), (1, 0), (2, 1))]
    await rig.taken(*askers)
    (ask,) = rig.script.asks
    assert (ask.text.text, ask.text.receipt, ask.text.tag.encode()) == ("part1 part2 part3 ", True, askers[1].id)
    rig.receipt(askers[1].id)
    await settle()
    assert {told(delivery)[0] for delivery in esme.got} == {askers[0].id, askers[2].id}
    repeated = rig.receipt(askers[1].id)
    await settle()
    assert repeated.status == Status.ROK
    assert rig.connector.hearing.early == 0


@jumping
async def test_a_receipt_is_asked_for_if_only_the_last_part_asks() -> None:
    rig = Rig()
    await rig.taken(rig.part(1, registered_delivery=0), rig.part(2))
    assert rig.script.asks[0].text.receipt
    rig.receipt(rig.script.asks[0].text.tag.encode())
    await settle()
    assert rig.kinds() == "D"


@jumping
async def test_parts_that_are_in_doubt_are_one_text_again_with_the_same_tag() -> None:
    rig = Rig(idempotent=True, retry=(5.0,))
    rig.script.automatic = False
    await rig.taken(rig.part(2), rig.part(1))
    rig.script.asks[0].fail(Unanswered("cut"))
    await advance(6)
    first, second = rig.script.asks
    assert (first.text.tag, first.text.text) == (second.text.tag, second.text.text)
    assert second.text.attempts == 1


@jumping
async def test_after_a_kill_parts_are_one_text_again_and_go_to_their_carrier_alone() -> None:
    rig = Rig(idempotent=True)
    rig.script.automatic = False
    await rig.taken(rig.part(1), rig.part(2))
    after = Rig(rig.killed(), idempotent=True)
    await settle()
    assert [ask.text.tag for ask in after.script.asks] == [ask.text.tag for ask in rig.script.asks]
    assert after.kinds() == "WW"


@jumping
async def test_parts_whose_others_never_come_are_sent_or_refused() -> None:
    for how, texts, states in (("send", ["part2 "], []), ("refuse", [], [MessageState.UNDELIVERABLE])):
        rig = Rig(join_wait=5.0, incomplete=how)
        esme = Esme(rig.account)
        await rig.taken(rig.part(2))
        assert rig.connector.joining == 1
        await rig.pass_time(7)
        assert (rig.script.texts, rig.connector.joining) == (texts, 0)
        assert [delivery.state for delivery in esme.got] == states


@jumping
async def test_parts_that_are_all_here_are_one_text_however_long_the_last_waits_for_room() -> None:
    rig = Rig(join_wait=60.0)
    rig.script.automatic = False
    await rig.taken(rig.submit(b"other"), rig.part(1))
    rig.script.asks[0].answer(later(Status.RTHROTTLED, wait=200.0))
    await rig.pass_time(1)
    await rig.taken(rig.part(2))
    rig.script.automatic = True
    await rig.pass_time(300)
    assert sorted(rig.script.texts) == ["other", "other", "part1 part2 "]


@jumping
async def test_parts_are_one_text_where_the_rate_lets_them_come_slowly() -> None:
    rig = Rig(join_wait=60.0, rate=1.0, burst=1.0)
    for number in (1, 2):
        for reference in range(100):
            rig.part(number, reference=reference, words=b"%d/%d " % (reference, number))
    await rig.pass_time(400)
    assert sorted(rig.script.texts) == sorted(f"{n}/1 {n}/2 " for n in range(100))


@jumping
async def test_what_was_refused_for_now_is_no_repetition_when_a_part_of_it_comes_again_alone() -> None:
    rig = Rig(join_wait=60.0, retry=(5.0,))
    rig.script.automatic = False
    first, second = rig.part(1), rig.part(2)
    await rig.taken(first, second)
    rig.script.asks[0].answer(later(Status.RSYSERR))
    await settle()
    rig.pipeline.cancel(rig.message(second))
    rig.script.automatic = True
    await rig.pass_time(100)
    assert rig.script.texts == ["part1 part2 ", "part1 "], "incomplete, and sent nonetheless"


@jumping
async def test_a_repetition_of_a_part_that_was_sent_is_no_message_of_its_own() -> None:
    rig = Rig(join_wait=5.0)
    esme = Esme(rig.account)
    await rig.taken(rig.part(1), rig.part(2))
    again = rig.part(2)
    await rig.taken(again)
    await rig.pass_time(7)
    assert rig.script.texts == ["part1 part2 "]
    assert [told(delivery) for delivery in esme.got] == [(again.id, MessageState.UNKNOWN)]


@jumping
async def test_what_was_refused_for_good_is_no_repetition_either() -> None:
    rig = Rig(join_wait=5.0)
    rig.script.automatic = False
    await rig.taken(rig.part(1), rig.part(2))
    rig.script.asks[0].answer(never(Status.RSUBMITFAIL, code="21211"))
    await settle()
    rig.script.automatic = True
    await rig.taken(rig.part(2))
    await rig.pass_time(7)
    assert rig.script.texts[1:] == ["part2 "]


@jumping
async def test_the_same_text_with_the_same_reference_is_sent_again_when_all_of_it_comes_again() -> None:
    rig = Rig()
    await rig.taken(rig.part(1), rig.part(2))
    await rig.taken(rig.part(1), rig.part(2))
    assert rig.script.texts == ["part1 part2 "] * 2


@jumping
async def test_any_number_of_incomplete_messages_waits_for_room() -> None:
    rig = Rig(join_wait=5.0, window=3)
    await rig.taken(*(rig.part(1, reference=number) for number in range(20)))
    rig.script.automatic = False
    await rig.pass_time(7)
    assert (len(rig.script.asks), rig.connector.room, rig.connector.joining) == (3, 0, 17)
    rig.script.automatic = True
    for ask in rig.script.asks[:]:
        ask.answer(ACCEPTED)
    await settle()
    assert (len(rig.script.asks), rig.connector.joining) == (20, 0)


@jumping
async def test_a_part_that_expires_while_it_waits_is_not_sent() -> None:
    rig = Rig(join_wait=60.0)
    esme = Esme(rig.account)
    await rig.taken(rig.part(1, validity_period=b"000000000010000R"))
    await rig.pass_time(70)
    assert not rig.script.asks
    assert [delivery.state for delivery in esme.got] == [MessageState.EXPIRED]
    assert rig.outcomes("incomplete") == 0


@jumping
async def test_the_other_parts_of_one_that_expired_are_incomplete() -> None:
    rig = Rig(join_wait=60.0)
    esme = Esme(rig.account)
    await rig.taken(rig.part(1, validity_period=b"000000000010000R"))
    await advance(20)
    await rig.taken(rig.part(2))
    assert rig.script.texts == ["part2 "]
    assert [delivery.state for delivery in esme.got] == [MessageState.EXPIRED]


@jumping
async def test_a_part_that_was_cancelled_while_it_waited_is_not_sent() -> None:
    rig = Rig(incomplete="refuse")
    esme = Esme(rig.account)
    first = rig.part(1)
    await rig.taken(first)
    rig.pipeline.cancel(rig.message(first))
    await rig.taken(rig.part(2))
    assert not rig.script.asks
    assert [delivery.state for delivery in esme.got] == [MessageState.DELETED, MessageState.UNDELIVERABLE]


def replace(rig: Rig, asker: Any, words: bytes, **fields: Any) -> None:
    message = rig.message(asker)
    pdu: SubmitSm = decode_submit(message.body)
    rig.pipeline.replace(message, pdu._replace(short_message=words, **fields))


@jumping
async def test_a_part_that_was_replaced_while_it_waited_is_sent_as_it_is_now() -> None:
    rig = Rig()
    first = rig.part(1)
    await rig.taken(first)
    replace(rig, first, b"\5\0\3\7\2\1other ")
    await rig.taken(rig.part(2))
    assert rig.script.texts == ["other part2 "]


@jumping
async def test_a_part_that_was_replaced_by_one_without_its_header_ends_alone() -> None:
    rig = Rig()
    esme = Esme(rig.account)
    first = rig.part(1)
    await rig.taken(first)
    replace(rig, first, b"no header")
    await rig.taken(rig.part(2))
    assert rig.script.texts == ["part2 "]
    assert [told(delivery) for delivery in esme.got] == [(first.id, MessageState.REJECTED)]


@jumping
async def test_a_part_that_was_put_off_goes_at_its_time_and_once() -> None:
    rig = Rig(join_wait=30.0)
    first = rig.part(1)
    await rig.taken(first)
    replace(rig, first, b"\5\0\3\7\2\1other ", schedule_delivery_time=b"000000000200000R")
    await rig.taken(rig.part(2))
    assert rig.script.texts == ["part2 "]
    await rig.pass_time(130)
    assert rig.script.texts == ["part2 "]
    await rig.pass_time(30)
    assert rig.script.texts == ["part2 ", "other "]


@jumping
async def test_parts_that_wait_go_back_when_the_way_closes() -> None:
    rig = Rig(breaker_failures=1, breaker_wait=(60.0,), retry=(1.0,))
    rig.script.automatic = False
    await rig.taken(rig.submit(), rig.part(1))
    assert rig.connector.joining == 1
    rig.script.asks[0].fail(Unsent("refused"))
    await advance(2)
    assert (rig.connector.joining, len(rig.target.queue)) == (0, 2)
    rig.script.automatic = True
    await rig.taken(rig.part(2))
    await advance(65)
    assert sorted(rig.script.texts[1:]) == ["hello", "part1 part2 "]


@jumping
async def test_a_connector_that_nobody_wants_any_more_finishes_the_parts_that_it_has() -> None:
    rig = Rig(join_wait=5.0)
    await rig.taken(rig.part(1))
    rig.connector.want(rig.target, False)
    await rig.pass_time(3)
    up = [rig.connector.up, rig.target.up]
    await rig.pass_time(5)
    assert [*up, rig.connector.up, rig.target.up] == [True, True, False, False]
    assert rig.script.texts == ["part1 "]


@jumping
async def test_too_many_open_messages_push_the_oldest_out() -> None:
    rig = Rig(max_joining=2, incomplete="refuse")
    esme = Esme(rig.account)
    askers = [rig.part(1, reference=number) for number in range(3)]
    await rig.taken(*askers)
    assert [told(delivery)[0] for delivery in esme.got] == [askers[0].id]
    assert rig.connector.joining == 2


@jumping
async def test_a_bucket_gives_one_token_for_all_parts_of_a_message() -> None:
    rig = Rig(rate=1.0, burst=2.0)
    await rig.taken(
        *(rig.part(number, 5) for number in range(1, 6)), *(rig.part(number, 5, 8) for number in range(1, 6))
    )
    assert len(rig.script.asks) == 2


@jumping
async def test_each_destination_of_a_submit_multi_is_a_text_of_its_own_under_one_public_id() -> None:
    rig = Rig()
    esme = Esme(rig.account)
    first = rig.submit()
    await settle()
    pdu = SubmitSm(
        destination_addr=b"819000000000", registered_delivery=int(RegisteredDelivery.FINAL), short_message=b"x"
    )
    message = rig.pipeline.submit(
        rig.account, pdu, b"\0" * 7 + b"819000000000\0" + b"\0" * 8 + b"\1x", first, int(first.id, 16)
    )
    assert not isinstance(message, Status)
    message.ticket = None
    await settle()
    tags = [ask.text.tag.encode() for ask in rig.script.asks]
    assert len(set(tags)) == 2
    for tag in tags:
        rig.receipt(tag)
    await settle()
    assert [told(delivery)[0] for delivery in esme.got] == [first.id] * 2


# After a kill


@jumping
async def test_what_was_marked_at_a_kill_is_set_aside_sent_again_or_unknown() -> None:
    for how, kinds, asks in (("hold", "X", 0), ("unknown", "D", 0), ("resend_and_accept_duplicates", "W", 1)):
        rig = Rig(in_doubt=how)
        rig.script.automatic = False
        await rig.taken(rig.submit())
        after = Rig(rig.killed(), in_doubt=how)
        await advance(1)
        assert (after.kinds(), len(after.script.asks)) == (kinds, asks)
        assert after.pipeline.counts["in_doubt"] == 1


@jumping
async def test_an_idempotent_carrier_is_asked_again_after_a_kill_and_nobody_else() -> None:
    rig = Rig(idempotent=True)
    rig.script.automatic = False
    asker = rig.submit()
    await rig.taken(asker)
    after = Rig(rig.killed(), idempotent=True)
    after.script.automatic = False
    await settle()
    (ask,) = after.script.asks
    assert (ask.text.tag.encode(), ask.text.attempts) == (asker.id, 1)
    message = after.message(asker) if asker.id else None
    assert message is not None
    assert (message.flags, message.pin) == (OFFERED | DOUBTED, "carrier")
    again = Rig(after.killed(), idempotent=True)
    await settle()
    assert len(again.script.asks) == 1
    assert again.kinds() == "W"
    (record,) = again.store.records.values()
    assert Waiting.unpack(record).parts == ((asker.id, 0),)


@jumping
async def test_what_is_pinned_to_a_connector_that_is_gone_is_set_aside() -> None:
    rig = Rig(idempotent=True, retry=(5.0,))
    rig.script.automatic = False
    await rig.taken(rig.submit())
    rig.script.asks[0].fail(Unanswered("cut"))
    await settle()
    rig.pipeline.upstreams = {}
    await advance(6)
    (record,) = rig.store.records.values()
    aside = SetAside.unpack(record)
    assert "no longer has" in aside.reason
    assert aside.record[0] == QUEUED


# What a person does


@jumping
async def test_one_that_is_held_sends_nothing_more_and_loses_nothing() -> None:
    rig = Rig(window=1)
    rig.script.automatic = False
    await rig.taken(*(rig.submit() for _ in range(3)))
    rig.connector.hold("drain")
    assert (rig.connector.up, rig.target.up) == (False, False)
    rig.script.asks[0].answer(ACCEPTED)
    await advance(30)
    assert (len(rig.script.asks), rig.outcomes("sent"), len(rig.target.queue)) == (1, 1, 2)
    rig.script.automatic = True
    rig.connector.hold("")
    await settle()
    assert (rig.outcomes("sent"), len(rig.target.queue)) == (3, 0)


@jumping
async def test_parts_that_wait_for_others_are_given_back_by_one_that_is_held() -> None:
    rig = Rig()
    await rig.taken(rig.part(1))
    assert rig.connector.joining == 1
    rig.connector.hold("stop")
    await settle()
    assert (rig.connector.joining, len(rig.target.queue)) == (0, 1)
    rig.connector.hold("")
    await rig.taken(rig.part(2))
    assert rig.script.texts == ["part1 part2 "]


@jumping
async def test_one_that_rests_is_asked_again_at_once_when_a_person_says_so() -> None:
    rig = Rig(breaker_failures=1, breaker_wait=(600.0,), retry=(1.0,))
    rig.script.automatic = False
    await rig.taken(rig.submit())
    rig.script.asks[0].fail(Unsent("refused"))
    await advance(10)
    assert (rig.connector.breaker, rig.connector.up, rig.connector.failures) == ("open", False, 1)
    rig.connector.rebind()
    await advance(2)
    assert (rig.connector.breaker, len(rig.script.asks)) == ("half open", 2)
    rig.script.asks[1].answer(ACCEPTED)
    await settle()
    assert (rig.connector.breaker, rig.connector.failures) == ("closed", 0)


@jumping
async def test_one_that_pauses_is_asked_again_at_once_when_a_person_says_so() -> None:
    rig = Rig()
    rig.script.automatic = False
    await rig.taken(rig.submit())
    rig.script.asks[0].answer(later(Status.RTHROTTLED, wait=86400.0))
    await advance(60)
    assert rig.connector.paused
    rig.connector.rebind()
    await settle()
    assert (rig.connector.paused, len(rig.script.asks)) == (False, 2)


@jumping
async def test_another_window_and_rate_count_at_once() -> None:
    rig = Rig(window=5)
    rig.script.automatic = False
    rig.connector.limit(rig.connector.settings.model_copy(update={"window": 1}))
    await rig.taken(*(rig.submit() for _ in range(4)))
    assert len(rig.script.asks) == 1
    rig.connector.limit(rig.connector.configured)
    await settle()
    assert len(rig.script.asks) == 4
    rig.connector.limit(rig.connector.settings.model_copy(update={"rate": 1.0, "burst": 1.0}))
    for ask in rig.script.asks:
        ask.answer(ACCEPTED)
    await rig.taken(*(rig.submit() for _ in range(3)))
    assert len(rig.script.asks) == 5
    await advance(3)
    assert len(rig.script.asks) == 7
