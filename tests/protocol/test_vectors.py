"""What the tests of eighteen other stacks hold about PDUs holds for us, too."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from protocol import tlv
from protocol.consts import HEADER, RESPONSE, Command, Status
from protocol.errors import PduError
from protocol.pdus import BODIES, DestAddressEntry, DistributionList, Empty, UnsuccessSme, decode, encode
from protocol.session import (
    FROM_ESME,
    FROM_SMSC,
    UNANSWERED,
    Answered,
    Asked,
    Broken,
    Event,
    Session,
    Side,
    State,
)
from protocol.timers import Timers
from protocol.wire import Frame, Reader, frame
from tests.protocol.ends import bound, in_state

Vector = dict[str, Any]
FILE = Path(__file__).parent.parent / "vectors" / "pdu_vectors.jsonl"
VECTORS: dict[str, Vector] = {
    vector["id"]: vector for vector in map(json.loads, FILE.read_text(encoding="utf-8").splitlines())
}
VALID = [vector for vector in VECTORS.values() if vector["verdict"] == "valid"]
KNOWN = [vector for vector in VALID if vector["command_id"] in BODIES]
NEWER = [vector for vector in VALID if vector["command_id"] not in BODIES]

PING = frame(Command.ENQUIRE_LINK, 0, 99)
PONG = (Command.ENQUIRE_LINK_RESP, 0, 99, b"")


def octets(vector: Vector) -> bytes:
    return bytes.fromhex(vector["hex"])


def name(vector: Vector) -> str:
    return f"{vector['id']}-{vector['command']}"


def valued(value: Any) -> Any:
    """A value as the vectors have it: text for octets, a dict for a member of a list."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, DestAddressEntry | DistributionList | UnsuccessSme):
        return {key: valued(member) for key, member in value._asdict().items()}
    if isinstance(value, tuple):
        return [valued(member) for member in value]
    return value


# --- valid ones ---


def test_all_of_them_are_here() -> None:
    assert (len(VECTORS), len(VALID), len(KNOWN)) == (302, 229, 225)


@pytest.mark.parametrize("vector", KNOWN, ids=name)
def test_a_valid_pdu_decodes_to_its_fields(vector: Vector) -> None:
    pdu = decode(vector["command_id"], octets(vector)[HEADER:])
    known = {key: value for key, value in vector["fields"].items() if key.removesuffix("_hex") in pdu._fields}
    for key, value in known.items():
        found = getattr(pdu, key.removesuffix("_hex"))
        assert (found.hex() if key.endswith("_hex") else valued(found)) == value, key


@pytest.mark.parametrize("vector", [v for v in KNOWN if BODIES[v["command_id"]] is not Empty], ids=name)
def test_a_valid_pdu_decodes_to_its_optional_parameters(vector: Vector) -> None:
    pdu = decode(vector["command_id"], octets(vector)[HEADER:])
    # node-smpp names unknown tags of responses in `fields` alone, as "8531_hex".
    unnamed = {int(key[:-4]): value for key, value in vector["fields"].items() if key[0].isdigit()}
    named = {int(pair["tag"], 16): pair["value_hex"] for pair in vector["tlvs"]}
    found = {tag: value.hex() for tag, value in tlv.parse(getattr(pdu, "tlvs", b"")).items()}
    assert found == named | unnamed


@pytest.mark.parametrize("vector", KNOWN, ids=name)
def test_a_valid_pdu_encodes_back_to_its_octets(vector: Vector) -> None:
    command, raw = vector["command_id"], octets(vector)
    pdu = decode(command, raw[HEADER:])
    if raw[HEADER:] or not command & RESPONSE:
        body = encode(command, pdu)
    else:  # a response without a body: relayed as it came, read as its defaults
        assert pdu == BODIES[command]()
        body = b""
    assert frame(command, vector["command_status"], vector["sequence_number"], body) == raw


@pytest.mark.parametrize("vector", VALID, ids=name)
def test_a_valid_pdu_goes_through_the_wire_unchanged(vector: Vector) -> None:
    (cut,) = Reader(65536).feed(octets(vector))
    assert cut[:3] == (vector["command_id"], vector["command_status"], vector["sequence_number"])
    assert frame(*cut) == octets(vector)


