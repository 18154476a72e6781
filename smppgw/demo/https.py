"""The story of four HTTPS carriers: whole texts, receipts, answers, AIX behind a cluster, and nothing sent twice."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from smppgw.demo import carrier
from smppgw.demo.carrier import KINDS, Carrier
from smppgw.demo.config import config
from smppgw.demo.desk import Desk
from smppgw.demo.programs import Gateway, Program, Smsc, kill_all
from smppgw.demo.screen import Screen, Upstream
from smppgw.demo.steady import Steady
from smppgw.demo.story import DemoError, expect, until
from smppgw.demo.tally import Tally, tally
from smppgw.demo.tally import table as load_table
from smppgw.ports import free_port

_CLUSTER = ("SMPP1", "SMPP2")
_PREFIX, _FIRST = "8190", 10_000_000
"""The load's destinations are mobile numbers of Japan, of which none begins with 0900."""
WORDS = (
    "【ご予約の確認】このたびはご予約いただき、誠にありがとうございます。ご到着の際は、正面玄関の受付で予約番号をお伝えください。"
    "駐車場は建物の南側にございます。満車の場合は、係の者が近くの駐車場へご案内いたします。ご都合が悪くなったときは、前日の正午までに、"
    "このメッセージに返信するか、お電話でお知らせください。それでは、お気をつけてお越しください。皆さまのお越しを、心よりお待ちしております。"
)
_HANGING = 5
"""Requests that AIX took and did not answer, when the gateway is killed."""


async def show(directory: Path, seconds: float, rate: float, console: Console) -> int:
    """For `story.run`."""
    hooks = free_port()
    smscs = {name: Smsc(name, directory) for name in _CLUSTER}
    carriers = [Carrier(kind, directory, f"http://127.0.0.1:{hooks}/{kind.name.lower()}") for kind in KINDS]
    aix = carriers[0]
    gateway = Gateway(directory, free_port(), free_port())
    esme, desk = Steady(gateway.port, rate, _PREFIX, _FIRST), Desk(gateway.port)
    upstreams: dict[str, Upstream] = {**smscs, aix.name: aix}
    everything: list[Program] = [*smscs.values(), *carriers, gateway]
    try:
        await asyncio.gather(*(smsc.start() for smsc in smscs.values()), *(each.start() for each in carriers))
        gateway.write(config(gateway, smscs.values(), aix.name.lower(), more=carrier.config(hooks, carriers)))
        await gateway.start()
        with Screen(console, upstreams, gateway, esme) as screen:
            story = Story(smscs, carriers, gateway, esme, desk, screen, seconds)
            showing = asyncio.create_task(screen.run())
            try:
                await story.tell()
            finally:
                showing.cancel()
                await asyncio.wait([showing])
        await esme.part()
        await gateway.stop()
        for smsc in smscs.values():
            await smsc.stop()
        by_aix = [each["to"].removeprefix("+").encode() for each in await aix.taken(_PREFIX)]
        arrived = {name: smsc.destinations() for name, smsc in smscs.items()} | {aix.name: frozenset(by_aix)}
        end = Ending(
            tally(esme, arrived, upstreams), story.whole, story.parts, story.ended, story.answers, story.refused_tags,
            len(by_aix) - len(set(by_aix)),
        )  # fmt: skip
        console.print()
        console.print(table(end))
        return 0 if end.good else 1
    finally:
        await kill_all(everything)


