"""What is set aside is shown page by page, each record once."""

from types import SimpleNamespace
from typing import Any

from routing.message import SetAside, key_of
from smppgw.admin.shelf import Shelf
from tests.smppgw.bench import Bench
from tests.smppgw.jumping import jumping


def shelf(bench: Bench, ids: tuple[int, ...], account: str = "esme") -> Shelf:
    """With these on it, set aside in this order."""
    for id in ids:
        bench.pipeline.returns.shelf[id] = None
        bench.pipeline.journal.turn.batch[key_of(id)] = SetAside(0.0, account, "why", b"?").pack()
    running: Any = SimpleNamespace(pipeline=bench.pipeline)
    return Shelf(running)


@jumping
async def test_pages_show_each_record_once_in_whatever_order_they_were_set_aside() -> None:
    found = shelf(Bench(), (5, 2, 9, 3))
    seen, after = [], ""
    while True:
        page = found.list(after=after, limit=1, account="", sees=lambda account: True)
        seen += [int(each.id, 16) for each in page.records]
        after = page.next
        if not after:
            break
    assert seen == [2, 3, 5, 9]


@jumping
async def test_who_sees_some_accounts_learns_nothing_of_how_much_of_others_is_there() -> None:
    bench = Bench()
    shelf(bench, (1, 2), "other")
    found = shelf(bench, (3,))
    page = found.list(after="", limit=1, account="", sees=lambda account: account == "esme")
    assert (page.total, [each.account for each in page.records]) == (1, ["esme"])
    assert found.list(after="", limit=1, account="", sees=None).total == 3
