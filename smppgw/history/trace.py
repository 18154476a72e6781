"""Look messages up for `smppgw trace`: by our id, an upstream's, or a number."""

from dataclasses import asdict, dataclass
from typing import Any

from smppgw.history import timeline
from smppgw.history.database import Found, Query
from smppgw.history.engines import HistoryError, open_database
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
    database = open_database(settings.engine, settings.path, settings.url.get_secret_value(), writing=False)
    try:
        query = query_of(what, account, limit)
        found = database.find(query) or database.find(Query(id=what, account=account, limit=limit))
    except Exception as error:  # whatever the engine raises: a file without its tables, a server that went away
        raise HistoryError(f"cannot read the history: {' '.join(str(error).split())}") from error
    finally:
        database.close()
    return [Traced(each) for each in found]
