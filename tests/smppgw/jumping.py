"""An event loop whose clock jumps to the next timer as soon as nothing else is to be done."""

import asyncio
import functools
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec("P")

EPOCH = 1_800_000_000.0
"""Epoch seconds when a loop's clock shows 0."""

GRACE = 0.0005
"""Real seconds that a socket may need to say that something came."""

MOMENT = 0.001
"""What the clock moves when a test lets others work: a commit may have to wait for its turn."""

PATIENCE = 10.0
"""Real seconds until something that does not happen fails its test."""


class _Selector(selectors.DefaultSelector):
    now = 0.0
    threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0 or self.threads:
            return super().select(timeout)
        found = super().select(GRACE if len(self.get_map()) > 1 else 0)  # the loop has one of its own
        if not found:
            self.now += timeout
        return found


class JumpingLoop(asyncio.SelectorEventLoop):
    """Hours pass in no time; what comes over sockets and from threads comes first."""

    def __init__(self) -> None:
        self._jumping = _Selector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]  # that of typeshed has more generics than we need
        future = super().run_in_executor(executor, func, *args)
        self._jumping.threads += 1
        future.add_done_callback(self._ran)
        return future

    def _ran(self, _future: object) -> None:
        self._jumping.threads -= 1


def jumping(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test on such a loop."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=JumpingLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


def epoch() -> float:
    """The time of day on the clock of the running loop."""
    return EPOCH + asyncio.get_running_loop().time()


async def advance(seconds: float) -> None:
    """Let that much time pass, with all that happens in it."""
    await asyncio.sleep(seconds)
    await settle()


async def settle() -> None:
    """Let everything happen that needs no more than a moment of time, and no peer."""
    for _ in range(3):
        await _moment()


async def until(what: Callable[[], object]) -> None:
    """Let peers work until something holds; the clock hardly moves."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        await _moment()


async def _moment() -> None:
    for _ in range(10):
        await asyncio.sleep(0)
    await asyncio.sleep(MOMENT)
