"""A timeline reads like a story."""

from smppgw.history import timeline
from smppgw.history.database import Event, Found
from smppgw.history.events import NAMES


def found(*events: Event, mo: bool = False) -> Found:
    return Found("00" * 8, 0.0, mo, "demo", "", "8190", 8, 10, b"", events)


def test_a_head_and_a_line_for_each_event() -> None:
    head, first, second = timeline.lines(
        found(
            Event(0.5, "accepted", {"route": "all", "tag": ""}),
            Event(1.0, "sent", {"upstream": ["a", "b"], "attempts": 1}),
        )
    )
    assert head == "0000000000000000  MT  account demo  from -  to 8190  coding 8  10 octets"
    assert first.endswith("accepted and on disk  route=all")
    assert second.endswith("sent  upstream=a,b attempts=1")


def test_states_and_statuses_have_their_names() -> None:
    assert timeline.words(Event(0, "ended", {"state": 5, "err": "000"})) == "ended  state=UNDELIVERABLE err=000"
    assert timeline.words(Event(0, "later", {"status": 88})) == "refused for now  status=RTHROTTLED"
    assert timeline.words(Event(0, "later", {"status": 0x4FF})) == "refused for now  status=1279"


def test_a_kind_of_a_newer_version_is_shown_as_it_is() -> None:
    assert timeline.words(Event(0, "99", {})) == "99"


def test_every_kind_has_words() -> None:
    assert all(
        timeline.words(Event(0, name, {})) != name or name in ("ended", "sent", "refused", "receipt")
        for name in NAMES.values()
    )


def test_a_message_from_a_handset_is_said_to_be_one() -> None:
    assert "  MO  " in timeline.lines(found(mo=True))[0]
