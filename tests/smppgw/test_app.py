"""The gateway put together: what it serves, what a reload changes, and how it ends."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from protocol import pdus, tlv
from protocol.consts import Command, Status
from protocol.pdus import SubmitSm
from routing import said
from routing.message import key_of
from smppgw import config
from smppgw.app import TICK, App, clusters, open_store, tlv_of
from smppgw.carriers.connector import CarrierConnector
from smppgw.carriers.contract import Mo
from smppgw.ports import free_port
from smppgw.settings import StoreConfig
from smppgw.store.lmdb import LmdbStore
from smppgw.store.memory import MemoryStore
from tests.smppgw.bench import Said
from tests.smppgw.door import Peer
from tests.smppgw.jumping import advance, jumping, until
from tests.smppgw.test_smpp_connector import receipt
from tests.smppgw.upstream import Upstream

BODY = pdus.encode_submit(SubmitSm(source_addr=b"12345", destination_addr=b"44", short_message=b"hello"))
RECEIPTED = pdus.encode_submit(
    SubmitSm(source_addr=b"12345", destination_addr=b"44", registered_delivery=1, short_message=b"hello")
)

BASE = """
[store]
engine = "memory"
[log]
access = ""
[http]
port = 0
[[listeners]]
host = "127.0.0.1"
port = 0
[accounts.esme]
password = "secret"
"""


def connector(name: str, port: int, more: str = "") -> str:
    keys = f'host = "127.0.0.1"\nport = {port}\nsystem_id = "{name}"\npassword = "secret"\nrebind = [1.0]'
    return f"[connectors.{name}]\n{keys}\n{more}\n"


def route(to: str, more: str = "") -> str:
    return f'[[routes]]\nname = "all"\nto = "{to}"\n{more}\n'


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    """A gateway tunes the collector for its own process."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


def made(path: Path, text: str) -> App:
    path.write_text(text)
    return App(config.load(path), path)


@asynccontextmanager
async def serving(path: Path, text: str) -> AsyncIterator[App]:
    app = made(path, text)
    running = asyncio.ensure_future(app.run())
    await until(lambda: not app.unready() or running.done())
    try:
        yield app
    finally:
        app.stop()
        assert await running == 0


def rewrite(app: App, text: str) -> None:
    app.path.write_text(text)
    app.reload()


@jumping
async def test_a_submit_goes_in_at_one_end_and_out_at_the_other(tmp_path: Path) -> None:
    async with Upstream() as smsc:
        text = BASE + connector("c", smsc.port) + route("c")
        async with serving(tmp_path / "c.toml", text) as app, Peer(app.listeners.ports[0]) as peer:
            await until(lambda: app.targets["c"].up)
            await peer.bind()
            assert (await peer.ask(Command.SUBMIT_SM, BODY))[1] == Status.ROK
            await until(lambda: smsc.numbers == [b"44"])
            smsc.accept(b"a")
            await until(lambda: not app.pipeline.queued)


@jumping
async def test_the_end_answers_and_unbinds_everybody(tmp_path: Path) -> None:
    async with Upstream() as smsc:
        text = BASE + connector("c", smsc.port) + route("c")
        app = made(tmp_path / "c.toml", text)
        running = asyncio.ensure_future(app.run())
        await until(lambda: not app.unready() and app.targets["c"].up)
        async with Peer(app.listeners.ports[0]) as peer:
            await peer.bind()
            await peer.ask(Command.SUBMIT_SM, BODY)
            await until(lambda: smsc.asked)
            app.stop()
            await until(lambda: any(command == Command.UNBIND for command, *_ in peer.came))
            assert app.unready() == ["starting or stopping"]
            smsc.accept(b"a")
            sequence = next(sequence for command, _, sequence, _ in peer.came if command == Command.UNBIND)
            peer.send(Command.UNBIND_RESP, sequence=sequence)
            await until(lambda: peer.closed and not smsc.links)
        assert await running == 0
        assert not app.pipeline.queued


@jumping
async def test_the_end_does_not_wait_for_ever(tmp_path: Path) -> None:
    async with Upstream() as smsc:
        text = BASE + "[gateway]\ndrain = 5.0\n" + connector("c", smsc.port) + route("c")
        async with serving(tmp_path / "c.toml", text) as app:
            await until(lambda: app.targets["c"].up)
            async with Peer(app.listeners.ports[0]) as peer:
                await peer.bind()
                await peer.ask(Command.SUBMIT_SM, BODY)
                await until(lambda: smsc.asked)
                app.stop()
                await advance(4)
                assert not peer.closed
                await advance(2)
                await until(lambda: peer.closed)


