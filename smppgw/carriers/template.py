"""An HTTP carrier that is described in the config alone."""

import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator

from protocol import text as alphabets
from protocol.consts import DataCoding, MessageState, Status
from protocol.receipt import Receipt
from smppgw.carriers import places
from smppgw.carriers.client import Client, Reply
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
from smppgw.carriers.places import Find, Said, place
from smppgw.carriers.settings import CarrierSettings
from smppgw.carriers.template_request import Prepared
from smppgw.carriers.template_settings import LookUp, Mos, Receipts, Replies, Request, Rule, Secrets, Texts
from smppgw.settings import Count
from smppgw.values import Wrong

PLACEHOLDERS = (
    "destination", "destination_digits", "destination_national", "source", "source_digits", "text", "coding", "tag",
    "validity", "validity_ms", "validity_minutes", "receipt", "carrier", "binary_hex", "binary_base64", "header_hex",
    "webhook_url",
)  # fmt: skip
"""What a send may name beside its secrets."""


class TemplateSettings(CarrierSettings):
    kind: Literal["template"] = "template"
    secrets: Secrets = Field(default_factory=dict)
    user: str = ""
    password: SecretStr = SecretStr("")
    longest: Count = 1600
    binary: Annotated[int, Field(ge=0, le=140)] = 0
    idempotent: bool = False
    carriers: Texts = Field(default_factory=dict)
    """By the names of carrier detection; empty: those names."""
    codings: Texts = Field(default_factory=dict)
    """By "gsm", "unicode" and "binary"; empty: those words."""
    send: Request
    reply: Replies = Replies()
    webhook_token: SecretStr = SecretStr("")
    webhook_token_in: Annotated[str, Field(pattern=r"^(header|query):[A-Za-z0-9_.-]+$")] = "header:X-Token"  # noqa: S105
    webhook_unwrap: str = ""
    """The field of a form that holds JSON."""
    webhook_items: str = ""
    """Where in the JSON the notifications are."""
    webhook_answer: str = ""
    receipts: Receipts = Receipts()
    mo: Mos = Mos()
    look_up: LookUp = LookUp()

    @model_validator(mode="after")
    def _compiles(self) -> Self:
        _Plan(self)
        return self


