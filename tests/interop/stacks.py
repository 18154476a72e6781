"""Which other stacks are on this machine, and how to get those that are not."""

import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PATH = "/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/sbin:/bin"
"""Where Debian keeps bearerbox also for those whose PATH has no sbin."""

_PERL = tuple(Path(place, "perl5/Net/SMPP.pm") for place in ("/usr/share", "/usr/local/share"))


def missing(stack: str) -> str:
    """Why tests with this stack cannot run here, or nothing."""
    match stack:
        case "node-smpp" if not shutil.which("node"):
            return "node is not installed (Debian package nodejs)"
        case "node-smpp" if not (HERE / "node" / "node_modules" / "smpp").is_dir():
            return "node smpp is not installed (scripts/setup does it, with npm)"
        case "Net::SMPP" if not any(map(Path.exists, _PERL)):
            return "Net::SMPP is not installed (Debian package libnet-smpp-perl)"
        case "kannel" if not all(shutil.which(box, path=PATH) for box in ("bearerbox", "smsbox")):
            return "bearerbox and smsbox are not installed (Debian package kannel)"
        case "tshark" if not shutil.which("tshark", path=PATH):
            return "tshark is not installed (Debian package tshark)"
    return ""


def need(stack: str) -> None:
    """Skips the test, with the reason, where the stack is not here."""
    if reason := missing(stack):
        pytest.skip(reason)
