"""Hands notes to the process that writes them: nothing of it waits, formats or touches a disk on the gateway's loop."""

import asyncio
import hashlib
import json
import marshal
import struct
import sys
from typing import Any

import structlog

from smppgw.history.events import Note
from smppgw.settings import HistoryConfig

log = structlog.get_logger()

FLUSH = 0.002
"""Seconds that a note may wait to be handed over. Longer ones make fewer and larger batches, and while one is written
on the gateway's own core its answers wait."""

BATCH = 2000
"""Notes that are handed over at once."""

RESTART = 5.0
"""Seconds before a writer that ended is started again."""

PATIENCE = 10.0
"""Seconds that the writer has at the end for what is under way."""

LAST_WORDS = 8192
"""Octets that are kept of what the writer says on standard error: the last ones."""

SIZE = struct.Struct(">I")
"""Before each batch: its octets, which are a marshalled list of notes."""


class Recorder:
    """Call `note` from the loop's thread. What the writer does not take in time is dropped and counted."""

    def __init__(self, settings: HistoryConfig, loop: asyncio.AbstractEventLoop, restart: float = RESTART) -> None:
        self.noted = 0
        self.dropped = 0
        self.restarts = 0
        self._settings = settings
        self._loop = loop
        self._restart = restart
        self._notes: list[Note] = []
        self._timer: asyncio.TimerHandle | None = None
        self._writer: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._dropping = False

    def start(self) -> None:
        """Start the writer, and start it again whenever it ends."""
        self._task = self._loop.create_task(self._keep(), name="history")

    @property
    def up(self) -> bool:
        """The writer runs."""
        return self._writer is not None

    @property
    def pid(self) -> int | None:
        """Of the writer."""
        return None if self._writer is None else self._writer.pid

    @property
    def pending(self) -> int:
        """Octets that wait for the writer."""
        pipe = self._pipe
        return 0 if pipe is None else pipe.transport.get_write_buffer_size()

    def note(self, at: float, id: int, kind: int, said: tuple[Any, ...]) -> None:
        notes = self._notes
        notes.append((at, id, kind, said))
        if len(notes) >= BATCH:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(FLUSH, self.flush)

    def text(self, octets: bytes) -> bytes:
        """What may be kept of a text: [history] bodies."""
        match self._settings.bodies:
            case "keep":
                return octets
            case "hash":
                return hashlib.sha256(octets).digest()
            case _:
                return b""

    def flush(self) -> None:
        """Hand over what was noted."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        notes, self._notes = self._notes, []
        if not notes:
            return
        pipe = self._pipe
        if pipe is None or self.pending > self._settings.max_pending:
            self._drop(len(notes), "its writer is too slow" if pipe else "its writer does not run")
            return
        try:
            octets = marshal.dumps(notes)
        except ValueError as error:  # a bug of who noted it, which must not become one of the pipeline
            self._drop(len(notes), str(error))
            return
        if self._dropping:
            self._dropping = False
            log.info("history is written again", dropped=self.dropped)
        self.noted += len(notes)
        pipe.write(SIZE.pack(len(octets)) + octets)

    def _drop(self, notes: int, reason: str) -> None:
        self.dropped += notes
        if not self._dropping:
            self._dropping = True
            log.error("history is dropped", reason=reason)

    async def close(self) -> None:
        """Hand over the rest, and let the writer finish."""
        self._closing = True
        self.flush()
        writer, pipe = self._writer, self._pipe
        if self._task is not None:
            if writer is not None and pipe is not None:
                pipe.close()
                await asyncio.wait([self._task], timeout=PATIENCE)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def _pipe(self) -> asyncio.StreamWriter | None:
        return None if self._writer is None else self._writer.stdin

    async def _keep(self) -> None:
        while True:
            await self._life()
            if self._closing:
                return
            self.restarts += 1
            await asyncio.sleep(self._restart)

    async def _life(self) -> None:
        """Of one writer, from its start to its end."""
        try:
            writer = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "smppgw.history.writer",
                stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                start_new_session=True,  # a Ctrl-C at the terminal is for the gateway, which closes the pipe
            )  # fmt: skip
        except OSError as error:
            log.error("history writer does not start", reason=str(error))
            return
        self._begin(writer)
        words = await _last_words(writer)
        status = await writer.wait()
        self._writer = None
        if status or not self._closing:
            self._say(status, words)

    def _say(self, status: int, words: str) -> None:
        silent = f"killed by signal {-status}" if status < 0 else "it did not say why"
        said: dict[str, Any] = {"status": status, "reason": words.rpartition("\n")[2] or silent}
        if "\n" in words:
            said["exception"] = words
        log.error("history writer ended", **said)

    def _begin(self, writer: asyncio.subprocess.Process) -> None:
        settings = self._settings
        url = settings.url.get_secret_value()  # by the pipe: not for the list of processes
        said = {"engine": settings.engine, "path": settings.path, "url": url, "days": settings.days}
        octets = json.dumps(said).encode()
        pipe = writer.stdin
        if pipe is not None:
            pipe.write(SIZE.pack(len(octets)) + octets)
            self._writer = writer


async def _last_words(writer: asyncio.subprocess.Process) -> str:
    """What it says on standard error until it ends."""
    said = b""
    while writer.stderr is not None and (octets := await writer.stderr.read(LAST_WORDS)):
        said = (said + octets)[-LAST_WORDS:]
    return said.decode(errors="replace").strip()
