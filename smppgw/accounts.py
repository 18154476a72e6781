"""The accounts of the config with what they have at the moment: links, rate, deliveries, counts."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from protocol.receipt import Receipt
from routing.admission import Admission
from routing.message import Message, Waiting
from routing.throttle import TokenBucket
from smppgw.delays import Delays
from smppgw.outbox import Keeper, Outbox, Receiver
from smppgw.settings import Account
from smppgw.smpp.link import Tap

_BESIDE: Final = "@api"


def beside(name: str) -> str:
    """The account beside that of this name, under which its callbacks wait."""
    return name + _BESIDE


def owner_of(name: str) -> str:
    """The account that people know, if this is the one beside it."""
    return name.removesuffix(_BESIDE)


class Front(Protocol):
    """Who speaks for an account whose messages came over HTTP: it writes what its own receivers will read.

    None in place of a body: nobody wants to know."""

    def sent(self, message: Message, connector: bytes) -> bytes | None:
        """An upstream took a message with a memo; its ids are in `message.upstream`."""

    def ended(self, message: Message, state: int, status: int) -> bytes | None:
        """A message with a memo ended without being sent; `status` is the upstream's word, or 0."""

    def receipt(self, waiting: Waiting, state: int, found: Receipt) -> bytes | None:
        """A receipt of a message with a memo came."""


class AccountState:
    """One account."""

    def __init__(self, settings: Account, keeper: Keeper, delays: Delays, clock: Callable[[], float]) -> None:
        self.name = settings.name
        self.settings = settings
        self.links: list[Receiver] = []
        self.queued = 0
        """Its messages that are not with an upstream yet."""
        self.cancelling = False
        """A cancel_sm without a message_id looks through its messages."""
        self.outbox = Outbox(settings, keeper, lambda: self.links, delays, clock)
        self._bucket = TokenBucket(settings.rate, settings.burst)
        self.admission = Admission(settings.sources, self._bucket)
        self.statuses: Counter[int] = Counter()
        """Answers to its requests by status."""
        self.receipts: Counter[int] = Counter()
        """Receipts made, by message_state."""
        self.delivered = 0
        self.removed = False
        """It is no longer in the config: no bind, no submit; its messages and receipts are kept."""
        self.configured = settings
        """The settings of the config; those in force may be others, for now."""
        self.tap: Tap | None = None
        """Who listens to its links."""
        self.front: Front | None = None
        """For an account of HTTP."""
        self.inbound: Callable[[str, bytes], bytes] | None = None
        """What its receivers read of a message from a handset, by connector and deliver_sm; None: the deliver_sm."""
        self.callbacks: AccountState | None = None
        """Who hears of its messages with a memo in its place: callbacks wait in an outbox of their own."""
        self.calls_inbound = False
        """`callbacks` gets its MO messages too."""

    def hearer(self, memo: bytes) -> "AccountState":
        """Who is told what became of a message with this memo."""
        return self.callbacks if memo and self.callbacks is not None else self

    @property
    def overfull(self) -> bool:
        """As much waits for it, or for its callbacks, as may."""
        waiting = len(self.outbox.waiting)
        if self.callbacks is not None:
            waiting += len(self.callbacks.outbox.waiting)
        return waiting >= self.settings.max_deliveries

    def change(self, settings: Account) -> None:
        """The config was reloaded; links that are bound stay."""
        self.configured = settings
        self.limit(settings)
        self.removed = False

    def limit(self, settings: Account) -> None:
        """Other limits, until the next reload."""
        if (settings.rate, settings.burst) != (self.settings.rate, self.settings.burst):
            self._bucket = TokenBucket(settings.rate, settings.burst)
        self.admission = Admission(settings.sources, self._bucket)
        self.settings = self.outbox.settings = settings


class Accounts:
    """All of them by system_id; one that only the store remembers is there too, without a way to bind."""

    def __init__(self, keeper: Keeper, delays: Delays, clock: Callable[[], float]) -> None:
        self._keeper = keeper
        self._delays = delays
        self._clock = clock
        self.states: dict[str, AccountState] = {}

    def change(self, settings: Iterable[Account]) -> list[AccountState]:
        """Take the accounts of a new config; returns those that it no longer has."""
        names = set()
        for account in settings:
            names.add(account.name)
            self._state(account.name, account).change(account)
        gone = [
            state for name, state in self.states.items() if name not in names and not state.removed and not state.front
        ]
        for state in gone:
            state.removed = True
        return gone

    def internal(
        self, settings: Account, front: Front, inbound: Callable[[str, bytes], bytes] | None = None
    ) -> AccountState:
        """An account of HTTP, of the config or not: one that the config does not have cannot bind, and a reload of the
        config leaves it alone."""
        state = self._state(settings.name, settings)
        state.front, state.inbound = front, inbound
        return state

    def known(self, name: str) -> AccountState | None:
        """An account that may bind."""
        state = self.states.get(name)
        return None if state is None or state.removed else state

    def owner(self, name: str) -> AccountState:
        """The account of a record, whether or not the config still has it."""
        state = self.states.get(name)
        if state is None:
            state = self._state(name, Account(name=name))
            state.removed = True
        return state

    def _state(self, name: str, settings: Account) -> AccountState:
        state = self.states.get(name)
        if state is None:
            state = self.states[name] = AccountState(settings, self._keeper, self._delays, self._clock)
        return state
