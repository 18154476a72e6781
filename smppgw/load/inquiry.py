"""Ask an SMSC, by query_sm, what became of messages whose receipt did not come."""

from collections.abc import Iterable

from protocol import pdus
from protocol.consts import FINAL_STATES, Command, Status
from protocol.errors import PduError
from protocol.pdus import QuerySm, QuerySmResp
from protocol.session import SENDING, Answered
from smppgw.load.link import EsmeLink


class Inquiry:
    """Whoever gets answers to its questions, which have it for their token, hands them to `answered`."""

    def __init__(self, ids: Iterable[bytes]) -> None:
        self.under_way = 0
        """Messages that have not ended."""
        self._ids = list(ids)
        self._open = 0

    @property
    def over(self) -> bool:
        """Every question has its answer."""
        return not self._ids and not self._open

    def ask(self, links: Iterable[EsmeLink], now: float) -> None:
        """As much as their windows allow."""
        for link in links:
            while self._ids and link.session.state in SENDING and link.session.room > 0:
                body = pdus.encode(Command.QUERY_SM, QuerySm(self._ids.pop()))
                link.session.request(Command.QUERY_SM, body, self, now)
                self._open += 1
            link.touch()

    def answered(self, event: Answered) -> None:
        self._open -= 1
        if event.command == Command.QUERY_SM_RESP and event.status == Status.ROK:
            try:
                found: QuerySmResp = pdus.decode(event.command, event.body)
            except PduError:
                return
            self.under_way += found.message_state not in FINAL_STATES
