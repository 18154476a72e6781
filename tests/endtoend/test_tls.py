"""TLS on both sides of the gateway, with certificates of a CA that the test makes."""

import ssl
import subprocess
from pathlib import Path

import pytest

from protocol.consts import MessageState
from smppgw.ports import free_port
from tests.endtoend.conftest import Serve, Simulate
from tests.endtoend.esme import Esme
from tests.kit import merged, relay_config


def openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=20)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem, stranger.pem (another CA), and gateway, smsc and esme as .pem and .key."""
    place = tmp_path_factory.mktemp("pki")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", 2)
    for ca in ("ca", "stranger"):
        openssl(
            "req", "-x509", *curve, "-subj", f"/CN={ca}", "-keyout", place / f"{ca}.key", "-out", place / f"{ca}.pem"
        )
    signed = {"gateway": "ca", "smsc": "ca", "esme": "ca", "forger": "stranger"}
    for name, ca in signed.items():
        extra = ("-CA", place / f"{ca}.pem", "-CAkey", place / f"{ca}.key", "-addext", "subjectAltName=DNS:localhost")
        constraint = ("-addext", "basicConstraints=critical,CA:FALSE")
        files = ("-keyout", place / f"{name}.key", "-out", place / f"{name}.pem")
        openssl("req", "-x509", *curve, "-subj", f"/CN={name}", *extra, *constraint, *files)
    return place


def context(pki: Path, purpose: ssl.Purpose, name: str, ca: str = "ca") -> ssl.SSLContext:
    made = ssl.create_default_context(purpose, cafile=str(pki / f"{ca}.pem"))
    made.load_cert_chain(pki / f"{name}.pem", pki / f"{name}.key")
    if purpose is ssl.Purpose.CLIENT_AUTH:
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def config(pki: Path, port: int, **connector: object) -> dict[str, object]:
    return relay_config(
        port,
        listeners=[
            {
                "host": "127.0.0.1",
                "port": free_port(),
                "tls_certificate": str(pki / "gateway.pem"),
                "tls_key": str(pki / "gateway.key"),
                "tls_client_ca": str(pki / "ca.pem"),
            }
        ],
        connectors={
            "up": merged(
                {
                    "tls": True,
                    "tls_ca": str(pki / "ca.pem"),
                    "tls_certificate": str(pki / "gateway.pem"),
                    "tls_key": str(pki / "gateway.key"),
                    "tls_name": "localhost",
                },
                connector,
            )
        },
    )


async def test_a_message_and_its_receipt_travel_over_tls_with_client_certificates(
    serve: Serve, simulate: Simulate, pki: Path
) -> None:
    smsc = await simulate(tls=context(pki, ssl.Purpose.CLIENT_AUTH, "smsc"))
    gateway = await serve(config(pki, smsc.port), "up")
    esme = await Esme.connect(gateway.port, context(pki, ssl.Purpose.SERVER_AUTH, "esme"))
    assert (await esme.bind()).status == 0
    ids = [await esme.submitted(f"4477009{n:05}", b"x" * 250) for n in range(20)]
    assert [(each.id, each.state) for each in await esme.wait_receipts(20)] == [
        (id, MessageState.DELIVERED) for id in ids
    ]
    await esme.unbind()


async def test_an_esme_without_our_certificate_is_turned_away(serve: Serve, simulate: Simulate, pki: Path) -> None:
    smsc = await simulate(tls=context(pki, ssl.Purpose.CLIENT_AUTH, "smsc"))
    gateway = await serve(config(pki, smsc.port), "up")
    naked = ssl.create_default_context(cafile=str(pki / "ca.pem"))
    forged = context(pki, ssl.Purpose.SERVER_AUTH, "forger")
    for bad in (naked, forged):
        with pytest.raises((OSError, TimeoutError)):  # with TLS 1.3 it may hear of it after the handshake
            await (await Esme.connect(gateway.port, bad)).bind()
    plain = await Esme.connect(gateway.port)
    plain.write(b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\1")
    await plain.gone()
    good = await Esme.connect(gateway.port, context(pki, ssl.Purpose.SERVER_AUTH, "esme"))
    assert (await good.bind()).status == 0
    assert await good.status("447700900001") == 0
    await good.unbind()
    assert "Traceback" not in gateway.log


@pytest.mark.parametrize("wrong", ["a stranger's certificate", "another name"])
async def test_an_smsc_that_is_not_who_it_should_be_gets_no_password(
    serve: Serve, simulate: Simulate, pki: Path, wrong: str
) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    who = "smsc" if wrong == "another name" else "forger"
    server.load_cert_chain(pki / f"{who}.pem", pki / f"{who}.key")
    smsc = await simulate(tls=server)
    over = {"tls_name": "smsc.example"} if wrong == "another name" else {}
    gateway = await serve(config(pki, smsc.port, **over))
    event = await gateway.expect("bind failed", 2)
    assert "certificate" in event["reason"].lower()
    assert smsc.stats()["links"]["binds"] == 0
