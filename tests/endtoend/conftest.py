"""The gateway as a process of its own, an SMSC behind it and ESMEs before it, for every test anew."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from smppgw.simulate.options import Options
from smppgw.simulate.smsc import Smsc
from tests.endtoend.esme import Esme
from tests.endtoend.running import Running
from tests.kit import Config, relay_config

Serve = Callable[..., Awaitable[Running]]
"""serve(config, *connectors): the gateway, once these connectors are bound."""

Relay = Callable[..., Awaitable[Running]]
"""relay(smsc, **tables): the gateway with one account and one connector, once it is bound."""

Join = Callable[..., Awaitable[Esme]]
"""join(gateway, mode, system_id, password, version): an ESME, once it is bound."""

Simulate = Callable[..., Awaitable[Smsc]]
"""simulate(**options): an SMSC."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.endtoend)


@pytest.fixture
async def simulate() -> AsyncIterator[Simulate]:
    started: list[Smsc] = []

    async def simulate(**options: Any) -> Smsc:
        smsc = await Smsc(Options(**options)).__aenter__()
        started.append(smsc)
        return smsc

    yield simulate
    for smsc in started:
        await smsc.__aexit__(None, None, None)


def keep_deliveries(smsc: Smsc) -> None:
    """It answers submits, but what it has for the gateway waits until it resumes."""
    smsc.desk.mailbox("gateway").holding = True


@pytest.fixture
async def smsc(simulate: Simulate) -> Smsc:
    return await simulate()


@pytest.fixture
async def serve(simulate: Simulate, tmp_path: Path) -> AsyncIterator[Serve]:
    started: list[Running] = []

    async def serve(config: Config, *bound: str) -> Running:
        directory = tmp_path / str(len(started))
        directory.mkdir()
        running = Running(directory, config)
        started.append(running)
        return await running.start(*bound)

    yield serve
    for running in started:
        running.gateway.__exit__(None, None, None)


@pytest.fixture
async def relay(serve: Serve) -> Relay:
    async def relay(smsc: Smsc, **over: Any) -> Running:
        return await serve(relay_config(smsc.port, **over), "up")

    return relay


@pytest.fixture
async def join(serve: Serve) -> AsyncIterator[Join]:
    joined: list[Esme] = []

    async def join(gateway: Running, *bind: Any, **more: Any) -> Esme:
        esme = await Esme.connect(gateway.port)
        joined.append(esme)
        answer = await esme.bind(*bind, **more)
        assert answer.status == 0, f"bind refused with status 0x{answer.status:02X}"
        return esme

    yield join
    for esme in joined:
        esme.cut()
        await esme.gone()


@pytest.fixture
async def connect(serve: Serve) -> AsyncIterator[Callable[[int], Awaitable[Esme]]]:
    """An ESME that is not bound yet."""
    opened: list[Esme] = []

    async def connect(port: int) -> Esme:
        opened.append(await Esme.connect(port))
        return opened[-1]

    yield connect
    for esme in opened:
        esme.cut()
        await esme.gone()
