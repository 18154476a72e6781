"""The ESME of the demo remembers every promise."""

import asyncio

from smppgw.demo.steady import Steady
from smppgw.simulate import smsc as simulated
from smppgw.simulate.options import Options


async def test_the_esme_remembers_every_promise_and_binds_again() -> None:
    async with simulated.Smsc(Options(system_id="demo", password="secret")) as smsc:
        esme = Steady(smsc.port, 1000.0)
        running = asyncio.create_task(esme.run())
        await smsc.wait_for(20)
        smsc.drop_links()
        await smsc.wait_for(esme.sent + 20)
        await smsc.until(lambda: esme.binds == 2)
        esme.sending = False
        await smsc.until(lambda: not esme.waiting and not esme.missing)
        running.cancel()
        await esme.part()
    assert esme.acknowledged + esme.unanswered == esme.sent
    assert set(esme.promised.values()) <= smsc.destinations
