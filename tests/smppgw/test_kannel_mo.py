"""Messages from mobiles reach their services, and replies their mobiles, whatever breaks on the way."""

import asyncio
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from protocol import pdus
from protocol.consts import Status
from protocol.pdus import SubmitSm
from protocol.receipt import Receipt
from routing.message import DELIVERY, QUEUED, Delivery, Message, Waiting
from smppgw.accounts import AccountState
from smppgw.fronts import Outcome
from smppgw.kannel.caller import BadUrl, Headers, NoReply, Reply
from smppgw.kannel.escapes import Sms
from smppgw.kannel.lists import Lists
from smppgw.kannel.memo import Memo
from smppgw.kannel.mo import MARK, RESUBMIT, MoReceiver, account_of, marked
from smppgw.kannel.model import Core, Kannel, Smsbox, Smsc, SmsService
from smppgw.pipeline import Pipeline
from tests.smppgw.bench import Bench, BenchStore, Said
from tests.smppgw.jumping import advance, epoch, jumping

Answer = Callable[[bytes], Reply]


def text(body: bytes) -> Reply:
    return Reply(200, ((b"Content-Type", b"text/plain; charset=utf-8"),), body)


class Application:
    """Answers as the test says, once it flows."""

    def __init__(self, *answers: Reply | NoReply | BadUrl) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[bytes, bytes, bytes | None]] = []
        self._flows = asyncio.Event()
        self._flows.set()

    def hold(self) -> None:
        self._flows.clear()

    def flow(self) -> None:
        self._flows.set()

    async def ask(self, method: bytes, url: bytes, headers: Headers = (), body: bytes | None = None) -> Reply:
        self.asked.append((method, url, body))
        await self._flows.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Reports:
    """A front that writes what it hears of replies."""

    def sent(self, message: Message, connector: bytes) -> bytes | None:
        return b"sent by " + connector

    def ended(self, message: Message, state: int, status: int) -> bytes | None:
        return None

    def receipt(self, waiting: Waiting, state: int, found: Receipt) -> bytes | None:
        return b"receipt"


class Desk:
    """The face of a gateway, small."""

    def __init__(self, bench: Bench, kannel: Kannel) -> None:
        self.kannel = kannel
        self.pipeline: Pipeline = bench.pipeline
        self.clock: Callable[[], float] = epoch
        self.loop = asyncio.get_running_loop()
        self.seen: list[Sms] = []

    def tag_of(self, smsc_id: str | None) -> str:
        return smsc_id or "*"

    def received(self, sms: Sms) -> None:
        self.seen.append(sms)


SMSC = Smsc(smsc="smpp", smsc_id="one", host="h", smsc_username="esme", smsc_password="secret")


def service(keyword: str = "default", **keys: Any) -> SmsService:
    if not keys.keys() & {"post_url", "post_xml", "file", "text", "exec"}:
        keys = {"get_url": "http://a/?%b", **keys}
    return SmsService(keyword=keyword, **{"catch_all": True, **keys})


