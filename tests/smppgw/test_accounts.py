"""An account keeps what it has through a reload, and through its end."""

import asyncio

from protocol.consts import Status
from smppgw.accounts import Accounts
from smppgw.delays import Delays
from smppgw.settings import Account
from tests.smppgw.bench import Esme
from tests.smppgw.jumping import EPOCH, epoch, jumping
from tests.smppgw.test_outbox import Records


def accounts(*settings: Account) -> Accounts:
    made = Accounts(Records(), Delays(asyncio.get_running_loop()), epoch)
    made.change(settings)
    return made


@jumping
async def test_an_account_of_the_config_is_known_and_any_other_is_not() -> None:
    here = accounts(Account(name="a"))
    found = here.known("a")
    assert found is not None
    assert found.name == "a"
    assert here.known("b") is None


@jumping
async def test_the_account_of_a_record_is_there_but_cannot_bind() -> None:
    here = accounts()
    owner = here.owner("old")
    assert owner is here.owner("old")
    assert owner.removed
    assert here.known("old") is None


@jumping
async def test_a_reload_keeps_links_and_queues_and_takes_the_new_settings() -> None:
    here = accounts(Account(name="a", window=1))
    account = here.owner("a")
    link = Esme(account)
    account.queued = 5
    gone = here.change([Account(name="a", window=2)])
    assert gone == []
    assert here.known("a") is account
    assert (account.settings.window, account.outbox.settings.window) == (2, 2)
    assert (account.links, account.queued) == ([link], 5)


@jumping
async def test_a_reload_says_which_accounts_it_ends_and_says_it_once() -> None:
    here = accounts(Account(name="a"), Account(name="b"))
    b = here.owner("b")
    assert here.change([Account(name="a")]) == [b]
    assert here.known("b") is None
    assert here.owner("b") is b
    assert here.change([Account(name="a")]) == []


@jumping
async def test_an_account_may_come_back() -> None:
    here = accounts(Account(name="a"))
    account = here.owner("a")
    here.change([])
    here.change([Account(name="a")])
    assert here.known("a") is account


@jumping
async def test_a_reload_gives_no_new_burst_unless_the_rate_is_another() -> None:
    here = accounts(Account(name="a", rate=1.0, burst=1.0))
    account = here.owner("a")
    assert account.admission.check(b"1", b"2", False, EPOCH) is None
    here.change([Account(name="a", rate=1.0, burst=1.0, window=5)])
    assert account.admission.check(b"1", b"2", False, EPOCH) == Status.RTHROTTLED
    here.change([Account(name="a", rate=2.0, burst=2.0)])
    assert account.admission.check(b"1", b"2", False, EPOCH) is None


@jumping
async def test_a_reload_changes_who_may_be_the_sender() -> None:
    here = accounts(Account(name="a"))
    account = here.owner("a")
    assert account.admission.check(b"SHOP", b"2", False, EPOCH) is None
    here.change([Account(name="a", sources=("BANK",))])
    assert account.admission.check(b"SHOP", b"2", False, EPOCH) == Status.RINVSRCADR
