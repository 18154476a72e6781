"""Speak the HTTPS API of AIX Message SMS, now 絶対リーチ!SMS, in each of its generations."""

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, ClassVar, Final
from urllib.parse import quote_plus

import structlog

from protocol.consts import MessageState, Status
from protocol.receipt import Receipt
from smppgw.carriers import aix_codes, aix_events
from smppgw.carriers.aix_operations import Operations
from smppgw.carriers.aix_requests import FORM, credentials, writer
from smppgw.carriers.aix_settings import STATES, AixSettings
from smppgw.carriers.aix_texts import named, outside_iso_2022_jp
from smppgw.carriers.client import BadReply, Client, Reply
from smppgw.carriers.contract import (
    Answer,
    Capabilities,
    Heard,
    Hook,
    HookRefused,
    Operation,
    Text,
    by_status,
    doubt,
    never,
    sent,
)

log = structlog.get_logger()

WARN_EVERY: Final = 60.0
"""Seconds between warnings of characters: such texts come in crowds."""


class Aix:
    """`send` answers with the client tag: it is the only id that the API gives back, and makes resending safe."""

    kind: ClassVar[str] = "aix"
    thanks = (b"OK", "text/plain")

    def __init__(self, settings: AixSettings, client: Client) -> None:
        self._write, longest = writer(settings)
        self.capabilities = Capabilities(longest=longest, idempotent=True, receipts="both")
        self._client = client
        self._settings = settings
        self._send_at = settings.send_at
        self._who = credentials(settings)
        self._prefix = settings.tag_prefix
        self._duplicates = frozenset(settings.duplicate_codes)
        self._checks = settings.charset_check
        self._east = settings.utc_offset * 3600
        self._states = {code: STATES[name] for code, name in settings.states.items()}
        self._operations = Operations(settings, client).by_name
        self._odd_texts = 0
        self._warned = -WARN_EVERY

    # Out

    async def send(self, text: Text) -> Answer:
        body = self._refusal(text) or self._write(text)
        if isinstance(body, Answer):
            return body
        reply = await self._client.request("POST", self._send_at, headers=FORM, body=body.encode("ascii"))
        return self._answer(reply, text)

    def _refusal(self, text: Text) -> Answer | None:
        """Of what AIX would not take, or not take well."""
        if text.binary is not None:
            return never(Status.RSUBMITFAIL, "AIX takes no binary messages", code="binary")
        if not text.text:
            return never(Status.RINVMSGLEN, "AIX takes no empty text", code="empty")
        if self._checks != "off" and (odd := outside_iso_2022_jp(text.text)):
            if self._checks == "refuse":
                return never(Status.RSUBMITFAIL, f"outside ISO-2022-JP: {named(odd)}", code="charset")
            self._warn(text.tag, odd)
        return None

    def _warn(self, tag: str, odd: str) -> None:
        self._odd_texts += 1
        now = monotonic()
        if now - self._warned >= WARN_EVERY:
            log.warning(
                "text outside ISO-2022-JP: handsets may garble it",
                connector=self._settings.name, id=tag, characters=named(odd), texts=self._odd_texts,
            )  # fmt: skip
            self._warned, self._odd_texts = now, 0

    def _answer(self, reply: Reply, text: Text) -> Answer:
        code, message = response(reply)
        good = 200 <= reply.status < 300
        duplicate = code in self._duplicates
        if (duplicate and text.attempts) or (code == 0 and good):
            return sent(f"{self._prefix}{text.tag}".encode())
        if duplicate:
            return never(Status.RSUBMITFAIL, message or "duplicate client tag", code=str(code))
        if code in aix_codes.KNOWN or (code and good):
            return aix_codes.refusal(code, message, self._settings.quota_wait)
        return doubt(f"no response code: {reply.excerpt}", code="bad reply") if good else by_status(reply)

    # Back

    def hear(self, hook: Hook) -> Sequence[Heard]:
        if hook.method != "POST":
            raise HookRefused(405, "notifications are posted")
        heard: list[Heard] = []
        fields = [(name, document) for name, document in hook.form if name in {"json", "xml"}]
        if not fields:
            raise HookRefused(400, "there is neither json= nor xml=")
        try:
            for name, document in fields:
                events = (
                    aix_events.of_json(document)
                    if name == "json"
                    else aix_events.of_xml(document, self._settings.xml_names)
                )
                heard += filter(None, map(self._heard, events))
        except aix_events.Unreadable as error:
            raise HookRefused(400, str(error)) from None
        return heard

    def _heard(self, event: aix_events.Event) -> Receipt | None:
        """None where it is not about a message of ours."""
        tag = aix_codes.word(event.get("clientTag"))
        if not tag or not tag.startswith(self._prefix) or (aix_codes.word(event.get("type")) or "DLR") != "DLR":
            return None
        return aix_codes.receipt(tag.encode("utf-8", "replace"), event, self._states, self._east)

    async def poll(self, id: bytes) -> Sequence[Heard]:
        tag = id.decode("ascii", "replace")
        reply = await self._client.request("GET", f"{self._settings.status_at}?{self._who}&clientTag={quote_plus(tag)}")
        events = statuses(reply)
        # The tag of a look-up may be 3 characters longer than that of a send, for what is not said.
        found = [aix_codes.receipt(id, event, self._states, self._east) for event in events if _is_of(event, tag)]
        return [receipt for receipt in found if receipt is not None and receipt.state is not MessageState.ENROUTE]

    @property
    def operations(self) -> Mapping[str, Operation]:
        return self._operations


# Replies


def response(reply: Reply) -> tuple[int | None, str]:
    """`responseCode` and `responseMessage`; None where there is no code."""
    document = _document(reply)
    code = aix_codes.word(document.get("responseCode"))
    if not (code.isascii() and code.isdigit() and len(code) < 10):
        return None, ""
    return int(code), aix_codes.word(document.get("responseMessage"))


def statuses(reply: Reply) -> list[aix_events.Event]:
    """What a look-up found; nothing where it was refused."""
    document = _document(reply)
    found = document.get("status")
    if aix_codes.word(document.get("responseCode")) != "0" or not isinstance(found, list):
        return []
    return [event for event in found if isinstance(event, dict)]


def _document(reply: Reply) -> dict[str, Any]:
    try:
        document = reply.json()
    except (BadReply, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _is_of(event: aix_events.Event, tag: str) -> bool:
    found = aix_codes.word(event.get("clientTag"))
    return not found or (found.startswith(tag) and len(found) <= len(tag) + 3)
