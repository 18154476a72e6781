"""Which member of a group takes a message, and when its backups are wanted."""

import hashlib
from collections.abc import Callable, Sequence
from enum import Enum
from math import log

_MASK = (1 << 64) - 1


class Event(Enum):
    """What a group asks of its backups."""

    BACKUPS_WANTED = "backups wanted"
    BACKUPS_NOT_WANTED = "backups not wanted"


class Failover:
    """Backups are wanted once no active member was up for `backup_after`, until one was for `hand_back_after`."""

    __slots__ = ("_active", "_backup_after", "_hand_back_after", "_since", "wanted")

    def __init__(self, backup_after: float, hand_back_after: float, now: float) -> None:
        self._backup_after = backup_after
        self._hand_back_after = hand_back_after
        self._active = False
        self._since = now
        self.wanted = False

    def active(self, up: bool, now: float) -> None:
        """Is any active member up? Only a change starts the wait anew."""
        if up != self._active:
            self._active = up
            self._since = now

    @property
    def due(self) -> float | None:
        """When `tick` will have an event, if nothing changes; None: never."""
        if self._active != self.wanted:
            return None
        return self._since + (self._hand_back_after if self.wanted else self._backup_after)

    def end(self, now: float) -> bool:
        """Want no backups any more, though it is not time; False: no active member is up, or none was wanted."""
        if not (self._active and self.wanted):
            return False
        self.wanted, self._since = False, now
        return True

    def tick(self, now: float) -> Event | None:
        due = self.due
        if due is None or now < due:
            return None
        self.wanted = not self.wanted
        return Event.BACKUPS_WANTED if self.wanted else Event.BACKUPS_NOT_WANTED


class _Member:
    __slots__ = ("credit", "name", "seed", "up", "weight")

    def __init__(self, name: str, weight: int) -> None:
        self.name = name
        self.weight = weight
        self.credit = 0
        self.seed = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
        self.up = False


class Group:
    """Active members share the load by weight; backups take it only while no active member is up.

    A member is up while it has a bind that can submit. A single connector is a group of one.
    """

    def __init__(
        self,
        active: Sequence[tuple[str, int]],
        backup: Sequence[tuple[str, int]] = (),
        backup_after: float = 0.0,
        hand_back_after: float = 0.0,
        now: float = 0.0,
    ) -> None:
        self._active = [_Member(*each) for each in active]
        self._backup = [_Member(*each) for each in backup]
        self._members = {member.name: member for member in self._active + self._backup}
        self._pool: list[_Member] = []
        self._failover = Failover(backup_after, hand_back_after, now) if backup else None

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(self._members)

    @property
    def backups(self) -> tuple[str, ...]:
        return tuple(member.name for member in self._backup)

    @property
    def up(self) -> bool:
        """Can anything be sent by this group at all, room or not?"""
        return bool(self._pool)

    @property
    def backups_wanted(self) -> bool:
        return self._failover is not None and self._failover.wanted

    @property
    def due(self) -> float | None:
        """When to `tick` next, if nothing changes."""
        return self._failover.due if self._failover else None

    def bound(self, name: str, now: float) -> None:
        """The member has a bind; saying it twice changes nothing."""
        self._set(name, True, now)

    def lost(self, name: str, now: float) -> None:
        """The member has no bind any more."""
        self._set(name, False, now)

    def tick(self, now: float) -> Event | None:
        return self._failover.tick(now) if self._failover else None

    def hand_back(self, now: float) -> bool:
        """Let the backups go before their time; False: there is nothing to hand back, or nobody to hand it to."""
        return self._failover is not None and self._failover.end(now)

    def standing(self) -> list[tuple[str, int, bool, bool]]:
        """For people: name, weight, is it up, is it a backup."""
        both = ((self._active, False), (self._backup, True))
        return [(member.name, member.weight, member.up, backup) for members, backup in both for member in members]

    def would_choose(self, available: Callable[[str], bool]) -> str | None:
        """As `choose`, but nobody's turn is used up."""
        open_ = [member for member in self._pool if available(member.name)]
        return max(open_, key=lambda member: member.credit + member.weight).name if open_ else None

    def choose(self, available: Callable[[str], bool]) -> str | None:
        """The next member in turn, by weight, that is up and has room; None: nobody has, wait.

        Smooth weighted round robin: weights 5, 1, 1 give a a b a c a a, not a a a a a b c.
        """
        best = None
        total = 0
        for member in self._pool:
            if available(member.name):
                total += member.weight
                member.credit += member.weight
                if best is None or member.credit > best.credit:
                    best = member
        if best is None:
            return None
        best.credit -= total
        return best.name

    def choose_for(self, part: int) -> str | None:
        """The same member for the same number, by weight, while the same members are up; room is not asked.

        When one goes or comes, only the numbers that it takes or gives move (weighted rendezvous hashing).
        """
        pool = self._pool
        if len(pool) < 2:
            return pool[0].name if pool else None
        return max(pool, key=lambda member: member.weight / -log(_uniform(part ^ member.seed))).name

    def _set(self, name: str, up: bool, now: float) -> None:
        member = self._members[name]
        if member.up is up:
            return
        member.up = up
        for each in self._pool:
            each.credit = 0
        active = [each for each in self._active if each.up]
        self._pool = active or [each for each in self._backup if each.up]
        if self._failover:
            self._failover.active(bool(active), now)


def _uniform(number: int) -> float:
    """A number strictly between 0 and 1 that looks like chance (splitmix64)."""
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return (((number ^ (number >> 31)) >> 12) + 0.5) / (1 << 52)