@pytest.mark.parametrize("vector", NEWER, ids=name)
def test_commands_of_later_versions_are_unknown(vector: Vector) -> None:
    for side in Side:
        session = bound(side)
        assert session.receive(octets(vector) + PING, 0.0) == []
        assert told(session) == [(Command.GENERIC_NACK, Status.RINVCMDID, vector["sequence_number"], b""), PONG]


@pytest.mark.parametrize("vector", [v for v in KNOWN if not v["command_id"] & RESPONSE], ids=name)
def test_a_valid_request_is_allowed_where_it_belongs(vector: Vector) -> None:
    session = allowing(vector["command_id"])
    events, answers = converse(session, octets(vector))
    if vector["command_id"] in (Command.ENQUIRE_LINK, Command.UNBIND):
        assert answers == [(vector["command_id"] | RESPONSE, Status.ROK, vector["sequence_number"], b"")]
    else:
        assert events == [Asked(vector["command_id"], vector["sequence_number"], octets(vector)[HEADER:])]
        assert answers == []


@pytest.mark.parametrize("vector", [v for v in KNOWN if v["command_id"] & RESPONSE], ids=name)
def test_a_valid_response_that_nobody_waits_for_is_counted_and_ignored(vector: Vector) -> None:
    for side in Side:
        session = bound(side)
        assert session.receive(octets(vector) + PING, 0.0) == []
        assert (told(session), session.strays) == ([PONG], 1)


# --- the others ---


@dataclass(frozen=True)
class Refused:
    """Its response carries this status."""

    status: Status


@dataclass(frozen=True)
class Taken:
    """The codec can read it and passes it on; whether its values make sense, admission says."""


@dataclass(frozen=True)
class Passed:
    """Nothing is owed to it: a response, or a request without one."""


@dataclass(frozen=True)
class Unknown:
    """generic_nack RINVCMDID."""


@dataclass(frozen=True)
class Breaking:
    """generic_nack RINVCMDLEN, and the link is over."""

    sequence: int = 0
    """What of the header is there by then: its sequence_number, or 0."""


@dataclass(frozen=True)
class Unfinished:
    """The stream waits for as many octets."""

    missing: int
    begin: bytes = b""
    """How the missing ones begin; the others are NULs."""


@dataclass(frozen=True)
class Doomed:
    """The stream waits for the rest of command_length, which is too long whatever comes."""


@dataclass(frozen=True)
class Overlong:
    """`first` to the octets that command_length covers; those after it break the stream with the next PDU."""

    first: Passed | Unknown | Refused


Answer = Refused | Taken | Passed | Unknown | Breaking | Unfinished | Doomed | Overlong

