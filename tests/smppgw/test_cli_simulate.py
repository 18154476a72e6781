"""The simulated SMSC speaks TLS, counts, and can be taken down."""

import json
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.kit import SMPPGW, Process


@pytest.mark.parametrize(("trust", "status"), [(True, 0), (False, 2)])
def test_load_and_simulator_speak_tls(tmp_path: Path, trust: bool, status: int) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    simulator: list[str | Path] = [SMPPGW, "simulate", "smsc", "--port", "0", "--tls-certificate", certificate]
    with Process([*simulator, "--tls-key", key]) as process:
        port = process.expect_line(r"listening on 127\.0\.0\.1:(\d+)")[1]
        trusted: list[str | Path] = ["--tls-ca", certificate] if trust else ["--tls"]
        with Process([SMPPGW, "load", "--port", port, "--count", "100", *trusted]) as load:
            assert load.ended() == status
    assert trust or "certificate" in " ".join(load.lines)


def test_the_simulator_counts_and_can_be_taken_down(tmp_path: Path) -> None:
    stats, dump = tmp_path / "stats.json", tmp_path / "dump"
    command: list[str | Path] = [SMPPGW, "simulate", "smsc", "--port", "0", "--stats-json", stats, "--dump", dump]
    with Process(command) as process:
        port = process.expect_line(r"listening on 127\.0\.0\.1:(\d+)")[1]
        with Process([SMPPGW, "load", "--port", port, "--count", "5"]) as load:
            assert load.ended() == 0
        process.send(signal.SIGUSR1)
        said = process.expect("stats")
        assert (said["submits"], said["unique_destinations"], said["receipts"]["acked"]) == (5, 5, 5)
        process.send(signal.SIGUSR2)
        process.expect_line("down")
        process.send(signal.SIGUSR2)
        process.expect_line("up again")
        assert process.stop() == 0
        assert process.expect("stats", 2)["submits"] == 5
    assert json.loads(stats.read_text())["submits"] == 5
    assert dump.read_text().split() == [f"4479{n:08}" for n in range(5)]


def test_the_simulator_says_that_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Process([SMPPGW, "simulate", "smsc", "--port", str(port)]) as process:
            assert process.ended() == 1
    assert f"cannot listen on 127.0.0.1:{port}" in process.lines[0]
