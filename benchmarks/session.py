"""How long the session takes for a request, its answer, and both ends of a round trip."""

from collections.abc import Callable

from benchmarks.codec import SUBMIT
from benchmarks.timing import microseconds, report
from protocol.consts import Command, Status
from protocol.pdus import CODECS, Bind, BindResp
from protocol.session import Answered, Asked, Session, Side
from protocol.timers import Timers
from protocol.wire import frame

SUBMIT_BODY = CODECS[Command.SUBMIT_SM].encode(SUBMIT)
RESPONSE_BODY = b"0123456789ABCDEF\0"
BATCH = 50


def bound_pair() -> tuple[Session, Session]:
    """An ESME and an SMSC that are bound to each other."""
    esme, smsc = Session(Side.ESME, 0.0, timers=Timers()), Session(Side.SMSC, 0.0, timers=Timers())
    esme.request(Command.BIND_TRANSCEIVER, CODECS[Command.BIND_TRANSCEIVER].encode(Bind(b"load", b"secret")), None, 0.0)
    (asked,) = smsc.receive(esme.outgoing(), 0.0)
    assert isinstance(asked, Asked)
    smsc.answer(asked, Status.ROK, CODECS[Command.BIND_TRANSCEIVER_RESP].encode(BindResp(b"bench")))
    esme.receive(smsc.outgoing(), 0.0)
    return esme, smsc


def round_trips(times: int) -> None:
    """Requests of an ESME through both sessions and back, a batch a turn."""
    esme, smsc = bound_pair()
    for _ in range(times // BATCH):
        for _ in range(BATCH):
            esme.request(Command.SUBMIT_SM, SUBMIT_BODY, None, 0.0)
        for asked in smsc.receive(esme.outgoing(), 0.0):
            assert isinstance(asked, Asked)
            smsc.answer(asked, 0, RESPONSE_BODY)
        esme.receive(smsc.outgoing(), 0.0)


def served(times: int) -> None:
    """The SMSC's half: a request in, its answer out."""
    _, smsc = bound_pair()
    data = frame(Command.SUBMIT_SM, 0, 7, SUBMIT_BODY) * BATCH
    for _ in range(times // BATCH):
        for asked in smsc.receive(data, 0.0):
            smsc.answer(asked, 0, RESPONSE_BODY)  # type: ignore[arg-type]
        smsc.outgoing()


def sent(times: int) -> None:
    """The ESME's half: a request out, its answer in."""
    esme, _ = bound_pair()
    for start in range(2, times, BATCH):
        for _ in range(BATCH):
            esme.request(Command.SUBMIT_SM, SUBMIT_BODY, None, 0.0)
        esme.outgoing()
        data = b"".join(frame(Command.SUBMIT_SM_RESP, 0, start + n, RESPONSE_BODY) for n in range(BATCH))
        assert isinstance(esme.receive(data, 0.0)[-1], Answered)


def quiet(times: int) -> None:
    """The timers of a session with a full window of which nothing is late."""
    esme, _ = bound_pair()
    for _ in range(esme.room):
        esme.request(Command.SUBMIT_SM, SUBMIT_BODY, None, 0.0)
    for _ in range(times):
        esme.tick(1.0)


FIGURES: dict[str, Callable[[int], None]] = {
    "round trip through both ends": round_trips,
    "served: request in, answer out": served,
    "sent: request out, answer made and taken in": sent,
    "tick with a full window": quiet,
}


def main() -> None:
    report("session", {name: microseconds(operation, 200_000) for name, operation in FIGURES.items()})


if __name__ == "__main__":
    main()
