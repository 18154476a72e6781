"""History at a steady rate: what it costs the gateway's loop, what its writer takes, and if anything is dropped."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from smppgw.history.diary import Diary
from smppgw.history.events import Kind
from smppgw.history.recorder import Recorder
from smppgw.settings import HistoryConfig

RATE = 10_000
"""Notes a second, of which four belong to one message."""

SECONDS = 10
TICK = 0.01


async def main() -> None:
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "history.db"
        recorder = Recorder(HistoryConfig(engine="sqlite", path=str(path)), loop)
        recorder.start()
        while not recorder.up:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        diary = Diary(recorder, time.time)
        note = diary.recorder.note
        writer = recorder.pid
        spent, worst, most, id = 0.0, 0.0, 0, int((time.time() - 1_577_836_800) * 1000) << 22
        began = loop.time()
        for tick in range(int(SECONDS / TICK)):
            start = time.perf_counter()
            for _ in range(int(RATE * TICK) // 4):
                id += 1
                now = time.time()
                note(now, id, int(Kind.ACCEPTED), ("demo", b"12345", b"819012345678", 0, 40, b"", "all", ""))
                note(now, id, int(Kind.SENT), (b"smsc", (b"%d" % id,), 1))
                note(now, id, int(Kind.RECEIPT), (b"smsc", 2, b"000", b"%d" % id))
                note(now, id, int(Kind.DELIVERED), ("demo", 2, 0))
            took = time.perf_counter() - start
            spent, worst, most = spent + took, max(worst, took), max(most, recorder.pending)
            await asyncio.sleep(max(0.0, began + (tick + 1) * TICK - loop.time()))
        took = loop.time() - began
        stat = await asyncio.to_thread(Path(f"/proc/{writer}/stat").read_text)
        cpu = sum(map(int, stat.rpartition(")")[2].split()[11:13])) / 100
        await recorder.close()
        closed = loop.time() - began - took
        total = recorder.noted + recorder.dropped
        size = path.stat().st_size / 1e6
    print(f"{total / took:,.0f} notes a second for {took:.1f} s, {recorder.dropped} dropped, {most:,} octets waited")
    print(f"loop {spent / total * 1e6:.2f} us a note, {worst * 1e3:.1f} ms at once; writer {cpu / took:.0%} of a core")
    print(f"{closed:.1f} s to finish at the end; {size:.0f} MB, {size * 1e6 / total * 4:.0f} octets a message")


if __name__ == "__main__":
    asyncio.run(main())
    sys.exit(0)
