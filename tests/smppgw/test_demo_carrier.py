"""The carriers of the demo are known to the gateway, and tell what they took."""

from pathlib import Path

import pytest

from smppgw import config as gateway_config
from smppgw.demo import carrier
from smppgw.demo.carrier import KINDS, Carrier
from smppgw.demo.config import config
from smppgw.demo.programs import Gateway, Smsc
from smppgw.demo.story import DemoError


def carriers(directory: Path) -> list[Carrier]:
    return [Carrier(kind, directory, f"http://127.0.0.1:8443/{kind.name.lower()}") for kind in KINDS]


def test_the_config_is_good_and_has_aix_behind_the_cluster(tmp_path: Path) -> None:
    gateway, https = Gateway(tmp_path, 2775, 9464), carriers(tmp_path)
    smscs = [Smsc(name, tmp_path) for name in ("SMPP1", "SMPP2")]
    for port, smsc in enumerate(smscs, 1):
        smsc.port = port
    for port, each in enumerate(https, 10):
        each.port = port
    gateway.write(config(gateway, smscs, "aix", more=carrier.config(8443, https)))
    settings = gateway_config.load(tmp_path / "gateway.toml")
    assert gateway_config.warnings(settings) == ()
    assert sorted(settings.https) == ["aix", "kddi", "twilio", "vonage"]
    assert [member.connector for member in settings.groups["cluster"].backup] == ["aix"]


async def test_a_carrier_tells_what_it_took_and_what_it_refuses_to_do(tmp_path: Path) -> None:
    aix = carriers(tmp_path)[0]
    try:
        await aix.start()
        assert aix.port > 0
        assert await aix.taken("81") == []
        with pytest.raises(DemoError, match="AIX answered /-/options with 400"):
            await aix.ask("POST", "/-/options", {"nonsense": 1})
    finally:
        await aix.kill()
