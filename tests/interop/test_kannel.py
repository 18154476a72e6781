"""Kannel's bearerbox as an ESME: what its users send, and what they hear of it."""

import signal
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from smppgw.ports import free_port
from tests.interop.boxes import boxes
from tests.interop.scenario import DESTINATION, LONG, MO, SHORT, SOURCE, UCS2
from tests.interop.stacks import need
from tests.kit import PATIENCE, Gateway, Process

pytestmark = pytest.mark.interop

CONF = """
group = core
admin-port = {admin}
admin-password = secret
admin-interface = 127.0.0.1
smsbox-port = {box}
box-allow-ip = 127.0.0.1
dlr-storage = internal
sms-resend-freq = 1

group = smsbox
smsbox-id = box
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1

group = smsbox-route
smsbox-id = box
smsc-id = gateway

group = sendsms-user
username = user
password = secret
max-messages = 5
concatenation = true

group = sms-service
keyword = default
max-messages = 0
get-url = "http://127.0.0.1:{application}/mo?from=%p&to=%P&text=%b"
"""

SMSC = """
group = smsc
smsc = smpp
smsc-id = gateway
host = 127.0.0.1
smsc-username = esme
smsc-password = secret
system-type = ""
enquire-link-interval = 1
reconnect-delay = 1
"""

BINDS = {
    "transceiver": SMSC + "port = {port}\ntransceiver-mode = true\n",
    "transmitter and receiver": SMSC + "port = {port}\n" + SMSC + "receive-port = {port}\n",
}

Query = dict[str, str]


class Application:
    """Where Kannel brings receipts and messages from mobiles: the queries that came, by path."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._queries: list[tuple[str, Query]] = []
        application = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urllib.parse.urlsplit(self.path)
                application._came(url.path, dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _came(self, path: str, query: Query) -> None:
        with self._news:
            self._queries.append((path, query))
            self._news.notify_all()

    def at(self, path: str) -> list[Query]:
        return [query for there, query in self._queries if there == path]

    def expect(self, path: str, times: int, **fields: str) -> list[Query]:
        """The queries on that path that have those fields, once there are so many."""

        def found() -> list[Query]:
            return [query for query in self.at(path) if fields.items() <= query.items()]

        with self._news:
            came = self._news.wait_for(lambda: len(found()) >= times, PATIENCE)
        assert came, f"{path} {fields} came {len(found())} of {times} times; all that came: {self._queries}"
        return found()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)


class Kannel:
    """The sendsms interface that Kannel's users know, and the box behind it."""

    def __init__(self, bearerbox: Process, sendsms: int, application: Application) -> None:
        self.bearerbox = bearerbox
        self.sendsms = sendsms
        self.application = application

    def send(self, name: str, text: str, **more: str) -> str:
        """Kannel's answer to sendsms, every kind of receipt asked for."""
        dlr = f"http://127.0.0.1:{self.application.port}/dlr?name={name}&type=%d&answer=%A&id=%F"
        query = {
            "username": "user",
            "password": "secret",
            "from": SOURCE,
            "to": DESTINATION,
            "text": text,
            "charset": "UTF-8",
            "dlr-mask": "31",
            "dlr-url": dlr,
            **more,
        }
        url = f"http://127.0.0.1:{self.sendsms}/cgi-bin/sendsms?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return f"{answer.status} {answer.read().decode()}"
        except urllib.error.HTTPError as refusal:
            with refusal:
                return f"{refusal.code} {refusal.read().decode()}"


@pytest.fixture
def application() -> Iterator[Application]:
    application = Application()
    yield application
    application.close()


@pytest.fixture(params=BINDS)
def kannel(
    request: pytest.FixtureRequest, tmp_path: Path, gateway: Gateway, application: Application
) -> Iterator[Kannel]:
    need("kannel")
    conf = tmp_path / "kannel.conf"
    ports = {name: free_port() for name in ("admin", "box", "sendsms")}
    smsc = BINDS[request.param].format(port=gateway.port)
    conf.write_text(CONF.format(application=application.port, **ports) + smsc)
    with boxes(conf, ports["box"]) as (bearerbox, _):
        yield Kannel(bearerbox, ports["sendsms"], application)


def test_kannel_submits_and_its_users_hear_of_each_message(
    kannel: Kannel, application: Application, smsc: Process
) -> None:
    assert kannel.send("short", SHORT).startswith("202 ")
    assert kannel.send("long", LONG).startswith("202 ")
    assert kannel.send("ucs2", UCS2, coding="2").startswith("202 ")
    smsc.expect("submit", 5)
    for name in ("short", "long", "ucs2"):
        application.expect("/dlr", 1, name=name, type="8")  # accepted by the SMSC: our submit_sm_resp
        [delivered, *more] = application.expect("/dlr", 1, name=name, type="1")
        assert "stat:DELIVRD" in delivered["answer"]
        assert not more
    submits = smsc.events("submit")
    whole = {submit["text"]: submit["data_coding"] for submit in submits if not submit["udh"]}
    assert whole == {SHORT: 0, UCS2: 8}
    assert "".join(submit["text"] for submit in submits if submit["udh"]) == LONG
    assert {(submit["source"], submit["destination"]) for submit in submits} == {(SOURCE, DESTINATION)}
    kannel.bearerbox.expect_line("type_name: enquire_link_resp")
    kannel.bearerbox.send(signal.SIGTERM)
    kannel.bearerbox.expect_line("type_name: unbind_resp")


def test_a_message_from_a_mobile_reaches_kannels_application(
    kannel: Kannel, application: Application, smsc: Process
) -> None:
    kannel.bearerbox.expect_line("type_name: bind_(transceiver|receiver)_resp")
    smsc.tell({"deliver": {"source": DESTINATION, "destination": SOURCE, "text": MO}})
    [query] = application.expect("/mo", 1)
    assert query["text"] == MO
    assert query["from"].lstrip("+") == DESTINATION
    assert query["to"].lstrip("+") == SOURCE
    assert smsc.expect("delivered")["status"] == 0
