"""TLS is 1.2 or newer, and nobody is believed without a certificate."""

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest

from smppgw.settings import Connector, Listener
from smppgw.tls import for_connector, for_listener
from tests.smppgw.talking import talking


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for localhost that is its own authority, and its key."""
    folder: Path = tmp_path_factory.mktemp("tls")
    certificate, key = str(folder / "certificate.pem"), str(folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def connector(**settings: object) -> Connector:
    given = {"name": "c", "host": "localhost", "port": 2775, "system_id": "me", **settings}
    return Connector.model_validate(given)


async def shake(server: ssl.SSLContext | None, client: ssl.SSLContext | None, name: str = "localhost") -> str | None:
    """Greet over a connection with these; the version of TLS, None for none. Raises ssl.SSLError or OSError."""

    async def serve(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        write.write(b"hello")
        await read.read()

    async with talking(serve, server) as port:
        server_name = name if client is not None else None
        read, write = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=server_name)
        try:
            if await read.read(5) != b"hello":
                raise ConnectionResetError("the server did not greet")
            found = write.get_extra_info("ssl_object")
            return None if found is None else str(found.version())
        finally:
            write.transport.abort()


def test_without_a_certificate_a_listener_is_plain() -> None:
    assert for_listener(Listener()) is None


def test_without_tls_a_connector_is_plain() -> None:
    assert for_connector(connector()) is None


async def test_the_two_ends_agree_on_a_modern_version(certificate: tuple[str, str]) -> None:
    server = for_listener(Listener(tls_certificate=certificate[0], tls_key=certificate[1]))
    assert await shake(server, for_connector(connector(tls=True, tls_ca=certificate[0]))) == "TLSv1.3"


def test_nothing_older_than_1_2_is_spoken(certificate: tuple[str, str]) -> None:
    server = for_listener(Listener(tls_certificate=certificate[0], tls_key=certificate[1]))
    client = for_connector(connector(tls=True))
    assert server is not None
    assert client is not None
    assert (server.minimum_version, client.minimum_version) == (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)


async def test_a_connector_does_not_believe_a_stranger(certificate: tuple[str, str]) -> None:
    server = for_listener(Listener(tls_certificate=certificate[0], tls_key=certificate[1]))
    with pytest.raises(ssl.SSLCertVerificationError):
        await shake(server, for_connector(connector(tls=True)))


async def test_a_connector_does_not_believe_a_certificate_of_another_name(certificate: tuple[str, str]) -> None:
    server = for_listener(Listener(tls_certificate=certificate[0], tls_key=certificate[1]))
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        await shake(server, for_connector(connector(tls=True, tls_ca=certificate[0])), "smsc.example")


async def test_a_listener_with_an_authority_wants_a_certificate_of_it(certificate: tuple[str, str]) -> None:
    own, key = certificate
    server = for_listener(Listener(tls_client_ca=own, tls_certificate=own, tls_key=key))
    with_one = for_connector(connector(tls=True, tls_ca=own, tls_certificate=own, tls_key=key))
    assert await shake(server, with_one) == "TLSv1.3"
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await shake(server, for_connector(connector(tls=True, tls_ca=certificate[0])))
