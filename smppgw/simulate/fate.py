"""What becomes of each submit: chance and rate, repeatable with a seed."""

from collections.abc import Callable, Mapping
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from protocol.consts import MessageState, Status
from smppgw.simulate.options import STATES, Options

T = TypeVar("T")


class Draw(Generic[T]):
    """One of several values by their rates; `rest` where the rates leave room."""

    __slots__ = ("_certain", "_limits", "_random", "_rest", "_values")

    def __init__(self, mix: Mapping[T, float], rest: T, random: Callable[[], float]) -> None:
        self._values = [value for value, rate in mix.items() if rate > 0]
        self._limits = list(accumulate(mix[value] for value in self._values))
        self._rest = rest
        self._random = random
        certain = len(self._values) == 1 and self._limits[0] >= 1
        self._certain = self._values[0] if certain else None if self._values else rest

    def __call__(self) -> T:
        if self._certain is not None:
            return self._certain
        at = self._random()
        for limit, value in zip(self._limits, self._values, strict=True):
            if at < limit:
                return value
        return self._rest


class Fate:
    """Decides for one SMSC."""

    def __init__(self, options: Options) -> None:
        random = Random(options.seed)  # noqa: S311  no secret depends on it
        self._random = random.random
        self._rate = options.throttle_above
        self._next = 0.0
        self._jitter = options.receipt_jitter
        errors: dict[int, float] = dict(options.errors)
        self.status = Draw(errors, int(Status.ROK), random.random)
        states = {STATES[name]: rate for name, rate in options.states.items()}
        self.outcome = Draw(states, MessageState.DELIVERED, random.random)

    def happens(self, rate: float) -> bool:
        return rate > 0 and self._random() < rate

    def jitter(self) -> float:
        return self._jitter * self._random() if self._jitter else 0.0

    def throttled(self, now: float) -> bool:
        """Evenly spread over the second, with a tenth of it in one burst."""
        if not self._rate:
            return False
        step = 1 / self._rate
        if self._next - now > max(0.1, step) + 1e-6:  # the clock is not exact
            return True
        self._next = max(self._next, now) + step
        return False
