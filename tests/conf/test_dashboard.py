"""The dashboard shows only what a gateway exports, and needs nothing but Grafana and Prometheus."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from tests.conf.prometheus import (
    DASHBOARD,
    OF_PROMETHEUS,
    TARGETS,
    dashboard,
    panels,
    promtool,
    used,
)
from tests.kit import ROOT

PROVISIONING = ROOT / "conf/grafana/provisioning"
OF_GRAFANA = {"stat", "timeseries", "heatmap", "state-timeline"}


def test_it_is_a_dashboard_that_grafana_can_take_again_and_again() -> None:
    board = dashboard()
    assert board["uid"] == "smppgw"
    assert board["id"] is None
    assert board["schemaVersion"] >= 36
    ids = Counter(panel["id"] for panel in board["panels"])
    assert len(ids) == len(board["panels"])
    assert {panel["type"] for panel in panels()} <= OF_GRAFANA
    assert all(panel["title"] and panel["description"] and panel["targets"] for panel in panels())


def test_no_two_panels_cover_each_other() -> None:
    taken: Counter[tuple[int, int]] = Counter()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        taken.update((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"]))
    assert set(taken.values()) == {1}


def test_every_source_of_data_is_the_one_that_is_chosen_above() -> None:
    def sources(value: Any) -> list[Any]:
        if isinstance(value, dict):
            here = [value["datasource"]] if isinstance(value.get("datasource"), dict) else []
            return here + [found for inner in value.values() for found in sources(inner)]
        return [found for inner in value for found in sources(inner)] if isinstance(value, list) else []

    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources(dashboard()))
    variables = {each["name"] for each in dashboard()["templating"]["list"]}
    asked = set(re.findall(r"\$\{?(\w+)", DASHBOARD.read_text())) - {"__rate_interval", "__all"}
    assert asked == variables


def test_queries_are_queries(tmp_path: Path) -> None:
    asked = [re.sub(r"\$\w+", "5m", target["expr"]) for _, target in TARGETS]
    file = tmp_path / "rules.yml"
    rules = [{"record": f"panel_{n}", "expr": query} for n, query in enumerate(asked)]
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    done = promtool("check", "rules", file)
    assert done.returncode == 0, done.stderr


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    [source] = yaml.safe_load((PROVISIONING / "datasources/prometheus.yml").read_text())["datasources"]
    assert (source["type"], source["url"], source["isDefault"]) == ("prometheus", "http://prometheus:9090", True)
    [provider] = yaml.safe_load((PROVISIONING / "dashboards/smppgw.yml").read_text())["providers"]
    assert Path(provider["options"]["path"]).is_absolute()


def test_it_reads_well_in_a_diff() -> None:
    assert DASHBOARD.read_text() == json.dumps(dashboard(), indent=1) + "\n"


def test_queries_are_taken_apart_rightly() -> None:
    series, kept = used('sum by (le, a) (rate(m_bucket{x=~"$x", y!="1"}[$__rate_interval])) / (n > 0)')
    assert series == {"m_bucket": {"x", "y"}, "n": set()}
    assert kept == {"le", "a"}
    assert set(used("a == 1 and b == 0 unless c[5m] > 2").series) == {"a", "b", "c"}
    assert not OF_PROMETHEUS & set(used("rate(a[5m])").series)
