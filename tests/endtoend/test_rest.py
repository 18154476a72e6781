"""A message by REST to an SMSC, and its receipt back as a signed callback: the real process, and a kill of it."""

import asyncio
import json
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from protocol import tlv
from protocol.consts import EsmClass, Status
from protocol.pdus import SubmitSm
from smppgw.ports import free_port
from smppgw.simulate.smsc import Smsc
from tests.endtoend.conftest import Join, Relay, Simulate
from tests.endtoend.esme import Esme
from tests.endtoend.running import Running
from tests.kit import PATIENCE, ROOT

SECRET = "a secret of callbacks"
JSON = {"Content-Type": "application/json"}
SEND, READ = "key-of-the-shop", "key-of-the-reader"


class App:
    """The application that callbacks go to."""

    def __init__(self) -> None:
        self.port = free_port()
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self._runner: web.AppRunner | None = None
        self._news = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def open(self) -> None:
        app = web.Application()
        app.router.add_post("/hook", self._hook)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _hook(self, request: web.Request) -> web.Response:
        body = await request.read()
        async with self._news:
            self.got.append((dict(request.headers), body))
            self._news.notify_all()
        return web.Response(status=self.status)

    async def wait(self, count: int = 1) -> list[dict[str, Any]]:
        """The bodies, once that many came; each is signed."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: len(self.got) >= count)
        for headers, body in self.got:
            assert verifier()(SECRET, headers["Smppgw-Signature"], body, time.time())
        return [json.loads(body) for _, body in self.got]


def verifier() -> Callable[[str, str, bytes, float], bool]:
    """The example of docs/api.md, as it stands there."""
    page = (ROOT / "docs" / "api.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?def is_ours.*?)^```$", page, re.MULTILINE | re.DOTALL)
    space: dict[str, Any] = {}
    exec(code, space)
    found: Callable[[str, str, bytes, float], bool] = space["is_ours"]
    return found


@pytest.fixture
async def app() -> AsyncIterator[App]:
    app = App()
    await app.open()
    yield app
    await app.close()


def tables(app: App, **over: Any) -> dict[str, Any]:
    key = {
        "key": SEND, "roles": ["send", "read"], "accounts": ["esme"], "callback": app.url,
        "callback_secret": SECRET, **over,
    }  # fmt: skip
    return {
        "api": {
            "port": free_port(),
            "keys": {"shop": key, "desk": {"key": READ, "roles": ["read"]}},
        }
    }


def client(gateway: Running, key: str = SEND) -> httpx.AsyncClient:
    port = gateway.gateway.config["api"]["port"]
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"})


async def endless() -> AsyncIterator[bytes]:
    """A body that does not say how long it is."""
    for _ in range(40):
        yield b" " * 65536


ORDER = {"to": "+447700900001", "from": "12345", "text": "Hello @ world", "reference": "order-17"}


async def test_a_message_goes_out_and_its_receipt_comes_to_the_callback(relay: Relay, smsc: Smsc, app: App) -> None:
    gateway = await relay(smsc, **tables(app))
    async with client(gateway) as rest:
        answer = await rest.post("/v1/messages", json=ORDER)
        assert answer.status_code == 202, answer.text
        taken = answer.json()
        assert re.fullmatch("[0-9a-f]{16}", taken["id"])
        (said,) = await app.wait()
        assert (said["event"], said["id"], said["status"]) == ("receipt", taken["id"], "delivered")
        assert (said["reference"], said["from"], said["to"]) == ("order-17", "12345", "+447700900001")
        assert said["final"] is True
        state = (await rest.get(taken["links"]["self"])).json()
    assert (state["status"], state["final"], state["reference"]) == ("delivered", True, "order-17")
    (pdu,) = smsc.received
    assert (pdu.destination_addr, pdu.dest_addr_ton, pdu.short_message) == (b"447700900001", 1, b"Hello \0 world")
    assert pdu.registered_delivery == 1


async def test_a_callback_that_is_owed_comes_after_a_kill(relay: Relay, smsc: Smsc, app: App) -> None:
    await app.close()
    gateway = await relay(smsc, **tables(app))
    async with client(gateway) as rest:
        id = (await rest.post("/v1/messages", json=ORDER)).json()["id"]
    await gateway.expect("callback failed", 1)
    await gateway.kill()
    await app.open()
    await gateway.start("up")
    (said,) = await app.wait()
    assert (said["id"], said["status"], said["reference"]) == (id, "delivered", "order-17")


async def test_a_callback_that_is_refused_comes_again_and_says_so(relay: Relay, smsc: Smsc, app: App) -> None:
    app.status = 500
    gateway = await relay(smsc, **tables(app))
    async with client(gateway) as rest:
        await rest.post("/v1/messages", json=ORDER)
    await app.wait(1)
    app.status = 204
    await app.wait(2)
    (first, one), (second, two) = app.got
    assert one == two
    assert first["Smppgw-Delivery"] == second["Smppgw-Delivery"]


async def test_a_callback_that_was_set_aside_comes_when_a_person_says_so(relay: Relay, smsc: Smsc, app: App) -> None:
    app.status = 410
    over = tables(app)
    over["api"]["keys"]["person"] = {"key": "of-a-person", "roles": ["operate"], "accounts": ["esme"]}
    gateway = await relay(smsc, **over)
    async with client(gateway) as rest:
        id = (await rest.post("/v1/messages", json=ORDER)).json()["id"]
        await gateway.expect("set aside", account="esme@api")
        state = (await rest.get(f"/v1/messages/{id}")).json()
        assert (state["status"], state["callback_owed"]) == ("delivered", True)
    assert len(app.got) == 1
    app.status = 200
    async with client(gateway, "of-a-person") as person:
        (aside,) = (await person.get("/v1/admin/set-aside")).json()["records"]
        answer = await person.post(f"/v1/admin/set-aside/{aside['id']}/release", json={})
        assert answer.status_code == 200, answer.text
    first, again = await app.wait(2)
    assert first == again


async def test_the_same_idempotency_key_sends_nothing_again_even_after_a_kill(
    relay: Relay, smsc: Smsc, app: App
) -> None:
    gateway = await relay(smsc, **tables(app))
    headers = {"Idempotency-Key": "order-17"}
    async with client(gateway) as rest:
        first = await rest.post("/v1/messages", json=ORDER, headers=headers)
        again = await rest.post("/v1/messages", json=ORDER, headers=headers)
        other = await rest.post("/v1/messages", json=ORDER | {"text": "another"}, headers=headers)
        assert (first.status_code, again.status_code, other.status_code) == (202, 202, 409)
        assert first.json() == again.json()
        assert again.headers["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first.headers
        assert other.headers["Content-Type"] == "application/problem+json"
        await app.wait()
    await gateway.kill()
    await gateway.start("up")
    async with client(gateway) as rest:
        after = await rest.post("/v1/messages", json=ORDER, headers=headers)
    assert after.json() == first.json()
    assert len(smsc.received) == 1


async def test_the_same_request_at_the_same_time_is_one_message(relay: Relay, smsc: Smsc, app: App) -> None:
    gateway = await relay(smsc, **tables(app))
    async with client(gateway) as rest:
        answers = await asyncio.gather(
            *(rest.post("/v1/messages", json=ORDER, headers={"Idempotency-Key": "one"}) for _ in range(10))
        )
        assert len({answer.json()["id"] for answer in answers}) == 1
        await app.wait()
    assert len(smsc.received) == 1


async def test_messages_of_a_batch_are_answered_each_for_itself(relay: Relay, smsc: Smsc, app: App) -> None:
    gateway = await relay(smsc, **tables(app))
    bad = [
        ORDER | {"to": "+4477009\n00001"}, ORDER | {"to": "+4477" * 9}, ORDER | {"unknown": 1}, {"to": "123"},
        ORDER | {"schedule": "tomorrow"}, ORDER | {"tlvs": {"seventeen": "x"}}, ORDER | {"tlvs": {"0x1400": "hex:0"}},
        ORDER | {"hex": "00"}, ORDER | {"text": "\u20ac" * 20_000}, ORDER | {"callback": "http://elsewhere.example/"},
        ORDER | {"from": "AlphanumericSender"}, ORDER | {"coding": "gsm", "text": "\u3042"},
    ]  # fmt: skip
    fields = ["to", "to", "unknown", "text", "schedule", "tlvs", "tlvs", "hex", "text", "callback", "from", "coding"]
    async with client(gateway) as rest:
        answer = await rest.post("/v1/messages/batch", json={"messages": [ORDER, *bad, ORDER]})
        said = answer.json()
        assert (answer.status_code, said["accepted"], said["refused"]) == (200, 2, len(bad))
        results = said["results"]
        assert [each["status"] for each in results] == [202, *[422] * len(bad), 202]
        assert [each["problem"]["errors"][0]["field"].split(".")[0] for each in results[1:-1]] == fields
        assert results[0]["id"] < results[-1]["id"]
        await app.wait(2)
    assert len(smsc.received) == 2


async def test_what_may_not_be_is_refused_logged_and_harmless(relay: Relay, smsc: Smsc, app: App) -> None:
    gateway = await relay(smsc, **tables(app))

    async def refused(key: str, status: int, **asked: Any) -> dict[str, Any]:
        async with client(gateway, key) as rest:
            answer = await rest.post("/v1/messages", **asked)
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        said: dict[str, Any] = answer.json()
        assert said["status"] == status
        return said

    await refused("wrong", 401, json=ORDER)
    await gateway.expect("api refused", status=401)
    await refused(READ, 403, json=ORDER)
    await gateway.expect("api refused", status=403)
    await refused(SEND, 413, json=ORDER | {"text": "x" * (2 << 20)})
    said = await refused(SEND, 413, content=endless(), headers=JSON)
    assert said["detail"] == "at most 1048576 octets"
    said = await refused(SEND, 422, json=ORDER | {"to": "+447700900001\r\nX: y"})
    assert said["errors"][0]["field"] == "to"
    said = await refused(SEND, 422, json=ORDER | {"from": "a\nb"})
    assert said["errors"][0]["field"] == "from"
    await refused(SEND, 422, content=b"{", headers=JSON)
    await refused(SEND, 422, content=rb'{"to": "1", "text": "\ud800"}', headers=JSON)
    await refused(SEND, 422, content=rb'{"\ud800": 1}', headers=JSON)
    async with client(gateway, READ) as rest:
        assert (await rest.delete("/v1/messages/0000000000000001")).status_code == 403
    async with client(gateway) as rest:
        assert (await rest.post("/v1/messages", json=ORDER)).status_code == 202
    await app.wait()
    assert len(smsc.received) == 1
    assert "X: y" not in gateway.log


async def test_a_scheduled_message_is_cancelled_while_nobody_has_it(relay: Relay, smsc: Smsc, app: App) -> None:
    gateway = await relay(smsc, **tables(app))
    async with client(gateway) as rest:
        order = ORDER | {"schedule": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))}
        where = (await rest.post("/v1/messages", json=order)).json()["links"]["self"]
        assert (await rest.get(where)).json()["status"] == "scheduled"
        gone = await rest.delete(where)
        assert (gone.status_code, gone.json()["status"]) == (200, "deleted")
        (said,) = await app.wait()
        assert said["status"] == "deleted"
        again = await rest.delete(where)
        assert (again.status_code, again.json()["detail"]) == (409, "deleted")
        assert (await rest.delete("/v1/messages/0000000000000001")).status_code == 404
        assert (await rest.get("/v1/messages/0000000000000001")).status_code == 404
    assert not smsc.received


async def test_what_an_upstream_has_cannot_be_cancelled(relay: Relay, simulate: Simulate, app: App) -> None:
    gateway = await relay(await simulate(receipt_delay=60.0), **tables(app))
    async with client(gateway) as rest:
        where = (await rest.post("/v1/messages", json=ORDER)).json()["links"]["self"]
        async with asyncio.timeout(PATIENCE):
            while (state := (await rest.get(where)).json())["status"] != "waiting":  # noqa: ASYNC110  nobody says when
                await asyncio.sleep(0.01)
        assert state["connector"] == "up"
        assert state["upstream_ids"]
        assert (await rest.delete(where)).status_code == 409


async def test_a_long_text_is_one_message_whatever_its_connector_makes_of_it(
    relay: Relay, smsc: Smsc, app: App
) -> None:
    over = {"connectors": {"up": {"long_messages": "udh8"}}}
    gateway = await relay(smsc, **tables(app), **over)
    async with client(gateway) as rest:
        taken = (await rest.post("/v1/messages", json=ORDER | {"text": "x" * 400})).json()
        (said,) = await app.wait()
        preview = (await rest.post("/v1/messages/preview", json={"text": "x" * 400})).json()
    assert said["id"] == taken["id"]
    assert len(said["upstream_ids"]) == 3 == preview["parts"]
    assert [len(pdu.short_message) for pdu in smsc.received] == [159, 159, 100]


async def test_octets_tlvs_and_hints_arrive_as_they_were_given(relay: Relay, smsc: Smsc, app: App) -> None:
    gateway = await relay(smsc, **tables(app))
    async with client(gateway) as rest:
        order = {
            "to": "447700900001", "from": "SHOP", "base64": "AP8=", "udh": "050415810000", "receipt": "none",
            "priority": 1, "service_type": "CMT", "validity": 600, "tlvs": {"0x1400": "hex:0a1b", "5121": 7},
        }  # fmt: skip
        taken = await rest.post("/v1/messages", json=order)
        assert taken.status_code == 202, taken.text
        where = taken.json()["links"]["self"]
        async with asyncio.timeout(PATIENCE):
            while (state := (await rest.get(where)).json())["status"] != "sent":  # noqa: ASYNC110  nobody says when
                await asyncio.sleep(0.01)
        assert state["final"] is True
    (pdu,) = smsc.received
    assert (pdu.short_message, pdu.data_coding, pdu.esm_class) == (bytes.fromhex("05041581000000ff"), 4, EsmClass.UDHI)
    assert (pdu.source_addr, pdu.source_addr_ton, pdu.registered_delivery) == (b"SHOP", 5, 0)
    assert (pdu.priority_flag, pdu.service_type) == (1, b"CMT")
    assert tlv.parse(pdu.tlvs) == {0x1400: b"\x0a\x1b", 0x1401: b"\x07"}
    assert pdu.validity_period
    assert not app.got


async def test_a_binds_receipts_stay_on_the_bind_and_those_of_the_api_do_not_come_there(
    relay: Relay, smsc: Smsc, app: App, join: Join
) -> None:
    gateway = await relay(smsc, **tables(app))
    esme = await join(gateway)
    async with client(gateway) as rest:
        mine = (await rest.post("/v1/messages", json=ORDER)).json()["id"]
        id = await esme.submitted("447700900002", b"by SMPP")
        (receipt,) = await esme.wait_receipts(1)
        (said,) = await app.wait(1)
    assert receipt.id == id
    assert said["id"] == mine


async def test_messages_from_handsets_come_to_the_callback_of_a_key_that_wants_them(
    relay: Relay, smsc: Smsc, app: App
) -> None:
    await relay(smsc, **tables(app, inbound=True))
    octets = "Ja \u2713".encode("utf-16-be")
    pdu = SubmitSm(b"", 1, 1, b"447700900001", 0, 1, b"12345", data_coding=8, short_message=octets)
    smsc.deliver(pdu)
    (said,) = await app.wait()
    assert (said["event"], said["from"], said["to"]) == ("inbound", "+447700900001", "12345")
    assert (said["text"], said["data_coding"], said["connector"]) == ("Ja \u2713", 8, "up")


async def test_nobody_binds_as_the_account_that_callbacks_wait_under(
    relay: Relay, smsc: Smsc, app: App, connect: Callable[[int], Awaitable[Esme]]
) -> None:
    gateway = await relay(smsc, **tables(app))
    esme = await connect(gateway.port)
    answer = await esme.bind("receiver", "esme@api", "secret")
    assert answer.status in (Status.RINVPASWD, Status.RINVSYSID, Status.RBINDFAIL)


async def test_a_pool_gives_a_sender_to_who_has_none(relay: Relay, smsc: Smsc, app: App) -> None:
    over = {
        "senders": {"shop": {"members": ["+447700900123"]}},
        "routes": [{"name": "all", "to": "up", "senders": "shop"}],
    }
    gateway = await relay(smsc, **tables(app), **over)
    async with client(gateway) as rest:
        taken = await rest.post("/v1/messages", json={"to": "+447700900001", "text": "Hello"})
        assert taken.status_code == 202, taken.text
        (said,) = await app.wait()
    assert said["from"] == "+447700900123"


async def test_the_port_speaks_tls_where_it_has_a_certificate(
    relay: Relay, smsc: Smsc, app: App, tmp_path: Path
) -> None:
    pair = {"tls_certificate": str(tmp_path / "api.pem"), "tls_key": str(tmp_path / "api.key")}
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=api", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-out", pair["tls_certificate"], "-keyout", pair["tls_key"]]
    made = await asyncio.create_subprocess_exec(*command, *names, *files, stderr=asyncio.subprocess.DEVNULL)
    assert await made.wait() == 0
    over = tables(app)
    over["api"] |= pair
    gateway = await relay(smsc, **over)
    base = f"https://127.0.0.1:{over['api']['port']}"
    trust = ssl.create_default_context(cafile=pair["tls_certificate"])
    async with httpx.AsyncClient(base_url=base, verify=trust, headers={"X-API-Key": SEND}) as rest:
        assert (await rest.post("/v1/messages", json=ORDER)).status_code == 202
    await app.wait()
    assert gateway.process.running


async def test_keys_change_at_a_reload(relay: Relay, smsc: Smsc, app: App) -> None:
    over = tables(app)
    gateway = await relay(smsc, **over)
    config = gateway.gateway.config
    config["api"]["keys"]["shop"]["key"] = "another"
    await gateway.reload(config)
    async with client(gateway) as rest:
        assert (await rest.post("/v1/messages", json=ORDER)).status_code == 401
    async with client(gateway, "another") as rest:
        assert (await rest.post("/v1/messages", json=ORDER)).status_code == 202
    await app.wait()


async def test_history_tells_of_a_number_and_of_what_the_gateway_forgot(relay: Relay, smsc: Smsc, app: App) -> None:
    gateway = await relay(smsc, **tables(app))
    await gateway.stop()
    path = str(gateway.gateway.directory / "history.db")
    gateway.gateway.config["history"] = {"engine": "sqlite", "path": path}
    await gateway.start("up")
    async with client(gateway) as rest:
        id = (await rest.post("/v1/messages", json=ORDER)).json()["id"]
        await app.wait()
    await gateway.stop()
    await gateway.start("up")
    async with client(gateway) as rest:
        listed = (await rest.get("/v1/messages", params={"number": "+447700900001"})).json()["messages"]
        state = (await rest.get(f"/v1/messages/{id}")).json()
    assert [each["id"] for each in listed] == [id]
    assert (state["status"], state["final"], state["known_from"]) == ("delivered", True, "history")


def test_a_forged_or_old_signature_is_refused() -> None:
    from smppgw.http.signing import sign

    is_ours = verifier()
    body, now = b'{"event":"receipt"}', 1_800_000_000.0
    good = sign(SECRET.encode(), body, now)
    assert is_ours(SECRET, good, body, now + 10)
    assert not is_ours(SECRET, good, body, now + 301)
    assert not is_ours(SECRET, good.replace("t=18", "t=19"), body, now)
    assert not is_ours(SECRET, good, body + b" ", now)
    assert not is_ours("another", good, body, now)
    for junk in ("", "t=,v1=", "t=1", "v1=00,t=x", "t=1,v1=\u00e9", good + ",v1=00"):
        assert not is_ours(SECRET, junk, body, now)
