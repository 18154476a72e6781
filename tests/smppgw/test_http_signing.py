"""Signatures of callbacks."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from smppgw.http.signing import sign


@given(st.binary(min_size=1), st.binary(), st.integers(0, 2**40))
def test_the_signature_is_hmac_of_time_dot_body(secret: bytes, body: bytes, now: int) -> None:
    digest = hmac.new(secret, b"%d.%b" % (now, body), "sha256").hexdigest()
    assert sign(secret, body, now + 0.9) == f"t={now},v1={digest}"


@given(st.binary(), st.binary())
def test_no_two_bodies_have_the_same(one: bytes, other: bytes) -> None:
    assert (sign(b"secret", one, 1.0) == sign(b"secret", other, 1.0)) is (one == other)
