"""Kannel's bearerbox and smsbox, as Debian has them."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.kit import Process, listening

SBIN = Path("/usr/sbin")


@contextlib.contextmanager
def boxes(conf: Path, port: int) -> Iterator[tuple[Process, Process]]:
    """bearerbox and smsbox, ready for sendsms; `port` is bearerbox's smsbox-port, and the smsbox-id is "box"."""
    with Process([SBIN / "bearerbox", "-v", "0", conf], name="bearerbox", cwd=conf.parent) as bearerbox:
        listening(port)
        with Process([SBIN / "smsbox", "-v", "0", conf], name="smsbox", cwd=conf.parent) as smsbox:
            # smsbox says that it is connected before it is: a sendsms between these ends it (lock_out, conn != NULL).
            bearerbox.expect_line("got boxc_id <box>")
            yield bearerbox, smsbox
