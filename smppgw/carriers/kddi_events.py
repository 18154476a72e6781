"""What KDDI Message Cast says: states of messages, and what handsets say, in bodies whose fields the config names.

The bodies are not public. One that says nothing where the config looks is logged by its shape, without its values.
"""

from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from json import dumps
from typing import Any
from urllib.parse import parse_qsl

import structlog

from protocol.consts import MessageState
from protocol.receipt import Receipt
from smppgw.carriers.contract import Heard, Hook, HookRefused, Mo
from smppgw.carriers.kddi_settings import Fields, KddiSettings

log = structlog.get_logger()

_DEPTH = 8
"""Levels of an unknown body that the log shows."""
_LONGEST_NAME = 64
"""Characters of a handset's number or name."""
_LAST = 1e11
"""Above it a number is no time in seconds any more, but one in milliseconds."""
_MANY = 1000
"""Events that one notification may hold."""

_BY_NAME: dict[str, MessageState] = {
    "ENROUTE": MessageState.ENROUTE,
    "DELIVRD": MessageState.DELIVERED,
    "EXPIRED": MessageState.EXPIRED,
    "DELETED": MessageState.DELETED,
    "UNDELIV": MessageState.UNDELIVERABLE,
    "ACCEPTD": MessageState.ACCEPTED,
    "UNKNOWN": MessageState.UNKNOWN,
    "REJECTD": MessageState.REJECTED,
}
_EVENTS = {name.lower(): name for name in ("message", "messageStatus", "response", "newUser")}


class Reader:
    """Reads bodies, by the config of one connector."""

    def __init__(self, settings: KddiSettings) -> None:
        self._settings = settings
        self._number = settings.sms_numbers[0] if settings.sms_numbers else ""
        self._states = {word: _BY_NAME[name] for word, name in settings.states.items()}
        self._zone = timezone(timedelta(hours=settings.utc_offset))
        self._places = _Places(settings.fields)

    def hear(self, hook: Hook) -> Sequence[Heard]:
        """`?kind=` of the URL that KDDI was given says what came ("result", "mo" or "webhook"); else its fields do.

        Never refuses what it cannot read: that would only come again three times.
        """
        value = _body(hook)
        if value is None:
            if hook.body:
                log.warning(
                    "notification not understood",
                    connector=self._settings.name,
                    shape=f"{len(hook.body)} octets, no JSON",
                )
            return ()
        kind = next((word for name, word in hook.query if name == "kind"), "")
        try:
            return [heard for item in self._places.items(value) if (heard := self._heard(item, kind)) is not None]
        except RecursionError:
            log.warning("notification not understood", connector=self._settings.name, shape="nested too deeply")
            return ()

    def accepted(self, value: Any) -> bytes:
        """The id in the reply to a send; nothing where there is none."""
        try:
            id = value["smsmessage"]["msgId"]  # as every known reply has it
        except (TypeError, KeyError, IndexError):
            id = None
        return _id(id) or _id(self._places.get("id", value))

    def told(self, value: Any, id: bytes) -> list[Receipt]:
        """What the reply to a look-up of this id says."""
        found = [receipt for item in self._places.items(value) if (receipt := self._receipt(item, id)) is not None]
        if not found:
            log.warning("status not understood", connector=self._settings.name, shape=shape(value), id=id)
        return found

    def _heard(self, value: Any, kind: str) -> Heard | None:
        places = self._places
        event = places.get("event", value)
        heard: Heard | None = None
        if isinstance(event, str) and (name := _EVENTS.get(event.lower())) and kind not in ("result", "mo"):
            if name == "messageStatus":
                heard = self._receipt(value)
            elif name not in self._settings.mo_events:
                return None
            else:
                heard = self._said(value, name)
        elif kind == "mo":
            heard = self._sms(value)
        elif kind == "result" or places.get("status", value) is not None:
            heard = self._receipt(value)
        else:
            heard = self._sms(value)
        if heard is None:
            log.warning("notification not understood", connector=self._settings.name, shape=shape(value))
        return heard

    def _receipt(self, value: Any, id: bytes = b"") -> Receipt | None:
        places = self._places
        id = id or _id(places.get("id", value))
        word = places.get("status", value)
        if not id or not isinstance(word, (str, int)) or word == "":
            return None
        state = self._states.get(str(word).lower())
        if state is None:
            log.warning("unknown status", connector=self._settings.name, status=str(word)[:40], id=id)
        err = places.get("error", value)
        return Receipt(
            id,
            state,
            b"000" if state is MessageState.DELIVERED else _three(err),
            done=self._moment(places.get("time", value)),
        )

    def _sms(self, value: Any) -> Mo | None:
        """A handset answers an SMS."""
        places = self._places
        source = self._handset(value)
        words = places.get("text", value)
        if not isinstance(words, str):
            words = decoded(places.get("text_encoded", value))
        if not source or words is None:
            return None
        destination = places.get("destination", value)
        if not isinstance(destination, str) or not destination:
            destination = self._number
        id = _id(places.get("id", value)) or self._made_up(value)
        return Mo(id, source, destination.removeprefix("+"), whole(words))

    def _said(self, value: Any, name: str) -> Mo | None:
        """A handset uses +message: a message, a button, or its first contact."""
        places = self._places
        source = self._handset(value)
        if not source:
            return None
        content = places.get("content", value)
        id = _id(places.get("id", value))
        words: Any = None
        if name == "message":
            words = places.get("plus_text", content)
        elif name == "response":
            words = self._pressed(places.get("response", content))
            if id:  # it may be that of the message whose button was pressed, and there are several
                id += b"." + _digest(content)
        if not isinstance(words, str):
            kept = {"event": name} if content is None else {"event": name, "RCSMessage": content}
            words = dumps(kept, ensure_ascii=False, separators=(",", ":"))
        address = self._settings.plus_message_address or self._number or self._settings.bot_id
        return Mo(id or self._made_up(value), source, address.removeprefix("+"), whole(words))

    def _pressed(self, response: Any) -> str | None:
        """What a button said; None: nothing that is a text."""
        wanted = self._settings.response_as
        if wanted == "json" or not isinstance(response, dict):
            return None
        button = at(response, ["reply"]) or at(response, ["action"]) or response
        found = at(button, ["postback", "data"] if wanted == "postback" else ["displayText"])
        return found if isinstance(found, str) and found else None

    def _handset(self, value: Any) -> str:
        """Digits with the country code."""
        number = self._places.get("source", value)
        if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 10**20:
            number = str(number)
        return self.digits(number) if isinstance(number, str) and len(number) <= _LONGEST_NAME else ""

    def digits(self, number: str) -> str:
        """Of a number however it is written, with the country code."""
        number = number.strip().removeprefix("tel:")
        settings = self._settings
        if settings.country_code and settings.national_prefix and number.startswith(settings.national_prefix):
            return settings.country_code + number.removeprefix(settings.national_prefix)
        return number.removeprefix("+")

    def _made_up(self, value: Any) -> bytes:
        """An id for what has none: a repeated notification has the same. Nothing where two could be alike by chance."""
        return _digest(value) if self._places.get("time", value) is not None else b""

    def _moment(self, value: Any) -> float | None:
        """Epoch seconds of a time in ISO 8601, or of a number of seconds or milliseconds."""
        if isinstance(value, str) and value.isdecimal() and len(value) < 20:
            value = int(value)
        try:
            if isinstance(value, str):
                moment = datetime.fromisoformat(value)
                value = (moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).timestamp()
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                return None
            seconds = value / 1000 if value > _LAST else value
            return float(seconds) if 0 < seconds <= _LAST else None
        except (ValueError, OverflowError):
            return None


