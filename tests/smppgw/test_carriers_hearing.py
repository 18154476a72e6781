"""What a carrier says reaches whom it is for, is answered once it is safe, and counts once."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from protocol import times
from protocol.consts import MessageState, Status
from protocol.pdus import decode_submit
from protocol.receipt import Receipt
from smppgw.carriers.client import BadReply
from smppgw.carriers.contract import Heard, Mo, later, sent
from smppgw.carriers.hearing import All
from smppgw.carriers.repeats import FORGOTTEN, REMEMBERED
from smppgw.exchange import Unanswered
from tests.smppgw.bench import Esme, Said, told
from tests.smppgw.carried import Rig, settle
from tests.smppgw.jumping import advance, jumping

MO = Mo(b"mo-1", "+819011112222", "815017122661", "はい")


def hear(rig: Rig, *heard: Heard) -> Said:
    said = Said()
    rig.connector.hearing.hear(heard, said)
    return said


def answer(said: Said) -> int | None:
    """To the notification; None so far."""
    return said.status


# Receipts


@jumping
async def test_a_notification_is_answered_when_its_receipt_is_on_disk() -> None:
    rig = Rig()
    asker = rig.submit()
    await rig.taken(asker)
    rig.store.hold()
    said = rig.receipt(asker.id)
    await settle()
    assert answer(said) is None
    rig.store.flow()
    await settle()
    assert answer(said) == Status.ROK
    assert rig.kinds() == "D"


@jumping
async def test_while_the_store_refuses_notifications_are_to_come_again() -> None:
    rig = Rig()
    asker = rig.submit()
    await rig.taken(asker)
    rig.store.trouble = "full"
    under_way = rig.receipt(asker.id)
    await settle()
    assert (under_way.status, rig.receipt(asker.id).status, hear(rig, MO).status) == (
        None,
        Status.RX_T_APPN,
        Status.RX_T_APPN,
    )
    rig.store.trouble = ""
    await advance(2)
    assert under_way.status == Status.ROK
    repeated = rig.receipt(asker.id)
    await settle()
    assert repeated.status == Status.ROK
    assert rig.kinds() == "D"


@jumping
async def test_a_state_that_is_not_final_changes_nothing_and_leaves_nothing() -> None:
    rig = Rig()
    asker = rig.submit()
    await rig.taken(asker)
    said = [rig.receipt(asker.id, MessageState.ENROUTE), rig.receipt(b"unknown", MessageState.ENROUTE)]
    await settle()
    assert [each.status for each in said] == [Status.ROK] * 2
    assert (rig.waiting(), rig.kinds()) == ([asker.id], "W")


@jumping
async def test_a_notification_that_says_nothing_is_accepted() -> None:
    assert hear(Rig()).status == Status.ROK


@jumping
async def test_a_notification_of_several_is_answered_once_when_all_are_safe() -> None:
    rig = Rig()
    askers = [rig.submit(), rig.submit()]
    await rig.taken(*askers)
    said = hear(rig, *(Receipt(asker.id, MessageState.DELIVERED, b"000") for asker in askers), MO)
    assert answer(said) is None
    await settle()
    assert answer(said) == Status.ROK
    assert rig.kinds() == "DDDS"


@given(st.integers(1, 5), st.lists(st.booleans(), max_size=8))
def test_several_are_refused_with_the_first_refusal_and_accepted_with_the_last(count: int, goes: list[bool]) -> None:
    said = Said()
    report = All(count, said)
    for well in goes[:count]:
        if well:
            report.accepted()
        else:
            report.refused(Status.RX_T_APPN)
    expected = Status.RX_T_APPN if False in goes[:count] else Status.ROK if len(goes) >= count else None
    assert said.status == expected


@jumping
async def test_a_repeated_receipt_is_accepted_and_told_once() -> None:
    rig = Rig()
    esme = Esme(rig.account)
    asker = rig.submit()
    await rig.taken(asker)
    for _ in range(3):
        said = rig.receipt(asker.id)
        await settle()
        assert answer(said) == Status.ROK
    assert len(esme.got) == 1
    assert rig.connector.hearing.early == 0


@jumping
async def test_a_repeated_receipt_is_accepted_only_when_the_first_is_on_disk() -> None:
    rig = Rig()
    asker = rig.submit()
    await rig.taken(asker)
    rig.store.hold()
    first = rig.receipt(asker.id)
    await advance(6)
    again = rig.receipt(asker.id)
    await advance(60)
    assert (answer(first), answer(again)) == (None, None)
    rig.store.flow()
    await settle()
    assert (answer(first), answer(again)) == (Status.ROK, Status.ROK)


# Receipts that come before their message is known


@jumping
async def test_a_receipt_that_comes_before_the_answer_is_safe_and_told_after_it() -> None:
    rig = Rig()
    rig.script.automatic = False
    esme = Esme(rig.account)
    asker = rig.submit()
    await rig.taken(asker)
    said = rig.receipt(b"a")
    await settle()
    assert (said.status, rig.kinds(), rig.connector.hearing.early) == (Status.ROK, "HQ", 1)
    rig.script.asks[0].answer(sent(b"a"))
    await settle()
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.DELIVERED)]
    assert (rig.kinds(), rig.connector.hearing.early) == ("D", 0)


@jumping
async def test_an_early_receipt_that_is_repeated_is_told_once_and_leaves_nothing() -> None:
    rig = Rig()
    rig.script.automatic = False
    esme = Esme(rig.account)
    await rig.taken(rig.submit())
    rig.receipt(b"a")
    rig.receipt(b"a")
    await settle()
    rig.script.asks[0].answer(sent(b"a"))
    await settle()
    assert len(esme.got) == 1
    assert rig.kinds() == "D"


@jumping
async def test_an_early_receipt_survives_a_kill_and_the_answer_that_comes_after_it() -> None:
    rig = Rig(in_doubt="resend_and_accept_duplicates")
    rig.script.automatic = False
    asker = rig.submit()
    await rig.taken(asker)
    rig.receipt(b"a")
    await settle()
    after = Rig(rig.killed(), in_doubt="resend_and_accept_duplicates")
    assert after.restored["heard"] == 1
    esme = Esme(after.account)
    after.script.automatic = False
    await settle()
    after.script.asks[0].answer(sent(b"a"))
    await settle()
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.DELIVERED)]
    assert after.kinds() == "D"


@jumping
async def test_an_early_receipt_that_nobody_claims_is_forgotten_after_a_while() -> None:
    rig = Rig(gateway={"early_receipt_wait": 10.0}, response=15.0)
    said = rig.receipt(b"nobody")
    await advance(14)
    assert (said.status, rig.kinds()) == (Status.ROK, "H")
    await advance(2)
    assert (rig.kinds(), rig.connector.hearing.early) == ("", 0)
    assert rig.pipeline.counts["unknown_receipt"] == 1


@jumping
async def test_no_more_early_receipts_are_kept_than_the_config_allows() -> None:
    rig = Rig(gateway={"max_early_receipts": 2})
    said = [rig.receipt(b"%d" % number) for number in range(3)]
    await settle()
    assert [each.status for each in said] == [Status.ROK, Status.ROK, Status.RX_T_APPN]
    assert rig.kinds() == "HH"


@jumping
async def test_a_receipt_that_was_kept_while_the_commit_failed_is_told_when_the_store_works_again() -> None:
    rig = Rig()
    rig.script.automatic = False
    esme = Esme(rig.account)
    await rig.taken(rig.submit())
    rig.store.trouble = "full"
    said = rig.receipt(b"a")
    await settle()
    rig.script.asks[0].answer(sent(b"a"))
    await settle()
    assert (said.status, esme.got) == (None, [])
    rig.store.trouble = ""
    await advance(3)
    assert answer(said) == Status.ROK
    assert len(esme.got) == 1
    assert rig.kinds() == "D"


# Proofs


@jumping
async def test_the_receipt_of_a_message_in_doubt_proves_that_it_was_sent() -> None:
    rig = Rig(idempotent=True, retry=(60.0,))
    rig.script.automatic = False
    esme = Esme(rig.account)
    asker = rig.submit()
    await rig.taken(asker)
    rig.script.asks[0].fail(Unanswered("cut"))
    await settle()
    rig.receipt(asker.id)
    await settle()
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.DELIVERED)]
    await advance(120)
    assert len(rig.script.asks) == 1


@jumping
async def test_the_receipt_of_a_request_under_way_proves_it_too_and_its_answer_changes_nothing() -> None:
    for answer in (sent(b"x"), later(Status.RSYSERR)):
        rig = Rig(idempotent=True)
        rig.script.automatic = False
        asker = rig.submit()
        await rig.taken(asker)
        rig.receipt(asker.id)
        await settle()
        rig.script.asks[0].answer(answer)
        await advance(100)
        assert len(rig.script.asks) == 1
        assert (rig.kinds(), rig.waiting()) == ("D", [])


@jumping
async def test_the_receipt_of_parts_in_doubt_waits_until_they_are_sent_again() -> None:
    rig = Rig(idempotent=True, retry=(60.0,), response=1.0)
    rig.script.automatic = False
    esme = Esme(rig.account)
    first, second = rig.part(1), rig.part(2)
    await rig.taken(first, second)
    rig.script.asks[0].fail(Unanswered("cut"))
    await settle()
    rig.receipt(first.id)
    await advance(50)
    assert (len(rig.script.asks), rig.connector.hearing.early) == (1, 1)
    rig.script.automatic = True
    await advance(15)
    assert {told(delivery) for delivery in esme.got} == {
        (asker.id, MessageState.DELIVERED) for asker in (first, second)
    }
    assert rig.kinds() == "DD"


@jumping
async def test_an_id_that_is_none_of_ours_proves_nothing() -> None:
    rig = Rig(idempotent=True)
    rig.script.automatic = False
    await rig.taken(rig.submit())
    for id in (b"", b"#", b"0x10", b"-1", b"_", b"f" * 40, b"\xff", b"%016x" % (next(iter(rig.pipeline.queued)) + 1)):
        assert rig.receipt(id).status is None
    await settle()
    assert rig.kinds() == "H" * 8 + "Q"


@jumping
async def test_the_repeated_receipt_of_joined_parts_is_known_again() -> None:
    rig = Rig()
    first, second = rig.part(1), rig.part(2)
    await rig.taken(first, second)
    rig.receipt(first.id)
    await settle()
    repeated = rig.receipt(first.id)
    await settle()
    assert repeated.status == Status.ROK
    assert rig.connector.hearing.early == 0


# Messages from handsets


@jumping
async def test_a_message_from_a_handset_is_delivered_once_however_often_it_is_told() -> None:
    rig = Rig()
    esme = Esme(rig.account)
    said = hear(rig, MO)
    again = hear(rig, MO)
    assert (said.status, again.status) == (None, Status.RX_T_APPN)
    await settle()
    assert (said.status, hear(rig, MO).status) == (Status.ROK, Status.ROK)
    (delivery,) = esme.got
    pdu = decode_submit(delivery.body)
    assert (pdu.source_addr, pdu.short_message.decode("utf-16-be")) == (b"819011112222", "はい")


@jumping
async def test_a_message_from_a_handset_in_parts_is_delivered_whole_after_a_commit_that_failed() -> None:
    rig = Rig()
    esme = Esme(rig.account)
    rig.store.trouble = "full"
    long = MO._replace(text="あ" * 150)
    said = hear(rig, long)
    await settle()
    assert (said.status, hear(rig, long).status, esme.got) == (None, Status.RX_T_APPN, [])
    rig.store.trouble = ""
    await advance(3)
    assert (said.status, hear(rig, long).status) == (Status.ROK, Status.ROK)
    assert len(esme.got) == len({decode_submit(each.body).short_message for each in esme.got}) == 3


@jumping
async def test_long_messages_from_handsets_have_references_of_their_own() -> None:
    rig = Rig()
    esme = Esme(rig.account)
    for number in range(2):
        hear(rig, MO._replace(id=b"%d" % number, text="あ" * 100))
    await settle()
    assert len({decode_submit(each.body).short_message[3] for each in esme.got}) == 2


@jumping
async def test_without_an_id_every_message_from_a_handset_counts() -> None:
    rig = Rig()
    hear(rig, MO._replace(id=b""))
    hear(rig, MO._replace(id=b""))
    await settle()
    assert rig.kinds() == "DD"


@jumping
async def test_what_nobody_owns_or_nobody_can_write_is_accepted_and_dropped() -> None:
    rig = Rig()
    endless = hear(rig, MO._replace(text="あ" * 20_000))
    rig.pipeline.returns.mo_table = type(rig.pipeline.returns.mo_table)(())
    assert (endless.status, hear(rig, MO).status) == (Status.ROK, Status.ROK)
    await settle()
    assert rig.kinds() == ""


@jumping
async def test_half_characters_in_addresses_and_texts_of_handsets_do_no_harm() -> None:
    rig = Rig()
    said = hear(rig, Mo(b"1", "\ud83d", "x\udc00", "half \ud83d"))
    await settle()
    assert answer(said) == Status.ROK
    assert rig.kinds() == "DS"


@jumping
async def test_only_so_many_ids_of_handsets_messages_are_remembered() -> None:
    rig = Rig()
    for number in range(REMEMBERED + 1):
        hear(rig, MO._replace(id=b"%d" % number))
    await settle()
    assert rig.kinds().count("S") == REMEMBERED
    assert hear(rig, MO._replace(id=b"0")).status is None
    assert hear(rig, MO._replace(id=b"%d" % REMEMBERED)).status == Status.ROK


@jumping
async def test_a_reload_remembers_what_handsets_said() -> None:
    rig = Rig()
    hear(rig, MO)
    await settle()
    rig.reload(window=3)
    assert hear(rig, MO).status == Status.ROK
    await settle()
    assert rig.kinds() == "DS"


@jumping
async def test_a_message_from_a_handset_that_is_told_again_after_a_kill_is_delivered_once() -> None:
    rig = Rig()
    hear(rig, MO)
    await settle()
    after = Rig(rig.killed())
    esme = Esme(after.account)
    assert hear(after, MO).status == Status.ROK
    hear(after, MO._replace(id=b"mo-2"))
    after.account.outbox.pump()
    await settle()
    assert len(esme.got) == 2
    assert after.kinds() == "DDSS"


@jumping
async def test_a_message_from_a_handset_that_no_commit_saved_is_new_when_it_is_told_again() -> None:
    rig = Rig()
    rig.store.hold()
    said = hear(rig, MO)
    await settle()
    after = Rig(rig.killed())
    esme = Esme(after.account)
    assert said.status is None
    again = hear(after, MO)
    await settle()
    assert (again.status, len(esme.got)) == (Status.ROK, 1)


@jumping
async def test_what_a_handset_said_and_its_id_are_in_one_commit() -> None:
    rig = Rig()
    rig.store.trouble = "full"
    hear(rig, MO._replace(text="あ" * 150))
    await settle()
    rig.store.trouble = ""
    await advance(3)
    for batch in rig.store.batches:
        kinds = sorted(chr(record[0]) for record in batch.values() if record)
        assert kinds in ([], [*"DDDS"])
    assert rig.kinds() == "DDDS"


@jumping
async def test_what_handsets_said_is_forgotten_with_its_record_after_two_days() -> None:
    rig = Rig()
    hear(rig, MO)
    await settle()
    await advance(FORGOTTEN - 10)
    rig.connector.tick()
    assert hear(rig, MO).status == Status.ROK
    await rig.pass_time(12)
    assert rig.kinds() == "D"
    assert hear(rig, MO).status is None


# Polls


@jumping
async def test_what_waits_is_asked_about_at_each_age_until_it_ended() -> None:
    rig = Rig(poll=(10.0, 20.0, 40.0))
    rig.script.says = lambda id: [
        Receipt(id, MessageState.ENROUTE if len(rig.script.polled) < 2 else MessageState.DELIVERED)
    ]
    esme = Esme(rig.account)
    asker = rig.submit()
    await rig.taken(asker)
    await rig.pass_time(15)
    assert rig.script.polled == [asker.id]
    await rig.pass_time(35)
    assert rig.script.polled == [asker.id] * 2
    assert [told(delivery) for delivery in esme.got] == [(asker.id, MessageState.DELIVERED)]
    assert rig.connector.counts.polls == 2


@jumping
async def test_what_a_notification_ended_is_not_asked_about() -> None:
    rig = Rig(poll=(10.0,))
    asker = rig.submit()
    parts = [rig.part(1), rig.part(2)]
    await rig.taken(asker, *parts)
    rig.receipt(asker.id)
    rig.receipt(parts[0].id)
    await rig.pass_time(15)
    assert rig.script.polled == []


@jumping
async def test_no_more_polls_are_under_way_than_the_config_allows() -> None:
    rig = Rig(poll=(5.0,), poll_window=2)
    asked = 0

    def says(id: bytes) -> Sequence[Heard]:
        nonlocal asked
        asked += 1
        return [Receipt(id, MessageState.DELIVERED)]

    rig.script.says = says
    await rig.taken(*(rig.submit() for _ in range(7)))
    await rig.pass_time(7)
    assert asked == 7
    assert rig.waiting() == []


@jumping
async def test_a_poll_that_fails_is_made_again_at_the_next_age() -> None:
    rig = Rig(poll=(5.0, 10.0, 15.0))

    def says(id: bytes) -> Sequence[Heard]:
        if len(rig.script.polled) == 1:
            raise BadReply("no JSON")
        if len(rig.script.polled) == 2:
            raise ZeroDivisionError("a bug")
        return [Receipt(id, MessageState.DELIVERED)]

    rig.script.says = says
    await rig.taken(rig.submit())
    await rig.pass_time(17)
    assert len(rig.script.polled) == 3
    assert rig.waiting() == []


@jumping
async def test_after_the_last_poll_a_message_waits_or_ends_as_the_config_says() -> None:
    for end, states in (("wait", []), ("expired", [MessageState.EXPIRED]), ("unknown", [MessageState.UNKNOWN])):
        rig = Rig(poll=(5.0,), poll_end=end)
        esme = Esme(rig.account)
        await rig.taken(rig.submit())
        await rig.pass_time(7)
        assert [delivery.state for delivery in esme.got] == states


@jumping
async def test_the_end_of_joined_parts_is_told_to_all_of_them() -> None:
    rig = Rig(poll=(5.0,), poll_end="expired")
    esme = Esme(rig.account)
    await rig.taken(rig.part(1), rig.part(2))
    await rig.pass_time(7)
    assert len(rig.script.polled) == 1
    assert [delivery.state for delivery in esme.got] == [MessageState.EXPIRED] * 2


@jumping
async def test_while_the_store_refuses_nobody_is_asked_and_nothing_is_missed() -> None:
    rig = Rig(poll=(5.0,))
    rig.script.says = lambda id: [Receipt(id, MessageState.DELIVERED)]
    rig.script.slow = 2.0
    await rig.taken(rig.submit())
    await rig.pass_time(6)
    rig.store.trouble = "full"
    rig.submit()
    await rig.pass_time(10)
    assert len(rig.script.polled) == len(rig.waiting()) == 1
    rig.store.trouble = ""
    await rig.pass_time(5)
    assert len(rig.script.polled) == 2
    assert rig.waiting() == []


@jumping
async def test_after_a_kill_what_waits_is_asked_about_once_for_all_its_parts() -> None:
    rig = Rig(poll=(30.0,))
    asker, parts = rig.submit(), [rig.part(1), rig.part(2)]
    await rig.taken(asker, *parts)
    await rig.pass_time(5)
    after = Rig(rig.killed(), poll=(30.0,))
    await after.pass_time(40)
    assert sorted(after.script.polled) == sorted([asker.id, parts[0].id])


@jumping
async def test_after_a_kill_what_was_sent_late_is_asked_about_as_long_after_its_sending() -> None:
    rig = Rig(poll=(100.0,))
    asker = rig.submit(schedule_delivery_time=times.relative(200))
    await rig.taken(asker)
    await rig.pass_time(250)
    after = Rig(rig.killed(), poll=(100.0,))
    await after.pass_time(30)
    assert not after.script.polled
    await after.pass_time(30)
    assert after.script.polled == [asker.id]


@jumping
async def test_after_a_reload_what_was_sent_before_it_and_during_it_is_asked_about() -> None:
    for poll in ((10.0,), (12.0,)):
        rig = Rig(poll=(10.0,))
        first, second = rig.submit(), None
        await rig.taken(first)
        rig.script.automatic = False
        second = rig.submit()
        await rig.taken(second)
        rig.reload(poll=poll)
        rig.script.asks[1].answer(sent(second.id))
        await rig.pass_time(15)
        assert sorted(rig.script.polled) == sorted([first.id, second.id])


@jumping
async def test_nothing_is_asked_about_once_it_is_closed() -> None:
    rig = Rig(poll=(5.0,))
    await rig.taken(rig.submit())
    rig.connector.stop()
    await rig.pass_time(10)
    assert rig.script.polled == []
    assert rig.connector.over
