"""History is written in batches and found again: the same in SQLite and in a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from routing.message import Ids
from smppgw.history.database import Database, Query
from smppgw.history.engines import open_database
from smppgw.history.events import Kind, Note
from tests.smppgw.postgres import postgres

NOW = 1_795_000_000.0


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = request.getfixturevalue("server") if request.param == "postgres" else ""
    made = open_database(request.param, str(tmp_path / "history.db"), url, writing=True)
    made.prune(NOW * 2)
    yield made
    made.close()


def minted(at: float, n: int = 0) -> int:
    return (int((at - Ids.EPOCH) * 1000.0) << 22) + n


def accepted(id: int, at: float = NOW, source: bytes = b"12345", to: bytes = b"8190", account: str = "demo") -> Note:
    return at, id, int(Kind.ACCEPTED), (account, source, to, 8, 10, b"\x00\xff", "all", "tag")


def story(id: int) -> list[Note]:
    return [
        accepted(id),
        (NOW + 1, id, int(Kind.LATER), (88, 1)),
        (NOW + 2, id, int(Kind.SENT), (b"up", (b"4F21", b"4F22"), 2)),
        (NOW + 3, id, int(Kind.RECEIPT), (b"up", 2, b"000", b"4F21")),
        (NOW + 4, id, int(Kind.DELIVERED), ("demo", 2, 0)),
    ]


def test_a_message_is_found_by_our_id_with_all_that_happened(database: Database) -> None:
    id = minted(NOW)
    database.write(story(id))
    (found,) = database.find(Query(id=f"{id:016x}"))
    assert (found.id, found.born, found.mo, found.account) == (f"{id:016x}", NOW, False, "demo")
    assert (found.source, found.destination, found.coding, found.octets) == ("12345", "8190", 8, 10)
    assert found.text == b"\x00\xff"
    assert [event.kind for event in found.events] == ["accepted", "later", "sent", "receipt", "delivered"]
    assert found.events[0].said == {"route": "all", "tag": "tag"}
    assert found.events[2].said == {"connector": "up", "upstream": ["4F21", "4F22"], "attempts": 2}
    assert found.events[4].said == {"state": 2, "attempts": 0}


@pytest.mark.parametrize(
    "query",
    [
        Query(id="4F22"),
        Query(number="8190"),
        Query(number="+8190"),
        Query(number="12345"),
        Query(account="demo"),
        Query(since=NOW - 1, until=NOW + 1),
        Query(account="demo", number="8190", id="4F21"),
    ],
)
def test_it_is_found_by_whatever_is_known_of_it(database: Database, query: Query) -> None:
    database.write(story(minted(NOW)))
    assert len(database.find(query)) == 1


@pytest.mark.parametrize(
    "query",
    [
        Query(id="4f22"),
        Query(id="0" * 16),
        Query(number="819"),
        Query(number="%"),
        Query(account="dem"),
        Query(since=NOW + 1),
        Query(until=NOW - 1),
        Query(account="other", number="8190"),
        Query(id="' OR 1=1 --"),
    ],
)
def test_it_is_not_found_by_anything_else(database: Database, query: Query) -> None:
    database.write(story(minted(NOW)))
    assert database.find(query) == []


@pytest.mark.parametrize(
    "query", [Query(id="f" * 16), Query(since=1e12), Query(until=1.0), Query(since=-1e12, until=-1.0)]
)
def test_what_is_far_from_any_message_finds_none(database: Database, query: Query) -> None:
    database.write(story(minted(NOW)))
    assert database.find(query) == []


def test_the_newest_come_first_and_no_more_than_asked_for(database: Database) -> None:
    database.write([accepted(minted(NOW, n), NOW) for n in range(30)])
    found = database.find(Query(account="demo", limit=3))
    assert [int(each.id, 16) - minted(NOW) for each in found] == [29, 28, 27]


def test_a_plus_in_the_number_of_a_message_is_no_matter(database: Database) -> None:
    database.write([accepted(minted(NOW), to=b"+8190")])
    assert len(database.find(Query(number="8190"))) == len(database.find(Query(number="+8190"))) == 1


def test_a_message_from_a_handset_says_by_which_connector(database: Database) -> None:
    said: tuple[Any, ...] = ("demo", b"8190", b"12345", 0, 2, b"hi", "up")
    database.write([(NOW, minted(NOW), int(Kind.MO), said)])
    (found,) = database.find(Query(number="8190"))
    assert (found.mo, found.text, found.events[0].said) == (True, b"hi", {"connector": "up"})


def test_what_is_noted_twice_is_one_message(database: Database) -> None:
    id = minted(NOW)
    database.write([accepted(id)])
    database.write([accepted(id)])
    assert len(database.find(Query(account="demo"))) == 1


def test_octets_that_no_text_may_hold_are_kept_as_others(database: Database) -> None:
    database.write([accepted(minted(NOW), source=b"a\0b\xff", to=b"\x01")])
    (found,) = database.find(Query(account="demo"))
    assert (found.source, found.destination) == ("a\ufffdb\xff", "\x01")


def test_a_batch_with_a_mistake_leaves_nothing_and_the_next_one_is_written(database: Database) -> None:
    bad: Note = (NOW, minted(NOW, 1), int(Kind.LATER), (object(),))
    with pytest.raises(TypeError):
        database.write([accepted(minted(NOW)), bad])
    assert database.find(Query(account="demo")) == []
    database.write([accepted(minted(NOW, 2))])
    assert len(database.find(Query(account="demo"))) == 1


def test_what_is_too_old_goes_with_its_events(database: Database) -> None:
    database.write([*story(minted(NOW - 86400.0 * 31)), *story(minted(NOW))])
    assert database.prune(NOW - 86400.0 * 30) == 1
    (found,) = database.find(Query(id="4F21"))
    assert (int(found.id, 16), len(found.events)) == (minted(NOW), 5)


def test_events_without_their_message_do_no_harm(database: Database) -> None:
    database.write([(NOW, minted(NOW), int(Kind.ENDED), (5, b"000"))])
    assert database.find(Query(id=f"{minted(NOW):016x}")) == []


def test_messages_from_handsets_are_left_out_before_the_limit_counts(database: Database) -> None:
    mo = ("demo", b"8190", b"12345", 0, 2, b"hi", "up")
    database.write([*story(minted(NOW)), *[(NOW, minted(NOW, n), int(Kind.MO), mo) for n in range(1, 30)]])
    assert [each.mo for each in database.find(Query(number="8190", mo=False, limit=5))] == [False]
    assert all(each.mo for each in database.find(Query(number="8190", mo=True, limit=100)))


def test_the_first_moment_of_all_is_a_bound_like_any_other(database: Database) -> None:
    database.write(story(minted(NOW)))
    assert database.find(Query(until=0.0)) == []
    assert len(database.find(Query(since=0.0))) == 1


def test_our_id_comes_before_newer_ones_whose_upstream_said_the_same(database: Database) -> None:
    ours = f"{minted(NOW):016x}"
    sent = (NOW, minted(NOW, 1), int(Kind.SENT), (b"up", (ours.encode(),), 1))
    database.write([accepted(minted(NOW)), accepted(minted(NOW, 1)), sent])
    assert [each.id for each in database.find(Query(id=ours, limit=1))] == [ours]
