"""kill -9 of a gateway that took Kannel's place: what sendsms accepted is sent, and every dlr-url is told of it."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.browsers import Application, Load
from smppgw.ports import free_port
from smppgw.simulate.options import Options
from smppgw.simulate.smsc import Smsc
from tests.kit import SMPPGW, Process, listening

pytestmark = pytest.mark.endtoend

TOLD, QUEUED = 2_000, 10_000
ACCEPTED, DELIVERED = 8, 1
CONF = """
group = core
admin-port = {admin}
admin-password = secret
smsbox-port = {box}
log-level = 2
store-type = spool
store-location = {directory}/store

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
max-pending-submits = 50

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}

group = sendsms-user
username = user
password = secret
"""


class Served:
    """`smppgw serve --kannel` in one directory, as often as it is killed."""

    def __init__(self, directory: Path, smsc: int, application: int) -> None:
        self.sendsms, self._application = free_port(), application
        self._conf = directory / "kannel.conf"
        ports = {"smsc": smsc, "admin": free_port(), "box": free_port(), "sendsms": self.sendsms}
        self._conf.write_text(CONF.format(directory=directory, **ports))
        self._process: Process | None = None

    async def start(self) -> None:
        self._process = Process([SMPPGW, "serve", "--kannel", self._conf], cwd=self._conf.parent)
        await asyncio.to_thread(listening, self.sendsms)

    async def kill(self) -> None:
        assert self._process is not None
        await asyncio.to_thread(self._process.close)

    async def send(self, first: int, count: int) -> set[int]:
        """The numbers of those that were accepted."""
        url = f"http%3A%2F%2F127.0.0.1%3A{self._application}%2Ftold%3Fm%3D"

        def request(number: int) -> bytes:
            number += first
            return (
                f"GET /cgi-bin/sendsms?username=user&password=secret&from=100&to=4477{number:08}&text=hello"
                f"&dlr-mask=9&dlr-url={url}{number}%26d%3D%25d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            ).encode()

        load = Load(self.sendsms, count, 64, request)
        await load.run()
        return {number + first for number in load.accepted}


async def test_no_message_and_no_callback_is_lost_however_often_it_is_killed(tmp_path: Path) -> None:
    application, there = Application(), free_port()
    async with Smsc(Options(keep=2 * QUEUED)) as smsc:
        gateway = Served(tmp_path, smsc.port, there)
        try:
            await gateway.start()
            await smsc.wait_bound()
            # Nobody listens at the dlr-url: what became of these is owed.
            numbers = await gateway.send(0, TOLD)
            await smsc.wait_acknowledged(len(numbers), 30)
            # No SMSC: these are queued.
            smsc.go_down()
            numbers |= await gateway.send(TOLD, QUEUED)
            assert numbers == set(range(TOLD + QUEUED))
            await gateway.kill()

            await smsc.come_up()
            await application.start(there)
            for share in (0.2, 0.5, 0.8):
                await gateway.start()
                await application.expect(int(2 * len(numbers) * share), 10)
                await gateway.kill()
            await gateway.start()
            owed = {(number, type) for number in numbers for type in (ACCEPTED, DELIVERED)}
            await application.expect(len(owed), 10)
        finally:
            await gateway.kill()
            application.stop()
        print(f"4 kills, {len(numbers)} messages; sent again {smsc.desk.again}, told again {application.again}")
        assert {b"4477%08d" % number for number in numbers} == smsc.destinations
        assert owed == set(application.told)
