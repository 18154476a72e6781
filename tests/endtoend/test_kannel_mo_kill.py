"""kill -9 of a gateway that took Kannel's place: every message from a mobile that it took is answered."""

import asyncio
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from protocol.pdus import SubmitSm, decode_submit
from smppgw.ports import free_port
from smppgw.simulate.mailbox import Delivery
from smppgw.simulate.options import Options
from smppgw.simulate.smsc import Smsc
from tests.kit import PATIENCE, SMPPGW, Process

pytestmark = pytest.mark.endtoend

CONF = """
group = core
admin-port = {admin}
admin-password = secret
smsbox-port = {box}
log-level = 2

group = smsc
smsc = smpp
smsc-id = up
host = 127.0.0.1
port = {smsc}
smsc-username = gateway
smsc-password = secret
system-type = ""
transceiver-mode = true
reconnect-delay = 1
max-pending-submits = 100

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}

group = sms-service
keyword = default
get-url = "http://127.0.0.1:{application}/?id=%I&from=%p&text=%b"
"""
WHOLE, LONG = 1500, 200


class Witness(Smsc):
    """An SMSC that remembers whose messages the gateway took."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.took: Counter[bytes] = Counter()

    def acked(self, delivery: Delivery) -> None:
        super().acked(delivery)
        self.took[decode_submit(delivery.body).source_addr] += 1


class Application:
    """Answers each message with its text; `until` waits for so many questions."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        """By the id of the message."""
        self.port = 0
        self._news = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._answer))

    async def start(self) -> None:
        await self._runner.setup()
        self.port = free_port()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def until(self, questions: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.asked.total() < questions:
                self._news.clear()
                await self._news.wait()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        query = parse_qs(urlsplit(request.raw_path).query)
        self.asked[query["id"][0]] += 1
        self._news.set()
        return web.Response(text=query["text"][0])


def part(source: bytes, number: int, text: bytes) -> SubmitSm:
    header = bytes((5, 0, 3, 7, 2, number))
    return SubmitSm(source_addr=source, destination_addr=b"12345", esm_class=0x40, short_message=header + text)


async def test_every_message_from_a_mobile_is_answered_however_often_it_is_killed(tmp_path: Path) -> None:
    application = Application()
    await application.start()
    whole = [b"4477%08d" % number for number in range(WHOLE)]
    long = [b"4478%08d" % number for number in range(LONG)]
    gateway: Process | None = None
    try:
        async with Witness(Options(receipts=False, keep=10 * WHOLE)) as smsc:
            conf = tmp_path / "kannel.conf"
            ports = {"admin": free_port(), "box": free_port(), "sendsms": free_port(), "smsc": smsc.port}
            conf.write_text(CONF.format(application=application.port, **ports))
            for source in long:
                smsc.deliver(part(source, 2, b"of two"), system_id="gateway")
            for source in whole:
                smsc.send_mo(source, b"12345", "whole", system_id="gateway")
            for source in long:
                smsc.deliver(part(source, 1, b"one "), system_id="gateway")
            for questions in (100, 500, 1000, 1400):
                gateway = Process([SMPPGW, "serve", "--kannel", conf], cwd=tmp_path)
                await application.until(questions)
                await asyncio.to_thread(gateway.close)
            gateway = Process([SMPPGW, "serve", "--kannel", conf], cwd=tmp_path)
            await smsc.until(lambda: smsc.destinations >= {*whole, *long}, PATIENCE)
            assert smsc.took.keys() == {*whole, *long}
            texts = Counter((pdu.destination_addr[:4], pdu.short_message) for pdu in smsc.received)
            assert texts.keys() == {(b"4477", b"whole"), (b"4478", b"one of two")}
            # A message of which the SMSC had no answer comes again, as another; replies may be submitted again too.
            again = application.asked.total() - len(application.asked)
            print(f"4 kills, asked again {again}, sent again {smsc.desk.again}")
    finally:
        if gateway is not None:
            await asyncio.to_thread(gateway.close)
        await application.stop()
