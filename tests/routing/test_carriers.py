"""A number belongs to the carrier of its longest known prefix, unless an override says otherwise."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import japan
from routing.carriers import JAPAN, BadLine, Carriers, by_length, read_overrides

CARRIERS = Carriers()


def overridden(*lines: str, country: str = "81") -> Carriers:
    overrides, bad = read_overrides(lines, country)
    assert bad == []
    return Carriers(country, overrides)


# Numbers


@pytest.mark.parametrize(
    ("number", "carrier"),
    [
        ("09010012345", "docomo"),
        ("08051234567", "au"),
        ("09037123456", "au"),
        ("07011234567", "softbank"),
        ("07083001234", "rakuten"),
        ("06012012345", "rakuten"),
        ("0312345678", ""),
        ("05012345678", ""),
        ("0120123456", ""),
        ("02012345678", ""),
    ],
)
def test_a_number_of_japan_belongs_to_whom_its_prefix_was_allocated(number: str, carrier: str) -> None:
    assert CARRIERS.of(number) == carrier


@pytest.mark.parametrize(
    "number", ["+819010012345", "819010012345", "09010012345", "+81-90-1001-2345", "090 1001 2345"]
)
def test_a_number_is_the_same_in_all_its_forms(number: str) -> None:
    assert CARRIERS.of(number) == CARRIERS.of(number.encode()) == "docomo"
    assert CARRIERS.digits(number) == b"819010012345"
    assert CARRIERS.national(number) == b"09010012345"


def test_of_two_prefixes_the_longer_one_is_right() -> None:
    assert [CARRIERS.of(number) for number in ("07010", "07011", "07034200000", "07034000000")] == [
        "docomo",
        "softbank",
        "au",
        "softbank",
    ]


def test_without_a_home_country_the_national_form_says_nothing() -> None:
    nowhere = Carriers("")
    assert [nowhere.of(number) for number in ("09010012345", "+819010012345")] == ["", "docomo"]


def test_at_home_elsewhere_the_national_form_is_of_that_country() -> None:
    british = overridden("07700,mobile", country="44")
    assert [british.of(number) for number in ("07700900123", "+447700900123", "+819010012345")] == [
        "mobile",
        "mobile",
        "docomo",
    ]


@given(st.one_of(st.binary(max_size=25), st.text(max_size=25), st.from_regex(r"\+?[0-9]{0,16}", fullmatch=True)))
def test_whatever_stands_for_a_number_has_a_carrier_or_none(number: bytes | str) -> None:
    assert CARRIERS.of(number) in {*CARRIERS.names, ""}
    overridden("8190,other").of(number)


@given(st.from_regex(r"[6789]0[0-9]{8}", fullmatch=True))
def test_the_longest_prefix_is_found_as_if_all_were_tried(number: str) -> None:
    known = {prefix: name for name, prefixes in japan.PREFIXES.items() for prefix in prefixes.split()}
    fitting = [prefix for prefix in known if number.startswith(prefix)]
    assert CARRIERS.of("+81" + number) == (known[max(fitting, key=len)] if fitting else "")


# The data


def test_the_data_names_four_carriers() -> None:
    assert CARRIERS.names == {"docomo", "au", "softbank", "rakuten"}


def test_no_prefix_stands_with_two_carriers() -> None:
    prefixes = list(chain.from_iterable(prefixes.split() for prefixes in japan.PREFIXES.values()))
    assert len(prefixes) == len(set(prefixes)) == sum(len(table) for table in JAPAN.values()) == 251


def test_every_prefix_is_one_of_mobile_numbers() -> None:
    for prefix in chain.from_iterable(prefixes.split() for prefixes in japan.PREFIXES.values()):
        assert prefix[:2] in {"60", "70", "80", "90"}
        assert prefix[2] != "0"
        assert prefix.isdigit()
        assert len(prefix) <= 5


@pytest.mark.parametrize("start", ["080", "090"])
def test_080_and_090_are_known_throughout(start: str) -> None:
    assert all(CARRIERS.of(f"{start}{block}00000") for block in range(100, 1000))


# Overrides


def test_an_override_wins_over_the_data_for_one_number_or_for_all_with_a_prefix() -> None:
    ported = overridden("+819010012345,au", "0703,newcomer")
    assert [ported.of(number) for number in ("09010012345", "09010012346", "07030000000")] == [
        "au",
        "docomo",
        "newcomer",
    ]
    assert [ported.override(number) for number in ("09010012345", "09010012346")] == ["au", ""]
    assert ported.names == CARRIERS.names | {"newcomer"}


def test_a_short_override_wins_over_longer_prefixes_of_the_data() -> None:
    assert overridden("070,softbank").of("07083001234") == "softbank"


def test_blank_lines_comments_and_spaces_say_nothing() -> None:
    ported = overridden("# ported in November", "", "  ", "  090-1001-2345 , au \r\n")
    assert ported.of("09010012345") == "au"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("09010012345", "there is no comma"),
        ("number,carrier", "'number' is no number"),
        (",au", "'' is no number"),
        ("+8190100123456789,au", "'+8190100123456789' is no number"),
        ("\u0660\u0669,au", "'\u0660\u0669' is no number"),
        ("09010012345,", "'' is no carrier's name"),
        ("09010012345,NTT Docomo", "'NTT Docomo' is no carrier's name"),
        ("09010012345,au,softbank", "'au,softbank' is no carrier's name"),
        ("+819010012345,softbank", "'+819010012345' stood before with another carrier"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_by_its_number(line: str, wrong: str) -> None:
    overrides, bad = read_overrides(["# first", "090 1001 2345,docomo", line])
    assert [(each.number, each.wrong) for each in bad] == [(3, wrong)]
    assert all(each.fix for each in bad)
    assert overrides == by_length([(b"819010012345", "docomo")])


def test_a_national_number_without_a_home_country_is_told() -> None:
    assert read_overrides(["0901,au"], "")[1] == [
        BadLine(1, "'0901' has no country code", "write it with one, or name the home country")
    ]


def test_the_same_line_twice_is_harmless() -> None:
    assert overridden("0901,au", "+81901,au").of("09010012345") == "au"


@given(st.lists(st.text(max_size=30), max_size=10))
def test_junk_in_overrides_is_told_and_never_crashes(lines: list[str]) -> None:
    overrides, bad = read_overrides(lines)
    assert all(1 <= each.number <= len(lines) for each in bad)
    Carriers(overrides=overrides).of("09010012345")
