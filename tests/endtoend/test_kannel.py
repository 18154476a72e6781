"""`smppgw serve --kannel` in place of bearerbox and smsbox: the set-up that Nexmo gave its customers, and its day."""

import os
import signal
import socket
import threading
import time
import urllib.parse
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from smppgw.ports import free_port
from tests.kit import PATIENCE, SMPPGW, Process

pytestmark = pytest.mark.endtoend

CONF = """\
# CONFIGURATION FOR USING SMPP, in the way of the sample that Nexmo handed out

group = core
admin-port = {admin}
admin-password = secret
status-password = look
admin-deny-ip = "*.*.*.*"
admin-allow-ip = "127.0.0.1{wider}"
smsbox-port = 13001
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1{wider}"
wdp-interface-name = "*"
log-file = "/var/log/kannel/bearerbox.log"
log-level = 1
store-type = file
store-location = "/var/spool/kannel/store"

group = smsc
smsc = smpp
smsc-id = SMPP1
host = 127.0.0.1
port = {smsc}
transceiver-mode = true
smsc-username = user
smsc-password = pass
system-type = ""
msg-id-type = 0x01
reconnect-delay = 1

group = smsc
smsc = smpp
smsc-id = SMPP2
host = 127.0.0.1
port = {other}
transceiver-mode = true
smsc-username = user
smsc-password = pass
system-type = ""
msg-id-type = 0x01
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
global-sender = 13013
http-queue-delay = 1
http-request-retry = 3

group = sendsms-user
username = username
password = pwd
user-deny-ip = "*.*.*.*"
user-allow-ip = "127.0.0.1{wider}"
max-messages = 3
concatenation = true

group = sms-service
keyword = default
max-messages = 1
get-url = "http://127.0.0.1:{application}/mo?from=%p&to=%P&text=%a&smsc=%i"
"""

SEND = {
    "username": "username",
    "password": "pwd",
    "to": "+33612345678",
    "text": "Hello World",
    "from": "test",
    "charset": "ISO-8859-1",
    "dlr-mask": "17",
}
"""What the page of that sample asks for."""

NEXMO = ("--id-form", "hex", "--receipt-id-form", "decimal")
ELSEWHERE = "127.0.0.2"


class Application:
    """What Kannel calls: the queries that came, by path. It answers `reply`, or `status`."""

    def __init__(self, port: int = 0) -> None:
        self.reply = b""
        self.status = 200
        self._news = threading.Condition()
        self._came: list[tuple[str, dict[str, str]]] = []
        application = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True, encoding="latin-1"))
                with application._news:
                    application._came.append((url.path, query))
                    application._news.notify_all()
                self.send_response(application.status)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(application.reply)))
                self.end_headers()
                self.wfile.write(application.reply)

            def log_message(self, format: str, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def at(self, path: str) -> list[dict[str, str]]:
        with self._news:
            return [query for there, query in self._came if there == path]

    def expect(self, path: str, times: int = 1) -> list[dict[str, str]]:
        with self._news:
            self._news.wait_for(lambda: sum(there == path for there, _ in self._came) >= times, PATIENCE)
        found = self.at(path)
        assert len(found) >= times, f"{path} came {len(found)} of {times} times"
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)


