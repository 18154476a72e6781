"""What becomes of several messages, told to who brought them once it is known of all."""

import asyncio

from routing.message import Message


class JointTicket:
    """Add to `left` each message that the pipeline took; when all are handed over, `settle` and await `future`."""

    __slots__ = ("failed", "future", "left", "link")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.link = None
        self.future: asyncio.Future[None] = loop.create_future()
        self.left = 1
        """Messages that are not on disk yet, and one for who brings them while there may be more."""
        self.failed: dict[int, int] = {}
        """By message id, the status of those that did not get there."""

    @property
    def gone(self) -> bool:
        return self.future.done()

    def accepted(self, message: Message) -> None:  # noqa: ARG002  it is the ticket of them all
        self.settle()

    def refused(self, message: Message, status: int) -> None:
        self.failed[message.id] = status
        self.settle()

    def settle(self) -> None:
        self.left -= 1
        if not self.left and not self.future.done():
            self.future.set_result(None)
