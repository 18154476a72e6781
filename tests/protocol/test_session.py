"""What a session does with every command in every state, with every response, and with time."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.consts import MAX_SEQUENCE, RESPONSE, Command, Status
from protocol.errors import LocalError
from protocol.session import (
    BINDS,
    BOUND,
    BOUND_AS,
    FROM_ESME,
    FROM_SMSC,
    UNANSWERED,
    Answered,
    Asked,
    Broken,
    Ended,
    Event,
    Lapsed,
    Session,
    Side,
    State,
)
from protocol.timers import Timers
from protocol.wire import Frame, Reader, frame
from tests.protocol.ends import BIND_BODY, bound, in_state

REQUESTS = sorted(command for command in Command if not command & RESPONSE)
RESPONSES = sorted(command for command in Command if command & RESPONSE)
LIVE = [state for state in State if state is not State.CLOSED]
SUBMIT = b"\0\0\0\0\0\0001\0\0\0\0\0\0\0\0\0\0\0"
TIMERS = Timers(init=10, enquire_link=30, inactivity=0, response=20)


def told(session: Session) -> list[Frame]:
    """What the session wrote, as PDUs."""
    return Reader(1 << 20).feed(session.outgoing())


def peers_table(side: Side) -> dict[State, frozenset[int]]:
    return FROM_ESME if side is Side.SMSC else FROM_SMSC


def own_table(side: Side) -> dict[State, frozenset[int]]:
    return FROM_SMSC if side is Side.SMSC else FROM_ESME


def submits(session: Session, count: int, now: float = 0.0) -> list[int]:
    """Send requests with the tokens m0, m1, ...; their sequence numbers."""
    return [session.request(Command.SUBMIT_SM, SUBMIT, f"m{n}", now) for n in range(count)]


def response(sequence: int, status: int = 0, command: int = Command.SUBMIT_SM_RESP, body: bytes = b"id\0") -> bytes:
    return frame(command, status, sequence, body)


# --- requests of the peer ---


@pytest.mark.parametrize("command", REQUESTS, ids=lambda c: Command(c).name)
@pytest.mark.parametrize("state", LIVE, ids=lambda s: s.value)
@pytest.mark.parametrize("side", Side, ids=lambda s: s.value)
def test_every_request_in_every_state(side: Side, state: State, command: int) -> None:
    session = in_state(side, state)
    allowed = command in peers_table(side)[state]
    body = BIND_BODY if command in BINDS else b""
    events = session.receive(frame(command, 0, 7, body), 1.0)
    answer = command | RESPONSE
    if command == Command.ENQUIRE_LINK:
        assert (events, told(session), session.state) == ([], [(answer, 0, 7, b"")], state)
    elif allowed and command == Command.UNBIND:
        assert isinstance(events[0], Ended)
        assert (told(session), session.state) == ([(answer, 0, 7, b"")], State.CLOSED)
    elif allowed:
        assert (events, told(session)) == ([Asked(command, 7, body)], [])
        assert session.state is (State.BINDING if command in BINDS else state)
    elif command in UNANSWERED:
        assert (events, told(session), session.state) == ([], [], state)
    else:
        again = side is Side.SMSC and command in BINDS
        refusal = Status.RALYBND if again else Status.RINVBNDSTS
        assert (events, told(session), session.state) == ([], [(answer, refusal, 7, b"")], state)


@pytest.mark.parametrize("state", State, ids=lambda s: s.value)
@pytest.mark.parametrize("side", Side, ids=lambda s: s.value)
def test_enquire_link_is_answered_in_every_state_but_the_last(side: Side, state: State) -> None:
    session = in_state(side, state)
    assert session.receive(frame(Command.ENQUIRE_LINK, 0, 3), 1.0) == []
    assert told(session) == ([] if state is State.CLOSED else [(Command.ENQUIRE_LINK_RESP, 0, 3, b"")])


@pytest.mark.parametrize("state", LIVE, ids=lambda s: s.value)
@pytest.mark.parametrize("side", Side, ids=lambda s: s.value)
@pytest.mark.parametrize("command", [0, 0x0A, 0x0C, 0x111, 0x10200, 0x7FFFFFFF, 0x80000111, 0xFFFFFFFF])
def test_an_unknown_command_gets_a_generic_nack_in_every_state(side: Side, state: State, command: int) -> None:
    session = in_state(side, state)
    assert session.receive(frame(command, 5, 9, b"whatever"), 1.0) == []
    assert told(session) == [(Command.GENERIC_NACK, Status.RINVCMDID, 9, b"")]
    assert session.state is state


@given(st.integers(0, 0xFFFFFFFF).filter(lambda command: command not in set(Command)))
def test_whatever_is_not_a_command_of_the_specification_is_unknown(command: int) -> None:
    session = bound(Side.SMSC)
    assert session.receive(frame(command, 0, 1), 1.0) == []
    assert told(session) == [(Command.GENERIC_NACK, Status.RINVCMDID, 1, b"")]


@pytest.mark.parametrize("command", RESPONSES, ids=lambda c: Command(c).name)
@pytest.mark.parametrize("state", LIVE, ids=lambda s: s.value)
@pytest.mark.parametrize("side", Side, ids=lambda s: s.value)
def test_a_response_to_nothing_is_counted_and_never_answered(side: Side, state: State, command: int) -> None:
    session = in_state(side, state)
    assert session.receive(frame(command, 0, 0x4000, b""), 1.0) == []
    assert (told(session), session.strays, session.state) == ([], 1, state)


@pytest.mark.parametrize("side", Side, ids=lambda s: s.value)
def test_nothing_is_read_or_written_after_the_end(side: Side) -> None:
    session = bound(side)
    session.receive(frame(Command.UNBIND, 0, 1), 1.0)
    session.outgoing()
    for command in [*Command, 0x111]:
        assert session.receive(frame(command, 0, 2), 2.0) == []
    assert (session.outgoing(), session.strays, session.tick(9999.0)) == (b"", 0, [])


@pytest.mark.parametrize("command", [Command.UNBIND, Command.ENQUIRE_LINK], ids=lambda c: c.name)
def test_less_than_a_parameter_after_a_pdu_without_body_is_a_bad_length(command: Command) -> None:
    for surplus in (b"x", b"xyz"):
        session = bound(Side.SMSC)
        assert session.receive(frame(command, 0, 4, surplus), 1.0) == []
        assert told(session) == [(command | RESPONSE, Status.RINVCMDLEN, 4, b"")]
    session = bound(Side.SMSC)
    session.receive(frame(command, 0, 4, b"\x14\0\0\0"), 1.0)
    assert told(session) == [(command | RESPONSE, Status.ROK, 4, b"")]


@pytest.mark.parametrize("sequence", [0, 1, MAX_SEQUENCE, MAX_SEQUENCE + 1, 0xFFFFFFFF])
def test_any_sequence_number_of_the_peer_is_echoed(sequence: int) -> None:
    session = bound(Side.SMSC)
    (asked,) = session.receive(frame(Command.SUBMIT_SM, 0, sequence, SUBMIT), 1.0)
    assert isinstance(asked, Asked)
    session.answer(asked, Status.ROK, b"id\0")
    assert told(session) == [(Command.SUBMIT_SM_RESP, 0, sequence, b"id\0")]


def test_two_requests_with_one_number_are_two_requests() -> None:
    session = bound(Side.SMSC)
    assert len(session.receive(frame(Command.SUBMIT_SM, 0, 5, SUBMIT) * 2, 1.0)) == 2


# --- binding ---


@pytest.mark.parametrize("bind", sorted(BINDS), ids=lambda c: Command(c).name)
def test_both_ends_are_bound_once_the_bind_is_accepted(bind: Command) -> None:
    esme, smsc = (Session(side, 0.0, timers=TIMERS) for side in (Side.ESME, Side.SMSC))
    esme.request(bind, BIND_BODY, "bind", 0.0)
    (asked,) = smsc.receive(esme.outgoing(), 0.1)
    assert isinstance(asked, Asked)
    assert (esme.state, smsc.state) == (State.BINDING, State.BINDING)
    smsc.answer(asked, Status.ROK, b"smsc\0")
    (answered,) = esme.receive(smsc.outgoing(), 0.2)
    assert answered == Answered(bind | RESPONSE, 0, b"smsc\0", "bind", 0.0)
    assert esme.state is smsc.state is BOUND_AS[bind]
    assert esme.unanswered == smsc.unanswered == 0


@pytest.mark.parametrize("bind", sorted(BINDS), ids=lambda c: Command(c).name)
def test_both_ends_stay_open_after_a_refusal_and_may_try_again(bind: Command) -> None:
    esme, smsc = (Session(side, 0.0, timers=TIMERS) for side in (Side.ESME, Side.SMSC))
    for status, state in ((Status.RINVPASWD, State.OPEN), (Status.ROK, BOUND_AS[bind])):
        esme.request(bind, BIND_BODY, None, 0.0)
        (asked,) = smsc.receive(esme.outgoing(), 0.1)
        assert isinstance(asked, Asked)
        smsc.answer(asked, status)
        (answered,) = esme.receive(smsc.outgoing(), 0.2)
        assert isinstance(answered, Answered)
        assert (answered.status, esme.state, smsc.state) == (status, state, state)


def test_a_generic_nack_refuses_a_bind() -> None:
    esme = Session(Side.ESME, 0.0, timers=TIMERS)
    sequence = esme.request(Command.BIND_TRANSCEIVER, BIND_BODY, None, 0.0)
    (answered,) = esme.receive(frame(Command.GENERIC_NACK, 0, sequence), 0.1)
    assert isinstance(answered, Answered)
    assert esme.state is State.OPEN


def test_what_comes_with_a_bind_before_its_answer_is_out_of_its_state() -> None:
    smsc = Session(Side.SMSC, 0.0, timers=TIMERS)
    bind = frame(Command.BIND_TRANSCEIVER, 0, 1, BIND_BODY)
    assert len(smsc.receive(bind + frame(Command.SUBMIT_SM, 0, 2, SUBMIT) + bind, 0.1)) == 1
    assert told(smsc) == [
        (Command.SUBMIT_SM_RESP, Status.RINVBNDSTS, 2, b""),
        (Command.BIND_TRANSCEIVER_RESP, Status.RALYBND, 1, b""),
    ]


def test_what_follows_the_answer_to_a_bind_is_allowed_at_once() -> None:
    esme = Session(Side.ESME, 0.0, timers=TIMERS)
    sequence = esme.request(Command.BIND_RECEIVER, BIND_BODY, None, 0.0)
    deliver = frame(Command.DELIVER_SM, 0, 1, SUBMIT)
    bind_resp = frame(Command.BIND_RECEIVER_RESP, 0, sequence, b"smsc\0")
    assert esme.receive(deliver, 0.1) == []
    answered, asked = esme.receive(bind_resp + deliver, 0.2)
    assert isinstance(answered, Answered)
    assert asked == Asked(Command.DELIVER_SM, 1, SUBMIT)


def test_an_accepted_bind_does_not_reopen_a_session_that_is_over() -> None:
    smsc = Session(Side.SMSC, 0.0, timers=TIMERS)
    (asked,) = smsc.receive(frame(Command.BIND_TRANSCEIVER, 0, 1, BIND_BODY), 0.1)
    assert isinstance(asked, Asked)
    smsc.lost()
    smsc.answer(asked, Status.ROK, b"smsc\0")
    assert smsc.state is State.CLOSED


# --- requests of ours ---


@pytest.mark.parametrize("command", list(Command), ids=lambda c: c.name)
@pytest.mark.parametrize("state", State, ids=lambda s: s.value)
@pytest.mark.parametrize("side", Side, ids=lambda s: s.value)
def test_we_ask_only_what_the_state_allows_us(side: Side, state: State, command: Command) -> None:
    session = in_state(side, state)
    allowed = command in own_table(side)[state]
    if state is State.UNBINDING:  # what the peer may still send then, we do not
        allowed = command == Command.ENQUIRE_LINK
    before = session.unanswered
    if not allowed:
        with pytest.raises(LocalError):
            session.request(command, b"", None, 0.0)
        assert (session.outgoing(), session.unanswered) == (b"", before)
        return
    sequence = session.request(command, b"body", None, 0.0)
    assert told(session) == [(command, 0, sequence, b"body")]
    assert session.unanswered == before + (command not in UNANSWERED)


@pytest.mark.parametrize("command", sorted(UNANSWERED), ids=lambda c: Command(c).name)
def test_what_has_no_response_is_not_answered(command: int) -> None:
    session = in_state(Side.ESME, State.OPEN if command == Command.OUTBIND else State.BOUND_RX)
    (asked,) = session.receive(frame(command, 0, 1, b"body"), 0.0)
    assert isinstance(asked, Asked)
    session.answer(asked, Status.RINVCMDLEN)
    assert session.outgoing() == b""


def test_numbers_count_from_one() -> None:
    session = Session(Side.ESME, 0.0, timers=TIMERS)
    assert session.request(Command.BIND_TRANSCEIVER, BIND_BODY, None, 0.0) == 1
    session.receive(frame(Command.BIND_TRANSCEIVER_RESP, 0, 1, b"\0"), 0.0)
    assert submits(session, 3) == [2, 3, 4]


def test_numbers_start_again_at_one_after_the_last_and_pass_over_those_awaited() -> None:
    session = bound(Side.ESME)  # its bind had 1
    assert submits(session, 2) == [2, 3]
    session._sequence = MAX_SEQUENCE - 1
    assert submits(session, 4) == [MAX_SEQUENCE, 1, 4, 5]


def test_the_last_number_is_passed_over_too() -> None:
    session = bound(Side.ESME)
    (two,) = submits(session, 1)
    session._sequence = MAX_SEQUENCE - 1
    assert submits(session, 1) == [MAX_SEQUENCE]
    session.receive(response(two), 1.0)
    session._sequence = MAX_SEQUENCE - 1
    assert submits(session, 2) == [1, 2]


def test_the_room_is_what_the_window_leaves() -> None:
    session = bound(Side.ESME, window=3)
    assert session.room == 3
    first, *_ = submits(session, 3)
    assert (session.room, session.unanswered) == (0, 3)
    session.receive(response(first), 1.0)
    assert session.room == 1
    submits(session, 2)
    assert session.room == -1


def test_answers_come_back_with_their_tokens_in_the_order_of_the_peer() -> None:
    session = bound(Side.ESME)
    one, two, three = submits(session, 3, 5.0)
    nack = response(two, Status.RINVCMDLEN, Command.GENERIC_NACK, b"")
    assert session.receive(response(three) + nack + response(one, Status.RTHROTTLED), 6.0) == [
        Answered(Command.SUBMIT_SM_RESP, 0, b"id\0", "m2", 5.0),
        Answered(Command.GENERIC_NACK, Status.RINVCMDLEN, b"", "m1", 5.0),
        Answered(Command.SUBMIT_SM_RESP, Status.RTHROTTLED, b"id\0", "m0", 5.0),
    ]
    assert (session.room, session.strays) == (100, 0)


@pytest.mark.parametrize("command", sorted(FROM_ESME[State.BOUND_TRX] - {Command.ENQUIRE_LINK, Command.UNBIND}))
def test_every_request_has_its_answer(command: int) -> None:
    esme, smsc = bound(Side.ESME), bound(Side.SMSC)
    esme.request(command, b"body", "mine", 1.0)
    (asked,) = smsc.receive(esme.outgoing(), 2.0)
    assert isinstance(asked, Asked)
    smsc.answer(asked, Status.RSYSERR, b"why")
    assert esme.receive(smsc.outgoing(), 3.0) == [Answered(command | RESPONSE, Status.RSYSERR, b"why", "mine", 1.0)]


def test_a_second_answer_is_a_stray() -> None:
    session = bound(Side.ESME)
    (sequence,) = submits(session, 1)
    assert len(session.receive(response(sequence) * 2, 1.0)) == 1
    assert (session.strays, session.outgoing().count(response(sequence))) == (1, 0)


@pytest.mark.parametrize("command", [c for c in RESPONSES if c not in (Command.SUBMIT_SM_RESP, Command.GENERIC_NACK)])
def test_the_right_number_on_the_wrong_response_answers_nothing(command: int) -> None:
    session = bound(Side.ESME)
    (sequence,) = submits(session, 1)
    session.outgoing()
    assert session.receive(response(sequence, command=command), 1.0) == []
    assert (session.strays, session.unanswered, session.outgoing()) == (1, 1, b"")
    assert len(session.receive(response(sequence), 2.0)) == 1


def test_a_wrong_response_does_not_put_a_request_off() -> None:
    session = bound(Side.ESME, timers=TIMERS)
    first = session.request(Command.SUBMIT_SM, SUBMIT, "early", 0.0)
    session.request(Command.SUBMIT_SM, SUBMIT, "late", 10.0)
    session.receive(response(first, command=Command.DATA_SM_RESP), 11.0)
    assert session.tick(20.0) == [Lapsed(Command.SUBMIT_SM, "early")]
    assert session.tick(30.0) == [Lapsed(Command.SUBMIT_SM, "late")]


def test_a_wrong_response_does_not_change_the_order_of_what_is_lost() -> None:
    session = bound(Side.ESME)
    first, *_ = submits(session, 3)
    session.receive(response(first, command=Command.DATA_SM_RESP), 1.0)
    assert [token for _, token in session.lost()] == ["m0", "m1", "m2"]


# --- time ---


def test_requests_without_an_answer_lapse_in_order() -> None:
    session = bound(Side.ESME, timers=TIMERS)
    for n in range(3):
        session.request(Command.SUBMIT_SM, SUBMIT, f"m{n}", float(n))
    assert session.tick(19.9) == []
    assert session.tick(21.5) == [Lapsed(Command.SUBMIT_SM, "m0"), Lapsed(Command.SUBMIT_SM, "m1")]
    assert (session.unanswered, session.room) == (1, 99)
    assert session.tick(22.0) == [Lapsed(Command.SUBMIT_SM, "m2")]


def test_an_answer_that_comes_too_late_is_a_stray() -> None:
    session = bound(Side.ESME, timers=TIMERS)
    (sequence,) = submits(session, 1)
    session.tick(20.0)
    assert session.receive(response(sequence), 21.0) == []
    assert session.strays == 1


def test_a_response_timer_of_zero_waits_for_ever() -> None:
    session = bound(Side.ESME, timers=Timers(init=0, enquire_link=0, response=0))
    submits(session, 2)
    assert session.tick(0.0) == session.tick(1e9) == []
    assert session.unanswered == 2


@pytest.mark.parametrize("side", Side, ids=lambda s: s.value)
def test_a_link_that_is_not_bound_in_time_ends(side: Side) -> None:
    session = Session(side, 100.0, timers=TIMERS)
    assert session.tick(109.9) == []
    assert session.tick(110.0) == [Ended("not bound in time")]
    assert session.state is State.CLOSED
    assert session.tick(111.0) == []


def test_a_bind_that_is_not_decided_in_time_ends_too() -> None:
    session = in_state(Side.SMSC, State.BINDING, timers=TIMERS)
    assert session.tick(10.0) == [Ended("not bound in time")]


def test_a_bind_that_is_not_answered_ends() -> None:
    session = Session(Side.ESME, 0.0, timers=Timers(init=0, response=20))
    session.request(Command.BIND_TRANSMITTER, BIND_BODY, None, 0.0)
    assert session.tick(20.0) == [Ended("bind_transmitter was not answered")]


@pytest.mark.parametrize("side", Side, ids=lambda s: s.value)
@pytest.mark.parametrize("state", [state for state in State if state in BOUND], ids=lambda s: s.value)
def test_a_silent_peer_is_asked_once_and_given_up(side: Side, state: State) -> None:
    session = in_state(side, state, timers=TIMERS)
    assert session.tick(29.9) == []
    assert session.outgoing() == b""
    assert session.tick(30.0) == []
    ((command, _, _, _),) = told(session)
    assert command == Command.ENQUIRE_LINK
    assert session.tick(40.0) == []
    assert session.outgoing() == b""
    assert session.tick(50.0) == [Ended("enquire_link was not answered")]


@pytest.mark.parametrize("answer", [Command.ENQUIRE_LINK_RESP, Command.GENERIC_NACK], ids=lambda c: c.name)
def test_a_peer_that_answers_is_asked_again_after_the_next_silence(answer: Command) -> None:
    session = bound(Side.SMSC, timers=TIMERS)
    session.tick(30.0)
    ((_, _, sequence, _),) = told(session)
    assert session.receive(frame(answer, 0, sequence), 31.0) == []
    assert session.unanswered == 0
    session.tick(60.9)
    assert session.outgoing() == b""
    session.tick(61.0)
    assert [command for command, *_ in told(session)] == [Command.ENQUIRE_LINK]


def test_what_lapsed_before_a_dead_peer_is_given_up_is_told_and_the_rest_is_lost() -> None:
    session = bound(Side.ESME, timers=TIMERS)
    session.request(Command.SUBMIT_SM, SUBMIT, "before", 29.0)
    session.tick(30.0)
    session.request(Command.SUBMIT_SM, SUBMIT, "after", 30.0)
    assert session.tick(50.0) == [Lapsed(Command.SUBMIT_SM, "before"), Ended("enquire_link was not answered")]
    assert session.lost() == [(Command.SUBMIT_SM, "after")]


def test_a_link_without_messages_is_unbound_though_it_answers_enquire_link() -> None:
    session = bound(Side.SMSC, timers=Timers(init=10, enquire_link=0, inactivity=60, response=20))
    session.receive(frame(Command.ENQUIRE_LINK, 0, 1), 59.0)
    session.outgoing()
    assert session.tick(59.9) == []
    assert session.tick(60.0) == []
    assert [command for command, *_ in told(session)] == [Command.UNBIND]
    assert session.state is State.UNBINDING
    assert session.tick(80.0) == [Ended("unbind was not answered")]


def test_messages_of_either_direction_put_inactivity_off() -> None:
    timers = Timers(init=10, enquire_link=0, inactivity=60, response=100)
    smsc = bound(Side.SMSC, timers=timers)
    smsc.receive(frame(Command.SUBMIT_SM, 0, 1, SUBMIT), 50.0)
    assert smsc.tick(109.0) == []
    sequence = smsc.request(Command.DELIVER_SM, SUBMIT, None, 109.0)
    smsc.receive(response(sequence, command=Command.DELIVER_SM_RESP), 110.0)
    smsc.outgoing()
    smsc.tick(169.0)
    assert smsc.outgoing() == b""
    smsc.tick(170.0)
    assert [command for command, *_ in told(smsc)] == [Command.UNBIND]


# --- the end ---


@pytest.mark.parametrize("status", [Status.ROK, Status.RSYSERR])
@pytest.mark.parametrize("side", Side, ids=lambda s: s.value)
def test_either_end_may_unbind(side: Side, status: Status) -> None:
    session = bound(side)
    sequence = session.request(Command.UNBIND, b"", None, 1.0)
    assert told(session) == [(Command.UNBIND, 0, sequence, b"")]
    assert session.receive(frame(Command.UNBIND_RESP, status, sequence), 2.0) == [Ended("unbound")]
    assert session.state is State.CLOSED


def test_what_crosses_our_unbind_is_still_answered() -> None:
    session = bound(Side.ESME)
    (sequence,) = submits(session, 1)
    session.request(Command.UNBIND, b"", None, 1.0)
    session.outgoing()
    deliver = frame(Command.DELIVER_SM, 0, 9, SUBMIT)
    answered, asked = session.receive(response(sequence) + deliver, 2.0)
    assert isinstance(answered, Answered)
    assert isinstance(asked, Asked)
    session.answer(asked, Status.ROK, b"\0")
    assert told(session) == [(Command.DELIVER_SM_RESP, 0, 9, b"\0")]


def test_both_ends_may_unbind_at_once() -> None:
    esme, smsc = bound(Side.ESME), bound(Side.SMSC)
    for session in (esme, smsc):
        session.request(Command.UNBIND, b"", None, 1.0)
    to_smsc, to_esme = esme.outgoing(), smsc.outgoing()
    assert smsc.receive(to_smsc, 2.0) == esme.receive(to_esme, 2.0) == [Ended("the peer unbound")]


def test_what_went_before_an_unbind_is_delivered_and_what_follows_is_not() -> None:
    session = bound(Side.SMSC)
    submit = frame(Command.SUBMIT_SM, 0, 1, SUBMIT)
    asked, ended = session.receive(submit + frame(Command.UNBIND, 0, 2) + submit, 1.0)
    assert isinstance(asked, Asked)
    assert isinstance(ended, Ended)
    assert told(session) == [(Command.UNBIND_RESP, 0, 2, b"")]


def test_what_was_not_answered_when_the_link_is_lost_comes_back_in_order() -> None:
    session = bound(Side.ESME)
    _, two, _ = submits(session, 3)
    session.receive(response(two), 1.0)
    assert session.lost() == [(Command.SUBMIT_SM, "m0"), (Command.SUBMIT_SM, "m2")]
    assert (session.state, session.unanswered, session.lost()) == (State.CLOSED, 0, [])


def test_what_was_not_answered_when_the_peer_unbinds_is_lost_and_does_not_lapse() -> None:
    session = bound(Side.ESME, timers=TIMERS)
    submits(session, 2)
    session.receive(frame(Command.UNBIND, 0, 1), 1.0)
    assert session.tick(100.0) == []
    assert [token for _, token in session.lost()] == ["m0", "m1"]


@pytest.mark.parametrize("state", LIVE, ids=lambda s: s.value)
@pytest.mark.parametrize("side", Side, ids=lambda s: s.value)
def test_a_broken_frame_is_told_and_ends_the_session(side: Side, state: State) -> None:
    session = in_state(side, state)
    enquire = frame(Command.ENQUIRE_LINK, 0, 8)
    (broken,) = session.receive(enquire + b"\0\0\0\x0f" + b"\0" * 8 + b"\0\0\0\x21" + enquire, 1.0)
    assert isinstance(broken, Broken)
    assert told(session) == [
        (Command.ENQUIRE_LINK_RESP, 0, 8, b""),
        (Command.GENERIC_NACK, Status.RINVCMDLEN, 0x21, b""),
    ]
    assert session.state is State.CLOSED


def test_what_came_before_garbage_is_still_delivered() -> None:
    asked, broken = bound(Side.SMSC).receive(frame(Command.SUBMIT_SM, 0, 1, SUBMIT) + b"\0\0\0\1", 1.0)
    assert isinstance(asked, Asked)
    assert isinstance(broken, Broken)


def test_a_pdu_above_the_limit_is_refused_by_its_length() -> None:
    session = Session(Side.SMSC, 0.0, timers=TIMERS, max_pdu=100)
    (broken,) = session.receive(b"\0\0\0\x65", 1.0)
    assert isinstance(broken, Broken)
    assert told(session) == [(Command.GENERIC_NACK, Status.RINVCMDLEN, 0, b"")]


def test_outgoing_octets_come_once() -> None:
    session = bound(Side.ESME)
    submits(session, 2)
    assert len(session.outgoing()) == 2 * (16 + len(SUBMIT))
    assert session.outgoing() == b""


# --- laws ---

known = st.sampled_from(sorted(Command))
requests = st.builds(frame, known | st.integers(0, 0xFFFFFFFF), st.just(0), st.integers(0, 200), st.binary(max_size=9))


@given(st.sampled_from(list(Side)), st.lists(requests, max_size=12), st.lists(st.integers(0, 400)))
def test_any_cut_of_the_stream_gives_the_same_events(side: Side, sent: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(sent)
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    whole, cut = bound(side), bound(side)
    for session in (whole, cut):
        session.request(sorted(own_table(side)[State.BOUND_RX] | own_table(side)[State.BOUND_TX])[0], b"", "t", 0.0)
        session.outgoing()
    events: list[Event] = []
    for start, end in pairwise(edges):
        events += cut.receive(stream[start:end], 1.0)
    assert whole.receive(stream, 1.0) == events
    assert (whole.outgoing(), whole.state, whole.strays) == (cut.outgoing(), cut.state, cut.strays)


@given(st.data())
def test_every_request_is_answered_lost_or_lapsed_exactly_once(data: st.DataObject) -> None:
    session = bound(Side.ESME, timers=Timers(enquire_link=0, response=20))
    now, asked = 0.0, 0
    ended: list[int] = []
    waiting: list[int] = []
    for _ in range(data.draw(st.integers(1, 30))):
        match data.draw(st.sampled_from(["ask", "answer", "twice", "wrong", "wait"])):
            case "ask":
                waiting.append(session.request(Command.SUBMIT_SM, SUBMIT, asked, now))
                asked += 1
            case "answer" | "twice" | "wrong" as how if waiting:
                sequence = data.draw(st.sampled_from(waiting))
                command = Command.DATA_SM_RESP if how == "wrong" else Command.SUBMIT_SM_RESP
                events = session.receive(response(sequence, command=command) * (2 if how == "twice" else 1), now)
                ended += [event.token for event in events if isinstance(event, Answered)]
            case _:
                now += data.draw(st.floats(0, 9))
                lapsed = [event.token for event in session.tick(now) if isinstance(event, Lapsed)]
                assert lapsed == sorted(lapsed)
                ended += lapsed
        assert session.unanswered == asked - len(ended)
    lost = [token for command, token in session.lost() if command == Command.SUBMIT_SM]
    assert lost == sorted(lost)
    assert sorted(ended + lost) == list(range(asked))
