"""How events are written: one line each, to stderr, for people or for machines, and what of them may be seen."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import IO

import structlog
from structlog.typing import EventDict, Processor

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_SECRET = re.compile(r"passw|secret|token|credential|private|authorization|api_?key", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UNSAFE = re.compile(rb"[^!-\[\]-~]")


def configure(level: str, format: str, out: IO[str] | None = None) -> None:
    """Set structlog up, and the standard library's logging for what dependencies say. `format` is "console" or "json";
    `out` is stderr unless given."""
    stream = sys.stderr if out is None else out
    number = LEVELS[level]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        conceal,
        printable,
    ]
    rendering = _json() if format == "json" else _console(stream)
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: Lines(stream),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)


class Lines:
    """A logger of structlog: finished lines to a stream. A stream that fails loses lines, never a message."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def msg(self, message: str) -> None:
        try:
            self._stream.write(message + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: it is closed
            pass

    debug = info = warning = warn = error = critical = exception = fatal = failure = err = log = msg


class _Handler(logging.StreamHandler[IO[str]]):
    def handleError(self, record: logging.LogRecord) -> None:
        """A stream that fails loses lines."""


def conceal(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Whatever is named like a secret is not shown, however it got here."""
    return {key: "***" if key != "event" and _SECRET.search(key) else value for key, value in event.items()}


def printable(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Octets become text, and no peer writes lines or terminal sequences of its own."""
    shown: MutableMapping[str, object] = {}
    for key, value in event.items():
        if isinstance(value, (bytes, bytearray, memoryview)):
            shown[key] = escaped(bytes(value)).decode()
        elif isinstance(value, str) and key not in ("stack", "exception"):
            shown[key] = _UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", value)
        else:
            shown[key] = value
    return shown


def escaped(octets: bytes) -> bytes:
    """One printable word without spaces, whatever it was; `-` for nothing, and what is very long is cut."""
    if octets.isalnum() and len(octets) <= 80:
        return octets
    if not octets:
        return b"-"
    return _UNSAFE.sub(lambda found: b"\\x%02x" % found[0][0], octets[:80])


def masked(address: bytes) -> bytes:
    """Enough of an address to tell a carrier or a complaint by, never all of it, nor how long it is."""
    size = len(address)
    if size > 9 and address.isalnum():  # a whole number, as nearly all of them are
        return address[:4] + b"***" + address[-2:]
    if size < 6:
        return b"***" if size else b"-"
    return escaped(address[: 4 if size > 9 else 2]) + b"***" + escaped(address[-2:])


def mask(address: bytes) -> str:
    """`masked` for the fields of an event."""
    return masked(address).decode()


def _json() -> list[Processor]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]


def _console(stream: IO[str]) -> list[Processor]:
    colours = stream.isatty()
    # Plain tracebacks: the pretty ones show local variables, and passwords may be among them.
    return [
        structlog.dev.ConsoleRenderer(
            colors=colours, exception_formatter=structlog.dev.plain_traceback, pad_event_to=32
        )
    ]
