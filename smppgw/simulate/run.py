"""Run a simulated SMSC as a process of its own."""

import asyncio
import gc
import json
import os
import signal
import sys
from pathlib import Path

import uvloop

from smppgw.simulate.options import Options
from smppgw.simulate.smsc import Smsc

_STATS_EVERY = 1.0


def run(options: Options, stats_json: Path | None = None, dump: Path | None = None) -> int:
    """Until SIGTERM or SIGINT. SIGUSR1 prints the counters, SIGUSR2 takes it down or brings it back.

    `stats_json` is replaced every second and at the end; `dump` gets every destination, one a line, at the end.
    """
    gc.set_threshold(100_000, 20, 100)  # many small lasting objects and no circles among them
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(options, stats_json, dump))


def _dump(path: Path, smsc: Smsc) -> None:
    path.write_bytes(b"".join(destination + b"\n" for destination in sorted(smsc.destinations)))


async def _run(options: Options, stats_json: Path | None, dump: Path | None) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    try:
        smsc = await Smsc(options).__aenter__()
    except OSError as error:
        print(f"cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        return 1
    try:
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_signal_handler(signal.SIGINT, stop.set)
        loop.add_signal_handler(signal.SIGUSR1, lambda: _report(smsc, stats_json))
        loop.add_signal_handler(signal.SIGUSR2, lambda: _toggle(smsc))
        print(f"listening on {options.host}:{smsc.port}", flush=True)
        while not stop.is_set():
            if stats_json is not None:
                _write(stats_json, smsc)
            try:
                await asyncio.wait_for(stop.wait(), _STATS_EVERY if stats_json is not None else None)
            except TimeoutError:
                continue
    finally:
        _report(smsc, stats_json)
        if dump is not None:
            _dump(dump, smsc)
        await smsc.__aexit__(None, None, None)
    return 0


def _toggle(smsc: Smsc) -> None:
    print("going down" if smsc.up else "up again", flush=True)
    smsc.toggle()


def _report(smsc: Smsc, stats_json: Path | None) -> None:
    print(json.dumps({"event": "stats", **smsc.stats()}), flush=True)
    if stats_json is not None:
        _write(stats_json, smsc)


def _write(path: Path, smsc: Smsc) -> None:
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(smsc.stats()) + "\n", encoding="utf-8")
    os.replace(new, path)
