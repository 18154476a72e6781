"""Wrong passwords and keys, by the address that they came from."""

from collections.abc import Callable

import structlog

from smppgw.settings import Limits

log = structlog.get_logger()

MOST = 100_000
"""Addresses that are remembered; those that failed longest ago go first."""


class Failures:
    """[limits] auth_failures of them block an address for auth_block."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._failures: dict[str, tuple[int, float]] = {}
        """How many in a row and when the last one came, oldest first."""

    @property
    def seconds(self) -> float:
        """That a block lasts."""
        return self._limits.auth_block

    def failed(self, address: str) -> int:
        """One more; how many in a row there are now."""
        now = self._clock()
        count, last = self._failures.pop(address, (0, now))
        count = 1 if now - last > self._limits.auth_block else count + 1
        self._failures[address] = (count, now)
        if len(self._failures) > MOST:
            del self._failures[next(iter(self._failures))]
        if count == self._limits.auth_failures:
            log.warning("address blocked", address=address, failures=count, seconds=self._limits.auth_block)
        return count

    def succeeded(self, address: str) -> None:
        self._failures.pop(address, None)

    def blocked(self, address: str) -> bool:
        """It has shown too many wrong ones, not long ago."""
        entry = self._failures.get(address)
        return (
            entry is not None
            and entry[0] >= self._limits.auth_failures
            and self._clock() - entry[1] < self._limits.auth_block
        )

    def forget_old(self) -> None:
        """Now and then: those older than `auth_block` count no more."""
        before = self._clock() - self._limits.auth_block
        for address in [address for address, (_, when) in self._failures.items() if when < before]:
            del self._failures[address]
