"""Certificates, keys and CAs: accepted when they can be used."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from smppgw.config import parse
from tests.smppgw.configured import connector, refused, small


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"listeners": [{"tls_certificate": "a"}]}, "listeners[0].tls_certificate", "tls_key is missing; give both"),
        ({"listeners": [{"tls_client_ca": __file__}]}, "listeners[0].tls_client_ca", ""),
        (
            {"listeners": [{"tls_certificate": "/absent", "tls_key": "/absent"}]},
            "listeners[0].tls_key",
            "/absent cannot be read: No such file or directory",
        ),
        (
            {"listeners": [{"tls_certificate": __file__, "tls_key": __file__}]},
            "listeners[0].tls_certificate",
            "it and its key cannot be used",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_fix(changes: dict[str, Any], path: str, said: str) -> None:
    problems = refused(small(**changes))
    assert path in problems
    assert problems[path].startswith(said)


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"tls_name": "x"}, "connectors.up.tls_name", "this connector speaks no TLS; add tls = true"),
        ({"tls": True, "tls_ca": "/absent"}, "connectors.up.tls_ca", "/absent cannot be read"),
        ({"tls": True, "tls_ca": __file__}, "connectors.up.tls_ca", f"{__file__} cannot be used"),
    ],
)
def test_a_mistake_in_a_connector_is_named(changes: dict[str, Any], path: str, said: str) -> None:
    problems = refused(small(connectors=small()["connectors"] | connector(**changes)))
    assert problems[path].startswith(said)
    assert len(problems) == 1


def test_a_certificate_with_its_key_is_accepted(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = {"tls_certificate": str(certificate), "tls_key": str(key), "tls_client_ca": str(certificate)}
    assert parse(small(listeners=[tls])).listeners[0].tls_key == str(key)
