"""The keys of KDDI agree with each other, and conf/carriers.toml shows them all."""

import tomllib
from typing import Any

import pytest
from pydantic import ValidationError

from smppgw.carriers.kddi_settings import Fields, KddiSettings
from smppgw.carriers.settings import CarrierSettings
from tests.kit import ROOT
from tests.smppgw.kddi import TOKENS, settings


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"fallback": "0"}, "needs a +message account"),
        ({"fallback": "1"}, "needs a +message account"),
        ({**TOKENS, "fallback": "1", "dst": "4"}, "reaches nobody"),
        ({"sms_numbers": []}, "sms_numbers is missing"),
        ({"sms_numbers": ["Bank"]}, "sms_numbers"),
        ({"user": "a:b"}, "user"),
        ({"token_au": "a\nb"}, "no header can hold"),
        ({"status_path": "/x/{msgid}"}, "did you mean 'msg_id'?"),
        ({"status_path": "/x/{}"}, "has {}"),
        ({"status_path": "/x/{msg_id"}, "is no path"),
        ({"status_path": "/x"}, "does not say where the id is"),
        ({"send_path": "x"}, "begin it with /"),
        ({"states": {"ng": "FAILED"}}, "states.ng"),
        ({"fields": {"idd": "x"}}, "fields.idd"),
    ],
)
def test_keys_that_cannot_be_right_are_refused(keys: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**keys)
    assert reason in str(refused.value)


def test_by_default_it_asks_until_31_days_have_passed() -> None:
    days = [seconds / 86400 for seconds in settings().poll]
    assert settings().poll[:5] == (300, 1800, 6 * 3600, 24 * 3600, 72 * 3600)
    assert days == sorted(days)
    assert days[-1] == 31
    assert settings().poll_end == "expired"


def test_no_secret_is_shown() -> None:
    assert "testPass" not in repr(settings())


def test_conf_carriers_toml_shows_every_key_with_its_default() -> None:
    shown = tomllib.loads((ROOT / "conf" / "carriers.toml").read_text())["connectors"]["kddi"]
    assert KddiSettings.model_validate({"name": "kddi", **shown}) == settings(password="secret", bot_id="bot1")
    own = set(KddiSettings.model_fields) - (set(CarrierSettings.model_fields) - {"poll", "poll_end"})
    assert own - {"token_au", "token_docomo", "token_softbank"} <= set(shown)
    assert set(Fields.model_fields) == set(shown["fields"])
