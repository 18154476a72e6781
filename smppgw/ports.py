"""Free ports of this machine, for the demo, the tests and the benchmarks."""

import contextlib
import os
import socket

_given: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on and that was not given before, below the range that outgoing
    connections draw from. OSError when there is none."""
    for _ in range(1000):
        port = 10_000 + int.from_bytes(os.urandom(2), "big") % 20_000
        if port in _given:
            continue
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            _given.add(port)
            return port
    raise OSError("no free port on 127.0.0.1")
