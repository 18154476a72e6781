"""What becomes of a message of sendsms, told to its dlr-url as Kannel tells it."""

from collections import Counter
from collections.abc import Callable, Iterable
from enum import IntFlag
from typing import NamedTuple, Protocol

import structlog

from protocol import pdus, receipt, text, tlv, udh
from protocol.consts import EsmClass, MessageState, Status, Tag
from protocol.receipt import Quoted, Receipt
from routing.message import Delivery, Message, Waiting
from smppgw.fronts import Outcome
from smppgw.kannel import accesslog, metadata, nack
from smppgw.kannel.accesslog import KannelLog
from smppgw.kannel.caller import BadUrl, NoReply, Reply
from smppgw.kannel.connectors import Link
from smppgw.kannel.escapes import Sms, fill
from smppgw.kannel.memo import Memo

log = structlog.get_logger()


class Dlr(IntFlag):
    """The bits of dlr-mask; the type of a report is one of them, or EXPIRED."""

    SUCCESS = 1
    FAIL = 2
    BUFFERED = 4
    SMSC_SUCCESS = 8
    SMSC_FAIL = 16
    INTERMEDIATE = 32
    EXPIRED = 34


# Plain ints: arithmetic on enum members costs more than the rest of a line.
_RECEIPTS = int(Dlr.SUCCESS | Dlr.FAIL | Dlr.BUFFERED)
_ACCEPTED, _REJECTED = int(Dlr.SMSC_SUCCESS), int(Dlr.SMSC_FAIL)
# As with Kannel: intermediate reports are asked for with failures, so a refusal is told of as well.
_REFUSED = int(Dlr.SMSC_FAIL | Dlr.EXPIRED)
_UDHI = int(EsmClass.UDHI)
_TYPES = {
    int(MessageState.DELIVERED): int(Dlr.SUCCESS),
    int(MessageState.ENROUTE): int(Dlr.BUFFERED),
    int(MessageState.ACCEPTED): int(Dlr.BUFFERED),
    int(MessageState.SCHEDULED): 0,
}
_FAIL, _EXPIRED_TYPE = int(Dlr.FAIL), int(Dlr.EXPIRED)
_EXPIRED = int(MessageState.EXPIRED)
_UNROUTABLE = int(MessageState.UNDELIVERABLE)

VERSION = b"\1"
"""What the body of a report begins with; its URL follows."""

GROUPS = 100_000
"""Texts in several messages whose parts are not all settled."""


class Smsc(NamedTuple):
    """What reports tell of the smsc that a message went by."""

    id: bytes = b""
    username: bytes = b""


class _Long:
    """A text in several messages, while they are under way."""

    __slots__ = ("event", "first", "left", "texts")

    def __init__(self, parts: int) -> None:
        self.left = parts
        self.first = b""
        """The SMSC's id of the first part."""
        self.event = accesslog.SENT
        self.texts: dict[int, bytes] = {}


