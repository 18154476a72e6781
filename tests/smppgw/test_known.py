"""An ESME finds what it knows by an id: one message, or all of a submit_multi."""

from protocol import pdus
from protocol.consts import Status
from protocol.pdus import SubmitSm
from routing.message import Message
from tests.smppgw.bench import Asker, Bench
from tests.smppgw.jumping import advance, jumping, settle


@jumping
async def test_an_account_finds_its_own_messages_queued_or_sent_and_no_other_ones() -> None:
    bench = Bench()
    queued, sent = await bench.accepted(b"1", b"2")
    bench.sent(b"a", list(bench.carrier.queue)[1])
    (found,) = bench.pipeline.known.find(bench.account, queued.id)
    assert isinstance(found, Message)
    assert found.destination == b"1"
    assert [type(found) for found in bench.pipeline.known.find(bench.account, sent.id)] == [tuple]
    for id in (queued.id, sent.id):
        assert bench.pipeline.known.find(bench.relay, id) == []
    for nobodys in (b"0" * 16, b"f" * 16, b"-1", b"no id"):
        assert bench.pipeline.known.find(bench.account, nobodys) == []


@jumping
async def test_what_has_one_id_for_the_esme_is_found_together_whatever_of_it_has_ended() -> None:
    bench = Bench()
    pdu = SubmitSm(source_addr=b"12345", registered_delivery=1, short_message=b"hello")
    public = 0
    numbers = [b"%d" % number for number in range(1, 256)]
    for number in numbers:
        each = pdu._replace(destination_addr=number)
        taken = bench.pipeline.submit(bench.account, each, pdus.encode_submit(each), Asker(), public=public)
        assert isinstance(taken, Message)
        public = taken.public
        await advance(0.01)
    bench.submit(b"999")
    await settle()

    def known() -> list[bytes]:
        found = bench.pipeline.known.find(bench.account, b"%016x" % public)
        return [each.destination if isinstance(each, Message) else each[1].destination for each in found]

    assert known() == numbers
    bench.sent(b"a")
    bench.sent(b"b")
    bench.pipeline.refused(bench.carrier.take(), Status.RINVDSTADR)
    bench.receipt(b"a")
    await settle()
    assert known() == [numbers[1], *numbers[3:]]
