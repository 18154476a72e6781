"""A capture shows no text and no password, and all the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import pdus, tlv
from protocol.consts import Command, Tag
from protocol.pdus import SubmitSm
from protocol.wire import Reader, frame
from smppgw.admin.redact import redact

SECRET = b"my secret words"


def redacted(command: int, body: bytes, *, bodies: bool = False, passwords: bool = False) -> bytes:
    """The body of what is left."""
    ((_, _, _, left),) = Reader(65536).feed(redact(frame(command, 0, 7, body), bodies=bodies, passwords=passwords))
    return left


@pytest.mark.parametrize("command", [Command.SUBMIT_SM, Command.DELIVER_SM])
def test_the_text_of_a_message_is_as_long_as_it_was(command: Command) -> None:
    pdu = SubmitSm(b"svc", 1, 1, b"12345", 1, 1, b"8190", short_message=SECRET, tlvs=tlv.encode([(0x1400, b"kept")]))
    left = pdus.decode_submit(redacted(command, pdus.encode_submit(pdu)))
    assert left == pdu._replace(short_message=b"x" * len(SECRET))


def test_the_header_of_a_part_stays() -> None:
    pdu = SubmitSm(b"", 1, 1, b"1", 1, 1, b"2", 0x40, short_message=b"\x05\x00\x03\x07\x02\x01" + SECRET)
    left = pdus.decode_submit(redacted(Command.SUBMIT_SM, pdus.encode_submit(pdu)))
    assert left.short_message == b"\x05\x00\x03\x07\x02\x01" + b"x" * len(SECRET)


def test_a_payload_is_a_text() -> None:
    pdu = SubmitSm(b"", 1, 1, b"1", 1, 1, b"2", tlvs=tlv.encode([(int(Tag.MESSAGE_PAYLOAD), SECRET), (0x1400, b"a")]))
    left = tlv.parse(pdus.decode_submit(redacted(Command.SUBMIT_SM, pdus.encode_submit(pdu))).tlvs)
    assert left == {int(Tag.MESSAGE_PAYLOAD): b"x" * len(SECRET), 0x1400: b"a"}


def test_of_a_receipt_the_quoted_text_goes_alone() -> None:
    words = b"id:1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:"
    pdu = SubmitSm(b"", 1, 1, b"1", 1, 1, b"2", 4, short_message=words + SECRET)
    left = pdus.decode_submit(redacted(Command.DELIVER_SM, pdus.encode_submit(pdu)))
    assert left.short_message == words + b"x" * len(SECRET)


ENDS = b"\x01\x0112345\0\x01\x018190\0"
BODIES = {
    Command.DATA_SM: b"\0" + ENDS + b"\0\x01\0" + b"\x04\x24\0" + bytes((len(SECRET),)) + SECRET,
    Command.SUBMIT_MULTI: b"\0\x01\x0112345\0\x02\x01\x01\x0181\0\x02list\0"
    + bytes(9)
    + bytes((len(SECRET),))
    + SECRET,
    Command.REPLACE_SM: b"id\0\x01\x0112345\0\0\0\x01\0" + bytes((len(SECRET),)) + SECRET,
}


@pytest.mark.parametrize("command", BODIES)
def test_so_do_other_messages(command: Command) -> None:
    left = redacted(command, BODIES[command])
    assert left == BODIES[command].replace(SECRET, b"x" * len(SECRET))


@pytest.mark.parametrize("command", [Command.BIND_TRANSMITTER, Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER])
def test_a_password_does_not_even_show_its_length(command: Command) -> None:
    for password in (b"p", b"longer00"):
        left = pdus.decode(command, redacted(command, pdus.encode(command, pdus.Bind(b"me", password, b"type"))))
        assert (left.system_id, left.password, left.system_type) == (b"me", b"redacted", b"type")
    assert pdus.decode(command, redacted(command, pdus.encode(command, pdus.Bind(b"me", b"")))).password == b""


def test_what_is_asked_for_is_there() -> None:
    bind = pdus.encode(Command.BIND_RECEIVER, pdus.Bind(b"me", b"secret"))
    assert redacted(Command.BIND_RECEIVER, bind, passwords=True) == bind
    assert redacted(Command.BIND_RECEIVER, bind, bodies=True) != bind
    submit = pdus.encode_submit(SubmitSm(short_message=SECRET))
    assert redacted(Command.SUBMIT_SM, submit, bodies=True) == submit
    assert redacted(Command.SUBMIT_SM, submit, passwords=True) != submit


def test_an_outbind_keeps_its_password_too() -> None:
    assert redacted(Command.OUTBIND, b"smsc\0secret\0") == b"smsc\0redacted\0"
    assert redacted(Command.OUTBIND, b"smsc\0secret\0", passwords=True) == b"smsc\0secret\0"
    assert b"secret" not in redacted(Command.OUTBIND, b"smsc\0secret", passwords=False)


@pytest.mark.parametrize("command", [Command.SUBMIT_SM_RESP, Command.ENQUIRE_LINK, Command.QUERY_SM, 0x123])
def test_what_has_no_text_stays(command: int) -> None:
    assert redacted(command, b"id\0") == b"id\0"


@given(
    command=st.sampled_from([*BODIES, Command.SUBMIT_SM, Command.DELIVER_SM, Command.BIND_RECEIVER]),
    body=st.binary(max_size=80),
)
def test_nothing_breaks_it(command: int, body: bytes) -> None:
    redact(frame(command, 0, 1, body), bodies=False, passwords=False)


@given(at=st.integers(0, 60))
def test_one_that_was_cut_short_shows_nothing_of_its_text(at: int) -> None:
    whole = pdus.encode_submit(SubmitSm(b"", 1, 1, b"1", 1, 1, b"2", short_message=SECRET))
    assert SECRET[:2] not in redacted(Command.SUBMIT_SM, whole[:at])[-len(SECRET) :] or at == len(whole)
