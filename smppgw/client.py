"""Ask a running gateway's API, for commands: no more than the standard library."""

import json
import ssl
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPErrorProcessor, HTTPHandler, HTTPSHandler, OpenerDirector, Request

from smppgw.reasons import why

PATIENCE = 10.0
"""Seconds that an answer may take."""

PIECE = 1 << 16


class ApiError(Exception):
    """In words. `status` is 0 when the gateway was not reached."""

    def __init__(self, words: str, status: int = 0) -> None:
        super().__init__(words)
        self.status = status


class Client:
    """One gateway."""

    def __init__(self, url: str, key: str = "") -> None:
        """Raises ValueError for what is no URL."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r} is no URL: write it like http://127.0.0.1:8080")
        self._url = url.rstrip("/")
        self._headers = {"Accept": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        self._opener = OpenerDirector()  # no redirects, no proxies: the key is for this gateway
        for handler in (
            HTTPHandler(),
            HTTPSHandler(context=ssl.create_default_context()),
            _Raise(),
        ):
            self._opener.add_handler(handler)

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Raises ApiError."""
        with self._asked("GET", path, query, None, PATIENCE) as answer:
            return _json(answer)

    def post(self, path: str, body: object = None) -> Any:
        """Raises ApiError."""
        with self._asked("POST", path, None, body, PATIENCE) as answer:
            return _json(answer)

    def stream(self, path: str, query: Mapping[str, Any], patience: float) -> Iterator[bytes]:
        """The body as it comes. Raises ApiError."""
        with self._asked("GET", path, query, None, patience) as answer:
            try:
                while piece := answer.read1(PIECE):
                    yield piece
            except (OSError, HTTPException) as error:
                raise ApiError(f"{self._url}: the answer was cut off: {error}") from None

    def _asked(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: object, patience: float
    ) -> HTTPResponse:
        words = f"?{urlencode(query)}" if query else ""
        headers, data = dict(self._headers), None
        if body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        request = Request(f"{self._url}{quote(path)}{words}", data, headers, method=method)  # noqa: S310  see __init__
        try:
            return cast(HTTPResponse, self._opener.open(request, timeout=patience))
        except HTTPError as error:
            with error:
                raise ApiError(_words(error), error.code) from None
        except URLError as error:
            raise ApiError(f"{self._url} cannot be reached: {_reason(error.reason)}") from None
        except (OSError, HTTPException) as error:
            raise ApiError(f"{self._url} cannot be reached: {_reason(error)}") from None


class _Raise(HTTPErrorProcessor):
    """What is no success is an error, redirects too."""

    handler_order = 1

    def http_response(self, request: Request, response: Any) -> Any:
        if 200 <= response.status < 300:
            return response
        raise HTTPError(request.full_url, response.status, response.reason, response.headers, response)

    https_response = http_response


def _reason(error: object) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"{why(error)}; does the gateway run, and has its [api] this port?"
    return why(error) if isinstance(error, OSError) else str(error) or type(error).__name__


def _words(error: HTTPError) -> str:
    """The problem details, in a line."""
    try:
        problem = json.loads(error.read(1 << 20))
        lines = [problem["title"], problem.get("detail", "")]
        lines += [f"{each['field']}: {each['wrong']}" for each in problem.get("errors", ())]
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP status {error.code} from {error.url}: is it the port of [api]?"
    if error.code == HTTPStatus.UNAUTHORIZED:
        lines[1] = "set SMPPGW_KEY to one of [api.keys] in its config"
    return "; ".join(line for line in lines if line)


def _json(answer: HTTPResponse) -> Any:
    try:
        return json.loads(answer.read())
    except (ValueError, OSError, HTTPException) as error:
        raise ApiError(f"the answer is no JSON: {error}") from None
