"""The admin API shows what runs, and does what a person who may asks for; nothing else."""

from pathlib import Path
from typing import Any

import pytest

from protocol.consts import Command, MessageState, Status
from smppgw import app, config
from smppgw.admin import configs
from tests.smppgw.jumping import advance, jumping, until
from tests.smppgw.operated import Operated, operated
from tests.smppgw.test_app import rewrite

READS = ("overview", "queues", "accounts", "connectors", "groups", "routes", "set-aside", "config", "config/diff")
OPERATES = (
    ("POST", "/accounts/esme/unbind"),
    ("PATCH", "/accounts/esme/limits"),
    ("DELETE", "/accounts/esme/limits"),
    ("POST", "/connectors/c/drain"),
    ("POST", "/connectors/c/stop"),
    ("POST", "/connectors/c/start"),
    ("POST", "/connectors/c/rebind"),
    ("PATCH", "/connectors/c/limits"),
    ("DELETE", "/connectors/c/limits"),
    ("POST", "/groups/g/hand-back"),
    ("POST", "/set-aside/1/release"),
    ("POST", "/set-aside/1/drop"),
    ("POST", "/config/reload"),
)


@jumping
async def test_to_read_is_not_to_operate_and_to_send_is_neither(tmp_path: Path) -> None:
    async with operated(tmp_path, "[limits]\nauth_failures = 1000\n") as gateway:
        for name in READS:
            await gateway.get(f"/{name}", "eye")
            assert (await gateway.refused("GET", f"/{name}", "sender"))[0] == 403
            assert (await gateway.refused("GET", f"/{name}", "wrong"))[0] == 401
        for method, path in OPERATES:
            assert (await gateway.refused(method, path, "eye", json={}))[0] == 403
            assert (await gateway.refused(method, path, "", json={}))[0] == 401
        assert gateway.app.connectors["c"].up


