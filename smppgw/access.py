"""The access log: one line for every event of a message."""

import asyncio
import time
from collections.abc import Callable

from protocol.consts import MessageState, Status
from routing.message import Message
from smppgw.linelog import LineLog
from smppgw.log import escaped, masked

_STATES = {int(state): state.name.encode() for state in MessageState}
_STATUSES = {int(status): status.name.encode() for status in Status}


class AccessLog(LineLog):
    """Call it from the loop's thread only."""

    def __init__(self, target: str, loop: asyncio.AbstractEventLoop, clock: Callable[[], float] = time.time) -> None:
        super().__init__(target, loop)
        self._clock = clock
        self._stamp = b""
        self._stamp_from = self._stamp_until = 0.0
        self._names: dict[str | bytes, bytes] = {}
        """Accounts and connectors as they are written."""

    def sent(self, message: Message, connector: bytes) -> None:
        """An upstream took all of a message."""
        if not self._on:
            return
        now = self._clock()
        upstream = message.upstream
        self._add(
            b"%b sent id=%016x account=%b from=%b to=%b connector=%b upstream=%b attempts=%d ms=%d\n"
            % (
                self._stamp if self._stamp_from <= now < self._stamp_until else self._stamped(now),
                message.id,
                self._names.get(message.account) or self._name(message.account),
                masked(message.source),
                masked(message.destination),
                self._names.get(connector) or self._name(connector),
                escaped(upstream[0]) if len(upstream) == 1 else _several(upstream),
                message.attempts + 1,
                (now - message.born) * 1000.0,
            )
        )

    def ended(self, id: int, account: str, upstream: bytes, state: int, err: bytes) -> None:
        """A message reached its final state."""
        if not self._on:
            return
        now = self._clock()
        self._add(
            b"%b ended id=%016x account=%b upstream=%b state=%b err=%b\n"
            % (
                self._stamp if self._stamp_from <= now < self._stamp_until else self._stamped(now),
                id,
                self._names.get(account) or self._name(account),
                escaped(upstream),
                _STATES.get(state) or b"%d" % state,
                escaped(err),
            )
        )

    def unknown(self, upstream_id: bytes, connector: bytes, state: int | None) -> None:
        """A receipt came that nobody waits for."""
        if not self._on:
            return
        self._add(
            b"%b unknown connector=%b upstream=%b state=%b\n"
            % (
                self._stamped(self._clock()),
                escaped(connector),
                escaped(upstream_id),
                b"-" if state is None else _STATES.get(state) or b"%d" % state,
            )
        )

    def refused(self, account: str, source: bytes, destination: bytes, status: int) -> None:
        """A submit got another status than ROK."""
        if not self._on:
            return
        self._add(
            b"%b refused account=%b from=%b to=%b status=%b\n"
            % (
                self._stamped(self._clock()),
                self._name(account),
                masked(source),
                masked(destination),
                _STATUSES.get(status) or b"0x%08X" % status,
            )
        )

    def _stamped(self, now: float) -> bytes:
        if not self._stamp_from <= now < self._stamp_until:
            hundredths = int(now * 100.0)
            self._stamp_from, self._stamp_until = hundredths / 100.0, (hundredths + 1) / 100.0
            clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(hundredths // 100))
            self._stamp = b"%b.%02dZ" % (clock.encode(), hundredths % 100)
        return self._stamp

    def _name(self, name: str | bytes) -> bytes:
        found = self._names.get(name)
        if found is None:
            found = self._names[name] = escaped(name if isinstance(name, bytes) else name.encode())
        return found


def _several(upstream: list[bytes]) -> bytes:
    return b",".join(map(escaped, upstream)) or b"-"
