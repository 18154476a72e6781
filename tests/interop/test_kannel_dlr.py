"""Receipts of messages that Kannel sent before the switch are told by ours after it."""

import contextlib
import shutil
import sqlite3
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from smppgw.ports import free_port
from tests.interop.boxes import boxes
from tests.interop.stacks import need
from tests.interop.test_kannel import Application
from tests.kit import PATIENCE, SMPPGW, Process, listening, simulator

pytestmark = pytest.mark.interop

CONF = """
group = core
admin-port = {admin}
admin-password = secret
admin-interface = 127.0.0.1
smsbox-port = {box}
box-allow-ip = 127.0.0.1
dlr-storage = {storage}
dlr-spool = {directory}/spool

group = smsc
smsc = smpp
smsc-id = up
host = 127.0.0.1
port = {smsc}
transceiver-mode = true
smsc-username = esme
smsc-password = secret
system-type = ""
msg-id-type = {ids}

group = smsbox
smsbox-id = box
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1

group = sendsms-user
username = user
password = secret

group = dlr-db
id = mine
table = dlr
field-smsc = smsc
field-timestamp = ts
field-destination = destination
field-source = source
field-service = service
field-url = url
field-mask = mask
field-status = status
field-boxc-id = boxc

group = sqlite3-connection
id = mine
database = {directory}/dlr.db

group = redis-connection
id = mine
host = 127.0.0.1
port = {redis}
"""

COLUMNS = "smsc, ts, destination, source, service, url, mask, status, boxc"
COUNT = 5
LATER = 6
"""Seconds until the SMSC has a receipt: Kannel is gone by then, and who comes next gets it."""


@pytest.fixture
def application() -> Iterator[Application]:
    application = Application()
    yield application
    application.close()


@pytest.mark.parametrize(
    ("storage", "ids", "spelled"), [("sqlite3", 3, "hex"), ("redis", 0, "decimal"), ("spool", 0, "decimal")]
)
def test_what_kannel_waited_for_is_told_after_the_switch(
    storage: str, ids: int, spelled: str, tmp_path: Path, application: Application
) -> None:
    need("kannel")
    if storage == "redis" and shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    ports = {name: free_port() for name in ("admin", "box", "sendsms", "smsc", "redis")}
    conf = tmp_path / "kannel.conf"
    conf.write_text(CONF.format(directory=tmp_path, storage=storage, ids=ids, **ports))
    (tmp_path / "spool").mkdir()
    with sqlite3.connect(tmp_path / "dlr.db") as database:
        database.execute(f"CREATE TABLE dlr ({COLUMNS})")
    database.close()
    with contextlib.ExitStack() as running:
        running.enter_context(simulator(ports["smsc"], "--id-form", spelled, "--receipt-delay", LATER))
        if storage == "redis":
            running.enter_context(Process(["redis-server", "--port", str(ports["redis"]), "--save", ""], name="redis"))
            listening(ports["redis"])
        both = running.enter_context(boxes(conf, ports["box"]))
        for number in range(COUNT):
            send(ports["sendsms"], application.port, number)
        application.expect("/dlr", COUNT, type="8")
        for box in both:
            box.kill()
        data = tmp_path / "data"
        command: list[str | Path] = [SMPPGW, "import-dlr", conf, "--data", data]
        for more, said in ((("--dry-run",), "0 known, 5 to take"), ((), "0 known, 5 taken"), ((), "5 known, 0 taken")):
            done = subprocess.run([*command, *more], capture_output=True, text=True, check=True)
            assert f"{COUNT} found, {said}" in done.stdout
        serve: list[str | Path] = [SMPPGW, "serve", "--kannel", conf, "--data", data]
        running.enter_context(Process(serve, name="ours", cwd=tmp_path))
        listening(ports["sendsms"])
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
        assert refused.returncode != 0
        assert "another" in refused.stderr
        found = application.expect("/dlr", COUNT, type="1")
        assert sorted(query["number"] for query in found) == [str(number) for number in range(COUNT)]


def send(port: int, application: int, number: int) -> None:
    dlr = f"http://127.0.0.1:{application}/dlr?number={number}&type=%d&id=%F"
    query = {"username": "user", "password": "secret", "from": "1234", "to": "41791234567", "text": "hello"}
    more = {"dlr-mask": "31", "dlr-url": dlr}
    url = f"http://127.0.0.1:{port}/cgi-bin/sendsms?{urllib.parse.urlencode(query | more)}"
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        assert answer.status == 202
