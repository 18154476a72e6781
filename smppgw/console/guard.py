"""Who may use the console, and whether it was they who asked: origins, a password and its sessions."""

import hmac
import secrets
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

LASTS: Final = 12 * 3600.0
"""Seconds until a login ends."""

MOST_SESSIONS: Final = 100
"""Of logins at a time; the oldest goes."""

TRIES: Final = 5
"""Wrong passwords within the next, after which nobody may try for as long."""

TRIES_WITHIN: Final = 60.0
"""Seconds."""


def is_ours(origin: str | None, site: str | None, authority: str) -> bool:
    """Did a page of this console send it? By what the browser says of itself; no page can change these headers."""
    if site is not None and site not in {"same-origin", "none"}:
        return False
    return origin is None or urlsplit(origin).netloc == authority


class Sessions:
    """Logins of those who know the password; nothing to log in to when it is empty."""

    def __init__(self, password: str, clock: Callable[[], float]) -> None:
        self._password = password.encode()
        self._clock = clock
        self._ends: dict[str, float] = {}
        self._wrong: list[float] = []

    @property
    def needed(self) -> bool:
        return bool(self._password)

    @property
    def blocked(self) -> bool:
        """Too many wrong passwords lately."""
        now = self._clock()
        self._wrong = [at for at in self._wrong if now - at < TRIES_WITHIN]
        return len(self._wrong) >= TRIES

    def login(self, password: str) -> str | None:
        """The session's token, or None for a wrong password."""
        if self.blocked:
            return None
        if not hmac.compare_digest(password.encode("utf-8", "replace"), self._password):
            self._wrong.append(self._clock())
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
