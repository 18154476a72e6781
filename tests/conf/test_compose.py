"""compose.yaml fits the image, the config and the ports that its services have."""

import re
import shlex
import subprocess
from typing import Any

import pytest
import typer.main
import yaml

from smppgw import config
from smppgw.cli import app
from tests.kit import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
KEYS = {
    *("build", "image", "pull_policy", "command", "depends_on", "environment", "healthcheck", "volumes", "ports"),
    *("restart", "stop_grace_period", "read_only", "tmpfs", "cap_drop", "security_opt"),
}
"""What of the compose specification is used here: a misspelt key would be an error of the engine only."""


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> config.Config:
    for service in SERVICES.values():
        for name in service.get("environment", {}):
            monkeypatch.setenv(name, "secret")
    return config.load(ROOT / "conf/compose.toml")


def test_services_are_written_as_compose_wants_them() -> None:
    assert COMPOSE.keys() == {"name", "services", "volumes"}
    for name, service in SERVICES.items():
        assert service.keys() <= KEYS, name
        assert "image" in service, name
        assert set(service.get("depends_on", ())) <= SERVICES.keys(), name


def test_what_is_mounted_exists_and_is_read_only_and_volumes_are_named() -> None:
    used = set()
    for service in SERVICES.values():
        for source, _, *mode in (volume.split(":") for volume in service.get("volumes", ())):
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
                assert mode == ["ro"], source
            else:
                used.add(source)
    assert used == COMPOSE["volumes"].keys()


def test_nothing_is_open_to_other_machines_and_no_password_is_written_down() -> None:
    text = (ROOT / "compose.yaml").read_text()
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)
    assert len(ports) == len(set(ports))
    assert re.findall(r"^ +(?:DEMO|GF_SECURITY_ADMIN)_PASSWORD: (.)", text, re.MULTILINE) == ["$", "$"]
    for name, service in SERVICES.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_the_gateway_s_config_is_good_and_its_ports_are_the_ones_that_others_know(settings: config.Config) -> None:
    assert config.warnings(settings) == ()
    ports = {listener.port for listener in settings.listeners} | {settings.http.port}
    assert {int(port.rpartition(":")[2]) for port in SERVICES["smppgw"]["ports"]} == ports
    assert settings.http.host == "0.0.0.0"
    scrape = yaml.safe_load((ROOT / "conf/prometheus/prometheus.yml").read_text())["scrape_configs"]
    assert scrape[0]["static_configs"][0]["targets"] == [f"smppgw:{settings.http.port}"]
    [source] = yaml.safe_load((ROOT / "conf/grafana/provisioning/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    assert source["url"] == "http://prometheus:9090"
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"EXPOSE {' '.join(map(str, sorted(ports)))}\n" in dockerfile
    mounted = [volume.split(":")[1] for volume in SERVICES["smppgw"]["volumes"]]
    assert mounted[0] in dockerfile
    assert f"VOLUME {mounted[1]}\n" in dockerfile
    assert int(SERVICES["smppgw"]["stop_grace_period"].removesuffix("s")) > settings.gateway.drain


def test_the_simulated_smsc_is_the_one_that_the_gateway_binds_to(settings: config.Config) -> None:
    [connector] = settings.smpp.values()
    words = SERVICES["smsc"]["command"]
    assert connector.host == "smsc"
    options = dict(zip(words[2::2], words[3::2], strict=True))
    assert options["--port"] == str(connector.port)
    assert options["--system-id"] == connector.system_id
    simulate = typer.main.get_command(app).commands["simulate"].commands["smsc"]  # type: ignore[attr-defined]
    assert options.keys() <= {option for each in simulate.params for option in each.opts}


def test_grafana_starts_with_the_dashboard() -> None:
    mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in SERVICES["grafana"]["volumes"]}
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert mounted[home] == "./conf/grafana/smppgw.json"
    [provider] = yaml.safe_load((ROOT / "conf/grafana/provisioning/dashboards/smppgw.yml").read_text())["providers"]
    assert home.startswith(provider["options"]["path"] + "/")


def test_compose_itself_reads_it() -> None:
    try:
        there = subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=30, check=False)
    except OSError:
        pytest.skip("there is no docker")
    if there.returncode:
        pytest.skip("docker has no compose here")
    command = f"docker compose -f {shlex.quote(str(ROOT / 'compose.yaml'))} config --quiet"
    environment = {"DEMO_PASSWORD": "a", "GRAFANA_PASSWORD": "b", "PATH": "/usr/bin:/usr/local/bin:/bin"}
    done = subprocess.run(
        shlex.split(command), env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
