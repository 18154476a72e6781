"""Reports as bearerbox and smsbox 1.4.5 made them of the same messages, answers and receipts."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from protocol import pdus, receipt
from protocol.consts import MessageState, RegisteredDelivery, Status, Tag
from protocol.pdus import SubmitSm
from protocol.receipt import Quoted, Receipt
from routing.message import Delivery, Message, Waiting
from smppgw.accounts import AccountState
from smppgw.fronts import HttpReceiver
from smppgw.kannel import accesslog, nack
from smppgw.kannel.accesslog import KannelLog
from smppgw.kannel.caller import BadUrl, NoReply, Reply
from smppgw.kannel.connectors import Link
from smppgw.kannel.dlr import VERSION, Reports, call_back
from smppgw.kannel.memo import Memo
from smppgw.kannel.model import Core, Smsc
from smppgw.settings import Account
from tests.smppgw.bench import Asker, Bench
from tests.smppgw.jumping import advance, epoch, jumping, settle

NOW = 1_795_451_760.0
UP = b"up-1"
LINKS = (Link(UP.decode(), Smsc(smsc="smpp", smsc_id="up", smsc_username="esme"), 1),)
URL = b"http://h/?d=%d&A=%A&F=%F&D=%D&i=%i&p=%p&P=%P&o=%o&n=%n&c=%c"
MEMO = Memo(31, URL, b"tester", b"1234", b"41791234567", coding=0)
TEXT = b"id:id1 sub:001 dlvrd:001 submit date:2311142213 done date:2311142214 stat:%b err:%b text:hello"


def reports(access: KannelLog | None = None) -> Reports:
    return Reports(LINKS, lambda: NOW, access)


def message(memo: Memo = MEMO, upstream: bytes = b"id1", octets: bytes = b"hello", by: str = "up-1") -> Message:
    pdu = SubmitSm(source_addr=b"1234", destination_addr=b"41791234567", short_message=octets)
    made = Message(7, "tester", pdus.encode_submit(pdu), b"1234", b"41791234567", b"", 0, 0, 1, NOW, NOW + 60)
    made.memo, made.upstream, made.public, made.by = memo.pack(), [upstream], 7, by
    return made


def waiting(memo: Memo = MEMO) -> Waiting:
    return Waiting(
        b"tester", UP, 7, NOW, 17, 0, 1, b"1234", 1, 1, b"41791234567", b"hello", ((b"id1", 0),), memo.pack()
    )


def told(words: bytes, values: dict[int, bytes] | None = None) -> Quoted:
    found = receipt.parse(words, values)
    assert found is not None
    quoted = Quoted(*found)
    quoted.words, quoted.values = words, values or {}
    return quoted


def of(body: bytes | None) -> bytes | None:
    """The URL of a report behind the host, as smsbox asked for it."""
    return None if body is None else body.removeprefix(VERSION + b"http://h/")


def test_what_an_smsc_took_is_told_as_type_8() -> None:
    assert of(reports().sent(message(), UP)) == (
        b"?d=8&A=ACK%2F&F=id1&D=%3Fsmpp_resp%3F%3Forig_msg%3Fdlr_mask%3D31%26&i=up&p=41791234567&P=1234&o=&n=tester&c=-1"
    )


def test_what_an_smsc_refused_is_told_as_type_16() -> None:
    assert of(reports().ended(message(), MessageState.REJECTED, Status.RINVDSTADR)) == (
        b"?d=16&A=NACK%2F0x0000000b%2FInvalid+Destination+Address&F=&D=%3Fsmpp_resp%3F%3Forig_msg%3Fdlr_mask%3D31%26"
        b"&i=up&p=41791234567&P=1234&o=&n=tester&c=-1"
    )


ENDS = {
    b"NACK%2FRetries+Exceeded": (MessageState.UNDELIVERABLE, int(Status.RTHROTTLED)),
    b"NACK%2Fvalidity+expired": (MessageState.EXPIRED, 0),
    b"NACK%2Fno+SMSC": (MessageState.UNDELIVERABLE, 0),
    b"NACK%2F0x00000400%2FVendor-specific+error%2C+please+refer+to+your+SMPP+provider": (
        MessageState.REJECTED,
        0x400,
    ),
}


@pytest.mark.parametrize("said", ENDS)
def test_each_end_has_its_words(said: bytes) -> None:
    body = of(reports().ended(message(MEMO._replace(url=b"http://h/%d?%A")), *ENDS[said]))
    assert body == b"16?" + said


def test_a_receipt_is_told_with_its_own_words() -> None:
    words = TEXT % (b"DELIVRD", b"011")
    assert of(reports().receipt(waiting(), MessageState.DELIVERED, told(words))) == (
        b"?d=1&A=id%3Aid1+sub%3A001+dlvrd%3A001+submit+date%3A2311142213+done+date%3A2311142214+stat%3ADELIVRD"
        b"+err%3A011+text%3Ahello&F=id1&D=%3Forig_msg%3Fdlr_mask%3D31%26%3Fsmpp%3Fdlr_err%3D%2503%2500%250B%26"
        b"&i=up&p=41791234567&P=1234&o=esme&n=tester&c=-1"
    )


def of_receipt(mask: int, stat: bytes) -> bytes | None:
    found = told(TEXT % (stat, b"000"))
    assert found.state is not None
    return of(reports().receipt(waiting(MEMO._replace(mask=mask, url=b"http://h/%d")), found.state, found))


@pytest.mark.parametrize("mask", [1, 2, 3, 4, 7, 17, 19, 31, 32, 63])
def test_the_mask_says_which_receipts_are_told(mask: int) -> None:
    types = {b"DELIVRD": 1, b"ACCEPTD": 4, b"ENROUTE": 4} | dict.fromkeys(
        (b"UNDELIV", b"EXPIRED", b"UNKNOWN", b"REJECTD", b"DELETED", b"FAILED"), 2
    )
    for stat, type in types.items():
        assert of_receipt(mask, stat) == (b"%d" % type if mask & type else None)


def test_an_expiry_that_a_tlv_tells_has_a_type_of_its_own() -> None:
    found = told(b"", {Tag.RECEIPTED_MESSAGE_ID: b"id1\0", Tag.MESSAGE_STATE: b"\3"})
    memo = MEMO._replace(url=b"http://h/%d?%A&%D")
    body = of(reports().receipt(waiting(memo), MessageState.EXPIRED, found))
    assert body == b"34?&%3Forig_msg%3Fdlr_mask%3D31%26%3Fsmpp%3F"


ERRORS: dict[bytes, tuple[bytes, dict[int, bytes]]] = {
    b"%03%01%02": (TEXT % (b"DELIVRD", b"000"), {Tag.NETWORK_ERROR_CODE: b"\3\1\2"}),
    b"%03%03%E7": (TEXT % (b"DELIVRD", b"999"), {}),
    b"%03%00%7B": (TEXT % (b"DELIVRD", b"1234"), {}),
    b"%03%00%00": (TEXT % (b"DELIVRD", b"abc"), {}),
    b"%03%00%00 short": (b"id:id1 stat:DELIVRD err:012 ", {}),
}


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_is_three_octets_of_meta_data(error: bytes) -> None:
    words, values = ERRORS[error]
    body = reports().receipt(
        waiting(MEMO._replace(url=b"http://h/%#smpp#dlr_err#")), MessageState.DELIVERED, told(words, values)
    )
    assert of(body) == error.split()[0]


def test_a_receipt_of_an_https_carrier_has_the_usual_form() -> None:
    found = Receipt(b"id1", MessageState.DELIVERED, b"000", done=NOW)
    body = of(reports().receipt(waiting(MEMO._replace(url=b"http://h/%d?%A")), MessageState.DELIVERED, found))
    assert body is not None
    assert body.startswith(b"1?id%3Aid1+sub%3A001+dlvrd%3A001+")


@pytest.mark.parametrize(
    ("mask", "accepted", "refused"),
    [(8, b"8", None), (16, None, b"16"), (2, None, b"16"), (1, None, None), (24, b"8", b"16")],
)
def test_what_an_smsc_answered_is_told_by_8_and_by_16_or_2(
    mask: int, accepted: bytes | None, refused: bytes | None
) -> None:
    asked = message(MEMO._replace(mask=mask, url=b"http://h/%d"))
    assert of(reports().sent(asked, UP)) == accepted
    assert of(reports().ended(asked, MessageState.REJECTED, Status.RINVDSTADR)) == refused


def test_nothing_is_told_without_a_url_or_of_a_receipt_that_never_came() -> None:
    silent = MEMO._replace(url=b"")
    assert reports().sent(message(silent), UP) is None
    assert reports().ended(message(silent), MessageState.EXPIRED, 0) is None
    assert reports().receipt(waiting(silent), MessageState.DELIVERED, told(TEXT % (b"DELIVRD", b"000"))) is None
    assert reports().receipt(waiting(), MessageState.UNKNOWN, Receipt(b"", MessageState.UNKNOWN)) is None


def test_meta_data_of_the_message_is_in_what_bearerbox_tells_itself() -> None:
    memo = MEMO._replace(meta_data=b"?smpp?a=b&c=d%20e&?x?y=1", url=b"http://h/%D&%#orig_msg#dlr_mask#&%#smpp#c#")
    assert of(reports().sent(message(memo), UP)) == (
        b"%3Fsmpp%3Fa%3Db%26c%3Dd%2Be%26%3Forig_msg%3Fdlr_mask%3D31%26%3Fsmpp_resp%3F%3Fx%3Fy%3D1%26&31&d+e"
    )


def parts(*numbers: int) -> list[Message]:
    return [
        message(MEMO._replace(part=number, parts=2, group=5, url=b"http://h/%d?%A&%F&%D"), b"id%d" % number)
        for number in numbers
    ]


def test_a_text_in_parts_is_told_once_with_the_id_of_the_first() -> None:
    for numbers in ((1, 2), (2, 1)):
        front = reports()
        first, last = (front.sent(each, UP) for each in parts(*numbers))
        assert first is None
        assert of(last) == b"8?ACK%2F&id1&%3Forig_msg%3Fdlr_mask%3D31%26"


def test_a_part_that_is_refused_is_told_without_a_reason() -> None:
    front = reports()
    one, two = parts(1, 2)
    assert front.sent(one, UP) is None
    assert of(front.ended(two, MessageState.REJECTED, Status.RINVDSTADR)) == (
        b"16?NACK%2F&id1&%3Forig_msg%3Fdlr_mask%3D31%26"
    )


def test_after_a_restart_the_last_part_tells() -> None:
    one, two = parts(1, 2)
    for left, id in ((two, b""), (one, b"id1")):  # the SMSC may have put the first one off
        front = reports()
        front.restored([message(), left])
        assert of(front.sent(left, UP)) == b"8?ACK%%2F&%b&%%3Forig_msg%%3Fdlr_mask%%3D31%%26" % id
    front = reports()
    front.restored([one, two])
    assert front.sent(two, UP) is None
    assert of(front.sent(one, UP)) == b"8?ACK%2F&id1&%3Forig_msg%3Fdlr_mask%3D31%26"


def test_a_message_that_was_never_taken_is_told_too() -> None:
    body = reports().never(MEMO._replace(url=b"http://h/%d?%A&%i"), accesslog.DISCARDED, nack.NO_SMSC, b"none", b"", 7)
    assert of(body) == b"16?NACK%2Fno+SMSC&none"


async def write(path: Path, say: Callable[[Reports], object]) -> None:
    core = Core(access_log=str(path), access_log_clean=True)
    log = KannelLog(core, asyncio.get_running_loop(), lambda: NOW)
    say(reports(log))
    log.close()


def logged(path: Path, say: Callable[[Reports], object]) -> list[str]:
    asyncio.run(write(path, say))
    return path.read_text().splitlines()


def test_the_access_log_has_kannels_lines(tmp_path: Path) -> None:
    words = TEXT % (b"DELIVRD", b"011")
    named = MEMO._replace(account=b"ac c", binfo=b"bi", meta_data=b"?smpp?a=b", mclass=1)
    assert logged(tmp_path / "sent", lambda front: front.sent(message(named), UP)) == [
        "Sent SMS [SMSC:up] [SVC:tester] [ACT:ac c] [BINF:bi] [FID:id1] [META:?smpp?a=b&?smpp_resp?] [from:1234] "
        "[to:41791234567] [flags:1:0:-1:-1:31] [msg:5:hello] [udh:0:]",
        "Receive DLR [SMSC:up] [SVC:tester] [ACT:] [BINF:] [FID:id1] "
        "[META:?smpp?a=b&?orig_msg?dlr_mask=31&?smpp_resp?] [from:1234] "
        "[to:41791234567] [flags:-1:-1:-1:-1:8] [msg:4:ACK/] [udh:0:]",
    ]
    assert logged(
        tmp_path / "receipt", lambda front: front.receipt(waiting(), MessageState.DELIVERED, told(words))
    ) == [
        "Receive DLR [SMSC:up] [SVC:tester] [ACT:esme] [BINF:] [FID:id1] "
        "[META:?orig_msg?dlr_mask=31&?smpp?dlr_err=%03%00%0B&] [from:1234] [to:41791234567] [flags:-1:-1:-1:-1:1] "
        f"[msg:100:{words.decode()}] [udh:0:]"
    ]
    refused = message(MEMO._replace(mask=0))
    assert logged(
        tmp_path / "refused", lambda front: front.ended(refused, MessageState.REJECTED, Status.RINVDSTADR)
    ) == [
        "REJECTED Send SMS [SMSC:up] [SVC:tester] [ACT:] [BINF:] [FID:] [META:?smpp_resp?] [from:1234] "
        "[to:41791234567] [flags:-1:0:-1:-1:-1] [msg:5:hello] [udh:0:]"
    ]
    unwanted = waiting(MEMO._replace(mask=2))
    assert logged(
        tmp_path / "unwanted", lambda front: front.receipt(unwanted, MessageState.DELIVERED, told(words))
    ) == [
        "FAILED Receive DLR [SMSC:up] [SVC:] [ACT:] [BINF:] [FID:] [META:?smpp?] [from:+41791234567] [to:1234] "
        f"[flags:-1:0:-1:0:-1] [msg:100:{words.decode()}] [udh:0:]"
    ]
    assert logged(tmp_path / "parts", lambda front: [front.sent(each, UP) for each in parts(2, 1)]) == [
        "Sent SMS [SMSC:up] [SVC:tester] [ACT:] [BINF:] [FID:id1] [META:] [from:1234] [to:41791234567] "
        "[flags:-1:0:-1:-1:31] [msg:10:hellohello] [udh:0:]",
        "Receive DLR [SMSC:up] [SVC:tester] [ACT:] [BINF:] [FID:id1] [META:?orig_msg?dlr_mask=31&] [from:1234] "
        "[to:41791234567] [flags:-1:-1:-1:-1:8] [msg:4:ACK/] [udh:0:]",
    ]


class Application:
    """Answers callbacks as the test says."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[bytes] = []

    async def get(self, url: bytes) -> Reply:
        self.asked.append(url)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return Reply(answer, (), b"")


