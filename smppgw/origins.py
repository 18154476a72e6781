"""Which link a message came by, for as long as the answer to it may still be unread.

Octets on one connection stay in order; on two they do not, whatever we write first. A receipt that comes within the
next moments therefore takes the link of its submit.
"""

from smppgw.outbox import Receiver

KEEP = 0.05
"""Seconds that a link is remembered at least: who has not read an answer by then is behind with everything."""


class Origins:
    """The last moments' messages. Two generations, so that nothing is searched or timed."""

    def __init__(self) -> None:
        self._young: dict[int, Receiver] = {}
        self._old: dict[int, Receiver] = {}
        self._since = 0.0

    def note(self, public: int, link: Receiver, now: float) -> None:
        """A message was acknowledged on this link, by the id that the ESME knows."""
        if now - self._since > KEEP:
            self._old, self._young = self._young, {}
            self._since = now
        self._young[public] = link

    def of(self, public: int, now: float) -> Receiver | None:
        """The link, if that is not long ago."""
        if now - self._since > 2 * KEEP:
            self._young.clear()
        return self._young.get(public) or self._old.get(public)