ANSWERS: dict[str, Answer] = {
    "v0230": Passed(),  # one octet after alert_notification, which has no response
    "v0231": Refused(Status.RINVCMDLEN),  # a bind without a body
    "v0232": Passed(),  # a bind_resp with a cut TLV: there is nobody to answer
    "v0233": Passed(),
    "v0234": Passed(),
    "v0235": Unknown(),  # SMPP 5.0
    "v0236": Passed(),  # 4.7.2 without a body
    "v0237": Refused(Status.RINVMSGLEN),  # sm_length 16, 8 octets
    "v0238": Refused(Status.RINVOPTPARSTREAM),  # receipted_message_id says 65 octets and has 5
    "v0239": Passed(),
    "v0240": Passed(),  # an outbind without a body has no response either
    "v0241": Unknown(),  # SMPP 5.0
    "v0242": Passed(),  # query_sm_resp without error_code
    "v0243": Refused(Status.RINVCMDLEN),  # a NUL after the short_message of a PDU that has no TLVs
    "v0244": Refused(Status.RINVDSTADR),  # two numbers with a line break between them: 27 octets
    "v0245": Passed(),
    "v0246": Refused(Status.RINVCMDLEN),  # a submit_sm without a body
    "v0247": Refused(Status.RINVOPTPARSTREAM),  # a NUL after the short_message is a cut TLV
    "v0248": Taken(),  # UDHI without a header: the codec does not look into messages
    "v0249": Passed(),
    "v0250": Passed(),
    "v0251": Overlong(Passed()),
    "v0252": Unfinished(253 - 29),
    # v0253 to v0260: see README.md beside the vectors, and test_tlv.py for what was meant
    "v0253": Refused(Status.RINVOPTPARSTREAM),
    "v0254": Refused(Status.RINVOPTPARSTREAM),
    "v0255": Refused(Status.RINVOPTPARSTREAM),
    "v0256": Refused(Status.RINVOPTPARSTREAM),
    "v0257": Refused(Status.RINVOPTPARSTREAM),
    "v0258": Refused(Status.RINVOPTPARSTREAM),
    "v0259": Refused(Status.RINVOPTPARSTREAM),
    "v0260": Refused(Status.RINVOPTPARSTREAM),
    "v0261": Breaking(),
    "v0262": Unfinished(1),
    "v0263": Unfinished(1),
    "v0264": Unfinished(1),
    "v0265": Taken(),  # registered_delivery 3 is success-only in SMPP 5.0, and honoured
    "v0266": Taken(),
    "v0267": Taken(),
    "v0268": Refused(Status.RINVSCHED),
    "v0269": Overlong(Refused(Status.RINVMSGLEN)),
    "v0270": Unfinished(1),
    "v0271": Refused(Status.RINVSRCADR),
    "v0272": Breaking(2),
    "v0273": Overlong(Passed()),
    "v0274": Passed(),
    "v0275": Overlong(Passed()),
    "v0276": Breaking(),
    "v0277": Refused(Status.RINVCMDLEN),
    "v0278": Breaking(1),
    "v0279": Breaking(1),
    "v0280": Unfinished(13, b"\x10"),
    "v0281": Breaking(),
    "v0282": Breaking(),
    "v0283": Breaking(),
    "v0284": Breaking(),
    "v0285": Breaking(),
    "v0286": Breaking(),
    "v0287": Breaking(0x40414243),
    "v0288": Unfinished(12),
    "v0289": Unknown(),
    "v0290": Unknown(),
    "v0291": Unknown(),
    "v0292": Unknown(),
    "v0293": Unknown(),
    "v0294": Overlong(Unknown()),
    "v0295": Unknown(),
    "v0296": Unknown(),  # with an octet of body, then an enquire_link
    "v0297": Unknown(),
    "v0298": Unfinished(8193 - 16),  # within our limit
    "v0299": Breaking(),
    "v0300": Doomed(),
    "v0301": Breaking(),
    "v0302": Breaking(0x0A342EE7),
}

ADMISSION: dict[str, Status | None] = {
    "v0265": None,  # honoured: success only
    "v0266": Status.RINVPRTFLG,  # priority_flag 15
    "v0267": Status.RINVESMCLASS,  # reserved message type bits
}
"""What the codec takes and the gateway then answers: for whoever submits the vectors to a running one."""


def told(session: Session) -> list[Frame]:
    """What the session wrote, as PDUs."""
    reader = Reader(1 << 20)
    frames = reader.feed(session.outgoing())
    assert reader.broken is None
    return frames


def allowing(command: int) -> Session:
    """A session, of whichever side, in a state that allows the request of this command."""
    for side, table in ((Side.SMSC, FROM_ESME), (Side.ESME, FROM_SMSC)):
        for state in (State.BOUND_TRX, State.OPEN):
            if command in table[state]:
                return in_state(side, state)
    return bound(Side.SMSC)


def converse(session: Session, data: bytes) -> tuple[list[Event], list[Frame]]:
    """The events of these octets and what is written back, requests that cannot be decoded being refused."""
    events = session.receive(data, 0.0)
    for event in events:
        if isinstance(event, Asked):
            try:
                decode(event.command, event.body)
            except PduError as error:
                if event.command not in UNANSWERED:
                    session.answer(event, error.status)
    return events, told(session)


def still_answers(session: Session) -> bool:
    session.receive(PING, 0.0)
    return told(session) == [PONG]


OTHERS = [vector for vector in VECTORS.values() if vector["verdict"] != "valid"]


def test_every_one_that_is_not_valid_has_its_answer() -> None:
    assert ANSWERS.keys() == {vector["id"] for vector in OTHERS}
    assert all(isinstance(ANSWERS[which], Taken) for which in ADMISSION)


