"""The numbers of a carrier stay few, whatever it answers."""

from smppgw.carriers.counts import CODES, Counts


def test_codes_are_counted_by_name_up_to_a_number_of_them() -> None:
    counts = Counts()
    for number in range(CODES + 5):
        counts.code(str(number))
    counts.code("0")
    assert counts.codes["0"] == 2
    assert counts.codes["other"] == 5
    assert len(counts.codes) == CODES + 1