class Failing:
    """Whatever has timers, with a bug."""

    over = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.looks = 0

    def tick(self) -> None:
        self.looks += 1
        raise ValueError(self.name)


@jumping
async def test_a_timer_that_fails_is_said_and_stops_no_other(tmp_path: Path) -> None:
    link, connector, retired, target = map(Failing, ("a link", "one", "two", "three"))
    async with serving(tmp_path / "c.toml", BASE) as app:
        parts: Any = app
        parts.links.add(link)
        parts.connectors["one"], parts.targets["three"] = connector, target
        parts._retired.append(retired)
        app.pipeline.ledger.waiting[1] = b"cut short"
        with capture_logs() as events:
            await advance(10 * TICK)
        parts.links.clear()
        parts.connectors.clear()
        parts.targets.clear()
        parts._retired.clear()
        assert min(each.looks for each in (link, connector, retired, target)) >= 9
        said = [event["of"] for event in events if event["event"] == "a timer failed"]
        assert said == ["link", "connector one", "connector two", "target three", "what waits too long"]


@jumping
async def test_a_port_that_is_taken_ends_the_start(tmp_path: Path) -> None:
    async with Upstream() as smsc:
        app = made(tmp_path / "c.toml", BASE.replace("port = 0\n[accounts", f"port = {smsc.port}\n[accounts"))
        assert await app.run() == 1


@jumping
async def test_a_reload_keeps_what_it_does_not_change(tmp_path: Path) -> None:
    async with Upstream() as smsc:
        text = BASE + connector("c", smsc.port) + route("c")
        async with serving(tmp_path / "c.toml", text) as app, Peer(app.listeners.ports[0]) as peer:
            await until(lambda: app.targets["c"].up)
            await peer.bind()
            rewrite(app, text + '[accounts.other]\npassword = "secret"\n')
            await advance(3)
            assert (await peer.ask(Command.SUBMIT_SM, BODY))[1] == Status.ROK
            await until(lambda: smsc.asked)
            assert smsc.connections == 1
            smsc.accept(b"a")
            async with Peer(app.listeners.ports[0]) as other:
                assert (await other.bind(b"other"))[0] == Status.ROK


@jumping
async def test_a_bad_config_changes_nothing(tmp_path: Path) -> None:
    async with Upstream() as smsc:
        text = BASE + connector("c", smsc.port) + route("c")
        async with serving(tmp_path / "c.toml", text) as app:
            before = app.settings
            rewrite(app, text + "[nonsense]\n")
            rewrite(app, "not TOML")
            assert app.settings is before
            assert list(app.connectors) == ["c"]


@jumping
async def test_an_account_that_is_gone_is_unbound(tmp_path: Path) -> None:
    async with Upstream() as smsc:
        text = BASE + connector("c", smsc.port) + route("c")
        async with serving(tmp_path / "c.toml", text) as app, Peer(app.listeners.ports[0]) as peer:
            await peer.bind()
            rewrite(app, text.replace("[accounts.esme]", "[accounts.other]"))
            await until(lambda: any(command == Command.UNBIND for command, *_ in peer.came))
            async with Peer(app.listeners.ports[0]) as again:
                sequence = again.send(
                    Command.BIND_TRANSCEIVER, pdus.encode(Command.BIND_TRANSCEIVER, pdus.Bind(b"esme", b"secret"))
                )
                await advance(1.5)
                await until(lambda: again.answer_to(sequence))
                answer = again.answer_to(sequence)
                assert answer is not None
                assert answer[1] == Status.RINVSYSID


@jumping
async def test_messages_of_a_connector_that_is_gone_take_the_new_route(tmp_path: Path) -> None:
    async with Upstream() as gone:
        port = gone.port
    async with Upstream() as smsc:
        text = BASE + connector("old", port) + route("old")
        async with serving(tmp_path / "c.toml", text) as app, Peer(app.listeners.ports[0]) as peer:
            await peer.bind()
            await peer.ask(Command.SUBMIT_SM, BODY)
            rewrite(app, BASE + connector("new", smsc.port) + route("new"))
            await until(lambda: smsc.numbers == [b"44"])
            smsc.accept(b"a")
            await until(lambda: not app.pipeline.queued)


