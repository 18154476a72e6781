"""How a simulated SMSC behaves."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from protocol.consts import MessageState
from smppgw.mix import parse_mix

IdForm = Literal["decimal", "hex", "string"]

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


@dataclass(frozen=True, slots=True)
class Mo:
    """A message from a mobile."""

    source: bytes
    destination: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Options:
    """By default everything is accepted and delivered at once. Rates are 0 to 1, times seconds."""

    host: str = "127.0.0.1"
    port: int = 0
    """0: a free one; see `Smsc.port`."""
    tls: ssl.SSLContext | None = None
    name: str = "SMSC"
    """system_id in its bind responses."""
    system_id: str = ""
    """Empty: anybody may bind."""
    password: str = ""
    window: int = 100
    """Unanswered deliver_sm on one link."""
    enquire_link: float = 30.0
    response: float = 30.0
    slow: float = 0.0
    """From a submit_sm to its response."""
    silent: float = 0.0
    """Rate of submits that are taken and never answered."""
    errors: Mapping[int, float] = field(default_factory=dict)
    """Statuses that refuse a submit, and their rates."""
    throttle_above: float = 0.0
    """Submits a second; more get RTHROTTLED."""
    receipts: bool = True
    receipt_delay: float = 0.0
    receipt_jitter: float = 0.0
    receipt_tlvs: bool = True
    """receipted_message_id and message_state beside the text."""
    states: Mapping[str, float] = field(default_factory=lambda: {"DELIVRD": 1.0})
    lost_receipts: float = 0.0
    early_receipts: float = 0.0
    """Rate of receipts sent before the response that names their id."""
    duplicate_receipts: float = 0.0
    id_form: IdForm = "decimal"
    receipt_id_form: IdForm | None = None
    """None: as in the response."""
    first_id: int | None = None
    """None: from the time, so that a restart repeats none."""
    flap: float = 0.0
    """All links are dropped this often."""
    down_after: int = 0
    """Submits after which it goes down: no links, nothing listening."""
    down_for: float = 0.0
    """0: until it is told to come back."""
    mo: tuple[Mo, ...] = ()
    mo_every: float = 0.0
    """0: once, at the first receiving bind."""
    keep: int = 1_000_000
    """Messages kept for `received`, query_sm, cancel_sm and replace_sm; the oldest are forgotten."""
    seed: int | None = None


def parse_states(text: str) -> dict[str, float]:
    """ "DELIVRD:0.9,UNDELIV:0.1"; what is missing to 1 is DELIVRD."""
    mix = {name.upper(): rate for name, rate in parse_mix(text).items()}
    if unknown := sorted(set(mix) - set(STATES)):
        raise ValueError(f"{', '.join(unknown)}: no state of a receipt; one of {', '.join(STATES)}")
    mix["DELIVRD"] = mix.get("DELIVRD", 0.0) + max(0.0, 1 - sum(mix.values()))
    return mix


def parse_errors(text: str) -> dict[int, float]:
    """ "0x58:0.05,0x08:0.01"."""
    try:
        return {int(name, 0): rate for name, rate in parse_mix(text).items()}
    except ValueError as error:
        raise ValueError(f"statuses and rates are written like 0x58:0.05,0x08:0.01 ({error})") from None


def parse_mo(text: str) -> Mo:
    """ "SRC>DST:text"."""
    addresses, colon, words = text.partition(":")
    source, arrow, destination = addresses.partition(">")
    if not colon or not arrow or not source or not destination:
        raise ValueError(f"a message from a mobile is written like 447700900123>12345:hello, not {text!r}")
    return Mo(source.encode(), destination.encode(), words)
