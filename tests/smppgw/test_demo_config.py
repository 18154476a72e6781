"""The config of either story is good."""

from pathlib import Path

from smppgw import config as gateway_config
from smppgw.demo.config import config
from smppgw.demo.programs import Gateway, Smsc


def test_it_has_a_cluster_and_what_takes_over(tmp_path: Path) -> None:
    gateway, smscs = Gateway(tmp_path, 2775, 9464), [Smsc(name, tmp_path) for name in ("SMPP1", "SMPP2", "SMPP0")]
    for port, smsc in enumerate(smscs, 1):
        smsc.port = port
    gateway.write(config(gateway, smscs, "smpp0", binds=2))
    settings = gateway_config.load(tmp_path / "gateway.toml")
    assert gateway_config.warnings(settings) == ()
    assert sorted(settings.connectors) == ["smpp0", "smpp1", "smpp2"]
    assert [member.connector for member in settings.groups["cluster"].backup] == ["smpp0"]
