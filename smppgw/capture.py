"""`smppgw capture`: what passes on the links of an account or connector, into a file for Wireshark."""

import sys
from pathlib import Path
from typing import Any, BinaryIO

from smppgw.client import ApiError, Client

PATIENCE = 30.0
"""Seconds beyond those asked for: nothing comes while nothing passes."""


def capture(client: Client, query: dict[str, Any], output: Path) -> int:
    """The exit status. "-" is standard output. What came before an interruption is kept."""
    octets = 0
    try:
        pieces = client.stream("/v1/admin/capture", query, query["seconds"] + PATIENCE)
        first = next(pieces, b"")
        with _opened(output) as file:
            file.write(first)
            octets += len(first)
            for piece in pieces:
                file.write(piece)
                file.flush()
                octets += len(piece)
    except ApiError as error:
        print(error, file=sys.stderr)
        return 2 if not octets else 1
    except OSError as error:
        print(f"{output} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    if octets:
        print(f"{output}: {octets:,} octets", file=sys.stderr)
    return 0


def _opened(output: Path) -> BinaryIO:
    if str(output) == "-":
        return open(sys.stdout.fileno(), "wb", closefd=False)
    output.touch(mode=0o600)  # numbers are in it, and perhaps texts
    return output.open("wb")
