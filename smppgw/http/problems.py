"""Errors of the API as problem details (RFC 9457): what is wrong, of which field, and what would be right."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

MEDIA = "application/problem+json"


class FieldError(BaseModel):
    """One field of the request."""

    field: str
    wrong: str


class ProblemDetails(BaseModel):
    """The body of every error."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    errors: list[FieldError] = []


class Problem(Exception):
    """Raised anywhere in a request."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.details = ProblemDetails(
            title=title,
            status=status,
            detail=detail,
            errors=[FieldError(field=field, wrong=wrong) for field, wrong in errors],
        )
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        return self.details.model_dump(exclude_defaults=True) | {"type": self.details.type}

    def response(self) -> JSONResponse:
        return JSONResponse(self.body(), self.status, self.headers, MEDIA)


def problem_of(errors: Sequence[Any]) -> Problem:
    """Of what pydantic found in a body that was not read by FastAPI."""
    return Problem(
        422, "The request is not valid", errors=[_wrong({**each, "loc": ("", *each["loc"])}) for each in errors]
    )  # fmt: skip


def install(app: FastAPI) -> None:
    """Every error of the app becomes one of these."""

    async def raised(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)  # noqa: S101  registered for it
        return error.response()

    async def http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        return Problem(error.status_code, str(error.detail), headers=error.headers).response()

    async def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        errors = [_wrong(each) for each in error.errors()]
        return Problem(422, "The request is not valid", errors=errors).response()

    async def bug(_: Request, __: Exception) -> JSONResponse:
        return Problem(500, "A bug of the gateway", "its log has the traceback").response()

    app.add_exception_handler(Problem, raised)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, bug)


_WORDS = {"missing": "is missing", "extra_forbidden": "is not known", "model_attributes_type": "send JSON: an object"}
"""In place of pydantic's, which speak of inputs and extras."""


def _wrong(error: Mapping[str, Any]) -> tuple[str, str]:
    """The field, and what is wrong with it."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "json_invalid":  # its place is a position, not a field
        return "body", f"is no JSON: {context.get('error', error['msg'])}, at character {error['loc'][-1]}"
    words = str(context["error"]) if kind == "value_error" and "error" in context else error["msg"]
    return _field(error["loc"]), _WORDS.get(kind, words)


def _field(loc: Sequence[Any]) -> str:
    """Without where it was: body, query, path."""
    parts = [str(part).encode(errors="replace").decode() for part in loc]
    return ".".join(parts[1:]) or parts[0]


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemDetails, "description": words, "content": {MEDIA: {}}}
    for status, words in (
        (400, "The body cannot be read"),
        (401, "No key, or a wrong one"),
        (403, "The key may not do this"),
        (404, "There is no such thing"),
        (413, "The body is too long"),
        (422, "A field is not valid"),
        (429, "Too many requests"),
        (503, "Not now"),
    )
}
"""For the OpenAPI document: what every operation may answer."""
