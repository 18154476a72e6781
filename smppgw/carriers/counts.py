"""What the metrics say of one HTTPS carrier."""

from collections import Counter
from dataclasses import dataclass, field

from smppgw.histogram import Histogram

CODES = 100
"""Different codes of a carrier that are counted by name; what comes after them is "other"."""


@dataclass(slots=True)
class Counts:
    """Plain numbers."""

    submits: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    receipts: Counter[int] = field(default_factory=Counter)
    notifications: Counter[int] = field(default_factory=Counter)
    """Requests to the webhook, by the HTTP status of our answer."""
    mo: int = 0
    polls: int = 0
    opened: int = 0
    """Times that the breaker opened."""
    answer_time: Histogram = field(default_factory=Histogram)

    def code(self, code: str) -> None:
        """An answer to a send with this code of the carrier."""
        known = code in self.codes or len(self.codes) < CODES
        self.codes[code if known else "other"] += 1
