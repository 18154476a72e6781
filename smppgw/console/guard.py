"""Who may use the console, and whether it was they who asked: origins, a password and its sessions."""

import hmac
import secrets
from collections.abc import Callable
from ipaddress import IPv4Address, ip_address
from typing import Final
from urllib.parse import urlsplit

LASTS: Final = 12 * 3600.0
"""Seconds until a login ends."""

MOST_SESSIONS: Final = 100
"""Of logins at a time; the oldest goes."""

TRIES: Final = 5
"""Wrong passwords of one address within the next, after which it may not try for as long."""

TRIES_WITHIN: Final = 60.0
"""Seconds."""

MOST_ADDRESSES: Final = 10_000
"""Whose wrong passwords are counted; the one that was wrong first is forgotten."""


def is_ours(origin: str | None, site: str | None, authority: str) -> bool:
    """Did a page of this console send it? By what the browser says of itself; no page can change these headers."""
    if site is not None and site not in {"same-origin", "none"}:
        return False
    try:
        return origin is None or urlsplit(origin).netloc == authority
    except ValueError:
        return False


def _network(address: str) -> str:
    """Of an IPv6 address the first half: whoever has one has all of that network."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or int(found) >> 64)


class Sessions:
    """Logins of those who know the password; nothing to log in to when it is empty."""

    def __init__(self, password: str, clock: Callable[[], float]) -> None:
        self._password = password.encode()
        self._clock = clock
        self._ends: dict[str, float] = {}
        self._wrong: dict[str, list[float]] = {}
        """When, by the network that an address counts as."""

    @property
    def needed(self) -> bool:
        return bool(self._password)

    def blocked(self, address: str) -> bool:
        """Too many wrong passwords came from there lately."""
        who, now = _network(address), self._clock()
        wrong = [at for at in self._wrong.pop(who, ()) if now - at < TRIES_WITHIN]
        if wrong:
            self._wrong[who] = wrong
        return len(wrong) >= TRIES

    def login(self, password: str, address: str) -> str | None:
        """The session's token, or None for a wrong password."""
        if self.blocked(address):
            return None
        if not hmac.compare_digest(password.encode("utf-8", "replace"), self._password):
            self._wrong.setdefault(_network(address), []).append(self._clock())
            while len(self._wrong) > MOST_ADDRESSES:
                del self._wrong[next(iter(self._wrong))]
            return None
        now = self._clock()
        self._ends = {token: end for token, end in self._ends.items() if end > now}
        while len(self._ends) >= MOST_SESSIONS:
            del self._ends[next(iter(self._ends))]
        token = secrets.token_urlsafe(32)
        self._ends[token] = now + LASTS
        return token

    def admits(self, token: str | None) -> bool:
        if not self.needed:
            return True
        return token is not None and self._ends.get(token, 0.0) > self._clock()

    def logout(self, token: str | None) -> None:
        if token is not None:
            self._ends.pop(token, None)
