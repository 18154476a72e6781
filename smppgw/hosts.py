"""Names of hosts: which are this machine, and which one a browser says that it asks."""

from collections.abc import Collection
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Does only this machine reach it?"""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(authority: str) -> str:
    """Of a Host header: without the port, in lower case."""
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""


class Hosts:
    """A page elsewhere whose name is made to lead to this machine is not us: the name must be one of ours."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = LOOPBACK | {name.lower() for name in names}

    def knows(self, authority: str) -> bool:
        return host_of(authority) in self._names
