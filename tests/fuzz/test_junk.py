"""Junk, and PDUs damaged into junk, never bring the codec or a session down."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import tlv
from protocol.consts import HEADER, RESPONSE, Command, Status
from protocol.errors import PduError
from protocol.pdus import BODIES, decode, encode
from protocol.session import UNANSWERED, Answered, Asked, Broken, Ended, Event, Lapsed, Session, Side, State
from protocol.timers import Timers
from protocol.wire import Reader, frame
from tests.protocol.bodies import pdu
from tests.protocol.ends import in_state

FILE = Path(__file__).parent.parent / "vectors" / "pdu_vectors.jsonl"
SEEDS = [bytes.fromhex(json.loads(line)["hex"]) for line in FILE.read_text(encoding="utf-8").splitlines()]
BODIES_SEEN = [(int.from_bytes(raw[4:8], "big"), raw[HEADER:]) for raw in SEEDS if len(raw) >= HEADER]
LIMIT = 4096
LIVE = [state for state in State if state is not State.CLOSED]
ENDS = [(side, state) for side in Side for state in LIVE]


def serve(session: Session, data: bytes, now: float) -> list[Event]:
    """Do with the events what a link does, and see to it that what is written can be read."""
    events = session.receive(data, now) + session.tick(now)
    for event in events:
        match event:
            case Asked(command, _, body):
                assert command in BODIES
                status = refusal(command, body)
                session.answer(event, Status.RINVSYSID if status is None else status)
            case Answered(command, _, body):
                assert command & RESPONSE
                refusal(command, body)
            case Lapsed() | Ended() | Broken():
                pass
    reader = Reader(1 << 24)
    for command, *_, body in reader.feed(session.outgoing()):
        assert command in BODIES
        assert refusal(command, body) is None
    assert reader.broken is None
    return events


def refusal(command: int, body: bytes) -> Status | None:
    """Why it cannot be read; what can be read is written again, and looked into."""
    try:
        found = decode(command, body)
    except PduError as error:
        return error.status
    encode(command, found)
    tlv.parse(getattr(found, "tlvs", b""))
    return None


def damaged(raw: bytes, random: Random) -> bytes:
    """Some octets changed, taken out, repeated or put in; half of the time command_length is made to fit again."""
    octets = bytearray(raw)
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(octets))
        match random.randint(0, 3):
            case 0 if octets:
                octets[at % len(octets)] = random.choice([0, 1, 16, 0x7F, 0x80, 0xFF, random.randint(0, 255)])
            case 1:
                del octets[at : at + random.randint(1, 9)]
            case 2:
                octets[at:at] = octets[: random.randint(0, 40)]
            case _:
                octets[at:at] = random.randbytes(random.randint(1, 20))
    if random.random() < 0.5 and len(octets) >= 4:
        octets[:4] = len(octets).to_bytes(4, "big")
    return bytes(octets)


@pytest.mark.parametrize(("side", "state"), ENDS, ids=lambda value: value.value)
def test_damaged_pdus_end_at_most_their_link(side: Side, state: State) -> None:
    random = Random(f"{side} {state}")
    for turn in range(400):
        session = in_state(side, state)
        for _ in range(random.randint(1, 8)):
            serve(session, damaged(random.choice(SEEDS), random), float(turn % 50))
        if session.state is not State.CLOSED:
            session.lost()
        assert session.receive(random.choice(SEEDS), 99.0) == []


def test_damaged_bodies_are_read_or_refused() -> None:
    random = Random(34)
    known = [(command, body) for command, body in BODIES_SEEN if command in BODIES]
    seen = set()
    for _ in range(20_000):
        command, body = random.choice(known)
        seen.add(refusal(command, damaged(body, random)))
    assert {None, Status.RINVCMDLEN, Status.RINVMSGLEN, Status.RINVOPTPARSTREAM, Status.RINVPARLEN} <= seen


@given(st.sampled_from(sorted(BODIES)), st.binary(max_size=120))
def test_any_octets_are_read_or_refused(command: int, body: bytes) -> None:
    refusal(command, body)


@given(st.sampled_from(ENDS), st.lists(st.binary(max_size=60), max_size=8))
def test_any_octets_end_at_most_their_link(end: tuple[Side, State], pieces: list[bytes]) -> None:
    session = in_state(*end)
    for piece in pieces:
        serve(session, piece, 1.0)


@given(st.sampled_from(ENDS), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF),
       st.binary(max_size=40))  # fmt: skip
def test_any_header_before_any_body_is_answered_at_most_once(
    end: tuple[Side, State], command: int, status: int, sequence: int, body: bytes
) -> None:
    session = in_state(*end)
    events = session.receive(frame(command, status, sequence, body), 1.0)
    answers = Reader(LIMIT).feed(session.outgoing())
    assert len(events) + len(answers) <= 2
    assert all(answer[2] == sequence for answer in answers)


@given(st.lists(pdu(), min_size=1, max_size=6), st.sampled_from(list(Side)))
def test_two_sessions_fall_silent_whatever_came_between_them(sent: list[tuple[int, Any]], side: Side) -> None:
    """Nothing that a session writes by itself asks for an answer that asks for another."""
    one = in_state(side, State.BOUND_TRX)
    other = in_state(Side.ESME if side is Side.SMSC else Side.SMSC, State.BOUND_TRX)
    data = b"".join(frame(command, 0, n, encode(command, body)) for n, (command, body) in enumerate(sent, 1))
    data += frame(0x111, 0, 99) + frame(0x80000111, 0, 99)
    for _ in range(3):
        for asked in one.receive(data, 0.0):
            if isinstance(asked, Asked):
                one.answer(asked, Status.RSYSERR)
        data = one.outgoing()
        one, other = other, one
    assert data == b""


def test_a_stream_without_end_is_not_kept() -> None:
    session = Session(Side.SMSC, 0.0, timers=Timers(), max_pdu=LIMIT)
    (broken,) = session.receive((LIMIT + 1).to_bytes(4, "big"), 0.0)
    assert isinstance(broken, Broken)
    for _ in range(100):
        assert session.receive(b"x" * 65536, 0.0) == []
    assert [command for command, *_ in Reader(LIMIT).feed(session.outgoing())] == [Command.GENERIC_NACK]


@pytest.mark.parametrize("command", sorted(UNANSWERED), ids=lambda c: Command(c).name)
def test_junk_in_a_request_without_a_response_stays_unanswered(command: int) -> None:
    session = in_state(Side.ESME, State.OPEN if command == Command.OUTBIND else State.BOUND_RX)
    serve(session, frame(command, 0, 1, b"\xff" * 200), 0.0)
    assert session.outgoing() == b""
