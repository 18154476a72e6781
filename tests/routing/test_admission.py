"""Who may send, to where, and how fast."""

import pytest

from protocol.consts import Status
from routing.admission import Admission, plausible
from routing.throttle import TokenBucket

NOW = 1_790_000_000.0


def admission(*sources: str, rate: float = 0) -> Admission:
    return Admission(sources, TokenBucket(rate))


def test_an_ordinary_submit_is_let_in() -> None:
    assert admission().check(b"MyBank", b"819012345678", False, NOW) is None


def test_an_empty_source_is_let_in_unless_sources_are_named() -> None:
    assert admission().check(b"", b"81", False, NOW) is None
    assert admission("81*").check(b"", b"81", False, NOW) is Status.RINVSRCADR


def test_only_allowed_sources_are_let_in() -> None:
    account = admission("12345", "81*", "re:^MyBank")
    for source in (b"12345", b"8190", b"MyBank1"):
        assert account.check(source, b"81", False, NOW) is None
    for source in (b"123456", b"YourBank", b"1"):
        assert account.check(source, b"81", False, NOW) is Status.RINVSRCADR


@pytest.mark.parametrize("destination", [b"1", b"8" * 20, b"+819012345678", b"81-90-1234", b"*100#", b"\xe9a", b"a b"])
def test_what_may_be_an_address_somewhere_is_a_destination(destination: bytes) -> None:
    assert plausible(destination)
    assert admission().check(b"", destination, False, NOW) is None


@pytest.mark.parametrize("destination", [b"", b"8" * 21, b"+" + b"8" * 20, b"81\n", b"81\x7f", b"\t", b"8\x001"])
def test_what_cannot_be_an_address_is_refused(destination: bytes) -> None:
    assert not plausible(destination)
    assert admission().check(b"", destination, False, NOW) is Status.RINVDSTADR


def test_a_full_queue_is_said() -> None:
    assert admission().check(b"", b"81", True, NOW) is Status.RMSGQFUL


def test_above_the_rate_a_submit_is_throttled() -> None:
    account = admission(rate=2)
    answers = [account.check(b"", b"81", False, NOW) for _ in range(3)]
    assert answers == [None, None, Status.RTHROTTLED]
    assert account.check(b"", b"81", False, NOW + 0.5) is None


def test_a_refused_submit_costs_no_token() -> None:
    account = admission("81*", rate=1)
    assert account.check(b"1", b"81", False, NOW) is Status.RINVSRCADR
    assert account.check(b"81", b"", False, NOW) is Status.RINVDSTADR
    assert account.check(b"81", b"81", True, NOW) is Status.RMSGQFUL
    assert account.check(b"81", b"81", False, NOW) is None


def test_the_bucket_outlives_the_rules() -> None:
    bucket = TokenBucket(1)
    assert Admission((), bucket).check(b"", b"81", False, NOW) is None
    assert Admission((), bucket).check(b"", b"81", False, NOW) is Status.RTHROTTLED
