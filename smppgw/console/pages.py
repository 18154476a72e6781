"""The files that a browser gets, read once, and the headers that keep it from anything else."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

STATIC = Path(__file__).parent / "static"

TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing inline, nothing from elsewhere."""

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of every answer."""


@dataclass(frozen=True, slots=True)
class File:
    """One of them."""

    body: bytes
    type: str
    tag: str
    """An ETag."""


def load(directory: Path = STATIC) -> dict[str, File]:
    """By their paths below the directory."""
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.suffix in TYPES:
            body = path.read_bytes()
            tag = f'"{sha256(body).hexdigest()[:20]}"'
            found[path.relative_to(directory).as_posix()] = File(body, TYPES[path.suffix], tag)
    return found
