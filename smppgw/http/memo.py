"""What is kept with a message of the API until it has ended: whose key it came by, and who wants to know."""

from typing import NamedTuple


class Memo(NamedTuple):
    """None of them holds a NUL."""

    key: str
    """The name of the key."""
    url: str = ""
    """Where its receipt goes; "" = nowhere."""
    reference: str = ""
    """What the client calls it."""

    def pack(self) -> bytes:
        return "\0".join(self).encode()

    @classmethod
    def unpack(cls, octets: bytes) -> "Memo":
        key, url, reference = octets.decode().split("\0")
        return cls(key, url, reference)
