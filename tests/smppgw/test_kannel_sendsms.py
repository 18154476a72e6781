"""sendsms answers what Kannel answers, once the messages are on disk."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from structlog.testing import capture_logs

from protocol.consts import Tag
from protocol.pdus import decode_submit
from protocol.tlv import parse
from routing.message import Delivery, Message, Queued
from routing.table import Table
from smppgw.accounts import AccountState
from smppgw.kannel.dlr import Reports
from smppgw.kannel.lists import Lists
from smppgw.kannel.memo import Memo
from smppgw.kannel.model import Core, Kannel, SendsmsUser, Smsbox
from smppgw.kannel.sendsms import BREATH, SendSms
from smppgw.kannel.server import Reply, Request
from smppgw.kannel.state import State
from smppgw.pipeline import Pipeline
from smppgw.settings import Match, Route
from tests.smppgw.bench import Bench
from tests.smppgw.jumping import jumping, settle

USER = SendsmsUser(username="u", password="p", default_sender="1234", name="service", max_messages=3)


class Door:
    """A sendsms port before a pipeline: the Face that it needs."""

    def __init__(self, *users: SendsmsUser, bench: Bench | None = None, **groups: Any) -> None:
        self.bench = bench or Bench()
        self.loop = asyncio.get_running_loop()
        self.kannel = Kannel(sendsms_users=users or (USER,), **groups)
        self.state = State()
        self.up = True
        self.files: dict[str, bytes] = {"black": b"666\n"}
        lists = Lists(self.kannel, self.files.__getitem__)
        assert lists.read() == ()
        self.sendsms = SendSms(self, self.kannel, lists)

    @property
    def pipeline(self) -> Pipeline:
        return self.bench.pipeline

    @property
    def clock(self) -> Callable[[], float]:
        return self.pipeline.clock

    def account(self, user: SendsmsUser) -> AccountState:
        return self.bench.account

    def tag_of(self, smsc_id: str | None) -> str:
        return smsc_id or "*"

    def is_up(self, message: Message) -> bool:
        return self.up

    async def ask(
        self, query: str, *, path: str = "/cgi-bin/sendsms", ip: str = "127.0.0.1", accept: str = ""
    ) -> Reply:
        headers = {"Accept": accept} if accept else {}
        return await self.sendsms(Request("GET", path, query, headers, None, ip))

    async def said(self, query: str, **more: str) -> tuple[int, bytes]:
        return (await self.ask(f"username=u&password=p&{query}", **more))[:2]

    @property
    def queue(self) -> list[Message]:
        return list(self.bench.carrier.queue)


ACCEPTED = (202, b"0: Accepted for delivery")
FORBIDDEN = (403, b"Authorization failed for sendsms")
UNROUTABLE = (403, b"Not routable. Do not try again.")
TEMPORAL = (503, b"Temporal failure, try again later.")


# Who


@jumping
async def test_only_who_knows_the_password_may_send() -> None:
    door = Door()
    assert await door.said("to=99&text=hi") == ACCEPTED
    for query in ("username=u&password=x", "username=x&password=p", "username=u", "password=p", "", "user=u&pass="):
        assert (await door.ask(f"{query}&to=99"))[:2] == FORBIDDEN
    assert (await door.ask("user=u&pass=p&to=99"))[:2] == ACCEPTED


@jumping
async def test_a_refusal_is_logged_once_a_minute_without_the_password() -> None:
    door = Door()
    with capture_logs() as said:
        for _ in range(3):
            await door.ask("username=u&password=hidden&to=99")
    assert [(each["event"], each["user"], each["reason"]) for each in said] == [
        ("sendsms refused", b"u", "wrong username or password")
    ]
    assert "hidden" not in str(said)


@jumping
async def test_who_comes_from_elsewhere_may_not() -> None:
    door = Door(SendsmsUser(username="u", password="p", default_sender="1", user_deny_ip="*.*.*.*",
                            user_allow_ip="127.0.0.1"))  # fmt: skip
    assert await door.said("to=99") == ACCEPTED
    assert await door.said("to=99", ip="192.0.2.1") == FORBIDDEN


@jumping
async def test_other_paths_are_unknown() -> None:
    door = Door(smsbox=Smsbox(sendsms_url="/send"))
    assert await door.said("to=99") == (404, b"Unknown request.")
    assert await door.said("to=99", path="/send") == ACCEPTED


# When


@jumping
async def test_the_answer_comes_when_the_message_is_on_disk() -> None:
    door = Door()
    door.bench.store.hold()
    asking = door.loop.create_task(door.said("to=99&text=hi&dlr-mask=3&dlr-url=http://x/&account=a"))
    await settle()
    assert not asking.done()
    door.bench.store.flow()
    assert await asking == ACCEPTED
    (record,) = door.bench.store.records.values()
    queued = Queued.unpack(record)
    assert queued.tag == "*"
    memo = Memo.unpack(queued.memo)
    assert (memo.mask, memo.url, memo.service, memo.sender) == (3, b"http://x/", b"service", b"1234")
    assert (memo.receiver, memo.account, memo.coding) == (b"99", b"a", 0)


@jumping
async def test_a_disk_that_refuses_is_a_temporal_failure() -> None:
    door = Door()
    door.bench.store.trouble = "disk full"
    assert await door.said("to=99") == TEMPORAL
    assert await door.said("to=99") == TEMPORAL


@jumping
async def test_without_a_link_it_is_queued_for_later() -> None:
    door = Door()
    door.up = False
    assert await door.said("to=99") == (202, b"3: Queued for later delivery")
    door.up = True
    door.state.suspend()
    assert await door.said("to=99") == (202, b"3: Queued for later delivery")


@jumping
async def test_a_gateway_that_is_full_or_going_down_takes_nothing() -> None:
    door = Door()
    door.state.limit = 0
    assert await door.said("to=99") == TEMPORAL
    door.state.limit = -1
    door.state.shutdown()
    assert await door.said("to=99") == TEMPORAL
    assert not door.queue


# Where


@jumping
async def test_a_message_goes_where_its_smsc_leads_or_nowhere() -> None:
    door = Door()
    door.pipeline.table = Table([Route(name="one", to="carrier", match=Match(tag=("one",)))])
    assert await door.said("to=99&smsc=one") == ACCEPTED
    assert await door.said("to=99&smsc=two") == UNROUTABLE
    assert await door.said("to=99") == UNROUTABLE


@jumping
async def test_lists_of_the_gateway_make_a_number_unroutable() -> None:
    door = Door(core=Core(black_list_receiver="black", black_list_sender="black"))
    assert await door.said("to=666") == UNROUTABLE
    assert await door.said("to=99&from=666") == UNROUTABLE
    assert await door.said("to=99") == ACCEPTED


@jumping
async def test_lists_of_users_and_of_smsbox_deny_a_number() -> None:
    denied = (400, b"Number(s) has/have been denied by white- and/or black-lists.")
    assert await Door(smsbox=Smsbox(black_list="black")).said("to=666") == denied
    user = SendsmsUser(username="u", password="p", default_sender="1", black_list="black")
    assert await Door(user).said("to=666") == denied
    assert await Door(user).said("to=666+99") == ACCEPTED


@jumping
async def test_an_address_that_no_submit_sm_holds_is_unroutable() -> None:
    assert await Door().said(f"to={'1' * 21}") == UNROUTABLE
    assert await Door().said(f"to=99&from={'a' * 21}") == UNROUTABLE
    for fields in ("from=a%00b", "from=%00", "binfo=%00", "binfo=C%00T"):
        assert await Door().said(f"to=99&{fields}") == UNROUTABLE


# What


@jumping
async def test_every_receiver_gets_every_message_and_the_first_of_each_asks_for_receipts() -> None:
    door = Door()
    assert await door.said(f"to=98+99&text={'x' * 161}&dlr-mask=3&dlr-url=http://x/") == ACCEPTED
    found = [(message.destination, message.registered_delivery, Memo.unpack(message.memo)) for message in door.queue]
    assert [(number, wanted, memo.mask, memo.part, memo.parts) for number, wanted, memo in found] == [
        (b"98", 1, 3, 1, 2),
        (b"98", 0, 3, 2, 2),
        (b"99", 1, 3, 1, 2),
        (b"99", 0, 3, 2, 2),
    ]
    assert len({memo.group for _, _, memo in found}) == 2


@jumping
async def test_of_a_text_in_several_messages_all_parts_are_taken_or_none() -> None:
    door = Door()
    door.bench.account.settings = door.bench.account.settings.model_copy(update={"max_queued": 3})
    door.bench.store.hold()
    asking = door.loop.create_task(door.said(f"to=99&text={'x' * 161}"))
    await settle()
    assert await door.said(f"to=98&text={'x' * 161}") == TEMPORAL
    assert len(door.pipeline.queued) == 2
    door.bench.store.flow()
    assert await asking == ACCEPTED


@jumping
async def test_others_have_their_turn_while_a_request_has_many_receivers() -> None:
    door = Door()
    receivers = "+".join(str(number) for number in range(100, 100 + 5 * BREATH))
    asking = door.loop.create_task(door.said(f"to={receivers}"))
    turns = []
    for _ in range(10):
        turns.append(len(door.pipeline.queued))
        await asyncio.sleep(0)
    assert await asking == ACCEPTED
    assert BREATH in turns
    assert len(door.queue) == 5 * BREATH


@jumping
async def test_a_concatenated_text_is_one_message() -> None:
    door = Door(SendsmsUser(username="u", password="p", default_sender="1", max_messages=9, concatenation=True))
    assert await door.said(f"to=99&text={'x' * 300}") == ACCEPTED
    (message,) = door.queue
    assert parse(decode_submit(message.body).tlvs)[Tag.MESSAGE_PAYLOAD] == b"x" * 300


@jumping
async def test_a_user_whose_dlr_url_is_in_the_config_need_not_give_it() -> None:
    door = Door(SendsmsUser(username="u", password="p", default_sender="1", dlr_url="http://config/"))
    await door.said("to=99&dlr-mask=1")
    await door.said("to=99&dlr-mask=1&dlr-url=http://request/")
    assert [Memo.unpack(message.memo).url for message in door.queue] == [b"http://config/", b"http://request/"]


@jumping
async def test_a_number_is_unified_before_it_is_routed_and_reported() -> None:
    door = Door(core=Core(unified_prefix=(("+358", "0"),)))
    await door.said("to=0401")
    (message,) = door.queue
    assert (message.destination, Memo.unpack(message.memo).receiver) == (b"+358401", b"+358401")


@jumping
async def test_a_user_of_no_messages_sends_none() -> None:
    door = Door(SendsmsUser(username="u", password="p", default_sender="1", max_messages=0))
    assert (await door.said("to=99&text=hi"))[0] == 202
    assert not door.queue


@jumping
async def test_what_is_too_long_for_the_store_is_refused() -> None:
    door = Door()
    assert (await door.said(f"to=99&dlr-url=http://{'x' * 60000}"))[0] == 202
    assert (await door.said(f"to=99&dlr-url=http://{'x' * 70000}"))[0] == 400


@jumping
async def test_a_post_is_answered_like_a_get() -> None:
    door = Door()
    headers = {"Content-Type": "text/plain", "X-Kannel-Username": "u", "X-Kannel-Password": "p", "X-Kannel-To": "99"}
    assert (await door.sendsms(Request("POST", "/cgi-bin/sendsms", "", headers, b"hi", "127.0.0.1")))[:2] == ACCEPTED
    assert [decode_submit(message.body).short_message for message in door.queue] == [b"hi"]


@jumping
async def test_a_page_is_read_only_for_who_may_send() -> None:
    door = Door()
    page = b"<p>" + b"a-" * 50_000

    async def post(kind: str, password: str) -> tuple[int, bytes]:
        headers = {
            "Content-Type": f"text/html; charset={kind}", "X-Kannel-Username": "u", "X-Kannel-Password": password,
            "X-Kannel-To": "99",
        }  # fmt: skip
        return (await door.sendsms(Request("POST", "/cgi-bin/sendsms", "", headers, page, "127.0.0.1")))[:2]

    for kind in ("utf-8", "punycode", "undefined"):
        assert await post(kind, "wrong") == FORBIDDEN
    assert await post("punycode", "p") == (400, b"Charset or body misformed, rejected")
    assert await post("utf-8", "p") == ACCEPTED


# What Kannel reports though it refuses


@jumping
async def test_what_is_refused_at_once_is_reported_too() -> None:
    door = Door(core=Core(black_list_receiver="black"))
    door.pipeline.table = Table([Route(name="one", to="carrier", match=Match(tag=("one",)))])
    door.bench.account.front = Reports([], door.clock)
    asked = "dlr-mask=31&dlr-url=http://x/%3F%25d%3D%25A"
    for query in ("to=666&smsc=one", "to=99&smsc=two", f"to={'1' * 21}&smsc=one"):
        assert await door.said(f"{query}&{asked}") == UNROUTABLE
    await settle()
    assert [Delivery.unpack(0, record).body[1:] for record in door.bench.store.records.values()] == [
        b"http://x/?16=NACK%2Freceiver+in+black-list",
        b"http://x/?16=NACK%2Fno+SMSC",
        b"http://x/?16=NACK%2FMALFORMED+SMS",
    ]


# The first receiver's answer is the request's


@jumping
async def test_the_answer_is_that_of_the_first_receiver() -> None:
    door = Door(core=Core(black_list_receiver="black"))
    assert await door.said("to=666+99") == UNROUTABLE
    assert await door.said("to=99+666") == ACCEPTED
    assert [message.destination for message in door.queue] == [b"99", b"99"]


# immediate-sendsms-reply


@jumping
async def test_an_immediate_reply_tells_denied_receivers_and_parts() -> None:
    door = Door(smsbox=Smsbox(immediate_sendsms_reply=True))
    assert await door.said("to=99&text=hi") == (202, b"Sent.")
    assert await door.said("to=99+a+b&text=hi") == (202, b"Sent. Denied receivers are: a b")
    assert await door.said(f"to=99&text={'x' * 161}") == (202, b"Sent. Message splits: 2")
    assert await door.said(f"to=99+a&text={'x' * 161}") == (202, b"Sent. Denied receivers are: a Message splits: 2")


@jumping
async def test_an_immediate_reply_tells_who_failed() -> None:
    door = Door(smsbox=Smsbox(immediate_sendsms_reply=True), core=Core(black_list_receiver="black"))
    assert await door.said("to=666") == (500, b"Sending failed.")
    assert await door.said("to=99+666") == (500, b"Sending failed. Failed receivers are: 666")
    door.bench.store.trouble = "disk full"
    assert await door.said("to=98+99") == (500, b"Sending failed. Failed receivers are: 98 99")


# JSON


@jumping
async def test_who_wants_nothing_but_json_gets_the_ids() -> None:
    door = Door(core=Core(black_list_receiver="black"))
    reply = await door.ask("username=u&password=p&to=99+666+a&text=hi", accept="application/json; charset=utf-8")
    (message,) = door.queue
    assert reply.status == 202
    assert b"Content-type: application/json\r\n" in reply.headers
    assert json.loads(reply.body) == {
        "status": 202,
        "message": "0: Accepted for delivery",
        "receivers": [{"to": "99", "id": f"{message.id:016x}"}, {"to": "666", "id": None, "error": "RINVDSTADR"}],
        "denied": ["a"],
    }
    refusal = await door.ask("username=u&password=x", accept="application/json")
    assert json.loads(refusal.body) == {"status": 403, "message": "Authorization failed for sendsms"}


@jumping
async def test_who_takes_anything_gets_what_kannel_sends() -> None:
    door = Door()
    for accept in ("*/*", "application/json, text/plain, */*", ""):
        assert (await door.ask("username=u&password=p&to=99", accept=accept))[:2] == ACCEPTED
