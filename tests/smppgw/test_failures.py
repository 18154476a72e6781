"""Wrong passwords and keys block the address that they came from, for a while."""

from smppgw import failures
from smppgw.failures import Failures
from smppgw.settings import Limits

A, B = "192.0.2.1", "192.0.2.2"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def counting() -> tuple[Failures, Clock]:
    clock = Clock()
    return Failures(Limits(auth_failures=3, auth_block=60.0), clock), clock


def test_so_many_in_a_row_block_an_address_for_a_while_and_no_other() -> None:
    found, clock = counting()
    assert [found.failed(A) for _ in range(3)] == [1, 2, 3]
    assert found.blocked(A)
    assert not found.blocked(B)
    clock.now += 60.0
    assert not found.blocked(A)
    found.failed(A)
    assert found.blocked(A)


def test_a_right_one_ends_the_row_and_old_ones_are_forgotten() -> None:
    found, clock = counting()
    found.failed(A)
    found.succeeded(A)
    assert found.failed(A) == 1
    clock.now += 61.0
    found.forget_old()
    assert found.failed(A) == 1


def test_so_many_addresses_are_remembered_and_no_more() -> None:
    found, _ = counting()
    for _ in range(3):
        found.failed(A)
    for n in range(failures.MOST):
        found.failed(str(n))
    assert not found.blocked(A)
