"""A number's country is found by its first digits, and agrees with libphonenumber."""

import phonenumbers
import pytest

from routing.countries import COUNTRIES, PREFIXES, country_of

COUNTED_AS = {
    "GG": "GB", "IM": "GB", "JE": "GB", "VA": "IT", "SJ": "NO", "AX": "FI", "CC": "AU", "CX": "AU", "EH": "MA",
    "BL": "GP", "MF": "GP", "TA": "SH",
}  # fmt: skip
"""Territories whose numbers do not differ from their neighbour's in the first digits."""

KINDS = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_example_numbers_of_every_country_are_its_own(region: str) -> None:
    for kind in KINDS:
        number = phonenumbers.example_number_for_type(region, kind)
        if number is not None:
            digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:].encode()
            assert country_of(digits) == COUNTED_AS.get(region, region), digits


def test_all_countries_are_there() -> None:
    assert set(phonenumbers.SUPPORTED_REGIONS) - set(COUNTED_AS) == COUNTRIES


def test_area_codes_tell_the_countries_of_1_apart() -> None:
    assert [country_of(each) for each in (b"12125550100", b"14165550100", b"18765550100", b"18005550100")] == [
        "US", "CA", "JM", "US",
    ]  # fmt: skip


@pytest.mark.parametrize("number", [b"", b"0", b"090", b"881612345678", b"999", b"bank", b"+81"])
def test_what_starts_with_no_country_code_has_no_country(number: bytes) -> None:
    assert country_of(number) is None


def test_prefixes_are_digits_that_do_not_start_with_0() -> None:
    assert all(prefix.isdigit() and prefix[:1] != b"0" for prefix in PREFIXES)
