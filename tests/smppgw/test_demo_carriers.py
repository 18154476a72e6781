"""The demo with carriers tells its story to the end, and fails when anything was lost or sent twice."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from smppgw import config, demo_carriers
from smppgw.demo import DemoError, Gateway, Smsc, Tally
from smppgw.demo_carriers import KINDS, WORDS, Carrier, Ending
from tests.kit import SMPPGW, Process

LOAD = Tally(9, 8, 0, 1, {"SMPP1": 5, "AIX": 3}, 0, 8, 0, 0, 0, 0)
GOOD = Ending(LOAD, whole=4, parts=12, ended=12, answers=3, refused_tags=7, twice=0)


def carriers(directory: Path) -> list[Carrier]:
    return [Carrier(kind, directory, f"http://127.0.0.1:8443/{kind.name.lower()}") for kind in KINDS]


def test_the_config_is_good_and_has_aix_behind_the_cluster(tmp_path: Path) -> None:
    gateway, https = Gateway(tmp_path, 2775, 9464), carriers(tmp_path)
    smscs = {name: Smsc(name, tmp_path) for name in demo_carriers.CLUSTER}
    for port, smsc in enumerate(smscs.values(), 1):
        smsc.port = port
    for port, carrier in enumerate(https, 10):
        carrier.port = port
    gateway.write(demo_carriers.config(gateway, 8443, smscs, https))
    settings = config.load(tmp_path / "gateway.toml")
    assert config.warnings(settings) == ()
    assert sorted(settings.https) == ["aix", "kddi", "twilio", "vonage"]
    assert [member.connector for member in settings.groups["japan"].backup] == ["aix"]


def test_the_text_is_long_and_japanese() -> None:
    assert len(WORDS) > 2 * 67
    assert WORDS.encode("iso2022_jp")


@pytest.mark.parametrize(
    ("end", "good"),
    [
        (GOOD, True),
        (replace(GOOD, twice=1), False),
        (replace(GOOD, ended=11), False),
        (replace(GOOD, load=replace(LOAD, lost=1)), False),
    ],
)
def test_what_is_lost_or_sent_twice_is_no_success(end: Ending, good: bool) -> None:
    assert end.good is good


def test_the_table_tells_the_end() -> None:
    shown = io.StringIO()
    Console(file=shown, width=100).print(demo_carriers.table(GOOD))
    for words in (
        "0  lost",
        "4  long texts out as one, of 12 parts in",
        "7  requests repeated",
        "0  sent twice by AIX",
    ):
        assert words in shown.getvalue()


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


@pytest.mark.endtoend
def test_the_story_is_told_and_nothing_is_lost_nor_sent_twice() -> None:
    with Process([SMPPGW, "demo", "--carriers", "--seconds", "5", "--rate", "100"]) as process:
        status = process.ended(120)
    said = "\n".join(process.lines)
    assert status == 0, said
    for name in ("AIX", "KDDI", "Twilio", "Vonage"):
        assert f"one text of {len(WORDS)} characters out" in said.partition(name)[2]
    for words in ("キャンセル", "AIX takes over", "kill -9", "0  lost", "0  sent twice by AIX"):
        assert words in said