class Box:
    """A gateway with the account of smsbox, restarted on the store of another when it is given."""

    def __init__(
        self,
        application: Application,
        *services: SmsService,
        store: BenchStore | None = None,
        may_exec: bool = False,
        core: Core | None = None,
        **smsbox: Any,
    ) -> None:
        self.bench = Bench(store)
        self.application = application
        kannel = Kannel(
            core=core or Core(), smscs=(SMSC,), smsbox=Smsbox(**smsbox), sms_services=services or (service(),)
        )
        self.desk = Desk(self.bench, kannel)
        self.account: AccountState = self.bench.pipeline.accounts.internal(
            account_of("smsbox", kannel), Reports(), marked
        )
        self.account.change(account_of("smsbox", kannel))
        self.reported: list[bytes] = []
        lists = Lists(kannel)
        lists.read()
        self.receiver = MoReceiver(self.desk, self.account, application, lists, self._report, may_exec=may_exec)
        self.account.links.append(self.receiver)
        self.account.outbox.pump()

    async def _report(self, delivery: Delivery) -> Outcome:
        self.reported.append(delivery.body)
        return Outcome(Status.ROK)

    def came(self, octets: bytes = b"hello", connector: str = "one", **fields: Any) -> Said:
        """A message from a mobile."""
        fields = {"source_addr": b"447700900001", "destination_addr": b"12345", "short_message": octets, **fields}
        said = Said()
        body = pdus.encode_submit(SubmitSm(**fields))
        self.bench.pipeline.returns.bring(self.account, connector, (body,), said)
        return said

    def part(self, number: int, octets: bytes, total: int = 2, reference: int = 7) -> Said:
        return self.came(bytes((5, 0, 3, reference, total, number)) + octets, esm_class=0x40)

    @property
    def replies(self) -> list[bytes]:
        return [pdus.decode_submit(message.body).short_message for message in self.bench.carrier.queue]

    @property
    def kinds(self) -> list[int]:
        """Of the records in the store."""
        return [record[0] for record in self.bench.store.records.values()]

    def killed(self) -> BenchStore:
        return self.bench.killed()


def asked_for(application: Application) -> list[bytes]:
    return [url for _, url, _ in application.asked]


@jumping
async def test_a_message_is_asked_about_and_its_reply_sent_by_the_smsc_that_it_came_from() -> None:
    box = Box(Application(text(b"answer")))
    said = box.came()
    await advance(0.1)
    assert said.status == Status.ROK
    assert asked_for(box.application) == [b"http://a/?hello"]
    [message] = box.bench.carrier.queue
    pdu = pdus.decode_submit(message.body)
    assert (message.account, message.tag) == ("smsbox", "one")
    assert (pdu.source_addr, pdu.destination_addr, pdu.short_message) == (b"12345", b"447700900001", b"answer")
    await advance(1)
    assert box.kinds == [QUEUED]
    assert [sms.text for sms in box.desk.seen] == [b"hello"]


@jumping
async def test_a_message_is_deleted_by_the_commit_that_its_reply_is_safe_by() -> None:
    box = Box(Application(text(b"answer")))
    box.application.hold()
    box.came()
    await advance(0.1)
    assert box.kinds == [DELIVERY]
    box.application.flow()
    await advance(0.1)
    changed = [batch for batch in box.bench.store.batches if any(value is None for value in batch.values())]
    assert sorted(value[0] if value else 0 for value in changed[0].values()) == [0, QUEUED]


@jumping
async def test_a_message_whose_application_was_asked_when_we_were_killed_is_asked_about_again_with_its_id() -> None:
    box = Box(Application(text(b"answer")), service(get_url="http://a/?%I"))
    box.application.hold()
    box.came()
    await advance(0.1)
    first = asked_for(box.application)
    again = Box(Application(text(b"answer")), service(get_url="http://a/?%I"), store=box.killed())
    await advance(0.1)
    assert asked_for(again.application) == first
    assert again.replies == [b"answer"]
    await advance(1)
    assert again.kinds == [QUEUED]


@jumping
async def test_a_mobile_never_gets_two_replies_over_a_kill() -> None:
    box = Box(Application(text(b"answer")))
    box.application.hold()
    box.came()
    await advance(0.1)
    box.application.flow()
    for _ in range(50):
        await asyncio.sleep(0)
        kinds = sorted(box.kinds)
        assert kinds in ([DELIVERY], [QUEUED])
    await advance(0.1)
    again = Box(Application(text(b"twice")), store=box.killed())
    await advance(0.1)
    assert (again.replies, again.application.asked) == ([b"answer"], [])


@jumping
async def test_while_the_store_refuses_a_reply_is_kept_and_its_message_too() -> None:
    box = Box(Application(text(b"answer")))
    box.application.hold()
    box.came()
    await advance(0.1)
    box.bench.store.trouble = "disk full"
    box.application.flow()
    await advance(3 * RESUBMIT)
    assert (box.replies, box.kinds) == ([], [DELIVERY])
    box.bench.store.trouble = ""
    await advance(3 * RESUBMIT)
    assert (box.replies, box.kinds) == ([b"answer"], [QUEUED])
    assert len(box.application.asked) == 1


