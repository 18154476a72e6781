"""What a client may ask: what is refused, and where it says so."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from smppgw.http.orders import Batch, Order

GOOD = {"to": "+447700900001", "text": "Hello"}


def wrong(**fields: Any) -> str:
    """The field that is complained of."""
    with pytest.raises(ValidationError) as raised:
        Order.model_validate(GOOD | fields)
    return str(raised.value.errors()[0]["loc"][0])


@given(st.text(max_size=30), st.characters(categories=["Cc"]), st.text(max_size=30))
def test_no_control_character_gets_into_a_number_a_name_or_a_hint(before: str, control: str, after: str) -> None:
    for field in ("to", "from", "tag", "reference", "service_type", "callback"):
        assert wrong(**{field: before + control + after}) == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("to", ""), ("to", "+"), ("to", "4" * 21), ("to", "+4 4"), ("to", "\u0664\u0664"), ("to", 447700900001),
        ("from", "AlphanumericSender"), ("from", "+SHOP"), ("from", "sh\u00f6p"),
        ("text", ""), ("text", "x" * 39016), ("text", "\ud800"), ("hex", "0"), ("hex", "zz"), ("hex", ""), ("udh", "x"),
        ("coding", "utf8"), ("data_coding", 256), ("data_coding", True),
        ("schedule", "tomorrow"), ("schedule", "2030-01-31T12:00:00"), ("schedule", 1_900_000_000),
        ("validity", 0), ("validity", "60"), ("validity", 10**9), ("receipt", "yes"), ("priority", 4),
        ("callback", "ftp://example.com/"), ("callback", "http://user:word@example.com/"), ("callback", "/hook"),
        ("callback", "http://\x7f"), ("callback", "http://a\x85b/"), ("callback", "http://a\x01:8080"),
        ("reference", "x" * 256), ("tag", "x" * 64), ("service_type", "longer"),
        ("tlvs", {"message_payload": "x"}), ("tlvs", {"0x0424": "x"}), ("tlvs", {"0x020C": 1}), ("tlvs", {"0": "x"}),
        ("tlvs", {"0x1400": "hex:0"}), ("tlvs", {"0x1400": -1}), ("tlvs", {"0x1400": [1]}), ("tlvs", {"70000": ""}),
        ("tlvs", {str(tag): 0 for tag in range(5000, 5040)}), ("unknown", 1), ("From", "SHOP"), ("sender", "SHOP"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_by_its_name(field: str, value: object) -> None:
    assert wrong(**{field: value}) == field


def test_a_name_or_number_is_known_by_from() -> None:
    assert Order.model_validate(GOOD | {"from": "+447700900000"}).sender == "+447700900000"
    assert Order.model_validate(GOOD | {"from": "x" * 11}).sender == "x" * 11
    assert Order.model_validate(GOOD).sender == ""


def test_a_batch_has_something_in_it() -> None:
    with pytest.raises(ValidationError):
        Batch.model_validate({"messages": []})
