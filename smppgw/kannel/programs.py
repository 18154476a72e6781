"""Run the program of an sms-service, where whoever runs the gateway lets it."""

import asyncio
import shlex
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress

from smppgw.kannel.escapes import Sms, fill

TIMEOUT = 30.0
"""Seconds that a program may take; then it is killed."""

MOST = 1 << 16
"""Octets of its output that count."""


def arguments(pattern: bytes, sms: Sms, now: float) -> list[bytes]:
    """The words of the command, filled in: what a mobile wrote is part of a word and never one more, whatever is in
    it. ValueError for a command whose quotes are not closed."""
    words = [word.encode(errors="surrogateescape") for word in shlex.split(pattern.decode(errors="surrogateescape"))]
    if not words:
        raise ValueError("there is no command")
    filled = fill(b"\0".join(words), sms._replace(text=sms.text.replace(b"\0", b"")), now).split(b"\0")
    if len(filled) != len(words) or filled[0] != words[0]:
        raise ValueError("the message would change the command")
    return filled


async def run(words: list[bytes], patience: float = TIMEOUT) -> bytes | None:
    """What it wrote on its standard output; None: it could not be run, or took too long. No shell reads the words."""
    try:
        process = await asyncio.create_subprocess_exec(*words, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
    except (OSError, ValueError):
        return None
    try:
        return await asyncio.wait_for(_output(process), patience)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _output(process: asyncio.subprocess.Process) -> bytes:
    stdout = process.stdout
    found = bytearray()
    while stdout is not None and (chunk := await stdout.read(MOST)):
        found += chunk[: MOST - len(found)]  # what is more is read, so that the program can end, and forgotten
    await process.wait()
    return bytes(found)
