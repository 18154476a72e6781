"""Vonage, by its SMS REST API."""

import json
import re
import time
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr, model_validator

from protocol import text as alphabets
from protocol import udh
from protocol.consts import DataCoding, MessageState, Status
from protocol.errors import PduError
from protocol.receipt import Receipt
from smppgw.carriers.client import BadReply, Client, Reply
from smppgw.carriers.contract import (
    Answer,
    Capabilities,
    Heard,
    Hook,
    HookRefused,
    Mo,
    Operation,
    Text,
    by_status,
    doubt,
    later,
    never,
    sent,
)
from smppgw.carriers.settings import CarrierSettings
from smppgw.carriers.vonage_signature import Method, agrees, sign
from smppgw.settings import Positive
from smppgw.values import Wrong

LONGEST = 3200
"""Characters of a text."""

SHORTEST_TTL, LONGEST_TTL = 20_000, 604_800_000
"""Milliseconds that `ttl` may name."""


class VonageSettings(CarrierSettings):
    kind: Literal["vonage"] = "vonage"
    url: Annotated[str, Field(pattern=r"^https?://[^/?#]+[^?#]*$")] = "https://rest.nexmo.com"
    api_key: Annotated[str, Field(min_length=1)]
    api_secret: SecretStr = SecretStr("")
    """Given: requests name it. Otherwise they are signed."""
    signature_secret: SecretStr = SecretStr("")
    signature_method: Method = "md5hash"
    webhook_signed: bool = False
    webhook_max_age: Positive = 300.0
    sender: str = ""
    callback: bool = True
    account_ref: str = ""
    longest: Annotated[int, Field(ge=1, le=LONGEST)] = LONGEST
    partial: Literal["retry", "refuse", "accept"] = "retry"

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        signature = self.signature_secret.get_secret_value()
        if not self.api_secret.get_secret_value() and not signature:
            raise Wrong("there is neither api_secret nor signature_secret", "give the one that the account uses")
        if self.webhook_signed and not signature:
            raise Wrong("webhook_signed needs signature_secret", "give it, or leave webhook_signed out")
        return self


class _Meaning(NamedTuple):
    verdict: Literal["later", "never"]
    status: Status
    reason: str
    alarm: bool = False


_STATUSES: dict[str, _Meaning] = {
    "1": _Meaning("later", Status.RTHROTTLED, "throttled"),
    "2": _Meaning("never", Status.RSUBMITFAIL, "a parameter is missing"),
    "3": _Meaning("never", Status.RSUBMITFAIL, "a parameter is invalid"),
    "4": _Meaning("later", Status.RSYSERR, "credentials refused", alarm=True),
    "5": _Meaning("later", Status.RSYSERR, "internal error"),
    "6": _Meaning("never", Status.RSUBMITFAIL, "cannot be processed"),
    "7": _Meaning("never", Status.RINVDSTADR, "number barred"),
    "8": _Meaning("later", Status.RSYSERR, "account barred", alarm=True),
    "9": _Meaning("later", Status.RMSGQFUL, "quota used up", alarm=True),
    "10": _Meaning("later", Status.RTHROTTLED, "too many binds"),
    "11": _Meaning("later", Status.RSYSERR, "account not enabled for REST", alarm=True),
    "12": _Meaning("never", Status.RINVMSGLEN, "too long"),
    "14": _Meaning("later", Status.RSYSERR, "signature refused", alarm=True),
    "15": _Meaning("never", Status.RINVSRCADR, "sender not allowed"),
    "22": _Meaning("never", Status.RSUBMITFAIL, "invalid network code"),
    "23": _Meaning("never", Status.RSUBMITFAIL, "invalid callback URL"),
    "29": _Meaning("never", Status.RINVDSTADR, "destination not on the list of a trial account"),
    "32": _Meaning("later", Status.RSYSERR, "both signature and secret", alarm=True),
    "33": _Meaning("never", Status.RINVDSTADR, "number deactivated"),
}
"""By the `status` of a part."""

_UNKNOWN = _Meaning("never", Status.RSUBMITFAIL, "refused")
_FIELD = re.compile(
    r"(?:^|[\s`'\":])(to|from)(?:[`'\"]|[\s:.]*$|\s+(?:param|address|field|number|is\b))", re.IGNORECASE
)
_ADDRESS = {"to": Status.RINVDSTADR, "from": Status.RINVSRCADR}
"""Which parameter a status 2 or 3 is about, as the error text names it."""

STATES: dict[str, MessageState] = {
    "delivered": MessageState.DELIVERED,
    "expired": MessageState.EXPIRED,
    "failed": MessageState.UNDELIVERABLE,
    "undelivered": MessageState.UNDELIVERABLE,
    "rejected": MessageState.REJECTED,
    "accepted": MessageState.ACCEPTED,
    "buffered": MessageState.ENROUTE,
    "unknown": MessageState.UNKNOWN,
}
"""By the `status` of a receipt."""

