"""Answer sendsms: who may, what it asks, and what Kannel would say once the messages are on disk."""

import asyncio
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import structlog

from protocol.consts import Status
from protocol.errors import LocalError, PduError
from protocol.pdus import SubmitSm
from routing.message import Message, shown
from smppgw.accounts import AccountState
from smppgw.kannel import accesslog, nack, request, writing
from smppgw.kannel.access import is_allowed_ip
from smppgw.kannel.dlr import Reports
from smppgw.kannel.lists import Lists
from smppgw.kannel.memo import Memo
from smppgw.kannel.model import Kannel, SendsmsUser, Smsbox
from smppgw.kannel.request import Order, Posted, Refusal, Values
from smppgw.kannel.server import Reply, Request
from smppgw.pipeline import Pipeline
from smppgw.seldom import Seldom
from smppgw.tickets import JointTicket

log = structlog.get_logger()

ACCEPTED = b"0: Accepted for delivery"
QUEUED = b"3: Queued for later delivery"
NOT_ROUTABLE = b"Not routable. Do not try again."
TEMPORAL = b"Temporal failure, try again later."

_LATER = frozenset({Status.RSYSERR, Status.RMSGQFUL, Status.RTHROTTLED, Status.RX_T_APPN, Status.RSUBMITFAIL})
"""What a request may be repeated after; anything else stays as it is."""
_MAX_MEMO = 0xF000

BREATH = 50
"""Receivers of a request that are served in one go."""

_JSON = b"Content-type: application/json\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n"


class Condition(Protocol):
    """What the gateway does at the moment."""

    @property
    def is_full(self) -> bool: ...
    @property
    def is_over(self) -> bool: ...
    @property
    def sends(self) -> bool: ...


class Face(Protocol):
    """Behind whom the gateway is."""

    @property
    def pipeline(self) -> Pipeline: ...
    @property
    def clock(self) -> Callable[[], float]: ...
    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    @property
    def state(self) -> Condition: ...
    def account(self, user: SendsmsUser) -> AccountState: ...
    def tag_of(self, smsc_id: str | None) -> str: ...
    def is_up(self, message: Message) -> bool: ...


class _User(NamedTuple):
    """A sendsms-user, as requests need him."""

    settings: SendsmsUser
    password: bytes
    service: bytes
    sender: request.Sender
    style: writing.Style
    dlr_url: bytes


class Given(NamedTuple):
    """What became of one message of a request: a message on its way to the disk, or why there is none."""

    receiver: bytes
    message: Message | None
    status: int = 0


class _Batch(NamedTuple):
    """What all receivers of a request get."""

    order: Order
    account: AccountState
    pdus: list[SubmitSm]
    waiting: JointTicket
    tag: str


