"""What every HTTPS carrier is to the gateway: a text out, an answer back, and what its webhooks and look-ups say.

A carrier knows one API and nothing else: no queue, no retry, no store. It builds requests, reads replies and reads
notifications. `smppgw.carriers.connector` does the rest for all of them.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Literal, NamedTuple, Protocol
from urllib.parse import parse_qsl

from protocol.consts import Status
from protocol.receipt import Receipt
from smppgw.carriers.client import Client, Reply

# Out


@dataclass(frozen=True, slots=True)
class Text:
    """One whole message, joined from its parts where it came in several."""

    tag: str
    """16 hex digits: our id of the message, the same at every attempt. The carrier's idempotency key, if it has one."""
    source: str
    """As the ESME (or a sender pool) gave it; may be empty, a number or a name."""
    destination: str
    """Digits with the country code and a leading "+", or what stood there when it is no number."""
    text: str = ""
    binary: bytes | None = None
    """The octets of a binary message (then `text` is empty), without a user data header."""
    header: bytes = b""
    """The user data header with its length octet, without the elements of concatenation; mostly empty."""
    carrier: str = ""
    """The mobile carrier of the destination as carrier detection names it ("docomo"); empty: unknown."""
    receipt: bool = True
    """Somebody wants to hear what became of it."""
    validity: float = 0.0
    """Seconds from now until it is of no use any more."""
    attempts: int = 0
    """Earlier attempts: above 0 the carrier may know it already."""
    tlvs: Mapping[int, bytes] = field(default_factory=dict)
    """Optional parameters of the submit_sm, by tag."""
    memo: bytes = b""
    """As Message.memo, of the first part."""


class Verdict(Enum):
    SENT = "sent"
    LATER = "later"
    """Refused for now: it was not accepted, and may be at another time."""
    NEVER = "never"
    """Refused for good."""
    DOUBT = "doubt"
    """It may have been accepted."""


class Answer(NamedTuple):
    """What became of a text; made by `sent`, `later`, `never` and `doubt`."""

    verdict: Verdict
    ids: tuple[bytes, ...] = ()
    """What its receipts will name: one id, or one for each part that the carrier made of it."""
    status: int = Status.ROK
    """The command_status that says it best."""
    code: str = ""
    """The carrier's own word for it ("21610", "http 503"): for the log, and for the config's `errors`."""
    reason: str = ""
    wait: float = 0.0
    """Seconds that the carrier asked to be left in peace (Retry-After): the whole connector rests."""
    alarm: bool = False
    """It is not about this text: nothing will go through until a person mends something (credentials, account)."""


def sent(*ids: bytes) -> Answer:
    return Answer(Verdict.SENT, ids)


def later(status: int, reason: str = "", *, code: str = "", wait: float = 0.0, alarm: bool = False) -> Answer:
    return Answer(Verdict.LATER, (), status, code, reason, wait, alarm)


def never(status: int, reason: str = "", *, code: str = "") -> Answer:
    return Answer(Verdict.NEVER, (), status, code, reason)


def doubt(reason: str = "", *, code: str = "") -> Answer:
    return Answer(Verdict.DOUBT, (), Status.RSYSERR, code, reason)


def by_status(reply: Reply) -> Answer:
    """What a reply means by its HTTP status alone: for statuses that the carrier's documents say nothing of."""
    code, status = f"http {reply.status}", reply.status
    if status == 429:
        return later(Status.RTHROTTLED, "too many requests", code=code, wait=reply.retry_after or 1.0)
    if status == 503 and reply.retry_after:
        return later(Status.RTHROTTLED, "unavailable", code=code, wait=reply.retry_after)
    if status in {401, 403, 407}:
        return later(Status.RSYSERR, "credentials refused", code=code, alarm=True)
    if 300 <= status < 400:
        return later(Status.RSYSERR, "redirects are not followed: correct the url", code=code, alarm=True)
    if 400 <= status < 500:
        return never(Status.RSUBMITFAIL, reply.excerpt, code=code)
    return doubt(reply.excerpt or "no reason given", code=code)


# Back


class Mo(NamedTuple):
    """A message from a handset."""

    id: bytes
    """The carrier's: a repeated notification has the same. Empty where it has none."""
    source: str
    """The handset: digits with the country code, without "+", or a name."""
    destination: str
    """Our number or name."""
    text: str = ""
    binary: bytes | None = None
    header: bytes = b""
    """The user data header with its length octet: parts of a longer text keep theirs."""


Heard = Receipt | Mo
"""What a notification says. A Receipt whose state is None or not final changes nothing but may be passed on."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A request that came to the connector's webhook path."""

    method: str
    url: str
    """As the carrier called it: the connector's `webhook_url` with the query that came."""
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    """Case-insensitive."""
    body: bytes

    @property
    def form(self) -> list[tuple[str, str]]:
        """The fields of a body of application/x-www-form-urlencoded, blank ones too. Raises HookRefused."""
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise HookRefused(415, f"a form is expected, not {kind or 'a body without a type'}")
        try:
            return parse_qsl(self.body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1000)
        except ValueError:
            raise HookRefused(400, "the form cannot be read") from None

    @property
    def json(self) -> Any:
        """The body as JSON. Raises HookRefused."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise HookRefused(400, "the body is no JSON") from None


class HookRefused(Exception):
    """The notification is answered with this HTTP status, and nothing of it counts."""

    def __init__(self, status: Literal[400, 401, 403, 405, 413, 415], reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason.encode(errors="backslashreplace").decode()  # octets of a header that are no UTF-8


# Carriers


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the connector must know before it asks a carrier to send."""

    longest: int
    """Characters of a text; a longer one is RINVMSGLEN at once. The carrier may refuse less by itself."""
    binary: int = 0
    """Octets of a binary message; 0: there is none."""
    header: bool = False
    """Binary messages may have a user data header."""
    stands_in: int = 0
    """The tag of an optional parameter beside which a text may be empty; 0: none."""
    idempotent: bool = False
    """A text that is sent again with the same tag is accepted once: no doubt remains."""
    receipts: Literal["webhook", "poll", "both", "none"] = "webhook"


Operation = Callable[..., Awaitable[Any]]
"""Something else that the API can do, for people: its arguments are str, its result is shown as JSON."""


class Carrier(Protocol):
    """One API. `Carrier(settings, client)` makes it; the client's errors may leave any coroutine."""

    kind: ClassVar[str]
    capabilities: Capabilities
    thanks: tuple[bytes, str]
    """The body and content type of the 200 for a notification."""

    async def send(self, text: Text) -> Answer:
        """Ask the carrier to take a text. Raises Unsent or Unanswered (see `client`)."""

    def hear(self, hook: Hook) -> Sequence[Heard]:
        """What a notification says; raises HookRefused for one that is forged or unreadable. Quick, and without
        effect: it is called again for a repeated one."""

    async def poll(self, id: bytes) -> Sequence[Heard]:
        """Ask what became of the text with this upstream id; nothing new: nothing. Raises Unsent or Unanswered."""

    @property
    def operations(self) -> Mapping[str, Operation]:
        """By name, as `smppgw carrier CONNECTOR NAME` offers them."""


Make = Callable[[Any, Client], Carrier]
