"""The systemd unit is one that systemd takes, and keeps the gateway away from what it does not need."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from smppgw.settings import Gateway
from tests.kit import ROOT

UNIT = ROOT / "conf/smppgw.service"
EXPOSURE = 15
"""At most, in tenths, of the 0 to 10 that systemd gives: a service without any hardening has 96."""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=60, check=False)
    if re.search("Unknown operation|unrecognized option|Failed to (?:create|setup|initialize)", done.stderr):
        pytest.skip(f"systemd-analyze does not work here: {done.stderr.strip()}")
    return done


@needs_systemd
def test_systemd_takes_it(tmp_path: Path) -> None:
    file = tmp_path / UNIT.name
    # Nothing is installed here; everything else is as it stands.
    file.write_text(UNIT.read_text().replace("/opt/smppgw/bin/smppgw", "/bin/true"))
    done = analyze("verify", "--man=no", str(file))
    ours = [line for line in done.stderr.splitlines() if "smppgw.service" in line]
    assert (done.returncode, ours) == (0, [])


@needs_systemd
def test_it_exposes_little() -> None:
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE}", str(UNIT))
    assert done.returncode == 0, done.stdout


def test_it_starts_what_the_project_installs_with_a_config_where_it_says() -> None:
    text = UNIT.read_text()
    commands = re.findall(r"^Exec\w+=(\S+) (\w+) --config (\S+)$", text, re.MULTILINE)
    assert {(program, file) for program, _, file in commands} == {
        ("/opt/smppgw/bin/smppgw", "/etc/smppgw/gateway.toml")
    }
    assert [command for _, command, _ in commands] == ["check", "serve", "check"]
    [patience] = re.findall(r"^TimeoutStopSec=(\d+)s$", text, re.MULTILINE)
    assert int(patience) > Gateway().drain