class SendSms:
    """The handler of the sendsms port for one set-up; another set-up gets another."""

    def __init__(self, face: Face, kannel: Kannel, lists: Lists) -> None:
        self._face = face
        self._kannel = kannel
        self._lists = lists
        smsbox = kannel.smsbox or Smsbox()
        self._url = smsbox.sendsms_url
        self._immediate = smsbox.immediate_sendsms_reply
        self._boxc_id = _octets(smsbox.smsbox_id)
        self._ways, self._any_way = writing.defaults(kannel)
        self._users: dict[bytes, _User] = {}
        self._seldom = Seldom()
        for user in kannel.sendsms_users:
            self._users.setdefault(_octets(user.username), self._user(user, smsbox))

    def _user(self, user: SendsmsUser, smsbox: Smsbox) -> _User:
        lists = self._lists

        def lets(number: bytes) -> bool:
            return lists.of(user).lets(number) and lists.smsbox.lets(number)

        return _User(
            user, _octets(user.password), _octets(user.service),
            request.Sender(user, lets, smsbox.global_sender, smsbox.sendsms_chars),
            writing.Style.of(user, smsbox.sms_length), _octets(user.dlr_url),
        )  # fmt: skip

    async def __call__(self, asked: Request) -> Reply:
        if asked.path != self._url:
            return Reply(404, b"Unknown request.")
        found = self._order(asked)
        if isinstance(found, Refusal):
            return _reply(asked, found.status, found.text)
        user, order = found
        if user.settings.max_messages == 0:
            return _reply(asked, 202, b"Sent.")  # nothing is, and Kannel never answers
        waiting = JointTicket(self._face.loop)
        given, parts = await self._submit(user, order, waiting)
        if isinstance(given, Refusal):
            return _reply(asked, given.status, given.text)
        waiting.settle()
        await waiting.future
        return self._reply(asked, order, [_settled(each, waiting.failed) for each in given], parts)

    # What is asked

    def _order(self, asked: Request) -> tuple[_User, Order] | Refusal:
        if asked.body is None:
            posted: Posted | Refusal = Posted(request.query(asked.query))
        else:
            posted = request.posted(asked.headers, asked.body)
        if isinstance(posted, Refusal):
            return posted
        user = self._who(posted.values, asked.ip)
        if user is None:
            return Refusal(403, b"Authorization failed for sendsms")
        values = request.without_tags(posted.values) if posted.markup else posted.values
        found = request.order(values, user.sender, posted.receivers, asked.body is not None)
        return found if isinstance(found, Refusal) else (user, found)

    def _who(self, values: Values, ip: str) -> _User | None:
        name, password = request.authority(values)
        if name is None or password is None:
            return None
        user = self._users.get(name)
        if user is None or not hmac.compare_digest(password, user.password):
            self._refused(name, ip, "wrong username or password")
            return None
        settings = user.settings
        if not is_allowed_ip(settings.user_allow_ip, settings.user_deny_ip, ip):
            self._refused(name, ip, "not in user-allow-ip, or in user-deny-ip")
            return None
        return user

    def _refused(self, name: bytes, ip: str, reason: str) -> None:
        """An application that does not know goes on asking: once a minute is enough."""
        left_out = self._seldom.due((name, ip, reason), self._face.clock())
        if left_out is not None:
            log.warning("sendsms refused", user=name, ip=ip, reason=reason, left_out=left_out)

    # What becomes of it

    async def _submit(self, user: _User, order: Order, waiting: JointTicket) -> tuple[list[Given] | Refusal, int]:
        """The message that answers for each receiver, and how many parts the text has."""
        way = self._any_way if order.smsc is None else self._ways.get(order.smsc, self._any_way)
        texts, parts = writing.cut(order, user.style)
        now = self._face.clock()
        try:
            pdus = [writing.submits(order, said, way, now) for said in texts]
        except (LocalError, PduError):
            return Refusal(403, NOT_ROUTABLE), parts
        memo = self._memo(user, order)
        if sum(map(len, (memo.url, memo.meta_data, memo.sender, memo.binfo))) > _MAX_MEMO:
            return Refusal(400, b"DLR-URL field misformed, rejected"), parts
        batch = _Batch(order, self._face.account(user.settings), pdus, waiting, self._face.tag_of(order.smsc))
        given = []
        for count, receiver in enumerate(order.receivers, 1):
            number = writing.normalized(receiver, way.prefixes)
            found = self._send(batch, number, memo._replace(receiver=number))
            given.append(Given(receiver, found) if isinstance(found, Message) else Given(receiver, None, found))
            if not count % BREATH:  # others have turns, too: a form of 1 MB has 149,000 receivers
                await asyncio.sleep(0)
        return given, parts

    def _memo(self, user: _User, order: Order) -> Memo:
        return Memo(
            max(order.dlr_mask, 0), order.dlr_url or user.dlr_url, user.service, order.sender, b"", order.account,
            order.binfo, order.meta_data, b"", self._boxc_id, order.coding, order.mclass, order.mwi, order.compress,
            order.alt_dcs,
        )  # fmt: skip

    def _send(self, batch: _Batch, number: bytes, memo: Memo) -> Message | Status:
        """The message that answers for the receiver: the last of several, as it is with Kannel."""
        face, lists = self._face, self._lists
        listed = lists.senders.why_not(memo.sender, b"sender") or lists.receivers.why_not(number, b"receiver")
        if listed:
            self._never(batch, memo, accesslog.REJECTED, listed)
            return Status.RINVDSTADR
        parts = len(batch.pdus)
        # All parts or none: who is told to repeat the request would send those that went a second time.
        if face.state.is_over or face.state.is_full or not face.pipeline.has_room(batch.account, parts):
            return Status.RMSGQFUL
        found: Message | Status = Status.RINVDSTADR
        group = face.pipeline.ids.mint(face.clock()) if parts > 1 else 0
        for place, common in enumerate(batch.pdus):
            pdu = writing.addressed(common, number, batch.order.meta_data)
            if not writing.fits(pdu):
                self._never(batch, memo, accesslog.REJECTED, b"MALFORMED SMS")
                return Status.RINVDSTADR
            if 1 < parts < 256:
                memo = memo._replace(part=place + 1, parts=parts, group=group)
            if place:
                # Of a text in several messages only the first one asks for receipts.
                pdu = pdu._replace(registered_delivery=0)
            found = face.pipeline.submit(
                batch.account, pdu, writing.body_of(pdu), batch.waiting, memo=memo.pack(), tag=batch.tag
            )
            if isinstance(found, Status):
                if found not in _LATER:
                    self._never(batch, memo, accesslog.DISCARDED, nack.NO_SMSC)
                break
            batch.waiting.left += 1
        return found

    def _never(self, batch: _Batch, memo: Memo, event: bytes, reason: bytes) -> None:
        """Kannel reports also what it refuses at once."""
        front = batch.account.front
        if not isinstance(front, Reports):
            return
        order, pipeline = batch.order, self._face.pipeline
        id = pipeline.ids.mint(self._face.clock())
        smsc_id = _octets(order.smsc) if event == accesslog.REJECTED else b""
        said = front.never(memo, event, reason, smsc_id, order.octets or order.text.encode(errors="replace"), id)
        if said is not None:
            pipeline.returns.notify(batch.account, id, said)

    # The answer

    def _reply(self, asked: Request, order: Order, given: list[Given], parts: int) -> Reply:
        first = given[0]
        for each in given[1:]:
            if each.message is None and first.message is not None:
                log.warning("sendsms left a receiver out", status=Status(each.status).name)
        if self._immediate:
            status, text = _immediately(order, given, parts)
        elif first.message is None:
            status, text = (503, TEMPORAL) if first.status in _LATER else (403, NOT_ROUTABLE)
        else:
            up = self._face.state.sends and self._face.is_up(first.message)
            status, text = 202, ACCEPTED if up else QUEUED
        return _reply(asked, status, text, given, order.denied)