class _Places:
    """The `fields` of the config, cut at their dots."""

    def __init__(self, fields: Fields) -> None:
        self._items = fields.items.split(".") if fields.items else []
        self._paths: dict[str, tuple[list[str], ...]] = {
            name: tuple(path.split(".") for path in getattr(fields, name))
            for name in Fields.model_fields
            if name != "items"
        }

    def get(self, name: str, value: Any) -> Any:
        """What is there; None for nothing."""
        for path in self._paths[name]:
            if (found := at(value, path)) is not None:
                return found
        return None

    def items(self, value: Any) -> list[Any]:
        """The events of one body."""
        if self._items:
            value = at(value, self._items)
        return value[:_MANY] if isinstance(value, list) else [value]


def at(value: Any, path: list[str]) -> Any:
    """What a path leads to, whatever the case of its names: the documents do not agree on it. None for nothing."""
    for name in path:
        if not isinstance(value, dict):
            return None
        found = value.get(name)
        if found is None:
            wanted = name.lower()
            found = next(
                (inner for key, inner in value.items() if isinstance(key, str) and key.lower() == wanted), None
            )
        value = found
    return value


def shape(value: Any, depth: int = _DEPTH) -> str:
    """A body without its values, for the log: names and kinds."""
    if isinstance(value, dict):
        if not depth:
            return "{...}"
        inner = ", ".join(f"{str(key)[:40]}: {shape(each, depth - 1)}" for key, each in list(value.items())[:20])
        return "{" + inner + "}"
    if isinstance(value, list):
        return f"[{shape(value[0], depth - 1) if value and depth else ''}]"
    return "null" if value is None else type(value).__name__


def _body(hook: Hook) -> Any:
    """JSON, or the fields of a form, or the query of a GET; None: none of them."""
    if hook.body:
        kind = hook.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == "application/x-www-form-urlencoded":
            try:
                return dict(parse_qsl(hook.body.decode(), keep_blank_values=True, max_num_fields=1000)) or None
            except ValueError:
                return None
        try:
            return hook.json
        except HookRefused:
            return None
    return {name: value for name, value in hook.query if name != "kind"} or None


def _id(value: Any) -> bytes:
    """An id as a receipt holds it; nothing for what is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 1 << 128 else ""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        return b""
    return value.encode("ascii")[:200]


def _three(value: Any) -> bytes:
    """The `err:` of a receipt: the last three digits or letters of a code."""
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        word = str(value)[-3:] if not isinstance(value, int) or abs(value) < 1 << 64 else ""
        if word.isascii() and word.isalnum():
            return word.rjust(3, "0").encode("ascii")
    return b""


def _digest(value: Any) -> bytes:
    return sha256(dumps(value, sort_keys=True).encode()).hexdigest()[:16].encode("ascii")


def decoded(value: Any) -> str | None:
    """The text of a `smsTextEnc`; None where it is none."""
    if not isinstance(value, str):
        return None
    try:
        return b64decode(value, validate=True).decode("utf-16-be")
    except ValueError:
        return None


def whole(text: str) -> str:
    """The same without halves of surrogate pairs, which JSON can hold and no encoding can write."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")
    return text
