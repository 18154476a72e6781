"""A gateway from a kannel.conf, in the test's own loop, and whoever asks its ports."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlencode

from smppgw.app import App
from smppgw.kannel import setup
from smppgw.kannel.face import Face
from smppgw.ports import free_port
from tests.smppgw.jumping import until

CORE = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = bar
"""

SMSBOX = """
group = smsbox
smsbox-id = box
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
global-sender = 100

group = sendsms-user
username = kannel
password = kannel
"""


def smsc(id: str, port: int, more: str = "") -> str:
    return f"""
group = smsc
smsc = smpp
smsc-id = {id}
host = 127.0.0.1
port = {port}
transceiver-mode = true
smsc-username = user
smsc-password = pass
system-type = ""
reconnect-delay = 1
{more}
"""


class Boxed:
    """One that runs."""

    def __init__(self, app: App, admin: int, sendsms: int) -> None:
        assert app.face is not None
        self.app = app
        self.face: Face = app.face
        self.admin = admin
        self.sendsms = sendsms

    async def command(self, path: str, **query: str) -> str:
        """What the admin port answers, by the admin's password."""
        _, body = await ask(self.admin, path, password="bar", **query)
        return body

    async def send(self, to: str, text: str = "hello", **query: str) -> tuple[int, str]:
        return await ask(
            self.sendsms, "/cgi-bin/sendsms", username="kannel", password="kannel", to=to, text=text, **query
        )


async def ask(port: int, path: str, **query: str) -> tuple[int, str]:
    """Status and body; (0, "") when the connection is closed without a word."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    url = f"{path}?{urlencode(query)}" if query else path
    writer.write(f"GET {url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    found = bytearray()
    reading = asyncio.ensure_future(_read(reader, found))
    await until(reading.done)
    writer.close()
    head, _, body = bytes(found).partition(b"\r\n\r\n")
    return (int(head.split()[1]), body.decode()) if head else (0, "")


async def _read(reader: asyncio.StreamReader, into: bytearray) -> None:
    while data := await reader.read(1 << 16):
        into += data


@contextmanager
def collecting() -> Iterator[None]:
    """A gateway tunes the collector for its own process."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


@asynccontextmanager
async def boxed(directory: Path, smscs: str, core: str = CORE, smsbox: str = SMSBOX) -> AsyncIterator[Boxed]:
    """Until it has what it needs to serve; its links to SMSCs may still be on their way."""
    admin, sendsms = free_port(), free_port()
    conf = directory / "kannel.conf"
    conf.write_text((core + smscs + smsbox).replace("{admin}", str(admin)).replace("{sendsms}", str(sendsms)))
    found = setup.read([conf], directory / "data")
    made = found.made(found.kannel.smscs)
    with collecting():
        app = App(made.settings, conf, found, made)
        running = asyncio.ensure_future(app.run())
        await until(lambda: not app.unready() or running.done())
        try:
            yield Boxed(app, admin, sendsms)
        finally:
            app.stop()
            assert await running == 0