@jumping
async def test_a_changed_connector_is_bound_anew_and_waits_for_its_answers(tmp_path: Path) -> None:
    async with Upstream() as smsc:
        text = BASE + connector("c", smsc.port) + route("c")
        async with serving(tmp_path / "c.toml", text) as app, Peer(app.listeners.ports[0]) as peer:
            await until(lambda: app.targets["c"].up)
            await peer.bind()
            await peer.ask(Command.SUBMIT_SM, BODY)
            await until(lambda: smsc.asked)
            rewrite(app, BASE + connector("c", smsc.port, "window = 7") + route("c"))
            await until(lambda: app.targets["c"].up)
            assert len(smsc.links) == 2
            smsc.accept(b"a")
            await until(lambda: len(smsc.links) == 1)
            assert not app.pipeline.queued
            assert app.connectors["c"].settings.window == 7


@jumping
async def test_a_receipt_of_what_a_changed_connector_sent_is_known_also_early_or_in_decimal(tmp_path: Path) -> None:
    for early in (True, False):
        async with Upstream() as smsc:
            texts = [BASE + connector("c", smsc.port, f"window = {window}") + route("c") for window in (5, 6, 7)]
            async with serving(tmp_path / "c.toml", texts[0]) as app, Peer(app.listeners.ports[0]) as peer:
                await until(lambda: app.targets["c"].up)
                rewrite(app, texts[1])
                await advance(3)
                await peer.bind()
                await peer.ask(Command.SUBMIT_SM, RECEIPTED)
                await until(lambda: smsc.asked)
                if not early:
                    smsc.accept(b"1A2B3C")
                    await until(lambda: not app.pipeline.queued)
                rewrite(app, texts[2])
                await until(lambda: app.targets["c"].up)
                smsc.deliver(receipt(b"1A2B3C" if early else b"%d" % 0x1A2B3C))
                await advance(3)
                if early:
                    smsc.accept(b"1A2B3C")
                await until(peer.delivered)


@jumping
async def test_a_changed_group_keeps_the_binds_of_its_members(tmp_path: Path) -> None:
    async with Upstream() as smsc:
        members = connector("a", smsc.port) + connector("b", smsc.port)
        one = '[groups.g]\nactive = ["a", "b"]\n'
        two = '[groups.g]\nactive = ["a"]\nbackup = ["b"]\n[groups.h]\nactive = ["b"]\n'
        text = BASE + members + one + route("g")
        async with serving(tmp_path / "c.toml", text) as app:
            await until(lambda: app.connectors["a"].up and app.connectors["b"].up)
            rewrite(app, BASE + members + two + route("g"))
            await advance(5)
            assert app.connectors["a"].up
            assert app.connectors["b"].up
            assert smsc.connections == 2
            assert app.targets["g"].up


@jumping
async def test_a_pool_that_a_reload_does_not_change_knows_how_often_its_senders_were_used(tmp_path: Path) -> None:
    async with Upstream() as smsc:
        members = 'sticky = false\nmembers = ["+815012340000", "+815012340001"]\n'
        pool, other = f"[senders.shop]\n{members}", f"[senders.other]\n{members}"
        text = BASE + connector("c", smsc.port) + route("c", 'senders = "shop"') + pool
        async with serving(tmp_path / "c.toml", text + other) as app, Peer(app.listeners.ports[0]) as peer:
            await until(lambda: app.targets["c"].up)
            await peer.bind()
            body = pdus.encode_submit(SubmitSm(destination_addr=b"81", short_message=b"hello"))
            assert (await peer.ask(Command.SUBMIT_SM, body))[1] == Status.ROK
            rewrite(app, text + other + '[accounts.more]\npassword = "x"\n')
            assert sum(member.used for member in app.pools["shop"].members) == 1
            assert (await peer.ask(Command.SUBMIT_SM, body))[1] == Status.ROK
            assert [member.used for member in app.pools["shop"].members] == [1, 1]
            rewrite(app, text.replace("340001", "340002"))
            assert [member.used for member in app.pools["shop"].members] == [0, 0]
            assert list(app.pools) == ["shop"]
            await until(lambda: len(smsc.asked) == 2)
            smsc.accept(b"a")
            smsc.accept(b"b")


