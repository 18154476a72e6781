"""May this account send this now?"""

import re
from collections.abc import Iterable

from protocol.consts import RECEIPT_TYPES, EsmClass, Status
from protocol.pdus import SubmitSm
from routing.rules import compile_patterns
from routing.throttle import TokenBucket

ADDRESS = 20  # octets, without the NUL (SMPP 3.4, 4.4.1)
_FROM_ESME = (EsmClass.DELIVERY_ACK, EsmClass.MANUAL_ACK)
_plausible = re.compile(rb"[^\x00-\x1f\x7f]{1,%d}" % ADDRESS).fullmatch


def plausible(destination: bytes) -> bool:
    """Not empty, not too long, no control characters; any numbering plan may use the rest."""
    return (destination.isdigit() and len(destination) <= ADDRESS) or _plausible(destination) is not None


def refused_field(submit: SubmitSm) -> Status | None:
    """A value that the specification reserves (5.2.12, 5.2.14); registered_delivery 3 is success only, as in 5.0."""
    if submit.priority_flag > 3:
        return Status.RINVPRTFLG
    if submit.esm_class & RECEIPT_TYPES and submit.esm_class & RECEIPT_TYPES not in _FROM_ESME:
        return Status.RINVESMCLASS
    return None


class Admission:
    """The rules of one account. The bucket is its rate over all its links, and outlives a reload."""

    __slots__ = ("_allowed", "_bucket")

    def __init__(self, sources: Iterable[str], bucket: TokenBucket) -> None:
        patterns = tuple(sources)
        self._allowed = compile_patterns(patterns) if patterns else None
        self._bucket = bucket

    def check(self, source: bytes, destination: bytes, full: bool, now: float) -> Status | None:
        """A refusal, or None; `full` when a queue that the message would join is. Only who is let in costs a token."""
        if self._allowed is not None and not self._allowed(source):
            return Status.RINVSRCADR
        if not plausible(destination):
            return Status.RINVDSTADR
        if full:
            return Status.RMSGQFUL
        return None if self._bucket.take(now) else Status.RTHROTTLED
