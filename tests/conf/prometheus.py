"""What tests of rules and dashboards need to know: queries and the names in them, and Prometheus' own tool."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.kit import ROOT

RULES = ROOT / "conf/prometheus/alerts.yml"
DASHBOARD = ROOT / "conf/grafana/smppgw.json"
OF_THE_TARGET = {"instance", "job"}
"""Labels that Prometheus adds."""
OF_PROMETHEUS = {"up", "ALERTS"}
"""Series that no gateway exports."""

Exported = dict[str, set[str]]
"""Labels by the name of a series."""


class Used(NamedTuple):
    """What a query asks for."""

    series: dict[str, set[str]]
    """With the labels in its braces."""
    kept: set[str]
    """Labels that by and without name."""


def used(query: str) -> Used:
    query = re.sub(r"\$\w+", "x", query)
    kept = {label for names in re.findall(r"\b(?:by|without) \(([\w, ]+)\)", query) for label in names.split(", ")}
    query = re.sub(r"\b(?:by|without) \([\w, ]+\)", "", query)
    series: dict[str, set[str]] = {}
    for name, inner in re.findall(r"\b([a-zA-Z_]\w*)\b(?!\s*\()(?:\{([^}]*)\})?", re.sub(r"\[\w+\]", "", query)):
        if name not in {"and", "or", "unless"}:
            series.setdefault(name, set()).update(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inner))
    return Used(series, kept)


def alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def dashboard() -> dict[str, Any]:
    board: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return board


def panels() -> Iterator[dict[str, Any]]:
    """Those that show something."""
    return (panel for panel in dashboard()["panels"] if panel["type"] != "row")


TARGETS = [(panel["title"], target) for panel in panels() for target in panel["targets"]]
"""Every query of the dashboard, with where it is."""


def exported(scrape: str) -> Exported:
    """By a scrape; a family that has no sample has the labels that the manual names."""
    manual = (ROOT / "docs/operations.md").read_text()
    told = {
        name: set(re.findall(r"\w+", labels))
        for name, labels in re.findall(r"^\| `(smppgw_\w+)` \| ([\w, ]*) \| .+ \|$", manual, re.MULTILINE)
    }
    found: Exported = {}
    for family in text_string_to_metric_families(scrape):
        name = family.name + ("_total" if family.type == "counter" else "")
        if not family.samples:
            found[name] = told[name]
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
            if family.type != "histogram":
                assert name not in told or set(sample.labels) == told[name], name
    return found


def promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, check=False)