class Reports:
    """The front of every account of sendsms. `clock` gives epoch seconds; `reported` is called, with the smsc-id or
    b"", for each report of what an SMSC answered, whether or not anybody is told."""

    def __init__(
        self,
        links: Iterable[Link],
        clock: Callable[[], float],
        access: KannelLog | None = None,
        reported: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._access = access if access is not None and access.target else None
        self._reported = reported
        self._smscs: dict[bytes, Smsc] = {}
        self._long: dict[tuple[str, bytes, int], _Long] = {}
        self.change(links)

    def change(self, links: Iterable[Link]) -> None:
        """The smscs are others; those that went are still known to reports of what they sent."""
        for link in links:
            self._smscs[link.name.encode()] = Smsc(_octets(link.smsc.id), _octets(link.smsc.username))

    def restored(self, messages: Iterable[Message]) -> None:
        """What a start found under way: of these texts the other parts are settled, in whatever order they went."""
        left: Counter[tuple[str, bytes, int]] = Counter()
        parts: dict[tuple[str, bytes, int], int] = {}
        for message in messages:
            memo = Memo.readable(message.memo)
            if memo is not None and memo.parts > 1:
                key = (message.account, memo.receiver, memo.group)
                left[key] += 1
                parts[key] = memo.parts
        for key, count in left.items():
            if count < parts[key]:
                long = self._long.setdefault(key, _Long(count))
                long.left = count

    # The front

    def sent(self, message: Message, connector: bytes) -> bytes | None:
        """Type 8, once all parts of a text are with the SMSC."""
        memo = Memo.unpack(message.memo)
        upstream = message.upstream[0] if message.upstream else b""
        smsc = self._smsc(connector)
        if memo.parts > 1:
            return self._settled(message, memo, accesslog.SENT, smsc.id, upstream)
        return self._answered(message, memo, accesslog.SENT, smsc.id, upstream, b"")

    def ended(self, message: Message, state: int, status: int) -> bytes | None:
        """Type 16, as nothing of it was sent."""
        memo = Memo.unpack(message.memo)
        if status:
            rejected = status not in nack.RETRIED
            event = accesslog.REJECTED if rejected else accesslog.DISCARDED
            smsc_id = self._smsc(message.by.encode()).id if rejected else b""
            reason = nack.refusal(status)
        elif state == _EXPIRED:
            event, smsc_id, reason = accesslog.EXPIRED, b"", nack.EXPIRED
        else:
            event, smsc_id = accesslog.DISCARDED, b""
            reason = nack.NO_SMSC if state == _UNROUTABLE else nack.EXCEEDED
        if memo.parts > 1:
            return self._settled(message, memo, event, smsc_id, b"")
        return self._answered(message, memo, event, smsc_id, b"", reason)

    def receipt(self, waiting: Waiting, state: int, found: Receipt) -> bytes | None:
        """Types 1, 2 and 4. A message that we have waited for too long has no receipt, and Kannel tells of none."""
        if not found.id:
            return None
        memo = Memo.unpack(waiting.memo)
        values = getattr(found, "values", None)
        type = _TYPES.get(state, _FAIL)
        if state == _EXPIRED and values and Tag.MESSAGE_STATE in values:
            type = _EXPIRED_TYPE
        if not type & memo.mask or not memo.url:
            if self._access is not None:
                self._access.write(accesslog.FAILED_DLR, self._stray(waiting, found))
            return None
        smsc = self._smsc(waiting.connector)
        error = dlr_err(found)
        meta = b"?orig_msg?dlr_mask=%d&?smpp?" % memo.mask
        if error:
            meta += b"dlr_err=%b&" % metadata.url_encode(error)
        said = _words(found)
        return self._report(
            memo, type, said, smsc.id, waiting.parts[0][0] if waiting.parts else found.id, meta, smsc.username,
            waiting.public,
        )  # fmt: skip

    # What is told of messages that were never taken

    def never(self, memo: Memo, event: bytes, reason: bytes, smsc_id: bytes, octets: bytes, id: int) -> bytes | None:
        """A message was refused at once: by no smsc (DISCARDED), or by a list (REJECTED). Kannel reports that too,
        beside its answer to the request."""
        if self._access is not None:
            now = int(self._clock())
            self._access.write(event, _sms(memo, octets, b"", now, smsc_id, b"", memo.meta_data, id))
        return self._refused(memo, reason, smsc_id, b"", False, id)

    # How

    def _answered(
        self, message: Message, memo: Memo, event: bytes, smsc_id: bytes, upstream: bytes, reason: bytes
    ) -> bytes | None:
        """A message is with an SMSC, or never will be."""
        asked = event in _ASKED and len(message.upstream) < 2  # of segments Kannel keeps no answer
        if self._access is not None:
            head, octets = _said(message, memo)
            meta = metadata.add(memo.meta_data, b"smpp_resp", {}) if asked else memo.meta_data
            now = int(self._clock())
            self._access.write(event, _sms(memo, octets, head, now, smsc_id, upstream, meta, message.public))
        if event == accesslog.SENT:
            return self._accepted(memo, smsc_id, upstream, True, message.public)
        return self._refused(memo, reason, smsc_id, upstream, asked, message.public)

    def _settled(self, message: Message, memo: Memo, event: bytes, smsc_id: bytes, upstream: bytes) -> bytes | None:
        """One part of several is: Kannel tells once, when all are, and has no reason for a refusal."""
        key = (message.account, memo.receiver, memo.group)
        long = self._long.get(key)
        if long is None:
            long = self._long[key] = _Long(memo.parts)
            if len(self._long) > GROUPS:
                del self._long[next(iter(self._long))]
        long.left -= 1
        if memo.part == 1:
            long.first = upstream
        if event != accesslog.SENT:
            long.event = event
        if self._access is not None:
            long.texts[memo.part] = _said(message, memo)[1]
        if long.left > 0:
            return None
        del self._long[key]
        if self._access is not None:
            octets = b"".join(long.texts[part] for part in sorted(long.texts))
            now = int(self._clock())
            sms = _sms(memo, octets, b"", now, smsc_id, long.first, memo.meta_data, message.public)
            self._access.write(long.event, sms)
        if long.event == accesslog.SENT:
            return self._accepted(memo, smsc_id, long.first, False, message.public)
        reason = nack.EXPIRED if long.event == accesslog.EXPIRED else b""
        return self._refused(memo, reason, smsc_id, long.first, False, message.public)

    def _accepted(self, memo: Memo, smsc_id: bytes, upstream: bytes, asked: bool, id: int) -> bytes | None:
        if not memo.mask & _ACCEPTED:
            return None
        self._reported(smsc_id)
        if not memo.url:
            return None
        return self._own(memo, _ACCEPTED, b"ACK/", smsc_id, upstream, asked, id)

    def _refused(
        self, memo: Memo, reason: bytes, smsc_id: bytes, upstream: bytes, asked: bool, id: int
    ) -> bytes | None:
        if not memo.mask & _REFUSED:
            return None
        self._reported(smsc_id)
        if not memo.url:
            return None
        return self._own(memo, _REJECTED, b"NACK/" + reason, smsc_id, upstream, asked, id)

    def _own(self, memo: Memo, type: int, said: bytes, smsc_id: bytes, upstream: bytes, asked: bool, id: int) -> bytes:
        """A report that bearerbox makes itself; `asked`: an SMSC answered, which leaves its trace in meta-data."""
        if not memo.meta_data:
            head = b"?smpp_resp??orig_msg?dlr_mask=%d&" if asked else b"?orig_msg?dlr_mask=%d&"
            meta = head % memo.mask
        else:
            meta = metadata.add(memo.meta_data, b"smpp_resp", {}) if asked else memo.meta_data
            meta = metadata.add(meta, b"orig_msg", {b"dlr_mask": b"%d" % memo.mask})
        return self._report(memo, type, said, smsc_id, upstream, meta, b"", id)

    def _report(
        self, memo: Memo, type: int, said: bytes, smsc_id: bytes, upstream: bytes, meta: bytes, account: bytes, id: int
    ) -> bytes:
        now = self._clock()
        # `%p` is the mobile here, as it is for messages that come from one.
        sms = Sms(
            memo.receiver, memo.sender, said, b"", int(now), uuid(id, type), smsc_id, b"", upstream, memo.service,
            account, b"", memo.boxc_id, b"", meta, memo.url, type,
        )  # fmt: skip
        if self._access is not None:
            self._access.write(accesslog.RECEIVED_DLR, sms._replace(sender=memo.sender, receiver=memo.receiver))
        return VERSION + fill(memo.url, sms, now)

    def _smsc(self, connector: bytes) -> Smsc:
        return self._smscs.get(connector) or Smsc(connector)

    def _stray(self, waiting: Waiting, found: Receipt) -> Sms:
        """A receipt that nobody is told of, as Kannel logs it: as what came from the SMSC."""
        plus = b"+" if waiting.dest_ton == 1 else b"", b"+" if waiting.source_ton == 1 else b""
        return Sms(
            plus[0] + waiting.destination, plus[1] + waiting.source, _words(found), time=int(self._clock()),
            smsc_id=self._smsc(waiting.connector).id, meta_data=b"?smpp?", coding=0, compress=0,
        )  # fmt: skip


_ASKED = frozenset({accesslog.SENT, accesslog.REJECTED, accesslog.DISCARDED})
"""After these an SMSC had answered."""


class Asking(Protocol):
    """Who makes requests."""

    async def get(self, url: bytes) -> Reply:
        """Raises NoReply or BadUrl."""


async def call_back(delivery: Delivery, caller: Asking) -> Outcome:
    """Make one callback. Any answer of success will do; Kannel takes 200, 202 and 204 for one."""
    if delivery.body[:1] != VERSION:
        return Outcome(Status.RINVMSGLEN, "a report of a version that is not known here")
    try:
        reply = await caller.get(delivery.body[1:])
    except BadUrl as error:
        log.warning("no callback can be made", account=delivery.account, reason=str(error))
        return Outcome(Status.RINVDSTADR, str(error))
    except NoReply as error:
        log.warning("callback failed", account=delivery.account, attempts=delivery.attempts + 1, reason=str(error))
        return Outcome(Status.RSYSERR, str(error))
    if reply.is_success:
        return Outcome(Status.ROK)
    log.warning("callback refused", account=delivery.account, attempts=delivery.attempts + 1, status=reply.status)
    return Outcome(Status.RSYSERR, f"http {reply.status}")


def dlr_err(found: Receipt) -> bytes:
    """The three octets of meta-data's smpp/dlr_err: of the TLV, or of err in a text that has all fields."""
    if found.network_error is not None:
        return found.network_error
    if isinstance(found, Quoted) and not found.words:
        return b""
    code = 0
    if found.done is not None and found.submitted is not None:
        digits = found.err[:3]
        code = int(digits[: len(digits) - len(digits.lstrip(b"0123456789"))] or b"0")
    return b"\x03" + code.to_bytes(2, "big")


def uuid(id: int, type: int = 0) -> bytes:
    """The same for the same event, so that an application can tell a callback that was made twice."""
    return b"%08x-%04x-4000-8%03x-%012x" % (id >> 32, id >> 16 & 0xFFFF, type, id & 0xFFFF)


def _words(found: Receipt) -> bytes:
    """The text of a receipt; one of an HTTPS carrier has none, and gets the form that they all have."""
    return found.words if isinstance(found, Quoted) else receipt.form(found)


def _said(message: Message, memo: Memo) -> tuple[bytes, bytes]:
    """The user data header, and the text as applications see it."""
    pdu = message.pdu or pdus.decode_submit(message.body)
    octets = pdu.short_message or tlv.parse(pdu.tlvs).get(Tag.MESSAGE_PAYLOAD, b"")
    words = udh.text_of(pdu.esm_class, octets) if pdu.esm_class & _UDHI else octets
    head = octets[: len(octets) - len(words)]
    return head, words if memo.coding in {1, 2} else text.decode(words, pdu.data_coding).encode()


def _sms(
    memo: Memo, octets: bytes, head: bytes, now: int, smsc_id: bytes, upstream: bytes, meta: bytes, id: int
) -> Sms:
    """For the access log."""
    return Sms(
        memo.sender, memo.receiver, octets, head, now, uuid(id), smsc_id, b"", upstream, memo.service, memo.account,
        memo.binfo, memo.boxc_id, memo.charset, meta, memo.url, memo.mask or -1, memo.coding, memo.mclass, memo.mwi,
        memo.compress, memo.alt_dcs,
    )  # fmt: skip


def _octets(said: str | None) -> bytes:
    return (said or "").encode(errors="surrogateescape")
