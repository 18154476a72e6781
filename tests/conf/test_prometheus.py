"""A real Prometheus reads a real gateway by our config: every rule is evaluated, every panel gets an answer."""

import json
import re
import shutil
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from smppgw.ports import free_port
from tests.conf.prometheus import RULES, TARGETS, alerts
from tests.kit import PATIENCE, Gateway, Process

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="Debian's prometheus is not installed")

QUIET = {
    # There is nothing of it: no bind of the account, no refused link, no other status of the SMSC.
    *("Binds-A", "Binds-C", "Window-A", "Answers that are not ROK-A"),
    # A share of nothing: all was sent before Prometheus came.
    "Submits of a commit-A",
}
"""Panels that may be empty; no other."""


class Asked:
    """Prometheus' API."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1"

    def get(self, path: str, **query: str) -> Any:
        url = f"{self._url}/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return json.load(answer)["data"]

    def series(self, query: str) -> list[Any]:
        found: list[Any] = self.get("query", query=query)["result"]
        return found


@pytest.fixture(scope="module")
def prometheus(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    directory, port = tmp_path_factory.mktemp("prometheus"), free_port()
    config = yaml.safe_load(RULES.with_name("prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "250ms", "scrape_timeout": "250ms", "evaluation_interval": "250ms"}
    [job] = config["scrape_configs"]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{gateway.config['http']['port']}"]}]
    shutil.copy(RULES, directory)
    file = directory / "prometheus.yml"
    file.write_text(json.dumps(config))
    options = [f"--config.file={file}", f"--storage.tsdb.path={directory / 'data'}"]
    command: list[str | Path] = ["prometheus", *options, f"--web.listen-address=127.0.0.1:{port}"]
    with Process(command) as process:
        process.expect_line("ready to receive web requests")
        asked, end = Asked(port), time.monotonic() + PATIENCE
        # Two scrapes make a rate; rules are evaluated as often.
        while not asked.series("count_over_time(smppgw_store_up[1m]) > 3"):
            assert time.monotonic() < end, process.lines[-5:]
            time.sleep(0.1)
        yield asked


def test_it_takes_the_gateway_for_up(prometheus: Asked) -> None:
    [target] = prometheus.get("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")


def test_every_rule_is_evaluated_and_none_that_is_critical_fires(prometheus: Asked) -> None:
    rules = {rule["name"]: rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]}
    assert rules.keys() == alerts().keys()
    assert {rule["health"] for rule in rules.values()} == {"ok"}
    critical = {name for name, rule in alerts().items() if rule["labels"]["severity"] == "critical"}
    assert not {name for name in critical if rules[name]["state"] == "firing"}


def test_every_panel_gets_an_answer(prometheus: Asked) -> None:
    values = {"instance": ".+", "account": ".+", "connector": ".+", "__rate_interval": "1m"}
    empty = []
    for title, target in TARGETS:
        query = re.sub(r"\$(\w+)", lambda found: values[found[1]], target["expr"])
        if not prometheus.series(query):
            empty.append(f"{title}-{target['refId']}")
    assert set(empty) <= QUIET
