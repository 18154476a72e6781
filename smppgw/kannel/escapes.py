"""Fill in the escape codes of Kannel: %s, %p and their like, in URLs, texts and commands."""

import re
from collections.abc import Callable
from time import gmtime
from typing import NamedTuple

from smppgw.kannel import metadata

url_encode = metadata.url_encode

UNDEFINED = -1
"""A number that nobody gave; Kannel writes it as it is."""


class Sms(NamedTuple):
    """What Kannel knows of a message, by its own names; a receipt has the two addresses of its message exchanged, its
    type as `dlr_mask` and what the SMSC said as `text`."""

    sender: bytes = b""
    receiver: bytes = b""
    text: bytes = b""
    """As applications see it: UTF-8, or octets by `coding`."""
    udh: bytes = b""
    time: int = 0
    id: bytes = b""
    """As a UUID is written."""
    smsc_id: bytes = b""
    smsc_number: bytes = b""
    foreign_id: bytes = b""
    service: bytes = b""
    account: bytes = b""
    binfo: bytes = b""
    boxc_id: bytes = b""
    charset: bytes = b""
    meta_data: bytes = b""
    dlr_url: bytes = b""
    dlr_mask: int = UNDEFINED
    coding: int = UNDEFINED
    mclass: int = UNDEFINED
    mwi: int = UNDEFINED
    compress: int = UNDEFINED
    alt_dcs: int = UNDEFINED
    priority: int = UNDEFINED
    validity: int = UNDEFINED
    """When it expires, in epoch seconds; so is the next."""
    deferred: int = UNDEFINED


def fill(pattern: bytes, sms: Sms, now: float) -> bytes:
    """The pattern with what its codes stand for; a code that Kannel does not know stays."""
    return _CODE.sub(_Filling(sms, now), pattern) if b"%" in pattern else pattern


_CODE = re.compile(rb"%(#[^#]*#[^#]*#|.)", re.DOTALL)
_META = 0x23


class _Filling:
    """One pattern being filled: `%s` takes the words one after another."""

    def __init__(self, sms: Sms, now: float) -> None:
        self.sms = sms
        self.now = now
        self._next = 1
        self._words: list[bytes] | None = None

    def __call__(self, found: re.Match[bytes]) -> bytes:
        code = found[1]
        if code[0] == _META:
            if len(code) == 1:  # Kannel swallows what begins like one and does not end
                return b""
            _, group, name, _ = code.split(b"#")
            return url_encode(metadata.value(self.sms.meta_data, group, name))
        write = _WRITERS.get(code)
        return found[0] if write is None else write(self)

    @property
    def words(self) -> list[bytes]:
        if self._words is None:
            self._words = self.sms.text.split()
        return self._words

    def next_word(self) -> bytes:
        at = self._next
        if at >= len(self.words):
            return b""
        self._next += 1
        return self.words[at]

    @property
    def rest(self) -> list[bytes]:
        return self.words[self._next :]

    def minutes(self, until: int) -> bytes:
        """From now, cut towards zero as C does."""
        return b"" if until == UNDEFINED else b"%d" % int((until - int(self.now)) / 60)


def _joined(words: list[bytes]) -> bytes:
    return b"+".join(map(url_encode, words))


def stamp(time: int, blank: bytes) -> bytes:
    """2014-04-11 12:00:00, GMT, with something for the blank."""
    year, month, day, hour, minute, second = gmtime(time)[:6]
    return b"%04d-%02d-%02d%b%02d:%02d:%02d" % (year, month, day, blank, hour, minute, second)


def charset(sms: Sms) -> bytes:
    """Its own, or what its coding implies."""
    return sms.charset or {1: b"8-BIT", 2: b"UTF-16BE"}.get(sms.coding, b"UTF-8")


def international(address: bytes) -> bytes:
    """With %2B in place of leading 00."""
    return b"%2B" + url_encode(address[2:]) if address.startswith(b"00") else url_encode(address)


def dcs(sms: Sms) -> int:
    """The data coding scheme of GSM 03.38 for its fields."""
    coding, mclass, mwi = sms.coding, sms.mclass, sms.mwi
    if coding == UNDEFINED:
        coding = 1 if sms.udh else 0
    if mwi != UNDEFINED:
        if mwi & 4:
            return mwi & 3 | 0xC0
        return mwi & 3 | 8 | (0xC0 if not sms.text else 0xD0 if coding == 0 else 0xE0)
    if sms.alt_dcs <= 0 or coding == 2 or sms.compress == 1:
        dcs = coding << 2 | (0x20 if sms.compress == 1 else 0)
        return dcs if mclass == UNDEFINED else dcs | 0x10 | mclass
    return 0xF0 | coding << 2 | (1 if mclass == UNDEFINED else mclass)


_WRITERS: dict[bytes, Callable[[_Filling], bytes]] = {
    b"a": lambda the: _joined(the.words),
    b"A": lambda the: url_encode(the.sms.text),
    b"b": lambda the: url_encode(the.sms.text),
    b"B": lambda the: url_encode(the.sms.binfo),
    b"c": lambda the: b"%d" % the.sms.coding,
    b"C": lambda the: charset(the.sms),
    b"d": lambda the: b"%d" % the.sms.dlr_mask,
    b"D": lambda the: url_encode(the.sms.meta_data),
    b"e": lambda the: the.sms.text.hex().upper().encode(),
    b"f": lambda the: url_encode(the.sms.smsc_number),
    b"F": lambda the: url_encode(the.sms.foreign_id),
    b"i": lambda the: url_encode(the.sms.smsc_id),
    b"I": lambda the: the.sms.id,
    b"k": lambda the: url_encode(the.words[0]) if the.words else b"",
    b"m": lambda the: b"%d" % the.sms.mclass,
    b"M": lambda the: b"%d" % the.sms.mwi,
    b"n": lambda the: url_encode(the.sms.service),
    b"o": lambda the: url_encode(the.sms.account),
    b"O": lambda the: b"%02d" % dcs(the.sms),
    # A message that came in has our number as its receiver; Kannel's names are those of who sends and who gets.
    b"p": lambda the: url_encode(the.sms.sender),
    b"P": lambda the: url_encode(the.sms.receiver),
    b"q": lambda the: international(the.sms.sender),
    b"Q": lambda the: international(the.sms.receiver),
    b"r": lambda the: _joined(the.rest),
    b"R": lambda the: url_encode(the.sms.dlr_url),
    b"s": lambda the: url_encode(the.next_word()),
    b"S": lambda the: the.next_word().replace(b"*", b"~"),
    b"t": lambda the: stamp(the.sms.time, b"+"),
    b"T": lambda the: b"" if the.sms.time == UNDEFINED else b"%d" % the.sms.time,
    b"u": lambda the: url_encode(the.sms.udh),
    b"v": lambda the: the.minutes(the.sms.validity),
    b"V": lambda the: the.minutes(the.sms.deferred),
    b"%": lambda _the: b"%",
}
