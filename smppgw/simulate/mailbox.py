"""What a simulated SMSC has for the receiving binds of one system_id."""

from collections import deque
from typing import NamedTuple, Protocol


class Delivery(NamedTuple):
    """The body of one deliver_sm."""

    body: bytes
    receipt: bool


class Receiver(Protocol):
    """A link that deliver_sm may be sent on."""

    def room(self) -> int: ...
    def deliver(self, delivery: Delivery) -> None: ...

    def try_deliver(self, delivery: Delivery) -> bool:
        """Deliver if there is room."""
        ...


class Mailbox:
    """Keeps every delivery until a link has taken it; any receiving link will do."""

    __slots__ = ("holding", "links", "waiting")

    def __init__(self) -> None:
        self.links: list[Receiver] = []
        self.waiting: deque[Delivery] = deque()
        self.holding = False

    def offer(self, delivery: Delivery, prefer: Receiver | None = None) -> None:
        """On the preferred link if it has room, else on any other, else it waits."""
        if not self.waiting and not self.holding:
            if prefer is not None and prefer.try_deliver(delivery):
                return
            best = max(self.links, key=_room, default=None)
            if best is not None and best.room() > 0:
                best.deliver(delivery)
                return
        self.waiting.append(delivery)

    def fill(self, link: Receiver) -> None:
        """The link has room again, or is new."""
        waiting = self.waiting
        if self.holding:
            return
        for _ in range(min(link.room(), len(waiting))):
            link.deliver(waiting.popleft())

    def fill_all(self) -> None:
        for link in self.links:
            self.fill(link)

    def give_back(self, deliveries: list[Delivery]) -> None:
        """They were sent on a link that broke before it answered; they go first."""
        self.waiting.extendleft(reversed(deliveries))


def _room(link: Receiver) -> int:
    return link.room()