def receiver(account: AccountState, application: Application, bench: Bench) -> HttpReceiver:
    return HttpReceiver(account.outbox, partial(call_back, caller=application), bench.pipeline.loop)


@jumping
async def test_a_callback_is_made_until_it_succeeds() -> None:
    application = Application(500, NoReply("late"), 404, 204)
    bench = Bench()
    account = bench.account
    account.links.append(receiver(account, application, bench))
    account.outbox.add(Delivery(1, "esme", VERSION + b"http://h/", epoch()))
    account.outbox.pump()
    await advance(3600)
    assert application.asked == [b"http://h/"] * 4
    assert account.delivered == 1


@jumping
@pytest.mark.parametrize(
    ("answer", "last"),
    [(503, "refused 1 times, last: http 503"), (NoReply("late"), "refused 1 times, last: late")],
)
async def test_a_callback_that_is_given_up_says_what_became_of_it(answer: int | Exception, last: str) -> None:
    bench = Bench()
    account = bench.account
    account.change(account.settings.model_copy(update={"deliver_attempts": 1}))
    account.links.append(receiver(account, Application(answer), bench))
    account.outbox.add(Delivery(1, "esme", VERSION + b"http://h/", epoch()))
    with capture_logs() as said:
        account.outbox.pump()
        await advance(1)
    assert [each["reason"] for each in said if each["event"] == "set aside"] == [last]


