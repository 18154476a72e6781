"""Every HTTPS carrier beside its simulator: what the contract test, the connector's tests and the end-to-end tests need
to know of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from smppgw.carriers.client import Client
from smppgw.carriers.contract import Carrier, Text
from smppgw.carriers.registry import KINDS
from smppgw.carriers.settings import CarrierSettings
from smppgw.simulate.aix import AixOptions, AixSimulator
from smppgw.simulate.carrier import CarrierSimulator
from smppgw.simulate.kddi import KddiOptions, KddiSimulator
from smppgw.simulate.twilio import TwilioSimulator
from smppgw.simulate.twilio_account import ACCOUNT, TwilioOptions
from smppgw.simulate.vonage import VonageOptions, VonageSimulator

TOKEN = "fedcba9876543210fedcba9876543210"

AIX_BY_TEMPLATE: dict[str, Any] = {
    "longest": 660,
    "idempotent": True,
    "secrets": {"token": "0123456789abcdef0123456789abcdef"},
    "carriers": {"au": "101", "docomo": "103", "softbank": "105", "rakuten": "106"},
    "send": {
        "path": "/p5/api/mt.json",
        "form": {
            "token": "{token}",
            "clientId": "1234",
            "smsCode": "12345",
            "message": "{text}",
            "phoneNumber": "{destination}",
            "clientTag": "{tag}",
            "carrierId": "{carrier}",
        },
    },
    "reply": {
        "code": "json:responseCode",
        "success": ["0"],
        "reason": "json:responseMessage",
        "codes": {
            "110 Invalid token.": {"verdict": "later", "alarm": True},
            "110 Invalid phoneNumber.": {"verdict": "never", "status": "RINVDSTADR"},
            "120": {"verdict": "never", "status": "RINVMSGLEN"},
            "300": {"verdict": "later", "status": "RMSGQFUL"},
            "400": {"verdict": "never", "again": "sent"},
            "500": "later",
        },
    },
    "webhook_unwrap": "json",
    "webhook_items": "eventNotifications",
    "receipts": {
        "when": {"type": "DLR"},
        "id": "clientTag",
        "state": "statusId",
        "states": {"1": "ENROUTE", "2": "DELIVRD", "3": "UNDELIV"},
        "err": "detailedStatusId",
    },
    "look_up": {
        "path": "/p5/api/status.json",
        "query": {"token": "{token}", "clientId": "1234", "clientTag": "{id}"},
        "items": "status",
        "id": "clientTag",
    },
}
"""The current API of AIX, described in the config alone."""


@dataclass(frozen=True)
class Said:
    """A handset's message: what the simulator is told, and what must arrive."""

    say: Mapping[str, Any]
    source: str
    destination: str
    text: str


@dataclass(frozen=True)
class Case:
    """One kind of carrier."""

    simulator: Callable[..., CarrierSimulator]
    """Made with the webhook's URL and options of faults."""
    keys: Mapping[str, Any]
    """Of the config, besides url and webhook."""
    wrong: Mapping[str, Any]
    """Credentials that the simulator refuses."""
    mo: Said | None = None
    number: str = "819012345678"
    signed: bool = False
    """Its notifications are signed, so that a forged one is refused."""


CASES: dict[str, Case] = {
    "aix": Case(
        lambda webhook="", **more: AixSimulator(AixOptions(webhook=webhook, **more)),
        {"token": "0123456789abcdef0123456789abcdef", "client_id": "1234", "sms_code": "12345"},
        {"token": "ffffffffffffffffffffffffffffffff"},
    ),
    "kddi": Case(
        lambda webhook="", **more: KddiSimulator(KddiOptions(webhook=webhook, mo_webhook=webhook, **more)),
        {"user": "testUser", "password": "testPass", "bot_id": "bot1", "sms_numbers": ["0312345678"]},
        {"password": "wrong"},
        mo=Said({"from": "+819011112222", "to": "0312345678", "text": "はい"}, "819011112222", "0312345678", "はい"),
    ),
    "twilio_messages": Case(
        lambda webhook="", **more: TwilioSimulator(TwilioOptions(webhook=webhook, auth_token=TOKEN, **more)),
        {"account_sid": ACCOUNT, "auth_token": TOKEN, "sender": "+15017122661"},
        {"auth_token": "wrong"},
        mo=Said({"from": "+819011112222", "to": "+15017122661", "text": "yes"}, "819011112222", "15017122661", "yes"),
        signed=True,
    ),
    "twilio_commands": Case(
        lambda webhook="", **more: TwilioSimulator(TwilioOptions(webhook=webhook, auth_token=TOKEN, **more)),
        {"account_sid": ACCOUNT, "auth_token": TOKEN, "sims": {"819012345678": "DE" + "b" * 32}},
        {"auth_token": "wrong"},
        mo=Said({"sim": "DE" + "b" * 32, "text": "on"}, "819012345678", "2936", "on"),
        signed=True,
    ),
    "template": Case(
        lambda webhook="", **more: AixSimulator(AixOptions(webhook=webhook, **more)),
        AIX_BY_TEMPLATE,
        {"secrets": {"token": "ffffffffffffffffffffffffffffffff"}},
    ),
    "vonage": Case(
        lambda webhook="", **more: VonageSimulator(VonageOptions(webhook=webhook, **more)),
        {"api_key": "abcd1234", "api_secret": "abcdef0123456789", "sender": "AcmeInc"},
        {"api_secret": "wrong"},
        mo=Said({"from": "819011112222", "to": "15017122661", "text": "yes"}, "819011112222", "15017122661", "yes"),
    ),
}


def settings_of(kind: str, url: str, webhook: str = "", **more: Any) -> CarrierSettings:
    """Of a connector named after its kind."""
    keys = {"name": kind, "url": url, "webhook_url": webhook, **CASES[kind].keys, **more}
    return KINDS[kind].settings.model_validate(keys)


def carrier_of(kind: str, url: str, client: Client, webhook: str = "", **more: Any) -> Carrier:
    return KINDS[kind].make(settings_of(kind, url, webhook, **more), client)


def text_for(kind: str, words: str = "hello", **fields: Any) -> Text:
    given = {"tag": "0caab0e006000000", "source": "", "destination": f"+{CASES[kind].number}", "text": words}
    return Text(**{**given, "validity": 3600.0, **fields})
