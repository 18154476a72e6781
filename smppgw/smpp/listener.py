"""Where ESMEs come in: open ports, and who may hold how many links."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

import structlog

from smppgw.failures import Failures
from smppgw.reasons import why
from smppgw.settings import Limits, Listener
from smppgw.tls import for_listener

log = structlog.get_logger()

BACKLOG = 4096


class Gate:
    """Limits on links and on wrong passwords, by address; before anything of a peer is kept."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.limits = limits
        self.closed = False
        """The gateway is starting or stopping: no link is taken."""
        self.open = 0
        self.unbound = 0
        self.refused: Counter[str] = Counter()
        """Links closed at once, by reason."""
        self._clock = clock
        self._by_address: Counter[str] = Counter()
        self._failures = Failures(limits, clock)

    def refusal(self, address: str) -> str | None:
        """Why a new link is closed at once, or None."""
        limits = self.limits
        if self.closed:
            return "closed"
        if self.blocked(address):
            return "address is blocked"
        if self.open >= limits.links:
            return "links"
        if self.unbound >= limits.unbound_links:
            return "unbound_links"
        if self._by_address[address] >= limits.links_per_address:
            return "links_per_address"
        return None

    def enter(self, address: str) -> None:
        """A link is open; not bound so far."""
        self.open += 1
        self.unbound += 1
        self._by_address[address] += 1

    def leave(self, address: str, *, bound: bool) -> None:
        """It is closed."""
        self.open -= 1
        self.unbound -= not bound
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def bound(self, address: str) -> None:
        """It is bound, with the right password."""
        self.unbound -= 1
        self._failures.succeeded(address)

    def failed(self, address: str) -> float:
        """A wrong password: seconds that its answer must wait. After `auth_failures` of them the address is blocked."""
        count = self._failures.failed(address)
        return self.limits.auth_delay * min(count, self.limits.auth_failures)

    def blocked(self, address: str) -> bool:
        """It has shown too many wrong passwords, not long ago."""
        return self._failures.blocked(address)

    def forget_old(self) -> None:
        """Now and then: failures older than `auth_block` count no more."""
        self._failures.forget_old()


class Listeners:
    """The open ports."""

    def __init__(self, make: Callable[[], asyncio.Protocol]) -> None:
        self._make = make
        self._servers: list[asyncio.Server] = []

    @property
    def ports(self) -> list[int]:
        return [socket.getsockname()[1] for server in self._servers for socket in server.sockets]

    async def open(self, settings: Sequence[Listener]) -> None:
        """OSError when a port cannot be had; then none is open."""
        loop = asyncio.get_running_loop()
        try:
            for listener in settings:
                try:
                    server = await loop.create_server(
                        self._make, listener.host, listener.port, ssl=for_listener(listener), backlog=BACKLOG
                    )
                except OSError as error:
                    raise OSError(f"cannot listen on {listener.host}:{listener.port}: {why(error)}") from error
                self._servers.append(server)
                for socket in server.sockets:
                    host, port, *_ = socket.getsockname()
                    log.info("listening", host=host, port=port, tls=listener.tls_certificate is not None)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Take no more links; those that are open stay."""
        for server in self._servers:
            server.close()
        self._servers.clear()
