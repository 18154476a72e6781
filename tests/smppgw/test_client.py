"""Commands hear from the API what it says, or in a sentence why not."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from smppgw.client import ApiError, Client


class Api(BaseHTTPRequestHandler):
    """What each path is answered with."""

    asked: list[tuple[str, str, str | None, bytes]]

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.asked.append((self.command, self.path, self.headers.get("Authorization"), self.rfile.read(length)))
        problem = {"title": "No", "detail": "because", "errors": [{"field": "rate", "wrong": "too high"}]}
        status, body = {
            "/good": (200, b'{"a": 1}'),
            "/problem": (422, json.dumps(problem).encode()),
            "/plain": (500, b"<html>"),
            "/locked": (401, b'{"title": "A key is needed", "detail": "send a header"}'),
            "/junk": (200, b"<html>"),
            "/away": (302, b""),
        }.get(self.path.partition("?")[0], (404, b"[]"))
        self.send_response(status)
        self.send_header("Location", "/good")
        self.send_header("Content-Length", str(len(body) + (self.path == "/cut")))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Api.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_it_asks_with_its_key_and_reads_json(url: str) -> None:
    client = Client(url, "secret")
    assert client.get("/good", {"x": "a b"}) == {"a": 1}
    assert client.post("/good", {"b": 2}) == {"a": 1}
    assert Api.asked == [
        ("GET", "/good?x=a+b", "Bearer secret", b""),
        ("POST", "/good", "Bearer secret", b'{"b": 2}'),
    ]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/problem", 422, "No; because; rate: too high"),
        ("/plain", 500, "HTTP status 500"),
        ("/locked", 401, "A key is needed; set SMPPGW_KEY"),
        ("/none", 404, "HTTP status 404"),
        ("/away", 302, "HTTP status 302"),
        ("/junk", 0, "the answer is no JSON"),
    ],
)
def test_what_is_no_success_is_said_in_words_and_no_redirect_gets_the_key(
    url: str, path: str, status: int, words: str
) -> None:
    with pytest.raises(ApiError) as error:
        Client(url, "secret").get(path)
    assert (error.value.status, str(error.value).startswith(words)) == (status, True)
    assert len(Api.asked) == 1


def test_a_body_comes_in_pieces(url: str) -> None:
    assert b"".join(Client(url).stream("/good", {}, 5.0)) == b'{"a": 1}'
    assert Api.asked[0][2] is None


@pytest.mark.parametrize("bad", ["127.0.0.1:8080", "file:///etc/passwd", "http://", "ftp://x"])
def test_what_is_no_url_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="is no URL"):
        Client(bad)