class _Unfit(Exception):
    """A message has no value for a placeholder: it is refused with this status."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


Read = Callable[[Text], str]


class _Plan:
    """Everything that can be known before the first message. Raises Wrong."""

    def __init__(self, settings: TemplateSettings) -> None:
        secrets = {name: secret.get_secret_value() for name, secret in settings.secrets.items()}
        if clash := sorted(secrets.keys() & {*PLACEHOLDERS, "id"}):
            raise Wrong(f"secrets.{clash[0]} has the name of a placeholder", "name it otherwise")
        self.send = Prepared("send", settings.send, PLACEHOLDERS, secrets)
        readers = _readers(settings)
        self.reads = tuple((name, readers[name]) for name in PLACEHOLDERS if name in self.send.used)
        if settings.binary and not self.send.used & {"binary_hex", "binary_base64"}:
            raise Wrong(
                "binary is given, but send names no {binary_hex} or {binary_base64}", "add it, or leave binary out"
            )
        look_up = settings.look_up
        asks = bool(look_up.path or look_up.query)
        self.look_up = Prepared("look_up", look_up, ("id",), secrets) if asks else None
        if asks and not (look_up.state or settings.receipts.state):
            raise Wrong("look_up has no state", "name the field that tells what became of the message")
        if settings.poll and not asks:
            raise Wrong("poll is given, but look_up has no path", "describe the request in look_up")
        if settings.receipts.id and not (settings.receipts.state and settings.receipts.states):
            raise Wrong("receipts have an id, but no state or states", "name the field, and what its values mean")
        reply = settings.reply
        self.id = place(reply.id, "reply.id")
        self.code: Find | None = place(reply.code, "reply.code") if reply.code else None
        self.reason: Find | None = place(reply.reason, "reply.reason") if reply.reason else None
        self.masks = sorted(filter(None, (*secrets.values(), settings.password.get_secret_value())), key=len)[::-1]
        ways = (asks, bool(settings.receipts.id))
        self.receipts: Literal["webhook", "poll", "both", "none"] = (
            "both" if all(ways) else "poll" if ways[0] else "webhook" if ways[1] else "none"
        )


def _readers(settings: TemplateSettings) -> dict[str, Read]:
    code, prefix = settings.country_code, settings.national_prefix
    carriers, codings = settings.carriers, settings.codings

    def national(text: Text) -> str:
        if not code or not text.destination.startswith(f"+{code}"):
            raise _Unfit(
                Status.RINVDSTADR, f"the destination is no number of country {code or '(country_code is empty)'}"
            )
        return prefix + text.destination[1 + len(code) :]

    def digits(text: Text) -> str:
        destination = text.destination.removeprefix("+")
        if not (destination.isascii() and destination.isdigit()):
            raise _Unfit(Status.RINVDSTADR, "the destination is no number")
        return destination

    def coding(text: Text) -> str:
        gsm = text.binary is None and alphabets.choose(text.text) == DataCoding.DEFAULT
        name = "binary" if text.binary is not None else "gsm" if gsm else "unicode"
        return codings.get(name, "") if codings else name

    def validity(unit: float) -> Read:
        return lambda text: str(max(1, round(text.validity / unit))) if text.validity > 0 else ""

    return {
        "destination": lambda text: text.destination,
        "destination_digits": digits,
        "destination_national": national,
        "source": lambda text: text.source,
        "source_digits": lambda text: text.source.removeprefix("+"),
        "text": lambda text: text.text,
        "coding": coding,
        "tag": lambda text: text.tag,
        "validity": validity(1),
        "validity_ms": validity(0.001),
        "validity_minutes": validity(60),
        "receipt": lambda text: "1" if text.receipt else "0",
        "carrier": lambda text: carriers.get(text.carrier, "") if carriers else text.carrier,
        "binary_hex": lambda text: (text.binary or b"").hex(),
        "binary_base64": lambda text: b64encode(text.binary or b"").decode(),
        "header_hex": lambda text: text.header.hex(),
        "webhook_url": lambda text: settings.webhook_url if text.receipt else "",
    }


class Template:
    kind: ClassVar[str] = "template"

    def __init__(self, settings: TemplateSettings, client: Client) -> None:
        self._settings = settings
        self._client = client
        self._plan = plan = _Plan(settings)
        self.capabilities = Capabilities(
            longest=settings.longest,
            binary=settings.binary,
            header="header_hex" in plan.send.used,
            idempotent=settings.idempotent,
            receipts=plan.receipts,
        )
        self.thanks = (settings.webhook_answer.encode(), "text/plain")
        self._headers = _basic(settings.user, settings.password.get_secret_value())
        self._statuses = frozenset(settings.reply.statuses or range(200, 300))
        self._success = frozenset(settings.reply.success)
        where, _, self._token_in = settings.webhook_token_in.partition(":")
        self._token_in_header = where == "header"
        self._token = settings.webhook_token.get_secret_value().encode()
        self._asked = _with_defaults(settings.look_up, settings.receipts)

    # Out

    async def send(self, text: Text) -> Answer:
        try:
            values = {name: read(text) for name, read in self._plan.reads}
        except _Unfit as unfit:
            return never(unfit.status, unfit.reason, code="destination")
        return self._answer(text, await self._plan.send.ask(self._client, values, self._headers))

    def _answer(self, text: Text, reply: Reply) -> Answer:
        plan, said = self._plan, Said(reply, text.tag)
        good = reply.status in self._statuses
        code = next(iter(plan.code(said)), "") if plan.code is not None else ""
        if good and (plan.code is None or code in self._success):
            ids = plan.id(said)
            return sent(*_octets(ids)) if ids else doubt("the reply names no id", code="reply")
        http = f"http {reply.status}"
        rules = self._settings.reply.codes
        if rules:
            reason = next(iter(plan.reason(said)), "") if plan.reason is not None else ""
            if (rule := rules.get(f"{code} {reason}") or rules.get(code) or rules.get(http)) is not None:
                return self._by_rule(rule, code or http, said, text)
        if not good:
            answer = by_status(reply)
            return answer._replace(reason=self._masked(answer.reason), code=code or http)
        if not code:
            return doubt("the reply has no code where one is expected", code="reply")
        return never(Status.RSUBMITFAIL, self._reason(said), code=code)

    def _by_rule(self, rule: Rule, code: str, said: Said, text: Text) -> Answer:
        verdict = rule.again if rule.again and text.attempts else rule.verdict
        match verdict:
            case "sent":
                return sent(*_octets(self._plan.id(said) or (text.tag,)))
            case "later":
                status, wait = rule.status or Status.RSYSERR, said.reply.retry_after
                return later(status, self._reason(said), code=code, wait=wait, alarm=rule.alarm)
            case "never":
                return never(rule.status or Status.RSUBMITFAIL, self._reason(said), code=code)
        return doubt(self._reason(said), code=code)

    def _reason(self, said: Said) -> str:
        found = self._plan.reason(said) if self._plan.reason is not None else ()
        return self._masked(found[0][:200] if found else said.reply.excerpt)

    def _masked(self, reason: str) -> str:
        """A carrier may say what it was told."""
        for secret in self._plan.masks:
            reason = reason.replace(secret, "***")
        return reason

    # Back

    def hear(self, hook: Hook) -> Sequence[Heard]:
        self._check(hook)
        heard: list[Heard] = []
        for item in self._items(hook):
            if (one := _receipt(item, self._settings.receipts) or _mo(item, self._settings.mo)) is not None:
                heard.append(one)
        return heard

    def _check(self, hook: Hook) -> None:
        if not self._token:
            return
        if self._token_in_header:
            given = hook.headers.get(self._token_in, "")
        else:
            given = next((value for name, value in hook.query if name == self._token_in), "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self._token):
            raise HookRefused(403, "its token is wrong")

    def _items(self, hook: Hook) -> list[Any]:
        """The notifications of a request: an object of JSON, the fields of a form or those of the query."""
        if hook.method == "GET" or not hook.body:
            return [dict(hook.query)]
        if "json" in hook.headers.get("Content-Type", "").lower():
            document = hook.json
        else:
            fields = dict(hook.form)
            if not self._settings.webhook_unwrap:
                return [fields]
            inner = fields.get(self._settings.webhook_unwrap, "")
            document = Hook(hook.method, hook.url, (), {}, inner.encode("utf-8", "replace")).json
        return _listed(document, self._settings.webhook_items)

    async def poll(self, id: bytes) -> Sequence[Heard]:
        if self._plan.look_up is None:
            return ()
        word = id.decode("utf-8", "replace")
        reply = await self._plan.look_up.ask(self._client, {"id": word}, self._headers)
        if not 200 <= reply.status < 300:
            return ()
        heard: list[Heard] = []
        for item in _listed(Said(reply).document, self._settings.look_up.items):
            if self._asked.id and places.value(item, self._asked.id) != word:
                continue
            if (receipt := _status(id, item, self._asked)).state is not None:
                heard.append(receipt)
        return heard

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {}


def _with_defaults(look_up: LookUp, receipts: Receipts) -> Receipts:
    return Receipts(
        id=look_up.id,
        state=look_up.state or receipts.state,
        states=look_up.states or receipts.states,
        err=look_up.err or receipts.err,
        done=look_up.done or receipts.done,
    )


def _basic(user: str, password: str) -> dict[str, str]:
    if not user and not password:
        return {}
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def _octets(ids: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(id.encode("utf-8", "replace") for id in ids)


def _listed(document: Any, path: str) -> list[Any]:
    """The items there, whether they stand in a list or one stands alone."""
    found = places.values(document, path)
    return [item for each in found for item in (each if isinstance(each, list) else [each])]


def _meets(item: Any, when: Mapping[str, str]) -> bool:
    return all(places.value(item, name) == value for name, value in when.items())


def _receipt(item: Any, fields: Receipts) -> Receipt | None:
    if not fields.id or not _meets(item, fields.when):
        return None
    id = places.value(item, fields.id).strip()
    return _status(id.encode("utf-8", "replace"), item, fields) if id and places.value(item, fields.state) else None


def _status(id: bytes, item: Any, fields: Receipts) -> Receipt:
    state: MessageState | None = fields.states.get(places.value(item, fields.state))
    err = b"000" if state == MessageState.DELIVERED else _err(places.value(item, fields.err))
    return Receipt(id=id, state=state, err=err, done=_moment(places.value(item, fields.done)))


def _mo(item: Any, fields: Mos) -> Mo | None:
    if not fields.source or not _meets(item, fields.when):
        return None
    source = places.value(item, fields.source)
    text, data = places.value(item, fields.text), places.value(item, fields.binary)
    if not source or not (text or data):
        return None
    try:
        binary, header = bytes.fromhex(data) if data else None, bytes.fromhex(places.value(item, fields.header))
    except ValueError:
        raise HookRefused(400, "what should be hex is none") from None
    id = places.value(item, fields.id).encode("utf-8", "replace")
    destination = places.value(item, fields.destination).removeprefix("+")
    return Mo(id, source.removeprefix("+"), destination, "" if data else text, binary, header)


def _err(word: str) -> bytes:
    """Three characters: the last of a number, the first of a word."""
    if not (word.isascii() and word.isalnum()):
        return b""
    return (word.zfill(3)[-3:] if word.isdigit() else word[:3]).encode()


def _moment(word: str) -> float | None:
    """Seconds or milliseconds since 1970, or a date in ISO 8601, in UTC where it names no zone."""
    if word.isascii() and word.isdigit() and len(word) in {10, 13}:
        return int(word) / (1 if len(word) == 10 else 1000)
    try:
        moment = datetime.fromisoformat(word)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
