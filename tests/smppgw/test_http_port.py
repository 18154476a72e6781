"""The API as the gateway has it: keys and callbacks follow the config."""

from typing import Any

import httpx

from protocol.pdus import SubmitSm, encode_submit
from smppgw import config
from smppgw.accounts import beside
from smppgw.config import Config
from smppgw.http.port import ApiPort
from tests.smppgw.bench import Bench, Esme, Said
from tests.smppgw.jumping import jumping, settle
from tests.smppgw.test_http_desk import Standing

KEY = {"key": "secret", "accounts": ["esme"], "callback": "http://127.0.0.1:9/", "callback_secret": "s"}
MO = SubmitSm(source_addr=b"447700900001", destination_addr=b"12345", short_message=b"Hi")


def settings(**keys: Any) -> Config:
    return config.parse(
        {
            "accounts": {"esme": {"password": "secret"}, "relay": {"password": "secret"}},
            "connectors": {"up": {"host": "a", "port": 2775, "system_id": "us", "password": "x"}},
            "routes": [{"name": "all", "to": "up"}],
            "mo_routes": [{"account": "esme"}],
            "api": {"port": 1, "keys": keys},
        }
    )


def port(bench: Bench, found: Config) -> tuple[ApiPort, Any]:
    standing: Any = Standing(bench)
    standing.settings = found
    made = ApiPort(standing)
    made.attach(found)
    return made, standing


def bring(bench: Bench) -> None:
    bench.pipeline.returns.bring(bench.account, "up", (encode_submit(MO),), Said())


@jumping
async def test_messages_from_handsets_follow_the_key_that_wants_them_and_come_back_to_the_binds() -> None:
    bench = Bench()
    esme = Esme(bench.account)
    found, standing = port(bench, settings(shop=KEY | {"inbound": True}))
    callbacks = bench.pipeline.accounts.owner(beside("esme"))
    bring(bench)
    await settle()
    assert (len(esme.got), len(callbacks.outbox)) == (0, 1)
    for keys in ({"shop": KEY}, {}):
        other = settings(**keys)
        found.attach(other)
        standing.settings = other
        bring(bench)
    await settle()
    assert (len(esme.got), len(callbacks.outbox)) == (2, 1)
    await found.close()


@jumping
async def test_callbacks_wait_as_the_account_says_and_nobody_binds_as_them() -> None:
    bench = Bench()
    given = settings(shop=KEY)
    found, _ = port(bench, given)
    callbacks = bench.pipeline.accounts.owner(beside("esme"))
    wanted = given.accounts["esme"]
    assert callbacks.settings.deliver_retry == wanted.deliver_retry
    assert not callbacks.settings.verifies(b"secret")
    assert not callbacks.settings.verifies(b"")
    assert bench.account.callbacks is callbacks
    assert bench.relay.callbacks is None
    await found.close()


@jumping
async def test_callbacks_that_waited_for_a_key_are_made_when_a_reload_brings_it() -> None:
    before = Bench()
    first, _ = port(before, settings(shop=KEY | {"inbound": True}))
    bring(before)
    await settle()
    bench = Bench(before.killed())
    found, _ = port(bench, settings())
    waiting = bench.pipeline.accounts.owner(beside("esme")).outbox.waiting
    assert len(waiting) == 1
    found.attach(settings(shop=KEY))
    await settle()
    assert not waiting
    await first.close()
    await found.close()


@jumping
async def test_keys_are_those_of_the_last_config() -> None:
    bench = Bench()
    found, standing = port(bench, settings(shop=KEY))
    web = httpx.AsyncClient(transport=httpx.ASGITransport(found.app), base_url="http://api")

    async def status(secret: str) -> int:
        headers = {"Authorization": f"Bearer {secret}"}
        answer = await web.post("/v1/messages/preview", json={"text": "x"}, headers=headers)
        return answer.status_code

    assert (await status("secret"), await status("other")) == (200, 401)
    other = settings(shop=KEY | {"key": "other"})
    found.attach(other)
    standing.settings = other
    assert (await status("secret"), await status("other")) == (401, 200)
    await found.close()
