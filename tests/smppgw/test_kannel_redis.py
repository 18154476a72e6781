"""Answers of a Redis server are read, whatever they are."""

import socket
import threading
from collections.abc import Callable

import pytest

from smppgw.kannel.redis import Redis, RedisError


def answering(octets: bytes, ask: Callable[[Redis], object]) -> tuple[object, bytes]:
    """What comes of a question that a server answers so, and what the server got."""
    listener = socket.create_server(("127.0.0.1", 0))
    got = bytearray()

    def serve() -> None:
        end, _ = listener.accept()
        with end:
            end.sendall(octets)
            while part := end.recv(4096):
                got.extend(part)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with Redis("127.0.0.1", listener.getsockname()[1]) as redis:
            return ask(redis), bytes(got)
    finally:
        thread.join(5)
        listener.close()


ANSWERS = {
    b"+OK\r\n": b"OK",
    b":42\r\n": 42,
    b"$5\r\na\r\nbc\r\n": b"a\r\nbc",
    b"$-1\r\n": None,
    b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n": [b"a", [1]],
}


@pytest.mark.parametrize("octets", ANSWERS)
def test_each_kind_of_answer_is_read(octets: bytes) -> None:
    assert answering(octets, lambda redis: redis.ask(b"GET", b"x"))[0] == ANSWERS[octets]


def test_hashes_are_found_in_as_many_steps_as_the_server_likes() -> None:
    octets = (
        b"*2\r\n$1\r\n7\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n+hash\r\n+string\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"
        b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\nc\r\n+hash\r\n*0\r\n"
    )
    found, _ = answering(octets, lambda redis: list(redis.hashes(b"*")))
    assert found == [(b"a", {b"f": b"v"}), (b"c", {})]


@pytest.mark.parametrize("octets", [b"-ERR no\r\n", b"junk\r\n", b"", b"+OK"])
def test_a_refusal_or_junk_is_an_error(octets: bytes) -> None:
    def ask(redis: Redis) -> None:
        redis._socket.shutdown(socket.SHUT_WR)
        with pytest.raises((RedisError, OSError)):
            redis._answer()

    answering(octets, ask)
