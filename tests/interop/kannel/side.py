"""Run the rows of a scene against one gateway, and write down what each brought about."""

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from protocol.pdus import SubmitSm
from smppgw.ports import free_port
from tests.interop.kannel import normal
from tests.interop.kannel.http import Catcher, Heard, ask
from tests.interop.kannel.row import NUMBER, Ask, Row, numbers
from tests.interop.kannel.scenes import ENDING, FILES, LISTS, SCENES
from tests.interop.kannel.smsc import TableSmsc
from tests.kit import SMPPGW

Outcome = dict[str, Any]
QUIET = 2.5
"""Seconds without news after which nothing more is expected, where it is not known what will come."""
STEP = 0.1
"""Seconds without news after a row, where each finds what the one before it left."""
PATIENCE = 15.0
SILENCE = 1.5
"""Seconds to wait for an answer that is known not to come."""
_AHEAD = 16
"""Rows under way at once."""


class Side:
    """One gateway between an SMSC and an application of its own."""

    def __init__(self, scene: str, rows: Iterable[Row], directory: Path, wanted: Mapping[str, Outcome] | None) -> None:
        self.scene = scene
        self.text = SCENES.get(scene, "")
        """Its kannel.conf."""
        self.rows = [row for row in rows if row.scene == scene]
        self.directory = directory
        self.wanted = wanted
        """What is known to come, by row: nothing is waited for beyond it but for a moment."""
        self._by_digits = {row.digits: row for row in self.rows}
        assert len(self._by_digits) == len(self.rows), "two rows have one number"
        self.outcomes: dict[str, Outcome] = {
            row.name: {"http": None, "submits": [], "callbacks": [], "taken": []} for row in self.rows
        }
        self._news = asyncio.Event()
        self._last = time.monotonic()
        self._processes: list[asyncio.subprocess.Process] = []
        self.smsc = TableSmsc(self._by_digits, self._submitted, self._taken)
        self.catcher = Catcher(self._row_of, self._called)
        self.ports: dict[str, int] = {}

    # What happens.

    def _row_of(self, number: bytes) -> Row | None:
        found = NUMBER.search(number)
        return self._by_digits.get(found[1].decode()) if found else None

    def _submitted(self, row: Row, owner: str, pdu: SubmitSm) -> int:
        submits = self.outcomes[row.name]["submits"]
        submits.append(normal.submit(owner, pdu, time.time()))
        self._happened()
        return len(submits) - 1

    def _called(self, row: Row, heard: Heard) -> None:
        self.outcomes[row.name]["callbacks"].append(normal.heard(heard, self.ports))
        self._happened()

    def _taken(self, row: Row, status: int) -> None:
        self.outcomes[row.name]["taken"].append(status)
        self._happened()

    def _happened(self) -> None:
        self._last = time.monotonic()
        self._news.set()

    # Its life.

    async def __aenter__(self) -> Self:
        await self.smsc.__aenter__()
        await self.catcher.__aenter__()
        self.ports = {name: free_port() for name in ("admin", "box", "sendsms", "down")}
        self.ports |= {"smsc": self.smsc.port, "catcher": self.catcher.port}
        for name, text in FILES.items():
            (self.directory / name).write_text(text)
        self.catcher.lists = {path: _filled(text).encode() for path, text in LISTS.items()}
        self.conf = self.directory / "kannel.conf"
        text = self.text.replace("{directory}", str(self.directory))
        for name, port in self.ports.items():
            text = text.replace(f"{{{name}}}", str(port))
        self.conf.write_text(text)
        try:
            await self.start()
            binds = (
                len(re.findall(r"(?m)^group = smsc$", text))
                - text.count("dead-start = true")
                - text.count("smsc-id = down\n") // 2
            )
            await self.smsc.wait_bound(binds, PATIENCE)
        except BaseException as error:
            await self.__aexit__(type(error), error, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        await self.catcher.__aexit__(kind, error, trace)
        await self.smsc.__aexit__(kind, error, trace)

    async def start(self) -> None:
        raise NotImplementedError

    async def run(self, name: str, *command: str | Path) -> None:
        """One of its programs, its output beside the conf."""
        with (self.directory / f"{name}.out").open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *map(str, command), cwd=self.directory, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
                env={**os.environ, "TZ": "UTC", "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        self._processes.append(process)

    async def listening(self, name: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.ports[name])
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    # The rows.

    async def all(self) -> dict[str, Outcome]:
        """Every row: at once, but for the scene in which they follow each other."""
        if self.scene in ENDING:
            for row in self.rows:
                await self._one(row)
                await self._settled([row], STEP)
        else:
            room = asyncio.Semaphore(_AHEAD)

            async def one(row: Row) -> None:
                async with room:
                    await self._one(row)

            await asyncio.gather(*map(one, self.rows))
            await self._settled(self.rows, QUIET)
        if self.scene not in ENDING:
            assert all(process.returncode is None for process in self._processes), f"{self.scene}: a process ended"
        for outcome in self.outcomes.values():
            normal.finish(outcome)
        return self.outcomes

    async def _one(self, row: Row) -> None:
        if row.mo:
            self.smsc.start(row)
        if row.ask:
            request = self._filled(row.ask, row)
            known = (self.wanted or {}).get(row.name)
            answer = await ask(
                self.ports[request.port], request, PATIENCE if known is None or known["http"] else SILENCE
            )
            self.outcomes[row.name]["http"] = answer and normal.heard(answer, self.ports)
            self._happened()

    def _filled(self, request: Ask, row: Row) -> Ask:
        def fill(text: str) -> str:
            for name, port in self.ports.items():
                text = text.replace(f"{{{name}}}", str(port))
            return numbers(text, row.digits)

        headers = {name: fill(value) for name, value in request.headers.items()}
        body = fill(request.body.decode("latin-1")).encode("latin-1")
        return request._replace(path=fill(request.path), headers=headers, body=body)

    async def _settled(self, rows: Sequence[Row], quiet: float) -> None:
        """Until what is known to come has come, or until nothing comes any more."""
        deadline = time.monotonic() + PATIENCE
        self._last = time.monotonic()
        if self.wanted is not None:
            while time.monotonic() < deadline and not (all(map(self._complete, rows)) and self._acknowledged()):
                await self._some_news(0.5)
            quiet = min(quiet, 0.5)
        while (rest := self._last + quiet - time.monotonic()) > 0:
            await self._some_news(rest)

    async def _some_news(self, patience: float) -> None:
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), patience)

    def _acknowledged(self) -> bool:
        """Every receipt is with the gateway, so that its status may count it."""
        return self.scene not in ENDING or self.smsc.acknowledged >= self.smsc.receipts

    def _complete(self, row: Row) -> bool:
        wanted = (self.wanted or {}).get(row.name)
        if wanted is None:
            return True
        has = self.outcomes[row.name]
        return all(len(has[kind]) >= len(wanted[kind]) for kind in ("submits", "callbacks", "taken"))