@pytest.mark.parametrize("vector", OTHERS, ids=name)
def test_what_is_not_valid_gets_its_answer_and_ends_nothing_else(vector: Vector) -> None:
    raw, answer = octets(vector), ANSWERS[vector["id"]]
    command = int.from_bytes(raw[4:8], "big")
    sequence = int.from_bytes(raw[12:16], "big")
    session = allowing(command)
    if isinstance(answer, Overlong):
        length = int.from_bytes(raw[:4], "big")
        check(session, answer.first, command, sequence, raw[:length])
        events, answers = converse(session, raw[length:] + PING)
        assert isinstance(events[-1], Broken)
        assert answers[-1][:2] == (Command.GENERIC_NACK, Status.RINVCMDLEN)
    else:
        check(session, answer, command, sequence, raw)


def check(session: Session, answer: Answer, command: int, sequence: int, raw: bytes) -> None:
    events, answers = converse(session, raw)
    match answer:
        case Refused(status):
            assert answers == [(command | RESPONSE, status, sequence, b"")]
        case Taken():
            assert events == [Asked(command, sequence, raw[HEADER:])]
            assert answers == []
        case Passed():
            assert answers == []
        case Unknown():
            assert events == []
            assert answers[0] == (Command.GENERIC_NACK, Status.RINVCMDID, sequence, b"")
            assert {reply[0] for reply in answers[1:]} <= {Command.ENQUIRE_LINK_RESP}
        case Breaking(known):
            assert isinstance(events[-1], Broken)
            assert answers == [(Command.GENERIC_NACK, Status.RINVCMDLEN, known, b"")]
            assert session.state is State.CLOSED
            return
        case Unfinished(missing, begin):
            assert (events, answers) == ([], [])
            converse(session, begin.ljust(missing, b"\0"))
        case Doomed():
            assert (events, answers) == ([], [])
            assert isinstance(converse(session, b"\0")[0][-1], Broken)
            return
        case _:
            raise AssertionError(answer)
    assert still_answers(session)


CUT_RESPONSES = [
    vector
    for vector in OTHERS
    if isinstance(ANSWERS[vector["id"]], Passed | Overlong) and vector.get("command_id") in BODIES
    and vector["command_id"] & RESPONSE
]  # fmt: skip


@pytest.mark.parametrize("vector", CUT_RESPONSES, ids=name)
def test_a_broken_response_still_answers_what_we_asked(vector: Vector) -> None:
    command = vector["command_id"] & ~RESPONSE
    session = bound(Side.ESME) if command in FROM_ESME[State.BOUND_TRX] else bound(Side.SMSC)
    if command in FROM_ESME[State.OPEN] - {Command.ENQUIRE_LINK}:
        session = Session(Side.ESME, 0.0, timers=Timers())
    sequence = session.request(command, b"", "ours", 0.0)
    session.outgoing()
    raw = octets(vector)
    raw = raw[: int.from_bytes(raw[:4], "big")]
    (event,) = session.receive(raw[:12] + sequence.to_bytes(4, "big") + raw[16:], 1.0)
    assert isinstance(event, Answered)
    assert (event.token, event.body) == ("ours", raw[HEADER:])
    assert still_answers(session)


ALTERED = {
    "v0253": ("0005 0001 ff", None),  # a reserved value is passed on, as 3.4 asks for unknown ones
    "v0254": ("0202 0001 a0", Status.RINVPARLEN),
    "v0255": ("0203 0001 61", Status.RINVPARLEN),
    "v0256": ("0005 0002 7b7b", Status.RINVPARLEN),
    "v0257": ("0381 0002 0100", Status.RINVPARLEN),
    "v0258": ("001d 0003 616263", None),  # no NUL at the end: its length is told by the TLV, nothing is lost
    "v0259": ("0202 0004 a1373432", None),
    "v0260": ("0381 000d 02000038303333323337343537", None),
}


@pytest.mark.parametrize("which", ALTERED)
def test_the_bad_parameters_that_were_meant_behind_a_whole_head(which: str) -> None:
    text, status = ALTERED[which]
    raw = bytes.fromhex(text)
    assert octets(VECTORS[which]).endswith(raw)
    body = octets(VECTORS[which])[HEADER:].removesuffix(raw) + b"\0" + raw
    if status is None:
        assert decode(Command.DELIVER_SM, body).tlvs == raw
    else:
        with pytest.raises(PduError) as refused:
            decode(Command.DELIVER_SM, body)
        assert refused.value.status is status
