"""Run a simulated carrier as a process of its own."""

import asyncio
import gc
import json
import signal
import sys
from collections.abc import Callable

import uvloop

from smppgw.simulate.carrier import CarrierSimulator


def run(make: Callable[[], CarrierSimulator]) -> int:
    """Until SIGTERM or SIGINT. SIGUSR1 prints the counts as a line of JSON, as does the end, with the milliseconds that
    webhooks took to answer."""
    gc.set_threshold(100_000, 20, 100)  # many small lasting objects and few circles among them
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(make))


async def _run(make: Callable[[], CarrierSimulator]) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    simulator = make()
    try:
        port = await simulator.start()
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, _report, simulator)
    print(f"listening on {simulator.options.host}:{port}", flush=True)
    await stop.wait()
    _report(simulator)
    await simulator.stop()
    return 0


def _report(simulator: CarrierSimulator) -> None:
    took = sorted(simulator.answer_times)
    at = {"p50": len(took) // 2, "p99": len(took) * 99 // 100, "max": len(took) - 1} if took else {}
    times = {name: round(took[index] * 1000, 3) for name, index in at.items()}
    print(json.dumps({"event": "stats", **simulator.counts, "webhook_ms": times}), flush=True)
