"""A gateway that was imported from Kannel's files does Kannel's work."""

import subprocess
from pathlib import Path

import pytest

from smppgw.ports import free_port
from tests.kit import PATIENCE, SMPPGW, Process

pytestmark = pytest.mark.endtoend

CONF = """
group = core
admin-port = 13000
admin-password = secret

group = smsc
smsc = smpp
smsc-id = up
host = 127.0.0.1
port = {smsc}
smsc-username = gateway
smsc-password = secret
system-type = ""

group = smsc
smsc = smpp
smsc-id = up
host = 127.0.0.1
receive-port = {smsc}
smsc-username = gateway
smsc-password = secret
system-type = ""

group = opensmppbox
our-system-id = gateway
opensmppbox-port = {listener}
smpp-logins = {logins}
"""


def test_a_login_of_opensmppbox_sends_by_a_link_for_each_way_and_hears_of_it(tmp_path: Path) -> None:
    listener = free_port()
    (tmp_path / "logins").write_text("esme secret VMA 127.0.0.1\n")
    with Process([SMPPGW, "simulate", "smsc", "--port", "0"], name="smsc") as smsc:
        port = smsc.expect_line(r"listening on 127\.0\.0\.1:(\d+)")[1]
        (tmp_path / "kannel.conf").write_text(CONF.format(smsc=port, listener=listener, logins=tmp_path / "logins"))
        subprocess.run(
            [SMPPGW, "import-kannel", "kannel.conf", "-o", "gateway.toml"], cwd=tmp_path, check=True, timeout=PATIENCE
        )
        with (tmp_path / "gateway.toml").open("a") as file:
            file.write("\n[http]\nport = 0\n")
        with Process([SMPPGW, "serve", "-c", "gateway.toml"], cwd=tmp_path) as gateway:
            gateway.expect_line("bound .*connector=up-tx")
            gateway.expect_line("bound .*connector=up-rx")
            send = [
                SMPPGW,
                "send",
                "--port",
                listener,
                "--system-id",
                "esme",
                "--password",
                "secret",
                "--to",
                "+447911",
            ]
            done = subprocess.run(
                [str(word) for word in send], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=True
            )
            assert "stat:DELIVRD" in done.stdout
            assert gateway.stop() == 0
