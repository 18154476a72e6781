"""What was promised and what came of it is counted from both ends."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from smppgw.demo.programs import Smsc
from smppgw.demo.steady import Steady
from smppgw.demo.tally import Tally, table, tally


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
    found = tally(
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
    Console(file=shown, width=100).print(table(found))
    for word in words:
        assert word in shown.getvalue()
