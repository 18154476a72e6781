"""A real PostgreSQL in a directory of its own, on a socket in it, for the tests of one process."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def _bin() -> Path | None:
    """Debian keeps its programs apart, by version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def postgres() -> Iterator[str]:
    """Its url. It refuses to run as root: then it runs as the user that its package makes."""
    programs = _bin()
    user = "postgres" if os.getuid() == 0 else None
    if programs is None or (user is not None and user not in {each.pw_name for each in pwd.getpwall()}):
        pytest.skip("Debian's package postgresql is not installed")
    home = Path(tempfile.mkdtemp(prefix="smppgw-pg-"))
    if user is not None:
        shutil.chown(home, user)
    home.chmod(0o755)
    data = home / "data"

    def run(name: str, *words: str) -> None:
        done = subprocess.run(
            [programs / name, "-D", data, *words], user=user, cwd=home, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        run("pg_ctl", "-w", "-l", str(home / "log"), "-o", f"-c listen_addresses='' -k {home} -c fsync=off", "start")
        try:
            yield f"postgresql://postgres@/postgres?host={home}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)