@jumping
async def test_what_can_never_be_asked_for_is_set_aside() -> None:
    bench = Bench()
    account = bench.account
    account.links.append(receiver(account, Application(BadUrl("it is none")), bench))
    for id, body in enumerate((VERSION + b"junk", b"\0 of another version")):
        account.outbox.add(Delivery(id, "esme", body, epoch()))
    account.outbox.pump()
    await advance(1)
    assert (bench.pipeline.returns.aside, account.delivered) == (2, 0)


@jumping
async def test_what_is_owed_survives_a_kill() -> None:
    bench = Bench()
    account = bench.pipeline.accounts.internal(Account(name="kannel"), Reports((), epoch))
    memo = MEMO._replace(url=b"http://h/%d?%F")
    pdu = SubmitSm(destination_addr=b"41", registered_delivery=RegisteredDelivery.FINAL, short_message=b"hello")
    bench.pipeline.submit(account, pdu, pdus.encode_submit(pdu), Asker(), memo=memo.pack())
    await settle()
    bench.sent(b"id1")
    await settle()
    bench.receipt(b"id1")
    await settle()
    again = Bench(bench.killed())
    application = Application(200)
    account = again.pipeline.accounts.internal(Account(name="kannel"), Reports((), epoch))
    account.links.append(receiver(account, application, again))
    account.outbox.pump()
    await settle()
    assert sorted(application.asked) == [b"http://h/1?id1", b"http://h/8?id1"]
