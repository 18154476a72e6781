"""Who may use the API: keys with a role, an account and a rate."""

from collections.abc import Callable, Mapping
from typing import Final

from fastapi import Request

from routing.throttle import TokenBucket
from smppgw import passwords
from smppgw.accounts import owner_of
from smppgw.failures import Failures
from smppgw.hosts import Hosts, is_loopback
from smppgw.http.problems import Problem
from smppgw.settings import Api, ApiKey, Limits, Role

ALLOWS: Final[Mapping[Role, frozenset[Role]]] = {
    "send": frozenset({"send"}),
    "read": frozenset({"read"}),
    "operate": frozenset({"read", "operate"}),
}


class Caller:
    """A key in use."""

    def __init__(self, name: str, settings: ApiKey) -> None:
        self.name = name
        self.settings = settings
        self.bucket = TokenBucket(settings.rate, settings.burst)

    def may(self, role: Role) -> bool:
        return any(role in ALLOWS[given] for given in self.settings.roles)

    def sees(self, account: str) -> bool:
        """Is what belongs to this account, or to its callbacks, its business?"""
        mine = self.settings.accounts
        return not mine or account in mine or owner_of(account) in mine


_ANYBODY = Caller("loopback", ApiKey(name="loopback", roles=("read",)))


class Keys:
    """Call it with each request; a reload makes another."""

    def __init__(self, settings: Api, clock: Callable[[], float], failures: Failures | None = None) -> None:
        """`failures` outlive a reload."""
        self._failures = failures or Failures(Limits(), clock)
        self._callers = [Caller(name, key) for name, key in settings.keys.items()]
        self._clock = clock
        self._hosts = Hosts([settings.host])
        self.slow = any(key.key_hash is not None for key in settings.keys.values())
        """`find` may take long."""

    def admit(self, caller: Caller, role: Role) -> None:
        """Raises Problem: 403 or 429."""
        if not caller.may(role):
            raise Problem(403, f"This key may not {role}", f"its roles are: {', '.join(caller.settings.roles)}")
        now = self._clock()
        if not caller.bucket.take(now):
            wait = max(1, round(caller.bucket.wait(now) + 0.5))
            raise Problem(429, "Too many requests", f"this key has {caller.settings.rate:g} a second",
                          headers={"Retry-After": str(wait)})  # fmt: skip

    def find(self, request: Request) -> Caller:
        """Whose key it is. Raises Problem: 401 or 429. Without any key in the config, who calls from this machine may
        read. An address that showed too many wrong ones has for a while only those that cost nothing to look at: plain
        ones, and hashed ones that were right before. So nobody behind a proxy is locked out by somebody else there."""
        given = _given(request)
        address = request.client.host if request.client is not None else "-"
        blocked = self._failures.blocked(address)
        found = None
        for caller in self._callers:  # all of them, so that time tells nothing about which one fits
            if given and _fits(caller.settings, given, cheaply=blocked):
                found = caller
        if found is not None:
            return found
        if blocked and given:
            raise Problem(
                429,
                "Too many wrong keys",
                "this address has to wait",
                headers={"Retry-After": str(round(self._failures.seconds))},
            )
        if not given and not self._callers and request.client is not None and is_loopback(request.client.host):
            if not self._hosts.knows(request.headers.get("Host", "")):
                # A page whose name is made to lead here has a browser of this machine ask for it.
                raise Problem(
                    403, "This is not our name", "without keys in the config, ask http://127.0.0.1 or localhost"
                )
            return _ANYBODY
        if given:
            self._failures.failed(address)
        wrong = "The key is wrong" if given else "A key is needed"
        raise Problem(401, wrong, 'send "Authorization: Bearer KEY"', headers={"WWW-Authenticate": "Bearer"})


def _fits(key: ApiKey, given: bytes, *, cheaply: bool) -> bool:
    if cheaply and key.key_hash is not None:
        return passwords.known(given, key.key_hash) is True
    return key.verifies(given)


def _given(request: Request) -> bytes:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    key = key if scheme.lower() == "bearer" else request.headers.get("X-API-Key", "")
    return key.strip().encode("latin-1", "replace")
