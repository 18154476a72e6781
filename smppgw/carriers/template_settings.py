"""The tables of an HTTP carrier that is described in the config alone."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, Strict, model_validator

from protocol.consts import MessageState
from smppgw import values
from smppgw.settings import Model, Words
from smppgw.values import Wrong, did_you_mean

STATES: dict[str, MessageState] = {
    "ENROUTE": MessageState.ENROUTE,
    "DELIVRD": MessageState.DELIVERED,
    "EXPIRED": MessageState.EXPIRED,
    "DELETED": MessageState.DELETED,
    "UNDELIV": MessageState.UNDELIVERABLE,
    "ACCEPTD": MessageState.ACCEPTED,
    "UNKNOWN": MessageState.UNKNOWN,
    "REJECTD": MessageState.REJECTED,
}
"""Names in receipts (appendix B)."""

Escape = Literal["none", "xml", "json"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


def _state(value: object) -> MessageState:
    if isinstance(value, MessageState):
        return value
    if not isinstance(value, str) or value.upper() not in STATES:
        raise Wrong(f"{value!r} is no state of a receipt", did_you_mean(str(value).upper(), STATES))
    return STATES[value.upper()]


def _secrets(tables: object) -> object:
    """A secret is text, or { env = "NAME" } or { file = "PATH" }."""
    if not isinstance(tables, dict):
        return tables
    return {name: _secret(name, value) for name, value in tables.items()}


def _secret(name: str, value: object) -> object:
    if isinstance(value, (str, SecretStr)):
        return SecretStr(value) if isinstance(value, str) else value
    where, source = next(iter(value.items())) if isinstance(value, dict) and len(value) == 1 else ("", "")
    if where not in {"env", "file"} or not isinstance(source, str):
        raise Wrong(f"{name} is no secret", f'write {name} = "...", or {{ env = "NAME" }}, or {{ file = "PATH" }}')
    if where == "env":
        if (secret := os.environ.get(source)) is None:
            raise Wrong(f"{name}: {source} is not in the environment", "set it")
        return SecretStr(secret)
    try:
        return SecretStr(Path(source).read_text(encoding="utf-8").rstrip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise Wrong(f"{name}: {source} cannot be read: {reason}", "name a readable file that holds it") from None


def _rule(value: object) -> object:
    return {"verdict": value} if isinstance(value, str) else value


Secrets = Annotated[dict[str, SecretStr], BeforeValidator(_secrets)]
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
State = Annotated[MessageState, BeforeValidator(_state)]
Texts = dict[str, str]


class Request(Model):
    """A request; texts in it have placeholders."""

    method: Method = "POST"
    path: Annotated[str, Field(pattern=r"^(/[^?#]*)?$")] = ""
    query: Texts = Field(default_factory=dict)
    headers: Texts = Field(default_factory=dict)
    form: Texts = Field(default_factory=dict)
    json_body: dict[str, Any] = Field(default_factory=dict)
    text_body: str = ""
    escape: Escape = "none"

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        given = [name for name in ("form", "json_body", "text_body") if getattr(self, name)]
        if len(given) > 1:
            raise Wrong(f"{' and '.join(given)} are given", "a request has one of them")
        for name, value in self.headers.items():
            if not _HEADER.fullmatch(name) or not value.isprintable():
                raise Wrong(f"headers.{name} is no header of HTTP", "write one line, and a name of letters and hyphens")
        return self


class Rule(Model):
    """What a code of the carrier means."""

    verdict: Literal["sent", "later", "never", "doubt"]
    status: Annotated[int, BeforeValidator(values.status)] = 0
    """0: RSYSERR for later, RSUBMITFAIL for never."""
    alarm: bool = False
    again: Literal["", "sent", "later", "never", "doubt"] = ""
    """The verdict instead, where the message was tried before."""


class Replies(Model):
    """How the reply to a send is read."""

    statuses: Annotated[tuple[Annotated[int, Field(ge=100, le=599)], ...], Strict(False)] = ()
    """Empty: every 2xx."""
    id: str = "tag"
    code: str = ""
    success: Words = ()
    reason: str = ""
    codes: dict[str, Annotated[Rule, BeforeValidator(_rule)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _both(self) -> Self:
        if bool(self.code) is not bool(self.success):
            raise Wrong("code and success go together", "name the place of the code and its values that mean success")
        return self


class Receipts(Model):
    """Which fields of a notification make a receipt; without `id` there are none."""

    when: Texts = Field(default_factory=dict)
    id: str = ""
    state: str = ""
    states: dict[str, State] = Field(default_factory=dict)
    err: str = ""
    done: str = ""


class Mos(Model):
    """Which fields of a notification make a message from a handset; without `source` there are none."""

    when: Texts = Field(default_factory=dict)
    id: str = ""
    source: str = ""
    destination: str = ""
    text: str = ""
    binary: str = ""
    header: str = ""


class LookUp(Request):
    """How to ask what became of a message; without `path` and `query` it cannot be asked. What is empty here is as in
    the receipts."""

    method: Method = "GET"
    items: str = ""
    id: str = ""
    state: str = ""
    states: dict[str, State] = Field(default_factory=dict)
    err: str = ""
    done: str = ""
