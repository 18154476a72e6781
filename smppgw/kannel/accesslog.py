"""Kannel's access log: what became of each message, with access-log-format."""

import asyncio
import re
import time
from collections.abc import Callable

from smppgw.kannel.escapes import Sms, stamp
from smppgw.kannel.model import Core
from smppgw.linelog import LineLog

SENT = b"Sent SMS"
REJECTED = b"REJECTED Send SMS"
FAILED = b"FAILED Send SMS"
DISCARDED = b"DISCARDED SMS"
EXPIRED = b"EXPIRED SMS"
RECEIVED = b"Receive SMS"
RECEIVED_DLR = b"Receive DLR"
FAILED_DLR = b"FAILED Receive DLR"

DEFAULT = (
    b"%l [SMSC:%i] [SVC:%n] [ACT:%A] [BINF:%B] [FID:%F] [META:%D] [from:%p] [to:%P] "
    b"[flags:%m:%c:%M:%C:%d] [msg:%L:%b] [udh:%U:%u]"
)

_CONTROLS = bytes(ord(".") if (octet < 0x20 and octet != ord("\t")) or octet == 0x7F else octet for octet in range(256))
_UNPRINTABLE = re.compile(rb"[^ -~]")
_CODE = re.compile(rb"%(.)", re.DOTALL)


class KannelLog(LineLog):
    """Call it from the loop's thread only. `%p` and `%P` are source and destination of what Kannel logs: those of the
    message that a report is about, not exchanged as in its URL."""

    def __init__(self, core: Core, loop: asyncio.AbstractEventLoop, clock: Callable[[], float] = time.time) -> None:
        super().__init__(core.access_log or "", loop)
        self._clock = clock
        self._stamped = not core.access_log_clean
        self._struct = time.gmtime if core.access_log_time == "gmt" else time.localtime
        self._second = 0
        self._stamp = b""
        given = core.access_log_format
        self._format = Format(DEFAULT if given is None else given.encode(errors="surrogateescape"))
        if self._stamped:
            self._mark(b"Log begins")

    def write(self, event: bytes, sms: Sms) -> None:
        """One line: what happened, and to which message."""
        if self._on:
            line = self._format.fill(event, sms)
            self._add(self._prefix() + line + b"\n" if self._stamped else line + b"\n")

    def close(self, patience: float = 2.0) -> None:
        if self._stamped and self._on:
            self._mark(b"Log ends")
        super().close(patience)

    def _mark(self, words: bytes) -> None:
        if self._on:
            self._add(self._prefix() + words + b"\n")

    def _prefix(self) -> bytes:
        second = int(self._clock())
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%d %H:%M:%S ", self._struct(second)).encode()
        return self._stamp


class Format:
    """An access-log-format."""

    def __init__(self, pattern: bytes) -> None:
        literals, codes = [b""], list[bytes]()
        for index, part in enumerate(_CODE.split(pattern)):
            if not index % 2:
                literals[-1] += part
            elif part in _WRITERS:
                codes.append(part)
                literals.append(b"")
            else:  # a code that is none stays
                literals[-1] += b"%" if part == b"%" else b"%" + part
        self._template = b"%b".join(literal.replace(b"%", b"%%") for literal in literals)
        self._writers = [_WRITERS[code] for code in codes]

    def fill(self, event: bytes, sms: Sms) -> bytes:
        """One line, whatever the fields hold: a sender with the end of a line in it forges no other."""
        line = _Line(event, sms)
        return (self._template % tuple([write(line) for write in self._writers])).translate(_CONTROLS)


class _Line:
    """One line being written: `%s` takes the words one after another."""

    __slots__ = ("_next", "event", "sms", "text")

    def __init__(self, event: bytes, sms: Sms) -> None:
        self.event = event
        self.sms = sms
        self.text = sms.text.hex().upper().encode() if sms.coding in {1, 2} else printable(sms.text)
        self._next = 1

    def word(self, at: int) -> bytes:
        words = self.text.split()
        return words[at] if at < len(words) else b""

    def next_word(self) -> bytes:
        word = self.word(self._next)
        self._next += bool(word)
        return word

    def rest(self) -> list[bytes]:
        return self.text.split()[self._next :]


def printable(text: bytes) -> bytes:
    """A dot for each octet that is no printable ASCII."""
    return _UNPRINTABLE.sub(b".", text)


_WRITERS: dict[bytes, Callable[[_Line], bytes]] = {
    b"a": lambda the: b" ".join(the.text.split()),
    b"A": lambda the: the.sms.account,
    b"b": lambda the: the.text,
    b"B": lambda the: the.sms.binfo,
    b"c": lambda the: b"%d" % the.sms.coding,
    b"C": lambda the: b"%d" % the.sms.compress,
    b"d": lambda the: b"%d" % the.sms.dlr_mask,
    b"D": lambda the: the.sms.meta_data,
    b"F": lambda the: the.sms.foreign_id,
    b"i": lambda the: the.sms.smsc_id,
    b"I": lambda the: the.sms.id,
    b"k": lambda the: the.word(0),
    b"l": lambda the: the.event,
    b"L": lambda the: b"%d" % len(the.sms.text),
    b"m": lambda the: b"%d" % the.sms.mclass,
    b"M": lambda the: b"%d" % the.sms.mwi,
    b"n": lambda the: the.sms.service,
    b"N": lambda the: the.text if the.event == RECEIVED_DLR else b"",
    b"p": lambda the: the.sms.sender,
    b"P": lambda the: the.sms.receiver,
    b"r": lambda the: b"+".join(the.rest()),
    b"R": lambda the: the.sms.dlr_url,
    b"s": lambda the: the.next_word(),
    b"S": lambda the: the.next_word().replace(b"*", b"~"),
    b"t": lambda the: stamp(the.sms.time, b" "),
    b"T": lambda the: b"%d" % the.sms.time,
    b"u": lambda the: the.sms.udh.hex().upper().encode(),
    b"U": lambda the: b"%d" % len(the.sms.udh),
    b"x": lambda the: the.sms.boxc_id,
}
