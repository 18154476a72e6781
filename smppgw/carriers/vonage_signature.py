"""The signature of Vonage over a set of parameters, the same in both directions."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final, Literal, get_args

Method = Literal["md5hash", "md5", "sha1", "sha256", "sha512"]
"""As the account's settings name it: "md5hash" is MD5 over parameters and secret, the others are HMACs."""

METHODS: Final[tuple[Method, ...]] = get_args(Method)


def sign(parameters: Mapping[str, str], secret: str, method: Method) -> str:
    """`sig` itself among the parameters does not count."""
    text = "".join(
        f"&{name}={value.replace('&', '_').replace('=', '_')}"
        for name, value in sorted(parameters.items())
        if name != "sig"
    )
    octets, key = text.encode("utf-8", "surrogatepass"), secret.encode()
    if method == "md5hash":
        return hashlib.md5(octets + key, usedforsecurity=False).hexdigest()
    return hmac.new(key, octets, method).hexdigest().upper()


def agrees(parameters: Mapping[str, str], secret: str, method: Method) -> bool:
    """Whether `sig` is right, in whatever case its digits are written. False without one."""
    given = parameters.get("sig", "").lower().encode("utf-8", "replace")
    return hmac.compare_digest(given, sign(parameters, secret, method).lower().encode())