@jumping
async def test_a_reply_that_has_no_room_waits_for_some() -> None:
    box = Box(Application(text(b"answer")))
    full = box.account.settings.model_copy(update={"max_queued": 0})
    box.account.settings = full
    box.came()
    await advance(RESUBMIT)
    assert (box.replies, box.kinds) == ([], [DELIVERY])
    box.account.settings = full.model_copy(update={"max_queued": 10})
    await advance(2 * RESUBMIT)
    assert (box.replies, box.kinds) == ([b"answer"], [QUEUED])


@jumping
async def test_a_reply_that_no_route_takes_is_dropped_as_kannel_drops_it() -> None:
    box = Box(Application(text(b"answer")))
    box.bench.pipeline.table = type(box.bench.pipeline.table)(())
    box.came()
    await advance(1)
    assert (box.replies, box.kinds) == ([], [])


@jumping
async def test_a_reply_that_cannot_be_written_is_dropped_and_its_message_done() -> None:
    headers = ((b"Content-Type", b"text/plain"), (b"X-Kannel-Meta-Data", b"?smpp?" + b"x" * 70_000))
    long = ((b"Content-Type", b"text/plain"), (b"X-Kannel-To", b"4" * 30))
    box = Box(Application(Reply(200, headers, b"x"), Reply(200, long, b"x")), service(accept_x_kannel_headers=True))
    box.came()
    await advance(1)
    box.came()
    await advance(1)
    assert (len(box.application.asked), box.replies, box.kinds) == (2, [], [])


@jumping
async def test_an_application_that_fails_is_asked_as_often_as_smsbox_says() -> None:
    box = Box(Application(Reply(500, (), b""), text(b"second")), http_request_retry=1, http_queue_delay=10)
    box.came()
    await advance(9)
    assert (len(box.application.asked), box.replies) == (1, [])
    await advance(2)
    assert (len(box.application.asked), box.replies) == (2, [b"second"])


@jumping
async def test_after_that_the_mobile_hears_that_it_could_not_be_had() -> None:
    box = Box(Application(NoReply("refused")), http_request_retry=1, http_queue_delay=10, reply_couldnotfetch="CNF")
    box.came()
    await advance(11)
    assert (len(box.application.asked), box.replies) == (2, [b"CNF"])


@jumping
async def test_a_url_that_is_none_is_not_tried_again() -> None:
    box = Box(Application(BadUrl("no host")), http_request_retry=5, reply_couldnotfetch="CNF")
    box.came()
    await advance(1)
    assert box.replies == [b"CNF"]


@jumping
async def test_a_service_that_never_replies_gets_its_messages_when_its_application_is_back() -> None:
    box = Box(Application(NoReply("refused"), Reply(503, (), b""), text(b"at last")), service(max_messages=0))
    box.came()
    await advance(1)
    assert box.kinds == [DELIVERY]
    await advance(120)
    assert (len(box.application.asked), box.replies, box.kinds) == (3, [], [])


@jumping
async def test_what_its_application_refuses_is_not_brought_again() -> None:
    box = Box(Application(Reply(404, (), b"")), service(max_messages=0))
    box.came()
    await advance(1)
    assert (len(box.application.asked), box.replies, box.kinds) == (1, [], [])


@jumping
async def test_what_no_service_takes_is_answered_with_regret() -> None:
    box = Box(Application(text(b"x")), service("other"))
    box.came()
    await advance(0.1)
    assert (box.replies, box.application.asked) == ([b"Request Failed"], [])


@jumping
async def test_a_message_without_addresses_or_kept_out_by_a_list_is_left_out() -> None:
    box = Box(Application(text(b"x")), core=Core(black_list_sender_regex="^999"))
    box.came(source_addr=b"")
    box.came(destination_addr=b"")
    box.came(source_addr=b"999")
    await advance(1)
    assert (box.application.asked, box.replies, box.kinds) == ([], [], [])