@jumping
async def test_every_operation_is_tried_here(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        paths = (await gateway.http.get("/openapi.json")).json()["paths"]
        there = {
            (method.upper(), path.removeprefix("/v1/admin"))
            for path, methods in paths.items()
            for method in methods
            if path.startswith("/v1/admin") and method != "get" and not path.endswith("/try")
        }
        names = {
            "/accounts/esme": "/accounts/{name}",
            "/connectors/c": "/connectors/{name}",
            "/groups/g": "/groups/{name}",
        }
        tried = set()
        for method, path in OPERATES:
            for short, long in {**names, "/set-aside/1": "/set-aside/{id}"}.items():
                path = path.replace(short, long)  # noqa: PLW2901
            tried.add((method, path))
        assert there == tried


@jumping
async def test_the_overview_has_rates_latencies_and_queues(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        peer = await gateway.esme()
        await advance(6)
        for n in range(10):
            await gateway.submit(peer, b"%d" % (100 + n))
        await until(lambda: len(gateway.smsc.asked) == 10)
        gateway.smsc.accept(b"a", b"b", b"c", b"d")
        await until(lambda: len(gateway.app.pipeline.ledger) == 4)
        seen = await gateway.get("/overview")
        assert seen["ready"]
        assert (seen["queued"], seen["awaiting_receipt"], seen["links"], seen["bound"]) == (6, 4, 1, 1)
        assert seen["rates"]["accepted"]["5s"] == pytest.approx(10 / 5, rel=0.5)
        assert seen["rates"]["sent"]["5s"] > 0
        assert seen["latency"]["submit"]["p99"] >= seen["latency"]["submit"]["p50"] > 0
        assert seen["queues"] == [{"target": "g", "kind": "group", "up": True, "waiting": 0, "oldest_seconds": 0.0}]
        assert seen["history"] is None
        connector = await gateway.get("/connectors/c")
        assert (connector["submits"], connector["outcomes"], connector["window_used"]) == (10, {"sent": 4}, 6)
        assert connector["rates"]["submits"] > 0
        assert connector["groups"] == ["g"]
        account = await gateway.get("/accounts/esme")
        assert (account["statuses"]["ROK"], account["queued"]) == (10, 6)
        assert account["rates"]["accepted"] > 0
        await advance(70)
        assert (await gateway.get("/overview"))["rates"]["accepted"] == {"1s": 0.0, "5s": 0.0, "60s": 0.0}
        await peer.__aexit__(None, None, None)


@jumping
async def test_secrets_are_nowhere(tmp_path: Path) -> None:
    async with operated(tmp_path, '[accounts.x]\npassword = "topsecret"\n') as gateway:
        for name in READS:
            answer = await gateway.ask("GET", f"/admin/{name}")
            assert "topsecret" not in answer.text
            assert '"boss","key":"boss"' not in answer.text
        shown = await gateway.get("/config")
        assert shown["accounts"]["x"]["password"] == "(secret)"
        assert shown["api"]["keys"]["boss"]["key"] == "(secret)"
        assert shown["accounts"]["x"]["password_hash"] is None


@jumping
async def test_a_key_with_accounts_sees_and_operates_those_alone(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        assert [each["name"] for each in await gateway.get("/accounts", "shop")] == ["esme", "esme@api"]
        assert (await gateway.refused("GET", "/accounts/other", "shop"))[0] == 403
        assert (await gateway.refused("POST", "/accounts/other/unbind", "shop"))[0] == 403
        for path in ("/overview", "/queues", "/connectors", "/connectors/c", "/groups", "/groups/g", "/routes"):
            assert (await gateway.refused("GET", path, "shop"))[0] == 403
        for path, body in (
            ("/routes/try", {"account": "esme", "destination": "4"}),
            ("/mo-routes/try", {"connector": "c", "destination": "12345"}),
        ):
            assert (await gateway.refused("POST", path, "shop", json=body))[0] == 403


@jumping
async def test_what_concerns_all_accounts_needs_a_key_for_all(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        for path in ("/connectors/c/stop", "/connectors/c/rebind", "/groups/g/hand-back", "/config/reload"):
            status, words = await gateway.refused("POST", path, "shop")
            assert (status, words.startswith("This key is for its accounts alone")) == (403, True)
        for path in ("/config", "/config/diff", "/capture?connector=c", "/capture"):
            assert (await gateway.refused("GET", path, "shop"))[0] == 403
        assert (await gateway.refused("PATCH", "/connectors/c/limits", "shop", json={"rate": 1}))[0] == 403
        assert gateway.app.connectors["c"].up


@jumping
async def test_a_bind_is_shown_and_can_be_unbound(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        peers = [await gateway.esme(), await gateway.esme()]
        await advance(5)
        account = await gateway.get("/accounts/esme")
        assert [(bind["peer"], bind["mode"], bind["state"]) for bind in account["binds"]] == [
            ("127.0.0.1", "transceiver", "bound_trx")
        ] * 2
        assert account["binds"][0]["since"] == pytest.approx(gateway.app.pipeline.clock() - 5, abs=2)
        assert account["window"] == 2000
        one = account["binds"][1]["id"]
        assert (await gateway.refused("POST", "/accounts/esme/unbind", json={"link": "1.2.3.4:5"}))[0] == 404
        assert await gateway.do("/accounts/esme/unbind", {"link": one}) == {"unbinding": 1}
        await until(lambda: any(command == Command.UNBIND for command, *_ in peers[1].came))
        assert not any(command == Command.UNBIND for command, *_ in peers[0].came)
        assert (await gateway.do("/accounts/esme/unbind"))["unbinding"] == 2
        for peer in peers:
            await peer.__aexit__(None, None, None)


@jumping
async def test_limits_of_an_account_change_for_now(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        peer = await gateway.esme()
        shown = await gateway.do(
            "/accounts/esme/limits", {"rate": 1, "burst": 1, "window": 5, "max_queued": 3}, "PATCH"
        )
        assert (shown["rate"], shown["window"], shown["max_queued"], shown["limited"]) == (1, 5, 3, True)
        await gateway.submit(peer)
        assert (await peer.ask(Command.SUBMIT_SM, b"\0\0\0" + b"1\0\0\x00" + b"44\0" + bytes(10)))[
            1
        ] == Status.RTHROTTLED
        assert "give at least one limit" in (await gateway.refused("PATCH", "/accounts/esme/limits", json={}))[1]
        assert (await gateway.refused("PATCH", "/accounts/esme/limits", json={"rate": -1}))[0] == 422
        assert (await gateway.refused("PATCH", "/accounts/nobody/limits", json={"rate": 1}))[0] == 404
        assert not (await gateway.do("/accounts/esme/limits", method="DELETE"))["limited"]
        await gateway.submit(peer)
        await gateway.do("/accounts/esme/limits", {"rate": 1}, "PATCH")
        gateway.app.reload()
        assert not (await gateway.get("/accounts/esme"))["limited"]
        await peer.__aexit__(None, None, None)


@jumping
async def test_a_drained_connector_stays_bound_and_its_group_sends_by_others(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        peer = await gateway.esme()
        shown = await gateway.do("/connectors/c/drain")
        assert (shown["held"], shown["up"], len(shown["binds"])) == ("drain", False, 1)
        await gateway.submit(peer)
        assert (await gateway.get("/groups/g"))["state"] == "down"
        await advance(4)
        await until(lambda: gateway.backup.asked)
        group = await gateway.get("/groups/g")
        assert (group["state"], group["backups_wanted"]) == ("failed over", True)
        assert group["members"][1] == {"connector": "b", "role": "backup", "weight": 1, "up": True}
        assert not gateway.smsc.asked
        assert len(gateway.smsc.links) == 1
        assert (await gateway.refused("POST", "/groups/g/hand-back"))[1].startswith("There is nobody to hand back to")
        assert (await gateway.do("/connectors/c/start"))["up"]
        assert (await gateway.get("/groups/g"))["state"] == "handing back soon"
        assert (await gateway.do("/groups/g/hand-back"))["state"] == "active"
        assert (await gateway.refused("POST", "/groups/g/hand-back"))[0] == 409
        await gateway.submit(peer, b"45")
        await until(lambda: gateway.smsc.numbers == [b"45"])
        await peer.__aexit__(None, None, None)


@jumping
async def test_a_stopped_connector_unbinds_and_a_reload_does_not_start_it(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        await gateway.do("/connectors/c/stop")
        await until(lambda: not gateway.smsc.links)
        await advance(10)
        gateway.app.reload()
        await advance(10)
        rewrite(gateway.app, gateway.app.path.read_text().replace('system_id = "c"', 'system_id = "c"\nwindow = 9'))
        await advance(10)
        assert gateway.smsc.connections == 1
        assert (await gateway.refused("POST", "/connectors/c/rebind"))[0] == 409
        assert (await gateway.do("/connectors/c/start"))["held"] == ""
        await until(lambda: gateway.app.connectors["c"].up)


@jumping
async def test_a_connector_binds_anew_when_asked(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        await gateway.do("/connectors/c/rebind")
        await until(lambda: not gateway.smsc.links)
        await advance(2)
        await until(lambda: gateway.app.connectors["c"].up)
        assert len(gateway.smsc.binds) == 2
        gateway.smsc.verdict = Status.RBINDFAIL
        gateway.smsc.drop()
        await advance(2)
        await until(lambda: gateway.app.connectors["c"].failures)
        shown = await gateway.get("/connectors/c")
        assert (shown["failures"] > 0, "0x0D" in shown["last_error"], shown["binds"]) == (True, True, [])


@jumping
async def test_limits_of_a_connector_change_for_now_without_a_new_bind(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        peer = await gateway.esme()
        shown = await gateway.do("/connectors/c/limits", {"window": 2}, "PATCH")
        assert (shown["window"], shown["limited"]) == (2, True)
        for n in range(5):
            await gateway.submit(peer, b"%d" % n)
        await until(lambda: len(gateway.smsc.asked) == 2)
        await advance(1)
        assert len(gateway.smsc.asked) == 2
        assert (await gateway.get("/queues"))[0]["waiting"] == 3
        assert (await gateway.do("/connectors/c/limits", method="DELETE"))["window"] == 100
        await until(lambda: len(gateway.smsc.asked) == 5)
        await gateway.do("/connectors/c/limits", {"rate": 1, "burst": 1}, "PATCH")
        gateway.app.reload()
        await advance(2)
        assert not (await gateway.get("/connectors/c"))["limited"]
        assert gateway.smsc.connections == 1
        await peer.__aexit__(None, None, None)


@jumping
async def test_a_dry_run_says_which_way_and_why_not_another(tmp_path: Path) -> None:
    pool = '[senders.pool]\nmembers = ["12345678901"]\n[[routes]]\nname = "pooled"\nto = "g"\nsenders = "pool"\n'
    async with operated(tmp_path, pool) as gateway:
        trial = await gateway.do("/routes/try", {"account": "esme", "source": "1", "destination": "155", "coding": 8})
        assert trial["tried"] == [
            {"route": "short", "matched": False, "why": "coding is not 4"},
            {"route": "all", "matched": True, "why": ""},
        ]
        assert (trial["accepted"], trial["status"], trial["route"], trial["target"]) == (True, "ROK", "all", "g")
        assert (trial["kind"], trial["member"], trial["fallback"]) == ("group", "c", False)
        trial = await gateway.do("/routes/try", {"account": "other", "destination": "819012345678"})
        assert trial["route"] == "pooled"
        assert trial["sender"] == {"pool": "pool", "value": "12345678901", "address": "12345678901", "ton": 1, "npi": 1}
        assert gateway.app.pools["pool"].members[0].used == 0
        trial = await gateway.do("/routes/try", {"account": "esme", "destination": "a\nb"})
        assert not trial["accepted"]
        await gateway.do("/connectors/c/stop")
        trial = await gateway.do("/routes/try", {"account": "esme", "destination": "155"})
        assert (trial["member"], trial["notes"]) == ("", ["its target is down now: it would wait there"])
        refused = await gateway.refused("POST", "/routes/try", json={"account": "nobody", "destination": "1"})
        assert refused[0] == 404
        tlvs: dict[str, Any] = {"account": "esme", "destination": "1", "tlvs": {"0x1": "hex:zz"}}
        assert "tlvs" in (await gateway.refused("POST", "/routes/try", json=tlvs))[1]
        half = '{"account": "esme", "destination": "1", "tlvs": {"0x1400": "\\ud800"}}'
        headers = {"Authorization": "Bearer boss", "Content-Type": "application/json"}
        answer = await gateway.http.post("/v1/admin/routes/try", content=half, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "tlvs")
        assert not gateway.app.pipeline.queued


@jumping
async def test_a_dry_run_of_a_message_from_a_handset_names_its_account(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        asked = {"connector": "c", "source": "8190", "destination": "12345"}
        assert (await gateway.do("/mo-routes/try", asked))["account"] == "esme"
        trial = await gateway.do("/mo-routes/try", {**asked, "destination": "9"})
        assert (trial["account"], trial["why"]) == ("", "no route matches")
        assert trial["tried"] == [{"route": "esme", "matched": False, "why": "destination is not 12345"}]
        assert (await gateway.refused("POST", "/mo-routes/try", json={"connector": "x"}))[0] == 404


async def doubted(gateway: Operated) -> str:
    """A message that was offered and not answered, and is set aside; its id."""
    peer = await gateway.esme()
    id = await gateway.submit(peer)
    await until(lambda: gateway.smsc.asked)
    gateway.smsc.drop()
    await until(lambda: gateway.app.pipeline.returns.aside)
    await advance(0.1)
    await peer.__aexit__(None, None, None)
    return id


@jumping
async def test_what_is_set_aside_is_listed_with_its_reason(tmp_path: Path) -> None:
    async with operated(tmp_path, connectors='in_doubt = "hold"') as gateway:
        id = await doubted(gateway)
        page = await gateway.get("/set-aside")
        (record,) = page["records"]
        assert (page["total"], page["next"]) == (1, "")
        assert (record["id"], record["account"], record["kind"], record["record"]) == (id, "esme", "message", "")
        assert record["reason"] == "in doubt: offered, but not answered"
        assert (record["source"], record["destination"], record["octets"]) == ("12345", "44", 5)
        assert b"hello" in bytes.fromhex((await gateway.get(f"/set-aside/{id}"))["record"])
        assert (await gateway.get(f"/set-aside/{id}", "eye"))["record"] == ""
        assert not (await gateway.get("/set-aside", account="other"))["records"]
        assert (await gateway.refused("GET", "/set-aside/ff"))[0] == 404
        assert (await gateway.refused("GET", "/set-aside/xyz"))[0] == 422
        await advance(3)


@jumping
async def test_a_message_in_doubt_is_sent_again_once(tmp_path: Path) -> None:
    async with operated(tmp_path, connectors='in_doubt = "hold"') as gateway:
        id = await doubted(gateway)
        await advance(3)
        await until(lambda: gateway.app.connectors["c"].up)
        assert await gateway.do(f"/set-aside/{id}/release", {"validity_seconds": 60}) == {"done": "sent again"}
        assert (await gateway.refused("POST", f"/set-aside/{id}/release"))[0] == 404
        await until(lambda: gateway.smsc.numbers == [b"44"])
        (message,) = gateway.app.pipeline.queued.values()
        assert message.expires - gateway.app.pipeline.clock() == pytest.approx(60, abs=1)
        gateway.smsc.accept(b"up")
        await until(lambda: not gateway.app.pipeline.queued)
        assert (await gateway.get("/set-aside"))["total"] == 0


@jumping
async def test_a_message_in_doubt_can_end_with_a_receipt(tmp_path: Path) -> None:
    async with operated(tmp_path, connectors='in_doubt = "hold"') as gateway:
        id = await doubted(gateway)
        peer = await gateway.esme()
        assert await gateway.do(f"/set-aside/{id}/drop", {"state": "DELIVERED"}) == {"done": "dropped as DELIVERED"}
        await until(peer.delivered)
        assert b"stat:DELIVRD" in peer.delivered()[0][1].short_message
        assert gateway.app.pipeline.accounts.owner("esme").receipts[MessageState.DELIVERED] == 1
        await peer.__aexit__(None, None, None)


@jumping
async def test_what_is_dropped_is_gone_from_the_store(tmp_path: Path) -> None:
    async with operated(tmp_path, connectors='in_doubt = "hold"') as gateway:
        id = await doubted(gateway)
        assert await gateway.do(f"/set-aside/{id}/drop") == {"done": "dropped"}
        await advance(1)
        assert gateway.app.store.get(bytes.fromhex(id)) is None
        assert not gateway.app.pipeline.queued


@jumping
async def test_a_delivery_that_was_refused_is_delivered_again(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        peer = await gateway.esme()
        id = await gateway.submit(peer)
        await until(lambda: gateway.smsc.asked)
        gateway.smsc.accept(b"up")
        await until(lambda: len(gateway.app.pipeline.ledger) == 1)
        (message,) = gateway.app.pipeline.known.find(gateway.app.pipeline.accounts.owner("esme"), id.encode())
        assert isinstance(message, tuple)
        gateway.app.pipeline.returns.drop(*message, MessageState.EXPIRED)
        await until(peer.delivered)
        peer.send(Command.DELIVER_SM_RESP, b"\0", Status.RX_P_APPN, peer.delivered()[0][0])
        await until(lambda: gateway.app.pipeline.returns.aside)
        await advance(0.1)
        (record,) = (await gateway.get("/set-aside"))["records"]
        assert (record["kind"], record["state"], record["attempts"]) == ("receipt", "EXPIRED", 1)
        assert (await gateway.refused("POST", f"/set-aside/{id}/drop", json={"state": "UNKNOWN"}))[0] == 422
        assert (await gateway.do(f"/set-aside/{record['id']}/release"))["done"] == "to be delivered again"
        await until(lambda: len(peer.delivered()) == 2)
        assert peer.delivered()[0][1] == peer.delivered()[1][1]
        peer.send(Command.DELIVER_SM_RESP, b"\0", 0, peer.delivered()[1][0])
        await until(lambda: gateway.app.store.get(bytes.fromhex(id)) is None)
        await peer.__aexit__(None, None, None)


@jumping
async def test_the_file_is_compared_and_taken(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        text = gateway.app.path.read_text()
        assert await gateway.get("/config/diff") == {"file": str(gateway.app.path), "changes": [], "problems": []}
        more = text.replace('[accounts.esme]\npassword = "secret"', '[accounts.esme]\npassword = "another"\nwindow = 7')
        gateway.app.path.write_text(
            more.replace('access = ""', 'access = ""\nlevel = "error"') + '[accounts.new]\npassword = "x"\n'
        )
        changes = {each["path"]: each for each in (await gateway.get("/config/diff"))["changes"]}
        assert changes["accounts.esme.window"] | {"path": ""} == {
            "path": "",
            "running": 1000,
            "file": 7,
            "restart": False,
        }
        assert (changes["accounts.esme.password"]["running"], changes["accounts.esme.password"]["file"]) == (
            "(secret)",
        ) * 2
        assert changes["log.level"]["restart"]
        assert changes["accounts.new"]["running"] is None
        assert changes["accounts.new"]["file"]["password"] == "(secret)"
        assert await gateway.do("/config/reload") == {"reloaded": True, "needs_restart": ["log"]}
        assert "new" in gateway.app.settings.accounts


@jumping
async def test_a_file_with_mistakes_changes_nothing(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        before = gateway.app.settings
        gateway.app.path.write_text('[[routes]]\nname = "x"\nto = "nowhere"\n')
        problems = (await gateway.get("/config/diff"))["problems"]
        assert "routes[0].to" in [problem["path"] for problem in problems]
        status, words = await gateway.refused("POST", "/config/reload")
        assert (status, "routes[0].to" in words) == (409, True)
        assert gateway.app.settings is before
        rewrite(gateway.app, gateway.app.path.read_text())
        assert gateway.app.settings is before


def test_what_a_restart_is_needed_for_is_what_a_reload_leaves_alone() -> None:
    assert set(app.FIXED) == configs.FIXED
    assert {f"api.{key}" for key in app.API_FIXED} == configs.PORT
    assert set(config.Config.model_fields) >= configs.FIXED


@jumping
async def test_names_that_are_not_there_and_nonsense_are_refused_in_words(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        for path in ("/accounts/nobody", "/connectors/none", "/groups/none"):
            assert (await gateway.refused("GET", path))[0] == 404
        for path in ("/connectors/none/stop", "/groups/none/hand-back", "/accounts/none/unbind"):
            assert (await gateway.refused("POST", path))[0] == 404
        assert (await gateway.refused("GET", "/connectors/" + "x" * 65))[0] == 422
        assert (await gateway.refused("POST", "/routes/try", json={"account": "esme", "destination": "1", "x": 1}))[
            0
        ] == 422
        assert (await gateway.refused("POST", "/routes/try", json={"account": "esme", "destination": "\u3042"}))[
            0
        ] == 422
