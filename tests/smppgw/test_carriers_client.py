"""What a request to a carrier becomes, and which failures must not be confused."""

import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from smppgw.carriers.client import HttpClient
from smppgw.exchange import Unanswered, Unsent
from smppgw.ports import free_port
from tests.smppgw.replying import HANG, OK, Peer
from tests.smppgw.talking import talking


@asynccontextmanager
async def meeting(
    *answers: bytes, patience: float = 5.0, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None, **url: str
) -> AsyncIterator[tuple[Peer, HttpClient]]:
    peer = Peer(*answers)
    async with talking(peer.serve, tls[0] if tls else None) as port:
        peer.url = f"{'https' if tls else 'http'}://{url.get('who', '')}127.0.0.1:{port}"
        client = HttpClient(peer.url, connections=10, connect=2.0, timeout=patience, tls=tls[1] if tls else None)
        yield peer, client
        await client.close()


async def test_a_request_has_its_headers_its_body_and_the_path_below_the_url() -> None:
    async with meeting(OK) as (peer, client):
        reply = await client.request("POST", "/v1/send?x=%20y", headers={"X-Key": "é"}, body=b"body")
        assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"ok", "text/plain")
        host = peer.url.removeprefix("http://")
        assert peer.heard == [
            f"POST /v1/send?x=%20y HTTP/1.1\r\nHost: {host}\r\nUser-Agent: smppgw\r\nAccept: */*\r\n"
            "Accept-Encoding: gzip, deflate\r\nX-Key: é\r\nContent-Length: 4\r\n\r\nbody".encode()
        ]


async def test_forms_and_json_name_their_type_unless_a_header_does() -> None:
    async with meeting(OK, OK, OK) as (peer, client):
        await client.request("POST", "/", form={"a": "b c"})
        await client.request("POST", "/", json={"a": "é"})
        await client.request("POST", "/", headers={"content-type": "mine"}, form={"a": "b"})
        assert b"\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5\r\n\r\na=b+c" in peer.heard[0]
        assert peer.heard[1].endswith('Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{"a":"é"}'.encode())
        assert b"\r\ncontent-type: mine\r\nContent-Length: 3\r\n\r\na=b" in peer.heard[2]


async def test_a_header_that_is_given_stands_in_for_ours() -> None:
    async with meeting(OK) as (peer, client):
        await client.request("GET", "/", headers={"accept": "text/x", "USER-AGENT": "me"})
        assert b"accept: text/x\r\n" in peer.heard[0]
        assert b"smppgw" not in peer.heard[0]
        assert b"Accept: " not in peer.heard[0]


@pytest.mark.parametrize("header", ["a\r\nEvil: yes", "a\nb", "a\rb", "a\0b"])
async def test_no_header_holds_another(header: str) -> None:
    async with meeting() as (peer, client):
        with pytest.raises(ValueError, match="line end"):
            await client.request("GET", "/", headers={"X-Key": header})
        assert peer.connections == 0


async def test_user_and_password_of_the_url_are_sent_as_basic_authentication() -> None:
    async with meeting(OK, who="me:s%40crt@") as (peer, client):
        await client.request("GET", "/")
        assert b"\r\nAuthorization: Basic bWU6c0BjcnQ=\r\n" in peer.heard[0]


async def test_a_connection_is_kept_for_the_next_request() -> None:
    async with meeting(OK, OK) as (peer, client):
        await client.request("GET", "/")
        await client.request("GET", peer.url + "/whole")
        assert len(peer.heard) == 2
        assert peer.connections == 1


async def test_without_a_connection_nothing_was_sent() -> None:
    client = HttpClient(f"http://127.0.0.1:{free_port()}", connections=1, connect=2.0, timeout=2.0)
    with pytest.raises(Unsent, match="refused"):
        await client.request("GET", "/")
    await client.close()


@pytest.mark.parametrize("where", ["[1", "host:99999"])
async def test_what_is_no_url_sends_nothing_and_shows_no_secret(where: str) -> None:
    client = HttpClient("http://nowhere.invalid", connections=1, connect=2.0, timeout=2.0)
    with pytest.raises(Unsent) as raised:
        await client.request("GET", f"http://me:word@{where}/819012345678?password=secret&text=hello")
    assert str(raised.value) == f"cannot ask http://{where}"
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize("answer", [HANG, OK[:-1], b"no http\r\n\r\n"], ids=["none", "cut", "garbage"])
async def test_a_connection_that_breaks_leaves_a_doubt_and_is_not_asked_again(method: str, answer: bytes) -> None:
    async with meeting(OK, answer, OK) as (peer, client):
        await client.request("GET", "/")
        peer.cuts = True
        with pytest.raises(Unanswered):
            await client.request(method, "/")
        assert len(peer.heard) == 2


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """And its key."""
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2")
    named = ("-subj", "/CN=carrier", "-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout", paths[1])
    subprocess.run(["openssl", *made, *named], check=True, capture_output=True, timeout=20)
    return paths


async def test_over_tls_only_who_has_the_right_certificate_is_asked(certificate: tuple[Path, Path]) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(*certificate)
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    async with meeting(OK, OK, tls=(server, trusting)) as (peer, client):
        for _ in range(2):
            assert (await client.request("GET", "/")).body == b"ok"
        assert peer.connections == 1
        stranger = HttpClient(peer.url, connections=1, connect=2.0, timeout=2.0)
        with pytest.raises(Unsent, match="certificate"):
            await stranger.request("GET", "/")
        await stranger.close()
        assert len(peer.heard) == 2


async def test_an_empty_reply_and_a_redirect_are_replies() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    async with meeting(b"HTTP/1.1 204 No Content\r\n\r\n", moved) as (peer, client):
        assert (await client.request("DELETE", "/")).status == 204
        assert (await client.request("GET", "/")).status == 302
        assert len(peer.heard) == 2
