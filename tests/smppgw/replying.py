"""An HTTP server that says octet for octet what the test has it say."""

import asyncio

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
HANG = b""


class Peer:
    """Answers requests with what it was given, in turn, and keeps what it read. HANG: it says nothing."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.heard: list[bytes] = []
        self.connections = 0
        self.cuts = False
        """It closes after each answer."""
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            self.heard.append(await request(reader))
            answer = self.answers.pop(0)
            writer.write(answer)
            if self.cuts:
                break
            if answer == HANG:
                await reader.read()


async def request(reader: asyncio.StreamReader) -> bytes:
    """The next one, whole. Raises IncompleteReadError when there is none."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
    return head + await reader.readexactly(size)
