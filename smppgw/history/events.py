"""What history notes of a message: plain tuples, as cheap as an append, and the words for each kind."""

from enum import IntEnum
from typing import Any

Note = tuple[float, int, int, tuple[Any, ...]]
"""Epoch seconds, our id of the message, the kind, and what that kind says: str, bytes, int and float only."""


class Kind(IntEnum):
    """The meaning of a note. Numbers are in databases: they never change."""

    ACCEPTED = 1
    """account, source, destination, data_coding, octets of the text, text or its hash or b"", route, tag."""
    REFUSED = 2
    """command_status. Its submit was taken at first, and refused before it was answered."""
    SENT = 3
    """connector, upstream ids, attempts."""
    LATER = 4
    """command_status, attempts so far."""
    DOUBT = 5
    """What is done: "hold", "unknown", "resend", "again"."""
    RECEIPT = 6
    """connector, message_state, err, upstream id."""
    ENDED = 7
    """message_state, err. It ended without having been sent, or without its receipt."""
    DELIVERED = 8
    """account, message_state (0: a message from a handset), attempts refused before."""
    POSTPONED = 9
    """account, attempts refused so far."""
    ASIDE = 10
    """account, reason."""
    MO = 11
    """account, source, destination, data_coding, octets of the text, text or its hash or b"", connector."""
    TOLD = 12
    """A callback: account, what became of it."""
    DECIDED = 13
    """What was set aside: who decided, what."""


NAMES = {kind: kind.name.lower() for kind in Kind}
"""As JSON and people read them."""
