"""What /openapi.json promises of admin and history, the running API keeps, whatever is asked."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from smppgw.ports import free_port
from tests.endtoend.test_rest_schema import CHECKS, url
from tests.kit import Gateway, relay_config

KEY = "a key that operates"
BARE = [
    *[("GET", f"/v1/admin/{name}") for name in (
        "overview", "queues", "accounts", "connectors", "groups", "routes", "config", "config/diff",
    )],
    ("POST", "/v1/admin/config/reload"),
]  # fmt: skip
"""Those that are asked without a parameter and without a body: nothing could be wrong with that."""
OPERATIONS = [
    *BARE,
    *[("GET", f"/v1/admin/{name}") for name in (
        "accounts/{name}", "connectors/{name}", "groups/{name}", "set-aside", "set-aside/{id}",
    )],
    *[("POST", f"/v1/admin/{name}") for name in (
        "routes/try", "mo-routes/try", "accounts/{name}/unbind", "connectors/{name}/drain", "connectors/{name}/stop",
        "connectors/{name}/start", "connectors/{name}/rebind", "groups/{name}/hand-back", "set-aside/{id}/release",
        "set-aside/{id}/drop",
    )],
    ("PATCH", "/v1/admin/accounts/{name}/limits"), ("DELETE", "/v1/admin/accounts/{name}/limits"),
    ("PATCH", "/v1/admin/connectors/{name}/limits"), ("DELETE", "/v1/admin/connectors/{name}/limits"),
    ("GET", "/v1/history/messages"), ("GET", "/v1/history/messages/{id}"),
]  # fmt: skip
ASKED = [
    *[(*operation, GenerationMode.POSITIVE) for operation in OPERATIONS],
    *[(*operation, GenerationMode.NEGATIVE) for operation in OPERATIONS if operation not in BARE],
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("admin")
    api = {"port": free_port(), "keys": {"all": {"key": KEY, "roles": ["operate"]}}}
    history = {"engine": "sqlite", "path": str(directory / "history.db")}
    over: dict[str, Any] = {"api": api, "history": history, "groups": {"g": {"active": ["up"]}}}
    with Gateway(directory, relay_config(free_port(), **over)) as gateway:
        yield gateway


@pytest.mark.parametrize(("method", "path", "mode"), ASKED)
def test_every_operation_answers_as_the_document_says(
    gateway: Gateway, method: str, path: str, mode: GenerationMode
) -> None:
    document = schemathesis.openapi.from_url(f"{url(gateway)}/openapi.json")
    operation = document[path][method]
    known = {"accounts": "esme", "connectors": "up", "groups": "g"}.get(path.split("/")[3], "")

    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if known and "name" in (case.path_parameters or {}) and mode is GenerationMode.POSITIVE:
            case.path_parameters["name"] = known
        case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"}, checks=CHECKS)

    ask()


def test_every_operation_is_asked_and_says_what_it_does(gateway: Gateway) -> None:
    with httpx.Client(base_url=url(gateway)) as client:
        document = client.get("/openapi.json").json()
    there, bare = set(), set()
    for path, operations in document["paths"].items():
        if path.startswith(("/v1/admin", "/v1/history")):
            for method, operation in operations.items():
                assert operation["description"]
                there.add((method.upper(), path))
                if "requestBody" not in operation and not operation.get("parameters"):
                    bare.add((method.upper(), path))
    assert there == {*OPERATIONS, ("GET", "/v1/admin/capture")}
    assert bare == set(BARE)


def test_it_lives_after_all_this(gateway: Gateway) -> None:
    assert gateway.process.running
    assert not [line for line in gateway.process.lines if "Traceback" in line]