def _settled(given: Given, failed: Mapping[int, int]) -> Given:
    message = given.message
    return given if message is None or message.id not in failed else Given(given.receiver, None, failed[message.id])


def _immediately(order: Order, given: list[Given], parts: int) -> tuple[int, bytes]:
    failed = [each.receiver for each in given if each.message is None]
    if failed:
        who = b" Failed receivers are: " + b" ".join(failed) if len(order.receivers + order.denied) > 1 else b""
        return 500, b"Sending failed." + who
    text = b"Sent."
    if order.denied:
        text += b" Denied receivers are: " + b" ".join(order.denied)
    if parts > 1:
        text += b" Message splits: %d" % parts
    return 202, text


def _reply(
    asked: Request, status: int, text: bytes, given: list[Given] | None = None, denied: tuple[bytes, ...] = ()
) -> Reply:
    """Kannel knows no JSON: only who wants nothing else gets it."""
    accept = asked.headers.get("Accept", "")
    if accept.partition(";")[0].strip().lower() != "application/json" or "," in accept:
        return Reply(status, text)
    said: dict[str, Any] = {"status": status, "message": text.decode("latin-1")}
    if given is not None:
        said["receivers"] = [_shown(each) for each in given]
        said["denied"] = [number.decode("latin-1") for number in denied]
    return Reply(status, json.dumps(said).encode(), _JSON)


def _shown(given: Given) -> dict[str, Any]:
    to = given.receiver.decode("latin-1")
    if given.message is None:
        return {"to": to, "id": None, "error": Status(given.status).name}
    return {"to": to, "id": shown(given.message.public).decode()}


def _octets(said: str | None) -> bytes:
    return (said or "").encode(errors="surrogateescape")
