"""The file of ported numbers is read whole, or it is said why not."""

from pathlib import Path

from smppgw.overrides import Overrides, read_file


def test_no_file_means_no_overrides() -> None:
    assert read_file(None, "81") == Overrides({})


def test_a_file_says_which_carriers_numbers_have(tmp_path: Path) -> None:
    path = tmp_path / "ported.csv"
    path.write_bytes(b"\xef\xbb\xbf# of today\r\n09010012345,au\r\n+4477,mobile\r\n")
    assert read_file(str(path), "81") == Overrides({12: {b"819010012345": "au"}, 4: {b"4477": "mobile"}})


def test_bad_lines_are_told_beside_the_good_ones(tmp_path: Path) -> None:
    path = tmp_path / "ported.csv"
    path.write_text("09010012345,au\nnonsense\n")
    prefixes, bad, unreadable = read_file(str(path), "81")
    assert (prefixes, [line.number for line in bad], unreadable) == ({12: {b"819010012345": "au"}}, [2], "")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert read_file(str(tmp_path / "absent"), "81").unreadable == "No such file or directory"
    path = tmp_path / "latin1"
    path.write_bytes(b"# \xe9\n")
    assert read_file(str(path), "81").unreadable == "not UTF-8"
