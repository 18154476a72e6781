"""The gateway's admin API as the console asks it: with the key that no browser gets to see."""

import json
import ssl
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import aiohttp
from yarl import URL

from smppgw.reasons import why

PATIENCE: Final = 10.0
"""Seconds that an answer may take."""

MOST: Final = 16 << 20
"""Octets of an answer; a longer one is refused."""

OFFERED: Final = ("v1/admin/", "v1/history/")
"""What of the API a browser may ask for."""

NOT_OFFERED: Final = "v1/admin/capture"
"""It is long, and holds what people wrote to each other."""

PROBLEM: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """As it came."""

    status: int
    body: bytes
    type: str


def problem(status: int, title: str, detail: str = "") -> Answer:
    """As the API says it."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Answer(status, json.dumps(body).encode(), PROBLEM)


def is_offered(path: str) -> bool:
    """No way out of what is offered: neither by dots nor by their escapes."""
    parts = path.split("/")
    if path.startswith(NOT_OFFERED):
        return False
    return path.startswith(OFFERED) and not any(part in {"", ".", ".."} for part in parts) and "\\" not in path


class Upstream:
    """Enter it in the loop that uses it."""

    def __init__(self, url: str, key: str, tls: ssl.SSLContext | None = None) -> None:
        self._url = URL(url.rstrip("/") + "/", encoded=True)
        self._headers = {"Accept": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=PATIENCE),
            connector=aiohttp.TCPConnector(ssl=self._tls if self._tls is not None else True, limit=20),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, method: str, path: str, query: str = "", body: bytes = b"") -> Answer:
        """`path` and `query` as a URL has them, without the first slash. Never raises: what fails is a problem."""
        assert self._session is not None  # noqa: S101  it was entered
        url = URL(f"{self._url}{path}{'?' + query if query else ''}", encoded=True)
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            async with self._session.request(
                method, url, data=body or None, headers=headers, allow_redirects=False
            ) as response:
                answer = await response.content.read(MOST + 1)
                while len(answer) <= MOST and (more := await response.content.read(MOST)):
                    answer += more
                if len(answer) > MOST:
                    return problem(502, "The gateway's answer is too long", f"more than {MOST} octets")
                return Answer(response.status, answer, response.headers.get("Content-Type", "application/json"))
        except TimeoutError:
            return problem(504, "The gateway's API does not answer", f"within {PATIENCE:g} s, at {self._url}")
        except (aiohttp.ClientError, OSError) as error:
            reason = why(error.os_error) if isinstance(error, aiohttp.ClientConnectorError) else str(error)
            return problem(502, "The gateway's API cannot be reached", f"{reason}, at {self._url}")
