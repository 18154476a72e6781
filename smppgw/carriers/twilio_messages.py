"""Twilio Messages: texts to handsets, by a messaging service or from a number, short code or name of ours."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlencode

from pydantic import BeforeValidator, Field, model_validator

from protocol.consts import MessageState, Status
from protocol.receipt import Receipt
from smppgw import values
from smppgw.carriers.client import BadReply, Client
from smppgw.carriers.contract import Answer, Capabilities, Heard, Hook, HookRefused, Mo, Operation, Text, never
from smppgw.carriers.twilio import (
    COMMON,
    Account,
    Meaning,
    TwilioSettings,
    error_of,
    is_id,
    limit_of,
    moment_of,
    number_of,
    path_of,
    read_answer,
    sid,
)
from smppgw.values import Wrong

LONGEST = 1600
MAX_VALIDITY = 36_000
"""Seconds; also what Twilio takes where a request names none."""

OURS = frozenset({"To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod"})
"""Parameters that no config may set."""

_RSYSERR, _RINVDSTADR, _RINVSRCADR = Status.RSYSERR, Status.RINVDSTADR, Status.RINVSRCADR

CODES: Mapping[int, Meaning] = {
    **COMMON,
    20404: Meaning("later", _RSYSERR, "there is no such account or URL", True),
    21211: Meaning("never", _RINVDSTADR, "invalid destination"),
    21212: Meaning("never", _RINVSRCADR, "invalid sender"),
    21408: Meaning("never", _RINVDSTADR, "the account may not send to this region"),
    21601: Meaning("never", _RINVSRCADR, "the sender cannot send SMS"),
    21602: Meaning("never", Status.RINVMSGLEN, "there is no text"),
    21603: Meaning("never", _RINVSRCADR, "there is no sender"),
    21604: Meaning("never", _RINVDSTADR, "there is no destination"),
    21606: Meaning("never", _RINVSRCADR, "the sender cannot send to this destination"),
    21608: Meaning("never", _RINVDSTADR, "a trial account sends to verified numbers only"),
    21610: Meaning("never", _RINVDSTADR, "the recipient opted out"),
    21611: Meaning("later", Status.RMSGQFUL, "the sender's queue is full"),
    21612: Meaning("never", _RINVDSTADR, "the destination cannot be reached from this sender"),
    21614: Meaning("never", _RINVDSTADR, "the destination is no mobile"),
    21617: Meaning("never", Status.RINVMSGLEN, f"the text has more than {LONGEST} characters"),
    21624: Meaning("never", Status.RINVEXPIRY, "invalid validity period"),
    21635: Meaning("never", _RINVDSTADR, "the destination is a landline"),
    21701: Meaning("later", _RSYSERR, "the messaging service does not exist", True),
    21703: Meaning("never", _RINVSRCADR, "the messaging service has no sender for this destination"),
    21704: Meaning("never", _RINVSRCADR, "the messaging service has no sender"),
}
"""Codes of refusals (HTTP 4xx)."""

STATES: Mapping[str, MessageState] = {
    "accepted": MessageState.ACCEPTED,
    "scheduled": MessageState.ACCEPTED,
    "queued": MessageState.ACCEPTED,
    "sending": MessageState.ENROUTE,
    "sent": MessageState.ENROUTE,
    "delivered": MessageState.DELIVERED,
    "read": MessageState.DELIVERED,
    "undelivered": MessageState.UNDELIVERABLE,
    "failed": MessageState.UNDELIVERABLE,
    "partially_delivered": MessageState.UNDELIVERABLE,
    "canceled": MessageState.DELETED,
}
FAILED = frozenset({"undelivered", "failed", "partially_delivered"})
INBOUND = frozenset({"receiving", "received"})

FAILURES: Mapping[int, tuple[MessageState, bytes]] = {
    30001: (MessageState.UNDELIVERABLE, b"301"),  # queue overflow
    30002: (MessageState.REJECTED, b"302"),  # account suspended
    30003: (MessageState.UNDELIVERABLE, b"303"),  # handset unreachable
    30004: (MessageState.REJECTED, b"304"),  # blocked
    30005: (MessageState.UNDELIVERABLE, b"305"),  # handset unknown
    30006: (MessageState.UNDELIVERABLE, b"306"),  # landline or unreachable carrier
    30007: (MessageState.REJECTED, b"307"),  # filtered
    30008: (MessageState.UNDELIVERABLE, b"308"),  # unknown
    30009: (MessageState.UNDELIVERABLE, b"309"),  # a segment is missing
    30010: (MessageState.REJECTED, b"310"),  # above the highest price
    30017: (MessageState.UNDELIVERABLE, b"317"),  # carrier congestion
    30036: (MessageState.EXPIRED, b"336"),  # validity period expired
    30410: (MessageState.UNDELIVERABLE, b"410"),  # provider timeout
    30450: (MessageState.REJECTED, b"450"),  # pumping protection
    63017: (MessageState.UNDELIVERABLE, b"517"),  # above 2000 messages a second
}
"""Codes of messages that failed later: the state, and `err` of the receipt."""

_DLR_DATE = re.compile(r"[0-9]{10}")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}")
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")


class MessagesSettings(TwilioSettings):
    kind: Literal["twilio_messages"] = "twilio_messages"
    url: Annotated[str, Field(pattern=r"^https?://[^/?#]+[^?#]*$")] = "https://api.twilio.com"
    messaging_service_sid: Annotated[str, sid("MG")] = ""
    sender: str = ""
    source: Literal["pass", "ignore"] = "pass"
    short_code_digits: Annotated[int, Field(ge=0, le=15)] = 6
    channel: Literal["", "whatsapp", "messenger", "rcs"] = ""
    smart_encoded: bool | None = None
    content_retention: Literal["", "retain", "discard"] = ""
    address_retention: Literal["", "retain", "obfuscate"] = ""
    parameters: dict[str, str] = Field(default_factory=dict)
    opted_out: Annotated[int, BeforeValidator(values.status)] = int(Status.RINVDSTADR)
    sent_is: Literal["enroute", "delivered"] = "enroute"
    done_date: Literal["arrival", "utc"] = "arrival"

    @model_validator(mode="after")
    def _sender(self) -> "MessagesSettings":
        if self.messaging_service_sid and self.sender:
            raise Wrong("messaging_service_sid and sender are given", "give the default that is meant")
        if self.source == "ignore" and not self.messaging_service_sid and not self.sender:
            raise Wrong("nothing says who sends", 'give messaging_service_sid or sender, or source = "pass"')
        if self.sender and address_of(self.sender, self) is None:
            raise Wrong(
                f"{self.sender!r} can send nothing", 'write a number like "+819012345678", a short code or a name'
            )
        if wrong := sorted(OURS & self.parameters.keys()):
            raise Wrong(f"parameters.{wrong[0]} is set by the gateway", "leave it out")
        return self


def address_of(source: str, settings: MessagesSettings) -> str | None:
    """A sender as Twilio writes it: +number, short code, name or MG sid. None: it can be none of these."""
    digits = source.removeprefix("+")
    if digits.isascii() and digits.isdigit():
        if len(digits) <= settings.short_code_digits:
            return digits
        prefix = settings.national_prefix
        if digits == source and prefix and settings.country_code and digits.startswith(prefix):
            digits = settings.country_code + digits[len(prefix) :]
        return f"+{digits}" if len(digits) <= 15 else None
    return source if _NAME.fullmatch(source) or _SERVICE.fullmatch(source) else None


def _dlr_date(digits: str) -> float | None:
    """YYMMDDhhmm. In which time zone is not documented; here it is UTC."""
    try:
        return datetime.strptime(digits + "+0000", "%y%m%d%H%M%z").timestamp() if _DLR_DATE.fullmatch(digits) else None
    except ValueError:
        return None


class TwilioMessages:
    """The resource Messages of API version 2010-04-01."""

    kind: ClassVar[str] = "twilio_messages"
    capabilities = Capabilities(longest=LONGEST, receipts="both")
    thanks = (b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>', "text/xml")

    def __init__(self, settings: MessagesSettings, client: Client) -> None:
        self._settings = settings
        self._account = Account(settings, client)
        self._base = f"/2010-04-01/Accounts/{settings.account_sid}/Messages"
        self._codes = dict(CODES)
        self._codes[21610] = CODES[21610]._replace(status=settings.opted_out)
        self._prefix = f"{settings.channel}:" if settings.channel else ""
        self._states = dict(STATES)
        if settings.sent_is == "delivered":
            self._states["sent"] = MessageState.DELIVERED
        self._default: dict[str, str] | None = None
        if settings.messaging_service_sid or settings.sender:
            self._default = self._sender(settings.messaging_service_sid or settings.sender)
        self._more: dict[str, str] = dict(settings.parameters)
        if settings.smart_encoded is not None:
            self._more["SmartEncoded"] = "true" if settings.smart_encoded else "false"
        if settings.content_retention:
            self._more["ContentRetention"] = settings.content_retention
        if settings.address_retention:
            self._more["AddressRetention"] = settings.address_retention

    async def send(self, text: Text) -> Answer:
        if text.binary is not None or text.header:
            return never(Status.RINVESMCLASS, "Messages carries texts only", code="binary")
        if not text.text:
            return never(Status.RINVMSGLEN, CODES[21602].reason, code="21602")
        if len(text.text) > LONGEST:
            return never(Status.RINVMSGLEN, CODES[21617].reason, code="21617")
        explicit = text.source if self._settings.source == "pass" else ""
        sender = self._sender(explicit) if explicit else self._default
        if sender is None:
            code = 21212 if explicit else 21603
            return never(_RINVSRCADR, CODES[code].reason, code=str(code))
        form = {"To": self._prefix + text.destination, **sender, "Body": text.text}
        if text.receipt and self._account.webhook:
            form["StatusCallback"] = self._account.webhook
        if 0 < text.validity < MAX_VALIDITY:
            form["ValidityPeriod"] = str(max(1, int(text.validity)))
        if self._more:
            form.update(self._more)
        return read_answer(await self._account.ask("POST", f"{self._base}.json", form), self._codes)

    def _sender(self, source: str) -> dict[str, str] | None:
        address = address_of(source, self._settings)
        if address is None:
            return None
        if _SERVICE.fullmatch(address):
            return {"MessagingServiceSid": address}
        return {"From": self._prefix + address}

    def hear(self, hook: Hook) -> Sequence[Heard]:
        fields = self._account.fields(hook)
        id = fields.get("MessageSid") or fields.get("SmsSid", "")
        if not is_id(id):
            raise HookRefused(400, "there is no MessageSid")
        status = fields.get("MessageStatus") or fields.get("SmsStatus", "")
        if status in INBOUND or (not status and "Body" in fields):
            return [self._mo(id, fields)]
        done = _dlr_date(fields.get("RawDlrDoneDate", "")) if self._settings.done_date == "utc" else None
        return [self._receipt(id.encode(), status, number_of(fields.get("ErrorCode")), done)]

    async def poll(self, id: bytes) -> Sequence[Heard]:
        message = await self._account.resource("GET", f"{self._base}/{path_of(id)}.json")
        status = message.get("status")
        if not isinstance(status, str):
            raise BadReply("the message has no status")
        done = moment_of(message.get("date_updated"))
        return [self._receipt(id, status, number_of(message.get("error_code")), done)]

    def _receipt(self, id: bytes, status: str, code: int, done: float | None) -> Receipt:
        state, err = self._states.get(status), b"000"
        if status in FAILED and code:
            state, err = FAILURES.get(code) or (MessageState.UNDELIVERABLE, error_of(code))
        return Receipt(id, state, err, done=done)

    def _mo(self, id: str, fields: Mapping[str, str]) -> Mo:
        text = fields.get("Body", "")
        count = min(number_of(fields.get("NumMedia")), 10)
        media = [url for n in range(count) if (url := fields.get(f"MediaUrl{n}"))]
        return Mo(
            id.encode(),
            self._bare(fields.get("From", "")),
            self._bare(fields.get("To", "")),
            "\n".join([text, *media] if text else media),
        )

    def _bare(self, address: str) -> str:
        return address.removeprefix(self._prefix).removeprefix("+")

    # For people

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {"fetch": self._fetch, "list": self._list, "cancel": self._cancel, "redact": self._redact}

    async def _fetch(self, id: str) -> object:
        """One message."""
        return await self._account.resource("GET", f"{self._base}/{path_of(id)}.json")

    async def _list(
        self, to: str = "", sender: str = "", on: str = "", after: str = "", before: str = "", limit: str = "50"
    ) -> object:
        """The newest messages; `on`, `after` and `before` are dates of sending, like 2026-01-31."""
        most = limit_of(limit)
        asked = {"To": to, "From": sender, "DateSent": on, "DateSent>": after, "DateSent<": before}
        query = {name: value for name, value in asked.items() if value} | {"PageSize": str(min(most, 1000))}
        return await self._account.entries(f"{self._base}.json?{urlencode(query)}", most)

    async def _cancel(self, id: str) -> object:
        """A scheduled message is not sent."""
        return await self._account.resource("POST", f"{self._base}/{path_of(id)}.json", {"Status": "canceled"})

    async def _redact(self, id: str) -> object:
        """Its text is removed from Twilio's records."""
        return await self._account.resource("POST", f"{self._base}/{path_of(id)}.json", {"Body": ""})
