"""Prometheus sees every number of the running gateway, under names and labels that stay few."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from protocol.consts import MessageState, Status
from protocol.timers import Timers
from routing.groups import Group
from routing.message import Delivery, Message
from routing.senders import Pool, Sender
from routing.table import Table
from smppgw import __version__
from smppgw.access import AccessLog
from smppgw.carriers.connector import CarrierConnector
from smppgw.carriers.contract import Capabilities
from smppgw.carriers.settings import CarrierSettings
from smppgw.history.recorder import Recorder
from smppgw.metrics import COUNTS, GatewayMetrics, state_name, status_name
from smppgw.pipeline import Pipeline
from smppgw.settings import Account, Gateway, HistoryConfig, Limits, Route
from smppgw.settings import Connector as ConnectorSettings
from smppgw.smpp.connector import Connector
from smppgw.smpp.inbound import EsmeLink
from smppgw.smpp.keeper import Held
from smppgw.smpp.listener import Gate
from smppgw.store.memory import MemoryStore
from smppgw.targets import Target
from tests.smppgw.carried import Script

ROOT = Path(__file__).parents[2]
NOW = 1_790_000_000.0


@dataclass
class Standing:
    """A gateway that is put together and does nothing: no port, no bind."""

    pipeline: Pipeline
    access: AccessLog
    gate: Gate
    connectors: Mapping[str, Connector | CarrierConnector]
    targets: Mapping[str, Target] = field(default_factory=dict)
    recorder: Recorder | None = None
    api_answers: Mapping[int, int] = field(default_factory=dict)

    @property
    def smpp(self) -> Connector:
        """The one that is always there."""
        found = self.connectors["SMPP1"]
        assert isinstance(found, Connector)
        return found

    def link(self, account: str, mode: str) -> EsmeLink:
        """A bind of an account."""
        loop = self.pipeline.loop
        made = EsmeLink(loop, self.pipeline, self.gate, Timers(), Limits(), set())
        made.mode = mode
        state = self.pipeline.accounts.owner(account)
        state.links.append(made)
        return made

    async def read(self) -> dict[str, float]:
        """A scrape: samples as they are written, and their values."""
        text = (await GatewayMetrics(self).text()).decode()
        return {
            sample.name + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@pytest.fixture
async def gateway() -> Standing:
    loop = asyncio.get_running_loop()
    access = AccessLog("", loop)
    pipeline = Pipeline(Gateway(), MemoryStore(), loop, lambda: NOW, access)
    pipeline.accounts.change([Account(name="demo", password_hash=None, window=50)])
    settings = ConnectorSettings(name="SMPP1", host="localhost", port=2775, system_id="us", binds=2)
    connector = Connector(settings, Limits(), pipeline, loop)
    target = Target("nexmo", Group([("SMPP1", 1)]), {"SMPP1": connector}, pipeline, lambda: NOW)
    # Making the target asked for binds; this gateway has none.
    connector.stop()
    await connector.stopped()
    return Standing(pipeline, access, Gate(Limits(), lambda: NOW), {"SMPP1": connector}, {"nexmo": target})


def message(born: float) -> Message:
    return Message(1, "demo", b"", b"1", b"2", b"", 0, 0, 1, born, NOW + 60)


async def test_what_an_account_does_is_counted(gateway: Standing) -> None:
    account = gateway.pipeline.accounts.owner("demo")
    account.statuses.update({Status.ROK: 7, Status.RTHROTTLED: 2})
    account.receipts[MessageState.DELIVERED] = 5
    account.delivered = 4
    account.queued = 3
    account.outbox.add(Delivery(1, "demo", b"", NOW - 90))
    account.outbox.delayed = 2
    account.outbox.refused = 6
    first, second = gateway.link("demo", "transceiver"), gateway.link("demo", "transceiver")
    gateway.link("demo", "receiver")
    first.unanswered, second.unanswered = 10, 20
    read = await gateway.read()
    assert read["smppgw_account_answers_total account=demo status=ROK"] == 7
    assert read["smppgw_account_answers_total account=demo status=RTHROTTLED"] == 2
    assert read["smppgw_account_receipts_total account=demo state=DELIVERED"] == 5
    assert read["smppgw_account_delivered_total account=demo"] == 4
    assert read["smppgw_account_refused_deliveries_total account=demo"] == 6
    assert read["smppgw_account_queued_messages account=demo"] == 3
    assert read["smppgw_account_outbox account=demo stage=waiting"] == 1
    assert read["smppgw_account_outbox account=demo stage=delayed"] == 2
    assert read["smppgw_account_outbox account=demo stage=under_way"] == 0
    assert read["smppgw_account_outbox_oldest_seconds account=demo"] == 90
    assert read["smppgw_account_binds account=demo mode=transceiver"] == 2
    assert read["smppgw_account_binds account=demo mode=receiver"] == 1
    assert read["smppgw_account_window_used account=demo"] == 30
    assert read["smppgw_account_window account=demo"] == 150


async def test_what_a_connector_does_is_counted(gateway: Standing) -> None:
    connector = gateway.smpp
    counts = connector.counts
    counts.submits, counts.lapsed, counts.mo, counts.alerts, counts.unreadable = 9, 1, 2, 3, 4
    counts.statuses.update({Status.ROK: 8, 0x401: 1})
    counts.outcomes["sent"] = 8
    counts.receipts[MessageState.EXPIRED] = 6
    counts.answer_time.observe(0.03)
    connector.failures, connector.alerting = 5, True
    read = await gateway.read()
    assert read["smppgw_connector_submits_total connector=SMPP1"] == 9
    assert read["smppgw_connector_lapsed_total connector=SMPP1"] == 1
    assert read["smppgw_connector_mo_total connector=SMPP1"] == 2
    assert read["smppgw_connector_alert_notifications_total connector=SMPP1"] == 3
    assert read["smppgw_connector_unreadable_receipts_total connector=SMPP1"] == 4
    assert read["smppgw_connector_answers_total connector=SMPP1 status=ROK"] == 8
    assert read["smppgw_connector_answers_total connector=SMPP1 status=0x401"] == 1
    assert read["smppgw_connector_outcomes_total connector=SMPP1 outcome=sent"] == 8
    assert read["smppgw_connector_receipts_total connector=SMPP1 state=EXPIRED"] == 6
    assert read["smppgw_connector_answer_seconds_bucket connector=SMPP1 le=0.02"] == 0
    assert read["smppgw_connector_answer_seconds_bucket connector=SMPP1 le=0.05"] == 1
    assert read["smppgw_connector_answer_seconds_count connector=SMPP1"] == 1
    assert read["smppgw_connector_answer_seconds_sum connector=SMPP1"] == 0.03
    assert read["smppgw_connector_bind_failures connector=SMPP1"] == 5
    assert read["smppgw_connector_alert connector=SMPP1"] == 1
    assert read["smppgw_connector_binds_configured connector=SMPP1"] == 2
    for gauge in ("up", "wanted", "held", "binds", "paused", "window", "window_used"):
        assert read[f"smppgw_connector_{gauge} connector=SMPP1"] == 0


@pytest.mark.parametrize(("held", "shown"), [("drain", 1), ("stop", 1), ("", 0)])
async def test_a_connector_that_a_person_holds_says_so(gateway: Standing, held: Held, shown: int) -> None:
    [connector] = gateway.connectors.values()
    connector.hold(held)
    assert (await gateway.read())["smppgw_connector_held connector=SMPP1"] == shown


async def test_a_queue_has_a_depth_and_an_age(gateway: Standing) -> None:
    gone = message(NOW - 1000)
    gone.gone = True
    for each in (gone, message(NOW - 42), message(NOW - 1)):
        gateway.targets["nexmo"].offer(each)
    read = await gateway.read()
    assert read["smppgw_target_queue target=nexmo"] == 3
    assert read["smppgw_target_oldest_seconds target=nexmo"] == 42
    assert read["smppgw_target_up target=nexmo"] == 0


async def test_the_pipeline_is_counted(gateway: Standing) -> None:
    pipeline = gateway.pipeline
    for number, key in enumerate(COUNTS):
        pipeline.counts[key] = number
    pipeline.queued[1] = message(NOW)
    pipeline.returns.shelf.update(dict.fromkeys((1, 2, 3)))
    pipeline.journal.time.observe(0.004)
    pipeline.answer_time.observe(0.006)
    pipeline.journal.failures = 7
    pipeline.journal.error = "disk full"
    gateway.gate.enter("192.0.2.1")
    gateway.gate.enter("192.0.2.1")
    gateway.gate.bound("192.0.2.1")
    gateway.gate.refused["links"] += 4
    read = await gateway.read()
    for number, (name, _) in enumerate(COUNTS.values()):
        assert read[f"smppgw_{name}_total"] == number
    assert read["smppgw_failed_commits_total"] == 7
    assert read["smppgw_queued_messages"] == 1
    assert read["smppgw_awaiting_receipt"] == 0
    assert read["smppgw_set_aside"] == 3
    assert read["smppgw_delayed"] == 0
    assert read["smppgw_store_up"] == 0
    assert read["smppgw_commit_seconds_bucket le=0.005"] == 1
    assert read["smppgw_submit_seconds_bucket le=0.005"] == 0
    assert read["smppgw_links state=bound"] == 1
    assert read["smppgw_links state=unbound"] == 1
    assert read["smppgw_links_refused_total reason=links"] == 4
    assert read["smppgw_access_log_errors_total"] == 0
    assert read["smppgw_access_log_lost_lines_total"] == 0


async def test_what_senders_gave_is_counted(gateway: Standing) -> None:
    pool = Pool("shop", [Sender("SHOP", "alphanumeric"), Sender("+12125550123", "long")])
    routes = [Route(name="a", to="nexmo"), Route(name="b", to="nexmo"), Route(name="c", to="nexmo")]
    gateway.pipeline.table = Table(routes, pools={"a": pool, "b": pool})
    for destination in (b"8190", b"1212", b"8190"):
        pool.choose(destination, 1)
    read = await gateway.read()
    assert read["smppgw_sender_messages_total pool=shop sender=SHOP"] == 2
    assert read["smppgw_sender_messages_total pool=shop sender=+12125550123"] == 1


async def test_the_process_tells_what_it_is(gateway: Standing) -> None:
    read = await gateway.read()
    assert any(name.startswith("smppgw_build_info") and f"version={__version__}" in name for name in read)
    assert read["process_resident_memory_bytes"] > 0


async def test_whatever_upstreams_answer_labels_stay_few(gateway: Standing) -> None:
    statuses = range(0, 0x100000000, 0x10001)
    gateway.smpp.counts.statuses.update(dict.fromkeys(statuses, 1))
    gateway.smpp.counts.statuses.update(dict.fromkeys(range(0x600), 1))
    answers = {name: value for name, value in (await gateway.read()).items() if "connector_answers" in name}
    assert len(answers) <= len(Status) + 256 + 1
    assert sum(answers.values()) == len(statuses) + 0x600
    assert (status_name(0x58), status_name(0x4FF), status_name(0x500)) == ("RTHROTTLED", "0x4FF", "other")
    assert (state_name(2), state_name(200)) == ("DELIVERED", "other")


async def test_names_follow_the_conventions(gateway: Standing) -> None:
    for family in GatewayMetrics(gateway).collect():
        assert re.fullmatch(r"smppgw_[a-z_]+", family.name)
        assert family.documentation.endswith(".") or ";" in family.documentation
        assert family.type != "histogram" or family.name.endswith("_seconds")


def test_every_count_of_the_pipeline_has_a_metric() -> None:
    code = "".join((ROOT / "smppgw" / f"{name}.py").read_text() for name in ("pipeline", "returns", "restore"))
    used = set(re.findall(r'\.counts\["(\w+)"\]', code))
    assert used == set(COUNTS)


async def test_the_operations_manual_lists_every_metric_and_no_other(gateway: Standing) -> None:
    manual = (ROOT / "docs" / "operations.md").read_text()
    listed = re.findall(r"^\| `(smppgw_\w+)` \| [\w, ]*\| (.+) \|$", manual, re.MULTILINE)
    there = {
        family.name + ("_total" if family.type == "counter" else ""): family.documentation
        for family in GatewayMetrics(gateway).collect()
    }
    assert dict(listed) == there
    assert len(listed) == len(there)


async def test_what_becomes_of_history_is_counted_while_it_is_on(gateway: Standing) -> None:
    assert not [name for name in await gateway.read() if "history" in name]
    recorder = Recorder(HistoryConfig(engine="sqlite"), gateway.pipeline.loop)
    recorder.noted, recorder.dropped, recorder.restarts = 7, 2, 1
    read = await replace(gateway, recorder=recorder).read()
    assert read["smppgw_history_up"] == 0
    assert read["smppgw_history_pending_bytes"] == 0
    assert read["smppgw_history_notes_total"] == 7
    assert read["smppgw_history_restarts_total"] == 1
    assert read["smppgw_history_dropped_total"] == 2


async def test_answers_of_the_api_are_counted(gateway: Standing) -> None:
    read = await replace(gateway, api_answers={200: 3, 401: 1}).read()
    assert read["smppgw_api_answers_total status=200"] == 3
    assert read["smppgw_api_answers_total status=401"] == 1


async def test_what_a_carrier_does_is_counted_beside_the_others(gateway: Standing) -> None:
    settings = CarrierSettings(name="web", kind="vonage", url="https://api.example.com", window=9)
    loop = gateway.pipeline.loop
    web = CarrierConnector(settings, gateway.pipeline, loop, lambda _settings, _client: Script(Capabilities(70)))
    counts = web.counts
    counts.submits, counts.mo, counts.polls, counts.opened = 9, 2, 3, 1
    counts.outcomes["incomplete"] = 4
    counts.receipts[MessageState.DELIVERED] = 5
    counts.notifications[503] = 6
    counts.code("ok")
    web.up = web.alerting = True
    read = await replace(gateway, connectors={**gateway.connectors, "web": web}).read()
    assert read["smppgw_connector_submits_total connector=web"] == 9
    assert read["smppgw_connector_submits_total connector=SMPP1"] == 0
    assert read["smppgw_connector_mo_total connector=web"] == 2
    assert read["smppgw_connector_polls_total connector=web"] == 3
    assert read["smppgw_connector_breaker_opened_total connector=web"] == 1
    assert read["smppgw_connector_outcomes_total connector=web outcome=incomplete"] == 4
    assert read["smppgw_connector_receipts_total connector=web state=DELIVERED"] == 5
    assert read["smppgw_connector_notifications_total connector=web status=503"] == 6
    assert read["smppgw_connector_carrier_codes_total code=ok connector=web"] == 1
    assert read["smppgw_connector_joining connector=web"] == 0
    assert read["smppgw_connector_early_receipts connector=web"] == 0
    assert [read[f"smppgw_connector_{name} connector=web"] for name in ("up", "alert", "wanted", "window")] == [
        1,
        1,
        0,
        9,
    ]
    mine = {name.partition(" ")[0] for name in read if "connector=web" in name}
    theirs = {name.partition(" ")[0] for name in read if "connector=SMPP1" in name}
    assert "smppgw_connector_lapsed_total" in theirs - mine
    assert "smppgw_connector_polls_total" in mine - theirs
