"""Every alert fires when it should and not before, and asks for what a gateway exports."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.conf.prometheus import OF_THE_TARGET, RULES, alerts, dashboard, promtool, used
from tests.kit import ROOT

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="Debian's prometheus is not installed")

MANUAL = ROOT / "docs/operations.md"

UP, DOWN = "1x40", "0x40"
"""Forty minutes, a sample each."""
RISES, STAYS = "0+1x40", "7x40"

Series = dict[str, str]

ANSWERS = 'smppgw_account_answers_total{account="shop",status="RMSGQFUL"}'
OUTCOMES = 'smppgw_connector_outcomes_total{connector="up",outcome="%s"}'
LOOKUPS = 'smppgw_carrier_lookups_total{result="%s"}'
NOTIFICATIONS = 'smppgw_connector_notifications_total{connector="web",status="%s"}'
DELIVERED = 'smppgw_account_delivered_total{account="shop"}'
REFUSED = 'smppgw_account_refused_deliveries_total{account="shop"}'
API = 'smppgw_api_answers_total{status="%s"}'
COMMITS = 'smppgw_commit_seconds_bucket{le="%s"}'
ANSWER_TIME = 'smppgw_connector_answer_seconds_bucket{connector="up",le="%s"}'

CASES: dict[str, tuple[Series, Series]] = {
    # alert: what makes it fire, what does not
    "GatewayDown": ({'up{job="smppgw"}': DOWN}, {'up{job="smppgw"}': UP, 'up{job="other"}': DOWN}),
    "StoreRefuses": ({"smppgw_store_up": DOWN}, {"smppgw_store_up": UP}),
    "CommitsSlow": (
        {COMMITS % "0.2": "0+90x40", COMMITS % "0.5": "0+100x40", COMMITS % "+Inf": "0+100x40"},
        {COMMITS % "0.2": "0+100x40", COMMITS % "0.5": "0+100x40", COMMITS % "+Inf": "0+100x40"},
    ),
    "ProcessAtItsLimit": (
        {'process_cpu_seconds_total{job="smppgw"}': "0+58x40"},
        {'process_cpu_seconds_total{job="smppgw"}': "0+40x40", 'process_cpu_seconds_total{job="x"}': "0+60x40"},
    ),
    "AccessLogGaps": (
        {"smppgw_access_log_lost_lines_total": RISES},
        {"smppgw_access_log_lost_lines_total": STAYS},
    ),
    "ConnectorNeedsAPerson": (
        {'smppgw_connector_alert{connector="up"}': UP},
        {
            'smppgw_connector_alert{connector="up"}': DOWN,
            'smppgw_connector_alert{connector="stopped"}': UP,
            'smppgw_connector_held{connector="stopped"}': UP,
        },
    ),
    "ConnectorDown": (
        {
            'smppgw_connector_wanted{connector="up"}': UP,
            'smppgw_connector_up{connector="up"}': DOWN,
            'smppgw_connector_held{connector="up"}': DOWN,
        },
        {
            'smppgw_connector_wanted{connector="spare"}': DOWN,
            'smppgw_connector_up{connector="spare"}': DOWN,
            'smppgw_connector_wanted{connector="drained"}': UP,
            'smppgw_connector_up{connector="drained"}': DOWN,
            'smppgw_connector_held{connector="drained"}': UP,
        },
    ),
    "TargetDown": (
        {'smppgw_target_up{target="all"}': DOWN, 'smppgw_target_queue{target="all"}': STAYS},
        {'smppgw_target_up{target="all"}': DOWN, 'smppgw_target_queue{target="all"}': DOWN},
    ),
    "MessagesWait": (
        {'smppgw_target_oldest_seconds{target="all"}': "0+60x40"},
        {'smppgw_target_oldest_seconds{target="all"}': "60x40"},
    ),
    "UpstreamSilent": (
        {'smppgw_connector_lapsed_total{connector="up"}': RISES},
        {'smppgw_connector_lapsed_total{connector="up"}': STAYS},
    ),
    "UpstreamSlow": (
        {ANSWER_TIME % "2.0": "0+90x40", ANSWER_TIME % "5.0": "0+100x40", ANSWER_TIME % "+Inf": "0+100x40"},
        {ANSWER_TIME % "2.0": "0+99x40", ANSWER_TIME % "5.0": "0+100x40", ANSWER_TIME % "+Inf": "0+100x40"},
    ),
    "UpstreamRefusesMuch": (
        {OUTCOMES % "never": "0+20x40", OUTCOMES % "sent": "0+80x40"},
        {OUTCOMES % "never": "0+5x40", OUTCOMES % "sent": "0+95x40"},
    ),
    "MessagesInDoubt": ({"smppgw_in_doubt_total": RISES}, {"smppgw_in_doubt_total": STAYS}),
    "UnknownReceipts": (
        {"smppgw_unknown_receipts_total": "0+2x40"},
        {"smppgw_unknown_receipts_total": "0+0.5x40"},
    ),
    "CarrierFails": (
        {'smppgw_connector_breaker_opened_total{connector="web"}': RISES},
        {'smppgw_connector_breaker_opened_total{connector="web"}': STAYS},
    ),
    "NotificationsRefused": (
        {NOTIFICATIONS % "401": RISES},
        {NOTIFICATIONS % "200": RISES, NOTIFICATIONS % "401": "1x40"},
    ),
    "CarrierLookupsFail": (
        {LOOKUPS % "failed": "0+6x40", LOOKUPS % "found": "0+4x40"},
        {LOOKUPS % "failed": "0+1x40", LOOKUPS % "late": "0+1x40", LOOKUPS % "found": "0+9x40"},
    ),
    "QueueFull": ({ANSWERS: RISES}, {ANSWERS: STAYS, ANSWERS.replace("RMSGQFUL", "ROK"): RISES}),
    "NoRoute": (
        {"smppgw_no_route_total": STAYS, "smppgw_no_sender_total": RISES},
        {"smppgw_no_route_total": STAYS, "smppgw_no_sender_total": STAYS},
    ),
    "AnswersRefused": ({"smppgw_mo_no_route_total": RISES}, {"smppgw_mo_no_route_total": STAYS}),
    "DeliveriesWait": (
        {'smppgw_account_outbox_oldest_seconds{account="shop"}': "3000+60x40"},
        {'smppgw_account_outbox_oldest_seconds{account="shop"}': "3600x40"},
    ),
    "DeliveriesRefused": ({REFUSED: RISES, DELIVERED: STAYS}, {REFUSED: RISES, DELIVERED: RISES}),
    "NeedsAPerson": ({"smppgw_set_aside": RISES}, {"smppgw_set_aside": "40-1x40"}),
    "ApiErrors": ({API % "503": RISES}, {API % "200": RISES, API % "503": STAYS}),
    "ApiRefuses": ({API % "401": "0+3x40"}, {API % "401": RISES, API % "200": "0+9x40"}),
    "HistoryDown": ({"smppgw_history_up": DOWN}, {"smppgw_history_up": UP}),
    "HistoryRestarts": ({"smppgw_history_restarts_total": RISES}, {"smppgw_history_restarts_total": "0+0.1x40"}),
    "HistoryDropped": ({"smppgw_history_dropped_total": RISES}, {"smppgw_history_dropped_total": STAYS}),
}


@needs_promtool
def test_the_rules_and_the_config_are_good() -> None:
    for words in (("check", "rules", RULES), ("check", "config", RULES.with_name("prometheus.yml"))):
        done = promtool(*words)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_its_case() -> None:
    assert list(CASES) == list(alerts())


@needs_promtool
def test_every_alert_fires_when_it_should_and_not_else(tmp_path: Path) -> None:
    tests = []
    for name, (bad, good) in CASES.items():
        for series in (bad, good):
            fires = [{"exp_labels": labels_of(name, series)}] if series is bad else []
            tests.append(
                {
                    "interval": "1m",
                    "name": name,
                    "input_series": [{"series": each, "values": values} for each, values in series.items()],
                    "alert_rule_test": [{"eval_time": "39m", "alertname": name, "exp_alerts": fires}],
                }
            )
    # What annotations say is not for a machine to check; that they are there is, below.
    rules = yaml.safe_load(RULES.read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            del rule["annotations"]
    (tmp_path / "rules.yml").write_text(json.dumps(rules))
    (tmp_path / "tests.yml").write_text(
        json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests})
    )
    done = promtool("test", "rules", tmp_path / "tests.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def labels_of(alert: str, series: Series) -> dict[str, str]:
    """Of an alert that fires by these series: those that its query keeps, and its own."""
    told = dict(re.findall(r'(\w+)="([^"]*)"', next(iter(series))))
    kept = {key: value for key, value in told.items() if key not in {"le", "outcome", "status", "result"}}
    return {**kept, **alerts()[alert]["labels"]}


@needs_promtool
def test_what_an_alert_says_can_be_written(tmp_path: Path) -> None:
    """A template with a mistake in it fails a test that expects nothing of it."""
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", CASES)
def test_an_alert_says_what_is_wrong_how_bad_it_is_and_where_to_read_on(name: str) -> None:
    rule = alerts()[name]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "runbook"}
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
    there = {label for labels in used(rule["expr"]).series.values() for label in labels}
    named = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert named <= told(name) | OF_THE_TARGET | there


def told(alert: str) -> set[str]:
    return set(re.findall(r'(\w+)="', " ".join(CASES[alert][0])))


def test_prometheus_scrapes_the_port_that_the_gateway_opens() -> None:
    config = yaml.safe_load((ROOT / "conf/prometheus/prometheus.yml").read_text())
    assert config["rule_files"] == [RULES.name]
    [job] = config["scrape_configs"]
    assert job["job_name"] == "smppgw"
    assert job["static_configs"] == [{"targets": ["smppgw:9464"]}]
    assert "port = 9464" in (ROOT / "conf/smppgw.toml").read_text()


def test_the_runbook_has_a_section_for_each_alert_and_no_other() -> None:
    runbook = (ROOT / "docs/runbook.md").read_text()
    parts = re.split(r"^## (\w+)$", runbook, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert list(sections) == list(alerts())
    for name, text in sections.items():
        assert text.lstrip().startswith(f"*{alerts()[name]['labels']['severity']}.*"), name
        assert "**Look at**" in text, name
        assert "**Do**" in text, name
    assert set(re.findall(r"`(smppgw_\w+)`", runbook)) <= set(re.findall(r"`(smppgw_\w+)`", MANUAL.read_text()))
    panels = {panel["title"] for panel in dashboard()["panels"]}
    quoted = set(re.findall(r'"([A-Z][^"]+)"', runbook)) - {"Out of memory"}
    assert quoted <= panels, quoted - panels


def test_the_runbook_names_events_keys_and_alerts_that_there_are() -> None:
    runbook = (ROOT / "docs/runbook.md").read_text()
    events = set(re.findall(r"`((?:the|alert|history|bind|carrier|notification|set) [\w:; ]+)`", runbook))
    assert events
    assert events <= set(re.findall(r"`([^`]+)`", MANUAL.read_text()))
    assert set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", re.sub("StoreRefuses|`.*?`", "", runbook))) <= set(
        alerts()
    )
