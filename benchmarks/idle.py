"""Bind many times, and stay: `python -m benchmarks.idle PORT COUNT` says when all are bound, and ends when killed."""

import asyncio
import json
import sys
from time import monotonic

import uvloop

from benchmarks.processes import allow_files
from benchmarks.tools import PASSWORD, SYSTEM_ID
from protocol.consts import Status
from protocol.session import Asked, Event
from smppgw.load.link import EsmeLink, connect

AT_ONCE = 250
"""Binds under way at the same time."""


class Idle:
    """Whatever is asked is granted; nothing is asked but enquire_link."""

    def events(self, link: EsmeLink, events: list[Event], now: float) -> None:
        del now
        for event in events:
            if isinstance(event, Asked):
                link.session.answer(event, Status.ROK, b"")

    def lost(self, link: EsmeLink, unanswered: object) -> None:
        del link, unanswered
        sys.exit("a link was lost")

    def writable(self, link: EsmeLink) -> None:
        pass


async def bind(port: int, count: int) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> EsmeLink:
        async with gate:
            link = await connect(Idle(), "127.0.0.1", port, window=10)
            await link.bind("trx", SYSTEM_ID.encode(), PASSWORD.encode())
            return link

    links = await asyncio.gather(*(one() for _ in range(count)))
    print(json.dumps({"event": "bound", "links": len(links)}), flush=True)
    while True:
        await asyncio.sleep(5)
        for link in links:
            link.tick(monotonic())


def main() -> None:
    port, count = int(sys.argv[1]), int(sys.argv[2])
    allow_files(count + 100)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bind(port, count))


if __name__ == "__main__":
    main()
