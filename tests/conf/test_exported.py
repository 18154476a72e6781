"""Rules and dashboard ask only for what a gateway exports, and leave nothing of it out."""

import re

from tests.conf.prometheus import (
    DASHBOARD,
    OF_PROMETHEUS,
    OF_THE_TARGET,
    RULES,
    TARGETS,
    Exported,
    alerts,
    dashboard,
    used,
)  # fmt: skip
from tests.conf.test_alerts import CASES


def test_what_panels_ask_for_is_exported(scrape: Exported) -> None:
    for title, target in TARGETS:
        series, kept = used(target["expr"])
        assert series, title
        there = set(OF_THE_TARGET)
        for name, labels in series.items():
            assert name in scrape, f"{title}: {name}"
            assert labels <= scrape[name] | OF_THE_TARGET, f"{title}: {name}"
            there |= scrape[name]
        assert kept <= there, title
        # A legend can name what the query left.
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= (kept or there), title


def test_what_variables_ask_for_is_exported(scrape: Exported) -> None:
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            [(selector, label)] = re.findall(r"^label_values\((.+), (\w+)\)$", variable["query"]["query"])
            [(name, labels)] = used(selector).series.items()
            assert {label, *labels} <= scrape[name] | OF_THE_TARGET


def test_every_number_of_the_gateway_is_on_it_or_watched_by_an_alert(scrape: Exported) -> None:
    text = DASHBOARD.read_text() + RULES.read_text()
    unseen = {name for name in scrape if name.startswith("smppgw_") and name not in text}
    assert {name for name in unseen if not name.endswith(("_bucket", "_sum", "_count", "_created"))} == set()


def test_alerts_ask_for_what_is_exported(scrape: Exported) -> None:
    for name, rule in alerts().items():
        series, kept = used(rule["expr"])
        for each, labels in series.items():
            if each not in OF_PROMETHEUS:
                assert each in scrape, f"{name}: {each}"
                assert labels <= scrape[each] | OF_THE_TARGET, f"{name}: {each}"
                assert kept <= scrape[each] | OF_THE_TARGET, f"{name}: {each}"


def test_cases_have_the_labels_that_are_exported(scrape: Exported) -> None:
    for name, both in CASES.items():
        for series in (each for case in both for each in case):
            each, _, labels = series.partition("{")
            if each not in OF_PROMETHEUS:
                assert set(re.findall(r'(\w+)="', labels)) <= scrape[each] | OF_THE_TARGET, name
