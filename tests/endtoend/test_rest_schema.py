"""What /openapi.json promises, the running API keeps: schemathesis asks for whatever the document allows, and more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from smppgw.ports import free_port
from tests.kit import Gateway, relay_config

KEY = "a key that sends and reads"
TOO_LONG = 413


def wrong_is_refused(ctx: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """schemathesis does not count that a body is too long as a refusal."""
    return None if response.status_code == TOO_LONG else negative_data_rejection(ctx, response, case)


CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, wrong_is_refused, ignored_auth,
]  # fmt: skip


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Its connector binds nowhere: what is sent waits."""
    directory: Path = tmp_path_factory.mktemp("schema")
    api = {
        "port": free_port(),
        "keys": {
            "all": {
                "key": KEY, "roles": ["send", "read"], "accounts": ["esme"],
                "callback": "http://127.0.0.1:9/hook", "callback_secret": "secret",
            }
        },
    }  # fmt: skip
    history = {"engine": "sqlite", "path": str(directory / "history.db")}
    with Gateway(directory, relay_config(free_port(), api=api, history=history)) as gateway:
        yield gateway


def url(gateway: Gateway) -> str:
    return f"http://127.0.0.1:{gateway.config['api']['port']}"


OPERATIONS = [
    ("POST", "/v1/messages"), ("POST", "/v1/messages/batch"), ("POST", "/v1/messages/preview"),
    ("GET", "/v1/messages"), ("GET", "/v1/messages/{id}"), ("DELETE", "/v1/messages/{id}"),
]  # fmt: skip


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_answers_as_the_document_says(
    gateway: Gateway, method: str, path: str, mode: GenerationMode
) -> None:
    document = schemathesis.openapi.from_url(f"{url(gateway)}/openapi.json")
    operation = document[path][method]

    @settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"}, checks=CHECKS)

    ask()


def test_the_document_has_examples_that_are_accepted(gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=url(gateway), headers=headers) as client:
        document = client.get("/openapi.json").json()
        schemas = document["components"]["schemas"]
        (order,) = schemas["Order"]["examples"]
        (messages,) = schemas["Batch"]["properties"]["messages"]["examples"]
        assert client.post("/v1/messages", json=order).status_code == 202
        batch = client.post("/v1/messages/batch", json={"messages": messages}).json()
        assert (batch["accepted"], batch["refused"]) == (len(messages), 0)
        assert client.get("/v1/messages", params={"number": order["to"]}).status_code == 200
    for path, operations in document["paths"].items():
        if path.startswith("/v1/messages"):
            for operation in operations.values():
                assert operation["summary"]
                assert "422" in operation["responses"]


def test_it_lives_after_all_this(gateway: Gateway) -> None:
    assert gateway.process.running
    assert not [line for line in gateway.process.lines if "Traceback" in line]
