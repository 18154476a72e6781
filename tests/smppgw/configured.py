"""Small configs, and what is said of those that are refused."""

from typing import Any

import pytest

from smppgw.config import ConfigError, Problem, parse


def small(**changes: Any) -> dict[str, Any]:
    return {
        "accounts": {"demo": {"password": "secret"}},
        "connectors": {
            "up": {"host": "a", "port": 2775, "system_id": "us", "password": "x"},
            "spare": {"host": "b", "port": 2775, "system_id": "us", "password": "x"},
        },
        "groups": {"all": {"active": ["up"], "backup": ["spare"]}},
        "routes": [{"name": "all", "to": "all"}],
    } | changes


def connector(**changes: Any) -> dict[str, Any]:
    return {"up": {"host": "a", "port": 1, "system_id": "us", "password": "x"} | changes}


def keyed(**key: Any) -> dict[str, Any]:
    return {"api": {"port": 1, "keys": {"shop": {"key": "secret", "accounts": ["demo"], **key}}}}


def refused(data: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        parse(data)
    return {problem.path: f"{problem.wrong}; {problem.fix}" for problem in caught.value.problems}


def problems_of(data: dict[str, Any]) -> tuple[Problem, ...]:
    try:
        parse(data)
    except ConfigError as error:
        return error.problems
    return ()
