"""The demo tells its story to the end, and counts what it says it counts."""

import asyncio
import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from smppgw import config, demo
from smppgw.demo import Gateway, Smsc, Steady, Tally
from smppgw.simulate import smsc as simulated
from smppgw.simulate.options import Options
from tests.kit import SMPPGW, Process


class Told(Smsc):
    """An SMSC whose counters are given."""

    def __init__(self, name: str, submits: int) -> None:
        super().__init__(name, Path())
        self._told = submits

    @property
    def submits(self) -> int:
        return self._told


def test_what_is_promised_but_never_arrives_is_lost() -> None:
    esme = Steady(1, 1.0)
    esme.promised = {b"1": b"a", b"2": b"b", b"3": b"c", b"4": b"d"}
    esme.receipts.update([b"1", b"1", b"2", b"9"])
    found = demo.tally(
        esme,
        {"SMPP1": frozenset({b"a", b"b"}), "SMPP2": frozenset({b"b", b"c", b"x"})},
        {"SMPP1": Told("SMPP1", 3), "SMPP2": Told("SMPP2", 3)},
    )
    assert (found.lost, found.lost_upstream, found.lost_receipts) == (2, 1, 2)
    assert (found.receipts, found.receipt_duplicates) == (2, 1)
    assert found.duplicates == 2  # six submits, four different messages


@pytest.mark.parametrize(("lost", "words"), [(0, ["0  lost"]), (3, ["3  lost", "1  of them never upstream"])])
def test_the_table_tells_the_end(lost: int, words: list[str]) -> None:
    shown = io.StringIO()
    found = Tally(9, 8, 0, 1, {"SMPP1": 8}, 0, 8 - lost, 0, lost, min(lost, 1), lost)
    Console(file=shown, width=100).print(demo.table(found))
    for word in words:
        assert word in shown.getvalue()


def test_the_config_of_the_demo_is_good(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, 2775, 9464)
    gateway.configure({"SMPP1": 1, "SMPP2": 2, "SMPP0": 3})
    settings = config.load(tmp_path / "gateway.toml")
    assert config.warnings(settings) == ()
    assert sorted(settings.connectors) == ["smpp0", "smpp1", "smpp2"]


async def test_the_esme_remembers_every_promise_and_binds_again() -> None:
    async with simulated.Smsc(Options(system_id="demo", password="secret")) as smsc:
        esme = Steady(smsc.port, 1000.0)
        running = asyncio.create_task(esme.run())
        await smsc.wait_for(20)
        smsc.drop_links()
        await smsc.wait_for(esme.sent + 20)
        await smsc.until(lambda: esme.binds == 2)
        esme.sending = False
        await smsc.until(lambda: not esme.waiting and not esme.missing)
        running.cancel()
        await esme.part()
    assert esme.acknowledged + esme.unanswered == esme.sent
    assert set(esme.promised.values()) <= smsc.destinations


@pytest.mark.endtoend
def test_the_story_is_told_and_nothing_is_lost() -> None:
    with Process([SMPPGW, "demo", "--seconds", "5", "--rate", "100"]) as process:
        status = process.ended(120)
    said = "\n".join(process.lines)
    assert status == 0, said
    for words in ("SMPP0 takes over", "the load returns", "kill -9", "0  lost"):
        assert words in said


def working_in(directory: Path) -> Iterator[str]:
    """Processes whose working directory is there."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if os.readlink(link).startswith(str(directory)):
                yield link.parent.name


@pytest.mark.endtoend
@pytest.mark.parametrize("words", [(), ("--carriers",)])
def test_when_nobody_reads_on_no_process_is_left(words: tuple[str, ...], tmp_path: Path) -> None:
    command = f"{SMPPGW} demo --seconds 5 {' '.join(words)} | head -n 3"
    with Process(["bash", "-c", command], env={**os.environ, "TMPDIR": str(tmp_path)}) as process:
        process.ended(60)
    assert not list(working_in(tmp_path))
