"""Signatures are Vonage's, and forged ones do not agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.carriers.vonage_signature import METHODS, Method, agrees, sign

VECTOR = {"a": "1", "b": "2", "timestamp": "1461605396"}
FIELDS = st.dictionaries(st.text(max_size=5), st.text(max_size=10), max_size=5)


@pytest.mark.parametrize(
    ("method", "signature"),
    [
        ("md5hash", "6af838ef94998832dbfc29020b564830"),
        ("sha1", "3E19A4E6880FDC2C1426BFD0587C98B9532F0210"),
        ("sha256", "A321E824B9B816BE7C3F28859A31749A098713D39F613C80D455BBAFFAE1CD24"),
    ],
)
def test_the_vectors_are_reproduced(method: Method, signature: str) -> None:
    assert sign(VECTOR, "secret", method) == signature
    assert agrees({**VECTOR, "sig": signature}, "secret", method)


def test_the_order_of_parameters_and_an_old_signature_do_not_count() -> None:
    turned = {"sig": "old", "timestamp": "1461605396", "b": "2", "a": "1"}
    assert sign(turned, "secret", "md5hash") == "6af838ef94998832dbfc29020b564830"


def test_ampersands_and_equals_signs_of_values_are_underscores() -> None:
    assert sign({"a": "1&b=2"}, "s", "sha512") == sign({"a": "1_b_2"}, "s", "sha512")


@given(FIELDS, st.sampled_from(METHODS), st.booleans())
def test_what_was_signed_agrees_in_either_case(fields: dict[str, str], method: Method, lower: bool) -> None:
    signature = sign(fields, "secret", method)
    fields["sig"] = signature.lower() if lower else signature.upper()
    assert agrees(fields, "secret", method)


@given(FIELDS, st.sampled_from(METHODS))
def test_what_was_signed_with_another_secret_does_not(fields: dict[str, str], method: Method) -> None:
    assert not agrees({**fields, "sig": sign(fields, "another", method)}, "secret", method)


@given(FIELDS, st.sampled_from(METHODS))
def test_junk_never_agrees(fields: dict[str, str], method: Method) -> None:
    assert not agrees(fields, "secret", method)


def test_nothing_is_no_signature() -> None:
    assert not agrees({}, "secret", "md5")
    assert not agrees({"a": "1", "sig": "\ud800ä"}, "secret", "md5")