def test_connectors_of_one_group_and_of_one_smsc_are_one_cluster(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    same = connector("c", 4002).replace('system_id = "c"', 'system_id = "b"')
    path.write_text(BASE + connector("a", 4001) + connector("b", 4002) + same + '[groups.g]\nactive = ["a", "b"]\n')
    found = [set(cluster) for cluster in clusters(config.load(path))]
    assert {"a", "b"} in found
    assert {"b", "c"} in found


def test_the_engine_is_that_of_the_config(tmp_path: Path) -> None:
    assert isinstance(open_store(StoreConfig(engine="memory")), MemoryStore)
    assert isinstance(open_store(StoreConfig(path=str(tmp_path / "data"))), LmdbStore)


def test_routes_find_an_optional_parameter_of_a_body() -> None:
    body = pdus.encode_submit(SubmitSm(destination_addr=b"1", tlvs=tlv.encode([(0x1400, b"v")])))
    assert (tlv_of(body, 0x1400), tlv_of(body, 0x1401)) == (b"v", None)


# HTTPS carriers


def carrier(name: str, port: int = 1, more: str = "") -> str:
    keys = f'kind = "vonage"\nurl = "http://127.0.0.1:{port}"\napi_key = "k"\napi_secret = "s"\nsender = "Acme"'
    return f"[connectors.{name}]\n{keys}\n{more}\n"


GROUP = '[groups.all]\nactive = ["up"]\nbackup = ["web"]\nbackup_after = "3s"\nhand_back_after = "5s"\n'


@jumping
async def test_a_carrier_that_is_a_backup_is_up_when_its_group_wants_it_and_not_before(tmp_path: Path) -> None:
    async with Upstream() as upstream:
        text = BASE + connector("up", upstream.port) + carrier("web") + GROUP + route("all")
        async with serving(tmp_path / "gateway.toml", text) as app:
            await until(lambda: app.connectors["up"].up)
            assert not app.connectors["web"].up
            await advance(30)
            assert not app.connectors["web"].up


@jumping
async def test_a_carrier_is_a_backup_only_after_the_wait_of_its_group(tmp_path: Path) -> None:
    text = BASE + connector("up", free_port()) + carrier("web") + GROUP + route("all")
    async with serving(tmp_path / "gateway.toml", text) as app:
        up = []
        for _ in range(8):
            up.append(app.connectors["web"].up)
            await advance(1)
        assert up[:2] == [False] * 2
        assert app.connectors["web"].up
        assert app.targets["all"].up


@jumping
async def test_a_carrier_that_a_route_names_is_up_at_once_and_after_a_reload(tmp_path: Path) -> None:
    async with serving(tmp_path / "gateway.toml", BASE + carrier("web") + route("web")) as app:
        before = app.connectors["web"]
        assert before.up
        rewrite(app, BASE + carrier("web", more="window = 7") + route("web"))
        after = app.connectors["web"]
        assert after is not before
        assert [before.up, after.up, app.targets["web"].up] == [False, True, True]
        rewrite(app, BASE + carrier("web", more="window = 7") + carrier("other", 2) + route("other"))
        assert [app.connectors["web"] is after, app.targets["web"].shy] == [True, True]


@jumping
async def test_what_a_handset_said_is_known_again_by_its_carrier_and_forgotten_with_it(tmp_path: Path) -> None:
    app = made(tmp_path / "gateway.toml", BASE + carrier("web") + route("web"))
    kept, left = key_of(1), key_of(2)
    app.store.open()
    await app.store.commit({kept: said.pack(b"web", b"mo-1"), left: said.pack(b"gone", b"mo-1")})
    app.store.close()
    running = asyncio.ensure_future(app.run())
    await until(lambda: not app.unready())
    web, again = app.connectors["web"], Said()
    assert isinstance(web, CarrierConnector)
    web.hearing.hear((Mo(b"mo-1", "819011112222", "15017122661", "yes"),), again)
    assert again.status == Status.ROK
    app.pipeline.journal.urgent()
    await advance(0.1)
    assert [key for key, _ in app.store.scan()] == [kept]
    app.stop()
    assert await running == 0


def test_receipts_of_a_carrier_are_not_looked_for_among_those_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    group = '[groups.all]\nactive = ["up", "down"]\nbackup = ["web", "web2"]\n'
    path.write_text(
        BASE + connector("up", 1) + connector("down", 2) + carrier("web") + carrier("web2", 2) + group + route("all")
    )
    assert list(clusters(config.load(path)))[:2] == [["up", "down"], ["web", "web2"]]