class Real(Side):
    """bearerbox and smsbox of Debian."""

    async def start(self) -> None:
        await self.run("bearerbox", "/usr/sbin/bearerbox", "-v", "0", self.conf)
        await self.listening("box")
        await self.run("smsbox", "/usr/sbin/smsbox", "-v", "0", self.conf)
        await self.listening("sendsms")
        async with asyncio.timeout(PATIENCE):
            while not await self._has_a_box():  # noqa: ASYNC110  nobody says when
                await asyncio.sleep(0.02)

    async def _has_a_box(self) -> bool:
        return "(on-line" in str(await ask(self.ports["admin"], Ask("/status.txt?password=secret")))


class Ours(Side):
    """`smppgw serve --kannel` in their place."""

    async def start(self) -> None:
        await self.run("smppgw", SMPPGW, "serve", "--kannel", self.conf)
        await self.listening("sendsms")
        await self.listening("admin")


def _filled(text: str) -> str:
    return re.sub(r"\{to:(.*?)\}", lambda found: "4477" + Row(found[1]).digits, text)


SIDES: Mapping[str, type[Side]] = {"kannel": Real, "smppgw": Ours}


async def run_all(
    side: str, rows: Sequence[Row], directory: Path, wanted: Mapping[str, Outcome] | None
) -> dict[str, Outcome]:
    """The outcomes of all rows, scene beside scene."""

    async def one(scene: str) -> dict[str, Outcome]:
        there = directory / scene
        there.mkdir(parents=True)
        try:
            async with SIDES[side](scene, rows, there, wanted) as running:
                return await running.all()
        except (OSError, TimeoutError) as error:
            error.add_note("\n".join(path.read_text(errors="replace")[-2000:] for path in there.glob("*.out")))
            raise

    scenes = [scene for scene in SCENES if any(row.scene == scene for row in rows)]
    return {name: outcome for found in await asyncio.gather(*map(one, scenes)) for name, outcome in found.items()}
