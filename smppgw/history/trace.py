"""Look messages up for `smppgw trace`: by our id, an upstream's, or a number."""

from dataclasses import asdict, dataclass
from typing import Any

from smppgw.history import timeline
from smppgw.history.database import Found, Query
from smppgw.history.engines import find
from smppgw.settings import HistoryConfig


@dataclass(frozen=True, slots=True)
class Traced:
    """A message that was found."""

    found: Found

    def lines(self) -> list[str]:
        return timeline.lines(self.found)

    def shown(self) -> dict[str, Any]:
        """For JSON: its text in hex."""
        return {**asdict(self.found), "text": self.found.text.hex()}


def query_of(what: str, account: str = "", limit: int = 20) -> Query:
    """Sixteen hex digits are an id, other digits a number, anything else an upstream's id."""
    digits = what.removeprefix("+")
    if len(what) != 16 and digits.isascii() and digits.isdigit():
        return Query(number=what, account=account, limit=limit)
    return Query(id=what, account=account, limit=limit)


def trace(settings: HistoryConfig, what: str, account: str = "", limit: int = 20) -> list[Traced]:
    """The newest first. A number may be an upstream's id too. Raises HistoryError."""
    query = query_of(what, account, limit)
    found = find(settings, query) or find(settings, Query(id=what, account=account, limit=limit))
    return [Traced(each) for each in found]
