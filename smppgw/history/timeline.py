"""A message's history in words."""

from datetime import datetime
from typing import Any

from protocol.consts import MessageState, Status
from smppgw.history.database import Event, Found

_WORDS = {
    "accepted": "accepted and on disk",
    "refused": "refused",
    "sent": "sent",
    "later": "refused for now",
    "doubt": "in doubt: no answer came",
    "receipt": "receipt",
    "ended": "ended",
    "delivered": "delivered to the account",
    "postponed": "the account could not take it",
    "aside": "set aside for a person",
    "mo": "came from a handset",
    "told": "callback",
    "decided": "a person decided",
}


def lines(found: Found) -> list[str]:
    """A head, and one line for each event."""
    what = "MO" if found.mo else "MT"
    head = (
        f"{found.id}  {what}  account {found.account}  from {found.source or '-'}  to {found.destination}"
        f"  coding {found.coding}  {found.octets} octets"
    )
    return [head, *(f"  {_time(event.at)}  {words(event)}" for event in found.events)]


def words(event: Event) -> str:
    """One line."""
    details = " ".join(f"{name}={_value(name, value)}" for name, value in event.said.items() if value not in ("", []))
    return f"{_WORDS.get(event.kind, event.kind)}  {details}".rstrip()


def _time(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="milliseconds")


def _value(name: str, value: Any) -> str:
    if name == "state" and value in MessageState._value2member_map_:
        return MessageState(value).name
    if name == "status" and value in Status._value2member_map_:
        return Status(value).name
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)