REJECTIONS = frozenset({b"006", b"010"})
"""err-code of what was refused as spam or as illegal: failed in Vonage's words, rejected in those of SMPP."""


class Vonage:
    kind: ClassVar[str] = "vonage"
    thanks = (b"", "text/plain")

    def __init__(self, settings: VonageSettings, client: Client, now: Callable[[], float] = time.time) -> None:
        self.capabilities = Capabilities(longest=settings.longest, binary=alphabets.SHORT_MESSAGE, header=True)
        self._settings = settings
        self._client = client
        self._now = now
        self._secret = settings.signature_secret.get_secret_value()
        credentials = {"api_key": settings.api_key}
        if api_secret := settings.api_secret.get_secret_value():
            credentials["api_secret"] = api_secret
        self._signs = not api_secret
        self._credentials = credentials
        self._always = {"account-ref": settings.account_ref} if settings.account_ref else {}
        self._callback = settings.webhook_url if settings.callback else ""
        self._own = frozenset(parse_qsl(urlsplit(settings.webhook_url).query, keep_blank_values=True))
        """What our own URL says is not Vonage's, and not signed."""
        self._sender = settings.sender.removeprefix("+")

    # Out

    async def send(self, text: Text) -> Answer:
        """A text of which Vonage takes some parts only is answered as `partial` says."""
        destination = text.destination.removeprefix("+")
        if not (destination.isascii() and destination.isdigit() and 7 <= len(destination) <= 15):
            return never(Status.RINVDSTADR, "the destination is no number of 7 to 15 digits", code="destination")
        source = text.source.removeprefix("+") or self._sender
        if not source:
            return never(Status.RINVSRCADR, "there is no source address, and no `sender` is configured", code="source")
        form = {**self._credentials, "from": source, "to": destination}
        if text.binary is None:
            form["text"] = text.text
            form["type"] = "text" if alphabets.choose(text.text) == DataCoding.DEFAULT else "unicode"
        elif len(text.binary) + len(text.header) > alphabets.SHORT_MESSAGE:
            return never(Status.RINVMSGLEN, "a binary message has 140 octets at most, with its header", code="binary")
        else:
            form["type"] = "binary"
            form["body"] = text.binary.hex()
            if text.header:
                form["udh"] = text.header.hex()
        form["status-report-req"] = "1" if text.receipt else "0"
        form["client-ref"] = text.tag
        if text.validity > 0:
            form["ttl"] = str(min(max(round(text.validity * 1000), SHORTEST_TTL), LONGEST_TTL))
        if text.receipt and self._callback:
            form["callback"] = self._callback
        form |= self._always
        if self._signs:
            form["timestamp"] = str(int(self._now()))
            form["sig"] = sign(form, self._secret, self._settings.signature_method)
        return self._answer(await self._client.request("POST", "/sms/json", form=form))

    def _answer(self, reply: Reply) -> Answer:
        if reply.status != 200:
            return by_status(reply)
        try:
            ids, refused, count = _read(reply)
        except BadReply as error:
            return doubt(str(error), code="reply")
        if refused is None or (ids and self._settings.partial == "accept"):
            return sent(*ids)
        answer = _refusal(*refused)
        if not ids:
            return answer
        reason = f"{len(ids)} of {count} parts were accepted, then: {answer.reason}"
        if self._settings.partial == "refuse":
            return never(answer.status, reason, code=answer.code)
        return answer._replace(reason=reason)

    # Back

    def hear(self, hook: Hook) -> Sequence[Heard]:
        fields = _fields(hook, self._own)
        if self._settings.webhook_signed:
            self._check(fields)
        if (status := fields.get("status")) is not None and (id := fields.get("messageId")):
            return (_receipt(id, status.strip().lower(), fields),)
        if (source := fields.get("msisdn")) and not fields.keys().isdisjoint(("text", "data", "udh")):
            return (_mo(source, fields),)
        return ()  # an empty request tries whether somebody is there

    def _check(self, fields: Mapping[str, str]) -> None:
        if not agrees(fields, self._secret, self._settings.signature_method):
            raise HookRefused(403, "the signature is wrong" if "sig" in fields else "it is not signed")
        stamp = fields.get("timestamp", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            raise HookRefused(403, "it is signed without a time")
        if abs(self._now() - int(stamp)) > self._settings.webhook_max_age:
            raise HookRefused(403, "its signature is too old, or a clock is wrong")

    async def poll(self, id: bytes) -> Sequence[Heard]:  # noqa: ARG002  the contract's
        """The API has no question for it."""
        return ()

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {}


def _read(reply: Reply) -> tuple[list[bytes], tuple[str, str] | None, int]:
    """The ids of the parts that were accepted, status and error text of the first that was not, and how many there
    are. Raises BadReply."""
    body = reply.json()
    parts = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise BadReply(f"the reply names no messages: {reply.excerpt!r}")
    ids, refused = [], None
    for part in parts:
        if str(part.get("status")) != "0":
            refused = refused or (str(part.get("status")), str(part.get("error-text") or ""))
        elif isinstance(id := part.get("message-id"), str) and id:
            ids.append(id.encode("utf-8", "replace"))
        else:
            raise BadReply("a part was accepted without a message-id")
    return ids, refused, len(parts)


def _refusal(code: str, words: str) -> Answer:
    meaning = _STATUSES.get(code, _UNKNOWN)
    status: int = meaning.status
    if code in {"2", "3"} and (field := _FIELD.search(words)):
        status = _ADDRESS[field[1].lower()]
    reason = words or meaning.reason
    if meaning.verdict == "later":
        return later(status, reason, code=code, alarm=meaning.alarm)
    return never(status, reason, code=code)


def _fields(hook: Hook, own: Collection[tuple[str, str]]) -> dict[str, str]:
    """Vonage calls by GET, by POST of a form or by POST of JSON, as the account is set."""
    if hook.method == "GET" or not hook.body:
        return {name: value for name, value in hook.query if (name, value) not in own} if own else dict(hook.query)
    if "json" not in hook.headers.get("Content-Type", "").lower():
        return dict(hook.form)
    body = hook.json
    if not isinstance(body, dict):
        raise HookRefused(400, "an object is expected")
    return {
        _clean(name): _clean(value if isinstance(value, str) else json.dumps(value)) for name, value in body.items()
    }


def _clean(text: str) -> str:
    """Without halves of surrogate pairs, which JSON can hold and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _receipt(id: str, status: str, fields: Mapping[str, str]) -> Receipt:
    err = fields.get("err-code", "")
    octets = err.zfill(3)[-3:].encode() if err.isascii() and err.isalnum() else b""
    state = STATES.get(status)
    if state == MessageState.UNDELIVERABLE and octets in REJECTIONS:
        state = MessageState.REJECTED
    return Receipt(id=_octets(id), state=state, err=octets, done=_done(fields))


def _mo(source: str, fields: Mapping[str, str]) -> Mo:
    id, destination = _octets(fields.get("messageId", "")), fields.get("to", "").removeprefix("+")
    source = source.removeprefix("+")
    header = _concatenation(fields)
    if "data" not in fields and "udh" not in fields:
        return Mo(id, source, destination, fields["text"], None, header)
    try:
        data = bytes.fromhex(fields.get("data", ""))
        header = _whole(bytes.fromhex(fields.get("udh", ""))) or header
    except ValueError:
        raise HookRefused(400, "data and udh are hex") from None
    if not data and "text" in fields:
        return Mo(id, source, destination, fields["text"], None, header)
    return Mo(id, source, destination, "", data, header)


def _whole(header: bytes) -> bytes:
    """With its length octet: whether Vonage leaves it out is not documented."""
    if not header or len(header) > alphabets.SHORT_MESSAGE:
        return b""
    try:
        _, behind = udh.elements(header)
    except PduError:
        behind = header
    return bytes((len(header),)) + header if behind else header


def _concatenation(fields: Mapping[str, str]) -> bytes:
    """The user data header that the part of a longer text had; nothing where it makes no sense."""
    if fields.get("concat", "").lower() != "true":
        return b""
    total, number = _small(fields.get("concat-total", "")), _small(fields.get("concat-part", ""))
    if not 1 <= number <= total:
        return b""
    word = fields.get("concat-ref", "")
    # A reference of another kind needs only to be the same for all parts.
    reference = (
        int(word)
        if word.isascii() and word.isdigit() and len(word) < 6
        else zlib.crc32(word.encode("utf-8", "replace")) | 256
    )
    if reference > 255:
        return bytes((6, 8, 4, reference >> 8 & 255, reference & 255, total, number))
    return bytes((5, 0, 3, reference, total, number))


def _small(digits: str) -> int:
    """0 for what is no number that fits an octet."""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 3 and int(digits) <= 255 else 0


def _done(fields: Mapping[str, str]) -> float | None:
    """Of `message-timestamp` (UTC), or of `scts`, whose zone is not documented and taken for UTC."""
    try:
        moment = datetime.fromisoformat(fields.get("message-timestamp", ""))
    except ValueError:
        try:
            moment = datetime.strptime(fields.get("scts", ""), "%y%m%d%H%M")
        except ValueError:
            return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _octets(id: str) -> bytes:
    return id.strip().encode("utf-8", "replace")
