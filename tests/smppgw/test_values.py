"""What people write is read as it was meant, or refused with what would be right."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.consts import Status
from smppgw import values
from smppgw.values import Wrong


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("500ms", 0.5), ("10s", 10), ("5m", 300), ("48h", 172800), ("7d", 604800), ("1.5 s", 1.5), (3, 3), (0.25, 0.25)],
)
def test_durations_are_seconds(written: object, seconds: float) -> None:
    assert values.duration(written) == seconds


@pytest.mark.parametrize("written", ["10", "s", "10 sec", "-5s", "5M", "1e3s", "", True, None, ["5s"]])
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(Wrong, match="is not a duration"):
        values.duration(written)


@pytest.mark.parametrize(
    ("written", "octets"), [("64KiB", 65536), ("1MiB", 1 << 20), (5000, 5000), ("5000B", 5000), ("0.5MiB", 1 << 19)]
)
def test_sizes_are_octets(written: object, octets: int) -> None:
    assert values.size(written) == octets


@pytest.mark.parametrize("written", ["64KB", "64", "KiB", 0.5, True, None])
def test_what_is_no_size_is_refused(written: object) -> None:
    with pytest.raises(Wrong, match="is not a size"):
        values.size(written)


@pytest.mark.parametrize("written", ["smsc.example", "localhost", "192.0.2.1", "2001:db8::1", "münchen.example"])
def test_a_host_is_a_name_or_an_address(written: str) -> None:
    assert values.host(written) == written


@pytest.mark.parametrize("written", ["smsc..example", "a" * 64 + ".example", ".example"])
def test_what_no_dns_can_have_is_no_host(written: str) -> None:
    with pytest.raises(Wrong, match="is no host; write a name like"):
        values.host(written)


@pytest.mark.parametrize("written", ["RTHROTTLED", "ESME_RTHROTTLED", "rthrottled", "0x58", "88", 0x58])
def test_a_status_is_a_name_or_a_number(written: object) -> None:
    assert values.status(written) == 0x58


@given(st.sampled_from([each for each in Status if each]))
def test_every_status_is_known_by_its_name(status: Status) -> None:
    assert values.status(status.name) == values.status(f"ESME_{status.name}") == status


@pytest.mark.parametrize("written", ["ROK", 0, -1, 1 << 32, "RTHROTLED", True, None])
def test_what_is_no_refusal_is_no_status(written: object) -> None:
    with pytest.raises(Wrong):
        values.status(written)


def test_a_misspelt_status_gets_the_nearest_name() -> None:
    with pytest.raises(Wrong, match="did you mean 'RTHROTTLED'"):
        values.status("RTHROTLED")


@pytest.mark.parametrize(
    ("written", "octets"),
    [("12345", b"12345"), ("hex:00fF", b"\0\xff"), (1, b"\1"), (256, b"\1\0"), (65536, b"\0\1\0\0"), ("", b"")],
)
def test_a_tlv_is_text_or_hex_or_a_number(written: object, octets: bytes) -> None:
    assert values.tlv(written) == octets


@pytest.mark.parametrize("written", ["hex:0", "hex:xy", -1, 1 << 32, 0.5, True, "a" * 65536])
def test_what_is_no_tlv_is_refused(written: object) -> None:
    with pytest.raises(Wrong):
        values.tlv(written)


def test_a_star_is_any_value_of_a_tlv() -> None:
    assert values.tlv_pattern("*") is None
    assert values.tlv_pattern("**") == b"**"


@given(st.text())
def test_a_pattern_is_kept_as_it_is_or_refused(text: str) -> None:
    with contextlib.suppress(Wrong):
        assert values.pattern(text) == text


@given(st.text(max_size=20))
def test_a_field_of_smpp_fits_or_is_refused(text: str) -> None:
    try:
        octets = values.octets_within(8, text).encode("latin-1")
    except Wrong:
        return
    assert len(octets) <= 8
    assert 0 not in octets