@jumping
async def test_lists_keep_out_senders_as_they_are_unified_and_receivers() -> None:
    core = Core(black_list_sender_regex=r"^\+44", black_list_receiver_regex="^99", unified_prefix=(("+44", "0"),))
    box = Box(Application(text(b"x")), core=core)
    pdus = [SubmitSm(source_addr=source, destination_addr=destination)
            for source, destination in ((b"0770", b"1"), (b"1", b"99"), (b"1", b"1"))]  # fmt: skip
    assert [box.receiver.keeps_out("one", pdu) for pdu in pdus] == [True, True, False]


@jumping
async def test_texts_and_files_are_replies(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("content of a\n")
    (tmp_path.parent / "secret").write_text("secret")
    box = Box(
        Application(text(b"x")),
        service("text", text="You wrote %b"),
        service("file", file=f"{tmp_path}/%S.txt"),
        service("path", file=f"{tmp_path}/%S", omit_empty=True),
    )
    for words in (b"text one", b"file a", b"file b", b"path ../secret"):
        box.came(words)
        await advance(0.1)
    await advance(1)
    assert box.replies == [b"You wrote text+one", b"content of a\n", b"<Empty reply from service provider>"]


@jumping
async def test_programs_run_only_where_they_may() -> None:
    keyed = service("run", exec=f"{sys.executable} -c \"print('said %s')\"")
    refused = Box(Application(text(b"x")), keyed)
    refused.came(b"run me")
    await advance(0.1)
    assert refused.replies == [b"Request Failed"]


@jumping
async def test_a_long_reply_is_cut_as_the_service_says_and_only_its_first_message_asks_for_reports() -> None:
    keys: dict[str, Any] = {"max_messages": 2, "dlr_url": "http://a/dlr", "dlr_mask": 1}
    box = Box(Application(text(b"x" * 200)), service("default", **keys), smsbox_id="box")
    box.came()
    await advance(0.1)
    assert [len(reply) for reply in box.replies] == [160, 40]
    memos = [Memo.unpack(message.memo) for message in box.bench.carrier.queue]
    assert [(memo.mask, memo.url, memo.service, memo.boxc_id) for memo in memos] == [
        (1, b"http://a/dlr", b"default", b"box"),
        (0, b"", b"default", b"box"),
    ]
    assert [message.registered_delivery for message in box.bench.carrier.queue] == [1, 0]


@jumping
async def test_reports_on_replies_are_not_taken_for_messages() -> None:
    box = Box(Application(text(b"x")), service(dlr_url="http://a/dlr", dlr_mask=8))
    box.came()
    await advance(0.1)
    box.bench.sent(b"id")
    await advance(1)
    assert box.reported == [b"sent by carrier"]
    assert not b"sent".startswith(MARK)


@jumping
async def test_every_message_is_asked_about_however_few_requests_may_wait() -> None:
    box = Box(Application(text(b"answer")), max_pending_requests=1)
    for number in range(3):
        box.came(b"%d" % number)
    await advance(0.1)
    assert asked_for(box.application) == [b"http://a/?0", b"http://a/?1", b"http://a/?2"]


# Parts


@jumping
async def test_parts_are_one_message_and_deleted_with_its_reply() -> None:
    box = Box(Application(text(b"answer")))
    assert box.part(2, b"of two").status is None
    await advance(0.1)
    assert (box.application.asked, box.kinds) == ([], [DELIVERY])
    box.part(1, b"one ")
    await advance(0.1)
    assert asked_for(box.application) == [b"http://a/?one+of+two"]
    await advance(1)
    assert (box.replies, box.kinds) == ([b"answer"], [QUEUED])


@jumping
async def test_parts_wait_in_no_ones_way() -> None:
    box = Box(Application(text(b"answer")), max_pending_requests=1)
    for reference in range(20):
        box.part(1, b"first", reference=reference)
    box.came(b"whole")
    await advance(0.1)
    assert asked_for(box.application) == [b"http://a/?whole"]


@jumping
async def test_parts_survive_a_kill() -> None:
    box = Box(Application(text(b"answer")))
    box.part(2, b"of two")
    await advance(0.1)
    again = Box(Application(text(b"answer")), store=box.killed())
    again.part(1, b"one ")
    await advance(0.1)
    assert asked_for(again.application) == [b"http://a/?one+of+two"]
    last = Box(Application(text(b"answer")), store=again.killed())
    await advance(0.1)
    assert (last.application.asked, last.replies) == ([], [b"answer"])


@jumping
async def test_the_time_for_parts_counts_from_when_they_are_given_out() -> None:
    box = Box(Application(text(b"answer")), max_pending_requests=1)
    box.application.hold()
    box.part(1, b"one ")
    box.came(b"whole")
    box.part(2, b"of two")
    await advance(0.1)
    store = box.killed()
    await advance(3600)
    application = Application(text(b"answer"))
    application.hold()
    Box(application, store=store, max_pending_requests=1)
    await advance(5)
    application.flow()
    await advance(0.1)
    assert asked_for(application) == [b"http://a/?whole", b"http://a/?one+of+two"]


@jumping
async def test_a_part_that_nothing_comes_to_goes_as_it_is_in_its_time() -> None:
    box = Box(Application(text(b"answer")), service(get_url="http://a/?%b&%u"),
              core=Core(sms_combine_concatenated_mo_timeout=60))  # fmt: skip
    box.part(1, b"first", total=3)
    await advance(50)
    box.part(3, b"third", total=3)
    await advance(50)
    assert box.application.asked == []
    await advance(11)
    assert asked_for(box.application) == [
        b"http://a/?first&%05%00%03%07%03%01",
        b"http://a/?third&%05%00%03%07%03%03",
    ]
    await advance(1)
    assert box.kinds == [QUEUED, QUEUED]


@jumping
async def test_while_nothing_goes_out_parts_do_not_either() -> None:
    box = Box(Application(text(b"answer")), core=Core(sms_combine_concatenated_mo_timeout=60))
    box.part(1, b"first")
    await advance(1)
    box.receiver.gone = True
    await advance(100)
    assert box.application.asked == []
    box.receiver.gone = False
    await advance(2 * RESUBMIT)
    assert asked_for(box.application) == [b"http://a/?first"]


@jumping
async def test_a_part_that_is_repeated_goes_away_with_the_message() -> None:
    box = Box(Application(text(b"answer")))
    for number, octets in ((2, b"of two"), (2, b"of two"), (1, b"one ")):
        box.part(number, octets)
    await advance(1)
    assert (len(box.application.asked), box.kinds) == (1, [QUEUED])


@jumping
async def test_parts_are_messages_of_their_own_where_core_says_so() -> None:
    box = Box(Application(text(b"answer")), core=Core(sms_combine_concatenated_mo=False))
    box.part(2, b"second")
    await advance(0.1)
    assert asked_for(box.application) == [b"http://a/?second"]


@jumping
async def test_parts_that_came_by_different_smscs_are_not_of_one_message() -> None:
    box = Box(Application(text(b"answer")))
    box.came(b"\x05\x00\x03\x07\x02\x01x", esm_class=0x40)
    box.came(b"\x05\x00\x03\x07\x02\x02y", esm_class=0x40, connector="elsewhere")
    await advance(0.1)
    assert box.application.asked == []


def deleted(batches: Iterable[dict[bytes, bytes | None]]) -> int:
    return sum(value is None for batch in batches for value in batch.values())


@jumping
async def test_closing_leaves_what_waits_to_the_next_start() -> None:
    box = Box(Application(text(b"answer")))
    box.application.hold()
    box.came()
    box.part(1, b"first")
    await advance(0.1)
    await box.receiver.close(0.1)
    assert box.receiver.room == 0
    await advance(1)
    assert (box.kinds, deleted(box.bench.store.batches)) == ([DELIVERY, DELIVERY], 0)
