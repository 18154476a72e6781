"""A file of lines, buffered, and never in the way of messages.

Lines are made where they happen and joined into blocks; a thread writes the blocks, so that a slow disk or a pipe that
nobody reads stops no link. What cannot be written is kept up to a limit and tried again, then lost and counted.
"""

import asyncio
import contextlib
import os
import threading

import structlog

log = structlog.get_logger()

FLUSH = 0.5
"""Seconds that a line may wait to be written."""

LINES = 500
"""Lines that are joined into one block."""

BLOCKS = 1 << 20
"""Octets of blocks that are written without waiting for FLUSH."""

LIMIT = 16 << 20
"""Octets of blocks kept while they cannot be written."""


class LineLog:
    """Call it from the loop's thread only."""

    def __init__(self, target: str, loop: asyncio.AbstractEventLoop) -> None:
        self.target = target
        """A path, "-" for standard output, or "" for none."""
        self.errors = 0
        """Attempts to write that failed."""
        self.lost = 0
        """Lines that were thrown away because they could not be written in time."""
        self._loop = loop
        self._on = bool(target)
        self._lines: list[bytes] = []
        self._blocks: list[bytes] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._writer: threading.Thread | None = None
        self._output = _Output(target)
        self._failing = False

    def flush(self) -> None:
        """Write now what is there, unless a thread is still at work: then after FLUSH at the latest."""
        self._join()
        if self._writer is None and self._blocks:
            blocks, self._blocks = self._blocks, []
            self._writer = threading.Thread(target=self._write, args=(blocks,), name="access log", daemon=True)
            self._writer.start()

    def reopen(self) -> None:
        """The file may have been moved away: open it by its name again before the next line."""
        self._output.reopen = True

    def close(self, patience: float = 2.0) -> None:
        """Write what is left, for so many seconds at the most; nothing is taken after that."""
        self._on = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writer is not None:
            self._writer.join(patience)
            if self._writer.is_alive():
                return
            self._blocks[:0] = self._output.left
        self._join()
        if self._blocks:
            # In a thread too: the disk may hang, and the process is to end all the same.
            self._writer = threading.Thread(target=self._output.write, args=(self._blocks,), daemon=True)
            self._writer.start()
            self._writer.join(patience)
            if self._writer.is_alive():
                return
        self._output.close()

    def _add(self, line: bytes) -> None:
        lines = self._lines
        lines.append(line)
        if len(lines) >= LINES:
            self._join()
            if self._size >= BLOCKS:
                self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(FLUSH, self._due)

    def _join(self) -> None:
        if not self._lines:
            return
        if self._size >= LIMIT:
            self.lost += len(self._lines)
        else:
            block = b"".join(self._lines)
            self._size += len(block)
            self._blocks.append(block)
        self._lines = []

    def _due(self) -> None:
        self._timer = None
        self.flush()

    def _write(self, blocks: list[bytes]) -> None:
        self._output.write(blocks)
        with contextlib.suppress(RuntimeError):  # the loop is closed: see `close`
            self._loop.call_soon_threadsafe(self._written)

    def _written(self) -> None:
        output = self._output
        if not self._on:
            return
        self._writer = None
        self._blocks[:0] = output.left
        self._size = sum(map(len, self._blocks))
        if output.error is None:
            if self._failing:
                self._failing = False
                log.info("the access log works again", path=self.target, lost=self.lost)
        else:
            self.errors += 1
            if not self._failing:
                self._failing = True
                log.error("the access log cannot be written", path=self.target, reason=output.error)
        if self._blocks and self._timer is None:
            self._timer = self._loop.call_later(FLUSH, self._due)


class _Output:
    """The file, as the writing thread uses it."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._file: int | None = None
        self.reopen = False
        self.left: list[bytes] = []
        """What the last call of `write` did not get written."""
        self.error: str | None = None
        """Why."""

    def write(self, blocks: list[bytes]) -> None:
        data = memoryview(b"".join(blocks))
        self.error = None
        try:
            file = self._open()
            while data:
                data = data[os.write(file, data) :]
        except OSError as error:
            self.error = error.strerror or str(error)
            self.close()
        self.left = [bytes(data)] if data else []

    def close(self) -> None:
        if self._file is not None and self._target != "-":
            os.close(self._file)
        self._file = None

    def _open(self) -> int:
        if self.reopen:
            self.reopen = False
            self.close()
        if self._file is None:
            if self._target == "-":
                self._file = 1
            else:
                os.makedirs(os.path.dirname(self._target) or ".", exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._file = os.open(self._target, flags, 0o640)
        return self._file
