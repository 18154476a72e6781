"""Errors of the API in words that name the field."""

import asyncio
import json
from typing import Annotated

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import AfterValidator, BaseModel, ConfigDict

from smppgw.http.problems import install


def _even(number: int) -> int:
    if number % 2:
        raise ValueError("it must be even")
    return number


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: str
    pairs: Annotated[int, AfterValidator(_even)] = 0


def _answer(body: bytes, kind: str = "application/json") -> dict[str, str]:
    """What is wrong, by field."""
    app = FastAPI()
    install(app)

    @app.post("/")
    async def post(order: _Order) -> str:
        return order.to

    async def ask() -> dict[str, str]:
        async with AsyncClient(transport=ASGITransport(app), base_url="http://here") as client:
            answer = await client.post("/", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 422
        return {each["field"]: each["wrong"] for each in answer.json()["errors"]}

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ({}, {"to": "is missing"}),
        ({"to": "1", "txt": "x"}, {"txt": "is not known"}),
        ({"to": "1", "pairs": 3}, {"pairs": "it must be even"}),
    ],
)
def test_every_wrong_field_is_named_with_what_is_wrong(order: object, found: dict[str, str]) -> None:
    assert _answer(json.dumps(order).encode()) == found


def test_a_body_that_is_no_json_says_where() -> None:
    assert _answer(b"{broken") == {
        "body": "is no JSON: Expecting property name enclosed in double quotes, at character 1"
    }


def test_a_form_is_told_to_be_json() -> None:
    assert _answer(b"to=1", "application/x-www-form-urlencoded") == {"body": "send JSON: an object"}
