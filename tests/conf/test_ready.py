"""The ready examples in conf/: each loads as it is, and does what its first lines say."""

import re

import pytest

from smppgw.config import load, warnings
from tests.conf.shown import CONF


def test_the_nexmo_example_binds_smpp0_only_for_smpp1_and_smpp2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXMO_PASSWORD", "secret")
    monkeypatch.setenv("ESME_PASSWORD", "secret")
    nexmo = load(CONF / "nexmo.toml")
    group = nexmo.groups["nexmo"]
    assert [member.connector for member in group.active] == ["smpp1", "smpp2"]
    assert [member.connector for member in group.backup] == ["smpp0"]
    assert nexmo.routes[0].to == "nexmo"
    assert warnings(nexmo) == ()


@pytest.mark.parametrize("name", ["aix", "kddi", "twilio", "vonage"])
def test_a_ready_example_loads_with_its_secrets_from_the_environment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (CONF / f"{name}.toml").read_text()
    variables = set(re.findall(r'_env = "(\w+)"', text))
    for variable in variables:
        monkeypatch.setenv(variable, "secret")
    said = re.search(r"(?m)^# Secrets come from the environment: (.*)\.$", text)
    assert said is not None
    assert set(said[1].split(", ")) == variables
    read = load(CONF / f"{name}.toml")
    assert warnings(read) == ()
    assert any(each.kind.startswith(name) for each in read.https.values())


def test_the_example_of_aix_uses_it_only_while_the_cluster_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IVR_PASSWORD", "SMSC_PASSWORD", "AIX_TOKEN"):
        monkeypatch.setenv(name, "secret")
    group = load(CONF / "aix.toml").groups["japan"]
    assert [member.connector for member in group.active] == ["smsc1", "smsc2"]
    assert [member.connector for member in group.backup] == ["aix"]
