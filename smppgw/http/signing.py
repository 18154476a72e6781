"""The signature of a callback: who has the secret knows that it is ours, and fresh."""

import hmac
from hashlib import sha256

HEADER = "Smppgw-Signature"
DELIVERY = "Smppgw-Delivery"
"""The same for every attempt at one callback."""


def sign(secret: bytes, body: bytes, now: float) -> str:
    """The value of HEADER: `t=SECONDS,v1=HEX`, where HEX is HMAC-SHA256 of `SECONDS.BODY`."""
    at = b"%d" % now
    return f"t={at.decode()},v1={hmac.new(secret, at + b'.' + body, sha256).hexdigest()}"
