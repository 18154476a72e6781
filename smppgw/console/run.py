"""Run a console as a process of its own."""

import asyncio
import signal
import ssl
import sys

from smppgw.console.recent import Recent
from smppgw.console.server import Console, Options
from smppgw.console.upstream import Upstream
from smppgw.reasons import why


def run(url: str, key: str, options: Options, tls: ssl.SSLContext | None = None) -> int:
    """Until SIGTERM or SIGINT; the exit code."""
    return asyncio.run(_run(url, key, options, tls))


async def _run(url: str, key: str, options: Options, tls: ssl.SSLContext | None) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    async with Upstream(url, key, tls) as upstream:
        console = Console(options, upstream, Recent(upstream))
        try:
            port = await console.start()
        except OSError as error:
            print(f"cannot listen on {options.host}:{options.port}: {why(error)}", file=sys.stderr)
            return 1
        host = f"[{options.host}]" if ":" in options.host else options.host
        print(f"listening on http://{host}:{port}/", flush=True)
        await stop.wait()
        await console.stop()
    return 0
