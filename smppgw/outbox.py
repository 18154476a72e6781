"""What an ESME is still to get, receipts and MO messages, on whichever of its binds can take it."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from protocol.consts import Status
from routing.message import Delivery
from smppgw.delays import Delays
from smppgw.settings import Account

TRY_AGAIN = frozenset({Status.RMSGQFUL, Status.RTHROTTLED, Status.RSUBMITFAIL, Status.RX_T_APPN, Status.RSYSERR})
"""Answers to deliver_sm that mean later; any other is final."""


UNREAD = 0.1
"""Seconds in which an ESME reads an answer that we have written."""

_ROK = int(Status.ROK)


class Receiver(Protocol):
    """A link that can take deliver_sm."""

    @property
    def unflushed(self) -> bool: ...
    @property
    def room(self) -> int: ...
    @property
    def gone(self) -> bool: ...
    def deliver(self, delivery: Delivery) -> None: ...


class Keeper(Protocol):
    """Who owns the records: the pipeline."""

    def delivered(self, delivery: Delivery) -> None: ...
    def postponed(self, delivery: Delivery) -> None: ...
    def set_aside(self, delivery: Delivery, reason: str) -> None: ...


class Outbox:
    """One account's deliveries, kept until one of its links takes them."""

    def __init__(
        self,
        settings: Account,
        keeper: Keeper,
        links: Callable[[], list[Receiver]],
        delays: Delays,
        clock: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.waiting: deque[Delivery] = deque()
        self.delayed = 0
        self.under_way = 0
        self.refused = 0
        """How often a delivery was not accepted."""
        self._keeper = keeper
        self._links = links
        """All links of the account, those that only send too: see `_pick`."""
        self._delays = delays
        self._clock = clock
        self._turn = 0
        self._retrying = False

    def __len__(self) -> int:
        return len(self.waiting) + self.delayed + self.under_way

    def add(self, delivery: Delivery) -> None:
        """Its record is in the store. Call `pump` after the last one of a turn."""
        self.waiting.append(delivery)

    def pump(self) -> None:
        """Give links what they have room for."""
        waiting = self.waiting
        while waiting:
            if waiting[0].origin is not None:
                self._to_origin(waiting.popleft())
                continue
            link = self._pick()
            if link is None:
                return
            room = link.room
            while waiting and room > 0 and waiting[0].origin is None:
                self.under_way += 1
                room -= 1
                link.deliver(waiting.popleft())

    def _to_origin(self, delivery: Delivery) -> None:
        """By the link whose ESME may not have read the answer to the submit yet; a link that takes no more gets the
        time to read it, and then any other may have the delivery."""
        link: Receiver = delivery.origin
        delivery.origin = None
        if link.gone:
            self.waiting.appendleft(delivery)
        elif link.room > 0:
            self.under_way += 1
            link.deliver(delivery)
        else:
            self.delayed += 1
            self._delays.after(UNREAD, lambda: self._again(delivery))

    def answered(self, delivery: Delivery, status: int, said: str = "") -> None:
        """An ESME's deliver_sm_resp, or what `said` tells in words. Call `pump` after the last one of a turn."""
        self.under_way -= 1
        if status == _ROK:
            self._keeper.delivered(delivery)
            return
        self.refused += 1
        delivery.attempts += 1
        settings = self.settings
        if status not in TRY_AGAIN:
            self._keeper.set_aside(delivery, f"refused{_words(status, said)}")
        elif delivery.attempts >= settings.deliver_attempts:
            self._keeper.set_aside(delivery, f"refused {delivery.attempts} times, last{_words(status, said)}")
        elif self._clock() - delivery.born > settings.deliver_age:
            self._keeper.set_aside(delivery, "older than deliver_age")
        else:
            self._keeper.postponed(delivery)
            self.later(delivery)

    def later(self, delivery: Delivery) -> None:
        """Try again after the delay of its attempts."""
        delays = self.settings.deliver_retry
        self.delayed += 1
        self._delays.after(delays[min(delivery.attempts, len(delays)) - 1], lambda: self._again(delivery))

    def returned(self, deliveries: list[Delivery]) -> None:
        """The link went before it answered: the next one gets them, first."""
        self.under_way -= len(deliveries)
        self.waiting.extendleft(reversed(deliveries))
        self.pump()

    def expire(self) -> None:
        """Set aside what no link came for in time."""
        oldest = self._clock() - self.settings.deliver_age
        while self.waiting and self.waiting[0].born < oldest:
            self._keeper.set_aside(self.waiting.popleft(), "no receiver bound within deliver_age")

    def _again(self, delivery: Delivery) -> None:
        self.delayed -= 1
        self.waiting.append(delivery)
        self.pump()

    def _pick(self) -> Receiver | None:
        """The next link with room, in turn. While another link of the account still has unsent octets of ours, its
        submit_sm_resp may be among them, and no receipt may overtake it on this one."""
        links = self._links()
        count = len(links)
        for step in range(count):
            link = links[(self._turn + step) % count]
            if link.room > 0:
                if count > 1 and any(other.unflushed for other in links if other is not link):
                    self._soon()
                    return None
                self._turn = (self._turn + step + 1) % count
                return link
        return None

    def _soon(self) -> None:
        if not self._retrying:
            self._retrying = True
            self._delays.after(0.002, self._retry)

    def _retry(self) -> None:
        self._retrying = False
        self.pump()


def _words(status: int, said: str) -> str:
    return f": {said}" if said else f" with status 0x{status:02X}"
