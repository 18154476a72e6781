"""What routes lead to: a group of connectors, or one connector as a group of one, with the queue in front of it."""

from collections import deque
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Protocol

import structlog

from routing.groups import Event, Group
from routing.message import Message
from smppgw.pipeline import Pipeline

log = structlog.get_logger()

PATIENCE = 5.0
"""Seconds for which a target may be down before fallbacks are used: as long as a bind takes."""

SWEEP = 5.0
"""Seconds between looks for expired messages in a queue that does not move."""

STEPPED_OVER = 100
"""Parts that wait for the member of their message and let others go before them."""

LOOKED_AT = 1000
"""Messages at the head of a queue that one that comes back is compared with: more than a window rarely does at once."""


class Member(Protocol):
    """A connector, as its groups see it."""

    name: str

    @property
    def up(self) -> bool: ...
    @property
    def room(self) -> int:
        """Messages that it would send now: window, rate and pauses considered."""

    @property
    def steady(self) -> bool:
        """A message sent makes its room one less, and nothing else changes it meanwhile."""

    def takes(self, part: int) -> bool:
        """The bind that all parts of this message go by has room."""

    def send(self, message: Message) -> None: ...
    def want(self, by: object, wanted: bool) -> None:
        """A group needs its binds, or no longer does."""


class Target:
    """One queue and the members that empty it."""

    def __init__(
        self,
        name: str,
        group: Group,
        members: Mapping[str, Member],
        pipeline: Pipeline,
        clock: Callable[[], float],
        patience: float = 0.0,
        *,
        shy: bool = False,
    ) -> None:
        """A shy one wants its members only while it has messages: no route leads to it, but some are pinned there."""
        self.name = name
        self.group = group
        self.members = dict(members)
        self.queue: deque[Message] = deque()
        self._pipeline = pipeline
        self._clock = clock
        self._down_since = clock()
        self._patience = PATIENCE + patience
        self._swept = clock()
        self.shy = shy
        for member in self.members.values():
            member.want(self, member.name not in group.backups and not shy)

    @property
    def up(self) -> bool:
        return self.group.up

    @property
    def hopeless(self) -> bool:
        """Down for longer than a bind or its backups should take."""
        return not self.group.up and self._clock() - self._down_since > self._patience

    def offer(self, message: Message) -> None:
        self.queue.append(message)
        if self.shy:
            self._want(True)

    def offer_first(self, message: Message) -> None:
        """Behind older ones that came back before it, each in a read of its own."""
        older = 0
        for other in islice(self.queue, LOOKED_AT):
            if other.id > message.id:
                break
            older += 1
        self.queue.insert(older if older < LOOKED_AT else 0, message)
        if self.shy:
            self._want(True)

    def _want(self, wanted: bool) -> None:
        for member in self.members.values():
            member.want(self, wanted)

    def pump(self) -> None:
        """Send what there is room for, in order."""
        queue = self.queue
        if not queue or not self.group.up or self._pipeline.suspended:
            return
        rooms = {name: member.room for name, member in self.members.items() if member.up}
        now = self._pipeline.clock()
        blocked: list[Message] = []
        while queue:
            message = queue[0]
            if message.gone:
                queue.popleft()
                continue
            if message.expires <= now:
                queue.popleft()
                self._pipeline.expired(message)
                continue
            if message.ticket is not None and message.ticket.gone:
                queue.popleft()  # who would be told is gone, and will submit it again
                self._pipeline.cancel(message)
                continue
            if message.not_before > now:  # a replace_sm put it off
                queue.popleft()
                self._pipeline.hold(message, message.not_before - now)
                continue
            name = self._pick(message, rooms)
            if name is None:
                if message.part is None or len(blocked) == STEPPED_OVER or not _others_have_room(rooms):
                    break
                blocked.append(queue.popleft())  # the member that it must take is full; the others need not wait
                continue
            queue.popleft()
            member = self.members[name]
            member.send(message)
            rooms[name] = rooms[name] - 1 if member.steady else member.room
        queue.extendleft(reversed(blocked))

    def _pick(self, message: Message, rooms: dict[str, int]) -> str | None:
        """Who takes it now; None: it waits, and what is behind it, too."""
        part = message.part
        if part is not None:
            chosen = self.group.choose_for(part)
            has_room = chosen is not None and rooms.get(chosen, 0) > 0 and self.members[chosen].takes(part)
            return chosen if has_room else None
        if len(rooms) == 1:
            name = next(iter(rooms))
            return name if rooms[name] > 0 else None
        return self.group.choose(lambda each: rooms.get(each, 0) > 0)

    def member_up(self, name: str) -> None:
        """A member has its first bind."""
        self.group.bound(name, self._clock())
        self.pump()

    def member_down(self, name: str) -> None:
        """A member lost its last bind."""
        was_up = self.group.up
        self.group.lost(name, self._clock())
        if was_up and not self.group.up:
            self._down_since = self._clock()

    def hand_back(self) -> bool:
        """Let the backups go before their time; False: there is nothing to hand back, or nobody to hand it to."""
        if not self.group.hand_back(self._clock()):
            return False
        log.warning("hand back", group=self.name, backups=self.group.backups)
        for name in self.group.backups:
            self.members[name].want(self, False)
        return True

    def would_take(self, part: int | None) -> str | None:
        """The member that would get a message now; room is not asked."""
        if part is not None:
            return self.group.choose_for(part)
        return self.group.would_choose(lambda name: self.members[name].up)

    def tick(self) -> None:
        """About once a second: failover, and messages that should not stay here."""
        now = self._clock()
        if self.shy and not self.queue:
            self._want(False)
        event = self.group.tick(now)
        if event is not None:
            wanted = event is Event.BACKUPS_WANTED
            log.warning("failover" if wanted else "hand back", group=self.name, backups=self.group.backups)
            for name in self.group.backups:
                self.members[name].want(self, wanted)
        if self.hopeless and self._others_would_take():
            moving, self.queue = list(self.queue), deque()
            log.warning("messages take their fallback", target=self.name, messages=len(moving))
            self._pipeline.reoffer(moving)
        if self.queue and now - self._swept > SWEEP:
            self._swept = now
            self._sweep()

    def _others_would_take(self) -> bool:
        first: dict[object, Message] = {}
        for message in islice(self.queue, LOOKED_AT):
            if not message.pin and not message.gone:
                first.setdefault(message.route, message)
        return any(self._pipeline.better_target(message, self) for message in first.values())

    def close(self) -> list[Message]:
        """It is no longer in the config: no member is wanted for it, and its messages go elsewhere."""
        self._want(False)
        left = list(self.queue)
        self.queue.clear()
        return left

    def _sweep(self) -> None:
        now = self._pipeline.clock()
        late = [message for message in self.queue if message.expires <= now and not message.gone]
        for message in late:
            self._pipeline.expired(message)
        if late:
            self.queue = deque(message for message in self.queue if not message.gone)


def _others_have_room(rooms: Mapping[str, int]) -> bool:
    return len(rooms) > 1 and any(room > 0 for room in rooms.values())