class Kannel:
    """A gateway that stands in its place."""

    def __init__(self, directory: Path, application: Application, *smsc: str | int, wider: str = "") -> None:
        self.directory = directory
        self.application = application
        self.smscs = [self._smsc(*smsc), self._smsc(*smsc)]
        ports = [each.expect_line(r"listening on 127\.0\.0\.1:(\d+)")[1] for each in self.smscs]
        self.admin, self.sendsms = free_port(), free_port()
        self.conf = directory / "kannel.conf"
        self.conf.write_text(
            CONF.format(
                admin=self.admin, sendsms=self.sendsms, smsc=ports[0], other=ports[1], application=application.port,
                wider=wider,
            )
        )  # fmt: skip
        self.runs: list[Process] = []

    def _smsc(self, *options: str | int) -> Process:
        command: list[str | Path] = [SMPPGW, "simulate", "smsc", "--port", "0", *NEXMO, *map(str, options)]
        return Process(command, name="smsc")

    @property
    def process(self) -> Process:
        return self.runs[-1]

    def start(self, *options: str) -> "Kannel":
        command: list[str | Path] = [SMPPGW, "serve", "--kannel", self.conf, "--data", "data", *options]
        self.runs.append(Process(command, cwd=self.directory))
        self.process.expect_line("ready ")
        for id in ("SMPP1", "SMPP2"):
            self.process.expect_line(f"bound .*connector={id}")
        return self

    def ask(self, port: int, path: str, source: str = "127.0.0.1", **query: str) -> tuple[int, str]:
        """Status and body; (0, "") when the connection is closed without a word."""
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE, source_address=(source, 0))
        try:
            connection.request("GET", f"{path}?{urllib.parse.urlencode(query, encoding='latin-1')}")
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except ConnectionError:
            return 0, ""
        finally:
            connection.close()

    def send(self, source: str = "127.0.0.1", **more: str) -> tuple[int, str]:
        return self.ask(self.sendsms, "/cgi-bin/sendsms", source, **{**SEND, **more})

    def command(self, path: str, **query: str) -> str:
        return self.ask(self.admin, path, password="secret", **query)[1]

    def dlr(self, name: str) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.application.port}/dlr?name={name}&type=%d&answer=%A&id=%F&to=%p"
        return {"dlr-url": url}

    def until(self, path: str, what: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while what not in (found := self.command(path)):
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return found

    def close(self) -> None:
        for each in (*self.runs, *self.smscs):
            each.close()


@pytest.fixture
def application() -> Iterator[Application]:
    application = Application()
    yield application
    application.close()


@pytest.fixture
def make(tmp_path: Path, application: Application) -> Iterator[Any]:
    made: list[Kannel] = []

    def make(*smsc: str | int, wider: str = "") -> Kannel:
        made.append(Kannel(tmp_path, application, *smsc, wider=wider))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_the_request_of_the_page_is_sent_and_its_delivery_told(make: Any, application: Application) -> None:
    kannel: Kannel = make().start()
    assert kannel.send() == (202, "0: Accepted for delivery")
    assert kannel.send(text="caf\xe9", **kannel.dlr("told")) == (202, "0: Accepted for delivery")
    [told] = application.expect("/dlr")
    assert {key: told[key] for key in ("name", "type", "to")} == {"name": "told", "type": "1", "to": "+33612345678"}
    assert "stat:DELIVRD" in told["answer"]
    status = kannel.until("/status.txt", "sent 2 (0 queued)")
    assert "SMPP1[SMPP1]    SMPP:127.0.0.1:" in status
    assert kannel.process.stop() == 0
    assert len(application.at("/dlr")) == 1  # mask 17 has neither 8 nor, for failures, 2


def test_only_this_machine_may_until_the_lists_are_widened(make: Any) -> None:
    kannel: Kannel = make().start()
    assert kannel.send(ELSEWHERE) == (403, "Authorization failed for sendsms")
    assert kannel.ask(kannel.admin, "/status", ELSEWHERE, password="secret") == (0, "")
    kannel.process.stop()
    conf = kannel.conf.read_text().replace('"127.0.0.1"', f'"127.0.0.1;{ELSEWHERE}"')
    kannel.conf.write_text(conf)
    kannel.start()
    assert kannel.send(ELSEWHERE)[0] == 202
    assert kannel.ask(kannel.admin, "/status", ELSEWHERE, password="look")[1].startswith("Kannel bearerbox version")


def test_mask_17_hears_of_a_refusal_and_not_of_a_failure(make: Any, application: Application) -> None:
    kannel: Kannel = make("--states", "UNDELIV", "--error", "0x0B:0.5", "--seed", "4").start()
    for number in range(20):
        kannel.send(to=f"+336123456{number:02}", **kannel.dlr("each"))
    kannel.until("/status.txt", "(0 queued), store size 0")
    deadline = time.monotonic() + PATIENCE
    while (refused := application.at("/dlr")) == [] or "DLR: 0 queued" not in kannel.command("/status.txt"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert {each["type"] for each in refused} == {"16"}
    assert {each["answer"] for each in refused} == {"NACK/0x0000000b/Invalid Destination Address"}
    assert 0 < len(refused) < 20


def test_what_is_owed_survives_kill_9_and_an_application_that_is_away(make: Any) -> None:
    port = free_port()
    kannel: Kannel = make().start()
    url = f"http://127.0.0.1:{port}/dlr?to=%p&type=%d"
    for number in range(30):
        assert kannel.send(to=f"+336123456{number:02}", **{"dlr-url": url})[0] == 202
    kannel.until("/status.txt", "sent 30 (0 queued)")
    kannel.until("/status.txt", "DLR: 0 queued")
    kannel.process.kill()
    application = Application(port)
    try:
        kannel.start()
        told = application.expect("/dlr", 30)
        assert sorted(each["to"] for each in told) == [f"+336123456{number:02}" for number in range(30)]
        assert {each["type"] for each in told} == {"1"}
    finally:
        application.close()


def test_a_message_from_a_mobile_is_answered_by_the_application(make: Any, application: Application) -> None:
    application.reply = b"thank you"
    kannel: Kannel = make("--mo", "33612345678>13013:hello there").start()
    queries = application.expect("/mo", 2)
    assert {query["smsc"] for query in queries} == {"SMPP1", "SMPP2"}
    assert {(query["from"], query["to"], query["text"]) for query in queries} == {
        ("+33612345678", "13013", "hello there")
    }
    kannel.until("/status.txt", "sent 2 (0 queued)")


def test_an_operators_day(make: Any) -> None:
    kannel: Kannel = make().start()
    assert kannel.command("/isolate") == "Kannel isolated from message providers"
    assert kannel.command("/suspend") == "Kannel suspended"
    assert kannel.send()[0] == 202
    assert "[MT-PUSH]" in kannel.command("/store-status")
    assert kannel.command("/resume") == "Running resumed"
    kannel.until("/status.txt", "sent 1 (0 queued)")
    assert kannel.command("/stop-smsc", smsc="SMPP2") == "SMSC `SMPP2' shut down"
    assert "<status>dead</status>" in kannel.command("/status.xml")
    assert kannel.command("/start-smsc", smsc="SMPP2") == "SMSC `SMPP2' re-started"
    kannel.process.send(signal.SIGHUP)
    kannel.process.expect_line("config reloaded")
    kannel.process.send(signal.SIGUSR2)
    assert kannel.command("/log-level", level="0") == "log-level set to 0"
    pid = kannel.process.pid
    assert kannel.command("/restart") == "Restarting....."
    kannel.process.expect_line("stopped ")
    kannel.process.expect_line("ready ", 2)
    assert os.path.exists(f"/proc/{pid}")
    assert kannel.command("/shutdown") == "Bringing system down"
    assert kannel.process.ended() == 0


def test_what_is_wrong_with_the_files_is_said_at_once_and_stops_the_start(make: Any) -> None:
    kannel: Kannel = make()
    text = kannel.conf.read_text().replace("group = smsbox\n", "group = smsbox\nsendota-url = /ota\n")
    kannel.conf.write_text(text.replace("wdp-interface-name", "wapbox-port = 1\nwdp-interface-name"))
    process = Process([SMPPGW, "serve", "--kannel", kannel.conf], cwd=kannel.directory)
    with process:
        assert process.ended() == 2
        said = "\n".join(process.lines)
        assert "wapbox-port" in said
        assert "sendota-url" in said


def test_a_port_that_is_taken_stops_the_start(make: Any) -> None:
    kannel: Kannel = make()
    command: list[str | Path] = [SMPPGW, "serve", "--kannel", kannel.conf]
    with socket.create_server(("0.0.0.0", kannel.sendsms)), Process(command, cwd=kannel.directory) as process:
        assert process.ended() == 1
        process.expect_line(f"cannot listen on .*:{kannel.sendsms} for sendsms-port")
