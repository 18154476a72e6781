"""The keys that all HTTPS carriers share: their limits, and defaults that lose and double nothing."""

from typing import Any

import pytest
from pydantic import ValidationError

from smppgw.carriers.settings import CarrierSettings


def made(**keys: Any) -> CarrierSettings:
    return CarrierSettings.model_validate({"name": "a", "kind": "k", "url": "https://api.example.com", **keys})


def test_by_default_a_doubt_is_held_and_nobody_is_asked() -> None:
    settings = made()
    assert (settings.in_doubt, settings.poll, settings.incomplete, settings.webhook_path) == ("hold", (), "send", "")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url", "ftp://api.example.com"),
        ("url", "https://api.example.com/?a=b"),
        ("url", "https://"),
        ("url", "https://api.example.com:99999/a"),
        ("url", "https://api.example.com:http/a"),
        ("url", "https://[::1/a"),
        ("url", ""),
        ("window", 0),
        ("rate", -1.0),
        ("response", "0s"),
        ("join_wait", 0),
        ("max_joining", 0),
        ("retry", []),
        ("breaker_failures", 0),
        ("breaker_wait", []),
        ("poll", ["0s"]),
        ("poll_end", "never"),
        ("errors", {"500": "maybe"}),
        ("in_doubt", "resend"),
        ("incomplete", "wait"),
        ("country_code", "+81"),
        ("country_code", "8181"),
        ("national_prefix", "00000"),
        ("mo_long", "split"),
        ("webhook_path", "hook"),
        ("webhook_path", "/a/../b c"),
        ("webhook_path", "/"),
        ("webhook_url", "gw.example.com/hook"),
        ("webhook_url", "https://gw.example.com/hook#top"),
        ("webhook_networks", ["everywhere"]),
        ("unheard_of", 1),
    ],
)
def test_what_makes_no_sense_is_refused(key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        made(**{key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url", "http://127.0.0.1:8080/base/path"),
        ("poll", ["1m", "5m", "1h"]),
        ("retry", [0, "1s"]),
        ("errors", {"http 503": "later", "21610": "never"}),
        ("webhook_path", "/aix/hook.json"),
        ("webhook_url", "https://gw.example.com/hook?key=1"),
        ("webhook_networks", ["192.0.2.0/24", "2001:db8::/32"]),
    ],
)
def test_what_makes_sense_is_taken(key: str, value: object) -> None:
    assert getattr(made(**{key: value}), key)


def test_a_password_does_not_show() -> None:
    assert "hunter2" not in repr(made(webhook_user="me", webhook_password="hunter2"))
