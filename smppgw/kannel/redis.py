"""Read keys and hashes of a Redis server: as much of its protocol as that needs."""

import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Self

Answer = bytes | int | None | list["Answer"]


class RedisError(Exception):
    """What the server says instead of an answer, or why it says nothing."""


class Redis:
    """A connection; OSError when there is none."""

    def __init__(self, host: str, port: int, timeout: float = 10.0) -> None:
        self._socket = socket.create_connection((host, port), timeout)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._socket.close()

    def ask(self, *words: bytes) -> Answer:
        """One command; RedisError when it is refused."""
        return self.ask_all([words])[0]

    def ask_all(self, commands: list[tuple[bytes, ...]]) -> list[Answer]:
        """Several at once, which is many times as fast."""
        self._socket.sendall(b"".join(map(_command, commands)))
        return [self._answer() for _ in commands]

    def hashes(self, pattern: bytes, at_once: int = 1000) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
        """Every hash whose key is like that, perhaps twice."""
        cursor: Answer = b"0"
        while True:
            found = self.ask(b"SCAN", _octets(cursor), b"MATCH", pattern, b"COUNT", b"%d" % at_once)
            if not isinstance(found, list) or len(found) != 2 or not isinstance(found[1], list):
                raise RedisError("SCAN has an answer that is none")
            cursor, keys = found[0], [_octets(key) for key in found[1]]
            kinds = self.ask_all([(b"TYPE", key) for key in keys])
            keys = [key for key, kind in zip(keys, kinds, strict=True) if kind == b"hash"]
            for key, fields in zip(keys, self.ask_all([(b"HGETALL", key) for key in keys]), strict=True):
                if isinstance(fields, list):
                    words = [_octets(field) for field in fields]
                    yield key, dict(zip(words[::2], words[1::2], strict=True))
            if cursor == b"0":
                return

    def _answer(self) -> Answer:
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise RedisError("the connection broke")
        kind, said = line[:1], line[1:-2]
        match kind:
            case b"+":
                return said
            case b"-":
                raise RedisError(said.decode(errors="replace"))
            case b":":
                return int(said)
            case b"$":
                if said == b"-1":
                    return None
                octets = self._file.read(int(said) + 2)
                return octets[:-2]
            case b"*":
                return [self._answer() for _ in range(int(said))]
        raise RedisError("it does not speak Redis")


def _command(words: tuple[bytes, ...]) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def _octets(answer: Answer) -> bytes:
    if not isinstance(answer, bytes):
        raise RedisError("an answer is no string")
    return answer
