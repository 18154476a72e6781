"""The story of three SMSCs: share, fail over, hand back, and forget nothing after kill -9."""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from smppgw.demo.config import config
from smppgw.demo.programs import Gateway, Program, Smsc, kill_all
from smppgw.demo.screen import Screen
from smppgw.demo.steady import Steady
from smppgw.demo.story import DemoError, expect, until
from smppgw.demo.tally import table, tally
from smppgw.ports import free_port

_NAMES = ("SMPP1", "SMPP2", "SMPP0")


async def show(directory: Path, seconds: float, rate: float, console: Console) -> int:
    """For `story.run`."""
    smscs = {name: Smsc(name, directory) for name in _NAMES}
    gateway = Gateway(directory, free_port(), free_port())
    esme = Steady(gateway.port, rate)
    everything: list[Program] = [*smscs.values(), gateway]
    try:
        await asyncio.gather(*(smsc.start() for smsc in smscs.values()))
        gateway.write(config(gateway, smscs.values(), "smpp0", binds=2))
        await gateway.start()
        with Screen(console, smscs, gateway, esme) as screen:
            showing = asyncio.create_task(screen.run())
            sending = asyncio.create_task(esme.run())
            try:
                await Story(smscs, gateway, esme, screen, seconds).tell()
            finally:
                sending.cancel()
                showing.cancel()
                await asyncio.wait([sending, showing])
        await esme.part()
        await gateway.stop()
        for smsc in smscs.values():
            await smsc.stop()
        found = tally(esme, {name: smsc.destinations() for name, smsc in smscs.items()}, smscs)
        console.print()
        console.print(table(found))
        console.print("\nThe same with HTTPS carriers: smppgw demo --carriers")
        return 0 if found.lost == 0 else 1
    finally:
        await kill_all(everything)


class Story:
    """What happens, in order."""

    def __init__(
        self, smscs: Mapping[str, Smsc], gateway: Gateway, esme: Steady, screen: Screen, seconds: float
    ) -> None:
        self._smscs = smscs
        self._gateway = gateway
        self._esme = esme
        self._screen = screen
        self._phase = max(2.0, (seconds - 8) / 4)

    async def tell(self) -> None:
        one, two, backup = (self._smscs[name] for name in _NAMES)
        say = self._screen.say

        say("1", "SMPP1 and SMPP2 share the load; SMPP0 waits unbound")
        await until("SMPP1 and SMPP2 got messages", lambda: one.submits > 0 and two.submits > 0)
        await asyncio.sleep(self._phase)
        expect("SMPP0 was used though the others were there", backup.submits == 0)

        say("2", "SMPP1 and SMPP2 are cut off: SMPP0 takes over")
        one.toggle()
        two.toggle()
        await until("SMPP0 took over", lambda: backup.submits > 0)
        await asyncio.sleep(self._phase)

        say("3", "SMPP1 and SMPP2 are back: the load returns to them")
        one.toggle()
        two.toggle()
        before = one.submits + two.submits
        await until("the load returned", lambda: one.submits + two.submits > before)
        await until("SMPP0 was let go", lambda: backup.bound == 0)
        await asyncio.sleep(self._phase)

        say("4", "kill -9 of the gateway in the middle of it all, and a restart")
        await self._gateway.kill()
        await asyncio.sleep(min(1.0, self._phase))
        await self._gateway.start()
        answered = self._esme.acknowledged
        await until("the ESME was served again", lambda: self._esme.acknowledged > answered)
        await asyncio.sleep(self._phase)

        say("5", "the ESME sends no more; what is still on its way arrives")
        self._esme.sending = False
        with contextlib.suppress(DemoError):  # what is missing then is counted as lost
            await until("every receipt came", lambda: not self._esme.missing and not self._esme.waiting)
