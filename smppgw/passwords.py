"""Hash passwords, and verify them in constant time."""

import hashlib
import hmac
import secrets

_SCHEME = "pbkdf2_sha256"
_ITERATIONS = 100_000  # 8 octets are all that SMPP allows, and a wrong one must not hold up the other links
_LIMITS = range(1_000, 2_000_001)
_KEY = secrets.token_bytes(32)
_KNOWN_MAX = 4096

_known: dict[bytes, bool] = {}
"""Answers given before, by a keyed digest of hash and password: binding again costs microseconds."""


def hash_password(text: str, *, iterations: int = _ITERATIONS, salt: bytes | None = None) -> str:
    """The value of `password_hash` for this password."""
    salt = secrets.token_bytes(16) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha256", text.encode(), salt, iterations)
    return f"{_SCHEME}${iterations}${salt.hex()}${digest.hex()}"


def parse_hash(hashed: str) -> tuple[int, bytes, bytes]:
    """Iterations, salt and digest; raises ValueError when it is not of our form."""
    scheme, iterations, salt, digest = hashed.split("$")
    if scheme != _SCHEME or int(iterations) not in _LIMITS or len(digest) != 64:
        raise ValueError("not a pbkdf2_sha256 hash")
    return int(iterations), bytes.fromhex(salt), bytes.fromhex(digest)


def known(password: bytes, hashed: str) -> bool | None:
    """What `matches_hash` said of them before, in microseconds; None when that is not remembered."""
    return _known.get(_seen(password, hashed))


def _seen(password: bytes, hashed: str) -> bytes:
    return hashlib.blake2b(hashed.encode() + b"\0" + password, key=_KEY, digest_size=32).digest()


def matches_hash(password: bytes, hashed: str) -> bool:
    seen = _seen(password, hashed)
    if (answer := _known.get(seen)) is not None:
        return answer
    iterations, salt, digest = parse_hash(hashed)
    answer = hmac.compare_digest(hashlib.pbkdf2_hmac("sha256", password, salt, iterations), digest)
    if len(_known) >= _KNOWN_MAX:
        # Wrong ones go first: whoever guesses must not make those who know their password slow.
        right = [each for each, right in list(_known.items()) if right]
        _known.clear()
        if len(right) < _KNOWN_MAX:
            _known.update(dict.fromkeys(right, True))
    _known[seen] = answer
    return answer


def matches_plain(password: bytes, expected: bytes) -> bool:
    return hmac.compare_digest(password, expected)