class Story:
    """What happens, in order, and what came of it."""

    def __init__(
        self, smscs: Mapping[str, Smsc], carriers: Sequence[Carrier], gateway: Gateway, esme: Steady, desk: Desk,
        screen: Screen, seconds: float,
    ) -> None:  # fmt: skip
        self._smscs = smscs
        self._carriers = carriers
        self._aix = carriers[0]
        self._gateway = gateway
        self._esme = esme
        self._desk = desk
        self._screen = screen
        self._phase = max(2.0, (seconds - 12) / 4)
        self.whole = 0
        """Texts that arrived as one."""
        self.parts = 0
        """Submits that they were sent in."""
        self.ended = 0
        """Receipts for those."""
        self.answers = 0
        """Messages from handsets."""
        self.refused_tags = 0
        """Requests that AIX knew by their tag."""

    async def tell(self) -> None:
        await self._desk.bind(b"desk", b"secret")
        await self._whole_texts()
        await self._handsets()
        await self._desk.part()
        self._aix.before = self._aix.counts["accepted"]
        sending = asyncio.create_task(self._esme.run())
        try:
            await self._takes_over()
            await self._killed()
            await self._returns()
            self._screen.say("7", "the ESME sends no more; what is still on its way arrives")
            self._esme.sending = False
            with contextlib.suppress(DemoError):  # what is missing then is counted as lost
                await until("every receipt came", lambda: not self._esme.missing and not self._esme.waiting)
        finally:
            sending.cancel()
            await asyncio.wait([sending])

    async def _whole_texts(self) -> None:
        desk, note = self._desk, self._screen.note
        counts: dict[str, int] = {}
        self._screen.say("1", f"a text of {len(WORDS)} characters leaves the ESME in parts, mixed up, by two binds")
        for each in self._carriers:
            handset = each.kind.handset
            count = desk.write(each.kind.source, handset, WORDS)
            counts[handset] = count
            await until(f"{each.name} got the text", lambda each=each: each.counts.get("accepted", 0) > 0)  # type: ignore[misc]
            got = await each.taken(handset)
            expect(f"{each.name} got another text: {got}", [message["text"] for message in got] == [WORDS])
            self.whole += 1
            note(f"{each.name:7} {count} parts in, one text of {len(got[0]['text'])} characters out")
        self.parts = sum(counts.values())
        self._screen.say("2", "their receipts come back, one for every part")
        for each in self._carriers:
            handset = each.kind.handset
            with contextlib.suppress(DemoError):  # what is missing then is counted as lost
                await until("every receipt came", lambda to=handset: desk.delivered(to) == counts[to])  # type: ignore[misc]
            self.ended += desk.delivered(handset)
            note(f"{each.name:7} {desk.delivered(handset)} receipts: DELIVRD")

    async def _handsets(self) -> None:
        self._screen.say("3", "handsets answer: webhooks in, deliver_sm out")
        for each in self._carriers:
            answer = each.kind.answer
            if answer is None:
                continue
            await each.ask("POST", "/-/mo", answer)
            wanted = (each.kind.handset, answer["text"])
            await until(
                f"the ESME heard the handset by {each.name}",
                lambda wanted=wanted: any((said.source, said.text) == wanted for said in self._desk.heard),  # type: ignore[misc]
            )
            self.answers += 1
            note = f"{each.name:7} {each.kind.handset} to {answer['to'].removeprefix('+')}: {answer['text']}"
            self._screen.note(note)

    async def _takes_over(self) -> None:
        aix = self._aix
        self._screen.say("4", "the cluster of SMPP1 and SMPP2 carries the load; then it is cut off, and AIX takes over")
        await until("the cluster got messages", lambda: all(smsc.submits > 0 for smsc in self._smscs.values()))
        await asyncio.sleep(self._phase)
        expect("AIX was used though the cluster was there", aix.submits == 0)
        for smsc in self._smscs.values():
            smsc.toggle()
        await until("AIX took over", lambda: aix.submits > 0)
        await asyncio.sleep(self._phase)

    async def _killed(self) -> None:
        aix = self._aix
        self._screen.say("5", "AIX takes requests and does not answer them; kill -9 of the gateway, and a restart")
        # no receipt may tell the gateway before the restart what AIX did not answer
        await aix.ask("POST", "/-/options", {"accept_and_hang": 0.2, "receipt_after": 5.0})
        await until("AIX kept its answers", lambda: aix.counts.get("accept_and_hang", 0) >= _HANGING)
        await self._gateway.kill()
        await aix.ask("POST", "/-/options", {"accept_and_hang": 0.0, "receipt_after": 0.5})
        await asyncio.sleep(min(1.0, self._phase))
        await self._gateway.start()
        answered = self._esme.acknowledged
        await until("the ESME was served again", lambda: self._esme.acknowledged > answered)
        await until("AIX was asked again", lambda: aix.counts.get("duplicates", 0) > 0)
        self.refused_tags = aix.counts["duplicates"]
        self._screen.note(
            f"{self.refused_tags} requests came a second time; AIX knew them by their tags, and sent none"
        )
        await asyncio.sleep(self._phase)

    async def _returns(self) -> None:
        self._screen.say("6", "the cluster is back: the load returns to it")
        before = sum(smsc.submits for smsc in self._smscs.values())
        for smsc in self._smscs.values():
            smsc.toggle()
        await until("the load returned", lambda: sum(smsc.submits for smsc in self._smscs.values()) > before)
        await asyncio.sleep(self._phase)


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended."""

    load: Tally
    whole: int
    """Long texts that arrived as one."""
    parts: int
    """Submits that those were sent in."""
    ended: int
    """Their receipts."""
    answers: int
    """Messages from handsets."""
    refused_tags: int
    """Requests to AIX that came a second time."""
    twice: int
    """Messages that AIX sent twice."""

    @property
    def good(self) -> bool:
        return not (self.load.lost or self.twice or self.parts - self.ended)


def table(end: Ending) -> Table:
    """The end of the show."""
    rows = load_table(end.load)
    rows.add_row()
    rows.add_row(f"{end.whole}", f"long texts out as one, of {end.parts} parts in")
    rows.add_row(f"{end.ended}", "receipts for those parts")
    rows.add_row(f"{end.answers}", "answers of handsets")
    rows.add_row(f"{end.refused_tags:,}", "requests repeated after the kill, which AIX knew by their tags")
    style = "bold red" if end.twice else "bold green"
    rows.add_row(f"[{style}]{end.twice:,}", f"[{style}]sent twice by AIX")
    return rows
