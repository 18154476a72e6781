"""From a real ESME through each HTTPS carrier and back: receipts, handsets, crashes, faults, and forged webhooks."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import pytest

from protocol import text, tlv, udh
from protocol.consts import DataCoding, EsmClass, MessageState, Status
from smppgw.ports import free_port
from smppgw.simulate.carrier import CarrierSimulator
from tests.endtoend.conftest import Join, Serve, Simulate
from tests.kit import PATIENCE, Config, merged, relay_config
from tests.smppgw.carrying import CASES, carrier_of
from tests.smppgw.hooked import Paper

TEXTS = [kind for kind in CASES if kind != "twilio_commands"]
"""Those that take long texts."""
LOUD = [kind for kind, case in CASES.items() if case.mo]
DOUBTFUL = [kind for kind in CASES if not carrier_of(kind, "http://127.0.0.1:1", Paper()).capabilities.idempotent]
"""Those that would accept a text twice."""


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}/hook"


def config(kind: str, simulator: CarrierSimulator, webhook: int, **keys: Any) -> Config:
    """One carrier, named after its kind, and everything goes there."""
    made = relay_config(1, webhooks={"host": "127.0.0.1", "port": webhook})
    made["connectors"] = {
        kind: {
            "kind": kind,
            "url": f"http://127.0.0.1:{simulator.port}",
            "webhook_path": "/hook",
            "webhook_url": url(webhook),
            "country_code": "81",
            "national_prefix": "0",
            "poll": [],
            **CASES[kind].keys,
            **keys,
        }
    }
    made["routes"] = [{"name": "all", "to": kind}]
    return made


async def ask(method: str, address: str, **more: Any) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.request(method, address, **more) as response:
        return response.status, await response.text()


async def change(simulator: CarrierSimulator, **options: Any) -> None:
    status, said = await ask("POST", f"http://127.0.0.1:{simulator.port}/-/options", json=options)
    assert status == 200, said


async def becomes(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not what():  # noqa: ASYNC110  a simulator has no event for each of its counts
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("kind", CASES)
async def test_a_message_goes_out_and_its_receipt_comes_back(kind: str, serve: Serve, join: Join) -> None:
    port = free_port()
    async with CASES[kind].simulator(url(port)) as simulator:
        gateway = await serve(config(kind, simulator, port))
        esme = await join(gateway)
        id = await esme.submitted(CASES[kind].number)
        (receipt,) = await esme.wait_receipts(1)
        assert (receipt.id, receipt.state) == (id, MessageState.DELIVERED)
        assert simulator.counts["accepted"] == 1


@pytest.mark.parametrize("kind", LOUD)
async def test_what_a_handset_says_comes_as_deliver_sm(kind: str, serve: Serve, join: Join) -> None:
    port, said = free_port(), CASES[kind].mo
    assert said is not None
    async with CASES[kind].simulator(url(port)) as simulator:
        gateway = await serve(config(kind, simulator, port))
        esme = await join(gateway)
        status, why = await ask("POST", f"http://127.0.0.1:{simulator.port}/-/mo", json=said.say)
        assert status == 200, why
        (mo,) = await esme.wait_mo(1)
        assert mo.source_addr.decode() == said.source
        assert mo.destination_addr.decode() == said.destination
        assert text.decode(mo.short_message, mo.data_coding) == said.text


async def test_what_a_carrier_brings_again_after_a_kill_is_delivered_once(serve: Serve, join: Join) -> None:
    port = free_port()
    said = {"msisdn": "819011112222", "to": "15017122661", "api-key": "abcd1234", "type": "text"}
    one, two = ({**said, "messageId": id, "text": id} for id in ("one", "two"))
    async with CASES["vonage"].simulator(url(port)) as simulator:
        gateway = await serve(config("vonage", simulator, port))
        assert await ask("GET", url(port), params=one) == (200, "")
        await gateway.kill()
        await gateway.start()
        for notification in (one, two):
            assert await ask("GET", url(port), params=notification) == (200, "")
        esme = await join(gateway)
        assert [mo.short_message for mo in await esme.wait_mo(2)] == [b"one", b"two"]


@pytest.mark.parametrize("how", ["udh8", "udh16", "sar"])
@pytest.mark.parametrize("kind", TEXTS)
async def test_parts_in_any_order_and_on_any_bind_go_as_one_text(
    kind: str, how: udh.How, serve: Serve, join: Join
) -> None:
    words = "".join(chr(0x3041 + n % 80) for n in range(160))
    pieces = udh.segments(words.encode("utf-16-be"), DataCoding.UCS2, how=how, reference=77)
    port = free_port()
    async with CASES[kind].simulator(url(port)) as simulator:
        gateway = await serve(config(kind, simulator, port))
        first, second = await join(gateway), await join(gateway)
        ids = []
        for number, piece in enumerate(reversed(pieces)):
            esme = (first, second)[number % 2]
            fields = {"data_coding": DataCoding.UCS2, "esm_class": piece.esm_class, "tlvs": tlv.encode(piece.tlvs)}
            asks = 1 if number != 1 else 0
            ids.append(
                await esme.submitted(CASES[kind].number, piece.short_message, registered_delivery=asks, **fields)
            )
        await first.until(lambda: len(first.receipts) + len(second.receipts) == 2)
        told = {receipt.id for receipt in (*first.receipts, *second.receipts)}
        assert told == {ids[0], ids[2]}
        assert simulator.counts["accepted"] in {1, len(pieces)}  # Vonage counts what it makes of it


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("incomplete", ["send", "refuse"])
async def test_a_part_whose_others_never_come_is_sent_or_refused(
    kind: str, incomplete: str, serve: Serve, join: Join
) -> None:
    port = free_port()
    async with CASES[kind].simulator(url(port)) as simulator:
        gateway = await serve(config(kind, simulator, port, join_wait="1s", incomplete=incomplete))
        esme = await join(gateway)
        body = b"\x05\x00\x03\x01\x02\x01hello"
        await esme.submitted(CASES[kind].number, body, esm_class=EsmClass.UDHI)
        (receipt,) = await esme.wait_receipts(1)
        expected = MessageState.DELIVERED if incomplete == "send" else MessageState.UNDELIVERABLE
        assert receipt.state == expected
        assert simulator.counts["accepted"] == (1 if incomplete == "send" else 0)


@pytest.mark.parametrize("kind", DOUBTFUL)
async def test_what_was_offered_at_a_kill_is_set_aside_and_everything_else_goes_on(
    kind: str, serve: Serve, join: Join
) -> None:
    port = free_port()
    async with CASES[kind].simulator(url(port), hang=1.0) as simulator:
        gateway = await serve(config(kind, simulator, port, window=3))
        esme = await join(gateway)
        ids = [await esme.submitted(CASES[kind].number) for _ in range(10)]
        await becomes(lambda: simulator.counts["hang"] == 3)
        await gateway.kill()
        await change(simulator, hang=0.0)
        await gateway.start()
        again = await join(gateway)
        receipts = await again.wait_receipts(7)
        assert {receipt.id for receipt in receipts} == set(ids[3:])
        assert simulator.counts["accepted"] == 7
        assert await gateway.metric("smppgw_set_aside") == 3


@pytest.mark.parametrize("kind", DOUBTFUL)
async def test_whoever_accepts_duplicates_has_it_sent_again(kind: str, serve: Serve, join: Join) -> None:
    port = free_port()
    async with CASES[kind].simulator(url(port), accept_and_hang=1.0, receipt_after=-1.0) as simulator:
        keys = {"response": "500ms", "retry": ["100ms"], "in_doubt": "resend_and_accept_duplicates"}
        gateway = await serve(config(kind, simulator, port, **keys))
        esme = await join(gateway)
        id = await esme.submitted(CASES[kind].number)
        await becomes(lambda: simulator.counts["accepted"] == 1)
        await change(simulator, accept_and_hang=0.0, receipt_after=0.1)
        (receipt,) = await esme.wait_receipts(1)
        assert receipt.id == id
        assert simulator.counts["accepted"] == 2


@pytest.mark.parametrize("kind", DOUBTFUL)
async def test_a_doubt_may_end_as_unknown(kind: str, serve: Serve, join: Join) -> None:
    port = free_port()
    async with CASES[kind].simulator(url(port), hang=1.0) as simulator:
        gateway = await serve(config(kind, simulator, port, response="300ms", in_doubt="unknown"))
        esme = await join(gateway)
        id = await esme.submitted(CASES[kind].number)
        (receipt,) = await esme.wait_receipts(1)
        assert (receipt.id, receipt.state) == (id, MessageState.UNKNOWN)


@pytest.mark.parametrize("kind", CASES)
async def test_who_is_throttled_waits_and_loses_nothing(kind: str, serve: Serve, join: Join) -> None:
    port = free_port()
    async with CASES[kind].simulator(url(port), throttle=0.5, seed=3) as simulator:
        gateway = await serve(config(kind, simulator, port, window=2))
        esme = await join(gateway)
        ids = {await esme.submitted(CASES[kind].number) for _ in range(4)}
        receipts = await esme.wait_receipts(4)
        assert {receipt.id for receipt in receipts} == ids
        assert simulator.counts["accepted"] == 4


@pytest.mark.parametrize("kind", CASES)
async def test_receipts_that_are_early_or_repeated_are_told_once(kind: str, serve: Serve, join: Join) -> None:
    port = free_port()
    async with CASES[kind].simulator(url(port), early=0.5, repeated=0.5, receipt_after=0.02, seed=5) as simulator:
        gateway = await serve(config(kind, simulator, port))
        esme = await join(gateway)
        ids = [await esme.submitted(CASES[kind].number) for _ in range(20)]
        await esme.wait_receipts(20)
        await simulator.quiet()
        assert sorted(receipt.id for receipt in esme.receipts) == sorted(ids)


@pytest.mark.parametrize("kind", CASES)
async def test_a_carrier_that_is_gone_opens_its_breaker_and_the_fallback_takes_over(
    kind: str, serve: Serve, join: Join, simulate: Simulate
) -> None:
    port = free_port()
    smsc = await simulate()
    simulator = CASES[kind].simulator(url(port))
    await simulator.start()
    made = config(kind, simulator, port, breaker_failures=2, breaker_wait=["1h"], retry=["100ms"], connect="500ms")
    up = relay_config(smsc.port)["connectors"]["up"]
    made = merged(made, {"connectors": {"up": up}})
    made["routes"] = [{"name": "all", "to": kind, "fallback": ["up"]}]
    gateway = await serve(made, "up")
    esme = await join(gateway)
    await simulator.stop()
    ids = {await esme.submitted(CASES[kind].number) for _ in range(5)}
    receipts = await esme.wait_receipts(5)
    assert {receipt.id for receipt in receipts} == ids
    assert await gateway.metric("smppgw_connector_breaker_opened_total") == 1


async def test_a_cluster_that_is_gone_has_a_carrier_behind_it(serve: Serve, join: Join, simulate: Simulate) -> None:
    port = free_port()
    smsc = await simulate()
    async with CASES["aix"].simulator(url(port)) as simulator:
        made = config("aix", simulator, port)
        made = merged(made, {"connectors": {"up": relay_config(smsc.port)["connectors"]["up"]}})
        made["groups"] = {"all": {"active": ["up"], "backup": ["aix"], "backup_after": "200ms"}}
        made["routes"] = [{"name": "all", "to": "all"}]
        gateway = await serve(made, "up")
        esme = await join(gateway)
        await esme.submitted(CASES["aix"].number)
        await esme.wait_receipts(1)
        assert simulator.counts["accepted"] == 0
        smsc.go_down()
        await esme.submitted(CASES["aix"].number)
        await esme.wait_receipts(2)
        assert simulator.counts["accepted"] == 1


async def test_a_carrier_that_hangs_fills_its_own_queue_and_nothing_elses(
    serve: Serve, join: Join, simulate: Simulate
) -> None:
    port = free_port()
    smsc = await simulate()
    async with CASES["aix"].simulator(url(port), hang=1.0) as simulator:
        made = config("aix", simulator, port, window=2)
        made = merged(made, {"connectors": {"up": relay_config(smsc.port)["connectors"]["up"]}})
        made["routes"] = [
            {"name": "japan", "to": "aix", "match": {"destination": ["81*"]}},
            {"name": "others", "to": "up"},
        ]
        gateway = await serve(made, "up")
        esme = await join(gateway)
        for _ in range(50):
            await esme.submitted(CASES["aix"].number)
        ids = {await esme.submitted("447900900123") for _ in range(50)}
        receipts = await esme.wait_receipts(50)
        assert {receipt.id for receipt in receipts} == ids
        assert await gateway.metric('smppgw_target_queue{target="aix"}') >= 40


# What comes to a webhook

STATUS: Mapping[str, str] = {"api-key": "abcd1234", "msisdn": "819012345678", "to": "AcmeInc", "err-code": "0"}


async def test_a_webhook_takes_what_is_meant_for_it_and_nothing_else(serve: Serve, join: Join) -> None:
    port = free_port()
    async with CASES["vonage"].simulator(url(port)) as simulator:
        keys = {"webhook_user": "vonage", "webhook_password": "hook"}
        made = merged(config("vonage", simulator, port, **keys), {"webhooks": {"max_body": 2048}})
        gateway = await serve(made)
        await join(gateway)
        note = {**STATUS, "messageId": "0A01", "status": "delivered"}
        right = {"Authorization": aiohttp.encode_basic_auth("vonage", "hook")}
        wrong = {"Authorization": aiohttp.encode_basic_auth("vonage", "wrong")}
        assert (await ask("GET", url(port), params=note))[0] == 401
        assert (await ask("GET", url(port), params=note, headers=wrong))[0] == 401
        assert (await ask("GET", f"http://127.0.0.1:{port}/elsewhere", params=note, headers=right))[0] == 404
        assert (await ask("POST", url(port), data=b"x" * 3000, headers=right))[0] == 413
        assert (await ask("POST", url(port), data=b"junk", headers={**right, "Content-Type": "image/png"}))[0] >= 400
        assert (await ask("GET", url(port), params=note, headers=right))[0] == 200
        await gateway.expect("notification refused", 3)  # a repeated reason is said once a minute
        assert await gateway.metric('smppgw_connector_early_receipts{connector="vonage"}') == 1


async def test_a_webhook_is_closed_to_other_networks(serve: Serve, join: Join) -> None:
    port = free_port()
    async with CASES["vonage"].simulator(url(port)) as simulator:
        made = config("vonage", simulator, port, webhook_networks=["192.0.2.0/24"])
        gateway = await serve(made)
        await join(gateway)
        assert (await ask("GET", url(port), params=STATUS))[0] == 403
        proxied = {"X-Forwarded-For": "192.0.2.7"}
        assert (await ask("GET", url(port), params=STATUS, headers=proxied))[0] == 403
        await gateway.stop()
        gateway.gateway.config = merged(made, {"webhooks": {"proxies": ["127.0.0.1/32"]}})
        gateway.gateway.config["store"] = {"path": str(gateway.gateway.directory / "data")}
        await gateway.start()
        assert (await ask("GET", url(port), params=STATUS, headers=proxied))[0] != 403


async def test_a_receipt_that_came_before_a_kill_is_found_by_its_message_after_it(serve: Serve, join: Join) -> None:
    port = free_port()
    async with CASES["aix"].simulator(url(port), accept_and_hang=1.0, receipt_after=0.05) as simulator:
        gateway = await serve(config("aix", simulator, port, response="20s"))
        esme = await join(gateway)
        id = await esme.submitted(CASES["aix"].number)
        await becomes(lambda: simulator.counts["notified"] == 1)
        await gateway.kill()
        await gateway.start()
        again = await join(gateway)
        (receipt,) = await again.wait_receipts(1)
        assert (receipt.id, receipt.state) == (id, MessageState.DELIVERED)
        assert simulator.counts["accepted"] == 1


async def test_with_ack_upstream_the_carriers_answer_is_the_submits(serve: Serve, join: Join) -> None:
    port = free_port()
    async with CASES["aix"].simulator(url(port)) as simulator:
        made = merged(config("aix", simulator, port), {"accounts": {"esme": {"ack": "upstream"}}})
        gateway = await serve(made)
        esme = await join(gateway)
        assert await esme.status("447900900123") == Status.RINVDSTADR
        assert await esme.status(CASES["aix"].number) == Status.ROK
        parts = [bytes((5, 0, 3, 1, 2, n)) + b"part" for n in (1, 2)]
        answers = [await esme.status(CASES["aix"].number, part, esm_class=EsmClass.UDHI) for part in parts]
        assert answers == [Status.ROK, Status.ROK]
        await esme.wait_receipts(3)
        assert simulator.counts["accepted"] == 2


async def test_a_reload_changes_a_carrier_and_keeps_what_is_under_way(serve: Serve, join: Join) -> None:
    port = free_port()
    async with CASES["aix"].simulator(url(port), slow=1.0) as simulator:
        gateway = await serve(config("aix", simulator, port))
        esme = await join(gateway)
        first = await esme.submitted(CASES["aix"].number)
        await asyncio.sleep(0)
        changed = merged(gateway.gateway.config, {"connectors": {"aix": {"window": 7}}})
        await gateway.reload(changed)
        second = await esme.submitted(CASES["aix"].number)
        receipts = await esme.wait_receipts(2)
        assert {receipt.id for receipt in receipts} == {first, second}
        assert await gateway.metric('smppgw_connector_window{connector="aix"}') == 7
