"""One row of the table: what is asked, and how the SMSC and the application behave meanwhile.

Texts may hold `{to}`, `{to2}`, `{to3}` (numbers that no other row has), `{catcher}` and `{down}` (ports). What reaches
the SMSC or the application belongs to the row whose number is in it, so that all rows of a scene can be under way at
once.
"""

import re
import zlib
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from protocol.pdus import SubmitSm

NUMBER = re.compile(rb"44(?:77|78|79)(\d{8})")


class Ask(NamedTuple):
    """One HTTP request, as it goes on the wire."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: bytes = b""
    port: str = "sendsms"
    """or admin"""


class Answer(NamedTuple):
    """What the application answers to every request of this row."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""


NOTHING = Answer()


class Receipt(NamedTuple):
    """A deliver_sm with what became of a message; `{id}` is the id that its submit_sm was answered with."""

    text: bytes
    tlvs: tuple[tuple[int, bytes], ...] = ()
    esm_class: int = 4


class Row(NamedTuple):
    name: str
    scene: str = "main"
    ask: Ask | None = None
    statuses: tuple[int, ...] = ()
    """What its submit_sm are answered with, in order of arrival; those beyond are accepted."""
    receipts: tuple[Receipt, ...] = ()
    """For the first submit_sm that asks for any; a text with other words than those of Kannel may stand in them."""
    mo: tuple[SubmitSm, ...] = ()
    """deliver_sm that start the row."""
    over: str = "one"
    """system_id whose link brings them."""
    answer: Answer = Answer()

    @property
    def digits(self) -> str:
        return f"{zlib.crc32(self.name.encode()) % 10**8:08}"


def numbers(text: str, digits: str) -> str:
    """The text with this row's numbers."""
    return text.replace("{to}", f"4477{digits}").replace("{to2}", f"4478{digits}").replace("{to3}", f"4479{digits}")


BASE = {"username": "tester", "password": "foobar", "from": "100", "to": "{to}", "text": "hello"}
SENDSMS = "/cgi-bin/sendsms"


def send(
    name: str,
    query: str = "",
    *,
    without: str = "",
    dlr: str | None = None,
    scene: str = "main",
    statuses: tuple[int, ...] = (),
    receipts: tuple[Receipt, ...] = (),
    answer: Answer = NOTHING,
    path: str = SENDSMS,
) -> Row:
    """GET sendsms: the usual parameters but for those in `query` and `without`; `dlr` follows ?to={to}& of dlr-url."""
    given = {item.partition("=")[0] for item in query.split("&")}
    usual = [f"{key}={value}" for key, value in BASE.items() if key not in given and key not in without.split()]
    words = [*usual, *([query] if query else [])]
    if dlr is not None:
        words.append("dlr-url=" + address(f"/dlr?to={{to}}&{dlr}"))
    return Row(name, scene, Ask(f"{path}?{'&'.join(words)}"), statuses, receipts, answer=answer)


def address(path: str) -> str:
    """An URL of the application, quoted, to stand in a query."""
    return quote("http://127.0.0.1:{catcher}" + path, safe="{}")


def post(name: str, body: bytes | str, headers: Mapping[str, str], *, scene: str = "main", path: str = SENDSMS) -> Row:
    octets = body.encode() if isinstance(body, str) else body
    return Row(name, scene, Ask(path, "POST", headers, octets))


def mo(
    name: str,
    text: bytes,
    answer: Answer = NOTHING,
    *,
    to: str = "2000",
    data_coding: int = 0,
    esm_class: int = 0,
    over: str = "one",
    source: str = "{to}",
    scene: str = "main",
    service_type: bytes = b"",
    tlvs: bytes = b"",
) -> Row:
    """A message from a mobile."""
    row = Row(name, scene)
    pdu = SubmitSm(
        service_type=service_type, source_addr_ton=1, source_addr_npi=1,
        source_addr=numbers(source, row.digits).encode(), dest_addr_ton=1, dest_addr_npi=1,
        destination_addr=to.encode(), esm_class=esm_class, data_coding=data_coding, short_message=text, tlvs=tlvs,
    )  # fmt: skip
    return row._replace(mo=(pdu,), over=over, answer=answer)


def parts(name: str, *pieces: Row) -> Row:
    """One row of several messages from the mobile of the first."""
    first = pieces[0]
    return first._replace(name=name, mo=tuple(pdu for piece in pieces for pdu in piece.mo))
